using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>.debug_line: for each unit a header with its files, then the line programs of its functions (ld.writelines).</summary>
internal sealed class LineSection(DwarfLayout layout) : UnitSection(".debug_line", layout)
{
    /// <summary>The unit's length does not count itself.</summary>
    protected override int? UncountedSize => Layout.Format.UnitLengthSize;

    /// <inheritdoc/>
    protected override int PartOf(DwarfUnit unit, int i) => Layout.Functions(unit)[i].Lines;

    /// <inheritdoc/>
    protected override int ItemCount(DwarfUnit unit) => unit.HasText ? 1 + unit.Unit.Text.Count : 0;

    /// <inheritdoc/>
    protected override int Measure(DwarfUnit unit, int item, long offset) =>
        item == 0 ? unit.Files!.HeaderSize : Layout.DataSize(unit, Layout.Functions(unit)[item - 1].Lines);

    /// <inheritdoc/>
    protected override int SymbolOf(DwarfUnit unit, int item) => Layout.Function(unit, item - 1).Lines;

    /// <inheritdoc/>
    protected override void ListRelocations(DwarfUnit unit, int item, ref DieRelocs to)
    {
        if (item == 0)
        {
            to.Skip(unit.Files!.HeaderSize);
        }
        else
        {
            Layout.ListRelocations(Layout.Functions(unit)[item - 1].Lines, unit, ref to);
        }
    }

    /// <inheritdoc/>
    protected override int Write(DwarfUnit unit, int item, Span<byte> to)
    {
        if (item != 0)
        {
            return Layout.Copy(Layout.Functions(unit)[item - 1].Lines, to, unit, item - 1);
        }
        DieWriter w = Writer(to);
        unit.Files!.WriteHeader(ref w, Layout.IsDwarf5, Layout.PointerSize);
        w.SetUnitLength(0, (ulong)(UnitSize(unit) - Layout.Format.UnitLengthSize));
        return w.Length;
    }
}

/// <summary>
/// .debug_info: for each unit its DIE, then those of inlined functions, functions, constants and variables; the types are in the last unit
/// of package runtime (ld.writeUnitInfo).
/// </summary>
internal sealed class InfoSection(DwarfLayout layout) : UnitSection(".debug_info", layout)
{
    private const int LanguageGo = 0x16;
    private const int UnitTypeCompile = 1;

    /// <inheritdoc/>
    protected override int PartOf(DwarfUnit unit, int i) => Layout.Functions(unit)[i].Info;

    /// <inheritdoc/>
    protected override int ItemCount(DwarfUnit unit) => !unit.HasInfo ? 0
        : 3 + unit.AbstractFunctions.Count + unit.Unit.Text.Count + unit.VariableCount + (unit.HasTypes ? Layout.Info.Types.Count : 0);

    /// <inheritdoc/>
    protected override int Measure(DwarfUnit unit, int item, long offset)
    {
        switch (Locate(unit, item, out int index))
        {
            case Part.Header:
                DieSize size = Layout.Sizer();
                WriteHeader(ref size, unit);
                return size.Length;
            case Part.Abstract:
                return Layout.Place(unit, unit.AbstractFunctions[index], offset);
            case Part.Function:
                // Generic functions refer to types within their own DIE.
                return Layout.Place(unit, new SymbolId(Layout.Functions(unit)[index].Info), offset);
            case Part.Constants:
                return Layout.DataSize(unit, unit.Constants.Index);
            case Part.Variable:
                return Layout.DataSize(unit, Layout.Info.Variables[unit.FirstVariable + index].Index);
            case Part.Type:
                TypeGraph types = Layout.Info.Types;
                if (index == 0)
                {
                    types.SectionOffset = offset;
                }
                return (int)(types.Start(index + 1) - types.Start(index));
            default:
                return 1;
        }
    }

    /// <inheritdoc/>
    protected override int Write(DwarfUnit unit, int item, Span<byte> to)
    {
        switch (Locate(unit, item, out int index))
        {
            case Part.Header:
                DieWriter w = Writer(to);
                WriteHeader(ref w, unit);
                return w.Length;
            case Part.Abstract:
                return Layout.Copy(unit.AbstractFunctions[index].Index, to, unit, -1);
            case Part.Function:
                return Layout.Copy(Layout.Functions(unit)[index].Info, to, unit, index);
            case Part.Constants:
                return Layout.Copy(unit.Constants.Index, to, unit, -1);
            case Part.Variable:
                return Layout.Copy(Layout.Info.Variables[unit.FirstVariable + index].Index, to, unit, -1);
            case Part.Type:
                return Layout.Info.Types.Write(index, to);
            default:
                to[0] = 0;
                return 1;
        }
    }

    /// <inheritdoc/>
    protected override int SymbolOf(DwarfUnit unit, int item) => Layout.Function(unit, item - 1 - unit.AbstractFunctions.Count).Info;

    /// <inheritdoc/>
    protected override void ListRelocations(DwarfUnit unit, int item, ref DieRelocs to)
    {
        switch (Locate(unit, item, out int index))
        {
            case Part.Header:
                WriteHeader(ref to, unit);
                break;
            case Part.Abstract:
                Layout.ListRelocations(unit.AbstractFunctions[index].Index, unit, ref to);
                break;
            case Part.Function:
                Layout.ListRelocations(Layout.Functions(unit)[index].Info, unit, ref to);
                break;
            case Part.Constants:
                Layout.ListRelocations(unit.Constants.Index, unit, ref to);
                break;
            case Part.Variable:
                Layout.ListRelocations(Layout.Info.Variables[unit.FirstVariable + index].Index, unit, ref to);
                break;
            case Part.Type:
                Layout.Info.Types.Write(ref to, index);
                break;
            default:
                to.Skip(1);
                break;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Types lie in one unit, but are whoever's whose types they are.</remarks>
    public override void Share(Action<CompilationUnit, long> toUnit, Action<SymbolId, long> toSymbol)
    {
        base.Share(toUnit, toSymbol);
        TypeGraph types = Layout.Info.Types;
        if (Array.Find(Layout.Units, unit => unit.HasTypes) is not { HasInfo: true } home)
        {
            return;
        }
        for (int i = 0; i < types.Count; i++)
        {
            if (types.TypeOf(i) is { IsNone: false } type)
            {
                long size = types.Start(i + 1) - types.Start(i);
                toUnit(home.Unit, -size);
                toSymbol(type, size);
            }
        }
    }

    private enum Part
    {
        Header,
        Abstract,
        Function,
        Constants,
        Variable,
        Type,
        End,
    }

    private Part Locate(DwarfUnit unit, int item, out int index)
    {
        int typeCount = Layout.Info.Types.Count;
        index = item - 1;
        if (index < 0)
        {
            return Part.Header;
        }
        if (index < unit.AbstractFunctions.Count)
        {
            return Part.Abstract;
        }
        index -= unit.AbstractFunctions.Count;
        if (index < unit.Unit.Text.Count)
        {
            return Part.Function;
        }
        index -= unit.Unit.Text.Count;
        if (index == 0)
        {
            return Part.Constants;
        }
        index--;
        if (index < unit.VariableCount)
        {
            return Part.Variable;
        }
        index -= unit.VariableCount;
        // The last item ends the list of the unit's children.
        return unit.HasTypes && index < typeCount ? Part.Type : Part.End;
    }

    // Header of the unit and its DIE. Section .debug_abbrev has one table, at its start.
    private void WriteHeader<TSink>(ref TSink w, DwarfUnit unit)
        where TSink : IDieSink, allows ref struct
    {
        w.UnitLength(TSink.IsMeasuring ? 0 : (ulong)(UnitSize(unit) - Layout.Format.UnitLengthSize));
        if (Layout.IsDwarf5)
        {
            w.UInt16(5);
            w.Byte(UnitTypeCompile);
            w.Byte(Layout.PointerSize);
            w.Reference(Layout.Abbreviations.Symbol, 0);
        }
        else
        {
            w.UInt16(4);
            w.Reference(Layout.Abbreviations.Symbol, 0);
            w.Byte(Layout.PointerSize);
        }
        w.Byte((int)(unit.HasText ? Abbreviation.Unit : Abbreviation.UnitWithoutText));
        w.Bytes(RawText.Encode(unit.Unit.Package.Path));
        w.Byte(0);
        w.Byte(LanguageGo);
        if (unit.HasText)
        {
            w.Reference(Layout.Lines.Symbol, TSink.IsMeasuring ? 0 : (ulong)Layout.Lines.Start(unit.Position));
            w.Address(unit.Unit.Text[0], TSink.IsMeasuring ? 0 : (ulong)Layout.Symbols.Value(unit.Unit.Text[0]));
            w.Reference(Layout.Ranges.Symbol, TSink.IsMeasuring ? 0 : (ulong)Layout.Ranges.Start(unit.Position));
        }
        // Where the compiler ran is not known; paths are absolute, or relative to nobody knows where.
        w.Bytes(".\0"u8);
        w.Bytes(Layout.Producer);
        ReadOnlySpan<byte> flags = Layout.Symbols.Data(unit.ProducerFlags);
        if (!flags.IsEmpty)
        {
            w.Bytes("; "u8);
            w.Bytes(flags);
        }
        w.Byte(0);
        w.Bytes(Layout.Symbols.Data(unit.PackageName));
        w.Byte(0);
        if (unit.HasText && Layout.IsDwarf5)
        {
            w.Reference(Layout.Addresses!.Symbol, TSink.IsMeasuring ? 0 : (ulong)Layout.Addresses.Start(unit.Position));
        }
    }
}

/// <summary>.debug_rnglists or .debug_ranges: for each unit its own ranges, then those within its functions (ld.writepcranges).</summary>
internal sealed class RangeSection(DwarfLayout layout) : UnitSection(layout.IsDwarf5 ? ".debug_rnglists" : ".debug_ranges", layout)
{
    private const int EndOfList = 0;
    private const int BaseAddressX = 1;
    private const int OffsetPair = 4;

    // References to .debug_addr in a unit's own ranges take this many bytes (R_DWTXTADDR_U4).
    private const int SlotLength = 4;

    /// <inheritdoc/>
    protected override int? UncountedSize => 0;

    /// <inheritdoc/>
    protected override int PrologueSize => Layout.IsDwarf5 ? Layout.ListHeaderSize : 0;

    /// <inheritdoc/>
    protected override void WritePrologue(Span<byte> to) => Layout.WriteListHeader(to, Size, true);

    /// <inheritdoc/>
    protected override int PartOf(DwarfUnit unit, int i) => Layout.Functions(unit)[i].Ranges;

    /// <inheritdoc/>
    protected override int ItemCount(DwarfUnit unit) => unit.HasText ? 1 + unit.Unit.Text.Count : 0;

    /// <inheritdoc/>
    protected override int Measure(DwarfUnit unit, int item, long offset)
    {
        if (item != 0)
        {
            return Layout.Place(unit, new SymbolId(Layout.Functions(unit)[item - 1].Ranges), offset);
        }
        DieSize size = Layout.Sizer();
        WriteUnitRanges(ref size, unit);
        return size.Length;
    }

    /// <inheritdoc/>
    protected override int Write(DwarfUnit unit, int item, Span<byte> to)
    {
        if (item != 0)
        {
            return Layout.Copy(Layout.Functions(unit)[item - 1].Ranges, to, unit, item - 1);
        }
        DieWriter w = Writer(to);
        WriteUnitRanges(ref w, unit);
        return w.Length;
    }

    /// <inheritdoc/>
    protected override int SymbolOf(DwarfUnit unit, int item) => Layout.Function(unit, item - 1).Ranges;

    /// <inheritdoc/>
    protected override void ListRelocations(DwarfUnit unit, int item, ref DieRelocs to)
    {
        if (item == 0)
        {
            WriteUnitRanges(ref to, unit);
        }
        else
        {
            Layout.ListRelocations(Layout.Functions(unit)[item - 1].Ranges, unit, ref to);
        }
    }

    private void WriteUnitRanges<TSink>(ref TSink w, DwarfUnit unit)
        where TSink : IDieSink, allows ref struct
    {
        if (!Layout.IsDwarf5)
        {
            foreach ((long start, long end) in unit.Ranges)
            {
                w.Pointer((ulong)start);
                w.Pointer((ulong)end);
            }
            w.Pointer(0);
            w.Pointer(0);
            return;
        }
        w.Byte(BaseAddressX);
        Span<byte> slot = stackalloc byte[SlotLength];
        Leb128.TryWritePadded(slot, (ulong)unit.BaseSlot);
        w.Bytes(slot);
        foreach ((long start, long end) in unit.Ranges)
        {
            w.Byte(OffsetPair);
            w.Unsigned((ulong)start);
            w.Unsigned((ulong)end);
        }
        w.Byte(EndOfList);
    }
}

/// <summary>.debug_loclists or .debug_loc: the location lists of all functions (ld.collectUnitLocs).</summary>
internal sealed class LocationSection(DwarfLayout layout) : UnitSection(layout.IsDwarf5 ? ".debug_loclists" : ".debug_loc", layout)
{
    /// <inheritdoc/>
    protected override int PrologueSize => Layout.IsDwarf5 ? Layout.ListHeaderSize : 0;

    /// <inheritdoc/>
    protected override void WritePrologue(Span<byte> to) => Layout.WriteListHeader(to, Size, true);

    /// <inheritdoc/>
    protected override int PartOf(DwarfUnit unit, int i) => Layout.Functions(unit)[i].Locations;

    /// <inheritdoc/>
    protected override int ItemCount(DwarfUnit unit) => unit.Unit.Text.Count;

    /// <inheritdoc/>
    protected override int Measure(DwarfUnit unit, int item, long offset) =>
        Layout.Place(unit, new SymbolId(Layout.Functions(unit)[item].Locations), offset);

    /// <inheritdoc/>
    protected override int Write(DwarfUnit unit, int item, Span<byte> to) =>
        Layout.Copy(Layout.Functions(unit)[item].Locations, to, unit, item);

    /// <inheritdoc/>
    protected override int SymbolOf(DwarfUnit unit, int item) => Layout.Function(unit, item).Locations;

    /// <inheritdoc/>
    protected override void ListRelocations(DwarfUnit unit, int item, ref DieRelocs to) =>
        Layout.ListRelocations(Layout.Functions(unit)[item].Locations, unit, ref to);
}

/// <summary>.debug_addr: for each unit the addresses of the functions that its DIEs refer to by number (ld.writedebugaddr).</summary>
internal sealed class AddressSection(DwarfLayout layout) : UnitSection(".debug_addr", layout)
{
    /// <inheritdoc/>
    protected override int PrologueSize => Layout.AddressHeaderSize;

    /// <inheritdoc/>
    protected override void WritePrologue(Span<byte> to) => Layout.WriteListHeader(to, Size, false);

    /// <inheritdoc/>
    protected override int ItemCount(DwarfUnit unit) => 1;

    /// <inheritdoc/>
    protected override int Measure(DwarfUnit unit, int item, long offset) => unit.SlotCount * Layout.PointerSize;

    /// <inheritdoc/>
    protected override int Write(DwarfUnit unit, int item, Span<byte> to)
    {
        int size = unit.SlotCount * Layout.PointerSize;
        ReadOnlySpan<FunctionSymbols> functions = Layout.Functions(unit);
        for (int i = 0; i < functions.Length; i++)
        {
            if (functions[i].Slot >= 0)
            {
                Put(to, functions[i].Slot, unit.Unit.Text[i]);
            }
        }
        if (unit.ExtraSlots is { } extra)
        {
            foreach ((SymbolId function, int slot) in extra)
            {
                Put(to, slot, function);
            }
        }
        return size;
    }

    /// <inheritdoc/>
    protected override int SymbolOf(DwarfUnit unit, int item) => 0;

    /// <inheritdoc/>
    protected override void ListRelocations(DwarfUnit unit, int item, ref DieRelocs to)
    {
        SymbolId[] slots = new SymbolId[unit.SlotCount];
        ReadOnlySpan<FunctionSymbols> functions = Layout.Functions(unit);
        for (int i = 0; i < functions.Length; i++)
        {
            if (functions[i].Slot >= 0)
            {
                slots[functions[i].Slot] = unit.Unit.Text[i];
            }
        }
        foreach ((SymbolId function, int slot) in unit.ExtraSlots ?? [])
        {
            slots[slot] = function;
        }
        foreach (SymbolId function in slots)
        {
            to.Address(function, 0);
        }
    }

    private void Put(Span<byte> to, int slot, SymbolId function) =>
        Writer(to[(slot * Layout.PointerSize)..]).Address(function, (ulong)Layout.Symbols.Value(function));
}
