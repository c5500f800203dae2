using System.Buffers.Binary;
using AotLinker.Formats.Elf;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// ARM's trampolines: a branch to an address that stands as a word behind it, taken by way of register 12, which calls may change.
/// </summary>
internal sealed partial class Arm
{
    // ldr r12, [pc, #N]; the address is N + 8 bytes behind the instruction.
    private const uint LoadWord = 0xe59fc000;
    private const uint AddPc = 0xe08fc00c;
    private const uint LoadIndirect = 0xe59cc000;
    private const uint AddConstant = 0xe28cc000;
    private const uint Branch = 0xe12fff1c;

    /// <inheritdoc/>
    public override bool SplitsText(Target target) => target.IsExternal;

    /// <inheritdoc/>
    public override bool IsPltCall(Target target, uint hostType) =>
        target.IsElf && hostType is ElfArm.HostCall or ElfArm.HostPc24 or ElfArm.HostJump24;

    /// <inheritdoc/>
    public override void CheckReach(TextLayout text, SymbolId s, int reloc, SymbolId target)
    {
        LinkContext ctx = text.Context;
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        RelocKind kind = relocs.Kind(reloc);
        if (kind is not (RelocKind.CallArm or RelocKind.Host))
        {
            int number = ctx.Release.RelocKinds.IndexOf((byte)kind);
            ctx.Diagnostics.Error(symbols.Name(s), $"trampoline called with non-jump reloc: {number} ({kind.GoName()})");
            return;
        }
        long site = symbols.Value(s) + r.Offset;
        long address = symbols.Value(target);
        if (address != 0 && !text.ForcesTrampoline(s, target, alsoWithoutPackage: false))
        {
            // An external linker does not count the addend when it looks whether a call reaches.
            long words = (address + (ctx.Target.IsExternal ? 0 : Distance(r.Addend) * 4) - site) / 4;
            if (words is <= BranchReach and > -BranchReach - 1)
            {
                return;
            }
        }

        long offset = (Distance(r.Addend) + 2) * 4;
        SymbolId trampoline = text.FindTrampoline(
            target, offset, TrampolineNaming.Decimal, site, ((-BranchReach - 1) * 4) + 8, ((BranchReach - 1) * 4) + 8, out bool isNew);
        if (isNew)
        {
            Write(ctx, s, symbols.Update(trampoline), target, offset);
            text.AddTrampoline(trampoline, symbols.Kind(s));
        }
        SymbolBuilder b = symbols.Update(s);
        b.SetRelocTarget(reloc, trampoline);
        // What the call added to the target's address, the trampoline adds.
        b.SetRelocAddend(reloc, (r.Addend & OpcodeMask) | 0xfffffe);
    }

    private static void Write(LinkContext ctx, SymbolId s, SymbolBuilder trampoline, SymbolId target, long offset)
    {
        SymbolTable symbols = ctx.Symbols;
        bool isImport = symbols.Kind(target) == SymbolKind.DynImport;
        if (ctx.Target.IsDynlinkingGo || isImport)
        {
            // By way of the GOT.
            if (offset == 0)
            {
                Fill(trampoline, [LoadWord | 8, AddPc, LoadIndirect, Branch, 0]);
                trampoline.AddReloc(RelocKind.GotPcRel, 16, 4, target, 8);
                return;
            }
            uint constant = Immediate((uint)offset);
            if (constant == 0)
            {
                ctx.Diagnostics.Error(symbols.Name(s), $"odd offset in dynlink direct call: {symbols.NameText(target)}+{offset}");
            }
            Fill(trampoline, [LoadWord | 12, AddPc, LoadIndirect, AddConstant | constant, Branch, 0]);
            trampoline.AddReloc(RelocKind.GotPcRel, 20, 4, target, 12);
        }
        else if (ctx.Target.BuildMode is BuildMode.CArchive or BuildMode.CShared or BuildMode.Pie)
        {
            Fill(trampoline, [LoadWord | 4, AddPc, Branch, 0]);
            trampoline.AddReloc(RelocKind.PcRel, 12, 4, target, offset + 4);
        }
        else
        {
            // A target that has an address keeps it.
            long address = symbols.Value(target);
            Fill(trampoline, [LoadWord, Branch, (uint)(address + offset)]);
            if (ctx.Target.IsExternal || address == 0)
            {
                trampoline.AddReloc(RelocKind.Addr, 8, 4, target, offset);
            }
        }
    }

    private static void Fill(SymbolBuilder trampoline, ReadOnlySpan<uint> words)
    {
        Span<byte> content = stackalloc byte[words.Length * 4];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(content[(i * 4)..], words[i]);
        }
        trampoline.SetSize(content.Length);
        trampoline.SetData(content);
    }

    /// <summary>A constant operand: eight bits, turned right by an even number of places; 0 for what has no such form (immrot).</summary>
    private static uint Immediate(uint value)
    {
        for (uint turn = 0; turn < 16; turn++)
        {
            if (value <= 0xff)
            {
                return (turn << 8) | value;
            }
            value = uint.RotateLeft(value, 2);
        }
        return 0;
    }
}
