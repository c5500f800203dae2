using System.Buffers.Binary;

namespace AotLinker.Formats.Pe;

/// <summary>A section of a program that another linker has made.</summary>
/// <param name="Address">Address from the image's base.</param>
/// <param name="Offset">File offset.</param>
/// <param name="Size">Bytes in the file.</param>
internal readonly record struct PeImageSection(long Address, long Offset, long Size);

/// <summary>As much of the headers of a program as is asked about what an external linker has made. Nothing in them is trusted.</summary>
internal sealed class PeImageReader
{
    private const int SignaturePlace = 0x3c;
    private const ushort Magic64 = 0x20b;

    // Where the data directory begins in the optional header, behind its number of entries.
    private const int Directories32 = 96;
    private const int Directories64 = 112;

    private readonly byte[] _optional;
    private readonly byte[] _sections;

    private PeImageReader(byte[] optional, byte[] sections)
    {
        _optional = optional;
        _sections = sections;
    }

    /// <summary>Reads the headers of a file; null where there are none.</summary>
    public static PeImageReader? Open(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read);
            return Read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads the headers of a file; null where there are none.</summary>
    /// <exception cref="IOException">The file ends before they do.</exception>
    public static PeImageReader? Read(FileStream file)
    {
        uint signature = BinaryPrimitives.ReadUInt32LittleEndian(Read(file, SignaturePlace, 4));
        byte[] header = Read(file, signature, 4 + PeConstants.FileHeaderSize);
        if (!header.AsSpan().StartsWith("PE\0\0"u8))
            return null;
        ushort count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(4 + 2));
        ushort optionalSize = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(4 + 16));
        return new PeImageReader(
            Read(file, signature + header.Length, optionalSize),
            Read(file, signature + header.Length + optionalSize, count * PeConstants.SectionHeaderSize));
    }

    /// <summary>An entry of the data directory; zeros where there is none.</summary>
    public (uint Address, uint Size) Directory(PeDirectory directory)
    {
        if (_optional.Length < 2)
            return default;
        int start = BinaryPrimitives.ReadUInt16LittleEndian(_optional) == Magic64 ? Directories64 : Directories32;
        int at = start + (8 * (int)directory);
        if (at + 8 > _optional.Length || (uint)directory >= BinaryPrimitives.ReadUInt32LittleEndian(_optional.AsSpan(start - 4)))
            return default;
        return (BinaryPrimitives.ReadUInt32LittleEndian(_optional.AsSpan(at)), BinaryPrimitives.ReadUInt32LittleEndian(_optional.AsSpan(at + 4)));
    }

    /// <summary>The section with a name of up to eight bytes.</summary>
    public PeImageSection? Section(ReadOnlySpan<byte> name)
    {
        for (int at = 0; at < _sections.Length; at += PeConstants.SectionHeaderSize)
        {
            if (_sections.AsSpan(at, PeConstants.ShortNameLength).TrimEnd((byte)0).SequenceEqual(name))
                return SectionOf(at);
        }
        return null;
    }

    /// <summary>The section whose content in the file has a range of addresses from the image's base.</summary>
    public PeImageSection? SectionAt(long start, long end)
    {
        for (int at = 0; at < _sections.Length; at += PeConstants.SectionHeaderSize)
        {
            PeImageSection section = SectionOf(at);
            if (section.Address <= start && start <= end && end <= section.Address + section.Size)
                return section;
        }
        return null;
    }

    private PeImageSection SectionOf(int at) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(_sections.AsSpan(at + 12)),
        BinaryPrimitives.ReadUInt32LittleEndian(_sections.AsSpan(at + 20)),
        BinaryPrimitives.ReadUInt32LittleEndian(_sections.AsSpan(at + 16)));

    private static byte[] Read(FileStream file, long at, int length)
    {
        byte[] bytes = new byte[length];
        file.Position = at;
        file.ReadExactly(bytes);
        return bytes;
    }
}
