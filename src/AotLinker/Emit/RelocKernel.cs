using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using AotLinker.Objects;

namespace AotLinker.Emit;

/// <summary>
/// The loop over the usual relocations of a Go object's symbol: numbers computed from the address of a live symbol, of one of three forms,
/// that fit their field. It calls nothing, so that what it needs stays in registers, and stops at the first that is anything else.
/// </summary>
/// <remarks>A symbol with an address other than 0 is defined, live and none of the special kinds, so one look at it is enough.</remarks>
internal sealed unsafe class RelocKernel
{
    private readonly SymbolTable _symbols;
    private readonly Form[] _forms;
    private readonly long[] _offsetBases;
    private readonly bool _swap;
    private readonly ulong _highestAddress32;

    /// <summary>The kernel of a link whose addresses are all known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="offsetBases">
    /// For each section what offsets of its symbols count from; <see cref="Relocator.NoBase"/> where there is none.
    /// </param>
    public RelocKernel(LinkContext ctx, long[] offsetBases)
    {
        _symbols = ctx.Symbols;
        _offsetBases = offsetBases;
        _swap = ctx.Target.IsBigEndian == BitConverter.IsLittleEndian;
        _highestAddress32 = ctx.Target.PointerSize > 4 ? int.MaxValue : uint.MaxValue;
        // Much of these three is left to an external linker.
        bool isInternal = !ctx.Target.IsExternal;
        ReadOnlySpan<byte> kinds = ctx.Release.RelocKinds;
        _forms = new Form[kinds.Length];
        for (int i = 0; i < kinds.Length; i++)
        {
            _forms[i] = (RelocKind)kinds[i] switch
            {
                RelocKind.Call when isInternal && !ctx.Target.Cpu.ComputesCalls => Form.PcRelative,
                RelocKind.PcRel when isInternal => Form.PcRelative,
                RelocKind.Addr when isInternal => Form.Address,
                RelocKind.AddrOff or RelocKind.MethodOff when ctx.TablePcShift == 0 => Form.Offset,
                _ => Form.Other,
            };
        }
    }

    private enum Form : byte
    {
        Other,
        /// <summary>Distance from the end of the field, four bytes.</summary>
        PcRelative,
        /// <summary>Address, four or eight bytes.</summary>
        Address,
        /// <summary>Offset in the section, four bytes.</summary>
        Offset,
    }

    /// <summary>
    /// Applies relocations from index <paramref name="i"/> on; returns the index of the first that it can't, or
    /// <paramref name="count"/>.
    /// </summary>
    /// <param name="o">The object whose numbering the relocations use.</param>
    /// <param name="records">All relocations of the symbol.</param>
    /// <param name="i">The first to be applied.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="place">The content.</param>
    public int Apply(GoObject o, RelocRecord* records, int i, int count, in Place place)
    {
        ValueColumn.View values = _symbols.Values.AsView();
        Form[] forms = _forms;
        byte* content = place.Content;
        long start = place.Start;
        for (; i < count; i++)
        {
            RelocRecord* r = records + i;
            // A negative offset is beyond all content this way.
            long offset = (uint)r->Offset;
            long size = r->Size;
            long at = offset - start;
            if (offset + size > place.SymbolLength)
            {
                break;
            }
            if (size == 0 || (ulong)at >= (ulong)place.Length)
            {
                continue;
            }
            byte* field = content + at;
            int raw = r->RawKind & ~RelocFlags.Weak;
            Form form = raw < forms.Length ? forms[raw] : Form.Other;
            if (at + size > place.Length || !o.TryResolve(r->Target, out int target) || !values.TryGet(target, out long value, out int number)
                || value == 0)
            {
                break;
            }
            value += r->Addend;
            if (form == Form.Address && size == sizeof(ulong))
            {
                Unsafe.WriteUnaligned(field, _swap ? BinaryPrimitives.ReverseEndianness(value) : value);
                continue;
            }
            if (size != sizeof(uint))
            {
                break;
            }
            if (form == Form.PcRelative)
            {
                value -= place.Address + offset + size;
            }
            else if (form == Form.Offset)
            {
                int section = _symbols.SectionOfNumber(number);
                long first = section != SymbolTable.ManySections && section < _offsetBases.Length ? _offsetBases[section] : Relocator.NoBase;
                if (first == Relocator.NoBase)
                {
                    break;
                }
                value -= first;
            }
            if (form == Form.Address ? (ulong)value > _highestAddress32 : value != (int)value || form == Form.Other)
            {
                break;
            }
            Unsafe.WriteUnaligned(field, _swap ? BinaryPrimitives.ReverseEndianness((uint)value) : (uint)value);
        }
        return i;
    }

    /// <summary>A symbol's content, or a piece of it across whose ends no relocation lies.</summary>
    /// <param name="content">The content at hand.</param>
    /// <param name="length">Its length.</param>
    /// <param name="start">Its offset in the symbol.</param>
    /// <param name="symbolLength">Length of the symbol's whole content.</param>
    /// <param name="address">Address of the symbol.</param>
    public readonly struct Place(byte* content, int length, long start, long symbolLength, long address)
    {
        /// <summary>The content at hand.</summary>
        public byte* Content { get; } = content;

        /// <summary>Its length.</summary>
        public int Length { get; } = length;

        /// <summary>Its offset in the symbol.</summary>
        public long Start { get; } = start;

        /// <summary>Length of the symbol's whole content.</summary>
        public long SymbolLength { get; } = symbolLength;

        /// <summary>Address of the symbol.</summary>
        public long Address { get; } = address;
    }
}
