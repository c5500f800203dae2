using System.Diagnostics.CodeAnalysis;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 32-bit MIPS, o32 ABI. Two sections tell how floating-point values are passed: .MIPS.abiflags, which kernels read by way of a
/// segment of its own, and .gnu.attributes for the tools. There is no procedure linkage table.
/// </summary>
internal sealed class ElfMips32 : ElfMips
{
    // Ways of passing floating-point values: pairs of 32-bit registers, as in MIPS I, or none. Go uses odd registers, so that nothing
    // newer would be true.
    private const byte FloatPairs = 1;
    private const byte FloatSoft = 3;

    private readonly byte _floatAbi;

    /// <param name="isBigEndian">Byte order.</param>
    /// <param name="softFloat">Whether floating point is done in software.</param>
    [SetsRequiredMembers]
    public ElfMips32(bool isBigEndian, bool softFloat)
        : base(
            "mips",
            is64: false,
            flags: 0x50001004, // MIPS32, o32, calls of position-independent code
            interpreter: "/lib/ld.so.1",
            muslInterpreter: isBigEndian ? "/lib/ld-musl-mips.so.1" : "/lib/ld-musl-mipsel.so.1")
    {
        _floatAbi = softFloat ? FloatSoft : FloatPairs;
        AbiSections = [".MIPS.abiflags", ".gnu.attributes"];
    }

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
        attributes.AddUInt8(_floatAbi);
    }

    /// <inheritdoc/>
    public override void DescribeAbiSections(LinkContext ctx, ElfFormat format)
    {
        ElfSectionHeader flags = format.Headers.Section(".MIPS.abiflags");
        flags.Type = ElfSectionType.MipsAbiFlags;
        flags.Flags = ElfSectionFlags.Alloc;
        flags.Align = 8;
        // Version 0, MIPS32 revision 1; 32-bit registers of the CPU and its floating-point unit, no second coprocessor; no extensions.
        format.Reserve(ctx, flags, [0, 0, 32, 1, 1, 1, 0, _floatAbi, .. new byte[16]], 1);
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
