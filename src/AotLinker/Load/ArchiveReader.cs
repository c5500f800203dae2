using System.Text;

namespace AotLinker.Load;

/// <summary>One member of an archive: a slice of the file.</summary>
/// <param name="Name">Member name as stored, without padding; at most 16 bytes.</param>
/// <param name="Offset">File offset of the content.</param>
/// <param name="Length">Length of the content in bytes.</param>
internal readonly record struct ArchiveMember(string Name, long Offset, long Length);

/// <summary>Walks a Unix archive ("!&lt;arch&gt;\n", 60-byte member headers on even offsets).</summary>
internal static class ArchiveReader
{
    /// <summary>Bytes of a member's header.</summary>
    public const int HeaderSize = 60;

    /// <summary>The archive magic.</summary>
    public static ReadOnlySpan<byte> Magic => "!<arch>\n"u8;

    /// <summary>Lists the members of the archive in <paramref name="content"/>.</summary>
    /// <exception cref="LinkException">A header is cut off or malformed, or a member reaches past the end of the file.</exception>
    /// <param name="content">The archive.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="head">Its first bytes, where they need not be looked for in the content.</param>
    public static unsafe List<ArchiveMember> Members(byte* content, long length, string file, ReadOnlySpan<byte> head = default)
    {
        List<ArchiveMember> members = [];
        for (long at = Magic.Length; at < length;)
        {
            at += at & 1;
            if (at == length)
            {
                break;
            }
            if (length - at < HeaderSize)
            {
                throw new LinkException($"{file}: malformed archive");
            }
            ReadOnlySpan<byte> header = at + HeaderSize <= head.Length ? head.Slice((int)at, HeaderSize) : new(content + at, HeaderSize);
            if (header[58] != '`' || header[59] != '\n' || !TryParseSize(header[48..58], out long size))
            {
                throw new LinkException($"{file}: malformed archive");
            }
            at += HeaderSize;
            string name = Encoding.Latin1.GetString(header[..16]).TrimEnd(' ');
            if (size > length - at)
            {
                throw new LinkException($"{file}: truncated archive: {name} ends past the end of the file");
            }
            members.Add(new ArchiveMember(name, at, size));
            at += size;
        }
        return members;
    }

    /// <summary>Where the second member's header is expected, going by the first bytes of an archive; 0 if they don't tell.</summary>
    public static long SecondMember(ReadOnlySpan<byte> head)
    {
        int content = Magic.Length + HeaderSize;
        return head.Length >= content && TryParseSize(head[(content - 12)..(content - 2)], out long size) && size < long.MaxValue / 2
            ? content + size + (size & 1)
            : 0;
    }

    private static bool TryParseSize(ReadOnlySpan<byte> field, out long size)
    {
        size = 0;
        field = field.TrimEnd((byte)' ');
        if (field.IsEmpty)
        {
            return false;
        }
        foreach (byte c in field)
        {
            if (c is < (byte)'0' or > (byte)'9')
            {
                return false;
            }
            size = (size * 10) + (c - '0');
        }
        return true;
    }
}
