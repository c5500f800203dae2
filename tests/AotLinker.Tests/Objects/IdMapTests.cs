using AotLinker.Objects;

namespace AotLinker.Tests.Objects;

public sealed class IdMapTests
{
    [Fact]
    public void NumbersAreFoundChangedAndMissed()
    {
        using IdMap map = new();
        const int Count = 20_000;
        for (int i = 1; i <= Count; i++)
        {
            map.Add(i * 64, i);
        }
        map.Add(-1, 7);
        for (int i = 1; i <= Count; i += 3)
        {
            map.Set(i * 64, 2 * i);
        }
        map.Set(-1, 8);
        for (int i = 1; i <= Count; i++)
        {
            Assert.Equal(i % 3 == 1 ? 2 * i : i, map[i * 64]);
            Assert.Equal(-1, map[(i * 64) + 1]);
        }
        Assert.Equal(8, map[-1]);
    }
}
