using System.Buffers.Binary;
using AotLinker.Formats.MachO;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of Mach-O objects made by the host's compiler (the Mach-O cases of arm64's adddynrel).</summary>
internal sealed partial class Arm64
{
    private static bool ConvertMachORelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        const uint PcRelative = 1;
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        bool isImport = !to.IsNone && symbols.Kind(to) == SymbolKind.DynImport;
        SymbolBuilder b = symbols.Update(s);
        switch (type)
        {
            case MachOArm64.Unsigned << 1:
                b.SetRelocKind(reloc, RelocKind.Addr);
                if (ctx.Target.IsPie && ctx.Target.IsInternal)
                {
                    return ctx.Target.Cpu.AddDynamicRelocation(ctx, s, reloc);
                }
                if (isImport)
                {
                    Error($"unexpected reloc for dynamic symbol {symbols.NameText(to)}");
                }
                return true;

            case MachOArm64.Subtractor << 1 when ctx.Release.KnowsMachODifferences:
                return MachOCpu.ConvertDifference(
                    ctx, s, reloc, MachOArm64.Unsigned << 1, "ARM64_RELOC_SUBTRACTOR", "ARM64_RELOC_UNSIGNED at same offset");

            case (MachOArm64.Branch26 << 1) | PcRelative:
                b.SetRelocKind(reloc, RelocKind.CallArm64);
                if (isImport)
                {
                    ctx.Format.AddPltEntry(ctx, to);
                    Redirect(ctx, s, reloc, ctx.Known.Plt, symbols.PltOffset[to]);
                }
                return true;

            case (MachOArm64.Page21 << 1) | PcRelative:
            case MachOArm64.PageOffset12 << 1:
                if (isImport)
                {
                    Error($"unexpected relocation for dynamic symbol {symbols.NameText(to)}");
                }
                b.SetRelocKind(reloc, RelocKind.Arm64PcRel);
                return true;

            case (MachOArm64.GotLoadPage21 << 1) | PcRelative:
            case MachOArm64.GotLoadPageOffset12 << 1:
                if (!isImport)
                {
                    return ComputeInsteadOfLoad();
                }
                ctx.Format.AddGotEntry(ctx, to, 0);
                b.SetRelocKind(reloc, RelocKind.Arm64Got);
                Redirect(ctx, s, reloc, ctx.Known.Got, symbols.GotOffset[to]);
                return true;

            case (MachOArm64.PointerToGot << 1) | PcRelative when ctx.Release.KnowsMachODifferences:
                if (!isImport)
                {
                    Error($"unexpected GOT reloc for non-dynamic symbol {symbols.NameText(to)}");
                }
                ctx.Format.AddGotEntry(ctx, to, 0);
                b.SetRelocKind(reloc, RelocKind.PcRel);
                Redirect(ctx, s, reloc, ctx.Known.Got, r.Addend + r.Size + symbols.GotOffset[to]);
                return true;

            default:
                return MachOArm64.Instance.Refuse(ctx, s, type);
        }

        // The symbol is here: an ADRP stays, the load of the GOT's entry becomes an addition.
        bool ComputeInsteadOfLoad()
        {
            const uint LoadOpcode = 0xf9;
            const uint AddOpcode = 0x91;
            ReadOnlySpan<byte> code = symbols.Data(s);
            uint instruction = r.Offset + 4 <= code.Length ? BinaryPrimitives.ReadUInt32LittleEndian(code[r.Offset..]) : 0;
            if (instruction >> 24 == LoadOpcode)
            {
                instruction = (AddOpcode << 24) | (instruction & ((1u << 22) - 1));
                BinaryPrimitives.WriteUInt32LittleEndian(b.WritableData()[r.Offset..], instruction);
            }
            else if (!IsAdrp(instruction))
            {
                Error($"unexpected GOT_LOAD reloc for non-dynamic symbol {symbols.NameText(to)}");
                return false;
            }
            b.SetRelocKind(reloc, RelocKind.Arm64PcRel);
            return true;
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }
}
