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
        List<(Section Section, ElfSectionHeader Header)> relocated = AddRelocationSections(ctx, symbols);
        // Says that the code needs no executable stack.
        ElfSectionHeader stack = _headers.Section(".note.GNU-stack");
        stack.Type = ElfSectionType.ProgBits;
        stack.Align = 1;

        _headers.NumberAsMade();
        if (_headers.Sections.Count >= ElfConstants.SectionReserved)
            throw Error("too many ELF sections");
        _sectionNames = ctx.Release.OrdersElfSections ? _headers.BuildNames() : _headers.UseNames(SettledNames(ctx));
        long end = RoundUp(PlaceTables(ctx, hasSymbols: true), 8);
        _objectRelocations = new ExternalRelocs(ctx);
        end = _objectRelocations.Place(end, ObjectRelocationSize);
        foreach ((Section section, ElfSectionHeader header) in relocated)
        {
            header.Offset = section.RelocOffset;
            header.Size = section.RelocLength;
        }
        CheckReserve(HeaderReserve + (textSections > 4 ? HeaderReserve + (textSections * 128L) : 0), textSections);
        return end;
    }

    private List<(Section Section, ElfSectionHeader Header)> AddRelocationSections(LinkContext ctx, ElfSectionHeader symbols)
    {
        List<(Section Section, ElfSectionHeader Header)> made = [];
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
                made.Add((section, header));
            }
        }
        return made;
    }

    private void WriteObjectRelocations(LinkContext ctx) =>
        _objectRelocations?.Write((relocs, to) =>
        {
            foreach (ref readonly ExternalReloc r in relocs)
            {
                PutObjectRelocation(ctx, r, to);
                to = to[ObjectRelocationSize..];
            }
        });

    private void PutObjectRelocation(LinkContext ctx, in ExternalReloc r, Span<byte> to)
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
        if (_cpu.ObjectRelocation(r.Kind, r.Size, isImport, isFunction) is not { } type)
        {
            RelocSite.Report(ctx, r.From, r.Offset, $"unsupported obj reloc {NumberOf(ctx, r.Kind)} ({r.Kind.GoName()})/{r.Size} to {symbols.NameText(r.Target)}");
            return;
        }
        _encoding.PutRelocation(to, (ulong)r.Offset, (uint)number, type, r.Addend, _cpu.HasAddends);
    }

    private static int NumberOf(LinkContext ctx, RelocKind kind) => ctx.Release.RelocKinds.IndexOf((byte)kind);
}
