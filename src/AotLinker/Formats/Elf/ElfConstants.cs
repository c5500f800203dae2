namespace AotLinker.Formats.Elf;

/// <summary>Section types (sh_type) that we write.</summary>
internal enum ElfSectionType : uint
{
    /// <summary>Not set yet; in the file, an unused header.</summary>
    Null = 0,
    /// <summary>Content whose meaning is the program's own.</summary>
    ProgBits = 1,
    /// <summary>Symbol table.</summary>
    SymTab = 2,
    /// <summary>String table.</summary>
    StrTab = 3,
    /// <summary>Relocations with addends.</summary>
    Rela = 4,
    /// <summary>Hash table of dynamic symbols.</summary>
    Hash = 5,
    /// <summary>Dynamic linking information.</summary>
    Dynamic = 6,
    /// <summary>Notes.</summary>
    Note = 7,
    /// <summary>Zeroed memory without content in the file.</summary>
    NoBits = 8,
    /// <summary>Relocations without addends.</summary>
    Rel = 9,
    /// <summary>Dynamic symbol table.</summary>
    DynSym = 11,
    /// <summary>Pointers to initialisation functions.</summary>
    InitArray = 14,
    /// <summary>Object attributes (GNU).</summary>
    GnuAttributes = 0x6ffffff5,
    /// <summary>Versions needed of each library (GNU).</summary>
    GnuVerNeed = 0x6ffffffe,
    /// <summary>Version of each dynamic symbol (GNU).</summary>
    GnuVerSym = 0x6fffffff,
    /// <summary>ABI flags (MIPS).</summary>
    MipsAbiFlags = 0x7000002a,
}

/// <summary>Section flags (sh_flags).</summary>
[Flags]
internal enum ElfSectionFlags : ulong
{
    /// <summary>None set.</summary>
    None = 0,
    /// <summary>Writable.</summary>
    Write = 1,
    /// <summary>Occupies memory.</summary>
    Alloc = 2,
    /// <summary>Executable.</summary>
    Exec = 4,
    /// <summary>Thread-local.</summary>
    Tls = 0x400,
    /// <summary>Compressed, with a compression header.</summary>
    Compressed = 0x800,
}

/// <summary>Segment types (p_type) that we write.</summary>
internal enum ElfSegmentType : uint
{
    /// <summary>Mapped into memory.</summary>
    Load = 1,
    /// <summary>Dynamic linking information.</summary>
    Dynamic = 2,
    /// <summary>Path of the interpreter.</summary>
    Interp = 3,
    /// <summary>Notes.</summary>
    Note = 4,
    /// <summary>The program headers themselves.</summary>
    ProgramHeaders = 6,
    /// <summary>Thread-local storage.</summary>
    Tls = 7,
    /// <summary>Stack permissions (GNU).</summary>
    GnuStack = 0x6474e551,
    /// <summary>Read-only after relocation (GNU).</summary>
    GnuRelRo = 0x6474e552,
    /// <summary>Branch target enforcement is off (OpenBSD).</summary>
    OpenBsdNoBtCfi = 0x65a3dbe8,
    /// <summary>Stack permissions (Solaris).</summary>
    SunwStack = 0x6ffffffb,
    /// <summary>ABI flags (MIPS).</summary>
    MipsAbiFlags = 0x70000003,
}

/// <summary>Segment permissions (p_flags).</summary>
[Flags]
internal enum ElfSegmentFlags : uint
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Executable.</summary>
    Exec = 1,
    /// <summary>Writable.</summary>
    Write = 2,
    /// <summary>Readable.</summary>
    Read = 4,
}

/// <summary>Tags of the dynamic section (d_tag) that we write.</summary>
internal enum ElfDynamicTag : uint
{
    /// <summary>End of the table.</summary>
    Null = 0,
    /// <summary>Library needed, as an offset in the string table.</summary>
    Needed = 1,
    /// <summary>Size of the PLT's relocations.</summary>
    PltRelSize = 2,
    /// <summary>Address of the PLT's GOT, or what the CPU has for it.</summary>
    PltGot = 3,
    /// <summary>Address of the symbol hash table.</summary>
    Hash = 4,
    /// <summary>Address of the string table.</summary>
    StrTab = 5,
    /// <summary>Address of the symbol table.</summary>
    SymTab = 6,
    /// <summary>Address of the relocations with addends.</summary>
    Rela = 7,
    /// <summary>Size of the relocations with addends.</summary>
    RelaSize = 8,
    /// <summary>Size of one relocation with addend.</summary>
    RelaEntry = 9,
    /// <summary>Size of the string table.</summary>
    StrSize = 10,
    /// <summary>Size of one symbol.</summary>
    SymEntry = 11,
    /// <summary>Address of the relocations without addends.</summary>
    Rel = 17,
    /// <summary>Size of the relocations without addends.</summary>
    RelSize = 18,
    /// <summary>Size of one relocation without addend.</summary>
    RelEntry = 19,
    /// <summary>Kind of the PLT's relocations: <see cref="Rel"/> or <see cref="Rela"/>.</summary>
    PltRel = 20,
    /// <summary>For the debugger's use.</summary>
    Debug = 21,
    /// <summary>Address of the PLT's relocations.</summary>
    JmpRel = 23,
    /// <summary>Search path for libraries.</summary>
    RunPath = 29,
    /// <summary>Flags; 8 binds all functions at start-up.</summary>
    Flags = 30,
    /// <summary>Version of the interface to the dynamic linker (MIPS).</summary>
    MipsRldVersion = 0x70000001,
    /// <summary>Address the program is linked to (MIPS).</summary>
    MipsBaseAddress = 0x70000006,
    /// <summary>Number of GOT entries that go with no symbol (MIPS).</summary>
    MipsLocalGotCount = 0x7000000a,
    /// <summary>Number of dynamic symbols (MIPS).</summary>
    MipsSymbolCount = 0x70000011,
    /// <summary>Number of the first dynamic symbol that has a GOT entry (MIPS).</summary>
    MipsFirstGotSymbol = 0x70000013,
    /// <summary>Address of the version table.</summary>
    VerSym = 0x6ffffff0,
    /// <summary>More flags; 1 binds at start-up, 0x08000000 is a position-independent executable.</summary>
    Flags1 = 0x6ffffffb,
    /// <summary>ppc64: 32 bytes before the first entry that calls the resolver.</summary>
    Ppc64Glink = 0x70000000,
    /// <summary>ppc64: what the dynamic linker may do.</summary>
    Ppc64Options = 0x70000003,
    /// <summary>Address of the versions needed.</summary>
    VerNeed = 0x6ffffffe,
    /// <summary>Number of libraries in the versions needed.</summary>
    VerNeedCount = 0x6fffffff,
}

/// <summary>CPUs (e_machine).</summary>
internal enum ElfMachine : ushort
{
    /// <summary>Intel 80386.</summary>
    I386 = 3,
    /// <summary>MIPS, 32 and 64 bits.</summary>
    Mips = 8,
    /// <summary>64-bit PowerPC.</summary>
    Ppc64 = 21,
    /// <summary>IBM z/Architecture.</summary>
    S390 = 22,
    /// <summary>32-bit ARM.</summary>
    Arm = 40,
    /// <summary>x86-64.</summary>
    X86_64 = 62,
    /// <summary>64-bit ARM.</summary>
    Aarch64 = 183,
    /// <summary>RISC-V.</summary>
    RiscV = 243,
    /// <summary>LoongArch.</summary>
    LoongArch = 258,
}

/// <summary>Types of a symbol (low half of st_info).</summary>
internal enum ElfSymbolType : byte
{
    /// <summary>Not said.</summary>
    None = 0,
    /// <summary>Data.</summary>
    Object = 1,
    /// <summary>Code.</summary>
    Function = 2,
    /// <summary>A section.</summary>
    Section = 3,
    /// <summary>A source file.</summary>
    File = 4,
    /// <summary>Thread-local data.</summary>
    Tls = 6,
}

/// <summary>Other numbers of the ELF specification.</summary>
internal static class ElfConstants
{
    /// <summary>Binding of a symbol known within its file (high half of st_info).</summary>
    public const byte BindLocal = 0 << 4;

    /// <summary>Binding of a symbol known everywhere.</summary>
    public const byte BindGlobal = 1 << 4;

    /// <summary>Visibility of a symbol known within its module only (st_other).</summary>
    public const byte VisibilityHidden = 2;

    /// <summary>Section of an undefined symbol.</summary>
    public const ushort SectionUndefined = 0;

    /// <summary>Section of a symbol with an absolute value.</summary>
    public const ushort SectionAbsolute = 0xfff1;

    /// <summary>From this number on, section numbers are reserved.</summary>
    public const int SectionReserved = 0xffff;

    /// <summary>A relocatable object (e_type).</summary>
    public const ushort TypeRelocatable = 1;

    /// <summary>An executable at fixed addresses (e_type).</summary>
    public const ushort TypeExecutable = 2;

    /// <summary>A shared object or position-independent executable (e_type).</summary>
    public const ushort TypeDynamic = 3;

    /// <summary>Value of <see cref="ElfDynamicTag.Flags"/>: bind all functions at start-up.</summary>
    public const ulong FlagBindNow = 8;

    /// <summary>Value of <see cref="ElfDynamicTag.Flags1"/>: bind all functions at start-up.</summary>
    public const ulong Flag1Now = 1;

    /// <summary>Value of <see cref="ElfDynamicTag.Flags1"/>: position-independent executable.</summary>
    public const ulong Flag1Pie = 0x08000000;
}
