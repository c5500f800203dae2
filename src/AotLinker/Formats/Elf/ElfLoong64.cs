using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for LoongArch, 64 bits (LoongArch ELF psABI). PLT entries have 16 bytes: they jump to what .got.plt holds, leaving their own
/// address for the first entry, which computes their number from it. That entry takes two, and so do its words of .got.plt.
/// </summary>
/// <remarks>Compilers leave labels and marks for relaxation behind, which the linker can do without and does not do.</remarks>
internal sealed class ElfLoong64 : ElfCpu
{
    /// <summary>R_LARCH_64: the address.</summary>
    public const uint HostAbsolute64 = 2;

    /// <summary>R_LARCH_ADD64: what is there and the address.</summary>
    public const uint HostAdd64 = 51;

    /// <summary>R_LARCH_SUB64: what is there less the address.</summary>
    public const uint HostSub64 = 56;

    /// <summary>R_LARCH_B16: a branch that compares two registers.</summary>
    public const uint HostB16 = 64;

    /// <summary>R_LARCH_B21: a branch that tests a register.</summary>
    public const uint HostB21 = 65;

    /// <summary>R_LARCH_B26: a jump or call.</summary>
    public const uint HostB26 = 66;

    /// <summary>R_LARCH_PCALA_HI20: pages to the address.</summary>
    public const uint HostPcalaHi20 = 71;

    /// <summary>R_LARCH_PCALA_LO12: the address in its page.</summary>
    public const uint HostPcalaLo12 = 72;

    /// <summary>R_LARCH_PCALA64_LO20: bits 32 to 51 of the distance.</summary>
    public const uint HostPcala64Lo20 = 73;

    /// <summary>R_LARCH_PCALA64_HI12: bits 52 to 63 of the distance.</summary>
    public const uint HostPcala64Hi12 = 74;

    /// <summary>R_LARCH_GOT_PC_HI20: <see cref="HostPcalaHi20"/> of the GOT entry.</summary>
    public const uint HostGotPcHi20 = 75;

    /// <summary>R_LARCH_GOT_PC_LO12: <see cref="HostPcalaLo12"/> of the GOT entry.</summary>
    public const uint HostGotPcLo12 = 76;

    /// <summary>R_LARCH_GOT64_PC_LO20: <see cref="HostPcala64Lo20"/> of the GOT entry.</summary>
    public const uint HostGot64PcLo20 = 77;

    /// <summary>R_LARCH_GOT64_PC_HI12: <see cref="HostPcala64Hi12"/> of the GOT entry.</summary>
    public const uint HostGot64PcHi12 = 78;

    /// <summary>R_LARCH_PCREL20_S2: the distance in words.</summary>
    public const uint HostPcRel20S2 = 103;

    /// <summary>R_LARCH_CALL36: a call by way of a register.</summary>
    public const uint HostCall36 = 110;

    private const uint HostAbsolute32 = 1;
    private const uint HostTlsLeHi20 = 83;
    private const uint HostTlsLeLo12 = 84;
    private const uint HostTlsIePcHi20 = 87;
    private const uint HostTlsIePcLo12 = 88;
    private const uint JumpSlot = 5;

    /// <summary>The one instance.</summary>
    public static ElfLoong64 Instance { get; } = new()
    {
        Machine = ElfMachine.LoongArch,
        FamilyName = "loong64",
        Is64 = true,
        HasAddends = true,
        ImageBase = 0x10000,
        Round = 0x10000,
        // Arguments of type double in registers, version 1 of the object ABI.
        FixedFlags = 0x43,
        PltEntrySize = 4,
        RelativeType = 3,
        MakesObjects = true,
        Systems = [(HeadType.Linux, "/lib64/ld-linux-loongarch-lp64d.so.1")],
        MuslInterpreter = "/lib/ld-musl-loongarch64.so.1",
    };

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        100 or 102 => (0, 0),
        47 or 52 or 105 or 106 => (1, 1),
        48 or 53 => (2, 2),
        20 or 21 or 49 or 50 or 54 or 55 or 99 => (4, 4),
        HostB16 or HostB21 or HostB26 or HostPcRel20S2 or (>= HostPcalaHi20 and <= HostGot64PcHi12) => (4, 4),
        HostAbsolute64 or HostAdd64 or HostSub64 or 109 or HostCall36 => (8, 8),
        _ => null,
    };

    /// <inheritdoc/>
    public override bool KnowsRelocation(uint type, Release release) => type switch
    {
        HostPcRel20S2 or HostCall36 or HostPcala64Lo20 or HostPcala64Hi12 or HostGot64PcLo20 or HostGot64PcHi12 => release.LinksLoongDistances,
        100 or 102 or 105 or 106 or HostB16 or HostB21 or HostPcalaHi20 or HostPcalaLo12 or HostGotPcHi20 or HostGotPcLo12 => release.LoongLinksInternally,
        _ => true,
    };

    /// <summary>Name of a type that host objects may have but we don't link.</summary>
    public static string HostRelocationName(uint type) => type switch
    {
        20 => "R_LARCH_MARK_LA",
        21 => "R_LARCH_MARK_PCREL",
        47 => "R_LARCH_ADD8",
        48 => "R_LARCH_ADD16",
        49 => "R_LARCH_ADD24",
        50 => "R_LARCH_ADD32",
        52 => "R_LARCH_SUB8",
        53 => "R_LARCH_SUB16",
        54 => "R_LARCH_SUB24",
        55 => "R_LARCH_SUB32",
        99 => "R_LARCH_32_PCREL",
        105 => "R_LARCH_ADD6",
        106 => "R_LARCH_SUB6",
        109 => "R_LARCH_64_PCREL",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <inheritdoc/>
    public override bool IsHostMark(ReadOnlySpan<byte> name) => name.StartsWith(".L"u8) || name.SequenceEqual("L0\u0001"u8);

    /// <inheritdoc/>
    public override bool IsHostLabel(ReadOnlySpan<byte> name) => IsHostMark(name);

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r) => (r.Kind, r.Size) switch
    {
        (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => new(HostAbsolute32),
        (RelocKind.Addr or RelocKind.DwarfSecRef, 8) => new(HostAbsolute64),
        (RelocKind.CallLoong64 or RelocKind.Jmploong64, _) => new(HostB26),
        (RelocKind.Loong64TlsLeHi, _) => new(HostTlsLeHi20),
        (RelocKind.Loong64TlsLeLo, _) => new(HostTlsLeLo12),
        (RelocKind.Loong64TlsIeHi, _) => new(HostTlsIePcHi20) { HasNoAddend = true },
        (RelocKind.Loong64TlsIeLo, _) => new(HostTlsIePcLo12) { HasNoAddend = true },
        (RelocKind.Loong64AddrHi, _) => new(HostPcalaHi20),
        (RelocKind.Loong64AddrLo, _) => new(HostPcalaLo12),
        (RelocKind.Loong64Addr64Hi, _) => new(HostPcala64Hi12),
        (RelocKind.Loong64Addr64Lo, _) => new(HostPcala64Lo20),
        (RelocKind.Loong64GotHi, _) => new(HostGotPcHi20) { HasNoAddend = true },
        (RelocKind.Loong64GotLo, _) => new(HostGotPcLo12) { HasNoAddend = true },
        (RelocKind.Loong64Got64Hi, _) => new(HostGot64PcHi12) { HasNoAddend = true },
        (RelocKind.Loong64Got64Lo, _) => new(HostGot64PcLo20) { HasNoAddend = true },
        _ => null,
    };

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        if (!ctx.Release.LoongLinksInternally)
            return;

        // Entries come with their own address, plus 12, in t1 and that of this code in t3.
        Add(plt, 0x1a00000e, RelocKind.Loong64AddrHi, gotPlt.Symbol, 0); // pcalau12i t2, .got.plt
        plt.AddUInt32(0x0011bdad); // sub.d t1, t1, t3
        Add(plt, 0x28c001cf, RelocKind.Loong64AddrLo, gotPlt.Symbol, 0); // ld.d t3, t2, .got.plt
        plt.AddUInt32(0x02ff61ad); // addi.d t1, t1, -40
        Add(plt, 0x02c001cc, RelocKind.Loong64AddrLo, gotPlt.Symbol, 0); // addi.d t0, t2, .got.plt
        plt.AddUInt32(0x004505ad); // srli.d t1, t1, 1
        plt.AddUInt32(0x28c0218c); // ld.d t0, t0, 8
        plt.AddUInt32(0x4c0001e0); // jr t3

        // The resolver and the link map, both set by the dynamic linker.
        if (gotPlt.Size != 0)
            ctx.Diagnostics.Error("got.plt is not empty at the very beginning");
        gotPlt.AddUInt64(0);
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

        int entry = (int)plt.Size;
        long slot = gotPlt.Size;
        Add(plt, 0x1a00000f, RelocKind.Loong64AddrHi, gotPlt.Symbol, slot); // pcalau12i t3, slot
        Add(plt, 0x28c001ef, RelocKind.Loong64AddrLo, gotPlt.Symbol, slot); // ld.d t3, t3, slot
        plt.AddUInt32(0x1c00000d); // pcaddu12i t1, 0
        plt.AddUInt32(0x4c0001e0); // jr t3

        // Until the function is bound, the slot leads to the first entry.
        gotPlt.AddAddress(plt.Symbol);
        relaPlt.AddAddress(gotPlt.Symbol, slot);
        relaPlt.AddUInt64(((ulong)dynamicId << 32) | JumpSlot);
        relaPlt.AddUInt64(0);
        return entry;
    }

    private static void Add(SymbolBuilder plt, uint op, RelocKind kind, SymbolId target, long addend)
    {
        long end = plt.AddReference(target, addend, kind, 4);
        plt.SetUInt(end - 4, op, 4);
    }
}
