using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>
/// x86-64: all kinds the Go compiler makes are generic ones. References to imported functions go through the PLT, addresses taken in
/// code through the GOT.
/// </summary>
internal sealed partial class Amd64
{
    /// <inheritdoc/>
    /// <remarks>In ELF relocations carry all of it.</remarks>
    public override bool FieldsHoldAddends(Target target) => !target.IsElf;

    private const uint GlobDat = 6;

    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // leaq moduledata(%rip), %rdi; callq runtime.addmoduledata; retq
            function.AddBytes([0x48, 0x8d, 0x3d]);
            function.AddPcRelative4(ctx.ModuleData);
            function.AddUInt8(0xe8);
            function.AddReference(callee, 0, RelocKind.Call, 4);
            function.AddUInt8(0xc3);
        }
    }

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        Target target = ctx.Target;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        SymbolId to = relocs.Target(reloc);
        bool isImport = !to.IsNone && symbols.Kind(to) == SymbolKind.DynImport;
        switch (relocs.Kind(reloc))
        {
            case RelocKind.Call:
                if (isImport && target.IsInternal)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx.Known.Plt, symbols.PltOffset[to]);
                }
                return true;

            case RelocKind.PcRel:
                // Code that loads the address of an imported variable: ctx.Format decides whether that goes by way of the GOT.
                if (isImport && symbols.Kind(s).IsText() && ctx.Format.LoadsImportsFromGot)
                {
                    return LoadFromGot(ctx, s, reloc, to, r);
                }
                return false;

            case RelocKind.Addr:
                if (symbols.Kind(s).IsText() && target.IsElf)
                {
                    if (ctx.Format.AddressesImportsByPlt)
                    {
                        ctx.Format.AddPltEntry(ctx, to);
                        Redirect(ctx.Known.Plt, r.Addend + symbols.PltOffset[to]);
                    }
                    else
                    {
                        ctx.Format.AddGotEntry(ctx, to, GlobDat);
                        Redirect(ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
                    }
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
                else if (symbols.Kind(s) is var kind && !kind.IsData() && !kind.IsRoData())
                {
                    return false;
                }
                return ctx.Format.AddRelativeRelocation(ctx, s, reloc);

            case RelocKind.Host:
                return ctx.Target.HeadType == HeadType.Darwin
                    ? ConvertMachORelocation(ctx, s, reloc)
                    : ConvertHostRelocation(ctx, s, reloc);

            default:
                return false;
        }

        void Redirect(SymbolId table, long offset)
        {
            SymbolBuilder b = symbols.Update(s);
            b.SetRelocTarget(reloc, table);
            b.SetRelocAddend(reloc, offset);
        }
    }

    /// <inheritdoc/>
    public override void RelaxThreadLocal(Span<byte> content, int offset, int size)
    {
        const byte MovFromMemory = 0x8b;
        const byte MovConstant = 0xc7;
        const byte AddConstant = 0x81;
        if (offset < 3)
        {
            throw new LinkException(MessageForm.Input, "R_X86_64_GOTTPOFF reloc not preceded by MOVQ or ADDQ instruction");
        }
        // REX, opcode, ModRM with the register in its middle bits.
        Span<byte> op = content[(offset - 3)..offset];
        int register = op[2] >> 3;
        const int StackPointer = 4;
        if (op[1] != MovFromMemory && register != StackPointer)
        {
            throw new LinkException(MessageForm.Input, $"expected TLS IE op to be MOVQ, got [{op[0]} {op[1]} {op[2]}]");
        }
        // The register is now named by the other field, so its high bit moves within REX as well.
        if (op[0] == 0x4c)
        {
            op[0] = 0x49;
        }
        else if (size == 4 && op[0] == 0x44)
        {
            op[0] = 0x41;
        }
        op[1] = op[1] == MovFromMemory ? MovConstant : AddConstant;
        op[2] = (byte)(0xc0 | register);
    }

    private static bool LoadFromGot(LinkContext ctx, SymbolId s, int reloc, SymbolId to, RelocRecord r)
    {
        const byte Lea = 0x8d;
        const byte MovFromMemory = 0x8b;
        SymbolTable symbols = ctx.Symbols;
        if (r.Addend != 0)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"unexpected nonzero addend for dynamic symbol {symbols.NameText(to)}");
            return false;
        }
        if (r.Offset < 2 || symbols.Data(s)[r.Offset - 2] != Lea)
        {
            ctx.Diagnostics.Error(
                symbols.Name(s), $"unexpected R_PCREL reloc for dynamic symbol {symbols.NameText(to)}: not preceded by LEAQ instruction");
            return false;
        }
        SymbolBuilder b = symbols.Update(s);
        b.WritableData()[r.Offset - 2] = MovFromMemory;
        if (ctx.Target.IsExternal)
        {
            b.SetRelocKind(reloc, RelocKind.GotPcRel);
            return true;
        }
        ctx.Format.AddGotEntry(ctx, to, 0);
        b.SetRelocTarget(reloc, ctx.Known.Got);
        b.SetRelocAddend(reloc, symbols.GotOffset[to]);
        return true;
    }
}
