using System.Globalization;
using System.Text;

namespace AotLinker.Explain;

/// <summary>The account of the output's bytes for people.</summary>
internal static class SizesText
{
    private const int MostPackages = 30;
    private const int MostModules = 15;

    private static readonly (string Title, SizeKind[] Kinds)[] Columns =
    [
        ("text", [SizeKind.Text]),
        ("data", [SizeKind.ReadOnly, SizeKind.Data, SizeKind.Strings]),
        ("types", [SizeKind.Types, SizeKind.Itabs]),
        ("pclntab", [SizeKind.FunctionTables]),
        ("dwarf", [SizeKind.DebugInfo]),
        ("other", [SizeKind.DynamicLinking, SizeKind.Relocations, SizeKind.SymbolTable, SizeKind.Headers, SizeKind.Padding, SizeKind.Unexplained]),
    ];

    /// <summary>Writes the account.</summary>
    public static string Write(FileSizes sizes)
    {
        StringBuilder text = new();
        LinkContext ctx = sizes.Context;
        text.Append(CultureInfo.InvariantCulture, $"{sizes.Length:N0} bytes, {ctx.Target.Goos}/{ctx.Target.Goarch}, {ctx.Format.Name}");
        text.Append(ctx.Target.IsExternal ? ": the object for the external linker, whose program has other sizes\n\n" : "\n\n");

        text.Append(CultureInfo.InvariantCulture, $"{"what it is",-14}{"bytes",14}{"",8}\n");
        foreach (SizeKind kind in Enum.GetValues<SizeKind>().Where(k => sizes.Total(k) != 0).OrderByDescending(sizes.Total))
        {
            text.Append(CultureInfo.InvariantCulture, $"{kind.Name(),-14}{sizes.Total(kind),14:N0}{Percent(sizes.Total(kind), sizes.Length),8}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\n{"section",-34}{"in the file",14}{"in memory",14}\n");
        long inSections = 0;
        foreach (SizedSection section in sizes.Sections)
        {
            inSections += section.InFile;
            text.Append(CultureInfo.InvariantCulture, $"{section.Name,-34}{section.InFile,14:N0}{section.InMemory,14:N0}\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"{"between them",-34}{sizes.Length - inSections,14:N0}{"",14}\n");

        Modules modules = new(ctx.Options.StringDefinitions);
        int count = sizes.Packages.Count;
        Row[] packages = [.. Enumerable.Range(0, count).Select(p => new Row(sizes.Packages.Name(p), [p]))];
        Row[] byModule =
        [
            .. Enumerable.Range(0, count).GroupBy(p => modules.Of(sizes.Packages.Name(p)))
                .Select(g => new Row(g.Key.Version.Length == 0 ? g.Key.Path : $"{g.Key.Path} {g.Key.Version}", [.. g])),
        ];
        AddTable(text, sizes, "module", byModule, MostModules);
        AddTable(text, sizes, "package", packages, MostPackages);
        text.Append("\ndata: variables, constants and strings; types: descriptors and itabs; pclntab: what the runtime knows of functions;\n");
        text.Append("dwarf: as it is in the file, by each package's part before compression; zeroed: only in memory.\n");
        return text.ToString();
    }

    private static void AddTable(StringBuilder text, FileSizes sizes, string title, Row[] rows, int most)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n{"bytes",13}{"",8}");
        foreach ((string column, _) in Columns)
        {
            text.Append(CultureInfo.InvariantCulture, $"{column,12}");
        }
        text.Append(CultureInfo.InvariantCulture, $"{"zeroed",12}  {title}\n");
        Row[] sorted = [.. rows.Where(r => r.Total(sizes) + r.Zeroed(sizes) != 0).OrderByDescending(r => r.Total(sizes)).ThenBy(r => r.Name, StringComparer.Ordinal)];
        // No line for what is one line itself.
        int shown = sorted.Length <= most + 1 ? sorted.Length : most;
        foreach (Row row in sorted[..shown])
        {
            AddRow(text, sizes, row);
        }
        if (shown < sorted.Length)
        {
            int more = sorted.Length - shown;
            AddRow(text, sizes, new Row(string.Create(CultureInfo.InvariantCulture, $"… {more} more"), [.. sorted[shown..].SelectMany(r => r.Packages)]));
        }
        AddRow(text, sizes, new Row("all", [.. sorted.SelectMany(r => r.Packages)]));
    }

    private static void AddRow(StringBuilder text, FileSizes sizes, Row row)
    {
        long total = row.Total(sizes);
        text.Append(CultureInfo.InvariantCulture, $"{total,13:N0}{Percent(total, sizes.Length),8}");
        foreach ((_, SizeKind[] kinds) in Columns)
        {
            text.Append(CultureInfo.InvariantCulture, $"{row.Packages.Sum(p => kinds.Sum(k => sizes.Bytes(p)[(int)k])),12:N0}");
        }
        text.Append(CultureInfo.InvariantCulture, $"{row.Zeroed(sizes),12:N0}  {row.Name}\n");
    }

    private static string Percent(long part, long all) =>
        all == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / all:0.0} %");

    private sealed record Row(string Name, int[] Packages)
    {
        public long Total(FileSizes sizes) => Packages.Sum(sizes.Total);

        public long Zeroed(FileSizes sizes) => Packages.Sum(sizes.Zeroed);
    }
}
