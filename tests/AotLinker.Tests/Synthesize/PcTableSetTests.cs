using AotLinker.Objects;
using AotLinker.Synthesize.Pclntab;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Synthesize;

/// <summary>Tables of pcs are told apart by their content hashes, from any thread.</summary>
public unsafe class PcTableSetTests
{
    private const int Objects = 12, PerObject = 3000, Different = 5000;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(4, 0)]
    [InlineData(4, 20_000)]
    public void EqualContentsAreOneTableWhichTheFirstDefinitionStandsFor(int threads, int expected)
    {
        using TestLink link = new(threads: threads);
        Random random = new(expected + threads);
        int[][] contents = [.. Enumerable.Range(0, Objects).Select(_ => Enumerable.Range(0, PerObject).Select(_ => random.Next(Different)).ToArray())];
        GoObject[] objects = link.AddObjects([.. contents.Select((own, i) =>
        {
            GoObjectWriter w = new($"p{i}");
            foreach (int content in own)
            {
                w.DefineContent(HashOf(content), 3, 4, BitConverter.GetBytes(content));
            }
            return w;
        })]);
        using PcTableSet set = new(link.Symbols, expected, adders: Objects);
        int[][] numbers = [.. contents.Select(own => new int[own.Length])];
        link.Ctx.Workers.For(Objects, o =>
        {
            PcTableSet.Numbers own = default;
            for (int i = PerObject - 1; i >= 0; i--)
            {
                byte* hash = objects[o].ContentHashesOf(isShort: false) + (16 * i);
                set.Expect(hash);
                int position = link.Symbols.PositionOf(objects[o], objects[o].FirstHashed + i);
                numbers[o][i] = set.Add(hash, position, ref own);
                set.ExpectEntry(numbers[o][i]);
                set.Note(numbers[o][i], position, user: o);
            }
        });
        set.Close();

        Dictionary<int, int> numberOf = [], positionOf = [], userOf = [];
        for (int o = 0; o < Objects; o++)
        {
            for (int i = 0; i < PerObject; i++)
            {
                int content = contents[o][i];
                userOf.TryAdd(content, o);
                positionOf.TryAdd(content, link.Symbols.PositionOf(objects[o], objects[o].FirstHashed + i));
                if (!numberOf.TryAdd(content, numbers[o][i]))
                {
                    Assert.Equal(numberOf[content], numbers[o][i]);
                }
            }
        }
        Assert.Equal(numberOf.Count, numberOf.Values.Distinct().Count());
        Assert.True(numberOf.Values.Min() > 0);
        foreach ((int content, int number) in numberOf)
        {
            Assert.Equal(positionOf[content], set[number].Position);
            Assert.True(FirstUse.IsFirst(ref set[number].Place, userOf[content]));
            Assert.Equal(4, set.Size(number));
        }
        Assert.Equal(0, set[0].Place);
    }

    // Many begin in the same shard, and at the same place of it.
    private static ulong HashOf(int content) => (((ulong)content % 7) << 61) | ((ulong)content * 0x9E37_79B9 % 977 << 22) | ((ulong)content << 40) | 1;
}
