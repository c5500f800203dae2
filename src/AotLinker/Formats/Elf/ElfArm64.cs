using System.Globalization;
using AotLinker.Finish;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 64-bit ARM (ELF for the Arm 64-bit Architecture). The first PLT entry has 32 bytes, the others 16; they load from .got.plt
/// relative to their page and leave the slot's address in X16 for the resolver. Page sizes up to 64 KiB are allowed for.
/// </summary>
internal sealed class ElfArm64 : ElfCpu
{
    /// <summary>R_AARCH64_ABS64: the address.</summary>
    public const uint HostAbsolute64 = 257;

    /// <summary>R_AARCH64_PREL64: the distance, from the field's start.</summary>
    public const uint HostPrel64 = 260;

    /// <summary>R_AARCH64_PREL32: the distance in 32 bits.</summary>
    public const uint HostPrel32 = 261;

    /// <summary>R_AARCH64_ADR_PREL_PG_HI21: the page distance, in an ADRP.</summary>
    public const uint HostPage21 = 275;

    /// <summary>R_AARCH64_ADD_ABS_LO12_NC: the low 12 bits, in an ADD.</summary>
    public const uint HostAddLow12 = 277;

    /// <summary>R_AARCH64_LDST8_ABS_LO12_NC: the low 12 bits, in a load or store of a byte.</summary>
    public const uint HostLoadStore8 = 278;

    /// <summary>R_AARCH64_JUMP26: the distance of a function or of its PLT entry, in a branch.</summary>
    public const uint HostJump26 = 282;

    /// <summary>R_AARCH64_CALL26: the same in a call.</summary>
    public const uint HostCall26 = 283;

    /// <summary>R_AARCH64_LDST16_ABS_LO12_NC: the low 12 bits, in a load or store of 2 bytes.</summary>
    public const uint HostLoadStore16 = 284;

    /// <summary>R_AARCH64_LDST32_ABS_LO12_NC: of 4 bytes.</summary>
    public const uint HostLoadStore32 = 285;

    /// <summary>R_AARCH64_LDST64_ABS_LO12_NC: of 8 bytes.</summary>
    public const uint HostLoadStore64 = 286;

    /// <summary>R_AARCH64_LDST128_ABS_LO12_NC: of 16 bytes.</summary>
    public const uint HostLoadStore128 = 299;

    /// <summary>R_AARCH64_ADR_GOT_PAGE: the page distance of the symbol's GOT entry.</summary>
    public const uint HostGotPage = 311;

    /// <summary>R_AARCH64_LD64_GOT_LO12_NC: the low 12 bits of the GOT entry's address.</summary>
    public const uint HostGotLow12 = 312;

    /// <summary>R_AARCH64_GLOB_DAT: fills a GOT entry.</summary>
    public const uint GlobDat = 1025;

    private const uint HostAbsolute32 = 258;
    private const uint HostTlsIePage21 = 541;
    private const uint HostTlsIeLow12 = 542;
    private const uint HostTlsLe16 = 547;
    private const uint JumpSlot = 1026;
    private const uint AdrpX16 = 0x90000010;
    private const uint LoadX17 = 0xf9400211;
    private const uint AddX16 = 0x91000210;
    private const uint JumpX17 = 0xd61f0220;

    /// <summary>The one instance.</summary>
    public static ElfArm64 Instance { get; } = new()
    {
        Machine = ElfMachine.Aarch64,
        FamilyName = "arm64",
        Is64 = true,
        HasAddends = true,
        ImageBase = 0x10000,
        Round = 0x10000,
        PltEntrySize = 4,
        RelativeType = 1027,
        MakesObjects = true,
        Systems =
        [
            (HeadType.Linux, "/lib/ld-linux-aarch64.so.1"),
            (HeadType.FreeBsd, "/usr/libexec/ld-elf.so.1"),
            (HeadType.OpenBsd, "/usr/libexec/ld.so"),
            (HeadType.NetBsd, "/libexec/ld.elf_so"),
        ],
        AndroidInterpreter = "/system/bin/linker64",
        MuslInterpreter = "/lib/ld-musl-aarch64.so.1",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> LinkerOptions(HeadType system) => system == HeadType.OpenBsd ? ["-Wl,--no-execute-only"] : [];

    /// <inheritdoc/>
    public override bool NeedsLinkerVersion(LinkContext ctx) =>
        ctx.Target.HeadType == HeadType.FreeBsd || (ctx.Target.IsDynlinkingGo && ctx.Target.Goos == "linux");

    /// <inheritdoc/>
    /// <remarks>GNU's linker up to 2.35 takes references that Go makes for such as need a variable copied.</remarks>
    public override string? OtherLinker(LinkContext ctx, HostLinker host)
    {
        if (!NeedsLinkerVersion(ctx))
            return null;
        if (ctx.Target.HeadType == HeadType.FreeBsd)
        {
            if (host.VersionText("bfd") is { } gnu && !gnu.Contains("GNU ld", StringComparison.Ordinal))
                Diagnostics.Fatal("ARM64 external linker must be ld.bfd (issue #35197), please install devel/binutils");
            return "bfd";
        }
        if (ctx.Release.PrefersGnuLinker && !(host.VersionText(null) is { } own && IsOldGnuLinker(own)))
            return null;
        if (host.VersionText("gold") is { } gold && !gold.Contains("GNU gold", StringComparison.Ordinal))
            Diagnostics.Fatal($"ARM64 external linker must be {(ctx.Release.PrefersGnuLinker ? "ld>=2.36 or " : "")}gold (issue #15696, 22040), but is not: {gold}");
        return "gold";
    }

    /// <summary>Whether a text of GNU's linker about its version names 2.35 or an earlier 2.</summary>
    public static bool IsOldGnuLinker(string text)
    {
        const string Begin = "GNU ld ";
        foreach (string line in text.Split('\n'))
        {
            if (!line.StartsWith(Begin, StringComparison.Ordinal))
                continue;
            string version = line[Begin.Length..].TrimEnd();
            version = version[(version.LastIndexOfAny([' ', '\t']) + 1)..];
            int dot = version.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0 || !int.TryParse(version.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out int major))
                continue;
            int end = dot + 1;
            while (end < version.Length && char.IsAsciiDigit(version[end]))
                end++;
            if (int.TryParse(version.AsSpan(dot + 1, end - dot - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int minor))
                return major == 2 && minor <= 35;
        }
        return false;
    }

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        HostPrel32 or HostPage21 or HostAddLow12 or HostJump26 or HostCall26 or HostGotPage or HostGotLow12 => (4, 4),
        HostLoadStore8 or HostLoadStore16 or HostLoadStore32 or HostLoadStore64 or HostLoadStore128 => (4, 4),
        HostAbsolute64 or HostPrel64 => (8, 8),
        _ => null,
    };

    /// <inheritdoc/>
    /// <remarks>The page in the first of two instructions, the rest in the second.</remarks>
    public override int ObjectRelocationParts(RelocKind kind) => kind is RelocKind.AddrArm64 or RelocKind.Arm64PcRelLdSt8
        or RelocKind.Arm64PcRelLdSt16 or RelocKind.Arm64PcRelLdSt32 or RelocKind.Arm64PcRelLdSt64 or RelocKind.Arm64TlsIe
        or RelocKind.Arm64GotPcRel ? 2 : 1;

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r)
    {
        return (r.Kind, r.Size) switch
        {
            (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => new(HostAbsolute32),
            (RelocKind.Addr or RelocKind.DwarfSecRef, 8) => new(HostAbsolute64),
            (RelocKind.CallArm64, 4) => new(HostCall26),
            (RelocKind.Arm64TlsLe, _) => new(HostTlsLe16),
            (RelocKind.AddrArm64, _) => Pair(r.Part, HostPage21, HostAddLow12),
            (RelocKind.Arm64PcRelLdSt8, _) => Pair(r.Part, HostPage21, HostLoadStore8),
            (RelocKind.Arm64PcRelLdSt16, _) => Pair(r.Part, HostPage21, HostLoadStore16),
            (RelocKind.Arm64PcRelLdSt32, _) => Pair(r.Part, HostPage21, HostLoadStore32),
            (RelocKind.Arm64PcRelLdSt64, _) => Pair(r.Part, HostPage21, HostLoadStore64),
            (RelocKind.Arm64TlsIe, _) => Pair(r.Part, HostTlsIePage21, HostTlsIeLow12),
            (RelocKind.Arm64GotPcRel, _) => Pair(r.Part, HostGotPage, HostGotLow12),
            _ => null,
        };

        static ElfObjectRelocation Pair(int part, uint first, uint second) => part == 0 ? new(first) : new(second) { Place = 4 };
    }

    /// <inheritdoc/>
    /// <remarks>$x and $d say whether code or data follows.</remarks>
    public override bool IsMappingSymbol(ReadOnlySpan<byte> name) =>
        name.StartsWith("$a"u8) || name.StartsWith("$d"u8) || name.StartsWith("$x"u8);

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        const uint PushX16AndLink = 0xa9bf7bf0;
        const uint Nop = 0xd503201f;
        // stp x16, x30, [sp, #-16]!; then to the resolver by way of the third slot; three instructions fill the entry.
        plt.AddUInt32(PushX16AndLink);
        AddSlotJump(plt, gotPlt.Symbol, 16);
        plt.AddUInt32(Nop);
        plt.AddUInt32(Nop);
        plt.AddUInt32(Nop);

        // The dynamic section for the resolver; the two others are the dynamic linker's own.
        if (gotPlt.Size != 0)
        {
            ctx.Diagnostics.Error(ctx.Symbols.Name(gotPlt.Symbol), "got.plt is not empty at the very beginning");
        }
        gotPlt.AddAddress(dynamic);
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
        AddSlotJump(plt, gotPlt.Symbol, slot);
        gotPlt.AddAddress(plt.Symbol);

        relaPlt.AddAddress(gotPlt.Symbol, slot);
        relaPlt.AddUInt64(((ulong)dynamicId << 32) | JumpSlot);
        relaPlt.AddUInt64(0);
        return entry;
    }

    /// <summary>adrp x16; ldr x17 from the slot; add x16, so that it has the slot's address; br x17.</summary>
    private static void AddSlotJump(SymbolBuilder plt, SymbolId gotPlt, long slot)
    {
        AddInstruction(AdrpX16, RelocKind.Arm64Got);
        AddInstruction(LoadX17, RelocKind.Arm64Got);
        AddInstruction(AddX16, RelocKind.Arm64PcRel);
        plt.AddUInt32(JumpX17);

        void AddInstruction(uint code, RelocKind kind)
        {
            long end = plt.AddReference(gotPlt, slot, kind, 4);
            plt.SetUInt(end - 4, code, 4);
        }
    }
}
