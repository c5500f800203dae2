using AotLinker.Cli;
using AotLinker.Cpu;
using AotLinker.Formats;
using AotLinker.Formats.Elf;
using AotLinker.Formats.MachO;
using AotLinker.Formats.Pe;
using AotLinker.Formats.Plan9;
using AotLinker.Formats.Wasm;
using AotLinker.Formats.Xcoff;
using AotLinker.Releases;

namespace AotLinker;

/// <summary>
/// The CPUs and object formats there are, and the ports. Adding one means a line in <see cref="Cpu"/> or <see cref="Format"/> and one in
/// <see cref="HasPort"/>, beside files of its own.
/// </summary>
internal static class TargetRegistry
{
    /// <summary>The CPU of a link's GOARCH, in the variant the link is for; null if it is not supported yet.</summary>
    public static CpuArch? Cpu(LinkOptions options) => options.GoArch switch
    {
        "386" => new I386(),
        "amd64" => new Amd64(),
        "arm64" => new Arm64(),
        "arm" => new Arm(),
        "ppc64" or "ppc64le" => new Ppc64(options.GoArch == "ppc64", options.Environment.GoPpc64, options.HeadType),
        "riscv64" => new RiscV64((options.Release ?? Release.Newest).RiscVMinLc),
        "s390x" => new S390x(options.Experiments.Has(Experiments.RegabiWrappers)),
        "loong64" => new Loong64(),
        "mips" or "mipsle" => new Mips32(options.GoArch == "mips", options.Environment.GoMips == "softfloat"),
        "mips64" or "mips64le" => new Mips64(options.GoArch == "mips64"),
        "wasm" => new Wasm(),
        _ => null,
    };

    /// <summary>Whether a release has a port: a line for each CPU with its operating systems.</summary>
    public static bool HasPort(Release release, string goos, string goarch) => goarch switch
    {
        "386" => goos is "linux" or "android" or "freebsd" or "netbsd" or "openbsd" or "plan9" or "windows",
        "amd64" => goos is "linux" or "android" or "freebsd" or "netbsd" or "openbsd" or "dragonfly" or "solaris" or "illumos" or "darwin" or "plan9"
            or "windows",
        "arm64" => goos is "linux" or "android" or "freebsd" or "netbsd" or "openbsd" or "darwin" or "windows",
        "ppc64" => goos is "aix" or "linux" or "openbsd",
        "ppc64le" => goos is "linux",
        "arm" => goos is "linux" or "android" or "freebsd" or "netbsd" or "openbsd" or "plan9" || (goos is "windows" && release.HasWindowsArm),
        "s390x" => goos is "linux",
        "loong64" => goos is "linux",
        "mips" or "mipsle" or "mips64" or "mips64le" => goos is "linux",
        "riscv64" => goos is "linux" or "freebsd" or "openbsd",
        "wasm" => goos is "js" or "wasip1",
        _ => false,
    };

    /// <summary>Whether an external linker may do the final link of such programs, as far as the command line tells.</summary>
    public static bool LinksExternally(LinkOptions options) => options.BuildMode != BuildMode.Unset && options.GoOs is
        "linux" or "android" or "freebsd" or "netbsd" or "openbsd" or "dragonfly" or "solaris" or "illumos" or "aix" or "darwin" or "windows";

    /// <summary>The object format of a target's operating system; null if it is not supported yet.</summary>
    public static OutputFormat? Format(Target target, Release release, LinkOptions options) => target.HeadType switch
    {
        _ when target.IsElf => new ElfFormat(target, release, ElfOptions.From(options)),
        HeadType.Plan9 => new Plan9Format(target, options.Plan9Symbols64),
        HeadType.Darwin when target.Cpu.MachO is { } cpu => new MachOFormat(cpu, MachOOptions.From(options, release)),
        HeadType.Windows => new PeFormat(target, release, options.WindowsGui),
        HeadType.Aix => new XcoffFormat(),
        HeadType.Js or HeadType.Wasip1 => new WasmFormat(),
        _ => null,
    };
}
