using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of ELF objects made by the host's compiler (the ELF cases of loong64's adddynrel).</summary>
internal sealed partial class Loong64
{
    /// <summary>Turns a host object's relocation into one of ours, with a PLT or GOT entry where it needs one.</summary>
    /// <returns>Whether it is done; null where what it has become needs a look as well.</returns>
    private static bool? ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        SymbolKind kind = to.IsNone ? SymbolKind.None : symbols.Kind(to);
        bool isImport = kind == SymbolKind.DynImport;
        SymbolBuilder b = symbols.Update(s);
        switch (type)
        {
            case ElfLoong64.HostAbsolute64:
                if (isImport)
                {
                    Error($"unexpected R_LARCH_64 relocation for dynamic symbol {symbols.NameText(to)}");
                }
                b.SetRelocKind(reloc, RelocKind.Addr);
                return ctx.Target.IsPie && ctx.Target.IsInternal ? null : true;

            case ElfLoong64.HostB26:
            case ElfLoong64.HostCall36:
            case ElfLoong64.HostB16:
            case ElfLoong64.HostB21:
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    b.SetRelocTarget(reloc, ctx.Known.Plt);
                    b.SetRelocAddend(reloc, r.Addend + symbols.PltOffset[to]);
                }
                if (kind is SymbolKind.None or SymbolKind.XRef)
                {
                    string where = type is ElfLoong64.HostB26 or ElfLoong64.HostCall36 ? "callloong64" : "R_JMPxxLOONG64";
                    Error($"unknown symbol {symbols.NameText(to)} in {where}");
                }
                b.SetRelocKind(reloc, type switch
                {
                    ElfLoong64.HostB26 => RelocKind.CallLoong64,
                    ElfLoong64.HostCall36 => RelocKind.Loong64Call36,
                    ElfLoong64.HostB16 => RelocKind.Jmp16loong64,
                    _ => RelocKind.Jmp21loong64,
                });
                return true;

            case ElfLoong64.HostGotPcHi20:
            case ElfLoong64.HostGotPcLo12:
            case ElfLoong64.HostGot64PcHi12:
            case ElfLoong64.HostGot64PcLo20:
                ctx.Format.AddGotEntry(ctx, to, ElfLoong64.HostAbsolute64);
                b.SetRelocKind(reloc, type switch
                {
                    ElfLoong64.HostGotPcHi20 => RelocKind.Loong64AddrHi,
                    ElfLoong64.HostGotPcLo12 => RelocKind.Loong64AddrLo,
                    ElfLoong64.HostGot64PcHi12 => RelocKind.Loong64Addr64Hi,
                    _ => RelocKind.Loong64Addr64Lo,
                });
                b.SetRelocTarget(reloc, ctx.Known.Got);
                b.SetRelocAddend(reloc, r.Addend + symbols.GotOffset[to]);
                return true;

            case ElfLoong64.HostPcalaHi20:
            case ElfLoong64.HostPcalaLo12:
            case ElfLoong64.HostPcala64Hi12:
            case ElfLoong64.HostPcala64Lo20:
            case ElfLoong64.HostPcRel20S2:
                if (isImport)
                {
                    Error($"unexpected relocation for dynamic symbol {symbols.NameText(to)}");
                }
                if (kind is SymbolKind.None or SymbolKind.XRef)
                {
                    Error($"unknown symbol {symbols.NameText(to)}");
                }
                b.SetRelocKind(reloc, type switch
                {
                    ElfLoong64.HostPcalaHi20 => RelocKind.Loong64AddrHi,
                    ElfLoong64.HostPcalaLo12 => RelocKind.Loong64AddrLo,
                    ElfLoong64.HostPcala64Hi12 => RelocKind.Loong64Addr64Hi,
                    ElfLoong64.HostPcala64Lo20 => RelocKind.Loong64Addr64Lo,
                    _ => RelocKind.Loong64AddrPcrel20S2,
                });
                return true;

            case ElfLoong64.HostAdd64:
                b.SetRelocKind(reloc, RelocKind.Loong64Add64);
                return true;

            case ElfLoong64.HostSub64:
                b.SetRelocKind(reloc, RelocKind.Loong64Sub64);
                return true;

            default:
                Error($"adddynrel: unexpected reloction type {RelocFlags.HostBase + type} ({ElfLoong64.HostRelocationName(type)})");
                return false;
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }
}
