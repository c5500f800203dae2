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

    /// <summary>Farthest distance that is looked at.</summary>
    private const nuint Reach = DeflateTables.WindowSize - 1;

    /// <summary>The short table, then the long one with two entries for each hash.</summary>
    public RepeatMatcher127() : base(3 << TableBits)
    {
    }

    /// <inheritdoc/>
    public override int WarmUpBlocks => 2;

    /// <inheritdoc/>
    public override void Find(byte* origin, nuint start, nuint end, TokenBlock tokens)
    {
        nuint limit = end - Margin;
        var search = new Search { Origin = origin, Shorts = Table, Longs = (ulong*)(Table + (1 << TableBits)), Limit = limit };
        byte* literal = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        uint* counts = tokens.Counts;
        nuint emitted = start;
        nuint s = start;
        nuint repeat = 1;

        while ((s = search.Next(s, emitted)) != 0)
        {
            nuint t = Choose(ref search, ref s, repeat, end, out nuint length);
            if (length == 0)
                length = 4 + MatchLength(origin + s + 4, origin + t + 4, origin + end);
            else if (length == DeflateTables.MaxMatch)
                length += MatchLength(origin + s + length, origin + t + length, origin + end);

            // What the bytes behind the match were preceded by may match more of it.
            if (s + length < limit)
            {
                ulong candidates = search.Longs[LongHash(Load(origin, s + length))];
                nuint from = s + LaterStart;
                for (int i = 0; i < 2; i++, candidates >>= 32)
                {
                    // Both are measured back by the length as it is now, but from the start as it was.
                    nuint early = (uint)candidates - length + LaterStart;
                    if (!MayBeLonger(origin, from, early, length))
                        continue;
                    nuint found = MatchLength(origin + from, origin + early, origin + end);
                    if (found > length)
                    {
                        t = early;
                        length = found;
                        s = from;
                    }
                }
            }

            repeat = s - t;
            nuint back = BackwardLength(origin, s, t, emitted);
            s -= back;
            length += back;
            nuint run = s - emitted;
            TokenBlock.CopyLiterals(literal, origin + emitted, run, origin + end);
            literal += run;
            sequence = TokenBlock.AppendMatch(sequence, counts, run, length, (uint)repeat - 1);
            s += length;
            emitted = s;
            nuint next = search.Following;
            if (next >= s)
                s = next + 1;
            if (s >= limit)
            {
                search.FileEnd(next + 1, end - 8);
                break;
            }
            search.FileMatch(next + 1, s - 1);
        }

        nuint tail = end - emitted;
        // Without a single match there are no tokens at all: the block will be stored.
        if (sequence != tokens.Sequences)
        {
            Unsafe.CopyBlockUnaligned(literal, origin + emitted, (uint)tail);
            literal += tail;
        }
        tokens.LiteralCount = (int)(literal - tokens.Literals);
        tokens.SequenceCount = (int)(sequence - tokens.Sequences);
    }

    /// <summary>
    /// Picks among the candidates that a search stopped at. Returns the position to repeat; <paramref name="s"/> may move on by one step,
    /// and <paramref name="length"/> is 0 where Go has not measured it yet.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Choose(ref Search search, ref nuint s, nuint repeat, nuint end, out nuint length)
    {
        byte* origin = search.Origin;
        nuint next = search.Following;
        ulong there = Load(origin, next);
        search.Shorts[ShortHash(there)] = (uint)next;
        ref ulong entry = ref search.Longs[LongHash(there)];
        ulong laterCandidates = entry;
        entry = (laterCandidates << 32) | (uint)next;

        length = 0;
        if (search.NewestMatches)
        {
            nuint newest = search.Newest;
            if (!search.OlderMatches)
                return newest;
            length = LimitedLength(origin, s, newest, end);
            nuint olderLength = LimitedLength(origin, s, search.Older, end);
            if (olderLength <= length)
                return newest;
            length = olderLength;
            return search.Older;
        }
        if (search.OlderMatches)
            return search.Older;

        nuint t = search.Short;
        length = LimitedLength(origin, s, t, end);

        // The last match's distance again, one byte on.
        nuint again = s - repeat + 1;
        if (*(uint*)(origin + again) == *(uint*)(origin + s + 1))
        {
            nuint againLength = LimitedLength(origin, s + 1, again, end);
            if (againLength > length)
            {
                length = againLength;
                s++;
                return again;
            }
        }

        // A long match from the next position.
        nuint start = s;
        for (int i = 0; i < 2; i++, laterCandidates >>= 32)
        {
            nuint later = (uint)laterCandidates;
            if (!IsMatch(origin, next, later, (uint)there, Reach))
                continue;
            nuint laterLength = LimitedLength(origin, next, later, end);
            if (laterLength > length)
            {
                t = later;
                start = next;
                length = laterLength;
            }
        }
        s = start;
        return t;
    }

    /// <summary>
    /// False if a match from <paramref name="from"/> with <paramref name="early"/> cannot be longer than
    /// <paramref name="length"/>: it is out of reach, or differs in the last bytes that it would have to share.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool MayBeLonger(byte* origin, nuint from, nuint early, nuint length)
    {
        nint distance = (nint)(from - early);
        nuint outside = SignMask(((nint)Reach - distance) | (distance - 1) | ((nint)early - (nint)FirstPosition));
        byte* last = origin + from + length - 3;
        return ((*(uint*)(last - (nint)((nuint)distance & ~outside)) ^ *(uint*)last) | (uint)outside) == 0;
    }

    /// <summary>Length of a match known to be four bytes long, up to the format's longest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint LimitedLength(byte* origin, nuint s, nuint t, nuint end) =>
        4 + MatchLength(origin + s + 4, origin + t + 4, origin + nuint.Min(s + DeflateTables.MaxMatch, end));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* origin, nuint position) => *(ulong*)(origin + position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint ShortHash(ulong value) => ((uint)value * 2654435761) >> (32 - TableBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LongHash(ulong value) => (uint)((value * unchecked(58295818150454627UL << 8)) >> (64 - TableBits));

    /// <summary>The search for the next match and the filing of positions: loops that are to run in registers.</summary>
    private struct Search
    {
        public byte* Origin;
        public uint* Shorts;

        /// <summary>Newest position in the low half.</summary>
        public ulong* Longs;

        /// <summary>Where no search starts any more.</summary>
        public nuint Limit;

        /// <summary>The position that was to be tried next.</summary>
        public nuint Following;

        /// <summary>Candidates where the search stopped, and which of them match. If neither of the first two does, the third does.</summary>
        public nuint Newest, Older, Short;
        public bool NewestMatches, OlderMatches;

        /// <summary>Position of the next match from <paramref name="s"/> on; 0 if there is none before the limit.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        public nuint Next(nuint s, nuint emitted)
        {
            byte* origin = Origin;
            uint* shorts = Shorts;
            ulong* longs = Longs;
            while (true)
            {
                nuint next = s + 1 + ((s - emitted) >> SkipLog);
                if (next > Limit)
                    return 0;
                ulong here = Load(origin, s);
                ref uint shortEntry = ref shorts[ShortHash(here)];
                ref ulong longEntry = ref longs[LongHash(here)];
                nuint shortCandidate = shortEntry;
                ulong longCandidates = longEntry;
                shortEntry = (uint)s;
                longEntry = (longCandidates << 32) | (uint)s;

                // One branch for all three, for most positions match nothing.
                uint newest = Mismatch(origin, s, (uint)longCandidates, (uint)here, Reach);
                uint older = Mismatch(origin, s, (nuint)(longCandidates >> 32), (uint)here, Reach);
                uint @short = Mismatch(origin, s, shortCandidate, (uint)here, Reach);
                if ((newest == 0) | (older == 0) | (@short == 0))
                {
                    Following = next;
                    Newest = (uint)longCandidates;
                    Older = (nuint)(longCandidates >> 32);
                    Short = shortCandidate;
                    NewestMatches = newest == 0;
                    OlderMatches = older == 0;
                    return s;
                }
                s = next;
            }
        }

        /// <summary>Files the inside of a match: every position by seven bytes, every second by four.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        public readonly void FileMatch(nuint from, nuint to)
        {
            byte* origin = Origin;
            uint* shorts = Shorts;
            ulong* longs = Longs;
            for (; from < to; from += 2)
            {
                ulong value = Load(origin, from);
                shorts[ShortHash(value)] = (uint)from;
                ref ulong first = ref longs[LongHash(value)];
                first = (first << 32) | (uint)from;
                ref ulong second = ref longs[LongHash(value >> 8)];
                second = (second << 32) | (uint)(from + 1);
            }
        }

        /// <summary>Files every second position behind the last match of a block.</summary>
        public readonly void FileEnd(nuint from, nuint to)
        {
            for (; from < to; from += 2)
            {
                ulong value = Load(Origin, from);
                Shorts[ShortHash(value)] = (uint)from;
                ref ulong entry = ref Longs[LongHash(value)];
                entry = (entry << 32) | (uint)from;
            }
        }
    }
}
