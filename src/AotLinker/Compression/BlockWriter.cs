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

    /// <summary>Writes literals in a code that has them all.</summary>
    protected static void PutLiterals(ref BitSink sink, byte* data, int length, HuffmanCode code)
    {
        uint* codes = code.Codes;
        byte* at = sink.At;
        ulong bits = sink.Bits;
        uint count = (uint)sink.Count;
        byte* end = data + length;
        for (; end - data >= 3; data += 3)
        {
            // 7 bits at most are left over, so three codes of 15 always fit.
            PutLiteral(codes[data[0]], ref bits, ref count);
            PutLiteral(codes[data[1]], ref bits, ref count);
            PutLiteral(codes[data[2]], ref bits, ref count);
            Drain(ref at, ref bits, ref count);
        }
        for (; data < end; data++)
        {
            PutLiteral(codes[*data], ref bits, ref count);
            Drain(ref at, ref bits, ref count);
        }
        sink.At = at;
        sink.Bits = bits;
        sink.Count = (int)count;
    }

    /// <summary>Writes all literals and matches of a block, without an end of block.</summary>
    protected static void PutTokens(ref BitSink sink, TokenBlock tokens, HuffmanCode literal, HuffmanCode distance)
    {
        // A length's code and extra bits in one entry: bits << 8 | count. At most 20 bits.
        uint* lengths = stackalloc uint[256];
        FillLengths(literal.Codes + DeflateTables.FirstLength, lengths);
        // code | its length << 16 | length with extra bits << 24 | mask of the extra bits << 32
        ulong* distances = stackalloc ulong[DeflateTables.DistanceSymbols];
        FillDistances(distance.Codes, distances);

        uint* codes = literal.Codes;
        byte* next = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        ulong* end = sequence + tokens.SequenceCount;
        byte* at = sink.At;
        ulong bits = sink.Bits;
        uint count = (uint)sink.Count;
        for (; sequence < end; sequence++)
        {
            ulong s = *sequence;
            int run = (ushort)s;
            for (; run > 3; run -= 3)
            {
                PutLiteral(codes[next[0]], ref bits, ref count);
                PutLiteral(codes[next[1]], ref bits, ref count);
                PutLiteral(codes[next[2]], ref bits, ref count);
                next += 3;
                Drain(ref at, ref bits, ref count);
            }
            // Nought to three literals without a branch: a code that is masked out has no bits.
            PutLiteral(codes[next[0]] & (uint)(-run >> 31), ref bits, ref count);
            PutLiteral(codes[next[1]] & (uint)((1 - run) >> 31), ref bits, ref count);
            PutLiteral(codes[next[2]] & (uint)((2 - run) >> 31), ref bits, ref count);
            next += run;
            Drain(ref at, ref bits, ref count);
            // Then 20 bits and 28 at most.
            PutLiteral(lengths[(byte)(s >> 16)], ref bits, ref count);
            ulong d = distances[(uint)(s >> 40)];
            uint value = (ushort)d | (((uint)(s >> 24) & (uint)(d >> 32)) << (int)((d >> 16) & 15));
            bits |= (ulong)value << (int)count;
            count += (byte)(d >> 24);
            Drain(ref at, ref bits, ref count);
        }
        sink.At = at;
        sink.Bits = bits;
        sink.Count = (int)count;
        PutLiterals(ref sink, next, (int)(tokens.Literals + tokens.LiteralCount - next), literal);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutLiteral(uint packed, ref ulong bits, ref uint count)
    {
        bits |= (ulong)(packed >> 8) << (int)count;
        count += (byte)packed;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Drain(ref byte* at, ref ulong bits, ref uint count)
    {
        *(ulong*)at = bits;
        at += count >> 3;
        bits >>= (int)(count & 0x38);
        count &= 7;
    }

    private static void FillLengths(uint* codes, uint* lengths)
    {
        ReadOnlySpan<byte> extraBits = DeflateTables.LengthExtraBits;
        for (int code = 0, length = 0; code < DeflateTables.LengthCodes; code++)
        {
            uint packed = codes[code];
            int width = (byte)packed;
            // Code 284 has five extra bits but 258, its 32nd length, is code 285's.
            int values = code == DeflateTables.LengthCodes - 2 ? 31 : 1 << extraBits[code];
            for (uint extra = 0; extra < values; extra++)
                lengths[length++] = (((packed >> 8) | (extra << width)) << 8) | (uint)(width + extraBits[code]);
        }
    }

    private static void FillDistances(uint* codes, ulong* distances)
    {
        ReadOnlySpan<byte> extraBits = DeflateTables.DistanceExtraBits;
        for (int code = 0; code < DeflateTables.DistanceSymbols; code++)
        {
            uint packed = codes[code];
            uint width = (byte)packed;
            uint extra = extraBits[code];
            distances[code] = (packed >> 8) | ((ulong)width << 16) | ((ulong)(width + extra) << 24) | (((1UL << (int)extra) - 1) << 32);
        }
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
