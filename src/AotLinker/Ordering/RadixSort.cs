using AotLinker.Mapping;

namespace AotLinker.Ordering;

/// <summary>Sorts (key, payload) pairs packed as 64-bit numbers, the key in the upper half.</summary>
internal static class RadixSort
{
    // Below this length comparing is faster than counting.
    private const int ComparisonLimit = 64;

    /// <summary>
    /// Sorts by the upper 32 bits, keeping the order of equal ones (least significant digit first, 11 bits at a time).
    /// </summary>
    public static unsafe void ByUpperHalf(Span<ulong> pairs)
    {
        const int DigitBits = 11;
        const int Digits = 3;
        const int Buckets = 1 << DigitBits;
        if (pairs.Length < ComparisonLimit)
        {
            Insert(pairs);
            return;
        }
        uint* counts = stackalloc uint[Digits * Buckets];
        new Span<uint>(counts, Digits * Buckets).Clear();
        foreach (ulong pair in pairs)
        {
            uint key = (uint)(pair >> 32);
            counts[key & (Buckets - 1)]++;
            counts[Buckets + ((key >> DigitBits) & (Buckets - 1))]++;
            counts[(2 * Buckets) + (key >> (2 * DigitBits))]++;
        }
        using NativeArray<ulong> scratch = new(pairs.Length);
        fixed (ulong* start = pairs)
        {
            ulong* from = start;
            ulong* to = scratch.Base;
            for (int digit = 0; digit < Digits; digit++)
            {
                uint* count = counts + (digit * Buckets);
                int shift = 32 + (digit * DigitBits);
                if (count[(uint)(from[0] >> shift) & (Buckets - 1)] == (uint)pairs.Length)
                {
                    continue;
                }
                uint sum = 0;
                for (int i = 0; i < Buckets; i++)
                {
                    uint n = count[i];
                    count[i] = sum;
                    sum += n;
                }
                for (int i = 0; i < pairs.Length; i++)
                {
                    ulong pair = from[i];
                    to[count[(uint)(pair >> shift) & (Buckets - 1)]++] = pair;
                }
                ulong* filled = to;
                to = from;
                from = filled;
            }
            if (from != start)
            {
                new Span<ulong>(from, pairs.Length).CopyTo(pairs);
            }
        }
    }

    private static void Insert(Span<ulong> pairs)
    {
        for (int i = 1; i < pairs.Length; i++)
        {
            ulong pair = pairs[i];
            int j = i;
            for (; j > 0 && pairs[j - 1] >> 32 > pair >> 32; j--)
            {
                pairs[j] = pairs[j - 1];
            }
            pairs[j] = pair;
        }
    }
}
