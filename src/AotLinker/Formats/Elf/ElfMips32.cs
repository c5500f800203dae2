using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 32-bit MIPS, o32 ABI. Two sections tell how floating-point values are passed: .MIPS.abiflags, which kernels read by way of a
/// segment of its own, and .gnu.attributes for the tools. There is no procedure linkage table.
/// </summary>
/// <param name="isBigEndian">Byte order.</param>
/// <param name="softFloat">Whether floating point is done in software.</param>
internal sealed class ElfMips32(bool isBigEndian, bool softFloat) : ElfMips
{
    // Ways of passing floating-point values: pairs of 32-bit registers, as in MIPS I, or none. Go uses odd registers, so that nothing
    // newer would be true.
    private const byte FloatPairs = 1;
    private const byte FloatSoft = 3;

    /// <inheritdoc/>
    public override string FamilyName => "mips";

    /// <inheritdoc/>
    public override bool Is64 => false;

    /// <inheritdoc/>
    public override bool HasAddends => false;

    /// <summary>MIPS32, o32, calls of position-independent code.</summary>
    public override uint Flags(HeadType system, Release release) => 0x50001004;

    /// <inheritdoc/>
    public override string Interpreter(HeadType system, bool android, Release release) => android ? "" : "/lib/ld.so.1";

    /// <inheritdoc/>
    public override string MuslInterpreter(Release release) => isBigEndian ? "/lib/ld-musl-mips.so.1" : "/lib/ld-musl-mipsel.so.1";

    private byte FloatAbi => softFloat ? FloatSoft : FloatPairs;

    /// <inheritdoc/>
    public override void AddAbiSymbols(LinkContext ctx)
    {
        SymbolBuilder attributes = ctx.Symbols.Update(".gnu.attributes"u8, 0).SetKind(SymbolKind.ElfRoSect);
        attributes.AddUInt8((byte)'A');
        // Both lengths count themselves: of what GNU has to say, and of what concerns the whole file.
        attributes.AddUInt32(15);
        attributes.AddBytes("gnu\0"u8);
        attributes.AddUInt8(1);
        attributes.AddUInt32(7);
        const byte FloatTag = 4;
        attributes.AddUInt8(FloatTag);
        attributes.AddUInt8(FloatAbi);
    }

    /// <inheritdoc/>
    public override void DescribeAbiSections(LinkContext ctx, ElfFormat format)
    {
        ElfSectionHeader flags = format.Headers.Section(".MIPS.abiflags");
        flags.Type = ElfSectionType.MipsAbiFlags;
        flags.Flags = ElfSectionFlags.Alloc;
        flags.Align = 8;
        // Version 0, MIPS32 revision 1; 32-bit registers of the CPU and its floating-point unit, no second coprocessor; no extensions.
        format.Reserve(ctx, flags, [0, 0, 32, 1, 1, 1, 0, FloatAbi, .. new byte[16]], 1);
        format.Headers.AddSegment(ElfSegmentType.MipsAbiFlags, ElfSegmentFlags.Read).Cover(flags);

        ElfFormat.Describe(ctx, format.Headers.Section(".gnu.attributes"), ElfSectionType.GnuAttributes, ElfSectionFlags.None, 0, 1);
    }

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
    }

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId) =>
        throw new InvalidOperationException("32-bit MIPS programs import nothing");
}
