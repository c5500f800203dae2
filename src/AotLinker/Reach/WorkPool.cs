namespace AotLinker.Reach;

/// <summary>
/// A stack of symbol ids in blocks that are used again and again: growing copies nothing, and giving work away hands over blocks.
/// </summary>
internal sealed class WorkStack
{
    /// <summary>Ids in a block.</summary>
    public const int BlockSize = 1 << 10;

    private readonly List<int[]> _full = [];
    private readonly Stack<int[]> _spare = [];
    private int[] _top = new int[BlockSize];
    private int _depth;

    /// <summary>Whether nothing is on it.</summary>
    public bool IsEmpty => _depth == 0 && _full.Count == 0;

    /// <summary>Whether there is enough on it to give something away.</summary>
    public bool CanSplit => _full.Count != 0 || _depth > BlockSize / 16;

    /// <summary>Puts an id on top.</summary>
    public void Push(int id)
    {
        if (_depth == BlockSize)
        {
            _full.Add(_top);
            _top = NewBlock();
            _depth = 0;
        }
        _top[_depth++] = id;
    }

    /// <summary>Takes the id on top.</summary>
    public bool TryPop(out int id)
    {
        if (_depth == 0)
        {
            if (_full.Count == 0)
            {
                id = 0;
                return false;
            }
            _spare.Push(_top);
            _top = _full[^1];
            _full.RemoveAt(_full.Count - 1);
            _depth = BlockSize;
        }
        id = _top[--_depth];
        return true;
    }

    /// <summary>Takes off the oldest part: half of the full blocks, or half of the only one.</summary>
    public WorkBatch Split()
    {
        if (_full.Count != 0)
        {
            int count = (_full.Count + 1) / 2;
            WorkBatch batch = new([.. _full[..count]], BlockSize);
            _full.RemoveRange(0, count);
            return batch;
        }
        int half = _depth / 2;
        int[] block = NewBlock();
        _top.AsSpan(0, half).CopyTo(block);
        _top.AsSpan(half, _depth - half).CopyTo(_top);
        _depth -= half;
        return new WorkBatch([block], half);
    }

    /// <summary>Takes over what another stack gave away; this one is empty.</summary>
    public void Fill(WorkBatch batch)
    {
        _spare.Push(_top);
        _full.AddRange(batch.Blocks.AsSpan()[..^1]);
        _top = batch.Blocks[^1];
        _depth = batch.LastLength;
    }

    private int[] NewBlock() => _spare.TryPop(out int[]? block) ? block : new int[BlockSize];
}

/// <summary>Work on its way from one thread to another.</summary>
/// <param name="Blocks">Blocks of ids, full but for the last.</param>
/// <param name="LastLength">Number of ids in the last block.</param>
internal readonly record struct WorkBatch(int[][] Blocks, int LastLength);

/// <summary>Through this, threads with much to do feed those with nothing; it also tells when all are done.</summary>
/// <remarks>A thread that comes late finds the flood over, and no more to do than what is on its own stack.</remarks>
internal sealed class WorkPool
{
    private readonly Lock _gate = new();
    private readonly Stack<WorkBatch> _batches = [];
    private readonly SemaphoreSlim _available = new(0);
    private int _active;
    private int _idle;
    private bool _done;

    /// <summary>Whether a thread waits for work.</summary>
    public bool IsWanted => Volatile.Read(ref _idle) > 0;

    /// <summary>Counts a thread in.</summary>
    public void Enter()
    {
        lock (_gate)
        {
            _active++;
        }
    }

    /// <summary>Gives a part of a stack to whoever waits.</summary>
    public void Give(WorkStack stack)
    {
        lock (_gate)
        {
            if (_done || _batches.Count >= _idle)
            {
                return;
            }
            _batches.Push(stack.Split());
        }
        _available.Release();
    }

    /// <summary>Waits for work for an empty stack; false when there is none anywhere.</summary>
    public bool Take(WorkStack stack)
    {
        lock (_gate)
        {
            if (++_idle == _active && _batches.Count == 0)
            {
                Finish();
            }
        }
        while (true)
        {
            _available.Wait();
            lock (_gate)
            {
                if (_batches.TryPop(out WorkBatch batch))
                {
                    _idle--;
                    stack.Fill(batch);
                    return true;
                }
                if (_done)
                {
                    // The next one to look must find the door open as well.
                    _available.Release();
                    return false;
                }
            }
        }
    }

    /// <summary>Lets all threads go: one of them has failed.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            _batches.Clear();
            Finish();
        }
    }

    private void Finish()
    {
        _done = true;
        _available.Release();
    }
}
