using AotLinker.Formats.Elf;
using AotLinker.Releases;

namespace AotLinker.Cpu;

/// <summary>
/// LoongArch, 64 bits, little-endian, with the double-float ABI (LP64D). Calls leave the return address in R1 and reach ±128 MiB; beyond,
/// trampolines compute the target from two relocations.
/// </summary>
/// <remarks>
/// Addresses are made of pages of 4 KiB: pcalau12i adds a signed 20-bit number of pages to the page of the pc, and a signed 12-bit
/// offset follows. As that one is signed, the page is one more where the offset's highest bit is set. For distances beyond ±2 GiB two
/// more instructions set bits 32 to 51 and 52 to 63; their numbers belong to the pcalau12i 8 and 12 bytes before them.
/// </remarks>
internal sealed partial class Loong64 : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "loong64";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override bool IsBigEndian => false;

    /// <inheritdoc/>
    public override int MinLc => 4;

    /// <inheritdoc/>
    public override int FunctionAlign => 16;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int AccessAlign(Release release) => release.LoongAccessAlign;

    /// <inheritdoc/>
    public override int FixedFrameSize => 8;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => true;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 3;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 1;

    /// <summary>break 0.</summary>
    public override ReadOnlySpan<byte> CodePad => [0x00, 0x00, 0x2a, 0x00];

    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => ["-mabi=lp64d"];

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf => ElfLoong64.Instance;
}
