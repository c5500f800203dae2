using System.Text.RegularExpressions;
using AotLinker.Accounting;

namespace AotLinker.Tests.Cli;

public class SwitchesTests
{
    [Fact]
    public void Values()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AOTLINK_STRICT"] = "1",
            ["AOTLINK_THREADS"] = "16",
            ["AOTLINK_SHUFFLE"] = "7",
            ["AOTLINK_STOCK_LINKER"] = "/x/link",
            ["AOTLINK_SIZES"] = "json:/x/sizes",
            ["AOTLINK_WHY"] = "net/http\n\n type:map[string]struct { A int } \n",
            ["AOTLINK_WHY_FILE"] = "/x/why",
        };
        Switches switches = Switches.Parse(variables.GetValueOrDefault);
        Assert.True(switches.Strict);
        Assert.Equal(16, switches.Threads);
        Assert.Equal(7, switches.ShuffleSeed);
        Assert.Equal("/x/link", switches.StockLinker);
        Assert.Equal(new AccountRequest(IsJson: true, "/x/sizes"), switches.Sizes);
        Assert.Equal(["net/http", "type:map[string]struct { A int }"], switches.Why!.Questions);
        Assert.Equal("/x/why", switches.Why.File);

        switches = Switches.Parse(_ => null);
        Assert.False(switches.Strict);
        Assert.Null(switches.Threads);
        Assert.Equal(0, switches.ShuffleSeed);
        Assert.Null(switches.StockLinker);
        Assert.Null(switches.Sizes);
        Assert.Null(switches.Why);
    }

    [Theory]
    [InlineData("AOTLINK_STRICT", "yes")]
    [InlineData("AOTLINK_THREADS", "0")]
    [InlineData("AOTLINK_THREADS", "-1")]
    [InlineData("AOTLINK_THREADS", "many")]
    [InlineData("AOTLINK_SHUFFLE", "1.5")]
    [InlineData("AOTLINK_SIZES", "1")]
    public void BadValuesNameTheSwitch(string name, string value)
    {
        LinkException failure = Assert.Throws<LinkException>(() => Switches.Parse(n => n == name ? value : null));
        Assert.StartsWith(name + " must be", failure.Message, StringComparison.Ordinal);
        Assert.Contains(value, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EverySwitchIsDocumented()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "AotLinker.sln")))
            root = Path.GetDirectoryName(root);
        Assert.NotNull(root);

        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            foreach (Match match in Regex.Matches(File.ReadAllText(file), "\"(AOTLINK_[A-Z_]+)\""))
                used.Add(match.Groups[1].Value);
        }

        Assert.Equal(used.Order(StringComparer.Ordinal), Switches.All.Select(s => s.Name).Order(StringComparer.Ordinal));
    }
}
