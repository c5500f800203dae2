using System.Text;
using AotLinker.Mapping;
using AotLinker.Ordering;

namespace AotLinker.Tests.Ordering;

public sealed class NameSortTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(16)]
    public void NamesComeInTheOrderOfTheirBytes(int threads)
    {
        // Long common starts, one name the start of another, equal names, bytes above 127, none at all, zeros at the end.
        Random random = new(3);
        List<byte[]> names = [[], [], [0], [0, 0], "a"u8.ToArray(), "a\0"u8.ToArray(), "a\0\0"u8.ToArray()];
        for (int i = 0; i < 20_000; i++)
        {
            StringBuilder name = new("k8s.io/kubernetes/vendor/k8s.io/");
            for (int part = random.Next(4); part >= 0; part--)
                name.Append((char)('a' + random.Next(4)), random.Next(1, 12)).Append(random.Next(9) == 0 ? "é" : "/");
            names.Add(Encoding.UTF8.GetBytes(name.ToString()[random.Next(3)..]));
        }
        byte[][] expected = [.. names];
        Array.Sort(expected, static (x, y) => x.AsSpan().SequenceCompareTo(y));

        using NativeArray<byte> memory = new(names.Sum(n => n.Length));
        NameSort.Item[] items = new NameSort.Item[names.Count];
        int at = 0;
        for (int i = 0; i < items.Length; i++)
        {
            Span<byte> place = memory.AsSpan().Slice(at, names[i].Length);
            names[i].CopyTo(place);
            items[i] = new NameSort.Item(place, i);
            at += names[i].Length;
        }
        NameSort.Sort(new Workers(threads), items);
        for (int i = 0; i < items.Length; i++)
            Assert.True(items[i].Name.SequenceEqual(expected[i]), $"name {i}");
        Assert.Equal(Enumerable.Range(0, items.Length), items.Select(i => i.Position).Order());
        Assert.All(items, i => Assert.True(names[i.Position].AsSpan().SequenceEqual(i.Name)));
    }
}
