namespace AotLinker.Conformance.Suite;

/// <summary>A port that is linked for, with what the suite knows of it.</summary>
/// <param name="Os">GOOS.</param>
/// <param name="Cpu">GOARCH.</param>
internal sealed record Port(string Os, string Cpu)
{
    /// <summary>Emulator of Debian's qemu-user that runs its programs; empty where there is none.</summary>
    public string Emulator { get; init; } = "";

    /// <summary>
    /// Name that Debian gives the CPU's C library for other hosts, which brings the interpreter that a position-independent program names;
    /// empty where there is none.
    /// </summary>
    public string Library { get; init; } = "";

    /// <summary>
    /// Name that GNU's tools and Debian's packages give the system: that of its C compiler in front of "-gcc", and of the folder with its C
    /// library; empty where no C compiler is tried.
    /// </summary>
    public string Triplet { get; init; } = "";

    /// <summary>Whether external linking for it is tried in every run, if the compiler is there.</summary>
    public bool IsExternalSample => Os == "linux" && Cpu is "386" or "arm64";

    /// <summary>What can be built with an external linker beside executables.</summary>
    public string[] ExternalModes { get; init; } = ["pie", "c-shared", "c-archive"];

    /// <summary>What is linked externally, beside executables, of programs without C on systems other than Linux.</summary>
    public string[] SharedModes { get; init; } = [];

    /// <summary>Whether there are plugins for it.</summary>
    public bool HasModules => Os == "linux" && ExternalModes.Length != 0;

    /// <summary>The first release that makes plugins for it; empty where all do.</summary>
    public string ModulesSince { get; init; } = "";

    /// <summary>Whether there are Go shared libraries for it.</summary>
    public bool HasSharedLibraries => HasModules && Cpu is not ("loong64" or "riscv64");

    /// <summary>
    /// Whether cmd/link makes position-independent executables for it without an external linker (platform.InternalLinkPIESupported).
    /// </summary>
    public bool HasPie { get; init; }

    /// <summary>Whether there are executables with fixed addresses too.</summary>
    public bool HasExe { get; init; } = true;

    /// <summary>The first release that makes position-independent executables for it without an external linker; empty where all do.</summary>
    public string PieSince { get; init; } = "";

    /// <summary>The last release that has the port; empty where all have it.</summary>
    public string Until { get; init; } = "";

    /// <summary>Whether calls may need trampolines.</summary>
    public bool HasTrampolines { get; init; }

    /// <summary>The environment variable that chooses a variant of the CPU.</summary>
    public string Variable { get; init; } = "";

    /// <summary>The variants that are tried, with the name of a CPU for the emulator that knows them; empty for its usual one.</summary>
    public (string Value, string EmulatedCpu)[] Variants { get; init; } = [];

    /// <summary>The first release that knows the last of the variants; empty where all do.</summary>
    public string LastVariantSince { get; init; } = "";

    /// <summary>Flags that mean something for it alone.</summary>
    public string[][] OwnFlags { get; init; } = [];

    /// <summary>Whether large tools and test binaries are linked for it.</summary>
    public bool IsDeep { get; init; }

    /// <summary>Whether hello is linked in every run for older releases too, and position-independent for the newest.</summary>
    public bool IsSample { get; init; }

    /// <summary>
    /// Whether what is particular to its system shows for amd64, too, and what is particular to its CPU under Linux: every run links no more than
    /// a minimal program.
    /// </summary>
    public bool IsMixed => Os is "freebsd" or "netbsd" or "openbsd" && Cpu != "amd64";

    /// <summary>Whether its format is neither ELF nor WebAssembly: there are cases for each such format.</summary>
    public bool HasOwnFormat => Os is "aix" or "darwin" or "plan9" or "windows";

    private static string[][] WindowsFlags => [["-H", "windowsgui"], ["-buildmode=exe", "-s", "-w"]];

    /// <summary>Whether a release has the port.</summary>
    public bool IsOf(string release) => Until.Length == 0 || string.CompareOrdinal(release, Until) <= 0;

    /// <summary>The variants that a release knows.</summary>
    public (string Value, string EmulatedCpu)[] VariantsOf(string release) =>
        string.CompareOrdinal(release, LastVariantSince) >= 0 ? Variants : Variants[..^1];

    public override string ToString() => $"{Os}/{Cpu}";

    /// <summary>The ports beside linux/amd64 and WebAssembly, which have cases of their own.</summary>
    public static readonly Port[] All =
    [
        new("aix", "ppc64"),
        new("android", "arm64") { HasPie = true, HasExe = false, HasTrampolines = true },
        new("darwin", "amd64") { HasPie = true, IsDeep = true },
        new("darwin", "arm64") { HasPie = true, IsDeep = true, IsSample = true, HasTrampolines = true },
        new("dragonfly", "amd64"),
        new("freebsd", "386"),
        new("freebsd", "amd64") { SharedModes = ["pie", "c-shared", "c-archive"] },
        new("freebsd", "arm") { HasTrampolines = true },
        new("freebsd", "arm64") { HasTrampolines = true },
        new("freebsd", "riscv64") { HasTrampolines = true, Until = "1.25" },
        new("illumos", "amd64"),
        new("linux", "386") { Triplet = "i686-linux-gnu", IsDeep = true, Variable = "GO386", Variants = [("softfloat", "")] },
        new("linux", "arm")
        {
            Emulator = "arm", Triplet = "arm-linux-gnueabihf", IsDeep = true, HasTrampolines = true,
            Variable = "GOARM", Variants = [("5", ""), ("6", ""), ("7", ""), ("7,softfloat", "")],
        },
        new("linux", "arm64")
        {
            Emulator = "aarch64", Triplet = "aarch64-linux-gnu", Library = "aarch64-linux-gnu", IsDeep = true, IsSample = true, HasPie = true, HasTrampolines = true,
            Variable = "GOARM64", Variants = [("v8.1,lse", "")],
        },
        new("linux", "loong64") { Emulator = "loongarch64", Triplet = "loongarch64-linux-gnu", IsDeep = true, HasPie = true, PieSince = "1.25", HasTrampolines = true },
        new("linux", "mips")
        {
            Emulator = "mips", Triplet = "mips-linux-gnu", ExternalModes = [], IsDeep = true, HasTrampolines = true,
            Variable = "GOMIPS", Variants = [("softfloat", "")],
        },
        new("linux", "mips64")
        {
            Emulator = "mips64", Triplet = "mips64-linux-gnuabi64", ExternalModes = [], HasTrampolines = true,
            Variable = "GOMIPS64", Variants = [("softfloat", "")],
        },
        new("linux", "mips64le")
        {
            Emulator = "mips64el", Triplet = "mips64el-linux-gnuabi64", ExternalModes = [], HasTrampolines = true,
            Variable = "GOMIPS64", Variants = [("softfloat", "")],
        },
        new("linux", "mipsle")
        {
            Emulator = "mipsel", Triplet = "mipsel-linux-gnu", ExternalModes = [], HasTrampolines = true,
            Variable = "GOMIPS", Variants = [("softfloat", "")],
        },
        new("linux", "ppc64")
        {
            Emulator = "ppc64", HasPie = true, PieSince = "1.27", HasTrampolines = true,
            Variable = "GOPPC64", Variants = [("power9", ""), ("power10", "power10")],
        },
        new("linux", "ppc64le")
        {
            Emulator = "ppc64le", Triplet = "powerpc64le-linux-gnu", Library = "powerpc64le-linux-gnu", IsDeep = true, HasPie = true, HasTrampolines = true,
            Variable = "GOPPC64", Variants = [("power9", ""), ("power10", "power10")],
        },
        new("linux", "riscv64")
        {
            Emulator = "riscv64", Triplet = "riscv64-linux-gnu", IsDeep = true, HasTrampolines = true, ModulesSince = "1.25",
            Variable = "GORISCV64", Variants = [("rva22u64", ""), ("rva23u64", "rv64,v=true")], LastVariantSince = "1.25",
        },
        new("linux", "s390x") { Emulator = "s390x", Triplet = "s390x-linux-gnu", Library = "s390x-linux-gnu", IsDeep = true, IsSample = true, HasPie = true, PieSince = "1.27" },
        new("netbsd", "386"),
        new("netbsd", "amd64"),
        new("netbsd", "arm") { HasTrampolines = true },
        new("netbsd", "arm64") { HasTrampolines = true },
        new("openbsd", "386"),
        new("openbsd", "amd64"),
        new("openbsd", "arm") { HasTrampolines = true },
        new("openbsd", "arm64") { HasTrampolines = true, SharedModes = ["pie"] },
        new("openbsd", "ppc64") { HasTrampolines = true },
        new("openbsd", "riscv64") { HasTrampolines = true },
        new("plan9", "386"),
        new("plan9", "amd64"),
        new("plan9", "arm"),
        new("solaris", "amd64"),
        new("windows", "386") { HasPie = true, OwnFlags = WindowsFlags, IsDeep = true },
        new("windows", "amd64") { HasPie = true, OwnFlags = WindowsFlags, IsDeep = true, IsSample = true },
        new("windows", "arm") { HasPie = true, HasTrampolines = true, Until = "1.25" },
        new("windows", "arm64") { HasPie = true, OwnFlags = WindowsFlags, HasTrampolines = true },
    ];
}
