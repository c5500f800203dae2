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

/// <summary>The CPUs and object formats there are. Adding one means one line here and one file of its own.</summary>
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
        "riscv64" => new RiscV64(),
        "s390x" => new S390x(options.Experiments.Has(Experiments.RegabiWrappers)),
        "loong64" => new Loong64(),
        "mips" or "mipsle" => new Mips32(options.GoArch == "mips", options.Environment.GoMips == "softfloat"),
        "mips64" or "mips64le" => new Mips64(options.GoArch == "mips64"),
        "wasm" => new Wasm(),
        _ => null,
    };

    /// <summary>The object format of a target's operating system; null if it is not supported yet.</summary>
    public static OutputFormat? Format(Target target, Release release, LinkOptions options) => target.HeadType switch
    {
        _ when target.IsElf => new ElfFormat(target, release, ElfOptions.From(options)),
        HeadType.Plan9 => new Plan9Format(target, options.Plan9Symbols64),
        HeadType.Darwin when target.Cpu.MachO is { } cpu => new MachOFormat(cpu, MachOOptions.From(options, release)),
        HeadType.Windows => new PeFormat(target, options.WindowsGui),
        HeadType.Aix => new XcoffFormat(),
        HeadType.Js or HeadType.Wasip1 => new WasmFormat(),
        _ => null,
    };
}
