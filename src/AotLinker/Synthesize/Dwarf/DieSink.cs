using System.Buffers.Binary;
using AotLinker.Emit;
using AotLinker.Mapping;
using AotLinker.Objects;

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

    /// <summary>A place in a section, or the length of a part of one: 8 bytes in 64-bit DWARF, else 4.</summary>
    void Offset(ulong value);

    /// <summary>An <see cref="Offset"/> that refers to a place in a section of debug information.</summary>
    /// <param name="section">The symbol that stands for the section.</param>
    /// <param name="value">The place.</param>
    void Reference(SymbolId section, ulong value);

    /// <summary>A <see cref="Pointer"/> that is the address of a symbol.</summary>
    void Address(SymbolId s, ulong value);

    /// <summary>The length that a unit begins with, which does not count itself: an <see cref="Offset"/>, marked in 64-bit DWARF.</summary>
    void UnitLength(ulong value);

    /// <summary>An unsigned LEB128 number.</summary>
    void Unsigned(ulong value);

    /// <summary>A signed LEB128 number.</summary>
    void Signed(long value);

    /// <summary>Bytes as they are.</summary>
    void Bytes(scoped ReadOnlySpan<byte> bytes);

    /// <summary>Zero bytes.</summary>
    void Zeros(int count);

    /// <summary>Overwrites an <see cref="Offset"/>.</summary>
    void SetOffset(int at, ulong value);

    /// <summary>Overwrites a <see cref="UnitLength"/>: all that follows it belongs to the unit.</summary>
    void SetUnitLength(int at, ulong value);
}

/// <summary>The two formats of DWARF, which differ in the size of offsets (section 7.4 of the standard).</summary>
/// <param name="Is64">The one with offsets of 8 bytes.</param>
/// <param name="LeavesAddresses">An external linker fills in addresses of symbols; until then the fields are 0, for there are no addends.</param>
/// <param name="LeavesReferences">An external linker fills in references from relocations that carry all of the value: the fields are 0.</param>
/// <param name="RelocatesReferences">References within debug information have relocations in an object.</param>
internal readonly record struct DwarfFormat(bool Is64, bool LeavesAddresses = false, bool LeavesReferences = false, bool RelocatesReferences = true)
{
    /// <summary>What stands in front of the length of a unit in 64-bit DWARF.</summary>
    public const uint Mark64 = uint.MaxValue;

    /// <summary>The format of a link's debug information.</summary>
    public static DwarfFormat Of(Target target)
    {
        bool leaves = target.IsExternal && !target.CompletesExternalDwarf && !target.HoldsObjectAddresses;
        return new(target.HasDwarf64, leaves, leaves && !target.Cpu.FieldsHoldAddends(target), !target.CompletesExternalDwarf);
    }

    /// <summary>Bytes of an offset.</summary>
    public int OffsetSize => Is64 ? 8 : 4;

    /// <summary>Bytes of the length that a unit begins with.</summary>
    public int UnitLengthSize => Is64 ? 12 : 4;
}

/// <summary>Adds up the size of what is written.</summary>
internal struct DieSize(int pointerSize, DwarfFormat format) : IDieSink
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
    public void Offset(ulong value) => Length += format.OffsetSize;

    /// <inheritdoc/>
    public void Reference(SymbolId section, ulong value) => Length += format.OffsetSize;

    /// <inheritdoc/>
    public void Address(SymbolId s, ulong value) => Length += pointerSize;

    /// <inheritdoc/>
    public void UnitLength(ulong value) => Length += format.UnitLengthSize;

    /// <inheritdoc/>
    public void Unsigned(ulong value) => Length += Leb128.UnsignedLength(value);

    /// <inheritdoc/>
    public void Signed(long value) => Length += Leb128.SignedLength(value);

    /// <inheritdoc/>
    public void Bytes(scoped ReadOnlySpan<byte> bytes) => Length += bytes.Length;

    /// <inheritdoc/>
    public void Zeros(int count) => Length += count;

    /// <inheritdoc/>
    public readonly void SetOffset(int at, ulong value)
    {
    }

    /// <inheritdoc/>
    public readonly void SetUnitLength(int at, ulong value)
    {
    }
}

/// <summary>Lists the relocations that an external linker needs for what is written, behind what a list holds.</summary>
internal struct DieRelocs(NativeList<ExternalReloc> to, long start, int pointerSize, DwarfFormat format) : IDieSink
{
    /// <inheritdoc/>
    public static bool IsMeasuring => false;

    /// <inheritdoc/>
    public int Length { get; private set; }

    /// <summary>The list.</summary>
    public readonly NativeList<ExternalReloc> List => to;

    /// <summary>Offset of what comes next in the section.</summary>
    public readonly long Place => start + Length;

    /// <summary>Passes over bytes whose relocations were listed otherwise, or that have none.</summary>
    public void Skip(int length) => Length += length;

    /// <inheritdoc/>
    public void Byte(int value) => Length++;

    /// <inheritdoc/>
    public void UInt16(ushort value) => Length += 2;

    /// <inheritdoc/>
    public void UInt32(uint value) => Length += 4;

    /// <inheritdoc/>
    public void Pointer(ulong value) => Length += pointerSize;

    /// <inheritdoc/>
    public void Offset(ulong value) => Length += format.OffsetSize;

    /// <inheritdoc/>
    public void Reference(SymbolId section, ulong value)
    {
        if (format.RelocatesReferences)
        {
            to.Add(new ExternalReloc(Place, RelocKind.DwarfSecRef, (byte)format.OffsetSize, section, (long)value));
        }
        Length += format.OffsetSize;
    }

    /// <inheritdoc/>
    public void Address(SymbolId s, ulong value)
    {
        to.Add(new ExternalReloc(Place, RelocKind.Addr, (byte)pointerSize, s, 0));
        Length += pointerSize;
    }

    /// <inheritdoc/>
    public void UnitLength(ulong value) => Length += format.UnitLengthSize;

    /// <inheritdoc/>
    public void Unsigned(ulong value) => Length += Leb128.UnsignedLength(value);

    /// <inheritdoc/>
    public void Signed(long value) => Length += Leb128.SignedLength(value);

    /// <inheritdoc/>
    public void Bytes(scoped ReadOnlySpan<byte> bytes) => Length += bytes.Length;

    /// <inheritdoc/>
    public void Zeros(int count) => Length += count;

    /// <inheritdoc/>
    public readonly void SetOffset(int at, ulong value)
    {
    }

    /// <inheritdoc/>
    public readonly void SetUnitLength(int at, ulong value)
    {
    }
}

/// <summary>Writes into a span, which must be large enough.</summary>
internal ref struct DieWriter(Span<byte> to, int pointerSize, bool bigEndian, DwarfFormat format = default) : IDieSink
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
        Put(Length, sizeof(uint), value);
        Length += sizeof(uint);
    }

    /// <inheritdoc/>
    public void Pointer(ulong value)
    {
        Put(Length, pointerSize, value);
        Length += pointerSize;
    }

    /// <inheritdoc/>
    public void Offset(ulong value)
    {
        Put(Length, format.OffsetSize, value);
        Length += format.OffsetSize;
    }

    /// <inheritdoc/>
    public void Reference(SymbolId section, ulong value) => Offset(format.LeavesReferences ? 0 : value);

    /// <inheritdoc/>
    public void Address(SymbolId s, ulong value) => Pointer(format.LeavesAddresses ? 0 : value);

    /// <inheritdoc/>
    public void UnitLength(ulong value)
    {
        SetUnitLength(Length, value);
        Length += format.UnitLengthSize;
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
    public readonly void SetOffset(int at, ulong value) => Put(at, format.OffsetSize, value);

    /// <inheritdoc/>
    public readonly void SetUnitLength(int at, ulong value)
    {
        if (format.Is64)
        {
            Put(at, sizeof(uint), DwarfFormat.Mark64);
            at += sizeof(uint);
        }
        Put(at, format.OffsetSize, value);
    }

    private readonly void Put(int at, int size, ulong value)
    {
        Span<byte> field = _to.Slice(at, size);
        if (size == sizeof(uint))
        {
            if (bigEndian)
            {
                BinaryPrimitives.WriteUInt32BigEndian(field, (uint)value);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)value);
            }
        }
        else if (bigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(field, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(field, value);
        }
    }
}
