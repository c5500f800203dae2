using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>ARM's relocations: branches, the pieces of PLT entries, and what imports need at run time.</summary>
internal sealed partial class Arm
{
    /// <inheritdoc/>
    public override void GenerateText(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // ldr r0, distance; add r0, pc, r0; b runtime.addmoduledata; distance: moduledata - .
            function.AddUInt32(0xe59f0004);
            function.AddUInt32(0xe08f0000);
            function.AddUInt32(JumpToItself);
            function.AddReloc(RelocKind.CallArm, 8, 4, callee, JumpToItself);
            function.AddUInt32(0);
            function.AddReloc(RelocKind.PcRel, 12, 4, ctx.ModuleData, 4);
        }
    }

    private const uint OpcodeMask = 0xff000000;
    private const uint DistanceMask = 0x00ffffff;
    private const uint CallAlways = 0xeb000000;
    private const uint JumpToItself = 0xeafffffe;

    // Words that a branch reaches forwards; backwards it is one more.
    private const long BranchReach = 0x7fffff;

    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => ["-marm"];

    /// <inheritdoc/>
    public override ExternalForm ExternalFormOf(RelocKind kind) => kind == RelocKind.CallArm ? ExternalForm.Outer : ExternalForm.None;

    /// <inheritdoc/>
    /// <remarks>The addend is the instruction. The variant is 0 for BL, 1 for a jump.</remarks>
    public override void ReadExternal(LinkContext ctx, long address, ref ExternalRead r)
    {
        r.Variant = (byte)(((uint)r.Addend & OpcodeMask) == CallAlways ? 0 : 1);
        r.Addend = Distance(r.Addend) * 4;
    }

    /// <inheritdoc/>
    public override long ExternalField(in RelocSite site, ulong content, long addend)
    {
        if (site.Kind != RelocKind.CallArm)
        {
            return base.ExternalField(in site, content, addend);
        }
        long words = addend / 4;
        if (words is > BranchReach or < -BranchReach - 1)
        {
            site.Report($"direct call too far {words}");
        }
        return (int)(((uint)site.Addend & OpcodeMask) | ((uint)words & DistanceMask));
    }

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
            case RelocKind.CallArm:
                CallByPlt(ctx, s, reloc, to);
                return true;

            case RelocKind.Addr when symbols.Kind(s).IsData():
                // There is no relocation that says "address" alone: an entry of the GOT is filled that way.
                return ctx.Format.AddImportRelocation(ctx, s, reloc, ElfArm.GlobDat);

            case RelocKind.GotPcRel:
                long addend = relocs[reloc].Addend;
                ctx.Format.AddGotEntry(ctx, to, ElfArm.GlobDat);
                Set(symbols.Update(s), reloc, RelocKind.PcRel, ctx.Known.Got, addend + symbols.GotOffset[to]);
                return true;

            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        LinkContext ctx = site.Context;
        SymbolTable symbols = ctx.Symbols;
        long target = symbols.Value(site.Target);
        switch (site.Kind)
        {
            case RelocKind.CallArm:
                long words = (target + (Distance(site.Addend) * 4) - site.Address) / 4;
                if (words is > BranchReach or < -BranchReach - 1)
                {
                    string shown = words < 0 ? $"-{(ulong)-words:x}" : $"{words:x}";
                    site.Report($"direct call too far: {symbols.NameText(site.Target)} {shown}");
                }
                value = (int)(((uint)site.Addend & OpcodeMask) | ((uint)words & DistanceMask));
                return true;

            // The three instructions of a PLT entry take a piece of the distance each, from the second instruction after the first.
            case RelocKind.Plt0:
                // add ip, pc, #0xXX00000
                if (symbols.Value(ctx.Known.GotPlt) < symbols.Value(ctx.Known.Plt))
                {
                    site.Report(".got.plt should be placed after .plt section.");
                }
                value = 0xe28fc600 + (((uint)(target - site.Address + site.Addend) >> 20) & 0xff);
                return true;

            case RelocKind.Plt1:
                // add ip, ip, #0xYY000
                value = 0xe28cca00 + (((uint)(target - site.Address + site.Addend + 4) >> 12) & 0xff);
                return true;

            case RelocKind.Plt2:
                // ldr pc, [ip, #0xZZZ]!
                value = 0xe5bcf000 + ((uint)(target - site.Address + site.Addend + 8) & 0xfff);
                return true;

            default:
                value = 0;
                return false;
        }
    }

    /// <summary>The distance in a branch instruction, in words.</summary>
    private static long Distance(long instruction) => (int)((uint)instruction << 8) >> 8;

    /// <summary>A branch instruction whose distance is changed by some words.</summary>
    private static long AddWords(long instruction, int words) =>
        (int)(((uint)instruction & OpcodeMask) | ((uint)(instruction + words) & DistanceMask));

    private static void CallByPlt(LinkContext ctx, SymbolId s, int reloc, SymbolId to)
    {
        long instruction = ctx.Symbols.Relocs(s)[reloc].Addend;
        ctx.Format.AddPltEntry(ctx, to);
        Set(ctx.Symbols.Update(s), reloc, RelocKind.CallArm, ctx.Known.Plt, AddWords(instruction, ctx.Symbols.PltOffset[to] / 4));
    }

    private static void Set(SymbolBuilder b, int reloc, RelocKind kind, SymbolId target, long addend)
    {
        b.SetRelocKind(reloc, kind);
        b.SetRelocTarget(reloc, target);
        b.SetRelocAddend(reloc, addend);
    }
}
