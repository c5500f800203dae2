using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Layout;

/// <summary>
/// Sorts all data into sections and gives every symbol its offset in its section (dodata); <see cref="AddressLayout"/> then moves
/// sections to their addresses.
/// </summary>
/// <remarks>
/// <para>A kind's symbols are one array of 64-bit numbers, the size in the upper half and the id in the lower, so that sorting and
/// placing them look at nothing else.</para>
/// <para>Partial files: this one (collecting, sorting), sections, dynamic relocations.</para>
/// </remarks>
internal sealed partial class DataLayout
{
    /// <summary>The most a section or symbol may hold, and so 32 bits are enough for any size (ld.cutoff).</summary>
    public const long MaxSize = 2_000_000_000;

    private const int KindCount = (int)SymbolKind.FirstUnallocated;

    // Small enough to share work out evenly, large enough that taking a chunk costs nothing.
    private const int Chunk = 1 << 13;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly DataPlan _plan;
    private readonly MemoryArena _memory = new();
    private readonly NativeSpan<ulong>[] _data = new NativeSpan<ulong>[KindCount];
    private readonly int[] _maxAlign = new int[KindCount];
    private readonly int _minAlign;
    private readonly int _groupKindCount;
    private readonly bool _hasMarkers;
    private readonly bool _hasTypesMarker;
    private bool _hasImports;
    private bool _hasBadSize;
    private long _size;

    private DataLayout(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _plan = ctx.Release.DataPlan;
        _minAlign = ctx.Target.Cpu.MinAlign;
        _groupKindCount = ctx.GroupedCount;
        _hasMarkers = ctx.Format.LaysOutMarkers(ctx);
        _hasTypesMarker = _hasMarkers || (_plan.SizesTypesMarker && ctx.Format.LaysOutTypesMarker(ctx));
    }

    /// <summary>The link.</summary>
    public LinkContext Context => _ctx;

    /// <summary>Lays out the data of a link. Sets <see cref="LinkContext.Data"/>, sections and their symbols' offsets.</summary>
    /// <exception cref="ErrorsReportedException">A symbol has a size that no symbol can have.</exception>
    public static void Run(LinkContext ctx)
    {
        DataLayout layout = new(ctx);
        layout.SizeMarkers();
        layout.Collect();
        DropDead(ctx, ctx.PData);
        DropDead(ctx, ctx.XData);
        ctx.Format.OrderDynamicSymbols(ctx);
        layout.AddDynamicRelocations();
        layout._plan.SeparateRelocated(layout);
        layout.Measure();
        layout.Sort();
        layout.ArrangeTables();
        ctx.Format.AlignMarkers(ctx, layout._maxAlign[(int)SymbolKind.Data], layout._maxAlign[(int)SymbolKind.Bss]);
        ctx.Diagnostics.Flush();
        layout.PlaceSections();
        ctx.GroupKinds.Dispose();
        NumberSections(ctx);
        layout._memory.Dispose();
        if (layout._hasBadSize)
        {
            // There is no content of such a size.
            ctx.Diagnostics.ExitIfErrors();
        }
    }

    /// <summary>The ids of a kind's symbols, in ascending order until they are sorted.</summary>
    public SymbolId[] SymbolsOf(SymbolKind kind) => [.. _data[(int)kind].AsSpan().ToArray().Select(static p => new SymbolId(Id(p)))];

    /// <summary>Replaces the symbols of a kind, before they are sorted.</summary>
    public void SetSymbols(SymbolKind kind, List<SymbolId> symbols)
    {
        NativeSpan<ulong> data = NativeSpan<ulong>.Of(_memory, symbols.Count);
        for (int i = 0; i < symbols.Count; i++)
        {
            data[i] = (uint)symbols[i].Index;
        }
        // Equal sizes are ordered by id.
        data.AsSpan().Sort();
        _data[(int)kind] = data;
    }

    /// <summary>The kind a symbol is laid out with (dodataState.symType).</summary>
    public SymbolKind LayoutKind(SymbolId s)
    {
        byte group = s.Index < _groupKindCount ? _ctx.GroupKinds.Get(s) : (byte)0;
        return group != 0 ? (SymbolKind)group : _symbols.Kind(s);
    }

    /// <summary>Changes the kind a symbol is laid out with (dodataState.setSymType).</summary>
    public void SetLayoutKind(SymbolId s, SymbolKind kind)
    {
        if (s.Index < _groupKindCount)
        {
            _ctx.GroupKinds[s] = (byte)kind;
        }
        else
        {
            _symbols.Update(s).SetKind(kind);
        }
    }

    private static int Id(ulong pair) => (int)(uint)pair;

    private static long SizeOf(ulong pair) => (long)(pair >> 32);

    private static long Round(long value, int align) => align > 0 ? (value + align - 1) / align * align : value;

    private static void DropDead(LinkContext ctx, List<SymbolId> symbols) => symbols.RemoveAll(s => !ctx.Symbols.IsReachable(s));

    private static void NumberSections(LinkContext ctx)
    {
        int number = 1;
        foreach (Segment segment in (ReadOnlySpan<Segment>)[ctx.TextSegment, ctx.RoDataSegment, ctx.RelRoDataSegment, ctx.DataSegment,
            ctx.DwarfSegment, ctx.PDataSegment, ctx.XDataSegment])
        {
            foreach (Section section in segment.Sections)
            {
                section.OutputNumber = number++;
            }
        }
    }

    /// <summary>Gives section markers that are laid out as symbols their space (fixZeroSizedSymbols).</summary>
    private void SizeMarkers()
    {
        if (!_hasMarkers)
        {
            if (_hasTypesMarker)
            {
                SizeTypesMarker();
            }
            return;
        }
        Size("runtime.bss"u8, 8);
        Size("runtime.ebss"u8, -1);
        Size("runtime.data"u8, 8);
        Size("runtime.edata"u8, -1);
        Size("runtime.noptrbss"u8, 8);
        Size("runtime.enoptrbss"u8, -1);
        Size("runtime.noptrdata"u8, 8);
        Size("runtime.enoptrdata"u8, -1);
        SizeTypesMarker();
        Size("runtime.etypes"u8, -1).SetKind(_plan.EndOfTypesKind);
        _ctx.Format.SizeMarkers(_ctx);

        SymbolBuilder Size(ReadOnlySpan<byte> name, int size)
        {
            SymbolBuilder b = _symbols.Update(name, 0).Set(SymbolTable.Attributes.Special, false);
            return size < 0 ? b : b.SetSize(size);
        }

        void SizeTypesMarker()
        {
            SymbolBuilder types = Size("runtime.types"u8, _plan.SizesTypesMarker ? _ctx.Target.PointerSize : 8).SetKind(SymbolKind.Type);
            if (_plan.SizesTypesMarker)
            {
                types.SetAlign(_ctx.Target.PointerSize);
            }
        }
    }

    // What a group lays out with another kind is data as well.
    private static UInt128 DataKinds => SymbolKinds.Set(SymbolKind.TextEnd + 1, SymbolKind.FirstUnallocated - 1);

    /// <summary>Finds the live symbols of each kind, in ascending order of ids.</summary>
    private void Collect()
    {
        int count = _symbols.Count;
        ChunkedCounts counts = new(count, Chunk, KindCount);
        Workers workers = _ctx.Workers;
        workers.ForChunks(count, Chunk, (from, to, _) =>
        {
            Span<int> own = counts.Of(from);
            foreach (SymbolId s in _symbols.LiveIn(from, to, DataKinds))
            {
                SymbolKind kind = KindOfData(s);
                if (kind != SymbolKind.None)
                {
                    own[(int)kind]++;
                    _symbols.Set(s, SymbolTable.Attributes.OnList);
                }
            }
        });
        _hasImports = _symbols.HasKind(SymbolKind.DynImport);
        int[] starts = counts.ToPlaces();
        NativeSpan<ulong> all = NativeSpan<ulong>.Of(_memory, starts[^1]);
        for (int kind = 0; kind < KindCount; kind++)
        {
            _data[kind] = all.Slice(starts[kind], starts[kind + 1] - starts[kind]);
        }
        workers.ForChunks(count, Chunk, (from, to, _) =>
        {
            Span<int> next = counts.Of(from);
            foreach (SymbolId s in _symbols.LiveIn(from, to, DataKinds, SymbolTable.Attributes.OnList))
            {
                if (LayoutKind(s) is > SymbolKind.TextEnd and < SymbolKind.FirstUnallocated and var kind)
                {
                    all[next[(int)kind]++] = (uint)s.Index;
                }
            }
        });
    }

    /// <summary>The kind that a symbol is data of; none if it isn't laid out here.</summary>
    private SymbolKind KindOfData(SymbolId s)
    {
        // What only exists as a part of another symbol has no name; among data, funcdata is laid out without one (topLevelSym). Most live
        // symbols are such parts.
        if (_symbols.Kind(s) != SymbolKind.GoFunc && (_symbols.TraitsOf(s) & SymbolTable.Traits.Nameless) != 0)
        {
            return SymbolKind.None;
        }
        if (_symbols.Has(s, SymbolTable.Attributes.Special) || _symbols.IsInterior(s))
        {
            return SymbolKind.None;
        }
        SymbolKind kind = LayoutKind(s);
        return kind is <= SymbolKind.TextEnd or >= SymbolKind.FirstUnallocated ? SymbolKind.None : kind;
    }

    /// <summary>Enters the sizes, settles alignments and checks both.</summary>
    private void Measure()
    {
        List<(int Kind, int From)> pieces = [];
        for (int kind = 0; kind < KindCount; kind++)
        {
            for (int from = 0; from < _data[kind].Length; from += Chunk)
            {
                pieces.Add((kind, from));
            }
        }
        int[] maxAlign = new int[pieces.Count];
        _ctx.Workers.For(pieces.Count, i =>
        {
            (int kind, int from) = pieces[i];
            Span<ulong> data = _data[kind].AsSpan().Slice(from, Math.Min(Chunk, _data[kind].Length - from));
            bool mayBeMarkers = _hasMarkers || _hasTypesMarker;
            for (int at = 0; at < data.Length; at++)
            {
                ref ulong pair = ref data[at];
                SymbolId s = new(Id(pair));
                long size = _symbols.Size(s);
                if (size is < 0 or > MaxSize)
                {
                    _ctx.Diagnostics.Report(s.Index, $"{_symbols.NameText(s)}: {(size < 0 ? $"negative size ({size} bytes)" : $"symbol too large ({size} bytes)")}");
                    _hasBadSize = true;
                    size = Math.Clamp(size, 0, uint.MaxValue);
                }
                int align = SettleAlign(s, size);
                if (!mayBeMarkers || !IsMarker(s))
                {
                    maxAlign[i] = Math.Max(maxAlign[i], align);
                }
                pair = ((ulong)size << 32) | (uint)s.Index;
            }
        });
        for (int i = 0; i < pieces.Count; i++)
        {
            ref int max = ref _maxAlign[pieces[i].Kind];
            max = Math.Max(max, maxAlign[i]);
        }
    }

    /// <summary>
    /// The alignment of a symbol of a given size: its own, or else the largest power of two that is not larger than the symbol, within
    /// the CPU's limits (symalign).
    /// </summary>
    private int SettleAlign(SymbolId s, long size)
    {
        int align = _symbols.Align(s);
        if (align != 0)
        {
            return Math.Max(align, _minAlign);
        }
        align = _ctx.Target.Cpu.MaxAlign;
        while (align > size && align > _minAlign)
        {
            align >>= 1;
        }
        _symbols.SetAlign(s, align);
        return align;
    }

    private int AlignOf(SymbolId s) => Math.Max(_symbols.Align(s), _minAlign);

    private void Sort()
    {
        SymbolId zeroBase = _symbols.Lookup("runtime.zerobase"u8, 0);
        int zeroBaseKind = zeroBase.IsNone ? -1 : (int)LayoutKind(zeroBase);
        _ctx.Workers.For(KindCount, kind =>
        {
            Span<ulong> data = _data[kind].AsSpan();
            switch ((SymbolKind)kind)
            {
                case SymbolKind.PclnTab:
                    // Made by the linker, in order.
                    break;
                case SymbolKind.Type when _plan.OrdersTypes:
                    // Sorts with threads of its own, below, and from the order of ids.
                    return;
                case SymbolKind.ElfGot:
                    // By name, so that .got comes before .toc, input by input.
                    data.Sort((x, y) => _symbols.Name(new SymbolId(Id(x))).SequenceCompareTo(_symbols.Name(new SymbolId(Id(y)))) is var c
                        && c != 0 ? c : Id(x).CompareTo(Id(y)));
                    break;
                default:
                    RadixSort.ByUpperHalf(data);
                    if (kind == zeroBaseKind)
                    {
                        MoveZeroBase(data, zeroBase);
                    }
                    break;
            }
            MoveMarkers(data);
        });
        if (_plan.OrdersTypes)
        {
            TypeOrder.Sort(_ctx, _memory, _data[(int)SymbolKind.Type], AlignOf, IsStartMarker, IsEndMarker);
        }
    }

    /// <summary>Puts runtime.zerobase behind the symbols without size, so that they share its address.</summary>
    private static void MoveZeroBase(Span<ulong> data, SymbolId zeroBase)
    {
        int to = 0;
        while (to < data.Length && SizeOf(data[to]) == 0)
        {
            to++;
        }
        for (int from = to; from < data.Length; from++)
        {
            if (Id(data[from]) == zeroBase.Index)
            {
                ulong pair = data[from];
                data[to..from].CopyTo(data[(to + 1)..]);
                data[to] = pair;
                return;
            }
        }
    }

    private void MoveMarkers(Span<ulong> data)
    {
        if (!_hasTypesMarker)
        {
            return;
        }
        for (int i = 0; i < data.Length; i++)
        {
            ulong pair = data[i];
            SymbolId s = new(Id(pair));
            if (IsStartMarker(s))
            {
                data[..i].CopyTo(data[1..]);
                data[0] = pair;
            }
        }
        for (int i = data.Length - 1; i >= 0; i--)
        {
            ulong pair = data[i];
            if (IsEndMarker(new SymbolId(Id(pair))))
            {
                data[(i + 1)..].CopyTo(data[i..]);
                data[^1] = pair;
            }
        }
    }

    private bool IsMarker(SymbolId s) => IsStartMarker(s) || IsEndMarker(s);

    private bool IsStartMarker(SymbolId s) => (_hasTypesMarker && Is(s, "runtime.types"u8))
        || (_hasMarkers && (Is(s, "runtime.text"u8) || Is(s, "runtime.bss"u8) || Is(s, "runtime.data"u8)
            || Is(s, "runtime.rodata"u8) || Is(s, "runtime.noptrdata"u8) || Is(s, "runtime.noptrbss"u8)));

    private bool IsEndMarker(SymbolId s) => _hasMarkers
        && (Is(s, "runtime.etext"u8) || Is(s, "runtime.ebss"u8) || Is(s, "runtime.edata"u8) || Is(s, "runtime.etypes"u8)
            || Is(s, "runtime.erodata"u8) || Is(s, "runtime.enoptrdata"u8) || Is(s, "runtime.enoptrbss"u8));

    private bool Is(SymbolId s, ReadOnlySpan<byte> name) => _symbols.Name(s).SequenceEqual(name);

    private void ArrangeTables()
    {
        Span<ulong> data = _data[(int)SymbolKind.ElfRoSect].AsSpan();
        ulong[] pairs = data.ToArray();
        int[] ids = Array.ConvertAll(pairs, Id);
        _ctx.Format.ArrangeReadOnlyTables(_ctx, ids);
        for (int i = 0; i < ids.Length; i++)
        {
            data[i] = Array.Find(pairs, p => Id(p) == ids[i]);
        }
    }
}
