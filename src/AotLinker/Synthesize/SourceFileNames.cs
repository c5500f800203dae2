namespace AotLinker.Synthesize;

/// <summary>Names of source files as the output has them (ld.expandFile).</summary>
internal static class SourceFileNames
{
    private static ReadOnlySpan<byte> Prefix => "gofile.."u8;

    private static ReadOnlySpan<byte> RootVariable => "$GOROOT"u8;

    /// <summary>The file's name without the object format's prefix.</summary>
    public static ReadOnlySpan<byte> WithoutPrefix(ReadOnlySpan<byte> name) => name.StartsWith(Prefix) ? name[Prefix.Length..] : name;

    /// <summary>
    /// The file's name without the object format's prefix, and with the real path where it begins with $GOROOT.
    /// </summary>
    /// <param name="name">The name in an object's file list.</param>
    /// <param name="root">GOROOT as UTF-8; empty leaves the variable in the name.</param>
    /// <param name="expanded">Holds the result if it is not a part of <paramref name="name"/>.</param>
    public static ReadOnlySpan<byte> Expand(ReadOnlySpan<byte> name, ReadOnlySpan<byte> root, ref byte[] expanded)
    {
        name = WithoutPrefix(name);
        if (root.IsEmpty || name.Length <= RootVariable.Length || !name.StartsWith(RootVariable)
            || name[RootVariable.Length] is not ((byte)'/' or (byte)'\\'))
        {
            return name;
        }
        int most = root.Length + 1 + name.Length;
        if (expanded.Length < most)
        {
            expanded = new byte[Math.Max(most, 256)];
        }
        int length = CleanJoin(root, name[RootVariable.Length..], expanded);
        return expanded.AsSpan(0, length);
    }

    /// <summary>
    /// Joins two paths and drops empty, "." and ".." elements (path.Join). Returns the length; <paramref name="result"/> must hold both
    /// and a slash.
    /// </summary>
    public static int CleanJoin(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> result)
    {
        bool rooted = first.IsEmpty ? second.StartsWith("/"u8) : first[0] == '/';
        int length = 0;
        // Elements in front of this offset are never dropped: the root, or leading "..".
        int keep = 0;
        if (rooted)
        {
            result[length++] = (byte)'/';
            keep = 1;
        }
        AddElements(first, result);
        AddElements(second, result);
        if (length == 0)
        {
            result[length++] = (byte)'.';
        }
        return length;

        void AddElements(ReadOnlySpan<byte> path, Span<byte> to)
        {
            while (!path.IsEmpty)
            {
                int slash = path.IndexOf((byte)'/');
                ReadOnlySpan<byte> element = slash < 0 ? path : path[..slash];
                path = slash < 0 ? default : path[(slash + 1)..];
                if (element.IsEmpty || element.SequenceEqual("."u8))
                {
                    continue;
                }
                bool isParent = element.SequenceEqual(".."u8);
                if (isParent && length > keep)
                {
                    int last = to[keep..length].LastIndexOf((byte)'/');
                    length = last < 0 ? keep : keep + last;
                    continue;
                }
                if (isParent && rooted)
                {
                    continue;
                }
                if (length > 0 && to[length - 1] != '/')
                {
                    to[length++] = (byte)'/';
                }
                element.CopyTo(to[length..]);
                length += element.Length;
                if (isParent)
                {
                    keep = length;
                }
            }
        }
    }
}
