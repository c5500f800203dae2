using AotLinker.Cli;
using AotLinker.Formats.Elf;
using AotLinker.Formats.Pe;
using AotLinker.Formats.Plan9;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Cpu;

/// <summary>
/// 32-bit ARM, little-endian, ARM instructions only. A call keeps the return address in a register and reaches ±32 MiB; beyond that it
/// takes a trampoline. A call's relocation carries the whole instruction as its addend, whose lower 24 bits are the distance in words.
/// Reading the program counter gives the address of the instruction after next.
/// </summary>
internal sealed partial class Arm : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "arm";

    /// <inheritdoc/>
    public override int PointerSize => 4;

    /// <inheritdoc/>
    public override bool IsBigEndian => false;

    /// <inheritdoc/>
    public override int MinLc => 4;

    /// <inheritdoc/>
    public override int FunctionAlign => 4;

    /// <inheritdoc/>
    public override int MaxAlign => 8;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int AccessAlign(Release release) => 4;

    /// <inheritdoc/>
    public override int FixedFrameSize => 4;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => false;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 13;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 14;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => default;

    /// <summary>What a call reaches, less some room for the PLT and the like.</summary>
    public override ulong TrampolineLimit => 0x1c00000;

    /// <inheritdoc/>
    public override int MaxTrampolineSize => 20;

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf => ElfArm.Instance;

    /// <inheritdoc/>
    public override Plan9Cpu Plan9 => Plan9Cpu.Arm;

    /// <inheritdoc/>
    public override PeCpu Pe => PeArm.Instance;

    /// <summary>The runtime looks up which instructions the compiler was allowed (GOARM).</summary>
    public override void DefineVariant(LinkContext ctx)
    {
        BuildEnvironment environment = ctx.Options.Environment;
        Define("runtime.goarm"u8, (byte)environment.GoArmVersion);
        Define("runtime.goarmsoftfp"u8, environment.GoArmSoftFloat ? (byte)1 : (byte)0);

        void Define(ReadOnlySpan<byte> name, byte value) =>
            ctx.Symbols.Update(name, 0).SetKind(SymbolKind.NoPtrData).SetSize(0).AddUInt8(value);
    }
}
