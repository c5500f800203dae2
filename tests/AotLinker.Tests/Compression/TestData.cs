using System.Numerics;

namespace AotLinker.Tests.Compression;

/// <summary>Inputs that any language can make again: vectors.go does.</summary>
internal static class TestData
{
    /// <summary>The names <see cref="Generate"/> knows.</summary>
    public static readonly string[] Patterns = ["zeros", "random", "words", "skewed", "records", "far", "sparse", "runs", "mixed"];

    /// <summary>The first <paramref name="size"/> bytes of a pattern.</summary>
    public static byte[] Generate(string pattern, int size)
    {
        var random = new XorShift(0x9E3779B97F4A7C15);
        var output = new List<byte>(size + 70000);
        for (uint i = 0; output.Count < size; i++)
        {
            switch (pattern)
            {
                case "zeros":
                    output.Add(0);
                    break;
                case "random":
                    output.Add((byte)(random.Next() >> 32));
                    break;
                case "words":
                    AddWord(output, random);
                    break;
                case "skewed":
                    output.Add((byte)BitOperations.TrailingZeroCount(random.Next()));
                    break;
                case "records":
                    uint v = i * 16 + (uint)random.Below(4);
                    output.AddRange([(byte)v, (byte)(v >> 8), (byte)(v >> 16), (byte)(v >> 24), (byte)random.Below(5), 7, (byte)random.Below(300), 0, 0, (byte)(i % 3)]);
                    break;
                case "far":
                    int period = 32768 - 3 + random.Below(7);
                    AddRandom(output, random, period);
                    Repeat(output, period, 2 * period);
                    break;
                case "sparse":
                    AddRandom(output, random, 64);
                    Repeat(output, 1 + random.Below((ulong)Math.Min(output.Count, 40000)), 4 + random.Below(5));
                    break;
                case "runs":
                    AddRandom(output, random, 1);
                    Repeat(output, 1, 250 + random.Below(20));
                    break;
                case "mixed":
                    AddMixed(output, random);
                    break;
                default:
                    throw new ArgumentException(pattern);
            }
        }
        return output.GetRange(0, size).ToArray();
    }

    private static void AddMixed(List<byte> output, XorShift random)
    {
        int kind = random.Below(6);
        int n = (1 << random.Below(15)) + random.Below(50);
        switch (kind)
        {
            case 0:
                AddRandom(output, random, n);
                break;
            case 1:
                AddRandom(output, random, 1);
                Repeat(output, 1, n);
                break;
            case 2:
                for (int j = 0; j < n; j += 6)
                    AddWord(output, random);
                break;
            case 3:
                if (output.Count > 0)
                    Repeat(output, 1 + random.Below((ulong)Math.Min(output.Count, 40000)), n);
                break;
            case 4:
                for (int j = 0; j < n; j++)
                    output.Add((byte)BitOperations.TrailingZeroCount(random.Next()));
                break;
            case 5:
                for (int j = 0; j < n; j++)
                    output.Add((byte)((j * j) >> 4));
                break;
        }
    }

    private static void AddWord(List<byte> output, XorShift random)
    {
        int i = random.Below(97);
        for (int j = 0; j < 2 + i % 9; j++)
            output.Add((byte)('a' + (i * 7 + j * 3) % 26));
        output.Add((byte)' ');
    }

    private static void AddRandom(List<byte> output, XorShift random, int n)
    {
        for (; n > 0; n--)
            output.Add((byte)(random.Next() >> 32));
    }

    private static void Repeat(List<byte> output, int distance, int n)
    {
        for (; n > 0; n--)
            output.Add(output[^distance]);
    }

    /// <summary>Marsaglia's xorshift64.</summary>
    internal sealed class XorShift(ulong state)
    {
        private ulong _state = state;

        public ulong Next()
        {
            _state ^= _state << 13;
            _state ^= _state >> 7;
            _state ^= _state << 17;
            return _state;
        }

        public int Below(ulong bound) => (int)((Next() >> 16) % bound);
    }
}
