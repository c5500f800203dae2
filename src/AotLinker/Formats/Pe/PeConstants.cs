namespace AotLinker.Formats.Pe;

/// <summary>Characteristics of a section.</summary>
[Flags]
internal enum PeSectionFlags : uint
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Code.</summary>
    Code = 0x20,
    /// <summary>Data with content.</summary>
    InitializedData = 0x40,
    /// <summary>Zeroed data.</summary>
    UninitializedData = 0x80,
    /// <summary>Host objects: one of several sections of the same content, of which one is kept.</summary>
    Comdat = 0x1000,
    /// <summary>No alignment.</summary>
    Align1 = 0x0010_0000,
    /// <summary>Objects: alignment to 4 bytes.</summary>
    Align4 = 0x0030_0000,
    /// <summary>Objects: alignment to 8 bytes.</summary>
    Align8 = 0x0040_0000,
    /// <summary>Objects: alignment to 32 bytes.</summary>
    Align32 = 0x0060_0000,
    /// <summary>Objects: the true number of relocations stands in the first of them.</summary>
    RelocationOverflow = 0x0100_0000,
    /// <summary>Not needed in memory.</summary>
    Discardable = 0x0200_0000,
    /// <summary>Executable.</summary>
    Execute = 0x2000_0000,
    /// <summary>Readable.</summary>
    Read = 0x4000_0000,
    /// <summary>Writable.</summary>
    Write = 0x8000_0000,
}

/// <summary>Entries of the optional header's data directory.</summary>
internal enum PeDirectory
{
    /// <summary>Exported symbols.</summary>
    Export = 0,
    /// <summary>Imported symbols.</summary>
    Import = 1,
    /// <summary>Resources.</summary>
    Resource = 2,
    /// <summary>Unwind tables.</summary>
    Exception = 3,
    /// <summary>Base relocations.</summary>
    BaseRelocation = 5,
    /// <summary>Load configuration.</summary>
    LoadConfig = 10,
    /// <summary>Import address table.</summary>
    ImportAddress = 12,
}

/// <summary>
/// Numbers of the PE/COFF specification ("PE Format" in Microsoft's documentation); the names are ours, the comments' theirs.
/// </summary>
internal static class PeConstants
{
    /// <summary>Alignment of sections in memory.</summary>
    public const int SectionAlign = 0x1000;

    /// <summary>Alignment of sections in the file.</summary>
    public const int FileAlign = 0x200;

    /// <summary>
    /// Alignment of an object's sections, in its own addresses and for the linker that takes it: masks for vector instructions need 16 bytes.
    /// </summary>
    public const int ObjectSectionAlign = 32;

    /// <summary>Bytes of an object's relocation.</summary>
    public const int RelocationSize = 10;

    /// <summary>Bytes of the COFF file header.</summary>
    public const int FileHeaderSize = 20;

    /// <summary>Bytes of the optional header of 32-bit programs.</summary>
    public const int OptionalHeader32Size = 224;

    /// <summary>Bytes of the optional header of 64-bit programs.</summary>
    public const int OptionalHeader64Size = 240;

    /// <summary>Bytes of a section header.</summary>
    public const int SectionHeaderSize = 40;

    /// <summary>Section headers that there is room for.</summary>
    public const int MaxSections = 16;

    /// <summary>Entries of the data directory.</summary>
    public const int DirectoryCount = 16;

    /// <summary>Bytes of a record of the symbol table.</summary>
    public const int SymbolSize = 18;

    /// <summary>Bytes of a symbol's or section's name that stands in its record.</summary>
    public const int ShortNameLength = 8;

    /// <summary>IMAGE_SYM_CLASS_EXTERNAL.</summary>
    public const byte ClassExternal = 2;

    /// <summary>IMAGE_SYM_CLASS_STATIC.</summary>
    public const byte ClassStatic = 3;

    /// <summary>IMAGE_SYM_CLASS_LABEL.</summary>
    public const byte ClassLabel = 6;

    /// <summary>IMAGE_SYM_DTYPE_FUNCTION where tools keep it: in the upper half of the type's lower byte.</summary>
    public const ushort TypeFunction = 0x20;

    /// <summary>IMAGE_SYM_ABSOLUTE: a symbol of a host object with a value and no section.</summary>
    public const short SectionAbsolute = -1;

    /// <summary>IMAGE_SYM_DEBUG: a symbol of a host object for debuggers.</summary>
    public const short SectionDebug = -2;

    /// <summary>IMAGE_FILE_RELOCS_STRIPPED.</summary>
    public const ushort FileRelocationsStripped = 0x0001;

    /// <summary>IMAGE_FILE_EXECUTABLE_IMAGE.</summary>
    public const ushort FileExecutable = 0x0002;

    /// <summary>IMAGE_FILE_LARGE_ADDRESS_AWARE.</summary>
    public const ushort FileLargeAddressAware = 0x0020;

    /// <summary>IMAGE_FILE_32BIT_MACHINE.</summary>
    public const ushort File32Bit = 0x0100;

    /// <summary>IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA.</summary>
    public const ushort DllHighEntropy = 0x0020;

    /// <summary>IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE.</summary>
    public const ushort DllDynamicBase = 0x0040;

    /// <summary>IMAGE_DLLCHARACTERISTICS_NX_COMPAT.</summary>
    public const ushort DllNoExecute = 0x0100;

    /// <summary>IMAGE_DLLCHARACTERISTICS_TERMINAL_SERVER_AWARE.</summary>
    public const ushort DllTerminalServerAware = 0x8000;

    /// <summary>IMAGE_SUBSYSTEM_WINDOWS_GUI.</summary>
    public const ushort SubsystemGui = 2;

    /// <summary>IMAGE_SUBSYSTEM_WINDOWS_CUI.</summary>
    public const ushort SubsystemConsole = 3;

    /// <summary>IMAGE_REL_BASED_HIGHLOW: a base relocation of 32 bits.</summary>
    public const ushort BaseRelocation32 = 3;

    /// <summary>IMAGE_REL_BASED_DIR64: a base relocation of 64 bits.</summary>
    public const ushort BaseRelocation64 = 10;

    /// <summary>IMAGE_GUARD_SECURITY_COOKIE_UNUSED.</summary>
    public const uint GuardCookieUnused = 0x800;
}
