using System.Globalization;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>Relocations of LoongArch (the Go linker's loong64: archreloc, adddynrel).</summary>
internal sealed partial class Loong64
{
    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // pcalau12i a0, moduledata; addi.d a0, a0, moduledata; b runtime.addmoduledata
            function.AddUInt32(0x1a000004);
            function.AddReloc(RelocKind.Loong64AddrHi, 0, 4, ctx.ModuleData, 0);
            function.AddUInt32(0x02c00084);
            function.AddReloc(RelocKind.Loong64AddrLo, 4, 4, ctx.ModuleData, 0);
            function.AddUInt32(0x50000000);
            function.AddReloc(RelocKind.CallLoong64, 8, 4, callee, 0);
        }
    }

    // Instructions without their numbers and registers.
    private const uint LoadUpper = 0x14000000;
    private const uint OrImmediate = 0x03800000;

    // Where instructions have their numbers: 12 bits from bit 10, or 20 bits from bit 5.
    private const uint Field12 = 0xfffu << 10;
    private const uint Field20 = 0xfffffu << 5;

    /// <inheritdoc/>
    public override bool MayNeedDynamicRelocation(RelocKind kind) => kind is RelocKind.Addr
        or RelocKind.Loong64GotHi or RelocKind.Loong64GotLo or RelocKind.Loong64Got64Hi or RelocKind.Loong64Got64Lo;

    /// <inheritdoc/>
    public override ExternalForm ExternalFormOf(RelocKind kind) => kind switch
    {
        RelocKind.Loong64AddrHi or RelocKind.Loong64AddrLo or RelocKind.Loong64Addr64Hi or RelocKind.Loong64Addr64Lo
            or RelocKind.Loong64GotHi or RelocKind.Loong64GotLo or RelocKind.Loong64Got64Hi or RelocKind.Loong64Got64Lo => ExternalForm.Outer,
        RelocKind.CallLoong64 or RelocKind.Jmploong64 or RelocKind.Loong64TlsLeHi or RelocKind.Loong64TlsLeLo
            or RelocKind.Loong64TlsIeHi or RelocKind.Loong64TlsIeLo => ExternalForm.Target,
        _ => ExternalForm.None,
    };

    /// <inheritdoc/>
    public override bool ChecksWeakCalls => true;

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        LinkContext ctx = site.Context;
        long target = ctx.Symbols.Value(site.Target) + site.Addend;
        long pc = site.Address;
        uint op = (uint)content;
        switch (site.Kind)
        {
            case RelocKind.Loong64AddrLo:
                value = Put12(op, target);
                return true;

            case RelocKind.Loong64AddrHi:
                value = Put20(op, PageDistance(target, pc));
                return true;

            case RelocKind.Loong64Addr64Lo:
                value = Put20(op, WideDistance(target, pc - 8) >> 32);
                return true;

            case RelocKind.Loong64Addr64Hi:
                value = Put12(op, WideDistance(target, pc - 12) >> 52);
                return true;

            case RelocKind.Loong64AddrPcrel20S2:
                long words = (target - pc) >> 2;
                CheckRange(in site, words, 21, "R_LOONG64_ADDR_PCREL20_S2, offset out of range");
                value = Put20(op, words);
                return true;

            case RelocKind.Loong64TlsLeHi:
            case RelocKind.Loong64TlsLeLo:
                CheckRange(in site, target, 31, "R_LOONG64_TLS_LE_HI/LO, TLS offset out of range");
                value = site.Kind == RelocKind.Loong64TlsLeLo ? Put12(op, target) : Put20(op, target >> 12);
                return true;

            case RelocKind.Loong64TlsIeHi:
            case RelocKind.Loong64TlsIeLo:
                if (!ctx.Target.IsPie || !ctx.Format.HasInitialExecTls)
                {
                    throw new LinkException(
                        MessageForm.Input, $"cannot handle R_LOONG64_TLS_IE_x (sym {ctx.Symbols.NameText(site.Target)}) when linking internally");
                }
                // The program's own thread-local storage has a fixed place, so its offset need not be loaded from the GOT.
                CheckRange(in site, target, 31, "R_LOONG64_TLS_IE_HI/LO, TLS offset out of range");
                value = site.Kind == RelocKind.Loong64TlsIeHi
                    ? LoadUpper | (op & 0x1f) | ((target >> 12) << 5)
                    : OrImmediate | (op & 0x3ff) | ((target & 0xfff) << 10);
                return true;

            case RelocKind.CallLoong64:
            case RelocKind.Jmploong64:
                long distance = target - pc;
                CheckRange(in site, distance, 27, "R_CALLLOONG64, program too large, call relocation distance =");
                value = (op & 0xfc000000) | Field16(distance >> 2) | ((distance >> 18) & 0x3ff);
                return true;

            case RelocKind.Loong64Call36:
                long far = (target - pc) >> 2;
                CheckRange(in site, far, 37, "R_LOONG64_CALL36, program too large, call relocation distance =");
                // The jump's 16 bits are signed, so the upper part is rounded to the nearest.
                long upper = (op & 0xfe00001f) | (((far + 0x8000) >> 16) << 5);
                long jump = ((long)(content >> 32) & 0xfc0003ff) | Field16(far);
                value = upper | (jump << 32);
                return true;

            case RelocKind.Jmp16loong64:
                CheckRange(in site, target - pc, 17, "R_JMP16LOONG64, program too large, jmp relocation distance =");
                value = (op & 0xfc0003ff) | Field16((target - pc) >> 2);
                return true;

            case RelocKind.Jmp21loong64:
                CheckRange(in site, target - pc, 22, "R_JMP21LOONG64, program too large, call relocation distance =");
                value = (op & 0xfc0003e0) | Field16((target - pc) >> 2) | (((target - pc) >> 18) & 0x1f);
                return true;

            case RelocKind.Loong64Add64:
                value = (long)content + target;
                return true;

            case RelocKind.Loong64Sub64:
                value = (long)content - target;
                return true;

            default:
                value = 0;
                return false;
        }
    }

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        if (!ctx.Release.LoongLinksInternally)
        {
            throw new LinkException(MessageForm.Input, "adddynrel not implemented");
        }
        if (ctx.Symbols.Relocs(s).Kind(reloc) == RelocKind.Host && ConvertHostRelocation(ctx, s, reloc) is { } done)
        {
            return done;
        }
        SymbolTable symbols = ctx.Symbols;
        Target target = ctx.Target;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        SymbolId to = relocs.Target(reloc);
        switch (relocs.Kind(reloc))
        {
            case RelocKind.CallLoong64:
                if (!to.IsNone && symbols.Kind(to) == SymbolKind.DynImport)
                {
                    if (r.Addend != 0)
                    {
                        ctx.Diagnostics.Error(symbols.Name(s), $"PLT call with no-zero addend ({r.Addend})");
                    }
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx.Known.Plt, symbols.PltOffset[to]);
                }
                return true;

            case RelocKind.Addr:
                if (symbols.Kind(s).IsText() && target.IsElf)
                {
                    ctx.Format.AddGotEntry(ctx, to, ElfLoong64.HostAbsolute64);
                    Redirect(ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
                    return true;
                }
                if (target.IsPie && target.IsInternal)
                {
                    // These tables describe addresses as the linker sees them; the run-time linker adds its part by itself.
                    WellKnownSymbols known = ctx.Known;
                    if (s == known.DynSym || s == known.Rela || s == known.RelaPlt || s == known.GotPlt || s == known.Dynamic)
                    {
                        return false;
                    }
                }
                else if (symbols.Kind(s) is not (SymbolKind.Data or SymbolKind.RoData))
                {
                    return false;
                }
                return ctx.Format.AddRelativeRelocation(ctx, s, reloc);

            case RelocKind.Loong64GotHi:
                LoadFromGot(RelocKind.Loong64AddrHi);
                return true;

            case RelocKind.Loong64GotLo:
                LoadFromGot(RelocKind.Loong64AddrLo);
                return true;

            case RelocKind.Loong64Got64Hi:
                LoadFromGot(RelocKind.Loong64Addr64Hi);
                return true;

            case RelocKind.Loong64Got64Lo:
                LoadFromGot(RelocKind.Loong64Addr64Lo);
                return true;

            default:
                return false;
        }

        void LoadFromGot(RelocKind kind)
        {
            ctx.Format.AddGotEntry(ctx, to, ElfLoong64.HostAbsolute64);
            symbols.Update(s).SetRelocKind(reloc, kind);
            Redirect(ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
        }

        void Redirect(SymbolId table, long offset)
        {
            SymbolBuilder b = symbols.Update(s);
            b.SetRelocTarget(reloc, table);
            b.SetRelocAddend(reloc, offset);
        }
    }

    private static long Put12(uint op, long number) => (op & ~Field12) | ((number & 0xfff) << 10);

    private static long Put20(uint op, long number) => (op & ~Field20) | ((number & 0xfffff) << 5);

    private static long Field16(long number) => (number & 0xffff) << 10;

    /// <summary>Number of pages from the page of the pc to the target, such that a signed 12-bit offset leads on.</summary>
    private static long PageDistance(long target, long pc) => ((target + 0x800) >> 12) - (pc >> 12);

    /// <summary>
    /// Distance from the page of the pc to the target's, corrected for the sign extensions of the two lower parts: bits 32 and above are
    /// the two upper parts.
    /// </summary>
    private static long WideDistance(long target, long pc)
    {
        long distance = (target & ~0xfff) - (pc & ~0xfff);
        if ((target & 0x800) != 0)
        {
            distance += 0x1000 - 0x1_0000_0000;
        }
        return (distance & 0x8000_0000) != 0 ? distance + 0x1_0000_0000 : distance;
    }

    /// <summary>Reports a number that does not fit <paramref name="bits"/> bits and a sign.</summary>
    private static void CheckRange(in RelocSite site, long number, int bits, string what)
    {
        if ((number < -(1L << bits) || number >= 1L << bits) && site.Context.Release.ChecksLoongRanges)
        {
            site.Report(string.Create(CultureInfo.InvariantCulture, $"reloc: {what} {number}"));
        }
    }
}
