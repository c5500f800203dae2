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
/// Inline trees belong to one function each; in the list they stand as the complement of the function's index, other funcdata as the
/// symbol's id.
/// </remarks>
internal sealed class FuncDataTable(FunctionList functions, Mentions mentions, InlineTrees trees) : FuncData
{
    private const string What = "funcdata";

    // Functions are inlined again and again near one another, so what their records say is kept for the last of them.
    private const int KnownInlined = 1 << 11;

    // Steps towards an item, and items that lie between one step and the next.
    private const int Steps = 3;
    private const int ItemsAhead = 4;

    // Alignments are powers of two below this one's.
    private const int AlignClasses = 16;

    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly NativeArray<ChunkClass> _chunks = new(functions.ChunkCount * AlignClasses);

    // First the number of calls in each tree.
    private readonly NativeArray<int> _inlineOffsets = new(functions.Count);
    private readonly NativeArray<int> _order = new(0);

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>The largest alignment of what is in the table. Valid after <see cref="Place"/>.</summary>
    public int Align { get; private set; }

    /// <inheritdoc/>
    public override uint InlineOffset(int function) => (uint)_inlineOffsets[function];

    /// <inheritdoc/>
    public override void Offsets(ReadOnlySpan<int> ids, Span<uint> offsets) => mentions.Offsets(ids, offsets, Missing);

    /// <inheritdoc/>
    public override void MeasureInlineTree(int function, int calls) => _inlineOffsets[function] = calls;

    /// <summary>Places the inline trees of a chunk, and the funcdata that it is the first to mention, within the chunk and their alignment.</summary>
    public override void Claim(int chunk, Span<int> items)
    {
        for (int k = 0; k < items.Length; k++)
        {
            if (items[k] < 0)
            {
                ref int tree = ref _inlineOffsets[~items[k]];
                tree = Add(chunk, InlineTrees.Align, (long)InlineTrees.RecordSize * tree);
            }
            else if (!ClaimIfFirst(chunk, k, new SymbolId(items[k])))
            {
                items[k] = 0;
            }
        }
    }

    /// <summary>Puts alignments, and within them the chunks, one behind the other, and takes the symbols out of the ordinary layout.</summary>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public override void Place(FunctionUses uses)
    {
        LinkContext ctx = functions.Context;
        int count = 0;
        long end = 0;
        using NativeArray<ChunkClass> starts = new(_chunks.Length);
        for (int c = AlignClasses - 1; c >= 0; c--)
        {
            for (int chunk = 0; chunk < functions.ChunkCount; chunk++)
            {
                ChunkClass k = _chunks[(chunk * AlignClasses) + c];
                if (k.Count == 0)
                {
                    continue;
                }
                Align = Math.Max(Align, 1 << c);
                long start = RoundUp(end, 1 << c);
                starts[(chunk * AlignClasses) + c] = new ChunkClass { Count = count, End = (int)start };
                count += k.Count;
                end = TableLength.Check(start + k.End, What);
            }
        }
        Size = end;
        _order.Resize(count);
        functions.ForChunks((chunk, _, _) =>
        {
            Span<ChunkClass> own = starts.Span(chunk * AlignClasses, AlignClasses);
            foreach (int item in uses.Of(chunk, FunctionUses.Sort.FuncData))
            {
                if (item != 0)
                {
                    PlaceItem(item, own);
                }
            }
        });
        ctx.Diagnostics.Flush();
    }

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        Span<InlineTrees.Inlined> known = stackalloc InlineTrees.Inlined[KnownInlined];
        known.Clear();
        Places places = default;
        int count = (int)_order.Length;
        int first = FirstAt(offset);
        for (int i = first; i < Math.Min(count, first + (Steps * ItemsAhead)); i++)
        {
            Expect(ref places, i, 0);
        }
        for (int i = first; i < count; i++)
        {
            for (int step = 0; step < Steps; step++)
            {
                int ahead = i + ((Steps - step) * ItemsAhead);
                if (ahead < count)
                {
                    Expect(ref places, ahead, step);
                }
            }
            int item = _order[i];
            int at = OffsetOf(item);
            if (at >= writer.End)
            {
                return;
            }
            if (item < 0)
            {
                GoObject? owner = places.Get(_symbols, i, out int local) ?? _symbols.Origin(functions[~item], out local);
                trees.Write(writer, at, owner, local, known);
            }
            else
            {
                SymbolId s = new(item);
                writer.Bytes(at, _symbols.Data(s));
                ResolveOffsets(ctx, writer, at, s);
            }
        }
    }

    /// <summary>What functions of a chunk claimed that has one alignment.</summary>
    private struct ChunkClass
    {
        /// <summary>Number of items.</summary>
        public int Count;
        /// <summary>Offset behind the last item, from the first one.</summary>
        public int End;
    }

    private bool ClaimIfFirst(int chunk, int k, SymbolId s)
    {
        ref int place = ref mentions[s.Index];
        if (!FirstUse.IsFirst(ref place, chunk))
        {
            return false;
        }
        long size = _symbols.Size(s);
        if (size == 0)
        {
            functions.Context.Diagnostics.Report(((long)chunk << 32) + k, $"{_symbols.NameText(s)}: zero size funcdata");
            Volatile.Write(ref place, 0);
            return false;
        }
        Volatile.Write(ref place, Add(chunk, Alignment(s, size), size));
        return true;
    }

    private int Add(int chunk, int align, long size)
    {
        ref ChunkClass k = ref _chunks[(chunk * AlignClasses) + BitOperations.Log2((uint)align)];
        int at = TableLength.Check(RoundUp(k.End, align), What);
        k.End = TableLength.Check(at + size, What);
        k.Count++;
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

    private void PlaceItem(int item, Span<ChunkClass> starts)
    {
        if (item < 0)
        {
            ref ChunkClass own = ref starts[BitOperations.Log2(InlineTrees.Align)];
            _inlineOffsets[~item] += own.End;
            _order[own.Count++] = item;
            return;
        }
        SymbolId s = new(item);
        ref ChunkClass start = ref starts[BitOperations.Log2((uint)Alignment(s, _symbols.Size(s)))];
        mentions[item] += start.End;
        _order[start.Count++] = item;
        _symbols.Set(s, SymbolTable.Attributes.Special | SymbolTable.Attributes.NotInSymbolTable);
    }

    private int OffsetOf(int item) => item < 0 ? _inlineOffsets[~item] : (int)mentions.Offset(item);

    private int FirstAt(long offset)
    {
        int low = 0;
        int high = (int)_order.Length;
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

    // Asks for what is written soon, step by step.
    private void Expect(ref Places places, int i, int step)
    {
        int item = _order[i];
        GoObject? o = step == 0
            ? places.Locate(_symbols, i, item < 0 ? functions[~item] : new SymbolId(item), out int local)
            : places.Get(_symbols, i, out local);
        if (o is null)
        {
            return;
        }
        if (step == 0)
        {
            if (item >= 0)
            {
                o.ExpectDataIndex(local);
            }
            else
            {
                o.ExpectAuxIndex(local);
            }
        }
        else if (item >= 0)
        {
            // There is nothing left to ask for in the last step.
            if (step == 1)
            {
                o.ExpectData(local);
            }
        }
        else if (step == 1)
        {
            o.ExpectAuxes(local);
        }
        else
        {
            Approach.ExpectFuncInfo(o, local);
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
