namespace AotLinker.Formats.MachO;

/// <summary>Numbers of the Mach-O format (mach-o/loader.h, mach-o/nlist.h, mach/machine.h).</summary>
internal static class MachOConstants
{
    /// <summary>MH_MAGIC_64.</summary>
    public const uint Magic64 = 0xfeedfacf;

    /// <summary>MH_OBJECT.</summary>
    public const uint FileTypeObject = 1;

    /// <summary>MH_EXECUTE.</summary>
    public const uint FileTypeExecute = 2;

    /// <summary>MH_NOUNDEFS: nothing is imported.</summary>
    public const uint FlagNoUndefined = 0x1;

    /// <summary>MH_DYLDLINK: the dynamic linker's business.</summary>
    public const uint FlagDyldLink = 0x4;

    /// <summary>MH_PIE.</summary>
    public const uint FlagPie = 0x200000;

    /// <summary>SG_READ_ONLY: read-only once the dynamic linker has relocated it.</summary>
    public const uint SegmentReadOnly = 0x10;

    /// <summary>S_ZEROFILL.</summary>
    public const uint SectionZeroFill = 0x1;

    /// <summary>S_NON_LAZY_SYMBOL_POINTERS.</summary>
    public const uint SectionSymbolPointers = 0x6;

    /// <summary>S_MOD_INIT_FUNC_POINTERS.</summary>
    public const uint SectionInitialisers = 0x9;

    /// <summary>S_SYMBOL_STUBS.</summary>
    public const uint SectionSymbolStubs = 0x8;

    /// <summary>S_ATTR_PURE_INSTRUCTIONS.</summary>
    public const uint SectionPureInstructions = 0x80000000;

    /// <summary>S_ATTR_SOME_INSTRUCTIONS.</summary>
    public const uint SectionSomeInstructions = 0x00000400;

    /// <summary>S_ATTR_DEBUG.</summary>
    public const uint SectionDebug = 0x02000000;

    /// <summary>Bytes of an nlist_64.</summary>
    public const int SymbolSize = 16;

    /// <summary>N_UNDF | N_EXT.</summary>
    public const byte SymbolUndefined = 0x01;

    /// <summary>N_SECT.</summary>
    public const byte SymbolLocal = 0x0e;

    /// <summary>N_SECT | N_EXT.</summary>
    public const byte SymbolExternal = 0x0f;

    /// <summary>N_SECT | N_EXT | N_PEXT: external within the link, not for the dynamic linker.</summary>
    public const byte SymbolPrivateExternal = 0x1f;
}

/// <summary>Load commands (LC_…).</summary>
internal enum MachOCommand : uint
{
    /// <summary>LC_SEGMENT.</summary>
    Segment32 = 0x1,
    /// <summary>LC_SYMTAB.</summary>
    SymbolTable = 0x2,
    /// <summary>LC_UNIXTHREAD.</summary>
    UnixThread = 0x5,
    /// <summary>LC_DYSYMTAB.</summary>
    DynamicSymbolTable = 0xb,
    /// <summary>LC_LOAD_DYLIB.</summary>
    LoadDylib = 0xc,
    /// <summary>LC_LOAD_DYLINKER.</summary>
    LoadDylinker = 0xe,
    /// <summary>LC_SEGMENT_64.</summary>
    Segment64 = 0x19,
    /// <summary>LC_UUID.</summary>
    Uuid = 0x1b,
    /// <summary>LC_CODE_SIGNATURE.</summary>
    CodeSignature = 0x1d,
    /// <summary>LC_VERSION_MIN_MACOSX.</summary>
    VersionMinMac = 0x24,
    /// <summary>LC_VERSION_MIN_IPHONEOS.</summary>
    VersionMinPhone = 0x25,
    /// <summary>LC_VERSION_MIN_TVOS.</summary>
    VersionMinTv = 0x2f,
    /// <summary>LC_VERSION_MIN_WATCHOS.</summary>
    VersionMinWatch = 0x30,
    /// <summary>LC_BUILD_VERSION.</summary>
    BuildVersion = 0x32,
    /// <summary>LC_RPATH.</summary>
    RunPath = 0x8000001c,
    /// <summary>LC_DYLD_INFO.</summary>
    DyldInfo = 0x22,
    /// <summary>LC_DYLD_INFO_ONLY.</summary>
    DyldInfoOnly = 0x80000022,
    /// <summary>LC_MAIN.</summary>
    Main = 0x80000028,
}

/// <summary>The systems that Mach-O files name (PLATFORM_…).</summary>
internal enum MachOPlatform : uint
{
    /// <summary>None named.</summary>
    None,
    /// <summary>PLATFORM_MACOS.</summary>
    Mac,
    /// <summary>PLATFORM_IOS.</summary>
    Phone,
    /// <summary>PLATFORM_TVOS.</summary>
    Tv,
    /// <summary>PLATFORM_WATCHOS.</summary>
    Watch,
    /// <summary>PLATFORM_BRIDGEOS.</summary>
    Bridge,
    /// <summary>PLATFORM_MACCATALYST.</summary>
    Catalyst,
}
