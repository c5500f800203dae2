using System.Runtime.InteropServices;
using AotLinker.Emit;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// .debug_frame: how to unwind each function, made from its table of stack pointer deltas (ld.writeframes).
/// </summary>
internal sealed class FrameSection(DwarfLayout layout) : DwarfSection(".debug_frame")
{
    private const int FunctionsPerPiece = 512;
    private const int DataAlignmentFactor = -4;

    // DW_CFA_* of the standard.
    private const int AdvanceLoc1 = 0x02;
    private const int AdvanceLoc2 = 0x03;
    private const int AdvanceLoc4 = 0x04;
    private const int OffsetExtended = 0x05;
    private const int Undefined = 0x07;
    private const int SameValue = 0x08;
    private const int DefCfa = 0x0c;
    private const int OffsetExtendedSf = 0x11;
    private const int DefCfaOffsetSf = 0x13;
    private const int ValOffset = 0x14;
    private const int AdvanceLoc = 0x40;

    private long[] _starts = [0];

    /// <inheritdoc/>
    public override long Size => _starts[^1];

    /// <inheritdoc/>
    public override int PieceCount => _starts.Length - 1;

    // Return address on the stack, or in a register?
    private bool HasLinkRegister => layout.Context.Target.Cpu.HasLinkRegister;

    /// <inheritdoc/>
    public override long PieceStart(int piece) => _starts[piece];

    /// <summary>Finds the size of all entries.</summary>
    public void Measure()
    {
        int count = layout.Context.Text.Count;
        int pieces = Math.Max(1, (count + FunctionsPerPiece - 1) / FunctionsPerPiece);
        _starts = new long[pieces + 1];
        layout.Context.Workers.ForChunks(pieces, 1, (piece, _, _) =>
        {
            DieSize size = layout.Sizer();
            Write(ref size, piece);
            _starts[piece + 1] = size.Length;
        });
        for (int i = 0; i < pieces; i++)
        {
            _starts[i + 1] += _starts[i];
        }
    }

    /// <inheritdoc/>
    public override bool IsOfPackages => true;

    /// <inheritdoc/>
    public override void AddPackageSizes(Dictionary<string, long> sizes) => Share(
        static (_, _) => { },
        (function, size) => CollectionsMarshal.GetValueRefOrAddDefault(sizes, layout.Symbols.PackagePath(function), out _) += size);

    /// <inheritdoc/>
    public override void Share(Action<CompilationUnit, long> toUnit, Action<SymbolId, long> toSymbol)
    {
        List<SymbolId> text = layout.Context.Text;
        for (int i = 0; i < text.Count; i++)
        {
            if (HasEntry(i))
            {
                DieSize size = layout.Sizer();
                WriteFunction(ref size, text[i], layout.SymbolsOf(i));
                toSymbol(text[i], size.Length);
            }
        }
    }

    /// <inheritdoc/>
    public override void Fill(LinkContext ctx, int piece, Span<byte> content)
    {
        DieWriter w = layout.Writer(content);
        Write(ref w, piece);
        if (w.Length != content.Length)
        {
            throw new InvalidOperationException($"{Name}: {w.Length} bytes in a piece of {content.Length}");
        }
    }

    /// <inheritdoc/>
    public override void ListRelocations(int piece, NativeList<ExternalReloc> to)
    {
        DieRelocs relocs = layout.Relocs(to, _starts[piece]);
        Write(ref relocs, piece);
    }

    private void Write<TSink>(ref TSink w, int piece)
        where TSink : IDieSink, allows ref struct
    {
        if (piece == 0)
        {
            WriteCommonEntry(ref w);
        }
        List<SymbolId> text = layout.Context.Text;
        int to = Math.Min(text.Count, (piece + 1) * FunctionsPerPiece);
        for (int i = piece * FunctionsPerPiece; i < to; i++)
        {
            Expect(text, i, to);
            FunctionSymbols symbols = layout.SymbolsOf(i);
            if ((symbols.Marks & FunctionMarks.HasInfo) != 0)
            {
                WriteFunction(ref w, text[i], symbols);
            }
        }
    }

    // Asks the CPU for what entries need that come up soon: first for where content begins, then for the tables.
    private void Expect(List<SymbolId> text, int i, int to)
    {
        const int Ahead = 6;
        if (i + (2 * Ahead) < to)
        {
            if (layout.Symbols.Locate(text[i + (2 * Ahead)], out int local) is { } far)
            {
                far.ExpectDataIndex(local);
                far.ExpectDataIndex(layout.SymbolsOf(i + (2 * Ahead)).StackDeltas - 1);
            }
            layout.Symbols.Locate(text[i + Ahead], out _)?.ExpectData(layout.SymbolsOf(i + Ahead).StackDeltas - 1);
        }
    }

    private bool HasEntry(int textIndex) => (layout.SymbolsOf(textIndex).Marks & FunctionMarks.HasInfo) != 0;

    // The entry that those of the functions refer to (CIE), section 6.4.1 of the standard.
    private void WriteCommonEntry<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        // The identifier of a common entry is an offset, too.
        int reserve = (HasLinkRegister ? 32 : 16) + layout.Format.OffsetSize - sizeof(uint);
        int stack = layout.Context.Target.Cpu.DwarfStackRegister;
        int link = layout.Context.Target.Cpu.DwarfReturnRegister;
        int start = w.Length;
        w.UnitLength((ulong)reserve);
        w.Offset(ulong.MaxValue);
        w.Byte(3);
        w.Byte(0);
        w.Unsigned(1);
        w.Signed(DataAlignmentFactor);
        w.Unsigned((ulong)link);
        w.Byte(DefCfa);
        w.Unsigned((ulong)stack);
        if (HasLinkRegister)
        {
            w.Unsigned(0);
            w.Byte(SameValue);
            w.Unsigned((ulong)link);
            w.Byte(ValOffset);
            w.Unsigned((ulong)stack);
            w.Unsigned(0);
        }
        else
        {
            w.Unsigned((ulong)layout.PointerSize);
            w.Byte(OffsetExtended);
            w.Unsigned((ulong)link);
            w.Unsigned((ulong)(-layout.PointerSize / DataAlignmentFactor));
        }
        int pad = reserve + layout.Format.UnitLengthSize - (w.Length - start);
        if (pad < 0)
        {
            throw new LinkException($"dwarf: cieReserve too small by {-pad} bytes.");
        }
        w.Zeros(pad);
    }

    private void WriteFunction<TSink>(ref TSink w, SymbolId function, in FunctionSymbols symbols)
        where TSink : IDieSink, allows ref struct
    {
        // One that was taken out of its object to be changed still has its table there.
        GoObject? owner = layout.Symbols.Locate(function, out int local);
        int length = owner is not null ? owner.DataSize(local) : layout.Symbols.Data(function).Length;
        owner ??= layout.Symbols.Origin(function, out _);
        int start = w.Length;
        w.UnitLength(0);
        w.Reference(Symbol, 0);
        w.Address(function, TSink.IsMeasuring ? 0 : (ulong)layout.Symbols.Value(function));
        w.Pointer((ulong)length);
        int instructions = w.Length;
        WriteInstructions(
            ref w, function, layout.Symbols.PcTableData(owner, symbols.StackDeltas), length, (symbols.Marks & FunctionMarks.IsTop) != 0);
        w.Zeros(-(w.Length - instructions) & (layout.PointerSize - 1));
        w.SetUnitLength(start, (ulong)(w.Length - start - layout.Format.UnitLengthSize));
    }

    private void WriteInstructions<TSink>(
        ref TSink w, SymbolId function, ReadOnlySpan<byte> deltas, int length, bool isTop)
        where TSink : IDieSink, allows ref struct
    {
        bool hasLink = HasLinkRegister;
        int link = layout.Context.Target.Cpu.DwarfReturnRegister;
        if (hasLink && isTop)
        {
            w.Byte(Undefined);
            w.Unsigned((ulong)link);
        }
        int step = layout.Context.Target.Cpu.MinLc;
        int at = 0;
        uint pc = 0;
        int value = -1;
        while (at < deltas.Length)
        {
            bool first = at == 0;
            long delta = ZigZag(Varint(deltas, ref at, function));
            if (delta == 0 && !first)
            {
                break;
            }
            value += (int)delta;
            uint start = pc;
            pc += (uint)Varint(deltas, ref at, function) * (uint)step;
            uint next = pc;
            if (next == (uint)length)
            {
                // The table ends with the function, the instructions one byte before.
                next--;
                if (next < start)
                {
                    continue;
                }
            }
            long frame = hasLink ? value : value + layout.PointerSize;
            if (hasLink && !isTop)
            {
                if (value > 0)
                {
                    w.Byte(OffsetExtendedSf);
                    w.Unsigned((ulong)link);
                    w.Signed(-frame / DataAlignmentFactor);
                }
                else
                {
                    w.Byte(SameValue);
                    w.Unsigned((ulong)link);
                }
            }
            w.Byte(DefCfaOffsetSf);
            w.Signed(frame / DataAlignmentFactor);
            WriteAdvance(ref w, (long)next - start);
        }
    }

    private static void WriteAdvance<TSink>(ref TSink w, long delta)
        where TSink : IDieSink, allows ref struct
    {
        if (delta < 0x40)
        {
            w.Byte((int)(AdvanceLoc + delta));
        }
        else if (delta < 0x100)
        {
            w.Byte(AdvanceLoc1);
            w.Byte((int)delta);
        }
        else if (delta < 0x10000)
        {
            w.Byte(AdvanceLoc2);
            w.UInt16((ushort)delta);
        }
        else
        {
            w.Byte(AdvanceLoc4);
            w.UInt32((uint)delta);
        }
    }

    private static long ZigZag(ulong v) => (long)(v >> 1) ^ -(long)(v & 1);

    private ulong Varint(ReadOnlySpan<byte> p, ref int at, SymbolId function) =>
        (uint)at < (uint)p.Length && p[at] < 0x80 ? p[at++] : LongVarint(p, ref at, function);

    private ulong LongVarint(ReadOnlySpan<byte> p, ref int at, SymbolId function)
    {
        ulong v = 0;
        for (int shift = 0; at < p.Length && shift < 64; shift += 7)
        {
            byte b = p[at++];
            v |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return v;
            }
        }
        throw new LinkException(MessageForm.Input, $"bad pc varint in the stack pointer table of {layout.Symbols.NameText(function)}");
    }
}
