using System.Text;
using AotLinker.Cli;
using AotLinker.Releases;

namespace AotLinker.Tests.Cli;

public sealed class ResponseFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aotlink-rsp-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", "")]
    [InlineData("a b\tc\r\nd\n", "a|b|c|d")]
    [InlineData("'a b' \"c d\"", "a b|c d")]
    [InlineData("'' \"\" x", "||x")]
    [InlineData("a'b'\"c\"d", "abcd")]
    [InlineData("'a\\b'", "a\\b")]
    [InlineData("\"\\\\ \\\" \\$ \\` \\n\"", "\\ \" $ ` \\n")]
    [InlineData("a\\ b \\'c", "a b|'c")]
    [InlineData("a\\\nb \"c\\\r\nd\"", "ab|cd")]
    [InlineData("a\\\rb", "a\rb")]
    [InlineData("\"a\\\rb\"", "a\\\rb")]
    [InlineData("a\\", "a")]
    [InlineData("\"a\\", "a\\")]
    [InlineData("'unclosed", "unclosed")]
    public void GccQuoting(string content, string expected) =>
        Assert.Equal(expected, string.Join('|', ResponseFile.ParseGcc(Encoding.UTF8.GetBytes(content))));

    [Theory]
    [InlineData("", "")]
    [InlineData("a b\nc\n", "a b|c")]
    [InlineData("  a\r\n\r\nb  \n\n", "a||b")]
    [InlineData("'a' \"b\"", "'a' \"b\"")]
    [InlineData("a\\nb\\\\c", "a\nb\\c")]
    [InlineData("a\\", "a")]
    public void Lines(string content, string expected) =>
        Assert.Equal(expected, string.Join('|', ResponseFile.ParseLines(Encoding.UTF8.GetBytes(content))));

    [Fact]
    public void BytesThatAreNotUtf8Survive()
    {
        Assert.Equal(["x\udcffy"], ResponseFile.ParseGcc([(byte)'x', 0xff, (byte)'y']));
        Assert.Equal(["x\udcff"], ResponseFile.ParseLines([(byte)'x', 0xff]));
        Assert.Equal(["\ufffd\\"], ResponseFile.ParseLines([0xff, (byte)'\\', (byte)'\\']));
    }

    [Fact]
    public void ABadEscapeInALineIsAnError() =>
        Assert.Equal("panic: badly formatted input", Assert.Throws<LinkException>(() => ResponseFile.ParseLines("a\\xb"u8)).Message);

    [Theory]
    [InlineData("1.26", "-X=a.b=1 2|-s")]
    [InlineData("1.27", "-X=a.b=1|2|-s")]
    [InlineData("", "-X=a.b=1 2|-s")]
    public void TheReleaseDecides(string release, string expected)
    {
        string file = Write("args", "-X=a.b=1 2\n-s\n");
        Assert.Equal(
            "-v|" + expected + "|main.a",
            string.Join('|', ResponseFile.Expand(["-v", "@" + file, "main.a"], Release.ForVersion("go" + release))));
    }

    [Fact]
    public void WithoutAReleaseQuotesTell()
    {
        string file = Write("args", "\"-X=a.b=1 2\"\n-s\n");
        Assert.Equal(["-X=a.b=1 2", "-s"], ResponseFile.Expand(["@" + file], null));
    }

    [Fact]
    public void FilesMayNameFilesButNotThemselves()
    {
        string inner = Write("inner", "-s");
        string outer = Write("outer", $"-v @{inner}");
        Assert.Equal(["-v", "-s", "x"], ResponseFile.Expand(["@" + outer, "x"], Release.Newest));

        string loop = Path.Combine(_folder, "loop");
        File.WriteAllText(loop, "@" + loop);
        LinkException failure = Assert.Throws<LinkException>(() => ResponseFile.Expand(["@" + loop], Release.Newest));
        Assert.Contains(loop, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnreadableFileIsLoggedWithExitCodeOne()
    {
        LinkException failure = Assert.Throws<LinkException>(() => ResponseFile.Expand(["@" + _folder + "/missing"], Release.Newest));
        Assert.Equal($"open {_folder}/missing: no such file or directory", failure.Message);
        Assert.Equal(MessageForm.Log, failure.Form);
        Assert.Equal(1, failure.ExitCode);
    }

    private string Write(string name, string content)
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllText(file, content);
        return file;
    }
}
