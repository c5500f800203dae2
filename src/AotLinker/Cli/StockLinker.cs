namespace AotLinker.Cli;

/// <summary>Where the linker is that we stand in for.</summary>
internal static class StockLinker
{
    /// <summary>
    /// Begins the name under which <c>aotlink install</c> keeps the toolchain's linker, beside our own: <c>link.stock</c>,
    /// on Windows <c>link.stock.exe</c>.
    /// </summary>
    public const string SavedName = "link.stock";

    /// <summary>The name of executables on this host: with ".exe" on Windows.</summary>
    public static string Executable(string name) => OperatingSystem.IsWindows() ? name + ".exe" : name;

    /// <summary>Whether a path's last element is the linker's name.</summary>
    public static bool IsLinkName(string path)
    {
        ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
        return name is "link" || (OperatingSystem.IsWindows() && name.Equals("link.exe", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The linker that <c>aotlink install</c> saved beside a tool, or null.</summary>
    public static string? SavedBeside(string? tool)
    {
        if (string.IsNullOrEmpty(tool) || !IsLinkName(tool) || Path.GetDirectoryName(Path.GetFullPath(tool)) is not { } folder)
            return null;
        string saved = Path.Combine(folder, Executable(SavedName));
        return File.Exists(saved) ? saved : null;
    }
}
