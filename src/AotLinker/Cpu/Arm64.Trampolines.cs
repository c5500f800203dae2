using System.Buffers.Binary;
using AotLinker.Formats.Elf;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Calls that don't reach their target: three instructions with register X16, which the ABI leaves to linkers.</summary>
internal sealed partial class Arm64
{
    private const long BranchReach = 1 << 27;
    private const uint AdrpX16 = 0x90000010;

    /// <inheritdoc/>
    /// <remarks>The branch's reach, less some room for the PLT and the like.</remarks>
    public override ulong TrampolineLimit => 0x7c00000;

    /// <inheritdoc/>
    public override int MaxTrampolineSize => 12;

    /// <inheritdoc/>
    public override bool SplitsText(Target target) => target.HeadType == HeadType.Darwin && target.IsExternal;

    /// <inheritdoc/>
    public override bool IsPltCall(Target target, uint hostType) =>
        target.IsElf && hostType is ElfArm64.HostCall26 or ElfArm64.HostJump26;

    /// <inheritdoc/>
    public override void CheckReach(TextLayout text, SymbolId s, int reloc, SymbolId target)
    {
        SymbolTable symbols = text.Context.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        RelocKind kind = relocs.Kind(reloc);
        if (kind is not (RelocKind.CallArm64 or RelocKind.Host))
        {
            int number = text.Context.Release.RelocKinds.IndexOf((byte)kind);
            text.Context.Diagnostics.Error(symbols.Name(s), $"trampoline called with non-jump reloc: {number} ({kind.GoName()})");
            return;
        }
        long site = symbols.Value(s) + r.Offset;
        long address = symbols.Value(target);
        if (address != 0 && IsInReach(address + r.Addend - site) && !text.ForcesTrampoline(s, target, alsoWithoutPackage: true))
        {
            return;
        }
        SymbolId trampoline = text.FindTrampoline(
            target, r.Addend, TrampolineNaming.Hexadecimal, site, -BranchReach, BranchReach - 1, out bool isNew);
        if (isNew)
        {
            MakeTrampoline(text, s, trampoline, target, r.Addend);
        }
        SymbolBuilder b = symbols.Update(s);
        b.SetRelocTarget(reloc, trampoline);
        b.SetRelocAddend(reloc, 0);
    }

    private static bool IsInReach(long distance) => distance is >= -BranchReach and < BranchReach;

    /// <summary>A jump to an address, or for a function of a shared library to the address in its GOT entry.</summary>
    private static void MakeTrampoline(TextLayout text, SymbolId caller, SymbolId trampoline, SymbolId target, long addend)
    {
        const uint AddX16 = 0x91000210;
        const uint LoadX16 = 0xf9400210;
        const uint JumpX16 = 0xd61f0200;
        SymbolTable symbols = text.Context.Symbols;
        bool isImport = symbols.Kind(target) == SymbolKind.DynImport;
        if (isImport && addend != 0)
        {
            text.Context.Diagnostics.Error(symbols.Name(caller), $"nonzero addend for DYNIMPORT call: {symbols.NameText(target)}+{addend}");
        }
        text.AddTrampoline(trampoline, symbols.Kind(caller));
        Span<byte> code = stackalloc byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(code, AdrpX16);
        BinaryPrimitives.WriteUInt32LittleEndian(code[4..], isImport ? LoadX16 : AddX16);
        BinaryPrimitives.WriteUInt32LittleEndian(code[8..], JumpX16);
        SymbolBuilder b = symbols.Update(trampoline).SetSize(code.Length);
        b.SetData(code);
        b.AddReloc(isImport ? RelocKind.Arm64GotPcRel : RelocKind.AddrArm64, 0, 8, target, isImport ? 0 : addend);
    }
}
