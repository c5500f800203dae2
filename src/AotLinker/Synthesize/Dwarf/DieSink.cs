using System.Buffers.Binary;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Where the pieces of debug information go: one description of a record then gives both its size (<see cref="DieSize"/>) and its bytes
/// (<see cref="DieWriter"/>).
/// </summary>
internal interface IDieSink
{
    /// <summary>Whether only lengths count, so that values that are not known yet may be anything.</summary>
    static abstract bool IsMeasuring { get; }

    /// <summary>Bytes so far.</summary>
    int Length { get; }

    /// <summary>A byte.</summary>
    void Byte(int value);

    /// <summary>A 16-bit number in the target's byte order.</summary>
    void UInt16(ushort value);

    /// <summary>A 32-bit number in the target's byte order.</summary>
    void UInt32(uint value);

    /// <summary>A number of pointer size in the target's byte order.</summary>
    void Pointer(ulong value);

    /// <summary>An unsigned LEB128 number.</summary>
    void Unsigned(ulong value);

    /// <summary>A signed LEB128 number.</summary>
    void Signed(long value);

    /// <summary>Bytes as they are.</summary>
    void Bytes(scoped ReadOnlySpan<byte> bytes);

    /// <summary>Zero bytes.</summary>
    void Zeros(int count);

    /// <summary>Overwrites a 32-bit number.</summary>
    void SetUInt32(int at, uint value);
}

/// <summary>Adds up the size of what is written.</summary>
internal struct DieSize(int pointerSize) : IDieSink
{
    /// <inheritdoc/>
    public static bool IsMeasuring => true;

    /// <inheritdoc/>
    public int Length { get; private set; }

    /// <inheritdoc/>
    public void Byte(int value) => Length++;

    /// <inheritdoc/>
    public void UInt16(ushort value) => Length += 2;

    /// <inheritdoc/>
    public void UInt32(uint value) => Length += 4;

    /// <inheritdoc/>
    public void Pointer(ulong value) => Length += pointerSize;

    /// <inheritdoc/>
    public void Unsigned(ulong value) => Length += Leb128.UnsignedLength(value);

    /// <inheritdoc/>
    public void Signed(long value) => Length += Leb128.SignedLength(value);

    /// <inheritdoc/>
    public void Bytes(scoped ReadOnlySpan<byte> bytes) => Length += bytes.Length;

    /// <inheritdoc/>
    public void Zeros(int count) => Length += count;

    /// <inheritdoc/>
    public readonly void SetUInt32(int at, uint value)
    {
    }
}

/// <summary>Writes into a span, which must be large enough.</summary>
internal ref struct DieWriter(Span<byte> to, int pointerSize, bool bigEndian) : IDieSink
{
    private readonly Span<byte> _to = to;

    /// <inheritdoc/>
    public static bool IsMeasuring => false;

    /// <inheritdoc/>
    public int Length { get; private set; }

    /// <inheritdoc/>
    public void Byte(int value) => _to[Length++] = (byte)value;

    /// <inheritdoc/>
    public void UInt16(ushort value)
    {
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_to[Length..], value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_to[Length..], value);
        }
        Length += 2;
    }

    /// <inheritdoc/>
    public void UInt32(uint value)
    {
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_to[Length..], value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_to[Length..], value);
        }
        Length += 4;
    }

    /// <inheritdoc/>
    public void Pointer(ulong value)
    {
        if (pointerSize == 4)
        {
            UInt32((uint)value);
            return;
        }
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(_to[Length..], value);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_to[Length..], value);
        }
        Length += 8;
    }

    /// <inheritdoc/>
    public void Unsigned(ulong value) => Length += Leb128.WriteUnsigned(_to[Length..], value);

    /// <inheritdoc/>
    public void Signed(long value) => Length += Leb128.WriteSigned(_to[Length..], value);

    /// <inheritdoc/>
    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_to[Length..]);
        Length += bytes.Length;
    }

    /// <inheritdoc/>
    public void Zeros(int count)
    {
        _to.Slice(Length, count).Clear();
        Length += count;
    }

    /// <inheritdoc/>
    public readonly void SetUInt32(int at, uint value)
    {
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_to[at..], value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_to[at..], value);
        }
    }
}
