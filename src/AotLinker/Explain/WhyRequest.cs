namespace AotLinker.Explain;

/// <summary>What AOTLINK_WHY asks.</summary>
/// <param name="Questions">Names of symbols, import paths or patterns with stars, in order.</param>
/// <param name="File">The file that the answers go to; null for standard error.</param>
internal sealed record WhyRequest(string[] Questions, string? File)
{
    /// <summary>Reads the switches' values. Symbols' names may have all characters but line ends, so each line is a question.</summary>
    /// <returns>Null where nothing is asked.</returns>
    public static WhyRequest? Parse(string? questions, string? file)
    {
        string[] lines = (questions ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? null : new WhyRequest(lines, string.IsNullOrEmpty(file) ? null : file);
    }
}
