namespace AotLinker.Formats.Pe;

/// <summary>A section of the image, as its header tells it.</summary>
internal sealed class PeSection
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Name in the header: up to eight bytes, or a place in the string table.</summary>
    public required byte[] HeaderName { get; init; }

    /// <summary>Number, from 1 on, by which symbols refer to it.</summary>
    public required int Number { get; init; }

    /// <summary>Address from the image's base.</summary>
    public required uint Address { get; init; }

    /// <summary>Bytes in memory.</summary>
    public required uint VirtualSize { get; init; }

    /// <summary>File offset.</summary>
    public required uint Offset { get; init; }

    /// <summary>Whether there is nothing of it in the file, and no offset either.</summary>
    public bool IsZeroed { get; init; }

    /// <summary>Bytes in the file.</summary>
    public required uint FileSize { get; init; }

    /// <summary>Characteristics.</summary>
    public required PeSectionFlags Flags { get; set; }

    /// <summary>File offset of its relocations, in an object.</summary>
    public uint RelocationsOffset { get; set; }

    /// <summary>Number of its relocations, as far as the header can tell it.</summary>
    public ushort RelocationCount { get; set; }
}

/// <summary>The sections of an image or object, each behind the one before, in memory and in the file (ld.peFile.addSection).</summary>
/// <param name="address">Address of the first one, from the image's base.</param>
/// <param name="offset">Its file offset.</param>
/// <param name="sectionAlign">Alignment of addresses.</param>
/// <param name="fileAlign">Alignment of lengths in the file.</param>
internal sealed class PeSections(uint address, uint offset, uint sectionAlign, uint fileAlign)
{
    private readonly List<PeSection> _sections = [];

    /// <summary>The sections so far.</summary>
    public IReadOnlyList<PeSection> All => _sections;

    /// <summary>Address of the next section from the image's base.</summary>
    public uint NextAddress { get; private set; } = address;

    /// <summary>File offset of the next section.</summary>
    public uint NextOffset { get; private set; } = offset;

    /// <summary>Adds a section.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="size">Bytes in memory.</param>
    /// <param name="fileSize">Bytes in the file, before these are rounded up.</param>
    /// <param name="flags">Characteristics.</param>
    /// <param name="headerName">What stands in the header for a name that is too long for it.</param>
    /// <param name="isZeroed">Whether the header tells no file offset.</param>
    public PeSection Add(string name, ulong size, ulong fileSize, PeSectionFlags flags, string? headerName = null, bool isZeroed = false)
    {
        uint inFile = RoundUp(fileSize, fileAlign);
        PeSection section = new()
        {
            Name = name,
            HeaderName = System.Text.Encoding.ASCII.GetBytes(headerName ?? name),
            Number = _sections.Count + 1,
            Address = NextAddress,
            // A section without content in the file tells its size in the other field.
            VirtualSize = fileSize > 0 ? (uint)size : 0,
            Offset = NextOffset,
            FileSize = fileSize > 0 ? inFile : (uint)size,
            Flags = flags,
            IsZeroed = isZeroed,
        };
        NextAddress = RoundUp(NextAddress + size, sectionAlign);
        NextOffset += inFile;
        _sections.Add(section);
        return section;
    }

    /// <summary>Adds a section that is all in the file.</summary>
    public PeSection Add(string name, ulong size, PeSectionFlags flags, string? headerName = null) => Add(name, size, size, flags, headerName);

    private static uint RoundUp(ulong value, uint to) => (uint)((value + to - 1) / to * to);
}
