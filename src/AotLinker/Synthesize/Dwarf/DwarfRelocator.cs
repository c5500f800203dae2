using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using AotLinker.Emit;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Copies DWARF symbols of the compiler's and applies their relocations in the copy (the part of ld.relocsym that DWARF needs). Offsets in
/// DWARF sections come from the value column, see <see cref="DebugInfo"/>.
/// </summary>
internal sealed class DwarfRelocator(LinkContext ctx, DebugInfo info)
{
    // For the name of a type.
    [ThreadStatic]
    private static byte[]? _name;

    private readonly SymbolTable _symbols = ctx.Symbols;
    private readonly bool _bigEndian = ctx.Target.IsBigEndian;

    // Addresses are left to an external linker, and references, too: these as they are unless relocations carry all of the value.
    private readonly bool _leavesAddresses = DwarfFormat.Of(ctx.Target).LeavesAddresses;
    private readonly bool _leavesReferences = DwarfFormat.Of(ctx.Target).LeavesReferences;
    private readonly bool _relocatesReferences = DwarfFormat.Of(ctx.Target).RelocatesReferences;
    private readonly bool _holdsAddends = ctx.Target.Cpu.FieldsHoldAddends(ctx.Target);

    /// <summary>Copies a symbol's content, relocated; returns its length.</summary>
    /// <param name="s">The symbol.</param>
    /// <param name="to">Where to; at least as long as the content.</param>
    /// <param name="unit">The unit it belongs to.</param>
    /// <param name="function">Index of the function in the unit that it belongs to; -1 for none.</param>
    public int Copy(SymbolId s, Span<byte> to, DwarfUnit unit, int function)
    {
        ReadOnlySpan<byte> data = unit.Data(_symbols, s);
        to = to[..data.Length];
        data.CopyTo(to);
        RelocList relocs = unit.Relocs(_symbols, s);
        int self = 0;
        int slot = -1;
        if (function >= 0)
        {
            self = unit.Unit.Text[function].Index;
            slot = info.FunctionsOf(unit)[function].Slot;
        }
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs.Owner is { } owner && !relocs.HasChanges && !_leavesReferences)
            {
                i = ApplyUsual(owner, relocs.Records, i, to, self, slot);
            }
            if (i < relocs.Count && relocs[i].Size != 0)
            {
                Apply(s, i, relocs, relocs.Kind(i), relocs.Target(i), to, unit);
            }
        }
        return data.Length;
    }

    /// <summary>
    /// Lists the relocations of a symbol that an external linker has to apply, and passes over its content (the part of ld.extreloc that
    /// DWARF needs).
    /// </summary>
    /// <param name="s">The symbol.</param>
    /// <param name="unit">The unit it belongs to.</param>
    /// <param name="layout">What is in which section.</param>
    /// <param name="to">The list.</param>
    public void List(SymbolId s, DwarfUnit unit, DwarfLayout layout, ref DieRelocs to)
    {
        RelocList relocs = unit.Relocs(_symbols, s);
        for (int i = 0; i < relocs.Count; i++)
        {
            ref readonly RelocRecord r = ref relocs[i];
            if (r.Size == 0)
            {
                continue;
            }
            SymbolId target = relocs.Target(i);
            switch (relocs.Kind(i))
            {
                case RelocKind.DwarfSecRef when !_relocatesReferences:
                    break;
                case RelocKind.DwarfSecRef:
                    long place = _symbols.Value(target);
                    place = DebugInfo.IsPlace(place) ? DebugInfo.Offset(place) : FindOffset(s, i, target);
                    SymbolId section = layout.SectionOf(_symbols.Kind(target));
                    to.List.Add(new ExternalReloc(to.Place + r.Offset, RelocKind.DwarfSecRef, r.Size, section, place + r.Addend) { From = s });
                    break;
                case RelocKind.Addr:
                    to.List.Add(new ExternalReloc(to.Place + r.Offset, RelocKind.Addr, r.Size, target, r.Addend) { From = s });
                    break;
                default:
                    break;
            }
        }
        to.Skip(unit.Data(_symbols, s).Length);
    }

    // Nearly all relocations are of two kinds: the place of something in a section of debug information, and the number of the function's
    // own address among the unit's. This loop calls nothing, so that what it needs stays in registers, and returns the index of the first
    // relocation that is anything else, or how many there are.
    private unsafe int ApplyUsual(GoObject o, ReadOnlySpan<RelocRecord> relocs, int i, Span<byte> to, int self, int slot)
    {
        ValueColumn.View values = _symbols.Values.AsView();
        ReadOnlySpan<byte> kinds = _symbols.Release.RelocKinds;
        fixed (RelocRecord* records = relocs)
        fixed (byte* content = to)
        {
            for (; i < relocs.Length; i++)
            {
                RelocRecord* r = records + i;
                int size = r->Size;
                if (size == 0)
                {
                    continue;
                }
                int raw = r->RawKind;
                if ((long)(uint)r->Offset + size > to.Length || raw >= kinds.Length || !o.TryResolve(r->Target, out int target))
                {
                    break;
                }
                byte* field = content + r->Offset;
                RelocKind kind = (RelocKind)kinds[raw];
                if (kind == RelocKind.DwarfSecRef)
                {
                    if (!values.TryGetPlace(target, out int place) || size != sizeof(uint) || _bigEndian)
                    {
                        break;
                    }
                    long offset = place + r->Addend;
                    if (offset != (uint)offset)
                    {
                        break;
                    }
                    Unsafe.WriteUnaligned(field, (uint)offset);
                    continue;
                }
                int length = UnitScanner.Length(kind);
                if (target != self || slot < 0 || !IsSlot(kind) || size < length || slot >> (7 * length) != 0)
                {
                    break;
                }
                uint number = (uint)slot;
                for (; length > 1; length--, number >>= 7)
                {
                    *field++ = (byte)(number | 0x80);
                }
                *field = (byte)number;
            }
        }
        return i;
    }

    private static bool IsSlot(RelocKind kind) => kind is >= RelocKind.DwTxtAddrU1 and <= RelocKind.DwTxtAddrU4;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Apply(SymbolId s, int i, in RelocList relocs, RelocKind kind, SymbolId target, Span<byte> to, DwarfUnit unit)
    {
        ref readonly RelocRecord r = ref relocs[i];
        int size = r.Size;
        if (r.Offset < 0 || r.Offset > to.Length - size)
        {
            Report(s, i, target, $"invalid relocation {_symbols.NameText(target)}: {r.Offset}+{size} not in [0,{to.Length})");
            return;
        }
        if (IsSlot(kind) && size < UnitScanner.Length(kind))
        {
            Report(s, i, target, $"bad reloc size 0x{size:x} for {_symbols.NameText(target)}");
            return;
        }
        Span<byte> field = to.Slice(r.Offset, size);
        switch (kind)
        {
            case RelocKind.DwarfSecRef:
                long place = _symbols.Value(target);
                long offset = DebugInfo.IsPlace(place) ? DebugInfo.Offset(place) : FindOffset(s, i, target);
                Put(s, i, kind, field, target, _leavesReferences ? 0 : offset + r.Addend);
                break;
            case >= RelocKind.DwTxtAddrU1 and <= RelocKind.DwTxtAddrU4:
                PutSlot(s, i, field[..UnitScanner.Length(kind)], target, unit);
                break;
            case RelocKind.Addr:
                if (IsDefined(s, i, target) && _leavesAddresses)
                {
                    Put(s, i, kind, field, target, _holdsAddends ? r.Addend : 0);
                }
                else if (IsDefined(s, i, target))
                {
                    long address = _symbols.Value(target) + r.Addend;
                    if ((int)address < 0 && ctx.Target.PointerSize > 4 && size == 4)
                    {
                        Report(s, i, target, $"non-pc-relative relocation address for {_symbols.NameText(target)} is too big: 0x{address:x} "
                            + $"(0x{_symbols.Value(target):x} + 0x{r.Addend:x})");
                    }
                    Put(s, i, kind, field, target, address);
                }
                break;
            case RelocKind.AddrCuOff:
                if (IsDefined(s, i, target) && _symbols.Unit(target) is { Text: [SymbolId first, ..] })
                {
                    Put(s, i, kind, field, target, _symbols.Value(target) + r.Addend - _symbols.Value(first));
                }
                break;
            case RelocKind.AddrOff:
                if (IsDefined(s, i, target))
                {
                    Put(s, i, kind, field, target, SectionRelative(s, i, target) + r.Addend);
                }
                break;
            case RelocKind.DwarfFileRef:
                break;
            case RelocKind.Size:
                Put(s, i, kind, field, target, _symbols.Size(target) + r.Addend);
                break;
            case RelocKind.Const:
                Put(s, i, kind, field, target, r.Addend);
                break;
            default:
                Report(s, i, target, $"unknown reloc to {_symbols.NameText(target)}: {(int)kind} ({kind})");
                break;
        }
    }

    // A type DIE that no function refers to, or something that is in no DWARF section.
    private long FindOffset(SymbolId s, int reloc, SymbolId target)
    {
        if (_symbols.Kind(target) is SymbolKind.None or SymbolKind.DwarfType)
        {
            _name ??= new byte[256];
            SymbolId type = DebugInfo.FindType(_symbols, target, ref _name);
            int node = type.IsNone ? -1 : info.Types.Find(type);
            if (node >= 0)
            {
                return info.Types.Reference(node);
            }
            ReportUndefined(s, reloc, target);
        }
        else
        {
            Report(s, reloc, target, $"missing DWARF section for relocation target {_symbols.NameText(target)}");
        }
        return 0;
    }

    private bool IsDefined(SymbolId s, int reloc, SymbolId target)
    {
        if (target.IsNone)
        {
            return true;
        }
        SymbolKind kind = _symbols.Kind(target);
        if (kind is SymbolKind.None or SymbolKind.XRef)
        {
            ReportUndefined(s, reloc, target);
            return false;
        }
        if (kind != SymbolKind.TlsBss && !_symbols.IsReachable(target))
        {
            Report(s, reloc, target, $"unreachable sym in relocation: {_symbols.NameText(target)}");
        }
        return true;
    }

    private long SectionRelative(SymbolId s, int reloc, SymbolId target)
    {
        if (ctx.SectionOf(target) is { } section)
        {
            return _symbols.Value(target) - (long)section.Vaddr;
        }
        Report(s, reloc, target, $"missing section for relocation target {_symbols.NameText(target)}");
        return 0;
    }

    private void PutSlot(SymbolId s, int reloc, Span<byte> field, SymbolId target, DwarfUnit unit)
    {
        int slot = unit.FindSlot(info.FunctionsOf(unit), target);
        if (slot < 0)
        {
            Report(s, reloc, target, $"missing .debug_addr index relocation target {_symbols.NameText(target)}");
        }
        else if (!Leb128.TryWritePadded(field, (ulong)slot))
        {
            Report(s, reloc, target, "internal error: writeUleb128FixedLength: length too small applying R_DWTXTADDR to DWARF sym with reloc "
                + $"target {_symbols.NameText(target)}");
        }
    }

    private string Named(RelocKind kind) => _symbols.Release.NamesRelocationsThatDontFit ? " " + kind.GoName() : "";

    private void Put(SymbolId s, int reloc, RelocKind kind, Span<byte> field, SymbolId target, long value)
    {
        switch (field.Length)
        {
            case 4:
                if (value != (int)value && value != (uint)value)
                {
                    Report(s, reloc, target, $"non-pc-relative relocation{Named(kind)} address for {_symbols.NameText(target)} is too big: 0x{value:x}");
                }
                if (_bigEndian)
                {
                    BinaryPrimitives.WriteUInt32BigEndian(field, (uint)value);
                }
                else
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)value);
                }
                break;
            case 8:
                if (_bigEndian)
                {
                    BinaryPrimitives.WriteInt64BigEndian(field, value);
                }
                else
                {
                    BinaryPrimitives.WriteInt64LittleEndian(field, value);
                }
                break;
            default:
                Report(s, reloc, target, $"bad reloc size 0x{field.Length:x} for {_symbols.NameText(target)}");
                break;
        }
    }

    private void ReportUndefined(SymbolId s, int reloc, SymbolId target) =>
        Report(s, reloc, target, $"relocation target {_symbols.NameText(target)} not defined");

    // Content may be made more than once, errors are told once.
    private void Report(SymbolId s, int reloc, SymbolId target, string text) =>
        ctx.Diagnostics.ReportOnce(s.Index, target.Index, Order(s, reloc), $"{Describe(s)}: {text}");

    private static long Order(SymbolId s, int reloc) => ((long)s.Index << 32) | (uint)reloc;

    private string Describe(SymbolId s) => _symbols.Name(s).IsEmpty ? $"sym {s.Index}" : _symbols.NameText(s);
}
