using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AotLinker.Hashing;

/// <summary>Adler-32, the checksum of zlib streams (RFC 1950, section 8.2), over data that arrives in pieces.</summary>
internal struct Adler32()
{
    private const uint Modulus = 65521;

    /// <summary>Most bytes before the sums, each below the modulus at first, could pass 32 bits.</summary>
    private const int MaxDeferred = 5552;

    private uint _sum = 1;
    private uint _sumOfSums;

    /// <summary>The checksum so far.</summary>
    public readonly uint Value => (_sumOfSums << 16) | _sum;

    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> data)
    {
        var adler = new Adler32();
        adler.Update(data);
        return adler.Value;
    }

    /// <summary>
    /// The checksum of two pieces in a row from the checksum of each, so that pieces can be summed in any order.
    /// </summary>
    /// <param name="first">Checksum of the first piece.</param>
    /// <param name="second">Checksum of the second piece.</param>
    /// <param name="secondLength">Bytes in the second piece.</param>
    public static uint Combine(uint first, uint second, long secondLength)
    {
        // The second started from 1 where it should have from the first's sum; that is off by a constant per byte.
        ulong lead = (first & 0xFFFF) + Modulus - 1;
        ulong sum = (lead + (second & 0xFFFF)) % Modulus;
        ulong sums = ((first >> 16) + (second >> 16) + lead * (ulong)(secondLength % Modulus)) % Modulus;
        return (uint)((sums << 16) | sum);
    }

    /// <summary>Adds <paramref name="data"/>.</summary>
    public void Update(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int length = int.Min(data.Length, MaxDeferred);
            ReadOnlySpan<byte> piece = data[..length];
            if (Vector128.IsHardwareAccelerated)
                piece = UpdateVectors(piece);
            uint sum = _sum;
            uint sums = _sumOfSums;
            foreach (byte b in piece)
            {
                sum += b;
                sums += sum;
            }
            _sum = sum % Modulus;
            _sumOfSums = sums % Modulus;
            data = data[length..];
        }
    }

    /// <summary>Adds whole vectors, without reducing, and returns what is left.</summary>
    private ReadOnlySpan<byte> UpdateVectors(ReadOnlySpan<byte> piece)
    {
        int vectors = piece.Length / Vector128<byte>.Count;
        if (vectors == 0)
            return piece;
        ref byte data = ref MemoryMarshal.GetReference(piece);
        Vector128<uint> sums = default;
        Vector128<uint> before = default;
        Vector128<uint> weighted = default;
        for (int i = 0; i < vectors; i++)
        {
            Vector128<byte> v = Vector128.LoadUnsafe(ref data, (nuint)(i * Vector128<byte>.Count));
            // Each byte of a vector is counted again in every later vector, and 16 to 1 times in its own.
            before += sums;
            sums += Sum(v);
            weighted += WeightedSum(v);
        }
        _sumOfSums += (uint)(vectors * Vector128<byte>.Count) * _sum + Vector128.Sum(weighted) + Vector128.Sum(before) * (uint)Vector128<byte>.Count;
        _sum += Vector128.Sum(sums);
        return piece[(vectors * Vector128<byte>.Count)..];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Sum(Vector128<byte> v)
    {
        if (Sse2.IsSupported)
            return Sse2.SumAbsoluteDifferences(v, Vector128<byte>.Zero).AsUInt32();
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(v);
        return Widen(low + high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> WeightedSum(Vector128<byte> v)
    {
        if (Ssse3.IsSupported)
        {
            Vector128<sbyte> weights = Vector128.Create((sbyte)16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
            return Sse2.MultiplyAddAdjacent(Ssse3.MultiplyAddAdjacent(v, weights), Vector128<short>.One).AsUInt32();
        }
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(v);
        low *= Vector128.Create((ushort)16, 15, 14, 13, 12, 11, 10, 9);
        high *= Vector128.Create((ushort)8, 7, 6, 5, 4, 3, 2, 1);
        return Widen(low + high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Widen(Vector128<ushort> v)
    {
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(v);
        return low + high;
    }
}
