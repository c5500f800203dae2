using System.Globalization;
using System.Text;

namespace AotLinker.Cli;

/// <summary>The few functions of Go's standard library whose results users see in messages and command lines.</summary>
internal static class GoText
{
    /// <summary>Outcome of parsing a number, with package flag's wording for the failures.</summary>
    public enum NumberStatus
    {
        /// <summary>A number.</summary>
        Ok,

        /// <summary>Not a number: "parse error".</summary>
        Syntax,

        /// <summary>A number that doesn't fit: "value out of range".</summary>
        Range,
    }

    /// <summary>Package flag's wording for a failure.</summary>
    public static string Describe(NumberStatus status) => status == NumberStatus.Range ? "value out of range" : "parse error";

    /// <summary>A Go string literal in double quotes (strconv.Quote). Bytes that are not UTF-8 (<see cref="Mapping.HostPath"/>) print as <c>\xNN</c>.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2);
        quoted.Append('"');
        for (int i = 0; i < text.Length; i++)
        {
            if (IsEscapedByte(text, i))
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\x{text[i] - '\uDC00':x2}");
                continue;
            }

            if (!Rune.TryGetRuneAt(text, i, out Rune rune))
                rune = Rune.ReplacementChar;
            i += rune.Utf16SequenceLength - 1;
            switch (rune.Value)
            {
                case '"':
                case '\\':
                    quoted.Append('\\').Append((char)rune.Value);
                    break;
                case '\a':
                    quoted.Append("\\a");
                    break;
                case '\b':
                    quoted.Append("\\b");
                    break;
                case '\f':
                    quoted.Append("\\f");
                    break;
                case '\n':
                    quoted.Append("\\n");
                    break;
                case '\r':
                    quoted.Append("\\r");
                    break;
                case '\t':
                    quoted.Append("\\t");
                    break;
                case '\v':
                    quoted.Append("\\v");
                    break;
                case < ' ' or 0x7f:
                    quoted.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                    break;
                default:
                    if (IsPrintable(rune))
                        quoted.Append(rune);
                    else if (rune.Value < 0x10000)
                        quoted.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                    else
                        quoted.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                    break;
            }
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>
    /// The bytes that a Go literal in double quotes, back quotes or single quotes stands for (strconv.Unquote), or null
    /// where it isn't one.
    /// </summary>
    public static byte[]? Unquote(ReadOnlySpan<byte> literal)
    {
        if (literal.Length < 2 || literal[0] != literal[^1])
            return null;
        byte quote = literal[0];
        ReadOnlySpan<byte> body = literal[1..^1];
        switch (quote)
        {
            case (byte)'`':
                if (body.Contains((byte)'`'))
                    return null;
                return body.Contains((byte)'\r') ? [.. body.ToArray().Where(b => b != '\r')] : body.ToArray();
            case (byte)'"' or (byte)'\'':
                break;
            default:
                return null;
        }

        var result = new List<byte>(body.Length);
        int characters = 0;
        while (body.Length > 0)
        {
            if (!UnquoteOne(ref body, quote, result))
                return null;
            characters++;
        }

        return quote == '\'' && characters != 1 ? null : [.. result];
    }

    /// <summary>
    /// A 64-bit integer as strconv.ParseInt reads it with base 0: sign, prefixes 0x, 0o, 0b and 0, and underscores
    /// between digits.
    /// </summary>
    public static NumberStatus ParseInt(string text, out long value)
    {
        value = 0;
        ReadOnlySpan<char> digits = text;
        bool negative = false;
        if (digits.Length > 0 && digits[0] is '+' or '-')
        {
            negative = digits[0] == '-';
            digits = digits[1..];
        }

        if (digits.IsEmpty)
            return NumberStatus.Syntax;
        uint radix = 10;
        bool prefixed = false;
        if (digits[0] == '0')
        {
            radix = digits.Length < 3 ? 8u : (digits[1] | 0x20) switch { 'x' => 16u, 'b' => 2u, 'o' => 8u, _ => 0u };
            if (radix == 0 || digits.Length < 3)
            {
                radix = 8;
                digits = digits[1..];
            }
            else
            {
                digits = digits[2..];
            }

            prefixed = true;
        }

        ulong limit = negative ? 1UL << 63 : long.MaxValue;
        ulong magnitude = 0;
        bool lastWasUnderscore = false;
        bool anyDigit = prefixed;
        foreach (char c in digits)
        {
            if (c == '_')
            {
                if (lastWasUnderscore || !anyDigit)
                    return NumberStatus.Syntax;
                lastWasUnderscore = true;
                continue;
            }

            uint digit = c switch
            {
                >= '0' and <= '9' => (uint)(c - '0'),
                >= 'a' and <= 'z' => (uint)(c - 'a' + 10),
                >= 'A' and <= 'Z' => (uint)(c - 'A' + 10),
                _ => uint.MaxValue,
            };
            if (digit >= radix)
                return NumberStatus.Syntax;
            lastWasUnderscore = false;
            anyDigit = true;
            UInt128 next = ((UInt128)magnitude * radix) + digit;
            if (next > ulong.MaxValue)
                return NumberStatus.Range;
            magnitude = (ulong)next;
        }

        if (lastWasUnderscore)
            return NumberStatus.Syntax;
        if (magnitude > limit)
        {
            return NumberStatus.Range;
        }

        value = negative ? (long)(0 - magnitude) : (long)magnitude;
        return NumberStatus.Ok;
    }

    /// <summary>A decimal integer with optional sign (strconv.Atoi).</summary>
    public static bool TryParseDecimal(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    /// <summary>A truth value as strconv.ParseBool reads it, or null.</summary>
    public static bool? ParseBool(string text) => text switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => null,
    };

    /// <summary>
    /// Splits a list of arguments in which single or double quotes may surround a whole argument; nothing is unescaped
    /// (cmd/internal/quoted.Split).
    /// </summary>
    /// <returns>The arguments, or null with an error text.</returns>
    public static string[]? SplitQuoted(string text, out string? error)
    {
        error = null;
        var fields = new List<string>();
        int i = 0;
        while (true)
        {
            while (i < text.Length && text[i] is ' ' or '\t' or '\n' or '\r')
                i++;
            if (i >= text.Length)
                return [.. fields];
            int start = i;
            if (text[i] is '"' or '\'')
            {
                int end = text.IndexOf(text[i], i + 1);
                if (end < 0)
                {
                    error = $"unterminated {text[i]} string";
                    return null;
                }

                fields.Add(text[(start + 1)..end]);
                i = end + 1;
                continue;
            }

            while (i < text.Length && text[i] is not (' ' or '\t' or '\n' or '\r'))
                i++;
            fields.Add(text[start..i]);
        }
    }

    /// <summary>Whether the character at <paramref name="i"/> stands for a byte that is not UTF-8 (<see cref="Mapping.HostPath"/>).</summary>
    public static bool IsEscapedByte(string text, int i) =>
        text[i] is >= '\uDC80' and <= '\uDCFF' && (i == 0 || !char.IsHighSurrogate(text[i - 1]));

    /// <summary>The last element of a path (filepath.Base, for paths that have one).</summary>
    public static string BaseName(string path)
    {
        ReadOnlySpan<char> separators = OperatingSystem.IsWindows() ? "/\\" : "/";
        string trimmed = path.TrimEnd(separators.ToArray());
        return trimmed[(trimmed.AsSpan().LastIndexOfAny(separators) + 1)..];
    }

    /// <summary>The shortest path equivalent to one with slashes, by rules on the text alone (path.Clean).</summary>
    public static string CleanPath(string path)
    {
        if (path.Length == 0)
            return ".";
        if (IsClean(path))
            return path;
        bool rooted = path[0] == '/';
        var parts = new List<string>();
        foreach (string part in path.Split('/'))
        {
            if (part is "" or ".")
                continue;
            if (part != "..")
                parts.Add(part);
            else if (parts.Count > 0 && parts[^1] != "..")
                parts.RemoveAt(parts.Count - 1);
            else if (!rooted)
                parts.Add(part);
        }

        string joined = string.Join('/', parts);
        return rooted ? "/" + joined : joined.Length == 0 ? "." : joined;
    }

    /// <summary>A folder's path and a name in it as one path, in the host's form (filepath.Join).</summary>
    public static string JoinPath(string folder, string name) =>
        OperatingSystem.IsWindows() ? CleanWindowsPath(folder + '\\' + name) : CleanPath(folder + '/' + name);

    /// <summary>The shortest path equivalent to one of Windows, which has backslashes only (filepath.Clean there).</summary>
    public static string CleanWindowsPath(string path)
    {
        string slashed = path.Replace('\\', '/');
        int volume = VolumeLength(slashed);
        string clean = volume == slashed.Length && volume > 2 ? slashed : slashed[..volume] + CleanPath(slashed[volume..]);
        return clean.Replace('/', '\\');
    }

    // "C:", or "//server/share".
    private static int VolumeLength(string slashed)
    {
        if (slashed.Length >= 2 && slashed[1] == ':')
            return 2;
        if (!slashed.StartsWith("//", StringComparison.Ordinal) || slashed.Length == 2 || slashed[2] == '/')
            return 0;
        int share = slashed.IndexOf('/', 2);
        int end = share < 0 ? -1 : slashed.IndexOf('/', share + 1);
        return end < 0 ? slashed.Length : end;
    }

    /// <summary>Whether a path is what <see cref="CleanPath"/> makes of it, as nearly all are.</summary>
    public static bool IsClean(ReadOnlySpan<char> path)
    {
        if (path.Length == 0 || path is "/" or ".")
            return path.Length != 0;
        for (int start = path[0] == '/' ? 1 : 0; start <= path.Length;)
        {
            int length = path[start..].IndexOf('/');
            ReadOnlySpan<char> part = length < 0 ? path[start..] : path.Slice(start, length);
            if (part is "" or "." or "..")
                return false;
            if (length < 0)
                break;
            start += length + 1;
        }

        return true;
    }

    // Go prints letters, marks, numbers, punctuation, symbols and the ASCII space as they are (unicode.IsPrint).
    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is
        not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    private static bool UnquoteOne(ref ReadOnlySpan<byte> body, byte quote, List<byte> result)
    {
        byte first = body[0];
        if (first == quote || first == '\n')
            return false;
        if (first != '\\')
        {
            // One character, which is a run of bytes where it is not ASCII; what isn't UTF-8 passes as it is.
            Rune.DecodeFromUtf8(body, out _, out int length);
            for (int i = 0; i < length; i++)
                result.Add(body[i]);
            body = body[length..];
            return true;
        }

        if (body.Length < 2)
            return false;
        byte kind = body[1];
        body = body[2..];
        switch (kind)
        {
            case (byte)'a':
                result.Add((byte)'\a');
                return true;
            case (byte)'b':
                result.Add((byte)'\b');
                return true;
            case (byte)'f':
                result.Add((byte)'\f');
                return true;
            case (byte)'n':
                result.Add((byte)'\n');
                return true;
            case (byte)'r':
                result.Add((byte)'\r');
                return true;
            case (byte)'t':
                result.Add((byte)'\t');
                return true;
            case (byte)'v':
                result.Add((byte)'\v');
                return true;
            case (byte)'\\':
                result.Add((byte)'\\');
                return true;
            case (byte)'x':
                return Digits(ref body, 2, 16, result, asRune: false);
            case (byte)'u':
                return Digits(ref body, 4, 16, result, asRune: true);
            case (byte)'U':
                return Digits(ref body, 8, 16, result, asRune: true);
            case >= (byte)'0' and <= (byte)'7':
                if (body.Length < 2 || body[0] is < (byte)'0' or > (byte)'7' || body[1] is < (byte)'0' or > (byte)'7')
                    return false;
                int octal = (kind - '0') << 6 | (body[0] - '0') << 3 | (body[1] - '0');
                body = body[2..];
                result.Add((byte)octal);
                return octal <= 255;
            case (byte)'"' or (byte)'\'':
                result.Add(kind);
                return kind == quote;
            default:
                return false;
        }
    }

    private static bool Digits(ref ReadOnlySpan<byte> body, int count, uint radix, List<byte> result, bool asRune)
    {
        if (body.Length < count)
            return false;
        uint value = 0;
        foreach (byte b in body[..count])
        {
            if (!char.IsAsciiHexDigit((char)b))
                return false;
            value = value * radix + (uint)(b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10);
        }

        body = body[count..];
        if (!asRune)
        {
            result.Add((byte)value);
            return true;
        }

        if (!Rune.TryCreate(value, out Rune rune))
            return false;
        Span<byte> utf8 = stackalloc byte[4];
        foreach (byte b in utf8[..rune.EncodeToUtf8(utf8)])
            result.Add(b);
        return true;
    }
}
