using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for z/Architecture (zSeries ELF Application Binary Interface Supplement). The entries of .hash have eight bytes, unlike anywhere
/// else. PLT entries have 32 bytes: the second half pushes on to the resolver with the offset of the entry's relocation, which stands
/// in its last four bytes.
/// </summary>
internal sealed class ElfS390x : ElfCpu
{
    /// <summary>R_390_GLOB_DAT: the address of a symbol, in the GOT.</summary>
    public const uint GlobDat = 10;

    /// <summary>R_390_8: the address, as all up to 64 bits.</summary>
    public const uint Host8 = 1;

    /// <summary>R_390_16.</summary>
    public const uint Host16 = 3;

    /// <summary>R_390_32.</summary>
    public const uint Host32 = 4;

    /// <summary>R_390_PC32: the distance.</summary>
    public const uint HostPc32 = 5;

    /// <summary>R_390_GOT32: offset of the GOT entry.</summary>
    public const uint HostGot32 = 7;

    /// <summary>R_390_PLT32: the distance of the function or of its PLT entry.</summary>
    public const uint HostPlt32 = 8;

    /// <summary>R_390_GOTOFF: the distance from the GOT.</summary>
    public const uint HostGotOff = 13;

    /// <summary>R_390_GOTPC: the distance of the GOT.</summary>
    public const uint HostGotPc = 14;

    /// <summary>R_390_GOT16.</summary>
    public const uint HostGot16 = 15;

    /// <summary>R_390_PC16.</summary>
    public const uint HostPc16 = 16;

    /// <summary>R_390_PC16DBL: the distance in halfwords.</summary>
    public const uint HostPc16Dbl = 17;

    /// <summary>R_390_PLT16DBL.</summary>
    public const uint HostPlt16Dbl = 18;

    /// <summary>R_390_PC32DBL.</summary>
    public const uint HostPc32Dbl = 19;

    /// <summary>R_390_PLT32DBL.</summary>
    public const uint HostPlt32Dbl = 20;

    /// <summary>R_390_GOTPCDBL.</summary>
    public const uint HostGotPcDbl = 21;

    /// <summary>R_390_64.</summary>
    public const uint Host64 = 22;

    /// <summary>R_390_PC64.</summary>
    public const uint HostPc64 = 23;

    /// <summary>R_390_GOT64.</summary>
    public const uint HostGot64 = 24;

    /// <summary>R_390_PLT64.</summary>
    public const uint HostPlt64 = 25;

    /// <summary>R_390_GOTENT: the distance of the GOT entry in halfwords.</summary>
    public const uint HostGotEntry = 26;

    private const uint HostTlsIeEntry = 49;
    private const uint HostTlsLe32 = 50;
    private const uint HostTlsLe64 = 51;
    private const uint JumpSlot = 11;
    private const uint Relative = 12;

    /// <summary>The one instance.</summary>
    public static ElfS390x Instance { get; } = new()
    {
        Machine = ElfMachine.S390,
        FamilyName = "s390x",
        Is64 = true,
        HasBothByteOrders = true,
        HasAddends = true,
        ImageBase = 0x10000,
        Round = 0x10000,
        // Version 1 of the ABI.
        FixedFlags = 1,
        PltEntrySize = 32,
        RelativeType = Relative,
        MakesObjects = true,
        HashEntrySize = 8,
        Systems = [(HeadType.Linux, "/lib/ld64.so.1")],
        EarlierLinuxInterpreter = "/lib64/ld64.so.1",
        MuslInterpreter = "/lib/ld-musl-s390x.so.1",
    };

    /// <summary>The PLT's slots moved when programs without a fixed address came to be linked internally.</summary>
    public override bool PltUsesGot(Release release) => !release.S390xLinksPieInternally;

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        Host8 => (1, 1),
        Host16 or HostGot16 or HostPc16 or HostPc16Dbl or HostPlt16Dbl => (2, 2),
        Host32 or HostPc32 or HostGot32 or HostPlt32 or HostPc32Dbl or HostPlt32Dbl or HostGotPcDbl or HostGotEntry => (4, 4),
        GlobDat or Relative or HostGotOff or HostGotPc or Host64 or HostPc64 or HostGot64 or HostPlt64 => (8, 8),
        _ => null,
    };

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r) => ElfObjectRelocation.Of((r.Kind, r.Size) switch
    {
        (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => Host32,
        (RelocKind.Addr or RelocKind.DwarfSecRef, 8) => Host64,
        (RelocKind.TlsLe, 4) => HostTlsLe32,
        (RelocKind.TlsLe, 8) => HostTlsLe64,
        (RelocKind.TlsIe, 4) => HostTlsIeEntry,
        (RelocKind.GotPcRel, 4) => HostGotEntry,
        (RelocKind.Call, 2) => r.IsImport ? HostPlt16Dbl : HostPc16Dbl,
        (RelocKind.Call, 4) => r.IsImport ? HostPlt32Dbl : HostPc32Dbl,
        (RelocKind.PcRelDbl, 2) => r.IsImportedFunction ? HostPlt16Dbl : HostPc16Dbl,
        (RelocKind.PcRelDbl, 4) => r.IsImportedFunction ? HostPlt32Dbl : HostPc32Dbl,
        (RelocKind.PcRel, 2) => r.IsImportedFunction ? null : HostPc16,
        (RelocKind.PcRel, 4) => r.IsImportedFunction ? HostPlt32 : HostPc32,
        (RelocKind.PcRel, 8) => r.IsImportedFunction ? HostPlt64 : HostPc64,
        _ => (uint?)null,
    });

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        // stg %r1,56(%r15); larl %r1,got
        plt.AddBytes([0xe3, 0x10, 0xf0, 0x38, 0x00, 0x24, 0xc0, 0x10]);
        AddHalfwordDistance(plt, gotPlt.Symbol, 6);
        // mvc 48(8,%r15),8(%r1); lg %r1,16(%r1); br %r1; three nopr
        plt.AddBytes([0xd2, 0x07, 0xf0, 0x30, 0x10, 0x08, 0xe3, 0x10, 0x10, 0x10, 0x00, 0x04, 0x07, 0xf1]);
        plt.AddBytes([0x07, 0x00, 0x07, 0x00, 0x07, 0x00]);

        // The dynamic section for the resolver; the two others are the dynamic linker's own.
        gotPlt.AddAddress(dynamic);
        gotPlt.AddUInt64(0);
        gotPlt.AddUInt64(0);
    }

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId)
    {
        SymbolBuilder plt = ctx.Symbols.Update(ctx.Known.Plt);
        SymbolBuilder slots = ctx.Symbols.Update(PltUsesGot(ctx.Release) ? ctx.Known.Got : ctx.Known.GotPlt);
        SymbolBuilder relaPlt = ctx.Symbols.Update(ctx.Known.RelaPlt);
        if (plt.Size == 0)
            throw new InvalidOperationException("plt is not set up");

        // larl %r1,slot; the slot first holds the address of what follows the jump.
        int entry = (int)plt.Size;
        long slot = slots.Size;
        plt.AddBytes([0xc0, 0x10]);
        AddHalfwordDistance(plt, slots.Symbol, slot + 6);
        slots.AddAddress(plt.Symbol, plt.Size + 8);
        // lg %r1,0(%r1); br %r1; basr %r1,%r0; lgf %r1,12(%r1); jg plt
        plt.AddBytes([0xe3, 0x10, 0x10, 0x00, 0x00, 0x04, 0x07, 0xf1, 0x0d, 0x10, 0xe3, 0x10, 0x10, 0x0c, 0x00, 0x14, 0xc0, 0xf4]);
        plt.AddUInt32((uint)-((plt.Size - 2) >> 1));
        plt.AddUInt32((uint)relaPlt.Size);

        relaPlt.AddAddress(slots.Symbol, slot);
        relaPlt.AddUInt64(((ulong)dynamicId << 32) | JumpSlot);
        relaPlt.AddUInt64(0);
        return entry;
    }

    // The field stands two bytes into its instruction, from whose start the CPU counts: hence the callers' 6, field and opcode.
    private static void AddHalfwordDistance(SymbolBuilder plt, SymbolId to, long addend) =>
        plt.AddReference(to, addend, RelocKind.PcRelDbl, 4);
}
