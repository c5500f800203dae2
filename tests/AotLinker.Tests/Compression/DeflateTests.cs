using System.IO.Compression;
using System.Security.Cryptography;
using AotLinker.Compression;
using AotLinker.Hashing;

namespace AotLinker.Tests.Compression;

public class DeflateTests
{
    /// <summary>Family and pattern of every vector.</summary>
    public static TheoryData<string, string> Vectors()
    {
        var data = new TheoryData<string, string>();
        foreach (string family in new[] { "go123", "go127" })
        {
            foreach (string pattern in TestData.Patterns)
                data.Add(family, pattern);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Same_bytes_as_Go(string family, string pattern)
    {
        using var fast = new ZlibWriter(Family(family), DeflateLevel.BestSpeed);
        using var standard = new ZlibWriter(Family(family), DeflateLevel.Default);
        int seen = 0;
        foreach (string line in DeflateVectors.Lines.Split('\n'))
        {
            string[] fields = line.Split(' ');
            if (fields[0] != family || fields[1] != pattern)
                continue;
            byte[] data = TestData.Generate(pattern, int.Parse(fields[2]));
            Assert.Equal((line, fields[3]), (line, Describe(Compress(fast, data))));
            Assert.Equal((line, fields[4]), (line, Describe(Compress(standard, data))));
            seen++;
        }
        Assert.InRange(seen, 23, 25);
    }

    [Theory]
    [InlineData("mixed", "go123", 1, 7000)]
    [InlineData("mixed", "go123", 6, 7000)]
    [InlineData("mixed", "go127", 1, 7000)]
    [InlineData("mixed", "go127", 6, 7000)]
    [InlineData("mixed", "go123", 1, 65536)]
    [InlineData("mixed", "go127", 1, 65536)]
    [InlineData("mixed", "go127", 6, 65536)]
    [InlineData("far", "go123", 6, 20)]
    [InlineData("far", "go123", 6, 90000)]
    public void It_does_not_matter_how_writes_are_cut(string pattern, string family, int level, int longest)
    {
        byte[] data = TestData.Generate(pattern, 900_000);
        using var writer = new ZlibWriter(Family(family), (DeflateLevel)level);
        byte[] whole = Compress(writer, data);

        var random = new TestData.XorShift(7);
        writer.Reset();
        for (int at = 0; at < data.Length;)
        {
            int n = Math.Min(random.Below((ulong)longest), data.Length - at);
            writer.Write(data.AsSpan(at, n));
            at += n;
        }
        writer.Finish();
        Assert.Equal(whole, writer.Output.Span.ToArray());
    }

    [Theory]
    [InlineData("go123", 1)]
    [InlineData("go123", 6)]
    [InlineData("go127", 1)]
    [InlineData("go127", 6)]
    public void Any_inflater_gets_the_data_back(string family, int level)
    {
        using var writer = new ZlibWriter(Family(family), (DeflateLevel)level);
        foreach (string pattern in TestData.Patterns)
        {
            byte[] data = TestData.Generate(pattern, 400_001);
            var restored = new MemoryStream();
            using (var inflater = new ZLibStream(new MemoryStream(Compress(writer, data)), CompressionMode.Decompress))
                inflater.CopyTo(restored);
            Assert.True(data.AsSpan().SequenceEqual(restored.ToArray()), pattern);
        }
    }

    [Fact]
    public void Zeros_written_by_count_are_zeros()
    {
        using var writer = new ZlibWriter(DeflateFamily.Go127, DeflateLevel.BestSpeed);
        byte[] expected = Compress(writer, new byte[123_457]);
        writer.Reset();
        writer.WriteZeros(123_457);
        writer.Finish();
        Assert.Equal(expected, writer.Output.Span.ToArray());
    }

    [Fact]
    public void A_finished_stream_takes_no_more()
    {
        using var writer = new ZlibWriter(DeflateFamily.Go127, DeflateLevel.BestSpeed);
        writer.Finish();
        Assert.Throws<InvalidOperationException>(() => writer.Write([1]));
        Assert.Throws<InvalidOperationException>(writer.Finish);
        writer.Reset();
        writer.Write([1]);
        writer.Finish();
        Assert.Equal(2 + 1 + 4 + 1 + 2 + 4, writer.Output.Length);
    }

    /// <summary>A stream can outgrow 32-bit positions; nobody compresses 4 GiB to test it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public unsafe void Rebased_positions_find_the_same_matches(int level)
    {
        byte[] data = TestData.Generate("mixed", 3 * 65535);
        using BlockMatcher plain = level == 1 ? new FastMatcher127() : new RepeatMatcher127();
        using BlockMatcher shifted = level == 1 ? new FastMatcher127() : new RepeatMatcher127();
        using var expected = new TokenBlock();
        using var actual = new TokenBlock();
        uint offset = 0;
        fixed (byte* first = data)
        {
            for (uint block = 0; block < 3; block++)
            {
                nuint start = BlockMatcher.FirstPosition + block * 65535;
                expected.Reset();
                plain.Find(first - BlockMatcher.FirstPosition, start, start + 65535, expected);
                actual.Reset();
                shifted.Find(first - BlockMatcher.FirstPosition + offset, start - offset, start - offset + 65535, actual);
                Assert.Equal(new Span<ulong>(expected.Sequences, expected.SequenceCount), new Span<ulong>(actual.Sequences, actual.SequenceCount));
                // Keep what 32 KiB reach back, forget the rest.
                uint delta = block == 0 ? 32000u : 65535u;
                shifted.Rebase(delta);
                offset += delta;
            }
        }
        Assert.True(expected.SequenceCount > 1000);
    }

    private static DeflateFamily Family(string name) => name == "go127" ? DeflateFamily.Go127 : DeflateFamily.Go123;

    private static byte[] Compress(ZlibWriter writer, byte[] data)
    {
        writer.Reset();
        writer.Write(data);
        writer.Finish();
        return writer.Output.Span.ToArray();
    }

    private static string Describe(byte[] output)
    {
        byte[] digest = new byte[Sha256.DigestSize];
        Sha256.Hash(output, digest);
        Assert.Equal(SHA256.HashData(output), digest);
        return $"{output.Length}:{Convert.ToHexStringLower(digest.AsSpan(0, 8))}";
    }
}
