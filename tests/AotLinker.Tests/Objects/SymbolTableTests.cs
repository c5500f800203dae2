using System.Text;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Objects;

public sealed class SymbolTableTests
{
    private const byte Text = 1;
    private const byte RoData = 3;

    [Fact]
    public void NamesReadTogetherAreThoseReadOneByOne()
    {
        using TestLink link = Link();
        SymbolTable symbols = link.Symbols;
        List<string> expected = [], actual = [];
        NativeSpan<byte>[] names = new NativeSpan<byte>[SymbolTable.NameBatch];
        for (int from = 0; from < symbols.Count; from += 3)
        {
            SymbolId[] batch = [.. Enumerable.Range(from, Math.Min(3, symbols.Count - from)).Select(i => new SymbolId(i))];
            symbols.ReadNames(batch, names);
            expected.AddRange(batch.Select(symbols.NameText));
            actual.AddRange(names[..batch.Length].Select(n => Encoding.UTF8.GetString(n.AsSpan())));
        }
        Assert.Equal(expected, actual);
        Assert.Superset(new HashSet<string> { "", "a.f", "a.g", "b.x", "n", "u", "made" }, actual.ToHashSet());
        Assert.Throws<ArgumentOutOfRangeException>(() => symbols.ReadNames(new SymbolId[SymbolTable.NameBatch + 1], names));
    }

    [Fact]
    public void LikelyTextIsWhatMayBeAFunction()
    {
        using TestLink link = Link();
        SymbolTable symbols = link.Symbols;
        ulong marks = symbols.MarksOfLikelyText(0, symbols.Count);
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            bool isLikely = symbols.IsReachable(s) && (symbols.Kind(s).IsText() || symbols.IsExternal(s));
            Assert.Equal(isLikely, (marks >> i & 1) != 0);
        }
    }

    [Fact]
    public void APlacementIsWhatTheColumnsSay()
    {
        using TestLink link = Link();
        SymbolTable symbols = link.Symbols;
        symbols.NumberLive(link.Ctx.Workers, hasDebugInfo: false);
        SymbolId late = link.Add("late", SymbolKind.RoData, 5).Symbol;
        for (int i = 1; i < symbols.Count; i++)
            symbols.SetSectionIndex(new SymbolId(i), i % 3 == 0 ? SymbolTable.ManySections + i : i);
        symbols.SetCarrier(new SymbolId(2), late);
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            Assert.Equal(new SymbolTable.Placement(symbols.Outer(s), symbols.SectionIndex(s), symbols.Size(s)), symbols.PlacementOf(s));
        }
    }

    // Symbols of objects, dead, live and changed, a reference and one of the linker's own.
    private static TestLink Link()
    {
        TestLink link = new();
        link.AddObjects(
            new GoObjectWriter("a").Define("a.f", Text, 1).Define("a.g", Text, 2).Define("a.data", RoData, 1).DefineHashed(7, RoData, 1, [1])
                .DefineNamed("n", RoData, 1).Refer("u"),
            new GoObjectWriter("b").Define("b.x", Text, 70000).Define("b.y", Text, 1));
        link.Symbols.Update("b.y"u8, 0);
        link.Symbols.Update("n"u8, 0);
        link.Add("made", SymbolKind.RoData, 8);
        return link;
    }
}
