using System.Buffers.Binary;
using System.Text;

namespace AotLinker.Formats.MachO;

/// <summary>A section as its header tells it (section_64).</summary>
/// <param name="Name">Name; only 16 bytes of it are kept.</param>
/// <param name="Segment">Name of its segment.</param>
/// <param name="Address">Address in memory.</param>
/// <param name="Size">Size in memory.</param>
/// <param name="Offset">File offset; 0 for zeros that the file does not hold.</param>
/// <param name="Align">Logarithm of the alignment.</param>
/// <param name="Flags">Type and attributes.</param>
/// <param name="Reserved1">Index of the section's first entry in the table of indirect symbols.</param>
/// <param name="Reserved2">Size of a stub.</param>
internal readonly record struct MachOSection(
    string Name, string Segment, ulong Address, ulong Size, uint Offset, int Align, uint Flags, uint Reserved1, uint Reserved2)
{
    /// <summary>File offset of the relocations.</summary>
    public uint RelocOffset { get; init; }

    /// <summary>Number of relocations.</summary>
    public uint RelocCount { get; init; }
}

/// <summary>A segment as its load command tells it (segment_command_64).</summary>
internal sealed class MachOSegment(string name)
{
    /// <summary>Name.</summary>
    public string Name { get; } = name;

    /// <summary>Address.</summary>
    public ulong Address { get; init; }

    /// <summary>Size in memory.</summary>
    public ulong MemorySize { get; init; }

    /// <summary>File offset.</summary>
    public ulong FileOffset { get; init; }

    /// <summary>Size in the file.</summary>
    public ulong FileSize { get; init; }

    /// <summary>The most permissions it may get, as Unix bits in Mach's order (1 = read).</summary>
    public uint MaxProtection { get; init; }

    /// <summary>The permissions it starts with.</summary>
    public uint Protection { get; init; }

    /// <summary>Flags.</summary>
    public uint Flags { get; init; }

    /// <summary>Sections in address order.</summary>
    public List<MachOSection> Sections { get; } = [];
}

/// <summary>The start of a 64-bit Mach-O file: header, segments with their sections, other load commands in order of making.</summary>
internal sealed class MachOHeader
{
    private const int HeaderSize = 32;
    private const int SegmentSize = 72;
    private const int SectionSize = 80;

    private readonly List<(MachOCommand Command, byte[] Data)> _commands = [];

    /// <summary>CPU type.</summary>
    public uint CpuType { get; init; }

    /// <summary>CPU subtype.</summary>
    public uint CpuSubtype { get; init; }

    /// <summary>Type of the file (MH_EXECUTE …).</summary>
    public uint FileType { get; init; } = MachOConstants.FileTypeExecute;

    /// <summary>Flags (MH_…).</summary>
    public uint Flags { get; init; }

    /// <summary>The segments.</summary>
    public List<MachOSegment> Segments { get; } = [];

    /// <summary>Bytes of all.</summary>
    public int Size => HeaderSize + CommandsSize;

    private int CommandsSize => Segments.Sum(s => SegmentSize + (s.Sections.Count * SectionSize)) + _commands.Sum(c => 8 + c.Data.Length);

    /// <summary>Adds a load command of 32-bit numbers.</summary>
    public void AddCommand(MachOCommand command, params ReadOnlySpan<uint> words) => AddCommand(command, words, [], 0);

    /// <summary>Adds a load command of 32-bit numbers, followed by text.</summary>
    /// <param name="command">The command.</param>
    /// <param name="words">Its numbers.</param>
    /// <param name="text">The text, without the zeros that fill it up.</param>
    /// <param name="textSize">Room for the text, a multiple of 4. All commands have sizes that are multiples of 8.</param>
    public void AddCommand(MachOCommand command, ReadOnlySpan<uint> words, ReadOnlySpan<byte> text, int textSize)
    {
        byte[] data = new byte[((words.Length * 4) + textSize + 7) & ~7];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4 * i), words[i]);
        text.CopyTo(data.AsSpan(words.Length * 4));
        _commands.Add((command, data));
    }

    /// <summary>Puts the UUID, 16 bytes, into a load command.</summary>
    public void AddUuid(ReadOnlySpan<byte> uuid) => _commands.Add((MachOCommand.Uuid, uuid.ToArray()));

    /// <summary>The header's bytes.</summary>
    public byte[] Build()
    {
        byte[] bytes = new byte[Size];
        Writer w = new(bytes);
        w.UInt32(MachOConstants.Magic64);
        w.UInt32(CpuType);
        w.UInt32(CpuSubtype);
        w.UInt32(FileType);
        w.UInt32((uint)(Segments.Count + _commands.Count));
        w.UInt32((uint)CommandsSize);
        w.UInt32(Flags);
        w.UInt32(0);
        foreach (MachOSegment segment in Segments)
            WriteSegment(ref w, segment);
        foreach ((MachOCommand command, byte[] data) in _commands)
        {
            w.UInt32((uint)command);
            w.UInt32((uint)(8 + data.Length));
            w.Bytes(data);
        }
        return bytes;
    }

    private static void WriteSegment(ref Writer w, MachOSegment segment)
    {
        w.UInt32((uint)MachOCommand.Segment64);
        w.UInt32((uint)(SegmentSize + (SectionSize * segment.Sections.Count)));
        w.Name(segment.Name);
        w.UInt64(segment.Address);
        w.UInt64(segment.MemorySize);
        w.UInt64(segment.FileOffset);
        w.UInt64(segment.FileSize);
        w.UInt32(segment.MaxProtection);
        w.UInt32(segment.Protection);
        w.UInt32((uint)segment.Sections.Count);
        w.UInt32(segment.Flags);
        foreach (MachOSection section in segment.Sections)
        {
            w.Name(section.Name);
            w.Name(section.Segment);
            w.UInt64(section.Address);
            w.UInt64(section.Size);
            w.UInt32(section.Offset);
            w.UInt32((uint)section.Align);
            w.UInt32(section.RelocOffset);
            w.UInt32(section.RelocCount);
            w.UInt32(section.Flags);
            w.UInt32(section.Reserved1);
            w.UInt32(section.Reserved2);
            w.UInt32(0);
        }
    }

    /// <summary>Writes little-endian numbers and names of fixed size, one after the other.</summary>
    private ref struct Writer(Span<byte> to)
    {
        private Span<byte> _rest = to;

        public void UInt32(uint v)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_rest, v);
            _rest = _rest[4..];
        }

        public void UInt64(ulong v)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_rest, v);
            _rest = _rest[8..];
        }

        public void Name(string name)
        {
            const int NameSize = 16;
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            bytes.AsSpan(0, Math.Min(bytes.Length, NameSize)).CopyTo(_rest);
            _rest = _rest[NameSize..];
        }

        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_rest);
            _rest = _rest[bytes.Length..];
        }
    }
}
