using System.Text;

namespace AotLinker.Mapping;

/// <summary>
/// File names between bytes and <see cref="string"/>, without loss. A POSIX path is any byte string without NUL; .NET
/// decodes arguments as UTF-8 and puts U+FFFD where the bytes are not, so such a file could never be named again. Paths
/// are therefore <see cref="RawText"/>: a byte outside well-formed UTF-8 becomes a lone surrogate and turns back. On
/// Windows paths are UTF-16 already and pass through untouched; bytes read from importcfg or response files are UTF-8
/// there, as in Go.
/// </summary>
internal static class HostPath
{
    /// <summary>The string for the bytes of a path (without a terminating NUL).</summary>
    public static string Decode(ReadOnlySpan<byte> path) => RawText.Decode(path);

    /// <summary>The bytes of a path, without a terminating NUL: the inverse of <see cref="Decode"/>.</summary>
    public static byte[] Encode(string path) => RawText.Encode(path);

    /// <summary>Writes the bytes of a path; <paramref name="destination"/> must hold 3 bytes per char.</summary>
    /// <returns>How many bytes were written.</returns>
    public static int Encode(string path, Span<byte> destination)
    {
        if (!path.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return Encoding.UTF8.GetBytes(path, destination);
        byte[] bytes = RawText.Encode(path);
        bytes.CopyTo(destination);
        return bytes.Length;
    }

    /// <summary>
    /// The process's arguments without the program's name, decoded losslessly. <paramref name="decoded"/>, what .NET
    /// passes to Main, is returned itself unless an argument shows the replacement character; only then are the raw bytes
    /// fetched from the host. A caller that has taken arguments off the front passes the remaining tail.
    /// </summary>
    public static string[] Arguments(string[] decoded)
    {
        bool suspect = false;
        foreach (string argument in decoded)
            suspect |= argument.Contains('\uFFFD');
        if (!suspect || !HostSystem.Current.TryReadRawArguments(out byte[][]? raw) || raw.Length < decoded.Length)
            return decoded;

        // Main's array is the tail of the raw one: before it stand the program and, under a shared host, its dll.
        string[] result = new string[decoded.Length];
        int skipped = raw.Length - decoded.Length;
        for (int i = 0; i < result.Length; i++)
            result[i] = Decode(raw[skipped + i]);
        return result;
    }

    /// <summary>The folder part of a path as the host sees it: "." when there is none, the root kept.</summary>
    public static string DirectoryOf(string path)
    {
        int end = LastSeparator(path);
        return end switch
        {
            < 0 => ".",
            0 => path[..1],
            _ => path[..end],
        };
    }

    /// <summary><paramref name="name"/> inside the folder that holds <paramref name="sibling"/>.</summary>
    public static string Beside(string sibling, string name)
    {
        int end = LastSeparator(sibling);
        return end < 0 ? name : string.Concat(sibling.AsSpan(0, end + 1), name);
    }

    /// <summary>Whether a path is empty or ends in a separator, so that only a folder can stand there.</summary>
    public static bool NamesNoFile(string path) => path.Length == 0 || LastSeparator(path) == path.Length - 1;

    private static int LastSeparator(string path) =>
        OperatingSystem.IsWindows() ? path.AsSpan().LastIndexOfAny('/', '\\', ':') : path.LastIndexOf('/');
}
