using System.Runtime.CompilerServices;

namespace AotLinker.Compression;

/// <summary>
/// Level 6 of Go 1.27 (<c>fastEncL6</c>): a table of the last position per hash of four bytes, one of the last two per hash
/// of seven, every position tried, and a second look from each match's end for something longer.
/// </summary>
internal sealed unsafe class RepeatMatcher127 : BlockMatcher
{
    private const int TableBits = 15;
    private const int SkipLog = 7;
    private const int Margin = 11;

    /// <summary>How far into a match a longer one may begin.</summary>
    private const int LaterStart = 2;

    private const nint Reach = DeflateTables.WindowSize;

    /// <summary>The short table, then the long one with two entries for each hash.</summary>
    public RepeatMatcher127() : base(3 << TableBits)
    {
    }

    /// <inheritdoc/>
    public override void Find(byte* origin, nuint start, nuint end, TokenBlock tokens)
    {
        uint* shorts = Table;
        // Newest position in the low half.
        ulong* longs = (ulong*)(Table + (1 << TableBits));
        byte* literal = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        uint* counts = tokens.Counts;
        byte* endAddress = origin + end;
        nint limit = (nint)end - Margin;
        nint emitted = (nint)start;
        nint s = (nint)start;
        ulong here = Load(origin, s);
        nint repeat = 1;

        while (true)
        {
            nint next = s;
            nint length = 0;
            nint t;
            while (true)
            {
                uint shortHash = ShortHash(here);
                uint longHash = LongHash(here);
                s = next;
                next = s + 1 + ((s - emitted) >> SkipLog);
                if (next > limit)
                    goto rest;
                nint shortCandidate = (nint)shorts[shortHash];
                ulong longCandidates = longs[longHash];
                ulong there = Load(origin, next);
                shorts[shortHash] = (uint)s;
                longs[longHash] = Push(longCandidates, s);
                shortHash = ShortHash(there);
                longHash = LongHash(there);

                t = Newest(longCandidates);
                if (s - t < Reach)
                {
                    nint older = Older(longCandidates);
                    bool olderMatches = s - older < Reach && StartsWith(origin, older, (uint)here);
                    if (StartsWith(origin, t, (uint)here))
                    {
                        shorts[shortHash] = (uint)next;
                        longs[longHash] = Push(longs[longHash], next);
                        if (olderMatches)
                        {
                            length = LimitedLength(origin, s, t, end);
                            nint olderLength = LimitedLength(origin, s, older, end);
                            if (olderLength > length)
                            {
                                t = older;
                                length = olderLength;
                            }
                        }
                        break;
                    }
                    if (olderMatches)
                    {
                        t = older;
                        shorts[shortHash] = (uint)next;
                        longs[longHash] = Push(longs[longHash], next);
                        break;
                    }
                }

                t = shortCandidate;
                if (s - t < Reach && StartsWith(origin, t, (uint)here))
                {
                    length = LimitedLength(origin, s, t, end);
                    longCandidates = longs[longHash];
                    shorts[shortHash] = (uint)next;
                    longs[longHash] = Push(longCandidates, next);

                    // The last match's distance again, one byte on.
                    nint again = s - repeat + 1;
                    if (StartsWith(origin, again, (uint)(here >> 8)))
                    {
                        nint againLength = LimitedLength(origin, s + 1, again, end);
                        if (againLength > length)
                        {
                            t = again;
                            length = againLength;
                            s++;
                            break;
                        }
                    }

                    // A long match from the next position.
                    nint later = Newest(longCandidates);
                    if (next - later < Reach)
                    {
                        nint from = s;
                        if (StartsWith(origin, later, (uint)there))
                        {
                            nint laterLength = LimitedLength(origin, next, later, end);
                            if (laterLength > length)
                            {
                                t = later;
                                from = next;
                                length = laterLength;
                            }
                        }
                        later = Older(longCandidates);
                        if (next - later < Reach && StartsWith(origin, later, (uint)there))
                        {
                            nint laterLength = LimitedLength(origin, next, later, end);
                            if (laterLength > length)
                            {
                                t = later;
                                from = next;
                                length = laterLength;
                            }
                        }
                        s = from;
                    }
                    break;
                }
                here = there;
            }

            if (length == 0)
                length = 4 + Length(origin, s + 4, t + 4, endAddress);
            else if (length == DeflateTables.MaxMatch)
                length += Length(origin, s + length, t + length, endAddress);

            nint after = s + length;
            if (after < limit)
            {
                // What the bytes behind the match were preceded by may match more of it.
                ulong candidates = longs[LongHash(Load(origin, after))];
                nint from = s + LaterStart;
                nint early = Newest(candidates) - length + LaterStart;
                nint distance = from - early;
                if (distance < Reach)
                {
                    if (distance > 0 && early >= FirstPosition)
                    {
                        nint found = Length(origin, from, early, endAddress);
                        if (found > length)
                        {
                            t = early;
                            length = found;
                            s = from;
                        }
                    }
                    // Measured back by the length as it is now, but from the start as it was.
                    early = Older(candidates) - length + LaterStart;
                    distance = from - early;
                    if (distance > 0 && distance < Reach && early >= FirstPosition)
                    {
                        nint found = Length(origin, from, early, endAddress);
                        if (found > length)
                        {
                            t = early;
                            length = found;
                            s = from;
                        }
                    }
                }
            }

            nint matchDistance = s - t;
            while (t > FirstPosition && s > emitted && origin[t - 1] == origin[s - 1])
            {
                s--;
                t--;
                length++;
            }
            nuint run = (nuint)(s - emitted);
            TokenBlock.CopyLiterals(literal, origin + emitted, run, endAddress);
            literal += run;
            sequence = TokenBlock.AppendMatch(sequence, counts, run, (nuint)length, (uint)matchDistance - 1);
            repeat = matchDistance;
            s += length;
            emitted = s;
            if (next >= s)
                s = next + 1;

            if (s >= limit)
            {
                for (nint i = next + 1; i < (nint)end - 8; i += 2)
                {
                    ulong value = Load(origin, i);
                    shorts[ShortHash(value)] = (uint)i;
                    ref ulong entry = ref longs[LongHash(value)];
                    entry = Push(entry, i);
                }
                goto rest;
            }
            for (nint i = next + 1; i < s - 1; i += 2)
            {
                ulong value = Load(origin, i);
                shorts[ShortHash(value)] = (uint)i;
                ref ulong first = ref longs[LongHash(value)];
                first = Push(first, i);
                ref ulong second = ref longs[LongHash(value >> 8)];
                second = Push(second, i + 1);
            }
            here = Load(origin, s);
        }

    rest:
        nuint tail = end - (nuint)emitted;
        // Without a single match there are no tokens at all: the block will be stored.
        if (sequence != tokens.Sequences)
        {
            Unsafe.CopyBlockUnaligned(literal, origin + emitted, (uint)tail);
            literal += tail;
        }
        tokens.LiteralCount = (int)(literal - tokens.Literals);
        tokens.SequenceCount = (int)(sequence - tokens.Sequences);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Length(byte* origin, nint s, nint t, byte* end) => (nint)MatchLength(origin + s, origin + t, end);

    /// <summary>Length of a match known to be four bytes long, up to the format's longest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint LimitedLength(byte* origin, nint s, nint t, nuint end) =>
        4 + Length(origin, s + 4, t + 4, origin + nint.Min(s + DeflateTables.MaxMatch, (nint)end));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* origin, nint position) => *(ulong*)(origin + position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool StartsWith(byte* origin, nint position, uint value) => *(uint*)(origin + position) == value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Newest(ulong entry) => (nint)(uint)entry;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Older(ulong entry) => (nint)(entry >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Push(ulong entry, nint position) => (entry << 32) | (uint)position;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint ShortHash(ulong value) => ((uint)value * 2654435761) >> (32 - TableBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LongHash(ulong value) => (uint)(((value << 8) * 58295818150454627) >> (64 - TableBits));
}
