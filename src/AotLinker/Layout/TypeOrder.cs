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
internal static unsafe class TypeOrder
{
    private const int Chunk = 1 << 11;

    // Descriptors whose content is asked for before they are read.
    private const int Ahead = 6;

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
    /// <param name="data">The symbols.</param>
    /// <param name="align">Alignment of a symbol.</param>
    /// <param name="isStart">Whether a symbol marks the start.</param>
    /// <param name="isEnd">Whether a symbol marks the end.</param>
    public static void Sort(LinkContext ctx, ulong[] data, Func<SymbolId, int> align, Func<SymbolId, bool> isStart, Func<SymbolId, bool> isEnd)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId carrier = symbols.Lookup("type:*"u8, 0);
        Part[] parts = new Part[data.Length];
        TypeName* names = (TypeName*)NativeHeap.AllocZeroed((nuint)Math.Max(data.Length, 1), (nuint)sizeof(TypeName));
        try
        {
            ctx.Workers.ForChunks(data.Length, Chunk, (from, to, _) =>
            {
                for (int i = from; i < to; i++)
                {
                    if (i + 2 * Ahead < to)
                    {
                        symbols.ExpectRecord(new SymbolId((int)(uint)data[i + (2 * Ahead)]));
                    }
                    if (i + Ahead < to)
                    {
                        symbols.ExpectData(new SymbolId((int)(uint)data[i + Ahead]));
                        symbols.ExpectRelocs(new SymbolId((int)(uint)data[i + Ahead]));
                    }
                    SymbolId s = new((int)(uint)data[i]);
                    parts[i] = PartOf(symbols, s, carrier, isStart, isEnd);
                    names[i].Index = i;
                    if (parts[i] == Part.Linked)
                    {
                        names[i].Set(new TypeDescriptor(symbols, s).Name);
                    }
                }
            });
            int[] starts = Arrange(ctx.Workers, data, parts, names);
            DescribeParts(ctx, data, starts, align);
        }
        finally
        {
            NativeHeap.Free(names);
        }
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
    private static int[] Arrange(Workers workers, ulong[] data, Part[] parts, TypeName* names)
    {
        int[] starts = new int[(int)Part.End + 2];
        foreach (Part part in parts)
        {
            starts[(int)part + 1]++;
        }
        for (int i = 1; i < starts.Length; i++)
        {
            starts[i] += starts[i - 1];
        }
        ulong[] arranged = new ulong[data.Length];
        TypeName[] linked = new TypeName[starts[(int)Part.Linked + 1] - starts[(int)Part.Linked]];
        int[] next = [.. starts];
        int firstLinked = starts[(int)Part.Linked];
        for (int i = 0; i < data.Length; i++)
        {
            int at = next[(int)parts[i]]++;
            arranged[at] = data[i];
            if (parts[i] == Part.Linked)
            {
                linked[at - firstLinked] = names[i];
            }
        }
        RadixSort.ByUpperHalf(Slice(Part.Other));
        RadixSort.ByUpperHalf(Slice(Part.Itab));
        ParallelSort.Sort<TypeName, TypeName.ByText>(workers, linked, default);

        // Ranks of all symbols in the order they came in; equal strings share one.
        bool hasEqual = false;
        uint[] ranks = new uint[data.Length];
        uint rank = (uint)firstLinked;
        for (int i = 0; i < linked.Length; i++)
        {
            arranged[firstLinked + i] = data[linked[i].Index];
            if (i > 0 && default(TypeName.ByText).Less(in linked[i - 1], in linked[i]))
            {
                rank = (uint)(firstLinked + i);
            }
            else
            {
                hasEqual |= i > 0;
            }
            ranks[linked[i].Index] = rank;
        }
        if (hasEqual)
        {
            SortAsGo(data, parts, arranged, ranks, starts);
        }
        arranged.CopyTo(data, 0);
        return starts;

        Span<ulong> Slice(Part part) => arranged.AsSpan(starts[(int)part]..starts[(int)part + 1]);
    }

    /// <summary>Runs Go's sort over all symbols; <paramref name="ranks"/> has those of linked types.</summary>
    private static void SortAsGo(ulong[] data, Part[] parts, ulong[] arranged, uint[] ranks, int[] starts)
    {
        ulong[] keyed = new ulong[data.Length];
        for (int i = 0; i < data.Length; i++)
        {
            Part part = parts[i];
            if (part != Part.Linked)
            {
                // The others have a place of their own, by size and id.
                int start = starts[(int)part];
                ranks[i] = (uint)(start + arranged.AsSpan(start..starts[(int)part + 1]).BinarySearch(data[i]));
            }
            keyed[i] = ((ulong)ranks[i] << 32) | (uint)i;
        }
        GoSort.Sort(keyed.AsSpan(), default(ByUpperHalf));
        for (int i = 0; i < keyed.Length; i++)
        {
            arranged[i] = data[(int)(uint)keyed[i]];
        }
    }

    /// <summary>Writes into moduledata how long the parts are (the second half of dodataSect's case for types).</summary>
    private static void DescribeParts(LinkContext ctx, ulong[] data, int[] starts, Func<SymbolId, int> align)
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
            foreach (ulong pair in data.AsSpan(from..to))
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
