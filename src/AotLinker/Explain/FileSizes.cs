using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Dwarf;
using AotLinker.Synthesize.Pclntab;

namespace AotLinker.Explain;

/// <summary>
/// What the output consists of: each of its bytes counted once, by package and by what it is. Made when all is written and before the output
/// takes its place, from what layout and the passes before it know; only gaps are read, to see that they are gaps.
/// </summary>
internal sealed class FileSizes
{
    /// <summary>How many symbols of a package are told by name.</summary>
    public const int MostSymbols = 10;

    // Shorter gaps between symbols are not looked at.
    private const int LongGap = 64;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly List<DebugShares> _debug = [];
    private readonly List<long[]> _bytes = [];
    private readonly List<long> _zeroed = [];
    private readonly List<long> _debugBytes = [];
    private readonly List<List<SizedSymbol>> _largest = [];
    private readonly Dictionary<CompilationUnit, int> _units = [];
    private PclnShares? _pcln;

    /// <summary>Before debug information is compressed, for then it is gone.</summary>
    public FileSizes(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        Packages = new SymbolPackages(ctx);
        foreach (DwarfSection section in ctx.Dwarf?.Sections ?? [])
        {
            DebugShares shares = new(section.Output, section.Size, []);
            section.Share(
                (unit, size) => shares.Add(OwnerOf(unit), size),
                (symbol, size) => shares.Add(Packages.Of(symbol), size));
            shares.Add(SymbolPackages.Linker, section.Size - shares.Bytes.Values.Sum());
            _debug.Add(shares);
        }
    }

    /// <summary>The packages.</summary>
    public SymbolPackages Packages { get; }

    /// <summary>Length of the file: the sum of all.</summary>
    public long Length { get; private set; }

    /// <summary>The link.</summary>
    public LinkContext Context => _ctx;

    /// <summary>The sections and the tables of the format, in the order of the file, with their bytes in the file and in memory.</summary>
    public List<SizedSection> Sections { get; } = [];

    /// <summary>Bytes of a package in the file, by <see cref="SizeKind"/>.</summary>
    public ReadOnlySpan<long> Bytes(int package) => _bytes[package];

    /// <summary>All bytes of a package in the file.</summary>
    public long Total(int package) => _bytes[package].Sum();

    /// <summary>Bytes of a kind in the file.</summary>
    public long Total(SizeKind kind) => _bytes.Sum(bytes => bytes[(int)kind]);

    /// <summary>Bytes that are only in memory, all zero when the program starts.</summary>
    public long Zeroed(int package) => _zeroed[package];

    /// <summary>Bytes of a package's debug information before it is compressed.</summary>
    public long DebugBytes(int package) => _debugBytes[package];

    /// <summary>A package's largest symbols, the largest first, of equal ones by name.</summary>
    public IReadOnlyList<SizedSymbol> Largest(int package) => _largest[package];

    /// <summary>Counts, when all is written.</summary>
    public void Count(PclnTables pcln)
    {
        Length = _ctx.Output.Length;
        _pcln = pcln.Shares(Packages.Of, OwnerOf, SymbolPackages.Linker);
        using FileMap map = new();
        _ctx.Format.DescribeFile(_ctx, map);
        if (map.LacksDebugInfo)
        {
            _debug.Clear();
        }
        AddFunctions(map);
        AddData(map);
        AddDebugInfo(map);
        AddSections(map);
        Grow();
        map.Sum(Length, (offset, length) => IsPadding(map, offset, length), (package, kind, bytes) => _bytes[package][(int)kind] += bytes);
        ShareDebugInfo();
        foreach (List<SizedSymbol> largest in _largest)
        {
            largest.Sort((x, y) => x.Size != y.Size ? y.Size.CompareTo(x.Size)
                : _symbols.Name(x.Symbol).SequenceCompareTo(_symbols.Name(y.Symbol)) is not 0 and var c ? c : x.Symbol.Index.CompareTo(y.Symbol.Index));
        }
    }

    private int OwnerOf(CompilationUnit unit)
    {
        if (!_units.TryGetValue(unit, out int owner))
        {
            owner = Packages.Number(unit.Package.Path);
            _units.Add(unit, owner);
        }
        return owner;
    }

    private void AddFunctions(FileMap map)
    {
        if (map.HasFunctions)
        {
            foreach ((SymbolId s, long offset, long length) in map.Functions)
            {
                int package = Packages.Of(s);
                map.Add(offset, length, package, SizeKind.Text);
                AddLargest(package, new SizedSymbol(s, SizeKind.Text, length, IsInFile: true));
            }
            return;
        }
        foreach (SymbolId s in _ctx.Text)
        {
            AddSymbol(map, s, isInFile: true);
        }
    }

    private void AddData(FileMap map)
    {
        foreach (Section? section in _ctx.Sections)
        {
            for (int i = 0; i < (section?.SymbolCount ?? 0); i++)
            {
                AddSymbol(map, new SymbolId(_ctx.Data[section!.FirstSymbol + i]), IsInFile(section));
            }
        }
        foreach (SymbolId s in _ctx.PData)
        {
            AddSymbol(map, s, isInFile: true);
        }
        foreach (SymbolId s in _ctx.XData)
        {
            AddSymbol(map, s, isInFile: true);
        }
    }

    // Sections without content may have the addresses of others.
    private static bool IsInFile(Section section) => section.Segment is { } segment && section.Vaddr - segment.Vaddr < segment.FileLength;

    private void AddSymbol(FileMap map, SymbolId s, bool isInFile)
    {
        if (_symbols.IsInterior(s))
        {
            return;
        }
        long size = _symbols.Size(s);
        long address = _symbols.Value(s);
        if (_pcln!.Of(s) is { } parts)
        {
            for (int i = 0; i < parts.Count; i++)
            {
                long end = i + 1 < parts.Count ? parts[i + 1].Offset : size;
                map.AddMemory(address + parts[i].Offset, end - parts[i].Offset, parts[i].Owner, SizeKind.FunctionTables);
            }
            return;
        }
        SizeKind kind = KindOf(s);
        if (!_pcln.Symbols.TryGetValue(s, out int package))
        {
            package = Packages.Of(s);
        }
        else
        {
            kind = SizeKind.FunctionTables;
        }
        long inFile = isInFile ? map.AddMemory(address, size, package, kind) : 0;
        Grow();
        _zeroed[package] += size - inFile;
        AddLargest(package, new SizedSymbol(s, kind, size, IsInFile: isInFile && inFile != 0));
    }

    private void AddLargest(int package, SizedSymbol symbol)
    {
        Grow();
        List<SizedSymbol> largest = _largest[package];
        if (symbol.Size == 0 || _symbols.Name(symbol.Symbol).IsEmpty)
        {
            return;
        }
        if (largest.Count < MostSymbols)
        {
            largest.Add(symbol);
            return;
        }
        // Of equal ones the first stays.
        int least = 0;
        for (int i = 1; i < largest.Count; i++)
        {
            if (largest[i].Size < largest[least].Size || (largest[i].Size == largest[least].Size && largest[i].Symbol.Index > largest[least].Symbol.Index))
            {
                least = i;
            }
        }
        if (symbol.Size > largest[least].Size)
        {
            largest[least] = symbol;
        }
    }

    private SizeKind KindOf(SymbolId s)
    {
        SymbolKind kind = _symbols.Kind(s);
        ReadOnlySpan<byte> name = _symbols.Name(s);
        if (kind.IsText())
        {
            return SizeKind.Text;
        }
        if (name.StartsWith("type:"u8) || name.StartsWith("runtime.gcbits."u8) || (_symbols.Flags(s) & SymbolFlags.GoType) != 0)
        {
            return SizeKind.Types;
        }
        if (name.StartsWith("go:string."u8))
        {
            return SizeKind.Strings;
        }
        if (name.StartsWith("go:itab."u8))
        {
            return SizeKind.Itabs;
        }
        switch (kind)
        {
            case SymbolKind.Type or SymbolKind.TypeRelRo or SymbolKind.TypeLink or SymbolKind.GcBits or SymbolKind.GcBitsRelRo:
                return SizeKind.Types;
            case SymbolKind.ItabLink:
                return SizeKind.Itabs;
            case SymbolKind.String or SymbolKind.GoString or SymbolKind.StringRelRo or SymbolKind.GoStringRelRo:
                return SizeKind.Strings;
            case SymbolKind.PclnTab or SymbolKind.FuncTab or SymbolKind.FuncTabRelRo or SymbolKind.SymTab:
            case SymbolKind.SehUnwindInfo or SymbolKind.SehSect:
                return SizeKind.FunctionTables;
            case SymbolKind.GoFunc or SymbolKind.GoFuncRelRo:
                // Function values have names, funcdata has none.
                return name.IsEmpty ? SizeKind.FunctionTables : SizeKind.ReadOnly;
            case SymbolKind.ElfRoSect or SymbolKind.ElfRelRoSect or SymbolKind.ElfRxSect or SymbolKind.ElfSect or SymbolKind.ElfGot:
            case SymbolKind.MachoPlt or SymbolKind.MachoGot or SymbolKind.MachoRelRoSect or SymbolKind.Macho:
            case SymbolKind.Windows or SymbolKind.XcoffToc:
                return name.StartsWith(".rel"u8) ? SizeKind.Relocations : SizeKind.DynamicLinking;
            case SymbolKind.RoData or SymbolKind.RoDataFips or SymbolKind.RoDataRelRo:
                return name.StartsWith("runtime.findfunctab"u8) ? SizeKind.FunctionTables : SizeKind.ReadOnly;
            default:
                return kind < SymbolKind.FirstWritable ? SizeKind.ReadOnly : SizeKind.Data;
        }
    }

    private void AddDebugInfo(FileMap map)
    {
        foreach (DebugShares section in _debug)
        {
            map.Add(_ctx.DwarfSegment.OffsetOf(section.Output.Vaddr), (long)section.Output.Length, SymbolPackages.Linker, SizeKind.DebugInfo);
        }
    }

    // Compressed or not, the bytes of a section in the file are divided as its content is, to the last byte.
    private void ShareDebugInfo()
    {
        long counted = _bytes[SymbolPackages.Linker][(int)SizeKind.DebugInfo];
        foreach (DebugShares section in _debug)
        {
            // All of it is counted unless the format has written something else over it.
            long inFile = Math.Min((long)section.Output.Length, counted);
            counted -= inFile;
            long given = 0, sum = 0;
            foreach ((int package, long bytes) in section.Bytes.OrderBy(share => share.Key))
            {
                sum += bytes;
                long until = section.Size == 0 ? 0 : (long)((Int128)inFile * sum / section.Size);
                _bytes[SymbolPackages.Linker][(int)SizeKind.DebugInfo] -= until - given;
                _bytes[package][(int)SizeKind.DebugInfo] += until - given;
                _debugBytes[package] += bytes;
                given = until;
            }
        }
    }

    private void AddSections(FileMap map)
    {
        foreach (Section? section in _ctx.Sections)
        {
            if (section is null || section.Segment == _ctx.DwarfSegment)
            {
                continue;
            }
            long inFile = map.HasFunctions && section.IsText ? map.Functions.Sum(f => f.Length)
                : IsInFile(section) ? map.InFile((long)section.Vaddr, (long)section.Length) : 0;
            Sections.Add(new SizedSection(section.Name, inFile, (long)section.Length));
        }
        foreach (DebugShares section in _debug)
        {
            Sections.Add(new SizedSection(section.Output.Name, (long)section.Output.Length, 0));
        }
        foreach (IGrouping<string, Table> tables in map.Tables.OrderBy(t => t.Offset).GroupBy(t => t.Name))
        {
            Sections.Add(new SizedSection(tables.Key, tables.Sum(t => t.Length), 0));
        }
        Sections.RemoveAll(s => s is { InFile: 0, InMemory: 0 });
    }

    private bool IsPadding(FileMap map, long offset, long length)
    {
        if (length < LongGap)
        {
            return true;
        }
        ReadOnlySpan<byte> pad = _ctx.Target.Cpu.CodePad;
        for (long at = offset; at < offset + length;)
        {
            using OutputLease lease = _ctx.Output.LeaseRead(at, (int)Math.Min(OutputFile.MaxMade, offset + length - at));
            foreach (byte b in lease.ReadOnlySpan)
            {
                if (b != 0 && !pad.Contains(b))
                {
                    return false;
                }
            }
            at += lease.ReadOnlySpan.Length;
        }
        return true;
    }

    private void Grow()
    {
        while (_bytes.Count < Packages.Count)
        {
            _bytes.Add(new long[SizeKinds.Count]);
            _zeroed.Add(0);
            _debugBytes.Add(0);
            _largest.Add([]);
        }
    }

    // One section of debug information, and whose its content is.
    private sealed record DebugShares(Section Output, long Size, Dictionary<int, long> Bytes)
    {
        public void Add(int package, long bytes) =>
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(Bytes, package, out _) += bytes;
    }
}

/// <summary>A symbol and how large it is.</summary>
/// <param name="Symbol">The symbol.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Bytes, in the file if it stands there.</param>
/// <param name="IsInFile">Whether it stands in the file, or only in memory.</param>
internal readonly record struct SizedSymbol(SymbolId Symbol, SizeKind Kind, long Size, bool IsInFile);

/// <summary>A section or table of the output.</summary>
/// <param name="Name">Its name.</param>
/// <param name="InFile">Bytes in the file.</param>
/// <param name="InMemory">Bytes in memory; 0 for what is not loaded.</param>
internal readonly record struct SizedSection(string Name, long InFile, long InMemory);
