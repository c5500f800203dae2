using System.Buffers;
using System.Text;

namespace AotLinker;

/// <summary>
/// Text that came from outside as bytes (arguments, file names, symbol names) held in a .NET string without loss: UTF-8
/// is decoded, and each byte that isn't part of valid UTF-8 becomes the lone surrogate U+DC80 + (byte - 0x80), as in
/// Python's "surrogateescape". <see cref="Encode(string)"/> gives the same bytes back, so names that are not UTF-8 survive the
/// way from the command line to the operating system or into the program.
/// </summary>
internal static class RawText
{
    private const int EscapeBase = 0xDC00;

    /// <summary>Decodes bytes; never fails.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        Span<char> units = stackalloc char[2];
        while (bytes.Length > 0)
        {
            OperationStatus status = Rune.DecodeFromUtf8(bytes, out Rune rune, out int used);
            if (status == OperationStatus.Done)
            {
                text.Append(units[..rune.EncodeToUtf16(units)]);
            }
            else
            {
                for (int i = 0; i < used; i++)
                    text.Append((char)(EscapeBase + bytes[i]));
            }

            bytes = bytes[used..];
        }

        return text.ToString();
    }

    /// <summary>The bytes of a text, escaped bytes restored. An unpaired surrogate that escapes no byte becomes U+FFFD.</summary>
    public static byte[] Encode(string text)
    {
        if (!HasEscapes(text))
            return Encoding.UTF8.GetBytes(text);
        var bytes = new List<byte>(text.Length + 16);
        Span<byte> units = stackalloc byte[4];
        for (int i = 0; i < text.Length; i++)
        {
            if (IsEscape(text, i))
            {
                bytes.Add((byte)(text[i] - EscapeBase));
                continue;
            }

            if (!Rune.TryGetRuneAt(text, i, out Rune rune))
                rune = Rune.ReplacementChar;
            bytes.AddRange(units[..rune.EncodeToUtf8(units)]);
            i += rune.Utf16SequenceLength - 1;
        }

        return [.. bytes];
    }

    /// <summary>Whether the character at <paramref name="i"/> stands for one byte that is not UTF-8.</summary>
    public static bool IsEscape(string text, int i) =>
        text[i] is >= (char)(EscapeBase + 0x80) and <= (char)(EscapeBase + 0xFF)
        && (i == 0 || !char.IsHighSurrogate(text[i - 1]));

    private static bool HasEscapes(string text) => text.AsSpan().ContainsAnyInRange('\uDC80', '\uDCFF');
}
