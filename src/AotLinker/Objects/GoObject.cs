using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Load;

namespace AotLinker.Objects;

/// <summary>
/// One Go object file, read in place from its mapping (format: cmd/internal/goobj/objfile.go).
/// </summary>
/// <remarks>
/// <para>The block table is checked once, when the object is opened; every accessor then checks its own index against its
/// block, so that a damaged file ends in an error naming it and never in a stray read.</para>
/// <para>Local symbol indices run over the package's own definitions, the 64-bit hashed, the hashed and the named definitions,
/// then the named references. The own definitions are contiguous in the global id space; the rest goes through a map.</para>
/// </remarks>
internal sealed unsafe class GoObject
{
    private const int BlockCount = 19;
    private const int HeaderSize = 8 + 8 + 4 + (4 * BlockCount);

    private const int BlkAutolib = 0;
    private const int BlkPkgIdx = 1;
    private const int BlkFile = 2;
    private const int BlkSymdef = 3;
    private const int BlkHashed64Def = 4;
    private const int BlkHashedDef = 5;
    private const int BlkNonPkgDef = 6;
    private const int BlkNonPkgRef = 7;
    private const int BlkRefFlags = 8;
    private const int BlkHash64 = 9;
    private const int BlkHash = 10;
    private const int BlkRelocIdx = 11;
    private const int BlkAuxIdx = 12;
    private const int BlkDataIdx = 13;
    private const int BlkReloc = 14;
    private const int BlkAux = 15;
    private const int BlkData = 16;

    /// <summary>The magic of Go 1.20 and later.</summary>
    public static ReadOnlySpan<byte> Magic => "\0go120ld"u8;

    private readonly byte* _base;
    private readonly uint _length;
    private readonly byte* _symbols;
    private readonly uint* _relocIndex;
    private readonly uint* _auxIndex;
    private readonly uint* _dataIndex;
    private readonly byte* _relocs;
    private readonly byte* _auxes;
    private readonly byte* _data;
    private readonly byte* _hashes64;
    private readonly byte* _hashes;
    private byte* _globalMap;
    private nuint _globalIdSize;
    private uint _globalIdMask;
    private readonly uint _relocCount;
    private readonly uint _auxCount;
    private readonly uint _dataLength;

    /// <summary>Opens the object of <paramref name="length"/> bytes at <paramref name="start"/>.</summary>
    /// <exception cref="LinkException">The magic, the block table or an index table is damaged.</exception>
    public GoObject(byte* start, long length, string displayName)
    {
        _base = start;
        DisplayName = displayName;
        if (length < HeaderSize || length > uint.MaxValue || !new ReadOnlySpan<byte>(start, 8).SequenceEqual(Magic))
        {
            if (length >= 8 && new ReadOnlySpan<byte>(start, 8).SequenceEqual("\0go114ld"u8))
            {
                throw new LinkException(MessageForm.Input, $"found object file {displayName} in old format");
            }
            throw Damaged("wrong magic, not a Go object file");
        }
        _length = (uint)length;
        Fingerprint = Unaligned.U64(start + 8);
        Flags = (ObjectFlags)Unaligned.U32(start + 16);
        uint previous = HeaderSize;
        for (int i = 0; i < BlockCount; i++)
        {
            uint offset = Block(i);
            if (offset < previous || offset > _length)
            {
                throw Damaged("block table out of order");
            }
            previous = offset;
        }
        DefCount = Records(BlkSymdef, SymbolRecord.RecordSize);
        Hashed64Count = Records(BlkHashed64Def, SymbolRecord.RecordSize);
        HashedCount = Records(BlkHashedDef, SymbolRecord.RecordSize);
        NonPkgDefCount = Records(BlkNonPkgDef, SymbolRecord.RecordSize);
        NonPkgRefCount = Records(BlkNonPkgRef, SymbolRecord.RecordSize);
        if (Records(BlkHash64, 8) < Hashed64Count || Records(BlkHash, 16) < HashedCount)
        {
            throw Damaged("hash block too short");
        }
        FirstNonPkg = DefCount + Hashed64Count + HashedCount;
        AllDefCount = FirstNonPkg + NonPkgDefCount;
        SymbolCount = AllDefCount + NonPkgRefCount;
        int indexWords = AllDefCount + 1;
        if (Records(BlkRelocIdx, 4) < indexWords || Records(BlkAuxIdx, 4) < indexWords || Records(BlkDataIdx, 4) < indexWords)
        {
            throw Damaged("index block too short");
        }
        _symbols = start + Block(BlkSymdef);
        _relocIndex = (uint*)(start + Block(BlkRelocIdx));
        _auxIndex = (uint*)(start + Block(BlkAuxIdx));
        _dataIndex = (uint*)(start + Block(BlkDataIdx));
        _relocs = start + Block(BlkReloc);
        _auxes = start + Block(BlkAux);
        _data = start + Block(BlkData);
        _relocCount = (uint)Records(BlkReloc, RelocRecord.RecordSize);
        _auxCount = (uint)Records(BlkAux, AuxRecord.RecordSize);
        _dataLength = Block(BlkData + 1) - Block(BlkData);
        _hashes64 = start + Block(BlkHash64);
        _hashes = start + Block(BlkHash);
    }

    /// <summary>Flags in the object's header (goobj.ObjFlag*).</summary>
    [Flags]
    public enum ObjectFlags : uint
    {
        /// <summary>Compiled with -shared.</summary>
        Shared = 1,
        /// <summary>Made by the assembler.</summary>
        FromAssembly = 4,
        /// <summary>Compiled without -p.</summary>
        Unlinkable = 8,
        /// <summary>Part of the standard library.</summary>
        Std = 16,
    }

    /// <summary>Position in <see cref="SymbolTable.Objects"/>.</summary>
    public int Index { get; set; }

    /// <summary>The compilation unit this object is. Set when the object becomes part of the link.</summary>
    public CompilationUnit Unit { get; set; } = null!;

    /// <summary>The package the unit belongs to.</summary>
    public Package Package => Unit.Package;

    /// <summary>"archive(member)", for messages.</summary>
    public string DisplayName { get; }

    /// <summary>Header flags.</summary>
    public ObjectFlags Flags { get; }

    /// <summary>The version number of this object's static symbols (≥ <see cref="SymbolTable.StaticVersion"/>).</summary>
    public int StaticVersion { get; set; }

    /// <summary>Number of package definitions.</summary>
    public int DefCount { get; }

    /// <summary>Number of 64-bit hashed definitions.</summary>
    public int Hashed64Count { get; }

    /// <summary>Number of hashed definitions.</summary>
    public int HashedCount { get; }

    /// <summary>Number of named definitions.</summary>
    public int NonPkgDefCount { get; }

    /// <summary>Number of named references.</summary>
    public int NonPkgRefCount { get; }

    /// <summary>Local index of the first hashed definition.</summary>
    public int FirstHashed => DefCount + Hashed64Count;

    /// <summary>Local index of the first named definition; the named references follow the definitions.</summary>
    public int FirstNonPkg { get; }

    /// <summary>Number of all definitions.</summary>
    public int AllDefCount { get; }

    /// <summary>Number of local symbols, definitions and named references.</summary>
    public int SymbolCount { get; }

    /// <summary>Global id of local symbol 0; the package definitions follow it without gaps. Set by resolve.</summary>
    public int GlobalBase { get; set; }

    /// <summary>
    /// Sets where the global ids of the local symbols from <see cref="DefCount"/> on are, little-endian numbers of three or four bytes, behind
    /// the last of which there is at least one more. Memory of resolve.
    /// </summary>
    public void SetGlobalMap(byte* first, int size)
    {
        _globalMap = first;
        _globalIdSize = (nuint)size;
        _globalIdMask = uint.MaxValue >> (32 - (8 * size));
    }

    /// <summary>The map of global ids, for loops that call nothing.</summary>
    public MappedIds Mapped => new(_globalMap, _globalIdSize, _globalIdMask);

    /// <summary>Global id of local symbol <see cref="DefCount"/> + <paramref name="i"/>, which must be one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int MappedId(int i) => (int)(Unsafe.ReadUnaligned<uint>(_globalMap + ((nuint)(uint)i * _globalIdSize)) & _globalIdMask);

    /// <summary>
    /// The ids of the definitions of each package the object refers to, by the number it has here; the first stands for none. Set by
    /// resolve.
    /// </summary>
    public IdRange[] PackageIds { get; set; } = [];

    /// <summary>The ids of the predefined functions by number, 0 for those that nothing defines. Set by resolve.</summary>
    public int[] Builtins { get; set; } = [];

    /// <summary>
    /// Global id of a reference, for loops that call nothing. False for one that <see cref="SymbolTable.Resolve(GoObject, SymRef)"/> must
    /// look at: none, a content with a short hash, or a bad one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryResolve(SymRef r, out int id)
    {
        uint package = r.PackageIndex, index = r.SymbolIndex;
        if (package == SymRef.Hashed)
        {
            id = index < (uint)HashedCount ? MappedId(Hashed64Count + (int)index) : 0;
        }
        else if (package < SymRef.Self)
        {
            IdRange[] packages = PackageIds;
            IdRange ids = package < (uint)packages.Length ? packages[package] : default;
            id = index < (uint)ids.Count ? ids.First + (int)index : 0;
        }
        else if (package == SymRef.NonPackage)
        {
            id = index < (uint)(SymbolCount - FirstNonPkg) ? MappedId(FirstNonPkg - DefCount + (int)index) : 0;
        }
        else if (package == SymRef.Self)
        {
            id = index < (uint)DefCount ? GlobalBase + (int)index : 0;
        }
        else
        {
            int[] builtins = Builtins;
            id = package == SymRef.Builtin && index < (uint)builtins.Length ? builtins[index] : 0;
        }
        return id != 0;
    }

    /// <summary>Whether the content of the mapping is read-only memory.</summary>
    public bool Shared => (Flags & ObjectFlags.Shared) != 0;

    /// <summary>Whether the assembler made this object.</summary>
    public bool FromAssembly => (Flags & ObjectFlags.FromAssembly) != 0;

    /// <summary>The fingerprint of the package's export data, 0 for assembly objects; as a little-endian word.</summary>
    public ulong Fingerprint { get; }

    /// <summary>Number of imported packages to load.</summary>
    public int AutolibCount => Records(BlkAutolib, 16);

    /// <summary>Number of entries in the package index; entry 0 is a dummy.</summary>
    public int PackageCount => Records(BlkPkgIdx, 8);

    /// <summary>Number of files in the DWARF file table.</summary>
    public int FileCount => Records(BlkFile, 8);

    /// <summary>Number of flag records for referenced symbols.</summary>
    public int RefFlagsCount => Records(BlkRefFlags, 10);

    /// <summary>Path and expected fingerprint of the i-th imported package.</summary>
    public ReadOnlySpan<byte> Autolib(int i, out ulong fingerprint)
    {
        byte* p = Record(BlkAutolib, 16, i);
        fingerprint = Unaligned.U64(p + 8);
        return StringAt(p);
    }

    /// <summary>Path of the i-th referenced package.</summary>
    public ReadOnlySpan<byte> PackagePath(int i) => StringAt(Record(BlkPkgIdx, 8, i));

    /// <summary>Name of the i-th source file.</summary>
    public ReadOnlySpan<byte> FileName(int i) => StringAt(Record(BlkFile, 8, i));

    /// <summary>The i-th flag record of a referenced symbol.</summary>
    public void RefFlags(int i, out SymRef symbol, out SymbolFlags flags, out SymbolFlags2 flags2)
    {
        byte* p = Record(BlkRefFlags, 10, i);
        symbol = Unsafe.ReadUnaligned<SymRef>(p);
        flags = (SymbolFlags)p[8];
        flags2 = (SymbolFlags2)p[9];
    }

    /// <summary>The record of local symbol <paramref name="local"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly SymbolRecord Symbol(int local) => ref *RecordOf(local);

    /// <summary>The same as an address, which is in the mapping; nothing has been read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SymbolRecord* RecordOf(int local)
    {
        if ((uint)local >= (uint)SymbolCount)
        {
            ThrowDamaged("symbol index out of range");
        }
        return (SymbolRecord*)(_symbols + ((nuint)(uint)local * SymbolRecord.RecordSize));
    }

    /// <summary>The first of the records of all <see cref="SymbolCount"/> local symbols, for loops over them.</summary>
    public SymbolRecord* FirstRecord => (SymbolRecord*)_symbols;

    /// <summary>Name of a record's symbol, as bytes in the mapping.</summary>
    public ReadOnlySpan<byte> Name(in SymbolRecord record) => StringAt(record.NameOffset, record.NameLength);

    /// <summary>Asks the CPU for the record of a symbol.</summary>
    public void ExpectRecord(int local) => Prefetch.Read(_symbols + ((nuint)(uint)local * SymbolRecord.RecordSize));

    /// <summary>Asks the CPU for where a definition's content and relocations begin.</summary>
    public void ExpectIndexes(int local)
    {
        Prefetch.Read(_relocIndex + local);
        Prefetch.Read(_dataIndex + local);
    }

    /// <summary>Asks the CPU for where a definition's relocations begin.</summary>
    public void ExpectRelocIndex(int local) => Prefetch.Read(_relocIndex + local);

    /// <summary>Asks the CPU for where a definition's auxiliary symbols begin.</summary>
    public void ExpectAuxIndex(int local) => Prefetch.Read(_auxIndex + local);

    /// <summary>Asks the CPU for where a definition's content begins.</summary>
    public void ExpectDataIndex(int local) => Prefetch.Read(_dataIndex + local);

    /// <summary>Asks the CPU for a definition's record, and for where its relocations and auxiliary symbols begin.</summary>
    public void ExpectDefinition(int local)
    {
        ExpectRecord(local);
        ExpectRelocIndex(local);
        ExpectAuxIndex(local);
    }

    /// <summary>Asks the CPU for the beginning of a definition's content.</summary>
    public void ExpectData(int local)
    {
        if ((uint)local < (uint)AllDefCount)
        {
            uint from = Unaligned.U32((byte*)(_dataIndex + local));
            Expect(_data + from, Unaligned.U32((byte*)(_dataIndex + local + 1)) - from, mostLines: 4);
        }
    }

    /// <summary>Asks the CPU for the first of a definition's relocations.</summary>
    public void ExpectRelocs(int local)
    {
        if ((uint)local < (uint)AllDefCount)
        {
            uint from = Unaligned.U32((byte*)(_relocIndex + local));
            uint count = Unaligned.U32((byte*)(_relocIndex + local + 1)) - from;
            Expect(_relocs + ((nuint)from * RelocRecord.RecordSize), (nuint)count * RelocRecord.RecordSize, mostLines: 6);
        }
    }

    /// <summary>Asks the CPU for the first of a definition's auxiliary symbols.</summary>
    public void ExpectAuxes(int local)
    {
        if ((uint)local < (uint)AllDefCount)
        {
            uint from = Unaligned.U32((byte*)(_auxIndex + local));
            uint count = Unaligned.U32((byte*)(_auxIndex + local + 1)) - from;
            Expect(_auxes + ((nuint)from * AuxRecord.RecordSize), (nuint)count * AuxRecord.RecordSize, mostLines: 4);
        }
    }

    // The CPU finds out by itself what follows, but only after some lines.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Expect(byte* at, nuint length, int mostLines)
    {
        const int Line = 64;
        if (length == 0)
        {
            return;
        }
        Prefetch.Read(at);
        // Most begin within a line, and end in the next.
        Prefetch.Read(at + Math.Min(length - 1, Line));
        if (length > Line)
        {
            for (int i = 2; i < mostLines; i += 2)
            {
                Prefetch.Read(at + Math.Min(length - 1, (nuint)(i * Line)));
                Prefetch.Read(at + Math.Min(length - 1, (nuint)((i + 1) * Line)));
            }
        }
    }

    /// <summary>Asks the CPU for the name of a symbol whose record is near.</summary>
    public void ExpectName(int local) => ExpectName(in Symbol(local));

    /// <summary>The same for a record.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ExpectName(in SymbolRecord record)
    {
        // Most names are in one or two lines of the cache.
        byte* name = _base + record.NameOffset;
        Prefetch.Read(name);
        Prefetch.Read(name + record.NameLength);
    }

    /// <summary>Name of local symbol <paramref name="local"/>.</summary>
    public ReadOnlySpan<byte> Name(int local) => Name(Symbol(local));

    /// <summary>The content hashes, one behind the other: 8 bytes for each 64-bit hashed definition, or 16 for each hashed one.</summary>
    public byte* ContentHashesOf(bool isShort) => isShort ? _hashes64 : _hashes;

    /// <summary>
    /// Whether a hashed definition is a table that belongs to one function: of pcs, or whatever else has no name. Nothing but the function's
    /// record leads to it, and it is laid out with others of its sort alone.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPcTable(in SymbolRecord record) => (record.NameLength | (uint)(record.RawKind ^ SymbolRecord.RoDataKind)) == 0;

    /// <summary>Where the content hashes lie in the object: offset and length. Nothing looks at them once symbols are resolved.</summary>
    public (long Offset, long Length) ContentHashes => (Block(BlkHash64), Block(BlkHash + 1) - Block(BlkHash64));

    /// <summary>Content of a definition; empty for references and zeroed symbols. May be shorter than the symbol's size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Data(int local)
    {
        if ((uint)local >= (uint)AllDefCount)
        {
            return default;
        }
        uint from = Unsafe.ReadUnaligned<uint>(_dataIndex + local), to = Unsafe.ReadUnaligned<uint>(_dataIndex + local + 1);
        if (from > to || to > _dataLength || to - from > int.MaxValue)
        {
            ThrowDamaged("symbol data out of range");
        }
        return new ReadOnlySpan<byte>(_data + from, (int)(to - from));
    }

    /// <summary>Length of a definition's content.</summary>
    public int DataSize(int local) => Data(local).Length;

    /// <summary>Relocations of a definition; empty for references.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<RelocRecord> Relocs(int local)
    {
        if ((uint)local >= (uint)AllDefCount)
        {
            return default;
        }
        uint from = Unsafe.ReadUnaligned<uint>(_relocIndex + local), to = Unsafe.ReadUnaligned<uint>(_relocIndex + local + 1);
        if (from > to || to > _relocCount)
        {
            ThrowDamaged("relocation index out of range");
        }
        return new ReadOnlySpan<RelocRecord>(_relocs + ((nuint)from * RelocRecord.RecordSize), (int)(to - from));
    }

    /// <summary>Auxiliary symbols of a definition; empty for references.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<AuxRecord> Auxes(int local)
    {
        if ((uint)local >= (uint)AllDefCount)
        {
            return default;
        }
        uint from = Unsafe.ReadUnaligned<uint>(_auxIndex + local), to = Unsafe.ReadUnaligned<uint>(_auxIndex + local + 1);
        if (from > to || to > _auxCount)
        {
            ThrowDamaged("auxiliary symbol index out of range");
        }
        return new ReadOnlySpan<AuxRecord>(_auxes + ((nuint)from * AuxRecord.RecordSize), (int)(to - from));
    }

    /// <summary>
    /// Where it stands at which of the object's auxiliary symbols a definition's begin; behind it, 4 bytes on, where the next one's do.
    /// </summary>
    public byte* AuxIndex(int local) => (uint)local < (uint)AllDefCount ? (byte*)(_auxIndex + local) : throw Damaged("symbol index out of range");

    /// <summary>Whether a definition refers to nothing: it has no relocations and no auxiliary symbols.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool RefersToNothing(int local) =>
        (uint)local < (uint)AllDefCount
        && Unsafe.ReadUnaligned<uint>(_relocIndex + local) == Unsafe.ReadUnaligned<uint>(_relocIndex + local + 1)
        && Unsafe.ReadUnaligned<uint>(_auxIndex + local) == Unsafe.ReadUnaligned<uint>(_auxIndex + local + 1);

    /// <summary>Whether the local symbol is content-addressable by a 128-bit hash.</summary>
    public bool IsContentHashed(int local) => (uint)(local - DefCount - Hashed64Count) < (uint)HashedCount;

    /// <summary>Global id of local symbol <paramref name="local"/> (after resolve).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ToGlobal(int local)
    {
        if ((uint)local >= (uint)SymbolCount)
        {
            ThrowDamaged("symbol index out of range");
        }
        return local < DefCount ? GlobalBase + local : MappedId(local - DefCount);
    }

    /// <summary>An error about this object.</summary>
    public LinkException Damaged(string what) => new($"{DisplayName}: damaged object file: {what}");

    private uint Block(int i) => Unaligned.U32(_base + 20 + (4 * i));

    private int Records(int block, int size)
    {
        uint n = (Block(block + 1) - Block(block)) / (uint)size;
        return n <= int.MaxValue ? (int)n : throw Damaged("block too large");
    }

    private byte* Record(int block, int size, int i)
    {
        if ((uint)i >= (uint)Records(block, size))
        {
            ThrowDamaged("record index out of range");
        }
        return _base + Block(block) + ((nuint)(uint)i * (nuint)size);
    }

    private ReadOnlySpan<byte> StringAt(byte* p) => StringAt(Unaligned.U32(p + 4), Unaligned.U32(p));

    private ReadOnlySpan<byte> StringAt(uint offset, uint length)
    {
        if (offset > _length || length > _length - offset || length > int.MaxValue)
        {
            ThrowDamaged("string out of range");
        }
        return new ReadOnlySpan<byte>(_base + offset, (int)length);
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void ThrowDamaged(string what) => throw Damaged(what);

    /// <summary>The global ids of the local symbols behind the package definitions.</summary>
    public readonly struct MappedIds(byte* first, nuint size, uint mask)
    {
        /// <summary>As <see cref="MappedId"/>.</summary>
        public int this[int i]
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => (int)(Unsafe.ReadUnaligned<uint>(first + ((nuint)(uint)i * size)) & mask);
        }
    }
}
