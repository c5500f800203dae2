using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of ELF objects made by the host's compiler (the ELF cases of amd64's adddynrel).</summary>
internal sealed partial class Amd64
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) =>
        target.HeadType == HeadType.Darwin ? ["-arch", "x86_64", "-m64"] : ["-m64"];

    /// <summary>Turns a host object's relocation into one of ours, with a PLT or GOT entry where it needs one.</summary>
    private bool ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        const byte MovFromMemory = 0x8b;
        const byte Lea = 0x8d;
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
            case ElfAmd64.HostPc32:
            case ElfAmd64.HostPc64:
                string name = type == ElfAmd64.HostPc32 ? "R_X86_64_PC32" : "R_X86_64_PC64";
                if (isImport)
                {
                    Error($"unexpected {name} relocation for dynamic symbol {symbols.NameText(to)}");
                }
                if (kind is SymbolKind.None or SymbolKind.XRef)
                {
                    Error($"unknown symbol {symbols.NameText(to)} in pcrel");
                }
                // The host counts from the field's start, we from its end.
                Set(RelocKind.PcRel, to, r.Addend + (type == ElfAmd64.HostPc32 ? 4 : 8));
                return true;

            case ElfAmd64.HostPlt32:
                Set(RelocKind.PcRel, to, r.Addend + 4);
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Set(RelocKind.PcRel, ctx.Known.Plt, r.Addend + 4 + symbols.PltOffset[to]);
                }
                return true;

            case ElfAmd64.HostGotPcRel:
            case ElfAmd64.HostGotPcRelX:
            case ElfAmd64.HostRexGotPcRelX:
                if (!isImport && r.Offset >= 2 && symbols.Data(s)[r.Offset - 2] == MovFromMemory)
                {
                    // The symbol is here: compute its address rather than load it.
                    b.WritableData()[r.Offset - 2] = Lea;
                    Set(RelocKind.PcRel, to, r.Addend + 4);
                    return true;
                }
                ctx.Format.AddGotEntry(ctx, to, GlobDat);
                Set(RelocKind.PcRel, ctx.Known.Got, r.Addend + 4 + symbols.GotOffset[to]);
                return true;

            case ElfAmd64.HostAbsolute64:
                if (isImport)
                {
                    Error($"unexpected R_X86_64_64 relocation for dynamic symbol {symbols.NameText(to)}");
                }
                b.SetRelocKind(reloc, RelocKind.Addr);
                return !(ctx.Target.IsPie && ctx.Target.IsInternal) || AddDynamicRelocation(ctx, s, reloc);

            default:
                // The loader of host objects takes no others.
                throw new InvalidOperationException($"host relocation {type} of {symbols.NameText(s)}");
        }

        void Set(RelocKind newKind, SymbolId target, long addend)
        {
            b.SetRelocKind(reloc, newKind);
            b.SetRelocTarget(reloc, target);
            b.SetRelocAddend(reloc, addend);
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }
}
