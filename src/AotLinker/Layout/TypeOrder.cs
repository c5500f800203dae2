using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Layout;

/// <summary>
/// The order of type descriptors since Go 1.27: first those that the reflect package may look up, by the type's string, then the
/// others, then itabs, both by size. Fills in moduledata where each part ends.
/// </summary>
/// <remarks>
/// Several types may have the same string, and Go's sort leaves them in an order of its own making. So strings are first turned into
/// ranks, by any fast sort; only if two are equal, Go's algorithm runs on the ranks of all symbols.
/// </remarks>
internal static class TypeOrder
{
    private const int Chunk = 1 << 11;

    // Descriptors whose content is asked for together.
    private const int Batch = 16;

    // The mark of a type whose string is not that of the one before it, until it has its rank.
    private const ulong NewRank = 1UL << 63;

    private enum Part : byte
    {
        Start,
        Carrier,
        Linked,
        Other,
        Itab,
        End,
    }

    /// <summary>Sorts symbols (size in the upper half, id in the lower), which come in order of ids.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="memory">Memory for what is needed on the way.</param>
    /// <param name="data">The symbols.</param>
    /// <param name="align">Alignment of a symbol.</param>
    /// <param name="isStart">Whether a symbol marks the start.</param>
    /// <param name="isEnd">Whether a symbol marks the end.</param>
    public static void Sort(
        LinkContext ctx, MemoryArena memory, NativeSpan<ulong> data, Func<SymbolId, int> align, Func<SymbolId, bool> isStart, Func<SymbolId, bool> isEnd)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId carrier = symbols.Lookup("type:*"u8, 0);
        NativeSpan<Part> parts = NativeSpan<Part>.Of(memory, data.Length);
        ChunkedCounts counts = new(data.Length, Chunk, (int)Part.End + 1);
        ctx.Workers.ForChunks(data.Length, Chunk, (from, to, _) =>
        {
            Span<int> own = counts.Of(from);
            for (int i = from; i < to; i++)
            {
                parts[i] = PartOf(symbols, new SymbolId((int)(uint)data[i]), carrier, isStart, isEnd);
                own[(int)parts[i]]++;
            }
        });
        int[] starts = counts.ToPlaces();
        Arrange(ctx, memory, data, parts, counts, starts);
        DescribeParts(ctx, data, starts, align);
    }

    private static Part PartOf(SymbolTable symbols, SymbolId s, SymbolId carrier, Func<SymbolId, bool> isStart, Func<SymbolId, bool> isEnd)
    {
        if (s == carrier)
        {
            return Part.Carrier;
        }
        SymbolTable.Traits traits = symbols.TraitsOf(s);
        if ((traits & SymbolTable.Traits.Itab) != 0)
        {
            return Part.Itab;
        }
        if ((traits & SymbolTable.Traits.TypeLink) != 0)
        {
            return Part.Linked;
        }
        return isStart(s) ? Part.Start : isEnd(s) ? Part.End : Part.Other;
    }

    /// <summary>Brings the symbols into order, part by part.</summary>
    private static void Arrange(
        LinkContext ctx, MemoryArena memory, NativeSpan<ulong> data, NativeSpan<Part> parts, ChunkedCounts counts, int[] starts)
    {
        int count = data.Length;
        Workers workers = ctx.Workers;
        // Size and place in the data; the data is in the order of ids.
        NativeSpan<ulong> arranged = NativeSpan<ulong>.Of(memory, count);
        workers.ForChunks(count, Chunk, (from, to, _) =>
        {
            Span<int> next = counts.Of(from);
            for (int i = from; i < to; i++)
            {
                arranged[next[(int)parts[i]]++] = (data[i] >> 32 << 32) | (uint)i;
            }
        });
        NativeSpan<NameSort.Item> names = NativeSpan<NameSort.Item>.Of(memory, Slice(Part.Linked).Length);
        int pieces = (names.Length + Chunk - 1) / Chunk;
        // One thread sorts by size while the others read names.
        workers.For(2 + pieces, i =>
        {
            if (i < 2)
            {
                RadixSort.ByUpperHalf(Slice(i == 0 ? Part.Other : Part.Itab).AsSpan());
                return;
            }
            int end = Math.Min(names.Length, (i - 1) * Chunk);
            for (int from = (i - 2) * Chunk; from < end; from += Batch)
            {
                ReadNames(ctx.Symbols, data, Slice(Part.Linked).Slice(from, Math.Min(Batch, end - from)), names.AsSpan()[from..]);
            }
        });
        bool hasEqual = SortByName(workers, names, Slice(Part.Linked), starts[(int)Part.Linked]);
        NativeSpan<ulong> ranked = arranged;
        if (hasEqual)
        {
            // Go's sort over all, in the order they came in. Those that are not linked types have a rank of their own.
            ranked = NativeSpan<ulong>.Of(memory, count);
            workers.ForChunks(count, Chunk, (from, to, _) =>
            {
                for (int i = from; i < to; i++)
                {
                    int place = (int)(uint)arranged[i];
                    uint rank = parts[place] == Part.Linked ? (uint)(arranged[i] >> 32) : (uint)i;
                    ranked[place] = ((ulong)rank << 32) | (uint)place;
                }
            });
            GoSort.Sort(workers, ranked.AsSpan(), default(ByUpperHalf));
        }
        NativeSpan<ulong> ordered = hasEqual ? arranged : NativeSpan<ulong>.Of(memory, count);
        workers.ForChunks(count, Chunk, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                ordered[i] = data[(int)(uint)ranked[i]];
            }
        });
        workers.ForChunks(count, Chunk, (from, to, _) => ordered.AsSpan()[from..to].CopyTo(data.AsSpan()[from..to]));

        NativeSpan<ulong> Slice(Part part) => arranged.Slice(starts[(int)part], starts[(int)part + 1] - starts[(int)part]);
    }

    /// <summary>
    /// Sorts types by their strings. Each gets its rank as the upper half, which counts from <paramref name="first"/>; equal strings share
    /// one.
    /// </summary>
    /// <returns>Whether there are equal strings.</returns>
    private static bool SortByName(Workers workers, NativeSpan<NameSort.Item> names, NativeSpan<ulong> types, int first)
    {
        NameSort.Sort(workers, names.AsSpan());
        // First whether each has the name of the one before it, then the ranks.
        workers.ForChunks(types.Length, Chunk, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                bool isNew = i == 0 || NameSort.Compare(in names[i - 1], in names[i]) != 0;
                types[i] = (isNew ? NewRank : 0) | (uint)names[i].Position;
            }
        });
        bool hasEqual = false;
        uint rank = (uint)first;
        for (int i = 0; i < types.Length; i++)
        {
            bool isNew = (types[i] & NewRank) != 0;
            rank = isNew ? (uint)(first + i) : rank;
            hasEqual |= !isNew;
            types[i] = ((ulong)rank << 32) | (uint)types[i];
        }
        return hasEqual;
    }

    // What each type's string waits for is asked for while others go on.
    private static void ReadNames(SymbolTable symbols, NativeSpan<ulong> data, NativeSpan<ulong> types, Span<NameSort.Item> names)
    {
        ReadOnlySpan<GoObject> objects = symbols.Objects;
        Span<(SymbolId Type, int Object, int Local)> batch = stackalloc (SymbolId, int, int)[Batch];
        batch = batch[..types.Length];
        for (int i = 0; i < batch.Length; i++)
        {
            SymbolId s = new((int)(uint)data[(int)(uint)types[i]]);
            int o = symbols.LocateIndex(s, out int local);
            batch[i] = (s, o, local);
            if (o != SymbolTable.ExternalObject)
            {
                objects[o].ExpectIndexes(local);
            }
        }
        foreach ((_, int o, int local) in batch)
        {
            if (o != SymbolTable.ExternalObject)
            {
                objects[o].ExpectData(local);
                objects[o].ExpectRelocs(local);
            }
        }
        for (int i = 0; i < batch.Length; i++)
        {
            names[i] = new NameSort.Item(TypeDescriptor.NameOf(symbols, batch[i].Type), (int)(uint)types[i]);
        }
    }

    /// <summary>Writes into moduledata how long the parts are (the second half of dodataSect's case for types).</summary>
    private static void DescribeParts(LinkContext ctx, NativeSpan<ulong> data, int[] starts, Func<SymbolId, int> align)
    {
        // In front of the first type a pointer's size is free.
        long linked = End(starts[(int)Part.Linked], starts[(int)Part.Other], ctx.Target.PointerSize);
        int firstItab = starts[(int)Part.Itab];
        long itabs = End(starts[(int)Part.Other], firstItab, linked);
        if (firstItab < data.Length)
        {
            itabs = Round(itabs, align(new SymbolId((int)(uint)data[firstItab])));
        }
        long itabLength = End(firstItab, data.Length, 0);

        ModuleDataFields fields = ctx.ModuleDataFields;
        Write(fields.TypeDescriptorLength, linked, "moduledataTypeDescOffset");
        Write(fields.ItabOffset, itabs, "moduledataItabOffset");
        Write(fields.ItabLength, itabLength, "moduledataItabSizeOffset");

        long End(int from, int to, long start) =>
            new Sequence<Descriptors>(ctx.Workers, new Descriptors(data.Slice(from, to - from), align), to - from, start).End;

        void Write(long offset, long value, string name)
        {
            if (offset == 0)
            {
                ctx.Diagnostics.Error($"internal error: phase error: {name} not set in dodataSect");
                return;
            }
            ctx.Symbols.Update(ctx.ModuleData).SetUInt(offset, (ulong)value, ctx.Target.PointerSize);
        }
    }

    private static long Round(long value, int align) => (value + align - 1) / align * align;

    /// <summary>Symbols of a part, one behind the other, which are only measured.</summary>
    private readonly struct Descriptors(NativeSpan<ulong> data, Func<SymbolId, int> align) : ISequenceItems
    {
        /// <inheritdoc/>
        public (int Align, long Size) Measure(int i) => (align(new SymbolId((int)(uint)data[i])), (long)(data[i] >> 32));

        /// <inheritdoc/>
        public void SetPlace(int i, long place) => throw new NotSupportedException();
    }
}
