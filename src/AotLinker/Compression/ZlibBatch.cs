namespace AotLinker.Compression;

/// <summary>
/// Compresses several sources at once, and each by several threads where there are more of these than sources; the bytes are
/// those of <see cref="ZlibWriter"/>, whatever the number of threads and their luck.
/// </summary>
/// <remarks>
/// <para>
/// A stream is written in order, but its matches can be looked for ahead. What the matcher finds in a block depends on its
/// table, which depends on all blocks before. But only on what of them is within 32 KiB, and the search starts afresh with every
/// block: a matcher that starts a few blocks early with an empty table soon has the same entries as one that came all the way. So a
/// thread without better work takes a chunk further on, warms up on the blocks before it, and keeps the tokens
/// (<see cref="ZlibChunk"/>). When the stream gets there, the table decides: if it equals the one the chunk began with,
/// entry for entry as far as they are in reach, the tokens are exact and only need to be written. If not, blocks are matched again until the
/// two agree.
/// </para>
/// <para>
/// Work ahead costs the warm-up, so there is none while every thread has a stream of its own. On DWARF, 1.27's level 1 agrees after
/// two to five blocks in four of five places, and after forty at the latest; the other encoders after three at most.
/// </para>
/// <para>What is read ahead is bounded: one chunk for each thread and one more, some 4 MB each.</para>
/// </remarks>
internal sealed class ZlibBatch
{
    /// <summary>Blocks in a chunk (1.5 MB): long against the warm-up, short against a section.</summary>
    internal const int BlocksPerChunk = 24;

    private readonly object _gate = new();
    private readonly ZlibBatchStream[] _bySize;
    private readonly int _maxAhead;
    private int _ahead;
    private int _unfinished;
    private bool _failed;

    private ZlibBatch(ZlibBatchStream[] streams, int threads)
    {
        _bySize = [.. streams];
        Array.Sort(_bySize, (x, y) => x.Length != y.Length ? y.Length.CompareTo(x.Length) : x.Index.CompareTo(y.Index));
        _maxAhead = threads + 1;
        _unfinished = streams.Length;
    }

    /// <summary>
    /// Compresses each source to a zlib stream of its own, in order of the sources. The caller disposes of the buffers.
    /// </summary>
    /// <param name="level">Any that works block by block, that is, not the default level of <see cref="DeflateFamily.Go123"/>.</param>
    /// <param name="fuseMultiplyAdd">See <see cref="ZlibWriter"/>.</param>
    public static NativeBuffer[] Compress(
        IReadOnlyList<IZlibSource> sources, DeflateFamily family, DeflateLevel level, Workers workers, bool fuseMultiplyAdd = false)
    {
        var streams = new ZlibBatchStream[sources.Count];
        try
        {
            for (int i = 0; i < streams.Length; i++)
                streams[i] = new ZlibBatchStream(i, sources[i], family, level, fuseMultiplyAdd);
            var batch = new ZlibBatch(streams, workers.Threads);
            workers.For(workers.Threads, _ => batch.Work());
            return Array.ConvertAll(streams, stream => stream.TakeOutput());
        }
        finally
        {
            foreach (ZlibBatchStream? stream in streams)
                stream?.Dispose();
        }
    }

    /// <summary>One thread's share: tasks until there are none left.</summary>
    private void Work()
    {
        ZlibBatchStream? own = null;
        try
        {
            while (Take(ref own, out ZlibChunk? ahead))
            {
                if (ahead is not null)
                {
                    ahead.Match();
                    Finish(ahead);
                }
                else
                {
                    own!.WriteNextChunk();
                    Finish(own);
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

    /// <summary>
    /// Takes a task, waiting for one if all are taken: to write on, alone, in <paramref name="own"/>, or to match
    /// <paramref name="ahead"/>. False if there will be none.
    /// </summary>
    private bool Take(ref ZlibBatchStream? own, out ZlibChunk? ahead)
    {
        ahead = null;
        lock (_gate)
        {
            while (_unfinished > 0 && !_failed)
            {
                // What this thread knows best, what only needs to be written, what nobody has begun, what was left.
                if ((own = CanContinue(own) ? own : Find(s => s.IsNextMatched) ?? Find(s => !s.HasBegun) ?? Find(_ => true)) is not null)
                {
                    own.IsBusy = true;
                    return true;
                }
                if (_ahead < _maxAhead && (ahead = FindAhead()) is not null)
                {
                    _ahead++;
                    return true;
                }
                Monitor.Wait(_gate);
            }
            return false;
        }
    }

    private static bool CanContinue(ZlibBatchStream? stream) => stream is { IsBusy: false, IsDone: false, IsNextBeingMatched: false };

    /// <summary>The largest stream that can be continued and meets <paramref name="condition"/>.</summary>
    private ZlibBatchStream? Find(Predicate<ZlibBatchStream> condition)
    {
        foreach (ZlibBatchStream stream in _bySize)
        {
            if (CanContinue(stream) && condition(stream))
                return stream;
        }
        return null;
    }

    /// <summary>The next chunk of the stream that has most left.</summary>
    private ZlibChunk? FindAhead()
    {
        ZlibBatchStream? best = null;
        foreach (ZlibBatchStream stream in _bySize)
        {
            if (stream.ChunksUntaken > (best?.ChunksUntaken ?? 0))
                best = stream;
        }
        return best?.TakeChunkAhead();
    }

    private void Finish(ZlibChunk ahead)
    {
        lock (_gate)
        {
            ahead.IsMatched = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Finish(ZlibBatchStream stream)
    {
        lock (_gate)
        {
            if (stream.Advance())
                _ahead--;
            if (stream.IsDone)
                _unfinished--;
            stream.IsBusy = false;
            Monitor.PulseAll(_gate);
        }
    }
}
