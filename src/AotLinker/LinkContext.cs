using AotLinker.Cli;
using AotLinker.Finish;
using AotLinker.Formats;
using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker;

/// <summary>
/// Fills a piece of a generated symbol's content, straight in the output or in a buffer. It is called once for each piece, by any thread,
/// for several pieces at a time, in any order. All addresses are known by then.
/// </summary>
/// <param name="ctx">The link.</param>
/// <param name="symbol">The symbol.</param>
/// <param name="offset">Offset of the piece in the symbol.</param>
/// <param name="piece">
/// The bytes, all zero so far: the whole symbol, unless its <see cref="GeneratedContent.Granule"/> allows less.
/// </param>
internal delegate void ContentGenerator(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece);

/// <summary>How the content of a generated symbol is made.</summary>
/// <param name="Fill">Sets the bytes.</param>
/// <param name="Granule">
/// Size of the records the content is made of: it may be asked for in pieces that begin and end on a record (the last may end with the
/// symbol). 0: always as a whole, which for a large symbol means one thread and, where the output is not mapped, a buffer of its size.
/// </param>
internal readonly record struct GeneratedContent(ContentGenerator Fill, int Granule);

/// <summary>
/// What the passes of one link share. Each property says which pass sets it; the pass list in <see cref="Link"/> is the order. State
/// that only one pass and its callee need stays out of here.
/// </summary>
internal sealed class LinkContext
{
    /// <summary>The command line. Passes that only need a value they may default or override find it in <see cref="Settings"/>.</summary>
    public LinkOptions Options
    {
        get => field ?? throw new InvalidOperationException("there is no command line");
        init;
    }

    /// <summary>What is linked for.</summary>
    public required Target Target { get; init; }

    /// <summary>The Go release of the objects.</summary>
    public required Release Release { get; init; }

    /// <summary>How many lower bits of a pc tables for the runtime leave out.</summary>
    public int TablePcShift => Release.TablesCountFunctions ? Target.Cpu.PcUnitShift : 0;

    /// <summary>Parallel loops.</summary>
    public required Workers Workers { get; init; }

    /// <summary>All symbols.</summary>
    public required SymbolTable Symbols { get; init; }

    /// <summary>Flag values that passes default or override.</summary>
    public required LinkSettings Settings { get; init; }

    /// <summary>Errors and the log.</summary>
    public Diagnostics Diagnostics
    {
        get => field ??= new Diagnostics("link");
        init;
    }

    /// <summary>The object format of the output.</summary>
    public OutputFormat Format
    {
        get => field ?? throw new InvalidOperationException("the output format is not set");
        init;
    }

    /// <summary>The output file. Opened before load, sized by layout.</summary>
    public OutputFile Output
    {
        get => field ?? throw new InvalidOperationException("the output is not open");
        set;
    }

    /// <summary>The external linker, if one does the final link; then <see cref="Output"/> is the object for it. Set by load.</summary>
    public HostLinker? HostLinker { get; set; }

    /// <summary>Packages in load order; linksetup re-orders them so that imports come first (ctxt.Library).</summary>
    public List<Package> Packages { get; set; } = [];

    /// <summary>Whether runtime/cgo is part of the link. Set by load.</summary>
    public bool IsCgo { get; set; }

    /// <summary>Whether a symbol is imported from a shared library (havedynamic). Set by load.</summary>
    public bool HasDynamicImports { get; set; }

    /// <summary>Versions of the symbols that host objects keep to themselves. Set by load.</summary>
    public Range HostObjectVersions { get; set; }

    /// <summary>The Go shared libraries that are linked against; null without -linkshared. Set by load.</summary>
    public SharedLibraries? SharedLibraries { get; set; }

    /// <summary>Shared libraries needed, in order of first mention (dynlib). Set by load.</summary>
    public List<string> DynamicLibraries { get; } = [];

    /// <summary>Flags the objects ask the host's linker to get (ldflag). Set by load.</summary>
    public List<string> ExternalLinkerFlags { get; } = [];

    /// <summary>Duplicate symbols whose contents differ, counted with -strictdups. Set by load.</summary>
    public int DifferingDuplicates { get; set; }

    /// <summary>All text symbols in layout order (ctxt.Textp). Set by linksetup; extended by passes that make code.</summary>
    public List<SymbolId> Text { get; } = [];

    /// <summary>Symbols to export dynamically, sorted (ctxt.dynexp). Set by load.</summary>
    public List<SymbolId> DynamicExports { get; } = [];

    /// <summary>Functions exported to WebAssembly: package definitions of all objects, then other definitions. Set by resolve.</summary>
    public List<SymbolId> WasmExports { get; } = [];

    /// <summary>The moduledata symbol. Set by linksetup.</summary>
    public SymbolId ModuleData { get; set; }

    /// <summary>Offset of the thread-local g from the thread pointer (computeTLSOffset).</summary>
    public int TlsOffset { get; set; }

    /// <summary>Symbols with fixed roles in relocation and dynamic linking (ArchSyms).</summary>
    public WellKnownSymbols Known { get; } = new();

    /// <summary>Generators of symbols whose content is written straight into the output (generatorSyms).</summary>
    public Dictionary<SymbolId, GeneratedContent> Generators { get; } = [];

    /// <summary>
    /// The symbols that carry many small ones of a kind in the output's symbol table, and what they carry (CarrierSymByType). Set by
    /// pclntab and symtab; dodata adds the lengths.
    /// </summary>
    public CarrierTable Carriers { get; } = new();

    /// <summary>
    /// For symbols that are laid out with another kind than their own, that kind; 0 for all others (symGroupType). Covers the symbols that
    /// exist when symtab runs; later ones have none. Set by symtab, changed by dodata, which lets go of it.
    /// </summary>
    public LiveColumn<byte> GroupKinds => field ??= new LiveColumn<byte>(Symbols.Live);

    /// <summary>Number of symbols there were when symtab ran: those that may have a <see cref="GroupKinds"/>.</summary>
    public int GroupedCount { get; set; }

    /// <summary>
    /// The ids of all data symbols, section after section in the order the sections were made; within a section by address (ctxt.datap).
    /// <see cref="Section.FirstSymbol"/> says where a section's symbols start. Set by dodata.
    /// </summary>
    public int[] Data { get; set; } = [];

    /// <summary>Symbols of Windows .pdata (sehp.pdata). Set by textaddress.</summary>
    public List<SymbolId> PData { get; } = [];

    /// <summary>Symbols of Windows .xdata (sehp.xdata). Set by textaddress.</summary>
    public List<SymbolId> XData { get; } = [];

    /// <summary>The symbols of the FIPS module; null where programs don't check themselves. Set at the end of load.</summary>
    public FipsSymbols? Fips { get; set; }

    /// <summary>Offset of the coverage counters in .noptrbss, and their length. Set by dodata.</summary>
    public (ulong Start, ulong Length) CoverageCounters { get; set; }

    /// <summary>Segments in file order. Set by address.</summary>
    public List<Segment> SegmentOrder { get; } = [];

    /// <summary>Places in moduledata that dodata fills. Set by symtab.</summary>
    public ModuleDataFields ModuleDataFields { get; set; }

    /// <summary>All sections by index; entry 0 is null.</summary>
    public List<Section?> Sections { get; } = [null];

    /// <summary>Executable code (Segtext).</summary>
    public Segment TextSegment { get; } = new("text");

    /// <summary>Read-only data (Segrodata).</summary>
    public Segment RoDataSegment { get; } = new("rodata");

    /// <summary>Read-only data that is relocated at run time (Segrelrodata).</summary>
    public Segment RelRoDataSegment { get; } = new("relrodata");

    /// <summary>Writable data (Segdata).</summary>
    public Segment DataSegment { get; } = new("data");

    /// <summary>Debug information (Segdwarf).</summary>
    public Segment DwarfSegment { get; } = new("dwarf");

    /// <summary>The debug information, null without any (-w). Set by dwarfGenerateDebugSyms.</summary>
    public DwarfSections? Dwarf { get; set; }

    /// <summary>Windows .pdata (Segpdata).</summary>
    public Segment PDataSegment { get; } = new("pdata");

    /// <summary>Windows .xdata (Segxdata).</summary>
    public Segment XDataSegment { get; } = new("xdata");

    /// <summary>Makes a section and appends it to a segment (addsection).</summary>
    public Section AddSection(Segment segment, string name, int rwx)
    {
        Section section = new() { Name = name, Index = Sections.Count, Rwx = rwx, Align = Target.PointerSize, Segment = segment };
        Sections.Add(section);
        segment.Sections.Add(section);
        return section;
    }

    /// <summary>The section of a symbol; null if it has none.</summary>
    public Section? SectionOf(SymbolId s) => Sections[Symbols.SectionIndex(s)];

    /// <summary>
    /// Looks up or creates a symbol whose content is generated into the output (createGeneratorSymbol). Its size is final; relocations
    /// may be added until layout.
    /// </summary>
    public SymbolId CreateGenerated(
        ReadOnlySpan<byte> name, int version, SymbolKind kind, long size, ContentGenerator generator, int granule = 0)
    {
        SymbolBuilder b = Symbols.Update(name, version);
        b.SetKind(kind).SetSize(size).Set(SymbolTable.Attributes.Generated);
        Generators[b.Symbol] = new GeneratedContent(generator, granule);
        return b.Symbol;
    }

    /// <summary>
    /// Looks up or creates a symbol that marks a place: live, local to the module, and given its address by name rather than by the
    /// layout of its kind (defineInternal).
    /// </summary>
    public SymbolId DefineMarker(ReadOnlySpan<byte> name, SymbolKind kind)
    {
        SymbolBuilder b = Symbols.Update(name, 0);
        b.SetKind(kind).Set(SymbolTable.Attributes.Special | SymbolTable.Attributes.Local);
        return b.Symbol;
    }

    /// <summary><see cref="DefineMarker(ReadOnlySpan{byte}, SymbolKind)"/> with an address (xdefine).</summary>
    public SymbolId DefineMarker(ReadOnlySpan<byte> name, SymbolKind kind, long address)
    {
        SymbolId s = DefineMarker(name, kind);
        Symbols.SetValue(s, address);
        return s;
    }

    /// <summary>
    /// Gives back what layout has left on the managed heap of a large program, before the pass that takes most memory beside it.
    /// </summary>
    public static void CollectGarbage()
    {
        const long Worthwhile = 24 << 20;
        if (GC.GetTotalMemory(forceFullCollection: false) >= Worthwhile)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}

/// <summary>
/// Offsets in moduledata of what is only known once the type descriptors are in order; 0 where the release has no such field. Each is a
/// pointer-sized number.
/// </summary>
/// <param name="TypeDescriptorLength">Length of the descriptors that typelinks cover (typedesclen).</param>
/// <param name="ItabOffset">Offset of the itabs from the start of the types.</param>
/// <param name="ItabLength">Length of the itabs.</param>
internal readonly record struct ModuleDataFields(long TypeDescriptorLength, long ItabOffset, long ItabLength);

/// <summary>One carrier symbol for each kind that has one.</summary>
internal sealed class CarrierTable
{
    private readonly SymbolId[] _symbols = new SymbolId[(int)SymbolKind.FirstUnallocated];
    private readonly long[] _lengths = new long[(int)SymbolKind.FirstUnallocated];

    /// <summary>The carrier of a kind; none if it has none.</summary>
    public SymbolId this[SymbolKind kind] => _symbols[(int)kind];

    /// <summary>Bytes the carrier of a kind stands for; 0 until dodata has placed them.</summary>
    public long Length(SymbolKind kind) => _lengths[(int)kind];

    /// <summary>Names the carrier of a kind, once (setCarrierSym).</summary>
    public void Set(SymbolKind kind, SymbolId carrier)
    {
        if (!_symbols[(int)kind].IsNone)
        {
            throw new InvalidOperationException($"the carrier of {kind} is already set");
        }
        _symbols[(int)kind] = carrier;
    }

    /// <summary>Says how much the carrier of a kind stands for, once (setCarrierSize).</summary>
    public void SetLength(SymbolKind kind, long length)
    {
        if (_lengths[(int)kind] != 0)
        {
            throw new InvalidOperationException($"the length of the carrier of {kind} is already set");
        }
        _lengths[(int)kind] = length;
    }
}

/// <summary>Flag values that passes default from the target or override on what they find.</summary>
internal sealed class LinkSettings
{
    /// <summary>Start address of text, -1 until archinit defaults it (-T).</summary>
    public long TextAddress { get; set; } = -1;

    /// <summary>Start address of data, -1 for after text (-D).</summary>
    public long DataAddress { get; set; } = -1;

    /// <summary>Address rounding of segments, -1 until archinit defaults it (-R).</summary>
    public long Round { get; set; } = -1;

    /// <summary>Bytes reserved at the start of the file for headers (HEADR). Set by archinit.</summary>
    public int HeaderReserve { get; set; }

    /// <summary>Entry symbol (-E).</summary>
    public string EntrySymbol { get; set; } = "";

    /// <summary>No symbol table (-s).</summary>
    public bool OmitSymbolTable { get; set; }

    /// <summary>No DWARF (-w).</summary>
    public bool OmitDwarf { get; set; }

    /// <summary>No dynamic linking (-d; also set by linksetup for executables that import nothing).</summary>
    public bool NoDynamic { get; set; }

    /// <summary>Alignment of functions in bytes (-funcalign or the CPU's).</summary>
    public int FunctionAlign { get; set; }

    /// <summary>Whether <see cref="Interpreter"/> was given by -I, which directives cannot override.</summary>
    public bool InterpreterFromFlag { get; init; }

    /// <summary>ELF interpreter; empty for the target's default (-I, cgo_dynamic_linker).</summary>
    public string Interpreter { get; set; } = "";

    /// <summary>Seed of a random order of functions, 0 for none (-randlayout).</summary>
    public long RandomLayoutSeed { get; set; }

    /// <summary>Above 0 trampolines are named in the log, above 1 all far calls get one (-debugtramp).</summary>
    public long DebugTrampolines { get; set; }

    /// <summary>Size at which text is split and trampolines are considered, 0 for the CPU's own (-debugtextsize).</summary>
    public long DebugTextSize { get; set; }

    /// <summary>File to write the hashed FIPS object to; empty for none (-fipso).</summary>
    public string FipsObject { get; set; } = "";

    /// <summary>Address sanitizer (-asan).</summary>
    public bool Asan { get; set; }
}

/// <summary>Symbols with fixed roles (cmd/link ArchSyms). Set by setarchsyms, linksetup and the output format.</summary>
internal sealed class WellKnownSymbols
{
    /// <summary>.got.</summary>
    public SymbolId Got { get; set; }
    /// <summary>.plt.</summary>
    public SymbolId Plt { get; set; }
    /// <summary>.got.plt.</summary>
    public SymbolId GotPlt { get; set; }
    /// <summary>.dynamic.</summary>
    public SymbolId Dynamic { get; set; }
    /// <summary>.dynsym.</summary>
    public SymbolId DynSym { get; set; }
    /// <summary>.dynstr.</summary>
    public SymbolId DynStr { get; set; }
    /// <summary>.rel.</summary>
    public SymbolId Rel { get; set; }
    /// <summary>.rela.</summary>
    public SymbolId Rela { get; set; }
    /// <summary>.rel.plt.</summary>
    public SymbolId RelPlt { get; set; }
    /// <summary>.rela.plt.</summary>
    public SymbolId RelaPlt { get; set; }
    /// <summary>Mach-O .linkedit.got.</summary>
    public SymbolId LinkEditGot { get; set; }
    /// <summary>Mach-O .linkedit.plt.</summary>
    public SymbolId LinkEditPlt { get; set; }
    /// <summary>ppc64 TOC.</summary>
    public SymbolId Toc { get; set; }
    /// <summary>runtime.tlsg.</summary>
    public SymbolId Tlsg { get; set; }
    /// <summary>runtime.unreachableMethod.</summary>
    public SymbolId UnreachableMethod { get; set; }
    /// <summary>The list of init tasks to run at start-up (mainInittasks).</summary>
    public SymbolId MainInitTasks { get; set; }
}
