using System.Buffers.Binary;
using System.Text;
using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>
/// Reads an ELF object that the host's compiler made (loadelf.Load). Each section of the program's memory becomes a symbol "package(.text)"
/// that reads its content in place; the symbols in it become its interior symbols, laid out with it.
/// </summary>
internal sealed unsafe class HostElf
{
    private const uint ProgBits = 1;
    private const uint Rela = 4;
    private const uint NoBits = 8;
    private const uint Rel = 9;
    private const uint FirstCpuType = 0x70000000;
    private const ulong Write = 1;
    private const ulong Alloc = 2;
    private const ulong Exec = 4;

    private const int BindLocal = 0;
    private const int BindGlobal = 1;
    private const int BindWeak = 2;
    private const int TypeNone = 0;
    private const int TypeObject = 1;
    private const int TypeFunction = 2;
    private const int TypeSection = 3;
    private const int TypeCommon = 5;
    private const int Common = 0xfff2;
    private const byte Hidden = 2;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly ElfCpu _cpu;
    private readonly byte* _base;
    private readonly long _length;
    private readonly string _name;
    private readonly string _package;
    private readonly int _localVersion;
    private readonly bool _wide;
    private readonly bool _big;
    private readonly Section[] _sections;
    private uint? _firstFlags;

    private HostElf(LinkContext ctx, ElfCpu cpu, HostObject host, int localVersion)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _cpu = cpu;
        _base = host.File.Base + host.Member.Offset;
        _length = host.Member.Length;
        _name = host.Member.DisplayName;
        _package = host.Prefix;
        _localVersion = localVersion;

        ReadOnlySpan<byte> header = Slice(0, 64, "unexpected EOF");
        _big = header[5] switch
        {
            1 => false,
            2 => true,
            _ => throw Malformed(", unknown header"),
        };
        if (!header[..4].SequenceEqual("\u007fELF"u8))
            throw Malformed(", bad header");
        _wide = header[4] == 2;
        uint version = U32(20);
        if (header[6] != version)
            throw Error($"malformed elf version: got {header[6]}, want {version}");
        if (U16(16) != 1)
            throw Error("elf but not elf relocatable object");
        if (U16(18) != (int)cpu.Machine || _wide != cpu.Is64 || (_big && !cpu.HasBothByteOrders))
            throw Error($"elf object but not {cpu.FamilyName}");
        _sections = ReadSections();
    }

    private struct Section
    {
        public string Name;
        public uint Type;
        public ulong Flags;
        public ulong Offset;
        public ulong Size;
        public uint Link;
        public uint Info;
        public ulong Align;
        public SymbolId Symbol;
        public List<SymbolId>? Parts;
        public bool IsRead;
    }

    private readonly record struct HostSymbol(string Name, ulong Value, ulong Size, int Section, int Bind, int Type, byte Other);

    /// <summary>Enters the object's symbols and returns its functions, section by section, by address.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="host">The object.</param>
    /// <param name="localVersion">Version of symbols that are known within the object only.</param>
    /// <exception cref="LinkException">The object is damaged or not for this CPU, or defines what is defined already.</exception>
    public static List<SymbolId> Load(LinkContext ctx, HostObject host, int localVersion)
    {
        ElfCpu cpu = ctx.Target.Cpu.Elf ?? throw new LinkException(MessageForm.Bare, $"loadelf: {host.Member.DisplayName}: elf {ctx.Target.Cpu.Name} unimplemented");
        HostElf object_ = new(ctx, cpu, host, localVersion);
        return object_.Run();
    }

    private List<SymbolId> Run()
    {
        int symTab = Array.FindIndex(_sections, s => s.Name == ".symtab");
        if (symTab < 0)
            return [];
        uint strTab = _sections[symTab].Link;
        if (strTab == 0 || strTab >= _sections.Length)
            throw Error("elf object has symbol table with invalid string table link");
        Content(ref _sections[symTab]);
        Content(ref _sections[strTab]);

        AddSectionSymbols();
        SymbolId[] symbols = AddSymbols(symTab, (int)strTab);
        List<SymbolId> text = OrderParts();
        AddRelocations(symbols, symTab, (int)strTab);
        return text;
    }

    private Section[] ReadSections()
    {
        ulong at = _wide ? U64(40) : U32(32);
        int sizes = _wide ? 58 : 46;
        uint entry = U16(sizes);
        uint count = U16(sizes + 2);
        uint names = U16(sizes + 4);
        Section[] sections = new Section[count];
        for (uint i = 0; i < count; i++)
        {
            ulong place = at + ((ulong)i * entry);
            Slice(place, _wide ? 64u : 40, "EOF");
            int p = (int)place;
            sections[i] = _wide
                ? new Section { Type = U32(p + 4), Flags = U64(p + 8), Offset = U64(p + 24), Size = U64(p + 32), Link = U32(p + 40), Info = U32(p + 44), Align = U64(p + 48), Name = "" }
                : new Section { Type = U32(p + 4), Flags = U32(p + 8), Offset = U32(p + 16), Size = U32(p + 20), Link = U32(p + 24), Info = U32(p + 28), Align = U32(p + 32), Name = "" };
        }
        if (names >= count)
            throw Malformed($": shstrndx out of range {names} >= {count}");
        ReadOnlySpan<byte> table = Content(ref sections[names]);
        for (uint i = 0; i < count; i++)
            sections[i].Name = Text(table, U32((int)(at + ((ulong)i * entry))));
        return sections;
    }

    private void AddSectionSymbols()
    {
        HashSet<string> taken = new(StringComparer.Ordinal);
        int counter = 0;
        foreach (ref Section section in _sections.AsSpan())
        {
            ReadAttributes(ref section);
            if (section.Type is not (ProgBits or NoBits) || (section.Flags & Alloc) == 0)
                continue;
            string name = $"{_package}({section.Name})";
            while (!taken.Add(name))
                name = $"{_package}({section.Name}{++counter})";

            SymbolBuilder b = _symbols.Update(_symbols.LookupOrCreate(RawText.Encode(name), _localVersion));
            SymbolKind kind = (section.Flags & (Alloc | Write | Exec)) switch
            {
                Alloc => SymbolKind.RoData,
                Alloc | Write => section.Type == NoBits ? SymbolKind.NoPtrBss : SymbolKind.NoPtrData,
                Alloc | Exec => SymbolKind.Text,
                _ => throw Error($"{_name}: unexpected flags for ELF section {section.Name}"),
            };
            if (section.Name is ".got" or ".toc")
                kind = SymbolKind.ElfGot;
            b.SetKind(kind);
            if (section.Type == ProgBits)
            {
                ReadOnlySpan<byte> content = Content(ref section);
                b.SetMappedData(_base + section.Offset, content.Length);
                _symbols.FromHostObject.Add(b.Symbol);
            }
            b.SetSize((long)section.Size);
            b.SetAlign(section.Align <= 1 << 30 ? (int)section.Align : throw Malformed($": bad alignment of {section.Name}"));
            section.Symbol = b.Symbol;
        }
    }

    /// <summary>What the CPU's tools say about the object may change the output's header.</summary>
    private void ReadAttributes(ref Section section)
    {
        if (section.Type < FirstCpuType || _ctx.Format is not ElfFormat format)
            return;
        if (_cpu.FlagsWithAttributes(_firstFlags ??= format.Flags, section.Type, section.Name, Content(ref section), out string? complaint) is { } flags)
            format.Flags = flags;
        if (complaint is not null)
            _ctx.Diagnostics.Warn($"link: {_name}: {complaint}");
    }

    private SymbolId[] AddSymbols(int symTab, int strTab)
    {
        SymbolId[] symbols = new SymbolId[SymbolCount(symTab)];
        for (int i = 1; i < symbols.Length; i++)
        {
            HostSymbol s = ReadSymbol(symTab, strTab, i);
            symbols[i] = Enter(s);
            if (s.Type is not (TypeFunction or TypeObject or TypeNone or TypeCommon))
                continue;
            if (s.Section == Common || s.Type == TypeCommon)
            {
                SymbolBuilder common = _symbols.Update(symbols[i]);
                if ((ulong)common.Size < s.Size)
                    common.SetSize((long)s.Size);
                if (common.Kind is SymbolKind.None or SymbolKind.XRef)
                    common.SetKind(SymbolKind.NoPtrBss);
                continue;
            }
            if (s.Section != 0 && s.Section < _sections.Length && !symbols[i].IsNone)
                Define(symbols[i], s, i, ref _sections[s.Section]);
        }
        return symbols;
    }

    /// <summary>Finds or makes the symbol of an entry; none for entries that are of no interest (readelfsym).</summary>
    private SymbolId Enter(HostSymbol s)
    {
        SymbolId symbol = SymbolId.None;
        switch (s.Type)
        {
            case TypeSection:
                return s.Section < _sections.Length ? _sections[s.Section].Symbol : throw Malformed(": section of a section symbol");

            case TypeObject or TypeFunction or TypeNone or TypeCommon:
                switch (s.Bind)
                {
                    case BindGlobal:
                        symbol = Global(s.Name);
                        if (s.Other == Hidden)
                        {
                            // Helpers such as __i686.get_pc_thunk.bx are in several objects.
                            _symbols.Update(symbol).SetDuplicateOk();
                            _symbols.Hidden.Add(symbol);
                        }
                        break;

                    case BindLocal:
                        if (_cpu.IsMappingSymbol(RawText.Encode(s.Name)))
                            return SymbolId.None;
                        // Only the object's own relocations refer to it, by number.
                        symbol = _cpu.IsObjectWide(s.Name)
                            ? _symbols.LookupOrCreate(RawText.Encode(s.Name), _localVersion)
                            : _symbols.CreateStatic(RawText.Encode(s.Name));
                        _symbols.Hidden.Add(symbol);
                        break;

                    case BindWeak:
                        symbol = Global(s.Name);
                        if (s.Other == Hidden)
                            _symbols.Hidden.Add(symbol);
                        if (!_symbols.Outer(symbol).IsNone)
                            _symbols.Update(symbol).SetDuplicateOk();
                        break;

                    default:
                        throw Error($"{_name}: malformed elf file: {s.Name}: invalid symbol binding {s.Bind}");
                }
                break;
        }
        if (!symbol.IsNone && _symbols.Kind(symbol) == SymbolKind.None)
            _symbols.Update(symbol).SetKind(SymbolKind.XRef);
        return symbol;
    }

    // What Go exports under a name goes before what is called so.
    private SymbolId Global(string name) => _symbols.CgoExportNames.TryGetValue(name, out SymbolId exported)
        ? exported
        : _symbols.LookupOrCreate(RawText.Encode(name), 0);

    private void Define(SymbolId symbol, HostSymbol s, int index, ref Section section)
    {
        if (section.Symbol.IsNone)
        {
            if (IsIgnored(s, section.Name))
                return;
            string complaint = _ctx.Release.SkipsMacroGroups ? "unrecognized" : "ignoring";
            throw Error($"{symbol.Index}: sym#{index} ({Cli.GoText.Quote(s.Name)}): {complaint} symbol in section {s.Section} ({Cli.GoText.Quote(section.Name)}) (type {s.Type})");
        }
        SymbolId outer = _symbols.Outer(symbol);
        if (!outer.IsNone)
        {
            if (_symbols.IsDupOk(symbol))
                return;
            throw Error($"duplicate symbol reference: {_symbols.NameText(symbol)} in both {_symbols.NameText(outer)} and {_symbols.NameText(section.Symbol)}");
        }

        SymbolKind kind = _symbols.Kind(section.Symbol);
        SymbolBuilder b = _symbols.Update(symbol);
        b.SetKind(kind);
        (section.Parts ??= []).Add(symbol);
        _symbols.SetCarrier(symbol, section.Symbol);
        if (!_symbols.CgoExportDynamic.Contains(symbol))
            _symbols.DynamicLibrary.Remove(symbol);
        _symbols.SetValue(symbol, (long)s.Value);
        b.SetSize((long)s.Size);
        if (kind.IsText() && !_symbols.FromHostObject.Add(symbol) && !_symbols.IsDupOk(symbol))
            throw Error($"{_symbols.NameText(symbol)}: duplicate symbol definition");
        _cpu.ReadSymbolOther(_ctx, symbol, s.Other);
    }

    // Symbols of debug sections, and what compilers leave behind.
    private bool IsIgnored(HostSymbol s, string section)
    {
        if (s.Type == TypeNone
            && ((s.Name.Length == 0 && Starts(section, ".debug_"))
                || Starts(s.Name, ".Ldebug_") || s.Name is ".L0 " or ".Lline_table_start0"
                || (Starts(s.Name, "$d") && section == ".debug_frame")
                || (_ctx.Release.SkipsHostMarks && _cpu.IsHostMark(RawText.Encode(s.Name)))
                || (_ctx.Release.SkipsMacroGroups && (Starts(s.Name, "wm4.") || Starts(s.Name, "wm8.")))))
        {
            return true;
        }
        return Starts(s.Name, ".Linfo_string") || Starts(s.Name, ".LASF") || Starts(s.Name, ".LLRL") || Starts(s.Name, ".LLST")
            || (_ctx.Release.SkipsHostMarks && Starts(s.Name, ".LVUS"));

        static bool Starts(string s, string with) => s.StartsWith(with, StringComparison.Ordinal);
    }

    /// <summary>Chains the parts of each section by address and lists the functions.</summary>
    private List<SymbolId> OrderParts()
    {
        List<SymbolId> text = [];
        foreach (Section section in _sections)
        {
            if (section.Symbol.IsNone)
                continue;
            // Of parts at one address, the last one entered comes first.
            List<SymbolId> parts = section.Parts is { } entered
                ? [.. Enumerable.Reverse(entered).OrderBy(_symbols.Value)]
                : [];
            SymbolId previous = section.Symbol;
            foreach (SymbolId part in parts)
            {
                _symbols.Sub[previous] = part;
                previous = part;
            }
            if (!_symbols.Kind(section.Symbol).IsText())
                continue;
            AddText(section.Symbol);
            foreach (SymbolId part in parts)
            {
                if (!_ctx.Release.SkipsHostMarks || !_cpu.IsHostLabel(_symbols.Name(part)))
                    AddText(part);
            }
        }
        return text;

        void AddText(SymbolId s)
        {
            if (_symbols.Has(s, SymbolTable.Attributes.OnList))
                throw Error($"symbol {_symbols.NameText(s)} listed multiple times");
            _symbols.Set(s, SymbolTable.Attributes.OnList);
            text.Add(s);
        }
    }

    private void AddRelocations(SymbolId[] symbols, int symTab, int strTab)
    {
        for (int i = 0; i < _sections.Length; i++)
        {
            ref Section table = ref _sections[i];
            if (table.Type is not (Rela or Rel) || table.Info >= _sections.Length || _sections[table.Info] is not { IsRead: true } section
                || section.Symbol.IsNone)
            {
                continue;
            }
            Content(ref table);
            bool hasAddends = table.Type == Rela;
            int word = _wide ? 8 : 4;
            int entry = word * (hasAddends ? 3 : 2);
            SymbolBuilder b = _symbols.Update(section.Symbol);
            int number = 0;
            for (int at = (int)table.Offset, end = at + ((int)table.Size / entry * entry); at < end; at += entry)
            {
                (uint type, uint index) = ReadInfo(at + word);
                if (type == 0)
                    continue;
                SymbolId target = index == 0 ? SymbolId.None : index < symbols.Length ? symbols[index] : throw Malformed(": invalid elf symbol index");
                if (index != 0 && target.IsNone)
                {
                    HostSymbol s = ReadSymbol(symTab, strTab, (int)index);
                    throw Malformed($": {_symbols.NameText(section.Symbol)}#{number}: reloc of invalid sym #{index} {s.Name} shndx={s.Section} type={s.Type}");
                }
                if (_cpu.HostRelocationSize(type) is not { } size || !_cpu.KnowsRelocation(type, _ctx.Release))
                    throw new LinkException(MessageForm.Bare, $"{_name}: unknown relocation type {type}; compiled without -fpic?");
                int offset = (int)Word(at);
                long addend = hasAddends ? (long)Word(at + (2 * word)) : ReadAddend(section, offset, size.Size);
                if (hasAddends && !_wide)
                    addend = (uint)addend;
                addend = size.AddendSize switch
                {
                    2 => (short)addend,
                    4 => (int)addend,
                    _ => addend,
                };
                b.AddHostReloc(type, offset, size.Size, target, addend);
                number++;
            }
            b.SortRelocs();
        }
    }

    private (uint Type, uint Symbol) ReadInfo(int at)
    {
        if (!_wide)
            return (U32(at) & 0xff, U32(at) >> 8);
        if (_cpu.SplitsRelocationInfo)
            return (_base[at + 7], U32(at));
        ulong info = U64(at);
        return ((uint)info, (uint)(info >> 32));
    }

    private long ReadAddend(in Section section, int offset, int size)
    {
        if (offset < 0 || (ulong)offset + (uint)size > section.Size)
            throw Malformed(": relocation outside its section");
        int at = (int)section.Offset + offset;
        return size switch
        {
            4 => U32(at),
            8 => (long)U64(at),
            _ => throw Error($"invalid rela size {size}"),
        };
    }

    private int SymbolCount(int symTab) => (int)(_sections[symTab].Size / (_wide ? 24u : 16));

    private HostSymbol ReadSymbol(int symTab, int strTab, int i)
    {
        int at = (int)_sections[symTab].Offset + (i * (_wide ? 24 : 16));
        byte info = _base[at + (_wide ? 4 : 12)];
        byte other = _base[at + (_wide ? 5 : 13)];
        ushort section = U16(at + (_wide ? 6 : 14));
        string name = Text(Content(ref _sections[strTab]), U32(at));
        if (name == "_GLOBAL_OFFSET_TABLE_")
            name = ".got";
        int bind = _cpu.IsObjectWide(name) ? BindLocal : info >> 4;
        return new HostSymbol(
            name, _wide ? U64(at + 8) : U32(at + 4), _wide ? U64(at + 16) : U32(at + 8), section, bind, info & 15, other);
    }

    private ReadOnlySpan<byte> Content(ref Section section)
    {
        // Offsets are kept in 32 bits from here on; the C compiler's objects are far below that.
        if (section.Size > (ulong)_length || section.Offset > (ulong)_length - section.Size || section.Offset + section.Size > int.MaxValue)
            throw Malformed(": elf section past end of file");
        section.IsRead = true;
        return new ReadOnlySpan<byte>(_base + section.Offset, (int)section.Size);
    }

    private ReadOnlySpan<byte> Slice(ulong offset, uint size, string otherwise)
    {
        if (offset > (ulong)_length || size > (ulong)_length - offset || offset > int.MaxValue - 64)
            throw Malformed($": {otherwise}");
        return new ReadOnlySpan<byte>(_base + offset, (int)size);
    }

    private string Text(ReadOnlySpan<byte> table, uint at)
    {
        if (at > table.Length)
            throw Malformed(": name outside the string table");
        ReadOnlySpan<byte> rest = table[(int)at..];
        int end = rest.IndexOf((byte)0);
        return RawText.Decode(end < 0 ? rest : rest[..end]);
    }

    private ushort U16(int at)
    {
        ReadOnlySpan<byte> p = new(_base + at, 2);
        return _big ? BinaryPrimitives.ReadUInt16BigEndian(p) : BinaryPrimitives.ReadUInt16LittleEndian(p);
    }

    private uint U32(int at)
    {
        ReadOnlySpan<byte> p = new(_base + at, 4);
        return _big ? BinaryPrimitives.ReadUInt32BigEndian(p) : BinaryPrimitives.ReadUInt32LittleEndian(p);
    }

    private ulong U64(int at)
    {
        ReadOnlySpan<byte> p = new(_base + at, 8);
        return _big ? BinaryPrimitives.ReadUInt64BigEndian(p) : BinaryPrimitives.ReadUInt64LittleEndian(p);
    }

    private ulong Word(int at) => _wide ? U64(at) : U32(at);

    private LinkException Malformed(string what) => Error($"malformed elf file{what}");

    private LinkException Error(string text) => new(MessageForm.Bare, $"loadelf: {_name}: {text}");
}
