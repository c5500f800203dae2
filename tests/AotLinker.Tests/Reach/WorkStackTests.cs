using AotLinker.Reach;

namespace AotLinker.Tests.Reach;

public sealed class WorkStackTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(WorkStack.BlockSize)]
    [InlineData(WorkStack.BlockSize + 1)]
    [InlineData((3 * WorkStack.BlockSize) + 7)]
    public void WhatIsPushedLastComesFirst(int count)
    {
        WorkStack stack = new();
        for (int i = 0; i < count; i++)
        {
            stack.Push(i);
        }
        Assert.False(stack.IsEmpty);
        for (int i = count - 1; i >= 0; i--)
        {
            Assert.True(stack.TryPop(out int id));
            Assert.Equal(i, id);
        }
        Assert.False(stack.TryPop(out _));
        Assert.True(stack.IsEmpty);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(WorkStack.BlockSize)]
    [InlineData((2 * WorkStack.BlockSize) + 1)]
    [InlineData((5 * WorkStack.BlockSize) + 500)]
    public void NothingIsLostBetweenStacks(int count)
    {
        WorkStack from = new();
        for (int i = 0; i < count; i++)
        {
            from.Push(i);
        }
        Assert.True(from.CanSplit);
        WorkStack to = new();
        to.Fill(from.Split());
        Assert.False(from.IsEmpty);
        Assert.False(to.IsEmpty);

        List<int> all = [];
        foreach (WorkStack stack in new[] { from, to })
        {
            // Used blocks come back into use.
            stack.Push(-1);
            Assert.True(stack.TryPop(out int top));
            Assert.Equal(-1, top);
            while (stack.TryPop(out int id))
            {
                all.Add(id);
            }
        }
        Assert.Equal(Enumerable.Range(0, count), all.Order());
    }

    [Fact]
    public void FewIdsAreNotWorthGivingAway()
    {
        WorkStack stack = new();
        stack.Push(1);
        Assert.False(stack.CanSplit);
    }
}
