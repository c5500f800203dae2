using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// MIPS, 64 bits (mips64, mips64le), with the n64 ABI. Addresses of code and data have 32 significant bits all the same: there are no
/// relocations for the upper ones.
/// </summary>
/// <param name="isBigEndian">Byte order.</param>
internal sealed class Mips64(bool isBigEndian) : Mips(isBigEndian)
{
    private readonly ElfMips64 _elf = new(isBigEndian);

    /// <inheritdoc/>
    public override string Name => IsBigEndian ? "mips64" : "mips64le";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override int FunctionAlign => 8;

    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => ["-mabi=64"];

    /// <inheritdoc/>
    public override ElfCpu Elf => _elf;

    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (!ctx.Settings.NoDynamic && ctx.Target.IsInternal)
        {
            _elf.AddGotEntries(ctx);
        }
    }

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        switch (relocs.Kind(reloc))
        {
            case RelocKind.CallMips:
            case RelocKind.JmpMips:
                SymbolId to = relocs.Target(reloc);
                if (!to.IsNone && symbols.Kind(to) == SymbolKind.DynImport)
                {
                    if (relocs[reloc].Addend != 0)
                    {
                        ctx.Diagnostics.Error(symbols.Name(s), $"PLT call with non-zero addend ({relocs[reloc].Addend})");
                    }
                    ctx.Format.AddPltEntry(ctx, to);
                    SymbolBuilder b = symbols.Update(s);
                    b.SetRelocTarget(reloc, ctx.Known.Plt);
                    b.SetRelocAddend(reloc, symbols.PltOffset[to]);
                }
                return true;

            case RelocKind.Host:
                uint type = relocs.HostType(reloc);
                ctx.Diagnostics.Error(
                    symbols.Name(s), $"unexpected relocation type {RelocFlags.HostBase + type} ({ElfMips.HostRelocationName(type)})");
                return false;

            default:
                return false;
        }
    }
}
