using AotLinker.Cli;

namespace AotLinker.Tests.Cli;

/// <summary>Install and uninstall in a GOROOT of small files; real toolchains are the conformance suite's.</summary>
public sealed class InstallerTests : IDisposable
{
    private readonly FakeToolchain _go = new();
    private readonly string _self = Path.GetTempFileName();
    private readonly StringWriter _said = new();
    private readonly Probe _probe;

    public InstallerTests()
    {
        _probe = new Probe(_go);
        File.WriteAllBytes(_go.Link, FakeToolchain.GoProgram("stock"));
        File.WriteAllBytes(_self, FakeToolchain.AotLink("new"));
    }

    public void Dispose()
    {
        _go.Dispose();
        File.Delete(_self);
        _said.Dispose();
    }

    [Fact]
    public void InstallAndUninstall()
    {
        DateTime made = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_go.Link, made);
        Make().Install();
        Assert.Equal(FakeToolchain.AotLink("new"), File.ReadAllBytes(_go.Link));
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Saved));
        Assert.Equal(2, _probe.Built.Count);
        Assert.Equal(_probe.Built[0], _probe.Built[1]);
        Assert.False(Directory.Exists(_probe.Built[0]));
        Assert.Equal(_go.Saved, StockLinker.SavedBeside(_go.Link));

        Make().Uninstall();
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Link));
        Assert.Equal(made, File.GetLastWriteTimeUtc(_go.Link));
        Assert.Equal([_go.Link], Directory.GetFiles(_go.ToolFolder));
    }

    [Fact]
    public void InstallingTwiceChangesNothing()
    {
        Make().Install();
        Make().Install();
        Assert.Contains("this aotlink already", _said.ToString(), StringComparison.Ordinal);
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Saved));
        Assert.Equal(2, Directory.GetFiles(_go.ToolFolder).Length);
    }

    [Fact]
    public void AnOlderAotlinkIsReplacedAndTheOriginalKept()
    {
        File.WriteAllBytes(_go.Saved, FakeToolchain.GoProgram("stock"));
        File.WriteAllBytes(_go.Link, FakeToolchain.AotLink("old"));
        Make().Install();
        Assert.Equal(FakeToolchain.AotLink("new"), File.ReadAllBytes(_go.Link));
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Saved));
    }

    [Fact]
    public void AnUpgradedToolchainReplacesWhatWasSaved()
    {
        File.WriteAllBytes(_go.Saved, FakeToolchain.GoProgram("stock of long ago"));
        Make().Install();
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Saved));
        Assert.Equal(FakeToolchain.AotLink("new"), File.ReadAllBytes(_go.Link));
    }

    [Fact]
    public void UninstallAfterAnUpgradeLeavesTheNewLinker()
    {
        File.WriteAllBytes(_go.Saved, FakeToolchain.GoProgram("stock of long ago"));
        Make().Uninstall();
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Link));
        Assert.False(File.Exists(_go.Saved));
    }

    [Fact]
    public void AnInterruptedInstallIsUndone()
    {
        File.Move(_go.Link, _go.Saved);
        Make().Uninstall();
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Link));

        File.Move(_go.Link, _go.Saved);
        Make().Install();
        Assert.Equal(FakeToolchain.AotLink("new"), File.ReadAllBytes(_go.Link));
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Saved));
    }

    [Fact]
    public void ADifferentProgramRollsBack()
    {
        _probe.Differs = true;
        LinkException failure = Assert.Throws<LinkException>(Make().Install);
        Assert.Contains("differs", failure.Message, StringComparison.Ordinal);
        AssertUntouched();
    }

    [Fact]
    public void AFailingBuildRollsBack()
    {
        _probe.FailsWith = _go.Link;
        Assert.Throws<LinkException>(Make().Install);
        AssertUntouched();
    }

    [Fact]
    public void AnotherVersionLineRollsBack()
    {
        _probe.OurVersion = "version go1.27.4 X:nodwarf5";
        Assert.Throws<LinkException>(Make().Install);
        AssertUntouched();
    }

    [Fact]
    public void ALinkerThatIsNotTheToolchainsIsRefused()
    {
        _probe.StockVersion = "version go1.27.3";
        LinkException failure = Assert.Throws<LinkException>(Make().Install);
        Assert.Contains("go1.27.3", failure.Message, StringComparison.Ordinal);
        AssertUntouched();

        // As when a package manager brought all of a toolchain but the linker.
        File.Move(_go.Link, _go.Saved);
        File.WriteAllBytes(_go.Link, FakeToolchain.AotLink("old"));
        Assert.Throws<LinkException>(Make().Uninstall);
        Assert.Equal(FakeToolchain.AotLink("old"), File.ReadAllBytes(_go.Link));
    }

    [Fact]
    public void WhatCouldNotBeUndoneIsRefused()
    {
        File.WriteAllBytes(_go.Link, FakeToolchain.AotLink("old"));
        Assert.Throws<LinkException>(Make().Install);
        Assert.Throws<LinkException>(Make().Uninstall);
        Assert.Equal(FakeToolchain.AotLink("old"), File.ReadAllBytes(_go.Link));
    }

    [Fact]
    public void AnythingElseInThePlaceIsLeftAlone()
    {
        File.WriteAllText(_go.Link, "#!/bin/sh\n");
        Assert.Throws<LinkException>(Make().Install);
        Assert.Throws<LinkException>(Make().Uninstall);
        Assert.Equal("#!/bin/sh\n", File.ReadAllText(_go.Link));

        File.WriteAllBytes(_go.Link, FakeToolchain.GoProgram("stock"));
        File.WriteAllText(_go.Saved, "somebody's notes");
        Assert.Throws<LinkException>(Make().Install);
        Assert.Equal("somebody's notes", File.ReadAllText(_go.Saved));
    }

    [Fact]
    public void OnlyAProgramOfItsOwnInstallsItself()
    {
        File.WriteAllText(_self, "not aotlink");
        Assert.Throws<LinkException>(Make().Install);
        AssertUntouched();
    }

    [Fact]
    public void UninstallWithoutInstallIsRefused()
    {
        Assert.Throws<LinkException>(Make().Uninstall);
        AssertUntouched();
    }

    [Fact]
    public void AnUnknownReleaseIsRefused()
    {
        File.WriteAllText(Path.Combine(_go.Root, "VERSION"), "go1.23.1\n");
        LinkException failure = Assert.Throws<LinkException>(Make().Install);
        Assert.Contains("Go 1.24, Go 1.25, Go 1.26 and Go 1.27", failure.Message, StringComparison.Ordinal);
        AssertUntouched();
    }

    [Fact]
    public void AFolderThatIsNoToolchainIsRefused()
    {
        File.Delete(Path.Combine(_go.Root, "VERSION"));
        Assert.Throws<LinkException>(Make);
        Assert.Throws<LinkException>(() => new Installer(_go.ToolFolder, _self, _said, _probe));
    }

    [Fact]
    public void ASymbolicLinkComesBackAsOne()
    {
        if (OperatingSystem.IsWindows())
            return;
        string elsewhere = Path.Combine(_go.Root, "the-linker");
        File.Move(_go.Link, elsewhere);
        File.CreateSymbolicLink(_go.Link, "../../../the-linker");
        Make().Install();
        Assert.Null(new FileInfo(_go.Link).LinkTarget);
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(elsewhere));
        Make().Uninstall();
        Assert.Equal("../../../the-linker", new FileInfo(_go.Link).LinkTarget);
    }

    [Fact]
    public void AReadOnlyFolderIsRefused()
    {
        // The superuser may write anywhere, so the folder is one that nobody can write in.
        if (!OperatingSystem.IsLinux() || !Directory.Exists("/proc/self/task"))
            return;
        string tools = Path.Combine(_go.Root, "pkg", "tool");
        Directory.Delete(_go.ToolFolder, recursive: true);
        File.CreateSymbolicLink(Path.Combine(tools, $"{Toolchain.RunningOs}_{Toolchain.RunningArch}"), "/proc/self");
        LinkException failure = Assert.Throws<LinkException>(Make().Install);
        Assert.Contains("can't write in", failure.Message, StringComparison.Ordinal);
        Assert.Contains("-toolexec", failure.Message, StringComparison.Ordinal);
    }

    private Installer Make() => new(_go.Root, _self, _said, _probe);

    private void AssertUntouched()
    {
        Assert.Equal(FakeToolchain.GoProgram("stock"), File.ReadAllBytes(_go.Link));
        Assert.Equal([_go.Link], Directory.GetFiles(_go.ToolFolder));
    }

    private sealed class Probe(FakeToolchain go) : IToolchainProbe
    {
        public bool Differs { get; set; }

        public string? FailsWith { get; set; }

        public string StockVersion { get; set; } = "version go1.27.4";

        public string OurVersion { get; set; } = "version go1.27.4";

        public List<string> Built { get; } = [];

        public string VersionOf(string tool) => ToolKinds.Of(tool) == ToolKind.AotLink ? OurVersion : StockVersion;

        public byte[] BuildProgram(string folder)
        {
            Assert.True(Directory.Exists(folder));
            Built.Add(folder);
            bool ours = ToolKinds.Of(go.Link) == ToolKind.AotLink;
            if (ours && FailsWith is not null)
                throw new LinkException("a test build failed");
            return [1, 2, (byte)(ours && Differs ? 4 : 3)];
        }
    }
}
