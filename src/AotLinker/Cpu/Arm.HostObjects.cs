using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of ELF objects made by the host's compiler (the ELF cases of arm's adddynrel).</summary>
internal sealed partial class Arm
{
    /// <summary>Turns a host object's relocation into one of ours, with a PLT or GOT entry where it needs one.</summary>
    private static bool ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        bool isImport = !to.IsNone && symbols.Kind(to) == SymbolKind.DynImport;
        SymbolBuilder b = symbols.Update(s);
        switch (type)
        {
            case ElfArm.HostCall:
            case ElfArm.HostPc24:
            case ElfArm.HostJump24:
            case ElfArm.HostPlt32:
                b.SetRelocKind(reloc, RelocKind.CallArm);
                if (isImport)
                {
                    CallByPlt(ctx, s, reloc, to);
                }
                return true;

            case ElfArm.HostThumbCall:
                throw new LinkException("R_ARM_THM_CALL, are you using -marm?");

            case ElfArm.HostGot32:
                Set(b, reloc, RelocKind.Const, SymbolId.None, r.Addend + GotEntry(ctx, to, isImport));
                return true;

            // The host counts from a field's start, we from its end.
            case ElfArm.HostGotPrel:
                Set(b, reloc, RelocKind.PcRel, ctx.Known.Got, r.Addend + 4 + GotEntry(ctx, to, isImport));
                return true;

            case ElfArm.HostGotOff:
                b.SetRelocKind(reloc, RelocKind.GotOff);
                return true;

            case ElfArm.HostGotPc:
                Set(b, reloc, RelocKind.PcRel, ctx.Known.Got, r.Addend + 4);
                return true;

            case ElfArm.HostRel32:
                Set(b, reloc, RelocKind.PcRel, to, r.Addend + 4);
                return true;

            case ElfArm.HostAbsolute32:
                if (isImport)
                {
                    ctx.Diagnostics.Error(symbols.Name(s), $"unexpected R_ARM_ABS32 relocation for dynamic symbol {symbols.NameText(to)}");
                }
                b.SetRelocKind(reloc, RelocKind.Addr);
                return true;

            case ElfArm.HostV4Bx:
                ctx.Diagnostics.Error(symbols.Name(s), $"unexpected relocation type {RelocFlags.HostBase + type} (R_ARM_V4BX)");
                return false;

            default:
                // The loader of host objects takes no others.
                throw new InvalidOperationException($"host relocation {type} of {symbols.NameText(s)}");
        }
    }

    // Where a symbol's address stands in the GOT: filled at run time for an import, by ourselves for all others.
    private static int GotEntry(LinkContext ctx, SymbolId s, bool isImport)
    {
        SymbolTable symbols = ctx.Symbols;
        if (isImport)
        {
            ctx.Format.AddGotEntry(ctx, s, ElfArm.GlobDat);
        }
        else if (!symbols.GotOffset.ContainsKey(s))
        {
            SymbolBuilder got = symbols.Update(ctx.Known.Got);
            symbols.GotOffset[s] = (int)got.Size;
            got.AddAddress(s);
        }
        return symbols.GotOffset[s];
    }
}
