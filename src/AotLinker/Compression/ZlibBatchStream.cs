using AotLinker.Hashing;

namespace AotLinker.Compression;

/// <summary>
/// One stream of a <see cref="ZlibBatch"/>: written chunk by chunk in order, by one thread at a time. The scheduler's lock guards
/// the properties that tell how far it is.
/// </summary>
internal sealed unsafe class ZlibBatchStream : IDisposable
{
    private const int ChunkSize = ZlibBatch.BlocksPerChunk * DeflateTables.MaxStored;
    private const int Window = DeflateTables.WindowSize;
    private const int Before = BlockMatcher.LeadIn + Window;

    private readonly IZlibSource _source;
    private readonly DeflateFamily _family;
    private readonly DeflateLevel _level;
    private readonly BlockWriter _writer;
    private readonly int _chunkCount;

    /// <summary>Chunks taken ahead, by number.</summary>
    private readonly ZlibChunk?[] _chunks;

    private BlockMatcher? _matcher;
    private TokenBlock? _tokens;

    /// <summary>A little slack, the 32 KiB before the next chunk, then that chunk, if it was not matched ahead.</summary>
    private NativeBuffer? _data;

    private uint _checksum = new Adler32().Value;

    /// <summary>The chunk to be written next.</summary>
    private int _next;

    /// <summary>The first chunk that is neither written nor taken.</summary>
    private int _untaken;

    public ZlibBatchStream(int index, IZlibSource source, DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, uint.MaxValue - BlockMatcher.FirstPosition, nameof(source));
        Index = index;
        _source = source;
        _family = family;
        _level = level;
        // The empty source has one empty chunk.
        _chunkCount = (int)long.Max(1, (source.Length + ChunkSize - 1) / ChunkSize);
        _chunks = new ZlibChunk?[_chunkCount];
        _writer = BlockWriter.Create(family, fuseMultiplyAdd);
    }

    /// <summary>Place of the source in the batch.</summary>
    public int Index { get; }

    /// <summary>Bytes of the source.</summary>
    public long Length => _source.Length;

    /// <summary>Whether a thread is writing.</summary>
    public bool IsBusy { get; set; }

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

    /// <summary>Takes a chunk ahead of the writer.</summary>
    public ZlibChunk TakeChunkAhead()
    {
        int number = int.Max(_untaken, _next + 1);
        _untaken = number + 1;
        return _chunks[number] = new ZlibChunk(_source, _family, _level, Start(number), (int)(Start(number + 1) - Start(number)));
    }

    /// <summary>Writes the next chunk. Without the scheduler's lock.</summary>
    public void WriteNextChunk()
    {
        bool last = _next == _chunkCount - 1;
        if (_next == 0)
        {
            _matcher = BlockMatcher.TryCreate(_family, _level) ?? throw new ArgumentException($"{_family} at level {_level} does not work block by block");
            _tokens = new TokenBlock();
            _data = new NativeBuffer();
            nuint size = Before + (nuint)long.Min(Length, ChunkSize);
            _data.CommitTo(_data.Reserve(size) + size);
            ZlibWriter.AppendHeader(_writer, _level);
        }

        int length = (int)(Start(_next + 1) - Start(_next));
        if (_chunks[_next] is { } ahead)
        {
            ahead.Write(_writer, _matcher!, _tokens!, last);
            _checksum = Adler32.Combine(_checksum, ahead.Checksum, length);
            if (!last)
                Keep(ahead.Data);
        }
        else
        {
            MatchAndWrite(length, last);
        }

        if (last)
        {
            _writer.WriteEnd();
            ZlibWriter.AppendTrailer(_writer, _checksum);
            ReleaseScratch();
        }
    }

    /// <summary>Goes on to the next chunk. Returns whether the one written had been taken ahead.</summary>
    public bool Advance()
    {
        ZlibChunk? written = _chunks[_next];
        _chunks[_next++] = null;
        _untaken = int.Max(_untaken, _next);
        written?.Dispose();
        return written is not null;
    }

    /// <summary>Hands the finished stream over.</summary>
    public NativeBuffer TakeOutput()
    {
        NativeBuffer output = _writer.TakeOutput();
        output.TrimExcess();
        return output;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseScratch();
        _writer.Dispose();
        foreach (ZlibChunk? chunk in _chunks)
            chunk?.Dispose();
    }

    private void MatchAndWrite(int length, bool last)
    {
        byte* data = _data!.Data + Before;
        _source.Read(Start(_next), new Span<byte>(data, length));
        _checksum = Adler32.Combine(_checksum, Adler32.Compute(new ReadOnlySpan<byte>(data, length)), length);
        nuint start = (nuint)(BlockMatcher.FirstPosition + Start(_next));
        byte* origin = data - (nint)start;
        for (int at = 0; at < length; at += DeflateTables.MaxStored)
        {
            int size = int.Min(DeflateTables.MaxStored, length - at);
            _tokens!.Reset();
            if (size >= BlockWriter.MinMatchedLength)
                _matcher!.Find(origin, start + (nuint)at, start + (nuint)(at + size), _tokens);
            _writer.WriteBlock(_tokens, data + at, size, last && at + size == length);
        }
        if (!last)
            Keep(new ReadOnlySpan<byte>(data, length));
    }

    /// <summary>Keeps the end of a chunk for the next one.</summary>
    private void Keep(ReadOnlySpan<byte> chunk) => chunk[^Window..].CopyTo(new Span<byte>(_data!.Data + BlockMatcher.LeadIn, Window));

    private long Start(int chunk) => long.Min(Length, (long)chunk * ChunkSize);

    private void ReleaseScratch()
    {
        _matcher?.Dispose();
        _tokens?.Dispose();
        _data?.Dispose();
        _matcher = null;
        _tokens = null;
        _data = null;
    }
}
