namespace AotLinker.Releases;

/// <summary>
/// Which ports the releases have and what each of them can do (internal/platform of each release). Only tables and
/// look-ups; what <em>we</em> can link is <see cref="Cli.LinkCapability"/>.
/// </summary>
internal static class Platforms
{
    /// <summary>Whether cmd/link has an architecture of this name.</summary>
    public static bool IsArchitecture(string goarch) => goarch is
        "386" or "amd64" or "arm" or "arm64" or "loong64" or "mips" or "mipsle" or "mips64" or "mips64le"
        or "ppc64" or "ppc64le" or "riscv64" or "s390x" or "wasm";

    /// <summary>Whether a release knows the port at all (its list of known GOOS/GOARCH pairs).</summary>
    public static bool IsPort(Release release, string goos, string goarch) => goos switch
    {
        "aix" => goarch is "ppc64",
        "android" => goarch is "386" or "amd64" or "arm" or "arm64",
        "darwin" or "ios" => goarch is "amd64" or "arm64",
        "dragonfly" or "illumos" or "solaris" => goarch is "amd64",
        "freebsd" => goarch is "386" or "amd64" or "arm" or "arm64" or "riscv64",
        "js" or "wasip1" => goarch is "wasm",
        "linux" => goarch is "386" or "amd64" or "arm" or "arm64" or "loong64" or "mips" or "mips64" or "mips64le"
            or "mipsle" or "ppc64" or "ppc64le" or "riscv64" or "s390x" or "sparc64",
        "netbsd" => goarch is "386" or "amd64" or "arm" or "arm64",
        "openbsd" => goarch is "386" or "amd64" or "arm" or "arm64" or "ppc64" or "riscv64"
            || (goarch is "mips64" && release.HasOpenBsdMips64),
        "plan9" => goarch is "386" or "amd64" or "arm",
        "windows" => goarch is "386" or "amd64" or "arm64" || (goarch is "arm" && release.HasWindowsArm),
        _ => false,
    };

    /// <summary>Whether <c>-buildmode=MODE</c> is valid for the port (BuildModeSupported).</summary>
    public static bool SupportsBuildMode(Release release, string mode, string goos, string goarch)
    {
        if (!IsPort(release, goos, goarch))
            return false;

        if (goos == "linux" && goarch == "ppc64" && !release.LinuxPpc64HasCgo)
            return mode is "exe";

        return mode switch
        {
            "exe" => true,
            "c-archive" => goos switch
            {
                "aix" or "darwin" or "ios" or "windows" => true,
                "linux" => goarch is "386" or "amd64" or "arm" or "arm64" or "loong64" or "ppc64" or "ppc64le"
                    or "riscv64" or "s390x",
                "freebsd" => goarch is "amd64",
                _ => false,
            },
            "c-shared" => goos switch
            {
                "linux" => goarch is "386" or "amd64" or "arm" or "arm64" or "loong64" or "ppc64" or "ppc64le"
                    or "riscv64" or "s390x",
                "android" or "darwin" or "wasip1" => true,
                "windows" => goarch is not "arm",
                "freebsd" => goarch is "amd64",
                _ => false,
            },
            "pie" => goos switch
            {
                "linux" => goarch is "386" or "amd64" or "arm" or "arm64" or "loong64" or "ppc64" or "ppc64le"
                    or "riscv64" or "s390x",
                "android" or "darwin" or "ios" or "windows" or "aix" => true,
                "freebsd" => goarch is "amd64",
                "openbsd" => goarch is "arm64",
                _ => false,
            },
            "shared" => goos == "linux" && goarch is "386" or "amd64" or "arm" or "arm64" or "ppc64" or "ppc64le" or "s390x",
            "plugin" => goos switch
            {
                "linux" => goarch is "386" or "amd64" or "arm" or "arm64" or "loong64" or "ppc64" or "ppc64le" or "s390x"
                    || (goarch is "riscv64" && release.RiscV64HasPlugins),
                "android" => goarch is "386" or "amd64",
                "darwin" => true,
                "freebsd" => goarch is "amd64",
                _ => false,
            },
            _ => false,
        };
    }

    /// <summary>Whether <c>-buildmode=exe</c> means a position-independent executable on the port.</summary>
    public static bool ExeIsPie(Release release, string goos, string goarch) =>
        (goarch == "arm64" && goos is "darwin" or "windows") || (goarch == "arm" && goos == "windows" && release.HasWindowsArm);

    /// <summary>Whether a PIE can be linked without an external linker (InternalLinkPIESupported).</summary>
    public static bool LinksPieInternally(Release release, string goos, string goarch) => goos switch
    {
        "android" => goarch is "arm64",
        "darwin" or "windows" => true,
        "linux" => goarch is "amd64" or "arm64" or "ppc64le" || (goarch is "loong64" && release.LoongLinksInternally)
            || (goarch is "ppc64" && release.LinuxPpc64HasCgo) || (goarch is "s390x" && release.S390xLinksPieInternally),
        _ => false,
    };

    /// <summary>Whether <c>-buildmode=c-shared</c> needs no external linker.</summary>
    public static bool LinksCSharedInternally(string goarch) => goarch == "wasm";

    /// <summary>
    /// Whether host objects of a package that elsewhere link internally need an external linker: DragonFly declares errno thread-local
    /// in a way that we do not link (ldhostobj).
    /// </summary>
    public static bool HostObjectsNeedExternalLinker(string goos, string package) =>
        goos == "dragonfly" && package is ("net" or "os/user");

    /// <summary>Whether every link for the port needs an external linker (MustLinkExternal without cgo).</summary>
    public static bool NeedsExternalLinker(string goos, string goarch) =>
        (goos == "android" && goarch != "arm64") || (goos == "ios" && goarch == "arm64");

    /// <summary>Whether a program with cgo needs an external linker on the port (MustLinkExternal with cgo).</summary>
    public static bool CgoNeedsExternalLinker(Release release, string goos, string goarch) =>
        NeedsExternalLinker(goos, goarch)
        || goarch is "mips" or "mipsle" or "mips64" or "mips64le"
        || (goarch == "loong64" && !release.LoongLinksInternally)
        || (goarch == "ppc64" && (goos == "aix" || (goos == "linux" && !release.LinuxPpc64HasCgo)))
        || (goarch == "arm64" && goos == "windows" && !release.WindowsArm64LinksCgoInternally)
        || goos is "android" or "dragonfly";

    /// <summary>Whether a port can't be linked by an external linker: its code was of another ABI than C's (determineLinkMode).</summary>
    public static bool RefusesExternalLinker(Release release, string goos, string goarch) =>
        goos == "linux" && goarch == "ppc64" && !release.LinuxPpc64HasCgo;

    /// <summary>The C compiler that links where no other is named (Link.extld).</summary>
    public static string DefaultCompiler(string goos) => goos is "darwin" or "freebsd" or "openbsd" ? "clang" : "gcc";
}
