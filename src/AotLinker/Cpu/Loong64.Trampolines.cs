using AotLinker.Formats.Elf;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// Trampolines of LoongArch: the target's page and its place there go into a register that functions don't expect to keep (the Go
/// linker's loong64: trampoline).
/// </summary>
internal sealed partial class Loong64
{
    // A call reaches this many bytes in either direction.
    private const long CallReach = 1L << 27;

    /// <inheritdoc/>
    /// <remarks>What a call reaches, less some room for the PLT and the like.</remarks>
    public override ulong TrampolineLimit => 0x7c00000;

    /// <summary>Three instructions.</summary>
    public override int MaxTrampolineSize => 12;

    /// <inheritdoc/>
    public override bool IsPltCall(Target target, uint hostType) => hostType == ElfLoong64.HostB26;

    /// <inheritdoc/>
    public override void CheckReach(TextLayout text, SymbolId s, int reloc, SymbolId target)
    {
        LinkContext ctx = text.Context;
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        RelocKind kind = relocs.Kind(reloc);
        if (kind is not (RelocKind.CallLoong64 or RelocKind.Host))
        {
            int number = ctx.Release.RelocKinds.IndexOf((byte)kind);
            ctx.Diagnostics.Error(symbols.Name(s), $"trampoline called with non-jump reloc: {number} ({kind.GoName()})");
            return;
        }
        if (kind == RelocKind.Host && !ctx.Release.LoongTrampolinesServeObjects)
        {
            return;
        }
        bool isImport = symbols.Kind(target) == SymbolKind.DynImport;
        if (isImport && !ctx.Release.LoongTrampolinesReachImports)
        {
            return;
        }
        long site = symbols.Value(s) + r.Offset;
        long address = symbols.Value(target);
        long distance = address + r.Addend - site;
        bool reaches = address != 0 && distance is >= -CallReach and < CallReach;
        if (reaches && !text.ForcesTrampoline(s, target, alsoWithoutPackage: true))
        {
            return;
        }
        SymbolId trampoline = text.FindTrampoline(
            target, r.Addend, TrampolineNaming.Hexadecimal, site, -CallReach, CallReach - 1, out bool isNew);
        if (isNew)
        {
            text.AddTrampoline(trampoline, symbols.Kind(s));
            if (isImport && r.Addend != 0)
            {
                ctx.Diagnostics.Error(symbols.Name(s), $"nonzero addend for DYNIMPORT call: {symbols.NameText(target)}+{r.Addend}");
            }
            WriteTrampoline(symbols.Update(trampoline), target, isImport ? 0 : r.Addend, (uint)ctx.Release.LoongTrampolineRegister, isImport);
        }
        SymbolBuilder b = symbols.Update(s);
        b.SetRelocTarget(reloc, trampoline);
        b.SetRelocAddend(reloc, 0);
    }

    /// <summary>Loads a target, or what its GOT entry holds, into a register and jumps there.</summary>
    private static void WriteTrampoline(SymbolBuilder to, SymbolId target, long addend, uint register, bool byGot)
    {
        const uint PcAlignedPage = 0x1a000000;
        const uint AddImmediate = 0x02c00000;
        const uint LoadDouble = 0x28c00000;
        const uint JumpRegister = 0x4c000000;
        uint both = register | (register << 5);
        to.AddReference(target, addend, byGot ? RelocKind.Loong64GotHi : RelocKind.Loong64AddrHi, 4);
        to.SetUInt(0, PcAlignedPage | register, 4);
        to.AddReference(target, addend, byGot ? RelocKind.Loong64GotLo : RelocKind.Loong64AddrLo, 4);
        to.SetUInt(4, (byGot ? LoadDouble : AddImmediate) | both, 4);
        to.AddUInt32(JumpRegister | (register << 5));
    }
}
