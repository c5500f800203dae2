using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Objects;

/// <summary>A symbol reference inside an object file (goobj.SymRef): a package index and an index within it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct SymRef(uint PackageIndex, uint SymbolIndex)
{
    /// <summary>Package index of the nil reference; in linker-made relocations the symbol index is then a global id.</summary>
    public const uint Invalid = 0;

    /// <summary>Symbols defined or referenced by name.</summary>
    public const uint NonPackage = 0x7fffffff;

    /// <summary>Content-addressable symbols with a 64-bit hash.</summary>
    public const uint Hashed64 = 0x7ffffffe;

    /// <summary>Content-addressable symbols with a 128-bit hash.</summary>
    public const uint Hashed = 0x7ffffffd;

    /// <summary>Predefined runtime functions.</summary>
    public const uint Builtin = 0x7ffffffc;

    /// <summary>Symbols of the object's own package.</summary>
    public const uint Self = 0x7ffffffb;
}

/// <summary>One relocation as it lies in the object file (goobj.Reloc): 23 bytes, little-endian, unaligned.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RelocRecord
{
    /// <summary>Size of a record in bytes.</summary>
    public const int RecordSize = 23;

    /// <summary>Offset of the relocated field in the symbol's content.</summary>
    public int Offset;

    /// <summary>Size of the relocated field in bytes; 0 for a marker that is never applied.</summary>
    public byte Size;

    /// <summary>The kind's number in the object's release, and <see cref="RelocFlags.Weak"/>.</summary>
    public ushort RawKind;

    /// <summary>Addend.</summary>
    public long Addend;

    /// <summary>Target.</summary>
    public SymRef Target;

    /// <summary>Whether the reference keeps its target alive only if something else does.</summary>
    public readonly bool IsWeak => (RawKind & RelocFlags.Weak) != 0;

    /// <summary>Whether the record only informs the linker and is never applied.</summary>
    public readonly bool IsMarker => Size == 0;
}

/// <summary>What an auxiliary symbol is to its symbol (goobj.Aux* constants).</summary>
internal enum AuxKind : byte
{
    /// <summary>The Go type of a variable.</summary>
    GoType,
    /// <summary>The function's FuncInfo record.</summary>
    FuncInfo,
    /// <summary>A funcdata symbol; the n-th is funcdata n.</summary>
    FuncData,
    /// <summary>DWARF info DIE.</summary>
    DwarfInfo,
    /// <summary>DWARF location lists.</summary>
    DwarfLoc,
    /// <summary>DWARF ranges.</summary>
    DwarfRanges,
    /// <summary>DWARF line program.</summary>
    DwarfLines,
    /// <summary>pc → stack pointer delta table.</summary>
    PcSp,
    /// <summary>pc → file table.</summary>
    PcFile,
    /// <summary>pc → line table.</summary>
    PcLine,
    /// <summary>pc → inline tree node table.</summary>
    PcInline,
    /// <summary>A pcdata table; the n-th is pcdata n.</summary>
    PcData,
    /// <summary>WebAssembly import.</summary>
    WasmImport,
    /// <summary>WebAssembly type.</summary>
    WasmType,
    /// <summary>Windows SEH unwind information.</summary>
    SehUnwindInfo,
}

/// <summary>One auxiliary symbol as it lies in the object file (goobj.Aux): 9 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly struct AuxRecord
{
    /// <summary>Size of a record in bytes.</summary>
    public const int RecordSize = 9;

    /// <summary>The role.</summary>
    public readonly AuxKind Kind;

    /// <summary>The auxiliary symbol.</summary>
    public readonly SymRef Target;
}

/// <summary>Flags in the first flag byte of a symbol record (goobj.SymFlag*).</summary>
[Flags]
internal enum SymbolFlags : byte
{
    /// <summary>No flag.</summary>
    None = 0,
    /// <summary>May be defined in several objects.</summary>
    DupOk = 1,
    /// <summary>Only visible within the module.</summary>
    Local = 2,
    /// <summary>A type that reflection may look up by link.</summary>
    TypeLink = 4,
    /// <summary>A function that calls nothing.</summary>
    Leaf = 8,
    /// <summary>A function without a stack check.</summary>
    NoSplit = 16,
    /// <summary>A function that calls reflect's Method or MethodByName.</summary>
    ReflectMethod = 32,
    /// <summary>A type descriptor.</summary>
    GoType = 64,
}

/// <summary>Flags in the second flag byte of a symbol record (goobj.SymFlag*).</summary>
[Flags]
internal enum SymbolFlags2 : byte
{
    /// <summary>No flag.</summary>
    None = 0,
    /// <summary>A type converted to an interface somewhere.</summary>
    UsedInIface = 1,
    /// <summary>An itab.</summary>
    Itab = 2,
    /// <summary>A generics dictionary.</summary>
    Dict = 4,
    /// <summary>A compiler-made package initialiser.</summary>
    PkgInit = 8,
    /// <summary>Marked by go:linkname.</summary>
    Linkname = 16,
    /// <summary>1.27: marked by go:linknamestd. Up to 1.26: an ABI wrapper.</summary>
    Bit5 = 32,
    /// <summary>1.27: an ABI wrapper. Up to 1.26: a WebAssembly export.</summary>
    Bit6 = 64,
    /// <summary>1.27: a WebAssembly export.</summary>
    Bit7 = 128,
}

/// <summary>One symbol record as it lies in the object file (goobj.Sym): 21 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly struct SymbolRecord
{
    /// <summary>Size of a record in bytes.</summary>
    public const int RecordSize = 21;

    /// <summary>The number of <see cref="SymbolKind.RoData"/> in objects (objabi.SRODATA), in every release.</summary>
    public const byte RoDataKind = 3;

    /// <summary>The ABI value of static (file-local) symbols.</summary>
    public const ushort StaticAbi = 0xffff;

    /// <summary>Length of the name in bytes.</summary>
    public readonly uint NameLength;

    /// <summary>Offset of the name from the start of the object.</summary>
    public readonly uint NameOffset;

    /// <summary>0 ABI0, 1 ABIInternal, <see cref="StaticAbi"/>.</summary>
    public readonly ushort Abi;

    /// <summary>The kind's number (objabi.SymKind): see <see cref="SymbolKinds.FromObject"/>.</summary>
    public readonly byte RawKind;

    /// <summary>First flag byte.</summary>
    public readonly SymbolFlags Flags;

    /// <summary>Second flag byte.</summary>
    public readonly SymbolFlags2 Flags2;

    /// <summary>Size in memory, in bytes.</summary>
    public readonly uint Size;

    /// <summary>Required alignment in bytes, 0 for the default.</summary>
    public readonly uint Align;
}

/// <summary>A field of an unaligned record, read in little-endian order on any host.</summary>
internal static unsafe class Unaligned
{
    /// <summary>The 32-bit word at <paramref name="p"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint U32(byte* p) => Unsafe.ReadUnaligned<uint>(p);

    /// <summary>The 64-bit word at <paramref name="p"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong U64(byte* p) => Unsafe.ReadUnaligned<ulong>(p);
}
