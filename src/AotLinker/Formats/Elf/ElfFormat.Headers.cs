using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>Headers, interpreter and notes: where they lie and what they say (Asmbelfsetup, asmbElf).</summary>
internal sealed partial class ElfFormat
{
    // Content of the reserve in front of the text, with its file offsets: interpreter and notes.
    private readonly List<(long Offset, byte[] Content)> _reserved = [];
    private ElfSymbolTable? _symbolTable;
    private byte[] _sectionNames = [];
    private long _tablesOffset;

    // End of what is still free of the reserve; it is given out from its end.
    private long _reserveEnd;
    private ElfSegment? _notes;

    /// <inheritdoc/>
    public override long SymbolTableSize => _symbolTable?.TableSize ?? 0;

    /// <inheritdoc/>
    public override long SizeTables(LinkContext ctx)
    {
        AddLayoutSections(ctx);
        if (ctx.Target.IsExternal)
            return SizeObjectTables(ctx);
        int textSections = ctx.TextSegment.Sections.Count(s => s.IsText);
        // More than four text sections need more room for their headers than was reserved.
        long reserve = HeaderReserve + (textSections > 4 ? HeaderReserve + (textSections * 128L) : 0);
        _reserveEnd = reserve;

        if (_options.Race && _os.FixedLayout is { } fixedLayout)
            NoteSegment().Cover(AddNotes(ctx, fixedLayout(_encoding)));
        ElfSegment programHeaders = CoverProgramHeaders(ctx);
        if (!ctx.Settings.NoDynamic)
            AddInterpreter(ctx);
        if (_os.Identification is { } identification)
            _headers.AddSegment(ElfSegmentType.Note, ElfSegmentFlags.Read).Cover(AddNotes(ctx, identification(_encoding, _options.Race)));
        if (_gnuBuildId.Length > 0)
            NoteSegment().Cover(AddNotes(ctx, ElfNoteSection.GnuBuildId(_gnuBuildId)));
        if (_options.BuildId.Length > 0)
            NoteSegment().Cover(AddNotes(ctx, ElfNoteSection.GoBuildId(RawText.Encode(_options.BuildId))));

        AddLoadSegments(ctx);
        if (!ctx.Settings.NoDynamic)
            AddDynamicSections(ctx);
        if (_os.MarkType is { } mark)
            _headers.AddSegment(mark, _os.MarkFlags).Align = _os.MarkIsAligned ? (ulong)ctx.Target.Cpu.RegisterSize : 0;
        if (!ctx.Release.OrdersElfSections)
            _headers.Section(".shstrtab");
        _cpu.DescribeAbiSections(ctx, this);
        return SizeRest(ctx, programHeaders, reserve, textSections);
    }

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        byte[] headers = new byte[_headers.Size];
        ushort type = ctx.Target.IsExternal ? ElfConstants.TypeRelocatable
            : ctx.Target.IsPie ? ElfConstants.TypeDynamic
            : ElfConstants.TypeExecutable;
        ulong entry = ctx.Target.IsExternal ? 0 : (ulong)EntryPoint.Address(ctx);
        _headers.Write(headers, _os.OsAbi, type, _cpu.Machine, Flags, entry);
        ctx.Output.Write(0, headers);
        // Not as part of the headers: with very many text sections these lie in the text, and take its place as in cmd/link.
        foreach ((long offset, byte[] content) in _reserved)
            ctx.Output.Write(offset, content);

        long at = _tablesOffset;
        if (_symbolTable is not null)
        {
            _symbolTable.Write(ctx, at);
            at += _symbolTable.TableSize + _symbolTable.NamesSize;
        }
        ctx.Output.Write(at, _sectionNames);
        WriteObjectRelocations(ctx);
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("headers", SizeKind.Headers, 0, _headers.Size);
        foreach ((long offset, byte[] content) in _reserved)
            map.Table("interpreter and notes", SizeKind.Headers, offset, content.Length);
        base.DescribeFile(ctx, map);
        long at = _tablesOffset;
        if (_symbolTable is not null)
        {
            map.Table(".symtab", SizeKind.SymbolTable, at, _symbolTable.TableSize);
            map.Table(".strtab", SizeKind.SymbolTable, at + _symbolTable.TableSize, _symbolTable.NamesSize);
            at += _symbolTable.TableSize + _symbolTable.NamesSize;
        }
        map.Table(".shstrtab", SizeKind.Headers, at, _sectionNames.Length);
        _objectRelocations?.DescribeFile(map);
    }

    /// <summary>Makes headers for the sections of the layout, first of all, so that ties in the final order go their way.</summary>
    private void AddLayoutSections(LinkContext ctx)
    {
        foreach (Segment segment in Segments(ctx))
        {
            foreach (Section section in segment.Sections)
                section.FormatHeader = section.IsText ? _headers.AddSection(section.Name) : _headers.Section(section.Name);
        }
    }

    /// <summary>Takes room from the end of the reserve for a section's content.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="section">The section; gets address, offset and size.</param>
    /// <param name="content">The content.</param>
    /// <param name="align">Alignment of the start.</param>
    internal void Reserve(LinkContext ctx, ElfSectionHeader section, byte[] content, int align)
    {
        _reserveEnd -= (_reserveEnd % align) + content.Length;
        section.Address = (ulong)(ctx.Settings.TextAddress - HeaderReserve + _reserveEnd);
        section.Offset = (ulong)_reserveEnd;
        section.Size = (ulong)content.Length;
        _reserved.Add((_reserveEnd, content));
    }

    private ElfSectionHeader AddNotes(LinkContext ctx, ElfNoteSection notes)
    {
        ElfSectionHeader section = _headers.Section(notes.SectionName);
        section.Type = ElfSectionType.Note;
        section.Flags = ElfSectionFlags.Alloc;
        section.Align = 4;
        Reserve(ctx, section, notes.Build(_encoding), 4);
        return section;
    }

    // All notes but the system's identification share a segment, which covers the last of them only.
    private ElfSegment NoteSegment() => _notes ??= _headers.AddSegment(ElfSegmentType.Note, ElfSegmentFlags.Read);

    private ElfSegment CoverProgramHeaders(LinkContext ctx)
    {
        ElfSegment segment = _headers.AddSegment(ElfSegmentType.ProgramHeaders, ElfSegmentFlags.Read);
        segment.Offset = (ulong)_encoding.HeaderSize;
        segment.Address = (ulong)(ctx.Settings.TextAddress - HeaderReserve) + segment.Offset;
        segment.Align = (ulong)ctx.Settings.Round;

        // The program headers must be loaded: the text segment reaches down to them.
        Segment text = ctx.TextSegment;
        ulong down = text.Vaddr - segment.Address;
        text.Vaddr -= down;
        text.Length += down;
        down = text.FileOffset - segment.Offset;
        text.FileOffset -= down;
        text.FileLength += down;
        return segment;
    }

    private void AddInterpreter(LinkContext ctx)
    {
        string path = ctx.Settings.Interpreter;
        if (path.Length == 0)
            path = _options.ToolchainInterpreter;
        if (path.Length == 0)
        {
            path = _cpu.Interpreter(ctx.Target.HeadType, _options.IsAndroid, ctx.Release);
            if (_options.IsAndroid && path.Length == 0)
                throw new LinkException("ELF interpreter not set");
            if (ctx.Target.HeadType == HeadType.Linux && !_options.IsAndroid && !Path.Exists(path))
            {
                // Where only musl's is installed, that is the one, so that programs built there run there.
                string musl = _cpu.MuslInterpreterOf(ctx.Release);
                if (musl.Length > 0 && Path.Exists(musl))
                    path = musl;
            }
        }

        ElfSectionHeader section = _headers.Section(".interp");
        section.Type = ElfSectionType.ProgBits;
        section.Flags = ElfSectionFlags.Alloc;
        section.Align = 1;
        Reserve(ctx, section, [.. RawText.Encode(path), 0], 1);
        _headers.AddSegment(ElfSegmentType.Interp, ElfSegmentFlags.Read).Cover(section);
    }

    private void AddLoadSegments(LinkContext ctx)
    {
        AddLoad(ctx, ctx.TextSegment);
        if (ctx.RoDataSegment.Sections.Count > 0)
            AddLoad(ctx, ctx.RoDataSegment);
        if (ctx.RelRoDataSegment.Sections.Count > 0)
        {
            AddLoad(ctx, ctx.RelRoDataSegment);
            Place(ctx, ctx.RelRoDataSegment, _headers.AddSegment(ElfSegmentType.GnuRelRo, ElfSegmentFlags.Read));
        }
        AddLoad(ctx, ctx.DataSegment);
    }

    // Unix permission bits are ELF's own.
    private void AddLoad(LinkContext ctx, Segment segment) =>
        Place(ctx, segment, _headers.AddSegment(ElfSegmentType.Load, (ElfSegmentFlags)(segment.Rwx & 7)));

    private static void Place(LinkContext ctx, Segment from, ElfSegment to)
    {
        to.Address = from.Vaddr;
        to.MemorySize = from.Length;
        to.Offset = from.FileOffset;
        to.FileSize = from.FileLength;
        to.Align = (ulong)ctx.Settings.Round;
    }

    private void AddDynamicSections(LinkContext ctx)
    {
        ulong register = (ulong)ctx.Target.Cpu.RegisterSize;
        ElfSectionHeader dynSym = _headers.Section(".dynsym");
        ElfSectionHeader dynStr = _headers.Section(".dynstr");
        Describe(ctx, dynSym, ElfSectionType.DynSym, ElfSectionFlags.Alloc, (ulong)_encoding.SymbolSize, register).Link = dynStr;
        dynSym.Info = FirstGlobalDynamicSymbol(ctx);
        Describe(ctx, dynStr, ElfSectionType.StrTab, ElfSectionFlags.Alloc, 0, 1);

        if (_versionedLibraryCount != 0)
        {
            Describe(ctx, _headers.Section(".gnu.version"), ElfSectionType.GnuVerSym, ElfSectionFlags.Alloc, 2, 2).Link = dynSym;
            ElfSectionHeader needed = _headers.Section(".gnu.version_r");
            Describe(ctx, needed, ElfSectionType.GnuVerNeed, ElfSectionFlags.Alloc, 0, register).Link = dynStr;
            needed.Info = (uint)_versionedLibraryCount;
        }

        ElfSectionType relType = _cpu.HasAddends ? ElfSectionType.Rela : ElfSectionType.Rel;
        ulong relSize = (ulong)DynamicRelocationSize;
        ElfSectionHeader relPlt = _headers.Section(RelocationPrefix + ".plt");
        Describe(ctx, relPlt, relType, ElfSectionFlags.Alloc, relSize, register).Link = dynSym;
        if (_cpu.HasAddends)
            relPlt.InfoSection = _headers.Section(".plt");
        Describe(ctx, _headers.Section(RelocationPrefix), relType, ElfSectionFlags.Alloc, relSize, register).Link = dynSym;

        _cpu.DescribeStubSections(ctx, this);
        ElfSectionHeader plt = _headers.Section(".plt");
        ulong pltEntry = (ulong)_cpu.PltEntrySize;
        if (_cpu.PltIsCode)
        {
            Describe(ctx, plt, ElfSectionType.ProgBits, ElfSectionFlags.Alloc | ElfSectionFlags.Exec, pltEntry, pltEntry);
            Describe(ctx, _headers.Section(".got"), ElfSectionType.ProgBits, ElfSectionFlags.Alloc | ElfSectionFlags.Write, register, register);
            Describe(ctx, _headers.Section(".got.plt"), ElfSectionType.ProgBits, ElfSectionFlags.Alloc | ElfSectionFlags.Write, register, register);
        }
        else
        {
            Describe(ctx, plt, ElfSectionType.NoBits, ElfSectionFlags.Alloc | ElfSectionFlags.Write, pltEntry, pltEntry);
        }
        Describe(ctx, _headers.Section(".hash"), ElfSectionType.Hash, ElfSectionFlags.Alloc, 4, register).Link = dynSym;
        ElfSectionHeader dynamic = _headers.Section(".dynamic");
        Describe(ctx, dynamic, ElfSectionType.Dynamic, ElfSectionFlags.Alloc | ElfSectionFlags.Write, 2 * register, register).Link = dynStr;
        _headers.AddSegment(ElfSegmentType.Dynamic, ElfSegmentFlags.Read | ElfSegmentFlags.Write).Cover(dynamic);

        // The initial content of thread-local storage is all zeros: only its size is told.
        ulong tlsSize = ctx.DataSegment.Sections.Find(s => s.Name == ".tbss")?.Length ?? 0;
        if (tlsSize != 0)
        {
            ElfSegment tls = _headers.AddSegment(ElfSegmentType.Tls, ElfSegmentFlags.Read);
            tls.MemorySize = tlsSize;
            tls.Align = register;
        }
    }

    /// <summary>Describes a section that is the content of the symbol of the same name (shsym).</summary>
    internal static ElfSectionHeader Describe(
        LinkContext ctx, ElfSectionHeader section, ElfSectionType type, ElfSectionFlags flags, ulong entrySize, ulong align)
    {
        section.Type = type;
        section.Flags = flags;
        section.EntrySize = entrySize;
        section.Align = align;
        SymbolId s = ctx.Symbols.Lookup(System.Text.Encoding.UTF8.GetBytes(section.Name), 0);
        if (s.IsNone)
            throw new InvalidOperationException($"section {section.Name} has no symbol");
        ulong address = (ulong)ctx.Symbols.Value(s);
        if ((flags & ElfSectionFlags.Alloc) != 0)
            section.Address = address;
        Segment segment = address >= ctx.DataSegment.Vaddr ? ctx.DataSegment : ctx.TextSegment;
        if (address < segment.Vaddr)
            throw Error($"{section.Name}: invalid datoff 0x{address:x}");
        // All segments keep the distance of address and offset that the text has.
        section.Offset = (ulong)segment.OffsetOf(address);
        section.Size = (ulong)ctx.Symbols.Size(s);
        return section;
    }

    // The symbols of a .dynsym that came from an input are its parts, the local ones first.
    private static uint FirstGlobalDynamicSymbol(LinkContext ctx)
    {
        uint first = 0;
        SymbolId s = ctx.Symbols.Lookup(".dynsym"u8, 0);
        while (!s.IsNone)
        {
            first++;
            if (!ctx.Symbols.Has(s, SymbolTable.Attributes.Local))
                break;
            s = ctx.Symbols.Sub.GetValueOrDefault(s);
        }
        return first;
    }

    /// <summary>Describes what layout made and what follows the segments, and checks that the headers fit.</summary>
    private long SizeRest(LinkContext ctx, ElfSegment programHeaders, long reserve, int textSections)
    {
        bool hasSymbols = !ctx.Settings.OmitSymbolTable;
        if (hasSymbols)
        {
            _headers.Section(".symtab");
            _headers.Section(".strtab");
        }
        _headers.Section(".shstrtab");
        DescribeLayoutSections(ctx);
        if (ctx.Release.OrdersElfSections)
        {
            _headers.Order();
            if (_headers.Sections.Count >= ElfConstants.SectionReserved)
                throw Error("too many ELF sections");
            _sectionNames = _headers.BuildNames();
        }
        else
        {
            _headers.NumberAsMade();
            for (int i = MostSections; i < _headers.Sections.Count; i++)
                ctx.Diagnostics.Error("too many shdrs");
            _sectionNames = _headers.UseNames(SettledNames(ctx));
        }

        long end = PlaceTables(ctx, hasSymbols);
        programHeaders.FileSize = (ulong)_headers.SegmentTableSize;
        programHeaders.MemorySize = programHeaders.FileSize;
        CheckReserve(reserve, textSections);
        return end;
    }

    /// <summary>Gives symbol and string table and the names of sections their places behind the segments; returns the end of the last.</summary>
    private long PlaceTables(LinkContext ctx, bool hasSymbols)
    {
        _tablesOffset = RoundUp((long)(ctx.DwarfSegment.FileOffset + ctx.DwarfSegment.FileLength), ctx.Target.PointerSize);
        long end = _tablesOffset;
        if (hasSymbols)
        {
            ulong register = (ulong)ctx.Target.Cpu.RegisterSize;
            _symbolTable = ElfSymbolTable.Size(ctx, _encoding, _cpu);
            ElfSectionHeader names = PlaceTable(".strtab", ElfSectionType.StrTab, end + _symbolTable.TableSize, _symbolTable.NamesSize);
            ElfSectionHeader symbols = PlaceTable(".symtab", ElfSectionType.SymTab, end, _symbolTable.TableSize);
            symbols.Align = register;
            symbols.EntrySize = 8 + (2 * register);
            symbols.Link = names;
            symbols.Info = (uint)_symbolTable.FirstGlobal;
            end += _symbolTable.TableSize + _symbolTable.NamesSize;
        }
        PlaceTable(".shstrtab", ElfSectionType.StrTab, end, _sectionNames.Length);
        return end + _sectionNames.Length;
    }

    private void CheckReserve(long reserve, int textSections)
    {
        long used = _headers.Size + _reserved.Sum(part => (long)part.Content.Length);
        if (used > reserve)
            throw Error($"ELFRESERVE too small: {used} > {reserve} with {textSections} text sections");
        if (used > HeaderReserve)
            throw Error($"HEADR too small: {used} > {HeaderReserve} with {textSections} text sections");
    }

    private ElfSectionHeader PlaceTable(string name, ElfSectionType type, long offset, long size)
    {
        ElfSectionHeader section = _headers.Section(name);
        section.Type = type;
        section.Offset = (ulong)offset;
        section.Size = (ulong)size;
        section.Align = 1;
        return section;
    }

    private static void DescribeLayoutSections(LinkContext ctx)
    {
        foreach (Segment segment in Segments(ctx))
        {
            foreach (Section section in segment.Sections)
                DescribeLayoutSection(section, segment, ctx.Target.IsExternal);
        }
    }

    /// <summary>Describes a section of the layout, unless it is one of the dynamic linker's and has its description (elfshbits).</summary>
    private static void DescribeLayoutSection(Section section, Segment segment, bool isExternal)
    {
        ElfSectionHeader header = (ElfSectionHeader)section.FormatHeader!;
        if (header.Type == ElfSectionType.Note)
        {
            if (!isExternal)
                throw Error("sh.Type == SHT_NOTE in elfshbits when linking internally");
            header.Align = (ulong)section.Align;
            header.Size = section.Length;
            header.Offset = (ulong)segment.OffsetOf(section.Vaddr);
            return;
        }
        if (header.Type != ElfSectionType.Null)
            return;

        bool isThreadLocal = section.Name == ".tbss";
        bool isDebug = section.Name.StartsWith(".debug", StringComparison.Ordinal) || section.Name.StartsWith(".zdebug", StringComparison.Ordinal);
        header.Type = isThreadLocal || section.Vaddr >= segment.Vaddr + segment.FileLength ? ElfSectionType.NoBits
            : section.Name == ".init_array" ? ElfSectionType.InitArray
            : ElfSectionType.ProgBits;
        if (isDebug)
        {
            header.Flags = section.Compressed ? ElfSectionFlags.Compressed : ElfSectionFlags.None;
        }
        else
        {
            header.Address = isExternal ? 0 : section.Vaddr;
            header.Flags = ElfSectionFlags.Alloc
                | ((section.Rwx & 1) != 0 ? ElfSectionFlags.Exec : 0)
                | ((section.Rwx & 2) != 0 ? ElfSectionFlags.Write : 0)
                | (isThreadLocal ? ElfSectionFlags.Tls : 0);
        }
        header.Align = (ulong)section.Align;
        header.Size = section.Length;
        if (!isThreadLocal)
            header.Offset = (ulong)segment.OffsetOf(section.Vaddr);
    }

    private static IEnumerable<Segment> Segments(LinkContext ctx) =>
        [ctx.TextSegment, ctx.RoDataSegment, ctx.RelRoDataSegment, ctx.DataSegment, ctx.DwarfSegment];
}
