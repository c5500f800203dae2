using AotLinker.Layout;

namespace AotLinker.Tests.Layout;

public class SequenceTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    [InlineData(4096, 2)]
    [InlineData(50_000, 1)]
    [InlineData(50_000, 4)]
    public void ItemsLieWhereOneThreadWouldPutThem(int count, int threads)
    {
        Random random = new(7);
        // Most have the alignment of those before them; here and there is one that asks for more, and some have no size.
        (int Align, long Size)[] items = [.. Enumerable.Range(0, count).Select(i =>
            (i % 5000 == 4999 ? 64 : i < 20_000 ? 8 : 1 << random.Next(5), (long)random.Next(100)))];
        long[] expected = new long[count];
        long at = 1003;
        for (int i = 0; i < count; i++)
        {
            at = (at + items[i].Align - 1) / items[i].Align * items[i].Align;
            expected[i] = at;
            at += items[i].Size;
        }

        long[] places = new long[count];
        Sequence<Items> sequence = new(new Workers(threads), new Items(items, places), count, 1003);
        Assert.Equal(at, sequence.End);
        Assert.Equal(items.Select(i => i.Align).DefaultIfEmpty().Max(), sequence.Align);
        Assert.All(places, place => Assert.Equal(0, place));
        sequence.Place();
        Assert.Equal(expected, places);
    }

    private readonly struct Items((int Align, long Size)[] items, long[] places) : ISequenceItems
    {
        public (int Align, long Size) Measure(int i) => items[i];

        public void SetPlace(int i, long place) => places[i] = place;
    }
}
