using AotLinker.Hashing;

namespace AotLinker.Compression;

/// <summary>
/// One stream of a <see cref="ZlibBatch"/>: written chunk by chunk in order, by one thread at a time. The scheduler's lock guards
/// the properties that tell how far it is.
/// </summary>
internal sealed unsafe class ZlibBatchStream : IDisposable
{
    private const int ChunkSize = ZlibBatch.BlocksPerChunk * DeflateTables.MaxStored;
    private const int StepSize = 2 * DeflateTables.MaxStored;

    private readonly IZlibSource _source;
    private readonly IZlibSink _sink;
    private readonly int _index;
    private readonly DeflateLevel _level;
    private readonly int _chunkCount;

    /// <summary>Chunks taken ahead, by number.</summary>
    private readonly ZlibChunk?[] _chunks;

    private uint _checksum = new Adler32().Value;

    /// <summary>The chunk to be written next.</summary>
    private int _next;

    /// <summary>The first chunk that is neither written nor taken.</summary>
    private int _untaken;

    public ZlibBatchStream(int index, IZlibSource source, IZlibSink sink, DeflateLevel level)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, uint.MaxValue - BlockMatcher.FirstPosition, nameof(source));
        _index = index;
        _source = source;
        _sink = sink;
        _level = level;
        // The empty source has one empty chunk.
        _chunkCount = (int)long.Max(1, (source.Length + ChunkSize - 1) / ChunkSize);
        _chunks = new ZlibChunk?[_chunkCount];
    }

    /// <summary>Bytes of the source.</summary>
    public long Length => _source.Length;

    /// <summary>Whether a thread is writing.</summary>
    public bool IsBusy { get; set; }

    /// <summary>What carries the stream from chunk to chunk; lent by the batch while it is under way.</summary>
    public Scratch? Carried { get; set; }

    /// <summary>Whether the stream was written to its end.</summary>
    public bool IsDone => _next == _chunkCount;

    /// <summary>Whether any thread has worked on it.</summary>
    public bool HasBegun => _next > 0 || _untaken > 0;

    /// <summary>Whether the next chunk was matched ahead.</summary>
    public bool IsNextMatched => !IsDone && _chunks[_next] is { IsMatched: true };

    /// <summary>Whether a thread is matching the next chunk ahead, so that the writer must wait for it.</summary>
    public bool IsNextBeingMatched => !IsDone && _chunks[_next] is { IsMatched: false };

    /// <summary>Chunks that can be taken ahead: all but the writer's.</summary>
    public int ChunksUntaken => IsBusy || IsNextBeingMatched || IsNextMatched ? _chunkCount - int.Max(_untaken, _next + 1) : 0;

    /// <summary>Takes a chunk ahead of the writer, to be matched in <paramref name="chunk"/>. Returns its number.</summary>
    public int TakeChunkAhead(ZlibChunk chunk)
    {
        int number = int.Max(_untaken, _next + 1);
        _untaken = number + 1;
        chunk.IsMatched = false;
        _chunks[number] = chunk;
        return number;
    }

    /// <summary>Matches a chunk ahead. Without the scheduler's lock.</summary>
    public void MatchAhead(int number) => _chunks[number]!.Match(_source, Start(number), (int)(Start(number + 1) - Start(number)));

    /// <summary>Marks a chunk as matched.</summary>
    public void EndAhead(int number) => _chunks[number]!.IsMatched = true;

    /// <summary>Writes the next chunk. Without the scheduler's lock.</summary>
    public void WriteNextChunk()
    {
        Scratch scratch = Carried!;
        bool last = _next == _chunkCount - 1;
        int length = (int)(Start(_next + 1) - Start(_next));
        uint checksum;
        BlockWriter writer = scratch.Writer;
        if (_next == 0)
        {
            scratch.Reset();
            ZlibWriter.AppendHeader(writer, _level);
        }
        if (_chunks[_next] is { } ahead)
        {
            ahead.Write(writer, scratch.Matcher, last);
            checksum = ahead.Checksum;
            if (!last)
                scratch.Continue(ahead.Data);
        }
        else
        {
            checksum = MatchAndWrite(scratch, length, last);
        }
        _checksum = Adler32.Combine(_checksum, checksum, length);

        if (last)
        {
            writer.WriteEnd();
            ZlibWriter.AppendTrailer(writer, _checksum);
            NativeBuffer rest = writer.TakeOutput();
            rest.TrimExcess();
            _sink.End(_index, rest);
        }
        else
        {
            _sink.Continue(_index, writer.Output);
        }
    }

    /// <summary>Goes on to the next chunk. Returns the one written, if it had been taken ahead.</summary>
    public ZlibChunk? Advance()
    {
        ZlibChunk? written = _chunks[_next];
        _chunks[_next++] = null;
        _untaken = int.Max(_untaken, _next);
        return written;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Carried?.Dispose();
        foreach (ZlibChunk? chunk in _chunks)
            chunk?.Dispose();
    }

    // A few blocks at a time, so that what was just read is still in the cache. Returns the chunk's checksum.
    private uint MatchAndWrite(Scratch scratch, int length, bool last)
    {
        var checksum = new Adler32();
        for (int done = 0, size; done < length; done += size)
        {
            size = int.Min(StepSize, length - done);
            long start = Start(_next) + done;
            byte* data = scratch.Data;
            if (scratch.Ready < size)
            {
                int room = (int)long.Min(Scratch.Room - scratch.Ready, Length - start - scratch.Ready);
                scratch.Ready += _source.ReadOn(start + scratch.Ready, new Span<byte>(data + scratch.Ready, room), size - scratch.Ready);
            }
            checksum.Update(new ReadOnlySpan<byte>(data, size));
            WriteBlocks(scratch, start, size, last && done + size == length);
            scratch.MoveOn(size);
        }
        return checksum.Value;
    }

    private void WriteBlocks(Scratch scratch, long offset, int length, bool last)
    {
        byte* data = scratch.Data;
        nuint start = (nuint)(BlockMatcher.FirstPosition + offset);
        byte* origin = data - (nint)start;
        for (int at = 0; at < length; at += DeflateTables.MaxStored)
        {
            int size = int.Min(DeflateTables.MaxStored, length - at);
            scratch.Tokens.Reset();
            if (size >= BlockWriter.MinMatchedLength)
                scratch.Matcher.Find(origin, start + (nuint)at, start + (nuint)(at + size), scratch.Tokens);
            scratch.Writer.WriteBlock(scratch.Tokens, data + at, size, last && at + size == length);
        }
    }

    private long Start(int chunk) => long.Min(Length, (long)chunk * ChunkSize);

    /// <summary>The state and the working memory of a stream under way.</summary>
    internal sealed class Scratch : IDisposable
    {
        /// <summary>Bytes that can be <see cref="Ready"/>.</summary>
        public const int Room = StepSize + (64 << 10);

        private readonly NativeBuffer _data = new();

        public Scratch(DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd)
        {
            Writer = BlockWriter.Create(family, fuseMultiplyAdd);
            Matcher = BlockMatcher.Create(family, level);
            Data = _data.Reserve(BlockMatcher.LeadIn + DeflateTables.WindowSize + Room) + BlockMatcher.LeadIn + DeflateTables.WindowSize;
        }

        /// <summary>The matcher, in the state of the stream before the next chunk.</summary>
        public BlockMatcher Matcher { get; }

        /// <summary>The writer with what was written so far.</summary>
        public BlockWriter Writer { get; }

        /// <summary>Tokens of the block at hand.</summary>
        public TokenBlock Tokens { get; } = new();

        /// <summary>What comes next, <see cref="Ready"/> bytes of it; the 32 KiB in front are the window.</summary>
        public byte* Data { get; }

        /// <summary>Bytes at <see cref="Data"/> that were read already: sources give more than they are asked for.</summary>
        public int Ready { get; set; }

        /// <summary>Begins another stream.</summary>
        public void Reset()
        {
            Matcher.Reset();
            Writer.Reset();
            Ready = 0;
        }

        /// <summary>Goes <paramref name="count"/> bytes on.</summary>
        public void MoveOn(int count)
        {
            long kept = DeflateTables.WindowSize + Ready - count;
            Buffer.MemoryCopy(Data + count - DeflateTables.WindowSize, Data - DeflateTables.WindowSize, kept, kept);
            Ready -= count;
        }

        /// <summary>Goes on behind bytes that were read elsewhere.</summary>
        public void Continue(ReadOnlySpan<byte> before)
        {
            before[^DeflateTables.WindowSize..].CopyTo(new Span<byte>(Data - DeflateTables.WindowSize, DeflateTables.WindowSize));
            Ready = 0;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _data.Dispose();
            Writer.Dispose();
            Matcher.Dispose();
            Tokens.Dispose();
        }
    }
}
