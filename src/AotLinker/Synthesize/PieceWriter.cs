using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Synthesize;

/// <summary>
/// Writes to a piece of a larger content at offsets in the whole: what lies outside the piece is dropped. Numbers are in the target's
/// byte order.
/// </summary>
/// <param name="piece">The bytes of the piece.</param>
/// <param name="start">Offset of the piece in the whole.</param>
/// <param name="isBigEndian">The target's byte order.</param>
internal readonly ref struct PieceWriter(Span<byte> piece, long start, bool isBigEndian)
{
    private readonly Span<byte> _piece = piece;

    /// <summary>Offset of the piece in the whole.</summary>
    public long Start => start;

    /// <summary>Offset behind the piece in the whole.</summary>
    public long End => start + _piece.Length;

    /// <summary>Writes a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt8(long at, byte v)
    {
        long i = at - start;
        if ((ulong)i < (ulong)_piece.Length)
        {
            _piece[(int)i] = v;
        }
    }

    /// <summary>Writes a 32-bit number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt32(long at, uint v)
    {
        long i = at - start;
        if (i >= 0 && i <= _piece.Length - 4)
        {
            Span<byte> field = _piece.Slice((int)i, 4);
            if (isBigEndian)
            {
                BinaryPrimitives.WriteUInt32BigEndian(field, v);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(field, v);
            }
        }
        else
        {
            UInt32AtEdge(at, v);
        }
    }

    /// <summary>Writes 32-bit numbers, which are turned to the target's byte order where they are.</summary>
    public void UInt32s(long at, Span<uint> numbers)
    {
        if (isBigEndian == BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(numbers, numbers);
        }
        Bytes(at, MemoryMarshal.AsBytes(numbers));
    }

    /// <summary>Writes a number of <paramref name="width"/> bytes, 4 or 8.</summary>
    public void UInt(long at, ulong v, int width)
    {
        if (width == 4)
        {
            UInt32(at, checked((uint)v));
            return;
        }
        UInt32(at + (isBigEndian ? 4 : 0), (uint)v);
        UInt32(at + (isBigEndian ? 0 : 4), (uint)(v >> 32));
    }

    /// <summary>Writes bytes.</summary>
    public void Bytes(long at, ReadOnlySpan<byte> bytes)
    {
        long skip = Math.Max(0, start - at);
        long end = Math.Min(bytes.Length, End - at);
        if (skip < end)
        {
            bytes[(int)skip..(int)end].CopyTo(_piece[(int)(at + skip - start)..]);
        }
    }

    private void UInt32AtEdge(long at, uint v)
    {
        Span<byte> field = stackalloc byte[4];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(field, v);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(field, v);
        }
        Bytes(at, field);
    }
}
