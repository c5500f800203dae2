using System.Runtime.CompilerServices;

namespace AotLinker.Objects;

/// <summary>
/// The kind of memory a symbol describes (cmd/link sym.SymKind), the union of all releases' kinds.
/// </summary>
/// <remarks>
/// The order is the one the range tests below and the section order rest on; where releases order kinds differently, the release's
/// own table says so.
/// </remarks>
internal enum SymbolKind : byte
{
    /// <summary>An undefined or not yet typed symbol.</summary>
    None,
    /// <summary>General executable code.</summary>
    Text,
    /// <summary>Start marker of the FIPS text section.</summary>
    TextFipsStart,
    /// <summary>Instructions hashed for the FIPS check.</summary>
    TextFips,
    /// <summary>End marker of the FIPS text section.</summary>
    TextFipsEnd,
    /// <summary>End of the text section.</summary>
    TextEnd,
    /// <summary>Executable PLT; ppc64 .glink.</summary>
    ElfRxSect,
    /// <summary>Mach-O PLT.</summary>
    MachoPlt,
    /// <summary>XCOFF's runtime.rodata symbol.</summary>
    String,
    /// <summary>Go string constants.</summary>
    GoString,
    /// <summary>GC bit masks and programs.</summary>
    GcBits,
    /// <summary>General read-only data.</summary>
    RoData,
    /// <summary>Start marker of FIPS read-only data.</summary>
    RoDataFipsStart,
    /// <summary>FIPS read-only data.</summary>
    RoDataFips,
    /// <summary>End marker of FIPS read-only data.</summary>
    RoDataFipsEnd,
    /// <summary>End of read-only data.</summary>
    RoDataEnd,
    /// <summary>Up to 1.26: runtime.etypes.</summary>
    FuncTab,
    /// <summary>pclntab data.</summary>
    PclnTab,
    /// <summary>ELF read-only data: relocations, dynamic linking tables.</summary>
    ElfRoSect,
    /// <summary>Up to 1.26: type descriptors that need run-time relocation.</summary>
    TypeRelRo,
    /// <summary>Up to 1.26.</summary>
    StringRelRo,
    /// <summary>Up to 1.26.</summary>
    GoStringRelRo,
    /// <summary>Up to 1.26.</summary>
    GoFuncRelRo,
    /// <summary>Up to 1.26.</summary>
    GcBitsRelRo,
    /// <summary>Read-only data that needs run-time relocation.</summary>
    RoDataRelRo,
    /// <summary>Up to 1.26.</summary>
    FuncTabRelRo,
    /// <summary>Type descriptors.</summary>
    Type,
    /// <summary>Function descriptors and funcdata.</summary>
    GoFunc,
    /// <summary>ELF read-only relocatable: PLT and the like.</summary>
    ElfRelRoSect,
    /// <summary>Mach-O read-only relocatable.</summary>
    MachoRelRoSect,
    /// <summary>Up to 1.26: type links.</summary>
    TypeLink,
    /// <summary>Up to 1.26: itab links.</summary>
    ItabLink,
    /// <summary>Up to 1.25: runtime.symtab, which is empty.</summary>
    SymTab,
    /// <summary>Boundary: the kinds from here on are writable.</summary>
    FirstWritable,
    /// <summary>debug/buildinfo data.</summary>
    BuildInfo,
    /// <summary>go:fipsinfo.</summary>
    FipsInfo,
    /// <summary>.got.plt, .plt, .dynamic where appropriate.</summary>
    ElfSect,
    /// <summary>Mach-O .llvmasm.</summary>
    Macho,
    /// <summary>Windows dynamic symbols.</summary>
    Windows,
    /// <summary>The linker-generated moduledata.</summary>
    ModuleData,
    /// <summary>Writable ELF GOT.</summary>
    ElfGot,
    /// <summary>Mach-O GOT.</summary>
    MachoGot,
    /// <summary>Data without heap pointers.</summary>
    NoPtrData,
    /// <summary>Start marker of FIPS pointer-free data.</summary>
    NoPtrDataFipsStart,
    /// <summary>FIPS pointer-free data.</summary>
    NoPtrDataFips,
    /// <summary>End marker of FIPS pointer-free data.</summary>
    NoPtrDataFipsEnd,
    /// <summary>End of pointer-free data.</summary>
    NoPtrDataEnd,
    /// <summary>ELF .init_array.</summary>
    InitArr,
    /// <summary>Data that may hold heap pointers.</summary>
    Data,
    /// <summary>Start marker of FIPS data.</summary>
    DataFipsStart,
    /// <summary>FIPS data.</summary>
    DataFips,
    /// <summary>End marker of FIPS data.</summary>
    DataFipsEnd,
    /// <summary>End of data that may hold heap pointers.</summary>
    DataEnd,
    /// <summary>AIX TOC entries.</summary>
    XcoffToc,
    /// <summary>Zeroed data that may hold heap pointers.</summary>
    Bss,
    /// <summary>Zeroed data without heap pointers.</summary>
    NoPtrBss,
    /// <summary>From 1.27: pointers to generated GC masks.</summary>
    GcMask,
    /// <summary>Fuzzer counters.</summary>
    LibFuzzer8BitCounter,
    /// <summary>Coverage counters.</summary>
    CoverageCounter,
    /// <summary>Coverage variables made by the compiler.</summary>
    CoverageAuxVar,
    /// <summary>Thread-local zeroed data.</summary>
    TlsBss,
    /// <summary>Boundary: the kinds from here on are not allocated.</summary>
    FirstUnallocated,
    /// <summary>A reference from a non-Go object.</summary>
    XRef,
    /// <summary>Mach-O string table.</summary>
    MachoSymStr,
    /// <summary>Mach-O symbol table.</summary>
    MachoSymTab,
    /// <summary>Mach-O indirect PLT.</summary>
    MachoIndirectPlt,
    /// <summary>Mach-O indirect GOT.</summary>
    MachoIndirectGot,
    /// <summary>Up to 1.25, unused there.</summary>
    FilePath,
    /// <summary>A reference to a symbol of a shared library.</summary>
    DynImport,
    /// <summary>A symbol defined in a non-Go object.</summary>
    HostObj,
    /// <summary>An undefined symbol for the external linker.</summary>
    UndefExt,
    /// <summary>A DWARF section.</summary>
    DwarfSect,
    /// <summary>DWARF: compilation unit.</summary>
    DwarfCuInfo,
    /// <summary>DWARF: constants.</summary>
    DwarfConst,
    /// <summary>DWARF: function DIE.</summary>
    DwarfFcn,
    /// <summary>DWARF: abstract function DIE.</summary>
    DwarfAbsFcn,
    /// <summary>DWARF: type DIE.</summary>
    DwarfType,
    /// <summary>DWARF: variable DIE.</summary>
    DwarfVar,
    /// <summary>DWARF: range list.</summary>
    DwarfRange,
    /// <summary>DWARF: location list.</summary>
    DwarfLoc,
    /// <summary>DWARF: line table.</summary>
    DwarfLines,
    /// <summary>DWARF: address table.</summary>
    DwarfAddr,
    /// <summary>Windows SEH unwind info made by the compiler.</summary>
    SehUnwindInfo,
    /// <summary>Windows SEH section.</summary>
    SehSect,
}

/// <summary>Range tests over <see cref="SymbolKind"/> (cmd/link sym.SymKind's methods).</summary>
internal static class SymbolKinds
{
    /// <summary>Executable code.</summary>
    public static bool IsText(this SymbolKind kind) => kind is >= SymbolKind.Text and <= SymbolKind.TextEnd;

    /// <summary>Any kind of writable data, zeroed or not.</summary>
    public static bool IsAnyData(this SymbolKind kind) => kind is >= SymbolKind.NoPtrData and <= SymbolKind.NoPtrBss;

    /// <summary>One of the kinds laid out in .data.</summary>
    public static bool IsData(this SymbolKind kind) => kind is >= SymbolKind.Data and <= SymbolKind.DataEnd;

    /// <summary>One of the kinds laid out in .rodata proper.</summary>
    public static bool IsRoData(this SymbolKind kind) => kind is >= SymbolKind.RoData and <= SymbolKind.RoDataEnd;

    /// <summary>One of the kinds laid out in .noptrdata.</summary>
    public static bool IsNoPtrData(this SymbolKind kind) => kind is >= SymbolKind.NoPtrData and <= SymbolKind.NoPtrDataEnd;

    /// <summary>The set of all kinds in a range, for <see cref="SymbolTable.LiveIn(int, int, UInt128)"/>.</summary>
    public static UInt128 Set(SymbolKind first, SymbolKind last) =>
        (((UInt128)1 << ((int)last - (int)first + 1)) - 1) << (int)first;

    /// <summary>The set of one kind.</summary>
    public static UInt128 Set(SymbolKind kind) => (UInt128)1 << (int)kind;

    /// <summary>The set of all kinds but DWARF ones.</summary>
    public static UInt128 NotDwarf => ~Set(SymbolKind.DwarfSect, SymbolKind.DwarfAddr);

    /// <summary>A DWARF kind.</summary>
    public static bool IsDwarf(this SymbolKind kind) => kind is >= SymbolKind.DwarfSect and <= SymbolKind.DwarfAddr;

    /// <summary>The kind that the object file's byte <paramref name="number"/> stands for;
    /// <see cref="SymbolKind.None"/> for a value the release does not write.</summary>
    /// <param name="number">The byte.</param>
    /// <param name="kinds">The release's kinds (<see cref="Releases.Release.ObjectSymbolKinds"/>).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SymbolKind FromObject(byte number, ReadOnlySpan<byte> kinds) =>
        number < kinds.Length ? (SymbolKind)kinds[number] : SymbolKind.None;

    /// <summary>The name cmd/link prints for a kind.</summary>
    public static string GoName(this SymbolKind kind) => kind switch
    {
        SymbolKind.None => "Sxxx",
        SymbolKind.Text => "STEXT",
        SymbolKind.TextFipsStart => "STEXTFIPSSTART",
        SymbolKind.TextFips => "STEXTFIPS",
        SymbolKind.TextFipsEnd => "STEXTFIPSEND",
        SymbolKind.TextEnd => "STEXTEND",
        SymbolKind.ElfRxSect => "SELFRXSECT",
        SymbolKind.MachoPlt => "SMACHOPLT",
        SymbolKind.String => "SSTRING",
        SymbolKind.GoString => "SGOSTRING",
        SymbolKind.GcBits => "SGCBITS",
        SymbolKind.RoData => "SRODATA",
        SymbolKind.RoDataFipsStart => "SRODATAFIPSSTART",
        SymbolKind.RoDataFips => "SRODATAFIPS",
        SymbolKind.RoDataFipsEnd => "SRODATAFIPSEND",
        SymbolKind.RoDataEnd => "SRODATAEND",
        SymbolKind.FuncTab => "SFUNCTAB",
        SymbolKind.PclnTab => "SPCLNTAB",
        SymbolKind.ElfRoSect => "SELFROSECT",
        SymbolKind.TypeRelRo => "STYPERELRO",
        SymbolKind.StringRelRo => "SSTRINGRELRO",
        SymbolKind.GoStringRelRo => "SGOSTRINGRELRO",
        SymbolKind.GoFuncRelRo => "SGOFUNCRELRO",
        SymbolKind.GcBitsRelRo => "SGCBITSRELRO",
        SymbolKind.RoDataRelRo => "SRODATARELRO",
        SymbolKind.FuncTabRelRo => "SFUNCTABRELRO",
        SymbolKind.Type => "STYPE",
        SymbolKind.GoFunc => "SGOFUNC",
        SymbolKind.ElfRelRoSect => "SELFRELROSECT",
        SymbolKind.MachoRelRoSect => "SMACHORELROSECT",
        SymbolKind.TypeLink => "STYPELINK",
        SymbolKind.ItabLink => "SITABLINK",
        SymbolKind.SymTab => "SSYMTAB",
        SymbolKind.FirstWritable => "SFirstWritable",
        SymbolKind.BuildInfo => "SBUILDINFO",
        SymbolKind.FipsInfo => "SFIPSINFO",
        SymbolKind.ElfSect => "SELFSECT",
        SymbolKind.Macho => "SMACHO",
        SymbolKind.Windows => "SWINDOWS",
        SymbolKind.ModuleData => "SMODULEDATA",
        SymbolKind.ElfGot => "SELFGOT",
        SymbolKind.MachoGot => "SMACHOGOT",
        SymbolKind.NoPtrData => "SNOPTRDATA",
        SymbolKind.NoPtrDataFipsStart => "SNOPTRDATAFIPSSTART",
        SymbolKind.NoPtrDataFips => "SNOPTRDATAFIPS",
        SymbolKind.NoPtrDataFipsEnd => "SNOPTRDATAFIPSEND",
        SymbolKind.NoPtrDataEnd => "SNOPTRDATAEND",
        SymbolKind.InitArr => "SINITARR",
        SymbolKind.Data => "SDATA",
        SymbolKind.DataFipsStart => "SDATAFIPSSTART",
        SymbolKind.DataFips => "SDATAFIPS",
        SymbolKind.DataFipsEnd => "SDATAFIPSEND",
        SymbolKind.DataEnd => "SDATAEND",
        SymbolKind.XcoffToc => "SXCOFFTOC",
        SymbolKind.Bss => "SBSS",
        SymbolKind.NoPtrBss => "SNOPTRBSS",
        SymbolKind.GcMask => "SGCMASK",
        SymbolKind.LibFuzzer8BitCounter => "SLIBFUZZER_8BIT_COUNTER",
        SymbolKind.CoverageCounter => "SCOVERAGE_COUNTER",
        SymbolKind.CoverageAuxVar => "SCOVERAGE_AUXVAR",
        SymbolKind.TlsBss => "STLSBSS",
        SymbolKind.FirstUnallocated => "SFirstUnallocated",
        SymbolKind.XRef => "SXREF",
        SymbolKind.MachoSymStr => "SMACHOSYMSTR",
        SymbolKind.MachoSymTab => "SMACHOSYMTAB",
        SymbolKind.MachoIndirectPlt => "SMACHOINDIRECTPLT",
        SymbolKind.MachoIndirectGot => "SMACHOINDIRECTGOT",
        SymbolKind.FilePath => "SFILEPATH",
        SymbolKind.DynImport => "SDYNIMPORT",
        SymbolKind.HostObj => "SHOSTOBJ",
        SymbolKind.UndefExt => "SUNDEFEXT",
        SymbolKind.DwarfSect => "SDWARFSECT",
        SymbolKind.DwarfCuInfo => "SDWARFCUINFO",
        SymbolKind.DwarfConst => "SDWARFCONST",
        SymbolKind.DwarfFcn => "SDWARFFCN",
        SymbolKind.DwarfAbsFcn => "SDWARFABSFCN",
        SymbolKind.DwarfType => "SDWARFTYPE",
        SymbolKind.DwarfVar => "SDWARFVAR",
        SymbolKind.DwarfRange => "SDWARFRANGE",
        SymbolKind.DwarfLoc => "SDWARFLOC",
        SymbolKind.DwarfLines => "SDWARFLINES",
        SymbolKind.DwarfAddr => "SDWARFADDR",
        SymbolKind.SehUnwindInfo => "SSEHUNWINDINFO",
        SymbolKind.SehSect => "SSEHSECT",
        _ => $"SymKind({(int)kind})",
    };
}
