using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of ELF objects made by the host's compiler (the ELF cases of s390x's adddynrel).</summary>
internal sealed partial class S390x
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
        // The host counts from the field's start, we from its end.
        long fromEnd = r.Addend + r.Size;
        switch (type)
        {
            case ElfS390x.Host8 or ElfS390x.Host16 or ElfS390x.Host32 or ElfS390x.Host64:
                RefuseImport("R_390_nn");
                b.SetRelocKind(reloc, RelocKind.Addr);
                return ctx.Target.IsPie && ctx.Target.IsInternal ? null : true;

            case ElfS390x.HostPc16 or ElfS390x.HostPc32 or ElfS390x.HostPc64:
                RefuseImport("R_390_PCnn");
                if (kind is SymbolKind.None or SymbolKind.XRef)
                {
                    Error($"unknown symbol {symbols.NameText(to)} in pcrel");
                }
                Set(RelocKind.PcRel, to, fromEnd);
                return true;

            case ElfS390x.HostPc16Dbl or ElfS390x.HostPc32Dbl:
                RefuseImport("R_390_PCnnDBL");
                Set(RelocKind.PcRelDbl, to, fromEnd);
                return true;

            case ElfS390x.HostPlt16Dbl or ElfS390x.HostPlt32Dbl or ElfS390x.HostPlt32 or ElfS390x.HostPlt64:
                RelocKind distance = type is ElfS390x.HostPlt32 or ElfS390x.HostPlt64 ? RelocKind.PcRel : RelocKind.PcRelDbl;
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    fromEnd += symbols.PltOffset[to];
                    to = ctx.Known.Plt;
                }
                Set(distance, to, fromEnd);
                return true;

            case ElfS390x.HostGotOff:
                RefuseImport("R_390_GOTOFF");
                b.SetRelocKind(reloc, RelocKind.GotOff);
                return true;

            case ElfS390x.HostGotPc:
                Set(RelocKind.PcRel, ctx.Known.Got, fromEnd);
                return true;

            case ElfS390x.HostGotPcDbl:
                Set(RelocKind.PcRelDbl, ctx.Known.Got, fromEnd);
                return true;

            case ElfS390x.HostGotEntry:
                ctx.Format.AddGotEntry(ctx, to, ElfS390x.GlobDat);
                Set(RelocKind.PcRelDbl, ctx.Known.Got, fromEnd + symbols.GotOffset[to]);
                return true;

            default:
                // Named by what has the number among the Go linker's own kinds.
                ReadOnlySpan<byte> kinds = ctx.Release.RelocKinds;
                Error($"unimplemented S390x relocation: {((RelocKind)kinds[(int)type]).GoName()}");
                return type is ElfS390x.HostGot16 or ElfS390x.HostGot32 or ElfS390x.HostGot64;
        }

        void Set(RelocKind newKind, SymbolId target, long addend)
        {
            b.SetRelocKind(reloc, newKind);
            b.SetRelocTarget(reloc, target);
            b.SetRelocAddend(reloc, addend);
        }

        void RefuseImport(string name)
        {
            if (isImport)
            {
                Error($"unexpected {name} relocation for dynamic symbol {symbols.NameText(to)}");
            }
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }
}
