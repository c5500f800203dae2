using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>
/// Relocations of z/Architecture: distances in halfwords. References to imported functions go through the PLT, addresses taken in code
/// through the GOT.
/// </summary>
internal sealed partial class S390x
{
    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // larl %r2, moduledata; jg runtime.addmoduledata; zeros, which are no instruction
            function.AddBytes([0xc0, 0x20]);
            function.AddReference(ctx.ModuleData, 6, RelocKind.PcRelDbl, 4);
            function.AddBytes([0xc0, 0xf4]);
            function.AddReference(callee, 6, RelocKind.Call, 4);
            function.AddUInt32(0);
        }
    }

    /// <inheritdoc/>
    public override bool ComputesCalls => true;

    /// <inheritdoc/>
    public override long ExternalField(in RelocSite site, ulong content, long addend)
    {
        if (site.Kind is RelocKind.Call or RelocKind.PcRelDbl)
        {
            CheckEven(in site, addend);
            return addend >> 1;
        }
        return base.ExternalField(in site, content, addend);
    }

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        if (symbols.Relocs(s).Kind(reloc) == RelocKind.Host && ConvertHostRelocation(ctx, s, reloc) is { } isDone)
        {
            return isDone;
        }
        RelocList relocs = symbols.Relocs(s);
        SymbolId to = relocs.Target(reloc);
        long addend = relocs[reloc].Addend;
        bool isImport = !to.IsNone && symbols.Kind(to) == SymbolKind.DynImport;
        switch (relocs.Kind(reloc))
        {
            case RelocKind.Call or RelocKind.PcRelDbl:
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx.Known.Plt, symbols.PltOffset[to]);
                }
                return true;

            case RelocKind.Addr:
                if (symbols.Kind(s).IsText())
                {
                    ctx.Format.AddGotEntry(ctx, to, ElfS390x.GlobDat);
                    Redirect(ctx.Known.Got, symbols.GotOffset[to]);
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
                else if (symbols.Kind(s) is var kind && !kind.IsData() && !kind.IsRoData())
                {
                    return !isImport;
                }
                return ctx.Format.AddRelativeRelocation(ctx, s, reloc);

            default:
                return !isImport;
        }

        void Redirect(SymbolId table, long offset)
        {
            SymbolBuilder b = symbols.Update(s);
            b.SetRelocAddend(reloc, addend + offset);
            b.SetRelocTarget(reloc, table);
        }
    }

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        if (site.Kind is not (RelocKind.Call or RelocKind.PcRelDbl))
        {
            value = 0;
            return false;
        }
        long distance = site.TargetAddress - (site.Address + site.Size);
        CheckEven(in site, distance);
        value = distance >> 1;
        return true;
    }

    private static void CheckEven(in RelocSite site, long distance)
    {
        if ((distance & 1) != 0)
        {
            site.Report($"{site.Context.Symbols.NameText(site.Target)}+{site.Context.Symbols.Value(site.Target)} is not 2-byte aligned");
        }
    }

    /// <summary>
    /// Makes of the pair that loads the offset from the GOT (LARL with the relocated field, LG) an LGFI, whose immediate is the field,
    /// and three halfwords of nothing.
    /// </summary>
    public override void RelaxThreadLocal(Span<byte> content, int offset, int size)
    {
        if (offset < 2)
        {
            throw new LinkException(MessageForm.Input, $"R_390_TLS_IEENT relocation at offset {offset} is too small");
        }
        Span<byte> opcode = content[(offset - 2)..offset];
        if (opcode[0] != 0xc0 || (opcode[1] & 0xf) != 0)
        {
            throw new LinkException(
                MessageForm.Input, $"R_390_TLS_IEENT relocation not preceded by LARL instruction: {opcode[0]:x2} {opcode[1]:x2}");
        }
        // The register stands in the upper half, the rest of the operation in the lower.
        opcode[1] |= 1;
        ReadOnlySpan<byte> nothing = [0x07, 0x00, 0x07, 0x00, 0x07, 0x00];
        nothing.CopyTo(content[(offset + 4)..]);
    }
}
