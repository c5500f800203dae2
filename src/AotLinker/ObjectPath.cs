namespace AotLinker;

/// <summary>Package paths as symbol names hold them (cmd/internal/objabi.PathToPrefix).</summary>
internal static class ObjectPath
{
    /// <summary>
    /// Escapes a path as <c>%xx</c> where a byte is a control character, blank, quote, percent sign, not ASCII, or a dot
    /// in the last element, so that the first dot after the last slash of a symbol's name ends its package.
    /// </summary>
    public static byte[] Escape(ReadOnlySpan<byte> path)
    {
        int slash = path.LastIndexOf((byte)'/');
        var escaped = new List<byte>(path.Length + 8);
        for (int i = 0; i < path.Length; i++)
        {
            byte c = path[i];
            if (c <= ' ' || (c == '.' && i > slash) || c is (byte)'%' or (byte)'"' or >= 0x7F)
            {
                escaped.Add((byte)'%');
                escaped.Add("0123456789abcdef"u8[c >> 4]);
                escaped.Add("0123456789abcdef"u8[c & 15]);
            }
            else
            {
                escaped.Add(c);
            }
        }

        return [.. escaped];
    }
}
