using System.Numerics;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The funcdata of all functions (pointer maps, stack objects, inline trees …): each symbol once, those of larger alignment first, else
/// in the order of first mention (go:func.*).
/// </summary>
/// <remarks>
/// Inline trees are made here and belong to one function each; in the lists they stand as the complement of the function's index, other
/// funcdata as the symbol's id.
/// </remarks>
internal sealed class FuncDataTable(FunctionList functions, NativeArray<int> slots, FunctionNames names)
{
    /// <summary>The entry of a function without a certain funcdata.</summary>
    public const uint Missing = uint.MaxValue;

    private const int InlineRecordSize = 16;
    private const int InlineAlign = 4;

    // Alignments are powers of two below this one's.
    private const int AlignClasses = 16;

    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly ChunkClass[] _chunks = new ChunkClass[functions.ChunkCount * AlignClasses];
    private readonly int[] _inlineOffsets = new int[functions.Count];
    private int[] _order = [];

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>The largest alignment of what is in the table. Valid after <see cref="Place"/>.</summary>
    public int Align { get; private set; }

    /// <summary>Offset of a funcdata symbol. Valid after <see cref="Place"/>.</summary>
    public uint Offset(SymbolId s) => (uint)slots[s.Index];

    /// <summary>Offset of the inline tree of a function that has one. Valid after <see cref="Place"/>.</summary>
    public uint InlineOffset(int function) => (uint)_inlineOffsets[function];

    /// <summary>First loop: notes the funcdata of function <paramref name="i"/>.</summary>
    public void Note(int i, in FunctionParts parts)
    {
        int index = 0;
        foreach (SymbolId s in parts.Of(AuxKind.FuncData))
        {
            if (IsOwn(parts, index, s))
            {
                FirstUse.Note(ref slots[s.Index], i);
            }
            index++;
        }
    }

    /// <summary>Second loop: places the funcdata that function <paramref name="i"/> is the first to have, within its chunk and alignment.</summary>
    public void Claim(int chunk, int i, in FunctionParts parts)
    {
        int index = 0;
        foreach (SymbolId s in parts.Of(AuxKind.FuncData))
        {
            if (index == FunctionParts.InlineFuncData && parts.HasInlined)
            {
                ClaimInline(chunk, i, parts);
            }
            else if (IsOwn(parts, index, s) && FirstUse.IsFirst(ref slots[s.Index], i))
            {
                ClaimOne(chunk, i, s);
            }
            index++;
        }
        if (index <= FunctionParts.InlineFuncData && parts.HasInlined)
        {
            ClaimInline(chunk, i, parts);
        }
    }

    /// <summary>Puts alignments, and within them the chunks, one behind the other, and takes the symbols out of the ordinary layout.</summary>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public void Place()
    {
        LinkContext ctx = functions.Context;
        int count = 0;
        long end = 0;
        int[] firsts = new int[_chunks.Length];
        int[] bases = new int[_chunks.Length];
        for (int c = AlignClasses - 1; c >= 0; c--)
        {
            for (int chunk = 0; chunk < functions.ChunkCount; chunk++)
            {
                ref ChunkClass k = ref _chunks[(chunk * AlignClasses) + c];
                if (k.Items is null)
                {
                    continue;
                }
                Align = Math.Max(Align, 1 << c);
                long start = RoundUp(end, 1 << c);
                firsts[(chunk * AlignClasses) + c] = count;
                bases[(chunk * AlignClasses) + c] = (int)start;
                count += k.Items.Count;
                end = start + k.End;
                if (end > int.MaxValue)
                {
                    throw new LinkException("pclntab: more than 2 GiB of funcdata");
                }
            }
        }
        Size = end;
        _order = new int[count];
        ctx.Workers.ForChunks(_chunks.Length, AlignClasses, (from, to, _) =>
        {
            for (int c = from; c < to; c++)
            {
                PlaceClass(ref _chunks[c], firsts[c], bases[c]);
            }
        });
        ctx.Diagnostics.Flush();
    }

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (int i = FirstAt(offset); i < _order.Length; i++)
        {
            int item = _order[i];
            int at = OffsetOf(item);
            if (at >= writer.End)
            {
                return;
            }
            if (item < 0)
            {
                WriteInlineTree(writer, at, ~item);
            }
            else
            {
                SymbolId s = new(item);
                writer.Bytes(at, _symbols.Data(s));
                ResolveOffsets(ctx, writer, at, s);
            }
        }
    }

    /// <summary>What functions of a chunk claimed that has one alignment; null items: nothing.</summary>
    private struct ChunkClass
    {
        public List<int>? Items;
        /// <summary>Offset behind the last item, from the first one.</summary>
        public int End;
    }

    // The funcdata at the inline tree's index, if the compiler made one, gives way to the tree.
    private static bool IsOwn(in FunctionParts parts, int index, SymbolId s) =>
        parts.Info.IsValid && !(index == FunctionParts.InlineFuncData && parts.HasInlined) && !parts.Ignores(index, s);

    private void ClaimOne(int chunk, int i, SymbolId s)
    {
        long size = _symbols.Size(s);
        if (size == 0)
        {
            functions.Context.Diagnostics.Report(i, $"{_symbols.NameText(s)}: zero size funcdata");
            Volatile.Write(ref slots[s.Index], 0);
            return;
        }
        int at = Add(chunk, Alignment(s, size), s.Index, size);
        Volatile.Write(ref slots[s.Index], at);
    }

    private void ClaimInline(int chunk, int i, in FunctionParts parts) =>
        _inlineOffsets[i] = Add(chunk, InlineAlign, ~i, (long)InlineRecordSize * parts.Info.InlineCount);

    private int Add(int chunk, int align, int item, long size)
    {
        ref ChunkClass k = ref _chunks[(chunk * AlignClasses) + BitOperations.Log2((uint)align)];
        int at = checked((int)RoundUp(k.End, align));
        k.End = checked((int)(at + size));
        (k.Items ??= []).Add(item);
        return at;
    }

    // The alignment that layout would give the symbol (symalign).
    private int Alignment(SymbolId s, long size)
    {
        int least = functions.Context.Target.Cpu.MinAlign;
        int align = _symbols.Align(s);
        if (align != 0)
        {
            align = Math.Max(align, least);
            return align < 1 << AlignClasses ? align : throw new LinkException($"{_symbols.NameText(s)}: funcdata alignment {align}");
        }
        align = functions.Context.Target.Cpu.MaxAlign;
        while (align > size && align > least)
        {
            align >>= 1;
        }
        return align;
    }

    private void PlaceClass(ref ChunkClass k, int first, int start)
    {
        if (k.Items is null)
        {
            return;
        }
        k.Items.CopyTo(_order, first);
        foreach (int item in k.Items)
        {
            if (item < 0)
            {
                _inlineOffsets[~item] += start;
            }
            else
            {
                slots[item] += start;
                _symbols.Set(new SymbolId(item), SymbolTable.Attributes.Special | SymbolTable.Attributes.NotInSymbolTable);
            }
        }
        k.Items = null;
    }

    private int OffsetOf(int item) => item < 0 ? _inlineOffsets[~item] : slots[item];

    private int FirstAt(long offset)
    {
        int low = 0;
        int high = _order.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (OffsetOf(_order[middle]) <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return Math.Max(0, low - 1);
    }

    // Records of runtime.inlinedCall (genInlTreeSym).
    private void WriteInlineTree(in PieceWriter writer, long at, int function)
    {
        FunctionParts parts = new(_symbols, functions[function]);
        for (int k = 0; k < parts.Info.InlineCount; k++, at += InlineRecordSize)
        {
            if (at + InlineRecordSize <= writer.Start || at >= writer.End)
            {
                continue;
            }
            InlinedCall call = parts.Info.Inlined(k);
            SymbolId inlined = _symbols.Resolve(parts.Owner, call.Function);
            FuncInfo info = FuncInfo.Of(_symbols, inlined);
            if (!info.IsValid && !functions.Context.Target.IsLinkShared)
            {
                throw new LinkException($"inlined function {_symbols.NameText(inlined)} missing func info");
            }
            writer.UInt8(at, info.IsValid ? info.FuncId : (byte)0);
            writer.UInt32(at + 4, names.Offset(inlined));
            writer.UInt32(at + 8, (uint)call.ParentPc);
            writer.UInt32(at + 12, info.IsValid ? info.StartLine : 0);
        }
    }

    // Funcdata refer to other data by its offset in its section, which needs no relocation at run time.
    private void ResolveOffsets(LinkContext ctx, in PieceWriter writer, long at, SymbolId s)
    {
        RelocList relocs = _symbols.Relocs(s);
        for (int i = 0; i < relocs.Count; i++)
        {
            ref readonly RelocRecord r = ref relocs[i];
            if (relocs.Kind(i) != RelocKind.AddrOff || r.Size != 4)
            {
                ctx.Diagnostics.Report(at, relocs.Kind(i) != RelocKind.AddrOff
                    ? $"{_symbols.NameText(s)}: unsupported reloc {(int)relocs.Kind(i)} ({relocs.Kind(i)}) for funcdata symbol"
                    : $"{_symbols.NameText(s)}: unsupported ADDROFF reloc size {r.Size} for funcdata symbol");
                return;
            }
            SymbolId target = relocs.Target(i);
            if (r.IsWeak && !_symbols.IsReachable(target))
            {
                return;
            }
            if (ctx.SectionOf(target) is not { } section)
            {
                ctx.Diagnostics.Report(
                    at, $"{_symbols.NameText(s)}: missing section for relocation target {_symbols.NameText(target)} for funcdata symbol");
                return;
            }
            long value = section.IsText
                ? FunctionTable.TextOffset(ctx, _symbols.Value(target), (long)ctx.TextSegment.Sections[0].Vaddr)
                : _symbols.Value(target) - (long)section.Vaddr;
            value += r.Addend;
            if (value != (int)value && value != (uint)value)
            {
                ctx.Diagnostics.Report(at, $"{_symbols.NameText(s)}: ADDROFF relocation out of range for funcdata symbol: 0x{value:x}");
            }
            writer.UInt32(at + r.Offset, (uint)value);
        }
    }

    private static long RoundUp(long v, int align) => (v + align - 1) & -(long)align;
}
