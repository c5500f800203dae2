namespace AotLinker.Tests.House;

public sealed class WorkersTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(7, 0)]
    [InlineData(3, 5)]
    public void EveryIndexIsVisitedOnceInEachOfManyLoops(int threads, int seed)
    {
        Workers workers = new(threads, seed);
        for (int count = 0; count < 400; count++)
        {
            int[] visits = new int[count];
            int busy = 0;
            workers.ForChunks(count, 3, (from, to, worker) =>
            {
                Assert.InRange(worker, 0, threads - 1);
                Assert.Equal(0, Interlocked.Or(ref busy, 1 << worker) & (1 << worker));
                for (int i = from; i < to; i++)
                {
                    visits[i]++;
                }
                Interlocked.And(ref busy, ~(1 << worker));
            });
            Assert.All(visits, v => Assert.Equal(1, v));
        }
    }

    [Fact]
    public void AThreadThatSleptWakesForTheNextLoop()
    {
        Workers workers = new(2);
        for (int round = 0; round < 3; round++)
        {
            Thread.Sleep(30); // longer than an idle thread looks out for a loop
            int both = 0;
            using Barrier barrier = new(2);
            workers.For(2, _ =>
            {
                // Only two threads at once come past this.
                if (barrier.SignalAndWait(TimeSpan.FromSeconds(20)))
                {
                    Interlocked.Increment(ref both);
                }
            });
            Assert.Equal(2, both);
        }
    }

    [Fact]
    public void TheExceptionOfTheFirstChunkIsThrownWhenAllAreDone()
    {
        Workers workers = new(4);
        int visited = 0;
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => workers.For(100, i =>
        {
            Interlocked.Increment(ref visited);
            if (i % 10 == 7)
            {
                throw new InvalidOperationException($"{i}");
            }
        }));
        Assert.Equal(("7", 100), (e.Message, visited));
    }

    [Fact]
    public void LoopsWithinAndBesideLoopsRunOnTheirOwnThread()
    {
        Workers workers = new(3);
        int sum = 0;
        Thread beside = new(() => workers.For(50, _ => Interlocked.Increment(ref sum)));
        beside.Start();
        workers.For(10, _ =>
        {
            int thread = Environment.CurrentManagedThreadId;
            workers.For(20, _ =>
            {
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                Interlocked.Increment(ref sum);
            });
        });
        beside.Join();
        Assert.Equal(250, sum);
    }
}
