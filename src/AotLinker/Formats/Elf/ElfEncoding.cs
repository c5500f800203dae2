using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace AotLinker.Formats.Elf;

/// <summary>Class and byte order of an ELF file: the sizes of its records, and how numbers are written.</summary>
internal readonly struct ElfEncoding(bool is64, bool isBigEndian)
{
    /// <summary>Whether addresses have 64 bits.</summary>
    public bool Is64 => is64;

    /// <summary>Byte order.</summary>
    public bool IsBigEndian => isBigEndian;

    /// <summary>Bytes of an address.</summary>
    public int AddressSize => is64 ? 8 : 4;

    /// <summary>Bytes of the file header.</summary>
    public int HeaderSize => is64 ? 64 : 52;

    /// <summary>Bytes of a program header.</summary>
    public int SegmentSize => is64 ? 56 : 32;

    /// <summary>Bytes of a section header.</summary>
    public int SectionSize => is64 ? 64 : 40;

    /// <summary>Bytes of a symbol.</summary>
    public int SymbolSize => is64 ? 24 : 16;

    /// <summary>Bytes of a relocation without addend.</summary>
    public int RelSize => is64 ? 16 : 8;

    /// <summary>Bytes of a relocation with addend.</summary>
    public int RelaSize => is64 ? 24 : 12;

    /// <summary>Writes a 16-bit number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put16(Span<byte> to, ushort v)
    {
        if (isBigEndian)
            BinaryPrimitives.WriteUInt16BigEndian(to, v);
        else
            BinaryPrimitives.WriteUInt16LittleEndian(to, v);
    }

    /// <summary>Writes a 32-bit number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put32(Span<byte> to, uint v)
    {
        if (isBigEndian)
            BinaryPrimitives.WriteUInt32BigEndian(to, v);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(to, v);
    }

    /// <summary>Writes a 64-bit number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put64(Span<byte> to, ulong v)
    {
        if (isBigEndian)
            BinaryPrimitives.WriteUInt64BigEndian(to, v);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(to, v);
    }

    /// <summary>
    /// Writes a relocation of <see cref="RelaSize"/> or <see cref="RelSize"/> bytes; a 32-bit file keeps the low halves.
    /// </summary>
    public void PutRelocation(Span<byte> to, ulong place, uint symbol, uint type, long addend, bool hasAddend)
    {
        if (is64)
        {
            Put64(to, place);
            Put64(to[8..], ((ulong)symbol << 32) | type);
            if (hasAddend)
                Put64(to[16..], (ulong)addend);
        }
        else
        {
            Put32(to, (uint)place);
            Put32(to[4..], (symbol << 8) | (type & 0xff));
            if (hasAddend)
                Put32(to[8..], (uint)addend);
        }
    }

    /// <summary>
    /// Writes symbol and type of a 64-bit relocation as fields of their own, with room for two more types
    /// (<see cref="ElfCpu.SplitsRelocationInfo"/>).
    /// </summary>
    public void PutSplitRelocationInfo(Span<byte> relocation, uint symbol, uint type)
    {
        Put32(relocation[8..], symbol);
        relocation[12..15].Clear();
        relocation[15] = (byte)type;
    }

    /// <summary>Writes a symbol of <see cref="SymbolSize"/> bytes; a 32-bit file keeps the low half of value and size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutSymbol(Span<byte> to, uint name, byte info, byte other, ushort section, ulong value, ulong size)
    {
        if (is64)
        {
            to = to[..24];
            Put32(to, name);
            to[4] = info;
            to[5] = other;
            Put16(to[6..], section);
            Put64(to[8..], value);
            Put64(to[16..], size);
        }
        else
        {
            to = to[..16];
            Put32(to, name);
            Put32(to[4..], (uint)value);
            Put32(to[8..], (uint)size);
            to[12] = info;
            to[13] = other;
            Put16(to[14..], section);
        }
    }
}

/// <summary>Writes ELF records one field after the other into a span that was sized for them.</summary>
internal ref struct ElfWriter(Span<byte> buffer, ElfEncoding encoding)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written.</summary>
    public int Position { get; private set; }

    /// <summary>Appends bytes.</summary>
    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer[Position..]);
        Position += bytes.Length;
    }

    /// <summary>Appends a byte.</summary>
    public void U8(byte v) => _buffer[Position++] = v;

    /// <summary>Appends a 16-bit number.</summary>
    public void U16(ushort v)
    {
        encoding.Put16(_buffer[Position..], v);
        Position += 2;
    }

    /// <summary>Appends a 32-bit number.</summary>
    public void U32(uint v)
    {
        encoding.Put32(_buffer[Position..], v);
        Position += 4;
    }

    /// <summary>Appends a number as wide as an address; a 32-bit file keeps its low half.</summary>
    public void Address(ulong v)
    {
        if (!encoding.Is64)
        {
            U32((uint)v);
            return;
        }
        encoding.Put64(_buffer[Position..], v);
        Position += 8;
    }

    /// <summary>Appends zeros up to a multiple of <paramref name="align"/>.</summary>
    public void Pad(int align)
    {
        while (Position % align != 0)
            U8(0);
    }
}
