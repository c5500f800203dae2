using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Ordering;

/// <summary>
/// Sorts names as byte strings, with several threads (three-way radix quicksort on eight bytes at a time). Long names that begin alike,
/// as those of a package do, are looked at once and not in every comparison.
/// </summary>
internal static unsafe class NameSort
{
    private const int ChunkSize = 8;
    private const int InsertionLimit = 12;
    private const int LongLength = 128;

    // Shorter pieces are not worth a thread.
    private const int LeastPiece = 1 << 11;

    /// <summary>Sorts by name; the order of equal names is left open, but is the same with any number of threads.</summary>
    public static void Sort(Workers workers, Span<Item> items)
    {
        if (workers.Threads == 1 || items.Length < 2 * LeastPiece)
        {
            Load(items, 0);
            SortPiece(items, 0);
            return;
        }
        fixed (Item* start = items)
        {
            Item* first = start;
            workers.ForChunks(items.Length, LeastPiece, (from, to, _) => Load(new Span<Item>(first + from, to - from), 0));
        }
        List<(int From, int Length, int Depth)> pieces = Divide(items, Math.Max(LeastPiece, items.Length / (4 * workers.Threads)));
        fixed (Item* start = items)
        {
            Item* first = start;
            workers.For(pieces.Count, i => SortPiece(new Span<Item>(first + pieces[i].From, pieces[i].Length), pieces[i].Depth));
        }
    }

    // Takes the first steps of the sort, down to pieces that are worth a thread each.
    private static List<(int From, int Length, int Depth)> Divide(Span<Item> items, int longest)
    {
        List<(int From, int Length, int Depth)> pieces = [];
        Stack<(int From, int Length, int Depth)> left = new();
        left.Push((0, items.Length, 0));
        while (left.TryPop(out (int From, int Length, int Depth) piece))
        {
            if (piece.Length <= longest)
            {
                pieces.Add(piece);
                continue;
            }
            Span<Item> own = items.Slice(piece.From, piece.Length);
            (int less, int greater) = Partition(own);
            left.Push((piece.From, less, piece.Depth));
            left.Push((piece.From + greater, piece.Length - greater, piece.Depth));
            int skip = less + Descend(own[less..greater], piece.Depth);
            left.Push((piece.From + skip, greater - skip, piece.Depth + ChunkSize));
        }
        return pieces;
    }

    /// <summary>Compares two names.</summary>
    public static int Compare(in Item x, in Item y) => x.Name.SequenceCompareTo(y.Name);

    // All chunks are those at the depth.
    private static void SortPiece(Span<Item> items, int depth)
    {
        while (items.Length > InsertionLimit)
        {
            (int less, int greater) = Partition(items);
            SortPiece(items[..less], depth);
            SortPiece(items[greater..], depth);
            items = items[less..greater];
            items = items[Descend(items, depth)..];
            depth += ChunkSize;
        }
        for (int i = 1; i < items.Length; i++)
        {
            for (int j = i; j > 0 && Less(in items[j], in items[j - 1], depth); j--)
            {
                Swap(items, j, j - 1);
            }
        }
    }

    // Puts items with a chunk below and above a pivot's to the two ends. Returns where those with the pivot's begin and end.
    private static (int Less, int Greater) Partition(Span<Item> items)
    {
        ulong pivot = ChoosePivot(items);
        int less = 0;
        int greater = items.Length;
        for (int i = 0; i < greater;)
        {
            ulong chunk = items[i].Chunk;
            if (chunk < pivot)
            {
                Swap(items, less++, i++);
            }
            else if (chunk > pivot)
            {
                Swap(items, i, --greater);
            }
            else
            {
                i++;
            }
        }
        return (less, greater);
    }

    // Goes on to the next chunk of items that have the same one at the depth. Returns how many of them ended, and are in order.
    private static int Descend(Span<Item> items, int depth)
    {
        int ended = MoveEnded(items, depth + ChunkSize);
        Load(items[ended..], depth + ChunkSize);
        return ended;
    }

    private static bool Less(in Item x, in Item y, int depth)
    {
        if (x.Chunk != y.Chunk)
        {
            return x.Chunk < y.Chunk;
        }
        int skip = depth + ChunkSize;
        return x.Name[Math.Min(skip, x.Name.Length)..].SequenceCompareTo(y.Name[Math.Min(skip, y.Name.Length)..]) is var c
            && (c != 0 ? c < 0 : x.Name.Length < y.Name.Length);
    }

    /// <summary>Moves the names that end before a depth to the front, shorter ones first; they are alike but for zeros. Returns their number.</summary>
    private static int MoveEnded(Span<Item> items, int depth)
    {
        int ended = 0;
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i].Name.Length <= depth)
            {
                Swap(items, i, ended);
                for (int j = ended++; j > 0 && items[j].Name.Length < items[j - 1].Name.Length; j--)
                {
                    Swap(items, j, j - 1);
                }
            }
        }
        return ended;
    }

    private static ulong ChoosePivot(Span<Item> items)
    {
        int n = items.Length;
        return n < LongLength
            ? Median(items[0].Chunk, items[n / 2].Chunk, items[n - 1].Chunk)
            : Median(
                Median(items[0].Chunk, items[n / 8].Chunk, items[n / 4].Chunk),
                Median(items[n * 3 / 8].Chunk, items[n / 2].Chunk, items[n * 5 / 8].Chunk),
                Median(items[n * 3 / 4].Chunk, items[n * 7 / 8].Chunk, items[n - 1].Chunk));
    }

    private static ulong Median(ulong a, ulong b, ulong c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));

    private static void Swap(Span<Item> items, int i, int j) => (items[i], items[j]) = (items[j], items[i]);

    private static void Load(Span<Item> items, int depth)
    {
        foreach (ref Item item in items)
        {
            item.Load(depth);
        }
    }

    /// <summary>A name, which stays where it is in memory, and what it is the name of.</summary>
    internal struct Item
    {
        private readonly byte* _name;
        private readonly int _length;

        /// <summary>An item.</summary>
        /// <param name="name">The name, in memory that the garbage collector doesn't move.</param>
        /// <param name="position">Any number of the caller's.</param>
        public Item(ReadOnlySpan<byte> name, int position)
        {
            _name = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name));
            _length = name.Length;
            Position = position;
        }

        /// <summary>The name.</summary>
        public readonly ReadOnlySpan<byte> Name => new(_name, _length);

        /// <summary>The caller's number.</summary>
        public int Position { get; }

        /// <summary>Eight bytes of the name as a big-endian number, zeros behind its end.</summary>
        internal ulong Chunk { get; private set; }

        internal void Load(int depth)
        {
            int left = _length - depth;
            if (left >= ChunkSize)
            {
                Chunk = BinaryPrimitives.ReadUInt64BigEndian(new ReadOnlySpan<byte>(_name + depth, ChunkSize));
                return;
            }
            ulong chunk = 0;
            for (int i = 0; i < left; i++)
            {
                chunk |= (ulong)_name[depth + i] << (56 - (8 * i));
            }
            Chunk = chunk;
        }
    }
}
