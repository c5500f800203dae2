using System.Buffers.Binary;
using AotLinker.Hashing;

namespace AotLinker.Tests.Hashing;

/// <summary>Expected values printed by Go 1.27.4 from <c>rand.New(rand.NewSource(seed))</c>.</summary>
public class GoRandomTests
{
    [Theory]
    [InlineData(1, 0x4d65822107fcfd52, 0x78629a0f5f3f164f, 0x46444170b0e427d2)]
    [InlineData(0, 0x78fc2ffac2fd9401, 0x1f5b0412ffd341c0, 0x58cba14db22965f5)]
    [InlineData(-1, 0xb29581df080302ac, 0x87a299f05f40e9af, 0xb98c439130cbd805)]
    [InlineData(42, 0xafbf64b1967f8c53, 0x8872b44b9fbb971b, 0xb2606db8769e8435)]
    [InlineData(1L << 62, 0x4d65822107fcfd52, 0x78629a0f5f3f164f, 0x46444170b0e427d2)]
    [InlineData(long.MinValue, 0x6a99fa1dcb7d7dcf, 0xde0d4d54c03bce8f, 0x963443e1b33b1b1d)]
    [InlineData(int.MaxValue, 0x78fc2ffac2fd9401, 0x1f5b0412ffd341c0, 0x58cba14db22965f5)]
    public void Sequence(long seed, ulong first, ulong second, ulong number2004)
    {
        var random = new GoRandom(seed);
        Assert.Equal(first, random.NextUInt64());
        Assert.Equal(second, random.NextUInt64());
        for (int i = 0; i < 2001; i++)
            random.NextUInt64();
        Assert.Equal(number2004, random.NextUInt64());
    }

    [Theory]
    [InlineData(1, "1 7 4 0 9 2 3 5 8 6", 11998794077335055257, "ce757625ceaafcbe", 18202266976419042500)]
    [InlineData(-1, "8 4 7 5 1 6 9 2 0 3", 6445856527061488741, "74982e51123cf9da", 2992359644815535444)]
    [InlineData(42, "2 5 7 9 6 8 1 4 0 3", 15185141594316539992, "c7dc24ca480023a3", 9893947321436095691)]
    [InlineData(long.MinValue, "4 1 3 5 0 2 9 7 6 8", 8051918299051973702, "574cc5e94d31864c", 4839227956638265356)]
    public void Shuffle(long seed, string ten, ulong afterTen, string many, ulong afterMany)
    {
        var random = new GoRandom(seed);
        uint[] items = Numbers(10);
        random.Shuffle<uint>(items);
        Assert.Equal(ten, string.Join(' ', items));
        Assert.Equal(afterTen, random.NextUInt64());

        random = new GoRandom(seed);
        items = Numbers(100_000);
        random.Shuffle<uint>(items);
        byte[] bytes = new byte[4 * items.Length];
        for (int i = 0; i < items.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), items[i]);
        byte[] digest = new byte[32];
        Sha256.Hash(bytes, digest);
        Assert.Equal(many, Convert.ToHexStringLower(digest.AsSpan(0, 8)));
        Assert.Equal(afterMany, random.NextUInt64());
    }

    private static uint[] Numbers(int count)
    {
        uint[] numbers = new uint[count];
        for (uint i = 0; i < count; i++)
            numbers[i] = i;
        return numbers;
    }
}
