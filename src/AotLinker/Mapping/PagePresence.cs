using System.Diagnostics;

namespace AotLinker.Mapping;

/// <summary>
/// Makes the pages of mapped files present before they are read, where that is better than to leave it to faults. Safe for any number of
/// threads.
/// </summary>
/// <remarks>
/// A request (<see cref="MapAdvice.Present"/>) looks at each page by itself; a fault maps a page's neighbourhood as a whole, if anybody comes
/// by. Where a fault costs a microsecond or two, faults are the better of the two, and what nobody looks at stays away. Where a hypervisor
/// keeps page tables of its own a fault costs ten, and most of the time that inputs take would be faults. So the first pieces are made
/// present in one way and the other, and timed.
/// </remarks>
/// <param name="host">The host.</param>
internal sealed unsafe class PagePresence(HostSystem host)
{
    // A thread may be interrupted during one of them.
    private const int TrialsOfEach = 2;

    // The fastest trial so far, in nanoseconds for a gigabyte.
    private double _byRequest = double.MaxValue;
    private double _byFaults = double.MaxValue;
    private int _pieces;

    /// <summary>Whether faults have proved clearly better; most pages will be looked at, but not all.</summary>
    public bool LeavesToFaults => Volatile.Read(ref _byFaults) < 0.8 * Volatile.Read(ref _byRequest);

    /// <summary>Makes a piece present, or leaves it to faults.</summary>
    /// <param name="start">Its first byte, at the begin of a page.</param>
    /// <param name="length">Its length in bytes.</param>
    public void Make(byte* start, long length)
    {
        long neighbourhood = host.MappedAroundFault;
        bool isTrial = neighbourhood > host.PageSize && length > 0;
        int piece = Interlocked.Increment(ref _pieces) - 1;
        if (!isTrial || piece >= 2 * TrialsOfEach)
        {
            if (!LeavesToFaults)
                host.Advise(start, length, MapAdvice.Present);
            return;
        }

        long begin = Stopwatch.GetTimestamp();
        if (piece % 2 == 0)
            host.Advise(start, length, MapAdvice.Present);
        else
            Touch(start, start + length, neighbourhood);
        double took = Stopwatch.GetElapsedTime(begin).TotalNanoseconds * (1 << 30) / length;
        Lower(ref piece % 2 == 0 ? ref _byRequest : ref _byFaults, took);
    }

    private static void Touch(byte* start, byte* end, long neighbourhood)
    {
        for (byte* at = start; at < end; at = (byte*)(((nint)at + neighbourhood) & -(nint)neighbourhood))
            _ = Volatile.Read(ref *at);
    }

    private static void Lower(ref double least, double value)
    {
        for (double seen = Volatile.Read(ref least); value < seen;)
        {
            double before = Interlocked.CompareExchange(ref least, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
