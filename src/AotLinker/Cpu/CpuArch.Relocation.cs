using AotLinker.Emit;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>What the CPU does about relocations: dynamic ones, its own kinds, trampolines.</summary>
internal abstract partial class CpuArch
{
    /// <summary>Most bytes of trampoline a call may need; 0 where the CPU has none (maxSizeTrampolines).</summary>
    public virtual int MaxTrampolineSize => 0;

    /// <summary>
    /// Whether a call within a package may need a trampoline while the target has no address yet, because calls hardly reach beyond
    /// their own function.
    /// </summary>
    public virtual bool TrampolinesWithinPackages => false;

    /// <summary>Alignment of a text section that follows another one.</summary>
    public virtual int SplitTextAlign => FunctionAlign;

    /// <summary>Makes code that depends on what is linked: call stubs, the initialiser of a shared module (Gentext).</summary>
    public virtual void GenerateText(LinkContext ctx)
    {
    }

    /// <summary>
    /// Whether a relocation of a host object is a call that may turn out to lead to the PLT, and so too far (isPLTCall).
    /// </summary>
    public virtual bool IsPltCall(Target target, uint hostType) => false;

    /// <summary>
    /// Looks whether the call at relocation <paramref name="reloc"/> of <paramref name="s"/> reaches its target, and if not sends it by
    /// way of a trampoline, which <see cref="Layout.TextLayout.FindTrampoline"/> finds (Trampoline).
    /// </summary>
    public virtual void CheckReach(Layout.TextLayout text, SymbolId s, int reloc, SymbolId target) =>
        throw new InvalidOperationException($"{Name} has no trampolines");

    /// <summary>Whether text may be split over several sections, for an external linker's sake (splitTextSections).</summary>
    public virtual bool SplitsText(Target target) => false;

    /// <summary>
    /// Whether <see cref="AddDynamicRelocation"/> must see relocations of a kind in a position-independent program whatever their target
    /// is. Relocations that refer to a shared library's symbol it sees in any case.
    /// </summary>
    public virtual bool MayNeedDynamicRelocation(RelocKind kind) => kind == RelocKind.Addr;

    /// <summary>
    /// Does what relocation <paramref name="reloc"/> of <paramref name="s"/> needs at run time: a dynamic relocation, a PLT or a GOT
    /// entry (Adddynrel). May change the relocation, which is then applied in its new form. Serial.
    /// </summary>
    /// <returns>Whether the relocation is taken care of; if not, it is none that can be left to run time.</returns>
    public abstract bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc);

    /// <summary>
    /// Whether <see cref="TryApply"/> computes calls as well, because the generic kind does not hold a distance in bytes (RV_390_DBL).
    /// </summary>
    public virtual bool ComputesCalls => false;

    /// <summary>
    /// Whether a weak call whose target is not part of the program is an error (archreloc by way of SymAddr). Elsewhere it goes to wherever
    /// address 0 would be, as in cmd/link; only -pruneweakmap=false leaves such calls.
    /// </summary>
    public virtual bool ChecksWeakCalls => false;

    /// <summary>
    /// Computes the value of a relocation of the CPU's own kinds (Archreloc). Any thread may call it.
    /// </summary>
    /// <param name="site">The relocation.</param>
    /// <param name="content">What the field holds now, zero-extended.</param>
    /// <param name="value">What it shall hold.</param>
    /// <returns>Whether the CPU knows the kind.</returns>
    public virtual bool TryApply(in RelocSite site, ulong content, out long value)
    {
        value = 0;
        return false;
    }

    /// <summary>Whether a symbol nothing defines has a value all the same (ppc64's .TOC.).</summary>
    public virtual bool ResolvesUndefined(LinkContext ctx, SymbolId target) => false;

    /// <summary>
    /// Turns an instruction that loads a thread-local offset from memory into one that has it as a constant (TLSIEtoLE). The constant's
    /// field is relocated next.
    /// </summary>
    /// <exception cref="LinkException">The instruction is not a known one, or the CPU has no such form.</exception>
    public virtual void RelaxThreadLocal(Span<byte> content, int offset, int size) =>
        throw new LinkException(MessageForm.Input, $"internal linking of TLS IE not supported on {Name}");
}
