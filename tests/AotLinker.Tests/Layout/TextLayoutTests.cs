using AotLinker.Objects;

namespace AotLinker.Tests.Layout;

public class TextLayoutTests
{
    [Fact]
    public void FunctionsAreAlignedAndTakeTheLeastSpaceOfTheTableOfFunctions()
    {
        using TestLink link = new();
        link.Ctx.Settings.FunctionAlign = 1;
        link.Add("a", SymbolKind.Text, 3);
        link.Add("b", SymbolKind.Text, 20);
        link.Add("c", SymbolKind.Text, 5, align: 64);
        link.LayOut();
        Assert.Equal(0x401000, link.AddressOf("a"));
        Assert.Equal(0x401010, link.AddressOf("b"));
        Assert.Equal(0x401040, link.AddressOf("c"));
        Assert.Equal(0x401050, link.AddressOf("runtime.etext"));
        Assert.Equal(0x401000, link.AddressOf("runtime.text"));
        Assert.Equal(64, link.Ctx.TextSegment.Sections[0].Align);
        // One byte more than the last function, for the end marker.
        Assert.Equal(0x51ul, link.Ctx.TextSegment.Sections[0].Length);
    }

    [Fact]
    public void ASmallTextSizeLimitChangesNothingWhereCallsReachEverything()
    {
        long[] plain = Addresses(0, 0);
        Assert.Equal(plain, Addresses(64, 0));
        Assert.Equal(plain, Addresses(0, 2));
    }

    [Fact]
    public void RandomLayoutKeepsFipsCodeTogether()
    {
        using TestLink link = new();
        for (int i = 0; i < 20; i++)
        {
            link.Add($"t{i}", SymbolKind.Text, 16);
            link.Add($"f{i}", SymbolKind.TextFips, 16);
        }
        link.Ctx.Settings.RandomLayoutSeed = 42;
        link.LayOut();
        string[] order = [.. link.Ctx.Text.Select(link.Symbols.NameText)];
        Assert.All(order[..20], n => Assert.StartsWith("t", n, StringComparison.Ordinal));
        Assert.All(order[20..], n => Assert.StartsWith("f", n, StringComparison.Ordinal));
        Assert.NotEqual(Enumerable.Range(0, 20).Select(i => $"t{i}"), order[..20]);
        Assert.Equal(link.Ctx.Text.Select(link.Symbols.Value).Order(), link.Ctx.Text.Select(link.Symbols.Value));
    }

    private static long[] Addresses(long textSize, long trampolines)
    {
        using TestLink link = new();
        for (int i = 0; i < 10; i++)
        {
            link.Add($"f{i}", SymbolKind.Text, 10 * i);
        }
        link.Ctx.Settings.DebugTextSize = textSize;
        link.Ctx.Settings.DebugTrampolines = trampolines;
        link.LayOut();
        return [.. link.Ctx.Text.Select(link.Symbols.Value), link.AddressOf("runtime.etext")];
    }
}
