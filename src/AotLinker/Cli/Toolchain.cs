using System.Runtime.InteropServices;
using AotLinker.Mapping;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>
/// The toolchain whose linker we stand in for: its version and what it was built with. Found from the place of the tool
/// (<c>GOROOT/pkg/tool/HOST/link</c>), else from GOROOT in the environment.
/// </summary>
internal sealed class Toolchain
{
    // Files with a version in them are far smaller; something else in their place must not be read whole.
    private const int MostVersionBytes = 64 << 10;

    private Toolchain(string? root, string? host, string version, ToolchainDefaults defaults)
    {
        Root = root;
        Version = version;
        Release = Release.ForVersion(version);
        Defaults = defaults;
        (HostOs, HostArch) = host is not null && host.IndexOf('_') is > 0 and int i
            ? (host[..i], host[(i + 1)..])
            : (RunningOs, RunningArch);
    }

    /// <summary>The toolchain's folder; null where only the objects tell the version.</summary>
    public string? Root { get; }

    /// <summary>The version as its tools print it: <c>go1.27.4</c>.</summary>
    public string Version { get; }

    /// <summary>The release the version belongs to; null for one we don't know.</summary>
    public Release? Release { get; }

    /// <summary>Whether this is a development version, whose tools print a build ID with <c>-V=full</c>.</summary>
    public bool IsDevelopment => Version.Contains("devel", StringComparison.Ordinal);

    /// <summary>What it was built with.</summary>
    public ToolchainDefaults Defaults { get; }

    /// <summary>GOOS of the machine the tools run on.</summary>
    public string HostOs { get; }

    /// <summary>GOARCH of the machine the tools run on.</summary>
    public string HostArch { get; }

    /// <summary>Go's name of the system we run on.</summary>
    public static string RunningOs =>
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsFreeBSD() ? "freebsd" : "linux";

    /// <summary>Go's name of the CPU we run on.</summary>
    public static string RunningArch => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        Architecture.Arm64 => "arm64",
        Architecture.Arm => "arm",
        Architecture.S390x => "s390x",
        Architecture.Ppc64le => "ppc64le",
        Architecture.RiscV64 => "riscv64",
        Architecture.LoongArch64 => "loong64",
        _ => "unknown",
    };

    /// <summary>The toolchain a tool belongs to, or null where the path isn't <c>GOROOT/pkg/tool/HOST/NAME</c>.</summary>
    /// <param name="tool">Path of the tool; a bare name is no path.</param>
    public static Toolchain? FromTool(string? tool)
    {
        if (string.IsNullOrEmpty(tool) || tool.AsSpan().IndexOfAny('/', '\\') < 0)
            return null;
        string? hostFolder = Path.GetDirectoryName(Path.GetFullPath(tool));
        string? toolFolder = Path.GetDirectoryName(hostFolder);
        string? packageFolder = Path.GetDirectoryName(toolFolder);
        string? root = Path.GetDirectoryName(packageFolder);
        if (root is null || Path.GetFileName(toolFolder) != "tool" || Path.GetFileName(packageFolder) != "pkg")
            return null;
        return FromRoot(root, Path.GetFileName(hostFolder));
    }

    /// <summary>The toolchain in a folder, or null where the folder has no version.</summary>
    /// <param name="root">GOROOT.</param>
    /// <param name="host">The name of the folder of its tools, <c>linux_amd64</c>, where that is known.</param>
    public static Toolchain? FromRoot(string? root, string? host = null)
    {
        if (string.IsNullOrEmpty(root))
            return null;
        string? generated = TryRead(Path.Combine(root, "src", "internal", "buildcfg", "zbootstrap.go"));
        ToolchainDefaults defaults = generated is null ? ToolchainDefaults.Standard : ToolchainDefaults.Parse(generated);

        // A release has VERSION; a development tree has the file that its build left, or only what was generated.
        string? version = FirstLine(TryRead(Path.Combine(root, "VERSION")))
            ?? defaults.Version
            ?? FirstLine(TryRead(Path.Combine(root, "VERSION.cache")));
        return version is null ? null : new Toolchain(root, host, version, defaults);
    }

    /// <summary>A toolchain of which only the version is known, from an object's header.</summary>
    public static Toolchain FromVersion(string version) => new(null, null, version, ToolchainDefaults.Standard);

    private static string? FirstLine(string? text)
    {
        if (text is null)
            return null;
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        string line = (end < 0 ? text : text[..end]).Trim();
        return line.Length == 0 ? null : line;
    }

    private static string? TryRead(string path)
    {
        if (!InputStore.Shared.TryOpen(path, out InputFile? file, out _))
            return null;
        using (file)
            return HostPath.Decode(file.FirstBytes(MostVersionBytes));
    }
}
