using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace AotLinker.Formats.MachO;

/// <summary>What is wrong with a Mach-O file that another program has made.</summary>
internal sealed class MachOException(string message) : Exception(message);

/// <summary>
/// A Mach-O file of 64 bits that another linker or tool has made, as far as it is looked at here: load commands, segments and sections
/// (package debug/macho). Nothing in it is trusted.
/// </summary>
internal sealed class MachOImage : IDisposable
{
    /// <summary>Bytes of the header in front of the load commands.</summary>
    public const int HeaderSize = 32;

    /// <summary>Bytes of a segment's load command, without its sections.</summary>
    public const int SegmentSize = 72;

    /// <summary>Bytes of a section in a segment's load command.</summary>
    public const int SectionSize = 80;

    private readonly byte[] _header;

    private MachOImage(string path, SafeFileHandle file)
    {
        Path = path;
        File = file;
        Length = RandomAccess.GetLength(file);
        _header = Read(0, HeaderSize, "header");
        if (BinaryPrimitives.ReadUInt32LittleEndian(_header) != MachOConstants.Magic64)
            throw Error("not a 64-bit Mach-O file");
        Commands = ReadCommands();
    }

    /// <summary>A load command.</summary>
    /// <param name="Kind">What it is.</param>
    /// <param name="Offset">Where it stands in the file.</param>
    /// <param name="Data">All its bytes, kind and size included.</param>
    public sealed record LoadCommand(MachOCommand Kind, long Offset, byte[] Data)
    {
        /// <summary>A 32-bit number in it.</summary>
        public uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(Data.AsSpan(at));

        /// <summary>A 64-bit number in it.</summary>
        public ulong U64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(Data.AsSpan(at));

        /// <summary>Changes a 32-bit number in it.</summary>
        public void Put(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Data.AsSpan(at), value);

        /// <summary>Changes a 64-bit number in it.</summary>
        public void Put(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Data.AsSpan(at), value);
    }

    /// <summary>A segment: its load command, whose fields these are.</summary>
    /// <param name="command">The command.</param>
    public sealed class ImageSegment(LoadCommand command)
    {
        /// <summary>The command.</summary>
        public LoadCommand Command => command;

        /// <summary>Name.</summary>
        public string Name => Text(command.Data.AsSpan(8, 16));

        /// <summary>Address.</summary>
        public ulong Address => command.U64(24);

        /// <summary>File offset.</summary>
        public ulong Offset => command.U64(40);

        /// <summary>Size in the file.</summary>
        public ulong FileSize => command.U64(48);

        /// <summary>Number of sections; all of them lie in the command.</summary>
        public int SectionCount => (int)command.U32(64);

        /// <summary>Where a section stands in the command.</summary>
        public static int PlaceOf(int section) => SegmentSize + (section * SectionSize);

        /// <summary>Name of a section.</summary>
        public string SectionName(int section) => Text(command.Data.AsSpan(PlaceOf(section), 16));

        /// <summary>The segment that a section is of, by its own account.</summary>
        public string SectionSegment(int section) => Text(command.Data.AsSpan(PlaceOf(section) + 16, 16));

        /// <summary>Size of a section.</summary>
        public ulong SectionLength(int section) => command.U64(PlaceOf(section) + 40);

        /// <summary>File offset of a section.</summary>
        public uint SectionOffset(int section) => command.U32(PlaceOf(section) + 48);

        /// <summary>Number of a section's relocations.</summary>
        public uint SectionRelocations(int section) => command.U32(PlaceOf(section) + 60);
    }

    /// <summary>Path, for messages.</summary>
    public string Path { get; }

    /// <summary>The file.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Length of the file.</summary>
    public long Length { get; }

    /// <summary>The load commands, in order.</summary>
    public IReadOnlyList<LoadCommand> Commands { get; }

    /// <summary>Bytes of all load commands, as the header has it.</summary>
    public uint CommandsSize => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(20));

    /// <summary>The segments, in order.</summary>
    public IEnumerable<ImageSegment> Segments => from command in Commands where command.Kind == MachOCommand.Segment64 select new ImageSegment(command);

    /// <summary>Opens a file.</summary>
    /// <exception cref="MachOException">It is no such file, or damaged.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static MachOImage Open(string path)
    {
        SafeFileHandle file = System.IO.File.OpenHandle(path);
        try
        {
            return new MachOImage(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The first segment of a name; null for none.</summary>
    public ImageSegment? Segment(string name) => Segments.FirstOrDefault(segment => segment.Name == name);

    /// <summary>File offset of the first section of a name; null for none.</summary>
    public uint? OffsetOfSection(string name) => FindSection(name) is { } found ? found.Segment.SectionOffset(found.Section) : null;

    /// <summary>The first section of a name, as its number in its segment; null for none.</summary>
    public (ImageSegment Segment, int Section)? FindSection(string name)
    {
        foreach (ImageSegment segment in Segments)
        {
            for (int i = 0; i < segment.SectionCount; i++)
            {
                if (segment.SectionName(i) == name)
                    return (segment, i);
            }
        }
        return null;
    }

    /// <summary>Bytes of the file.</summary>
    /// <exception cref="MachOException">They don't lie in it.</exception>
    public byte[] Read(long at, long length, string what)
    {
        if (at < 0 || length < 0 || at > Length || length > Length - at || length > Array.MaxLength)
            throw Error($"{what} (0x{at:x}, 0x{length:x} bytes) is not within the file");
        byte[] bytes = new byte[length];
        ReadFully(bytes, at);
        return bytes;
    }

    /// <summary>Fills a span with bytes of the file.</summary>
    /// <exception cref="MachOException">The file ends before that.</exception>
    public void ReadFully(Span<byte> to, long at)
    {
        while (!to.IsEmpty)
        {
            int count = RandomAccess.Read(File, to, at);
            if (count == 0)
                throw Error("unexpected EOF");
            to = to[count..];
            at += count;
        }
    }

    /// <summary>An error that names the file.</summary>
    public MachOException Error(string text) => new($"{Path}: {text}");

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    private List<LoadCommand> ReadCommands()
    {
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(16));
        byte[] all = Read(HeaderSize, CommandsSize, "load commands");
        List<LoadCommand> commands = [];
        int at = 0;
        for (uint i = 0; i < count; i++)
        {
            uint size = all.Length - at < 8 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(all.AsSpan(at + 4));
            if (size < 8 || size > all.Length - at)
                throw Error($"invalid command block size at 0x{HeaderSize + at:x}");
            LoadCommand command = new(
                (MachOCommand)BinaryPrimitives.ReadUInt32LittleEndian(all.AsSpan(at)), HeaderSize + at, all[at..(at + (int)size)]);
            if (!IsSound(command))
                throw Error($"load command 0x{(uint)command.Kind:x} at 0x{command.Offset:x} is damaged");
            commands.Add(command);
            at += (int)size;
        }
        return commands;
    }

    private static bool IsSound(LoadCommand command)
    {
        int size = command.Data.Length;
        return command.Kind switch
        {
            MachOCommand.Segment64 => size >= SegmentSize && command.U32(64) <= (size - SegmentSize) / SectionSize
                && (long)command.U64(40) >= 0 && (long)command.U64(48) >= 0,
            MachOCommand.SymbolTable or MachOCommand.Uuid => size >= 24,
            MachOCommand.DynamicSymbolTable => size >= 80,
            MachOCommand.CodeSignature => size >= 16,
            _ => true,
        };
    }
}
