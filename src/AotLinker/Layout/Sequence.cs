namespace AotLinker.Layout;

/// <summary>Items that are to lie one behind the other, as a struct so that the loops over them are compiled for it.</summary>
internal interface ISequenceItems
{
    /// <summary>Alignment of an item, a power of two, and its size.</summary>
    (int Align, long Size) Measure(int i);

    /// <summary>Says where an item lies.</summary>
    void SetPlace(int i, long place);
}

/// <summary>Measures and places aligned items with several threads.</summary>
/// <remarks>
/// Where an item lies depends on all before it. But how long a chunk is from the start of its first item on depends on nothing else, if no
/// later one is more strictly aligned than the first. Chunks with such a later one are few where items come in order of their sizes: they are
/// walked through when the starts of the chunks are added up.
/// </remarks>
internal sealed class Sequence<T>
    where T : struct, ISequenceItems
{
    private const int Chunk = 1 << 12;

    private readonly Workers _workers;
    private readonly T _items;
    private readonly int _count;

    // Where the item before each chunk ends.
    private readonly long[] _starts;

    /// <summary>Measures items.</summary>
    /// <param name="workers">The threads.</param>
    /// <param name="items">The items.</param>
    /// <param name="count">Number of items.</param>
    /// <param name="start">Where the first may begin.</param>
    public Sequence(Workers workers, T items, int count, long start)
    {
        _workers = workers;
        _items = items;
        _count = count;
        Extent[] extents = new Extent[(count + Chunk - 1) / Chunk];
        workers.ForChunks(count, Chunk, (from, to, _) => extents[from / Chunk] = Measure(from, to));
        _starts = new long[extents.Length];
        End = start;
        for (int i = 0; i < extents.Length; i++)
        {
            _starts[i] = End;
            (int align, long length) = extents[i];
            Align = Math.Max(Align, align);
            End = length >= 0 ? Round(End, align) + length : Walk(End, i * Chunk, Math.Min(count, (i + 1) * Chunk));
        }
    }

    /// <summary>Where the last item ends.</summary>
    public long End { get; private set; }

    /// <summary>The strictest alignment among the items; 0 if there are none.</summary>
    public int Align { get; private set; }

    /// <summary>Tells all items their places.</summary>
    public void Place() => _workers.ForChunks(_count, Chunk, (from, to, _) =>
    {
        long place = _starts[from / Chunk];
        for (int i = from; i < to; i++)
        {
            (int align, long size) = _items.Measure(i);
            place = Round(place, align);
            _items.SetPlace(i, place);
            place += size;
        }
    });

    private Extent Measure(int from, int to)
    {
        (int first, long length) = _items.Measure(from);
        for (int i = from + 1; i < to; i++)
        {
            (int align, long size) = _items.Measure(i);
            if (align > first)
            {
                return new Extent(first, -1);
            }
            length = Round(length, align) + size;
        }
        return new Extent(first, length);
    }

    private long Walk(long at, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            (int align, long size) = _items.Measure(i);
            Align = Math.Max(Align, align);
            at = Round(at, align) + size;
        }
        return at;
    }

    private static long Round(long value, int align) => (value + align - 1) & -(long)align;

    /// <summary>A chunk: the first item's alignment, and the length from its start on, negative where that depends on the start.</summary>
    private readonly record struct Extent(int Align, long Length);
}
