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
        ulong here = Load(origin + s);

        while (true)
        {
            nuint next;
            nuint t;
            while (true)
            {
                uint hash = Hash(here);
                t = table[hash];
                next = s + TryEvery + ((s - emitted) >> SkipLog);
                if (next > limit)
                    goto rest;
                ulong there = Load(origin + next);
                table[hash] = (uint)s;
                hash = Hash(there);
                if (s - t < DeflateTables.WindowSize && *(uint*)(origin + t) == (uint)here)
                {
                    table[hash] = (uint)next;
                    break;
                }

                // The position after it shares the load.
                here = there;
                s = next++;
                t = table[hash];
                there >>= 8;
                table[hash] = (uint)s;
                if (s - t < DeflateTables.WindowSize && *(uint*)(origin + t) == (uint)here)
                {
                    // Go files the next position under this position's hash here; so must we.
                    table[hash] = (uint)next;
                    break;
                }
                here = there;
                s = next;
            }

            while (true)
            {
                nuint length = 4 + MatchLength(origin + s + 4, origin + t + 4, endAddress);
                nuint distance = s - t;
                while (t > FirstPosition && s > emitted && origin[t - 1] == origin[s - 1])
                {
                    s--;
                    t--;
                    length++;
                }
                nuint run = s - emitted;
                TokenBlock.CopyLiterals(literal, origin + emitted, run, endAddress);
                literal += run;
                sequence = TokenBlock.AppendMatch(sequence, counts, run, length, (uint)distance - 1);

                s += length;
                emitted = s;
                if (next >= s)
                    s = next + 1;
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
                if (s - t > DeflateTables.WindowSize || *(uint*)(origin + t) != (uint)around)
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
    private static uint Hash(ulong value) => (uint)(((value << 24) * 889523592379) >> (64 - TableBits));
}
