using System.Buffers.Binary;
using System.Text;
using AotLinker.Objects;

namespace AotLinker.Formats.Plan9;

/// <summary>
/// The symbol table (asmbPlan9Sym): for each symbol its value, big-endian, a letter with the highest bit set, and its name up to a zero
/// byte. Functions come first, in layout order, then everything else that has an address, by id.
/// </summary>
/// <remarks>
/// Candidates are cut into chunks, which are sized and then written each on its own; nothing is kept of them but their sizes.
/// </remarks>
internal sealed class Plan9SymbolTable
{
    private const int ChunkSize = 1 << 14;

    private readonly List<SymbolId> _text;
    private readonly SymbolId[] _markers;
    private readonly int _valueSize;
    private readonly int _candidates;
    private readonly long[] _starts;

    /// <summary>Sizes the table, once all addresses are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="isWide">Whether values take 8 bytes rather than 4.</param>
    public Plan9SymbolTable(LinkContext ctx, bool isWide)
    {
        _text = ctx.Text;
        _valueSize = isWide ? 8 : 4;
        _markers = [.. Markers(ctx)];
        _candidates = _markers.Length + _text.Count + ctx.Symbols.Count - 1;
        long[] sizes = new long[(_candidates + ChunkSize - 1) / ChunkSize];
        ctx.Workers.For(sizes.Length, i => sizes[i] = SizeChunk(ctx, i));
        _starts = new long[sizes.Length + 1];
        for (int i = 0; i < sizes.Length; i++)
            _starts[i + 1] = _starts[i] + sizes[i];
    }

    /// <summary>Bytes of the table.</summary>
    public long Size => _starts[^1];

    /// <summary>Writes the table at a file offset.</summary>
    public void Write(LinkContext ctx, long offset) =>
        ctx.Workers.For(_starts.Length - 1, i =>
        {
            Span<byte> head = stackalloc byte[_valueSize + 1];
            OutputSequence to = new(ctx.Output, offset + _starts[i], _starts[i + 1] - _starts[i]);
            try
            {
                (int first, int end) = Bounds(i);
                for (int candidate = first; candidate < end; candidate++)
                {
                    SymbolId s = Candidate(candidate);
                    char letter = Letter(ctx, candidate, s);
                    if (letter == 0)
                        continue;
                    if (ctx.Symbols.IsFileLocal(s))
                        letter = char.ToLowerInvariant(letter);
                    long value = ctx.Symbols.Value(s);
                    if (_valueSize == 8)
                        BinaryPrimitives.WriteInt64BigEndian(head, value);
                    else
                        BinaryPrimitives.WriteUInt32BigEndian(head, (uint)value);
                    head[_valueSize] = (byte)(letter | 0x80);
                    to.Write(head);
                    ReadOnlySpan<byte> name = ctx.Symbols.Name(s);
                    to.Write(name);
                    if (AbiNames.Suffix(ctx, s, name) is { } abi)
                        to.Write(Encoding.ASCII.GetBytes($".abi{abi}"));
                    to.Write(0);
                }
                to.Complete();
            }
            finally
            {
                to.Dispose();
            }
        });

    private static IEnumerable<SymbolId> Markers(LinkContext ctx) =>
        new[] { ctx.Symbols.Lookup("runtime.text"u8, 0), ctx.Symbols.Lookup("runtime.etext"u8, 0) }.Where(s => ctx.Symbols.Kind(s).IsText());

    private (int First, int End) Bounds(int chunk) => (chunk * ChunkSize, Math.Min(_candidates, (chunk + 1) * ChunkSize));

    // The markers of the text, its functions, then every id but 0.
    private SymbolId Candidate(int i)
    {
        if (i < _markers.Length)
            return _markers[i];
        i -= _markers.Length;
        return i < _text.Count ? _text[i] : new SymbolId(i - _text.Count + 1);
    }

    /// <summary>The letter that says what a symbol is: text, data or zeroed data; 0 for what has no entry here.</summary>
    private char Letter(LinkContext ctx, int candidate, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        if (candidate < _markers.Length + _text.Count)
            return 'T';
        SymbolKind kind = symbols.Kind(s);
        if (!symbols.IsReachable(s) || kind is < SymbolKind.ElfRxSect or >= SymbolKind.FirstUnallocated or SymbolKind.TlsBss
            || symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable))
        {
            return '\0';
        }
        ReadOnlySpan<byte> name = symbols.Name(s);
        if (name.IsEmpty || name[0] == (byte)'.')
            return '\0';
        return kind is SymbolKind.Bss or SymbolKind.NoPtrBss ? 'B' : 'D';
    }

    private long SizeChunk(LinkContext ctx, int chunk)
    {
        long size = 0;
        (int first, int end) = Bounds(chunk);
        for (int candidate = first; candidate < end; candidate++)
        {
            SymbolId s = Candidate(candidate);
            if (Letter(ctx, candidate, s) == 0)
                continue;
            ReadOnlySpan<byte> name = ctx.Symbols.Name(s);
            // ".abi" and a digit.
            int suffix = AbiNames.Suffix(ctx, s, name) is null ? 0 : 5;
            size += _valueSize + 1 + name.Length + suffix + 1;
        }
        return size;
    }
}
