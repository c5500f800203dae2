using AotLinker.Mapping;

namespace AotLinker;

/// <summary>
/// Text that is bytes in a program (symbol names, package paths, values) as a .NET string, without loss: by the same
/// escapes as <see cref="HostPath"/>, so that a name may become a file name and back.
/// </summary>
internal static class RawText
{
    /// <summary>Decodes bytes; never fails.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes) => HostPath.Decode(bytes);

    /// <summary>The bytes of a text: the inverse of <see cref="Decode"/>.</summary>
    public static byte[] Encode(string text) => HostPath.Encode(text);
}
