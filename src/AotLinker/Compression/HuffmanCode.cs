using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// A length-limited canonical Huffman code, the same that Go's <c>huffmanEncoder</c> finds for the same frequencies.
/// </summary>
/// <remarks>
/// <para>
/// Which of several optimal codes results depends on ties. Go runs package-merge level by level and prefers
/// a package to a leaf of the same weight. Where Huffman's own algorithm, with the same preference, needs no
/// more than the permitted bits, both give the same lengths: the lists of package-merge then equal Huffman's
/// merge sequence as far as they are looked at, and the depth of a node never grows along that sequence. So
/// the cheap one runs first (linear after the sort), and package-merge only where a code would get too long.
/// </para>
/// <para>Lengths go to symbols by (frequency, symbol) order and codes by (length, symbol), as RFC 1951 3.2.2 has it.</para>
/// </remarks>
internal sealed unsafe class HuffmanCode : IDisposable
{
    private const int MaxSymbols = 288;
    private const int MaxBits = 15;

    private uint* _memory;

    public HuffmanCode()
    {
        _memory = (uint*)NativeHeap.AllocZeroed(MaxSymbols * 5, sizeof(uint));
        Codes = _memory;
    }

    ~HuffmanCode() => NativeHeap.Free(_memory);

    /// <summary>
    /// Per symbol the code, first bit lowest, shifted left by eight, and its length in the low byte;
    /// zero if the symbol has no code.
    /// </summary>
    public uint* Codes { get; }

    /// <summary>Length in bits of a symbol's code, 0 if it has none.</summary>
    public int LengthOf(int symbol) => (byte)Codes[symbol];

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeHeap.Free(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Builds the code for <paramref name="frequencies"/>[0..<paramref name="symbols"/>), each below 65,536, with no code
    /// longer than <paramref name="maxBits"/>. One or two symbols in use get one bit each.
    /// </summary>
    public void Generate(uint* frequencies, int symbols, int maxBits)
    {
        Debug.Assert(symbols <= MaxSymbols && maxBits <= MaxBits);
        uint* keys = _memory + MaxSymbols;
        int used = 0;
        for (int i = 0; i < symbols; i++)
        {
            // Branch-free collection: the slot is overwritten if the symbol is not in use.
            uint frequency = frequencies[i];
            keys[used] = (frequency << 9) | (uint)i;
            used += frequency != 0 ? 1 : 0;
            Codes[i] = 0;
        }
        if (used <= 2)
        {
            for (int i = 0; i < used; i++)
                Codes[keys[i] & 511] = ((uint)i << 8) | 1;
            return;
        }

        uint* sorted = Sort(keys, keys + MaxSymbols, used);
        uint* lengthCounts = stackalloc uint[MaxBits + 1];
        uint* scratch = sorted == keys ? keys + MaxSymbols : keys;
        if (!HuffmanLengths(sorted, used, maxBits, scratch, keys + 2 * MaxSymbols, lengthCounts))
            PackageMergeLengths(sorted, used, maxBits, lengthCounts);
        Assign(sorted, used, maxBits, lengthCounts, symbols);
    }

    /// <summary>Bits that <paramref name="frequencies"/> take in this code, extra bits apart; symbols without a code count nothing.</summary>
    public int BitLength(uint* frequencies, int symbols)
    {
        uint total = 0;
        for (int i = 0; i < symbols; i++)
            total += frequencies[i] * (byte)Codes[i];
        return (int)total;
    }

    /// <summary>True if every symbol in use has a code.</summary>
    public bool CanEncode(uint* frequencies, int symbols)
    {
        for (int i = 0; i < symbols; i++)
        {
            if (frequencies[i] != 0 && Codes[i] == 0)
                return false;
        }
        return true;
    }

    /// <summary>Makes this the fixed literal and length code of RFC 1951 3.2.6.</summary>
    public void SetFixedLiteral()
    {
        for (uint symbol = 0; symbol < DeflateTables.LiteralSymbols; symbol++)
        {
            (uint code, uint length) = symbol switch
            {
                < 144 => (symbol + 0x30, 8u),
                < 256 => (symbol - 144 + 0x190, 9u),
                < 280 => (symbol - 256, 7u),
                _ => (symbol - 280 + 0xC0, 8u),
            };
            Codes[symbol] = (Reverse(code, (int)length) << 8) | length;
        }
    }

    /// <summary>Makes this the fixed distance code of RFC 1951 3.2.6.</summary>
    public void SetFixedDistance()
    {
        for (uint symbol = 0; symbol < DeflateTables.DistanceSymbols; symbol++)
            Codes[symbol] = (Reverse(symbol, 5) << 8) | 5;
    }

    /// <summary>
    /// Number of codes of each length by package-merge, for symbols sorted by frequency; the reference that
    /// <see cref="HuffmanLengths"/> abbreviates.
    /// </summary>
    /// <param name="sorted">Keys as in <see cref="Generate"/>, ascending; at least three.</param>
    /// <param name="lengthCounts">Receives, per length 1 to <paramref name="maxBits"/>, how many symbols have it.</param>
    internal static void PackageMergeLengths(uint* sorted, int used, int maxBits, uint* lengthCounts)
    {
        // A tree of n leaves is at most n-1 deep: fewer levels change nothing.
        maxBits = int.Min(maxBits, used - 1);
        int wanted = 2 * used - 2;
        uint* previous = stackalloc uint[2 * MaxSymbols];
        uint* current = stackalloc uint[2 * MaxSymbols];
        ulong* isPackage = stackalloc ulong[(MaxBits + 1) * 9];
        new Span<ulong>(isPackage, (MaxBits + 1) * 9).Clear();

        int previousCount = used;
        for (int i = 0; i < used; i++)
            previous[i] = sorted[i] >> 9;
        for (int level = 1; level < maxBits; level++)
        {
            ulong* flags = isPackage + level * 9;
            int leaf = 0, pair = 0, count = 0;
            int pairs = previousCount / 2;
            while (count < wanted && (leaf < used || pair < pairs))
            {
                uint package = pair < pairs ? previous[2 * pair] + previous[2 * pair + 1] : uint.MaxValue;
                if (leaf < used && sorted[leaf] >> 9 < package)
                {
                    current[count++] = sorted[leaf++] >> 9;
                }
                else
                {
                    flags[count >> 6] |= 1UL << (count & 63);
                    current[count++] = package;
                    pair++;
                }
            }
            uint* swap = previous;
            previous = current;
            current = swap;
            previousCount = count;
        }

        // From the last list down: a leaf taken at a level is one bit more for that symbol.
        new Span<uint>(lengthCounts, MaxBits + 1).Clear();
        int take = wanted;
        int leavesAbove = 0;
        for (int level = maxBits - 1, bits = 0; level >= 0; level--, bits++)
        {
            ulong* flags = isPackage + level * 9;
            int packages = 0;
            for (int i = 0; i < take; i++)
                packages += (int)(flags[i >> 6] >> (i & 63)) & 1;
            int leaves = take - packages;
            if (bits > 0)
                lengthCounts[bits] = (uint)(leavesAbove - leaves);
            leavesAbove = leaves;
            take = 2 * packages;
        }
        lengthCounts[maxBits] = (uint)leavesAbove;
    }

    /// <summary>
    /// The same by Huffman's algorithm with two queues. False, and nothing decided, if a code would be longer
    /// than <paramref name="maxBits"/>.
    /// </summary>
    internal static bool HuffmanLengths(uint* sorted, int used, int maxBits, uint* weights, uint* parents, uint* lengthCounts)
    {
        // Internal node i has weight weights[i]; the root is the last. A package wins a tie against a leaf.
        int leaf = 0, node = 0, root = used - 2;
        uint leafWeight = sorted[0] >> 9;
        for (int made = 0; made <= root; made++)
        {
            uint sum = 0;
            for (int half = 0; half < 2; half++)
            {
                if (leaf < used && (node >= made || leafWeight < weights[node]))
                {
                    sum += leafWeight;
                    leaf++;
                    if (leaf < used)
                        leafWeight = sorted[leaf] >> 9;
                }
                else
                {
                    sum += weights[node];
                    parents[node++] = (uint)made;
                }
            }
            weights[made] = sum;
        }

        // Depth of every internal node from the root down, then what is left of each level are leaves.
        uint* internals = stackalloc uint[MaxBits + 2];
        new Span<uint>(internals, MaxBits + 2).Clear();
        weights[root] = 0;
        internals[0] = 1;
        for (int i = root - 1; i >= 0; i--)
        {
            uint depth = weights[parents[i]] + 1;
            if (depth >= maxBits)
                return false;
            weights[i] = depth;
            internals[depth]++;
        }
        lengthCounts[0] = 0;
        for (int bits = 1; bits <= maxBits; bits++)
            lengthCounts[bits] = 2 * internals[bits - 1] - internals[bits];
        return true;
    }

    /// <summary>Sorts keys by frequency, keeping symbol order among equals. Returns whichever array the result is in.</summary>
    private static uint* Sort(uint* keys, uint* other, int count)
    {
        uint* low = stackalloc uint[512];
        uint* high = low + 256;
        new Span<uint>(low, 512).Clear();
        uint all = 0;
        for (int i = 0; i < count; i++)
        {
            uint key = keys[i];
            all |= key;
            low[(byte)(key >> 9)]++;
            high[(byte)(key >> 17)]++;
        }
        Scatter(keys, other, count, low, 9);
        if (all >> 17 == 0)
            return other;
        Scatter(other, keys, count, high, 17);
        return keys;
    }

    private static void Scatter(uint* source, uint* target, int count, uint* buckets, int shift)
    {
        uint next = 0;
        for (int i = 0; i < 256; i++)
        {
            uint size = buckets[i];
            buckets[i] = next;
            next += size;
        }
        for (int i = 0; i < count; i++)
        {
            uint key = source[i];
            target[buckets[(byte)(key >> shift)]++] = key;
        }
    }

    private void Assign(uint* sorted, int used, int maxBits, uint* lengthCounts, int symbols)
    {
        // Rare symbols first in the list, so the longest codes first.
        int at = 0;
        for (int bits = maxBits; bits > 0; bits--)
        {
            for (uint n = lengthCounts[bits]; n > 0; n--)
                Codes[sorted[at++] & 511] = (uint)bits;
        }
        Debug.Assert(at == used);

        uint* next = stackalloc uint[MaxBits + 1];
        uint code = 0;
        next[0] = 0;
        for (int bits = 1; bits <= maxBits; bits++)
        {
            code = (code + (bits == 1 ? 0 : lengthCounts[bits - 1])) << 1;
            next[bits] = code;
        }
        for (int i = 0; i < symbols; i++)
        {
            int bits = (int)Codes[i];
            if (bits != 0)
                Codes[i] = (Reverse(next[bits]++, bits) << 8) | (uint)bits;
        }
    }

    /// <summary>The low <paramref name="bits"/> (1 to 15) bits of <paramref name="code"/> in reverse.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Reverse(uint code, int bits)
    {
        uint v = code << (32 - bits);
        v = ((v >> 1) & 0x55555555) | ((v & 0x55555555) << 1);
        v = ((v >> 2) & 0x33333333) | ((v & 0x33333333) << 2);
        v = ((v >> 4) & 0x0F0F0F0F) | ((v & 0x0F0F0F0F) << 4);
        return BinaryPrimitives.ReverseEndianness(v);
    }
}
