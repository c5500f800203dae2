using System.Buffers.Binary;
using System.Text;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// The COFF symbol table, and behind it the string table, which holds the names of more than eight bytes (ld.peFile.writeSymbols): the
/// start and end of text, functions in layout order, then data and references by id.
/// </summary>
/// <remarks>
/// The string table begins with the names of debug sections. Candidates are cut into chunks; each chunk is sized on its own, prefix
/// sums give its places, and each is written on its own, straight into the output.
/// </remarks>
internal sealed class PeSymbolTable
{
    private const int ChunkSize = 1 << 14;

    // The string table begins with its own length.
    private const int LengthSize = 4;

    private readonly byte[] _sectionNames;
    private readonly PeObjectSymbols? _object;
    private readonly List<byte[]> _longSectionNames = [];
    private readonly LiveColumn<int>? _symbolNumbers;
    private readonly ulong _zeroedStart;
    private readonly int _labelNumber;
    private readonly int _labelName;
    private readonly List<SymbolId> _text = [];
    private readonly Chunk[] _chunks;

    // By the sections' index: the number of the image's section and the address that it begins at.
    private readonly short[] _numbers;
    private readonly ulong[] _starts;

    private PeSymbolTable(LinkContext ctx, bool hasSymbols, byte[] sectionNames, Func<Section, PeSection?> find, PeObjectSymbols? objectSymbols)
    {
        _sectionNames = sectionNames;
        _object = objectSymbols;
        _zeroedStart = ctx.DataSegment.Vaddr + ctx.DataSegment.FileLength;
        _numbers = new short[ctx.Sections.Count];
        _starts = new ulong[ctx.Sections.Count];
        for (int i = 1; i < _numbers.Length; i++)
        {
            if (ctx.Sections[i] is { Segment: { } segment } section && find(section) is { } image)
            {
                _numbers[i] = (short)image.Number;
                _starts[i] = segment.Vaddr;
            }
        }
        if (!hasSymbols)
        {
            _chunks = [];
        }
        else
        {
            AddMarker(ctx, "runtime.text"u8);
            AddMarker(ctx, "runtime.etext"u8);
            _text.AddRange(ctx.Text);
            _chunks = new Chunk[(_text.Count + ctx.Symbols.Count - 1 + ChunkSize - 1) / ChunkSize];
            ctx.Workers.For(_chunks.Length, i => _chunks[i] = SizeChunk(ctx, i));
            ctx.Diagnostics.Flush();
        }
        long name = LengthSize + sectionNames.Length;
        foreach (PeSection section in _object?.Sections ?? [])
        {
            Count++;
            if (section.Name.Length > PeConstants.ShortNameLength)
            {
                _longSectionNames.Add([.. Encoding.ASCII.GetBytes(section.Name), 0]);
                name += section.Name.Length + 1;
            }
        }
        foreach (Chunk chunk in _chunks)
        {
            chunk.FirstNumber = Count;
            chunk.FirstName = name;
            Count += chunk.Entries.Length;
            name += chunk.NameBytes;
        }
        _labelNumber = Count;
        _labelName = checked((int)name);
        Count += _object?.Labels.All.Count ?? 0;
        name += _object?.Labels.All.Sum(static l => LongNameLength(RawText.Encode(l.Name))) ?? 0;
        NamesSize = name;
        if (_object is not null)
        {
            _symbolNumbers = new LiveColumn<int>(ctx.Symbols.Live);
            _symbolNumbers.EnsureCapacity(ctx.Symbols.Count);
            NumberSymbols(ctx);
        }
    }

    /// <summary>Number of symbols.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the string table.</summary>
    public long NamesSize { get; }

    /// <summary>Bytes of both tables.</summary>
    public long Length => ((long)Count * PeConstants.SymbolSize) + NamesSize;

    /// <summary>Number of a symbol of an object's table; -1 for one that has no entry.</summary>
    public int NumberOf(SymbolId s) => _symbolNumbers!.Get(s) - 1;

    /// <summary>Number of a label of an object's table; -1 where there is none.</summary>
    public int NumberOf(SymbolId s, long offset) => _object!.Labels.IndexOf(s, offset) is var index and >= 0 ? _labelNumber + index : -1;

    /// <summary>Decides which symbols there are, once all addresses are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="hasSymbols">Whether there are any; if not, there still is a string table.</param>
    /// <param name="sectionNames">What the string table begins with behind its length.</param>
    /// <param name="find">The image's section that symbols of a section are said to be in; null if they can't have an entry.</param>
    /// <param name="objectSymbols">What an object has besides; null for an image.</param>
    public static PeSymbolTable Size(
        LinkContext ctx, bool hasSymbols, byte[] sectionNames, Func<Section, PeSection?> find, PeObjectSymbols? objectSymbols) =>
        new(ctx, hasSymbols, sectionNames, find, objectSymbols);

    /// <summary>Writes both tables, one behind the other.</summary>
    public void Write(LinkContext ctx, long offset)
    {
        long names = offset + ((long)Count * PeConstants.SymbolSize);
        byte[] length = new byte[LengthSize];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)NamesSize);
        ctx.Output.Write(names, [.. length, .. _sectionNames, .. _longSectionNames.SelectMany(n => n)]);
        WriteSections(ctx, offset);
        WriteLabels(ctx, offset, names);
        ctx.Workers.For(_chunks.Length, i =>
        {
            WriteSymbols(ctx, _chunks[i], offset);
            WriteNames(ctx, _chunks[i], names);
        });
    }

    private void NumberSymbols(LinkContext ctx)
    {
        // Relocations refer to some sections as to symbols: to those of debug information and to the text.
        foreach (Section section in ctx.DwarfSegment.Sections)
        {
            if (_object!.Sections.FirstOrDefault(s => s.Name == section.Name) is { } image)
                _symbolNumbers![section.Symbol] = image.Number;
        }
        SymbolId unwind = ctx.Symbols.Lookup(".xdata"u8, 0);
        if (!unwind.IsNone && _object!.Sections.FirstOrDefault(s => s.Name == ".xdata") is { } information)
            _symbolNumbers![unwind] = information.Number;
        ctx.Workers.For(_chunks.Length, i =>
        {
            int number = _chunks[i].FirstNumber;
            foreach (Entry entry in _chunks[i].Entries)
                _symbolNumbers![entry.Symbol] = ++number;
        });
    }

    private void WriteSections(LinkContext ctx, long offset)
    {
        if (_object is null)
            return;
        byte[] records = new byte[_object.Sections.Count * PeConstants.SymbolSize];
        int nameOffset = LengthSize + _sectionNames.Length;
        foreach (PeSection section in _object.Sections)
        {
            Span<byte> record = records.AsSpan((section.Number - 1) * PeConstants.SymbolSize, PeConstants.SymbolSize);
            PutName(record, Encoding.ASCII.GetBytes(section.Name), ref nameOffset);
            BinaryPrimitives.WriteInt16LittleEndian(record[12..], (short)section.Number);
            record[16] = PeConstants.ClassStatic;
        }
        ctx.Output.Write(offset, records);
    }

    private void WriteLabels(LinkContext ctx, long offset, long names)
    {
        if (_object is null || _object.Labels.All.Count == 0)
            return;
        byte[] records = new byte[_object.Labels.All.Count * PeConstants.SymbolSize];
        List<byte> text = [];
        int nameOffset = _labelName;
        Span<byte> record = records;
        foreach (PeLabel label in _object.Labels.All)
        {
            byte[] name = RawText.Encode(label.Name);
            if (LongNameLength(name) != 0)
                text.AddRange([.. name, 0]);
            PutName(record, name, ref nameOffset);
            PutPlace(record, ctx.Symbols.SectionIndex(label.Symbol), SymbolKind.None, (ulong)(ctx.Symbols.Value(label.Symbol) + label.Offset));
            record[16] = ctx.Symbols.IsFileLocal(label.Symbol) ? PeConstants.ClassStatic : PeConstants.ClassExternal;
            record = record[PeConstants.SymbolSize..];
        }
        ctx.Output.Write(offset + ((long)_labelNumber * PeConstants.SymbolSize), records);
        ctx.Output.Write(names + _labelName, text.ToArray());
    }

    private static int LongNameLength(ReadOnlySpan<byte> name) => name.Length > PeConstants.ShortNameLength ? name.Length + 1 : 0;

    private void PutPlace(Span<byte> record, int section, SymbolKind kind, ulong address)
    {
        short number = _numbers[section];
        if (number == 0)
            return;
        ulong start = _starts[section];
        // The end of data is data, wherever it lies.
        if (_object is not null && number == _object.Data.Number && !kind.IsData() && address >= _zeroedStart)
            (number, start) = ((short)_object.Zeroed.Number, _zeroedStart);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)(address - start));
        BinaryPrimitives.WriteInt16LittleEndian(record[12..], number);
    }

    // A long name is the next one of the string table.
    private static void PutName(Span<byte> record, ReadOnlySpan<byte> name, ref int nameOffset)
    {
        if (name.Length > PeConstants.ShortNameLength)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)nameOffset);
            nameOffset += name.Length + 1;
        }
        else
        {
            name.CopyTo(record);
        }
    }

    private void AddMarker(LinkContext ctx, ReadOnlySpan<byte> name)
    {
        SymbolId s = ctx.Symbols.Lookup(name, 0);
        if (ctx.Symbols.Kind(s).IsText())
            _text.Add(s);
    }

    private Chunk SizeChunk(LinkContext ctx, int index)
    {
        SymbolTable symbols = ctx.Symbols;
        List<Entry> entries = [];
        long nameBytes = 0;
        int to = Math.Min(_text.Count + symbols.Count - 1, (index + 1) * ChunkSize);
        for (int i = index * ChunkSize; i < to; i++)
        {
            SymbolId s = i < _text.Count ? _text[i] : new SymbolId(i - _text.Count + 1);
            if ((i >= _text.Count && !HasDataEntry(symbols, s)) || (symbols.SectionIndex(s) == 0 && !IsUndefined(symbols.Kind(s))))
                continue;
            if (_numbers[symbols.SectionIndex(s)] == 0 && !IsUndefined(symbols.Kind(s)))
                ctx.Diagnostics.Report(i, $"{symbols.NameText(s)}: addpesym: could not map {symbols.NameText(s)} symbol with non .text or .rdata or .data section");
            ReadOnlySpan<byte> name = symbols.Name(s);
            bool hasUnderscore = _object is { HasUnderscores: true } && IsOfC(symbols, s, name);
            if (hasUnderscore)
                name = PrependUnderscore(name);
            int? abi = AbiNames.Suffix(ctx, s, name);
            int length = abi is { } a ? AppendAbi(name, a).Length : name.Length;
            if (length > PeConstants.ShortNameLength)
                nameBytes += length + 1;
            entries.Add(new Entry(s, abi is not null, hasUnderscore));
        }
        return new Chunk { Entries = [.. entries], NameBytes = nameBytes };
    }

    /// <summary>Whether a symbol has an entry besides the functions.</summary>
    private static bool HasDataEntry(SymbolTable symbols, SymbolId s)
    {
        if (!symbols.IsReachable(s))
            return false;
        SymbolKind kind = symbols.Kind(s);
        if (IsUndefined(kind))
            return true;
        if (kind is < SymbolKind.ElfRxSect or >= SymbolKind.FirstUnallocated or SymbolKind.TlsBss
            || symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable))
        {
            return false;
        }
        ReadOnlySpan<byte> name = symbols.Name(s);
        return !name.IsEmpty && name[0] != (byte)'.';
    }

    /// <summary>Whether C knows a symbol, or cmd/link names it as if it did, for the sake of some versions of GNU's linker.</summary>
    private static bool IsOfC(SymbolTable symbols, SymbolId s, ReadOnlySpan<byte> name) =>
        symbols.Kind(s) is SymbolKind.HostObj or SymbolKind.UndefExt || symbols.CgoExportStatic.Contains(s)
        || symbols.CgoExportDynamic.Contains(s) || name.SequenceEqual("go:buildid"u8) || name.SequenceEqual("type:*"u8);

    private static bool IsUndefined(SymbolKind kind) => kind is SymbolKind.DynImport or SymbolKind.HostObj or SymbolKind.UndefExt;

    private static bool IsStatic(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        return symbols.IsFileLocal(s) || symbols.Has(s, SymbolTable.Attributes.Local) || (symbols.Hidden.Count > 0 && symbols.Hidden.Contains(s))
            || (ctx.Release.HashedTextIsLocal && symbols.Kind(s).IsText() && symbols.IsContentHashed(s));
    }

    private static ReadOnlySpan<byte> NameOf(LinkContext ctx, Entry entry)
    {
        ReadOnlySpan<byte> name = ctx.Symbols.Name(entry.Symbol);
        if (entry.HasUnderscore)
            name = PrependUnderscore(name);
        return entry.HasAbi ? AppendAbi(name, ctx.Symbols.Version(entry.Symbol)) : name;
    }

    private static byte[] PrependUnderscore(ReadOnlySpan<byte> name) => [(byte)'_', .. name];

    private static byte[] AppendAbi(ReadOnlySpan<byte> name, int abi) => [.. name, .. Encoding.ASCII.GetBytes($".abi{abi}")];

    private void WriteSymbols(LinkContext ctx, Chunk chunk, long offset)
    {
        SymbolTable symbols = ctx.Symbols;
        Span<byte> record = stackalloc byte[PeConstants.SymbolSize];
        OutputSequence to = new(
            ctx.Output, offset + ((long)chunk.FirstNumber * PeConstants.SymbolSize), (long)chunk.Entries.Length * PeConstants.SymbolSize);
        int nameOffset = checked((int)chunk.FirstName);
        try
        {
            foreach (Entry entry in chunk.Entries)
            {
                SymbolId s = entry.Symbol;
                SymbolKind kind = symbols.Kind(s);
                int section = symbols.SectionIndex(s);
                ReadOnlySpan<byte> name = NameOf(ctx, entry);
                record.Clear();
                PutName(record, name, ref nameOffset);
                PutPlace(record, section, kind, (ulong)symbols.Value(s));
                if (kind.IsText() || IsUndefined(kind))
                    BinaryPrimitives.WriteUInt16LittleEndian(record[14..], PeConstants.TypeFunction);
                record[16] = IsStatic(ctx, s) ? PeConstants.ClassStatic : PeConstants.ClassExternal;
                to.Write(record);
            }
            to.Complete();
        }
        finally
        {
            to.Dispose();
        }
    }

    private static void WriteNames(LinkContext ctx, Chunk chunk, long offset)
    {
        OutputSequence to = new(ctx.Output, offset + chunk.FirstName, chunk.NameBytes);
        try
        {
            foreach (Entry entry in chunk.Entries)
            {
                ReadOnlySpan<byte> name = NameOf(ctx, entry);
                if (name.Length > PeConstants.ShortNameLength)
                {
                    to.Write(name);
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

    /// <summary>A symbol that has an entry, and in the top bits what is added to its name: its ABI, an underscore.</summary>
    private readonly struct Entry(SymbolId symbol, bool hasAbi, bool hasUnderscore)
    {
        private const uint AbiBit = 1u << 31;
        private const uint UnderscoreBit = 1u << 30;

        private readonly uint _bits = (uint)symbol.Index | (hasAbi ? AbiBit : 0) | (hasUnderscore ? UnderscoreBit : 0);

        public SymbolId Symbol => new((int)(_bits & ~(AbiBit | UnderscoreBit)));

        public bool HasUnderscore => (_bits & UnderscoreBit) != 0;

        public bool HasAbi => (_bits & AbiBit) != 0;
    }

    /// <summary>A run of candidates.</summary>
    private sealed class Chunk
    {
        public required Entry[] Entries { get; init; }

        public required long NameBytes { get; init; }

        public int FirstNumber { get; set; }

        public long FirstName { get; set; }
    }
}
