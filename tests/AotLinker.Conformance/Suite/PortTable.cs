using System.Text;

namespace AotLinker.Conformance.Suite;

/// <summary>The README's table of ports and releases: how many cases of the suite each has, and how many of them passed.</summary>
internal static class PortTable
{
    private const string Begin = "<!-- ports: written by scripts/ports.sh -->";
    private const string End = "<!-- end of ports -->";
    private const string Nothing = "–";

    /// <summary>
    /// Puts the table between its marks in a Markdown file. What it says of ports and releases that were not run stays, so that a run of hours
    /// can be made port by port.
    /// </summary>
    public static void Write(string file, IEnumerable<(Case Case, bool Passed)> results)
    {
        string text = File.ReadAllText(file);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new ConformanceException($"{file} has no place for the table of ports");
        }

        begin += Begin.Length;
        Dictionary<(string Port, string Release), string> cells = Read(text[begin..end]);
        foreach (var cell in results.GroupBy(result => (PortOf(result.Case), result.Case.Release)))
        {
            cells[cell.Key] = $"{cell.Count(one => one.Passed)} of {cell.Count()}";
        }

        File.WriteAllText(file, string.Concat(text.AsSpan(0, begin), "\n" + Make(cells), text.AsSpan(end)));
    }

    private static Dictionary<(string Port, string Release), string> Read(string table)
    {
        const string ReleasePrefix = "Go ";
        Dictionary<(string Port, string Release), string> cells = [];
        string[][] rows = [.. table.Split('\n').Where(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        foreach (string[] row in rows.Skip(2))
        {
            for (int column = 1; column < row.Length; column++)
            {
                if (row[column] != Nothing)
                {
                    cells[(row[0], rows[0][column][ReleasePrefix.Length..])] = row[column];
                }
            }
        }

        return cells;
    }

    private static string Make(Dictionary<(string Port, string Release), string> cells)
    {
        string[] releases = [.. cells.Keys.Select(cell => cell.Release).Distinct().OrderDescending()];
        StringBuilder table = new();
        table.Append("| port |").AppendJoin('|', releases.Select(release => $" Go {release} ")).Append("|\n");
        table.Append("|---|").AppendJoin('|', releases.Select(_ => "---")).Append("|\n");
        foreach (string port in cells.Keys.Select(cell => cell.Port).Distinct().Order(StringComparer.Ordinal))
        {
            table.Append($"| {port} |").AppendJoin('|', releases.Select(release => $" {cells.GetValueOrDefault((port, release), Nothing)} ")).Append("|\n");
        }

        return table.ToString();
    }

    /// <summary>The port that a case is for: names begin with it in the groups that have several; those of host objects have it further on.</summary>
    private static string PortOf(Case one)
    {
        int colon = one.Name.IndexOf(':', StringComparison.Ordinal);
        return one.Group switch
        {
            StandardSuite.PortGroup or "formats" or "readers" or "wine" => one.Name[..colon],
            StandardSuite.WasmGroup => one.Name[..colon] + "/wasm",
            _ => Port.All.LastOrDefault(port => one.Name.Contains($", {port}", StringComparison.Ordinal))?.ToString() ?? "linux/amd64",
        };
    }
}
