using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// What a match finder hands to a block writer: the literals of one block back to back, and one 64-bit
/// sequence per match that says how many of them stand before it. Frequencies of all symbols come along,
/// for the decision how to write the block needs nothing else.
/// </summary>
/// <remarks>
/// A sequence is <c>literals before (16 bits) | length-3 (8) | distance-1 (15, from bit 24) | distance code (5, from bit 40)</c>.
/// Literals after the last match have no sequence. The arrays are plain memory: a block of 65,535 bytes
/// is filled and drained in about 0.2 ms, and nothing in here should cost a bounds check.
/// </remarks>
internal sealed unsafe class TokenBlock : IDisposable
{
    /// <summary>Most literals in a block.</summary>
    public const int MaxLiterals = DeflateTables.MaxStored;

    /// <summary>
    /// Most sequences in a block. No match is shorter than four bytes save the tail of one cut at 258,
    /// so 65,535 bytes hold fewer than this; the lazy matcher stops at this many tokens of either kind.
    /// </summary>
    public const int MaxSequences = 16384;

    /// <summary>Where the distance frequencies start in <see cref="Counts"/>.</summary>
    public const int FirstDistance = 288;

    /// <summary>Entries of <see cref="Counts"/>.</summary>
    public const int CountEntries = FirstDistance + 32;

    private const int CopyStride = 16;
    private const int Slack = 64;

    private readonly NativeArray<byte> _memory;

    public TokenBlock()
    {
        _memory = new NativeArray<byte>(MaxSequences * sizeof(ulong) + CountEntries * sizeof(uint) + MaxLiterals + Slack);
        Sequences = (ulong*)_memory.Base;
        Counts = (uint*)(Sequences + MaxSequences);
        Literals = (byte*)(Counts + CountEntries);
    }

    /// <summary>The literals; some bytes past the end may be written and read as scratch.</summary>
    public byte* Literals { get; }

    /// <summary>The sequences.</summary>
    public ulong* Sequences { get; }

    /// <summary>
    /// Frequencies: literals at 0, end of block at 256 (left to the writer), length codes from 257,
    /// distance codes from <see cref="FirstDistance"/>. Literals count once <see cref="CountLiterals"/> ran.
    /// </summary>
    public uint* Counts { get; }

    /// <summary>Literals in the block.</summary>
    public int LiteralCount { get; set; }

    /// <summary>Sequences in the block.</summary>
    public int SequenceCount { get; set; }

    /// <summary>Tokens as Go counts them: literals and matches.</summary>
    public int TokenCount => LiteralCount + SequenceCount;

    /// <summary>Empties the block.</summary>
    public void Reset()
    {
        LiteralCount = 0;
        SequenceCount = 0;
        NativeMemory.Clear(Counts, CountEntries * sizeof(uint));
    }

    /// <summary>
    /// Copies <paramref name="count"/> literals. Reads in strides of 16 bytes, but never at or past
    /// <paramref name="sourceEnd"/>, which may be the end of a mapping.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyLiterals(byte* target, byte* source, nuint count, byte* sourceEnd)
    {
        // What is left of the source bounds the strides; a call would cost its callers' loops their registers.
        for (; sourceEnd - source >= CopyStride; source += CopyStride, target += CopyStride)
        {
            Unsafe.CopyBlockUnaligned(target, source, CopyStride);
            if (count <= CopyStride)
                return;
            count -= CopyStride;
        }
        for (; count > 0; count--)
            *target++ = *source++;
    }

    /// <summary>Packs one match with the literals before it and counts its codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Sequence(uint* counts, nuint literals, uint lengthLess3, uint distanceLess1)
    {
        uint code = DeflateTables.DistanceCode(distanceLess1);
        counts[FirstDistance + code]++;
        counts[DeflateTables.FirstLength + LengthCodeOf(lengthLess3)]++;
        return literals | ((ulong)lengthLess3 << 16) | ((ulong)distanceLess1 << 24) | ((ulong)code << 40);
    }

    /// <summary>
    /// Appends a match of any length. Go cuts what is longer than 258 so that at least three bytes are
    /// left for the last piece (<c>tokens.AddMatchLong</c>).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* AppendMatch(ulong* sequence, uint* counts, nuint literals, nuint length, uint distanceLess1)
    {
        if (length > DeflateTables.MaxMatch)
            return AppendLongMatch(sequence, counts, literals, length, distanceLess1);
        *sequence = Sequence(counts, literals, (uint)length - DeflateTables.MinMatch, distanceLess1);
        return sequence + 1;
    }

    /// <summary>Counts the literals. Four tables, so that a run of one byte does not wait for its own stores.</summary>
    public void CountLiterals() => Histogram.Count(Literals, LiteralCount, Counts);

    /// <summary>Appends the block to <paramref name="store"/>, to be taken up again by <see cref="Load"/>.</summary>
    public void Save(NativeBuffer store)
    {
        store.Append(MemoryMarshal.AsBytes<int>([LiteralCount, SequenceCount]));
        store.Append(new ReadOnlySpan<byte>(Counts, CountEntries * sizeof(uint)));
        store.Append(new ReadOnlySpan<byte>(Sequences, SequenceCount * sizeof(ulong)));
        store.Append(new ReadOnlySpan<byte>(Literals, LiteralCount));
    }

    /// <summary>Takes a saved block from <paramref name="stored"/>. Returns where the next one is.</summary>
    public byte* Load(byte* stored)
    {
        LiteralCount = Unsafe.ReadUnaligned<int>(stored);
        SequenceCount = Unsafe.ReadUnaligned<int>(stored + sizeof(int));
        stored += 2 * sizeof(int);
        Unsafe.CopyBlockUnaligned(Counts, stored, CountEntries * sizeof(uint));
        stored += CountEntries * sizeof(uint);
        Unsafe.CopyBlockUnaligned(Sequences, stored, (uint)SequenceCount * sizeof(ulong));
        stored += SequenceCount * sizeof(ulong);
        Unsafe.CopyBlockUnaligned(Literals, stored, (uint)LiteralCount);
        return stored + LiteralCount;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* AppendLongMatch(ulong* sequence, uint* counts, nuint literals, nuint length, uint distanceLess1)
    {
        while (length > 0)
        {
            nuint piece = length;
            if (piece > DeflateTables.MaxMatch)
                piece = piece > DeflateTables.MaxMatch + DeflateTables.MinMatch ? DeflateTables.MaxMatch : DeflateTables.MaxMatch - (nuint)DeflateTables.MinMatch;
            length -= piece;
            *sequence++ = Sequence(counts, literals, (uint)piece - DeflateTables.MinMatch, distanceLess1);
            literals = 0;
        }
        return sequence;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LengthCodeOf(uint lengthLess3) =>
        Unsafe.Add(ref MemoryMarshal.GetReference(DeflateTables.LengthCode), lengthLess3);
}
