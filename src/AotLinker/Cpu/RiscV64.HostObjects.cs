using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of ELF objects made by the host's compiler (the ELF cases of riscv64's adddynrel).</summary>
internal sealed partial class RiscV64
{
    /// <summary>Turns a host object's relocation into one of ours, with a PLT or GOT entry where it needs one.</summary>
    private static bool ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        SymbolKind kind = to.IsNone ? SymbolKind.None : symbols.Kind(to);
        SymbolBuilder b = symbols.Update(s);
        bool linksData = ctx.Release.LinksRiscVData;
        switch (type)
        {
            case ElfRiscV64.HostCall:
            case ElfRiscV64.HostCallPlt:
                if (kind == SymbolKind.DynImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx, s, reloc, ctx.Known.Plt, r.Addend + symbols.PltOffset[to]);
                }
                if (kind is SymbolKind.None or SymbolKind.XRef)
                {
                    Error($"unknown symbol {symbols.NameText(to)} in RISCV call");
                }
                return Set(RelocKind.RiscvCall);

            case ElfRiscV64.HostGotHi20:
                ctx.Format.AddGotEntry(ctx, to, ElfRiscV64.HostAbsolute64);
                Redirect(ctx, s, reloc, ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
                return Set(RelocKind.RiscvGotHi20);

            case ElfRiscV64.HostPcRelHi20:
                return Set(RelocKind.RiscvPcRelHi20);

            case ElfRiscV64.HostPcRelLo12I:
            case ElfRiscV64.HostPcRelLo12S:
                bool isLoad = type == ElfRiscV64.HostPcRelLo12I;
                if (r.Addend != 0)
                {
                    Error($"R_RISCV_PCREL_LO12_{(isLoad ? 'I' : 'S')} with non-zero addend");
                }
                return Set(isLoad ? RelocKind.RiscvPcRelLo12I : RelocKind.RiscvPcRelLo12S);

            case ElfRiscV64.HostPcRel32 when linksData:
                return Set(RelocKind.PcRel);

            case ElfRiscV64.HostAbsolute64 when linksData:
                return Set(RelocKind.Addr);

            case ElfRiscV64.HostAdd32 when linksData:
                return Set(RelocKind.RiscvAdd32);

            case ElfRiscV64.HostSub32 when linksData:
                return Set(RelocKind.RiscvSub32);

            case ElfRiscV64.HostRvcBranch:
                return Set(RelocKind.RiscvRvcBranch);

            case ElfRiscV64.HostRvcJump:
                return Set(RelocKind.RiscvRvcJump);

            case ElfRiscV64.HostBranch:
                return Set(RelocKind.RiscvBranch);

            case ElfRiscV64.HostJal:
                return Set(RelocKind.RiscvJal);

            case ElfRiscV64.HostRelax:
                // Code may be made shorter here, but need not.
                return true;

            default:
                Error($"unexpected relocation type {RelocFlags.HostBase + type} ({ElfRiscV64.HostName(type)})");
                return false;
        }

        bool Set(RelocKind newKind)
        {
            b.SetRelocKind(reloc, newKind);
            return true;
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }
}
