using System.Numerics;

namespace AotLinker.Formats.Wasm;

/// <summary>Numbers of variable length: seven bits per byte, low ones first, the top bit set on all bytes but the last (LEB128).</summary>
internal static class Leb128
{
    /// <summary>Length of a section's size, which is padded so that it needs not be known beforehand.</summary>
    public const int FixedLength = 5;

    /// <summary>The most bytes a number can take.</summary>
    public const int MaxLength = 10;

    /// <summary>Bytes of an unsigned number.</summary>
    public static int SizeOf(ulong v) => (BitOperations.Log2(v | 1) / 7) + 1;

    /// <summary>Bytes of a signed number.</summary>
    public static int SizeOfSigned(long v) => ((64 - BitOperations.LeadingZeroCount((ulong)(v ^ (v >> 63)))) / 7) + 1;

    /// <summary>Writes an unsigned number; returns its length.</summary>
    public static int Write(Span<byte> to, ulong v)
    {
        int n = 0;
        for (; v >= 0x80; v >>= 7)
        {
            to[n++] = (byte)(v | 0x80);
        }
        to[n++] = (byte)v;
        return n;
    }

    /// <summary>Writes a signed number in two's complement; returns its length.</summary>
    public static int WriteSigned(Span<byte> to, long v)
    {
        int n = 0;
        // The last byte's bit 6 is the sign.
        for (; v is < -0x40 or >= 0x40; v >>= 7)
        {
            to[n++] = (byte)(v | 0x80);
        }
        to[n++] = (byte)(v & 0x7f);
        return n;
    }

    /// <summary>Writes an unsigned number in <see cref="FixedLength"/> bytes.</summary>
    /// <exception cref="LinkException">It needs more.</exception>
    public static void WriteFixed(Span<byte> to, long v)
    {
        for (int i = 0; i < FixedLength; i++, v >>= 7)
        {
            to[i] = (byte)(i < FixedLength - 1 ? v | 0x80 : v & 0x7f);
        }
        if (v != 0)
        {
            throw new LinkException("a section of the WebAssembly module is too long");
        }
    }
}
