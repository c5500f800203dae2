using AotLinker.Load;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>
/// What this linker can do, as far as a command line tells before any object is read. Pieces of work that add a port or a
/// mode change this file. What only the objects show ends in an <see cref="UnsupportedLinkException"/> later.
/// </summary>
internal static class LinkCapability
{
    /// <summary>Ports linked so far: a line for each CPU with its operating systems.</summary>
    public static bool SupportsPort(string goos, string goarch) => goarch switch
    {
        "386" => goos is "linux" or "freebsd" or "netbsd" or "openbsd" or "plan9" or "windows",
        "amd64" => goos is "linux" or "freebsd" or "netbsd" or "openbsd" or "dragonfly" or "solaris" or "illumos" or "darwin" or "plan9"
            or "windows",
        "arm64" => goos is "linux" or "android" or "freebsd" or "netbsd" or "openbsd" or "darwin" or "windows",
        "ppc64" => goos is "aix" or "linux" or "openbsd",
        "ppc64le" => goos is "linux",
        "arm" => goos is "linux" or "freebsd" or "netbsd" or "openbsd" or "plan9",
        "s390x" => goos is "linux",
        "loong64" => goos is "linux",
        "mips" or "mipsle" or "mips64" or "mips64le" => goos is "linux",
        "riscv64" => goos is "linux" or "freebsd" or "openbsd",
        "wasm" => goos is "js" or "wasip1",
        _ => false,
    };

    /// <summary>What the link needs that we don't have, as a noun phrase for <see cref="UnsupportedLinkException"/>, or null.</summary>
    public static string? Missing(LinkOptions options)
    {
        if (options.Release is null && options.Version.Length > 0)
            return MissingRelease(options.Version);
        if (!SupportsPort(options.GoOs, options.GoArch))
            return $"linking for {options.GoOs}/{options.GoArch}";

        string? external = LinkModeDecision.ExternalReason(options, options.Release ?? Release.Newest, null, isCgo: false);
        switch (options.LinkMode)
        {
            case LinkMode.External:
                return "external linking (-linkmode=external)";
            case LinkMode.Auto when options.Environment.ExternalLinkSetting == "1":
                return "external linking (GO_EXTLINK_ENABLED=1)";
            case LinkMode.Auto when options.Environment.ExternalLinkSetting != "0" && external is not null:
                return $"external linking ({external})";
            default:
                // Internal linking of what needs the host's linker is an error, but after loading, as in cmd/link.
                break;
        }

        // Modes that cmd/link links internally on some port and we on none. A library of WebAssembly is a module like any other.
        bool isLibrary = options.GoOs == "wasip1" && options.BuildMode == BuildMode.CShared;
        if (external is null && options.BuildMode is not (BuildMode.Exe or BuildMode.Pie) && !isLibrary)
            return $"-buildmode={ModeName(options.BuildMode)}";

        // These measure the linker itself, in formats of Go's runtime.
        if (options.CpuProfile.Length > 0)
            return "-cpuprofile";
        if (options.MemoryProfile.Length > 0)
            return "-memprofile";
        if (options.BenchmarkProfile.Length > 0 && options.Benchmark != BenchmarkMode.None)
            return "-benchmarkprofile";
        return null;
    }

    /// <summary>The noun phrase for a release that isn't known.</summary>
    public static string MissingRelease(string version) => $"{version} (aotlink links {Release.KnownForMessage})";

    /// <summary>A mode as <c>-buildmode</c> names it; empty for none.</summary>
    public static string ModeName(BuildMode mode) => mode switch
    {
        BuildMode.Exe => "exe",
        BuildMode.Pie => "pie",
        BuildMode.CArchive => "c-archive",
        BuildMode.CShared => "c-shared",
        BuildMode.Shared => "shared",
        BuildMode.Plugin => "plugin",
        _ => "",
    };
}
