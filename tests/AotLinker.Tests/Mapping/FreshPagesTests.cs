using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed class FreshPagesTests
{
    [Theory]
    [InlineData(100, 100, 2, false)]
    [InlineData(100, 80, 2, false)]
    [InlineData(100, 60, 2, true)]
    [InlineData(100, 60, 1, true)]
    [InlineData(10, 1000, 2, false)]
    // A file takes one write at a time.
    [InlineData(100, 60, 4, false)]
    [InlineData(100, 10, 16, false)]
    [InlineData(100, 5, 16, true)]
    public void TheFirstPiecesDecide(long inMap, long byWrite, int threads, bool expected)
    {
        FreshPages pages = new(mayWrite: true, threads);
        List<bool> ways = [];
        for (int i = 0; i < 4; i++)
        {
            ways.Add(pages.Writes(out bool isTrial));
            Assert.True(isTrial);
        }
        Assert.Equal([false, false, true, true], ways);

        for (int i = 0; i < 4; i++)
        {
            // Until all are told it is the map.
            Assert.False(pages.Writes(out bool isTrial));
            Assert.False(isTrial);
            pages.Tell(ways[i], ways[i] ? byWrite : inMap, 1000);
        }
        Assert.Equal(expected, pages.Writes(out _));
        pages.Tell(writes: true, expected ? 1_000_000 : 1, 1000);
        Assert.Equal(expected, pages.Writes(out _));
    }

    [Fact]
    public void TimesAreForAByteOfAllPiecesOfAWay()
    {
        FreshPages pages = new(mayWrite: true, threads: 2);
        for (int i = 0; i < 4; i++)
            _ = pages.Writes(out _);
        // A large page is there for the second piece, too.
        pages.Tell(writes: false, 1000, 500);
        pages.Tell(writes: true, 300, 100);
        pages.Tell(writes: true, 300, 100);
        pages.Tell(writes: false, 0, 500);
        Assert.False(pages.Writes(out _));
    }

    [Fact]
    public void WithoutAChoiceNothingIsTried()
    {
        FreshPages pages = new(mayWrite: false, threads: 2);
        for (int i = 0; i < 8; i++)
        {
            Assert.False(pages.Writes(out bool isTrial));
            Assert.False(isTrial);
        }
    }
}
