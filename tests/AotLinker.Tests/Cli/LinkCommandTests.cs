using System.Text;
using AotLinker.Cli;

namespace AotLinker.Tests.Cli;

/// <summary>What is linked, what is handed over, and what is an error.</summary>
public sealed class LinkCommandTests : IDisposable
{
    private const string Stock = "/stock/link";

    private readonly MemoryStream _error = new();
    private readonly MemoryStream _output = new();
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal) { ["GOOS"] = "linux", ["GOARCH"] = "amd64" };
    private readonly List<string> _calls = [];

    private string Error => Encoding.UTF8.GetString(_error.ToArray());

    public void Dispose()
    {
        _error.Dispose();
        _output.Dispose();
    }

    [Fact]
    public void WhatWeCanIsLinked()
    {
        Assert.Equal(0, Run("go1.27.4", Stock, "-o", "x", "main.a"));
        Assert.Equal(["link x"], _calls);
        Assert.Equal("", Error);
    }

    [Theory]
    [InlineData("-cpuprofile", "-cpuprofile=x", "main.a")]
    [InlineData("-memprofile", "-memprofile=x", "main.a")]
    [InlineData("-benchmarkprofile", "-benchmark=cpu", "-benchmarkprofile=x", "main.a")]
    public void WhatWeCannotIsHandedOver(string reason, params string[] arguments)
    {
        Assert.Equal(7, Run("go1.27.4", Stock, arguments));
        Assert.Equal([$"{Stock} {string.Join(' ', arguments)}"], _calls);
        Assert.Equal($"aotlink: {reason} is not supported yet; handing over to {Stock}\n", Error);
    }

    [Theory]
    [InlineData("-cpuprofile=x", "-cpuprofile")]
    [InlineData("-memprofile=x", "-memprofile")]
    public void WithoutAStockLinkerItIsAnError(string flag, string reason)
    {
        Assert.Equal(2, Run("go1.27.4", null, flag, "main.a"));
        Assert.Empty(_calls);
        Assert.Equal($"/go/link: {reason} is not supported yet\n", Error);
    }

    [Fact]
    public void StrictMakesItAnError()
    {
        _variables["AOTLINK_STRICT"] = "1";
        Assert.Equal(2, Run("go1.27.4", Stock, "-memprofile=x", "main.a"));
        Assert.Empty(_calls);
        Assert.Equal("/go/link: -memprofile is not supported yet\n", Error);
    }

    [Fact]
    public void TheEnvironmentMayNameAStockLinker()
    {
        _variables["AOTLINK_STOCK_LINKER"] = "/other/link";
        Assert.Equal(7, Run("go1.27.4", null, "-memprofile=x", "main.a"));
        Assert.Equal(["/other/link -memprofile=x main.a"], _calls);
    }

    [Theory]
    [InlineData("windows", "arm")]
    [InlineData("linux", "sparc64")]
    public void OtherPortsAreHandedOver(string goos, string goarch)
    {
        _variables["GOOS"] = goos;
        _variables["GOARCH"] = goarch;
        if (goarch == "sparc64")
        {
            Assert.Equal(2, Run("go1.27.4", Stock, "main.a"));
            Assert.Equal("link: unknown architecture \"sparc64\"\n", Error);
            return;
        }

        Assert.Equal(7, Run("go1.27.4", Stock, "main.a"));
        Assert.StartsWith($"aotlink: linking for {goos}/{goarch} is not supported yet;", Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownReleaseIsHandedOverBeforeItsFlagsAreRead()
    {
        Assert.Equal(7, Run("go1.99.1", Stock, "-flagofthefuture", "main.a"));
        Assert.Equal($"aotlink: go1.99.1 (aotlink links Go 1.24, Go 1.25, Go 1.26 and Go 1.27) is not supported yet; handing over to {Stock}\n", Error);
        Assert.Equal(7, Run("go1.99.1", Stock, "-V=full"));
        Assert.DoesNotContain("handing over to /stock/link\naotlink", Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownReleaseWithoutItsLinkerIsAnErrorThatNamesThoseWeKnow()
    {
        Assert.Equal(2, Run("go1.23.3", null, "main.a"));
        Assert.Equal("/go/link: go1.23.3 (aotlink links Go 1.24, Go 1.25, Go 1.26 and Go 1.27) is not supported yet\n", Error);
    }

    [Fact]
    public void WhatIsFoundOutLaterIsHandedOverAfterClearingUp()
    {
        bool cleared = false;
        int exitCode = Run("go1.27.4", Stock, ["main.a"], (_, diagnostics, _) =>
        {
            diagnostics.AtExit(() => cleared = true);
            throw new UnsupportedLinkException("a host object");
        });
        Assert.Equal(7, exitCode);
        Assert.True(cleared);
        Assert.Equal($"aotlink: a host object is not supported yet; handing over to {Stock}\n", Error);
    }

    [Fact]
    public void ADefectNamesThePassAndIsNotHandedOver()
    {
        int exitCode = Run("go1.27.4", Stock, ["main.a"], (_, _, phases) =>
        {
            _ = phases.Begin("pclntab");
            throw new InvalidOperationException("index 7");
        });
        Assert.Equal(2, exitCode);
        Assert.Empty(_calls);
        Assert.StartsWith("/go/link: internal error in pclntab: System.InvalidOperationException: index 7", Error, StringComparison.Ordinal);
    }

    [Fact]
    public void InternalLinkingThatNeedsTheHostsLinkerIsLeftToTheLoader()
    {
        Assert.Equal(0, Run("go1.27.4", Stock, "-linkmode=internal", "-msan", "main.a"));
        Assert.Equal(["link a.out"], _calls);
    }

    [Fact]
    public void BenchmarkReportsGoToStandardOutput()
    {
        int exitCode = Run("go1.27.4", Stock, ["-benchmark=cpu", "main.a"], (_, _, phases) =>
        {
            using (phases.Begin("loadlib"))
            {
            }

            return 0;
        });
        Assert.Equal(0, exitCode);
        Assert.Matches(
            @"^BenchmarkLoadlib 1 \d+ ns/op\t\d+ B/op\t\d+ native-allocs/op\t\d+ heap-B\nBenchmarkTotalTime 1 \d+ ns/op\n$",
            Encoding.UTF8.GetString(_output.ToArray()));
    }

    private int Run(string version, string? stock, params string[] arguments) =>
        Run(version, stock, arguments, (options, _, _) =>
        {
            _calls.Add("link " + options.Output);
            return 0;
        });

    private int Run(string version, string? stock, string[] arguments, Func<LinkOptions, Diagnostics, Phases, int> linker)
    {
        var command = new LinkCommand("/go/link", arguments, Toolchain.FromVersion(version), stock, new Diagnostics("/go/link", _error, _output))
        {
            Variable = name => _variables.GetValueOrDefault(name),
            Linker = linker,
            Replace = (program, rest) =>
            {
                _calls.Add(program + " " + string.Join(' ', rest));
                return 7;
            },
        };
        return command.Run();
    }
}
