using System.Text;
using AotLinker.Load;

namespace AotLinker.Tests.Load;

public sealed unsafe class ArchiveReaderTests
{
    [Theory]
    [InlineData(10, 7)]
    [InlineData(11, 200)]
    [InlineData(0, 1)]
    public void Members_are_the_same_whether_headers_are_read_ahead_or_not(int first, int second)
    {
        byte[] archive = Archive(("__.PKGDEF", first), ("_go_.o", second), ("x.o", 3));
        List<ArchiveMember> expected = Members(archive, default);
        Assert.Equal(["__.PKGDEF", "_go_.o", "x.o"], expected.Select(m => m.Name));
        Assert.Equal([first, second, 3], expected.Select(m => m.Length));
        foreach (int head in (int[])[8, 67, 68, 69, 128, 140])
        {
            // Where the head has a header, the content is not looked at.
            byte[] content = [.. archive];
            content.AsSpan(8, head >= 68 ? 60 : 0).Fill((byte)'?');
            Assert.Equal(expected, Members(content, archive.AsSpan(0, Math.Min(head, archive.Length))));
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(0)]
    public void The_first_header_tells_where_the_second_is(int first)
    {
        byte[] archive = Archive(("__.PKGDEF", first), ("_go_.o", 5));
        long second = ArchiveReader.SecondMember(archive.AsSpan(0, 68));
        Assert.Equal("_go_.o          ", Encoding.ASCII.GetString(archive, (int)second, 16));
        Assert.Equal(0, ArchiveReader.SecondMember(archive.AsSpan(0, 67)));
    }

    [Theory]
    [InlineData("12x")]
    [InlineData("-1")]
    [InlineData("")]
    public void A_damaged_size_tells_nothing_ahead_and_is_an_error_later(string size)
    {
        byte[] archive = Archive(("__.PKGDEF", 10), ("_go_.o", 5));
        Encoding.ASCII.GetBytes(size.PadRight(10)).CopyTo(archive.AsSpan(56));
        Assert.Equal(0, ArchiveReader.SecondMember(archive));
        Assert.Equal("a.a: malformed archive", Assert.Throws<LinkException>(() => Members(archive, archive)).Message);
    }

    private static List<ArchiveMember> Members(byte[] archive, ReadOnlySpan<byte> head)
    {
        fixed (byte* content = archive)
        {
            return ArchiveReader.Members(content, archive.Length, "a.a", head);
        }
    }

    private static byte[] Archive(params (string Name, int Length)[] members)
    {
        List<byte> archive = [.. "!<arch>\n"u8];
        foreach ((string name, int length) in members)
        {
            archive.AddRange(Encoding.ASCII.GetBytes($"{name,-16}{0,-12}{0,-6}{0,-6}{644,-8}{length,-10}`\n"));
            archive.AddRange(Enumerable.Repeat((byte)'.', length + (length & 1)));
        }
        return [.. archive];
    }
}
