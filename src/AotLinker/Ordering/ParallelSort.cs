namespace AotLinker.Ordering;

/// <summary>Sorts a piece of an array in some way.</summary>
internal delegate void PieceSort<T>(Span<T> piece);

/// <summary>A sort with several threads, for orders in which the place of equal elements does not matter.</summary>
internal static class ParallelSort
{
    // Shorter pieces are not worth a thread.
    private const int LeastPiece = 1 << 12;

    /// <summary>Sorts by sorting pieces and merging them, two at a time.</summary>
    public static void Sort<T, TOrder>(Workers workers, T[] items, TOrder order)
        where TOrder : struct, IOrder<T> =>
        Sort(workers, items, order, piece => piece.Sort(new Comparer<T, TOrder>(order)));

    /// <summary>Sorts by sorting pieces as the caller wants it, in the same order, and merging them.</summary>
    public static void Sort<T, TOrder>(Workers workers, T[] items, TOrder order, PieceSort<T> sortPiece)
        where TOrder : struct, IOrder<T>
    {
        int pieces = 1;
        while (pieces < workers.Threads && items.Length / (pieces * 2) >= LeastPiece)
        {
            pieces *= 2;
        }
        int count = pieces;
        workers.For(count, i => sortPiece(items.AsSpan(Start(i, count)..Start(i + 1, count))));
        if (pieces == 1)
        {
            return;
        }
        T[] from = items;
        T[] to = new T[items.Length];
        while (pieces > 1)
        {
            int half = pieces / 2;
            (T[] source, T[] target) = (from, to);
            workers.For(half, i =>
            {
                int a = Start(2 * i, half * 2);
                int b = Start((2 * i) + 1, half * 2);
                int end = Start((2 * i) + 2, half * 2);
                Merge(source.AsSpan(a..b), source.AsSpan(b..end), target.AsSpan(a..end), order);
            });
            (from, to) = (to, from);
            pieces = half;
        }
        if (from != items)
        {
            from.CopyTo(items, 0);
        }

        int Start(int piece, int of) => (int)((long)items.Length * piece / of);
    }

    private static void Merge<T, TOrder>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> to, TOrder order)
        where TOrder : struct, IOrder<T>
    {
        int i = 0;
        int j = 0;
        for (int k = 0; k < to.Length; k++)
        {
            to[k] = i < a.Length && (j >= b.Length || !order.Less(in b[j], in a[i])) ? a[i++] : b[j++];
        }
    }

    private readonly struct Comparer<T, TOrder>(TOrder order) : IComparer<T>
        where TOrder : struct, IOrder<T>
    {
        public int Compare(T? x, T? y) => order.Less(in x!, in y!) ? -1 : order.Less(in y!, in x!) ? 1 : 0;
    }
}
