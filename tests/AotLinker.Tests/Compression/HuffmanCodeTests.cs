using AotLinker.Compression;

namespace AotLinker.Tests.Compression;

public unsafe class HuffmanCodeTests
{
    /// <summary>
    /// The short cut and package-merge must agree wherever the short cut answers: ties decide bytes.
    /// </summary>
    [Fact]
    public void Huffman_lengths_equal_package_merge_lengths()
    {
        var random = new TestData.XorShift(99);
        uint* keys = stackalloc uint[288];
        uint* weights = stackalloc uint[288];
        uint* parents = stackalloc uint[288];
        uint* expected = stackalloc uint[16];
        uint* actual = stackalloc uint[16];
        int answered = 0, declined = 0;
        for (int round = 0; round < 20_000; round++)
        {
            int used = 3 + random.Below(284);
            // Few distinct frequencies make ties, steep ones make long codes.
            int kind = random.Below(4);
            var frequencies = new List<uint>();
            for (int i = 0; i < used; i++)
            {
                frequencies.Add(kind switch
                {
                    0 => 1 + (uint)random.Below(3),
                    1 => 1 + (uint)random.Below(60),
                    2 => 1 + (uint)random.Below(1UL << random.Below(16)),
                    _ => 1u << Math.Min(15, i / (1 + random.Below(8))),
                });
            }
            frequencies.Sort();
            for (int i = 0; i < used; i++)
                keys[i] = (frequencies[i] << 9) | (uint)i;

            int maxBits = kind == 3 ? 7 + random.Below(9) : 15;
            if ((1 << maxBits) < used)
                continue;
            if (!HuffmanCode.HuffmanLengths(keys, used, maxBits, weights, parents, actual))
            {
                declined++;
                continue;
            }
            answered++;
            HuffmanCode.PackageMergeLengths(keys, used, maxBits, expected);
            Assert.Equal(new Span<uint>(expected + 1, maxBits), new Span<uint>(actual + 1, maxBits));
        }
        Assert.True(answered > 5_000 && declined > 500, $"{answered} answered, {declined} declined");
    }

    /// <summary>Steep frequencies would need more than 15 bits; what comes out must still be a complete prefix code.</summary>
    [Theory]
    [InlineData(15, 30)]
    [InlineData(7, 19)]
    [InlineData(15, 286)]
    public void Limited_codes_are_complete(int maxBits, int symbols)
    {
        using var code = new HuffmanCode();
        uint* frequencies = stackalloc uint[288];
        uint a = 1, b = 1;
        for (int i = 0; i < symbols; i++)
        {
            frequencies[i] = a;
            (a, b) = (b, Math.Min(a + b, 65535));
        }
        code.Generate(frequencies, symbols, maxBits);
        int space = 0;
        var codes = new HashSet<(uint, int)>();
        for (int i = 0; i < symbols; i++)
        {
            Assert.InRange(code.LengthOf(i), 1, maxBits);
            space += 1 << (maxBits - code.LengthOf(i));
            Assert.True(codes.Add((code.Codes[i] >> 8, code.LengthOf(i))));
        }
        Assert.Equal(1 << maxBits, space);
    }

    [Fact]
    public void One_and_two_symbols_get_one_bit()
    {
        using var code = new HuffmanCode();
        uint* frequencies = stackalloc uint[30];
        new Span<uint>(frequencies, 30).Clear();
        frequencies[9] = 5;
        code.Generate(frequencies, 30, 15);
        Assert.Equal(1u, code.Codes[9]);
        frequencies[4] = 50;
        code.Generate(frequencies, 30, 15);
        Assert.Equal((0x001u, 0x101u), (code.Codes[4], code.Codes[9]));
        Assert.Equal(0u, code.Codes[0]);
    }
}
