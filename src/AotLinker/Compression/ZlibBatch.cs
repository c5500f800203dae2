using System.Diagnostics.CodeAnalysis;

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
/// <para>What is read ahead is bounded: one chunk for each thread, some 2 MB each. Streams are begun in order, so that a sink that wants
/// one after the other has few to keep.</para>
/// </remarks>
internal sealed class ZlibBatch : IDisposable
{
    /// <summary>Blocks in a chunk (512 KB): long against the warm-up, short against a section, and little memory.</summary>
    internal const int BlocksPerChunk = 8;

    private readonly object _gate = new();
    private readonly DeflateFamily _family;
    private readonly DeflateLevel _level;
    private readonly bool _fuseMultiplyAdd;
    private readonly ZlibBatchStream[] _streams;
    private readonly Stack<ZlibBatchStream.Scratch> _freeScratch = new();
    private readonly Stack<ZlibChunk> _freeChunks = new();
    private readonly int _maxAhead;
    private int _ahead;
    private int _unfinished;
    private bool _failed;

    private ZlibBatch(ZlibBatchStream[] streams, DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd, int threads)
    {
        _family = family;
        _level = level;
        _fuseMultiplyAdd = fuseMultiplyAdd;
        _streams = streams;
        _maxAhead = threads;
        _unfinished = streams.Length;
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
        foreach (ZlibChunk chunk in _freeChunks)
            chunk.Dispose();
    }

    /// <summary>One thread's share: tasks until there are none left.</summary>
    private void Work()
    {
        ZlibBatchStream? own = null;
        try
        {
            while (Take(ref own, out int ahead))
            {
                if (ahead == 0)
                {
                    own.WriteNextChunk();
                    FinishChunk(own);
                }
                else
                {
                    own.MatchAhead(ahead);
                    FinishAhead(own, ahead);
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
    /// Takes a task on a stream, waiting for one if all are taken: to write on, or, with <paramref name="ahead"/> above 0, to match
    /// that chunk. False if there will be none.
    /// </summary>
    private bool Take([NotNullWhen(true)] ref ZlibBatchStream? own, out int ahead)
    {
        ahead = 0;
        lock (_gate)
        {
            while (_unfinished > 0 && !_failed)
            {
                // What this thread knows best, what only needs to be written, what nobody has begun, what was left.
                ZlibBatchStream? next = CanContinue(own) ? own : Find(s => s.IsNextMatched) ?? Find(s => !s.HasBegun) ?? Find(_ => true);
                if (next is not null)
                {
                    next.IsBusy = true;
                    next.Carried ??= _freeScratch.TryPop(out ZlibBatchStream.Scratch? free) ? free : new ZlibBatchStream.Scratch(_family, _level, _fuseMultiplyAdd);
                    own = next;
                    return true;
                }
                if (_ahead < _maxAhead && FindWithMostLeft() is { } stream)
                {
                    _ahead++;
                    ahead = stream.TakeChunkAhead(_freeChunks.TryPop(out ZlibChunk? chunk) ? chunk : new ZlibChunk(_family, _level));
                    own = stream;
                    return true;
                }
                Monitor.Wait(_gate);
            }
            return false;
        }
    }

    private static bool CanContinue(ZlibBatchStream? stream) => stream is { IsBusy: false, IsDone: false, IsNextBeingMatched: false };

    /// <summary>The first stream that can be continued and meets <paramref name="condition"/>.</summary>
    private ZlibBatchStream? Find(Predicate<ZlibBatchStream> condition)
    {
        foreach (ZlibBatchStream stream in _streams)
        {
            if (CanContinue(stream) && condition(stream))
                return stream;
        }
        return null;
    }

    /// <summary>The stream with most chunks that can be matched ahead.</summary>
    private ZlibBatchStream? FindWithMostLeft()
    {
        ZlibBatchStream? best = null;
        foreach (ZlibBatchStream stream in _streams)
        {
            if (stream.ChunksUntaken > (best?.ChunksUntaken ?? 0))
                best = stream;
        }
        return best;
    }

    private void FinishAhead(ZlibBatchStream stream, int number)
    {
        lock (_gate)
        {
            stream.EndAhead(number);
            Monitor.PulseAll(_gate);
        }
    }

    private void FinishChunk(ZlibBatchStream stream)
    {
        lock (_gate)
        {
            if (stream.Advance() is { } chunk)
            {
                _freeChunks.Push(chunk);
                _ahead--;
            }
            if (stream.IsDone)
            {
                _unfinished--;
                _freeScratch.Push(stream.Carried!);
                stream.Carried = null;
            }
            stream.IsBusy = false;
            Monitor.PulseAll(_gate);
        }
    }
}
