using AotLinker.Mapping;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>
/// Arguments of the form <c>@FILE</c>, which stand for the arguments in that file; those may again name files. Quoting
/// depends on the release (cmd/internal/objabi.expandArgs): Go 1.27 follows GCC, up to Go 1.26 each line is one argument
/// in which <c>\n</c> and <c>\\</c> are escaped.
/// </summary>
internal static class ResponseFile
{
    // cmd/link recurses until its stack is full; a file that names itself is an error here.
    private const int MaxDepth = 64;

    /// <summary>Replaces <c>@FILE</c> arguments by the files' contents.</summary>
    /// <param name="arguments">The arguments, without the program's name.</param>
    /// <param name="release">The release; where it is null, the quoting is told from the file.</param>
    /// <exception cref="LinkException">A file can't be read or is malformed.</exception>
    public static IReadOnlyList<string> Expand(IReadOnlyList<string> arguments, Release? release)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i].StartsWith('@'))
            {
                var expanded = new List<string>(arguments.Count * 2);
                Expand(arguments, release, expanded, 0);
                return expanded;
            }
        }

        return arguments;
    }

    /// <summary>Takes the contents of a file apart as Go 1.27 does: separated by white space, quoted as GCC does.</summary>
    public static List<string> ParseGcc(ReadOnlySpan<byte> content)
    {
        var arguments = new List<string>();
        var argument = new List<byte>();
        bool started = false;
        byte quote = 0;
        for (int i = 0; i < content.Length; i++)
        {
            byte c = content[i];
            if (quote == '\'')
            {
                if (c == quote)
                    quote = 0;
                else
                    argument.Add(c);
            }
            else if (c == '\\')
            {
                // In double quotes a backslash escapes only what is special there; elsewhere it escapes anything. Before
                // the end of a line it joins lines.
                int lineEnd = LineEndLength(content[(i + 1)..]);
                bool last = i + 1 >= content.Length;
                if (lineEnd > 0)
                {
                    i += lineEnd;
                }
                else if (quote == 0)
                {
                    if (!last)
                    {
                        argument.Add(content[++i]);
                        started = true;
                    }
                }
                else if (!last && content[i + 1] is (byte)'\\' or (byte)'"' or (byte)'$' or (byte)'`')
                {
                    argument.Add(content[++i]);
                }
                else
                {
                    argument.Add(c);
                }
            }
            else if (quote != 0)
            {
                if (c == quote)
                    quote = 0;
                else
                    argument.Add(c);
            }
            else if (c is (byte)'\'' or (byte)'"')
            {
                quote = c;
                started = true;
            }
            else if (c is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
            {
                Finish();
            }
            else
            {
                argument.Add(c);
            }
        }

        Finish();
        return arguments;

        void Finish()
        {
            if (argument.Count == 0 && !started)
                return;
            arguments.Add(HostPath.Decode([.. argument]));
            argument.Clear();
            started = false;
        }
    }

    /// <summary>Takes the contents of a file apart as Go 1.26 does: one escaped argument on each line.</summary>
    /// <exception cref="LinkException">A backslash escapes something else than <c>n</c> or a backslash.</exception>
    public static List<string> ParseLines(ReadOnlySpan<byte> content)
    {
        // The carriage returns go wherever they are, then the white space around the whole.
        string text = HostPath.Decode(content).Replace("\r", "", StringComparison.Ordinal).Trim();
        var arguments = new List<string>();
        foreach (string line in text.Split('\n'))
            arguments.Add(line.Contains('\\') ? Unescape(line) : line);
        return arguments;
    }

    private static void Expand(IReadOnlyList<string> arguments, Release? release, List<string> expanded, int depth)
    {
        foreach (string argument in arguments)
        {
            if (!argument.StartsWith('@'))
            {
                expanded.Add(argument);
                continue;
            }

            string file = argument[1..];
            if (depth == MaxDepth)
                throw new LinkException(MessageForm.Log, $"response files nest too deeply at {file}");
            if (!InputStore.Shared.TryOpen(file, out InputFile? content, out string? error))
                throw new LinkException(MessageForm.Log, error);
            using (content)
                Expand(Parse(content.AllBytes(), release), release, expanded, depth + 1);
        }
    }

    private static List<string> Parse(ReadOnlySpan<byte> content, Release? release) =>
        (release?.ResponseFilesHoldLines ?? LooksLikeLines(content)) ? ParseLines(content) : ParseGcc(content);

    // Without a release: a line with a blank outside quotes can only come from a go command that doesn't quote, for the
    // newer one puts such an argument in double quotes.
    private static bool LooksLikeLines(ReadOnlySpan<byte> content)
    {
        foreach (Range range in content.Trim(" \t\r\n"u8).Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = content.Trim(" \t\r\n"u8)[range];
            if (line.Length > 0 && line[0] is not ((byte)'"' or (byte)'\'') && line.IndexOf((byte)' ') >= 0)
                return true;
        }

        return false;
    }

    private static int LineEndLength(ReadOnlySpan<byte> rest) =>
        rest.StartsWith("\n"u8) ? 1 : rest.StartsWith("\r\n"u8) ? 2 : 0;

    private static string Unescape(string line)
    {
        var text = new System.Text.StringBuilder(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            // Where a line has escapes Go 1.26 goes through it rune by rune, which loses what isn't UTF-8.
            if (line[i] != '\\')
            {
                text.Append(GoText.IsEscapedByte(line, i) ? '\uFFFD' : line[i]);
                continue;
            }

            // A backslash at the very end escapes nothing and is dropped.
            if (++i == line.Length)
                break;
            text.Append(line[i] switch
            {
                '\\' => '\\',
                'n' => '\n',
                _ => throw new LinkException(MessageForm.Bare, "panic: badly formatted input"),
            });
        }

        return text.ToString();
    }
}
