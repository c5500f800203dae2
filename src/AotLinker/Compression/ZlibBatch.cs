namespace AotLinker.Compression;

/// <summary>
/// Compresses several sources at once, and each by several threads where there are more of these than sources; the bytes are
/// those of <see cref="ZlibWriter"/>, whatever the number of threads and their luck.
/// </summary>
/// <remarks>
/// <para>
/// A stream is written in order, by one thread at a time; another can make its data, which takes not much less. Streams are written one beside
/// the other, but what a sink has to keep until those before it have ended is bounded. To read for the first stream comes before all that:
/// its writer is then done soonest, and nobody who has used the bound up has nothing left to do but to wait for that writer.
/// </para>
/// <para>
/// With more than two threads, matches are looked for ahead, too. What the matcher finds in a block depends on its
/// table, which depends on all blocks before. But only on what of them is within 32 KiB, and the search starts afresh with every
/// block: a matcher that starts a few blocks early with an empty table soon has the same entries as one that came all the way. So a
/// thread without better work takes a chunk further on, warms up on the blocks before it, and keeps the tokens
/// (<see cref="ZlibChunk"/>). When the stream gets there, the table decides: if it equals the one the chunk began with,
/// entry for entry as far as they are in reach, the tokens are exact and only need to be written. If not, blocks are matched again until the
/// two agree.
/// </para>
/// <para>
/// Work ahead costs the warm-up, and each chunk some 2 MB: it is the last resort. On DWARF, 1.27's level 1 agrees after
/// two to five blocks in four of five places, and after forty at the latest; the other encoders after three at most.
/// </para>
/// </remarks>
internal sealed class ZlibBatch : IDisposable
{
    /// <summary>Blocks in a chunk (512 KB): long against the warm-up, short against a section, and little memory.</summary>
    internal const int BlocksPerChunk = 8;

    // Runs of a stream that wait for their writer: enough that neither waits for the other for long.
    private const int RunsAhead = 2;

    private readonly object _gate = new();
    private readonly DeflateFamily _family;
    private readonly DeflateLevel _level;
    private readonly bool _fuseMultiplyAdd;
    private readonly ZlibBatchStream[] _streams;
    private readonly Stack<ZlibBatchStream.Scratch> _freeScratch = new();
    private readonly Stack<ZlibRun> _freeRuns = new();
    private readonly Stack<ZlibChunk> _freeChunks = new();
    private readonly int _mostChunks;

    // Compressed bytes that the sink may have to keep: the more threads, the more streams under way.
    private readonly long _mostKept;
    private int _chunks;
    private int _first;
    private bool _failed;

    private ZlibBatch(ZlibBatchStream[] streams, DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd, int threads)
    {
        _family = family;
        _level = level;
        _fuseMultiplyAdd = fuseMultiplyAdd;
        _streams = streams;
        _mostChunks = threads > 2 ? threads : 0;
        _mostKept = long.Max(streams.Sum(s => s.Length) / 20, 640 << 10) * (threads - 1);
    }

    /// <summary>Compresses each source to a zlib stream of its own.</summary>
    /// <param name="level">Any that works block by block, that is, not the default level of <see cref="DeflateFamily.Go123"/>.</param>
    /// <param name="fuseMultiplyAdd">See <see cref="ZlibWriter"/>.</param>
    public static void Compress(
        IReadOnlyList<IZlibSource> sources, IZlibSink sink, DeflateFamily family, DeflateLevel level, Workers workers, bool fuseMultiplyAdd = false)
    {
        var streams = new ZlibBatchStream[sources.Count];
        ZlibBatch? batch = null;
        try
        {
            for (int i = 0; i < streams.Length; i++)
                streams[i] = new ZlibBatchStream(i, sources[i], sink, level);
            batch = new ZlibBatch(streams, family, level, fuseMultiplyAdd, workers.Threads);
            workers.For(workers.Threads, _ => batch.Work());
        }
        finally
        {
            foreach (ZlibBatchStream? stream in streams)
                stream?.Dispose();
            batch?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ZlibBatchStream.Scratch scratch in _freeScratch)
            scratch.Dispose();
        foreach (ZlibRun run in _freeRuns)
            run.Dispose();
        foreach (ZlibChunk chunk in _freeChunks)
            chunk.Dispose();
    }

    /// <summary>One thread's share: tasks until there are none left.</summary>
    private void Work()
    {
        Task task = default;
        try
        {
            while (Take(ref task))
            {
                switch (task.Kind)
                {
                    case TaskKind.Read:
                        task.Stream.Read(task.Run!);
                        EndRead(task, ready: true);
                        break;
                    case TaskKind.Write:
                        Write(task);
                        break;
                    case TaskKind.ReadAndWrite:
                        task.Stream.Read(task.Run!);
                        EndRead(task, ready: false);
                        Write(task);
                        break;
                    case TaskKind.WriteChunk:
                        EndWrite(task.Stream, task.Stream.WriteChunk());
                        break;
                    default:
                        task.Stream.MatchAhead(task.Chunk);
                        EndAhead(task);
                        break;
                }
            }
        }
        catch
        {
            lock (_gate)
            {
                _failed = true;
                Monitor.PulseAll(_gate);
            }
            throw;
        }
    }

    // The run before can be read into while this one is written.
    private void Write(in Task task)
    {
        if (task.Stream.Follow(task.Run!) is { } before)
        {
            lock (_gate)
                _freeRuns.Push(before);
        }
        task.Stream.Write();
        EndWrite(task.Stream, null);
    }

    /// <summary>
    /// Takes a task, waiting for one if all are taken. False if there will be none.
    /// </summary>
    /// <param name="task">What the thread did last; then what it is to do.</param>
    private bool Take(ref Task task)
    {
        lock (_gate)
        {
            while (true)
            {
                while (_first < _streams.Length && _streams[_first].IsDone)
                    _first++;
                if (_failed || _first == _streams.Length)
                    return false;
                if (TryReadForFirst(out Task next) || TryGoOn(task, out next) || TryAny(out next) || TryMatchAhead(out next))
                {
                    task = next;
                    return true;
                }
                Monitor.Wait(_gate);
            }
        }
    }

    // If nobody writes the stream, it wants a writer, who reads if need be.
    private bool TryReadForFirst(out Task task)
    {
        task = default;
        return _streams[_first].IsWriting && TryRead(_streams[_first], out task);
    }

    // What the thread has in its cache: a matcher's table, or tables of the source.
    private bool TryGoOn(in Task last, out Task task)
    {
        task = default;
        return last.Stream is not null && (last.Kind == TaskKind.Read ? TryRead(last.Stream, out task) : TryWrite(last.Stream, out task));
    }

    private bool TryAny(out Task task)
    {
        for (int i = _first; i < _streams.Length; i++)
        {
            if (TryWrite(_streams[i], out task))
                return true;
        }
        task = default;
        return false;
    }

    private bool TryWrite(ZlibBatchStream stream, out Task task)
    {
        task = default;
        if (stream.IsDone || stream.IsWriting || (stream != _streams[_first] && Kept >= _mostKept))
            return false;
        TaskKind kind = stream.IsNextMatched ? TaskKind.WriteChunk
            : stream.RunsReady > 0 ? TaskKind.Write
            : stream.CanRead ? TaskKind.ReadAndWrite
            : TaskKind.None;
        if (kind == TaskKind.None)
            return false;
        stream.Carried ??= _freeScratch.TryPop(out ZlibBatchStream.Scratch? free) ? free : new ZlibBatchStream.Scratch(_family, _level, _fuseMultiplyAdd);
        ZlibRun? run = stream.BeginWrite();
        if (kind == TaskKind.ReadAndWrite)
        {
            stream.BeginRead();
            run = NewRun();
        }
        task = new Task(kind, stream, run, 0);
        return true;
    }

    private bool TryRead(ZlibBatchStream stream, out Task task)
    {
        task = default;
        if (stream.IsDone || stream.RunsReady >= RunsAhead || !stream.CanRead)
            return false;
        stream.BeginRead();
        task = new Task(TaskKind.Read, stream, NewRun(), 0);
        return true;
    }

    // Of the stream that has most left.
    private bool TryMatchAhead(out Task task)
    {
        task = default;
        ZlibBatchStream? best = null;
        foreach (ZlibBatchStream stream in _streams.AsSpan(_first))
        {
            if (stream.ChunksUntaken > (best?.ChunksUntaken ?? 0))
                best = stream;
        }
        if (best is null || _chunks == _mostChunks)
            return false;
        _chunks++;
        int number = best.TakeChunkAhead(_freeChunks.TryPop(out ZlibChunk? chunk) ? chunk : new ZlibChunk(_family, _level));
        task = new Task(TaskKind.MatchAhead, best, null, number);
        return true;
    }

    // Compressed bytes that the sink keeps, of the streams behind the first that is not done.
    private long Kept
    {
        get
        {
            long kept = 0;
            foreach (ZlibBatchStream stream in _streams.AsSpan(_first + 1))
                kept += stream.Kept;
            return kept;
        }
    }

    private ZlibRun NewRun() => _freeRuns.TryPop(out ZlibRun? run) ? run : new ZlibRun();

    private void EndRead(in Task task, bool ready)
    {
        lock (_gate)
        {
            task.Stream.EndRead(task.Run!, ready);
            Monitor.PulseAll(_gate);
        }
    }

    private void EndAhead(in Task task)
    {
        lock (_gate)
        {
            task.Stream.EndAhead(task.Chunk);
            Monitor.PulseAll(_gate);
        }
    }

    private void EndWrite(ZlibBatchStream stream, ZlibChunk? chunk)
    {
        lock (_gate)
        {
            stream.EndWrite(chunk is not null);
            if (chunk is not null)
            {
                _freeChunks.Push(chunk);
                _chunks--;
            }
            if (stream.IsDone)
            {
                _freeScratch.Push(stream.Carried!);
                stream.Carried = null;
                _freeRuns.Push(stream.TakeLastRun()!);
            }
            Monitor.PulseAll(_gate);
        }
    }

    private enum TaskKind : byte
    {
        None,

        /// <summary>Read what comes next of a stream.</summary>
        Read,

        /// <summary>Write what was read.</summary>
        Write,

        /// <summary>Read, and write it.</summary>
        ReadAndWrite,

        /// <summary>Write what was matched ahead.</summary>
        WriteChunk,

        /// <summary>Match a chunk ahead.</summary>
        MatchAhead,
    }

    private readonly record struct Task(TaskKind Kind, ZlibBatchStream Stream, ZlibRun? Run, int Chunk);
}
