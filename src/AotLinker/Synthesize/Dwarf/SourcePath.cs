using System.Text;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>Names of source files as objects hold them: with slashes on every system (Go's package path).</summary>
internal static class SourcePath
{
    private static ReadOnlySpan<byte> GoRootVariable => "$GOROOT"u8;

    /// <summary>The name without what the compiler puts in front of it.</summary>
    public static ReadOnlySpan<byte> WithoutPrefix(ReadOnlySpan<byte> name) =>
        name.StartsWith("gofile.."u8) ? name["gofile..".Length..] : name;

    /// <summary>
    /// The name with $GOROOT replaced, if there is something to replace it with; then it is cleaned (ld.expandGoroot).
    /// </summary>
    public static byte[] Expand(ReadOnlySpan<byte> name, string goRoot) =>
        goRoot.Length != 0 && name.Length > GoRootVariable.Length && name.StartsWith(GoRootVariable)
        && name[GoRootVariable.Length] is (byte)'/' or (byte)'\\'
            ? Clean([.. RawText.Encode(goRoot), (byte)'/', .. name[GoRootVariable.Length..]])
            : name.ToArray();

    /// <summary>
    /// Takes a name apart into directory, not cleaned and with the slash at its end, and file (path.Dir, path.Base).
    /// </summary>
    public static void Split(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> directory, out ReadOnlySpan<byte> file)
    {
        int slash = name.LastIndexOf((byte)'/');
        directory = name[..(slash + 1)];
        file = name[(slash + 1)..];
        if (file.IsEmpty)
        {
            // Only a directory: it is its own name, and the last element stands for the file.
            ReadOnlySpan<byte> trimmed = name.TrimEnd((byte)'/');
            file = trimmed.IsEmpty ? (name.IsEmpty ? "."u8 : "/"u8) : trimmed[(trimmed.LastIndexOf((byte)'/') + 1)..];
        }
    }

    /// <summary>The shortest name that means the same, as far as the text tells (path.Clean).</summary>
    public static byte[] Clean(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty)
        {
            return "."u8.ToArray();
        }
        bool rooted = path[0] == (byte)'/';
        byte[] clean = new byte[path.Length + 1];
        int length = 0;
        if (rooted)
        {
            clean[length++] = (byte)'/';
        }
        // Length that ".." must not go below.
        int floor = length;
        foreach (Range part in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = path[part];
            if (name.IsEmpty || name.SequenceEqual("."u8))
            {
                continue;
            }
            bool isUp = name.SequenceEqual(".."u8);
            if (isUp && length > floor)
            {
                do
                {
                    length--;
                }
                while (length > floor && clean[length] != (byte)'/');
                continue;
            }
            if (isUp && rooted)
            {
                continue;
            }
            if (length > (rooted ? 1 : 0))
            {
                clean[length++] = (byte)'/';
            }
            name.CopyTo(clean.AsSpan(length));
            length += name.Length;
            if (isUp)
            {
                floor = length;
            }
        }
        return length == 0 ? "."u8.ToArray() : clean[..length];
    }
}
