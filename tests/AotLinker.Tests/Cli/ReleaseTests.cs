using System.Text;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Tests.Cli;

/// <summary>What releases say, against their sources.</summary>
public class ReleaseTests
{
    [Theory]
    [InlineData("go1.24.4", "1.24")]
    [InlineData("go1.25.12", "1.25")]
    [InlineData("go1.26", "1.26")]
    [InlineData("go1.27-X:fieldtrack", "1.27")]
    [InlineData("go1.23.9", null)]
    [InlineData("go1.251", null)]
    [InlineData("devel go1.27-0123456789", null)]
    public void AVersionNamesItsRelease(string version, string? name) => Assert.Equal(name, Release.ForVersion(version)?.Name);

    // The last numbers of each stretch between differences (cmd/internal/objabi/reloctype_string.go).
    [Theory]
    [InlineData("1.24", nameof(RelocKind.DwarfFileRef), 32)]
    [InlineData("1.24", nameof(RelocKind.RiscvGotHi20), 67)]
    [InlineData("1.24", nameof(RelocKind.RiscvPcRelHi20), 68)]
    [InlineData("1.24", nameof(RelocKind.InitOrder), 95)]
    [InlineData("1.24", nameof(RelocKind.RiscvGotPcRelItype), -1)]
    [InlineData("1.24", nameof(RelocKind.DwTxtAddrU1), -1)]
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
    [InlineData("1.24", nameof(SymbolKind.TypeLink), 28)]
    [InlineData("1.24", nameof(SymbolKind.PclnTab), 31)]
    [InlineData("1.24", nameof(SymbolKind.MachoGot), 37)]
    [InlineData("1.24", nameof(SymbolKind.DynImport), 64)]
    [InlineData("1.24", nameof(SymbolKind.DwarfLines), 76)]
    [InlineData("1.24", nameof(SymbolKind.SehSect), 78)]
    [InlineData("1.24", nameof(SymbolKind.MachoRelRoSect), -1)]
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

    // cmd/internal/objabi/symkind_string.go.
    [Theory]
    [InlineData("1.24", 20, nameof(SymbolKind.DwarfLines))]
    [InlineData("1.24", 21, nameof(SymbolKind.LibFuzzer8BitCounter))]
    [InlineData("1.24", 24, nameof(SymbolKind.SehUnwindInfo))]
    [InlineData("1.24", 25, nameof(SymbolKind.None))]
    [InlineData("1.25", 21, nameof(SymbolKind.DwarfAddr))]
    [InlineData("1.25", 25, nameof(SymbolKind.SehUnwindInfo))]
    [InlineData("1.27", 22, nameof(SymbolKind.LibFuzzer8BitCounter))]
    public void KindsOfObjects(string release, byte number, string kind) =>
        Assert.Equal(Enum.Parse<SymbolKind>(kind), SymbolKinds.FromObject(number, Of(release).ObjectSymbolKinds));

    // cmd/internal/goobj/builtinlist.go.
    [Theory]
    [InlineData("1.24", 214, "0runtime.loong64HasLSX")]
    [InlineData("1.24", 215, "1runtime.asanregisterglobals")]
    [InlineData("1.25", 215, "0runtime.riscv64HasZbb")]
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

    // cmd/internal/hash: the size that doelf takes.
    [Theory]
    [InlineData("1.24", 20)]
    [InlineData("1.25", 32)]
    [InlineData("1.27", 32)]
    public void HashesOfSharedLibraries(string release, int size) => Assert.Equal(size, Of(release).AbiHashSize);

    [Fact]
    public void OlderReleasesRestrictFewerLinknames()
    {
        string[] old = Linknames("1.25"), newer = Linknames("1.26");
        Assert.Equal(51, old.Length);
        Assert.Equal(23, newer.Except(old).Count());
        Assert.Empty(old.Except(newer));
        Assert.Contains("testing/synctest.testingSynctestTest testing/synctest", old);
        Assert.DoesNotContain("internal/runtime/maps.rand internal/runtime/maps", old);

        string[] oldest = Linknames("1.24");
        Assert.Equal(["internal/runtime/maps.mapKeyError internal/runtime/maps"], oldest.Except(old));
        Assert.Equal(14, old.Except(oldest).Count());

        static string[] Linknames(string release) =>
            Encoding.UTF8.GetString(Of(release).BlockedLinknames).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    // internal/abi.SwissMapType and OldMapType, without internal/abi.Type.
    [Theory]
    [InlineData("1.24", "", 8, 64)]
    [InlineData("1.24", "noswissmap", 4, 24)]
    [InlineData("1.25", "", 8, 64)]
    [InlineData("1.25", "", 4, 32)]
    [InlineData("1.25", "noswissmap", 8, 40)]
    [InlineData("1.25", "noswissmap", 4, 24)]
    public void ExperimentsChangeMaps(string name, string experiments, int pointerSize, int size)
    {
        Release release = Of(name);
        Assert.Null(ExperimentSet.Parse(release, "linux", "amd64", experiments, out ExperimentSet set));
        release = release.With(set);
        Assert.Equal(name, release.Name);
        Assert.Equal(size, release.TypeRecordExtra(GoKind.Map, pointerSize));
        Assert.Equal(experiments.Length > 0, release.HasBucketMaps);
    }

    // cmd/link's own list in 1.24 (isRuntimeDepPkg), cmd/internal/objabi's later.
    [Theory]
    [InlineData("1.24", "internal/runtime/new", true)]
    [InlineData("1.24", "internal/runtime/maps_test", false)]
    [InlineData("1.24", "runtime/internal/atomic", true)]
    [InlineData("1.24", "internal/race", true)]
    [InlineData("1.25", "internal/race", false)]
    [InlineData("1.25", "internal/runtime/new", false)]
    [InlineData("1.25", "internal/runtime/strconv", true)]
    public void PackagesOfTheRuntime(string release, string path, bool isRuntime) =>
        Assert.Equal(isRuntime, Of(release).IsRuntimePackage(path));

    private static Release Of(string name) => Release.ForVersion("go" + name)!;
}
