using System.Text;

namespace AotLinker.Load;

/// <summary>Import paths as symbol prefixes.</summary>
internal static class ImportPath
{
    /// <summary>
    /// The path as it starts symbol names: control characters, space, percent, quote and bytes past ASCII become %xx, and so do dots in
    /// the last element (objabi.PathToPrefix).
    /// </summary>
    public static string Escape(string path)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        int slash = bytes.AsSpan().LastIndexOf((byte)'/');
        StringBuilder? escaped = null;
        for (int i = 0; i < bytes.Length; i++)
        {
            byte c = bytes[i];
            if (c <= ' ' || (c == '.' && i > slash) || c is (byte)'%' or (byte)'"' or >= 0x7f)
            {
                escaped ??= new StringBuilder(Encoding.UTF8.GetString(bytes, 0, i));
                escaped.Append('%').Append("0123456789abcdef"[c >> 4]).Append("0123456789abcdef"[c & 15]);
            }
            else
            {
                escaped?.Append((char)c);
            }
        }
        return escaped?.ToString() ?? path;
    }
}
