namespace AotLinker.Synthesize.Dwarf;

/// <summary>Variable-length numbers of DWARF (section 7.6 of the standard).</summary>
internal static class Leb128
{
    /// <summary>Most bytes a 64-bit number takes.</summary>
    public const int MaxLength = 10;

    /// <summary>Bytes an unsigned number takes.</summary>
    public static int UnsignedLength(ulong value) => value < 0x80 ? 1 : (70 - System.Numerics.BitOperations.LeadingZeroCount(value)) / 7;

    /// <summary>Bytes a signed number takes.</summary>
    public static int SignedLength(long value)
    {
        if ((ulong)(value + 0x40) < 0x80)
        {
            return 1;
        }
        // The sign bit needs a place of its own.
        int bits = 65 - System.Numerics.BitOperations.LeadingZeroCount((ulong)(value ^ (value >> 63)));
        return (bits + 6) / 7;
    }

    /// <summary>Writes an unsigned number; returns its length.</summary>
    public static int WriteUnsigned(Span<byte> to, ulong value)
    {
        int n = 0;
        for (; value >= 0x80; value >>= 7)
        {
            to[n++] = (byte)(value | 0x80);
        }
        to[n++] = (byte)value;
        return n;
    }

    /// <summary>Writes a signed number; returns its length.</summary>
    public static int WriteSigned(Span<byte> to, long value)
    {
        int length = SignedLength(value);
        for (int i = 0; i < length - 1; i++, value >>= 7)
        {
            to[i] = (byte)(value | 0x80);
        }
        to[length - 1] = (byte)(value & 0x7f);
        return length;
    }

    /// <summary>
    /// Writes an unsigned number in all of <paramref name="to"/>, padded with continuation bytes: its place was reserved before the value
    /// was known (writeUleb128FixedLength).
    /// </summary>
    /// <returns>Whether the number fits.</returns>
    public static bool TryWritePadded(Span<byte> to, ulong value)
    {
        for (int i = 0; i < to.Length; i++, value >>= 7)
        {
            to[i] = (byte)(i < to.Length - 1 ? value | 0x80 : value & 0x7f);
        }
        return value == 0;
    }
}
