using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>Relocations of code (adddynrel and archreloc of arm64).</summary>
internal sealed partial class Arm64
{
    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // adrp x0, moduledata; add x0, x0, :lo12:moduledata; b runtime.addmoduledata
            function.AddUInt32(0x90000000);
            function.AddUInt32(0x91000000);
            function.AddReloc(RelocKind.AddrArm64, 0, 8, ctx.ModuleData, 0);
            function.AddUInt32(0x14000000);
            function.AddReloc(RelocKind.CallArm64, 8, 4, callee, 0);
        }
    }

    // Of the pair of instructions that make an address: ADRP with its page distance in bits 5–23 and 29–30 …
    private const uint PageImmediate = (3u << 29) | (0x7ffffu << 5);

    // … and ADD, or a load or store, with the rest in bits 10–21.
    private const uint LowImmediate = 0xfffu << 10;

    // The thread pointer stands before a control block of two pointers.
    private const int ControlBlockSize = 16;

    private const int TlsLimit = 32678;

    /// <inheritdoc/>
    public override bool MayNeedDynamicRelocation(RelocKind kind) => kind is RelocKind.Addr or RelocKind.Arm64GotPcRel;

    /// <inheritdoc/>
    public override ExternalForm ExternalFormOf(RelocKind kind) => kind switch
    {
        RelocKind.Arm64GotPcRel or RelocKind.AddrArm64 or RelocKind.Arm64PcRelLdSt8 or RelocKind.Arm64PcRelLdSt16
            or RelocKind.Arm64PcRelLdSt32 or RelocKind.Arm64PcRelLdSt64 => ExternalForm.Outer,
        RelocKind.CallArm64 or RelocKind.Arm64TlsLe or RelocKind.Arm64TlsIe => ExternalForm.Target,
        _ => ExternalForm.None,
    };

    /// <inheritdoc/>
    /// <remarks>Relocations of Windows carry no addend. ADRP takes it in bytes, so far as it has bits; its page is computed with those below.</remarks>
    public override long ExternalField(in RelocSite site, ulong content, long addend)
    {
        if (site.Context.Target.HeadType != HeadType.Windows || PairScale(site.Kind) is not { } scale)
        {
            return base.ExternalField(in site, content, addend);
        }
        if ((addend & ((1 << scale) - 1)) != 0)
        {
            site.Report($"offset for {8 << scale}-bit load/store has unaligned value {addend & 0xfff}");
        }
        uint first = ((uint)(addend & 3) << 29) | ((uint)(addend & 0xffffc) << 3);
        return (long)(content | first | ((ulong)LowBits(addend, scale) << 32));
    }

    // Of the pairs that may be left to an external linker: by how many bits the second instruction's offset is scaled.
    private static int? PairScale(RelocKind kind) => kind switch
    {
        RelocKind.AddrArm64 or RelocKind.Arm64PcRelLdSt8 => 0,
        RelocKind.Arm64PcRelLdSt16 => 1,
        RelocKind.Arm64PcRelLdSt32 => 2,
        RelocKind.Arm64PcRelLdSt64 => 3,
        _ => null,
    };

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        SymbolId to = relocs.Target(reloc);
        bool isImport = !to.IsNone && symbols.Kind(to) == SymbolKind.DynImport;
        switch (relocs.Kind(reloc))
        {
            case RelocKind.CallArm64:
                if (isImport && ctx.Target.IsInternal)
                {
                    if (r.Addend != 0)
                    {
                        ctx.Diagnostics.Error(symbols.Name(s), $"PLT call with non-zero addend ({r.Addend})");
                    }
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx, s, reloc, ctx.Known.Plt, symbols.PltOffset[to]);
                }
                return true;

            case RelocKind.AddrArm64:
                return isImport && symbols.Kind(s).IsText() && ctx.Format.LoadsImportsFromGot && LoadFromGot(ctx, s, reloc, to, r);

            case RelocKind.Addr:
                return AddAddress(ctx, s, reloc, to, r);

            case RelocKind.Arm64GotPcRel when ctx.Target.IsExternal:
                return true;

            case RelocKind.Arm64GotPcRel:
                if (!isImport)
                {
                    ctx.Diagnostics.Error(symbols.Name(s), $"R_ARM64_GOTPCREL target is not SDYNIMPORT symbol: {symbols.NameText(to)}");
                }
                if (r.Addend != 0)
                {
                    ctx.Diagnostics.Error(symbols.Name(s), $"R_ARM64_GOTPCREL with non-zero addend ({r.Addend})");
                }
                // One relocation for each of the two instructions.
                AddGotEntry(ctx, to);
                SymbolBuilder b = symbols.Update(s);
                b.SetRelocKind(reloc, RelocKind.Arm64Got);
                b.SetRelocSize(reloc, 4);
                Redirect(ctx, s, reloc, ctx.Known.Got, symbols.GotOffset[to]);
                b.AddReloc(RelocKind.Arm64Got, r.Offset + 4, 4, ctx.Known.Got, symbols.GotOffset[to]);
                return true;

            case RelocKind.Host:
                return ctx.Target.HeadType == HeadType.Darwin
                    ? ConvertMachORelocation(ctx, s, reloc)
                    : ConvertHostRelocation(ctx, s, reloc);

            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public override bool ChecksWeakCalls => true;

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        SymbolTable symbols = site.Context.Symbols;
        switch (site.Kind)
        {
            case RelocKind.CallArm64:
                {
                    bool isImport = symbols.Kind(site.Target) == SymbolKind.DynImport;
                    long t = symbols.Value(isImport ? site.Context.Known.Plt : site.Target) + site.Addend - site.Address;
                    if (!IsInReach(t))
                    {
                        site.Report($"program too large, call relocation distance = {t}");
                    }
                    value = (long)(content | ((ulong)(t >> 2) & 0x03ffffff));
                    return true;
                }

            case RelocKind.AddrArm64:
            case RelocKind.Arm64PcRelLdSt8:
                value = ApplyPair(in site, content, 0);
                return true;

            case RelocKind.Arm64PcRelLdSt16:
                value = ApplyPair(in site, content, 1);
                return true;

            case RelocKind.Arm64PcRelLdSt32:
                value = ApplyPair(in site, content, 2);
                return true;

            case RelocKind.Arm64PcRelLdSt64:
                value = ApplyPair(in site, content, 3);
                return true;

            case RelocKind.Arm64TlsLe:
                {
                    if (site.Context.Target.HeadType == HeadType.Darwin)
                    {
                        site.Report($"TLS reloc on unsupported OS {site.Context.Target.HeadType.ToString().ToLowerInvariant()}");
                    }
                    long offset = symbols.Value(site.Target) + ControlBlockSize;
                    CheckThreadLocal(in site, offset);
                    value = (long)content | (offset << 5);
                    return true;
                }

            case RelocKind.Arm64TlsIe:
                value = RelaxToLocalExec(in site, content);
                return true;

            case RelocKind.Arm64Got:
                return TryApplyGot(in site, (uint)content, out value);

            case RelocKind.Arm64PcRel:
                return TryApplyByInstruction(in site, (uint)content, out value);

            case RelocKind.Arm64LdSt8:
                value = ApplyLow(in site, content, 0, "8");
                return true;

            case RelocKind.Arm64LdSt16:
                value = ApplyLow(in site, content, 1, "16");
                return true;

            case RelocKind.Arm64LdSt32:
                value = ApplyLow(in site, content, 2, "32");
                return true;

            case RelocKind.Arm64LdSt64:
                value = ApplyLow(in site, content, 3, "64");
                return true;

            case RelocKind.Arm64LdSt128:
                value = ApplyLow(in site, content, 4, "128");
                return true;

            default:
                value = 0;
                return false;
        }
    }

    private static void Redirect(LinkContext ctx, SymbolId s, int reloc, SymbolId table, long offset)
    {
        SymbolBuilder b = ctx.Symbols.Update(s);
        b.SetRelocTarget(reloc, table);
        b.SetRelocAddend(reloc, offset);
    }

    private static void AddGotEntry(LinkContext ctx, SymbolId to) =>
        ctx.Format.AddGotEntry(ctx, to, Formats.Elf.ElfArm64.GlobDat);

    /// <summary>An address that the run-time linker must know of, in data or in code.</summary>
    private static bool AddAddress(LinkContext ctx, SymbolId s, int reloc, SymbolId to, RelocRecord r)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolKind kind = symbols.Kind(s);
        if (kind.IsText() && ctx.Target.IsElf)
        {
            // Code that wants the address of a function elsewhere gets that of its GOT entry.
            AddGotEntry(ctx, to);
            Redirect(ctx, s, reloc, ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
            return true;
        }
        if (ctx.Target.IsPie && ctx.Target.IsInternal)
        {
            // These tables describe addresses as the linker sees them; the run-time linker adds its part by itself.
            WellKnownSymbols known = ctx.Known;
            if (s == known.DynSym || s == known.Rela || s == known.RelaPlt || s == known.GotPlt || s == known.Dynamic)
            {
                return false;
            }
        }
        else if (!kind.IsData() && !kind.IsRoData())
        {
            return false;
        }
        return ctx.Format.AddRelativeRelocation(ctx, s, reloc);
    }

    /// <summary>Turns the pair that computes the address of an imported symbol into one that loads it from the GOT.</summary>
    private static bool LoadFromGot(LinkContext ctx, SymbolId s, int reloc, SymbolId to, RelocRecord r)
    {
        SymbolTable symbols = ctx.Symbols;
        if (r.Addend != 0)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"unexpected nonzero addend for dynamic symbol {symbols.NameText(to)}");
            return false;
        }
        ReadOnlySpan<byte> code = symbols.Data(s);
        int second = r.Offset + 4;
        uint add = second + 4 <= code.Length ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(code[second..]) : 0;
        if (add >> 24 != 0x91)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"unexpected R_ADDRARM64 reloc for dynamic symbol {symbols.NameText(to)}");
            return false;
        }
        SymbolBuilder b = symbols.Update(s);
        uint load = 0xf9400000 | (add & ((1u << 22) - 1));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(b.WritableData()[second..], load);
        if (ctx.Target.IsExternal)
        {
            b.SetRelocKind(reloc, RelocKind.Arm64GotPcRel);
            return true;
        }
        ctx.Format.AddGotEntry(ctx, to, 0);
        Redirect(ctx, s, reloc, ctx.Known.Got, symbols.GotOffset[to]);
        b.SetRelocKind(reloc, RelocKind.Arm64PcRelLdSt64);
        return true;
    }

    /// <summary>The distance of the target from the page of the instruction, which is what page distance and low bits are taken from.</summary>
    private static long PageDistance(in RelocSite site) =>
        site.Context.Symbols.Value(site.Target) + site.Addend - (site.Address & ~0xfffL);

    private static void CheckPageDistance(in RelocSite site, long t)
    {
        if (t is >= 1L << 32 or < -1L << 32)
        {
            site.Report($"program too large, address relocation distance = {t}");
        }
    }

    private static uint PageBits(long t) => ((uint)((t >> 12) & 3) << 29) | ((uint)((t >> 14) & 0x7ffff) << 5);

    private static uint LowBits(long t, int scale) => ((uint)(t & 0xfff) >> scale) << 10;

    /// <summary>ADRP and an instruction that uses the low bits, scaled by the size of what it loads or stores.</summary>
    private static long ApplyPair(in RelocSite site, ulong content, int scale)
    {
        long t = PageDistance(in site);
        CheckPageDistance(in site, t);
        if ((t & ((1 << scale) - 1)) != 0)
        {
            site.Report($"offset for {8 << scale}-bit load/store has unaligned value {t & 0xfff}");
        }
        return (long)(content | PageBits(t) | ((ulong)LowBits(t, scale) << 32));
    }

    private static long ApplyLow(in RelocSite site, ulong content, int scale, string size)
    {
        long t = PageDistance(in site);
        if ((t & ((1 << scale) - 1)) != 0)
        {
            site.Report($"invalid address: {RelocSite.GoHex(t)} for relocation type: R_AARCH64_LDST{size}_ABS_LO12_NC");
        }
        return (long)content | LowBits(t, scale);
    }

    private static bool TryApplyGot(in RelocSite site, uint instruction, out long value)
    {
        if (IsAdrp(instruction))
        {
            long t = PageDistance(in site);
            CheckPageDistance(in site, t);
            value = instruction | PageBits(t);
            return true;
        }
        if (instruction >> 24 == 0xf9)
        {
            long t = PageDistance(in site);
            if ((t & 7) != 0)
            {
                site.Report($"invalid address: {RelocSite.GoHex(t)} for relocation type: R_AARCH64_LD64_GOT_LO12_NC");
            }
            // The entry is aligned, so no bit is lost by scaling.
            value = instruction | ((uint)(t & 0xfff) << 7);
            return true;
        }
        site.Report($"unsupported instruction for {instruction:x} R_GOTARM64");
        value = 0;
        return false;
    }

    /// <summary>
    /// A relocation of one instruction, whose kind says which part of the address it takes. Objects of Windows keep the addend in the
    /// instruction as well; there it is taken out first.
    /// </summary>
    private static bool TryApplyByInstruction(in RelocSite site, uint instruction, out long value)
    {
        bool clears = site.Context.Target.HeadType == HeadType.Windows;
        long t = PageDistance(in site);
        if (IsAdrp(instruction))
        {
            CheckPageDistance(in site, t);
            value = (clears ? instruction & ~PageImmediate : instruction) | PageBits(t);
            return true;
        }
        int scale;
        if (((instruction >> 24) & 0x9f) == 0x91)
        {
            scale = 0;
        }
        else if (((instruction >> 24) & 0x3b) == 0x39)
        {
            // A load or store; of 16 bytes where the size field is 0 and it names a vector register and a wide operation.
            scale = (int)(instruction >> 30);
            if (scale == 0 && ((instruction >> 20) & 0x048) == 0x048)
            {
                scale = 4;
            }
            if ((t & ((1 << scale) - 1)) != 0)
            {
                site.Report($"invalid address: {RelocSite.GoHex(t)} for relocation type: ARM64_RELOC_PAGEOFF12");
            }
        }
        else
        {
            site.Report($"unsupported instruction for {instruction:x} R_ARM64_PCREL");
            value = 0;
            return false;
        }
        value = (clears ? instruction & ~LowImmediate : instruction) | LowBits(t, scale);
        return true;
    }

    private static bool IsAdrp(uint instruction) => ((instruction >> 24) & 0x9f) == 0x90;

    /// <summary>Turns the pair that loads a thread-local offset from the GOT into one that has it as a constant: MOVZ and MOVK.</summary>
    private static long RelaxToLocalExec(in RelocSite site, ulong content)
    {
        const uint MoveHigh = 0xd2a00000;
        const uint MoveLow = 0xf2800000;
        LinkContext ctx = site.Context;
        if (!ctx.Target.IsPie || !ctx.Format.HasInitialExecTls)
        {
            throw new LinkException(
                MessageForm.Input, $"cannot handle R_ARM64_TLS_IE (sym {ctx.Symbols.NameText(site.Symbol)}) when linking internally");
        }
        if (ctx.Target.HeadType != HeadType.Linux)
        {
            site.Report($"TLS reloc on unsupported OS {ctx.Target.HeadType.ToString().ToLowerInvariant()}");
        }
        long offset = ctx.Symbols.Value(site.Target) + ControlBlockSize + site.Addend;
        CheckThreadLocal(in site, offset);
        if ((offset & 3) != 0)
        {
            site.Report($"invalid address: {RelocSite.GoHex(offset)} for relocation type: R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC");
        }
        uint high = MoveHigh | ((uint)content & 0x1f) | ((uint)((offset >> 16) & 0xffff) << 5);
        uint low = MoveLow | ((uint)(content >> 32) & 0x1f) | ((uint)(offset & 0xffff) << 5);
        return (long)(high | ((ulong)low << 32));
    }

    private static void CheckThreadLocal(in RelocSite site, long offset)
    {
        if (offset is < 0 or >= TlsLimit)
        {
            site.Report($"TLS offset out of range {offset}");
        }
    }
}
