using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// 32-bit x86: all kinds the Go compiler makes are generic ones. References to imported functions go through the PLT, addresses of
/// imports in data are filled in at run time.
/// </summary>
internal sealed partial class I386
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => ["-m32"];

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocKind kind = relocs.Kind(reloc);
        if (kind == RelocKind.Host)
        {
            return ConvertHostRelocation(ctx, s, reloc);
        }
        SymbolId to = relocs.Target(reloc);
        if (to.IsNone || symbols.Kind(to) != SymbolKind.DynImport)
        {
            return true;
        }
        switch (kind)
        {
            case RelocKind.Call:
            case RelocKind.PcRel:
                ctx.Format.AddPltEntry(ctx, to);
                SymbolBuilder b = symbols.Update(s);
                b.SetRelocTarget(reloc, ctx.Known.Plt);
                b.SetRelocAddend(reloc, symbols.PltOffset[to]);
                return true;

            case RelocKind.Addr when symbols.Kind(s).IsData():
                return ctx.Format.AddImportRelocation(ctx, s, reloc, Elf386.HostAbsolute32);

            default:
                return false;
        }
    }

    /// <summary>Turns a host object's relocation into one of ours, with a PLT or GOT entry where it needs one.</summary>
    private static bool ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        SymbolKind kind = to.IsNone ? SymbolKind.None : symbols.Kind(to);
        bool isImport = kind == SymbolKind.DynImport;
        SymbolBuilder b = symbols.Update(s);
        // The host counts from a field's start, we from its end.
        switch (type)
        {
            case Elf386.HostPc32:
                if (isImport)
                {
                    Error($"unexpected R_386_PC32 relocation for dynamic symbol {symbols.NameText(to)}");
                }
                if (kind is SymbolKind.None or SymbolKind.XRef)
                {
                    Error($"unknown symbol {symbols.NameText(to)} in pcrel");
                }
                Set(RelocKind.PcRel, to, r.Addend + 4);
                return true;

            case Elf386.HostPlt32:
                Set(RelocKind.PcRel, to, r.Addend + 4);
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Set(RelocKind.PcRel, ctx.Known.Plt, r.Addend + 4 + symbols.PltOffset[to]);
                }
                return true;

            case Elf386.HostGot32:
            case Elf386.HostGot32X:
                if (!isImport)
                {
                    return LoadDirectly(ctx, s, reloc, to);
                }
                ctx.Format.AddGotEntry(ctx, to, Elf386.GlobDat);
                Set(RelocKind.Const, SymbolId.None, r.Addend + symbols.GotOffset[to]);
                return true;

            case Elf386.HostGotOff:
                b.SetRelocKind(reloc, RelocKind.GotOff);
                return true;

            case Elf386.HostGotPc:
                Set(RelocKind.PcRel, ctx.Known.Got, r.Addend + 4);
                return true;

            case Elf386.HostAbsolute32:
                if (isImport)
                {
                    Error($"unexpected R_386_32 relocation for dynamic symbol {symbols.NameText(to)}");
                }
                b.SetRelocKind(reloc, RelocKind.Addr);
                return true;

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

    /// <summary>
    /// Changes an instruction that loads or pushes a GOT entry so that it computes or pushes the address itself: the symbol is here.
    /// </summary>
    private static bool LoadDirectly(LinkContext ctx, SymbolId s, int reloc, SymbolId to)
    {
        const byte MovFromMemory = 0x8b;
        const byte Lea = 0x8d;
        const byte Group5 = 0xff;
        const byte PushFromEbx = 0xb3;
        const byte StackSegment = 0x36;
        const byte PushConstant = 0x68;
        SymbolTable symbols = ctx.Symbols;
        int offset = symbols.Relocs(s)[reloc].Offset;
        SymbolBuilder b = symbols.Update(s);
        if (offset >= 2)
        {
            ReadOnlySpan<byte> op = symbols.Data(s)[(offset - 2)..];
            if (op[0] == MovFromMemory)
            {
                b.WritableData()[offset - 2] = Lea;
                b.SetRelocKind(reloc, RelocKind.GotOff);
                return true;
            }
            if (op[0] == Group5 && op[1] == PushFromEbx)
            {
                // A prefix without effect keeps the length.
                Span<byte> writable = b.WritableData()[(offset - 2)..];
                writable[0] = StackSegment;
                writable[1] = PushConstant;
                b.SetRelocKind(reloc, RelocKind.Addr);
                return true;
            }
        }
        ctx.Diagnostics.Error(symbols.Name(s), $"unexpected GOT reloc for non-dynamic symbol {symbols.NameText(to)}");
        return false;
    }
}
