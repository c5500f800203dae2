using AotLinker.Compression;

namespace AotLinker.Tests.Compression;

/// <summary>The bits of a block's tokens, against one code written after the other.</summary>
public sealed unsafe class TokenWriterTests : IDisposable
{
    private const int Sequences = 400;

    private readonly TokenBlock _tokens = new();
    private readonly HuffmanCode _literal = new();
    private readonly HuffmanCode _distance = new();
    private readonly byte[] _expected = new byte[BlockWriter.MaxBlockOutput];
    private readonly byte[] _actual = new byte[BlockWriter.MaxBlockOutput];

    /// <summary>Whatever waits before, and with codes of up to 15 bits.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    public void Tokens_are_written_as_one_code_after_the_other(int waiting, bool skewed)
    {
        FillTokens();
        FillCode(_literal, DeflateTables.LiteralSymbols, skewed);
        FillCode(_distance, DeflateTables.DistanceSymbols, skewed);
        fixed (byte* expected = _expected, actual = _actual)
        {
            BitSink one = Start(expected, waiting), all = Start(actual, waiting);
            PutOneByOne(ref one);
            TokenWriter.PutTokens(ref all, _tokens, _literal, _distance);
            Assert.Equal((one.At - expected, one.Count, one.Bits), (all.At - actual, all.Count, all.Bits));
            Assert.Equal(_expected[..(int)(one.At - expected)], _actual[..(int)(all.At - actual)]);
        }
    }

    /// <summary>Literals alone, of every number that leaves another remainder.</summary>
    [Fact]
    public void Literals_are_written_as_one_code_after_the_other()
    {
        FillTokens();
        FillCode(_literal, DeflateTables.LiteralSymbols, skewed: true);
        fixed (byte* expected = _expected, actual = _actual)
        {
            for (int length = 0; length < 20; length++)
            {
                BitSink one = Start(expected, length & 7), all = Start(actual, length & 7);
                for (int i = 0; i < length; i++)
                    one.PutCode(_literal.Codes[_tokens.Literals[i]]);
                TokenWriter.PutLiterals(ref all, _tokens.Literals, length, _literal);
                Assert.Equal((one.At - expected, one.Count, one.Bits), (all.At - actual, all.Count, all.Bits));
                Assert.Equal(_expected[..(int)(one.At - expected)], _actual[..(int)(all.At - actual)]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tokens.Dispose();
        _literal.Dispose();
        _distance.Dispose();
    }

    private static BitSink Start(byte* at, int waiting)
    {
        BitSink sink = new() { At = at };
        if (waiting > 0)
            sink.Put((1u << waiting) - 1, waiting);
        return sink;
    }

    // Runs of 0 to 8 literals, every length, distances of every code, and literals behind the last match.
    private void FillTokens()
    {
        var random = new TestData.XorShift(11);
        _tokens.Reset();
        ulong* end = _tokens.Sequences;
        int literals = 0;
        for (int i = 0; i < Sequences; i++)
        {
            int run = i % 9;
            int length = DeflateTables.MinMatch + 1 + (i % (DeflateTables.MaxMatch - DeflateTables.MinMatch));
            int distance = 1 + random.Below(1UL << (1 + (i % 15)));
            end = TokenBlock.AppendMatch(end, _tokens.Counts, (nuint)run, (nuint)length, (uint)distance - 1);
            literals += run;
        }
        literals += 5;
        for (int i = 0; i < literals + 16; i++)
            _tokens.Literals[i] = (byte)random.Below(256);
        _tokens.LiteralCount = literals;
        _tokens.SequenceCount = Sequences;
    }

    private static void FillCode(HuffmanCode code, int symbols, bool skewed)
    {
        uint* frequencies = stackalloc uint[symbols];
        for (int i = 0; i < symbols; i++)
            frequencies[i] = skewed && i < 20 ? 1u << Math.Min(i, 15) : 1;
        code.Generate(frequencies, symbols, 15);
        if (skewed && symbols > 15)
            Assert.Equal(15, Enumerable.Range(0, symbols).Max(code.LengthOf));
    }

    private void PutOneByOne(ref BitSink sink)
    {
        byte* next = _tokens.Literals;
        for (int i = 0; i < _tokens.SequenceCount; i++)
        {
            ulong s = _tokens.Sequences[i];
            for (int run = (ushort)s; run > 0; run--)
                sink.PutCode(_literal.Codes[*next++]);
            int length = (byte)(s >> 16), code = DeflateTables.LengthCode[length];
            sink.PutCode(_literal.Codes[DeflateTables.FirstLength + code]);
            sink.Put((uint)(length - DeflateTables.LengthBase[code]), DeflateTables.LengthExtraBits[code]);
            uint distance = (ushort)(s >> 24);
            int distanceCode = (int)DeflateTables.DistanceCode(distance);
            sink.PutCode(_distance.Codes[distanceCode]);
            int extra = DeflateTables.DistanceExtraBits[distanceCode];
            sink.Put(distance & ((1u << extra) - 1), extra);
        }
        byte* end = _tokens.Literals + _tokens.LiteralCount;
        while (next < end)
            sink.PutCode(_literal.Codes[*next++]);
    }
}
