using AotLinker.Mapping;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>Joins what chunks of functions claimed into one sequence, and finds places in it.</summary>
internal static class ChunkedOrder
{
    /// <summary>
    /// Turns the offsets within chunks that stand in <paramref name="slots"/> into offsets in the whole, and lists the symbols in order.
    /// </summary>
    /// <param name="workers">Threads.</param>
    /// <param name="claimed">The symbols of each chunk, in order.</param>
    /// <param name="sizes">Bytes that each chunk's symbols take.</param>
    /// <param name="slots">For each claimed symbol its offset.</param>
    /// <param name="what">What the table holds, for the message when it is too long.</param>
    /// <param name="start">Offset of the first.</param>
    /// <returns>Length of the whole, and the symbols.</returns>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public static (long Size, int[] Order) Join(
        Workers workers, List<int>?[] claimed, int[] sizes, NativeArray<int> slots, string what, int start = 0)
    {
        int[] bases = new int[claimed.Length];
        int[] firsts = new int[claimed.Length];
        long size = start;
        int count = 0;
        for (int c = 0; c < claimed.Length; c++)
        {
            bases[c] = (int)size;
            firsts[c] = count;
            size += sizes[c];
            count += claimed[c]?.Count ?? 0;
            if (size > int.MaxValue)
            {
                throw new LinkException($"pclntab: more than 2 GiB of {what}");
            }
        }
        int[] order = new int[count];
        workers.ForChunks(claimed.Length, 4, (from, to, _) =>
        {
            for (int c = from; c < to; c++)
            {
                if (claimed[c] is not { } list)
                {
                    continue;
                }
                list.CopyTo(order, firsts[c]);
                foreach (int s in list)
                {
                    slots[s] += bases[c];
                }
                claimed[c] = null;
            }
        });
        return (size, order);
    }

    /// <summary>Position of the last symbol that starts at or before <paramref name="offset"/>; 0 if there is none.</summary>
    public static int FirstAt(ReadOnlySpan<int> order, NativeArray<int> slots, long offset)
    {
        int low = 0;
        int high = order.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (slots[order[middle]] <= offset)
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
}
