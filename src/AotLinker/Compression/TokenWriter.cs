using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Compression;

/// <summary>Writes literals and matches in a pair of codes.</summary>
/// <remarks>
/// Bits wait at the top of a word. A code enters there, what waits moves down by its length, and whatever lies below counts no more. So a
/// table's entry has the code at the top and its length in the low bits, where a shift takes its count from: one shift and one "or" append it,
/// and no code waits for a store.
/// </remarks>
internal static unsafe class TokenWriter
{
    private const int WordBits = 8 * sizeof(ulong);

    /// <summary>Writes literals in a code that has them all.</summary>
    public static void PutLiterals(ref BitSink sink, byte* data, int length, HuffmanCode code)
    {
        ulong* literals = stackalloc ulong[DeflateTables.EndOfBlock];
        FillLiterals(code.Codes, literals);
        PutLiterals(ref sink, data, length, literals);
    }

    /// <summary>Writes all literals and matches of a block, without an end of block.</summary>
    public static void PutTokens(ref BitSink sink, TokenBlock tokens, HuffmanCode literal, HuffmanCode distance)
    {
        ulong* literals = stackalloc ulong[DeflateTables.EndOfBlock];
        FillLiterals(literal.Codes, literals);
        // A length's code with its extra bits, at most 20.
        ulong* lengths = stackalloc ulong[256];
        FillLengths(literal.Codes + DeflateTables.FirstLength, lengths);
        // A distance's code where it stands with its extra bits above, and the length of both.
        ulong* distances = stackalloc ulong[DeflateTables.DistanceSymbols];
        FillDistances(distance.Codes, distances);

        ref byte extraBits = ref MemoryMarshal.GetReference(DeflateTables.DistanceExtraBits);
        byte* next = tokens.Literals;
        ulong* sequence = tokens.Sequences;
        ulong* end = sequence + tokens.SequenceCount;
        Open(sink, out byte* at, out ulong bits, out uint count);
        for (; sequence < end; sequence++)
        {
            ulong s = *sequence;
            long run = (ushort)s;
            for (; run > 3; run -= 3)
            {
                // 7 bits at most are left over, so three codes of 15 always fit.
                Put(literals[next[0]], ref bits, ref count);
                Put(literals[next[1]], ref bits, ref count);
                Put(literals[next[2]], ref bits, ref count);
                next += 3;
                Drain(ref at, bits, ref count);
            }
            // Nought to three literals without a branch: an entry that is masked out has no bits.
            Put(literals[next[0]] & (ulong)(-run >> 63), ref bits, ref count);
            Put(literals[next[1]] & (ulong)((1 - run) >> 63), ref bits, ref count);
            Put(literals[next[2]] & (ulong)((2 - run) >> 63), ref bits, ref count);
            next += run;
            Drain(ref at, bits, ref count);
            // Then 20 bits and 28 at most.
            Put(lengths[(byte)(s >> 16)], ref bits, ref count);
            uint code = (uint)(s >> 40);
            Put(distances[code], ref bits, ref count);
            // In two steps, for there may be none.
            bits |= (s >> 24) << (WordBits - 1 - Unsafe.Add(ref extraBits, code)) << 1;
            Drain(ref at, bits, ref count);
        }
        Close(ref sink, at, bits, count);
        PutLiterals(ref sink, next, (int)(tokens.Literals + tokens.LiteralCount - next), literals);
    }

    private static void PutLiterals(ref BitSink sink, byte* data, int length, ulong* literals)
    {
        Open(sink, out byte* at, out ulong bits, out uint count);
        byte* end = data + length;
        for (; end - data >= 3; data += 3)
        {
            Put(literals[data[0]], ref bits, ref count);
            Put(literals[data[1]], ref bits, ref count);
            Put(literals[data[2]], ref bits, ref count);
            Drain(ref at, bits, ref count);
        }
        for (; data < end; data++)
        {
            Put(literals[*data], ref bits, ref count);
            Drain(ref at, bits, ref count);
        }
        Close(ref sink, at, bits, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Open(in BitSink sink, out byte* at, out ulong bits, out uint count)
    {
        at = sink.At;
        count = (uint)sink.Count;
        bits = sink.Bits << (WordBits - sink.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Close(ref BitSink sink, byte* at, ulong bits, uint count)
    {
        sink.At = at;
        sink.Count = (int)count;
        sink.Bits = count == 0 ? 0 : bits >> (WordBits - (int)count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(ulong entry, ref ulong bits, ref uint count)
    {
        bits = (bits >> (int)entry) | entry;
        // What is above the length's byte is dropped by Drain.
        count += (uint)entry;
    }

    // Stores whole bytes; what is less than a byte goes on waiting. With nothing waiting it stores what counts for nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Drain(ref byte* at, ulong bits, ref uint count)
    {
        *(ulong*)at = bits >> -(int)count;
        at += count >> 3;
        count &= 7;
    }

    private static ulong Entry(uint code, int length) => ((ulong)code << (WordBits - length)) | (uint)length;

    private static void FillLiterals(uint* codes, ulong* literals)
    {
        for (int i = 0; i < DeflateTables.EndOfBlock; i++)
            literals[i] = Entry(codes[i] >> 8, (byte)codes[i]);
    }

    private static void FillLengths(uint* codes, ulong* lengths)
    {
        ReadOnlySpan<byte> extraBits = DeflateTables.LengthExtraBits;
        for (int code = 0, length = 0; code < DeflateTables.LengthCodes; code++)
        {
            uint packed = codes[code];
            int width = (byte)packed;
            // Code 284 has five extra bits but 258, its 32nd length, is code 285's.
            int values = code == DeflateTables.LengthCodes - 2 ? 31 : 1 << extraBits[code];
            for (uint extra = 0; extra < values; extra++)
                lengths[length++] = Entry((packed >> 8) | (extra << width), width + extraBits[code]);
        }
    }

    private static void FillDistances(uint* codes, ulong* distances)
    {
        ReadOnlySpan<byte> extraBits = DeflateTables.DistanceExtraBits;
        for (int code = 0; code < DeflateTables.DistanceSymbols; code++)
            distances[code] = Entry(codes[code] >> 8, (byte)codes[code] + extraBits[code]);
    }
}
