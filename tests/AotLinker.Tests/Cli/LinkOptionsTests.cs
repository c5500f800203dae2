using System.Text;
using AotLinker.Cli;
using AotLinker.Mapping;

namespace AotLinker.Tests.Cli;

public class LinkOptionsTests
{
    private const string Program = "/go/pkg/tool/linux_amd64/link";

    private static LinkOptions Parse(params string[] arguments) => ParseFor("go1.27.4", [], arguments);

    private static LinkOptions ParseFor(string version, Dictionary<string, string> variables, params string[] arguments)
    {
        variables.TryAdd("GOOS", "linux");
        variables.TryAdd("GOARCH", "amd64");
        return LinkOptions.Parse(Program, arguments, variables.GetValueOrDefault, Toolchain.FromVersion(version));
    }

    [Fact]
    public void ABuildOfTheGoCommandParses()
    {
        string config = Path.GetTempFileName();
        try
        {
            File.WriteAllText(config, "# import config\npackagefile fmt=/cache/fmt.a\npackagefile runtime=/cache/runtime.a\nmodinfo \"0w\\xaf\\fpath\\tx\\n\"\n");
            LinkOptions options = ParseFor(
                "go1.27.4",
                new() { ["GOROOT"] = "/go", ["GOAMD64"] = "v3" },
                "-o", "a.out", "-importcfg", config, "-X=runtime.godebugDefault=panicnil=1", "-buildmode=exe",
                "-buildid=A/B/C/D", "-extld=gcc", "--s", "main.a");

            Assert.Equal("a.out", options.Output);
            Assert.Equal("main.a", options.MainFile);
            Assert.Equal("A/B/C/D", options.BuildId);
            Assert.True(options.HostBuildIdFromGo);
            Assert.Equal(["gcc"], options.ExternalLinker);
            Assert.True(options.OmitSymbolTable);
            Assert.True(options.OmitDwarf);
            Assert.Equal("_rt0_amd64_linux", options.EntrySymbol);
            Assert.Equal(["/go/pkg/linux_amd64"], options.LibraryDirectories);
            Assert.Equal(
                "go object linux amd64 go1.27.4 GOAMD64=v3 X:regabiwrappers,regabiargs,dwarf5,jsonv2,greenteagc,randomizedheapbase64,sizespecializedmalloc",
                options.ObjectHeader);

            Assert.Equal(
                ["runtime.defaultGOROOT=/go", "runtime.buildVersion=go1.27.4", "runtime.modinfo=0w\udcaf\fpath\tx\n", "runtime.godebugDefault=panicnil=1"],
                options.StringDefinitions.Select(d => HostPath.Decode(d.Name) + "=" + HostPath.Decode(d.Value)));
            Assert.NotNull(options.ImportConfig);
            int line = options.ImportConfig.Find("fmt"u8);
            Assert.True(line >= 0);
            ReadOnlySpan<byte> file = options.ImportConfig.PackageFile(line);
            Assert.Equal("/cache/fmt.a", Encoding.UTF8.GetString(file));
            Assert.True(options.ImportConfig.Find("net"u8) < 0);
        }
        finally
        {
            File.Delete(config);
        }
    }

    [Theory]
    [InlineData("-zork", "flag provided but not defined: -zork")]
    [InlineData("-o", "flag needs an argument: -o")]
    [InlineData("-c=x", "invalid boolean value \"x\" for -c: parse error")]
    [InlineData("-v=x", "invalid boolean value \"x\" for -v: invalid count \"x\"")]
    [InlineData("-w=maybe", "invalid boolean value \"maybe\" for -w: strconv.ParseBool: parsing \"maybe\": invalid syntax")]
    [InlineData("-debugtramp=x", "invalid value \"x\" for flag -debugtramp: parse error")]
    [InlineData("-debugtramp=99999999999999999999", "invalid value \"99999999999999999999\" for flag -debugtramp: value out of range")]
    [InlineData("-buildmode=foo", "invalid value \"foo\" for flag -buildmode: invalid buildmode: \"foo\"")]
    [InlineData("-linkmode=foo", "invalid value \"foo\" for flag -linkmode: invalid linkmode: \"foo\"")]
    [InlineData("---", "bad flag syntax: ---")]
    [InlineData("-=x", "bad flag syntax: -=x")]
    [InlineData("-extldflags='abc", "invalid value \"'abc\" for flag -extldflags: unterminated ' string")]
    [InlineData("-macos=x", "invalid value \"x\" for flag -macos: invalid version \"x\"")]
    [InlineData("-H=foo", "invalid headtype: \"foo\"")]
    [InlineData("-benchmark=foo", "unknown benchmark flag: \"foo\"")]
    [InlineData("-aslr=false", "-aslr=false is only allowed for -buildmode=c-shared")]
    public void BadFlagsPrintTheMessageAndTheUsage(string argument, string message)
    {
        string[] arguments = argument == "-o" ? [argument] : [argument, "a.o"];
        LinkException failure = Assert.Throws<LinkException>(() => Parse(arguments));
        Assert.Equal(MessageForm.Bare, failure.Form);
        Assert.Equal(2, failure.ExitCode);
        Assert.StartsWith(message + "\nusage: link [options] main.o\n  -B note\n", failure.Message, StringComparison.Ordinal);
    }
}
