using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Goes through the DIEs of a unit's functions and notes what they refer to, so that the serial pass that numbers the types sees each
/// reference of a unit once (the parallel half of ld.dwarfVisitFunction, and ld.writedebugaddr). One instance serves one thread.
/// </summary>
internal sealed class UnitScanner(LinkContext ctx, MemoryArena memory) : IDisposable
{
    private readonly SymbolTable _symbols = ctx.Symbols;
    private readonly bool _isDwarf5 = DebugInfo.IsDwarf5(ctx);
    private readonly NativeList<int> _references = new();

    // By place among the named symbols of an object: the last unit that referred to it.
    private readonly NativeArray<int> _stamps = new(MostNamed(ctx.Symbols));
    private int _stamp;

    // Functions and types are gone through in batches, step by step, so that what one waits for is asked for while others go on.
    private const int Batch = 32;
    private readonly FunctionParts[] _parts = new FunctionParts[Batch];
    private readonly (SymbolId Die, GoObject Owner, int Local)[] _sought = new (SymbolId, GoObject, int)[Batch];
    private readonly int[] _nameEnds = new int[Batch];
    private readonly SymbolId[] _found = new SymbolId[Batch];
    private int _soughtCount;
    private byte[] _names = new byte[4096];

    /// <summary>
    /// Fills the records of a unit's functions and its <see cref="DwarfUnit.References"/>: a positive number is a DIE, a negative one the
    /// complement of a type descriptor that must be in the debug information.
    /// </summary>
    public void Scan(DwarfUnit unit, Span<FunctionSymbols> functions)
    {
        _references.Clear();
        _stamp++;
        ReadOnlySpan<SymbolId> text = CollectionsMarshal.AsSpan(unit.Unit.Text);
        for (int from = 0; from < text.Length; from += Batch)
        {
            int to = Math.Min(text.Length, from + Batch);
            for (int i = from; i < to; i++)
            {
                _symbols.ExpectAuxIndex(text[i]);
            }
            for (int i = from; i < to; i++)
            {
                _symbols.ExpectAuxes(text[i]);
            }
            for (int i = from; i < to; i++)
            {
                _parts[i - from] = ReadParts(unit, text[i], ref functions[i]);
            }
            for (int i = from; i < to; i++)
            {
                Expect(unit, functions[i], _parts[i - from]);
            }
            for (int i = from; i < to; i++)
            {
                ScanFunction(unit, functions, i, _parts[i - from]);
            }
        }
        FindSought();
        unit.References = NativeSpan<int>.Of(memory, _references.Count);
        _references.AsSpan().CopyTo(unit.References.AsSpan());
        if (_isDwarf5 && text.Length != 0)
        {
            unit.BaseSlot = unit.FindSlot(functions, text[0]) is >= 0 and int slot ? slot : TakeSlot(unit, text[0]);
        }
    }

    /// <summary>
    /// Finds the type descriptor of each type DIE that a DIE refers to, and keeps it in the value of the DIE's symbol: see
    /// <see cref="DebugInfo.Encode"/>. Any thread may do this for any DIE: the result is always the same. What stands there already is left,
    /// for it may be the number of the type's node.
    /// </summary>
    public void FindTypes(SymbolId die)
    {
        AddTypes(die);
        FindSought();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _references.Dispose();
        _stamps.Dispose();
    }

    private static int MostNamed(SymbolTable symbols)
    {
        int most = 0;
        foreach (GoObject o in symbols.Objects[Math.Min(SymbolTable.FirstObject, symbols.Objects.Length)..])
        {
            most = Math.Max(most, o.NonPkgDefCount + o.NonPkgRefCount);
        }
        return most;
    }

    private void AddTypes(SymbolId die)
    {
        RelocList relocs = _symbols.Relocs(die);
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs.Kind(i) == RelocKind.DwarfSecRef)
            {
                AddType(relocs, i, relocs.Target(i));
            }
        }
    }

    /// <summary>
    /// What frames need to know of a function that became live after the units were scanned: nothing else tells of it.
    /// </summary>
    public static FunctionSymbols ScanLate(SymbolTable symbols, SymbolId function)
    {
        FunctionSymbols found = default;
        foreach (ref readonly AuxRecord aux in symbols.Auxes(function, out GoObject? owner))
        {
            if (aux.Kind == AuxKind.FuncInfo)
            {
                found.Marks = Marks(owner!.Data((int)Math.Min(aux.Target.SymbolIndex, int.MaxValue)));
            }
            else if (aux.Kind == AuxKind.PcSp)
            {
                found.StackDeltas = symbols.PcTable(owner, aux.Target);
            }
        }
        return found;
    }

    private FunctionParts ReadParts(DwarfUnit unit, SymbolId function, ref FunctionSymbols symbols)
    {
        FunctionParts parts = new() { Info = -1 };
        foreach (ref readonly AuxRecord aux in _symbols.Auxes(function, out GoObject? owner))
        {
            switch (aux.Kind)
            {
                case AuxKind.FuncInfo:
                    parts.Owner = owner;
                    parts.Info = (int)Math.Min(aux.Target.SymbolIndex, int.MaxValue);
                    owner!.ExpectDataIndex(parts.Info);
                    break;
                case AuxKind.PcSp:
                    symbols.StackDeltas = _symbols.PcTable(owner, aux.Target);
                    break;
                case AuxKind.DwarfInfo:
                    symbols.Info = Checked(owner!, aux, SymbolKind.DwarfFcn).Index;
                    unit.ExpectRelocIndex(symbols.Info);
                    break;
                case AuxKind.DwarfLoc:
                    parts.Locations = Checked(owner!, aux, SymbolKind.DwarfLoc).Index;
                    unit.ExpectRelocIndex(parts.Locations);
                    break;
                case AuxKind.DwarfRanges:
                    parts.Ranges = Checked(owner!, aux, SymbolKind.DwarfRange).Index;
                    unit.ExpectRelocIndex(parts.Ranges);
                    break;
                case AuxKind.DwarfLines:
                    symbols.Lines = Checked(owner!, aux, SymbolKind.DwarfLines).Index;
                    break;
            }
        }
        return parts;
    }

    private void Expect(DwarfUnit unit, in FunctionSymbols symbols, in FunctionParts parts)
    {
        if (parts.Info >= 0)
        {
            parts.Owner!.ExpectData(parts.Info);
        }
        unit.ExpectRelocs(symbols.Info);
        if (_isDwarf5)
        {
            unit.ExpectRelocs(parts.Ranges);
            unit.ExpectRelocs(parts.Locations);
        }
    }

    private void ScanFunction(DwarfUnit unit, Span<FunctionSymbols> functions, int index, in FunctionParts parts)
    {
        ref FunctionSymbols symbols = ref functions[index];
        symbols.Slot = unit.ExtraSlots is { } extra && extra.TryGetValue(unit.Unit.Text[index], out int slot) ? slot : -1;
        if (parts.Info >= 0)
        {
            symbols.Marks = Marks(parts.Owner!.Data(parts.Info));
        }
        if (symbols.Info != 0)
        {
            symbols.Ranges = parts.Ranges;
            ScanInfo(unit, functions, index);
        }
        if (_isDwarf5)
        {
            FindSlots(unit, functions, index, new SymbolId(parts.Ranges));
            FindSlots(unit, functions, index, new SymbolId(parts.Locations));
        }
    }

    private void ScanInfo(DwarfUnit unit, Span<FunctionSymbols> functions, int index)
    {
        RelocList relocs = unit.Relocs(_symbols, new SymbolId(functions[index].Info));
        int last = -1;
        for (int i = 0; i < relocs.Count; i++)
        {
            switch (relocs.Kind(i))
            {
                case RelocKind.UseType:
                    if (IsNew(relocs, i))
                    {
                        _references.Add(~relocs.Target(i).Index);
                    }
                    break;
                case RelocKind.DwarfSecRef:
                    if (IsNew(relocs, i))
                    {
                        AddReference(relocs, i, ref functions[index]);
                    }
                    break;
                case >= RelocKind.DwTxtAddrU1 and <= RelocKind.DwTxtAddrU4 when _isDwarf5:
                    AddSlot(unit, functions, index, relocs, i, ref last);
                    break;
            }
        }
    }

    private void AddReference(in RelocList relocs, int i, ref FunctionSymbols symbols)
    {
        SymbolId target = relocs.Target(i);
        switch (_symbols.Kind(target))
        {
            case SymbolKind.DwarfAbsFcn:
                _references.Add(target.Index);
                // The first thread to come by looks up the types that the inlined function refers to.
                if (_symbols.SetShared(target, SymbolTable.Attributes.NotInSymbolTable))
                {
                    AddTypes(target);
                }
                break;
            case SymbolKind.DwarfLoc:
                if (symbols.Locations == 0)
                {
                    symbols.Locations = target.Index;
                }
                break;
            case SymbolKind.DwarfType or SymbolKind.None:
                _references.Add(target.Index);
                AddType(relocs, i, target);
                break;
        }
    }

    // Notes that the descriptor of a type DIE, the target of a relocation, must be found. Type DIEs are referred to by name.
    private void AddType(in RelocList relocs, int i, SymbolId die)
    {
        if (_symbols.Values[die] != 0 || _symbols.Kind(die) is not (SymbolKind.DwarfType or SymbolKind.None))
        {
            return;
        }
        SymRef target = relocs.Records[i].Target;
        if (target.PackageIndex != SymRef.NonPackage || relocs.Owner is not { } owner)
        {
            _symbols.Values.SetIfZero(die, DebugInfo.Encode(DebugInfo.FindType(_symbols, die, ref _names)));
            return;
        }
        if (_soughtCount == Batch)
        {
            FindSought();
        }
        int local = owner.FirstNonPkg + (int)target.SymbolIndex;
        owner.ExpectRecord(local);
        _sought[_soughtCount++] = (die, owner, local);
    }

    private void FindSought()
    {
        Span<(SymbolId Die, GoObject Owner, int Local)> sought = _sought.AsSpan(0, _soughtCount);
        foreach ((SymbolId _, GoObject owner, int local) in sought)
        {
            owner.ExpectName(local);
        }
        int length = 0;
        for (int i = 0; i < sought.Length; i++)
        {
            length = DebugInfo.AppendTypeName(sought[i].Owner.Name(sought[i].Local), ref _names, length);
            _nameEnds[i] = length;
        }
        _symbols.Lookup(_names.AsSpan(0, length), _nameEnds.AsSpan(0, sought.Length), _found);
        for (int i = 0; i < sought.Length; i++)
        {
            bool isTypeName = _nameEnds[i] != (i == 0 ? 0 : _nameEnds[i - 1]);
            _symbols.Values.SetIfZero(sought[i].Die, DebugInfo.Encode(isTypeName ? _found[i] : SymbolId.None));
        }
        sought.Clear();
        _soughtCount = 0;
    }

    private void FindSlots(DwarfUnit unit, Span<FunctionSymbols> functions, int index, SymbolId s)
    {
        if (s.IsNone)
        {
            return;
        }
        RelocList relocs = unit.Relocs(_symbols, s);
        int last = -1;
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs.Kind(i) is >= RelocKind.DwTxtAddrU1 and <= RelocKind.DwTxtAddrU4)
            {
                AddSlot(unit, functions, index, relocs, i, ref last);
            }
        }
    }

    // The same for what the last such relocation of the list does not refer to; nearly all refer to one function.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddSlot(DwarfUnit unit, Span<FunctionSymbols> functions, int index, in RelocList relocs, int i, ref int last)
    {
        if (last < 0 || relocs.Records[i].Target != relocs.Records[last].Target)
        {
            AddSlot(unit, functions, index, relocs, i);
        }
        last = i;
    }

    // Gives the function that a relocation refers to a place in .debug_addr, if it has none (assignDebugAddrSlot).
    private void AddSlot(DwarfUnit unit, Span<FunctionSymbols> functions, int index, in RelocList relocs, int i)
    {
        SymbolId function = unit.Unit.Text[index];
        SymbolId target = relocs.Target(i);
        ref FunctionSymbols symbols = ref functions[index];
        if (target == function && symbols.Slot >= 0)
        {
            return;
        }
        if (!_symbols.Kind(target).IsText())
        {
            throw new LinkException(MessageForm.Input, "internal error: R_DWTXTADDR_* relocation on dwinfosym for "
                + $"{_symbols.NameText(function)} against non-function {_symbols.NameText(target)} type:{_symbols.Kind(target).GoName()}");
        }
        if (_symbols.Unit(target) is var owner && owner != unit.Unit)
        {
            throw new LinkException(MessageForm.Input, "internal error: R_DWTXTADDR_* relocation target text sym unit mismatch "
                + $"(want \"{unit.Unit.Package.Path}\" got \"{owner?.Package.Path}\")");
        }
        // The flood did not come by here.
        if (!_symbols.IsReachable(target))
        {
            throw new LinkException($"{_symbols.NameText(function)}: debug information of dead function {_symbols.NameText(target)}");
        }
        // Functions behind this one have no record yet, so that only extra slots are found for them.
        if (target != function && unit.FindSlot(functions[..index], target) >= 0)
        {
            return;
        }
        RelocKind kind = relocs.Kind(i);
        if (unit.SlotCount > SlotLimit(kind))
        {
            throw new LinkException(
                MessageForm.Input, $"internal error: {kind} relocation overflow on infosym for {_symbols.NameText(function)}");
        }
        if (target == function)
        {
            symbols.Slot = unit.SlotCount++;
        }
        else
        {
            TakeSlot(unit, target);
        }
    }

    // FuncInfo: size of the arguments, size of the locals, function id, flags; the first flag marks the top frame.
    private static FunctionMarks Marks(ReadOnlySpan<byte> info) => info.IsEmpty ? FunctionMarks.None
        : info.Length > 9 && (info[9] & 1) != 0 ? FunctionMarks.HasInfo | FunctionMarks.IsTop : FunctionMarks.HasInfo;

    private SymbolId Checked(GoObject owner, in AuxRecord aux, SymbolKind kind)
    {
        SymbolId s = _symbols.Resolve(owner, aux.Target);
        return _symbols.Kind(s) == kind ? s : throw owner.Damaged($"aux dwarf {aux.Kind} sym with wrong type");
    }

    private static int TakeSlot(DwarfUnit unit, SymbolId target)
    {
        unit.ExtraSlots ??= [];
        unit.ExtraSlots.Add(target, unit.SlotCount);
        return unit.SlotCount++;
    }

    private static int SlotLimit(RelocKind kind) => (1 << (7 * Length(kind))) - 1;

    /// <summary>Bytes that a reference to .debug_addr takes (DwTxtAddrRelocParams).</summary>
    public static int Length(RelocKind kind) => kind - RelocKind.DwTxtAddrU1 + 1;

    // Whether this is the first reference of its unit to a target. References by name are nearly all; others may come up twice.
    private bool IsNew(in RelocList relocs, int i)
    {
        SymRef target = relocs.Records[i].Target;
        if (target.PackageIndex != SymRef.NonPackage || relocs.Owner is not { } owner)
        {
            return true;
        }
        int named = owner.NonPkgDefCount + owner.NonPkgRefCount;
        if (target.SymbolIndex >= (uint)named)
        {
            return true;
        }
        if (_stamps[target.SymbolIndex] == _stamp)
        {
            return false;
        }
        _stamps[target.SymbolIndex] = _stamp;
        return true;
    }

    // What of a function is only looked at while it is scanned: the object and number of its FuncInfo, -1 for none; symbols by id.
    private struct FunctionParts
    {
        public GoObject? Owner;
        public int Info;
        public int Ranges;
        public int Locations;
    }
}
