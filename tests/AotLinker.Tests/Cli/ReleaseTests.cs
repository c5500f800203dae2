using System.Text;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Tests.Cli;

/// <summary>What releases say, against their sources.</summary>
public class ReleaseTests
{
    [Theory]
    [InlineData("go1.25.12", "1.25")]
    [InlineData("go1.26", "1.26")]
    [InlineData("go1.27-X:fieldtrack", "1.27")]
    [InlineData("go1.24.9", null)]
    [InlineData("go1.251", null)]
    [InlineData("devel go1.27-0123456789", null)]
    public void AVersionNamesItsRelease(string version, string? name) => Assert.Equal(name, Release.ForVersion(version)?.Name);

    // The last numbers of each stretch between differences (cmd/internal/objabi/reloctype_string.go).
    [Theory]
    [InlineData("1.25", nameof(RelocKind.RiscvBranch), 71)]
    [InlineData("1.25", nameof(RelocKind.PcRelDbl), 74)]
    [InlineData("1.25", nameof(RelocKind.Loong64TlsLeLo), 78)]
    [InlineData("1.25", nameof(RelocKind.Loong64TlsIeHi), 80)]
    [InlineData("1.25", nameof(RelocKind.DwTxtAddrU4), 99)]
    [InlineData("1.25", nameof(RelocKind.RiscvAdd32), -1)]
    [InlineData("1.25", nameof(RelocKind.Loong64Call36), -1)]
    [InlineData("1.26", nameof(RelocKind.RiscvBranch), 71)]
    [InlineData("1.26", nameof(RelocKind.RiscvAdd32), 72)]
    [InlineData("1.26", nameof(RelocKind.Loong64Call36), 83)]
    [InlineData("1.26", nameof(RelocKind.DwTxtAddrU4), 103)]
    public void RelocationNumbers(string release, string kind, int number) =>
        Assert.Equal(number, Of(release).RelocKinds.IndexOf((byte)Enum.Parse<RelocKind>(kind)));

    // cmd/link/internal/sym/symkind_string.go.
    [Theory]
    [InlineData("1.25", nameof(SymbolKind.FuncTab), 18)]
    [InlineData("1.25", nameof(SymbolKind.ElfRoSect), 19)]
    [InlineData("1.25", nameof(SymbolKind.ItabLink), 30)]
    [InlineData("1.25", nameof(SymbolKind.SymTab), 31)]
    [InlineData("1.25", nameof(SymbolKind.PclnTab), 32)]
    [InlineData("1.25", nameof(SymbolKind.FirstWritable), 33)]
    [InlineData("1.25", nameof(SymbolKind.MachoGot), 38)]
    [InlineData("1.25", nameof(SymbolKind.Windows), 39)]
    [InlineData("1.25", nameof(SymbolKind.ElfGot), 40)]
    [InlineData("1.25", nameof(SymbolKind.TlsBss), 58)]
    [InlineData("1.25", nameof(SymbolKind.XRef), 59)]
    [InlineData("1.25", nameof(SymbolKind.FilePath), 64)]
    [InlineData("1.25", nameof(SymbolKind.DynImport), 65)]
    [InlineData("1.25", nameof(SymbolKind.SehSect), 80)]
    [InlineData("1.25", nameof(SymbolKind.ModuleData), -1)]
    [InlineData("1.26", nameof(SymbolKind.PclnTab), 19)]
    [InlineData("1.26", nameof(SymbolKind.MachoGot), 40)]
    [InlineData("1.26", nameof(SymbolKind.SehSect), 80)]
    public void SymbolKindNumbers(string release, string kind, int number) =>
        Assert.Equal(number, Of(release).SymbolKindNumbers.IndexOf((byte)Enum.Parse<SymbolKind>(kind)));

    // cmd/internal/goobj/builtinlist.go.
    [Theory]
    [InlineData("1.25", 29, "1runtime.printfloat")]
    [InlineData("1.25", 33, "1runtime.printcomplex")]
    [InlineData("1.25", 35, "1runtime.printpointer")]
    [InlineData("1.25", 103, "1runtime.mapiterinit")]
    [InlineData("1.25", 104, "1runtime.mapIterStart")]
    [InlineData("1.25", 109, "1runtime.mapiternext")]
    [InlineData("1.25", 110, "1runtime.mapIterNext")]
    [InlineData("1.25", 111, "1runtime.mapclear")]
    [InlineData("1.26", 37, "1runtime.printquoted")]
    [InlineData("1.26", 112, "1runtime.mapclear")]
    public void Builtins(string release, int index, string line) =>
        Assert.Equal(line, Encoding.UTF8.GetString(Of(release).Builtins).Split('\n')[index]);

    [Fact]
    public void OlderReleasesRestrictFewerLinknames()
    {
        string[] old = Linknames("1.25"), newer = Linknames("1.26");
        Assert.Equal(51, old.Length);
        Assert.Equal(23, newer.Except(old).Count());
        Assert.Empty(old.Except(newer));
        Assert.Contains("testing/synctest.testingSynctestTest testing/synctest", old);
        Assert.DoesNotContain("internal/runtime/maps.rand internal/runtime/maps", old);

        static string[] Linknames(string release) =>
            Encoding.UTF8.GetString(Of(release).BlockedLinknames).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    // internal/abi.SwissMapType and OldMapType, without internal/abi.Type.
    [Theory]
    [InlineData("", 8, 64)]
    [InlineData("", 4, 32)]
    [InlineData("noswissmap", 8, 40)]
    [InlineData("noswissmap", 4, 24)]
    public void ExperimentsChangeMaps(string experiments, int pointerSize, int size)
    {
        Release release = Of("1.25");
        Assert.Null(ExperimentSet.Parse(release, "linux", "amd64", experiments, out ExperimentSet set));
        release = release.With(set);
        Assert.Equal("1.25", release.Name);
        Assert.Equal(size, release.TypeRecordExtra(GoKind.Map, pointerSize));
        Assert.Equal(experiments.Length > 0, release.HasBucketMaps);
    }

    private static Release Of(string name) => Release.ForVersion("go" + name)!;
}
