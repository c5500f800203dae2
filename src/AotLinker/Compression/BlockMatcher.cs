using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// Finds the matches of one block after another. All that is carried from block to block is a table of
/// positions, and the 32 KiB of data before the block.
/// </summary>
/// <remarks>
/// Positions count bytes of the stream from <see cref="FirstPosition"/>, so that an entry never set, 0, is out of
/// reach of everything. They are 32 bits wide; <see cref="Rebase"/> makes room in the improbable stream of 4 GiB.
/// Data is addressed as <c>origin + position</c>, wherever the caller keeps it.
/// </remarks>
internal abstract unsafe class BlockMatcher : IDisposable
{
    /// <summary>Position of a stream's first byte: more than any distance from 0.</summary>
    public const uint FirstPosition = 0x10000;

    /// <summary>Bytes before the oldest byte of the window that may be read, though what they are does not matter.</summary>
    public const int LeadIn = 16;

    private readonly NativeArray<uint> _table;

    /// <param name="entries">Number of 32-bit positions in the table.</param>
    protected BlockMatcher(int entries)
    {
        _table = new NativeArray<uint>(entries);
        Table = _table.Base;
    }

    /// <summary>The positions, in whatever arrangement the derived type likes.</summary>
    protected uint* Table { get; }

    /// <summary>
    /// Blocks after which a matcher that started with nothing usually finds the same as one that knows all that came before
    /// (and must be checked, with <see cref="IsEquivalentTo"/>).
    /// </summary>
    public abstract int WarmUpBlocks { get; }

    /// <summary>The matcher of a family and level; null for the one encoder that does not work block by block.</summary>
    public static BlockMatcher? TryCreate(DeflateFamily family, DeflateLevel level) => (family, level) switch
    {
        (DeflateFamily.Go127, DeflateLevel.BestSpeed) => new FastMatcher127(),
        (DeflateFamily.Go127, DeflateLevel.Default) => new RepeatMatcher127(),
        (DeflateFamily.Go123, DeflateLevel.BestSpeed) => new FastMatcher123(),
        (DeflateFamily.Go123, DeflateLevel.Default) => null,
        _ => throw new ArgumentOutOfRangeException(nameof(level), $"no encoder for {family} at level {level}"),
    };

    /// <summary>As <see cref="TryCreate"/>, for callers that can only work block by block.</summary>
    public static BlockMatcher Create(DeflateFamily family, DeflateLevel level) =>
        TryCreate(family, level) ?? throw new ArgumentException($"{family} at level {level} does not work block by block");

    /// <summary>Forgets everything: the next block starts a stream.</summary>
    public void Reset() => Entries.Clear();

    /// <summary>
    /// Appends the matches and literals of [<paramref name="start"/>, <paramref name="end"/>) to an empty block. At least 128
    /// bytes; if the stream has so many, 32 KiB before them must be there, and <see cref="LeadIn"/> bytes more be readable.
    /// </summary>
    public abstract void Find(byte* origin, nuint start, nuint end, TokenBlock tokens);

    /// <summary>Makes every position <paramref name="delta"/> less; those that would fall below 0 are forgotten.</summary>
    public void Rebase(uint delta)
    {
        foreach (ref uint position in Entries)
            position = position > delta ? position - delta : 0;
    }

    /// <summary>
    /// True if both would find the same matches from <paramref name="position"/> on: entries agree where they are within reach.
    /// </summary>
    public bool IsEquivalentTo(BlockMatcher other, uint position)
    {
        // What is farther than the window is as good as not there.
        uint tooOld = position - DeflateTables.WindowSize - 1;
        ReadOnlySpan<uint> a = Entries, b = other.Entries;
        var limit = new Vector<uint>(tooOld);
        int i = 0;
        for (; i <= a.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (!Vector.EqualsAll(Vector.Max(new Vector<uint>(a[i..]), limit), Vector.Max(new Vector<uint>(b[i..]), limit)))
                return false;
        }
        return true;
    }

    /// <summary>Takes over the table of <paramref name="other"/>.</summary>
    public void CopyFrom(BlockMatcher other) => other.Entries.CopyTo(Entries);

    /// <inheritdoc/>
    public void Dispose() => _table.Dispose();

    /// <summary>
    /// True if <paramref name="t"/> lies at most <paramref name="reach"/> before <paramref name="s"/> and the four bytes
    /// there are <paramref name="here"/>, those at <paramref name="s"/>.
    /// </summary>
    /// <remarks>
    /// One branch for two conditions: an entry is as likely too old as not, and no predictor learns that. What is
    /// too far may not be in memory any more, so its place is taken by <paramref name="s"/> itself.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static bool IsMatch(byte* origin, nuint s, nuint t, uint here, nuint reach) => Mismatch(origin, s, t, here, reach) == 0;

    /// <summary>Zero if <see cref="IsMatch"/> holds; for callers that ask several at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static uint Mismatch(byte* origin, nuint s, nuint t, uint here, nuint reach)
    {
        nuint tooFar = SignMask((nint)(t + reach - s));
        return (*(uint*)(origin + (t + ((s - t) & tooFar))) ^ here) | (uint)tooFar;
    }

    /// <summary>All ones for a negative number, else zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static nuint SignMask(nint value) => (nuint)(value >> (8 * sizeof(nint) - 1));

    /// <summary>Bytes that agree from <paramref name="a"/> and <paramref name="b"/> on, not looking at or past <paramref name="aEnd"/>; <paramref name="b"/> lies before <paramref name="a"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static nuint MatchLength(byte* a, byte* b, byte* aEnd)
    {
        if (aEnd - a >= 2 * Vector128<byte>.Count && Vector128.IsHardwareAccelerated)
        {
            uint low = Vector128.Equals(Vector128.Load(a), Vector128.Load(b)).ExtractMostSignificantBits();
            uint high = Vector128.Equals(Vector128.Load(a + 16), Vector128.Load(b + 16)).ExtractMostSignificantBits();
            uint different = ~(low | (high << 16));
            if (different != 0)
                return (nuint)BitOperations.TrailingZeroCount(different);
        }
        return LongMatchLength(a, b, aEnd);
    }

    /// <summary>
    /// How far a match may be extended backwards: bytes that agree before <paramref name="s"/> and <paramref name="t"/>, no
    /// farther than <paramref name="emitted"/> or the start of the stream.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static nuint BackwardLength(byte* origin, nuint s, nuint t, nuint emitted)
    {
        if (t >= FirstPosition + sizeof(ulong))
        {
            ulong difference = *(ulong*)(origin + s - sizeof(ulong)) ^ *(ulong*)(origin + t - sizeof(ulong));
            if (difference != 0)
            {
                nint equal = BitOperations.LeadingZeroCount(difference) >> 3;
                nint excess = equal - (nint)(s - emitted);
                // The smaller of the two without a branch.
                return (nuint)(equal - (excess & ~(nint)SignMask(excess)));
            }
        }
        return LongBackwardLength(origin, s, t, emitted);
    }

    /// <summary>The same as <see cref="MatchLength"/>, for what is probably long or at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint LongMatchLength(byte* a, byte* b, byte* aEnd)
    {
        byte* start = a;
        for (; aEnd - a >= Vector128<byte>.Count; a += Vector128<byte>.Count, b += Vector128<byte>.Count)
        {
            uint equal = Vector128.Equals(Vector128.Load(a), Vector128.Load(b)).ExtractMostSignificantBits();
            if (equal != 0xFFFF)
                return (nuint)(a - start) + (nuint)BitOperations.TrailingZeroCount(~equal);
        }
        while (a < aEnd && *a == *b)
        {
            a++;
            b++;
        }
        return (nuint)(a - start);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint LongBackwardLength(byte* origin, nuint s, nuint t, nuint emitted)
    {
        nuint start = s;
        while (t > FirstPosition && s > emitted && origin[t - 1] == origin[s - 1])
        {
            s--;
            t--;
        }
        return start - s;
    }

    private Span<uint> Entries => _table.AsSpan();
}
