using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Symbols and their names (machosymorder, machosymtab): local symbols, then exported ones, then imports, each part by name. The order
/// is settled before relocations are looked at, for these refer to imports by their number; addresses come much later.
/// </summary>
/// <remarks>
/// cmd/link sorts with Go's unstable sort, and there are symbols of the same name (a function and its ABI wrapper), so its very steps
/// must be repeated. For that names are not needed: a parallel sort ranks them first, and the steps are done on numbers.
/// </remarks>
internal sealed partial class MachOSymbolTable
{
    private const int ChunkSize = 1 << 14;
    private const int PartCount = 3;

    // The table of names must not begin with a name.
    private static ReadOnlySpan<byte> InitialNames => " \0"u8;

    private readonly int[] _symbols;

    // Of an object: the number of each symbol, and the places in symbols that have a number of their own.
    private readonly Dictionary<(SymbolId Symbol, long Offset), int> _labelNumbers = [];
    private readonly List<Place> _labels = [];
    private NativeColumn<int>? _numbers;

    // Where other modules look for symbols.
    private readonly ModuleExports? _modules;
    private readonly int[] _counts = new int[PartCount];
    private long[] _chunkNames = [];

    private MachOSymbolTable(LinkContext ctx)
    {
        _modules = ctx.Target.IsDynlinkingGo ? new ModuleExports(ctx) : null;
        int[] symbols = Collect(ctx);
        using NativeArray<byte> renamed = CopyNames(symbols, ctx.Symbols.ExternalNames, out Dictionary<int, (int Start, int Length)> places);
        byte[] parts = new byte[symbols.Length];
        ctx.Workers.ForChunks(symbols.Length, ChunkSize, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
                parts[i] = (byte)PartOf(ctx, new SymbolId(symbols[i]));
        });
        foreach (byte part in parts)
            _counts[part]++;

        // Each candidate's rank in the upper half; equal names have the same.
        ulong[] ranked = new ulong[symbols.Length];
        uint rank = 0;
        bool hasEqual = false;
        for (int part = 0; part < PartCount; part++)
        {
            NameSort.Item[] items = new NameSort.Item[_counts[part]];
            int n = 0;
            for (int i = 0; i < symbols.Length; i++)
            {
                if (parts[i] == part)
                {
                    SymbolId s = new(symbols[i]);
                    items[n++] = new NameSort.Item(
                        places.TryGetValue(s.Index, out (int Start, int Length) place) ? renamed.AsSpan().Slice(place.Start, place.Length) : ctx.Symbols.Name(s), i);
                }
            }
            NameSort.Sort(ctx.Workers, items);
            for (int i = 0; i < items.Length; i++)
            {
                if (i > 0 && NameSort.Compare(in items[i - 1], in items[i]) == 0)
                    hasEqual = true;
                else
                    rank++;
                ranked[items[i].Position] = ((ulong)rank << 32) | (uint)symbols[items[i].Position];
            }
        }
        if (hasEqual)
            GoSort.Sort<ulong, ByRank>(ctx.Workers, ranked, default);
        else
            Array.Sort(ranked);
        _symbols = Array.ConvertAll(ranked, static r => (int)(uint)r);
    }

    private enum Part
    {
        Local,
        Exported,
        Undefined,
    }

    /// <summary>Number of symbols.</summary>
    public int Count => _symbols.Length + _labels.Count;

    /// <summary>Number of local symbols, without labels.</summary>
    public int LocalCount => _counts[(int)Part.Local];

    /// <summary>Number of exported symbols.</summary>
    public int ExportedCount => _counts[(int)Part.Exported];

    /// <summary>Number of imported symbols.</summary>
    public int UndefinedCount => _counts[(int)Part.Undefined];

    /// <summary>Bytes of the symbols.</summary>
    public long TableSize => (long)Count * MachOConstants.SymbolSize;

    /// <summary>Bytes of the names. Set by <see cref="Measure"/>.</summary>
    public long NamesSize { get; private set; }

    /// <summary>Decides which symbols there are, and their order.</summary>
    public static MachOSymbolTable Create(LinkContext ctx) => new(ctx);

    /// <summary>Number of a symbol in the table; -1 for one that isn't in it.</summary>
    public int IndexOf(SymbolId s) => Array.IndexOf(_symbols, s.Index);

    /// <summary>The imported symbols with their numbers.</summary>
    public IEnumerable<(SymbolId Symbol, int Number)> Undefined()
    {
        for (int i = _symbols.Length - UndefinedCount; i < _symbols.Length; i++)
            yield return (new SymbolId(_symbols[i]), i);
    }

    /// <summary>Finds out how long the names get.</summary>
    public void Measure(LinkContext ctx)
    {
        int chunks = (_symbols.Length + ChunkSize - 1) / ChunkSize;
        _chunkNames = new long[chunks + 1];
        ctx.Workers.For(chunks, chunk =>
        {
            long size = 0;
            foreach (int s in Chunk(chunk))
                size += SymbolNames.Length(ctx, new SymbolId(s), out _, dotsFirst: true) + 2;
            _chunkNames[chunk + 1] = size;
        });
        _chunkNames[0] = InitialNames.Length;
        for (int i = 0; i < chunks; i++)
            _chunkNames[i + 1] += _chunkNames[i];
        NamesSize = _chunkNames[chunks] + _labels.Sum(label => label.Name.Length + 2);
    }

    /// <summary>Writes both tables.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="symbols">Where the symbols go in the output.</param>
    /// <param name="names">Where the names go.</param>
    public void Write(LinkContext ctx, long symbols, long names)
    {
        ctx.Output.Write(names, InitialNames);
        ctx.Workers.For(_chunkNames.Length - 1, chunk =>
        {
            WriteSymbols(ctx, chunk, symbols);
            WriteNames(ctx, chunk, names);
        });
        WriteLabels(ctx, symbols, names);
    }

    /// <summary>Copies the names that are not their symbols' own to memory that stays where it is.</summary>
    private static NativeArray<byte> CopyNames(
        int[] symbols, Dictionary<SymbolId, string> renamed, out Dictionary<int, (int Start, int Length)> places)
    {
        places = [];
        List<byte> names = [];
        for (int i = 0; i < symbols.Length && renamed.Count > 0; i++)
        {
            if (renamed.TryGetValue(new SymbolId(symbols[i]), out string? name))
            {
                byte[] bytes = RawText.Encode(name);
                places[symbols[i]] = (names.Count, bytes.Length);
                names.AddRange(bytes);
            }
        }
        NativeArray<byte> copy = new(Math.Max(names.Count, 1));
        CollectionsMarshal.AsSpan(names).CopyTo(copy.AsSpan());
        return copy;
    }

    private static Part PartOf(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        return IsUndefined(symbols.Kind(s)) ? Part.Undefined
            : symbols.CgoExportDynamic.Contains(s) || symbols.CgoExportStatic.Contains(s) ? Part.Exported
            : Part.Local;
    }

    private static bool IsUndefined(SymbolKind kind) => kind is SymbolKind.DynImport or SymbolKind.HostObj or SymbolKind.UndefExt;

    /// <summary>
    /// The candidates: start and end of text, functions, all other live symbols by id. Without a symbol table only what the dynamic
    /// linker needs.
    /// </summary>
    private static int[] Collect(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        bool strips = ctx.Settings.OmitSymbolTable;
        List<int> all = [];
        // Markers that are laid out are functions like others.
        bool addsMarkers = !ctx.Target.IsDynlinkingGo;
        if (!strips)
        {
            AddText("runtime.text"u8);
            for (int n = 1; n < ctx.TextSegment.Sections.Count; n++)
            {
                SymbolId s = symbols.Lookup(Encoding.ASCII.GetBytes($"runtime.text.{n}"), 0);
                if (s.IsNone)
                    break;
                all.Add(s.Index);
            }
            AddText("runtime.etext"u8);
        }
        foreach (SymbolId s in ctx.Text)
        {
            if (!strips || symbols.CgoExportDynamic.Contains(s))
                all.Add(s.Index);
        }

        List<int>?[] chunks = new List<int>?[(symbols.Count + ChunkSize - 1) / ChunkSize];
        ctx.Workers.ForChunks(symbols.Count, ChunkSize, (from, to, _) =>
        {
            List<int> found = [];
            for (int i = Math.Max(from, 1); i < to; i++)
            {
                SymbolId s = new(i);
                if (symbols.IsReachable(s) && HasEntry(ctx, s, strips))
                    found.Add(i);
            }
            chunks[from / ChunkSize] = found;
        });
        foreach (List<int>? found in chunks)
            all.AddRange(found ?? []);
        return [.. all];

        void AddText(ReadOnlySpan<byte> name)
        {
            SymbolId s = symbols.Lookup(name, 0);
            if (addsMarkers && symbols.Kind(s).IsText())
                all.Add(s.Index);
        }
    }

    private static bool HasEntry(LinkContext ctx, SymbolId s, bool strips)
    {
        SymbolKind kind = ctx.Symbols.Kind(s);
        if (kind is < SymbolKind.ElfRxSect or >= SymbolKind.FirstUnallocated)
            return IsUndefined(kind);
        if (kind == SymbolKind.TlsBss || ctx.Symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable))
            return false;
        ReadOnlySpan<byte> name = ctx.Symbols.Name(s);
        return !name.IsEmpty && name[0] != (byte)'.' && (!strips || ctx.Symbols.CgoExportDynamic.Contains(s));
    }

    private ReadOnlySpan<int> Chunk(int chunk) =>
        _symbols.AsSpan(chunk * ChunkSize, Math.Min(ChunkSize, _symbols.Length - (chunk * ChunkSize)));

    private void WriteSymbols(LinkContext ctx, int chunk, long table)
    {
        ReadOnlySpan<int> symbols = Chunk(chunk);
        Span<byte> record = stackalloc byte[MachOConstants.SymbolSize];
        long offset = table + ((long)chunk * ChunkSize * MachOConstants.SymbolSize);
        OutputSequence to = new(ctx.Output, offset, (long)symbols.Length * MachOConstants.SymbolSize);
        try
        {
            long name = _chunkNames[chunk];
            foreach (int index in symbols)
            {
                SymbolId s = new(index);
                PutSymbol(ctx, s, (uint)name, record);
                to.Write(record);
                name += SymbolNames.Length(ctx, s, out _, dotsFirst: true) + 2;
            }
            to.Complete();
        }
        finally
        {
            to.Dispose();
        }
    }

    private void PutSymbol(LinkContext ctx, SymbolId s, uint name, Span<byte> record)
    {
        SymbolTable symbols = ctx.Symbols;
        record.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(record, name);
        if (IsUndefined(symbols.Kind(s)))
        {
            record[4] = MachOConstants.SymbolUndefined;
            return;
        }
        record[4] = symbols.CgoExportDynamic.Contains(s) || _modules?.Finds(ctx, s) == true ? MachOConstants.SymbolExternal
            : symbols.CgoExportStatic.Contains(s) ? MachOConstants.SymbolPrivateExternal
            : MachOConstants.SymbolLocal;
        SymbolId outer = symbols.Outer(s);
        if (ctx.SectionOf(outer.IsNone ? s : outer) is { } section)
            record[5] = (byte)section.OutputNumber;
        else
            ctx.Diagnostics.Report(s.Index, $"{symbols.NameText(s)}: missing section for symbol");
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], symbols.Value(s));
    }

    private void WriteNames(LinkContext ctx, int chunk, long names)
    {
        OutputSequence to = new(ctx.Output, names + _chunkNames[chunk], _chunkNames[chunk + 1] - _chunkNames[chunk]);
        try
        {
            foreach (int index in Chunk(chunk))
            {
                SymbolId s = new(index);
                // The system's tools put an underscore before the names of all languages.
                to.Write((byte)'_');
                SymbolNames.Length(ctx, s, out bool isPlain, dotsFirst: true);
                to.Write(isPlain ? ctx.Symbols.Name(s) : SymbolNames.Rewrite(ctx, s, dotsFirst: true));
                to.Write(0);
            }
            to.Complete();
        }
        finally
        {
            to.Dispose();
        }
    }

    private readonly struct ByRank : IOrder<ulong>
    {
        public bool Less(in ulong x, in ulong y) => x >> 32 < y >> 32;
    }
}
