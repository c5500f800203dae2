using System.Runtime.CompilerServices;

namespace AotLinker.Compression;

/// <summary>
/// A little-endian bit stream over reserved memory. Whole bytes leave after every operation, by an
/// eight-byte store that may write past what counts: the memory must have eight bytes to spare.
/// </summary>
internal unsafe struct BitSink
{
    /// <summary>Where the next whole byte goes.</summary>
    public byte* At;

    /// <summary>Bits not yet stored, lowest first; zero above <see cref="Count"/>.</summary>
    public ulong Bits;

    /// <summary>How many bits wait in <see cref="Bits"/>: 0 to 7 between operations.</summary>
    public int Count;

    /// <summary>Appends the low <paramref name="count"/> (at most 32) bits of <paramref name="value"/>, which has no others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(uint value, int count)
    {
        Bits |= (ulong)value << Count;
        Count += count;
        Flush();
    }

    /// <summary>Appends a packed code of <see cref="HuffmanCode.Codes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutCode(uint packed) => Put(packed >> 8, (byte)packed);

    /// <summary>Fills the last byte with zeros.</summary>
    public void AlignToByte()
    {
        if (Count > 0)
            *At++ = (byte)Bits;
        Bits = 0;
        Count = 0;
    }

    /// <summary>Stores whole bytes; needs at most 63 waiting bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Flush()
    {
        *(ulong*)At = Bits;
        At += Count >> 3;
        Bits >>= Count & 0x38;
        Count &= 7;
    }
}
