using AotLinker.Accounting;

namespace AotLinker;

/// <summary>
/// Parallel loops over index ranges. Work is taken in chunks from a shared counter; what a body writes must depend only on its
/// indices, so that the result is the same for any thread count and any order.
/// </summary>
/// <remarks>
/// <para>The threads are the link's own and live as long as it does: a link has many loops of a few hundred microseconds, and a
/// thread pool's hand-overs cost more than they take. A thread without work looks out for the next loop for a moment and then
/// sleeps. The caller never waits for a thread that has not begun, only for those that took part.</para>
/// <para>A loop within a loop, or beside another thread's, runs on its own thread alone.</para>
/// <para>A shuffle seed visits the chunks in a scrambled order, to catch a body that depends on the order.</para>
/// </remarks>
internal sealed class Workers
{
    private readonly int _shuffleSeed;

    // Held by the thread whose loop the others help with.
    private readonly Lock _leader = new();
    private readonly object _bed = new();
    private Loop? _current;
    private int _sleeping;
    private bool _started;

    /// <summary>Loops on up to <paramref name="threads"/> threads; a seed other than 0 scrambles the order of chunks.</summary>
    public Workers(int threads, int shuffleSeed = 0)
    {
        Threads = Math.Max(1, threads);
        _shuffleSeed = shuffleSeed;
    }

    /// <summary>Tells how many of the threads a loop shall have; null for all.</summary>
    public CpuShare? Share { get; init; }

    /// <summary>Told which thread worked when; null where nobody wants to know.</summary>
    public Timeline? Timeline { get; init; }

    /// <summary>Number of threads a loop may use, the calling one included.</summary>
    public int Threads { get; }

    /// <summary>Runs <paramref name="body"/> for every index in [0, count), one index at a time.</summary>
    public void For(int count, Action<int> body) =>
        ForChunks(count, 1, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                body(i);
            }
        });

    /// <summary>
    /// Runs <paramref name="body"/>(from, to, worker) over [0, count) cut into chunks of <paramref name="chunk"/>; worker is in
    /// [0, <see cref="Threads"/>) and no two concurrent calls share it. The first exception in chunk order is rethrown.
    /// </summary>
    public void ForChunks(int count, int chunk, Action<int, int, int> body)
    {
        if (count <= 0)
        {
            return;
        }
        int chunks = (int)(((long)count + chunk - 1) / chunk);
        Loop loop = new(count, chunk, chunks, _shuffleSeed == 0 ? null : Shuffled(chunks), body, Timeline);
        bool leads = Threads > 1 && chunks > 1 && !_leader.IsHeldByCurrentThread && _leader.TryEnter();
        if (!leads)
        {
            loop.Work(0);
        }
        else
        {
            try
            {
                loop.MostHelpers = (Share?.Threads() ?? Threads) - 1;
                if (loop.MostHelpers > 0)
                {
                    Start();
                    Volatile.Write(ref _current, loop);
                    Wake();
                }
                loop.Work(0);
                Volatile.Write(ref _current, null);
                loop.Finish();
            }
            finally
            {
                _leader.Exit();
            }
        }
        loop.Failure?.Throw();
    }

    /// <summary>
    /// Starts the threads, which the first loop would do otherwise. A thread that begins while its process maps files waits for that.
    /// </summary>
    public void Start()
    {
        if (_started)
        {
            return;
        }
        _started = true;
        for (int i = 1; i < Threads; i++)
        {
            int worker = i;
            new Thread(() => Help(worker)) { IsBackground = true, Name = "worker" }.UnsafeStart();
        }
    }

    private void Wake()
    {
        // Full fence: either a thread that is about to sleep sees the loop, or it is seen here.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _sleeping) > 0)
        {
            lock (_bed)
            {
                Monitor.PulseAll(_bed);
            }
        }
    }

    private void Help(int worker)
    {
        Loop? last = null;
        while (true)
        {
            Loop? loop = Next(last);
            loop.TryHelp(worker);
            last = loop;
        }
    }

    // The next loop to help with. The last one was left because nothing of it was left to take.
    private Loop Next(Loop? last)
    {
        const int Looks = 100;
        Loop? loop;
        for (int i = 0; i < Looks; i++)
        {
            if ((loop = Volatile.Read(ref _current)) is not null && loop != last)
            {
                return loop;
            }
            Thread.SpinWait(10);
        }
        lock (_bed)
        {
            Interlocked.Increment(ref _sleeping);
            while ((loop = Volatile.Read(ref _current)) is null || loop == last)
            {
                Monitor.Wait(_bed);
            }
            Interlocked.Decrement(ref _sleeping);
        }
        return loop;
    }

    private int[] Shuffled(int n)
    {
        int[] order = new int[n];
        for (int i = 0; i < n; i++)
        {
            order[i] = i;
        }
        new Random(_shuffleSeed).Shuffle(order);
        return order;
    }

    /// <summary>One loop, and who is at work on it.</summary>
    private sealed class Loop(int count, int chunk, int chunks, int[]? order, Action<int, int, int> body, Timeline? timeline)
    {
        // Threads at work beside the caller, and once that only waits for them, Closed.
        private const int Closed = 1 << 30;

        private readonly Lock _gate = new();
        private readonly ManualResetEventSlim _left = new(false, spinCount: 20);
        private int _helpers;
        private int _next = -1;
        private int _failedChunk = int.MaxValue;

        /// <summary>The number of threads that may be at work beside the caller.</summary>
        public int MostHelpers { get; set; }

        /// <summary>The exception of the first chunk that threw one.</summary>
        public System.Runtime.ExceptionServices.ExceptionDispatchInfo? Failure { get; private set; }

        /// <summary>Takes chunks until there are none, unless the caller is already done or has help enough.</summary>
        public void TryHelp(int worker)
        {
            int seen = Volatile.Read(ref _helpers);
            while (true)
            {
                if ((seen & Closed) != 0 || seen >= MostHelpers)
                {
                    return;
                }
                int before = Interlocked.CompareExchange(ref _helpers, seen + 1, seen);
                if (before == seen)
                {
                    break;
                }
                seen = before;
            }
            Work(worker);
            if (Interlocked.Decrement(ref _helpers) == Closed)
            {
                _left.Set();
            }
        }

        /// <summary>Lets nobody begin any more, and waits for those who have.</summary>
        public void Finish()
        {
            if (Interlocked.Or(ref _helpers, Closed) != 0)
            {
                _left.Wait();
            }
        }

        public void Work(int worker)
        {
            if (timeline is null)
            {
                TakeChunks(worker);
                return;
            }
            long start = Timeline.Now;
            TakeChunks(worker);
            timeline.AddWork(worker, start);
        }

        private void TakeChunks(int worker)
        {
            while (true)
            {
                int taken = Interlocked.Increment(ref _next);
                if (taken >= chunks)
                {
                    return;
                }
                int c = order is null ? taken : order[taken];
                int from = c * chunk;
                try
                {
                    body(from, Math.Min(count, from + chunk), worker);
                }
                catch (Exception e)
                {
                    lock (_gate)
                    {
                        if (c < _failedChunk)
                        {
                            _failedChunk = c;
                            Failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
                        }
                    }
                }
            }
        }
    }
}
