using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>Relocations of code (adddynrel and archreloc of riscv64).</summary>
internal sealed partial class RiscV64
{
    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // auipc a0, %pcrel_hi(moduledata); addi a0, a0, %pcrel_lo(moduledata); j runtime.addmoduledata
            function.AddUInt32(0x00000517);
            function.AddUInt32(0x00050513);
            function.AddReloc(RelocKind.RiscvPcRelItype, 0, 8, ctx.ModuleData, 0);
            function.AddUInt32(0x0000006f);
            function.AddReloc(RelocKind.RiscvJal, 8, 4, callee, 0);
        }
    }

    /// <inheritdoc/>
    public override bool MayNeedDynamicRelocation(RelocKind kind) => false;

    /// <inheritdoc/>
    public override ExternalForm ExternalFormOf(RelocKind kind) => kind switch
    {
        RelocKind.RiscvJal or RelocKind.RiscvJalTramp => ExternalForm.Target,
        RelocKind.RiscvCall or RelocKind.RiscvPcRelItype or RelocKind.RiscvPcRelStype or RelocKind.RiscvTlsIe or RelocKind.RiscvTlsLe
            or RelocKind.RiscvGotPcRelItype => ExternalForm.Outer,
        _ => ExternalForm.None,
    };

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        switch (relocs.Kind(reloc))
        {
            case RelocKind.Host:
                return ConvertHostRelocation(ctx, s, reloc);

            case RelocKind.RiscvCall:
                SymbolId to = relocs.Target(reloc);
                if (!to.IsNone && symbols.Kind(to) == SymbolKind.DynImport)
                {
                    if (relocs[reloc].Addend != 0)
                    {
                        ctx.Diagnostics.Error(symbols.Name(s), $"PLT reference with non-zero addend ({relocs[reloc].Addend})");
                    }
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx, s, reloc, ctx.Known.Plt, symbols.PltOffset[to]);
                }
                return true;

            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        uint instruction = (uint)content;
        switch (site.Kind)
        {
            case RelocKind.RiscvJal:
                value = ApplyJump(in site, instruction, site.TargetAddress - site.Address);
                return true;

            case RelocKind.RiscvJalTramp:
                value = ApplyJump(in site, instruction, DistancePastTrampoline(in site));
                return true;

            case RelocKind.RiscvCall:
            case RelocKind.RiscvPcRelItype:
            case RelocKind.RiscvPcRelStype:
                value = ApplyPair(in site, content, site.TargetAddress - site.Address);
                return true;

            case RelocKind.RiscvTlsIe:
                throw new LinkException(
                    MessageForm.Input, $"cannot handle R_RISCV_TLS_IE (sym {site.Context.Symbols.NameText(site.Symbol)}) when linking internally");

            case RelocKind.RiscvTlsLe:
                value = ApplyThreadLocal(in site, content);
                return true;

            case RelocKind.RiscvBranch:
                {
                    long distance = site.TargetAddress - site.Address;
                    bool fits = Check(in site, distance, 13, "cannot encode B-type instruction", isEven: true);
                    value = (instruction & ~BtypeMask) | (fits ? EncodeBtype(distance) : 0);
                    return true;
                }

            case RelocKind.RiscvRvcBranch:
                {
                    long distance = site.TargetAddress - site.Address;
                    bool fits = Check(in site, distance, 9, "cannot encode CB-type instruction", isEven: true);
                    value = ((ushort)instruction & ~CompressedBranchMask) | (fits ? EncodeCompressedBranch(distance) : 0);
                    return true;
                }

            case RelocKind.RiscvRvcJump:
                {
                    long distance = site.TargetAddress - site.Address;
                    bool fits = Check(in site, distance, 12, "cannot encode CJ-type instruction", isEven: true);
                    value = ((ushort)instruction & ~CompressedJumpMask) | (fits ? EncodeCompressedJump(distance) : 0);
                    return true;
                }

            case RelocKind.RiscvGotHi20:
            case RelocKind.RiscvPcRelHi20:
                {
                    (long high, _) = SplitDistance(in site, site.TargetAddress - site.Address, "relocation does not fit in 32-bits");
                    bool fits = Check(in site, high, 20, "cannot encode R_RISCV_PCREL_ AUIPC", isEven: false);
                    value = (instruction & ~UtypeMask) | (fits ? EncodeUtype(high) : 0);
                    return true;
                }

            case RelocKind.RiscvPcRelLo12I:
            case RelocKind.RiscvPcRelLo12S:
                value = ApplyLow(in site, instruction);
                return true;

            case RelocKind.RiscvAdd32:
                value = (uint)(instruction + site.TargetAddress);
                return true;

            case RelocKind.RiscvSub32:
                value = (uint)(instruction - site.TargetAddress);
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

    private static long ApplyJump(in RelocSite site, uint instruction, long distance)
    {
        bool fits = Check(in site, distance, 21, "cannot encode J-type instruction", isEven: true);
        return (instruction & ~JtypeMask) | (fits ? EncodeJtype(distance) : 0);
    }

    /// <summary>AUIPC and an instruction of the I or S type.</summary>
    private static long ApplyPair(in RelocSite site, ulong content, long distance)
    {
        (long high, long low) = SplitDistance(in site, distance, "pc-relative relocation does not fit in 32 bits");
        bool fits = Check(in site, high, 20, "cannot encode AUIPC", isEven: false);
        uint first = ((uint)content & ~UtypeMask) | (fits ? EncodeUtype(high) : 0);
        uint second = (uint)(content >> 32);
        second = site.Kind == RelocKind.RiscvPcRelStype
            ? (second & ~StypeMask) | EncodeStype(low)
            : (second & ~ItypeMask) | EncodeItype(low);
        return (long)(((ulong)second << 32) | first);
    }

    /// <summary>LUI and ADDIW with an offset from the thread pointer.</summary>
    private static long ApplyThreadLocal(in RelocSite site, ulong content)
    {
        (long high, long low) = SplitDistance(in site, site.Addend, "relocation does not fit in 32-bits");
        bool fits = Check(in site, high, 20, "cannot encode R_RISCV_TLS_LE LUI", isEven: false);
        uint first = ((uint)content & ~UtypeMask) | (fits ? EncodeUtype(high) : 0);
        uint second = ((uint)(content >> 32) & ~ItypeMask) | EncodeItype(low);
        return (long)(((ulong)second << 32) | first);
    }

    /// <summary>
    /// The lower part of a distance whose upper part another instruction has; the relocation refers to a label at that instruction, or
    /// to what contains it and the offset there.
    /// </summary>
    private static long ApplyLow(in RelocSite site, uint instruction)
    {
        SymbolTable symbols = site.Context.Symbols;
        SymbolId outer = symbols.Outer(site.Target);
        if (outer.IsNone)
        {
            outer = site.Target;
        }
        RelocList relocs = symbols.Relocs(outer);
        int upper = FindUpper(relocs, site.TargetAddress - symbols.Value(outer));
        if (upper < 0)
        {
            site.Report($"missing HI20 relocation for LO12 relocation with {symbols.NameText(site.Target)} ({site.Target.Index})");
            return instruction;
        }
        long pc = symbols.Value(site.Symbol) + relocs[upper].Offset;
        long distance = symbols.Value(relocs.Target(upper)) + relocs[upper].Addend - pc;
        (_, long low) = SplitDistance(in site, distance, "relocation does not fit in 32-bits");
        return site.Kind == RelocKind.RiscvPcRelLo12I
            ? (instruction & ~ItypeMask) | EncodeItype(low)
            : (instruction & ~StypeMask) | EncodeStype(low);
    }

    /// <summary>Index of the relocation at an offset that gives the upper part; -1 if there is none. They are sorted by offset.</summary>
    private static int FindUpper(RelocList relocs, long offset)
    {
        int low = 0;
        int high = relocs.Count;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (relocs[middle].Offset >= offset)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }
        for (int i = low; i < relocs.Count && relocs[i].Offset == offset; i++)
        {
            if (relocs.Kind(i) is RelocKind.RiscvGotHi20 or RelocKind.RiscvPcRelHi20)
            {
                return i;
            }
        }
        return -1;
    }

    private static (long High, long Low) SplitDistance(in RelocSite site, long distance, string misfit)
    {
        if (distance != (int)distance)
        {
            site.Report($"{misfit}: {distance}");
            return (0, 0);
        }
        return Split(distance);
    }

    private static bool Check(in RelocSite site, long v, int bits, string what, bool isEven)
    {
        if (Misfit(v, bits, isEven) is { } misfit)
        {
            site.Report($"{what} relocation offset for {site.Context.Symbols.NameText(site.Target)}: {misfit}");
            return false;
        }
        return true;
    }
}
