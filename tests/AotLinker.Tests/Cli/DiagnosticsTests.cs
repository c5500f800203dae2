using System.Text;
using AotLinker.Cli;

namespace AotLinker.Tests.Cli;

public sealed class DiagnosticsTests : IDisposable
{
    private readonly MemoryStream _error = new();
    private readonly MemoryStream _output = new();

    private string[] Lines => Encoding.UTF8.GetString(_error.ToArray()).Split('\n')[..^1];

    public void Dispose()
    {
        _error.Dispose();
        _output.Dispose();
    }

    [Fact]
    public void ParallelErrorsComeOutInOrder()
    {
        Diagnostics diagnostics = Make();
        Parallel.For(0, 10, i => diagnostics.Report(9 - i, $"error {9 - i}"));
        Assert.Empty(Lines);
        diagnostics.Flush();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"error {i}"), Lines);
    }

    [Fact]
    public void TheTwentyFirstErrorIsTheLast()
    {
        Diagnostics diagnostics = Make();
        for (int i = 0; i < 5000; i++)
            diagnostics.Report(5000 - i, $"error {5000 - i}");
        LinkException end = Assert.Throws<LinkException>(diagnostics.Flush);
        Assert.Equal(2, diagnostics.PrintFinal(end));
        Assert.Equal([.. Enumerable.Range(1, 21).Select(i => $"error {i}"), "prog: too many errors"], Lines);
    }

    [Fact]
    public void WhatComesAfterTheLastErrorThatIsPrintedNeedNotBeLookedFor()
    {
        Diagnostics diagnostics = Make();
        diagnostics.Error("serial");
        for (int i = 0; i < 19; i++)
        {
            diagnostics.Report(100 + i, "error");
            diagnostics.Report(100 + i, "error");
        }
        Assert.Equal(long.MaxValue, diagnostics.LastOrder);
        diagnostics.Report(500, "error");
        Assert.Equal(500, diagnostics.LastOrder);
        diagnostics.Report(600, "too late");
        diagnostics.Report(50, "the first");
        Assert.Equal(118, diagnostics.LastOrder);
        Assert.Throws<LinkException>(diagnostics.Flush);
        Assert.Equal(["serial", "the first", .. Enumerable.Repeat("error", 19)], Lines);
    }

    [Theory]
    [InlineData("-e", long.MaxValue)]
    [InlineData("-h", 3)]
    public void WhichErrorIsTheLastIsUpToFlags(string flag, long last)
    {
        Diagnostics diagnostics = Make(flag);
        for (int i = 30; i >= 3; i--)
            diagnostics.Report(i, "error");
        Assert.Equal(last, diagnostics.LastOrder);
    }

    [Fact]
    public void DashELiftsTheLimit()
    {
        Diagnostics diagnostics = Make("-e");
        for (int i = 0; i < 3000; i++)
            diagnostics.Report(i, $"error {i}");
        diagnostics.Flush();
        Assert.Equal(3000, Lines.Length);
        Assert.Throws<ErrorsReportedException>(diagnostics.ExitIfErrors);
    }

    [Fact]
    public void DashHStopsAtTheFirstWithATrace()
    {
        Diagnostics diagnostics = Make("-h");
        LinkException end = Assert.Throws<LinkException>(() => diagnostics.Error("first"));
        Assert.Equal(2, diagnostics.PrintFinal(end));
        Assert.Equal("first", Lines[0]);
        Assert.Equal("panic: error", Lines[1]);
        Assert.Contains(Lines, line => line.Contains(nameof(DashHStopsAtTheFirstWithATrace), StringComparison.Ordinal));
    }

    [Fact]
    public void APairOfSymbolsIsReportedOnceAndTheSameLineTwiceIsOne()
    {
        Diagnostics diagnostics = Make();
        diagnostics.ReportOnce(1, 2, 10, "main.main: relocation target x not defined");
        diagnostics.ReportOnce(1, 2, 11, "main.main: relocation target x not defined");
        diagnostics.ReportOnce(3, 2, 12, "main.main: relocation target x not defined");
        diagnostics.Report(13, "same");
        diagnostics.Report(13, "same");
        diagnostics.Flush();
        Assert.Equal(["main.main: relocation target x not defined", "main.main: relocation target x not defined", "same"], Lines);
    }

    [Fact]
    public void FormsAndExitCodes()
    {
        Diagnostics diagnostics = Make();
        Assert.Equal(2, diagnostics.PrintFinal(new LinkException("cannot open file a")));
        Assert.Equal(1, diagnostics.PrintFinal(new LinkException(MessageForm.Log, "cannot find")));
        Assert.Equal(2, diagnostics.PrintFinal(new LinkException(MessageForm.Bare, "bare")));
        Assert.Equal(2, diagnostics.PrintFinal(new ErrorsReportedException()));
        Assert.Equal(["prog: cannot open file a", "link: cannot find", "bare"], Lines);
    }

    [Fact]
    public void SerialErrorsKeepTheirPlaceAmongCollectedOnes()
    {
        Diagnostics diagnostics = Make();
        diagnostics.Report(7, "collected");
        diagnostics.Error("main.x"u8, "serial");
        Assert.Equal(["collected", "main.x: serial"], Lines);
        Assert.Equal(2, diagnostics.ErrorCount);
        Assert.True(diagnostics.HasErrors);
    }

    [Fact]
    public void ClearingUpRunsBackwardsAndOnce()
    {
        Diagnostics diagnostics = Make();
        var ran = new List<int>();
        diagnostics.AtExit(() => ran.Add(1));
        IDisposable second = diagnostics.AtExit(() => ran.Add(2));
        diagnostics.AtExit(() => throw new IOException("gone"));
        diagnostics.AtExit(() => ran.Add(3));
        second.Dispose();
        diagnostics.RunAtExit();
        diagnostics.RunAtExit();
        Assert.Equal([3, 1], ran);
    }

    [Fact]
    public void TheTraceGoesToStandardOutput()
    {
        Diagnostics diagnostics = Make("-v", "-v");
        Assert.Equal(2, diagnostics.Verbosity);
        diagnostics.Log("HEADER = -H5");
        Assert.Equal("HEADER = -H5\n", Encoding.UTF8.GetString(_output.ToArray()));
        Assert.Empty(Lines);
    }

    [Fact]
    public void DumpsAreHeldBackButKeepTheirPlace()
    {
        Diagnostics diagnostics = Make();
        var expected = new StringBuilder();
        for (int i = 0; i < 20_000; i++)
        {
            diagnostics.Dump($"symbol {i} \udcff");
            expected.Append($"symbol {i} \ufffd\n");
        }

        diagnostics.Dump(new string('x', 200_000));
        diagnostics.Log("after");
        diagnostics.Dump("last");
        diagnostics.RunAtExit();
        expected.Append(new string('x', 200_000)).Append("\nafter\nlast\n");
        Assert.Equal(expected.ToString(), Encoding.UTF8.GetString(_output.ToArray()));
    }

    private Diagnostics Make(params string[] flags)
    {
        var diagnostics = new Diagnostics("prog", _error, _output);
        diagnostics.Configure(LinkOptions.Parse("prog", [.. flags, "main.a"], name => name switch { "GOOS" => "linux", "GOARCH" => "amd64", _ => null }, Toolchain.FromVersion("go1.27.4")));
        return diagnostics;
    }
}
