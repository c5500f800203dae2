using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker;

/// <summary>Fills the content of a generated symbol, straight in the output or in a buffer of its size; any thread may call it.</summary>
internal delegate void ContentGenerator(LinkContext ctx, SymbolId symbol, Span<byte> content);

/// <summary>
/// What the passes of one link share. Each property says which pass sets it; the pass list in <see cref="Link"/> is the order. State
/// that only one pass and its callee need stays out of here.
/// </summary>
internal sealed class LinkContext
{
    /// <summary>What is linked for.</summary>
    public required Target Target { get; init; }

    /// <summary>The Go release of the objects.</summary>
    public required Release Release { get; init; }

    /// <summary>Parallel loops.</summary>
    public required Workers Workers { get; init; }

    /// <summary>All symbols.</summary>
    public required SymbolTable Symbols { get; init; }

    /// <summary>Flag values that passes default or override.</summary>
    public required LinkSettings Settings { get; init; }

    /// <summary>Packages in load order; linksetup re-orders them so that imports come first (ctxt.Library).</summary>
    public List<Package> Packages { get; set; } = [];

    /// <summary>Packages by import path. Set by load.</summary>
    public Dictionary<string, Package> PackageByPath { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether runtime/cgo is part of the link. Set by load.</summary>
    public bool IsCgo { get; set; }

    /// <summary>Whether a symbol is imported from a shared library (havedynamic). Set by load.</summary>
    public bool HasDynamicImports { get; set; }

    /// <summary>Shared libraries needed, in order of first mention (dynlib). Set by load.</summary>
    public List<string> DynamicLibraries { get; } = [];

    /// <summary>All text symbols in layout order (ctxt.Textp). Set by linksetup; extended by passes that make code.</summary>
    public List<SymbolId> Text { get; } = [];

    /// <summary>Symbols to export dynamically, sorted (ctxt.dynexp). Set by load.</summary>
    public List<SymbolId> DynamicExports { get; } = [];

    /// <summary>The moduledata symbol. Set by linksetup.</summary>
    public SymbolId ModuleData { get; set; }

    /// <summary>Offset of the thread-local g from the thread pointer (computeTLSOffset).</summary>
    public int TlsOffset { get; set; }

    /// <summary>Symbols with fixed roles in relocation and dynamic linking (ArchSyms).</summary>
    public WellKnownSymbols Known { get; } = new();

    /// <summary>Generators of symbols whose content is written straight into the output (generatorSyms).</summary>
    public Dictionary<SymbolId, ContentGenerator> Generators { get; } = [];

    /// <summary>Data symbols in layout order (ctxt.datap). Set by dodata.</summary>
    public List<SymbolId> Data { get; } = [];

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
    public SymbolId CreateGenerated(ReadOnlySpan<byte> name, int version, SymbolKind kind, long size, ContentGenerator generator)
    {
        SymbolBuilder b = Symbols.Update(name, version);
        b.SetKind(kind).SetSize(size).Set(SymbolTable.Attributes.Generated);
        Generators[b.Symbol] = generator;
        return b.Symbol;
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

    /// <summary>ELF interpreter; empty for the target's default (-I).</summary>
    public string Interpreter { get; set; } = "";
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
