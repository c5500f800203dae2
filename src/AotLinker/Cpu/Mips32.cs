using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>MIPS, 32 bits (mips, mipsle), with the o32 ABI. Programs can't import functions of shared libraries.</summary>
/// <param name="isBigEndian">Byte order.</param>
/// <param name="softFloat">Whether floating point is done in software (GOMIPS), which the file tells.</param>
internal sealed class Mips32(bool isBigEndian, bool softFloat) : Mips(isBigEndian)
{
    /// <inheritdoc/>
    public override string Name => IsBigEndian ? "mips" : "mipsle";

    /// <inheritdoc/>
    public override int PointerSize => 4;

    /// <inheritdoc/>
    public override int FunctionAlign => 4;

    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => ["-mabi=32"];

    /// <inheritdoc/>
    public override ElfCpu Elf { get; } = new ElfMips32(isBigEndian, softFloat);

    /// <inheritdoc/>
    /// <remarks>Instructions hold the addend, for relocations don't.</remarks>
    public override long ExternalField(in RelocSite site, ulong content, long addend) =>
        site.Kind.IsOfCpu() ? Put(site.Kind, (uint)content, addend) : base.ExternalField(in site, content, addend);

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc) =>
        throw new LinkException("adddynrel currently unimplemented for MIPS");

    /// <inheritdoc/>
    protected override void CheckCall(in RelocSite site, long target)
    {
        const long Region = 0xf0000000;
        string name = site.Context.Symbols.NameText(site.Target);
        if ((target & 3) != 0)
        {
            site.Report($"direct call is not aligned: {name} {target:x}");
        }
        // The region is that of the instruction behind the call.
        if (((site.Address + 4) & Region) != (target & Region))
        {
            site.Report($"direct call too far: {name} {target:x}");
        }
    }
}
