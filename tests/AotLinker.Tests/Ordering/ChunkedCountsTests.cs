using AotLinker.Ordering;

namespace AotLinker.Tests.Ordering;

public class ChunkedCountsTests
{
    [Theory]
    [InlineData(0, 4, 3)]
    [InlineData(10, 4, 3)]
    [InlineData(12, 4, 1)]
    [InlineData(1000, 7, 40)]
    public void ItemsOfAKeyKeepTheirOrder(int count, int chunk, int keys)
    {
        Random random = new(3);
        int[] items = [.. Enumerable.Range(0, count).Select(_ => random.Next(keys))];
        ChunkedCounts counts = new(count, chunk, keys);
        for (int i = 0; i < count; i++)
        {
            counts.Of(i)[items[i]]++;
        }
        int[] starts = counts.ToPlaces();
        int[] ordered = new int[count];
        // From the last chunk to the first: no chunk waits for another.
        for (int from = (count - 1) / chunk * chunk; count != 0 && from >= 0; from -= chunk)
        {
            for (int i = from; i < Math.Min(count, from + chunk); i++)
            {
                ordered[counts.Of(i)[items[i]]++] = i;
            }
        }
        Assert.Equal(Enumerable.Range(0, count).OrderBy(i => items[i]), ordered);
        Assert.Equal(Enumerable.Range(0, keys + 1).Select(key => items.Count(k => k < key)), starts);
    }
}
