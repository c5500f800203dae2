using System.Diagnostics.CodeAnalysis;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for MIPS (System V ABI, MIPS supplement): what 32 and 64 bits have in common. As GNU's linker once did, .dynamic lies in read-only
/// memory. The 64-bit files' relocations keep symbol and type in fields of their own, in an order that does not depend on the byte order.
/// </summary>
internal abstract class ElfMips : ElfCpu
{
    private const uint HostAbsolute32 = 2;
    private const uint HostJump26 = 4;
    private const uint HostHigh16 = 5;
    private const uint HostLow16 = 6;
    private const uint HostAbsolute64 = 18;
    private const uint HostTlsLow16 = 50;

    /// <param name="familyName">Name of the CPU family.</param>
    /// <param name="is64">Whether addresses have 64 bits.</param>
    /// <param name="flags">e_flags.</param>
    /// <param name="interpreter">Path of Linux's interpreter.</param>
    /// <param name="muslInterpreter">Path of musl's.</param>
    [SetsRequiredMembers]
    protected ElfMips(string familyName, bool is64, uint flags, string interpreter, string muslInterpreter)
    {
        Machine = ElfMachine.Mips;
        FamilyName = familyName;
        Is64 = is64;
        HasBothByteOrders = true;
        HasAddends = is64;
        ImageBase = 0x10000;
        Round = 0x10000;
        FixedFlags = flags;
        PltEntrySize = 4;
        RelativeType = 3;
        MakesObjects = true;
        DynamicIsReadOnly = true;
        SplitsRelocationInfo = is64;
        Systems = [(HeadType.Linux, interpreter)];
        MuslInterpreter = muslInterpreter;
    }

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        // HI16, LO16, GPREL16, GOT16, GOT_PAGE, GOT_OFST, GOT_HI16, GOT_LO16, JALR.
        5 or 6 or 7 or 9 or 20 or 21 or 22 or 23 or 37 => (4, 4),
        // CALL16, GPREL32, 64, GOT_DISP, PC32.
        11 or 12 or 18 or 19 or 248 when Is64 => (4, 4),
        _ => null,
    };

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r) => ElfObjectRelocation.Of((r.Kind, r.Size) switch
    {
        (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => HostAbsolute32,
        (RelocKind.Addr or RelocKind.DwarfSecRef, 8) when Is64 => HostAbsolute64,
        (RelocKind.AddrMips, _) => HostLow16,
        (RelocKind.AddrMipsU, _) => HostHigh16,
        (RelocKind.AddrMipsTls, _) => HostTlsLow16,
        (RelocKind.CallMips or RelocKind.JmpMips, _) => HostJump26,
        _ => (uint?)null,
    });

    /// <summary>Name of a type of <see cref="HostRelocationSize"/>; none of them is linked.</summary>
    public static string HostRelocationName(uint type) => type switch
    {
        5 => "R_MIPS_HI16",
        6 => "R_MIPS_LO16",
        7 => "R_MIPS_GPREL16",
        9 => "R_MIPS_GOT16",
        11 => "R_MIPS_CALL16",
        12 => "R_MIPS_GPREL32",
        18 => "R_MIPS_64",
        19 => "R_MIPS_GOT_DISP",
        20 => "R_MIPS_GOT_PAGE",
        21 => "R_MIPS_GOT_OFST",
        22 => "R_MIPS_GOT_HI16",
        23 => "R_MIPS_GOT_LO16",
        37 => "R_MIPS_JALR",
        248 => "R_MIPS_PC32",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
