using System.Buffers.Binary;
using AotLinker.Mapping;

namespace AotLinker.Load;

/// <summary>
/// A Go shared library that is linked against, as its ELF file tells of it: notes of the Go linker, dynamic symbols, and which of its pointers
/// refer to which symbol (the reading part of ld.ldshlibsyms). Everything is read in place; a damaged file is an error that names it.
/// </summary>
internal sealed unsafe class SharedLibrary
{
    /// <summary>st_type of a symbol that says nothing of what it is.</summary>
    public const byte NoType = 0;

    /// <summary>st_type of a function.</summary>
    public const byte Function = 2;

    /// <summary>st_type of a section.</summary>
    public const byte SectionType = 3;

    private const uint NotesTag = 7;
    private const uint ProgBits = 1;
    private const uint NoBits = 8;
    private const uint Rela = 4;
    private const uint Rel = 9;
    private const uint DynamicSymbols = 11;
    private const uint AbiHashNote = 2;
    private const uint DependenciesNote = 3;
    private const int HeaderSize32 = 52;
    private const int HeaderSize64 = 64;
    private const int FirstReserved = 0xff00;

    private readonly InputFile _file;
    private readonly bool _is64;
    private readonly bool _isBigEndian;
    private readonly Section[] _sections;
    private readonly Dictionary<ulong, int> _targets = [];

    private SharedLibrary(string path, InputFile file, uint absoluteType)
    {
        Path = path;
        _file = file;
        (_is64, _isBigEndian) = ReadClass();
        _sections = ReadSections();
        AbiHash = ReadNote(AbiHashNote, "ABI hash").ToArray();
        Dependencies = [.. RawText.Decode(ReadNote(DependenciesNote, "dep list")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Resolve)];
        Symbols = ReadSymbols();
        ReadTargets(absoluteType);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The file's name.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The hash of the packages that the library was made of; empty if it has no note of it.</summary>
    public byte[] AbiHash { get; }

    /// <summary>
    /// Other libraries of its kind that it refers to: paths if they stand beside it, names to be looked for if not. From the library's note.
    /// </summary>
    public IReadOnlyList<string> Dependencies { get; }

    /// <summary>The dynamic symbols, the first one left out, which is none.</summary>
    public IReadOnlyList<DynamicSymbol> Symbols { get; }

    /// <summary>Where the symbols lie in the library's own address space, by name.</summary>
    public Dictionary<string, ulong> Addresses { get; } = new(StringComparer.Ordinal);

    /// <summary>A dynamic symbol.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Type">What it is: st_type.</param>
    /// <param name="Section">Index of its section; 0 for one that is not defined here.</param>
    /// <param name="Value">Its address in the library's own address space.</param>
    /// <param name="Size">Its size in bytes.</param>
    public readonly record struct DynamicSymbol(string Name, byte Type, int Section, ulong Value, ulong Size);

    private readonly record struct Section(uint Type, ulong Address, ulong Offset, ulong Size, int Link);

    /// <summary>Reads a library.</summary>
    /// <param name="path">The file.</param>
    /// <param name="absoluteType">The CPU's type of a relocation that stores an address.</param>
    /// <exception cref="LinkException">It can't be read, is no ELF file or is damaged.</exception>
    public static SharedLibrary Read(string path, uint absoluteType) =>
        InputStore.Shared.TryOpen(path, out InputFile? file, out string? _)
            ? new SharedLibrary(path, file, absoluteType)
            : throw CannotOpen(path);

    /// <summary>The content of a symbol, in the map of the file.</summary>
    /// <exception cref="LinkException">The file does not hold it.</exception>
    public ReadOnlySpan<byte> ContentOf(in DynamicSymbol s)
    {
        if (s.Section >= Math.Min(_sections.Length, FirstReserved) || _sections[s.Section] is not { Type: ProgBits or NotesTag } section)
        {
            throw Error($"reading {s.Name} from non-data section");
        }
        ulong at = s.Value - section.Address;
        if (s.Value < section.Address || at > section.Size || s.Size > section.Size - at)
        {
            throw Error($"reading contents of {s.Name}: EOF");
        }
        return Content(section).Slice((int)at, (int)s.Size);
    }

    /// <summary>Bytes at an address of the library's own address space; empty where no section has them all (findShlibSection).</summary>
    public ReadOnlySpan<byte> BytesAt(ulong address, int length)
    {
        foreach (Section section in _sections.AsSpan(Math.Min(1, _sections.Length)))
        {
            if (section.Address <= address && address - section.Address < section.Size)
            {
                ulong at = address - section.Address;
                return section.Type != NoBits && (ulong)length <= section.Size - at ? Content(section).Slice((int)at, length) : default;
            }
        }
        return default;
    }

    /// <summary>Bytes of an address.</summary>
    public int AddressSize => _is64 ? 8 : 4;

    /// <summary>An address as the library holds it.</summary>
    /// <param name="p">Where it is; at least <see cref="AddressSize"/> bytes.</param>
    public ulong ReadAddress(ReadOnlySpan<byte> p) => _is64 ? Read64(p) : Read32(p);

    /// <summary>Name of the symbol that the pointer at an address refers to; null if no relocation says so.</summary>
    public string? TargetAt(ulong address) => _targets.TryGetValue(address, out int symbol) ? Symbols[symbol].Name : null;

    private static LinkException CannotOpen(string path) => new($"cannot open shared library: {path}");

    private LinkException Error(string text) => new($"{Path}: {text}");

    private (bool Is64, bool IsBigEndian) ReadClass()
    {
        const int Class32 = 1, Class64 = 2, LittleEndian = 1, BigEndian = 2, CurrentVersion = 1;
        ReadOnlySpan<byte> header = _file.Length >= HeaderSize32 ? _file.Span(0, HeaderSize32) : throw CannotOpen(Path);
        if (!header.StartsWith("\u007fELF"u8) || header[4] is not (Class32 or Class64) || header[5] is not (LittleEndian or BigEndian)
            || header[6] != CurrentVersion || _file.Length < (header[4] == Class64 ? HeaderSize64 : HeaderSize32))
        {
            throw CannotOpen(Path);
        }
        return (header[4] == Class64, header[5] == BigEndian);
    }

    private Section[] ReadSections()
    {
        ReadOnlySpan<byte> header = _file.Span(0, _is64 ? HeaderSize64 : HeaderSize32);
        int sectionHeaderSize = _is64 ? 64 : 40;
        ulong offset = ReadAddress(header[(_is64 ? 40 : 32)..]);
        int size = Read16(header[(_is64 ? 58 : 46)..]);
        int count = Read16(header[(_is64 ? 60 : 48)..]);
        if (count != 0 && (size != sectionHeaderSize || !IsInFile(offset, (ulong)count * (ulong)sectionHeaderSize)))
        {
            throw CannotOpen(Path);
        }
        Section[] sections = new Section[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> p = _file.Span((long)offset + ((long)i * sectionHeaderSize), sectionHeaderSize);
            uint type = Read32(p[4..]);
            p = p[(8 + AddressSize)..];
            sections[i] = new Section(
                type, ReadAddress(p), ReadAddress(p[AddressSize..]), ReadAddress(p[(2 * AddressSize)..]), (int)Read32(p[(3 * AddressSize)..]));
        }
        return sections;
    }

    private ushort Read16(ReadOnlySpan<byte> p) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(p) : BinaryPrimitives.ReadUInt16LittleEndian(p);

    private uint Read32(ReadOnlySpan<byte> p) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(p) : BinaryPrimitives.ReadUInt32LittleEndian(p);

    private ulong Read64(ReadOnlySpan<byte> p) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(p) : BinaryPrimitives.ReadUInt64LittleEndian(p);

    private bool IsInFile(ulong offset, ulong size) => offset <= (ulong)_file.Length && size <= (ulong)_file.Length - offset;

    private ReadOnlySpan<byte> Content(Section section) =>
        IsInFile(section.Offset, section.Size) && section.Size <= int.MaxValue
            ? _file.Span((long)section.Offset, (int)section.Size)
            : throw Error("a section lies behind the end of the file");

    // The description of the first note of a type of the Go linker's own; empty if there is none (readnote).
    private ReadOnlySpan<byte> ReadNote(uint wanted, string what)
    {
        const int Words = 12;
        foreach (Section section in _sections)
        {
            if (section.Type != NotesTag)
            {
                continue;
            }
            for (ReadOnlySpan<byte> rest = Content(section); !rest.IsEmpty;)
            {
                if (rest.Length < Words)
                {
                    throw Truncated(rest.Length < 4 ? "namesize" : rest.Length < 8 ? "descsize" : "type");
                }
                uint nameSize = Read32(rest);
                uint size = Read32(rest[4..]);
                uint type = Read32(rest[8..]);
                rest = rest[Words..];
                ReadOnlySpan<byte> name = Take(ref rest, nameSize, "name");
                ReadOnlySpan<byte> description = Take(ref rest, size, "desc");
                if (type == wanted && name.SequenceEqual("Go\0\0"u8))
                {
                    return description;
                }
            }
        }
        return default;

        ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> rest, uint size, string part)
        {
            ulong padded = ((ulong)size + 3) & ~3UL;
            if (padded > (ulong)rest.Length)
            {
                throw Truncated(part);
            }
            ReadOnlySpan<byte> taken = rest[..(int)size];
            rest = rest[(int)padded..];
            return taken;
        }

        LinkException Truncated(string part) => new($"cannot read {what} from shared library {Path}: read {part} failed: unexpected EOF");
    }

    // A name that can be taken for a path beside the library is one.
    private string Resolve(string dependency)
    {
        if (dependency.StartsWith('/'))
        {
            return dependency;
        }
        string beside = Cli.GoText.CleanPath($"{System.IO.Path.GetDirectoryName(Path)}/{dependency}");
        return System.IO.Path.Exists(beside) ? beside : dependency;
    }

    private DynamicSymbol[] ReadSymbols()
    {
        int index = Array.FindIndex(_sections, s => s.Type == DynamicSymbols);
        int symbolSize = _is64 ? 24 : 16;
        if (index < 0 || _sections[index] is not { Size: > 0 } table || table.Size % (ulong)symbolSize != 0 || (uint)table.Link >= (uint)_sections.Length)
        {
            throw new LinkException($"cannot read symbols from shared library: {Path}");
        }
        ReadOnlySpan<byte> records = Content(table)[symbolSize..];
        ReadOnlySpan<byte> names = Content(_sections[table.Link]);
        DynamicSymbol[] symbols = new DynamicSymbol[records.Length / symbolSize];
        for (int i = 0; i < symbols.Length; i++)
        {
            ReadOnlySpan<byte> p = records.Slice(i * symbolSize, symbolSize);
            uint at = Read32(p);
            ReadOnlySpan<byte> name = at < (uint)names.Length ? names[(int)at..] : default;
            int end = name.IndexOf((byte)0);
            // The two classes have the same fields in different orders.
            ReadOnlySpan<byte> kind = p[(_is64 ? 4 : 12)..];
            ReadOnlySpan<byte> place = p[(_is64 ? 8 : 4)..];
            symbols[i] = new DynamicSymbol(
                end <= 0 ? "" : RawText.Decode(name[..end]), (byte)(kind[0] & 15), Read16(kind[2..]), ReadAddress(place), ReadAddress(place[AddressSize..]));
        }
        return symbols;
    }

    // Only addresses without an addend, which the library's own objects had as such.
    private void ReadTargets(uint absoluteType)
    {
        int index = Array.FindIndex(_sections, s => s.Type == Rel);
        bool hasAddends = index < 0;
        if (index < 0)
        {
            index = Array.FindIndex(_sections, s => s.Type == Rela);
        }
        if (index < 0)
        {
            throw new LinkException(MessageForm.Input, $"can't find SHT_REL or SHT_RELA section of {Name}");
        }
        int size = (hasAddends ? 3 : 2) * AddressSize;
        ReadOnlySpan<byte> records = Content(_sections[index]);
        if (records.Length % size != 0)
        {
            throw Error("the relocation section does not end with a relocation");
        }
        for (; !records.IsEmpty; records = records[size..])
        {
            ulong info = ReadAddress(records[AddressSize..]);
            if ((info & (_is64 ? 0xffffu : 0xffu)) != absoluteType || (hasAddends && ReadAddress(records[(2 * AddressSize)..]) != 0))
            {
                continue;
            }
            long symbol = (long)(info >> (_is64 ? 32 : 8)) - 1;
            if ((ulong)symbol >= (ulong)Symbols.Count)
            {
                throw Error($"a relocation refers to symbol {symbol + 1} of {Symbols.Count + 1}");
            }
            _targets[ReadAddress(records)] = (int)symbol;
        }
    }
}
