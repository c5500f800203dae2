using System.Buffers.Binary;
using AotLinker.Layout;

namespace AotLinker.Formats.Elf;

/// <summary>
/// Writes the hash by which a program checks its FIPS module into a program that another linker has made: where the module lies is told by
/// the section .go.fipsinfo (ld.elffips).
/// </summary>
internal static class ElfFips
{
    private const int Regions = 4;

    /// <summary>Seals a program. As with the Go linker, one that doesn't look as it should is left as it is.</summary>
    /// <param name="path">The program.</param>
    /// <param name="encoding">Its class and byte order.</param>
    /// <param name="copy">File that gets what is hashed; empty for none (-fipso).</param>
    public static void Seal(string path, ElfEncoding encoding, string copy)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
            ElfReader reader = new(file, encoding);
            using FipsSum sum = new(file, copy);
            if (reader.FindSection(".go.fipsinfo"u8) is not var (at, size) || size < Start(encoding) + (2 * Regions * encoding.AddressSize))
            {
                return;
            }
            byte[] info = reader.Read(at, (int)size);
            for (int i = 0; i < Regions; i++)
            {
                int entry = Start(encoding) + (2 * i * encoding.AddressSize);
                ulong start = reader.Address(info, entry), end = reader.Address(info, entry + encoding.AddressSize);
                if (reader.FindLoaded(start, end) is not { } offset)
                {
                    return;
                }
                sum.AddRange(offset, (long)(end - start));
            }
            sum.WriteTo(at);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A program that checks itself will say so when it is run.
        }
    }

    // The addresses follow the magic, the sum and the section's own address.
    private static int Start(ElfEncoding encoding) => FipsSections.MagicLength + FipsSections.SumLength + encoding.AddressSize;

    /// <summary>As much of an ELF file as is needed here.</summary>
    private sealed class ElfReader
    {
        private readonly FileStream _file;
        private readonly ElfEncoding _encoding;
        private readonly byte[] _header;

        public ElfReader(FileStream file, ElfEncoding encoding)
        {
            _file = file;
            _encoding = encoding;
            _header = Read(0, encoding.HeaderSize);
        }

        private int Wide => _encoding.AddressSize;

        public byte[] Read(long at, int length)
        {
            byte[] bytes = new byte[length];
            _file.Position = at;
            _file.ReadExactly(bytes);
            return bytes;
        }

        public ulong Address(ReadOnlySpan<byte> from, int at) => Wide == 8 ? U64(from[at..]) : U32(from[at..]);

        public (long Offset, long Size)? FindSection(ReadOnlySpan<byte> name)
        {
            // The counts follow both tables' offsets, the flags and four sizes.
            int counts = 24 + (3 * Wide) + 4;
            byte[] table = Read((long)Address(_header, 24 + (2 * Wide)), U16(_header.AsSpan(counts + 8)) * _encoding.SectionSize);
            int names = U16(_header.AsSpan(counts + 10)) * _encoding.SectionSize;
            byte[] text = Read((long)Offset(table, names), (int)Size(table, names));
            for (int at = 0; at < table.Length; at += _encoding.SectionSize)
            {
                ReadOnlySpan<byte> tail = text.AsSpan((int)U32(table.AsSpan(at)));
                if (tail.StartsWith(name) && tail.Length > name.Length && tail[name.Length] == 0)
                {
                    return ((long)Offset(table, at), (long)Size(table, at));
                }
            }
            return null;
        }

        /// <summary>Place in the file of a range of addresses.</summary>
        public long? FindLoaded(ulong start, ulong end)
        {
            int counts = 24 + (3 * Wide) + 4;
            byte[] table = Read((long)Address(_header, 24 + Wide), U16(_header.AsSpan(counts + 4)) * _encoding.SegmentSize);
            for (int at = 0; at < table.Length; at += _encoding.SegmentSize)
            {
                // In 64 bits the flags stand in front of the offset.
                int fields = at + (Wide == 8 ? 8 : 4);
                ulong offset = Address(table, fields), address = Address(table, fields + Wide), length = Address(table, fields + (3 * Wide));
                if (U32(table.AsSpan(at)) == (uint)ElfSegmentType.Load && address <= start && start <= end && end <= address + length)
                {
                    return (long)(start - address + offset);
                }
            }
            return null;
        }

        private ulong Offset(byte[] table, int at) => Address(table, at + 8 + (2 * Wide));

        private ulong Size(byte[] table, int at) => Address(table, at + 8 + (3 * Wide));

        private ushort U16(ReadOnlySpan<byte> from) =>
            _encoding.IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(from) : BinaryPrimitives.ReadUInt16LittleEndian(from);

        private uint U32(ReadOnlySpan<byte> from) =>
            _encoding.IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(from) : BinaryPrimitives.ReadUInt32LittleEndian(from);

        private ulong U64(ReadOnlySpan<byte> from) =>
            _encoding.IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(from) : BinaryPrimitives.ReadUInt64LittleEndian(from);
    }
}
