using System.Buffers.Binary;
using System.Text;

namespace AotLinker.Tests.Formats;

/// <summary>
/// Checks that an ELF executable hangs together: everything that one table says of another, of the file's length or of memory. Written
/// from the System V ABI alone, without the linker's own ELF code.
/// </summary>
internal sealed class ElfChecker
{
    private const uint SymTab = 2;
    private const uint StrTab = 3;
    private const uint Rela = 4;
    private const uint Hash = 5;
    private const uint Dynamic = 6;
    private const uint Note = 7;
    private const uint NoBits = 8;
    private const uint Rel = 9;
    private const uint DynSym = 11;
    private const uint VerNeed = 0x6ffffffe;
    private const uint VerSym = 0x6fffffff;
    private const ulong Alloc = 2;
    private const ulong Tls = 0x400;

    private const uint Load = 1;
    private const uint LoadDynamic = 2;
    private const uint Interp = 3;
    private const uint NoteSegment = 4;
    private const uint ProgramHeaders = 6;
    private const uint TlsSegment = 7;
    private const uint RelRo = 0x6474e552;

    private readonly byte[] _file;
    private readonly bool _wide;
    private readonly bool _big;
    private readonly List<string> _problems = [];
    private readonly List<Section> _sections = [];
    private readonly List<Segment> _segments = [];

    private ElfChecker(byte[] file)
    {
        _file = file;
        _wide = file.Length > 4 && file[4] == 2;
        _big = file.Length > 5 && file[5] == 2;
    }

    private readonly record struct Section(
        string Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size, uint Link, uint Info, ulong Align, ulong EntrySize)
    {
        public bool IsInFile => Type is not (0 or NoBits);

        public bool IsInMemory => (Flags & Alloc) != 0 && (Flags & Tls) == 0;

        public bool Holds(ulong address) => address >= Address && address - Address < Size;
    }

    private readonly record struct Segment(uint Type, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize, ulong Align);

    /// <summary>All that is wrong with a file, one line each; empty for a sound one.</summary>
    public static IReadOnlyList<string> Check(byte[] file)
    {
        ElfChecker checker = new(file);
        try
        {
            checker.Run();
        }
        catch (ArgumentException e)
        {
            checker._problems.Add($"a table reaches outside the file: {e.Message}");
        }
        return checker._problems;
    }

    private void Run()
    {
        Expect(_file.AsSpan(0, 4).SequenceEqual("\u007fELF"u8), "no ELF magic");
        Expect(_file[4] is 1 or 2 && _file[5] is 1 or 2 && _file[6] == 1, "class, byte order or version");
        ReadTables();
        if (_sections.Count == 0)
            return;
        CheckSegments();
        CheckSections();
        foreach (Section section in _sections)
        {
            switch (section.Type)
            {
                case SymTab or DynSym:
                    CheckSymbols(section);
                    break;
                case Hash:
                    CheckHash(section);
                    break;
                case Dynamic:
                    CheckDynamic(section);
                    break;
                case Note:
                    CheckNotes(section);
                    break;
                case Rela or Rel:
                    CheckRelocations(section);
                    break;
                case VerSym:
                    Expect(section.Size / 2 == CountOf(section.Link), $"{section.Name}: not one version for each symbol");
                    break;
                case VerNeed:
                    Expect(TypeOf(section.Link) == StrTab, $"{section.Name}: link is no string table");
                    break;
            }
        }
    }

    private void ReadTables()
    {
        int header = _wide ? 64 : 52;
        ulong entry = Word(24);
        ulong segments = Word(_wide ? 32 : 28);
        ulong sections = Word(_wide ? 40 : 32);
        int at = _wide ? 52 : 40;
        Expect(U16(at) == header, "e_ehsize");
        int segmentSize = U16(at + 2);
        int segmentCount = U16(at + 4);
        int sectionSize = U16(at + 6);
        int sectionCount = U16(at + 8);
        int names = U16(at + 10);
        Expect(segmentSize == (_wide ? 56 : 32), "e_phentsize");
        Expect(sectionSize == (_wide ? 64 : 40), "e_shentsize");
        Expect(segments == (ulong)header, "program headers don't follow the file header");
        Expect(sections >= segments + (ulong)(segmentCount * segmentSize), "the header tables overlap");
        if (names >= sectionCount)
        {
            _problems.Add("e_shstrndx");
            return;
        }

        for (int i = 0; i < segmentCount; i++)
            _segments.Add(ReadSegment((int)segments + (i * segmentSize)));
        int nameTable = (int)sections + (names * sectionSize);
        int nameOffset = (int)Word(nameTable + (_wide ? 24 : 16));
        int nameLength = (int)Word(nameTable + (_wide ? 32 : 20));
        for (int i = 0; i < sectionCount; i++)
            _sections.Add(ReadSection((int)sections + (i * sectionSize), nameOffset, nameLength));
        Expect(_sections[0] == new Section("", 0, 0, 0, 0, 0, 0, 0, 0, 0), "section 0 is not empty");
        Expect(_sections[names].Name == ".shstrtab", "e_shstrndx names another section");
        Expect(_sections.Exists(s => s.Name == ".text" && s.Holds(entry)), "the entry is not in .text");
    }

    private Segment ReadSegment(int at) => _wide
        ? new(U32(at), U32(at + 4), Word(at + 8), Word(at + 16), Word(at + 32), Word(at + 40), Word(at + 48))
        : new(U32(at), U32(at + 24), Word(at + 4), Word(at + 8), Word(at + 16), Word(at + 20), Word(at + 28));

    private Section ReadSection(int at, int names, int namesLength)
    {
        uint name = U32(at);
        Expect(name < namesLength, "a section's name lies outside .shstrtab");
        string text = Text(_file.AsSpan(names, namesLength), name);
        return _wide
            ? new(text, U32(at + 4), Word(at + 8), Word(at + 16), Word(at + 24), Word(at + 32), U32(at + 40), U32(at + 44), Word(at + 48), Word(at + 56))
            : new(text, U32(at + 4), Word(at + 8), Word(at + 12), Word(at + 16), Word(at + 20), U32(at + 24), U32(at + 28), Word(at + 32), Word(at + 36));
    }

    private void CheckSegments()
    {
        ulong end = 0;
        foreach (Segment s in _segments)
        {
            Expect(s.Offset + s.FileSize <= (ulong)_file.Length, $"segment {s.Type:x} reaches outside the file");
            switch (s.Type)
            {
                case Load:
                    Expect(s.Address >= end, "loaded segments overlap or are out of order");
                    Expect(s.FileSize <= s.MemorySize, "a loaded segment is larger in the file than in memory");
                    Expect(s.Align != 0 && s.Address % s.Align == s.Offset % s.Align, "a loaded segment's address doesn't fit its offset");
                    end = s.Address + s.MemorySize;
                    break;
                case ProgramHeaders:
                    Expect(s.FileSize == (ulong)(_segments.Count * (_wide ? 56 : 32)), "the program headers' own size");
                    ExpectLoaded(s);
                    break;
                case Interp:
                    ReadOnlySpan<byte> path = _file.AsSpan((int)s.Offset, (int)s.FileSize);
                    Expect(path.IndexOf((byte)0) == path.Length - 1 && path[0] == (byte)'/', "the interpreter is no path");
                    ExpectLoaded(s);
                    break;
                case LoadDynamic or NoteSegment:
                    Expect(_sections.Exists(x => x.Address == s.Address && x.Size == s.FileSize), $"segment {s.Type:x} is no section");
                    ExpectLoaded(s);
                    break;
                case RelRo:
                    Expect(_segments.Exists(x => x.Type == Load && x.Address == s.Address && x.MemorySize == s.MemorySize), "GNU_RELRO is no loaded segment");
                    break;
                case TlsSegment:
                    Expect(_sections.Exists(x => (x.Flags & Tls) != 0 && x.Size == s.MemorySize), "TLS has another size than its section");
                    break;
            }
        }
    }

    private void ExpectLoaded(Segment s) => Expect(
        _segments.Exists(x => x.Type == Load && s.Address >= x.Address && s.Address + s.FileSize <= x.Address + x.FileSize
            && s.Address - x.Address == s.Offset - x.Offset),
        $"segment {s.Type:x} is not loaded where it says");

    private void CheckSections()
    {
        (ulong Start, ulong End, string Name) headers = (0, (ulong)HeadersEnd(), "the headers");
        List<(ulong Start, ulong End, string Name)> inFile = [headers];
        List<(ulong Start, ulong End, string Name)> inMemory = [];
        bool sawUnallocated = false;
        ulong lastAddress = 0;
        foreach (Section s in _sections.Skip(1))
        {
            Expect(s.Type != 0, $"{s.Name} has no type");
            Expect(s.Align <= 1 || s.Address % s.Align == 0, $"{s.Name}: address {s.Address:x} is not aligned to {s.Align}");
            Expect(s.EntrySize == 0 || s.Type is NoBits or 1 || s.Size % s.EntrySize == 0, $"{s.Name} is not a whole number of entries");
            if (s.IsInFile)
                inFile.Add((s.Offset, s.Offset + s.Size, s.Name));
            if (s.IsInMemory)
            {
                inMemory.Add((s.Address, s.Address + s.Size, s.Name));
                Expect(IsLoaded(s), $"{s.Name} is not in a loaded segment, or elsewhere in the file");
            }
            if ((s.Flags & Alloc) == 0)
            {
                sawUnallocated = true;
                Expect(s.Address == 0, $"{s.Name} has an address but no memory");
                continue;
            }
            Expect(!sawUnallocated, $"{s.Name} stands behind sections without memory");
            Expect(s.Address >= lastAddress, $"{s.Name} is out of order");
            lastAddress = s.Address;
        }
        ExpectApart(inFile, "in the file", (ulong)_file.Length);
        ExpectApart(inMemory, "in memory", ulong.MaxValue);
    }

    private int HeadersEnd()
    {
        int at = _wide ? 52 : 40;
        return (int)Word(_wide ? 40 : 32) + (U16(at + 6) * U16(at + 8));
    }

    private bool IsLoaded(Section s) => _segments.Exists(x => x.Type == Load && s.Address >= x.Address
        && s.Address + s.Size <= x.Address + x.MemorySize
        && (!s.IsInFile || (s.Offset - x.Offset == s.Address - x.Address && s.Address + s.Size <= x.Address + x.FileSize)));

    private void ExpectApart(List<(ulong Start, ulong End, string Name)> ranges, string where, ulong limit)
    {
        ranges.RemoveAll(r => r.Start == r.End);
        ranges.Sort();
        for (int i = 0; i < ranges.Count; i++)
        {
            Expect(ranges[i].End <= limit, $"{ranges[i].Name} ends behind the end {where}");
            Expect(i == 0 || ranges[i].Start >= ranges[i - 1].End, $"{ranges[i].Name} overlaps {(i == 0 ? "" : ranges[i - 1].Name)} {where}");
        }
    }

    private void CheckSymbols(Section table)
    {
        int size = _wide ? 24 : 16;
        Expect(table.EntrySize == (ulong)size, $"{table.Name}: sh_entsize");
        Expect(TypeOf(table.Link) == StrTab, $"{table.Name}: link is no string table");
        ReadOnlySpan<byte> names = Content(_sections[(int)table.Link]);
        Expect(names.Length > 0 && names[0] == 0 && names[^1] == 0, $"{table.Name}: its string table doesn't begin and end with zero");
        int count = (int)(table.Size / (ulong)size);
        Expect(table.Info >= 1 && table.Info <= count, $"{table.Name}: sh_info");
        for (int i = 0; i < count; i++)
        {
            int at = (int)table.Offset + (i * size);
            uint name = U32(at);
            byte info = _file[at + (_wide ? 4 : 12)];
            int section = U16(at + (_wide ? 6 : 14));
            ulong value = Word(at + (_wide ? 8 : 4));
            Expect(name < names.Length, $"{table.Name}: name of symbol {i} lies outside");
            bool isLocal = info >> 4 == 0;
            Expect(isLocal == i < table.Info, $"{table.Name}: symbol {i} is on the wrong side of sh_info");
            if (i == 0)
            {
                Expect(_file.AsSpan(at, size).IndexOfAnyExcept((byte)0) < 0, $"{table.Name}: symbol 0 is not empty");
                continue;
            }
            Expect(section < _sections.Count || section >= 0xff00, $"{table.Name}: section of symbol {i}");
            // The section number of a dynamic definition is only a mark that it is one.
            if (table.Type == SymTab && section is > 0 and < 0xff00 && section < _sections.Count)
            {
                Section s = _sections[section];
                Expect(value >= s.Address && value <= s.Address + s.Size, $"{table.Name}: {Text(names, name)} lies outside {s.Name}");
            }
        }
    }

    private void CheckHash(Section hash)
    {
        Section symbols = _sections[(int)hash.Link];
        int width = hash.Size == 4 * (2UL + Number(hash, 0, 4) + Number(hash, 1, 4)) ? 4 : 8;
        ulong buckets = Number(hash, 0, width);
        ulong chain = Number(hash, 1, width);
        Expect(hash.Size == (ulong)width * (2 + buckets + chain), $"{hash.Name}: size");
        Expect(chain == CountOf(hash.Link), $"{hash.Name}: not one chain entry for each symbol");
        ReadOnlySpan<byte> names = Content(_sections[(int)symbols.Link]);
        int size = _wide ? 24 : 16;
        for (ulong i = 1; i < chain; i++)
        {
            string name = Text(names, U32((int)symbols.Offset + ((int)i * size)));
            uint h = 0;
            foreach (byte b in Encoding.UTF8.GetBytes(name))
            {
                h = (h << 4) + b;
                uint top = h & 0xf0000000;
                h = (h ^ (top >> 24)) & ~top;
            }
            ulong at = Number(hash, 2 + (h % buckets), width);
            ulong steps = 0;
            while (at != i && at != 0 && steps++ <= chain)
                at = Number(hash, 2 + buckets + at, width);
            Expect(at == i, $"{hash.Name}: {name} is not found");
        }
    }

    private void CheckDynamic(Section dynamic)
    {
        int size = _wide ? 16 : 8;
        Section strings = _sections[(int)dynamic.Link];
        Dictionary<ulong, ulong> values = [];
        bool ended = false;
        for (int at = (int)dynamic.Offset; at < (int)(dynamic.Offset + dynamic.Size); at += size)
        {
            ulong tag = Word(at);
            ulong value = Word(at + (size / 2));
            Expect(!ended, $"{dynamic.Name}: entries behind the end");
            ended |= tag == 0;
            if (tag is 1 or 29)
                Expect(value < strings.Size, $"{dynamic.Name}: a name lies outside the string table");
            else
                values[tag] = value;
        }
        Expect(ended, $"{dynamic.Name}: no end");
        ExpectTable(values, 4, null, s => s.Type == Hash);
        ExpectTable(values, 5, 10, s => s.Type == StrTab && s.Address == strings.Address);
        ExpectTable(values, 6, null, s => s.Type == DynSym);
        ExpectTable(values, 7, 8, s => s.Type == Rela);
        ExpectTable(values, 17, 18, s => s.Type == Rel);
        ExpectTable(values, 23, 2, s => s.Type is Rela or Rel);
        ExpectTable(values, 0x6ffffff0, null, s => s.Type == VerSym);
        ExpectTable(values, VerNeed, null, s => s.Type == VerNeed);
    }

    private void ExpectTable(Dictionary<ulong, ulong> values, ulong tag, ulong? sizeTag, Predicate<Section> isOne)
    {
        if (!values.TryGetValue(tag, out ulong address))
            return;
        Expect(
            _sections.Exists(s => s.Address == address && isOne(s) && (sizeTag is not { } t || values.GetValueOrDefault(t) == s.Size)),
            $".dynamic: entry {tag:x} doesn't point at its section");
    }

    private void CheckNotes(Section notes)
    {
        int at = (int)notes.Offset;
        int end = (int)(notes.Offset + notes.Size);
        while (at < end)
        {
            int name = (int)U32(at);
            int description = (int)U32(at + 4);
            Expect(name > 0 && _file[at + 12 + name - 1] == 0, $"{notes.Name}: a name without end");
            at += 12 + ((name + 3) & ~3) + ((description + 3) & ~3);
        }
        Expect(at == end, $"{notes.Name}: the last note doesn't end with the section");
    }

    private void CheckRelocations(Section table)
    {
        Expect(TypeOf(table.Link) is DynSym or SymTab, $"{table.Name}: link is no symbol table");
        int size = (int)table.EntrySize;
        Expect(size > 0, $"{table.Name}: sh_entsize");
        for (int at = (int)table.Offset; size > 0 && at < (int)(table.Offset + table.Size); at += size)
        {
            ulong place = Word(at);
            ulong info = Word(at + (_wide ? 8 : 4));
            Expect(_sections.Exists(s => s.IsInMemory && s.Holds(place)), $"{table.Name}: {place:x} is not in memory");
            Expect((_wide ? info >> 32 : info >> 8) < CountOf(table.Link), $"{table.Name}: no such symbol");
        }
    }

    private uint TypeOf(uint section) => section < (uint)_sections.Count ? _sections[(int)section].Type : 0;

    private ulong CountOf(uint section)
    {
        if (section >= (uint)_sections.Count || _sections[(int)section] is not { EntrySize: > 0 } s)
            return 0;
        return s.Size / s.EntrySize;
    }

    private ulong Number(Section s, ulong index, int width)
    {
        int at = (int)(s.Offset + (index * (ulong)width));
        return width == 4 ? U32(at) : U64(at);
    }

    private ReadOnlySpan<byte> Content(Section s) => _file.AsSpan((int)s.Offset, (int)s.Size);

    private static string Text(ReadOnlySpan<byte> names, uint at)
    {
        if (at >= names.Length)
            return "?";
        ReadOnlySpan<byte> rest = names[(int)at..];
        int end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    private ushort U16(int at) =>
        _big ? BinaryPrimitives.ReadUInt16BigEndian(_file.AsSpan(at)) : BinaryPrimitives.ReadUInt16LittleEndian(_file.AsSpan(at));

    private uint U32(int at) =>
        _big ? BinaryPrimitives.ReadUInt32BigEndian(_file.AsSpan(at)) : BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(at));

    private ulong U64(int at) =>
        _big ? BinaryPrimitives.ReadUInt64BigEndian(_file.AsSpan(at)) : BinaryPrimitives.ReadUInt64LittleEndian(_file.AsSpan(at));

    private ulong Word(int at) => _wide ? U64(at) : U32(at);

    private void Expect(bool holds, string otherwise)
    {
        if (!holds)
            _problems.Add(otherwise);
    }
}
