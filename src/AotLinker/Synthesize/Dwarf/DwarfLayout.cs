using AotLinker.Emit;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Arranges the debug information: the order of units and the place of every DIE, line program, list and frame. Runs when the functions
/// have addresses, which decide the units' ranges (ld.dwarfGenerateDebugSyms).
/// </summary>
internal sealed class DwarfLayout
{
    private readonly DwarfRelocator _relocator;

    private DwarfLayout(LinkContext ctx, DebugInfo info)
    {
        Context = ctx;
        Info = info;
        Symbols = ctx.Symbols;
        PointerSize = ctx.Target.PointerSize;
        Format = DwarfFormat.Of(ctx.Target);
        IsDwarf5 = DebugInfo.IsDwarf5(ctx);
        Producer = RawText.Encode("Go cmd/compile " + ctx.Options.Version);
        Units = [.. info.Units];
        _relocator = new DwarfRelocator(ctx, info);
        Abbreviations = new BytesSection(".debug_abbrev", Dwarf.Abbreviations.Encode(IsDwarf5, ctx.Target.HasAppleDebugger));
        Lines = new LineSection(this);
        Frames = new FrameSection(this);
        Debug = new InfoSection(this);
        Locations = new LocationSection(this);
        Ranges = new RangeSection(this);
        Addresses = IsDwarf5 ? new AddressSection(this) : null;
    }

    /// <summary>The link.</summary>
    public LinkContext Context { get; }

    /// <summary>What there is to arrange.</summary>
    public DebugInfo Info { get; }

    /// <summary>All symbols.</summary>
    public SymbolTable Symbols { get; }

    /// <summary>Bytes in a pointer.</summary>
    public int PointerSize { get; }

    /// <summary>The size of offsets.</summary>
    public DwarfFormat Format { get; }

    /// <summary>Size of the header of .debug_rnglists and .debug_loclists.</summary>
    public int ListHeaderSize => AddressHeaderSize + 4;

    /// <summary>Size of the header of .debug_addr.</summary>
    public int AddressHeaderSize => Format.UnitLengthSize + 4;

    /// <summary>DWARF 5 rather than 4.</summary>
    public bool IsDwarf5 { get; }

    /// <summary>What made the program, without the compiler's flags.</summary>
    public byte[] Producer { get; }

    /// <summary>The units in the order of output.</summary>
    public DwarfUnit[] Units { get; }

    /// <summary>For each function of the text, the index of its record; -1 for those that no object holds, or not in time.</summary>
    public NativeSpan<int> FunctionOfText { get; private set; }

    // Functions that became live when their units had been scanned, by place in the text: generated code calls them.
    private readonly Dictionary<int, FunctionSymbols> _late = [];

    /// <summary>.debug_abbrev.</summary>
    public DwarfSection Abbreviations { get; }

    /// <summary>.debug_line.</summary>
    public LineSection Lines { get; }

    /// <summary>.debug_frame.</summary>
    public FrameSection Frames { get; }

    /// <summary>.debug_info.</summary>
    public InfoSection Debug { get; }

    /// <summary>.debug_loclists or .debug_loc.</summary>
    public LocationSection Locations { get; }

    /// <summary>.debug_rnglists or .debug_ranges.</summary>
    public RangeSection Ranges { get; }

    /// <summary>.debug_addr; null before DWARF 5.</summary>
    public AddressSection? Addresses { get; }

    /// <summary>The sections in the order of output.</summary>
    public static List<DwarfSection> Arrange(LinkContext ctx, DebugInfo info)
    {
        DwarfLayout layout = new(ctx, info);
        layout.MakeSymbol(layout.Abbreviations);
        layout.FindUnits();
        // Types need no addresses; functions are gone through by one thread.
        info.Types.Measure(() =>
        {
            layout.FindFunctions();
            layout.SortUnits();
        });

        // In the order in which the Go linker creates the symbols.
        DwarfSection?[] named = [layout.Frames, layout.Lines, layout.Ranges, layout.Locations, layout.Debug, layout.Addresses];
        foreach (DwarfSection? section in named)
        {
            if (section is not null)
            {
                layout.MakeSymbol(section);
            }
        }
        info.Types.SectionSymbol = layout.Debug.Symbol;
        string script = layout.FindScript();
        layout.Measure();

        List<DwarfSection> sections = [layout.Abbreviations, layout.Lines, layout.Frames];
        if (script.Length != 0 && ctx.Target.HasGdbScripts)
        {
            // A Python file by name.
            DwarfSection scripts = new BytesSection(".debug_gdb_scripts", [1, .. RawText.Encode(script), 0]);
            layout.MakeSymbol(scripts);
            sections.Add(scripts);
        }
        sections.Add(layout.Debug);
        if (layout.Locations.Size != 0)
        {
            sections.Add(layout.Locations);
        }
        sections.Add(layout.Ranges);
        if (layout.Addresses is { } addresses)
        {
            sections.Add(addresses);
        }
        return sections;
    }

    /// <summary>The DWARF symbols of a unit's functions.</summary>
    public Span<FunctionSymbols> Functions(DwarfUnit unit) => Info.FunctionsOf(unit);

    /// <summary>The DWARF symbols of a unit's function; none for what is not the number of one.</summary>
    public FunctionSymbols Function(DwarfUnit unit, int function) =>
        (uint)function < (uint)unit.Unit.Text.Count ? Info.Functions[unit.FirstFunction + function] : default;

    /// <summary>The DWARF symbols of a function by its place in the text; none for what no object holds.</summary>
    public FunctionSymbols SymbolsOf(int textIndex) => FunctionOfText[textIndex] is >= 0 and var function ? Info.Functions[function]
        : _late.Count != 0 ? _late.GetValueOrDefault(textIndex)
        : default;

    /// <summary>A writer in the target's byte order.</summary>
    public DieWriter Writer(Span<byte> to) => new(to, PointerSize, Context.Target.IsBigEndian, Format);

    /// <summary>Length of a symbol's content; 0 for none.</summary>
    public int DataSize(DwarfUnit unit, int s) => s == 0 ? 0 : unit.Data(Symbols, new SymbolId(s)).Length;

    /// <summary>Notes where a symbol is in its unit's part of the section; returns the length of its content.</summary>
    public int Place(DwarfUnit unit, SymbolId s, long offset)
    {
        if (s.IsNone)
        {
            return 0;
        }
        Symbols.Values.SetPlace(s, offset);
        return unit.Data(Symbols, s).Length;
    }

    /// <summary>Copies a symbol's content, relocated; returns its length, 0 for none.</summary>
    public int Copy(int s, Span<byte> to, DwarfUnit unit, int function) =>
        s == 0 ? 0 : _relocator.Copy(new SymbolId(s), to, unit, function);

    /// <summary>Lists the relocations of a symbol that are left to an external linker, and passes over its content; nothing for none.</summary>
    public void ListRelocations(int s, DwarfUnit unit, ref DieRelocs to)
    {
        if (s != 0)
        {
            _relocator.List(new SymbolId(s), unit, this, ref to);
        }
    }

    /// <summary>The symbol of the section that symbols of a kind are in; type DIEs may be of any.</summary>
    public SymbolId SectionOf(SymbolKind kind) => kind switch
    {
        SymbolKind.DwarfRange => Ranges.Symbol,
        SymbolKind.DwarfLoc => Locations.Symbol,
        SymbolKind.DwarfLines => Lines.Symbol,
        _ => Debug.Symbol,
    };

    /// <summary>Lists relocations of records of ours.</summary>
    public DieRelocs Relocs(NativeList<ExternalReloc> to, long start) => new(to, start, PointerSize, Format);

    /// <summary>Measures a record of ours.</summary>
    public DieSize Sizer() => new(PointerSize, Format);

    /// <summary>Writes the header of a section that DWARF 5 added (writeDebugMiscSecHdr).</summary>
    public void WriteListHeader(Span<byte> to, long sectionSize, bool hasOffsets)
    {
        DieWriter w = Writer(to);
        w.UnitLength((ulong)(sectionSize - Format.UnitLengthSize));
        w.UInt16(5);
        w.Byte(PointerSize);
        w.Byte(0);
        if (hasOffsets)
        {
            w.UInt32(0);
        }
    }

    private void MakeSymbol(DwarfSection section)
    {
        SymbolBuilder b = Symbols.Update(System.Text.Encoding.UTF8.GetBytes(section.Name), 0);
        b.SetKind(SymbolKind.DwarfSect).SetReachable();
        section.Symbol = b.Symbol;
    }

    // Finds the unit of each function.
    private void FindUnits()
    {
        List<SymbolId> text = Context.Text;
        FunctionOfText = NativeSpan<int>.Of(Info.Memory, text.Count);
        Context.Workers.ForChunks(text.Count, 1 << 12, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                FunctionOfText[i] = Symbols.Origin(text[i], out int _) is { } o ? Info.UnitOfObject[o.Index] : -1;
            }
        });
    }

    // Finds the record of each function, whose unit was found before, and the ranges of units: a new one begins wherever functions of another
    // unit come in between (calcCompUnitRanges). Units list their functions in the order of the text, nearly always.
    private void FindFunctions()
    {
        List<SymbolId> text = Context.Text;
        int[] next = new int[Info.Units.Count];
        Dictionary<SymbolId, int>?[] places = new Dictionary<SymbolId, int>?[Info.Units.Count];
        DwarfUnit? current = null;
        int first = 0, last = 0;
        for (int i = 0; i < FunctionOfText.Length; i++)
        {
            ref int function = ref FunctionOfText[i];
            if (function < 0)
            {
                continue;
            }
            DwarfUnit unit = Info.Units[function];
            List<SymbolId> own = unit.Unit.Text;
            int at = next[unit.Index];
            if (at >= own.Count || own[at] != text[i])
            {
                at = (places[unit.Index] ??= Places(own)).GetValueOrDefault(text[i], -1);
            }
            next[unit.Index] = at + 1;
            if (at < 0)
            {
                _late.Add(i, UnitScanner.ScanLate(Symbols, text[i]));
            }
            function = at < 0 ? -1 : unit.FirstFunction + at;
            if ((SymbolsOf(i).Marks & FunctionMarks.HasInfo) == 0)
            {
                continue;
            }
            if (unit != current)
            {
                AddRange(current, text, first, last);
                current = unit;
                first = i;
            }
            last = i;
        }
        AddRange(current, text, first, last);

        static Dictionary<SymbolId, int> Places(List<SymbolId> own)
        {
            Dictionary<SymbolId, int> places = new(own.Count);
            for (int i = 0; i < own.Count; i++)
            {
                places[own[i]] = i;
            }
            return places;
        }
    }

    // From the start of one function to the end of another.
    private void AddRange(DwarfUnit? unit, List<SymbolId> text, int first, int last)
    {
        if (unit is not null)
        {
            long start = Symbols.Value(unit.Unit.Text[0]);
            unit.Ranges.Add((Symbols.Value(text[first]) - start, Symbols.Value(text[last]) - start + Symbols.Data(text[last]).Length));
        }
    }

    private void SortUnits()
    {
        // Their order is that of their first ranges, and these are those of functions with a record, as all of the compiler's have one.
        if (Units.Count(unit => unit.HasText) > 1 && Units.FirstOrDefault(unit => unit.HasText && unit.Ranges.Count == 0) is { } unknown)
        {
            Load.Package package = unknown.Unit.Package;
            throw new LinkException($"{package.File}: no function of package {package.Path} has a function record");
        }
        GoSort.Sort(Units.AsSpan(), default(UnitOrder));
        for (int i = 0; i < Units.Length; i++)
        {
            Units[i].Position = i;
        }
    }

    // File name of the runtime's script for gdb; empty if there is none.
    private string FindScript()
    {
        LineFileFinder finder = new(Context, Info.Memory);
        foreach (DwarfUnit unit in Units)
        {
            if (unit.HasText && unit.Unit.Package.Path == "runtime" && finder.FindScript(unit.Unit) is { } script)
            {
                return script;
            }
        }
        return "";
    }

    private void Measure()
    {
        UnitSection?[] sections = [Debug, Lines, Ranges, Locations, Addresses];
        foreach (UnitSection? section in sections)
        {
            section?.BeginMeasuring();
        }
        Context.Workers.For(Units.Length, i =>
        {
            foreach (UnitSection? section in sections)
            {
                section?.MeasureUnit(Units[i]);
            }
        });
        foreach (UnitSection? section in sections)
        {
            section?.EndMeasuring();
        }
        Frames.Measure();

        // Symbols know their place in their unit's part; from here on, in the section.
        Context.Workers.For(Units.Length, i =>
        {
            DwarfUnit unit = Units[i];
            long debug = Debug.Start(i), ranges = Ranges.Start(i), locations = Locations.Start(i);
            foreach (SymbolId s in unit.AbstractFunctions)
            {
                Symbols.Values.Add(s, debug);
            }
            foreach (ref readonly FunctionSymbols f in Functions(unit))
            {
                if (f.Info != 0)
                {
                    Symbols.Values.Add(new SymbolId(f.Info), debug);
                }
                if (f.Ranges != 0)
                {
                    Symbols.Values.Add(new SymbolId(f.Ranges), ranges);
                }
                if (f.Locations != 0)
                {
                    Symbols.Values.Add(new SymbolId(f.Locations), locations);
                }
            }
            if (unit.HasTypes)
            {
                Info.Types.SectionOffset += debug;
            }
        });
        Context.Workers.ForChunks(Info.TypeSymbols.Count, 1 << 12, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                SymbolId s = Info.TypeSymbols[i];
                Symbols.Values.SetPlace(s, Info.Types.Reference((int)Symbols.Values[s] - 1));
            }
        });
    }

    /// <summary>
    /// Units with code by the start of their first range, then the others by name (compilationUnitByStartPCCmp). Ranges are relative to
    /// the unit's own first function: nearly all units compare equal, and what Go's sort makes of that is the order.
    /// </summary>
    private readonly struct UnitOrder : IOrder<DwarfUnit>
    {
        public bool Less(in DwarfUnit x, in DwarfUnit y)
        {
            if (x.HasText != y.HasText)
            {
                return x.HasText;
            }
            return x.HasText
                ? x.Ranges[0].Start < y.Ranges[0].Start
                : RawText.Encode(x.Unit.Package.Path).AsSpan().SequenceCompareTo(RawText.Encode(y.Unit.Package.Path)) < 0;
        }
    }
}

/// <summary>A small section whose bytes are ready.</summary>
internal sealed class BytesSection(string name, byte[] bytes) : DwarfSection(name)
{
    /// <inheritdoc/>
    public override long Size => bytes.Length;

    /// <inheritdoc/>
    public override int PieceCount => 1;

    /// <inheritdoc/>
    public override long PieceStart(int piece) => piece == 0 ? 0 : bytes.Length;

    /// <inheritdoc/>
    public override void Fill(LinkContext ctx, int piece, Span<byte> content) => bytes.CopyTo(content);
}
