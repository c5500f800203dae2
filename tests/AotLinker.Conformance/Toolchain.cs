namespace AotLinker.Conformance;

/// <summary>A Go installation that builds the programs, and whose linker is the reference.</summary>
internal sealed class Toolchain
{
    private static readonly Dictionary<string, Toolchain> Known = [];

    private readonly Lazy<string> _linkVersion;

    private Toolchain(string release, string goroot)
    {
        Release = release;
        Goroot = goroot;
        _linkVersion = new Lazy<string>(() => Command.Must([Link], ["-V=full"], Environment()).OutputText.Trim());
    }

    /// <summary>Minor release, as in "1.27".</summary>
    public string Release { get; }

    public string Goroot { get; }

    /// <summary>The go command.</summary>
    public string Go => Path.Combine(Goroot, "bin", Executable("go"));

    /// <summary>Folder of the tools: GOROOT/pkg/tool/HOST.</summary>
    public string ToolFolder
    {
        get
        {
            string tools = Path.Combine(Goroot, "pkg", "tool");
            return Directory.GetDirectories(tools).First(folder => File.Exists(Path.Combine(folder, Executable("link"))));
        }
    }

    /// <summary>The reference linker.</summary>
    public string Link => Path.Combine(ToolFolder, Executable("link"));

    /// <summary>What the reference linker prints for -V=full.</summary>
    public string LinkVersion => _linkVersion.Value;

    /// <summary>
    /// The toolchain of a release: from AOTLINK_GOROOTS (separated as PATH is), from PATH, or fetched by scripts/toolchain.sh.
    /// </summary>
    public static Toolchain Of(string release)
    {
        lock (Known)
        {
            if (!Known.TryGetValue(release, out Toolchain? toolchain))
            {
                toolchain = new Toolchain(release, Find(release));
                Known.Add(release, toolchain);
            }

            return toolchain;
        }
    }

    /// <summary>Environment that keeps a go command offline and repeatable, with more variables laid over it.</summary>
    public Dictionary<string, string> Environment(IReadOnlyDictionary<string, string>? more = null)
    {
        Dictionary<string, string> environment = new(StringComparer.Ordinal)
        {
            ["GOROOT"] = Goroot,
            ["GOTOOLCHAIN"] = "local",
            ["GOPROXY"] = "off",
            ["GOENV"] = "off",
            ["GOWORK"] = "off",
            ["GOFLAGS"] = "-buildvcs=false",
            ["GOCACHE"] = Settings.GoCache,
            ["CGO_ENABLED"] = "0",
        };
        if (!Host.RunsLinuxAmd64)
        {
            environment["GOOS"] = "linux";
            environment["GOARCH"] = "amd64";
        }

        foreach ((string name, string value) in more ?? new Dictionary<string, string>())
        {
            environment[name] = value;
        }

        return environment;
    }

    private static string Find(string release)
    {
        string? named = System.Environment.GetEnvironmentVariable("AOTLINK_GOROOTS");
        string? found = (named ?? "").Split(Path.PathSeparator).FirstOrDefault(folder => ReleaseOf(folder) == release);
        if (found is not null)
        {
            return Path.GetFullPath(found);
        }

        if (!OperatingSystem.IsWindows())
        {
            return Command.Must(["bash", Path.Combine(Settings.Root, "scripts", "toolchain.sh"), release]).OutputText.Trim();
        }

        string? onPath = (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Where(folder => File.Exists(Path.Combine(folder, Executable("go"))))
            .Select(folder => Path.GetDirectoryName(Path.GetFullPath(folder))!)
            .FirstOrDefault(folder => ReleaseOf(folder) == release);
        return onPath ?? throw new ConformanceException(
            $"Go {release} is not here: install it and put go on PATH, or set AOTLINK_GOROOTS to its folder");
    }

    /// <summary>Minor release of the Go tree in a folder by its VERSION file, or null.</summary>
    private static string? ReleaseOf(string folder)
    {
        string version = Path.Combine(folder, "VERSION");
        if (folder.Length == 0 || !File.Exists(version) || !File.Exists(Path.Combine(folder, "bin", Executable("go"))))
        {
            return null;
        }

        string line = File.ReadLines(version).FirstOrDefault() ?? "";
        string[] parts = line.Split('.', 'r', 'b', ' ');
        return line.StartsWith("go1.", StringComparison.Ordinal) ? $"1.{parts[1]}" : null;
    }

    private static string Executable(string name) => OperatingSystem.IsWindows() ? name + ".exe" : name;
}
