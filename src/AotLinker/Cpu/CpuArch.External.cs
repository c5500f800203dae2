using AotLinker.Emit;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Against what a relocation is left to an external linker.</summary>
internal enum ExternalForm : byte
{
    /// <summary>It is not left: its value is known.</summary>
    None,
    /// <summary>Its target itself (ExtrelocSimple).</summary>
    Target,
    /// <summary>What contains its target (ExtrelocViaOuterSym).</summary>
    Outer,
}

/// <summary>A relocation of the CPU's own kinds, while it is read for an external linker.</summary>
internal struct ExternalRead
{
    /// <summary>What is asked for.</summary>
    public RelocKind Kind { get; set; }

    /// <summary>The symbol referred to.</summary>
    public SymbolId Target { get; set; }

    /// <summary>What is added to its address.</summary>
    public long Addend { get; set; }

    /// <summary>What the format has to know beside the kind, <see cref="ExternalReloc.Variant"/>.</summary>
    public byte Variant { get; set; }
}

/// <summary>What the CPU does about relocations that are left to an external linker.</summary>
internal abstract partial class CpuArch
{
    /// <summary>
    /// Whether the field of an address or a distance that is left holds the addend, whether or not the relocation carries it as well.
    /// </summary>
    public virtual bool FieldsHoldAddends(Target target) => true;

    /// <summary>Whether and against what a relocation of the CPU's own kinds is left (Extreloc).</summary>
    public virtual ExternalForm ExternalFormOf(RelocKind kind) => ExternalForm.None;

    /// <summary>Gives a relocation of the CPU's own kinds that is left the form in which it is left, beside the addend within what contains the
    /// target.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="address">Address of the field.</param>
    /// <param name="r">The relocation as the object has it.</param>
    public virtual void ReadExternal(LinkContext ctx, long address, ref ExternalRead r)
    {
    }

    /// <summary>What the field of a relocation that is left holds until then (the parts of relocsym and Archreloc for external linking).</summary>
    /// <param name="site">The relocation.</param>
    /// <param name="content">What the field holds now, zero-extended.</param>
    /// <param name="addend">Addend of the relocation for the external linker.</param>
    public virtual long ExternalField(in RelocSite site, ulong content, long addend) =>
        site.Kind.IsOfCpu() ? (long)content : FieldsHoldAddends(site.Context.Target) ? addend : 0;
}
