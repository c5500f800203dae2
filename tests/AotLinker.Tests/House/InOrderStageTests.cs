namespace AotLinker.Tests.House;

public sealed class InOrderStageTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 3)]
    [InlineData(2, 0)]
    [InlineData(5, 0)]
    [InlineData(5, 7)]
    public void EveryItemIsHandledInOrderBehindWhatMadeItReady(int threads, int seed)
    {
        const int Count = 300;
        Workers workers = new(threads, seed);
        for (int round = 0; round < 200; round++)
        {
            int[] made = new int[Count];
            List<int> handled = [];
            InOrderStage stage = new(Count, i =>
            {
                Assert.Equal(i + 1, made[i]);
                handled.Add(i);
            });
            workers.For(Count, i =>
            {
                Thread.SpinWait(i % 7);
                made[i] = i + 1;
                stage.MakeReady(i);
            });
            stage.End();
            Assert.Equal(Enumerable.Range(0, Count), handled);
        }
    }

    [Fact]
    public void AnItemWaitsForThoseBefore()
    {
        List<int> handled = [];
        InOrderStage stage = new(4, handled.Add);
        stage.MakeReady(2);
        stage.MakeReady(1);
        Assert.Empty(handled);
        stage.MakeReady(0);
        Assert.Equal([0, 1, 2], handled);
        stage.MakeReady(3);
        Assert.Equal([0, 1, 2, 3], handled);
    }

    [Fact]
    public void WhatHandlingThrowsEndsItAndIsThrownAtTheEnd()
    {
        List<int> handled = [];
        InOrderStage stage = new(4, i =>
        {
            handled.Add(i);
            if (i == 1)
            {
                throw new InvalidOperationException($"item {i}");
            }
        });
        for (int i = 3; i >= 0; i--)
        {
            stage.MakeReady(i);
        }
        Assert.Equal([0, 1], handled);
        Assert.Equal("item 1", Assert.Throws<InvalidOperationException>(stage.End).Message);
    }
}
