using System.Text;
using AotLinker.Cli;

namespace AotLinker.Explain;

/// <summary>
/// Which module a package is of, and in which version: as the program's build information tells, which the go command makes. Where that names no
/// module for a package (GOPATH, vendored packages of programs without modules), what its import path begins with stands for one.
/// </summary>
internal sealed class Modules
{
    /// <summary>What the packages of Go's own tree are under.</summary>
    public const string Standard = "std";

    // The build information stands between two marks of this length.
    private const int MarkLength = 16;

    private readonly List<(string Path, string Version)> _modules = [];
    private readonly string? _main;

    /// <summary>The modules of a program.</summary>
    /// <param name="definitions">The values of -X, the build information among them.</param>
    public Modules(IEnumerable<StringDefinition> definitions)
    {
        foreach (StringDefinition definition in definitions)
        {
            if (definition.Name.AsSpan().SequenceEqual("runtime.modinfo"u8) && definition.Value.Length >= 2 * MarkLength)
            {
                _main = Read(Encoding.UTF8.GetString(definition.Value.AsSpan(MarkLength..^MarkLength)));
            }
        }
        // Of modules within one another the inner one counts.
        _modules.Sort(static (x, y) => y.Path.Length != x.Path.Length
            ? y.Path.Length.CompareTo(x.Path.Length) : string.CompareOrdinal(x.Path, y.Path));
    }

    /// <summary>The module of a package, and its version; none where it isn't known.</summary>
    public (string Path, string Version) Of(string package)
    {
        if (package.StartsWith('('))
        {
            return (package.StartsWith("(C", StringComparison.Ordinal) ? "(C)" : package, "");
        }
        if (package == "main")
        {
            return _main is null ? ("main", "") : Find(_main) ?? (_main, "");
        }
        if (Find(package) is { } module)
        {
            return module;
        }
        int vendor = package.LastIndexOf("/vendor/", StringComparison.Ordinal);
        string path = vendor >= 0 ? package[(vendor + "/vendor/".Length)..] : package;
        string[] elements = path.Split('/');
        if (!elements[0].Contains('.') || path.StartsWith("vendor/", StringComparison.Ordinal))
        {
            return (Standard, "");
        }
        // Sites that have an owner between their name and the repository's.
        int count = elements[0] is "github.com" or "gitlab.com" or "bitbucket.org" or "golang.org" or "go.googlesource.com" ? 3 : 2;
        return (string.Join('/', elements.Take(count)), "");
    }

    private (string Path, string Version)? Find(string package)
    {
        foreach ((string path, string version) in _modules)
        {
            if (package.StartsWith(path, StringComparison.Ordinal) && (package.Length == path.Length || package[path.Length] == '/'))
            {
                return (path, version);
            }
        }
        return null;
    }

    // Returns the import path of the main package. Format: runtime/debug.BuildInfo's.
    private string? Read(string text)
    {
        string? main = null;
        foreach (string line in text.Split('\n'))
        {
            string[] fields = line.Split('\t');
            switch (fields[0])
            {
                case "path" when fields.Length > 1:
                    main = fields[1];
                    break;
                case "mod" or "dep" when fields.Length > 2:
                    _modules.Add((fields[1], fields[2]));
                    break;
                case "=>" when fields.Length > 2 && _modules.Count != 0:
                    _modules[^1] = (_modules[^1].Path, fields[2].Length == 0 ? $"=> {fields[1]}" : $"=> {fields[1]} {fields[2]}");
                    break;
            }
        }
        return main;
    }
}
