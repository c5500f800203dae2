using System.Buffers.Binary;
using AotLinker.Formats.MachO;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>
/// Reads a Mach-O object that the host's compiler made (loadmacho.Load). Each section of __TEXT and __DATA becomes a symbol
/// "package(__TEXT/__text)" that reads its content in place; the symbols in it become its interior symbols, laid out with it.
/// </summary>
/// <remarks>
/// Symbols have no sizes: each reaches to the next one of its section. Addends of x86-64 stand in the fields, as 32 bits whatever the
/// field's size; those of arm64 are relocations of their own.
/// </remarks>
internal sealed unsafe partial class HostMachO
{
    private const uint Magic64 = 0xfeedfacf;
    private const int HeaderSize = 32;
    private const int SegmentSize = 72;
    private const int SectionSize = 80;
    private const int SymbolSize = 16;
    private const uint SmallestMap = 16 << 10;
    private const uint MostSections = 1 << 20;
    private const byte DebugSymbol = 0xe0;
    private const byte External = 0x01;
    private const ushort WeakReference = 0x40;
    private const ushort WeakDefinition = 0x80;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly MachOCpu _cpu;
    private readonly byte* _base;
    private readonly long _length;

    // From the object's start to the end of the file it is in.
    private readonly long _rest;
    private readonly string _name;
    private readonly string _package;
    private readonly int _localVersion;
    private Section[]? _sections;
    private (uint Offset, uint Size) _content;
    private ulong _contentAddress;
    private (uint Offset, uint Count, uint Names, uint NamesSize)? _table;

    private HostMachO(LinkContext ctx, MachOCpu cpu, HostObject host, int localVersion)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _cpu = cpu;
        _base = host.File.Base + host.Member.Offset;
        _length = host.Member.Length;
        _rest = host.File.Length - host.Member.Offset;
        _name = host.Member.DisplayName;
        _package = host.Prefix;
        _localVersion = localVersion;
    }

    private struct Section
    {
        public string Name;
        public string Segment;
        public ulong Address;
        public ulong Size;
        public uint Align;
        public uint RelocOffset;
        public uint RelocCount;
        public uint Flags;
        public SymbolId Symbol;
        public long DataLength;
        public List<SymbolId>? Parts;

        public readonly bool IsZeros => (Flags & 0xff) == MachOConstants.SectionZeroFill;
    }

    /// <summary>Enters the object's symbols and returns its functions, section by section, by address.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="host">The object.</param>
    /// <param name="localVersion">Version of symbols that are known within the object only.</param>
    /// <exception cref="LinkException">The object is damaged or not for this CPU, or defines what is defined already.</exception>
    public static List<SymbolId> Load(LinkContext ctx, HostObject host, int localVersion)
    {
        MachOCpu cpu = ctx.Target.Cpu.MachO
            ?? throw new LinkException(MessageForm.Bare, $"loadmacho: {host.Member.DisplayName}: mach-o {ctx.Target.Cpu.Name} unimplemented");
        return new HostMachO(ctx, cpu, host, localVersion).Run();
    }

    private List<SymbolId> Run()
    {
        ReadCommands();
        if (_sections is null)
            throw Error("no load command");
        if (_table is not { } table)
            return [];
        if ((ulong)_content.Offset + _content.Size >= (ulong)_length)
            throw Error("load segment out of range");
        AddSectionSymbols(_sections);
        SymbolId[] symbols = AddSymbols(_sections, table.Offset, table.Count, table.Names, table.NamesSize);
        List<SymbolId> text = OrderParts(_sections);
        AddRelocations(_sections, symbols);
        return text;
    }

    private void ReadCommands()
    {
        Check(0, HeaderSize, "reading hdr: EOF");
        uint magic = U32(0);
        if (magic != Magic64 || U32(4) != _cpu.CpuType)
            throw Error($"mach-o object but not {_ctx.Target.Cpu.Name}");
        uint count = U32(16);
        uint size = U32(20);
        if (count > 0x10000 || size >= 0x01000000)
            throw Error($"implausible mach-o header ncmd={count} cmdsz={size}");
        // As with names below, the Go linker asks where the file ends for few bytes only.
        if (size < SmallestMap && size > _rest - HeaderSize)
            throw Error("reading cmds: EOF");

        long at = HeaderSize;
        long end = Math.Min(at + size, _rest);
        for (uint i = 0; i < count; i++)
        {
            // A command that is too short for what it is counts, and holds zeros.
            if (end - at < 8 || U32(at + 4) > end - at)
                throw Error("reading cmds: EOF");
            uint commandSize = U32(at + 4);
            switch ((MachOCommand)U32(at))
            {
                case MachOCommand.SymbolTable:
                    if (_table is not null)
                        throw Error("multiple symbol tables");
                    _table = commandSize < 24 ? default : (U32(at + 8), U32(at + 12), U32(at + 16), U32(at + 20));
                    break;
                case MachOCommand.Segment64:
                    if (_sections is not null)
                        throw Error("multiple load commands");
                    ReadSegment(at, commandSize);
                    break;
                default:
                    break;
            }
            at += commandSize;
        }
        if (_ctx.Format is MachOFormat format)
            TakePlatform(format, count);
    }

    private void ReadSegment(long at, uint size)
    {
        if (size < SegmentSize)
        {
            _sections = [];
            return;
        }
        _contentAddress = U64(at + 24);
        _content = ((uint)U64(at + 40), (uint)U64(at + 48));
        uint count = U32(at + 64);
        if (count > MostSections)
            throw Error("reading cmds: EOF");
        _sections = new Section[count];
        if (count > (size - SegmentSize) / SectionSize)
            return;
        for (int i = 0; i < _sections.Length; i++)
        {
            long s = at + SegmentSize + (i * SectionSize);
            _sections[i] = new Section
            {
                Name = Text(new ReadOnlySpan<byte>(_base + s, 16)),
                Segment = Text(new ReadOnlySpan<byte>(_base + s + 16, 16)),
                Address = U64(s + 32),
                Size = U64(s + 40),
                Align = U32(s + 52),
                RelocOffset = U32(s + 56),
                RelocCount = U32(s + 60),
                Flags = U32(s + 64),
            };
        }
    }

    private void AddSectionSymbols(Section[] sections)
    {
        foreach (ref Section section in sections.AsSpan())
        {
            bool isText = section.Segment == "__TEXT";
            if ((!isText && section.Segment != "__DATA") || section.Name == "__eh_frame")
                continue;
            SymbolBuilder b = _symbols.Update(_symbols.LookupOrCreate(RawText.Encode($"{_package}({section.Segment}/{section.Name})"), _localVersion));
            if (b.Kind != SymbolKind.None)
                throw Error($"duplicate {section.Segment}/{section.Name}");
            if (section.Size > int.MaxValue)
                throw Error("load segment out of range");
            section.DataLength = (long)section.Size;
            bool isBss = !isText && section.Name == "__bss";
            if (!section.IsZeros)
            {
                ulong offset = section.Address - _contentAddress;
                if (offset > _content.Size || section.Size > _content.Size - offset)
                    throw Error("load segment out of range");
                if (!isBss)
                    b.SetMappedData(_base + _content.Offset + offset, (int)section.Size);
            }
            b.SetSize((long)section.Size);
            if (isBss)
                section.DataLength = 0;
            if (section.Align != 0 && _ctx.Release.AlignsMachOSections)
                b.SetAlign(section.Align <= 30 ? 1 << (int)section.Align : throw Error($"bad alignment of {section.Name}"));
            b.SetKind(isText ? (section.Name == "__text" ? SymbolKind.Text : SymbolKind.RoData) : isBss ? SymbolKind.NoPtrBss : SymbolKind.NoPtrData);
            section.Symbol = b.Symbol;
        }
    }

    private SymbolId[] AddSymbols(Section[] sections, uint offset, uint count, uint names, uint namesSize)
    {
        // The Go linker looks for an end of the file, not of the object, and where it maps names, for none: what counts are the names in use.
        ulong left = (ulong)Math.Max(0, _rest - names);
        if (namesSize < SmallestMap && namesSize > left)
            throw Error("reading symbols: EOF");
        Check(offset, (ulong)count * SymbolSize, "reading symbols: EOF");
        namesSize = (uint)Math.Min(Math.Min(namesSize, left), int.MaxValue);
        ReadOnlySpan<byte> strings = new(_base + names, (int)namesSize);
        SymbolId[] symbols = new SymbolId[count];
        for (int i = 0; i < symbols.Length; i++)
        {
            long at = offset + ((long)i * SymbolSize);
            uint nameAt = U32(at);
            if (nameAt >= namesSize)
                throw Error("reading symbols: EOF");
            byte type = _base[at + 4];
            if ((type & DebugSymbol) != 0)
                continue;
            ReadOnlySpan<byte> name = strings[(int)nameAt..];
            int end = name.IndexOf((byte)0);
            name = end < 0 ? name : name[..end];
            if (name.Length > 1 && name[0] == (byte)'_')
                name = name[1..];
            symbols[i] = Enter(name, (type & External) != 0, BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(_base + at + 6, 2)));

            byte number = _base[at + 5];
            if (number == 0)
                continue;
            if (number > sections.Length)
                throw Error($"reference to invalid section {number}");
            ref Section section = ref sections[number - 1];
            if (!section.Symbol.IsNone)
                Define(symbols[i], (long)(U64(at + 8) - section.Address), ref section);
        }
        return symbols;
    }

    private SymbolId Enter(ReadOnlySpan<byte> name, bool isExternal, ushort description)
    {
        // What Go exports under a name goes before what is called so.
        SymbolId s = !isExternal ? _symbols.LookupOrCreate(name, _localVersion)
            : _symbols.CgoExportNames.TryGetValue(RawText.Decode(name), out SymbolId exported) ? exported
            : _symbols.LookupOrCreate(name, 0);
        if (!isExternal || (description & (WeakReference | WeakDefinition)) != 0)
            _symbols.Update(s).SetDuplicateOk();
        if ((description & WeakReference) != 0 && isExternal && _ctx.Release.KeepsWeakImports)
            _symbols.WeakBinding.Add(s);
        return s;
    }

    private void Define(SymbolId s, long value, ref Section section)
    {
        SymbolBuilder b = _symbols.Update(s);
        SymbolId outer = _symbols.Outer(s);
        if (!outer.IsNone)
        {
            if (_symbols.IsDupOk(s))
                return;
            throw Error($"duplicate symbol reference: {_symbols.NameText(s)} in both {_symbols.NameText(outer)} and {_symbols.NameText(section.Symbol)}");
        }
        SymbolKind kind = _symbols.Kind(section.Symbol);
        b.SetKind(kind);
        if (section.Size != 0)
        {
            (section.Parts ??= []).Add(s);
            _symbols.SetCarrier(s, section.Symbol);
        }
        _symbols.SetValue(s, value);
        if (!_symbols.CgoExportDynamic.Contains(s))
            _symbols.DynamicLibrary.Remove(s);
        if (kind.IsText() && !_symbols.FromHostObject.Add(s) && !_symbols.IsDupOk(s))
            throw Error($"{s.Index}: duplicate symbol definition");
    }

    /// <summary>Chains the parts of each section by address, gives them their sizes, and lists the functions.</summary>
    private List<SymbolId> OrderParts(Section[] sections)
    {
        List<SymbolId> text = [];
        foreach (Section section in sections)
        {
            if (section.Symbol.IsNone)
                continue;
            // Of parts at one address, the last one entered comes first.
            List<SymbolId> parts = section.Parts is { } entered ? [.. Enumerable.Reverse(entered).OrderBy(_symbols.Value)] : [];
            SymbolId previous = section.Symbol;
            for (int i = 0; i < parts.Count; i++)
            {
                long end = i + 1 < parts.Count ? _symbols.Value(parts[i + 1]) : section.DataLength;
                _symbols.Update(parts[i]).SetSize(end - _symbols.Value(parts[i]));
                _symbols.Sub[previous] = parts[i];
                previous = parts[i];
            }
            if (!_symbols.Kind(section.Symbol).IsText())
                continue;
            foreach (SymbolId s in (IEnumerable<SymbolId>)[section.Symbol, .. parts])
            {
                if (_symbols.Has(s, SymbolTable.Attributes.OnList))
                    throw Error($"symbol {_symbols.NameText(s)} listed multiple times");
                _symbols.Set(s, SymbolTable.Attributes.OnList);
                text.Add(s);
            }
        }
        return text;
    }

    private void AddRelocations(Section[] sections, SymbolId[] symbols)
    {
        foreach (Section section in sections)
        {
            if (section.Symbol.IsNone || section.RelocCount == 0)
                continue;
            Check(section.RelocOffset, (ulong)section.RelocCount * RelocationSize, "reading relocations: EOF");
            SymbolBuilder b = _symbols.Update(section.Symbol);
            long addend = 0;
            for (uint i = 0; i < section.RelocCount; i++)
            {
                long at = section.RelocOffset + (i * 8L);
                uint offset = U32(at);
                MachORelocation r = new(U32(at + 4));
                if ((offset & 0x80000000) != 0)
                    throw Error($"{section.Symbol.Index}: unexpected scattered relocation");
                if (_cpu.IsAddend(r))
                {
                    // For the next relocation: 24 bits with a sign.
                    addend = (int)(r.Index << 8) >> 8;
                    continue;
                }
                if (offset + (ulong)r.Size > section.Size)
                    throw Error("invalid relocation: outside its section");
                if (_cpu.HasAddendsInFields)
                    addend = ReadAddend(sections, section, r, offset);
                b.AddHostReloc(r.HostType, (int)offset, r.Size, Target(sections, symbols, r), addend);
                addend = 0;
            }
            if (_ctx.Release.SortsMachORelocations)
                b.SortRelocs();
        }
    }

    private SymbolId Target(Section[] sections, SymbolId[] symbols, MachORelocation r)
    {
        if (r.IsExternal)
            return r.Index < symbols.Length ? symbols[r.Index] : throw Error("invalid relocation: symbol reference out of range");
        if (r.Index < 1 || r.Index > sections.Length)
            throw Error($"invalid relocation: section reference out of range {r.Index} vs {sections.Length}");
        SymbolId s = sections[r.Index - 1].Symbol;
        return s.IsNone ? throw Error($"invalid relocation: {sections[r.Index - 1].Name}") : s;
    }

    private long ReadAddend(Section[] sections, in Section section, MachORelocation r, uint offset)
    {
        ReadOnlySpan<byte> data = _symbols.Data(section.Symbol);
        if (offset + 4 > data.Length)
            throw Error("invalid relocation: outside its section");
        long field = BinaryPrimitives.ReadInt32LittleEndian(data[(int)offset..]);
        if (r.IsExternal)
            return field;
        // A reference to a section: the field holds an address of the object, or the distance from the instruction's end to it.
        ulong start = r.Index >= 1 && r.Index <= sections.Length ? sections[r.Index - 1].Address : 0;
        return _cpu.CountsFromInstruction(r) ? field + offset + 4 - (long)start
            : _cpu.IsAddress(r) ? field - (long)start
            : field;
    }

    private void Check(ulong offset, ulong size, string otherwise)
    {
        if (offset > (ulong)_rest || size > (ulong)_rest - offset || size > int.MaxValue)
            throw Error(otherwise);
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return RawText.Decode(end < 0 ? field : field[..end]);
    }

    private uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(_base + at, 4));

    private ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(_base + at, 8));

    private LinkException Error(string text) => new(MessageForm.Bare, $"loadmacho: {_name}: {text}");
}
