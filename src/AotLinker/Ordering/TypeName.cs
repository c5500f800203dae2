using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Ordering;

/// <summary>A type's string where it lies in the object file, and its first eight bytes as a number that compares alike.</summary>
internal unsafe struct TypeName
{
    /// <summary>The string's first byte.</summary>
    public byte* Start;

    /// <summary>The string's length.</summary>
    public int Length;

    /// <summary>What the string belongs to: an index of the caller's.</summary>
    public int Index;

    /// <summary>The first eight bytes, zeros behind a shorter string, big-endian.</summary>
    public ulong Prefix;

    /// <summary>The string.</summary>
    public readonly ReadOnlySpan<byte> Text => new(Start, Length);

    /// <summary>Refers to a string, which must not move.</summary>
    public void Set(ReadOnlySpan<byte> text)
    {
        Start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(text));
        Length = text.Length;
        Span<byte> prefix = stackalloc byte[8];
        prefix.Clear();
        text[..Math.Min(8, text.Length)].CopyTo(prefix);
        Prefix = BinaryPrimitives.ReadUInt64BigEndian(prefix);
    }

    /// <summary>By string.</summary>
    public readonly struct ByText : IOrder<TypeName>
    {
        /// <inheritdoc/>
        public bool Less(in TypeName x, in TypeName y) =>
            x.Prefix != y.Prefix ? x.Prefix < y.Prefix : x.Text.SequenceCompareTo(y.Text) < 0;
    }
}

/// <summary>By the upper half of a number.</summary>
internal readonly struct ByUpperHalf : IOrder<ulong>
{
    /// <inheritdoc/>
    public bool Less(in ulong x, in ulong y) => x >> 32 < y >> 32;
}
