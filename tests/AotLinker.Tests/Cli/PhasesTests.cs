using System.Globalization;
using System.Text.RegularExpressions;
using AotLinker.Cli;
using AotLinker.Mapping;

namespace AotLinker.Tests.Cli;

/// <summary>The report of <c>-benchmark</c>, read as benchstat reads it: a name, a count, and pairs of value and unit.</summary>
public sealed partial class PhasesTests
{
    private const int Block = 3 << 20;

    [Theory]
    [InlineData((int)BenchmarkMode.Cpu, "", "heap-B")]
    [InlineData((int)BenchmarkMode.Memory, "_GC", "live-B")]
    public void APassHasGosFiguresInGosOrder(int mode, string suffix, string heapUnit)
    {
        var phases = new Phases((BenchmarkMode)mode);
        using (phases.Begin("dwarf info"))
        {
        }

        string[] lines = phases.Report().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith($"BenchmarkDwarfInfo{suffix} 1 ", lines[0], StringComparison.Ordinal);
        Assert.Equal(["ns/op", "B/op", "native-allocs/op", heapUnit], Figures(lines[0]).Select(figure => figure.Unit));
        Assert.StartsWith($"BenchmarkTotalTime{suffix} 1 ", lines[1], StringComparison.Ordinal);
        Assert.Equal(["ns/op"], Figures(lines[1]).Select(figure => figure.Unit));
        Assert.Equal("", lines[2]);
    }

    [Fact]
    public unsafe void NativeMemoryCountsInThePassThatAsksForIt()
    {
        var phases = new Phases(BenchmarkMode.Cpu);
        void* block;
        using (phases.Begin("takes"))
            block = NativeHeap.Alloc(1, Block);

        (long Value, string Unit)[] takes = Figures(phases.Report().Split('\n')[0]);
        NativeHeap.Free(block);
        Assert.True(takes[1].Value >= Block);
        Assert.True(takes[2].Value >= 1);
        Assert.True(takes[3].Value >= Block);
    }

    [Fact]
    public void ManagedMemoryCountsToo()
    {
        // The collector's figures are approximate while other tests allocate and collect: half of a large array is beyond doubt.
        const int Large = 64 << 20;
        var phases = new Phases(BenchmarkMode.Memory);
        byte[] kept;
        using (phases.Begin("makes"))
            kept = new byte[Large];

        (long Value, string Unit)[] makes = Figures(phases.Report().Split('\n')[0]);
        Assert.True(makes[1].Value >= Large / 2);
        Assert.True(makes[3].Value >= Large / 2);
        GC.KeepAlive(kept);
    }

    [Fact]
    public void TheTotalIsThatOfTheOuterPasses()
    {
        var phases = new Phases(BenchmarkMode.Cpu);
        using (phases.Begin("outer"))
        {
            using (phases.Begin("inner"))
                Thread.Sleep(5);
        }

        long[] times = [.. phases.Report().Split('\n')[..3].Select(line => Figures(line)[0].Value)];
        Assert.True(times[1] >= 5_000_000);
        Assert.True(times[0] >= times[1]);
        Assert.Equal(times[0], times[2]);
    }

    [Fact]
    public void NothingIsReportedWhenNobodyAsks()
    {
        var phases = new Phases(BenchmarkMode.None);
        using (phases.Begin("loadlib"))
        {
        }

        Assert.Equal("", phases.Report());
    }

    [GeneratedRegex(@"(?<value>\d+) (?<unit>[A-Za-z-]+(/op)?)(\t|$)")]
    private static partial Regex Figure();

    private static (long Value, string Unit)[] Figures(string line) =>
        [.. Figure().Matches(line).Select(match => (long.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture), match.Groups["unit"].Value))];
}
