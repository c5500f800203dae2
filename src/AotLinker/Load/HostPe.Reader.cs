using System.Buffers.Binary;
using System.Globalization;
using AotLinker.Formats.Pe;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>The records of COFF objects (what loadpe asks of debug/pe).</summary>
internal sealed unsafe partial class HostPe
{
    /// <summary>A section.</summary>
    private sealed class CoffSection
    {
        public required string Name { get; init; }

        public required uint Size { get; init; }

        public required uint Offset { get; init; }

        public required uint RelocationOffset { get; init; }

        public required int RelocationCount { get; init; }

        public required PeSectionFlags Flags { get; init; }

        /// <summary>The symbol that stands for it; none if it isn't loaded.</summary>
        public SymbolId Symbol { get; set; }
    }

    /// <summary>An entry of the symbol table.</summary>
    private readonly record struct CoffSymbol(string Name, uint Value, short Section, ushort Type, byte Class, byte AuxCount, bool IsSection);

    /// <summary>A relocation.</summary>
    private readonly record struct CoffRelocation(uint Offset, uint Symbol, ushort Type);

    /// <summary>An object in an input's mapping. Every access is checked.</summary>
    private sealed class CoffObject
    {
        private const int RelocationSize = 10;

        private readonly byte* _base;
        private readonly long _length;
        private readonly uint _symbolTable;
        private readonly long _strings;
        private readonly long _stringsLength;

        public CoffObject(byte* start, long length)
        {
            _base = start;
            _length = length;
            ReadOnlySpan<byte> header = Bytes(0, PeConstants.FileHeaderSize);
            int sections = U16(header, 2);
            _symbolTable = U32(header, 8);
            uint symbols = U32(header, 12);
            int optional = U16(header, 16);
            if (symbols > (ulong)length / PeConstants.SymbolSize)
                throw Error("fail to read symbol table: unexpected EOF");
            SymbolCount = (int)symbols;
            if (_symbolTable != 0)
            {
                Bytes(_symbolTable, symbols * (long)PeConstants.SymbolSize, "fail to read symbol table: unexpected EOF");
                _strings = _symbolTable + (symbols * (long)PeConstants.SymbolSize);
                _stringsLength = U32(Bytes(_strings, 4, "fail to read string table length: EOF"), 0);
                Bytes(_strings, _stringsLength, "fail to read string table: unexpected EOF");
            }
            else
            {
                SymbolCount = 0;
            }
            for (int i = 0; i < SymbolCount; i += 1 + Symbol(i).AuxCount)
            {
                if (i + Symbol(i).AuxCount >= SymbolCount)
                    throw Error($"fail to read symbol table: {i + Symbol(i).AuxCount + 1 - SymbolCount} aux symbols unread");
            }
            Sections = new CoffSection[sections];
            for (int i = 0; i < sections; i++)
                Sections[i] = ReadSection(PeConstants.FileHeaderSize + optional + (i * (long)PeConstants.SectionHeaderSize));
        }

        public CoffSection[] Sections { get; }

        /// <summary>Number of entries in the symbol table, auxiliary ones included.</summary>
        public int SymbolCount { get; }

        /// <summary>The entry at an index.</summary>
        public CoffSymbol Symbol(int index)
        {
            ReadOnlySpan<byte> entry = Bytes(_symbolTable + (index * (long)PeConstants.SymbolSize), PeConstants.SymbolSize);
            ReadOnlySpan<byte> shortName = entry[..PeConstants.ShortNameLength];
            string name = U32(entry, 0) != 0 ? CString(shortName) : U32(entry, 4) is var at && at != 0 ? String(at) : "";
            ushort type = U16(entry, 14);
            byte storage = entry[16];
            bool isSection = storage == PeConstants.ClassStatic && type == 0 && shortName[0] == (byte)'.';
            return new CoffSymbol(name, U32(entry, 8), (short)U16(entry, 12), type, storage, entry[17], isSection);
        }

        /// <summary>What the auxiliary entry of a section's symbol says about COMDAT; null if there is none.</summary>
        public (byte Selection, ushort Section)? SelectionOf(int index)
        {
            if (Symbol(index).AuxCount == 0)
                return null;
            ReadOnlySpan<byte> entry = Bytes(_symbolTable + ((index + 1) * (long)PeConstants.SymbolSize), PeConstants.SymbolSize);
            return (entry[14], U16(entry, 12));
        }

        public CoffRelocation Relocation(CoffSection section, int index)
        {
            ReadOnlySpan<byte> r = Bytes(section.RelocationOffset + (index * (long)RelocationSize), RelocationSize);
            return new CoffRelocation(U32(r, 0), U32(r, 4), U16(r, 8));
        }

        /// <summary>A section's content.</summary>
        public byte* Content(CoffSection section)
        {
            if (section.Offset == 0 && section.Size != 0)
                throw Error("unexpected read from section with uninitialized data");
            Bytes(section.Offset, section.Size);
            return _base + section.Offset;
        }

        private static ushort U16(ReadOnlySpan<byte> p, int at) => BinaryPrimitives.ReadUInt16LittleEndian(p[at..]);

        private static uint U32(ReadOnlySpan<byte> p, int at) => BinaryPrimitives.ReadUInt32LittleEndian(p[at..]);

        private static string CString(ReadOnlySpan<byte> name)
        {
            int end = name.IndexOf((byte)0);
            return RawText.Decode(end < 0 ? name : name[..end]);
        }

        private CoffSection ReadSection(long at)
        {
            ReadOnlySpan<byte> header = Bytes(at, PeConstants.SectionHeaderSize);
            string name = CString(header[..PeConstants.ShortNameLength]);
            if (name.StartsWith('/'))
            {
                if (!uint.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out uint place))
                    throw Error($"strconv.Atoi: parsing {Cli.GoText.Quote(name[1..])}: invalid syntax");
                name = String(place);
            }
            CoffSection section = new()
            {
                Name = name,
                Size = U32(header, 16),
                Offset = U32(header, 20),
                RelocationOffset = U32(header, 24),
                RelocationCount = U16(header, 32),
                Flags = (PeSectionFlags)U32(header, 36),
            };
            Bytes(section.RelocationOffset, section.RelocationCount * (long)RelocationSize, "fail to read section relocations: unexpected EOF");
            return section;
        }

        private string String(uint at)
        {
            if (at < 4)
                throw Error($"offset {at} is before the start of string table");
            if (at > _stringsLength)
                throw Error($"offset {at} is beyond the end of string table");
            return CString(Bytes(_strings + at, _stringsLength - at));
        }

        private ReadOnlySpan<byte> Bytes(long at, long size, string otherwise = "EOF")
        {
            if (at < 0 || size < 0 || at > _length || size > _length - at || size > int.MaxValue)
                throw Error(otherwise);
            return new ReadOnlySpan<byte>(_base + at, (int)size);
        }
    }
}
