using AotLinker.Emit;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// A relocatable object for an external linker (the parts of doelf and asmbElf for external linking, elfshreloc, elfEmitReloc). Section
/// headers stay in the order in which they are made; relocations stand behind everything else, section by section.
/// </summary>
internal sealed partial class ElfFormat
{
    private ExternalRelocs? _objectRelocations;

    private int ObjectRelocationSize => _cpu.HasAddends ? _encoding.RelaSize : _encoding.RelSize;

    private void AddObjectSymbols(LinkContext ctx)
    {
        // The external linker makes what the dynamic linker needs.
        ctx.Settings.NoDynamic = true;
        if (ctx.Target.BuildMode == BuildMode.Shared)
            AddLibraryNotes(ctx);
        if (_options.BuildId.Length != 0)
            AddNote(ctx, ElfNoteSection.GoBuildId(RawText.Encode(_options.BuildId)));
    }

    private void AddNote(LinkContext ctx, ElfNoteSection notes)
    {
        byte[] content = notes.Build(_encoding);
        SymbolBuilder b = ctx.Symbols.Update(System.Text.Encoding.ASCII.GetBytes(notes.SectionName), 0).SetKind(SymbolKind.ElfRoSect);
        b.AddBytes(content);
        b.SetSize(content.Length).SetAlign(4);
    }

    /// <summary>As <see cref="SizeTables"/>.</summary>
    private long SizeObjectTables(LinkContext ctx)
    {
        int textSections = ctx.TextSegment.Sections.Count(s => s.IsText);
        long reserve = HeaderReserve + (textSections > 4 ? HeaderReserve + (textSections * 128L) : 0);
        _reserveEnd = reserve;
        if (_options.Race && _os.FixedLayout is { } fixedLayout)
            NoteSegment().Cover(AddNotes(ctx, fixedLayout(_encoding)));
        if (ctx.Target.BuildMode == BuildMode.Shared)
            DescribeLibraryNotes();
        if (_options.BuildId.Length > 0)
        {
            ElfSectionHeader note = _headers.Section(".note.go.buildid");
            note.Type = ElfSectionType.Note;
            note.Flags = ElfSectionFlags.Alloc;
        }
        if (!ctx.Release.OrdersElfSections)
            _headers.Section(".shstrtab");
        _cpu.DescribeAbiSections(ctx, this);
        ElfSectionHeader symbols = _headers.Section(".symtab");
        _headers.Section(".strtab");
        _headers.Section(".shstrtab");
        DescribeLayoutSections(ctx);
        List<(ExternalRelocTable Table, ElfSectionHeader Header)> relocated = AddRelocationSections(ctx, symbols);
        // Says that the code needs no executable stack.
        ElfSectionHeader stack = _headers.Section(".note.GNU-stack");
        stack.Type = ElfSectionType.ProgBits;
        stack.Align = 1;

        _headers.NumberAsMade();
        if (_headers.Sections.Count >= ElfConstants.SectionReserved)
            throw Error("too many ELF sections");
        _sectionNames = ctx.Release.OrdersElfSections ? _headers.BuildNames() : _headers.UseNames(SettledNames(ctx));
        long end = RoundUp(PlaceTables(ctx, hasSymbols: true), 8);
        _objectRelocations = new ExternalRelocs(ctx, [.. relocated.Select(r => r.Table)]);
        end = _objectRelocations.Place(end, ObjectRelocationSize);
        foreach ((ExternalRelocTable table, ElfSectionHeader header) in relocated)
        {
            header.Offset = (ulong)table.Offset;
            header.Size = (ulong)(table.Count * ObjectRelocationSize);
        }
        CheckReserve(reserve, textSections);
        return end;
    }

    private List<(ExternalRelocTable Table, ElfSectionHeader Header)> AddRelocationSections(LinkContext ctx, ElfSectionHeader symbols)
    {
        List<(ExternalRelocTable Table, ElfSectionHeader Header)> made = [];
        foreach (Segment segment in Segments(ctx))
        {
            foreach (Section section in segment.Sections)
            {
                ElfSectionHeader of = (ElfSectionHeader)section.FormatHeader!;
                if (section.Vaddr >= segment.Vaddr + segment.FileLength || section.Name == ".tbss" ||
                    (section.Name == ".gopclntab" && !ctx.Release.RelocatesObjectPclnTab) || of.Type == ElfSectionType.Note)
                    continue;
                // Each of several sections of functions has its own.
                ElfSectionHeader header = _headers.Section(RelocationPrefix + section.Name);
                if (section.IsText && header.InfoSection is not null)
                    header = _headers.AddSection(RelocationPrefix + section.Name);
                header.Type = _cpu.HasAddends ? ElfSectionType.Rela : ElfSectionType.Rel;
                header.EntrySize = (ulong)ObjectRelocationSize;
                header.Link = symbols;
                header.InfoSection = of;
                header.Align = (ulong)ctx.Target.Cpu.RegisterSize;
                made.Add((new ExternalRelocTable([section], section.Vaddr), header));
            }
        }
        return made;
    }

    private void WriteObjectRelocations(LinkContext ctx) =>
        _objectRelocations?.Write((_, relocs, to) =>
        {
            ElfObjectLabels.Cursor labels = default;
            foreach (ref readonly ExternalReloc r in relocs)
            {
                PutObjectRelocation(ctx, r, ref labels, to);
                to = to[ObjectRelocationSize..];
            }
        });

    private void PutObjectRelocation(LinkContext ctx, in ExternalReloc r, ref ElfObjectLabels.Cursor labels, Span<byte> to)
    {
        SymbolTable symbols = ctx.Symbols;
        if (r.Target.IsNone)
        {
            RelocSite.Report(ctx, r.From, r.Offset, "missing xsym in relocation");
            return;
        }
        int number = _symbolTable!.NumberOf(r.Target);
        SymbolKind kind = symbols.Kind(r.Target);
        if (number == 0)
        {
            string name = symbols.NameText(r.Target);
            int kindNumber = ctx.Release.SymbolKindNumbers.IndexOf((byte)kind);
            RelocSite.Report(ctx, r.From, r.Offset, $"reloc {NumberOf(ctx, r.Kind)} ({r.Kind.GoName()}) to non-elf symbol {name} (outer={name}) {kindNumber} ({kind.GoName()})");
        }
        if (!symbols.IsReachable(r.Target))
            RelocSite.Report(ctx, r.From, r.Offset, $"unreachable reloc {NumberOf(ctx, r.Kind)} ({r.Kind.GoName()}) target {symbols.NameText(r.Target)}");
        bool isImport = kind == SymbolKind.DynImport;
        bool isFunction = isImport && symbols.HostSymbolType.GetValueOrDefault(r.Target) == (byte)ElfSymbolType.Function;
        ElfRelocationRequest request = new(r.Kind, r.Size) { Part = r.Part, Variant = r.Variant, IsImport = isImport, IsImportedFunction = isFunction };
        if (_cpu.ObjectRelocation(in request) is not { } made)
        {
            RelocSite.Report(ctx, r.From, r.Offset, $"unsupported obj reloc {NumberOf(ctx, r.Kind)} ({r.Kind.GoName()})/{r.Size} to {symbols.NameText(r.Target)}");
            return;
        }
        uint symbol = made.HasNoSymbol ? 0
            : made.IsOfLabel ? (uint)_symbolTable.NumberOfLabel(r.From, OffsetInSymbol(ctx, r), ref labels)
            : (uint)number;
        long addend = made.HasNoAddend || made.IsOfLabel ? 0 : r.Addend + made.Addend;
        _encoding.PutRelocation(to, (ulong)(r.Offset + made.Place), symbol, made.Type, addend, _cpu.HasAddends);
        if (_cpu.SplitsRelocationInfo)
            _encoding.PutSplitRelocationInfo(to, symbol, made.Type);
    }

    /// <inheritdoc/>
    public override int ExternalRelocationParts(in ExternalReloc left) => _cpu.ObjectRelocationParts(left.Kind);

    private static int OffsetInSymbol(LinkContext ctx, in ExternalReloc r) =>
        (int)(r.Offset - (ctx.Symbols.Value(r.From) - (long)ctx.SectionOf(r.From)!.Vaddr));

    private static int NumberOf(LinkContext ctx, RelocKind kind) => ctx.Release.RelocKinds.IndexOf((byte)kind);
}
