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
    private readonly List<SymbolId> _text = [];
    private readonly Chunk[] _chunks;

    // By the sections' index: the number of the image's section and the address that it begins at.
    private readonly short[] _numbers;
    private readonly ulong[] _starts;

    private PeSymbolTable(LinkContext ctx, bool hasSymbols, byte[] sectionNames, Func<Section, PeSection?> find)
    {
        _sectionNames = sectionNames;
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
        foreach (Chunk chunk in _chunks)
        {
            chunk.FirstNumber = Count;
            chunk.FirstName = name;
            Count += chunk.Entries.Length;
            name += chunk.NameBytes;
        }
        NamesSize = name;
    }

    /// <summary>Number of symbols.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the string table.</summary>
    public long NamesSize { get; }

    /// <summary>Bytes of both tables.</summary>
    public long Length => ((long)Count * PeConstants.SymbolSize) + NamesSize;

    /// <summary>Decides which symbols there are, once all addresses are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="hasSymbols">Whether there are any; if not, there still is a string table.</param>
    /// <param name="sectionNames">What the string table begins with behind its length.</param>
    /// <param name="find">The image's section that symbols of a section are said to be in; null if they can't have an entry.</param>
    public static PeSymbolTable Size(LinkContext ctx, bool hasSymbols, byte[] sectionNames, Func<Section, PeSection?> find) =>
        new(ctx, hasSymbols, sectionNames, find);

    /// <summary>Writes both tables, one behind the other.</summary>
    public void Write(LinkContext ctx, long offset)
    {
        long names = offset + ((long)Count * PeConstants.SymbolSize);
        byte[] start = new byte[LengthSize + _sectionNames.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(start, (uint)NamesSize);
        _sectionNames.CopyTo(start, LengthSize);
        ctx.Output.Write(names, start);
        ctx.Workers.For(_chunks.Length, i =>
        {
            WriteSymbols(ctx, _chunks[i], offset);
            WriteNames(ctx, _chunks[i], names);
        });
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
            int? abi = AbiNames.Suffix(ctx, s, name);
            int length = abi is { } a ? AppendAbi(name, a).Length : name.Length;
            if (length > PeConstants.ShortNameLength)
                nameBytes += length + 1;
            entries.Add(new Entry(s, abi is not null));
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
        return entry.HasAbi ? AppendAbi(name, ctx.Symbols.Version(entry.Symbol)) : name;
    }

    private static byte[] AppendAbi(ReadOnlySpan<byte> name, int abi) => [.. name, .. Encoding.ASCII.GetBytes($".abi{abi}")];

    private void WriteSymbols(LinkContext ctx, Chunk chunk, long offset)
    {
        SymbolTable symbols = ctx.Symbols;
        Span<byte> record = stackalloc byte[PeConstants.SymbolSize];
        OutputSequence to = new(
            ctx.Output, offset + ((long)chunk.FirstNumber * PeConstants.SymbolSize), (long)chunk.Entries.Length * PeConstants.SymbolSize);
        long nameOffset = chunk.FirstName;
        try
        {
            foreach (Entry entry in chunk.Entries)
            {
                SymbolId s = entry.Symbol;
                SymbolKind kind = symbols.Kind(s);
                int section = symbols.SectionIndex(s);
                ReadOnlySpan<byte> name = NameOf(ctx, entry);
                record.Clear();
                if (name.Length > PeConstants.ShortNameLength)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)nameOffset);
                    nameOffset += name.Length + 1;
                }
                else
                {
                    name.CopyTo(record);
                }
                if (_numbers[section] != 0)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)((ulong)symbols.Value(s) - _starts[section]));
                    BinaryPrimitives.WriteInt16LittleEndian(record[12..], _numbers[section]);
                }
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

    /// <summary>A symbol that has an entry, and in the top bit whether its ABI is part of its name.</summary>
    private readonly struct Entry(SymbolId symbol, bool hasAbi)
    {
        private const uint AbiBit = 1u << 31;

        private readonly uint _bits = (uint)symbol.Index | (hasAbi ? AbiBit : 0);

        public SymbolId Symbol => new((int)(_bits & ~AbiBit));

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
