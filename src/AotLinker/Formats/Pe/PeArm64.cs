using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Pe;

/// <summary>PE for AArch64. The system loads no program without base relocations. Host objects keep addends in instructions' immediates.</summary>
internal sealed class PeArm64 : PeCpu
{
    private const ushort Branch26 = 3;
    private const ushort PageBase = 4;
    private const ushort PageOffsetAdd = 6;
    private const ushort PageOffsetLoad = 7;

    /// <summary>The one there is.</summary>
    public static readonly PeArm64 Instance = new();

    /// <inheritdoc/>
    public override ushort Machine => 0xaa64;

    /// <inheritdoc/>
    public override bool IsAlwaysRelocated => true;

    /// <inheritdoc/>
    public override long ImageBase(Release release) => release.PutsWindowsProgramsHigh ? HighImageBase : 1L << 32;

    /// <inheritdoc/>
    public override void AddImportStub(SymbolBuilder stubs, SymbolId import, Release release)
    {
        AddInstruction(0x90000010); // ADRP X16, page of the import's address
        AddInstruction(0xf9400211); // LDR X17, [X16, offset in the page]
        stubs.AddUInt32(0xd61f0220); // BR X17

        void AddInstruction(uint instruction)
        {
            int at = (int)stubs.Size;
            stubs.AddUInt32(instruction);
            stubs.AddReloc(RelocKind.Arm64PcRel, at, 4, import, 0);
        }
    }

    /// <inheritdoc/>
    public override ushort AddressRelocation => 14;

    /// <inheritdoc/>
    public override int ObjectRelocationParts(RelocKind kind) => kind is RelocKind.AddrArm64 or RelocKind.Arm64PcRelLdSt8
        or RelocKind.Arm64PcRelLdSt16 or RelocKind.Arm64PcRelLdSt32 or RelocKind.Arm64PcRelLdSt64 ? 2 : 1;

    /// <inheritdoc/>
    public override ushort? ObjectRelocation(RelocKind kind, int size, int part) => kind switch
    {
        RelocKind.DwarfSecRef => 8,
        RelocKind.Addr => size == 8 ? AddressRelocation : (ushort)1,
        RelocKind.CallArm64 => Branch26,
        RelocKind.AddrArm64 => part == 0 ? PageBase : PageOffsetAdd,
        RelocKind.Arm64PcRelLdSt8 or RelocKind.Arm64PcRelLdSt16 or RelocKind.Arm64PcRelLdSt32 or RelocKind.Arm64PcRelLdSt64 =>
            part == 0 ? PageBase : PageOffsetLoad,
        _ => null,
    };

    /// <inheritdoc/>
    /// <remarks>ADRP has 21 bits, one of them for the sign.</remarks>
    public override long LabelDistance => 1 << 20;

    /// <inheritdoc/>
    /// <remarks>Calls have no addend at all.</remarks>
    public override long LabelOffset(RelocKind kind, long addend) => kind switch
    {
        RelocKind.CallArm64 => addend,
        _ when ObjectRelocationParts(kind) > 1 && (addend < -LabelDistance || addend >= LabelDistance) => addend / LabelDistance * LabelDistance,
        _ => 0,
    };

    /// <inheritdoc/>
    public override PeHostRelocation? HostRelocation(ushort type) => type switch
    {
        1 => new(RelocKind.Addr, 4),
        2 => new(RelocKind.PeImageOff, 4),
        Branch26 => new(RelocKind.CallArm64, 4),
        PageBase or PageOffsetAdd or PageOffsetLoad => new(RelocKind.Arm64PcRel, 4),
        14 => new(RelocKind.Addr, 8),
        _ => null,
    };

    /// <inheritdoc/>
    public override PeHostRelocation? EarlierHostRelocation(ushort type) => type is 1 or 2 ? HostRelocation(type) : null;

    /// <inheritdoc/>
    public override string EarlierName => "ARM64 ";

    /// <inheritdoc/>
    public override long HostAddend(ushort type, long field)
    {
        switch (type)
        {
            case Branch26:
                return 0;
            case PageOffsetAdd:
                return (field >> 10) & 0xfff;
            case PageOffsetLoad:
                // The immediate counts in units of what is loaded; 128-bit vectors have the size code of bytes.
                int shift = (int)((uint)field >> 30);
                if (shift == 0 && ((field >> 20) & 0x048) == 0x048)
                    shift = 4;
                return ((field >> 10) & 0xfff) << shift;
            case PageBase:
                return (((field >> 5) & 0x7ffff) << 2) | ((field >> 29) & 3);
            default:
                return field;
        }
    }
}
