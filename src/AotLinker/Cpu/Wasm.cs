using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// WebAssembly. Functions do not lie in memory: they are numbered, and a pc is a function's number with a place in the function, a
/// resume point, in its lower 16 bits. The program's own functions start at a number above the pages of the heap that the runtime
/// takes for no function.
/// </summary>
internal sealed class Wasm : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "wasm";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override bool IsBigEndian => false;

    /// <inheritdoc/>
    public override int MinLc => 1;

    /// <inheritdoc/>
    public override int FunctionAlign => 16;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int FixedFrameSize => 0;

    /// <inheritdoc/>
    public override bool HasLinkRegister => false;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => false;

    /// <summary>There is no debug information that would name registers.</summary>
    public override int DwarfStackRegister => 0;

    /// <inheritdoc cref="DwarfStackRegister"/>
    public override int DwarfReturnRegister => 0;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => default;

    /// <inheritdoc/>
    public override int PcUnitShift => 16;

    /// <inheritdoc/>
    public override int FirstFunctionNumber => 0x1000;

    /// <inheritdoc/>
    public override bool MarksResumePoints => true;

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc) => false;
}
