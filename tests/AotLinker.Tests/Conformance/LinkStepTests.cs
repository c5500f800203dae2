using AotLinker.Conformance;

namespace AotLinker.Tests.Conformance;

public sealed class LinkStepTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aotlink-test-").FullName;

    public LinkStepTests()
    {
        File.WriteAllText(Path.Combine(_folder, "main.a"), "main");
        File.WriteAllText(Path.Combine(_folder, "fmt.a"), "fmt");
        File.WriteAllLines(Path.Combine(_folder, "importcfg"), [$"packagefile fmt={_folder}/fmt.a", "modinfo \"x=y\""]);
        File.WriteAllLines(Path.Combine(_folder, "args"), ["-o", LinkStep.OutputMark, "-importcfg", LinkStep.ImportConfigMark, "-buildmode=exe", LinkStep.MainMark]);
        File.WriteAllLines(Path.Combine(_folder, "env"), ["GOROOT=/x=y", "GOOS=linux"]);
        File.WriteAllText(Path.Combine(_folder, "tool"), "/x/link\n");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void FlagsComeBeforeTheMainArchive()
    {
        LinkStep step = LinkStep.Load(_folder);
        Assert.Equal(
            ["-o", "/out", "-importcfg", Path.Combine(_folder, "importcfg"), "-buildmode=exe", "-s", "-w", Path.Combine(_folder, "main.a")],
            step.CommandLine("/out", ["-s", "-w"]));
        Assert.Equal("/x=y", step.Environment["GOROOT"]);
        Assert.Equal("/x/link", step.Tool);
    }

    [Fact]
    public void StepIsCompleteAsLongAsItsObjectFilesAreThere()
    {
        LinkStep step = LinkStep.Load(_folder);
        Assert.True(step.IsComplete());
        Assert.Equal($"{_folder}/fmt.a", step.PackageFile("fmt"));
        Assert.Throws<ConformanceException>(() => step.PackageFile("os"));
        File.Delete(Path.Combine(_folder, "fmt.a"));
        Assert.False(step.IsComplete());
    }

    [Fact]
    public void HashSeesInputsAndNotTheFolder()
    {
        string before = LinkStep.Load(_folder).InputHash;
        string copy = _folder + "-copy";
        try
        {
            Assert.Equal(before, LinkStep.Load(_folder).CopyTo(copy).InputHash);
            File.AppendAllText(Path.Combine(copy, "main.a"), "changed");
            Assert.NotEqual(before, LinkStep.Load(copy).InputHash);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    [Theory]
    [InlineData("cmd/go", "cmd_go")]
    [InlineData("strings.test", "strings.test")]
    [InlineData("example.test/a-b [x.test]", "example.test_a-b")]
    public void FolderNames(string importPath, string expected) => Assert.Equal(expected, Capture.FolderName(importPath));
}
