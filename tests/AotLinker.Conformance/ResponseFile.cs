using System.Globalization;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>
/// Response files (@file) as the go command writes them for command lines past 30 KB: since Go 1.27 quoted as GCC does,
/// before that one argument per line with backslash and line break escaped (cmd/go's encodeArg).
/// </summary>
internal static class ResponseFile
{
    /// <summary>Arguments in the syntax of a minor release ("1.27").</summary>
    public static string Format(string release, IEnumerable<string> arguments)
    {
        bool quoted = int.Parse(release.AsSpan(2), CultureInfo.InvariantCulture) >= 27;
        StringBuilder text = new();
        foreach (string argument in arguments)
        {
            text.Append(quoted ? Quote(argument) : Escape(argument)).Append('\n');
        }

        return text.ToString();
    }

    private static string Escape(string argument) =>
        argument.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Quote(string argument)
    {
        if (argument.Length > 0 && argument.AsSpan().IndexOfAny(" \t\n\r'\"\\$`") < 0)
        {
            return argument;
        }

        StringBuilder text = new("\"");
        foreach (char character in argument)
        {
            if (character is '\\' or '"' or '$' or '`')
            {
                text.Append('\\');
            }

            text.Append(character);
        }

        return text.Append('"').ToString();
    }
}
