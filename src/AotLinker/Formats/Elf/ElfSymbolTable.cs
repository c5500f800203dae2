using System.Text;
using AotLinker.Layout;
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
/// into the output. In between a chunk keeps where each symbol's name is, so that objects are looked at once: sixteen bytes, at a time when
/// most other memory has been given back.
/// </remarks>
internal sealed class ElfSymbolTable
{
    private const int ChunkSize = 1 << 14;

    // How far ahead of the name at hand one is asked for.
    private const int Ahead = 8;

    // How the names of symbols begin that keep references to a module's own functions from going elsewhere.
    private static ReadOnlySpan<byte> LocalPrefix => "local."u8;

    // The file symbol keeps tools from making one up with the name of the working directory.
    private static ReadOnlySpan<byte> InitialNames => "\0go.go\0"u8;

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
    private readonly bool _isObject;
    private readonly Section[] _sections;
    private readonly LiveColumn<int>? _numbers;
    private readonly ElfObjectLabels? _labels;

    private ElfSymbolTable(LinkContext ctx, ElfEncoding encoding, ElfCpu cpu)
    {
        _cpu = cpu;
        _encoding = encoding;
        _text = ctx.Text;
        _textStarts = TextStarts(ctx);
        SymbolId end = ctx.Symbols.Lookup("runtime.etext"u8, 0);
        _textEnd = ctx.Symbols.Kind(end).IsText() ? end : SymbolId.None;
        _sectionNumbers = SectionNumbers(ctx);

        _isObject = ctx.Target.IsExternal;
        // An external linker is told of sections of debug information by symbols.
        _sections = _isObject && ctx.Dwarf is { } dwarf ? [.. dwarf.Sections.Select(s => s.Output)] : [];
        _labels = _isObject && !cpu.ObjectLabelName.IsEmpty ? new ElfObjectLabels(ctx, cpu) : null;
        _chunks = new Chunk[((long)CandidateCount(ctx) + ChunkSize - 1) / ChunkSize];
        (NativeList<Entry> Local, NativeList<Entry> Global)[] entries = new (NativeList<Entry>, NativeList<Entry>)[ctx.Workers.Threads];
        ctx.Workers.ForChunks(_chunks.Length, 1, (i, _, worker) =>
        {
            ref (NativeList<Entry> Local, NativeList<Entry> Global) own = ref entries[worker];
            _chunks[i] = new Chunk(own.Local ??= new(), own.Global ??= new());
            SizeChunk(ctx, i, _chunks[i]);
        });
        AddUp();
        if (_isObject)
        {
            _numbers = new LiveColumn<int>(ctx.Symbols.Live);
            _numbers.EnsureCapacity(ctx.Symbols.Count);
            NumberSymbols(ctx);
        }
    }

    /// <summary>Bytes of .symtab.</summary>
    public long TableSize { get; private set; }

    /// <summary>Bytes of .strtab.</summary>
    public long NamesSize { get; private set; }

    /// <summary>Number of the first global symbol.</summary>
    public int FirstGlobal { get; private set; }

    /// <summary>Number of a symbol of an object's table; 0 for one that has no entry.</summary>
    public int NumberOf(SymbolId s) => _numbers!.Get(s);

    /// <summary>Number of the label at an offset in a function; what stands for the function itself where that is 0.</summary>
    public int NumberOfLabel(SymbolId function, int offset, ref ElfObjectLabels.Cursor cursor) =>
        offset == 0 ? NumberOf(function) : _labels!.NumberOf(function, offset, ref cursor);

    // The null symbol, symbols for sections, the file symbol.
    private int InitialSymbols => 2 + _sections.Length;

    private int TextCount => _textStarts.Length + _text.Count + (_textEnd.IsNone ? 0 : 1);

    /// <summary>Decides which symbols there are, once all addresses are known and sections have their numbers.</summary>
    public static ElfSymbolTable Size(LinkContext ctx, ElfEncoding encoding, ElfCpu cpu) => new(ctx, encoding, cpu);

    /// <summary>Writes both tables, the symbols at <paramref name="offset"/> and the names behind them.</summary>
    /// <exception cref="LinkException">A symbol has no section.</exception>
    public void Write(LinkContext ctx, long offset)
    {
        byte[] initial = new byte[InitialSymbols * _encoding.SymbolSize];
        for (int i = 0; i < _sections.Length; i++)
        {
            byte info = ElfConstants.BindLocal | (byte)ElfSymbolType.Section;
            _encoding.PutSymbol(initial.AsSpan((1 + i) * _encoding.SymbolSize), 0, info, 0, _sectionNumbers[_sections[i].Index], 0, 0);
        }
        _encoding.PutSymbol(
            initial.AsSpan((1 + _sections.Length) * _encoding.SymbolSize), 1, ElfConstants.BindLocal | (byte)ElfSymbolType.File, 0, ElfConstants.SectionAbsolute, 0, 0);
        ctx.Output.Write(offset, initial);
        ctx.Output.Write(offset + TableSize, InitialNames);
        ctx.Workers.For(_chunks.Length, i =>
        {
            Chunk chunk = _chunks[i];
            WriteSymbols(ctx, chunk.Local, ElfConstants.BindLocal, offset);
            WriteNames(ctx, chunk.Local, offset);
            WriteSymbols(ctx, chunk.Global, ElfConstants.BindGlobal, offset);
            WriteNames(ctx, chunk.Global, offset);
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

    private void NumberSymbols(LinkContext ctx)
    {
        for (int i = 0; i < _sections.Length; i++)
        {
            _numbers![_sections[i].Symbol] = 1 + i;
        }
        ctx.Workers.For(_chunks.Length, i =>
        {
            // Where a symbol has an entry of either kind, relocations refer to the local one.
            Number(_chunks[i].Global);
            Number(_chunks[i].Local);
        });

        void Number(Part part)
        {
            int number = part.FirstNumber;
            SymbolId labelled = SymbolId.None;
            foreach (ref readonly Entry entry in part.Entries)
            {
                if (!entry.IsLabel)
                {
                    _numbers![entry.Symbol] = number;
                }
                else if (labelled != entry.Symbol)
                {
                    labelled = entry.Symbol;
                    _labels!.SetFirst(labelled, number);
                }
                number++;
            }
        }
    }

    private void SizeChunk(LinkContext ctx, int index, Chunk chunk)
    {
        SymbolTable symbols = ctx.Symbols;
        int from = index * ChunkSize;
        int to = Math.Min(CandidateCount(ctx), from + ChunkSize);
        int textCount = TextCount;
        Span<SymbolId> batch = stackalloc SymbolId[SymbolTable.NameBatch];
        Span<NativeSpan<byte>> names = stackalloc NativeSpan<byte>[SymbolTable.NameBatch];
        using NativeList<int>? labels = _labels is null ? null : new();
        while (from < Math.Min(to, textCount))
        {
            int count = 0;
            for (; count < batch.Length && from < Math.Min(to, textCount); from++)
            {
                batch[count++] = TextSymbol(from);
            }
            symbols.ReadNames(batch[..count], names);
            for (int i = 0; i < count; i++)
            {
                Add(ctx, chunk, batch[i], names[i]);
                if (labels is not null)
                {
                    AddLabels(chunk, batch[i], labels!);
                }
            }
        }
        // Candidates behind the text symbols are ids, from 1 on.
        int end = Math.Max(1, to - textCount + 1);
        int start = Math.Max(1, from - textCount + 1);
        SymbolTable.LiveWalk walk = symbols.LiveIn(start, end, _isObject ? DataKinds | SymbolKinds.Set(SymbolKind.TlsBss) : DataKinds);
        for (bool more = true; more;)
        {
            int count = 0;
            while (count < batch.Length && (more = walk.MoveNext()))
            {
                if (IsUndefined(symbols.Kind(walk.Current)) || MayBeNamed(symbols, walk.Current))
                {
                    batch[count++] = walk.Current;
                }
            }
            symbols.ReadNames(batch[..count], names);
            for (int i = 0; i < count; i++)
            {
                SymbolId s = batch[i];
                ReadOnlySpan<byte> name = names[i].AsSpan();
                if (IsUndefined(symbols.Kind(s)) || (!name.IsEmpty && name[0] != (byte)'.'))
                {
                    Add(ctx, chunk, s, names[i]);
                }
                else if (symbols.IsFileLocal(s))
                {
                    throw new InvalidOperationException($"unexpected file local symbol {s.Index} {symbols.NameText(s)}");
                }
            }
        }
        chunk.End();
    }

    // Most data is a part of something else and has no name.
    private static bool MayBeNamed(SymbolTable symbols, SymbolId s) =>
        !symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable)
        && (symbols.TraitsOf(s) & (SymbolTable.Traits.Nameless | SymbolTable.Traits.FileLocal)) != SymbolTable.Traits.Nameless;

    private void Add(LinkContext ctx, Chunk chunk, SymbolId s, NativeSpan<byte> name)
    {
        bool isGlobal = IsGlobal(ctx, s, name.AsSpan());
        int length = SymbolNames.Length(ctx, s, name.AsSpan(), out bool isPlain);
        (isGlobal ? chunk.Global : chunk.Local).Add(new Entry(s, name, isPlain), length + 1);
        if (isGlobal && ctx.Target.IsDynlinkingGo && ctx.Symbols.Kind(s).IsText())
        {
            // References within the module are to its own function, not by way of the PLT to another's.
            chunk.Local.Add(new Entry(s, name, isPlain, isAlias: true), LocalPrefix.Length + length + 1);
        }
    }

    private void AddLabels(Chunk chunk, SymbolId function, NativeList<int> offsets)
    {
        offsets.Clear();
        _labels!.List(function, offsets);
        foreach (int offset in offsets.AsSpan())
        {
            chunk.Local.Add(new Entry(function, offset), _cpu.ObjectLabelName.Length + 1);
        }
    }

    private static bool IsUndefined(SymbolKind kind) => kind is SymbolKind.DynImport or SymbolKind.HostObj or SymbolKind.UndefExt;

    private static bool IsGlobal(LinkContext ctx, SymbolId s, ReadOnlySpan<byte> name)
    {
        SymbolTable symbols = ctx.Symbols;
        // Unless modules share Go code, what is not exported must not appear among the dynamic symbols, of which the external linker makes
        // all global ones.
        if (ctx.Target.IsExternal && !ctx.Target.IsDynlinkingGo && !symbols.CgoExportStatic.Contains(s) && !IsUndefined(symbols.Kind(s)))
            return false;
        if (symbols.Has(s, SymbolTable.Attributes.Local) || (symbols.Hidden.Count > 0 && symbols.Hidden.Contains(s)))
            return false;
        // Content-hashed functions of different packages may have the same name.
        if (ctx.Release.HashedTextIsLocal && symbols.Kind(s).IsText() && symbols.IsContentHashed(s))
            return false;
        // Static temporaries belong to a package, which several modules may share.
        return (symbols.TraitsOf(s) & SymbolTable.Traits.FileLocal) == 0 || name.IndexOf(".stmp_"u8) >= 0;
    }

    private void WriteSymbols(LinkContext ctx, Part part, byte bind, long tableOffset)
    {
        int size = _encoding.SymbolSize;
        int most = OutputFile.MaxMade / size;
        long offset = tableOffset + ((long)part.FirstNumber * size);
        long name = part.FirstName;
        for (ReadOnlySpan<Entry> left = part.Entries; !left.IsEmpty;)
        {
            ReadOnlySpan<Entry> piece = left[..Math.Min(left.Length, most)];
            left = left[piece.Length..];
            using OutputLease lease = ctx.Output.LeaseMade(offset, piece.Length * size);
            Span<byte> to = lease.Span;
            foreach (ref readonly Entry entry in piece)
            {
                if (entry.IsLabel)
                    PutLabel(ctx, entry, bind, (uint)name, to);
                else
                    PutSymbol(ctx, entry.Symbol, bind, (uint)name, to);
                to = to[size..];
                name += 1 + (entry.IsAlias ? LocalPrefix.Length : 0) + (entry.IsLabel ? _cpu.ObjectLabelName.Length
                    : entry.IsPlain ? entry.Name.Length
                    : SymbolNames.Rewrite(ctx, entry.Symbol).Length);
            }
            offset += (long)piece.Length * size;
        }
    }

    private void PutSymbol(LinkContext ctx, SymbolId s, byte bind, uint name, Span<byte> record)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolKind kind = symbols.Kind(s);
        SymbolTable.Placement place = symbols.PlacementOf(s);
        bool isUndefined = IsUndefined(place.Outer.IsNone ? kind : symbols.Kind(place.Outer));
        ushort section = isUndefined ? ElfConstants.SectionUndefined : SectionNumber(ctx, s, place);
        long value = symbols.Value(s);
        if (_isObject && !isUndefined)
            value -= (long)ctx.Sections[place.Outer.IsNone ? place.Section : symbols.SectionIndex(place.Outer)]!.Vaddr;
        bool isHidden = symbols.Hidden.Count > 0 && symbols.Hidden.Contains(s);
        byte type = kind.IsText() ? (byte)ElfSymbolType.Function
            : kind == SymbolKind.TlsBss ? (byte)ElfSymbolType.Tls
            : IsUndefined(kind) ? symbols.HostSymbolType.GetValueOrDefault(s)
            : (byte)ElfSymbolType.Object;
        _encoding.PutSymbol(
            record,
            name,
            (byte)(bind | type),
            (byte)((isHidden ? ElfConstants.VisibilityHidden : 0) | _cpu.SymbolOther(ctx, s)),
            section,
            (ulong)value,
            isUndefined ? 0 : (ulong)place.Size);
    }

    private void PutLabel(LinkContext ctx, in Entry label, byte bind, uint name, Span<byte> record)
    {
        SymbolId function = label.Symbol;
        int section = ctx.Symbols.SectionIndex(function);
        ulong value = (ulong)(ctx.Symbols.Value(function) + label.Offset) - ctx.Sections[section]!.Vaddr;
        _encoding.PutSymbol(
            record, name, (byte)(bind | (byte)ElfSymbolType.Function), ElfConstants.VisibilityHidden, _sectionNumbers[section], value, 0);
    }

    private ushort SectionNumber(LinkContext ctx, SymbolId s, in SymbolTable.Placement place)
    {
        int index = place.Outer.IsNone ? place.Section : ctx.Symbols.SectionIndex(place.Outer);
        ushort number = _sectionNumbers[index];
        if (number == 0)
        {
            string missing = ctx.Sections[index] is null ? "section" : "ELF section";
            throw new LinkException(MessageForm.Bare, $"{ctx.Symbols.NameText(s)}: missing {missing} in putelfsym");
        }
        return number;
    }

    private void WriteNames(LinkContext ctx, Part part, long tableOffset)
    {
        OutputSequence to = new(ctx.Output, tableOffset + TableSize + part.FirstName, part.NameBytes);
        try
        {
            ReadOnlySpan<Entry> entries = part.Entries;
            for (int i = 0; i < entries.Length; i++)
            {
                if (i + Ahead < entries.Length && !entries[i + Ahead].IsLabel)
                    entries[i + Ahead].Name.Expect();
                ref readonly Entry entry = ref entries[i];
                if (entry.IsAlias)
                    to.Write(LocalPrefix);
                to.WriteTerminated(entry.IsLabel ? _cpu.ObjectLabelName : entry.IsPlain ? entry.Name.AsSpan() : SymbolNames.Rewrite(ctx, entry.Symbol));
            }
            to.Complete();
        }
        finally
        {
            to.Dispose();
        }
    }

    /// <summary>
    /// A symbol that has an entry: its own name, whether it is written like that, and whether this is the local entry of a global symbol,
    /// which are the top bits of id and length. Or a label in a function: an offset, which is not 0, and no name.
    /// </summary>
    private readonly unsafe struct Entry(SymbolId symbol, NativeSpan<byte> name, bool isPlain, bool isAlias = false)
    {
        private const uint PlainBit = 1u << 31;

        private readonly byte* _name = name.Start;
        private readonly int _length = isAlias ? name.Length | int.MinValue : name.Length;
        private readonly uint _bits = (uint)symbol.Index | (isPlain ? PlainBit : 0);

        /// <summary>A label.</summary>
        public Entry(SymbolId function, int offset)
            : this(function, default, isPlain: true) => _length = offset;

        public bool IsLabel => _name is null && _length != 0;

        public int Offset => _length;

        public SymbolId Symbol => new((int)(_bits & ~PlainBit));

        public NativeSpan<byte> Name => new(_name, _length & int.MaxValue);

        public bool IsPlain => (_bits & PlainBit) != 0;

        public bool IsAlias => _length < 0;
    }

    /// <summary>A run of candidates. The entries are among those of other chunks that the same thread has sized.</summary>
    private sealed class Chunk(NativeList<Entry> local, NativeList<Entry> global)
    {
        public Part Local { get; } = new(local);

        public Part Global { get; } = new(global);

        /// <summary>All entries have been added.</summary>
        public void End()
        {
            Local.End();
            Global.End();
        }
    }

    /// <summary>The local or the global symbols of a chunk, which are side by side in both tables.</summary>
    private sealed class Part(NativeList<Entry> entries)
    {
        private readonly int _first = entries.Count;

        public int Symbols { get; private set; }

        public long NameBytes { get; private set; }

        public int FirstNumber { get; private set; }

        public long FirstName { get; private set; }

        public ReadOnlySpan<Entry> Entries => entries.AsSpan().Slice(_first, Symbols);

        public void Add(Entry entry, int nameBytes)
        {
            entries.Add(entry);
            NameBytes += nameBytes;
        }

        public void End() => Symbols = entries.Count - _first;

        public void Place(ref int number, ref long name)
        {
            FirstNumber = number;
            FirstName = name;
            number += Symbols;
            name += NameBytes;
        }
    }
}
