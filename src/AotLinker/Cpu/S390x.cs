using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// z/Architecture, big-endian. Instructions have two, four or six bytes; branches and address loads count halfwords, also those of the
/// generic call relocation, and reach ±4 GiB, so there are no trampolines. Relocated fields begin two bytes into their instruction.
/// </summary>
internal sealed partial class S390x(bool hasRegisterAbi) : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "s390x";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override bool IsBigEndian => true;

    /// <inheritdoc/>
    public override int MinLc => 2;

    /// <inheritdoc/>
    public override int FunctionAlign => 16;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 2;

    /// <inheritdoc/>
    public override int FixedFrameSize => 8;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <summary>Whether the register ABI is in use; with Go 1.26 an experiment may switch it off.</summary>
    public override bool HasRegisterAbi => hasRegisterAbi;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 15;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 14;

    /// <inheritdoc/>
    public override int CallRelocBackoff(Target target, Releases.Release release) => 2;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => default;

    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => ["-m64"];

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf => ElfS390x.Instance;
}
