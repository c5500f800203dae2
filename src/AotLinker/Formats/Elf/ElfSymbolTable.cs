using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// .symtab and .strtab (asmElfSym, genelfsym, putelfsym): a null symbol, a file symbol, the local symbols, the global ones. Both halves
/// have the same order: the text section markers, functions in layout order, the end of text, then everything else by id. Names stand
/// in .strtab in the order of their symbols, none shared.
/// </summary>
/// <remarks>
/// Candidates are cut into chunks; each chunk is sized on its own, prefix sums give its places, and each is written on its own, straight
/// into the output. A chunk keeps four bytes per symbol in between.
/// </remarks>
internal sealed class ElfSymbolTable
{
    private const int ChunkSize = 1 << 14;

    // Symbols whose names are asked for together.
    private const int Batch = 32;

    // How far ahead of the symbol at hand one is asked for.
    private const int Ahead = 8;

    // The file symbol keeps tools from making one up with the name of the working directory.
    private static ReadOnlySpan<byte> InitialNames => "\0go.go\0"u8;

    private const int InitialSymbols = 2;

    // Kinds of live symbols that have an entry besides the text symbols, if they have a name.
    private static UInt128 DataKinds =>
        (SymbolKinds.Set(SymbolKind.ElfRxSect, SymbolKind.FirstUnallocated - 1) & ~SymbolKinds.Set(SymbolKind.TlsBss))
        | SymbolKinds.Set(SymbolKind.HostObj) | SymbolKinds.Set(SymbolKind.DynImport) | SymbolKinds.Set(SymbolKind.UndefExt);

    private readonly ElfEncoding _encoding;
    private readonly ElfCpu _cpu;
    private readonly List<SymbolId> _text;
    private readonly SymbolId[] _textStarts;
    private readonly SymbolId _textEnd;
    private readonly ushort[] _sectionNumbers;
    private readonly Chunk[] _chunks;

    private ElfSymbolTable(LinkContext ctx, ElfEncoding encoding, ElfCpu cpu)
    {
        _cpu = cpu;
        _encoding = encoding;
        _text = ctx.Text;
        _textStarts = TextStarts(ctx);
        SymbolId end = ctx.Symbols.Lookup("runtime.etext"u8, 0);
        _textEnd = ctx.Symbols.Kind(end).IsText() ? end : SymbolId.None;
        _sectionNumbers = SectionNumbers(ctx);

        _chunks = new Chunk[((long)CandidateCount(ctx) + ChunkSize - 1) / ChunkSize];
        NativeList<Entry>?[] entries = new NativeList<Entry>?[ctx.Workers.Threads];
        ctx.Workers.ForChunks(_chunks.Length, 1, (i, _, worker) => _chunks[i] = SizeChunk(ctx, i, entries[worker] ??= new()));
        AddUp();
    }

    /// <summary>Bytes of .symtab.</summary>
    public long TableSize { get; private set; }

    /// <summary>Bytes of .strtab.</summary>
    public long NamesSize { get; private set; }

    /// <summary>Number of the first global symbol.</summary>
    public int FirstGlobal { get; private set; }

    private int TextCount => _textStarts.Length + _text.Count + (_textEnd.IsNone ? 0 : 1);

    /// <summary>Decides which symbols there are, once all addresses are known and sections have their numbers.</summary>
    /// <exception cref="LinkException">A symbol has no section.</exception>
    public static ElfSymbolTable Size(LinkContext ctx, ElfEncoding encoding, ElfCpu cpu) => new(ctx, encoding, cpu);

    /// <summary>Writes both tables, the symbols at <paramref name="offset"/> and the names behind them.</summary>
    public void Write(LinkContext ctx, long offset)
    {
        byte[] initial = new byte[InitialSymbols * _encoding.SymbolSize];
        _encoding.PutSymbol(
            initial.AsSpan(_encoding.SymbolSize), 1, ElfConstants.BindLocal | (byte)ElfSymbolType.File, 0, ElfConstants.SectionAbsolute, 0, 0);
        ctx.Output.Write(offset, initial);
        ctx.Output.Write(offset + TableSize, InitialNames);
        ctx.Workers.For(_chunks.Length, i =>
        {
            Chunk chunk = _chunks[i];
            WriteSymbols(ctx, chunk, chunk.Local, isGlobal: false, offset);
            WriteNames(ctx, chunk, chunk.Local, isGlobal: false, offset);
            WriteSymbols(ctx, chunk, chunk.Global, isGlobal: true, offset);
            WriteNames(ctx, chunk, chunk.Global, isGlobal: true, offset);
        });
    }

    // "runtime.text", and "runtime.text.N" for each further text section.
    private static SymbolId[] TextStarts(LinkContext ctx)
    {
        List<SymbolId> starts = [ctx.Symbols.Lookup("runtime.text"u8, 0)];
        for (int n = 1; n < ctx.TextSegment.Sections.Count && ctx.TextSegment.Sections[n].IsText; n++)
        {
            SymbolId s = ctx.Symbols.Lookup(Encoding.ASCII.GetBytes($"runtime.text.{n}"), 0);
            if (s.IsNone)
                break;
            starts.Add(s);
        }
        return [.. starts];
    }

    private static ushort[] SectionNumbers(LinkContext ctx)
    {
        ushort[] numbers = new ushort[ctx.Sections.Count];
        for (int i = 1; i < numbers.Length; i++)
        {
            if (ctx.Sections[i]?.FormatHeader is ElfSectionHeader header)
                numbers[i] = (ushort)header.Number;
        }
        return numbers;
    }

    // Candidates are the text symbols, then every id but 0.
    private int CandidateCount(LinkContext ctx) => TextCount + ctx.Symbols.Count - 1;

    private SymbolId TextSymbol(int i)
    {
        if (i < _textStarts.Length)
            return _textStarts[i];
        i -= _textStarts.Length;
        return i < _text.Count ? _text[i] : _textEnd;
    }

    private void AddUp()
    {
        int number = InitialSymbols;
        long name = InitialNames.Length;
        foreach (Chunk chunk in _chunks)
            chunk.Local.Place(ref number, ref name);
        FirstGlobal = number;
        foreach (Chunk chunk in _chunks)
            chunk.Global.Place(ref number, ref name);
        TableSize = (long)number * _encoding.SymbolSize;
        NamesSize = name;
    }

    private Chunk SizeChunk(LinkContext ctx, int index, NativeList<Entry> entries)
    {
        SymbolTable symbols = ctx.Symbols;
        Chunk chunk = new(entries);
        int from = index * ChunkSize;
        int to = Math.Min(CandidateCount(ctx), from + ChunkSize);
        int textCount = TextCount;
        Span<SymbolId> batch = stackalloc SymbolId[Batch];
        while (from < Math.Min(to, textCount))
        {
            int count = 0;
            for (; count < Batch && from < Math.Min(to, textCount); from++)
            {
                batch[count++] = TextSymbol(from);
            }
            symbols.ExpectNames(batch[..count]);
            foreach (SymbolId s in batch[..count])
            {
                Add(s, symbols.Name(s));
            }
        }
        // Candidates behind the text symbols are ids, from 1 on.
        int end = Math.Max(1, to - textCount + 1);
        int start = Math.Max(1, from - textCount + 1);
        SymbolTable.LiveWalk walk = symbols.LiveIn(start, end, DataKinds);
        for (bool more = true; more;)
        {
            int count = 0;
            while (count < Batch && (more = walk.MoveNext()))
            {
                if (IsUndefined(symbols.Kind(walk.Current)) || !symbols.Has(walk.Current, SymbolTable.Attributes.NotInSymbolTable))
                {
                    batch[count++] = walk.Current;
                }
            }
            symbols.ExpectNames(batch[..count]);
            foreach (SymbolId s in batch[..count])
            {
                ReadOnlySpan<byte> name = symbols.Name(s);
                if (IsUndefined(symbols.Kind(s)) || (!name.IsEmpty && name[0] != (byte)'.'))
                {
                    Add(s, name);
                }
                else if (symbols.IsFileLocal(s))
                {
                    throw new InvalidOperationException($"unexpected file local symbol {s.Index} {symbols.NameText(s)}");
                }
            }
        }
        chunk.End();
        return chunk;

        void Add(SymbolId s, ReadOnlySpan<byte> name)
        {
            CheckSection(ctx, s);
            bool isGlobal = IsGlobal(ctx, s, name);
            int length = SymbolNames.Length(ctx, s, name, out bool isPlain);
            (isGlobal ? chunk.Global : chunk.Local).Count(length + 1);
            entries.Add(new Entry(s, isGlobal, isPlain));
        }
    }

    private void CheckSection(LinkContext ctx, SymbolId s)
    {
        SymbolId holder = Holder(ctx, s);
        if (!IsUndefined(ctx.Symbols.Kind(holder)) && _sectionNumbers[ctx.Symbols.SectionIndex(holder)] == 0)
        {
            string missing = ctx.SectionOf(holder) is null ? "section" : "ELF section";
            throw new LinkException(MessageForm.Bare, $"{ctx.Symbols.NameText(s)}: missing {missing} in putelfsym");
        }
    }

    // The symbol whose section and kind count.
    private static SymbolId Holder(LinkContext ctx, SymbolId s)
    {
        SymbolId outer = ctx.Symbols.Outer(s);
        return outer.IsNone ? s : outer;
    }

    private static bool IsUndefined(SymbolKind kind) => kind is SymbolKind.DynImport or SymbolKind.HostObj or SymbolKind.UndefExt;

    private static bool IsGlobal(LinkContext ctx, SymbolId s, ReadOnlySpan<byte> name)
    {
        SymbolTable symbols = ctx.Symbols;
        if (symbols.Has(s, SymbolTable.Attributes.Local) || (symbols.Hidden.Count > 0 && symbols.Hidden.Contains(s)))
            return false;
        // Content-hashed functions of different packages may have the same name.
        if (ctx.Release.HashedTextIsLocal && symbols.Kind(s).IsText() && symbols.IsContentHashed(s))
            return false;
        // Static temporaries belong to a package, which several modules may share.
        return !symbols.IsFileLocal(s) || name.IndexOf(".stmp_"u8) >= 0;
    }

    private void WriteSymbols(LinkContext ctx, Chunk chunk, Part part, bool isGlobal, long tableOffset)
    {
        int size = _encoding.SymbolSize;
        Span<byte> record = stackalloc byte[24];
        record = record[..size];
        OutputSequence to = new(ctx.Output, tableOffset + ((long)part.FirstNumber * size), (long)part.Symbols * size);
        long name = part.FirstName;
        try
        {
            for (int i = 0; i < chunk.Entries.Length; i++)
            {
                Entry entry = chunk.Entries[i];
                if (i + Ahead < chunk.Entries.Length)
                    ctx.Symbols.ExpectNameRecord(chunk.Entries[i + Ahead].Symbol);
                if (entry.IsGlobal == isGlobal)
                {
                    PutSymbol(ctx, entry, (uint)name, record);
                    to.Write(record);
                    name += (entry.IsPlain ? ctx.Symbols.Name(entry.Symbol).Length : SymbolNames.Rewrite(ctx, entry.Symbol).Length) + 1;
                }
            }
            to.Complete();
        }
        finally
        {
            to.Dispose();
        }
    }

    private void PutSymbol(LinkContext ctx, Entry entry, uint name, Span<byte> record)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId s = entry.Symbol;
        SymbolKind kind = symbols.Kind(s);
        SymbolId holder = Holder(ctx, s);
        bool isUndefined = IsUndefined(symbols.Kind(holder));
        bool isHidden = symbols.Hidden.Count > 0 && symbols.Hidden.Contains(s);
        byte bind = entry.IsGlobal ? ElfConstants.BindGlobal : ElfConstants.BindLocal;
        byte type = kind.IsText() ? (byte)ElfSymbolType.Function
            : IsUndefined(kind) ? symbols.HostSymbolType.GetValueOrDefault(s)
            : (byte)ElfSymbolType.Object;
        _encoding.PutSymbol(
            record,
            name,
            (byte)(bind | type),
            (byte)((isHidden ? ElfConstants.VisibilityHidden : 0) | _cpu.SymbolOther(ctx, s)),
            isUndefined ? ElfConstants.SectionUndefined : _sectionNumbers[symbols.SectionIndex(holder)],
            (ulong)symbols.Value(s),
            isUndefined ? 0 : (ulong)symbols.Size(s));
    }

    private void WriteNames(LinkContext ctx, Chunk chunk, Part part, bool isGlobal, long tableOffset)
    {
        OutputSequence to = new(ctx.Output, tableOffset + TableSize + part.FirstName, part.NameBytes);
        try
        {
            for (int i = 0; i < chunk.Entries.Length; i++)
            {
                Entry entry = chunk.Entries[i];
                if (i + (2 * Ahead) < chunk.Entries.Length)
                    ctx.Symbols.ExpectNameRecord(chunk.Entries[i + (2 * Ahead)].Symbol);
                if (i + Ahead < chunk.Entries.Length)
                    ctx.Symbols.ExpectName(chunk.Entries[i + Ahead].Symbol);
                if (entry.IsGlobal == isGlobal)
                {
                    to.Write(entry.IsPlain ? ctx.Symbols.Name(entry.Symbol) : SymbolNames.Rewrite(ctx, entry.Symbol));
                    to.Write(0);
                }
            }
            to.Complete();
        }
        finally
        {
            to.Dispose();
        }
    }

    /// <summary>A symbol that has an entry: its id, and in the two top bits how it is written.</summary>
    private readonly struct Entry(SymbolId symbol, bool isGlobal, bool isPlain)
    {
        private const uint GlobalBit = 1u << 31;
        private const uint PlainBit = 1u << 30;

        private readonly uint _bits = (uint)symbol.Index | (isGlobal ? GlobalBit : 0) | (isPlain ? PlainBit : 0);

        public SymbolId Symbol => new((int)(_bits & ~(GlobalBit | PlainBit)));

        public bool IsGlobal => (_bits & GlobalBit) != 0;

        public bool IsPlain => (_bits & PlainBit) != 0;
    }

    /// <summary>A run of candidates.</summary>
    private sealed class Chunk(NativeList<Entry> entries)
    {
        private readonly int _first = entries.Count;
        private int _count;

        /// <summary>The entries, among those of other chunks that the same thread has sized.</summary>
        public ReadOnlySpan<Entry> Entries => entries.AsSpan().Slice(_first, _count);

        /// <summary>All entries have been added.</summary>
        public void End() => _count = entries.Count - _first;

        public Part Local { get; } = new();

        public Part Global { get; } = new();
    }

    /// <summary>The local or the global symbols of a chunk, which are side by side in both tables.</summary>
    private sealed class Part
    {
        public int Symbols { get; private set; }

        public long NameBytes { get; private set; }

        public int FirstNumber { get; private set; }

        public long FirstName { get; private set; }

        public void Count(int nameBytes)
        {
            Symbols++;
            NameBytes += nameBytes;
        }

        public void Place(ref int number, ref long name)
        {
            FirstNumber = number;
            FirstName = name;
            number += Symbols;
            name += NameBytes;
        }
    }
}
