using System.Text;
using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed class HostTextTests
{
    public static TheoryData<byte[]> Paths => new()
    {
        Array.Empty<byte>(),
        "plain/path.a"u8.ToArray(),
        "caf\u00e9/\u65e5\u672c/\U0001F600"u8.ToArray(),
        new byte[] { 0xFF, 0xFE, (byte)'/', 0x80 },
        new byte[] { (byte)'a', 0xE9, (byte)'b' },                                // Latin-1
        new byte[] { 0xF0, 0x9F, 0x98 },                                          // a cut-off emoji
        new byte[] { 0xF0, 0x9F, 0x98, 0x80, 0xF0, 0x9F, 0x98 },                  // a whole one before it
        new byte[] { 0xED, 0xB2, 0x80 },                                          // the escape's own code point, which UTF-8 forbids
        new byte[] { 0xC0, 0x80, 0xE0, 0x80, 0x80, 0xF8, 0x88, 0x80, 0x80, 0x80 } // overlong forms
    };

    [Theory]
    [MemberData(nameof(Paths))]
    public void Any_bytes_survive_as_a_string(byte[] path) => Assert.Equal(path, HostPath.Encode(HostPath.Decode(path)));

    [Fact]
    public void Every_byte_and_every_pair_of_bytes_survives()
    {
        byte[] path = new byte[2];
        for (int i = 0; i < 65536; i++)
        {
            (path[0], path[1]) = ((byte)i, (byte)(i >> 8));
            Assert.Equal(path, HostPath.Encode(HostPath.Decode(path)));
        }
    }

    [Fact]
    public void Well_formed_text_is_the_usual_string()
    {
        const string Text = "/tmp/\u00e4\U0001F600/x";
        Assert.Equal(Text, HostPath.Decode(Encoding.UTF8.GetBytes(Text)));
        Assert.Equal(Encoding.UTF8.GetBytes(Text), HostPath.Encode(Text));
    }

    [Fact]
    public void Folders_and_siblings()
    {
        Assert.Equal(".", HostPath.DirectoryOf("a"));
        Assert.Equal("/", HostPath.DirectoryOf("/a"));
        Assert.Equal("x/y", HostPath.DirectoryOf("x/y/a"));
        Assert.Equal("t", HostPath.Beside("a", "t"));
        Assert.Equal("/t", HostPath.Beside("/a", "t"));
        Assert.Equal("x/y/t", HostPath.Beside("x/y/a", "t"));
    }

    [Theory]
    [InlineData(2, "no such file or directory", "no such file or directory")]
    [InlineData(11, "resource temporarily unavailable", "resource deadlock avoided")]
    [InlineData(12, "cannot allocate memory", "cannot allocate memory")]
    [InlineData(13, "permission denied", "permission denied")]
    [InlineData(21, "is a directory", "is a directory")]
    [InlineData(26, "text file busy", "text file busy")]
    [InlineData(28, "no space left on device", "no space left on device")]
    [InlineData(95, "operation not supported", "EMULTIHOP (Reserved)")]
    [InlineData(122, "disk quota exceeded", "errno 122")]
    [InlineData(4095, "errno 4095", "errno 4095")]
    public void Error_numbers_read_as_in_Go(int code, string linux, string darwin)
    {
        Assert.Equal(linux, ErrnoText.Linux(code));
        Assert.Equal(darwin, ErrnoText.Darwin(code));
    }
}
