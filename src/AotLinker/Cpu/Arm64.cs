using AotLinker.Formats.Elf;
using AotLinker.Formats.MachO;
using AotLinker.Formats.Pe;

namespace AotLinker.Cpu;

/// <summary>
/// 64-bit ARM, little-endian. Instructions have 32 bits. Addresses are made by a pair of instructions: one gives the distance in pages of
/// 4 KiB (21 bits), the other adds the low 12 bits; a relocation of 8 bytes covers both. A call reaches ±128 MiB. Functions save the
/// frame pointer below the stack pointer.
/// </summary>
/// <remarks>Partial files: this one (facts), relocation, trampolines, host objects.</remarks>
internal sealed partial class Arm64 : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "arm64";

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
    public override int FixedFrameSize => 8;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <inheritdoc/>
    public override int FramePointerSlot => 8;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => true;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 31;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 30;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => [];

    /// <inheritdoc/>
    public override bool AlwaysPieOnDarwin => true;

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf => ElfArm64.Instance;

    /// <inheritdoc/>
    public override MachOCpu MachO => MachOArm64.Instance;

    /// <inheritdoc/>
    public override PeCpu Pe => PeArm64.Instance;
}
