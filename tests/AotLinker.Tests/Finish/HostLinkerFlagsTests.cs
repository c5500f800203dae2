using AotLinker.Finish;
using AotLinker.Releases;

namespace AotLinker.Tests.Finish;

public sealed class HostLinkerFlagsTests
{
    [Theory]
    [InlineData("1.27", "-O2 -g -lm", "")]
    [InlineData("1.27", "-L /x -l m -Wl,-z,now -static", "-L /x -Wl,-z,now")]
    [InlineData("1.26", "-L /x -l m -Wl,-z,now -static", "-Wl,-z,now")]
    [InlineData("1.27", "--target arm -nostdlib -fuse-ld=gold x.o", "--target arm -nostdlib -fuse-ld=gold")]
    [InlineData("1.26", "--target arm -nostdlib -fuse-ld=gold x.o", "--target arm -fuse-ld=gold")]
    [InlineData("1.25", "--target arm -nostdlib -fuse-ld=gold x.o", "-fuse-ld=gold")]
    [InlineData("1.27", "-framework Cocoa -pthread -Wl,-rpath /lib", "-pthread")]
    [InlineData("1.27", "-L", "-L")]
    public void OnlyWhatMattersCountsWhenAnOptionIsTried(string release, string given, string expected)
    {
        List<string> kept = HostLinkerFlags.ForTrial(Release.ForVersion("go" + release)!, given.Split(' '));
        Assert.Equal(expected, string.Join(' ', kept));
    }

    [Fact]
    public void AStaticProgramHasNeitherInterpreterNorDynamicSymbols()
    {
        List<string> command = ["gcc", "-rdynamic", "-Wl,--dynamic-linker=/x", "go.o"];
        HostLinkerFlags.Add(command, ["-lm"], "-Wl,--dynamic-linker=");
        Assert.Equal("gcc -rdynamic -Wl,--dynamic-linker=/x go.o -lm", string.Join(' ', command));
        HostLinkerFlags.Add(command, ["-static"], "-Wl,--dynamic-linker=");
        Assert.Equal("gcc -static -static go.o -lm -static", string.Join(' ', command));
    }
}
