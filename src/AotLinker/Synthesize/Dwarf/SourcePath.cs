using System.Text;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>Names of source files as objects hold them: with slashes on every system (Go's package path).</summary>
internal static class SourcePath
{
    /// <summary>
    /// A file name from an object's table with the compiler's prefix taken off and $GOROOT replaced, if there is something to replace it
    /// with (ld.expandFile).
    /// </summary>
    public static string Expand(string name, string goRoot)
    {
        const string Prefix = "gofile..";
        const string Variable = "$GOROOT";
        if (name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            name = name[Prefix.Length..];
        }
        return goRoot.Length != 0 && name.Length > Variable.Length && name.StartsWith(Variable, StringComparison.Ordinal)
            && name[Variable.Length] is '/' or '\\'
            ? Clean(goRoot + "/" + name[Variable.Length..])
            : name;
    }

    /// <summary>The last element (path.Base).</summary>
    public static string Base(string path)
    {
        if (path.Length == 0)
        {
            return ".";
        }
        string trimmed = path.TrimEnd('/');
        return trimmed.Length == 0 ? "/" : trimmed[(trimmed.LastIndexOf('/') + 1)..];
    }

    /// <summary>All but the last element, cleaned (path.Dir).</summary>
    public static string Directory(string path) => Clean(path[..(path.LastIndexOf('/') + 1)]);

    /// <summary>The shortest path that means the same, as far as the text tells (path.Clean).</summary>
    public static string Clean(string path)
    {
        if (path.Length == 0)
        {
            return ".";
        }
        bool rooted = path[0] == '/';
        StringBuilder clean = new(rooted ? "/" : "", path.Length);
        // Length that ".." must not go below.
        int floor = clean.Length;
        foreach (Range part in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> name = path.AsSpan()[part];
            if (name.IsEmpty || name is ".")
            {
                continue;
            }
            if (name is ".." && clean.Length > floor)
            {
                int at = clean.Length - 1;
                while (at > floor && clean[at] != '/')
                {
                    at--;
                }
                clean.Length = at;
                continue;
            }
            if (name is ".." && rooted)
            {
                continue;
            }
            if (clean.Length > (rooted ? 1 : 0))
            {
                clean.Append('/');
            }
            clean.Append(name);
            if (name is "..")
            {
                floor = clean.Length;
            }
        }
        return clean.Length == 0 ? "." : clean.ToString();
    }
}
