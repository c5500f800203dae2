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
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const int FirstReserved = 0xff00;

    private readonly InputFile _file;
    private readonly Section[] _sections;
    private readonly Dictionary<ulong, int> _targets = [];

    private SharedLibrary(string path, InputFile file, uint absoluteType)
    {
        Path = path;
        _file = file;
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
    /// <exception cref="LinkException">It can't be read, is no 64-bit little-endian ELF file or is damaged.</exception>
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

    /// <summary>Name of the symbol that the pointer at an address refers to; null if no relocation says so.</summary>
    public string? TargetAt(ulong address) => _targets.TryGetValue(address, out int symbol) ? Symbols[symbol].Name : null;

    private static LinkException CannotOpen(string path) => new($"cannot open shared library: {path}");

    private LinkException Error(string text) => new($"{Path}: {text}");

    private Section[] ReadSections()
    {
        if (_file.Length < HeaderSize)
        {
            throw CannotOpen(Path);
        }
        ReadOnlySpan<byte> header = _file.Span(0, HeaderSize);
        const int Class64 = 2, LittleEndian = 1, CurrentVersion = 1;
        if (!header.StartsWith("\u007fELF"u8) || header[4] != Class64 || header[5] != LittleEndian || header[6] != CurrentVersion)
        {
            throw CannotOpen(Path);
        }
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header[58..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]);
        if (count != 0 && (size != SectionHeaderSize || !IsInFile(offset, (ulong)count * SectionHeaderSize)))
        {
            throw CannotOpen(Path);
        }
        Section[] sections = new Section[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> p = _file.Span((long)offset + ((long)i * SectionHeaderSize), SectionHeaderSize);
            sections[i] = new Section(
                BinaryPrimitives.ReadUInt32LittleEndian(p[4..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[16..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[24..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[32..]),
                BinaryPrimitives.ReadInt32LittleEndian(p[40..]));
        }
        return sections;
    }

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
                uint nameSize = BinaryPrimitives.ReadUInt32LittleEndian(rest);
                uint size = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
                uint type = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
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
        if (index < 0 || _sections[index] is not { Size: > 0 } table || table.Size % SymbolSize != 0 || (uint)table.Link >= (uint)_sections.Length)
        {
            throw new LinkException($"cannot read symbols from shared library: {Path}");
        }
        ReadOnlySpan<byte> records = Content(table)[SymbolSize..];
        ReadOnlySpan<byte> names = Content(_sections[table.Link]);
        DynamicSymbol[] symbols = new DynamicSymbol[records.Length / SymbolSize];
        for (int i = 0; i < symbols.Length; i++)
        {
            ReadOnlySpan<byte> p = records.Slice(i * SymbolSize, SymbolSize);
            uint at = BinaryPrimitives.ReadUInt32LittleEndian(p);
            ReadOnlySpan<byte> name = at < (uint)names.Length ? names[(int)at..] : default;
            int end = name.IndexOf((byte)0);
            symbols[i] = new DynamicSymbol(
                end <= 0 ? "" : RawText.Decode(name[..end]),
                (byte)(p[4] & 15),
                BinaryPrimitives.ReadUInt16LittleEndian(p[6..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[16..]));
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
            throw new LinkException(MessageForm.Log, $"can't find SHT_REL or SHT_RELA section of {Name}");
        }
        int size = hasAddends ? 24 : 16;
        ReadOnlySpan<byte> records = Content(_sections[index]);
        if (records.Length % size != 0)
        {
            throw Error("the relocation section does not end with a relocation");
        }
        for (; !records.IsEmpty; records = records[size..])
        {
            ulong info = BinaryPrimitives.ReadUInt64LittleEndian(records[8..]);
            if ((info & 0xffff) != absoluteType || (hasAddends && BinaryPrimitives.ReadInt64LittleEndian(records[16..]) != 0))
            {
                continue;
            }
            long symbol = (long)(info >> 32) - 1;
            if ((ulong)symbol >= (ulong)Symbols.Count)
            {
                throw Error($"a relocation refers to symbol {symbol + 1} of {Symbols.Count + 1}");
            }
            _targets[BinaryPrimitives.ReadUInt64LittleEndian(records)] = (int)symbol;
        }
    }
}
