using System.Text;
using AotLinker.Mapping;

namespace AotLinker.Cli;

/// <summary>Looks at the beginning of an object to learn which release made it, where nothing else tells.</summary>
internal static class ObjectPeek
{
    // An archive's first member is the object with the export data; its header line comes within the first bytes.
    private const int Length = 512;

    /// <summary>The version in the header line of an object or of an archive's first member, or null.</summary>
    public static string? Version(string file)
    {
        // Whoever opens the file to link it reports in full why it can't.
        if (!InputStore.Shared.TryOpen(file, out InputFile? content, out _))
            return null;
        using (content)
            return Version(content.FirstBytes(Length));
    }

    /// <summary>As <see cref="Version(string)"/>, from the first bytes of the file.</summary>
    public static string? Version(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> prefix = "go object "u8;
        int start = content.IndexOf(prefix);
        if (start < 0)
            return null;
        content = content[(start + prefix.Length)..];
        int end = content.IndexOf((byte)'\n');
        if (end < 0)
            return null;

        // GOOS GOARCH VERSION [VARIANT] X:…; a development version has blanks of its own and is no release we know.
        string[] words = Encoding.UTF8.GetString(content[..end]).Split(' ');
        return words.Length < 3 ? null : words[2];
    }
}
