using AotLinker.Formats.Elf;
using AotLinker.Formats.MachO;
using AotLinker.Formats.Pe;
using AotLinker.Formats.Plan9;

namespace AotLinker.Cpu;

/// <summary>
/// x86-64. Calls push the return address, there is no link register and no trampoline: a direct call reaches ±2 GiB. Stray execution
/// between functions hits INT3.
/// </summary>
internal sealed partial class Amd64 : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "amd64";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override bool IsBigEndian => false;

    /// <inheritdoc/>
    public override int MinLc => 1;

    /// <inheritdoc/>
    public override int FunctionAlign => 32;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int FixedFrameSize => 0;

    /// <inheritdoc/>
    public override bool HasLinkRegister => false;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => true;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 7;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 16;

    /// <inheritdoc/>
    public override int CallRelocBackoff(Target target, Releases.Release release) => 1;

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => [0xCC];

    /// <inheritdoc/>
    public override ElfCpu Elf => ElfAmd64.Instance;

    /// <inheritdoc/>
    public override Plan9Cpu Plan9 => Plan9Cpu.Amd64;

    /// <inheritdoc/>
    public override MachOCpu MachO => MachOAmd64.Instance;

    /// <inheritdoc/>
    public override PeCpu Pe => PeAmd64.Instance;
}
