using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 64-bit RISC-V with floating point in double registers (RISC-V ABIs Specification). The first PLT entry has 32 bytes, the
/// others 16; a jump's lower half of an address refers to the instruction with the upper half, not to the address.
/// </summary>
internal sealed class ElfRiscV64 : ElfCpu
{
    /// <summary>R_RISCV_64: the address.</summary>
    public const uint HostAbsolute64 = 2;

    /// <summary>R_RISCV_BRANCH: the distance, in a branch.</summary>
    public const uint HostBranch = 16;

    /// <summary>R_RISCV_JAL: the distance, in a jump.</summary>
    public const uint HostJal = 17;

    /// <summary>R_RISCV_CALL: the distance, in AUIPC and JALR.</summary>
    public const uint HostCall = 18;

    /// <summary>R_RISCV_CALL_PLT: the same, of the function or its PLT entry.</summary>
    public const uint HostCallPlt = 19;

    /// <summary>R_RISCV_GOT_HI20: the upper part of the distance of the symbol's GOT entry.</summary>
    public const uint HostGotHi20 = 20;

    /// <summary>R_RISCV_PCREL_HI20: the upper part of the distance.</summary>
    public const uint HostPcRelHi20 = 23;

    /// <summary>R_RISCV_PCREL_LO12_I: the lower part of the distance whose upper part is at the symbol, in a load or addition.</summary>
    public const uint HostPcRelLo12I = 24;

    /// <summary>R_RISCV_PCREL_LO12_S: the same in a store.</summary>
    public const uint HostPcRelLo12S = 25;

    /// <summary>R_RISCV_ADD32: adds the address.</summary>
    public const uint HostAdd32 = 35;

    /// <summary>R_RISCV_SUB32: subtracts the address.</summary>
    public const uint HostSub32 = 39;

    /// <summary>R_RISCV_RVC_BRANCH: the distance, in a compressed branch.</summary>
    public const uint HostRvcBranch = 44;

    /// <summary>R_RISCV_RVC_JUMP: the distance, in a compressed jump.</summary>
    public const uint HostRvcJump = 45;

    /// <summary>R_RISCV_RELAX: the code may be made shorter.</summary>
    public const uint HostRelax = 51;

    /// <summary>R_RISCV_32_PCREL: the distance in 32 bits.</summary>
    public const uint HostPcRel32 = 57;

    // Known to the loader, but not to the relocation pass.
    private const uint Host32 = 1;
    private const uint HostHi20 = 26;
    private const uint HostLo12I = 27;
    private const uint HostLo12S = 28;
    private const uint HostSub8 = 37;
    private const uint HostSub16 = 38;
    private const uint HostSub6 = 52;
    private const uint HostSet6 = 53;
    private const uint HostSet8 = 54;
    private const uint HostSet16 = 55;
    private const uint HostSet32 = 56;

    private const uint HostTlsGotHi20 = 21;
    private const uint HostTpRelHi20 = 29;
    private const uint HostTpRelLo12I = 30;

    private const uint JumpSlot = 5;

    /// <summary>The one instance.</summary>
    public static ElfRiscV64 Instance { get; } = new()
    {
        Machine = ElfMachine.RiscV,
        FamilyName = "riscv64",
        Is64 = true,
        HasAddends = true,
        ImageBase = 0x10000,
        Round = 0x10000,
        // EF_RISCV_FLOAT_ABI_DOUBLE.
        FixedFlags = 4,
        PltEntrySize = 4,
        RelativeType = 3,
        MakesObjects = true,
        Systems =
        [
            (HeadType.Linux, "/lib/ld-linux-riscv64-lp64d.so.1"),
            (HeadType.FreeBsd, "/usr/libexec/ld-elf.so.1"),
            (HeadType.OpenBsd, "/usr/libexec/ld.so"),
        ],
        EarlierLinuxInterpreter = "/lib/ld.so.1",
        MuslInterpreter = "/lib/ld-musl-riscv64.so.1",
        AlwaysKnewMusl = false,
    };

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        HostSet6 or HostSub6 or HostSet8 or HostSub8 => (1, 1),
        HostRvcBranch or HostRvcJump or HostSet16 or HostSub16 => (2, 2),
        Host32 or HostBranch or HostHi20 or HostLo12I or HostLo12S or HostGotHi20 or HostPcRelHi20 or HostPcRelLo12I
            or HostPcRelLo12S or HostAdd32 or HostSet32 or HostSub32 or HostPcRel32 or HostJal or HostRelax => (4, 4),
        HostAbsolute64 or HostCall or HostCallPlt => (8, 8),
        _ => null,
    };

    /// <inheritdoc/>
    public override bool KnowsRelocation(uint type, Release release) => release.LinksRiscVData || type != HostJal;

    /// <summary>Name of a relocation type that the loader knows and nothing else does.</summary>
    public static string HostName(uint type) => type switch
    {
        Host32 => "R_RISCV_32",
        HostHi20 => "R_RISCV_HI20",
        HostLo12I => "R_RISCV_LO12_I",
        HostLo12S => "R_RISCV_LO12_S",
        HostSub8 => "R_RISCV_SUB8",
        HostSub16 => "R_RISCV_SUB16",
        HostSub6 => "R_RISCV_SUB6",
        HostSet6 => "R_RISCV_SET6",
        HostSet8 => "R_RISCV_SET8",
        HostSet16 => "R_RISCV_SET16",
        HostSet32 => "R_RISCV_SET32",
        _ => $"R_RISCV({type})",
    };

    /// <inheritdoc/>
    public override bool IsHostMark(ReadOnlySpan<byte> name) => name.StartsWith("$d"u8) || name.StartsWith("$x"u8);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> ObjectLabelName => ".L0 "u8;

    /// <inheritdoc/>
    /// <remarks>The second instruction of a pair refers to the first, whose relocation has the target.</remarks>
    public override bool NeedsObjectLabel(RelocKind kind) => kind is RelocKind.RiscvCall or RelocKind.RiscvPcRelItype
        or RelocKind.RiscvPcRelStype or RelocKind.RiscvTlsIe or RelocKind.RiscvGotPcRelItype;

    /// <inheritdoc/>
    public override int ObjectRelocationParts(RelocKind kind) => kind == RelocKind.RiscvTlsLe || NeedsObjectLabel(kind) ? 2 : 1;

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r)
    {
        bool isSecond = r.Part != 0;
        return (r.Kind, r.Size) switch
        {
            (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => new(Host32),
            (RelocKind.Addr or RelocKind.DwarfSecRef, 8) => new(HostAbsolute64),
            (RelocKind.RiscvJal or RelocKind.RiscvJalTramp, _) => new(HostJal),
            (RelocKind.RiscvTlsLe, _) => isSecond ? new(HostTpRelLo12I) { Place = 4 } : new(HostTpRelHi20),
            (RelocKind.RiscvPcRelStype, _) when isSecond => new(HostPcRelLo12S) { Place = 4, IsOfLabel = true },
            _ when !NeedsObjectLabel(r.Kind) => null,
            _ when isSecond => new(HostPcRelLo12I) { Place = 4, IsOfLabel = true },
            (RelocKind.RiscvTlsIe, _) => new(HostTlsGotHi20),
            (RelocKind.RiscvGotPcRelItype, _) => new(HostGotHi20),
            _ => new(HostPcRelHi20),
        };
    }

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        if (gotPlt.Size != 0)
        {
            ctx.Diagnostics.Error(ctx.Symbols.Name(gotPlt.Symbol), "got.plt is not empty");
        }
        // auipc t2 and ld t3 from the first slot, where the resolver is; t1 becomes the offset in .got.plt, t0 the link map.
        AddUpper(plt, gotPlt.Symbol, 0, 0x00000397);
        plt.AddUInt32(0x41c30333);
        AddLower(plt, 0, 0x0003be03);
        plt.AddUInt32(0xfd430313);
        AddLower(plt, 0, 0x00038293);
        plt.AddUInt32(0x00135313);
        plt.AddUInt32(0x0082b283);
        plt.AddUInt32(0x00008e02);

        gotPlt.AddAddress(dynamic);
        gotPlt.AddUInt64(0);
    }

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId)
    {
        SymbolBuilder plt = ctx.Symbols.Update(ctx.Known.Plt);
        SymbolBuilder gotPlt = ctx.Symbols.Update(ctx.Known.GotPlt);
        SymbolBuilder relaPlt = ctx.Symbols.Update(ctx.Known.RelaPlt);
        if (plt.Size == 0)
            throw new InvalidOperationException("plt is not set up");

        // auipc t3 and ld t3 from the slot; jalr t1, t3; nop.
        int entry = (int)plt.Size;
        long slot = gotPlt.Size;
        AddUpper(plt, gotPlt.Symbol, slot, 0x00000e17);
        AddLower(plt, entry, 0x000e3e03);
        plt.AddUInt32(0x000e0367);
        plt.AddUInt32(0x00000001);
        gotPlt.AddAddress(plt.Symbol);

        relaPlt.AddAddress(gotPlt.Symbol, slot);
        relaPlt.AddUInt64(((ulong)dynamicId << 32) | JumpSlot);
        relaPlt.AddUInt64(0);
        return entry;
    }

    private static void AddUpper(SymbolBuilder plt, SymbolId gotPlt, long slot, uint code) =>
        AddInstruction(plt, gotPlt, slot, RelocKind.RiscvPcRelHi20, code);

    /// <summary>Adds an instruction with the lower part of what the one at offset <paramref name="upper"/> has the upper part of.</summary>
    private static void AddLower(SymbolBuilder plt, long upper, uint code) =>
        AddInstruction(plt, plt.Symbol, upper, RelocKind.RiscvPcRelLo12I, code);

    private static void AddInstruction(SymbolBuilder plt, SymbolId target, long addend, RelocKind kind, uint code)
    {
        long end = plt.AddReference(target, addend, kind, 4);
        plt.SetUInt(end - 4, code, 4);
    }
}
