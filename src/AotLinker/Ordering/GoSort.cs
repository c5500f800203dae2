using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Ordering;

/// <summary>A strict weak order, as a struct so that the sort is compiled for it.</summary>
internal interface IOrder<T>
{
    /// <summary>Whether <paramref name="x"/> comes before <paramref name="y"/>.</summary>
    bool Less(in T x, in T y);
}

/// <summary>By the upper half of a number.</summary>
internal readonly struct ByUpperHalf : IOrder<ulong>
{
    /// <inheritdoc/>
    public bool Less(in ulong x, in ulong y) => x >> 32 < y >> 32;
}

/// <summary>
/// Go's unstable sort (sort.Slice, slices.SortFunc), step for step: where elements compare equal, their order in a program is whatever
/// this algorithm leaves behind, so we must leave the same. With an order in which no two elements are equal, use any faster sort.
/// </summary>
/// <remarks>
/// Pattern-defeating quicksort after Orson Peters, without block partitioning; the parameters are those of Go 1.19 and later
/// (sort/zsortfunc.go). Both of Go's entry points perform the same comparisons and swaps.
/// </remarks>
internal static class GoSort
{
    // Up to this length elements are inserted one by one.
    private const int InsertionLimit = 12;

    // From this length on a pivot is chosen from nine elements, and out-of-order pairs are worth shifting.
    private const int LongLength = 50;

    // Elements of a block that a partition looks at before it swaps any, and the least length of a range that is worth that.
    private const int Block = 64;
    private const int LongPartition = 8 * Block;

    private enum Hint
    {
        Unknown,
        Increasing,
        Decreasing,
    }

    // Shorter pieces are not worth a thread.
    private const int LeastPiece = 1 << 12;

    /// <summary>Sorts as Go would.</summary>
    public static void Sort<T, TOrder>(Span<T> items, TOrder order)
        where TOrder : struct, IOrder<T> => new Sorter<T, TOrder>(items, order).Sort(Piece.Whole(items.Length));

    /// <summary>
    /// The same with several threads. What a partition leaves are two pieces that are sorted without a look at one another, but for the
    /// element between them, which stays; so the threads change nothing in what is compared and swapped.
    /// </summary>
    public static unsafe void Sort<T, TOrder>(Workers workers, Span<T> items, TOrder order)
        where T : unmanaged
        where TOrder : struct, IOrder<T>
    {
        if (workers.Threads == 1 || items.Length < 2 * LeastPiece)
        {
            Sort(items, order);
            return;
        }
        int longest = Math.Max(LeastPiece, items.Length / (4 * workers.Threads));
        Sorter<T, TOrder> sorter = new(items, order);
        List<Piece> pieces = [];
        Stack<Piece> left = new([Piece.Whole(items.Length)]);
        while (left.TryPop(out Piece piece))
        {
            if (piece.Length <= longest)
            {
                pieces.Add(piece);
            }
            else if (sorter.TrySplit(ref piece, out Piece other))
            {
                left.Push(piece);
                left.Push(other);
            }
        }
        int length = items.Length;
        fixed (T* start = items)
        {
            T* first = start;
            workers.For(pieces.Count, i => new Sorter<T, TOrder>(new Span<T>(first, length), order).Sort(pieces[i]));
        }
    }

    /// <summary>The elements [From, To) that are still to be sorted, and how that has gone so far.</summary>
    /// <param name="From">The first.</param>
    /// <param name="To">Behind the last.</param>
    /// <param name="Limit">After so many more bad pivots it goes on as heap sort.</param>
    /// <param name="Balanced">Whether the last partition was not far from half and half.</param>
    /// <param name="Partitioned">Whether the last partition found its two sides in place.</param>
    private record struct Piece(int From, int To, int Limit, bool Balanced = true, bool Partitioned = true)
    {
        public readonly int Length => To - From;

        public static Piece Whole(int length) => new(0, length, 32 - BitOperations.LeadingZeroCount((uint)length));
    }

    private readonly ref struct Sorter<T, TOrder>(Span<T> items, TOrder order)
        where TOrder : struct, IOrder<T>
    {
        private readonly Span<T> _items = items;

        /// <summary>Sorts a piece.</summary>
        public void Sort(Piece piece)
        {
            while (TrySplit(ref piece, out Piece other))
            {
                Sort(other);
            }
        }

        /// <summary>
        /// Goes on with a piece until it falls into two, of which <paramref name="other"/> is the shorter; or to its end, which is false.
        /// </summary>
        public bool TrySplit(ref Piece piece, out Piece other)
        {
            (int a, int b, int limit, bool balanced, bool partitioned) = piece;
            other = default;
            while (true)
            {
                int length = b - a;
                if (length <= InsertionLimit)
                {
                    Insert(a, b);
                    return false;
                }
                if (limit == 0)
                {
                    HeapSort(a, b);
                    return false;
                }
                if (!balanced)
                {
                    Scatter(a, b);
                    limit--;
                }
                int pivot = ChoosePivot(a, b, out Hint hint);
                if (hint == Hint.Decreasing)
                {
                    _items[a..b].Reverse();
                    pivot = b - 1 - (pivot - a);
                    hint = Hint.Increasing;
                }
                if (balanced && partitioned && hint == Hint.Increasing && TryInsertFew(a, b))
                {
                    return false;
                }
                // An element before the range that is not less than the pivot equals it: so do all like it in the range.
                if (a > 0 && !Less(a - 1, pivot))
                {
                    a = PartitionEqual(a, b, pivot);
                    continue;
                }
                int middle = Partition(a, b, pivot, out partitioned);
                int left = middle - a;
                int right = b - middle;
                int balance = length / 8;
                if (left < right)
                {
                    other = new Piece(a, middle, limit);
                    piece = new Piece(middle + 1, b, limit, left >= balance, partitioned);
                }
                else
                {
                    other = new Piece(middle + 1, b, limit);
                    piece = new Piece(a, middle, limit, right >= balance, partitioned);
                }
                return true;
            }
        }

        private bool Less(int i, int j) => order.Less(in _items[i], in _items[j]);

        private void Swap(int i, int j) => (_items[i], _items[j]) = (_items[j], _items[i]);

        private void Insert(int a, int b)
        {
            for (int i = a + 1; i < b; i++)
            {
                for (int j = i; j > a && Less(j, j - 1); j--)
                {
                    Swap(j, j - 1);
                }
            }
        }

        private void HeapSort(int a, int b)
        {
            int n = b - a;
            for (int i = (n - 1) / 2; i >= 0; i--)
            {
                SiftDown(i, n, a);
            }
            for (int i = n - 1; i >= 0; i--)
            {
                Swap(a, a + i);
                SiftDown(0, i, a);
            }
        }

        private void SiftDown(int root, int n, int first)
        {
            while (true)
            {
                int child = (2 * root) + 1;
                if (child >= n)
                {
                    return;
                }
                if (child + 1 < n && Less(first + child, first + child + 1))
                {
                    child++;
                }
                if (!Less(first + root, first + child))
                {
                    return;
                }
                Swap(first + root, first + child);
                root = child;
            }
        }

        // The hot loop of the sort. Places are within the range, whatever the order says of two elements, so that one check is enough.
        private int Partition(int a, int b, int pivot, out bool wasPartitioned)
        {
            Swap(a, pivot);
            Span<T> range = _items[a..b];
            ref T first = ref MemoryMarshal.GetReference(range);
            T value = first;
            int i = 1;
            int j = range.Length - 1;
            bool hasSwapped = range.Length >= LongPartition && SwapBlocks(ref first, in value, ref i, ref j);
            while (true)
            {
                while (i <= j && order.Less(in Unsafe.Add(ref first, i), in value))
                {
                    i++;
                }
                while (i <= j && !order.Less(in Unsafe.Add(ref first, j), in value))
                {
                    j--;
                }
                if (i > j)
                {
                    break;
                }
                (Unsafe.Add(ref first, i), Unsafe.Add(ref first, j)) = (Unsafe.Add(ref first, j), Unsafe.Add(ref first, i));
                hasSwapped = true;
                i++;
                j--;
            }
            wasPartitioned = !hasSwapped;
            Swap(a + j, a);
            return a + j;
        }

        // Swaps what a partition would, as long as i and j are far apart. Which of a block's elements are on the wrong side is listed first: that is no
        // branch for the CPU to guess, and half of the guesses would be wrong. The k-th from the left still changes places with the k-th from the right.
        private unsafe bool SwapBlocks(ref T first, in T value, ref int i, ref int j)
        {
            byte* lows = stackalloc byte[Block];
            byte* highs = stackalloc byte[Block];
            int firstLow = 0, lowCount = 0;
            int firstHigh = 0, highCount = 0;
            bool hasSwapped = false;
            while (j - i + 1 >= 2 * Block)
            {
                if (lowCount == 0)
                {
                    firstLow = 0;
                    for (int at = 0; at < Block; at++)
                    {
                        lows[lowCount] = (byte)at;
                        lowCount += order.Less(in Unsafe.Add(ref first, i + at), in value) ? 0 : 1;
                    }
                }
                if (highCount == 0)
                {
                    firstHigh = 0;
                    for (int at = 0; at < Block; at++)
                    {
                        highs[highCount] = (byte)at;
                        highCount += order.Less(in Unsafe.Add(ref first, j - at), in value) ? 1 : 0;
                    }
                }
                int swaps = Math.Min(lowCount, highCount);
                for (int k = 0; k < swaps; k++)
                {
                    ref T low = ref Unsafe.Add(ref first, i + lows[firstLow + k]);
                    ref T high = ref Unsafe.Add(ref first, j - highs[firstHigh + k]);
                    (low, high) = (high, low);
                }
                hasSwapped |= swaps != 0;
                firstLow += swaps;
                firstHigh += swaps;
                lowCount -= swaps;
                highCount -= swaps;
                i += lowCount == 0 ? Block : 0;
                j -= highCount == 0 ? Block : 0;
            }
            // On to what is left of a block.
            i += lowCount == 0 ? 0 : lows[firstLow];
            j -= highCount == 0 ? 0 : highs[firstHigh];
            return hasSwapped;
        }

        private int PartitionEqual(int a, int b, int pivot)
        {
            Swap(a, pivot);
            int i = a + 1;
            int j = b - 1;
            while (true)
            {
                while (i <= j && !Less(a, i))
                {
                    i++;
                }
                while (i <= j && Less(a, j))
                {
                    j--;
                }
                if (i > j)
                {
                    return i;
                }
                Swap(i, j);
                i++;
                j--;
            }
        }

        /// <summary>Puts up to five out-of-order pairs right; true if that made the range sorted.</summary>
        private bool TryInsertFew(int a, int b)
        {
            const int MostPairs = 5;
            int i = a + 1;
            for (int pair = 0; pair < MostPairs; pair++)
            {
                while (i < b && !Less(i, i - 1))
                {
                    i++;
                }
                if (i == b)
                {
                    return true;
                }
                if (b - a < LongLength)
                {
                    return false;
                }
                Swap(i, i - 1);
                if (i - a >= 2)
                {
                    // Go looks down to the second element of the whole, not of the range.
                    for (int j = i - 1; j >= 1 && Less(j, j - 1); j--)
                    {
                        Swap(j, j - 1);
                    }
                }
                if (b - i >= 2)
                {
                    for (int j = i + 1; j < b && Less(j, j - 1); j++)
                    {
                        Swap(j, j - 1);
                    }
                }
            }
            return false;
        }

        /// <summary>Moves three elements around the middle to pseudo-random places, against inputs made to be slow.</summary>
        private void Scatter(int a, int b)
        {
            int length = b - a;
            if (length < 8)
            {
                return;
            }
            ulong random = (ulong)length;
            uint mask = (1u << (32 - BitOperations.LeadingZeroCount((uint)length))) - 1;
            int middle = a + (length / 4 * 2);
            for (int i = middle - 1; i <= middle + 1; i++)
            {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                int other = (int)((uint)random & mask);
                if (other >= length)
                {
                    other -= length;
                }
                Swap(i, a + other);
            }
        }

        private int ChoosePivot(int a, int b, out Hint hint)
        {
            const int AllSwapped = 12;
            int length = b - a;
            int quarter = length / 4;
            int i = a + quarter;
            int j = a + (quarter * 2);
            int k = a + (quarter * 3);
            int swaps = 0;
            if (length >= 8)
            {
                if (length >= LongLength)
                {
                    i = Median(i - 1, i, i + 1, ref swaps);
                    j = Median(j - 1, j, j + 1, ref swaps);
                    k = Median(k - 1, k, k + 1, ref swaps);
                }
                j = Median(i, j, k, ref swaps);
            }
            hint = swaps switch
            {
                0 => Hint.Increasing,
                AllSwapped => Hint.Decreasing,
                _ => Hint.Unknown,
            };
            return j;
        }

        private int Median(int a, int b, int c, ref int swaps)
        {
            Order(ref a, ref b, ref swaps);
            Order(ref b, ref c, ref swaps);
            Order(ref a, ref b, ref swaps);
            return b;
        }

        private void Order(ref int a, ref int b, ref int swaps)
        {
            if (Less(b, a))
            {
                swaps++;
                (a, b) = (b, a);
            }
        }
    }
}
