namespace AotLinker.Synthesize.Dwarf;

/// <summary>Names of source files as objects hold them, with slashes on every system, in directories and files (Go's package path).</summary>
internal static class SourcePath
{
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
            // Only a directory: its last element stands for the file.
            ReadOnlySpan<byte> trimmed = name.TrimEnd((byte)'/');
            file = trimmed.IsEmpty ? (name.IsEmpty ? "."u8 : "/"u8) : trimmed[(trimmed.LastIndexOf((byte)'/') + 1)..];
        }
    }

    /// <summary>The shortest name that means the same, as far as the text tells (path.Clean).</summary>
    public static byte[] Clean(ReadOnlySpan<byte> path)
    {
        byte[] clean = new byte[path.Length + 2];
        return clean[..SourceFileNames.CleanJoin(path, default, clean)];
    }
}
