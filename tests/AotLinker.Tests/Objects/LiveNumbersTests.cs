using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Pclntab;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Objects;

public sealed class LiveNumbersTests
{
    private const int End = 1000;

    [Fact]
    public void LiveIdsAreNumberedInOrderAndLaterIdsOneByOne()
    {
        bool[] live = Pattern();
        LiveNumbers numbers = Numbers(live);
        int next = 0;
        for (int id = 0; id < End; id++)
            Assert.Equal(live[id] ? next++ : -1, numbers.Of(id));
        Assert.Equal(next, numbers.Count);
        Assert.Equal(next, numbers.Of(End));
        Assert.Equal(next + 41, numbers.Of(End + 41));
    }

    [Fact]
    public void NothingHasANumberBefore()
    {
        LiveNumbers numbers = new();
        Assert.False(numbers.IsNumbered);
        Assert.Equal(-1, numbers.Of(0));
        Assert.Equal(-1, numbers.Of(int.MaxValue - 1));
    }

    [Fact]
    public void AViewHasTheSameNumbers()
    {
        LiveNumbers numbers = Numbers(Pattern());
        LiveNumbers.View view = numbers.AsView();
        for (int id = 0; id < End + 200; id++)
            Assert.Equal(numbers.Of(id), view.Of(id));
        Assert.Equal(numbers.Of(int.MaxValue), view.Of(int.MaxValue));
    }

    [Fact]
    public void InAViewBeforeAllNumbersAreNegative()
    {
        LiveNumbers.View view = new LiveNumbers().AsView();
        foreach (int id in (int[])[0, 1, 63, 64, 1 << 24, int.MaxValue - 1, int.MaxValue])
            Assert.True(view.Of(id) < 0);
    }

    [Theory]
    [InlineData(0, End)]
    [InlineData(63, 65)]
    [InlineData(64, 64)]
    [InlineData(130, 900)]
    [InlineData(901, End)]
    public void WalksMeetWhatIsLiveAndOfAKind(int from, int to)
    {
        SymbolKind[] kinds = [SymbolKind.RoData, SymbolKind.Text, SymbolKind.DwarfSect];
        bool[] live = Pattern();
        using TestLink link = new();
        SymbolTable symbols = link.Symbols;
        int first = symbols.Count;
        for (int i = 0; i < End; i++)
        {
            SymbolBuilder b = link.Add("s" + i, kinds[i % 3], 1).SetReachable(live[i]).Set(SymbolTable.Attributes.OnList, i % 5 < 2);
            Assert.Equal(first + i, b.Symbol.Index);
        }

        Assert.Equal(Expected(_ => true), Walk(UInt128.MaxValue));
        Assert.Equal(Expected(i => i % 3 != 2), Walk(SymbolKinds.NotDwarf));
        Assert.Equal(Expected(i => i % 3 == 1), Walk(SymbolKinds.Set(SymbolKind.Text)));
        Assert.Equal(Expected(i => i % 3 != 0), Walk(SymbolKinds.Set(SymbolKind.Text) | SymbolKinds.Set(SymbolKind.DwarfSect)));
        Assert.Equal(Expected(i => i % 3 != 0), Walk(~SymbolKinds.Set(SymbolKind.RoData)));
        Assert.Equal(Expected(i => i % 3 == 1), Walk(SymbolKinds.NotDwarf & ~SymbolKinds.Set(SymbolKind.RoData)));
        Assert.Empty(Walk(0));
        Assert.Equal(Expected(i => i % 3 == 1 && i % 5 < 2), Walk(SymbolKinds.Set(SymbolKind.Text), SymbolTable.Attributes.OnList));
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = symbols.LiveIn(from, symbols.Count + 1, UInt128.MaxValue); });

        IEnumerable<int> Expected(Func<int, bool> isMet) => Enumerable.Range(from, to - from).Where(i => live[i] && isMet(i));

        List<int> Walk(UInt128 of, SymbolTable.Attributes with = SymbolTable.Attributes.None)
        {
            List<int> met = [];
            foreach (SymbolId s in symbols.LiveIn(first + from, first + to, of, with))
                met.Add(s.Index - first);
            return met;
        }
    }

    [Fact]
    public void AColumnKeepsWhatWasSetBeforeThereWereNumbersAndForTheDead()
    {
        bool[] live = Pattern();
        LiveNumbers numbers = new();
        LiveColumn<long> column = new(numbers);
        int alive = Array.IndexOf(live, true, 600);
        int dead = Array.IndexOf(live, false, 500);
        int later = Array.IndexOf(live, false, 700);
        column.EnsureCapacity(End);
        column[alive] = 11;
        column[dead] = 12;
        Number(numbers, live);
        column.EnsureCapacity(End);
        column.EnsureCapacity(End + 100);
        column[End + 99] = 13;
        column[new SymbolId(later)] += 14;
        Assert.Equal([11, 12, 13, 14], new[] { alive, dead, End + 99, later }.Select(id => column.Get(new SymbolId(id))));
        Assert.Equal(0, column.Get(new SymbolId(Array.IndexOf(live, true, 800))));
        Assert.Equal(0, column.Get(new SymbolId(Array.IndexOf(live, false, 800))));
        Assert.Equal(12, column[dead]);
    }

    [Fact]
    public void MentionedSymbolsHaveSlotsWhoeverMentionsThem()
    {
        using Mentions mentions = new(End);
        SortedSet<int> expected = [.. Enumerable.Range(0, End).Where(id => id % 7 == 3 || id is 1 or 63 or 64 or End - 1)];
        new Workers(4).For(3, i =>
        {
            using MarkSet own = new(End);
            foreach (int id in expected.Where((_, k) => i == 2 || k % 2 == i))
            {
                Assert.True(own.Add(id));
                Assert.False(own.Add(id));
            }
            mentions.Take(own);
        });
        mentions.Number();
        int next = 1;
        foreach (int id in expected)
        {
            Assert.Equal(0, mentions[id]);
            mentions[id] = next++;
        }
        int[] ids = [0, .. expected, 0];
        uint[] offsets = new uint[ids.Length];
        mentions.Offsets(ids, offsets, 77);
        Assert.Equal([77u, .. Enumerable.Range(1, expected.Count).Select(n => (uint)n), 77u], offsets);
        Assert.Equal(0u, mentions.Offset(0));
    }

    [Fact]
    public void ASetListsWhatIsNew()
    {
        using MarkSet set = new(130);
        using NativeList<int> added = new();
        set.Add([5, 0, 129, 5, 64], added);
        set.Add([64, 63, 0], added);
        Assert.Equal([5, 129, 64, 63], added.AsSpan());
        set.Clear();
        Assert.True(set.Add(64));
    }

    private static bool[] Pattern()
    {
        Random random = new(5);
        bool[] live = [.. Enumerable.Range(0, End).Select(i => i is not (1 or 63 or 64 or >= 899 and <= 901) && random.Next(8) == 0)];
        live[65] = true;
        return live;
    }

    private static LiveNumbers Numbers(bool[] live)
    {
        LiveNumbers numbers = new();
        Number(numbers, live);
        return numbers;
    }

    private static void Number(LiveNumbers numbers, bool[] live)
    {
        numbers.Begin(End);
        for (int id = 0; id < End; id += LiveNumbers.BlockSize)
        {
            ulong marks = 0;
            for (int i = id; i < Math.Min(End, id + LiveNumbers.BlockSize); i++)
                marks |= live[i] ? 1UL << (i - id) : 0;
            numbers.SetMarks(id, marks);
        }
        numbers.Number();
    }
}
