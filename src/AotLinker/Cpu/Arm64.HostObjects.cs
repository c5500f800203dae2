using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of ELF objects made by the host's compiler (the ELF cases of arm64's adddynrel).</summary>
internal sealed partial class Arm64
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) =>
        target.HeadType == HeadType.Darwin ? ["-arch", "arm64"] : [];

    /// <summary>Turns a host object's relocation into one of ours, with a PLT or GOT entry where it needs one.</summary>
    private bool ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        SymbolKind kind = to.IsNone ? SymbolKind.None : symbols.Kind(to);
        bool isImport = kind == SymbolKind.DynImport;
        bool isUnknown = kind is SymbolKind.None or SymbolKind.XRef;
        SymbolBuilder b = symbols.Update(s);
        switch (type)
        {
            case ElfArm64.HostPrel32:
            case ElfArm64.HostPrel64:
                RefuseImport(type == ElfArm64.HostPrel32 ? "R_AARCH64_PREL32 " : "R_AARCH64_PREL64 ");
                RefuseUnknown(" in pcrel");
                // The host counts from the field's start, we from its end.
                b.SetRelocKind(reloc, RelocKind.PcRel);
                b.SetRelocAddend(reloc, r.Addend + (type == ElfArm64.HostPrel32 ? 4 : 8));
                return true;

            case ElfArm64.HostCall26:
            case ElfArm64.HostJump26:
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx, s, reloc, ctx.Known.Plt, r.Addend + symbols.PltOffset[to]);
                }
                RefuseUnknown(" in callarm64");
                b.SetRelocKind(reloc, RelocKind.CallArm64);
                return true;

            case ElfArm64.HostGotPage:
            case ElfArm64.HostGotLow12:
                AddGotEntry(ctx, to);
                b.SetRelocKind(reloc, RelocKind.Arm64Got);
                Redirect(ctx, s, reloc, ctx.Known.Got, r.Addend + symbols.GotOffset[to]);
                return true;

            case ElfArm64.HostPage21:
            case ElfArm64.HostAddLow12:
                RefuseImport("");
                RefuseUnknown("");
                b.SetRelocKind(reloc, RelocKind.Arm64PcRel);
                return true;

            case ElfArm64.HostAbsolute64:
                RefuseImport("R_AARCH64_ABS64 ");
                b.SetRelocKind(reloc, RelocKind.Addr);
                return !(ctx.Target.IsPie && ctx.Target.IsInternal) || AddDynamicRelocation(ctx, s, reloc);

            case ElfArm64.HostLoadStore8:
            case ElfArm64.HostLoadStore16:
            case ElfArm64.HostLoadStore32:
            case ElfArm64.HostLoadStore64:
            case ElfArm64.HostLoadStore128:
                RefuseImport("");
                b.SetRelocKind(reloc, type switch
                {
                    ElfArm64.HostLoadStore8 => RelocKind.Arm64LdSt8,
                    ElfArm64.HostLoadStore16 => RelocKind.Arm64LdSt16,
                    ElfArm64.HostLoadStore32 => RelocKind.Arm64LdSt32,
                    ElfArm64.HostLoadStore64 => RelocKind.Arm64LdSt64,
                    _ => RelocKind.Arm64LdSt128,
                });
                return true;

            default:
                // The loader of host objects takes no others.
                throw new InvalidOperationException($"host relocation {type} of {symbols.NameText(s)}");
        }

        void RefuseImport(string relocation)
        {
            if (isImport)
            {
                ctx.Diagnostics.Error(symbols.Name(s), $"unexpected {relocation}relocation for dynamic symbol {symbols.NameText(to)}");
            }
        }

        void RefuseUnknown(string where)
        {
            if (isUnknown)
            {
                ctx.Diagnostics.Error(symbols.Name(s), $"unknown symbol {symbols.NameText(to)}{where}");
            }
        }
    }
}
