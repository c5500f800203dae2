using AotLinker.Compression;

namespace AotLinker.Tests.Compression;

public class ZlibBatchTests
{
    private const int ChunkSize = ZlibBatch.BlocksPerChunk * 65535;

    [Theory]
    [InlineData("go123", 1, 1)]
    [InlineData("go123", 1, 4)]
    [InlineData("go127", 1, 1)]
    [InlineData("go127", 1, 2)]
    [InlineData("go127", 1, 7)]
    [InlineData("go127", 6, 4)]
    public void Same_bytes_as_one_thread(string family, int level, int threads)
    {
        DeflateFamily deflate = family == "go127" ? DeflateFamily.Go127 : DeflateFamily.Go123;
        byte[] records = TestData.Generate("records", 3 * ChunkSize + 12345);
        byte[] mixed = TestData.Generate("mixed", 2 * ChunkSize);
        IZlibSource[] sources =
        [
            new Source([]),
            new Source(TestData.Generate("words", 31)),
            new Source(mixed),
            new Source(TestData.Generate("words", 200_000)),
            new Source(records),
            new Source(mixed.AsMemory(0, ChunkSize + 1).ToArray()),
            new Source(TestData.Generate("far", ChunkSize + 20)),
        ];
        var kept = new Sink(sources.Length, keeps: true);
        ZlibBatch.Compress(sources, kept, deflate, (DeflateLevel)level, new Workers(threads));
        var taken = new Sink(sources.Length, keeps: false);
        ZlibBatch.Compress(sources, taken, deflate, (DeflateLevel)level, new Workers(threads));
        using var writer = new ZlibWriter(deflate, (DeflateLevel)level);
        for (int i = 0; i < sources.Length; i++)
        {
            writer.Reset();
            writer.Write(((Source)sources[i]).Data);
            writer.Finish();
            Assert.True(writer.Output.Span.SequenceEqual(kept[i]), $"source {i}");
            Assert.True(writer.Output.Span.SequenceEqual(taken[i]), $"source {i}, by a sink that keeps nothing");
        }
    }

    /// <summary>
    /// Data on which the guess is wrong at first: what the matcher knows at a chunk's start depends on what came long before it.
    /// </summary>
    [Theory]
    [InlineData("zeros")]
    [InlineData("random")]
    [InlineData("runs")]
    [InlineData("skewed")]
    public void A_wrong_guess_is_put_right(string pattern)
    {
        byte[] data = TestData.Generate(pattern, 3 * ChunkSize - 77);
        using var writer = new ZlibWriter(DeflateFamily.Go127, DeflateLevel.BestSpeed);
        writer.Write(data);
        writer.Finish();
        var sink = new Sink(1, keeps: true);
        ZlibBatch.Compress([new Source(data)], sink, DeflateFamily.Go127, DeflateLevel.BestSpeed, new Workers(4));
        Assert.True(writer.Output.Span.SequenceEqual(sink[0]));
    }

    /// <summary>A chunk matched ahead is written the same whether its guess holds, holds later, or never.</summary>
    /// <param name="blocksBefore">Start of the chunk; if the warm-up reaches back to 0, the guess must hold.</param>
    /// <param name="again">Blocks of twelve that have to be matched again.</param>
    [Theory]
    [InlineData("mixed", 1, 4, 0)]
    [InlineData("mixed", 6, 2, 0)]
    [InlineData("mixed", 6, 9, 0)]
    [InlineData("mixed", 1, 9, 1)]
    [InlineData("skewed", 6, 9, 1)]
    [InlineData("words", 1, 9, 12)]
    [InlineData("records", 1, 9, 12)]
    public unsafe void Chunk_matched_ahead(string pattern, int level, int blocksBefore, int again)
    {
        byte[] data = TestData.Generate(pattern, (blocksBefore + 12) * 65535);
        int start = blocksBefore * 65535;
        using ZlibWriter expected = new(DeflateFamily.Go127, (DeflateLevel)level);
        expected.Write(data);
        expected.Finish();

        using BlockWriter writer = BlockWriter.Create(DeflateFamily.Go127, false);
        using BlockMatcher matcher = BlockMatcher.TryCreate(DeflateFamily.Go127, (DeflateLevel)level)!;
        using var tokens = new TokenBlock();
        using var chunk = new ZlibChunk(DeflateFamily.Go127, (DeflateLevel)level);
        // The chunk's memory is used again.
        chunk.Match(new Source(data), 65535, 2 * 65535);
        chunk.Match(new Source(data), start, data.Length - start);
        fixed (byte* first = data)
        {
            for (int at = 0; at < start; at += 65535)
            {
                nuint position = BlockMatcher.FirstPosition + (nuint)at;
                tokens.Reset();
                matcher.Find(first - BlockMatcher.FirstPosition, position, position + 65535, tokens);
                writer.WriteBlock(tokens, first + at, 65535, last: false);
            }
        }
        chunk.Write(writer, matcher, last: true);
        Assert.Equal(again, chunk.BlocksMatchedAgain);
        writer.WriteEnd();
        ReadOnlySpan<byte> deflate = expected.Output.Span[2..^4];
        Assert.True(deflate.SequenceEqual(writer.Output.Span));
    }

    [Fact]
    public void A_source_that_fails_ends_the_batch()
    {
        var failing = new Source(TestData.Generate("words", 2 * ChunkSize)) { FailsAt = ChunkSize };
        Assert.Throws<InvalidDataException>(() =>
            ZlibBatch.Compress(
                [failing, new Source(new byte[5 * ChunkSize])], new Sink(2, keeps: false), DeflateFamily.Go127, DeflateLevel.BestSpeed, new Workers(3)));
    }

    [Fact]
    public void The_lazy_encoder_cannot_be_batched() =>
        Assert.Throws<ArgumentException>(() =>
            ZlibBatch.Compress([new Source([1])], new Sink(1, keeps: true), DeflateFamily.Go123, DeflateLevel.Default, new Workers(1)));

    /// <summary>A source may give more than it is asked for, as much as there is room for; a chunk matched ahead comes in between.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(1, 40_000)]
    [InlineData(1, 1 << 30)]
    [InlineData(3, 50_000)]
    public void A_source_may_give_more(int threads, int more)
    {
        byte[] data = TestData.Generate("records", 3 * ChunkSize + 70_000);
        using var writer = new ZlibWriter(DeflateFamily.Go127, DeflateLevel.BestSpeed);
        writer.Write(data);
        writer.Finish();
        var sink = new Sink(1, keeps: false);
        ZlibBatch.Compress([new Source(data) { More = more }], sink, DeflateFamily.Go127, DeflateLevel.BestSpeed, new Workers(threads));
        Assert.True(writer.Output.Span.SequenceEqual(sink[0]));
    }

    /// <summary>While the first stream is slow, others go on, but only as far as what a sink keeps of them is little.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void What_waits_is_bounded(int threads)
    {
        const int Size = 5 << 20;
        int mostKept = (threads - 1) << 20;
        IZlibSource[] sources =
        [
            new Source(TestData.Generate("words", Size)) { Delay = 3 },
            .. Enumerable.Range(0, 2).Select(_ => new Source(TestData.Generate("random", Size))),
        ];
        var sink = new Sink(sources.Length, keeps: true);
        ZlibBatch.Compress(sources, sink, DeflateFamily.Go127, DeflateLevel.BestSpeed, new Workers(threads));
        // Each thread may be at a chunk when the bound is reached. Where a machine is busy, the others may come when the first stream is done.
        Assert.True(sink.Most <= mostKept + (threads * ChunkSize * 5 / 4), $"{sink.Most} bytes waited");
        Assert.All(Enumerable.Range(0, sources.Length), i => Assert.NotEmpty(sink[i]));
    }

    /// <summary>Collects the streams; one that keeps them says so until those before have ended.</summary>
    private sealed class Sink(int count, bool keeps) : IZlibSink
    {
        private readonly List<byte>[] _streams = [.. Enumerable.Range(0, count).Select(_ => new List<byte>())];
        private readonly bool[] _ended = new bool[count];

        public byte[] this[int stream] => [.. _streams[stream]];

        /// <summary>The most that was kept of all streams behind the first that had not ended.</summary>
        public long Most { get; private set; }

        public long Take(int stream, NativeBuffer buffer, bool last)
        {
            lock (_streams)
            {
                Assert.False(_ended[stream]);
                _streams[stream].AddRange(buffer.Span);
                buffer.Clear();
                _ended[stream] = last;
                int first = Array.IndexOf(_ended, false);
                Most = long.Max(Most, first < 0 ? 0 : _streams.Skip(first + 1).Sum(s => (long)s.Count));
                return keeps && stream > first && first >= 0 ? _streams[stream].Count : 0;
            }
        }
    }

    private sealed class Source(byte[] data) : IZlibSource
    {
        public byte[] Data => data;

        public long FailsAt { get; init; } = long.MaxValue;

        public int More { get; init; }

        /// <summary>Milliseconds that a reading takes.</summary>
        public int Delay { get; init; }

        public long Length => data.Length;

        public void Read(long offset, Span<byte> destination)
        {
            if (offset + destination.Length > FailsAt)
                throw new InvalidDataException("damaged");
            if (Delay > 0)
                Thread.Sleep(Delay);
            data.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }

        public int ReadOn(long offset, Span<byte> destination, int least)
        {
            Assert.True(least > 0 && offset + destination.Length <= data.Length);
            int count = (int)long.Min((long)least + More, destination.Length);
            Read(offset, destination[..count]);
            return count;
        }
    }
}
