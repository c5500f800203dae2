using System.Buffers.Binary;
using System.Text;
using AotLinker.Compression;
using AotLinker.Mapping;
using Microsoft.Win32.SafeHandles;

namespace AotLinker.Formats.MachO;

/// <summary>What a program with its debug information in it is to be like.</summary>
/// <param name="Round">Multiple at which segments begin in the file.</param>
/// <param name="Compression">How sections are compressed that get smaller by it; null for not at all.</param>
/// <param name="Uuid">The program's UUID; empty to leave what it has.</param>
internal readonly record struct MachOCombineOptions(long Round, DeflateFamily? Compression, byte[] Uuid);

/// <summary>
/// Takes debug information that dsymutil has put together into the program it is of (machoCombineDwarf). The segment of symbols, names and
/// signature must stay the last one, so debug information goes in front of it, and all load commands that tell of places in that are changed.
/// </summary>
internal static class MachODwarfCombiner
{
    private const string DwarfSegment = "__DWARF";
    private const int HeaderCount = 16;
    private const int ZlibHeaderSize = 12;

    // Fields of load commands that hold places in the file.
    private static readonly Dictionary<uint, int[]> Places = new()
    {
        [(uint)MachOCommand.DyldInfo] = [8, 16, 24, 32, 40],
        [(uint)MachOCommand.DyldInfoOnly] = [8, 16, 24, 32, 40],
        [(uint)MachOCommand.SymbolTable] = [8, 16],
        [(uint)MachOCommand.DynamicSymbolTable] = [32, 40, 48, 56, 64, 72],
        [(uint)MachOCommand.CodeSignature] = [8],
        // LC_SEGMENT_SPLIT_INFO, LC_FUNCTION_STARTS, LC_DATA_IN_CODE, LC_DYLIB_CODE_SIGN_DRS, LC_DYLD_EXPORTS_TRIE, LC_DYLD_CHAINED_FIXUPS
        [0x1e] = [8],
        [0x26] = [8],
        [0x29] = [8],
        [0x2b] = [8],
        [0x80000033] = [8],
        [0x80000034] = [8],
        // LC_ENCRYPTION_INFO, LC_ENCRYPTION_INFO_64
        [0x21] = [8],
        [0x2c] = [8],
    };

    // Those that hold none: of what is not known nobody can tell.
    private static readonly HashSet<uint> WithoutPlaces =
    [
        0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xa, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x80000018, 0x1a, 0x8000001c,
        0x8000001f, 0x20, 0x80000023, 0x24, 0x25, 0x27, 0x80000028, 0x2a, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32,
    ];

    /// <summary>Writes a copy of a program that has its debug information in it.</summary>
    /// <param name="image">The program; it has room for one more load command.</param>
    /// <param name="dwarfPath">The file that dsymutil made.</param>
    /// <param name="to">The copy.</param>
    /// <param name="options">What the copy is to be like.</param>
    /// <param name="workers">Threads.</param>
    /// <exception cref="MachOException">One of the files is damaged or lacks something.</exception>
    /// <exception cref="IOException">A file can't be read or written.</exception>
    public static void Combine(MachOImage image, string dwarfPath, FileStream to, MachOCombineOptions options, Workers workers)
    {
        using MachOImage from = MachOImage.Open(dwarfPath);
        MachOImage.ImageSegment last = image.Segment("__LINKEDIT") ?? throw new MachOException("missing __LINKEDIT segment");
        MachOImage.ImageSegment dwarf = from.Segment(DwarfSegment) ?? throw new MachOException("missing __DWARF segment");
        long linkEdit = (long)last.Offset;
        if (linkEdit > image.Length)
            throw image.Error("__LINKEDIT lies behind the end of the file");
        long round = options.Round;
        long start = RoundUp(linkEdit, round);

        SafeFileHandle file = to.SafeFileHandle;
        MachORewriter.Copy(image, 0, file, 0, linkEdit);
        List<Section>? sections = options.Compression is { } family ? Compress(workers, family, from) : null;
        long size;
        if (sections is not null && sections.Sum(section => section.Length) is var sum && sum != 0)
        {
            size = sum;
            long at = start;
            foreach (Section section in sections)
            {
                section.Write(file, at);
                at += section.Length;
            }
        }
        else
        {
            size = (long)dwarf.FileSize;
            MachORewriter.Copy(from, (long)dwarf.Offset, file, start, size);
        }
        long movedTo = RoundUp(start + size, round);
        MachORewriter.Copy(image, linkEdit, file, movedTo, image.Length - linkEdit);

        uint text = image.OffsetOfSection("__text") ?? throw new MachOException("missing __text section");
        long added = MachOImage.HeaderSize + image.CommandsSize;
        uint needed = (uint)dwarf.Command.Data.Length, room = unchecked(text - (uint)added);
        if (room < needed)
            throw new MachOException($"no room to add dwarf info. Need at least {needed} padding bytes, found {room}");
        byte[] counts = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(counts, (uint)image.Commands.Count + 1);
        BinaryPrimitives.WriteUInt32LittleEndian(counts.AsSpan(4), image.CommandsSize + needed);
        RandomAccess.Write(file, counts, HeaderCount);
        foreach (MachOImage.LoadCommand command in image.Commands)
        {
            Move(image, command, (ulong)linkEdit, (ulong)(movedTo - linkEdit), options.Uuid);
            RandomAccess.Write(file, command.Data, command.Offset);
        }
        Describe(dwarf, from, sections, start, sections?.Sum(section => section.Length) ?? size);
        RandomAccess.Write(file, dwarf.Command.Data, added);
    }

    private static long RoundUp(long value, long to) => to > 0 ? (value + to - 1) / to * to : value;

    // Changes what a load command tells of places from the last segment on.
    private static void Move(MachOImage image, MachOImage.LoadCommand command, ulong from, ulong by, byte[] uuid)
    {
        switch (command.Kind)
        {
            case MachOCommand.Segment64:
                MachOImage.ImageSegment segment = new(command);
                if (segment.Offset < from)
                    return;
                command.Put(40, segment.Offset + by);
                for (int i = 0; i < segment.SectionCount; i++)
                {
                    int section = MachOImage.ImageSegment.PlaceOf(i);
                    MoveUnlessZero(command, section + 48, by);
                    MoveUnlessZero(command, section + 56, by);
                }
                break;
            case MachOCommand.Uuid:
                if (uuid.Length > 0)
                    MachORewriter.SetUuid(command, uuid);
                break;
            default:
                if (Places.TryGetValue((uint)command.Kind, out int[]? places))
                {
                    if (command.Data.Length < places[^1] + 4)
                        throw image.Error($"load command 0x{(uint)command.Kind:x} at 0x{command.Offset:x} is damaged");
                    foreach (int place in places)
                    {
                        if (command.U32(place) >= from)
                            command.Put(place, (uint)(command.U32(place) + by));
                    }
                }
                else if (!WithoutPlaces.Contains((uint)command.Kind))
                {
                    throw new MachOException($"unknown load command 0x{(uint)command.Kind:x} ({(uint)command.Kind})");
                }
                break;
        }
    }

    private static void MoveUnlessZero(MachOImage.LoadCommand command, int place, ulong by)
    {
        if (command.U32(place) != 0)
            command.Put(place, unchecked(command.U32(place) + (uint)by));
    }

    // Makes the segment's load command that of the copy. It is not loaded, and the system must not think so.
    private static void Describe(MachOImage.ImageSegment dwarf, MachOImage from, List<Section>? sections, long start, long size)
    {
        MachOImage.LoadCommand command = dwarf.Command;
        ulong by = (ulong)start - dwarf.Offset, address = dwarf.Address, offset = dwarf.Offset;
        if (sections is not null && sections.Count < dwarf.SectionCount)
            throw from.Error("a section of the segment __DWARF says that it is of another segment");
        command.Put(24, 0UL);
        command.Put(32, 0UL);
        command.Put(40, (ulong)start);
        command.Put(48, (ulong)size);
        command.Put(60, 0u);
        ulong before = 0;
        for (int i = 0; i < dwarf.SectionCount; i++)
        {
            int place = MachOImage.ImageSegment.PlaceOf(i);
            if (sections is null)
            {
                MoveUnlessZero(command, place + 48, by);
                MoveUnlessZero(command, place + 56, by);
                continue;
            }
            Section section = sections[i];
            if (section.Name is { } name)
            {
                byte[] bytes = Encoding.Latin1.GetBytes(name);
                bytes.AsSpan(0, Math.Min(bytes.Length, 16)).CopyTo(command.Data.AsSpan(place));
            }
            command.Put(place + 40, (ulong)section.Length);
            if ((uint)(offset + before) is var at && at != 0)
                command.Put(place + 48, unchecked(at + (uint)by));
            if (address + before is var to && to != 0)
                command.Put(place + 32, to);
            before += (ulong)section.Length;
        }
    }

    // Null where nothing may be compressed: relocated sections have to stay as they are.
    private static List<Section>? Compress(Workers workers, DeflateFamily family, MachOImage from)
    {
        List<(MachOImage.ImageSegment Segment, int Index)> all = [];
        foreach (MachOImage.ImageSegment segment in from.Segments)
        {
            for (int i = 0; i < segment.SectionCount; i++)
            {
                if (segment.SectionSegment(i) == DwarfSegment)
                    all.Add((segment, i));
            }
        }
        if (all.Any(section => section.Segment.SectionRelocations(section.Index) != 0))
            return null;
        Section[] made = new Section[all.Count];
        workers.For(all.Count, i => made[i] = Compress(family, from, all[i].Segment, all[i].Index));
        return [.. made];
    }

    private static Section Compress(DeflateFamily family, MachOImage from, MachOImage.ImageSegment segment, int index)
    {
        byte[] content = from.Read(segment.SectionOffset(index), (long)Math.Min(segment.SectionLength(index), long.MaxValue), segment.SectionName(index));
        using ZlibWriter writer = new(family, DeflateLevel.Default);
        writer.Write(content);
        writer.Finish();
        if (writer.Output.Length + ZlibHeaderSize >= content.Length)
            return new Section(null, content);
        byte[] compressed = new byte[ZlibHeaderSize + writer.Output.Length];
        "ZLIB"u8.CopyTo(compressed);
        BinaryPrimitives.WriteInt64BigEndian(compressed.AsSpan(4), content.Length);
        writer.Output.Span.CopyTo(compressed.AsSpan(ZlibHeaderSize));
        string name = segment.SectionName(index);
        return new Section("__z" + name[Math.Min(2, name.Length)..], compressed);
    }

    /// <summary>A section's content for the copy.</summary>
    /// <param name="Name">Its new name; null if it stays as it is.</param>
    /// <param name="Content">The content.</param>
    private sealed record Section(string? Name, byte[] Content)
    {
        public long Length => Content.Length;

        public void Write(SafeFileHandle to, long at) => RandomAccess.Write(to, Content, at);
    }
}
