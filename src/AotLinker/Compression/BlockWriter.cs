using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Compression;

/// <summary>
/// Turns tokens into DEFLATE blocks. The families differ in when they store, reuse or rebuild a code
/// (derived types); how symbols become bits is the same and lives here.
/// </summary>
internal abstract unsafe class BlockWriter : IDisposable
{
    /// <summary>
    /// Most bytes that one call can write: 65,535 literals at 15 bits, or 16,384 matches at 48, a header, and slack
    /// for wide stores.
    /// </summary>
    public const int MaxBlockOutput = 128 * 1024;

    /// <summary>The same for <see cref="WriteEnd"/>: the end of a block, and an empty one.</summary>
    protected const int MaxEndOutput = 64;

    /// <summary>Blocks below this, which only the last can be, are not searched for matches.</summary>
    public const int MinMatchedLength = 128;

    private BitSink _sink;

    /// <summary>The compressed stream.</summary>
    public NativeBuffer Output { get; } = new();

    /// <summary>The code for literals and lengths in force.</summary>
    protected HuffmanCode Literal { get; set; } = new();

    /// <summary>The code for distances in force.</summary>
    protected HuffmanCode Distance { get; } = new();

    /// <summary>Describes the codes in force.</summary>
    protected CodeLengthHeader Header { get; } = new();

    /// <summary>The fixed literal and length code.</summary>
    protected HuffmanCode FixedLiteral { get; } = CreateFixed(distance: false);

    /// <summary>The fixed distance code.</summary>
    protected HuffmanCode FixedDistance { get; } = CreateFixed(distance: true);

    /// <summary>A distance code of one symbol, for blocks without matches.</summary>
    protected HuffmanCode SingleDistance { get; } = CreateSingleDistance();

    /// <summary>The writer of a family.</summary>
    public static BlockWriter Create(DeflateFamily family, bool fuseMultiplyAdd) =>
        family == DeflateFamily.Go127 ? new BlockWriter127(fuseMultiplyAdd) : new BlockWriter123();

    /// <summary>Forgets all state and output.</summary>
    public virtual void Reset()
    {
        Output.Clear();
        _sink = default;
    }

    /// <summary>Writes one block of input in the form that its tokens suggest.</summary>
    /// <param name="tokens">The block's tokens, unless it is shorter than <see cref="MinMatchedLength"/>. Its counts change.</param>
    /// <param name="data">The bytes, 1 to 65,535.</param>
    /// <param name="last">Whether this is the last one.</param>
    public abstract void WriteBlock(TokenBlock tokens, byte* data, int length, bool last);

    /// <summary>Writes the stream's last bits: an empty last block, filled up to a byte.</summary>
    public abstract void WriteEnd();

    /// <summary>Appends bytes that are no part of the bit stream. It must stand at a byte boundary.</summary>
    public void AppendRaw(ReadOnlySpan<byte> bytes)
    {
        Debug.Assert(_sink.Count == 0);
        Output.Append(bytes);
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Output.Dispose();
        Literal.Dispose();
        Distance.Dispose();
        Header.Dispose();
        FixedLiteral.Dispose();
        FixedDistance.Dispose();
        SingleDistance.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Bits that a stored block takes, as Go estimates it: padding is not counted.</summary>
    protected static int StoredSize(int length) => (length + 5) * 8;

    /// <summary>Symbols up to the last one in use.</summary>
    protected static int Trim(uint* counts, int symbols)
    {
        while (symbols > 0 && counts[symbols - 1] == 0)
            symbols--;
        return symbols;
    }

    /// <summary>Extra bits that the matches of a block take.</summary>
    protected static int ExtraBits(uint* counts)
    {
        uint total = 0;
        ReadOnlySpan<byte> length = DeflateTables.LengthExtraBits;
        for (int i = 8; i < DeflateTables.LengthCodes; i++)
            total += counts[DeflateTables.FirstLength + i] * length[i];
        ReadOnlySpan<byte> distance = DeflateTables.DistanceExtraBits;
        for (int i = 4; i < DeflateTables.DistanceSymbols; i++)
            total += counts[TokenBlock.FirstDistance + i] * distance[i];
        return (int)total;
    }

    /// <summary>Bits of all symbols in the codes given, extra bits apart.</summary>
    protected static int SymbolBits(uint* counts, HuffmanCode literal, HuffmanCode distance) =>
        literal.BitLength(counts, DeflateTables.LiteralSymbols)
        + distance.BitLength(counts + TokenBlock.FirstDistance, DeflateTables.DistanceSymbols);

    /// <summary>Starts writing a block, or less.</summary>
    protected BitSink Open(int most = MaxBlockOutput)
    {
        BitSink sink = _sink;
        sink.At = Output.Reserve((nuint)most);
        return sink;
    }

    /// <summary>Ends what <see cref="Open"/> began.</summary>
    protected void Close(in BitSink sink)
    {
        Output.CommitTo(sink.At);
        _sink = sink;
    }

    /// <summary>Writes the header of a stored block and its content.</summary>
    protected static void PutStored(ref BitSink sink, byte* data, int length)
    {
        sink.Put(0, 3);
        sink.AlignToByte();
        sink.Put((uint)(length | (~length << 16)), 32);
        Unsafe.CopyBlockUnaligned(sink.At, data, (uint)length);
        sink.At += length;
    }

    private static HuffmanCode CreateFixed(bool distance)
    {
        var code = new HuffmanCode();
        if (distance)
            code.SetFixedDistance();
        else
            code.SetFixedLiteral();
        return code;
    }

    private static HuffmanCode CreateSingleDistance()
    {
        var code = new HuffmanCode();
        uint* counts = stackalloc uint[DeflateTables.DistanceSymbols];
        new Span<uint>(counts, DeflateTables.DistanceSymbols).Clear();
        counts[0] = 1;
        code.Generate(counts, DeflateTables.DistanceSymbols, 15);
        return code;
    }
}
