using AotLinker.Hashing;

namespace AotLinker.Compression;

/// <summary>
/// One stream of a <see cref="ZlibBatch"/>: read in order by one thread at a time, and written in order by one at a time. The properties
/// and what begins or ends a task are for the holder of the scheduler's lock; the tasks themselves run without it.
/// </summary>
internal sealed unsafe class ZlibBatchStream : IDisposable
{
    private const int ChunkSize = ZlibBatch.BlocksPerChunk * DeflateTables.MaxStored;

    /// <summary>Compressed bytes that are worth a call of the sink.</summary>
    private const int WorthTaking = 1 << 15;

    private readonly IZlibSource _source;
    private readonly IZlibSink _sink;
    private readonly int _index;
    private readonly DeflateLevel _level;

    /// <summary>Runs that were read and are not written yet.</summary>
    private readonly Queue<ZlibRun> _runs = new();

    /// <summary>Chunks taken ahead, by number.</summary>
    private readonly ZlibChunk?[] _chunks;

    /// <summary>The first chunk that was not taken ahead, nor passed by. The stream's first needs no guess.</summary>
    private int _untaken = 1;

    // How far the stream was read, and how far the reader may go. Chunks taken ahead are left out.
    private bool _isReading;
    private bool _readingBegan;
    private long _read;
    private long _readLimit;

    // How far it was written, with what was read of it last.
    private ZlibRun? _last;
    private long _written;
    private long _kept;
    private uint _checksum = new Adler32().Value;

    public ZlibBatchStream(int index, IZlibSource source, IZlibSink sink, DeflateLevel level)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, uint.MaxValue - BlockMatcher.FirstPosition, nameof(source));
        _index = index;
        _source = source;
        _sink = sink;
        _level = level;
        _chunks = new ZlibChunk?[(int)((source.Length + ChunkSize - 1) / ChunkSize)];
    }

    /// <summary>Bytes of the source.</summary>
    public long Length => _source.Length;

    /// <summary>What carries the stream from block to block; lent by the batch while it is under way.</summary>
    public Scratch? Carried { get; set; }

    /// <summary>Whether a thread is writing.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>Whether the stream was written to its end.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Runs that were read and wait for the writer.</summary>
    public int RunsReady => _runs.Count;

    /// <summary>Whether there is something to read that nobody reads.</summary>
    public bool CanRead => !_isReading && (!_readingBegan || _read < LimitOfReading());

    /// <summary>Whether what is to be written next was matched ahead.</summary>
    public bool IsNextMatched => NextChunk is { IsMatched: true };

    /// <summary>Compressed bytes that the sink had to keep when it last took some.</summary>
    public long Kept { get; private set; }

    /// <summary>Chunks that can be taken ahead.</summary>
    public int ChunksUntaken => int.Max(0, _chunks.Length - FirstToTake);

    // The chunk taken ahead that is to be written next; null if it is a run.
    private ZlibChunk? NextChunk => _written < Length && _written % ChunkSize == 0 ? _chunks[_written / ChunkSize] : null;

    // None that the reader may get into.
    private int FirstToTake => int.Max(_untaken, (int)((_read + ZlibRun.Room + ChunkSize - 1) / ChunkSize));

    /// <summary>Begins to read.</summary>
    public void BeginRead()
    {
        _isReading = true;
        _readingBegan = true;
        _readLimit = LimitOfReading();
    }

    /// <summary>The task: reads what comes next.</summary>
    public void Read(ZlibRun run) => run.Read(_source, _read, _readLimit);

    /// <summary>Ends reading; <paramref name="ready"/>: the run waits for the writer.</summary>
    public void EndRead(ZlibRun run, bool ready)
    {
        _isReading = false;
        _read += run.Length;
        if (ready)
            _runs.Enqueue(run);
    }

    /// <summary>Takes a chunk ahead of reader and writer, to be matched in <paramref name="chunk"/>. Returns its number.</summary>
    public int TakeChunkAhead(ZlibChunk chunk)
    {
        int number = FirstToTake;
        _untaken = number + 1;
        chunk.IsMatched = false;
        _chunks[number] = chunk;
        return number;
    }

    /// <summary>The task: matches a chunk ahead.</summary>
    public void MatchAhead(int number) => _chunks[number]!.Match(_source, Start(number), (int)(Start(number + 1) - Start(number)));

    /// <summary>Marks a chunk as matched.</summary>
    public void EndAhead(int number) => _chunks[number]!.IsMatched = true;

    /// <summary>Begins to write. Returns the run that is next; null if that must be read first, or was matched ahead.</summary>
    public ZlibRun? BeginWrite()
    {
        IsWriting = true;
        return NextChunk is null && _runs.TryDequeue(out ZlibRun? run) ? run : null;
    }

    /// <summary>Puts a run behind the one that was written last, and returns that: it is no longer needed.</summary>
    public ZlibRun? Follow(ZlibRun run)
    {
        Scratch scratch = Carried!;
        ZlibRun? before = _last;
        if (before is null)
        {
            scratch.Reset();
            ZlibWriter.AppendHeader(scratch.Writer, _level);
        }
        else
        {
            run.Follow(before);
        }
        _last = run;
        return before;
    }

    /// <summary>The task: writes the run that <see cref="Follow"/> put in its place.</summary>
    public void Write()
    {
        Scratch scratch = Carried!;
        ZlibRun run = _last!;
        _checksum = Adler32.Combine(_checksum, run.Checksum, run.Length);
        while (run.Left >= (run.IsLast ? 1 : DeflateTables.MaxStored))
        {
            int size = int.Min(DeflateTables.MaxStored, run.Left);
            nuint start = (nuint)(BlockMatcher.FirstPosition + _written);
            scratch.Tokens.Reset();
            if (size >= BlockWriter.MinMatchedLength)
                scratch.Matcher.Find(run.Next - (nint)start, start, start + (nuint)size, scratch.Tokens);
            _written += size;
            scratch.Writer.WriteBlock(scratch.Tokens, run.Next, size, _written == Length);
            run.MoveOn(size);
            if (_written != Length)
                Pass(scratch);
        }
        if (_written == Length)
            Pass(scratch);
    }

    /// <summary>The task: writes what was matched ahead. Returns the chunk, which is no longer needed.</summary>
    public ZlibChunk WriteChunk()
    {
        Scratch scratch = Carried!;
        int number = (int)(_written / ChunkSize);
        ZlibChunk chunk = _chunks[number]!;
        bool last = Start(number + 1) == Length;
        chunk.Write(scratch.Writer, scratch.Matcher, last);
        _checksum = Adler32.Combine(_checksum, chunk.Checksum, chunk.Data.Length);
        _written = Start(number + 1);
        if (!last)
            _last!.Skip(chunk.Data);
        Pass(scratch);
        return chunk;
    }

    /// <summary>Ends writing, of a chunk that was <paramref name="matchedAhead"/> or of a run.</summary>
    public void EndWrite(bool matchedAhead)
    {
        IsWriting = false;
        Kept = _kept;
        if (matchedAhead)
        {
            // The reader goes on behind it.
            _chunks[(_written - 1) / ChunkSize] = null;
            _read = _written;
        }
        IsDone = _written == Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Carried?.Dispose();
        _last?.Dispose();
        foreach (ZlibRun run in _runs)
            run.Dispose();
        foreach (ZlibChunk? chunk in _chunks)
            chunk?.Dispose();
    }

    /// <summary>Gives a run back that the stream no longer needs, once it is done.</summary>
    public ZlibRun? TakeLastRun()
    {
        ZlibRun? run = _last;
        _last = null;
        return run;
    }

    // Hands on what is compressed.
    private void Pass(Scratch scratch)
    {
        BlockWriter writer = scratch.Writer;
        bool last = _written == Length;
        if (last)
        {
            writer.WriteEnd();
            ZlibWriter.AppendTrailer(writer, _checksum);
        }
        if (last || writer.Output.Length >= WorthTaking)
            _kept = _sink.Take(_index, writer.Output, last);
    }

    private long LimitOfReading()
    {
        for (int number = (int)((_read + ChunkSize - 1) / ChunkSize); number < int.Min(_untaken, _chunks.Length); number++)
        {
            if (_chunks[number] is not null)
                return Start(number);
        }
        return Length;
    }

    private long Start(int chunk) => long.Min(Length, (long)chunk * ChunkSize);

    /// <summary>The state of a stream under way, and what a thread needs to write it.</summary>
    internal sealed class Scratch(DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd) : IDisposable
    {
        /// <summary>The matcher, in the state of the stream before the next block.</summary>
        public BlockMatcher Matcher { get; } = BlockMatcher.Create(family, level);

        /// <summary>The writer with what the sink has not taken.</summary>
        public BlockWriter Writer { get; } = BlockWriter.Create(family, fuseMultiplyAdd);

        /// <summary>Tokens of the block at hand.</summary>
        public TokenBlock Tokens { get; } = new();

        /// <summary>Begins another stream.</summary>
        public void Reset()
        {
            Matcher.Reset();
            Writer.Reset();
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            Writer.Dispose();
            Matcher.Dispose();
            Tokens.Dispose();
        }
    }
}
