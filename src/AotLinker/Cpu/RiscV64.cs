using AotLinker.Formats.Elf;
using AotLinker.Releases;

namespace AotLinker.Cpu;

/// <summary>
/// 64-bit RISC-V, little-endian. Instructions have 32 bits, compressed ones 16. Far addresses are made by a pair of instructions: AUIPC
/// gives the upper 20 bits of the distance from itself, the other one the signed lower 12. A call is one JAL and reaches ±1 MiB, so every
/// program is checked for trampolines, and calls within a package may need one.
/// </summary>
/// <param name="minLc">The least length of an instruction that the release's tables count in: 4 as long as it compresses none.</param>
/// <remarks>Partial files: this one (facts), relocation, trampolines, host objects, encoding of immediates.</remarks>
internal sealed partial class RiscV64(int minLc = 2) : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "riscv64";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override bool IsBigEndian => false;

    /// <inheritdoc/>
    public override int MinLc => minLc;

    /// <inheritdoc/>
    public override int FunctionAlign => 8;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int AccessAlign(Release release) => 8;

    /// <inheritdoc/>
    public override int FixedFrameSize => 8;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => true;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 2;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 1;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => [];

    /// <inheritdoc/>
    public override bool HasLocalLabels => true;

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf => ElfRiscV64.Instance;
}
