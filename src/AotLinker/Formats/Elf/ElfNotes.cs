namespace AotLinker.Formats.Elf;

/// <summary>One note: name, type and description, each padded to four bytes in the file.</summary>
/// <param name="Name">The name with its zero, unpadded: its length is the note's namesz.</param>
/// <param name="Type">Type, in the name's own numbering.</param>
/// <param name="Description">Description, unpadded.</param>
internal readonly record struct ElfNote(byte[] Name, uint Type, byte[] Description)
{
    /// <summary>Bytes the note takes in the file.</summary>
    public int Size => 12 + Padded(Name.Length) + Padded(Description.Length);

    /// <summary>Appends the note.</summary>
    public void Write(ref ElfWriter w)
    {
        w.U32((uint)Name.Length);
        w.U32((uint)Description.Length);
        w.U32(Type);
        w.Bytes(Name);
        w.Pad(4);
        w.Bytes(Description);
        w.Pad(4);
    }

    private static int Padded(int length) => (length + 3) & ~3;
}

/// <summary>A section of notes that lies between the headers and the text.</summary>
/// <param name="SectionName">Name of the section.</param>
/// <param name="Notes">The notes, in order.</param>
internal sealed record ElfNoteSection(string SectionName, params ElfNote[] Notes)
{
    /// <summary>Size of the section.</summary>
    public int Size => Notes.Sum(note => note.Size);

    /// <summary>The section's content.</summary>
    public byte[] Build(ElfEncoding encoding)
    {
        byte[] content = new byte[Size];
        ElfWriter w = new(content, encoding);
        foreach (ElfNote note in Notes)
            note.Write(ref w);
        return content;
    }

    /// <summary>The build ID of the GNU tools (elfwritebuildinfo).</summary>
    public static ElfNoteSection GnuBuildId(byte[] id) => new(".note.gnu.build-id", new ElfNote([.. "GNU\0"u8], 3, id));

    /// <summary>The packages of a Go shared library, each with a line.</summary>
    public static ElfNoteSection PackageList(byte[] packages) => Go(".note.go.pkg-list", 1, packages);

    /// <summary>The hash of what the packages of a Go shared library export.</summary>
    public static ElfNoteSection AbiHash(byte[] hash) => Go(".note.go.abihash", 2, hash);

    /// <summary>The Go shared libraries that one refers to, each with a line.</summary>
    public static ElfNoteSection Dependencies(byte[] libraries) => Go(".note.go.deps", 3, libraries);

    private static ElfNoteSection Go(string section, uint type, byte[] description) => new(section, new ElfNote([.. "Go\0\0"u8], type, description));

    /// <summary>The build ID of the go command (elfwritegobuildid).</summary>
    public static ElfNoteSection GoBuildId(byte[] id) => new(".note.go.buildid", new ElfNote([.. "Go\0\0"u8], 4, id));
}
