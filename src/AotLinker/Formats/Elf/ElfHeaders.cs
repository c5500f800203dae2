using System.Text;

namespace AotLinker.Formats.Elf;

/// <summary>A section header. Numbers of other sections are kept as references until the headers are in their final order.</summary>
internal sealed class ElfSectionHeader(string name)
{
    /// <summary>Name of the section.</summary>
    public string Name => name;

    /// <summary>Offset of the name in .shstrtab.</summary>
    public uint NameOffset { get; set; }

    /// <summary>Type; <see cref="ElfSectionType.Null"/> until the section is described.</summary>
    public ElfSectionType Type { get; set; }

    /// <summary>Flags.</summary>
    public ElfSectionFlags Flags { get; set; }

    /// <summary>Virtual address; 0 for sections that are not loaded.</summary>
    public ulong Address { get; set; }

    /// <summary>Offset in the file.</summary>
    public ulong Offset { get; set; }

    /// <summary>Size in bytes.</summary>
    public ulong Size { get; set; }

    /// <summary>The section that sh_link names.</summary>
    public ElfSectionHeader? Link { get; set; }

    /// <summary>The section that sh_info names; null where it holds <see cref="Info"/>.</summary>
    public ElfSectionHeader? InfoSection { get; set; }

    /// <summary>sh_info where it is a number.</summary>
    public uint Info { get; set; }

    /// <summary>Alignment in bytes.</summary>
    public ulong Align { get; set; }

    /// <summary>Size of an entry where the section is a table.</summary>
    public ulong EntrySize { get; set; }

    /// <summary>Number of the section; -1 until <see cref="ElfHeaders.Order"/> has run.</summary>
    public int Number { get; set; } = -1;

    /// <inheritdoc/>
    public override string ToString() => name;
}

/// <summary>A program header.</summary>
internal sealed class ElfSegment(ElfSegmentType type, ElfSegmentFlags flags)
{
    /// <summary>Type.</summary>
    public ElfSegmentType Type => type;

    /// <summary>Permissions.</summary>
    public ElfSegmentFlags Flags => flags;

    /// <summary>Offset in the file.</summary>
    public ulong Offset { get; set; }

    /// <summary>Virtual address; the physical one is always the same.</summary>
    public ulong Address { get; set; }

    /// <summary>Bytes in the file.</summary>
    public ulong FileSize { get; set; }

    /// <summary>Bytes in memory.</summary>
    public ulong MemorySize { get; set; }

    /// <summary>Alignment in bytes.</summary>
    public ulong Align { get; set; }

    /// <summary>Makes the segment cover exactly a section (ld.phsh).</summary>
    public void Cover(ElfSectionHeader section)
    {
        Address = section.Address;
        Offset = section.Offset;
        FileSize = section.Size;
        MemorySize = section.Size;
        Align = section.Align;
    }
}

/// <summary>
/// The file header, the program headers and the section headers of an ELF file, and .shstrtab: what their records look like and how
/// they are ordered, without knowing where sections come from.
/// </summary>
internal sealed class ElfHeaders(ElfEncoding encoding, string relocationPrefix)
{
    private readonly List<ElfSectionHeader> _sections = [new("")];
    private readonly List<ElfSegment> _segments = [];

    /// <summary>Section headers, the empty one first.</summary>
    public IReadOnlyList<ElfSectionHeader> Sections => _sections;

    /// <summary>Program headers.</summary>
    public IReadOnlyList<ElfSegment> Segments => _segments;

    /// <summary>Bytes of the program headers.</summary>
    public int SegmentTableSize => _segments.Count * encoding.SegmentSize;

    /// <summary>Bytes of the file header and both tables, which follow one another.</summary>
    public int Size => encoding.HeaderSize + SegmentTableSize + (_sections.Count * encoding.SectionSize);

    /// <summary>The section of a name, made if there is none (elfshname).</summary>
    public ElfSectionHeader Section(string name)
    {
        foreach (ElfSectionHeader section in _sections)
        {
            if (section.Name == name)
                return section;
        }
        return AddSection(name);
    }

    /// <summary>A new section, even if there is one of that name (elfshnamedup).</summary>
    public ElfSectionHeader AddSection(string name)
    {
        ElfSectionHeader section = new(name);
        _sections.Add(section);
        return section;
    }

    /// <summary>A new segment.</summary>
    public ElfSegment AddSegment(ElfSegmentType type, ElfSegmentFlags flags)
    {
        ElfSegment segment = new(type, flags);
        _segments.Add(segment);
        return segment;
    }

    /// <summary>
    /// Puts the sections in their final order and numbers them: those in memory by address, smaller ones first, then the others;
    /// equal ones stay as they were made (elfSortShdrs).
    /// </summary>
    public void Order()
    {
        List<ElfSectionHeader> ordered =
        [
            _sections[0],
            .. _sections.Skip(1).Where(IsAllocated).OrderBy(s => s.Address).ThenBy(s => s.Size),
            .. _sections.Skip(1).Where(s => !IsAllocated(s)),
        ];
        _sections.Clear();
        _sections.AddRange(ordered);
        NumberAsMade();

        static bool IsAllocated(ElfSectionHeader s) => (s.Flags & ElfSectionFlags.Alloc) != 0;
    }

    /// <summary>Numbers the sections in the order in which they were made.</summary>
    public void NumberAsMade()
    {
        for (int i = 0; i < _sections.Count; i++)
            _sections[i].Number = i;
    }

    /// <summary>The content of .shstrtab where it holds certain names, needed or not, in their order; sets the sections' name offsets.</summary>
    /// <exception cref="LinkException">A section has none of these names.</exception>
    public byte[] UseNames(IEnumerable<string> names)
    {
        using MemoryStream content = new();
        Dictionary<string, uint> offsets = new(StringComparer.Ordinal);
        foreach (string name in names)
        {
            offsets.TryAdd(name, (uint)content.Length);
            content.Write(Encoding.UTF8.GetBytes(name));
            content.WriteByte(0);
        }
        foreach (ElfSectionHeader section in _sections)
        {
            section.NameOffset = offsets.TryGetValue(section.Name, out uint offset)
                ? offset
                : throw new LinkException($"cannot find elf name {section.Name}");
        }
        return content.ToArray();
    }

    /// <summary>
    /// The content of .shstrtab; sets the sections' name offsets. The names of relocation sections come first, so that the name of the
    /// section they belong to can be their tail (elfWriteShstrtab).
    /// </summary>
    public byte[] BuildNames()
    {
        using MemoryStream names = new();
        Dictionary<string, uint> offsets = new(StringComparer.Ordinal) { [""] = 0 };
        names.WriteByte(0);
        foreach (ElfSectionHeader section in _sections)
        {
            if (section.Name.StartsWith(relocationPrefix, StringComparison.Ordinal))
            {
                offsets.TryAdd(section.Name[relocationPrefix.Length..], (uint)(names.Length + relocationPrefix.Length));
                Append(section.Name);
            }
        }
        foreach (ElfSectionHeader section in _sections)
        {
            if (!offsets.ContainsKey(section.Name))
                Append(section.Name);
            section.NameOffset = offsets[section.Name];
        }
        return names.ToArray();

        void Append(string name)
        {
            offsets[name] = (uint)names.Length;
            names.Write(Encoding.UTF8.GetBytes(name));
            names.WriteByte(0);
        }
    }

    /// <summary>Writes the file header and both tables, <see cref="Size"/> bytes.</summary>
    /// <param name="to">The start of the file.</param>
    /// <param name="osAbi">EI_OSABI.</param>
    /// <param name="type">e_type.</param>
    /// <param name="machine">e_machine.</param>
    /// <param name="flags">e_flags.</param>
    /// <param name="entry">e_entry.</param>
    public void Write(Span<byte> to, byte osAbi, ushort type, ElfMachine machine, uint flags, ulong entry)
    {
        ElfWriter w = new(to[..Size], encoding);
        w.Bytes([0x7f, (byte)'E', (byte)'L', (byte)'F', (byte)(encoding.Is64 ? 2 : 1), (byte)(encoding.IsBigEndian ? 2 : 1), 1, osAbi]);
        w.Pad(16);
        w.U16(type);
        w.U16((ushort)machine);
        w.U32(1);
        w.Address(entry);
        // An object does not tell of program headers, even if a CPU's ABI makes one.
        bool hasSegments = _segments.Count != 0 && type != ElfConstants.TypeRelocatable;
        w.Address(hasSegments ? (ulong)encoding.HeaderSize : 0);
        w.Address((ulong)(encoding.HeaderSize + SegmentTableSize));
        w.U32(flags);
        w.U16((ushort)encoding.HeaderSize);
        w.U16(hasSegments ? (ushort)encoding.SegmentSize : (ushort)0);
        w.U16((ushort)_segments.Count);
        w.U16((ushort)encoding.SectionSize);
        w.U16((ushort)_sections.Count);
        w.U16((ushort)Section(".shstrtab").Number);
        foreach (ElfSegment segment in _segments)
            WriteSegment(ref w, segment);
        foreach (ElfSectionHeader section in _sections)
            WriteSection(ref w, section);
    }

    private void WriteSegment(ref ElfWriter w, ElfSegment s)
    {
        // A loaded segment starts on its alignment, also for loaders that don't round down themselves (fixElfPhdr).
        ulong gap = s.Type == ElfSegmentType.Load ? s.Address & (s.Align - 1) : 0;
        w.U32((uint)s.Type);
        if (encoding.Is64)
            w.U32((uint)s.Flags);
        w.Address(s.Offset - gap);
        w.Address(s.Address - gap);
        w.Address(s.Address - gap);
        w.Address(s.FileSize + gap);
        w.Address(s.MemorySize + gap);
        if (!encoding.Is64)
            w.U32((uint)s.Flags);
        w.Address(s.Align);
    }

    private static void WriteSection(ref ElfWriter w, ElfSectionHeader s)
    {
        w.U32(s.NameOffset);
        w.U32((uint)s.Type);
        w.Address((ulong)s.Flags);
        w.Address(s.Address);
        w.Address(s.Offset);
        w.Address(s.Size);
        w.U32((uint)(s.Link?.Number ?? 0));
        w.U32(s.InfoSection is { } info ? (uint)info.Number : s.Info);
        w.Address(s.Align);
        w.Address(s.EntrySize);
    }
}
