using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>
/// ELF objects made by the host's compiler: their relocations (the ELF cases of addelfdynrel, archrelocvariant), and stubs for calls
/// between functions that keep the table of contents in r2 and functions that do not.
/// </summary>
internal sealed partial class Ppc64
{
    private const uint BranchAndLink = 0x48000001;
    private const uint CallCtr = 0x4e800421;

    // What a half-word field of a host object holds, by symbol and offset: most relocations of 16 bits have a kind in common.
    private readonly Dictionary<(int Symbol, int Offset), Half> _halves = [];

    /// <summary>Which part of a distance a field of 16 bits holds (sym.RelocVariant).</summary>
    [Flags]
    private enum Half
    {
        /// <summary>All of it.</summary>
        None = 0,
        /// <summary>The lower half.</summary>
        Low = 1,
        /// <summary>The upper half.</summary>
        High = 2,
        /// <summary>The upper half, one more if the lower one is negative.</summary>
        HighAdjusted = 3,
        /// <summary>The lower half, but for two bits that belong to the instruction.</summary>
        Ds = 4,
        /// <summary>Which of these it is.</summary>
        PartMask = 7,
        /// <summary>The whole distance must fit.</summary>
        Checked = 8,
        /// <summary>Counted from the field rather than from the table of contents.</summary>
        FromField = 16,
    }

    /// <summary>Turns a host object's relocation into one of ours.</summary>
    /// <returns>Whether it is done; null where what it has become needs a look as well.</returns>
    private bool? ConvertHostRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        uint type = relocs.HostType(reloc);
        SymbolId to = relocs.Target(reloc);
        SymbolKind kind = to.IsNone ? SymbolKind.None : symbols.Kind(to);
        bool isImport = kind == SymbolKind.DynImport;
        SymbolBuilder b = symbols.Update(s);
        switch (type)
        {
            case ElfPpc64.HostRel24NoToc or ElfPpc64.HostRel24P9NoToc:
                RefuseImport("R_PPC64_REL24_NOTOC/R_PPC64_REL24_P9NOTOC");
                b.SetRelocKind(reloc, RelocKind.CallPower);
                return true;

            case ElfPpc64.HostRel24:
                // The caller has the table of contents already, so the call goes to the local entry point.
                b.SetRelocKind(reloc, RelocKind.CallPower);
                b.SetRelocAddend(reloc, r.Addend + LocalEntry(ctx, s, to));
                RefuseImport("R_PPC64_REL24");
                return true;

            case ElfPpc64.HostPcRel34:
                b.SetRelocKind(reloc, RelocKind.AddrPowerPcrel34);
                return true;

            case ElfPpc64.HostGotPcRel34:
                b.SetRelocKind(reloc, RelocKind.AddrPowerPcrel34);
                if (kind.IsText())
                {
                    // The address is known: pld becomes pla.
                    Rewrite(ctx, b, r.Offset, 0xfff70000, PldPrefix, PlaPrefix);
                    uint register = Read(symbols.Data(s)[(r.Offset + 4)..]) & 0x03e00000;
                    Rewrite(ctx, b, r.Offset + 4, 0xfc1f0000, 0xe4000000, 0x38000000 | register);
                }
                else
                {
                    LoadFromGot();
                }
                return true;

            case ElfPpc64.HostRel32:
                RefuseImport("R_PPC_REL32");
                b.SetRelocKind(reloc, RelocKind.PcRel);
                b.SetRelocAddend(reloc, r.Addend + 4);
                return true;

            case ElfPpc64.HostAddr64:
                if (isImport)
                {
                    // An entry of a table of contents: left to run time, and to nobody else.
                    ctx.Format.AddImportRelocation(ctx, s, reloc, ElfPpc64.HostAddr64);
                    b.SetRelocKind(reloc, RelocKind.Host);
                    return true;
                }
                b.SetRelocKind(reloc, RelocKind.Addr);
                return ctx.Target.IsPie && ctx.Target.IsInternal ? null : true;

            case ElfPpc64.HostToc16:
                return SetHalf(Half.Low | Half.Checked);
            case ElfPpc64.HostToc16Lo:
                return SetHalf(Half.Low);
            case ElfPpc64.HostToc16Ha:
                return SetHalf(Half.HighAdjusted | Half.Checked);
            case ElfPpc64.HostToc16Hi:
                return SetHalf(Half.High | Half.Checked);
            case ElfPpc64.HostToc16Ds:
                return SetHalf(Half.Ds | Half.Checked);
            case ElfPpc64.HostToc16LoDs:
                return SetHalf(Half.Ds);
            case ElfPpc64.HostRel16Lo:
                return SetHalf(Half.Low | Half.FromField);
            case ElfPpc64.HostRel16Hi:
                return SetHalf(Half.High | Half.Checked | Half.FromField);
            case ElfPpc64.HostRel16Ha:
                return SetHalf(Half.HighAdjusted | Half.Checked | Half.FromField);

            case ElfPpc64.HostPlt16Ha or ElfPpc64.HostPlt16LoDs:
                bool isLow = type == ElfPpc64.HostPlt16LoDs;
                SetHalf(isLow ? Half.Ds : Half.HighAdjusted | Half.Checked);
                if (isImport)
                {
                    LoadFromGot();
                }
                else if (kind.IsText())
                {
                    // The call has become a direct one, and needs no address.
                    (uint mask, uint check) = isLow ? (0xfc000003, 0xe8000000) : (0xfc000000, 0x3c000000);
                    Rewrite(ctx, b, r.Offset, mask, check, Nop);
                    b.SetRelocKind(reloc, RelocKind.Host);
                }
                else
                {
                    Error($"unexpected PLT relocation target symbol type {kind.GoName()}");
                }
                return true;

            default:
                Error($"unexpected relocation type {RelocFlags.HostBase + type}");
                return false;
        }

        bool SetHalf(Half half)
        {
            _halves[(s.Index, r.Offset)] = half;
            b.SetRelocKind(reloc, RelocKind.PowerToc);
            return true;
        }

        void LoadFromGot()
        {
            ctx.Format.AddGotEntry(ctx, to, ElfPpc64.HostGlobDat);
            b.SetRelocTarget(reloc, ctx.Known.Got);
            b.SetRelocAddend(reloc, r.Addend + symbols.GotOffset[to]);
        }

        void RefuseImport(string name)
        {
            if (isImport)
            {
                Error($"unexpected {name} for dyn import");
            }
        }

        void Error(string text) => ctx.Diagnostics.Error(symbols.Name(s), text);
    }

    /// <summary>The value of a field of 16 bits (R_POWER_TOC or R_PCREL with a relocation variant).</summary>
    private long HostHalf(in RelocSite site, ulong content)
    {
        int offset = (int)Offset(in site);
        Half half = _halves.GetValueOrDefault((site.Symbol.Index, offset));
        long distance = site.TargetAddress - ((half & Half.FromField) != 0 ? site.Address : _tocAddress);
        long part;
        bool fits = true;
        // Logical operations take their operand without sign.
        uint operation = (half & Half.Checked) != 0 ? Operation(in site, offset) : 0;
        switch (half & Half.PartMask)
        {
            case Half.Low:
                part = distance;
                fits = operation is 24 or 26 or 28 ? part >> 16 == 0 : part == (short)part;
                break;
            case Half.High or Half.HighAdjusted:
                part = (distance + ((half & Half.PartMask) == Half.HighAdjusted ? 0x8000 : 0)) >> 16;
                fits = operation is 25 or 27 or 29 ? part >> 16 == 0 : part == (short)part;
                break;
            case Half.Ds:
                if ((distance & 3) != 0)
                {
                    site.Report($"relocation for {site.Context.Symbols.NameText(site.Target)}+{offset} is not aligned: {distance}");
                }
                part = distance;
                fits = part == (short)part;
                break;
            default:
                return distance;
        }
        if (!fits && (half & Half.Checked) != 0)
        {
            site.Report($"relocation for {site.Context.Symbols.NameText(site.Target)}+{offset} is too big: {part}");
            return part;
        }
        return (half & Half.PartMask) == Half.Ds ? ((long)content & 3) | (long)(short)part : (short)part;
    }

    // The operation of the instruction that a field of 16 bits, its lower half, belongs to.
    private uint Operation(in RelocSite site, int offset)
    {
        ReadOnlySpan<byte> code = site.Context.Symbols.Data(site.Symbol);
        int start = isBigEndian ? offset - 2 : offset;
        return start >= 0 && start + 4 <= code.Length ? Read(code[start..]) >> 26 : 0;
    }

    private void StubForHostCall(LinkContext ctx, SymbolId s, int reloc, List<SymbolId> stubs, List<SymbolId> saves)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        SymbolId to = relocs.Target(reloc);
        if (to.IsNone)
        {
            return;
        }
        int offset = relocs[reloc].Offset;
        long addend = relocs[reloc].Addend;
        SymbolKind kind = symbols.Kind(to);
        switch (relocs.HostType(reloc))
        {
            case ElfPpc64.HostRel24 or ElfPpc64.HostRel24NoToc or ElfPpc64.HostRel24P9NoToc when kind == SymbolKind.DynImport:
                CallByStub(ctx, s, reloc, stubs);
                break;

            case ElfPpc64.HostRel24:
                StubForTocCall(ctx, s, reloc, stubs, saves);
                break;

            case ElfPpc64.HostRel24NoToc or ElfPpc64.HostRel24P9NoToc when kind == SymbolKind.XRef:
                ctx.Diagnostics.Error(symbols.Name(s), $"Unsupported NOTOC external reference call into {symbols.NameText(to)}");
                break;

            case ElfPpc64.HostRel24NoToc or ElfPpc64.HostRel24P9NoToc when kind.IsText():
                bool usesToc = symbols.FromHostObject.Contains(to)
                    ? symbols.LocalEntry.GetValueOrDefault(to) > 1
                    : symbols.IsShared(to) && !IsPcRelative;
                if (usesToc)
                {
                    CallByAddress(ctx, s, reloc, stubs, keepsToc: false);
                }
                break;

            case ElfPpc64.HostPltSeq when kind.IsText():
                // mtctr of any register, for a call that is made directly.
                Rewrite(ctx, symbols.Update(s), offset, 0xfc1ffbfe, 0x7c0903a6, Nop);
                break;

            case ElfPpc64.HostPltCall when kind.IsText():
                SymbolBuilder b = symbols.Update(s);
                Rewrite(ctx, b, offset, uint.MaxValue, CallCtr, BranchAndLink);
                b.SetRelocKind(reloc, RelocKind.CallPower);
                b.SetRelocAddend(reloc, addend + LocalEntry(ctx, s, to));
                b.SetRelocSize(reloc, 4);
                Rewrite(ctx, b, offset + 4, uint.MaxValue, RestoreToc, Nop);
                break;
        }
    }

    /// <summary>A call by a function that keeps the table of contents, of one that is defined here or nowhere.</summary>
    private void StubForTocCall(LinkContext ctx, SymbolId s, int reloc, List<SymbolId> stubs, List<SymbolId> saves)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId to = symbols.Relocs(s).Target(reloc);
        SymbolKind kind = symbols.Kind(to);
        if (kind == SymbolKind.XRef)
        {
            CallSaveFunction(ctx, s, reloc, saves);
        }
        else if (kind.IsText() && symbols.FromHostObject.Contains(to) && symbols.LocalEntry.GetValueOrDefault(to) == 1)
        {
            // The function may change r2.
            CallByAddress(ctx, s, reloc, stubs, keepsToc: true);
        }
    }

    /// <summary>
    /// The ABI lets the linker make the functions that save and restore registers from a given one on; the runtime has them, as entries
    /// into one function for each sort of register (rewriteABIFuncReloc).
    /// </summary>
    private static void CallSaveFunction(LinkContext ctx, SymbolId s, int reloc, List<SymbolId> saves)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        string[] parts = symbols.NameText(relocs.Target(reloc)).Split('_');
        if (parts.Length != 3 || parts[0].Length != 0)
        {
            return;
        }
        (int first, int size) = parts[1] switch
        {
            "savegpr0" or "savegpr1" or "savefpr" or "restgpr0" or "restgpr1" or "restfpr" => (14, 4),
            "savevr" or "restvr" => (20, 8),
            _ => (0, 0),
        };
        if (size == 0 || !int.TryParse(parts[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int register)
            || register < first || register > 31 || relocs[reloc].Addend != 0)
        {
            return;
        }
        SymbolId function = symbols.LookupOrCreate(Encoding.UTF8.GetBytes("runtime.elf_" + parts[1]), 0);
        SymbolBuilder b = symbols.Update(s);
        b.SetRelocTarget(reloc, function);
        b.SetRelocAddend(reloc, (register - first) * size);
        if (!symbols.IsReachable(function))
        {
            symbols.Set(function, SymbolTable.Attributes.Reachable);
            saves.Add(function);
        }
    }

    /// <summary>Sends a call to a stub that jumps to the target by its address in r12 (genstub).</summary>
    private void CallByAddress(LinkContext ctx, SymbolId s, int reloc, List<SymbolId> stubs, bool keepsToc)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        SymbolId to = relocs.Target(reloc);
        long addend = relocs[reloc].Addend;
        int offset = relocs[reloc].Offset;
        string sign = addend > 0 ? "+" : "";
        string place = addend == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{sign}{addend}");
        string name = $"{(keepsToc ? "_callstub_toc" : "_callstub_pcrel")}{place}.{symbols.NameText(to)}";
        SymbolBuilder stub = symbols.Update(Encoding.UTF8.GetBytes(name), 0);
        if (stub.Size == 0)
        {
            stub.SetKind(SymbolKind.Text);
            if (keepsToc)
            {
                stub.AddUInt32(SaveToc);
                AddPair(stub, RelocKind.AddrPowerTocrelDs, AddisR12FromR2, AddiR12FromR12, to, addend);
            }
            else if (level >= 10)
            {
                AddPair(stub, RelocKind.AddrPowerPcrel34, PlaPrefix, PlaR12, to, addend);
            }
            else
            {
                AddOwnAddress(stub);
                AddPair(stub, RelocKind.AddrPowerPcRel, AddisR12FromR12, AddiR12FromR12, to, addend + 8);
            }
            stub.AddUInt32(MoveR12ToCtr);
            stub.AddUInt32(JumpToCtr);
            stubs.Add(stub.Symbol);
        }
        SymbolBuilder caller = symbols.Update(s);
        caller.SetRelocTarget(reloc, stub.Symbol);
        if (keepsToc)
        {
            Rewrite(ctx, caller, offset + 4, uint.MaxValue, Nop, RestoreToc);
        }
    }

    private static long LocalEntry(LinkContext ctx, SymbolId s, SymbolId to)
    {
        long entry = ctx.Symbols.LocalEntry.GetValueOrDefault(to);
        if (entry == 1)
        {
            ctx.Diagnostics.Error(ctx.Symbols.Name(s), $"Unsupported NOTOC call to {ctx.Symbols.NameText(to)}");
        }
        return entry;
    }

    /// <summary>Replaces an instruction, which must be a certain one (rewritetoinsn).</summary>
    private void Rewrite(LinkContext ctx, SymbolBuilder b, int offset, uint mask, uint check, uint instruction)
    {
        Span<byte> code = b.WritableData();
        uint old = offset >= 0 && offset + 4 <= code.Length ? Read(code[offset..]) : 0;
        if ((old & mask) != check || offset + 4 > code.Length)
        {
            ctx.Diagnostics.Error(
                ctx.Symbols.Name(b.Symbol),
                $"Rewrite offset 0x{offset:x} to 0x{instruction:X8} failed check (0x{old:X8}&0x{mask:X8} != 0x{check:X8})");
            return;
        }
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(code[offset..], instruction);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(code[offset..], instruction);
        }
    }
}
