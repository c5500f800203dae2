using AotLinker.Cpu;

namespace AotLinker;

/// <summary>What is built (-buildmode).</summary>
internal enum BuildMode
{
    /// <summary>Not given.</summary>
    Unset,
    /// <summary>Executable.</summary>
    Exe,
    /// <summary>Position-independent executable.</summary>
    Pie,
    /// <summary>C archive.</summary>
    CArchive,
    /// <summary>C shared library.</summary>
    CShared,
    /// <summary>Go shared library.</summary>
    Shared,
    /// <summary>Go plugin.</summary>
    Plugin,
}

/// <summary>Who links (-linkmode).</summary>
internal enum LinkMode
{
    /// <summary>Decided from the inputs.</summary>
    Auto,
    /// <summary>We do.</summary>
    Internal,
    /// <summary>The host's linker does.</summary>
    External,
}

/// <summary>The operating system of the output, as far as it decides the format, numbered as -v shows it (cmd/internal/objabi.HeadType).</summary>
internal enum HeadType
{
    /// <summary>Not decided.</summary>
    Unknown,
    /// <summary>darwin, ios.</summary>
    Darwin,
    /// <summary>dragonfly.</summary>
    DragonFly,
    /// <summary>freebsd.</summary>
    FreeBsd,
    /// <summary>js.</summary>
    Js,
    /// <summary>linux, android.</summary>
    Linux,
    /// <summary>netbsd.</summary>
    NetBsd,
    /// <summary>openbsd.</summary>
    OpenBsd,
    /// <summary>plan9.</summary>
    Plan9,
    /// <summary>solaris, illumos.</summary>
    Solaris,
    /// <summary>wasip1.</summary>
    Wasip1,
    /// <summary>windows.</summary>
    Windows,
    /// <summary>aix.</summary>
    Aix,
}

/// <summary>
/// What the link is for: CPU, operating system, format, build mode. Answers the questions passes ask (cmd/link ld.Target), so that no
/// pass names a CPU or a system itself.
/// </summary>
internal sealed class Target
{
    /// <summary>GOOS.</summary>
    public required string Goos { get; init; }

    /// <summary>GOARCH.</summary>
    public required string Goarch { get; init; }

    /// <summary>The CPU.</summary>
    public required CpuArch Cpu { get; init; }

    /// <summary>The operating system as the header type.</summary>
    public required HeadType HeadType { get; init; }

    /// <summary>Build mode.</summary>
    public required BuildMode BuildMode { get; init; }

    /// <summary>Link mode; Auto until load has decided.</summary>
    public LinkMode LinkMode { get; set; }

    /// <summary>Whether functions have ABI wrappers, so that ABIInternal is a version of its own (regabiwrappers).</summary>
    public bool HasAbiWrappers => Cpu.HasRegisterAbi;

    /// <summary>Version of ABIInternal symbols.</summary>
    public int AbiInternalVersion => HasAbiWrappers ? 1 : 0;

    /// <summary>Bytes in a pointer.</summary>
    public int PointerSize => Cpu.PointerSize;

    /// <summary>Byte order.</summary>
    public bool IsBigEndian => Cpu.IsBigEndian;

    /// <summary>Whether the output is an ELF file.</summary>
    public bool IsElf => HeadType is HeadType.DragonFly or HeadType.FreeBsd or HeadType.Linux or HeadType.NetBsd or HeadType.OpenBsd or HeadType.Solaris;

    /// <summary>Position-independent executable.</summary>
    public bool IsPie => BuildMode == BuildMode.Pie;

    /// <summary>Plain executable.</summary>
    public bool IsExe => BuildMode == BuildMode.Exe;

    /// <summary>We do the final link.</summary>
    public bool IsInternal => LinkMode == LinkMode.Internal;

    /// <summary>The host's linker does the final link.</summary>
    public bool IsExternal => LinkMode == LinkMode.External;

    /// <summary>Whether Go code of this output lives in several modules at run time (DynlinkingGo).</summary>
    public bool IsDynlinkingGo => BuildMode is BuildMode.Shared or BuildMode.Plugin || IsLinkShared || CanUsePlugins;

    /// <summary>-linkshared.</summary>
    public bool IsLinkShared { get; init; }

    /// <summary>Whether the program may load plugins. Set by load.</summary>
    public bool CanUsePlugins { get; set; }

    /// <summary>Whether read-only data that needs run-time relocation has sections of its own (UseRelro).</summary>
    public bool UseRelro => BuildMode switch
    {
        BuildMode.CArchive or BuildMode.CShared or BuildMode.Shared or BuildMode.Pie or BuildMode.Plugin =>
            IsElf || HeadType is HeadType.Aix or HeadType.Darwin,
        _ => (HeadType == HeadType.Darwin && Cpu.AlwaysPieOnDarwin) || IsLinkShared || (HeadType == HeadType.Aix && IsExternal),
    };

    /// <summary>Whether debug information is made for this system and whoever does the final link (dwarfEnabled).</summary>
    public bool HasDwarf => HeadType != HeadType.Plan9
        && (!IsExternal || IsElf || HeadType is HeadType.Aix or HeadType.Darwin or HeadType.Windows);

    /// <summary>Whether debug information is in the 64-bit format, as XCOFF's tools want it (isDwarf64).</summary>
    public bool HasDwarf64 => HeadType == HeadType.Aix;

    /// <summary>Whether debug information names gdb's script for the runtime: some linkers cannot take the section.</summary>
    public bool HasGdbScripts => HeadType != HeadType.Aix && !(IsExternal && HeadType == HeadType.Windows && BuildMode == BuildMode.CArchive);

    /// <summary>
    /// Whether a program that an external linker links has to have cgo, by which its start knows that the C library sets up thread-local
    /// storage. Where Go's place in that is fixed, it doesn't.
    /// </summary>
    public bool NeedsCgoExternally => HeadType != HeadType.Darwin || Cpu.AlwaysPieOnDarwin || BuildMode == BuildMode.Plugin;

    /// <summary>
    /// Whether debug information is put together by a program that follows the addresses and offsets in it: those of an object are complete
    /// then, and references within debug information have no relocations, which would only confuse it.
    /// </summary>
    public bool CompletesExternalDwarf => HeadType == HeadType.Darwin;

    /// <summary>
    /// Whether fields that are left to an external linker hold what they would if the object were a program, because that linker only adds by
    /// how much things move.
    /// </summary>
    public bool HoldsObjectAddresses => HeadType == HeadType.Aix;

    /// <summary>Whether debuggers are Apple's, which want locations in a form of their own.</summary>
    public bool HasAppleDebugger => Goos is "darwin" or "ios";

    /// <summary>Whether all executables are dynamic, even those that import nothing.</summary>
    public bool IsAlwaysDynamic => HeadType is HeadType.Darwin or HeadType.Solaris;

    /// <summary>Whether runtime.tlsg is a variable of the output; one system keeps a slot of its own and warns about others.</summary>
    public bool HasTlsVariable => Goos != "android";

    /// <summary>Whether functions are reached by descriptors and data by a table of contents, as XCOFF has it.</summary>
    public bool HasFunctionDescriptors => HeadType == HeadType.Aix;

    /// <summary>Whether the format makes its table of exports on its own, from the symbols' attributes.</summary>
    public bool FormatListsExports => HeadType is HeadType.Darwin or HeadType.Aix;

    /// <summary>Whether system calls go through the C library, so that the output is always dynamic (UsesLibc).</summary>
    public bool UsesLibc => HeadType is HeadType.Aix or HeadType.Darwin or HeadType.OpenBsd or HeadType.Solaris or HeadType.Windows;
}
