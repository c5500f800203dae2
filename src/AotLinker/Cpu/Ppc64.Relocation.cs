using AotLinker.Emit;
using AotLinker.Objects;

namespace AotLinker.Cpu;

/// <summary>Relocations of PowerPC: most fill in the immediate operands of two instructions (archreloc).</summary>
internal sealed partial class Ppc64
{
    private const uint Addi = 14u << 26;
    private const long BranchReach = 1 << 25;

    /// <inheritdoc/>
    public override ExternalForm ExternalFormOf(RelocKind kind) => kind switch
    {
        RelocKind.PowerTls or RelocKind.PowerTlsLe or RelocKind.PowerTlsIe or RelocKind.PowerTlsIePcrel34 or RelocKind.PowerTlsLeTprel34
            or RelocKind.CallPower => ExternalForm.Target,
        RelocKind.AddrPower or RelocKind.AddrPowerDs or RelocKind.AddrPowerTocrel or RelocKind.AddrPowerTocrelDs or RelocKind.AddrPowerGot
            or RelocKind.AddrPowerGotPcrel34 or RelocKind.AddrPowerPcRel or RelocKind.AddrPowerD34 or RelocKind.AddrPowerPcrel34
            => ExternalForm.Outer,
        _ => ExternalForm.None,
    };

    /// <inheritdoc/>
    public override bool AddDynamicRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        if (!ctx.Target.IsElf)
        {
            return ctx.Format.AddRelativeRelocation(ctx, s, reloc);
        }
        SymbolTable symbols = ctx.Symbols;
        if (symbols.Relocs(s).Kind(reloc) == RelocKind.Host && ConvertHostRelocation(ctx, s, reloc) is { } isDone)
        {
            return isDone;
        }
        if (symbols.Relocs(s).Kind(reloc) != RelocKind.Addr)
        {
            return false;
        }
        SymbolKind kind = symbols.Kind(s);
        if (kind.IsText())
        {
            throw new LinkException(MessageForm.Input, $"R_ADDR relocation in text symbol {symbols.NameText(s)} is unsupported");
        }
        if (ctx.Target.IsPie && ctx.Target.IsInternal)
        {
            // These tables describe addresses as the linker sees them; the run-time linker adds its part by itself.
            WellKnownSymbols known = ctx.Known;
            if (s == known.DynSym || s == known.Rela || s == known.RelaPlt || s == known.GotPlt || s == known.Dynamic)
            {
                return false;
            }
        }
        else if (!kind.IsData() && !kind.IsRoData())
        {
            return false;
        }
        return ctx.Format.AddRelativeRelocation(ctx, s, reloc);
    }

    /// <inheritdoc/>
    /// <remarks>AIX's linker adds to what is there, but for places in thread-local storage.</remarks>
    public override long ExternalField(in RelocSite site, ulong content, long addend) => site.Kind switch
    {
        _ when !site.Context.Target.HoldsObjectAddresses || !site.Kind.IsOfCpu() => base.ExternalField(in site, content, addend),
        RelocKind.PowerTlsLe => ShortThreadLocal(in site, content),
        RelocKind.PowerTls or RelocKind.PowerTlsIe or RelocKind.PowerTlsIePcrel34 or RelocKind.PowerTlsLeTprel34 or RelocKind.AddrPowerGotPcrel34
            => (long)content,
        _ => TryApply(in site, content, out long value) ? value : (long)content,
    };

    // XCOFF's relocation has 16 bits: addis rX,r13,..; addi rX,rX,.. becomes addi rX,r13,..; nop.
    private static long ShortThreadLocal(in RelocSite site, ulong content)
    {
        const ulong Opcodes = 0xfc000000fc000000;
        const ulong Expected = 0x3c00000038000000;
        if ((content & Opcodes) != Expected)
        {
            site.Report($"relocation for {site.Context.Symbols.NameText(site.Target)}+{Offset(in site)} is not an addis/addi pair: {content:x16}");
        }
        return (long)(((0x380d0000 | (content & 0x03e00000)) << 32) | Nop);
    }

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        switch (site.Kind)
        {
            case RelocKind.CallPower:
                value = (long)(content | Branch(in site));
                return true;

            case RelocKind.AddrPowerTocrel or RelocKind.AddrPowerTocrelDs:
                value = (long)(site.Context.Target.HasFunctionDescriptors ? FromTocEntry(in site, content) : FromToc(in site, content));
                return true;

            case RelocKind.AddrPower or RelocKind.AddrPowerDs or RelocKind.AddrPowerD34 or RelocKind.AddrPowerPcrel34:
                value = (long)Absolute(in site, content);
                return true;

            case RelocKind.AddrPowerPcRel:
                value = (long)AddHalves(content, site.TargetAddress - site.Address);
                return true;

            case RelocKind.PowerToc:
                value = HostHalf(in site, content);
                return true;

            case RelocKind.PowerTls:
                CheckThreadPointerSum(in site, content);
                value = (long)content;
                return true;

            case RelocKind.PowerTlsIe:
                // addis rX,r2,x@got@tprel@ha; ld rX,x@got@tprel@l(rX) becomes addis rX,r0,..; addi rX,rX,..
                CheckRelaxesThreadLocals(in site);
                value = (long)AddHalves((content & ~Pair(31u << 16, 63u << 26)) | Pair(0, Addi), ThreadLocalOffset(in site));
                return true;

            case RelocKind.PowerTlsLe:
                value = (long)AddHalves(content, ThreadLocalOffset(in site));
                return true;

            case RelocKind.PowerTlsIePcrel34:
                // pld rX,x@got@tprel@pcrel becomes pla rX,x@tprel, of whose old words only the registers stay.
                CheckRelaxesThreadLocals(in site);
                value = (long)AddPrefixed(
                    (content & ~Pair(uint.MaxValue, (63u << 26) | 0xffff)) | Pair((1u << 26) | (2u << 24), Addi), ThreadLocalOffset(in site));
                return true;

            case RelocKind.PowerTlsLeTprel34:
                value = (long)AddPrefixed(content, ThreadLocalOffset(in site));
                return true;

            default:
                value = 0;
                return false;
        }
    }

    /// <summary>Whether a branch instruction holds a distance: 26 bits, signed.</summary>
    private static bool ReachesByBranch(long distance) => distance is >= -BranchReach and < BranchReach;

    private uint Branch(in RelocSite site)
    {
        SymbolTable symbols = site.Context.Symbols;
        SymbolId target = site.Target;
        long distance = site.TargetAddress - site.Address;
        if (!IsPcRelative && site.Addend == 0 && symbols.IsShared(target) && symbols.Kind(target).IsText()
            && !symbols.FromHostObject.Contains(target) && !IsPlainEntry(target))
        {
            // Past the two instructions that compute the table of contents, which the caller has already.
            distance += 8;
        }
        if ((distance & 3) != 0)
        {
            site.Report($"relocation for {symbols.NameText(target)}+{Offset(in site)} is not aligned: {distance}");
        }
        if (!ReachesByBranch(distance))
        {
            site.Report($"direct call too far: {symbols.NameText(target)} {RelocSite.GoHex(distance)}");
        }
        return (uint)distance & 0x03fffffc;
    }

    // Two functions are entered anywhere and never have the instructions that compute the table of contents.
    private bool IsPlainEntry(SymbolId s) =>
        s == _plainEntries[0] || s == _plainEntries[1] || s == _plainEntries[2] || s == _plainEntries[3];

    private ulong FromToc(in RelocSite site, ulong content) => AddFromToc(in site, content, site.TargetAddress - _tocAddress);

    /// <summary>
    /// A load of an address from its entry in the table of contents. If what it is the address of lies in data, whose distance from the
    /// table is known, the address is computed instead.
    /// </summary>
    private ulong FromTocEntry(in RelocSite site, ulong content)
    {
        SymbolTable symbols = site.Context.Symbols;
        if (!symbols.Name(site.Target).StartsWith("TOC."u8))
        {
            site.Report("archreloctoc called for a symbol without TOC anchor");
        }
        long toc = symbols.Value(site.Context.Known.Toc);
        RelocList entry = symbols.Relocs(site.Target);
        SymbolId variable = entry.Count == 0 ? SymbolId.None : entry.Target(0);
        if (site.Context.Target.IsInternal && !variable.IsNone && symbols.IsReachable(variable)
            && site.Context.SectionOf(variable)?.Segment == site.Context.DataSegment)
        {
            long distance = symbols.Value(variable) + site.Addend - toc;
            CheckTocDistance(in site, distance);
            // The load keeps its registers.
            uint load = (uint)(isBigEndian ? content : content >> 32);
            ulong code = (content & Pair(uint.MaxValue, 0)) | Pair(0, (load & 0x03ff0000) | Addi);
            return AddHalves(code, distance);
        }
        return AddFromToc(in site, content, site.TargetAddress - toc);
    }

    private static void CheckTocDistance(in RelocSite site, long distance)
    {
        if (distance != (int)distance)
        {
            SymbolTable symbols = site.Context.Symbols;
            site.Report($"TOC relocation for {symbols.NameText(site.Symbol)} is too big to relocate %!s(loader.Sym={site.Target.Index}): 0x{RelocSite.GoHex(distance)}");
        }
    }

    private ulong AddFromToc(in RelocSite site, ulong content, long distance)
    {
        CheckTocDistance(in site, distance);
        // Bits set by then are not cleared, unlike those of absolute addresses.
        uint low = (ushort)distance;
        if (site.Kind == RelocKind.AddrPowerTocrelDs)
        {
            CheckDs(in site, distance);
            low &= 0xfffc;
        }
        return content | Pair(HighAdjusted(distance), low);
    }

    private ulong Absolute(in RelocSite site, ulong content)
    {
        SymbolTable symbols = site.Context.Symbols;
        long address = site.TargetAddress;
        if (address is < 0 or >= 1L << 31)
        {
            site.Report($"relocation for {symbols.NameText(site.Symbol)} is too big (>=2G): 0x{symbols.Value(site.Target):x}");
        }
        switch (site.Kind)
        {
            case RelocKind.AddrPowerPcrel34:
                return AddPrefixed(content & ~Pair(0x3ffff, 0xffff), address - site.Address);
            case RelocKind.AddrPowerD34:
                return AddPrefixed(content & ~Pair(0x3ffff, 0xffff), address);
            case RelocKind.AddrPowerDs:
                CheckDs(in site, address);
                return AddHalves(content & ~Pair(0xffff, 0xfffc), address);
            default:
                return AddHalves(content & ~Pair(0xffff, 0xffff), address);
        }
    }

    // A load of eight bytes has no room for the lower two bits of its offset.
    private static void CheckDs(in RelocSite site, long value)
    {
        if ((value & 3) != 0)
        {
            SymbolTable symbols = site.Context.Symbols;
            site.Report($"bad DS reloc for {symbols.NameText(site.Symbol)}: {symbols.Value(site.Target)}");
        }
    }

    // r13 points this far behind the start of the module's thread-local storage.
    private static long ThreadLocalOffset(in RelocSite site)
    {
        long offset = site.Context.Symbols.Value(site.Target) - (site.Context.Target.HasFunctionDescriptors ? 0x7800 : 0x7000);
        if (offset != (int)offset)
        {
            site.Report($"TLS offset out of range {offset}");
        }
        return offset;
    }

    private static void CheckThreadPointerSum(in RelocSite site, ulong content)
    {
        const uint Add = (31u << 26) | (266u << 1);
        if ((content & ((63u << 26) | (511u << 1))) != Add)
        {
            site.Report($"R_POWER_TLS reloc only supports XO form ADD, not {content:X8}");
        }
        if (((content >> 11) & 31) != 13)
        {
            site.Report($"R_POWER_TLS reloc requires R13 in RB ({(uint)content:X8}).");
        }
    }

    private static void CheckRelaxesThreadLocals(in RelocSite site)
    {
        Target target = site.Context.Target;
        if (!target.IsPie || !target.IsElf)
        {
            throw new LinkException(
                MessageForm.Input,
                $"cannot handle R_POWER_TLS_IE (sym {site.Context.Symbols.NameText(site.Symbol)}) when linking non-PIE, non-ELF binaries internally");
        }
    }

    private static long Offset(in RelocSite site) => site.Address - site.Context.Symbols.Value(site.Symbol);

    private static uint HighAdjusted(long value) => (ushort)((int)(value + 0x8000) >> 16);

    /// <summary>Two instructions as the field holds them, the first one at the lower address.</summary>
    private ulong Pair(uint first, uint second) => isBigEndian ? ((ulong)first << 32) | second : first | ((ulong)second << 32);

    private ulong AddHalves(ulong content, long value) => content | Pair(HighAdjusted(value), (ushort)value);

    // A prefixed instruction: 18 bits in the prefix, 16 in the rest.
    private ulong AddPrefixed(ulong content, long value) => content | Pair((uint)(value >> 16) & 0x3ffff, (ushort)value);
}
