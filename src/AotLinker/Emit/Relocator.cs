using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using AotLinker.Objects;

namespace AotLinker.Emit;

/// <summary>
/// Applies relocations to content that already lies where it will be run from, or in a buffer (relocsym). Nothing here changes but the
/// content, so any number of threads may use one instance; errors are collected.
/// </summary>
/// <remarks><see cref="RelocKernel"/> applies the usual ones. Here everything goes the long way, with all checks.</remarks>
internal sealed class Relocator
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly ValueColumn _values;
    private readonly bool _bigEndian;
    private readonly bool _wide;
    private readonly int _pcUnitShift;
    private readonly bool _cpuComputesCalls;
    private readonly RelocKernel _kernel;

    // What is left to an external linker; null if we do the final link.
    private readonly ExternalRules? _external;

    // For each section what offsets of its symbols count from; NoBase where there is none.
    private readonly long[] _offsetBases;
    internal const long NoBase = long.MinValue;

    /// <summary>A relocator for a link whose addresses are all known.</summary>
    public Relocator(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _values = ctx.Symbols.Values;
        _bigEndian = ctx.Target.IsBigEndian;
        _wide = ctx.Target.PointerSize > 4;
        _pcUnitShift = ctx.TablePcShift;
        _cpuComputesCalls = ctx.Target.Cpu.ComputesCalls;
        ulong textStart = ctx.TextSegment.Sections.Count > 0 ? ctx.TextSegment.Sections[0].Vaddr : 0;
        _offsetBases = [.. ctx.Sections.Select(s => s is null ? NoBase : (long)(s.IsText ? textStart : s.Vaddr))];
        _kernel = new RelocKernel(ctx, _offsetBases);
        _external = ctx.Target.IsExternal ? new ExternalRules(ctx) : null;
    }

    /// <summary>Applies the relocations of a symbol to its content.</summary>
    /// <param name="s">The symbol.</param>
    /// <param name="content">The content; what follows it up to the symbol's size is zero and can't be relocated.</param>
    public void Apply(SymbolId s, Span<byte> content) => Apply(s, _symbols.Relocs(s), content);

    /// <summary>As the other overload, with the relocations at hand.</summary>
    public void Apply(SymbolId s, RelocList relocs, Span<byte> content)
    {
        if (relocs.Count != 0)
        {
            Apply(s, relocs, content, 0, content.Length);
        }
    }

    /// <summary>Applies the relocations that lie in a piece of a symbol's content; none may lie across its ends.</summary>
    /// <param name="s">The symbol.</param>
    /// <param name="piece">The piece.</param>
    /// <param name="offset">Offset of the piece in the symbol.</param>
    /// <param name="length">Length of the whole content.</param>
    public void ApplyPiece(SymbolId s, Span<byte> piece, long offset, long length)
    {
        RelocList relocs = _symbols.Relocs(s);
        if (relocs.Count != 0)
        {
            Apply(s, relocs, piece, offset, length);
        }
    }

    private unsafe void Apply(SymbolId s, RelocList relocs, Span<byte> content, long start, long length)
    {
        long address = _values[s];
        int count = relocs.Count;
        int i = 0;
        if (relocs.Owner is { } owner && !relocs.HasChanges)
        {
            fixed (RelocRecord* records = relocs.Records)
            fixed (byte* to = content)
            {
                RelocKernel.Place place = new(to, content.Length, start, length, address);
                for (; (i = _kernel.Apply(owner, records, i, count, in place)) < count; i++)
                {
                    ApplyOne(s, address, relocs, i, content, start, length);
                }
            }
        }
        for (; i < count; i++)
        {
            ApplyOne(s, address, relocs, i, content, start, length);
        }
    }

    /// <summary>Applies a relocation of any kind.</summary>
    private void ApplyOne(SymbolId s, long address, in RelocList relocs, int i, Span<byte> content, long start, long length)
    {
        ref readonly RelocRecord r = ref relocs[i];
        int size = r.Size;
        long offset = r.Offset;
        if (offset < 0 || offset + size > length)
        {
            ReportBounds(s, relocs, i, length);
            return;
        }
        if (size == 0 || offset < start || offset >= start + content.Length)
        {
            return;
        }
        int at = (int)(offset - start);
        SymbolId target = relocs.Target(i);
        RelocKind kind = relocs.Kind(i);
        bool hasValue = _external is null && kind.IsOfCpu() && !target.IsNone && _values[target] != 0
            ? TryComputeByCpu(s, address, relocs, i, kind, target, content, at, out long value)
            : TryCompute(s, address, relocs, i, kind, target, content, at, out value);
        if (hasValue)
        {
            Store(s, relocs, i, kind, target, value, content, at);
        }
    }

    /// <summary>Offset of a symbol from the start of its section, or for functions from the start of the first text section.</summary>
    private bool TryOffset(SymbolId target, long targetAddress, out long offset)
    {
        long start = _offsetBases[_symbols.SectionIndex(target)];
        offset = targetAddress - start;
        return start != NoBase;
    }

    /// <summary>What tables of functions hold where a pc is a function's number and a place in it: the number alone.</summary>
    private long FunctionNumber(SymbolId s, int offset, RelocKind kind, SymbolId target, long pc)
    {
        if ((pc & ((1L << _pcUnitShift) - 1)) != 0)
        {
            Report(s, offset, $"textoff relocation {kind.GoName()} does not target function entry: {_symbols.NameText(target)} {GoHex(pc)}");
        }
        return pc >> _pcUnitShift;
    }

    /// <summary>The long way: every kind, and every check.</summary>
    /// <returns>Whether there is a value to store.</returns>
    private bool TryCompute(
        SymbolId s, long address, RelocList relocs, int i, RelocKind kind, SymbolId target, Span<byte> content, int at, out long value)
    {
        ref readonly RelocRecord r = ref relocs[i];
        int size = r.Size;
        long addend = r.Addend;
        bool weak = r.IsWeak;
        value = 0;
        SymbolKind targetKind = target.IsNone ? SymbolKind.None : _symbols.Kind(target);
        if (!target.IsNone && targetKind is SymbolKind.None or SymbolKind.XRef && !_ctx.Target.Cpu.ResolvesUndefined(_ctx, target))
        {
            if (_ctx.Target.BuildMode is not (BuildMode.Shared or BuildMode.Plugin))
            {
                ReportUnresolved(s, r.Offset, target);
                return false;
            }
            if (_symbols.Name(target).StartsWith("go:info."u8))
            {
                // Only there for debug information.
                return false;
            }
        }
        if (kind == RelocKind.Host)
        {
            return false;
        }
        bool isLive = target.IsNone || _symbols.IsReachable(target);
        if (targetKind == SymbolKind.DynImport && !_ctx.Format.AllowsImportedTargets && !_ctx.Target.IsDynlinkingGo && !_symbols.IsInterior(target)
            && !(_external is not null && _ctx.Target.Cpu.ResolvesUndefined(_ctx, target)))
        {
            Report(s, r.Offset, $"unhandled relocation for {_symbols.NameText(target)} (type {NumberOf(targetKind)} ({targetKind.GoName()}) rtype {NumberOf(kind)} ({kind.GoName()}))");
        }
        if (!isLive && targetKind != SymbolKind.TlsBss && kind != RelocKind.MethodOff
            && (!weak || (kind.IsDirectCall() && _ctx.Target.Cpu.ChecksWeakCalls)))
        {
            Report(s, r.Offset, $"unreachable sym in relocation: {_symbols.NameText(target)}");
            if (weak)
            {
                return false;
            }
        }

        if (_external is not null && _external.TryRead(s, _symbols.SectionIndex(s), relocs, i, 0, out ExternalReloc left))
        {
            if (kind == RelocKind.XcoffRef)
            {
                // Keeps its target alive and has no field.
                return false;
            }
            if (!_external.IsDefinedElsewhere(left.Target) && _ctx.SectionOf(left.Target) is null)
            {
                Report(s, r.Offset, $"missing section for relocation target {_symbols.NameText(left.Target)}");
            }
            if (!TryReadField(s, in r, target, content, at, out ulong old))
            {
                return false;
            }
            RelocSite leftSite = SiteOf(s, address, in r, kind, target);
            value = _external.Field(in left, in leftSite, old);
            return true;
        }

        switch (kind)
        {
            case RelocKind.Addr:
            case RelocKind.PeImageOff:
                if (weak && !isLive)
                {
                    target = _ctx.Known.UnreachableMethod;
                }
                value = _values[target] + addend;
                if (kind == RelocKind.PeImageOff)
                {
                    value -= _ctx.Format.ImageBase;
                }
                // A 4-byte address is sign-extended by the CPU, so data past 2 GiB could not be reached at run time.
                if ((int)value < 0 && _wide && size == 4)
                {
                    Report(s, r.Offset, $"non-pc-relative relocation address for {_symbols.NameText(target)} is too big: 0x{value:x} ({GoHex(_values[target])} + {GoHex(addend)})");
                    throw new ErrorsReportedException();
                }
                return true;

            case RelocKind.Call when _cpuComputesCalls:
                goto default;

            case RelocKind.Call:
            case RelocKind.PcRel:
            case RelocKind.GotPcRel:
                // Without a target it is a call to a fixed address.
                value = (target.IsNone ? 0 : _values[target]) + addend - (address + r.Offset + size);
                return true;

            case RelocKind.MethodOff:
            case RelocKind.AddrOff:
                if (kind == RelocKind.MethodOff && !isLive)
                {
                    // The runtime knows that nothing is there.
                    value = -1;
                    return true;
                }
                if (weak && !isLive)
                {
                    return false;
                }
                if (!TryOffset(target, _values[target], out value))
                {
                    Report(s, r.Offset, targetKind switch
                    {
                        SymbolKind.DynImport => $"cannot target DYNIMPORT sym in section-relative reloc: {_symbols.NameText(target)}",
                        SymbolKind.UndefExt => $"undefined symbol in relocation: {_symbols.NameText(target)}",
                        _ => $"missing section for relocation target {_symbols.NameText(target)}",
                    });
                    return false;
                }
                value += addend;
                if (_pcUnitShift != 0 && _ctx.SectionOf(target)!.IsText)
                {
                    value = FunctionNumber(s, r.Offset, kind, target, value);
                }
                return true;

            case RelocKind.DwarfFileRef:
                return false;

            case RelocKind.Size:
                value = _symbols.Size(target) + addend;
                return true;

            case RelocKind.Const:
                value = addend;
                return true;

            case RelocKind.GotOff:
                value = _values[target] + addend - _values[_ctx.Known.Got];
                return true;

            case RelocKind.TlsLe:
                value = _ctx.Format.ThreadLocalOffset(_ctx, target, addend);
                return true;

            case RelocKind.TlsIe:
                if (!_ctx.Target.IsPie || !_ctx.Format.HasInitialExecTls)
                {
                    throw new LinkException(MessageForm.Input, $"cannot handle R_TLS_IE (sym {_symbols.NameText(s)}) when linking internally");
                }
                // This is the final executable, so its thread-local storage has a fixed place.
                _ctx.Target.Cpu.RelaxThreadLocal(content, at, size);
                value = _ctx.TlsOffset;
                return true;

            case RelocKind.AddrCuOff:
                value = _values[target] + addend - _values[_symbols.Unit(target)!.Text[0]];
                return true;

            case RelocKind.DwarfSecRef:
                if (_ctx.SectionOf(target) is not { } section)
                {
                    Report(s, r.Offset, $"missing DWARF section for relocation target {_symbols.NameText(target)}");
                    return false;
                }
                value = _values[target] + addend - (long)section.Vaddr;
                return true;

            case RelocKind.XcoffRef:
                Report(s, r.Offset, "find XCOFF R_REF with internal linking");
                return false;

            default:
                return TryComputeByCpu(s, address, relocs, i, kind, target, content, at, out value);
        }
    }

    private bool TryComputeByCpu(
        SymbolId s, long address, RelocList relocs, int i, RelocKind kind, SymbolId target, Span<byte> content, int at, out long value)
    {
        ref readonly RelocRecord r = ref relocs[i];
        if (!TryReadField(s, in r, target, content, at, out ulong old))
        {
            value = 0;
            return false;
        }
        RelocSite site = SiteOf(s, address, in r, kind, target);
        if (!_ctx.Target.Cpu.TryApply(in site, old, out value))
        {
            Report(s, r.Offset, $"unknown reloc to {_symbols.NameText(target)}: {NumberOf(kind)} ({kind.GoName()})");
            value = (long)old;
        }
        return true;
    }

    private bool TryReadField(SymbolId s, in RelocRecord r, SymbolId target, Span<byte> content, int at, out ulong field)
    {
        switch (r.Size)
        {
            case 1:
                field = content[at];
                return true;
            case 2:
                field = Get16(content, at);
                return true;
            case 4:
                field = Get32(content, at);
                return true;
            case 8:
                field = Get64(content, at);
                return true;
            default:
                field = 0;
                Report(s, r.Offset, $"bad reloc size 0x{(uint)r.Size:x} for {_symbols.NameText(target)}");
                return false;
        }
    }

    private RelocSite SiteOf(SymbolId s, long address, in RelocRecord r, RelocKind kind, SymbolId target) => new()
    {
        Context = _ctx,
        Symbol = s,
        Address = address + r.Offset,
        Kind = kind,
        Size = r.Size,
        Target = target,
        Addend = r.Addend,
    };

    private void Store(SymbolId s, RelocList relocs, int i, RelocKind kind, SymbolId target, long value, Span<byte> content, int at)
    {
        ref readonly RelocRecord r = ref relocs[i];
        switch (r.Size)
        {
            case 1:
                content[at] = (byte)value;
                break;
            case 2:
                CheckRange(s, r.Offset, kind, target, value, value == (short)value, value == (ushort)value);
                Put16(content, at, (ushort)value);
                break;
            case 4:
                CheckRange(s, r.Offset, kind, target, value, value == (int)value, value == (uint)value);
                Put32(content, at, (uint)value);
                break;
            case 8:
                Put64(content, at, (ulong)value);
                break;
            default:
                Report(s, r.Offset, $"bad reloc size 0x{(uint)r.Size:x} for {_symbols.NameText(target)}");
                break;
        }
    }

    // How messages about values that don't fit name the relocation.
    private string Named(RelocKind kind) => _ctx.Release.NamesRelocationsThatDontFit ? " " + kind.GoName() : "";

    private void CheckRange(SymbolId s, int offset, RelocKind kind, SymbolId target, long value, bool fitsSigned, bool fitsUnsigned)
    {
        if (fitsSigned)
        {
            return;
        }
        if (kind is RelocKind.PcRel or RelocKind.Call)
        {
            Report(s, offset, $"pc-relative relocation{Named(kind)} address for {_symbols.NameText(target)} is too big: {GoHex(value)}");
        }
        else if (!fitsUnsigned)
        {
            Report(s, offset, $"non-pc-relative relocation{Named(kind)} address for {_symbols.NameText(target)} is too big: 0x{value:x}");
        }
    }

    private void ReportBounds(SymbolId s, RelocList relocs, int i, long length)
    {
        SymbolId target = relocs.Target(i);
        string name = target.IsNone ? "" : _symbols.NameText(target);
        Report(s, 0, $"invalid relocation {name}: {relocs[i].Offset}+{relocs[i].Size} not in [0,{length})");
    }

    /// <summary>Reports a target that nothing defines, once for each pair of symbols (errorUnresolved).</summary>
    private void ReportUnresolved(SymbolId s, int offset, SymbolId target)
    {
        ReadOnlySpan<byte> name = _symbols.Name(target);
        string text;
        if (name.SequenceEqual("main.main"u8))
        {
            text = "function main is undeclared in the main package";
        }
        else
        {
            text = $"relocation target {_symbols.NameText(target)} not defined";
            int version = _symbols.Version(target);
            // Maybe the name has a definition for another ABI; the last one found is the one named.
            string? has = null;
            for (int abi = 0; abi <= 1 && version is 0 or 1; abi++)
            {
                SymbolId other = _symbols.Lookup(name, abi);
                if (!other.IsNone && _symbols.Kind(other) is not (SymbolKind.None or SymbolKind.XRef))
                {
                    has = AbiName(abi);
                }
            }
            if (has is not null)
            {
                text += $" for {AbiName(version)} (but is defined for {has})";
            }
        }
        _ctx.Diagnostics.ReportOnce(s.Index, target.Index, _values[s] + offset, $"{_symbols.NameText(s)}: {text}");

        static string AbiName(int abi) => abi == 0 ? "ABI0" : "ABIInternal";
    }

    private void Report(SymbolId s, int offset, string text) => RelocSite.Report(_ctx, s, _values[s] + offset, text);

    private int NumberOf(RelocKind kind) => _ctx.Release.RelocKinds.IndexOf((byte)kind);

    private int NumberOf(SymbolKind kind) => _ctx.Release.SymbolKindNumbers.IndexOf((byte)kind);

    // Go prints a negative number with its sign also in base 16.
    [SuppressMessage("Globalization", "CA1305", Justification = "hexadecimal digits are the same everywhere")]
    private static string GoHex(long v) => v < 0 ? $"-0x{(ulong)-v:x}" : $"0x{v:x}";

    private static ref byte At(Span<byte> content, int at, int size) => ref content.Slice(at, size)[0];

    private ushort Get16(Span<byte> content, int at)
    {
        ushort v = Unsafe.ReadUnaligned<ushort>(ref At(content, at, 2));
        return _bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(v) : v;
    }

    private uint Get32(Span<byte> content, int at)
    {
        uint v = Unsafe.ReadUnaligned<uint>(ref At(content, at, 4));
        return _bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(v) : v;
    }

    private ulong Get64(Span<byte> content, int at)
    {
        ulong v = Unsafe.ReadUnaligned<ulong>(ref At(content, at, 8));
        return _bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(v) : v;
    }

    private void Put16(Span<byte> content, int at, ushort v) =>
        Unsafe.WriteUnaligned(ref At(content, at, 2), _bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(v) : v);

    private void Put32(Span<byte> content, int at, uint v) =>
        Unsafe.WriteUnaligned(ref At(content, at, 4), _bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(v) : v);

    private void Put64(Span<byte> content, int at, ulong v) =>
        Unsafe.WriteUnaligned(ref At(content, at, 8), _bigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(v) : v);
}
