using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public class NativeListTests
{
    [Fact]
    public void KeepsWhatIsAdded()
    {
        using NativeList<long> list = new();
        for (int i = 0; i < 100_000; i++)
        {
            Assert.Equal(i, list.Count);
            list.Add(i * 3L);
        }
        list.AddRange([1, 2, 3]);
        Assert.Equal(100_003, list.Count);
        Assert.Equal(99_999 * 3L, list[99_999]);
        Assert.Equal([1L, 2, 3], list.AsSpan()[100_000..].ToArray());
        list[5] = -1;
        Assert.Equal(-1, list.AsSpan()[5]);
    }

    [Fact]
    public void IsEmptyOnceCleared()
    {
        using NativeList<int> list = new();
        list.AddRange([4, 5]);
        list.Clear();
        Assert.Equal(0, list.Count);
        Assert.True(list.AsSpan().IsEmpty);
        list.Add(6);
        Assert.Equal([6], list.AsSpan().ToArray());
    }

    [Fact]
    public void AnEmptyListTakesNoMemory()
    {
        using NativeList<int> list = new();
        list.AddRange([]);
        Assert.True(list.AsSpan().IsEmpty);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[0]);
    }
}
