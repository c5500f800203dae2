using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>
/// Reads a 64-bit Mach-O program and says what the system would not accept: parts that overlap or lie outside, tables that disagree, and
/// a code signature with a wrong hash. Independent of the linker's own code on purpose; from Apple's mach-o/loader.h and xnu's cs_blobs.h.
/// </summary>
internal sealed class MachOCheck
{
    private const uint SegmentCommand = 0x19;
    private const uint SymbolTableCommand = 2;
    private const uint DynamicSymbolTableCommand = 0xb;
    private const uint DyldInfoOnlyCommand = 0x80000022;
    private const uint CodeSignatureCommand = 0x1d;

    private readonly byte[] _data;
    private readonly List<string> _faults = [];
    private readonly List<(string Name, long Address, long MemorySize, long Offset, long FileSize)> _segments = [];
    private (long Offset, long Count, long Names, long NamesSize) _symbols;
    private (long Local, long Exported, long Undefined) _counts;

    private MachOCheck(byte[] data) => _data = data;

    /// <summary>Number of page hashes of the signature that were compared; 0 without a signature.</summary>
    public int HashedPages { get; private set; }

    /// <summary>What is wrong, a line each.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public static MachOCheck Of(byte[] data)
    {
        MachOCheck check = new(data);
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

    private uint Word(long at) => BinaryPrimitives.ReadUInt32LittleEndian(_data.AsSpan(checked((int)at)));

    private long Wide(long at) => BinaryPrimitives.ReadInt64LittleEndian(_data.AsSpan(checked((int)at)));

    private uint BigWord(long at) => BinaryPrimitives.ReadUInt32BigEndian(_data.AsSpan(checked((int)at)));

    private string Text(long at, int limit)
    {
        ReadOnlySpan<byte> bytes = _data.AsSpan(checked((int)at), limit);
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private void Must(bool condition, string otherwise)
    {
        if (!condition)
        {
            _faults.Add(otherwise);
        }
    }

    private void Read()
    {
        const int HeaderSize = 32;
        Must(Word(0) == 0xfeedfacf && Word(12) == 2, "no 64-bit program");
        long end = HeaderSize + Word(20);
        long at = HeaderSize;
        long signature = -1;
        for (uint n = 0; n < Word(16); n++)
        {
            uint command = Word(at);
            uint size = Word(at + 4);
            Must(size >= 8 && size % 8 == 0 && at + size <= end, $"command {n} has a wrong size");
            switch (command)
            {
                case SegmentCommand:
                    ReadSegment(at, end);
                    break;
                case SymbolTableCommand:
                    _symbols = (Word(at + 8), Word(at + 12), Word(at + 16), Word(at + 20));
                    break;
                case DynamicSymbolTableCommand:
                    _counts = (Word(at + 12), Word(at + 20), Word(at + 28));
                    bool follow = Word(at + 8) == 0 && Word(at + 16) == _counts.Local && Word(at + 24) == _counts.Local + _counts.Exported;
                    Must(follow, "kinds of symbols are not one behind the other");
                    InLinkEdit(Word(at + 56), Word(at + 60) * 4L, "indirect symbols");
                    break;
                case DyldInfoOnlyCommand:
                    InLinkEdit(Word(at + 8), Word(at + 12), "rebase codes");
                    InLinkEdit(Word(at + 16), Word(at + 20), "bind codes");
                    break;
                case CodeSignatureCommand:
                    signature = Word(at + 8);
                    InLinkEdit(signature, Word(at + 12), "signature");
                    Must(signature + Word(at + 12) == _data.Length, "the signature is not the end of the file");
                    break;
            }

            at += size;
        }

        Must(at == end, "commands do not fill their place");
        ReadLayout();
        ReadSymbols();
        if (signature >= 0)
        {
            ReadSignature(signature);
        }
    }

    private void ReadSegment(long at, long headerEnd)
    {
        const int CommandSize = 72;
        const int SectionSize = 80;
        string name = Text(at + 8, 16);
        (long address, long memory, long offset, long size) = (Wide(at + 24), Wide(at + 32), Wide(at + 40), Wide(at + 48));
        _segments.Add((name, address, memory, offset, size));
        Must(offset + size <= _data.Length, $"{name} ends past the file");
        for (int n = 0; n < Word(at + 64); n++)
        {
            long section = at + CommandSize + (n * SectionSize);
            string title = $"{name},{Text(section, 16)}";
            Must(Text(section + 16, 16) == name, $"{title} says it is in {Text(section + 16, 16)}");
            (long start, long length, long place) = (Wide(section + 32), Wide(section + 40), Word(section + 48));

            // __DWARF is not in memory: its sections have addresses all the same.
            Must(name == "__DWARF" || (start >= address && start + length <= address + memory), $"{title} lies outside of its segment");
            bool isZero = (Word(section + 64) & 0xff) is 1 or 0x12;
            Must(isZero || (place >= offset && place + length <= offset + size), $"{title} lies outside of its segment in the file");
            Must(isZero || place >= headerEnd, $"{title} lies in the header");
            Must(isZero || name == "__DWARF" || start - address == place - offset, $"{title} is not mapped to its address");
        }
    }

    private void ReadLayout()
    {
        long address = 0, offset = 0;
        foreach (var segment in _segments)
        {
            if (segment.MemorySize > 0 && segment.Name != "__DWARF")
            {
                Must(segment.Address >= address, $"{segment.Name} overlaps the segment before it");
                address = segment.Address + segment.MemorySize;
            }

            if (segment.FileSize > 0)
            {
                Must(segment.Offset >= offset, $"{segment.Name} overlaps the segment before it in the file");
                offset = segment.Offset + segment.FileSize;
            }
        }

        Must(offset == _data.Length, "the last segment does not end with the file");
        Must(_segments is [{ Name: "__PAGEZERO", FileSize: 0 }, { Name: "__TEXT", Offset: 0 }, ..], "the program does not begin with a zero page and text");
        Must(_segments[^1].Name == "__LINKEDIT", "the program does not end with __LINKEDIT");
    }

    private void InLinkEdit(long offset, long size, string what)
    {
        var edit = _segments.Find(segment => segment.Name == "__LINKEDIT");
        Must(size == 0 || (offset >= edit.Offset && offset + size <= edit.Offset + edit.FileSize), $"{what} lie outside of __LINKEDIT");
    }

    private void ReadSymbols()
    {
        const int SymbolSize = 16;
        InLinkEdit(_symbols.Offset, _symbols.Count * SymbolSize, "symbols");
        InLinkEdit(_symbols.Names, _symbols.NamesSize, "names");
        Must(_counts.Local + _counts.Exported + _counts.Undefined == _symbols.Count, "symbols are counted in two ways");
        string before = "";
        for (long n = 0; n < _symbols.Count; n++)
        {
            long at = _symbols.Offset + (n * SymbolSize);
            long name = Word(at);
            if (name >= _symbols.NamesSize)
            {
                _faults.Add($"symbol {n} has its name outside of the names");
                return;
            }

            byte kind = _data[at + 4];
            bool isUndefined = n >= _counts.Local + _counts.Exported;
            Must((kind & 1) != 0 == (n >= _counts.Local) && (kind & 0xe) == (isUndefined ? 0 : 0xe), $"symbol {n} is in the wrong part of the table");
            if (n < _counts.Local)
            {
                continue;
            }

            // The dynamic linker looks these up by bisection.
            string text = Text(_symbols.Names + name, (int)(_symbols.NamesSize - name));
            Must(n == _counts.Local || n == _counts.Local + _counts.Exported || string.CompareOrdinal(before, text) < 0, $"{text} stands behind {before}");
            before = text;
        }
    }

    private void ReadSignature(long start)
    {
        Must(BigWord(start) == 0xfade0cc0 && BigWord(start + 4) <= _data.Length - start, "no embedded signature");
        Must(BigWord(start + 8) == 1 && BigWord(start + 12) == 0, "not one code directory");
        long directory = start + BigWord(start + 16);
        Must(BigWord(directory) == 0xfade0c02, "no code directory");
        Must(directory + BigWord(directory + 4) <= _data.Length, "the code directory ends past the file");
        long hashes = directory + BigWord(directory + 16);
        Must(Text(directory + BigWord(directory + 20), 64).Length > 0, "no identifier");
        uint slots = BigWord(directory + 28);
        long limit = BigWord(directory + 32);
        Must(limit == start, "the signature does not cover all that stands in front of it");
        Must(_data[directory + 36] == 32 && _data[directory + 37] == 2, "hashes are not SHA-256");
        int page = 1 << _data[directory + 39];
        Must(slots == (limit + page - 1) / page, "wrong number of pages");
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        for (long n = 0; n < slots; n++)
        {
            SHA256.HashData(_data.AsSpan((int)(n * page), (int)Math.Min(page, limit - (n * page))), digest);
            Must(digest.SequenceEqual(_data.AsSpan((int)(hashes + (n * digest.Length)), digest.Length)), $"page {n} has another hash");
            HashedPages++;
        }
    }
}
