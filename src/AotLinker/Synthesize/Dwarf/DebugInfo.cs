using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Collects what goes into the debug information: the types, the DIEs of functions, variables and constants by unit. Runs after dead code
/// elimination, while all symbols still have the names the compiler gave them (ld.dwarfGenerateDebugInfo).
/// </summary>
/// <remarks>
/// <para>DIEs that the compiler made stay where they are, in the mapped objects; here they are ids in lists. The type DIEs that they refer
/// to are the linker's: named symbols "go:info.TYPE" that no object defines.</para>
/// <para>The value column of a DWARF symbol says where it is. 0: not known. Negative: a type DIE whose descriptor is known, see
/// <see cref="Encode"/>. Positive: the type's node plus one, and from <see cref="DwarfLayout"/> on, for all DWARF symbols that others refer
/// to, the offset in the section, marked as such (<see cref="ValueColumn.PlaceMark"/>): no address looks like it.</para>
/// </remarks>
internal sealed class DebugInfo : IDisposable
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private byte[] _name = [];

    private DebugInfo(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        Types = new TypeGraph(ctx);
        int functions = 0;
        foreach (Package package in ctx.Packages)
        {
            foreach (CompilationUnit unit in package.Units)
            {
                Units.Add(new DwarfUnit(unit, Units.Count) { FirstFunction = functions });
                functions += unit.Text.Count;
            }
        }
        Functions = new NativeArray<FunctionSymbols>(NativeArray<FunctionSymbols>.FillLargePages(functions));
        Functions.PreferLargePages(2 << 20);
        UnitOfObject = new int[Math.Max(_symbols.Objects.Length, SymbolTable.FirstObject)];
        UnitOfObject.AsSpan().Fill(-1);
        foreach (DwarfUnit unit in Units)
        {
            if (unit.Unit.Object is { } o)
            {
                UnitOfObject[o.Index] = unit.Index;
            }
        }
    }

    // The kinds of symbols that may be variables of Go packages.
    private static UInt128 VariableKinds =>
        SymbolKinds.Set(SymbolKind.RoData, SymbolKind.RoDataEnd) | SymbolKinds.Set(SymbolKind.Data, SymbolKind.DataEnd)
        | SymbolKinds.Set(SymbolKind.NoPtrData, SymbolKind.NoPtrDataEnd) | SymbolKinds.Set(SymbolKind.Type)
        | SymbolKinds.Set(SymbolKind.Bss) | SymbolKinds.Set(SymbolKind.NoPtrBss) | SymbolKinds.Set(SymbolKind.TlsBss)
        | SymbolKinds.Set(SymbolKind.ModuleData);

    /// <summary>For tables that are needed as long as this.</summary>
    public MemoryArena Memory { get; } = new();

    /// <summary>The types.</summary>
    public TypeGraph Types { get; }

    /// <summary>All units, in the order of packages.</summary>
    public List<DwarfUnit> Units { get; } = [];

    /// <summary>The DWARF symbols of all functions, unit by unit.</summary>
    public NativeArray<FunctionSymbols> Functions { get; }

    /// <summary>DIEs of global variables, unit by unit.</summary>
    public SymbolId[] Variables { get; private set; } = [];

    /// <summary>Type DIE symbols that have a node, in no particular order.</summary>
    public List<SymbolId> TypeSymbols { get; } = [];

    /// <summary>For each object, the index of its unit; -1 for none.</summary>
    public int[] UnitOfObject { get; }

    /// <summary>
    /// Whether the packages were compiled with different flags; then a difference between duplicate symbols is no error (checkStrictDups).
    /// </summary>
    public bool HasMixedFlags { get; private set; }

    /// <summary>Whether the link has debug information (dwarfEnabled). May run the external linker.</summary>
    public static bool IsEnabled(LinkContext ctx) => MayBeEnabled(ctx) && (!ctx.Target.IsExternal || ctx.Format.LinkerTakesDebugInfo(ctx));

    /// <summary>Whether the link has debug information, unless its linker, which is not asked, takes none.</summary>
    public static bool MayBeEnabled(LinkContext ctx) => !ctx.Settings.OmitDwarf && ctx.Format.HasDebugInfo && ctx.Target.HasDwarf;

    /// <summary>Whether objects and output have DWARF 5 rather than 4.</summary>
    public static bool IsDwarf5(LinkContext ctx) => ctx.Options.Experiments.Has(Experiments.Dwarf5);

    /// <summary>Collects the debug information of a link.</summary>
    /// <exception cref="LinkException">A type that debuggers rely on is missing, or an object is damaged.</exception>
    public static DebugInfo Collect(LinkContext ctx)
    {
        DebugInfo info = new(ctx);
        info.DefineInspectedTypes();
        using (MemoryArena memory = new())
        {
            info.ScanUnits(memory);
        }
        if (info.Units.FindLast(u => u.Unit.Package.Path == "runtime") is { } runtime)
        {
            runtime.HasTypes = true;
        }
        else
        {
            throw new InvalidOperationException("no unit of package runtime");
        }
        return info;
    }

    /// <summary>The records of a unit's functions.</summary>
    public Span<FunctionSymbols> FunctionsOf(DwarfUnit unit) => Functions.Span(unit.FirstFunction, unit.Unit.Text.Count);

    /// <summary>The value of a type DIE's symbol that says which descriptor it belongs to; none: there is no such type.</summary>
    public static long Encode(SymbolId type) => -1L - type.Index;

    /// <summary>The descriptor in a value made by <see cref="Encode"/>.</summary>
    public static SymbolId Decode(long value) => new((int)(-1 - value));

    /// <summary>Whether a value says where a DWARF symbol is in its section (<see cref="ValueColumn.SetPlace"/>).</summary>
    public static bool IsPlace(long value) => value >> 62 == 1;

    /// <summary>The offset in such a value.</summary>
    public static long Offset(long place) => place & ~ValueColumn.PlaceMark;

    /// <summary>The descriptor of the type that a type DIE's symbol names, "go:info.T" for "type:T"; none if there is none.</summary>
    public static SymbolId FindType(SymbolTable symbols, SymbolId die, ref byte[] buffer)
    {
        int length = AppendTypeName(symbols.Name(die), ref buffer, 0);
        return length == 0 ? SymbolId.None : symbols.Lookup(buffer.AsSpan(0, length), 0);
    }

    /// <summary>
    /// Puts the name of the descriptor that belongs to the name of a type DIE at <paramref name="at"/> in a buffer, which may grow; nothing
    /// if it is no type DIE's name. Returns where the name ends.
    /// </summary>
    public static int AppendTypeName(ReadOnlySpan<byte> dieName, ref byte[] buffer, int at)
    {
        ReadOnlySpan<byte> prefix = "go:info."u8, descriptorPrefix = "type:"u8;
        if (!dieName.StartsWith(prefix))
        {
            return at;
        }
        ReadOnlySpan<byte> name = dieName[prefix.Length..];
        int end = at + descriptorPrefix.Length + name.Length;
        if (buffer.Length < end)
        {
            Array.Resize(ref buffer, end * 2);
        }
        descriptorPrefix.CopyTo(buffer.AsSpan(at));
        name.CopyTo(buffer.AsSpan(at + descriptorPrefix.Length));
        return end;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Types.Dispose();
        Functions.Dispose();
        Memory.Dispose();
    }

    // The types with which scripts for debuggers take interfaces apart.
    private void DefineInspectedTypes()
    {
        foreach (string name in _ctx.Release.InspectedTypes)
        {
            Types.Define(Types.FindOrExit(System.Text.Encoding.UTF8.GetBytes("type:internal/abi." + name)));
        }
    }

    // Goes through all units, then looks for variables, then for the files of line tables. Types are numbered on the way: those that a unit
    // refers to when it and all before it have been scanned, those of variables behind them, and at last what debuggers need beyond.
    private void ScanUnits(MemoryArena memory)
    {
        const int VariableChunk = 1 << 14;
        const int FileChunk = 4;
        int end = _symbols.ExternalStart == 0 ? _symbols.Count : _symbols.ExternalStart;
        List<int>?[] variables = new List<int>?[(end + VariableChunk - 1) / VariableChunk];
        UnitScanner?[] scanners = new UnitScanner?[_ctx.Workers.Threads];
        LineFileFinder?[] finders = new LineFileFinder?[_ctx.Workers.Threads];
        SymbolId firstFlags = Units.Count == 0 ? SymbolId.None : Lookup("go:cuinfo.producer."u8, RawText.Encode(Units[0].Unit.Package.Path));
        bool mixed = false;
        int found = Units.Count + variables.Length;
        InOrderStage numbering = new(found + 1, i =>
        {
            if (i < Units.Count)
            {
                DefineReferencedTypes(Units[i]);
            }
            else if (i < found)
            {
                DefineVariableTypes(variables[i - Units.Count]);
            }
            else
            {
                Types.Synthesize();
            }
        });
        numbering.MakeReady(found);
        _ctx.Workers.ForChunks(found + ((Units.Count + FileChunk - 1) / FileChunk), 1, (i, _, worker) =>
        {
            if (i >= found)
            {
                LineFileFinder finder = finders[worker] ??= new LineFileFinder(_ctx, Memory);
                for (int unit = (i - found) * FileChunk; unit < Math.Min(Units.Count, (i - found + 1) * FileChunk); unit++)
                {
                    Units[unit].Files = Units[unit].HasText ? finder.Find(Units[unit].Unit) : null;
                }
                return;
            }
            if (i >= Units.Count)
            {
                int chunk = i - Units.Count;
                variables[chunk] = FindVariables(chunk * VariableChunk, Math.Min(end, (chunk + 1) * VariableChunk));
            }
            else
            {
                ScanUnit(Units[i], scanners[worker] ??= new UnitScanner(_ctx, memory));
                if (!_symbols.Data(Units[i].ProducerFlags).SequenceEqual(_symbols.Data(firstFlags)))
                {
                    Volatile.Write(ref mixed, true);
                }
            }
            numbering.MakeReady(i);
        });
        numbering.End();
        foreach (UnitScanner? scanner in scanners)
        {
            scanner?.Dispose();
        }
        HasMixedFlags = mixed;
        PlaceVariables(variables);
    }

    private void ScanUnit(DwarfUnit unit, UnitScanner scanner)
    {
        string package = unit.Unit.Package.Path;
        byte[] path = RawText.Encode(package);
        unit.ProducerFlags = Lookup("go:cuinfo.producer."u8, path);
        unit.PackageName = Lookup("go:cuinfo.packagename."u8, path);
        // The first unit of a package gets its constants.
        if (unit.Index == 0 || Units[unit.Index - 1].Unit.Package.Path != package)
        {
            unit.Constants = Lookup("go:constinfo."u8, path);
        }
        scanner.Scan(unit, FunctionsOf(unit));
        if (!unit.Constants.IsNone)
        {
            scanner.FindTypes(unit.Constants);
        }
    }

    // Numbers the types that a unit refers to: one unit after the other, each when it is scanned (dwarfVisitFunction). Others are scanned
    // meanwhile, and note things in symbols of debug information.
    private void DefineReferencedTypes(DwarfUnit unit)
    {
        if (!unit.Constants.IsNone)
        {
            Import(unit.Constants, SymbolKind.DwarfConst);
        }
        NativeSpan<int> references = unit.References;
        for (int i = 0; i < references.Length; i++)
        {
            Expect(references, i);
            int reference = references[i];
            if (reference < 0)
            {
                Types.Define(new SymbolId(~reference));
                continue;
            }
            SymbolId die = new(reference);
            if (_symbols.Kind(die) != SymbolKind.DwarfAbsFcn)
            {
                DefineType(die);
            }
            else if (_symbols.SetShared(die, SymbolTable.Attributes.OnList))
            {
                unit.AbstractFunctions.Add(die);
                Import(die, SymbolKind.DwarfAbsFcn);
            }
        }
        unit.References = default;
    }

    // Asks the CPU for the descriptors of types that come up soon: first for where their content begins, then for the content.
    private void Expect(NativeSpan<int> references, int i)
    {
        const int Ahead = 4;
        if (i + (2 * Ahead) < references.Length && NewType(references[i + (2 * Ahead)]) is { IsNone: false } far)
        {
            _symbols.ExpectRecord(far);
        }
        if (i + Ahead < references.Length && NewType(references[i + Ahead]) is { IsNone: false } near)
        {
            _symbols.ExpectContent(near);
        }
    }

    // The descriptor of a reference to a type DIE, if it may be the first; else none.
    private SymbolId NewType(int reference) =>
        reference > 0 && _symbols.Values[new SymbolId(reference)] is < 0 and var value ? Decode(value) : SymbolId.None;

    // Defines the types that a DIE of the compiler's refers to (importInfoSymbol).
    private void Import(SymbolId die, SymbolKind kind)
    {
        if (_symbols.Kind(die) != kind)
        {
            throw new LinkException(
                MessageForm.Input, $"error: DWARF info sym {die.Index}/{_symbols.NameText(die)} with incorrect type {_symbols.Kind(die).GoName()}");
        }
        _symbols.SetShared(die, SymbolTable.Attributes.Reachable | SymbolTable.Attributes.NotInSymbolTable);
        RelocList relocs = _symbols.Relocs(die);
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs.Kind(i) == RelocKind.DwarfSecRef)
            {
                DefineType(relocs.Target(i));
            }
        }
    }

    private void DefineType(SymbolId die)
    {
        long value = _symbols.Values[die];
        if (value > 0)
        {
            return;
        }
        SymbolId type = value < 0 ? Decode(value) : FindLate(die);
        if (type.IsNone)
        {
            return;
        }
        int node = Types.Define(type);
        _symbols.Values[die] = node + 1;
        TypeSymbols.Add(die);
        _symbols.SetKind(die, SymbolKind.DwarfType);
        _symbols.Set(die, SymbolTable.Attributes.Reachable | SymbolTable.Attributes.NotInSymbolTable);
    }

    // The descriptor of a type DIE that nobody has looked up yet: an inlined function of a scanned unit refers to it, which another thread came
    // by first, who is not that far.
    private SymbolId FindLate(SymbolId die) =>
        _symbols.Kind(die) is SymbolKind.DwarfType or SymbolKind.None ? FindType(_symbols, die, ref _name) : SymbolId.None;

    // The types of variables, and those in dictionaries of generic functions.
    private void DefineVariableTypes(List<int>? found)
    {
        for (int i = 0; found is not null && i < found.Count; i += 3)
        {
            Types.Define(new SymbolId(found[i]));
        }
    }

    // The live global variables of Go packages, in the order of their symbols.
    private void PlaceVariables(List<int>?[] found)
    {
        int[] counts = new int[Units.Count + 1];
        int total = 0;
        foreach (List<int>? list in found)
        {
            for (int i = 0; list is not null && i < list.Count; i += 3)
            {
                if (list[i + 1] != 0)
                {
                    counts[list[i + 2] + 1]++;
                    total++;
                }
            }
        }
        for (int i = 0; i < Units.Count; i++)
        {
            counts[i + 1] += counts[i];
            Units[i].FirstVariable = counts[i];
        }
        Variables = new SymbolId[total];
        foreach (List<int>? list in found)
        {
            for (int i = 0; list is not null && i < list.Count; i += 3)
            {
                if (list[i + 1] != 0)
                {
                    DwarfUnit unit = Units[list[i + 2]];
                    Variables[unit.FirstVariable + unit.VariableCount++] = new SymbolId(list[i + 1]);
                }
            }
        }
    }

    // Three numbers for each: type descriptor; DIE of the variable, 0 for none; unit. Most symbols of the kinds have no auxiliary symbols and
    // are no dictionaries.
    private List<int>? FindVariables(int from, int to)
    {
        const int Batch = 32;
        List<int>? found = null;
        Span<SymbolId> batch = stackalloc SymbolId[Batch];
        SymbolTable.LiveWalk walk = _symbols.LiveIn(from, to, VariableKinds);
        for (bool more = true; more;)
        {
            int count = 0;
            while (count < Batch && (more = walk.MoveNext()))
            {
                SymbolId s = walk.Current;
                SymbolTable.Traits traits = _symbols.TraitsOf(s);
                if ((traits & (SymbolTable.Traits.HasAuxes | SymbolTable.Traits.Dict)) != 0 && (traits & SymbolTable.Traits.FileLocal) == 0
                    && !_symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable))
                {
                    batch[count++] = s;
                    _symbols.ExpectRecord(s);
                    _symbols.ExpectAuxIndex(s);
                }
            }
            foreach (SymbolId s in batch[..count])
            {
                _symbols.ExpectRelocs(s);
                _symbols.ExpectAuxes(s);
            }
            foreach (SymbolId s in batch[..count])
            {
                FindVariable(s, ref found);
            }
        }
        return found;
    }

    private void FindVariable(SymbolId s, ref List<int>? found)
    {
        SymbolId type = SymbolId.None, die = SymbolId.None;
        foreach (ref readonly AuxRecord aux in _symbols.Auxes(s, out GoObject? origin))
        {
            if (aux.Kind == AuxKind.GoType && type.IsNone)
            {
                type = _symbols.Resolve(origin, aux.Target);
            }
            else if (aux.Kind == AuxKind.DwarfInfo && die.IsNone)
            {
                die = _symbols.Resolve(origin, aux.Target);
            }
        }
        if (type.IsNone)
        {
            if (_symbols.Kind(s) == SymbolKind.RoData && (_symbols.Flags2(s) & SymbolFlags2.Dict) != 0)
            {
                AddDictionary(s, ref found);
            }
        }
        else if (!die.IsNone && _symbols.Origin(s, out _) is { } owner)
        {
            if (_symbols.Kind(die) != SymbolKind.DwarfVar)
            {
                throw owner.Damaged("aux dwarf info sym with wrong type");
            }
            AddVariable(ref found, type, die, UnitOfObject[owner.Index]);
        }
    }

    private void AddDictionary(SymbolId s, ref List<int>? found)
    {
        RelocList relocs = _symbols.Relocs(s);
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs.Kind(i) == RelocKind.UseIface)
            {
                AddVariable(ref found, relocs.Target(i), SymbolId.None, 0);
            }
        }
    }

    private static void AddVariable(ref List<int>? found, SymbolId type, SymbolId die, int unit)
    {
        ReadOnlySpan<int> variable = [type.Index, die.Index, unit];
        (found ??= []).AddRange(variable);
    }

    private SymbolId Lookup(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> package)
    {
        int length = prefix.Length + package.Length;
        Span<byte> name = length <= 512 ? stackalloc byte[length] : new byte[length];
        prefix.CopyTo(name);
        package.CopyTo(name[prefix.Length..]);
        return _symbols.Lookup(name, 0);
    }
}
