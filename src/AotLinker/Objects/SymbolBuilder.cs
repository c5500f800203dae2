using System.Buffers.Binary;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// Writes the content, relocations and attributes of an external symbol (cmd/link loader.SymbolBuilder). Numbers are written in the
/// target's byte order. Every "add" returns the offset behind what it wrote and grows the size with the content; appending to a
/// symbol without a kind makes it data, as the Go linker's builder does.
/// </summary>
internal readonly struct SymbolBuilder(SymbolTable table, SymbolId symbol)
{
    /// <summary>The symbol.</summary>
    public SymbolId Symbol => symbol;

    /// <summary>Kind of memory.</summary>
    public SymbolKind Kind => table.Kind(symbol);

    /// <summary>Size in memory.</summary>
    public long Size => table.External(symbol).Size;

    /// <summary>Content so far.</summary>
    public ReadOnlySpan<byte> Data => table.Data(symbol);

    /// <summary>Relocations so far.</summary>
    public RelocList Relocs => table.Relocs(symbol);

    /// <summary>Sets the kind.</summary>
    public SymbolBuilder SetKind(SymbolKind kind)
    {
        table.SetKind(symbol, kind);
        return this;
    }

    /// <summary>Sets the size; content beyond it is not cut.</summary>
    public SymbolBuilder SetSize(long size)
    {
        table.External(symbol).Size = size;
        return this;
    }

    /// <summary>Sets the alignment.</summary>
    public SymbolBuilder SetAlign(int align)
    {
        table.SetAlign(symbol, align);
        return this;
    }

    /// <summary>Lets the symbol be defined in several objects (SetDuplicateOK).</summary>
    public SymbolBuilder SetDuplicateOk()
    {
        table.External(symbol).DupOk = true;
        return this;
    }

    /// <summary>Sets or clears attributes.</summary>
    public SymbolBuilder Set(SymbolTable.Attributes attributes, bool on = true)
    {
        table.Set(symbol, attributes, on);
        return this;
    }

    /// <summary>Marks the symbol live.</summary>
    public SymbolBuilder SetReachable(bool on = true) => Set(SymbolTable.Attributes.Reachable, on);

    /// <summary>The content, writable: the symbol's own copy, made now if it still reads its origin's.</summary>
    public Span<byte> WritableData()
    {
        SymbolContent content = table.OwnContent(symbol);
        if (!content.OwnsData)
        {
            ReadOnlySpan<byte> original = table.Data(symbol);
            if (original.Length > 0)
            {
                MemoryAccount.Shared.CountPrivateCopy(symbol.Index, original.Length);
            }
            content.SetData(original);
        }
        return content.Data;
    }

    /// <summary>The relocations, writable: the symbol's own copy.</summary>
    public Span<RelocRecord> WritableRelocs()
    {
        SymbolContent content = table.OwnContent(symbol);
        if (!content.OwnsRelocs)
        {
            content.SetRelocs(table.Relocs(symbol));
        }
        return content.Relocs;
    }

    /// <summary>Replaces the content (not the size).</summary>
    public void SetData(ReadOnlySpan<byte> data) => table.OwnContent(symbol).SetData(data);

    /// <summary>Takes content in an input's mapping as it is, read in place until it is changed (not the size).</summary>
    public unsafe void SetMappedData(byte* content, int length) => table.SetMappedData(symbol, content, length);

    /// <summary>Grows content and size to at least <paramref name="size"/>.</summary>
    public void Grow(long size)
    {
        WritableData();
        table.OwnContent(symbol).Grow(size);
        ref long s = ref table.External(symbol).Size;
        s = Math.Max(s, size);
    }

    /// <summary>Appends bytes.</summary>
    public long AddBytes(ReadOnlySpan<byte> bytes)
    {
        DefaultKind(SymbolKind.Data);
        long at = Size;
        Grow(at + bytes.Length);
        bytes.CopyTo(table.OwnContent(symbol).Data[(int)at..]);
        return Size;
    }

    /// <summary>Overwrites bytes at an offset, growing as needed; returns the offset behind them.</summary>
    public long SetBytesAt(long offset, ReadOnlySpan<byte> bytes)
    {
        Grow(offset + bytes.Length);
        bytes.CopyTo(table.OwnContent(symbol).Data[(int)offset..]);
        return offset + bytes.Length;
    }

    /// <summary>
    /// Appends a byte to the content; the symbol's size grows by one. A zeroed variable has a size and no content: its first byte is the
    /// one that is set, and it gets longer than it was declared (AddUint8).
    /// </summary>
    public long AddUInt8(byte v)
    {
        DefaultKind(SymbolKind.Data);
        int at = WritableData().Length;
        SymbolContent content = table.OwnContent(symbol);
        content.Grow(at + 1);
        content.Data[at] = v;
        return ++table.External(symbol).Size;
    }

    /// <summary>Appends a 16-bit number.</summary>
    public long AddUInt16(ushort v) => SetUInt(Size, v, 2);

    /// <summary>Appends a 32-bit number.</summary>
    public long AddUInt32(uint v) => SetUInt(Size, v, 4);

    /// <summary>Appends a 64-bit number.</summary>
    public long AddUInt64(ulong v) => SetUInt(Size, v, 8);

    /// <summary>Appends a number of the target's pointer size.</summary>
    public long AddUIntPtr(ulong v) => SetUInt(Size, v, table.Target.PointerSize);

    /// <summary>Appends an unsigned LEB128 number.</summary>
    public void AddUleb128(ulong v)
    {
        do
        {
            byte b = (byte)(v & 0x7f);
            v >>= 7;
            AddUInt8(v != 0 ? (byte)(b | 0x80) : b);
        }
        while (v != 0);
    }

    /// <summary>Writes a number of <paramref name="width"/> bytes at an offset, growing as needed.</summary>
    public long SetUInt(long offset, ulong v, int width)
    {
        DefaultKind(SymbolKind.Data);
        Span<byte> bytes = stackalloc byte[8];
        if (table.Target.IsBigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, v);
            return SetBytesAt(offset, bytes[(8 - width)..]);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, v);
        return SetBytesAt(offset, bytes[..width]);
    }

    /// <summary>Writes a string and a zero byte at an offset.</summary>
    public long AddCStringAt(long offset, ReadOnlySpan<byte> s)
    {
        offset = SetBytesAt(offset, s);
        return SetBytesAt(offset, [0]);
    }

    /// <summary>
    /// Appends a string and a zero byte to the content, whose length becomes the size; returns the size that was, the offset where it
    /// starts. A symbol of a shared library has a size and no content (Addstring).
    /// </summary>
    public long AddString(ReadOnlySpan<byte> s)
    {
        DefaultKind(SymbolKind.NoPtrData);
        long at = Size;
        long end = AddCStringAt(WritableData().Length, s);
        SetSize(end);
        return at;
    }

    /// <summary>Appends an address-sized absolute reference.</summary>
    public long AddAddress(SymbolId target, long addend = 0) => AddReference(target, addend, RelocKind.Addr, table.Target.PointerSize);

    /// <summary>Appends a 4-byte absolute reference.</summary>
    public long AddAddress4(SymbolId target, long addend = 0) => AddReference(target, addend, RelocKind.Addr, 4);

    /// <summary>Appends a 4-byte pc-relative reference.</summary>
    public long AddPcRelative4(SymbolId target, long addend = 0) => AddReference(target, addend, RelocKind.PcRel, 4);

    /// <summary>Appends a 4-byte reference relative to the compilation unit's start.</summary>
    public long AddCuRelative4(SymbolId target, long addend = 0) => AddReference(target, addend, RelocKind.AddrCuOff, 4);

    /// <summary>Appends the size of a symbol, address-sized.</summary>
    public long AddSizeOf(SymbolId target) => AddReference(target, 0, RelocKind.Size, table.Target.PointerSize);

    /// <summary>Appends a field of <paramref name="width"/> zero bytes with a relocation.</summary>
    public long AddReference(SymbolId target, long addend, RelocKind kind, int width)
    {
        DefaultKind(SymbolKind.Data);
        long at = Size;
        Grow(at + width);
        AddReloc(kind, (int)at, width, target, addend);
        return at + width;
    }

    /// <summary>Writes an absolute reference at an offset (SetAddrPlus).</summary>
    public long SetAddress(long offset, SymbolId target, long addend = 0)
    {
        DefaultKind(SymbolKind.Data);
        int width = table.Target.PointerSize;
        Grow(offset + width);
        AddReloc(RelocKind.Addr, (int)offset, width, target, addend);
        return offset + width;
    }

    /// <summary>Adds a relocation without touching the content.</summary>
    public void AddReloc(RelocKind kind, int offset, int size, SymbolId target, long addend) =>
        AddRelocRecord((ushort)kind, offset, size, target, addend);

    /// <summary>Adds a relocation, which may be a weak one, without touching the content.</summary>
    public void AddReloc(RelocKind kind, int offset, int size, SymbolId target, long addend, bool isWeak) =>
        AddRelocRecord((ushort)((ushort)kind | (isWeak ? RelocFlags.Weak : 0)), offset, size, target, addend);

    /// <summary>Adds a relocation of a host object, in its own numbering.</summary>
    public void AddHostReloc(uint hostType, int offset, int size, SymbolId target, long addend) =>
        AddRelocRecord(checked((ushort)(RelocFlags.HostBase + hostType)), offset, size, target, addend);

    /// <summary>Removes all relocations.</summary>
    public void ClearRelocs() => table.OwnContent(symbol).ClearRelocs();

    /// <summary>
    /// The i-th relocation, writable but for offset and size. The others of a Go symbol stay where they are: a far call takes a
    /// trampoline, its neighbours mostly don't. Valid until something else is changed.
    /// </summary>
    private ref RelocRecord WritableReloc(int i)
    {
        if (table.Content(symbol) is not { OwnsRelocs: true } && table.Origin(symbol, out _) is not null)
        {
            return ref table.ChangeReloc(symbol, i);
        }
        return ref WritableRelocs()[i];
    }

    /// <summary>Changes the kind of the i-th relocation.</summary>
    public void SetRelocKind(int i, RelocKind kind) => WritableReloc(i).RawKind = (ushort)kind;

    /// <summary>Changes the target of the i-th relocation.</summary>
    public void SetRelocTarget(int i, SymbolId target) => WritableReloc(i).Target = new SymRef(SymRef.Invalid, (uint)target.Index);

    /// <summary>Changes the addend of the i-th relocation.</summary>
    public void SetRelocAddend(int i, long addend) => WritableReloc(i).Addend = addend;

    /// <summary>Changes the size of the i-th relocation.</summary>
    public void SetRelocSize(int i, int size) => WritableRelocs()[i].Size = (byte)size;

    /// <summary>Sorts the relocations by offset, keeping the order of equal ones.</summary>
    public void SortRelocs()
    {
        Span<RelocRecord> relocs = WritableRelocs();
        bool sorted = true;
        for (int i = 1; i < relocs.Length && sorted; i++)
        {
            sorted = relocs[i - 1].Offset <= relocs[i].Offset;
        }
        if (sorted)
        {
            return;
        }
        long[] keys = new long[relocs.Length];
        for (int i = 0; i < relocs.Length; i++)
        {
            keys[i] = ((long)relocs[i].Offset << 32) | (uint)i;
        }
        keys.AsSpan().Sort(relocs);
    }

    private void AddRelocRecord(ushort number, int offset, int size, SymbolId target, long addend)
    {
        WritableRelocs();
        table.OwnContent(symbol).AddReloc(new RelocRecord
        {
            Offset = offset,
            Size = (byte)size,
            RawKind = number,
            Addend = addend,
            Target = new SymRef(SymRef.Invalid, (uint)target.Index),
        });
    }

    private void DefaultKind(SymbolKind kind)
    {
        if (table.Kind(symbol) == SymbolKind.None)
        {
            table.SetKind(symbol, kind);
        }
    }
}
