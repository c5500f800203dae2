using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>A section of an ELF file.</summary>
internal sealed record ElfSection(string Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size, uint Link, uint Info, ulong Alignment, ulong EntrySize);

/// <summary>A symbol of an ELF file.</summary>
internal readonly record struct ElfSymbol(string Name, byte Info, byte Other, ushort Section, ulong Value, ulong Size);

/// <summary>
/// Just enough of an ELF reader to say where two files differ: sections and symbols, 32 and 64 bits, either byte order.
/// Independent of the linker's own ELF code on purpose.
/// </summary>
internal sealed class ElfFile
{
    private const uint NoBits = 8;
    private const ulong Compressed = 0x800;

    private readonly byte[] _data;
    private readonly bool _wide;
    private readonly bool _big;

    private ElfFile(byte[] data)
    {
        _data = data;
        _wide = data[4] == 2;
        _big = data[5] == 2;
        Sections = ReadSections();
        Symbols = ReadSymbols(".symtab", ".strtab");
    }

    public IReadOnlyList<ElfSection> Sections { get; }

    /// <summary>Symbols in file order, the null symbol included; empty when stripped.</summary>
    public IReadOnlyList<ElfSymbol> Symbols { get; }

    /// <summary>Reads a file's bytes, or returns null when they are not an ELF file that can be followed.</summary>
    public static ElfFile? TryRead(byte[] data)
    {
        if (data.Length < 64 || !data.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
        {
            return null;
        }

        try
        {
            return new ElfFile(data);
        }
        catch (Exception failure) when (failure is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Content of a section as it is in the file; empty for sections without bits.</summary>
    public ReadOnlySpan<byte> Content(ElfSection section) =>
        section.Type == NoBits ? default : _data.AsSpan(checked((int)section.Offset), checked((int)section.Size));

    /// <summary>Content of a section, decompressed if it is compressed (SHF_COMPRESSED with zlib).</summary>
    public byte[] Uncompressed(ElfSection section)
    {
        ReadOnlySpan<byte> content = Content(section);
        int header = _wide ? 24 : 12;
        if ((section.Flags & Compressed) == 0 || content.Length < header)
        {
            return content.ToArray();
        }

        using MemoryStream packed = new(content[header..].ToArray());
        using ZLibStream stream = new(packed, CompressionMode.Decompress);
        using MemoryStream result = new();
        stream.CopyTo(result);
        return result.ToArray();
    }

    /// <summary>Section that covers a file offset, or null.</summary>
    public ElfSection? SectionAt(long offset) =>
        Sections.FirstOrDefault(section => section.Type != NoBits && (ulong)offset >= section.Offset && (ulong)offset < section.Offset + section.Size);

    /// <summary>"name+0x10" for the last symbol at or before an address, or an empty text.</summary>
    public string SymbolAt(ulong address)
    {
        ElfSymbol best = default;
        foreach (ElfSymbol symbol in Symbols)
        {
            if (symbol.Section is not 0 and < 0xff00 && symbol.Name is { Length: > 0 } && symbol.Value <= address && (best.Name is null || symbol.Value >= best.Value))
            {
                best = symbol;
            }
        }

        return best.Name is null ? "" : $"{best.Name}+0x{address - best.Value:x}";
    }

    public ushort U16(ReadOnlySpan<byte> data) => _big ? BinaryPrimitives.ReadUInt16BigEndian(data) : BinaryPrimitives.ReadUInt16LittleEndian(data);

    public uint U32(ReadOnlySpan<byte> data) => _big ? BinaryPrimitives.ReadUInt32BigEndian(data) : BinaryPrimitives.ReadUInt32LittleEndian(data);

    public ulong Word(ReadOnlySpan<byte> data) => !_wide ? U32(data)
        : _big ? BinaryPrimitives.ReadUInt64BigEndian(data) : BinaryPrimitives.ReadUInt64LittleEndian(data);

    public int WordSize => _wide ? 8 : 4;

    private List<ElfSection> ReadSections()
    {
        ReadOnlySpan<byte> header = _data;
        ulong table = Word(header[(_wide ? 40 : 32)..]);
        int size = U16(header[(_wide ? 58 : 46)..]);
        int count = U16(header[(_wide ? 60 : 48)..]);
        int names = U16(header[(_wide ? 62 : 50)..]);
        List<ElfSection> sections = [];
        List<uint> nameOffsets = [];
        int word = WordSize;
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> entry = header.Slice(checked((int)table + index * size), size);
            ReadOnlySpan<byte> rest = entry[8..];
            nameOffsets.Add(U32(entry));
            sections.Add(new ElfSection(
                "", U32(entry[4..]), Word(rest), Word(rest[word..]), Word(rest[(2 * word)..]), Word(rest[(3 * word)..]),
                U32(rest[(4 * word)..]), U32(rest[(4 * word + 4)..]), Word(rest[(4 * word + 8)..]), Word(rest[(5 * word + 8)..])));
        }

        if (names < sections.Count)
        {
            ReadOnlySpan<byte> strings = Content(sections[names]);
            for (int index = 0; index < sections.Count; index++)
            {
                sections[index] = sections[index] with { Name = Text(strings, nameOffsets[index]) };
            }
        }

        return sections;
    }

    private List<ElfSymbol> ReadSymbols(string tableName, string stringName)
    {
        List<ElfSymbol> symbols = [];
        ElfSection? table = Sections.FirstOrDefault(section => section.Name == tableName);
        ElfSection? names = Sections.FirstOrDefault(section => section.Name == stringName);
        if (table is null || names is null)
        {
            return symbols;
        }

        ReadOnlySpan<byte> entries = Content(table);
        ReadOnlySpan<byte> strings = Content(names);
        int size = _wide ? 24 : 16;
        for (; entries.Length >= size; entries = entries[size..])
        {
            string name = Text(strings, U32(entries));
            symbols.Add(_wide
                ? new ElfSymbol(name, entries[4], entries[5], U16(entries[6..]), Word(entries[8..]), Word(entries[16..]))
                : new ElfSymbol(name, entries[12], entries[13], U16(entries[14..]), U32(entries[4..]), U32(entries[8..])));
        }

        return symbols;
    }

    private static string Text(ReadOnlySpan<byte> strings, uint offset)
    {
        if (offset >= strings.Length)
        {
            return "";
        }

        ReadOnlySpan<byte> rest = strings[(int)offset..];
        int end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
