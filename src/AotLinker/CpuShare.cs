using System.Diagnostics;
using AotLinker.Mapping;

namespace AotLinker;

/// <summary>
/// How many threads to work with: all, unless other programs keep so many processors busy that some of them would only wait.
/// </summary>
/// <remarks>
/// Where several links run side by side, as <c>go test ./...</c> has them, each does best with the threads that it gets processors for:
/// more of them wait for one another, and fill one another's caches. A thread's share is the time that it ran, of the time that it could have
/// run; it is looked at from time to time, and threads come back when there is room for them. That another program runs for a moment is no
/// reason to do without a thread for a whole loop: they leave when they are found waiting twice, one look after the other.
/// </remarks>
internal sealed class CpuShare
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    private readonly int _threads;
    private readonly ScheduleReader _read;
    private long _looked;
    private TimeSpan _running;
    private TimeSpan _waiting;
    private int _allowed;
    private bool _waited;

    /// <param name="threads">All threads.</param>
    /// <param name="read">Tells of the calling thread; another than the host's only in tests.</param>
    public CpuShare(int threads, ScheduleReader read)
    {
        _threads = threads;
        _allowed = threads;
        _read = read;
    }

    /// <summary>Tells how long a thread has run so far, and how long it waited for a processor; false where nobody knows.</summary>
    public delegate bool ScheduleReader(out TimeSpan running, out TimeSpan waiting);

    /// <summary>As many threads as there are, with the host's word for what they get.</summary>
    public static CpuShare OfHost(int threads) => new(threads, HostSystem.Current.TryReadSchedule);

    /// <summary>The number of threads, at least one. To be asked by one thread at a time.</summary>
    public int Threads()
    {
        if (_threads == 1 || Stopwatch.GetElapsedTime(_looked) < Period)
            return _allowed;
        _looked = Stopwatch.GetTimestamp();
        if (!_read(out TimeSpan running, out TimeSpan waiting))
            return _allowed;
        double ran = (running - _running).TotalSeconds, waited = (waiting - _waiting).TotalSeconds;

        // A thread that mostly slept tells little.
        if (ran + waited < Period.TotalSeconds / 2)
            return _allowed;
        (_running, _waiting) = (running, waiting);
        int next = Next(_allowed, ran / (ran + waited));
        bool isFirstWait = next < _allowed && !_waited;
        _waited = next < _allowed;
        if (!isFirstWait)
            _allowed = next;
        return _allowed;
    }

    // As many as there would be processors for, the last for a fifth of its time at least; with nearly all of the time, half as many more.
    private int Next(int threads, double share)
    {
        const double All = 0.9;
        const double Little = 0.2;
        return share > All
            ? Math.Min(_threads, threads + Math.Max(1, threads / 2))
            : Math.Clamp((int)Math.Ceiling((threads * share) - Little), 1, threads);
    }
}
