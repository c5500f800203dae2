using AotLinker.Cpu;
using AotLinker.Objects;

namespace AotLinker.Emit;

/// <summary>
/// Which relocations of code and data are left to an external linker, and against which symbol: one of the object's symbol table, which
/// stands for what it contains (ld.extreloc). Any number of threads may use one instance.
/// </summary>
internal sealed class ExternalRules(LinkContext ctx)
{
    private readonly SymbolTable _symbols = ctx.Symbols;
    private readonly CpuArch _cpu = ctx.Target.Cpu;
    private readonly bool _leavesThreadLocals = ctx.Format.LeavesThreadLocals;

    /// <summary>How many relocations of the format a kind takes.</summary>
    public int Parts(in ExternalReloc left) => ctx.Format.ExternalRelocationParts(in left);

    /// <summary>What the field of a relocation that is left holds until then.</summary>
    /// <param name="left">The relocation, as read.</param>
    /// <param name="site">The same as it stands in the object.</param>
    /// <param name="content">What the field holds now.</param>
    public long Field(in ExternalReloc left, in RelocSite site, ulong content) =>
        ctx.Format.ExternalField(in left, in site, content, IsDistance(left.Kind) && _symbols.Kind(left.Target) == SymbolKind.UndefExt);

    /// <summary>Whether a kind of all CPUs stands for a distance.</summary>
    public static bool IsDistance(RelocKind kind) => kind is RelocKind.Call or RelocKind.PcRel or RelocKind.PcRelDbl or RelocKind.GotPcRel;

    /// <summary>Reads a relocation if it is left to an external linker.</summary>
    /// <param name="s">The symbol whose content is relocated.</param>
    /// <param name="section">Index of its section.</param>
    /// <param name="relocs">Its relocations.</param>
    /// <param name="i">Index of the relocation.</param>
    /// <param name="start">Offset of the symbol in its section.</param>
    /// <param name="left">The relocation for the external linker.</param>
    public bool TryRead(SymbolId s, int section, in RelocList relocs, int i, long start, out ExternalReloc left)
    {
        ref readonly RelocRecord r = ref relocs[i];
        left = default;
        if (r.Size == 0)
        {
            return false;
        }
        RelocKind kind = relocs.Kind(i);
        SymbolId target;
        long addend = r.Addend;
        byte variant = 0;
        switch (kind)
        {
            case (RelocKind.TlsLe or RelocKind.TlsIe) when !_leavesThreadLocals:
                return false;

            case RelocKind.TlsLe or RelocKind.TlsIe:
                target = relocs.Target(i);
                if (target.IsNone)
                {
                    target = ctx.Known.Tlsg;
                }
                break;

            case RelocKind.Addr or RelocKind.PeImageOff:
                target = relocs.Target(i);
                if (r.IsWeak && !_symbols.IsReachable(target))
                {
                    target = ctx.Known.UnreachableMethod;
                }
                target = Fold(target, ref addend);
                break;

            case RelocKind.XcoffRef:
                target = relocs.Target(i);
                break;

            case RelocKind.Call or RelocKind.PcRel or RelocKind.PcRelDbl or RelocKind.GotPcRel:
                target = relocs.Target(i);
                if (target.IsNone)
                {
                    return false;
                }
                if (_symbols.Kind(target) == SymbolKind.UndefExt)
                {
                    addend = -r.Size;
                    break;
                }
                if (kind != RelocKind.GotPcRel && _symbols.SectionIndex(target) == section)
                {
                    return false;
                }
                // The distance is that from the end of the field.
                target = Fold(target, ref addend);
                addend -= r.Size;
                break;

            default:
                ExternalForm form = kind.IsOfCpu() ? _cpu.ExternalFormOf(kind) : ExternalForm.None;
                if (form == ExternalForm.None)
                {
                    return false;
                }
                ExternalRead read = new() { Kind = kind, Target = relocs.Target(i), Addend = addend };
                _cpu.ReadExternal(ctx, _symbols.Value(s) + r.Offset, ref read);
                (kind, target, addend, variant) = (read.Kind, read.Target, read.Addend, read.Variant);
                if (form == ExternalForm.Outer)
                {
                    target = Fold(target, ref addend);
                }
                break;
        }
        left = new ExternalReloc(start + r.Offset, kind, r.Size, target, addend) { From = s, Variant = variant };
        return true;
    }

    /// <summary>Whether a symbol needs no section: it is defined elsewhere.</summary>
    public bool IsDefinedElsewhere(SymbolId s) => _symbols.Kind(s) is SymbolKind.HostObj or SymbolKind.DynImport or SymbolKind.UndefExt;

    // A part of something else has no entry in the symbol table (FoldSubSymbolOffset).
    private SymbolId Fold(SymbolId s, ref long addend)
    {
        SymbolId outer = _symbols.Outer(s);
        if (outer.IsNone)
        {
            return s;
        }
        addend += _symbols.Value(s) - _symbols.Value(outer);
        return outer;
    }
}
