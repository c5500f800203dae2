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
        ctx.Workers.ForChunks(data.Length, Chunk, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                parts[i] = PartOf(symbols, new SymbolId((int)(uint)data[i]), carrier, isStart, isEnd);
            }
        });
        int[] starts = Arrange(ctx, memory, data, parts);
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

    /// <summary>Brings the symbols into order.</summary>
    /// <returns>Where each part starts; at the end, where the last one ends.</returns>
    private static int[] Arrange(LinkContext ctx, MemoryArena memory, NativeSpan<ulong> data, NativeSpan<Part> parts)
    {
        int count = data.Length;
        int[] starts = new int[(int)Part.End + 2];
        foreach (Part part in parts.AsSpan())
        {
            starts[(int)part + 1]++;
        }
        for (int i = 1; i < starts.Length; i++)
        {
            starts[i] += starts[i - 1];
        }
        // Part by part: size and place in the data; the data is in the order of ids.
        NativeSpan<ulong> arranged = NativeSpan<ulong>.Of(memory, count);
        int[] next = [.. starts];
        for (int i = 0; i < count; i++)
        {
            arranged[next[(int)parts[i]]++] = (data[i] >> 32 << 32) | (uint)i;
        }
        RadixSort.ByUpperHalf(Slice(Part.Other).AsSpan());
        RadixSort.ByUpperHalf(Slice(Part.Itab).AsSpan());
        bool hasEqual = SortByName(ctx, memory, data, Slice(Part.Linked), starts[(int)Part.Linked]);
        NativeSpan<ulong> ranked = NativeSpan<ulong>.Of(memory, count);
        if (hasEqual)
        {
            // Go's sort over all, in the order they came in. Those that are not linked types have a rank of their own.
            for (int i = 0; i < count; i++)
            {
                int place = (int)(uint)arranged[i];
                uint rank = parts[place] == Part.Linked ? (uint)(arranged[i] >> 32) : (uint)i;
                ranked[place] = ((ulong)rank << 32) | (uint)place;
            }
            GoSort.Sort(ctx.Workers, ranked.AsSpan(), default(ByUpperHalf));
        }
        else
        {
            arranged.AsSpan().CopyTo(ranked.AsSpan());
        }
        for (int i = 0; i < count; i++)
        {
            arranged[i] = data[(int)(uint)ranked[i]];
        }
        arranged.AsSpan().CopyTo(data.AsSpan());
        return starts;

        NativeSpan<ulong> Slice(Part part) => arranged.Slice(starts[(int)part], starts[(int)part + 1] - starts[(int)part]);
    }

    /// <summary>
    /// Sorts types by their strings. Each gets its rank as the upper half, which counts from <paramref name="first"/>; equal strings share
    /// one.
    /// </summary>
    /// <returns>Whether there are equal strings.</returns>
    private static bool SortByName(LinkContext ctx, MemoryArena memory, NativeSpan<ulong> data, NativeSpan<ulong> types, int first)
    {
        SymbolTable symbols = ctx.Symbols;
        NativeSpan<NameSort.Item> names = NativeSpan<NameSort.Item>.Of(memory, types.Length);
        ctx.Workers.ForChunks(types.Length, Chunk, (from, to, _) =>
        {
            for (int i = from; i < to; i += Batch)
            {
                ReadNames(symbols, data, types.Slice(i, Math.Min(Batch, to - i)), names.AsSpan()[i..]);
            }
        });
        NameSort.Sort(ctx.Workers, names.AsSpan());
        // First whether each has the name of the one before it, then the ranks.
        ctx.Workers.ForChunks(types.Length, Chunk, (from, to, _) =>
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

        long End(int from, int to, long length)
        {
            foreach (ulong pair in data.AsSpan()[from..to])
            {
                length = Round(length, align(new SymbolId((int)(uint)pair))) + (long)(pair >> 32);
            }
            return length;
        }

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
}
