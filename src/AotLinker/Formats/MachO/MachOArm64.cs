using AotLinker.Emit;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Mach-O for arm64: pages of 16 KiB, an image above 4 GiB, an entry point relative to the image (LC_MAIN), and a code signature without
/// which the system kills the program.
/// </summary>
internal sealed class MachOArm64 : MachOCpu
{
    /// <summary>ARM64_RELOC_UNSIGNED: an address.</summary>
    public const uint Unsigned = 0;

    /// <summary>ARM64_RELOC_SUBTRACTOR: what to subtract from the address that follows.</summary>
    public const uint Subtractor = 1;

    /// <summary>ARM64_RELOC_BRANCH26: the distance of a function.</summary>
    public const uint Branch26 = 2;

    /// <summary>ARM64_RELOC_PAGE21: the distance in pages.</summary>
    public const uint Page21 = 3;

    /// <summary>ARM64_RELOC_PAGEOFF12: the place in the page.</summary>
    public const uint PageOffset12 = 4;

    /// <summary>ARM64_RELOC_GOT_LOAD_PAGE21: the distance in pages of a GOT entry.</summary>
    public const uint GotLoadPage21 = 5;

    /// <summary>ARM64_RELOC_GOT_LOAD_PAGEOFF12: the place in the page of a GOT entry.</summary>
    public const uint GotLoadPageOffset12 = 6;

    /// <summary>ARM64_RELOC_POINTER_TO_GOT: the distance of a GOT entry.</summary>
    public const uint PointerToGot = 7;

    /// <summary>ARM64_RELOC_ADDEND: the addend of the relocation that follows.</summary>
    public const uint Addend = 10;

    private static readonly string[] RelocationNames =
    [
        "UNSIGNED", "SUBTRACTOR", "BRANCH26", "PAGE21", "PAGEOFF12", "GOT_LOAD_PAGE21", "GOT_LOAD_PAGEOFF12", "POINTER_TO_GOT",
        "TLVP_LOAD_PAGE21", "TLVP_LOAD_PAGEOFF12", "ADDEND",
    ];

    private MachOArm64()
    {
    }

    /// <summary>The one instance.</summary>
    public static MachOArm64 Instance { get; } = new();

    /// <inheritdoc/>
    public override uint CpuType => 0x0100000c;

    /// <inheritdoc/>
    public override uint CpuSubtype => 0;

    /// <inheritdoc/>
    public override long ImageBase => 1L << 32;

    /// <inheritdoc/>
    public override long Round => 16384;

    /// <inheritdoc/>
    public override bool NeedsCodeSignature => true;

    /// <inheritdoc/>
    public override void AddEntryCommand(MachOHeader header, ulong entry, ulong image)
    {
        // The stack size that follows is 0 for the system's choice.
        ulong offset = entry - image;
        header.AddCommand(MachOCommand.Main, (uint)offset, (uint)(offset >> 32), 0, 0);
    }

    /// <inheritdoc/>
    public override void AddStub(SymbolBuilder stubs, SymbolId got, int offset)
    {
        const uint AdrpX16 = 0x90000010;
        const uint LdrX17FromX16 = 0xf9400211;
        const uint BrX17 = 0xd61f0220;
        AddRelocated(AdrpX16);
        AddRelocated(LdrX17FromX16);
        stubs.AddUInt32(BrX17);

        void AddRelocated(uint instruction)
        {
            int at = (int)stubs.Size;
            stubs.AddUInt32(instruction);
            stubs.AddReloc(RelocKind.Arm64Got, at, 4, got, offset);
        }
    }

    /// <inheritdoc/>
    public override bool HasAddendsInFields => false;

    /// <inheritdoc/>
    public override bool IsAddend(MachORelocation r) => r.Type == Addend;

    /// <inheritdoc/>
    /// <remarks>An addend has 24 bits, one of them for the sign.</remarks>
    public override long LabelDistance => 1 << 23;

    /// <inheritdoc/>
    public override bool IsCall(RelocKind kind) => kind == RelocKind.CallArm64;

    /// <inheritdoc/>
    /// <remarks>One for each instruction, and if there is an addend one more for each.</remarks>
    public override int ObjectRelocationParts(in ExternalReloc left) => !IsPair(left.Kind) ? 1 : left.Addend == 0 ? 2 : 4;

    /// <inheritdoc/>
    public override MachOObjectRelocation? ObjectRelocation(in ExternalReloc left, int size)
    {
        if (IsPair(left.Kind))
        {
            // The second instruction comes first, and the addend before what it is added to.
            bool hasAddends = left.Addend != 0;
            bool isSecond = left.Part < (hasAddends ? 2 : 1);
            bool isAddend = hasAddends && left.Part % 2 == 0;
            bool isOfGot = left.Kind == RelocKind.Arm64GotPcRel;
            uint type = isAddend ? Addend
                : isSecond ? (isOfGot ? GotLoadPageOffset12 : PageOffset12)
                : isOfGot ? GotLoadPage21 : Page21;
            return new MachOObjectRelocation(type, 4, IsPcRelative: !isAddend && !isSecond) { Place = isSecond ? 4 : 0, IsAddend = isAddend };
        }
        return left.Kind switch
        {
            RelocKind.Addr => new MachOObjectRelocation(Unsigned, size, IsPcRelative: false),
            RelocKind.CallArm64 => new MachOObjectRelocation(Branch26, size, IsPcRelative: true),
            _ => null,
        };
    }

    private static bool IsPair(RelocKind kind) => kind is RelocKind.AddrArm64 or RelocKind.Arm64PcRelLdSt8 or RelocKind.Arm64PcRelLdSt16
        or RelocKind.Arm64PcRelLdSt32 or RelocKind.Arm64PcRelLdSt64 or RelocKind.Arm64GotPcRel;

    /// <inheritdoc/>
    public override string RelocationName(uint type) =>
        type < RelocationNames.Length ? "ARM64_RELOC_" + RelocationNames[type] : $"macho.RelocTypeARM64({type})";
}
