using System.Diagnostics.CodeAnalysis;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 64-bit PowerPC (OpenPOWER 64-Bit ELF V2 ABI). The PLT is a table of addresses without content in the file, its first two
/// entries the dynamic linker's. Until a function is bound, its entry leads to a branch in .glink, behind a routine that finds out from
/// the branch's address which function is meant and calls the resolver. Code that calls by the PLT stands among the text.
/// </summary>
internal sealed class ElfPpc64 : ElfCpu
{
    /// <summary>R_PPC64_REL24: a call by one who keeps the table of contents in r2.</summary>
    public const uint HostRel24 = 10;

    /// <summary>R_PPC64_GLOB_DAT: the address of a symbol, in the GOT.</summary>
    public const uint HostGlobDat = 20;

    /// <summary>R_PPC64_REL32: the distance.</summary>
    public const uint HostRel32 = 26;

    /// <summary>R_PPC64_PLT16_HA: half of the distance of a PLT entry from the table of contents.</summary>
    public const uint HostPlt16Ha = 31;

    /// <summary>R_PPC64_ADDR64: the address.</summary>
    public const uint HostAddr64 = 38;

    /// <summary>R_PPC64_TOC16: the distance from the table of contents, or half of it.</summary>
    public const uint HostToc16 = 47;

    /// <summary>R_PPC64_TOC16_LO.</summary>
    public const uint HostToc16Lo = 48;

    /// <summary>R_PPC64_TOC16_HI.</summary>
    public const uint HostToc16Hi = 49;

    /// <summary>R_PPC64_TOC16_HA.</summary>
    public const uint HostToc16Ha = 50;

    /// <summary>R_PPC64_PLT16_LO_DS.</summary>
    public const uint HostPlt16LoDs = 60;

    /// <summary>R_PPC64_TOC16_DS.</summary>
    public const uint HostToc16Ds = 63;

    /// <summary>R_PPC64_TOC16_LO_DS.</summary>
    public const uint HostToc16LoDs = 64;

    /// <summary>R_PPC64_REL24_NOTOC: a call by one who keeps no table of contents.</summary>
    public const uint HostRel24NoToc = 116;

    /// <summary>R_PPC64_PLTSEQ: marks an instruction of a call by way of the PLT.</summary>
    public const uint HostPltSeq = 119;

    /// <summary>R_PPC64_PLTCALL: marks the call itself.</summary>
    public const uint HostPltCall = 120;

    /// <summary>R_PPC64_PLTSEQ_NOTOC.</summary>
    public const uint HostPltSeqNoToc = 121;

    /// <summary>R_PPC64_PLTCALL_NOTOC.</summary>
    public const uint HostPltCallNoToc = 122;

    /// <summary>R_PPC64_REL24_P9NOTOC: as R_PPC64_REL24_NOTOC.</summary>
    public const uint HostRel24P9NoToc = 124;

    /// <summary>R_PPC64_PCREL34: the distance in a prefixed instruction.</summary>
    public const uint HostPcRel34 = 132;

    /// <summary>R_PPC64_GOT_PCREL34: the distance of the GOT entry in a prefixed instruction.</summary>
    public const uint HostGotPcRel34 = 133;

    /// <summary>R_PPC64_PLT_PCREL34_NOTOC.</summary>
    public const uint HostPltPcRel34NoToc = 135;

    /// <summary>R_PPC64_REL16_LO: half of the distance.</summary>
    public const uint HostRel16Lo = 250;

    /// <summary>R_PPC64_REL16_HI.</summary>
    public const uint HostRel16Hi = 251;

    /// <summary>R_PPC64_REL16_HA.</summary>
    public const uint HostRel16Ha = 252;

    private const uint HostAddr32 = 1;
    private const uint HostAddr16Lo = 4;
    private const uint HostAddr16Ha = 6;
    private const uint HostGot16Ha = 17;
    private const uint HostAddr16LoDs = 57;
    private const uint HostGot16LoDs = 59;
    private const uint HostTls = 67;
    private const uint HostTpRel16Lo = 70;
    private const uint HostTpRel16Ha = 72;
    private const uint HostGotTpRel16LoDs = 88;
    private const uint HostGotTpRel16Ha = 90;
    private const uint HostD34 = 128;
    private const uint HostTpRel34 = 146;
    private const uint HostGotTpRelPcRel34 = 150;
    private const uint JumpSlot = 21;

    // The routine that all branches of .glink lead to: its instructions, then the distance of the PLT.
    private const int ResolverSize = 64;
    private const uint Branch = 0x48000000;

    // In st_other's upper three bits: the local entry point lies 8 bytes behind the global one.
    private const byte LocalEntryAt8 = 3 << 5;

    private readonly bool _isBigEndian;
    private readonly bool _isPcRelative;
    private readonly bool _isPower10;

    /// <param name="isBigEndian">Byte order.</param>
    /// <param name="isPcRelative">Whether Go functions have one entry point, because they need no table of contents.</param>
    /// <param name="isPower10">Whether code is for POWER10 or later.</param>
    [SetsRequiredMembers]
    public ElfPpc64(bool isBigEndian, bool isPcRelative, bool isPower10)
    {
        _isBigEndian = isBigEndian;
        _isPcRelative = isPcRelative;
        _isPower10 = isPower10;
        Machine = ElfMachine.Ppc64;
        FamilyName = "ppc64";
        Is64 = true;
        HasBothByteOrders = true;
        HasAddends = true;
        MakesObjects = true;
        ImageBase = 0x10000;
        Round = 0x10000;
        PltEntrySize = 8;
        RelativeType = 22;
        PltIsCode = false;
        StubSections = [".glink"];
        Systems =
        [
            (HeadType.Linux, "/lib64/ld64.so.2"),
            (HeadType.OpenBsd, "/usr/libexec/ld.so"),
        ];
        EarlierLinuxInterpreter = isBigEndian ? "/lib64/ld64.so.1" : null;
        MuslInterpreter = isBigEndian ? "/lib/ld-musl-powerpc64.so.1" : "/lib/ld-musl-powerpc64le.so.1";
    }

    /// <summary>The version of the ABI: 2, but older releases call big-endian programs of Linux version 1.</summary>
    public override uint Flags(HeadType system, Release release) =>
        _isBigEndian && system != HeadType.OpenBsd && !release.FollowsElfSupplements ? 1u : 2u;

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        HostPltSeq or HostPltCall or HostPltSeqNoToc or HostPltCallNoToc => (0, 0),
        HostToc16 => (2, 2),
        HostToc16Lo or HostToc16Hi or HostToc16Ha or HostToc16Ds or HostToc16LoDs or HostRel16Lo or HostRel16Hi or HostRel16Ha
            or HostPlt16Ha or HostPlt16LoDs => (2, 4),
        HostRel24 or HostRel24NoToc or HostRel24P9NoToc or HostRel32 => (4, 4),
        HostAddr64 or HostPcRel34 or HostGotPcRel34 or HostPltPcRel34NoToc => (8, 8),
        _ => null,
    };

    /// <summary>The upper three bits tell the distance of the local entry point from the global one, or that there is no use of r2.</summary>
    public override void ReadSymbolOther(LinkContext ctx, SymbolId s, byte other)
    {
        int entry = other >> 5;
        if (entry == 7)
            throw new LinkException(MessageForm.Bare, $"{ctx.Symbols.NameText(s)}: invalid sym.other 0x{other:x}");
        if (entry != 0)
            ctx.Symbols.LocalEntry[s] = (byte)(entry == 1 ? 1 : 4 << (entry - 2));
    }

    /// <inheritdoc/>
    public override void AddStubSymbols(LinkContext ctx) => ctx.Symbols.Update(".glink"u8, 0).SetKind(SymbolKind.ElfRxSect);

    /// <inheritdoc/>
    public override void AddDynamicEntries(Action<ElfDynamicTag, ulong> add) => add(ElfDynamicTag.Ppc64Options, 0);

    /// <inheritdoc/>
    public override void DescribeStubSections(LinkContext ctx, ElfFormat format) => ElfFormat.Describe(
        ctx, format.Headers.Section(".glink"), ElfSectionType.ProgBits, ElfSectionFlags.Alloc | ElfSectionFlags.Exec, 0, 4);

    /// <inheritdoc/>
    public override byte SymbolOther(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        if (_isPcRelative || !symbols.Kind(s).IsText() || !symbols.IsShared(s))
            return 0;
        // Two functions are never entered at their start alone and have no code there for the table of contents.
        ReadOnlySpan<byte> name = symbols.Name(s);
        return name.SequenceEqual("runtime.duffzero"u8) || name.SequenceEqual("runtime.duffcopy"u8) ? (byte)0 : LocalEntryAt8;
    }

    /// <inheritdoc/>
    public override (string Option, string Complaint)? NeededLinkerOption => _isPower10
        ? ("-mcpu=power10",
            "The external toolchain does not support -mcpu=power10.  This is required to externally link GOPPC64 >= power10")
        : null;

    /// <inheritdoc/>
    /// <remarks>Two instructions have a half each.</remarks>
    public override int ObjectRelocationParts(RelocKind kind) => kind is RelocKind.PowerTlsLe or RelocKind.PowerTlsIe or RelocKind.AddrPower
        or RelocKind.AddrPowerDs or RelocKind.AddrPowerGot or RelocKind.AddrPowerPcRel or RelocKind.AddrPowerTocrel or RelocKind.AddrPowerTocrelDs
        ? 2 : 1;

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r)
    {
        // An instruction's half is its last two bytes.
        int half = _isBigEndian ? 2 : 0;
        return (r.Kind, r.Size) switch
        {
            (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => new(HostAddr32),
            (RelocKind.Addr or RelocKind.DwarfSecRef, 8) => new(HostAddr64),
            (RelocKind.CallPower, 4) => new(_isPcRelative ? HostRel24NoToc : HostRel24),
            (RelocKind.PowerTls, _) => new(HostTls),
            (RelocKind.AddrPowerD34, _) => new(HostD34),
            (RelocKind.AddrPowerPcrel34, _) => new(HostPcRel34),
            (RelocKind.AddrPowerGotPcrel34, _) => new(HostGotPcRel34),
            (RelocKind.PowerTlsLeTprel34, _) => new(HostTpRel34),
            (RelocKind.PowerTlsIePcrel34, _) => new(HostGotTpRelPcRel34),
            (RelocKind.AddrPower, _) => Pair(r.Part, HostAddr16Ha, HostAddr16Lo),
            (RelocKind.AddrPowerDs, _) => Pair(r.Part, HostAddr16Ha, HostAddr16LoDs),
            (RelocKind.AddrPowerGot, _) => Pair(r.Part, HostGot16Ha, HostGot16LoDs),
            (RelocKind.AddrPowerTocrel, _) => Pair(r.Part, HostToc16Ha, HostToc16Lo),
            (RelocKind.AddrPowerTocrelDs, _) => Pair(r.Part, HostToc16Ha, HostToc16LoDs),
            (RelocKind.PowerTlsLe, _) => Pair(r.Part, HostTpRel16Ha, HostTpRel16Lo),
            (RelocKind.PowerTlsIe, _) => Pair(r.Part, HostGotTpRel16Ha, HostGotTpRel16LoDs),
            // The distance is that of the first instruction.
            (RelocKind.AddrPowerPcRel, _) => Pair(r.Part, HostRel16Ha, HostRel16Lo) with { Addend = half + (r.Part * 4) },
            _ => null,
        };

        ElfObjectRelocation Pair(int part, uint first, uint second) => new(part == 0 ? first : second) { Place = half + (part * 4) };
    }

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic) => plt.SetSize(16);

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId)
    {
        SymbolBuilder plt = ctx.Symbols.Update(ctx.Known.Plt);
        SymbolBuilder relaPlt = ctx.Symbols.Update(ctx.Known.RelaPlt);
        if (plt.Size == 0)
            throw new InvalidOperationException("plt is not set up");

        SymbolBuilder glink = ctx.Symbols.Update(".glink"u8, 0);
        if (glink.Size == 0)
            AddResolver(ctx, glink, plt.Symbol);
        glink.AddReloc(RelocKind.CallPower, (int)glink.Size, 4, glink.Symbol, 0);
        glink.AddUInt32(Branch);

        int entry = (int)plt.Size;
        plt.Grow(entry + PltEntrySize);
        relaPlt.AddAddress(plt.Symbol, entry);
        relaPlt.AddUInt64(((ulong)dynamicId << 32) | JumpSlot);
        relaPlt.AddUInt64(0);
        return entry;
    }

    /// <summary>
    /// Writes what computes from r12, the address of the branch that was taken, the function's number for r0, and jumps to the address
    /// in the first entry of the PLT with the second in r11 (ensureglinkresolver).
    /// </summary>
    private static void AddResolver(LinkContext ctx, SymbolBuilder glink, SymbolId plt)
    {
        // r11 gets the address of the third instruction; the branches begin this far behind it.
        const int Branches = ResolverSize - 8;
        ReadOnlySpan<uint> code =
        [
            0x7c0802a6, // mflr r0
            0x429f0005, // bcl 20,31,1f
            0x7d6802a6, // 1: mflr r11
            0x7c0803a6, // mtlr r0
            0x38000000 | (0x10000 - Branches), // li r0,-branches
            0x7c006214, // add r0,r0,r12
            0x7c0b0050, // sub r0,r0,r11
            0x7800f082, // srdi r0,r0,2
            0xe98b0000 | (Branches - 8), // ld r12,distance(r11)
            0x7d6b6214, // add r11,r11,r12
            0xe98b0000, // ld r12,0(r11)
            0xe96b0008, // ld r11,8(r11)
            0x7d8903a6, // mtctr r12
            0x4e800420, // bctr
        ];
        foreach (uint instruction in code)
            glink.AddUInt32(instruction);
        // Counted from label 1: the field's end less 8, and then the resolver's size before it.
        glink.AddReference(plt, glink.Size, RelocKind.PcRel, 8);

        SymbolBuilder dynamic = ctx.Symbols.Update(ctx.Known.Dynamic);
        dynamic.AddUIntPtr((ulong)ElfDynamicTag.Ppc64Glink);
        dynamic.AddAddress(glink.Symbol, glink.Size - 32);
    }
}
