namespace AotLinker.Formats.Elf;

/// <summary>
/// What an operating system wants to find in an ELF file: the marks by which it knows its own programs, and how it is told the
/// stack's permissions. One entry per system; everything else about systems is common. The interpreter depends on the CPU as well
/// and stands in <see cref="ElfCpu"/>.
/// </summary>
internal sealed class ElfOs
{
    /// <summary>EI_OSABI.</summary>
    public byte OsAbi { get; private init; }

    /// <summary>The note by which the system knows its programs; it has a segment of its own. Null: there is none.</summary>
    public Func<ElfEncoding, bool, ElfNoteSection>? Identification { get; private init; }

    /// <summary>The note that forbids a random address layout, which the race detector can't bear. Null: there is none.</summary>
    public Func<ElfEncoding, ElfNoteSection>? FixedLayout { get; private init; }

    /// <summary>The segment without content that says how the stack or code may be used; null: there is none.</summary>
    public ElfSegmentType? MarkType { get; private init; }

    /// <summary>Flags of the mark.</summary>
    public ElfSegmentFlags MarkFlags { get; private init; }

    /// <summary>Whether the mark has the alignment of a register.</summary>
    public bool MarkIsAligned { get; private init; }

    /// <summary>
    /// Whether libraries carry their version in the name (lib.so.1.2), so that a library named without one is the same.
    /// </summary>
    public bool HasVersionedLibraryNames { get; private init; }

    /// <summary>
    /// Whether programs always import their C library, so that references to it may stay until relocations are applied.
    /// </summary>
    public bool ResolvesImportsLate { get; private init; }

    /// <summary>Whether the address of an imported function in code is that of its PLT entry, rather than loaded from the GOT.</summary>
    public bool AddressesImportsByPlt { get; private init; }

    /// <summary>Whether the C library looks for _etext, _edata and _end beside the runtime's own markers.</summary>
    public bool KeepsEndSymbols { get; private init; }

    /// <summary>Whether -S tells the system's own linker to leave out debug information; there is one that does something else then.</summary>
    public bool LinkerOmitsDwarf { get; private init; } = true;

    /// <summary>What an external linker is told for all programs of the system.</summary>
    public string[] LinkerOptions { get; private init; } = [];

    /// <summary>What an external linker is told for a program that is not position-independent, where all others are; null for nothing.</summary>
    public string? FixedAddressOption { get; private init; }

    /// <summary>What an external linker is told if it takes it; null for nothing.</summary>
    public string? OptionalLinkerOption { get; private init; }

    /// <summary>The system of a target.</summary>
    public static ElfOs For(HeadType system) => system switch
    {
        HeadType.Linux => new ElfOs
        {
            MarkType = ElfSegmentType.GnuStack,
            MarkFlags = ElfSegmentFlags.Read | ElfSegmentFlags.Write,
            MarkIsAligned = true,
        },
        HeadType.FreeBsd => new ElfOs
        {
            OsAbi = 9,
            Identification = FreeBsdIdentification,
            MarkType = ElfSegmentType.GnuStack,
            MarkFlags = ElfSegmentFlags.Read | ElfSegmentFlags.Write,
            MarkIsAligned = true,
        },
        HeadType.NetBsd => new ElfOs
        {
            OsAbi = 2,
            Identification = NetBsdIdentification,
            FixedLayout = NetBsdFixedLayout,
        },
        HeadType.OpenBsd => new ElfOs
        {
            OsAbi = 12,
            Identification = OpenBsdIdentification,
            MarkType = ElfSegmentType.OpenBsdNoBtCfi,
            MarkFlags = ElfSegmentFlags.Exec,
            LinkerOptions = ["-pthread"],
            FixedAddressOption = "-Wl,-nopie",
            OptionalLinkerOption = "-Wl,-z,nobtcfi",
            HasVersionedLibraryNames = true,
            ResolvesImportsLate = true,
        },
        HeadType.DragonFly => new ElfOs(),
        HeadType.Solaris => new ElfOs
        {
            MarkType = ElfSegmentType.SunwStack,
            MarkFlags = ElfSegmentFlags.Read | ElfSegmentFlags.Write,
            ResolvesImportsLate = true,
            LinkerOmitsDwarf = false,
            AddressesImportsByPlt = true,
            KeepsEndSymbols = true,
        },
        _ => throw new InvalidOperationException($"{system} has no ELF files"),
    };

    // sys/exec_elf.h: name of seven bytes, version 7.0.
    private static ElfNoteSection NetBsdIdentification(ElfEncoding encoding, bool race) =>
        new(".note.netbsd.ident", new ElfNote([.. "NetBSD\0"u8], 1, Number(encoding, 700000000)));

    // PaX flags: 0x20 switches address space layout randomisation off.
    private static ElfNoteSection NetBsdFixedLayout(ElfEncoding encoding) =>
        new(".note.netbsd.pax", new ElfNote([.. "PaX\0"u8], 3, Number(encoding, 0x20)));

    private static ElfNoteSection OpenBsdIdentification(ElfEncoding encoding, bool race) =>
        new(".note.openbsd.ident", new ElfNote([.. "OpenBSD\0"u8], 1, Number(encoding, 0)));

    // sys/elf_common.h: ABI tag (12.3-RELEASE), no-init tag, and feature control, where 1 switches randomisation off.
    private static ElfNoteSection FreeBsdIdentification(ElfEncoding encoding, bool race)
    {
        byte[] name = [.. "FreeBSD\0"u8];
        return new(
            ".note.tag",
            new ElfNote(name, 1, Number(encoding, 1203000)),
            new ElfNote(name, 2, Number(encoding, 0)),
            new ElfNote(name, 4, Number(encoding, race ? 1u : 0)));
    }

    private static byte[] Number(ElfEncoding encoding, uint value)
    {
        byte[] bytes = new byte[sizeof(uint)];
        encoding.Put32(bytes, value);
        return bytes;
    }
}
