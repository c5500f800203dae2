namespace AotLinker.Formats.Xcoff;

/// <summary>What a section holds (s_flags).</summary>
internal enum XcoffSectionType : uint
{
    /// <summary>Debug information; which, stands in the upper half.</summary>
    Dwarf = 0x10,
    /// <summary>Code and read-only data.</summary>
    Text = 0x20,
    /// <summary>Data.</summary>
    Data = 0x40,
    /// <summary>Zeroed data.</summary>
    Bss = 0x80,
    /// <summary>Zeroed thread-local storage.</summary>
    ThreadLocalBss = 0x800,
    /// <summary>What the system's loader reads.</summary>
    Loader = 0x1000,
}

/// <summary>What an external linker does at a place (lower half of r_rtype; the upper half is the length in bits less one).</summary>
internal enum XcoffRelocation : byte
{
    /// <summary>Writes an address.</summary>
    Address = 0x00,
    /// <summary>Nothing: the symbol is needed.</summary>
    Keep = 0x0f,
    /// <summary>Writes a branch instruction's distance, and may change the instruction.</summary>
    Branch = 0x1a,
    /// <summary>Writes an offset from the thread pointer.</summary>
    ThreadLocalLe = 0x23,
    /// <summary>Writes the upper half of an offset in the table of contents.</summary>
    TocUpper = 0x30,
    /// <summary>Writes the lower half.</summary>
    TocLower = 0x31,
}

/// <summary>How a symbol is known (n_sclass).</summary>
internal enum XcoffStorageClass : byte
{
    /// <summary>Everywhere.</summary>
    External = 2,
    /// <summary>A source file.</summary>
    File = 103,
    /// <summary>Within its file.</summary>
    Hidden = 107,
    /// <summary>A part of a section of debug information.</summary>
    Dwarf = 112,
}

/// <summary>What a symbol says about its csect (lower three bits of x_smtyp; the others are the alignment), and flags of the loader's table.</summary>
[Flags]
internal enum XcoffSymbolType : byte
{
    /// <summary>Refers to another module.</summary>
    Reference = 0,
    /// <summary>Defines a csect.</summary>
    Section = 1,
    /// <summary>A place in a csect.</summary>
    Label = 2,
    /// <summary>Defines a csect of zeros.</summary>
    Common = 3,
    /// <summary>The entry point.</summary>
    Entry = 0x20,
    /// <summary>Imported.</summary>
    Import = 0x40,
}

/// <summary>What a csect holds (x_smclas).</summary>
internal enum XcoffMapping : byte
{
    /// <summary>Code.</summary>
    Code = 0,
    /// <summary>Constants.</summary>
    ReadOnly = 1,
    /// <summary>An entry of the table of contents.</summary>
    TocEntry = 3,
    /// <summary>Data.</summary>
    Data = 5,
    /// <summary>A function descriptor.</summary>
    Descriptor = 10,
    /// <summary>The start of the table of contents.</summary>
    TocAnchor = 15,
    /// <summary>Zeroed thread-local data.</summary>
    ThreadLocalZero = 21,
}

/// <summary>Kinds of auxiliary entries (x_auxtype).</summary>
internal enum XcoffAuxiliary : byte
{
    /// <summary>A part of a section.</summary>
    Section = 250,
    /// <summary>A csect or a place in one.</summary>
    Csect = 251,
    /// <summary>Name of a file.</summary>
    File = 252,
    /// <summary>Size of a function.</summary>
    Function = 254,
}

/// <summary>Other numbers of the format.</summary>
internal static class XcoffConstants
{
    /// <summary>Bytes of the file header.</summary>
    public const int FileHeaderSize = 24;

    /// <summary>Bytes of the auxiliary header.</summary>
    public const int AuxiliaryHeaderSize = 120;

    /// <summary>Bytes of a section header.</summary>
    public const int SectionHeaderSize = 72;

    /// <summary>Bytes of an entry of the symbol table.</summary>
    public const int SymbolSize = 18;

    /// <summary>Bytes of a relocation for an external linker.</summary>
    public const int RelocationSize = 14;

    /// <summary>Magic number of 64-bit files.</summary>
    public const ushort Magic = 0x1f7;

    /// <summary>f_flags of an executable.</summary>
    public const ushort IsExecutable = 2;

    /// <summary>n_scnum of what lies in no section.</summary>
    public const short DebugSection = -2;

    /// <summary>n_type of a function.</summary>
    public const ushort FunctionType = 0x20;

    /// <summary>l_rtype of an address of 64 bits.</summary>
    public const ushort AddressRelocation = 0x3f00;

    /// <summary>A variable among the imports, which otherwise are functions.</summary>
    public static ReadOnlySpan<byte> ImportedVariable => "__n_pthreads"u8;

    /// <summary>Name and kind (upper half of s_flags) of a section of debug information.</summary>
    /// <exception cref="LinkException">The format has no such section.</exception>
    public static (string Name, uint Kind) DwarfSection(string name) => name switch
    {
        ".debug_info" => (".dwinfo", 0x10000),
        ".debug_line" => (".dwline", 0x20000),
        ".debug_pubnames" => (".dwpbnms", 0x30000),
        ".debug_pubtypes" => (".dwpbtyp", 0x40000),
        ".debug_abbrev" => (".dwabrev", 0x60000),
        ".debug_ranges" => (".dwrnges", 0x80000),
        ".debug_loc" => (".dwloc", 0x90000),
        ".debug_frame" => (".dwframe", 0xa0000),
        _ => throw new LinkException(MessageForm.Bare, $"unknown DWARF section name for XCOFF: {name}"),
    };
}

/// <summary>Writes numbers, all of them big-endian, one after the other into a span that was sized for them.</summary>
internal ref struct XcoffWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written.</summary>
    public int Position { get; set; }

    /// <summary>Appends a byte.</summary>
    public void U8(int v) => _buffer[Position++] = (byte)v;

    /// <summary>Appends a 16-bit number.</summary>
    public void U16(int v)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(_buffer[Position..], (ushort)v);
        Position += sizeof(ushort);
    }

    /// <summary>Appends a 32-bit number.</summary>
    public void U32(uint v)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(_buffer[Position..], v);
        Position += sizeof(uint);
    }

    /// <summary>Appends a 64-bit number.</summary>
    public void U64(ulong v)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(_buffer[Position..], v);
        Position += sizeof(ulong);
    }

    /// <summary>Appends bytes.</summary>
    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer[Position..]);
        Position += bytes.Length;
    }

    /// <summary>Appends a string and a zero byte.</summary>
    public void Text(scoped ReadOnlySpan<byte> text)
    {
        Bytes(text);
        U8(0);
    }
}
