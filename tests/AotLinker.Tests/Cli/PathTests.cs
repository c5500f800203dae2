using AotLinker.Cli;

namespace AotLinker.Tests.Cli;

/// <summary>Paths as Go's packages path and filepath have them, filepath's of Windows on any host.</summary>
public sealed class PathTests
{
    [Theory]
    [InlineData("", ".")]
    [InlineData("a/b/../c", "a/c")]
    [InlineData("/../a//b/", "/a/b")]
    [InlineData("../a/./b", "../a/b")]
    public void PathsWithSlashesAreCleaned(string path, string clean) => Assert.Equal(clean, GoText.CleanPath(path));

    // The pairs are those that filepath.Clean is documented and tested with on Windows.
    [Theory]
    [InlineData(@"c:", @"c:.")]
    [InlineData(@"c:\", @"c:\")]
    [InlineData(@"c:\abc", @"c:\abc")]
    [InlineData(@"c:abc\..\..\.\.\..\def", @"c:..\..\def")]
    [InlineData(@"c:\abc\def\..\..", @"c:\")]
    [InlineData(@"c:\..\abc", @"c:\abc")]
    [InlineData(@"C:\Temp\go-link-1\go.o", @"C:\Temp\go-link-1\go.o")]
    [InlineData(@"C:/Temp/./go-link-1/\go.o", @"C:\Temp\go-link-1\go.o")]
    [InlineData(@"\", @"\")]
    [InlineData(@"/", @"\")]
    [InlineData(@"\\i\..\c$", @"\\i\..\c$")]
    [InlineData(@"\\server\share", @"\\server\share")]
    [InlineData(@"\\server\share\a\..\b", @"\\server\share\b")]
    [InlineData(@"//host/share/foo/../baz", @"\\host\share\baz")]
    [InlineData(@"work\b001", @"work\b001")]
    [InlineData("", ".")]
    public void PathsOfWindowsAreCleaned(string path, string clean) => Assert.Equal(clean, GoText.CleanWindowsPath(path));

    [Fact]
    public void ANameIsJoinedToAFolder()
    {
        string folder = OperatingSystem.IsWindows() ? @"C:\t" : "/t";
        Assert.Equal(folder + Path.DirectorySeparatorChar + "go.o", GoText.JoinPath(folder + "/", "go.o"));
    }
}
