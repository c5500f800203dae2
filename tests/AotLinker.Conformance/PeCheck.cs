using System.Buffers.Binary;

namespace AotLinker.Conformance;

/// <summary>
/// Reads a Windows program and says what does not fit: sections, directories, and base relocations, each of which must stand where the
/// image has an address of its own. Independent of the linker's own code on purpose; from Microsoft's "PE Format".
/// </summary>
internal sealed class PeCheck
{
    private const int BaseRelocationDirectory = 5;

    private readonly byte[] _data;
    private readonly List<string> _faults = [];
    private readonly List<(long Address, long Size, long Offset, long FileSize)> _sections = [];
    private long _imageBase;
    private long _imageSize;

    private PeCheck(byte[] data) => _data = data;

    /// <summary>Number of base relocations that were followed.</summary>
    public int Relocations { get; private set; }

    /// <summary>What is wrong, a line each.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public static PeCheck Of(byte[] data)
    {
        PeCheck check = new(data);
        try
        {
            check.Read();
        }
        catch (Exception failure) when (failure is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            check._faults.Add("something refers past the end of the file");
        }

        return check;
    }

    private ushort Half(long at) => BinaryPrimitives.ReadUInt16LittleEndian(_data.AsSpan(checked((int)at)));

    private uint Word(long at) => BinaryPrimitives.ReadUInt32LittleEndian(_data.AsSpan(checked((int)at)));

    private void Must(bool condition, string otherwise)
    {
        if (!condition)
        {
            _faults.Add(otherwise);
        }
    }

    private void Read()
    {
        const int FileHeaderSize = 20;
        const int SectionHeaderSize = 40;
        long header = Word(0x3c);
        Must(Half(0) == 0x5a4d && Word(header) == 0x4550, "no program for Windows");
        header += 4;
        long optional = header + FileHeaderSize;
        bool isWide = Half(optional) == 0x20b;
        _imageBase = isWide ? BinaryPrimitives.ReadInt64LittleEndian(_data.AsSpan((int)optional + 24)) : Word(optional + 28);
        (long sectionAlign, long fileAlign, long headersSize) = (Word(optional + 32), Word(optional + 36), Word(optional + 60));
        _imageSize = Word(optional + 56);
        long section = optional + Half(header + 16);
        long next = sectionAlign;
        for (int n = 0; n < Half(header + 2); n++, section += SectionHeaderSize)
        {
            (long memory, long address, long size, long offset) = (Word(section + 8), Word(section + 12), Word(section + 16), Word(section + 20));
            _sections.Add((address, memory, offset, size));
            Must(address == next, $"section {n} does not begin where the one before it ends");
            next = (address + memory + sectionAlign - 1) / sectionAlign * sectionAlign;
            Must(size == 0 || (offset % fileAlign == 0 && offset >= headersSize && offset + size <= _data.Length), $"section {n} lies outside of the file");
        }

        Must(section <= headersSize, "section headers are longer than the headers");
        Must(next == _imageSize, "the last section does not end with the image");
        long entry = Word(optional + 16);
        Must(entry >= _sections[0].Address && entry < _sections[0].Address + _sections[0].Size, "the program does not begin in its first section");

        long directories = optional + (isWide ? 112 : 96);
        for (int n = 0; n < Word(directories - 4); n++)
        {
            (long address, long size) = (Word(directories + (8 * n)), Word(directories + (8 * n) + 4));
            Must(size == 0 || _sections.Exists(one => address >= one.Address && address + size <= one.Address + one.Size), $"directory {n} lies in no section");
            if (n == BaseRelocationDirectory && size > 0)
            {
                ReadRelocations(Offset(address), size, isWide);
            }
        }

        long symbols = Word(header + 8);
        if (symbols != 0)
        {
            long names = symbols + (Word(header + 12) * 18L);
            long end = names + Word(names);
            Must(end <= _data.Length && end > _data.Length - fileAlign, "the names of symbols do not end with the file");
        }
    }

    private void ReadRelocations(long at, long size, bool isWide)
    {
        const int Narrow = 3;
        const int Wide = 10;
        long end = at + size;
        long before = -1;
        while (at < end)
        {
            (long page, long length) = (Word(at), Word(at + 4));
            Must(page % 0x1000 == 0 && page > before && length >= 8 && length % 4 == 0 && at + length <= end, "a wrong block of base relocations");
            if (length < 8)
            {
                return;
            }

            for (long place = at + 8; place < at + length; place += 2)
            {
                int kind = Half(place) >> 12;
                if (kind == 0)
                {
                    Must(place == at + length - 2, "padding in the middle of a block");
                    continue;
                }

                // A program that is not moved has addresses in the image, or one past its end.
                Must(kind == (isWide ? Wide : Narrow), $"base relocation of kind {kind}");
                long offset = Offset(page + (Half(place) & 0xfff));
                long target = (isWide ? BinaryPrimitives.ReadInt64LittleEndian(_data.AsSpan((int)offset)) : Word(offset)) - _imageBase;
                Must(target >= 0 && target <= _imageSize, $"a base relocation of what is no address at 0x{page + (Half(place) & 0xfff):x}");
                Relocations++;
            }

            before = page;
            at += length;
        }
    }

    private long Offset(long address)
    {
        var section = _sections.Find(one => address >= one.Address && address < one.Address + Math.Min(one.Size, one.FileSize));
        return section.FileSize == 0 ? throw new ArgumentException($"0x{address:x}") : section.Offset + address - section.Address;
    }
}
