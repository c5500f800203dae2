using System.Buffers.Binary;
using AotLinker.Emit;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// Calls that don't reach their target, or whose target has no address yet: AUIPC and JALR with register X31. A call of the latter sort
/// is marked, so that relocation can lead it straight to a target that has turned out to be near.
/// </summary>
internal sealed partial class RiscV64
{
    private const long JumpReach = 1 << 20;

    /// <inheritdoc/>
    /// <remarks>Imported functions need a trampoline whatever the size of the text.</remarks>
    public override ulong TrampolineLimit => 1;

    /// <inheritdoc/>
    public override int MaxTrampolineSize => 8;

    /// <inheritdoc/>
    public override bool TrampolinesWithinPackages => true;

    /// <inheritdoc/>
    public override void CheckReach(TextLayout text, SymbolId s, int reloc, SymbolId target)
    {
        SymbolTable symbols = text.Context.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        RelocKind kind = relocs.Kind(reloc);
        if (kind == RelocKind.RiscvCall)
        {
            // A pair of instructions that reaches everything.
            return;
        }
        if (kind != RelocKind.RiscvJal)
        {
            int number = text.Context.Release.RelocKinds.IndexOf((byte)kind);
            text.Context.Diagnostics.Error(symbols.Name(s), $"trampoline called with non-jump reloc: {number} ({kind.GoName()})");
            return;
        }
        long site = symbols.Value(s) + r.Offset;
        long address = symbols.Value(target);
        if (address != 0 && IsInReach(address + r.Addend - site) && !text.ForcesTrampoline(s, target, alsoWithoutPackage: false))
        {
            return;
        }
        SymbolId trampoline = text.FindTrampoline(
            target, r.Addend, TrampolineNaming.HexadecimalUnlessZero, site, -JumpReach, JumpReach - 1, out bool isNew);
        if (isNew)
        {
            text.AddTrampoline(trampoline, symbols.Kind(s));
            Span<byte> code = stackalloc byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(code, 0x00000f97);
            BinaryPrimitives.WriteUInt32LittleEndian(code[4..], 0x000f8067);
            SymbolBuilder t = symbols.Update(trampoline).SetSize(code.Length);
            t.SetData(code);
            t.AddReloc(RelocKind.RiscvCall, 0, 8, target, r.Addend);
        }
        SymbolBuilder b = symbols.Update(s);
        if (address == 0)
        {
            b.SetRelocKind(reloc, RelocKind.RiscvJalTramp);
        }
        b.SetRelocTarget(reloc, trampoline);
        b.SetRelocAddend(reloc, 0);
    }

    private static bool IsInReach(long distance) => distance is >= -JumpReach and < JumpReach;

    /// <summary>Distance a jump covers that was sent to a trampoline before its target had an address: to the target if it reaches that.</summary>
    private static long DistancePastTrampoline(in RelocSite site)
    {
        CheckTrampoline(in site);
        return PastTrampoline(site.Context, site.Address, site.Target) is { } past
            ? site.Context.Symbols.Value(past.Target) + past.Addend - site.Address
            : site.TargetAddress - site.Address;
    }

    private static void CheckTrampoline(in RelocSite site)
    {
        SymbolTable symbols = site.Context.Symbols;
        RelocList relocs = symbols.Relocs(site.Target);
        if (relocs.Count != 1)
        {
            site.Report($"trampoline {symbols.NameText(site.Target)} has {relocs.Count} relocations");
        }
        else if (relocs.Kind(0) != RelocKind.RiscvCall)
        {
            site.Report($"trampoline {symbols.NameText(site.Target)} has unexpected relocation {relocs.Kind(0).GoName()}");
        }
    }

    /// <summary>Where a trampoline leads if a jump at an address reaches that by itself.</summary>
    private static (SymbolId Target, long Addend)? PastTrampoline(LinkContext ctx, long address, SymbolId trampoline)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(trampoline);
        if (relocs.Count != 1 || relocs.Kind(0) != RelocKind.RiscvCall)
        {
            return null;
        }
        SymbolId target = relocs.Target(0);
        long addend = relocs[0].Addend;
        return symbols.Value(target) != 0 && symbols.Kind(target) is not (SymbolKind.DynImport or SymbolKind.UndefExt)
            && IsInReach(symbols.Value(target) + addend - address) ? (target, addend) : null;
    }

    /// <inheritdoc/>
    public override void ReadExternal(LinkContext ctx, long address, ref ExternalRead r)
    {
        if (r.Kind == RelocKind.RiscvJalTramp && PastTrampoline(ctx, address, r.Target) is { } past)
        {
            r.Kind = RelocKind.RiscvJal;
            (r.Target, r.Addend) = past;
        }
    }

    /// <inheritdoc/>
    public override long ExternalField(in RelocSite site, ulong content, long addend)
    {
        if (site.Kind == RelocKind.RiscvJalTramp)
        {
            CheckTrampoline(in site);
        }
        return base.ExternalField(in site, content, addend);
    }
}
