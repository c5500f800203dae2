using System.Text;

namespace AotLinker.Conformance.Suite;

/// <summary>The README's table of ports and releases: how many cases of the suite each has, and how many of them passed.</summary>
internal static class PortTable
{
    private const string Begin = "<!-- ports: written by scripts/ports.sh -->";
    private const string End = "<!-- end of ports -->";

    /// <summary>Puts the table between its marks in a Markdown file.</summary>
    public static void Write(string file, IEnumerable<(Case Case, bool Passed)> results)
    {
        string text = File.ReadAllText(file);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new ConformanceException($"{file} has no place for the table of ports");
        }

        File.WriteAllText(file, string.Concat(text.AsSpan(0, begin + Begin.Length), "\n" + Make(results), text.AsSpan(end)));
    }

    private static string Make(IEnumerable<(Case Case, bool Passed)> results)
    {
        var counted = results.Select(result => (Port: PortOf(result.Case), result.Case.Release, result.Passed)).ToArray();
        string[] releases = [.. counted.Select(one => one.Release).Distinct().OrderDescending()];
        StringBuilder table = new();
        table.Append("| port |").AppendJoin('|', releases.Select(release => $" Go {release} ")).Append("|\n");
        table.Append("|---|").AppendJoin('|', releases.Select(_ => "---")).Append("|\n");
        foreach (var port in counted.GroupBy(one => one.Port).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            table.Append("| ").Append(port.Key).Append(" |").AppendJoin('|', releases.Select(release =>
            {
                int all = port.Count(one => one.Release == release);
                int passed = port.Count(one => one.Release == release && one.Passed);
                return all == 0 ? " – " : $" {passed} of {all} ";
            })).Append("|\n");
        }

        return table.ToString();
    }

    private static string PortOf(Case one) => one.Group switch
    {
        StandardSuite.PortGroup or "formats" => one.Name[..one.Name.IndexOf(':', StringComparison.Ordinal)],
        StandardSuite.WasmGroup => one.Name[..one.Name.IndexOf(':', StringComparison.Ordinal)] + "/wasm",
        _ => "linux/amd64",
    };
}
