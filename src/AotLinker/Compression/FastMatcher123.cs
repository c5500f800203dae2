using System.Runtime.CompilerServices;

namespace AotLinker.Compression;

/// <summary>
/// Level 1 of Go 1.23 to 1.26 (<c>deflateFast</c>, after Snappy): one table of the last position per hash of four bytes.
/// After 32 bytes without a match every second position is tried, after 32 more every third, and so on.
/// </summary>
/// <remarks>
/// Go keeps the four bytes beside the position; they are read from the data here, which halves the table.
/// </remarks>
internal sealed unsafe class FastMatcher123 : BlockMatcher
{
    private const int TableBits = 14;
    private const int Margin = 15;

    public FastMatcher123() : base(1 << TableBits)
    {
    }

    /// <inheritdoc/>
    public override int WarmUpBlocks => 3;

    /// <inheritdoc/>
    public override void Find(byte* origin, nuint start, nuint end, TokenBlock tokens)
    {
        uint* table = Table;
        byte* literal = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        uint* counts = tokens.Counts;
        byte* endAddress = origin + end;
        nuint limit = end - Margin;
        nuint emitted = start;
        nuint s = start;
        uint here = Load(origin + s);

        while (true)
        {
            nuint skip = 32;
            nuint next = s;
            nuint t;
            uint hash = Hash(here);
            while (true)
            {
                s = next;
                nuint step = skip >> 5;
                next = s + step;
                skip += step;
                if (next > limit)
                    goto rest;
                t = table[hash];
                uint there = Load(origin + next);
                table[hash] = (uint)s;
                hash = Hash(there);
                if (IsMatch(origin, s, t, here, DeflateTables.WindowSize))
                    break;
                here = there;
            }

            nuint run = s - emitted;
            TokenBlock.CopyLiterals(literal, origin + emitted, run, endAddress);
            literal += run;
            while (true)
            {
                byte* matchEnd = origin + nuint.Min(s + DeflateTables.MaxMatch, end);
                nuint length = 4 + MatchLength(origin + s + 4, origin + t + 4, matchEnd);
                *sequence++ = TokenBlock.Sequence(counts, run, (uint)length - DeflateTables.MinMatch, (uint)(s - t) - 1);
                run = 0;
                s += length;
                emitted = s;
                if (s >= limit)
                    goto rest;

                ulong around = *(ulong*)(origin + s - 1);
                table[Hash((uint)around)] = (uint)s - 1;
                around >>= 8;
                hash = Hash((uint)around);
                t = table[hash];
                table[hash] = (uint)s;
                if (!IsMatch(origin, s, t, (uint)around, DeflateTables.WindowSize))
                {
                    here = (uint)(around >> 8);
                    s++;
                    break;
                }
            }
        }

    rest:
        nuint tail = end - emitted;
        Unsafe.CopyBlockUnaligned(literal, origin + emitted, (uint)tail);
        tokens.LiteralCount = (int)(literal + tail - tokens.Literals);
        tokens.SequenceCount = (int)(sequence - tokens.Sequences);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Load(byte* address) => *(uint*)address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(uint value) => (value * 0x1e35a7bd) >> (32 - TableBits);
}
