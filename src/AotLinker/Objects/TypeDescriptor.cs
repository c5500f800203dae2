using System.Buffers.Binary;

namespace AotLinker.Objects;

/// <summary>A Go type's kind as its descriptor stores it (internal/abi.Kind).</summary>
internal enum GoKind : byte
{
    /// <summary>Invalid.</summary>
    Invalid,
    /// <summary>bool.</summary>
    Bool,
    /// <summary>int.</summary>
    Int,
    /// <summary>int8.</summary>
    Int8,
    /// <summary>int16.</summary>
    Int16,
    /// <summary>int32.</summary>
    Int32,
    /// <summary>int64.</summary>
    Int64,
    /// <summary>uint.</summary>
    Uint,
    /// <summary>uint8.</summary>
    Uint8,
    /// <summary>uint16.</summary>
    Uint16,
    /// <summary>uint32.</summary>
    Uint32,
    /// <summary>uint64.</summary>
    Uint64,
    /// <summary>uintptr.</summary>
    Uintptr,
    /// <summary>float32.</summary>
    Float32,
    /// <summary>float64.</summary>
    Float64,
    /// <summary>complex64.</summary>
    Complex64,
    /// <summary>complex128.</summary>
    Complex128,
    /// <summary>Array.</summary>
    Array,
    /// <summary>Channel.</summary>
    Chan,
    /// <summary>Function.</summary>
    Func,
    /// <summary>Interface.</summary>
    Interface,
    /// <summary>Map.</summary>
    Map,
    /// <summary>Pointer.</summary>
    Pointer,
    /// <summary>Slice.</summary>
    Slice,
    /// <summary>string.</summary>
    String,
    /// <summary>Struct.</summary>
    Struct,
    /// <summary>unsafe.Pointer.</summary>
    UnsafePointer,
}

/// <summary>
/// Reads a type descriptor: the content the compiler made, whose pointers are relocations (layout: internal/abi.Type; cmd/link
/// decodesym.go).
/// </summary>
internal readonly ref struct TypeDescriptor
{
    /// <summary>Size of an uncommon type record.</summary>
    public const int UncommonSize = 16;

    // The flag of a type whose string has a star in front that is not part of it.
    private const byte ExtraStar = 2;

    private readonly SymbolTable _table;
    private readonly ReadOnlySpan<byte> _data;
    private readonly RelocList _relocs;

    /// <summary>A view of the descriptor <paramref name="s"/>.</summary>
    public TypeDescriptor(SymbolTable table, SymbolId s)
        : this(table, s, table.Relocs(s))
    {
    }

    /// <summary>A view of the descriptor, with relocations at hand.</summary>
    public TypeDescriptor(SymbolTable table, SymbolId s, RelocList relocs)
    {
        _table = table;
        Symbol = s;
        _data = table.Data(s);
        _relocs = relocs;
        P = table.PointerSize;
    }

    /// <summary>The symbol.</summary>
    public SymbolId Symbol { get; }

    /// <summary>The relocations of the descriptor.</summary>
    public RelocList Relocs => _relocs;

    private int P { get; }

    /// <summary>Size of the part common to all kinds.</summary>
    public int CommonSize => (4 * P) + 16;

    /// <summary>The kind.</summary>
    public GoKind Kind => (GoKind)(Byte((2 * P) + 7) & _table.Release.KindMask);

    /// <summary>Size of a value in bytes.</summary>
    public long ValueSize => (long)UInt(0, P);

    /// <summary>Length of the prefix of a value that may hold pointers.</summary>
    public long PointerBytes => (long)UInt(P, P);

    /// <summary>Whether an uncommon record (methods, package path) follows.</summary>
    public bool HasUncommon => (Byte((2 * P) + 4) & 1) != 0;

    /// <summary>Whether the GC mask is made at run time.</summary>
    public bool HasGcMaskOnDemand => (Byte((2 * P) + 4) & 16) != 0;

    /// <summary>Size of the kind's own record, the uncommon record not counted (abi.RTypeSize).</summary>
    public int RecordSize => CommonSize + _table.Release.TypeRecordExtra(Kind, P);

    /// <summary>The type's string.</summary>
    /// <exception cref="LinkException">There is none where a star should be in front of it, or it is damaged.</exception>
    public ReadOnlySpan<byte> Name => WithoutStar(NameAt((4 * P) + 8), Byte((2 * P) + 4), _table, Symbol);

    /// <summary>The string of a type, as <see cref="Name"/> has it, for walks that want nothing else of it.</summary>
    /// <exception cref="LinkException">The descriptor or its name is damaged.</exception>
    public static ReadOnlySpan<byte> NameOf(SymbolTable table, SymbolId s)
    {
        if (table.Locate(s, out int local) is { } o)
        {
            int offset = (4 * table.PointerSize) + 8;
            ReadOnlySpan<byte> data = o.Data(local);
            foreach (ref readonly RelocRecord r in o.Relocs(local))
            {
                if (r.Offset == offset && data.Length >= offset)
                {
                    SymbolId target = table.Resolve(o, r.Target);
                    ReadOnlySpan<byte> name = target.IsNone ? default : DecodeName(table, target);
                    return WithoutStar(name, data[(2 * table.PointerSize) + 4], table, s);
                }
            }
        }
        return new TypeDescriptor(table, s).Name;
    }

    /// <summary>The GC mask symbol.</summary>
    public SymbolId GcMask => TargetAt(GcMaskOffset);

    /// <summary>Offset of the pointer to the GC mask.</summary>
    public int GcMaskOffset => (3 * P) + 8;

    /// <summary>Number of methods and the offset of their records (reflect.method: four 4-byte offsets each).</summary>
    public (int Count, int Offset) Methods
    {
        get
        {
            int uncommon = RecordSize;
            return ((int)UInt(uncommon + 4, 2), uncommon + (int)UInt(uncommon + 8, 4));
        }
    }

    /// <summary>A number of <paramref name="size"/> bytes at an offset, in the target's byte order.</summary>
    /// <exception cref="LinkException">The descriptor is too short.</exception>
    public ulong UInt(int offset, int size)
    {
        if (offset < 0 || offset > _data.Length - size)
        {
            throw new LinkException($"type descriptor {_table.NameText(Symbol)} is too short");
        }
        ReadOnlySpan<byte> p = _data.Slice(offset, size);
        bool big = _table.IsBigEndian;
        return size switch
        {
            1 => p[0],
            2 => big ? BinaryPrimitives.ReadUInt16BigEndian(p) : BinaryPrimitives.ReadUInt16LittleEndian(p),
            4 => big ? BinaryPrimitives.ReadUInt32BigEndian(p) : BinaryPrimitives.ReadUInt32LittleEndian(p),
            _ => big ? BinaryPrimitives.ReadUInt64BigEndian(p) : BinaryPrimitives.ReadUInt64LittleEndian(p),
        };
    }

    /// <summary>The target of the relocation at an offset; none if there is none there.</summary>
    public SymbolId TargetAt(int offset)
    {
        int i = IndexAt(offset, 0);
        return i < 0 ? SymbolId.None : _relocs.Target(i);
    }

    /// <summary>The name that the 4-byte reference at an offset points to; empty if there is none.</summary>
    public ReadOnlySpan<byte> NameAt(int offset)
    {
        SymbolId s = TargetAt(offset);
        return s.IsNone ? default : DecodeName(_table, s);
    }

    /// <summary>Index of the relocation at an offset, looking from index <paramref name="hint"/> first; -1 if there is none.</summary>
    public int IndexAt(int offset, int hint) => _relocs.IndexAt(offset, hint);

    /// <summary>The text of a name record: a flag byte, the length as a varint, the bytes (reflect.name).</summary>
    public static ReadOnlySpan<byte> DecodeName(SymbolTable table, SymbolId s) => DecodeName(table, s, table.Data(s));

    /// <summary>The same, with the record's content at hand.</summary>
    public static ReadOnlySpan<byte> DecodeName(SymbolTable table, SymbolId s, ReadOnlySpan<byte> data)
    {
        int length = 0, at = 1;
        for (int shift = 0; at < data.Length && shift < 35; shift += 7)
        {
            byte b = data[at++];
            length |= (b & 0x7f) << shift;
            if (b < 0x80)
            {
                return length <= data.Length - at ? data.Slice(at, length) : throw Damaged(table, s);
            }
        }
        throw Damaged(table, s);
    }

    private static ReadOnlySpan<byte> WithoutStar(ReadOnlySpan<byte> name, byte flags, SymbolTable table, SymbolId s) =>
        (flags & ExtraStar) == 0 ? name : name.IsEmpty ? throw Damaged(table, s) : name[1..];

    private byte Byte(int offset) => (uint)offset < (uint)_data.Length ? _data[offset] : (byte)UInt(offset, 1);

    private static LinkException Damaged(SymbolTable table, SymbolId s) => new($"damaged type name {table.NameText(s)}");
}
