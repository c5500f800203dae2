using AotLinker.Accounting;

namespace AotLinker;

/// <summary>
/// Parallel loops over index ranges. Work is taken in chunks from a shared counter; what a body writes must depend only on its
/// indices, so that the result is the same for any thread count and any order.
/// </summary>
/// <remarks>A shuffle seed visits the chunks in a scrambled order, to catch a body that depends on the order.</remarks>
internal sealed class Workers
{
    private readonly int _shuffleSeed;

    /// <summary>Loops on up to <paramref name="threads"/> threads; a seed other than 0 scrambles the order of chunks.</summary>
    public Workers(int threads, int shuffleSeed = 0)
    {
        Threads = Math.Max(1, threads);
        _shuffleSeed = shuffleSeed;
        // The pool would start threads beyond the number of processors only one by one, every half second.
        ThreadPool.GetMinThreads(out int workers, out int completionPorts);
        if (workers < Threads)
        {
            ThreadPool.SetMinThreads(Threads, completionPorts);
        }
    }

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
        int[]? order = _shuffleSeed == 0 ? null : Shuffled(chunks);
        int next = -1;
        int failedChunk = int.MaxValue;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        Lock gate = new();

        void Work(int worker)
        {
            if (Timeline is null)
            {
                TakeChunks(worker);
                return;
            }
            long start = Timeline.Now;
            TakeChunks(worker);
            Timeline.AddWork(worker, start);
        }

        void TakeChunks(int worker)
        {
            while (true)
            {
                int taken = Interlocked.Increment(ref next);
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
                    lock (gate)
                    {
                        if (c < failedChunk)
                        {
                            failedChunk = c;
                            failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
                        }
                    }
                }
            }
        }

        int helpers = Math.Min(Threads, chunks) - 1;
        if (helpers == 0)
        {
            Work(0);
        }
        else
        {
            Task[] tasks = new Task[helpers];
            for (int i = 0; i < helpers; i++)
            {
                int worker = i + 1;
                tasks[i] = Task.Factory.StartNew(() => Work(worker), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
            }
            Work(0);
            Task.WaitAll(tasks);
        }
        failure?.Throw();
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
}
