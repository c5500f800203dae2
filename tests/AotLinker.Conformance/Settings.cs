namespace AotLinker.Conformance;

/// <summary>Folders that the suite and the scripts share; each can be moved by an environment variable.</summary>
internal static class Settings
{
    /// <summary>Root of the clone: the nearest folder above the program that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>AOTLINK_CACHE: downloads and caches (default: .cache in the clone).</summary>
    public static string Cache { get; } = FromEnvironment("AOTLINK_CACHE", Path.Combine(Root, ".cache"));

    /// <summary>AOTLINK_GOCACHE: the GOCACHE of every build made here.</summary>
    public static string GoCache { get; } = FromEnvironment("AOTLINK_GOCACHE", Path.Combine(Cache, "gocache"));

    /// <summary>AOTLINK_CAPTURES: captured link steps.</summary>
    public static string Captures { get; } = FromEnvironment("AOTLINK_CAPTURES", Path.Combine(Cache, "captures"));

    /// <summary>AOTLINK_SYSROOTS: where Debian's C libraries for other CPUs are, each in a folder of its own.</summary>
    public static string Sysroots { get; } = FromEnvironment("AOTLINK_SYSROOTS", "/usr");

    /// <summary>The Go test programs of this repository (one module).</summary>
    public static string Programs => Path.Combine(Root, "tests", "programs");

    /// <summary>A new empty folder for one use, below the system's temporary folder.</summary>
    public static string NewTemporaryFolder() => Directory.CreateTempSubdirectory("aotlink-").FullName;

    private static string FromEnvironment(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? Path.GetFullPath(value) : otherwise;

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "AotLinker.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new ConformanceException("this program runs from a clone of the repository only");
    }
}

/// <summary>A failure with a text for the user: no stack trace wanted.</summary>
internal sealed class ConformanceException(string message) : Exception(message);
