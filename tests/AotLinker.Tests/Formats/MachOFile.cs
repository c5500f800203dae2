using System.Buffers.Binary;
using System.Text;

namespace AotLinker.Tests.Formats;

/// <summary>Reads a 64-bit Mach-O file, as far as the tests look at it.</summary>
internal sealed class MachOFile
{
    public const uint SymbolTable = 0x2;
    public const uint DynamicSymbolTable = 0xb;
    public const uint LoadDylib = 0xc;
    public const uint Segment64 = 0x19;
    public const uint Uuid = 0x1b;
    public const uint CodeSignature = 0x1d;
    public const uint BuildVersion = 0x32;
    public const uint DyldInfoOnly = 0x80000022;
    public const uint Main = 0x80000028;

    private readonly byte[] _bytes;

    public MachOFile(byte[] bytes)
    {
        _bytes = bytes;
        Assert.Equal(0xfeedfacfu, U32(0));
        int at = 32;
        for (uint i = 0; i < U32(16); i++)
        {
            int size = (int)U32(at + 4);
            Assert.Equal(0, size % 8);
            Commands.Add((U32(at), at + 8));
            if (U32(at) == Segment64)
                Segments.Add(new Segment(Text(at + 8), U64(at + 24), U64(at + 32), (long)U64(at + 40), (long)U64(at + 48), ReadSections(at)));
            at += size;
        }
        Assert.Equal(U32(20), (uint)(at - 32));
        CommandsEnd = at;
    }

    /// <summary>Each load command's number, and the offset of what follows its size.</summary>
    public List<(uint Command, int Offset)> Commands { get; } = [];

    public List<Segment> Segments { get; } = [];

    public int CommandsEnd { get; }

    public uint Flags => U32(24);

    public int Find(uint command) => Assert.Single(Commands, c => c.Command == command).Offset;

    public bool Has(uint command) => Commands.Exists(c => c.Command == command);

    public uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan((int)at));

    public ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan((int)at));

    public uint Big32(long at) => BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan((int)at));

    public ReadOnlySpan<byte> Bytes(long at, long length) => _bytes.AsSpan((int)at, (int)length);

    public long Length => _bytes.Length;

    public string Text(long at)
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan((int)at);
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    public Segment SegmentNamed(string name) => Assert.Single(Segments, s => s.Name == name);

    public Section SectionNamed(string name) => Assert.Single(Segments.SelectMany(s => s.Sections), s => s.Name == name);

    public List<Symbol> Symbols()
    {
        int table = Find(SymbolTable);
        List<Symbol> symbols = [];
        for (uint i = 0; i < U32(table + 4); i++)
        {
            long at = U32(table) + (16 * i);
            symbols.Add(new Symbol(Text(U32(table + 8) + U32(at)), _bytes[at + 4], _bytes[at + 5], U64(at + 8)));
        }
        return symbols;
    }

    /// <summary>Runs the rebase codes: the addresses that move.</summary>
    public List<ulong> Rebases()
    {
        int info = Find(DyldInfoOnly);
        (long at, long end) = (U32(info), U32(info) + U32(info + 4));
        List<ulong> places = [];
        Assert.Equal(0x11, _bytes[at++]);
        while (_bytes[at] != 0)
        {
            byte code = _bytes[at++];
            Assert.Equal(0x20, code & 0xf0);
            places.Add(Segments[code & 0xf].Address + Uleb(ref at));
            Assert.Equal(0x51, _bytes[at++]);
        }
        CheckEnd(at, end);
        return places;
    }

    /// <summary>Runs the bind codes: addresses, libraries' numbers and symbols.</summary>
    public List<(ulong Place, int Library, string Symbol)> Binds()
    {
        int info = Find(DyldInfoOnly);
        (long at, long end) = (U32(info + 8), U32(info + 8) + U32(info + 12));
        List<(ulong, int, string)> binds = [];
        Assert.Equal(0x51, _bytes[at++]);
        while (_bytes[at] != 0)
        {
            byte code = _bytes[at++];
            Assert.Equal(0x70, code & 0xf0);
            ulong place = Segments[code & 0xf].Address + Uleb(ref at);
            code = _bytes[at++];
            // An ordinal, or a negative number that stands for a way of searching.
            int library = (code & 0xf0) == 0x10 ? code & 0xf : (sbyte)(code | 0xf0);
            Assert.True((code & 0xf0) is 0x10 or 0x30);
            Assert.Equal(0x40, _bytes[at++]);
            string symbol = Text(at);
            at += symbol.Length + 1;
            Assert.Equal(0x90, _bytes[at++]);
            binds.Add((place, library, symbol));
        }
        CheckEnd(at, end);
        return binds;
    }

    private void CheckEnd(long at, long end)
    {
        Assert.InRange(at, end - 16, end - 1);
        Assert.Equal(-1, _bytes.AsSpan((int)at, (int)(end - at)).IndexOfAnyExcept((byte)0));
    }

    private ulong Uleb(ref long at)
    {
        ulong v = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = _bytes[at++];
            v |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return v;
        }
    }

    private List<Section> ReadSections(int at)
    {
        List<Section> sections = [];
        for (int i = 0; i < U32(at + 64); i++)
        {
            int s = at + 72 + (80 * i);
            string name = Encoding.UTF8.GetString(_bytes.AsSpan(s, 16)).TrimEnd('\0');
            sections.Add(new Section(name, U64(s + 32), U64(s + 40), U32(s + 48), U32(s + 64), U32(s + 68), U32(s + 72)));
        }
        return sections;
    }

    internal sealed record Segment(string Name, ulong Address, ulong MemorySize, long FileOffset, long FileSize, List<Section> Sections);

    internal sealed record Section(string Name, ulong Address, ulong Size, uint Offset, uint Flags, uint Reserved1, uint Reserved2);

    internal sealed record Symbol(string Name, byte Type, byte Section, ulong Value);
}
