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
    /// <remarks>Search and match are one loop that calls nothing: what has to survive a call would be in memory, not in registers.</remarks>
    public override void Find(byte* origin, nuint start, nuint end, TokenBlock tokens)
    {
        nuint limit = end - Margin;
        uint* table = Table;
        byte* literal = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        uint* counts = tokens.Counts;
        nuint emitted = start;
        nuint s = start;

        while (true)
        {
            // The search for the next match.
            nuint t;
            nuint next;
            while (true)
            {
                nuint hash = Hash(origin + s);
                t = table[hash];
                next = s + TryEvery + ((s - emitted) >> SkipLog);
                if (next > limit)
                    goto rest;
                table[hash] = (uint)s;
                hash = Hash(origin + next);
                if (IsMatch(origin, s, t, DeflateTables.WindowSize - 1))
                {
                    table[hash] = (uint)next;
                    break;
                }

                s = next++;
                t = table[hash];
                table[hash] = (uint)s;
                if (IsMatch(origin, s, t, DeflateTables.WindowSize - 1))
                {
                    // Go files the next position under this position's hash here; so must we.
                    table[hash] = (uint)next;
                    break;
                }
                s = next;
            }

            while (true)
            {
                nuint distance = s - t;
                nuint length = 4 + MatchLength(origin + s + 4, origin + t + 4, origin + limit + Margin);
                nuint back = BackwardLength(origin, s, t, emitted);
                s -= back;
                length += back;
                nuint run = s - emitted;
                TokenBlock.CopyLiterals(literal, origin + emitted, run, origin + limit + Margin);
                literal += run;
                sequence = TokenBlock.AppendMatch(sequence, counts, run, length, (uint)distance - 1);

                s += length;
                emitted = s;
                if (next >= s)
                    s = next + 1;
                if (s >= limit)
                {
                    if (s + length + 8 < limit + Margin)
                        table[Hash(origin + s)] = (uint)s;
                    goto rest;
                }

                table[Hash(origin + s - 2)] = (uint)s - 2;
                nuint hash = Hash(origin + s);
                t = table[hash];
                table[hash] = (uint)s;
                if (!IsMatch(origin, s, t, DeflateTables.WindowSize))
                {
                    s++;
                    break;
                }
            }
        }

    rest:
        nuint tail = limit + Margin - emitted;
        // Without a single match there are no tokens at all: the block will be stored.
        if (sequence != tokens.Sequences)
        {
            Unsafe.CopyBlockUnaligned(literal, origin + emitted, (uint)tail);
            literal += tail;
        }
        tokens.LiteralCount = (int)(literal - tokens.Literals);
        tokens.SequenceCount = (int)(sequence - tokens.Sequences);
    }

    /// <summary>Hash of five bytes; eight are read.</summary>
    /// <remarks>Bytes are read again rather than kept: the loop has no register to spare for them.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Hash(byte* at) => (nuint)((*(ulong*)at * (889523592379UL << 24)) >> (64 - TableBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsMatch(byte* origin, nuint s, nuint t, nuint reach) => IsMatch(origin, s, t, *(uint*)(origin + s), reach);
}
