using AotLinker.Formats.MachO;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of Mach-O objects made by the host's compiler (the Mach-O cases of amd64's adddynrel).</summary>
internal sealed partial class Amd64
{
    private static bool ConvertMachORelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        const byte MovFromMemory = 0x8b;
        const byte Lea = 0x8d;
        const uint PcRelative = 1;
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        bool isImport = !to.IsNone && symbols.Kind(to) == SymbolKind.DynImport;
        SymbolBuilder b = symbols.Update(s);
        switch (type)
        {
            case MachOAmd64.Unsigned << 1:
            case MachOAmd64.Signed << 1:
            case MachOAmd64.Branch << 1:
                b.SetRelocKind(reloc, RelocKind.Addr);
                if (ctx.Target.IsPie && ctx.Target.IsInternal)
                {
                    if (type == MachOAmd64.Unsigned << 1)
                    {
                        return ctx.Target.Cpu.AddDynamicRelocation(ctx, s, reloc);
                    }
                    Error($"unsupported relocation for PIE: RelocType({512 + type})");
                }
                RefuseImport("reloc");
                return true;

            case MachOAmd64.Subtractor << 1 when ctx.Release.LinksMachODifferences:
                return MachOCpu.ConvertDifference(
                    ctx, s, reloc, MachOAmd64.Unsigned << 1, "X86_64_RELOC_SUBTRACTOR", "X86_64_RELOC_UNSIGNED at the same offset");

            case (MachOAmd64.Branch << 1) | PcRelative when isImport:
                ctx.Format.AddPltEntry(ctx, to);
                Set(ctx.Known.Plt, symbols.PltOffset[to]);
                return true;

            case (MachOAmd64.Branch << 1) | PcRelative:
            case (MachOAmd64.Unsigned << 1) | PcRelative:
            case (MachOAmd64.Signed << 1) | PcRelative:
            case (MachOAmd64.Signed1 << 1) | PcRelative:
            case (MachOAmd64.Signed2 << 1) | PcRelative:
            case (MachOAmd64.Signed4 << 1) | PcRelative:
                b.SetRelocKind(reloc, RelocKind.PcRel);
                RefuseImport("pc-relative reloc");
                return true;

            case (MachOAmd64.GotLoad << 1) | PcRelative when !isImport:
                // The symbol is here: compute its address rather than load it.
                if (r.Offset < 2 || symbols.Data(s)[r.Offset - 2] != MovFromMemory)
                {
                    Error($"unexpected GOT_LOAD reloc for non-dynamic symbol {symbols.NameText(to)}");
                    return false;
                }
                b.WritableData()[r.Offset - 2] = Lea;
                b.SetRelocKind(reloc, RelocKind.PcRel);
                return true;

            case (MachOAmd64.GotLoad << 1) | PcRelative:
            case (MachOAmd64.Got << 1) | PcRelative:
                if (!isImport)
                {
                    Error($"unexpected GOT reloc for non-dynamic symbol {symbols.NameText(to)}");
                }
                ctx.Format.AddGotEntry(ctx, to, 0);
                Set(ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
                return true;

            default:
                return MachOAmd64.Instance.Refuse(ctx, s, type);
        }

        void Set(SymbolId table, long addend)
        {
            b.SetRelocKind(reloc, RelocKind.PcRel);
            b.SetRelocTarget(reloc, table);
            b.SetRelocAddend(reloc, addend);
        }

        void RefuseImport(string what)
        {
            if (isImport)
            {
                Error($"unexpected {what} for dynamic symbol {symbols.NameText(to)}");
            }
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }
}
