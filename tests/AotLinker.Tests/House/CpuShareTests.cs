using AotLinker.Mapping;
using AotLinker.Tests.Mapping;

namespace AotLinker.Tests.House;

public sealed class CpuShareTests
{
    // Longer than what passes between two looks.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(15);

    private TimeSpan _running;
    private TimeSpan _waiting;

    [Fact]
    public void AProcessThatGetsAllItAsksForKeepsItsThreads() =>
        Look(8, (20, 0, 8), (20, 1, 8));

    [Theory]
    [InlineData(2, 5, 15, 1)] // four links with two threads each on two processors
    [InlineData(2, 10, 10, 1)]
    [InlineData(2, 13, 7, 2)] // one busy program beside two threads
    [InlineData(8, 10, 10, 4)]
    [InlineData(8, 1, 99, 1)]
    public void AProcessThatWaitsForProcessorsHasFewerThreads(int threads, int running, int waiting, int left) =>
        Look(threads, (running, waiting, threads), (running, waiting, left));

    [Fact]
    public void AMomentOfWaitingTakesNoThreadAway() =>
        Look(2, (7, 6, 2), (20, 0, 2), (7, 6, 2), (7, 6, 1));

    [Fact]
    public void ThreadsStayAwayWhileThereAreNoProcessorsForThem() =>
        Look(2, (5, 15, 2), (5, 15, 1), (10, 10, 1), (14, 6, 1));

    [Fact]
    public void ThreadsComeBackStepByStep() =>
        Look(8, (5, 15, 8), (5, 15, 2), (20, 0, 3), (20, 0, 4), (20, 0, 6), (20, 0, 8));

    [Fact]
    public void AThreadThatSleptTellsNothing()
    {
        CpuShare share = new(4, Read);
        Assert.Equal(4, After(share, running: 10, waiting: 10));
        Assert.Equal(4, After(share, running: 1, waiting: 3));
        Assert.Equal(2, After(share, running: 5, waiting: 3)); // with what was not looked at before: 6 of 12
    }

    [Fact]
    public void WhereNobodyKnowsThereAreAllThreads()
    {
        CpuShare share = new(4, static (out TimeSpan running, out TimeSpan waiting) =>
        {
            (running, waiting) = (default, default);
            return false;
        });
        Assert.Equal(4, share.Threads());
        Thread.Sleep(Pause);
        Assert.Equal(4, share.Threads());
    }

    [LinuxFact]
    public void TheKernelTellsOfTheFirstThread()
    {
        Assert.True(HostSystem.Current.TryReadSchedule(out TimeSpan running, out TimeSpan waiting));
        Assert.True(running > TimeSpan.Zero);
        Assert.True(running + waiting < TimeSpan.FromMilliseconds(Environment.TickCount64));
    }

    [Fact]
    public void ALoopHasNoMoreThreadsThanItsShare()
    {
        Workers workers = new(4) { Share = Waiting(running: 0, waiting: 1000) };
        int main = Environment.CurrentManagedThreadId;
        workers.For(100, _ => Assert.Equal(main, Environment.CurrentManagedThreadId));
    }

    [Fact]
    public void ALoopWithAShareOfTwoHasTwoThreads()
    {
        Workers workers = new(4) { Share = Waiting(running: 500, waiting: 500) };
        int busy = 0, most = 0;
        using Barrier barrier = new(2);
        workers.For(8, _ =>
        {
            int now = Interlocked.Increment(ref busy);
            lock (workers)
            {
                most = Math.Max(most, now);
            }
            Assert.True(barrier.SignalAndWait(TimeSpan.FromSeconds(20)));
            Interlocked.Decrement(ref busy);
        });
        Assert.Equal(2, most);
    }

    // One look after the other: what the process ran and waited for meanwhile, in milliseconds, and the threads it has then.
    private void Look(int threads, params (int Running, int Waiting, int Left)[] looks)
    {
        CpuShare share = new(threads, Read);
        foreach ((int running, int waiting, int left) in looks)
        {
            Assert.Equal(left, After(share, running, waiting));
        }
    }

    // Of four threads, for a process that was found waiting.
    private CpuShare Waiting(int running, int waiting)
    {
        CpuShare share = new(4, Read);
        _ = After(share, running, waiting);
        _ = After(share, running, waiting);
        return share;
    }

    private int After(CpuShare share, int running, int waiting)
    {
        _running += TimeSpan.FromMilliseconds(running);
        _waiting += TimeSpan.FromMilliseconds(waiting);
        Thread.Sleep(Pause);
        return share.Threads();
    }

    private bool Read(out TimeSpan running, out TimeSpan waiting)
    {
        (running, waiting) = (_running, _waiting);
        return true;
    }
}
