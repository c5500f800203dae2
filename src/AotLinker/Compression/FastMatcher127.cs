using System.Runtime.CompilerServices;

namespace AotLinker.Compression;

/// <summary>
/// Level 1 of Go 1.27 (<c>fastEncL1</c>): one table of the last position per hash of five bytes. Every second position is
/// tried at first, ever fewer the longer nothing matches.
/// </summary>
internal sealed unsafe class FastMatcher127 : BlockMatcher
{
    private const int TableBits = 15;
    private const int TryEvery = 2;
    private const int SkipLog = 5;

    /// <summary>No search starts in the last bytes of a block: eight are loaded at once.</summary>
    private const int Margin = 11;

    public FastMatcher127() : base(1 << TableBits)
    {
    }

    /// <inheritdoc/>
    /// <remarks>Half of all places in DWARF need no more; a few need thirty.</remarks>
    public override int WarmUpBlocks => 4;

    /// <inheritdoc/>
    public override void Find(byte* origin, nuint start, nuint end, TokenBlock tokens)
    {
        nuint limit = end - Margin;
        var search = new Search { Origin = origin, Table = Table, Limit = limit };
        byte* literal = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        uint* counts = tokens.Counts;
        nuint emitted = start;
        nuint s = start;
        ulong here = Load(origin + s);

        while ((s = search.Next(s, emitted, here)) != 0)
        {
            nuint t = search.Candidate;
            uint* table = search.Table;
            while (true)
            {
                nuint distance = s - t;
                nuint length = 4 + MatchLength(origin + s + 4, origin + t + 4, origin + end);
                nuint back = BackwardLength(origin, s, t, emitted);
                s -= back;
                length += back;
                nuint run = s - emitted;
                TokenBlock.CopyLiterals(literal, origin + emitted, run, origin + end);
                literal += run;
                sequence = TokenBlock.AppendMatch(sequence, counts, run, length, (uint)distance - 1);

                s += length;
                emitted = s;
                if (search.Following >= s)
                    s = search.Following + 1;
                if (s >= limit)
                {
                    if (s + length + 8 < end)
                        table[Hash(Load(origin + s))] = (uint)s;
                    goto rest;
                }

                ulong around = Load(origin + s - 2);
                table[Hash(around)] = (uint)s - 2;
                around >>= 16;
                uint hash = Hash(around);
                t = table[hash];
                table[hash] = (uint)s;
                if (!IsMatch(origin, s, t, (uint)around, DeflateTables.WindowSize))
                {
                    here = around >> 8;
                    s++;
                    break;
                }
            }
        }

    rest:
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* address) => *(ulong*)address;

    /// <summary>Hash of the five low bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(ulong value) => (uint)((value * (889523592379UL << 24)) >> (64 - TableBits));

    /// <summary>The search for the next match, apart from all else so that its loop runs in registers.</summary>
    private struct Search
    {
        public byte* Origin;
        public uint* Table;

        /// <summary>Where no search starts any more.</summary>
        public nuint Limit;

        /// <summary>What the match found repeats.</summary>
        public nuint Candidate;

        /// <summary>The position that was to be tried next.</summary>
        public nuint Following;

        /// <summary>
        /// Position of the next match from <paramref name="s"/> on, with <paramref name="here"/> its five bytes or more; 0 if there is none
        /// before the limit.
        /// </summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        public nuint Next(nuint s, nuint emitted, ulong here)
        {
            byte* origin = Origin;
            uint* table = Table;
            while (true)
            {
                uint hash = Hash(here);
                nuint t = table[hash];
                nuint next = s + TryEvery + ((s - emitted) >> SkipLog);
                if (next > Limit)
                    return 0;
                ulong there = Load(origin + next);
                table[hash] = (uint)s;
                hash = Hash(there);
                if (IsMatch(origin, s, t, (uint)here, DeflateTables.WindowSize - 1))
                {
                    table[hash] = (uint)next;
                    Candidate = t;
                    Following = next;
                    return s;
                }

                // The position after it shares the load.
                here = there >> 8;
                s = next++;
                t = table[hash];
                table[hash] = (uint)s;
                if (IsMatch(origin, s, t, (uint)there, DeflateTables.WindowSize - 1))
                {
                    // Go files the next position under this position's hash here; so must we.
                    table[hash] = (uint)next;
                    Candidate = t;
                    Following = next;
                    return s;
                }
                s = next;
            }
        }
    }
}
