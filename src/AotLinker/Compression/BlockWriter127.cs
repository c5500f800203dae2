using System.Runtime.InteropServices;

namespace AotLinker.Compression;

/// <summary>
/// Block decisions of Go 1.27 (<c>huffmanBitWriter</c>, as set up for levels 1 to 6): a pair of codes stays in force across inputs,
/// within one open block, as long as a rough estimate says that a new pair would not save its own header.
/// </summary>
internal sealed unsafe class BlockWriter127 : BlockWriter
{
    /// <summary>A new pair of codes is assumed to be one part in 2^7 worse than the estimate.</summary>
    private const int NewTablePenaltyLog = 7;

    /// <summary>Below this many tokens the fixed code is tried.</summary>
    private const int FewTokens = 250;

    /// <summary>Size assumed for a header that was not built yet.</summary>
    private const int GuessedHeaderBits = 70 * 8;

    /// <summary>Blocks up to this are stored.</summary>
    private const int MaxAlwaysStored = 32;

    private readonly bool _fuseMultiplyAdd;
    private HuffmanCode _spareLiteral = new();

    /// <summary>Size in bits of the header of the open block, 0 if no block is open.</summary>
    private int _openHeader;

    /// <summary>The open block has codes for literals only.</summary>
    private bool _literalsOnly;

    /// <param name="fuseMultiplyAdd">See <see cref="ZlibWriter"/>.</param>
    public BlockWriter127(bool fuseMultiplyAdd) => _fuseMultiplyAdd = fuseMultiplyAdd;

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        _openHeader = 0;
        _literalsOnly = false;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _spareLiteral.Dispose();
    }

    /// <inheritdoc/>
    /// <remarks>As <c>compressor.deflateFast</c> decides.</remarks>
    public override void WriteBlock(TokenBlock tokens, byte* data, int length, bool last)
    {
        if (length < MinMatchedLength)
        {
            if (length <= MaxAlwaysStored)
                WriteStored(data, length);
            else
                WriteLiterals(data, length, sync: true);
        }
        else if (tokens.TokenCount == 0)
        {
            WriteStored(data, length);
        }
        else if (tokens.TokenCount > length - (length >> 4))
        {
            WriteLiterals(data, length, sync: last);
        }
        else
        {
            tokens.CountLiterals();
            WriteTokens(tokens, data, length, sync: last);
        }
    }

    /// <summary>Writes bytes as they are (<c>writeStoredBlock</c>).</summary>
    public void WriteStored(byte* data, int length)
    {
        BitSink sink = Open();
        EndOpenBlock(ref sink);
        PutStored(ref sink, data, length);
        Close(sink);
    }

    /// <inheritdoc/>
    public override void WriteEnd()
    {
        BitSink sink = Open(MaxEndOutput);
        EndOpenBlock(ref sink);
        // Last block, fixed code, end of block: 10 bits.
        sink.Put(3, 3 + 7);
        sink.AlignToByte();
        Close(sink);
    }

    /// <summary>
    /// Writes tokens in whatever form is estimated to be smallest (<c>writeBlockDynamic</c>).
    /// </summary>
    /// <param name="tokens">The tokens; literals are counted, the end of block is not. Its counts change.</param>
    /// <param name="data">The bytes that the tokens stand for.</param>
    /// <param name="sync">Whether the block must be complete afterwards.</param>
    public void WriteTokens(TokenBlock tokens, byte* data, int length, bool sync)
    {
        BitSink sink = Open();
        WriteTokens(ref sink, tokens, data, length, sync);
        Close(sink);
    }

    /// <summary>
    /// Writes bytes without matches, or stores them if that gains too little (<c>writeBlockHuff</c>).
    /// </summary>
    public void WriteLiterals(byte* data, int length, bool sync)
    {
        BitSink sink = Open();
        WriteLiterals(ref sink, data, length, sync);
        Close(sink);
    }

    private void WriteTokens(ref BitSink sink, TokenBlock tokens, byte* data, int length, bool sync)
    {
        uint* counts = tokens.Counts;
        uint* distanceCounts = counts + TokenBlock.FirstDistance;
        counts[DeflateTables.EndOfBlock] = 1;
        int tokenCount = tokens.TokenCount + (sync ? 1 : 0);

        if (_openHeader > 0 && (_literalsOnly || !CanReuse(counts)))
        {
            EndOpenBlock(ref sink);
            _literalsOnly = false;
        }

        int literals = Trim(counts, TokenBlock.FirstDistance);
        int distances = Trim(distanceCounts, 32);
        int extraBits = ExtraBits(counts);
        bool noMatches = distances == 0;

        if (_openHeader > 0)
        {
            // The estimate looks at matches as they are; the sizes count one distance at least.
            int renewed = _openHeader + EstimateBits(counts, tokenCount);
            renewed += Literal.LengthOf(DeflateTables.EndOfBlock) + (renewed >> NewTablePenaltyLog);
            if (noMatches)
                distanceCounts[0] = 1;
            int reused = SymbolBits(counts, Literal, Distance) + extraBits;
            int size = reused;
            if (renewed < reused)
            {
                EndOpenBlock(ref sink);
                size = renewed;
            }
            if (tokenCount < FewTokens && FixedSize(counts, extraBits) + 7 < size)
            {
                if (StoredSize(length) <= size)
                    PutStoredBlock(ref sink, data, length);
                else
                    PutFixedBlock(ref sink, tokens);
                return;
            }
            if (StoredSize(length) <= size)
            {
                PutStoredBlock(ref sink, data, length);
                return;
            }
        }
        else if (noMatches)
        {
            distanceCounts[0] = 1;
        }

        if (_openHeader == 0)
        {
            Literal.Generate(counts, DeflateTables.LiteralSymbols, 15);
            Distance.Generate(distanceCounts, DeflateTables.DistanceSymbols, 15);
            Header.Build(Literal, literals, Distance, int.Max(distances, 1));
            int size = Header.SizeInBits + SymbolBits(counts, Literal, Distance) + extraBits;
            if (tokenCount < FewTokens)
            {
                int fixedSize = FixedSize(counts, extraBits);
                if (fixedSize <= size)
                {
                    if (StoredSize(length) <= fixedSize)
                        PutStoredBlock(ref sink, data, length);
                    else
                        PutFixedBlock(ref sink, tokens);
                    return;
                }
            }
            if (StoredSize(length) <= size)
            {
                PutStoredBlock(ref sink, data, length);
                return;
            }
            Header.Write(ref sink);
            _openHeader = Header.SizeInBits;
            _literalsOnly = false;
        }

        TokenWriter.PutTokens(ref sink, tokens, Literal, Distance);
        if (sync)
            EndOpenBlock(ref sink);
    }

    private void WriteLiterals(ref BitSink sink, byte* data, int length, bool sync)
    {
        uint* counts = stackalloc uint[DeflateTables.EndOfBlock + 1];
        Histogram.Count(data, length, counts);
        if (length > 1024 && IsFlat(counts, length))
        {
            PutStoredBlock(ref sink, data, length);
            return;
        }

        counts[DeflateTables.EndOfBlock] = 1;
        _spareLiteral.Generate(counts, DeflateTables.EndOfBlock + 1, 15);
        int estimate = _spareLiteral.BitLength(counts, DeflateTables.EndOfBlock + 1);
        estimate += _openHeader > 0 ? _openHeader : GuessedHeaderBits;
        estimate += estimate >> NewTablePenaltyLog;
        if (StoredSize(length) <= estimate)
        {
            PutStoredBlock(ref sink, data, length);
            return;
        }

        if (_openHeader > 0 && (!Literal.CanEncode(counts, DeflateTables.EndOfBlock) || estimate < Literal.BitLength(counts, DeflateTables.EndOfBlock)))
            EndOpenBlock(ref sink);
        if (_openHeader == 0)
        {
            (Literal, _spareLiteral) = (_spareLiteral, Literal);
            Header.Build(Literal, DeflateTables.EndOfBlock + 1, SingleDistance, 1);
            Header.Write(ref sink);
            _openHeader = Header.SizeInBits;
            _literalsOnly = true;
        }
        TokenWriter.PutLiterals(ref sink, data, length, Literal);
        if (sync)
        {
            EndOpenBlock(ref sink);
            _literalsOnly = false;
        }
    }

    private void EndOpenBlock(ref BitSink sink)
    {
        if (_openHeader == 0)
            return;
        sink.PutCode(Literal.Codes[DeflateTables.EndOfBlock]);
        _openHeader = 0;
    }

    private void PutStoredBlock(ref BitSink sink, byte* data, int length)
    {
        EndOpenBlock(ref sink);
        PutStored(ref sink, data, length);
    }

    private void PutFixedBlock(ref BitSink sink, TokenBlock tokens)
    {
        EndOpenBlock(ref sink);
        sink.Put(2, 3);
        TokenWriter.PutTokens(ref sink, tokens, FixedLiteral, FixedDistance);
        sink.PutCode(FixedLiteral.Codes[DeflateTables.EndOfBlock]);
    }

    private int FixedSize(uint* counts, int extraBits) => 3 + SymbolBits(counts, FixedLiteral, FixedDistance) + extraBits;

    private bool CanReuse(uint* counts) =>
        Distance.CanEncode(counts + TokenBlock.FirstDistance, DeflateTables.DistanceSymbols)
        && Literal.CanEncode(counts, DeflateTables.LiteralSymbols);

    /// <summary>True if all byte values occur about equally often, as in random data.</summary>
    private static bool IsFlat(uint* counts, int length)
    {
        double average = (double)length / 256;
        double limit = length * 2;
        double sum = 0;
        for (int i = 0; i < 256; i++)
        {
            double difference = counts[i] - average;
            sum += difference * difference;
        }
        return sum < limit;
    }

    /// <summary>
    /// Bits that the block would take in its own codes: the entropy, from a rough logarithm, plus extra bits
    /// (<c>tokens.EstimatedBits</c>). Single precision and the order of the additions are part of the result.
    /// </summary>
    private int EstimateBits(uint* counts, int tokenCount) => _fuseMultiplyAdd
        ? EstimateBits<Fused>(counts, tokenCount)
        : EstimateBits<Separate>(counts, tokenCount);

    private static int EstimateBits<TArithmetic>(uint* counts, int tokenCount) where TArithmetic : struct, IArithmetic
    {
        float shannon = 0;
        uint matches = 0;
        if (tokenCount > 0)
        {
            float inverse = 1.0f / tokenCount;
            for (int i = 0; i < 256; i++)
                shannon = Add<TArithmetic>(shannon, counts[i], inverse);
            // The end of block, at the longest code.
            shannon += 15;
            for (int i = DeflateTables.FirstLength; i < DeflateTables.LiteralSymbols; i++)
            {
                shannon = Add<TArithmetic>(shannon, counts[i], inverse);
                matches += counts[i];
            }
        }
        if (matches > 0)
        {
            float inverse = 1.0f / matches;
            uint* distances = counts + TokenBlock.FirstDistance;
            for (int i = 0; i < DeflateTables.DistanceSymbols; i++)
                shannon = Add<TArithmetic>(shannon, distances[i], inverse);
        }
        return (int)shannon + ExtraBits(counts);
    }

    private static float Add<TArithmetic>(float sum, uint count, float inverse) where TArithmetic : struct, IArithmetic
    {
        if (count == 0)
            return sum;
        float n = count;
        float bits = MathF.Min(15, MathF.Max(1, -Log2<TArithmetic>(n * inverse)));
        return TArithmetic.MultiplyAdd(bits, n, sum);
    }

    private static float Log2<TArithmetic>(float value) where TArithmetic : struct, IArithmetic
    {
        int raw = BitConverter.SingleToInt32Bits(value);
        float exponent = ((raw >> 23) & 255) - 128;
        float mantissa = BitConverter.Int32BitsToSingle((raw & ~0x7f800000) + (127 << 23));
        float slope = TArithmetic.MultiplyAdd(-0.34484843f, mantissa, 2.02466578f);
        return exponent + TArithmetic.MultiplyAdd(slope, mantissa, -0.67487759f);
    }

    private interface IArithmetic
    {
        static abstract float MultiplyAdd(float x, float y, float z);
    }

    [StructLayout(LayoutKind.Sequential, Size = 1)]
    private readonly struct Separate : IArithmetic
    {
        public static float MultiplyAdd(float x, float y, float z) => x * y + z;
    }

    [StructLayout(LayoutKind.Sequential, Size = 1)]
    private readonly struct Fused : IArithmetic
    {
        public static float MultiplyAdd(float x, float y, float z) => MathF.FusedMultiplyAdd(x, y, z);
    }
}
