using AotLinker.Emit;
using AotLinker.Explain;
using AotLinker.Finish;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats;

/// <summary>
/// The object format seam: ELF, Mach-O, PE, XCOFF, Plan 9 and WebAssembly derive from this, one folder or file each. Generic passes ask
/// here and never name a format.
/// </summary>
/// <remarks>
/// One instance serves one link and may keep state between its steps. The steps in pass order, and the functions of cmd/link whose
/// place they take:
/// <list type="number">
/// <item><see cref="InitTarget"/>: computeTLSOffset, Archinit. Before load.</item>
/// <item><see cref="AddFormatSymbols"/>: doelf, domacho, dope and windynrelocsyms, doxcoff. After mangleTypeSym.</item>
/// <item><see cref="OrderDynamicSymbols"/>, then for relocations that need it <see cref="AddDynamicSymbol"/> and
/// <see cref="AddGotEntry"/>, then <see cref="FinishDynamicTables"/>: dodata's dynreloc.</item>
/// <item><see cref="ArrangeReadOnlyTables"/>: dodata, between sorting and placing symbols.</item>
/// <item><see cref="SectionsPlaced"/>: address.</item>
/// <item><see cref="NextSegmentOffset"/>: layout.</item>
/// <item><see cref="SizeTables"/>: what Asmbelfsetup and the first half of asmbElf find out. The output then gets its final length.</item>
/// <item><see cref="WriteSegments"/>: Asmb.</item>
/// <item><see cref="WriteTables"/>: Asmb2. After the content of all segments is in the output.</item>
/// </list>
/// </remarks>
internal abstract class OutputFormat
{
    /// <summary>Name for messages: "elf", "macho" ….</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Whether read-only data has a segment of its own. Mach-O and Plan 9 keep it with the text, and so does everybody who leaves the
    /// final word to an external linker.
    /// </summary>
    public virtual bool HasReadOnlySegment(LinkContext ctx) => false;

    /// <summary>
    /// Whether thread-local zeroed data has a section (.tbss), which lies at address 0 and takes no space in its segment.
    /// </summary>
    public virtual bool HasThreadLocalSection(LinkContext ctx) => false;

    /// <summary>Whether the sections of read-only relocated data carry GNU's names (.data.rel.ro…).</summary>
    public virtual bool NamesRelRoSections => true;

    /// <summary>
    /// Whether the markers runtime.text, runtime.data … are laid out as ordinary symbols of a few bytes, because the system's loader
    /// would otherwise take an equal address in another module for them.
    /// </summary>
    public virtual bool LaysOutMarkers(LinkContext ctx) => false;

    /// <summary>Whether the first symbol of each text section is a marker with a place of its own (runtime.text, runtime.text.1 …).</summary>
    public virtual bool LaysOutTextMarkers(LinkContext ctx) => false;

    /// <summary>Whether every call is looked at for a trampoline, however small the program, since calls lead to trampolines only.</summary>
    public virtual bool ChecksAllCalls(LinkContext ctx) => false;

    /// <summary>Gives markers that are laid out their space and kind, beside those of all formats (fixZeroSizedSymbols).</summary>
    public virtual void SizeMarkers(LinkContext ctx)
    {
    }

    /// <summary>Gives markers their alignments, before data is placed.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="data">The greatest alignment of data.</param>
    /// <param name="bss">The same of zeroed data.</param>
    public virtual void AlignMarkers(LinkContext ctx, int data, int bss)
    {
    }

    /// <summary>Whether runtime.types takes space before the type descriptors, in releases that ask for it.</summary>
    public virtual bool LaysOutTypesMarker(LinkContext ctx) => LaysOutMarkers(ctx);

    /// <summary>Whether relocated type descriptors leave their section's first byte free, so that no type has offset 0.</summary>
    public virtual bool ReservesTypeOffsetZero => true;

    /// <summary>Whether relocated read-only data gets a segment of its own.</summary>
    public virtual bool HasRelRoSegment(LinkContext ctx) => true;

    /// <summary>
    /// Whether we link for the format what shares Go code with other modules, as far as the CPU lets us: names and exports are then what
    /// modules find each other by.
    /// </summary>
    public virtual bool LinksModules => false;

    /// <summary>
    /// What of an external link is not done here, as a noun phrase; null where the format makes an object for an external linker and
    /// knows how to call that. Asked when all packages are loaded.
    /// </summary>
    public virtual string? ExternalLinkObstacle(LinkContext ctx) => "external linking";

    /// <summary>
    /// The command line of an external linker, itself first (hostlink). The object is complete, and what is asked of <paramref name="host"/> may
    /// run the linker to try an option, in the Go linker's order.
    /// </summary>
    public virtual List<string> ExternalLinkCommand(LinkContext ctx, HostLinker host) =>
        throw new InvalidOperationException($"{Name} has no external linker");

    /// <summary>Tells an external linker where the dynamic linker is and looks for libraries (-r, -I).</summary>
    /// <exception cref="LinkException">The dynamic linker's path would be taken for other options.</exception>
    protected static void AddDynamicLinkerOptions(LinkContext ctx, List<string> command, string? runPath)
    {
        if (!string.IsNullOrEmpty(runPath))
        {
            command.Add("-Wl,-rpath," + runPath);
        }
        string interpreter = ctx.Options.Interpreter;
        if (interpreter.Length == 0)
        {
            return;
        }
        if (interpreter.Contains(',') && ctx.Release.RefusesCommasInCgoDirectives)
        {
            Diagnostics.Exit($"invalid dynamic linker path {Cli.GoText.Quote(interpreter)}");
        }
        command.Add(ctx.Release.InterpreterOption + interpreter);
    }

    /// <summary>The function that C's start-up code calls, as the object has it.</summary>
    public virtual string ExternalEntry => "main";

    /// <summary>How many relocations of an object stand for one that is left to an external linker.</summary>
    public virtual int ExternalRelocationParts(in ExternalReloc left) => 1;

    /// <summary>Whether the relocations of a symbol that are left lie in the order of their places, not in that of the object.</summary>
    public virtual bool SortsExternalRelocations => false;

    /// <summary>What the archiver is told beside what it always is (ld.archive).</summary>
    public virtual IReadOnlyList<string> ArchiverOptions => [];

    /// <summary>Whether an external linker drops symbols that nothing refers to, unless a relocation keeps them.</summary>
    public virtual bool LinkerDropsUnreferenced => false;

    /// <summary>Whether places in thread-local storage are left to an external linker; else they are those of the finished program.</summary>
    public virtual bool LeavesThreadLocals => true;

    /// <summary>What the field of a relocation that is left holds until then (the parts of relocsym for external linking).</summary>
    /// <param name="left">The relocation, as it is left.</param>
    /// <param name="site">The same as it stands in the object.</param>
    /// <param name="content">What the field holds now, zero-extended.</param>
    /// <param name="isPassedOn">Whether it is the distance of something that no object of ours defines.</param>
    public virtual long ExternalField(in ExternalReloc left, in RelocSite site, ulong content, bool isPassedOn) =>
        site.Context.Target.Cpu.ExternalField(in site, content, isPassedOn ? 0 : left.Addend);

    /// <summary>What of the external linker's output is shown when all went well: warnings, but for those that are always there.</summary>
    public virtual byte[] ExternalLinkWarnings(LinkContext ctx, byte[] output) => output;

    /// <summary>A text without the lines that contain something, and some behind each of these.</summary>
    protected static byte[] WithoutLines(byte[] text, ReadOnlySpan<byte> part, int behind)
    {
        List<byte> kept = [];
        int skip = 0;
        for (ReadOnlySpan<byte> left = text; !left.IsEmpty;)
        {
            int end = left.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? left : left[..(end + 1)];
            left = left[line.Length..];
            if (skip > 0)
            {
                skip--;
            }
            else if (line.IndexOf(part) >= 0)
            {
                skip = behind;
            }
            else
            {
                kept.AddRange(line);
            }
        }
        return [.. kept];
    }

    /// <summary>
    /// Changes what the external linker has made: the hash by which a program checks its FIPS module (hostlinkfips), and what other tools are
    /// needed for (the end of hostlink).
    /// </summary>
    /// <exception cref="LinkException">A tool fails, or what was made is damaged.</exception>
    public virtual void AmendExternalLink(LinkContext ctx, HostLinker host)
    {
    }

    /// <summary>Whether dynamic relocations are recorded at all; PE has its own way with imports.</summary>
    public virtual bool RecordsDynamicRelocations => true;

    /// <summary>
    /// Whether references to symbols of shared libraries may stay as they are when relocations are applied, on systems whose programs
    /// always import their C library.
    /// </summary>
    public virtual bool AllowsImportedTargets => false;

    /// <summary>Whether programs of this format carry debug information (dwarfEnabled).</summary>
    public virtual bool HasDebugInfo => true;

    /// <summary>Whether the external linker of the link takes debug information; it may have to be asked.</summary>
    /// <exception cref="LinkException">It gives no answer.</exception>
    public virtual bool LinkerTakesDebugInfo(LinkContext ctx) => true;

    /// <summary>Whether Go's build ID has a note of its own, so that it need not stand in front of the text.</summary>
    public virtual bool HasBuildIdNote => false;

    /// <summary>Whether thread-local variables are reached through the global offset table in position-independent code (R_TLS_IE).</summary>
    public virtual bool HasInitialExecTls => false;

    /// <summary>
    /// Looks up or creates the symbols of <see cref="WellKnownSymbols"/> that only this format has (setArchSyms). The order decides their ids.
    /// </summary>
    public virtual void DefineKnownSymbols(LinkContext ctx)
    {
    }

    /// <summary>Whether a library's host calls the entry point by way of an array of initialisers (symtab, addinitarrdata).</summary>
    public virtual bool HasInitArray => true;

    /// <summary>The lowest address of data, where the system keeps something of its own below it (address).</summary>
    public virtual ulong MinDataAddress => 0;

    /// <summary>Whether -c ends with the sizes of the program's parts (asmb2).</summary>
    public virtual bool ReportsSizes => true;

    /// <summary>
    /// Whether a program finds its own code and data in memory as they are in the file, relocation of addresses aside, so that its FIPS
    /// module can be hashed (obj.EnableFIPS). Not so for WebAssembly, XCOFF, and PE where code itself is relocated.
    /// </summary>
    public virtual bool ProgramsCanCheckThemselves(Target target) => true;

    /// <summary>
    /// Sets the TLS offset, <see cref="LinkSettings.HeaderReserve"/> and the defaults of -T and -R; may create symbols that come first.
    /// </summary>
    public abstract void InitTarget(LinkContext ctx);

    /// <summary>
    /// A directive names a shared library, with a symbol to import from it or without one; called for each directive, in order
    /// (machoadddynlib).
    /// </summary>
    public virtual void LibraryNamed(LinkContext ctx, string library)
    {
    }

    /// <summary>
    /// Sets what <see cref="InitTarget"/> does where that needs to know who does the final link, and makes symbols that come before those
    /// of linksetup (Peinit). Called by linksetup.
    /// </summary>
    public virtual void SetUpImage(LinkContext ctx)
    {
    }

    /// <summary>Takes over resources, sections of a host object that only this format has a place for.</summary>
    public virtual void AddResources(LinkContext ctx, IReadOnlyList<SymbolId> symbols) =>
        throw new InvalidOperationException($"{Name} has no resources");

    /// <summary>Makes the symbols of the format: section names, dynamic linking tables, PLT and GOT.</summary>
    public abstract void AddFormatSymbols(LinkContext ctx);

    /// <summary>Gives dynamic symbols their numbers where these must be known before relocations refer to them.</summary>
    public virtual void OrderDynamicSymbols(LinkContext ctx)
    {
    }

    /// <summary>Called when all functions have their addresses, for tables in the functions' order (the end of textaddress).</summary>
    public virtual void TextPlaced(LinkContext ctx)
    {
    }

    /// <summary>Enters a symbol in the dynamic symbol table, if it is not there yet (Adddynsym).</summary>
    public abstract void AddDynamicSymbol(LinkContext ctx, SymbolId s);

    /// <summary>
    /// Which of the libraries that the objects ask for are needed, in order; repeats are dropped by the caller (dedupLibraries). OpenBSD
    /// prefers names with a version.
    /// </summary>
    public virtual IEnumerable<string> SelectLibraries(LinkContext ctx, IReadOnlyList<string> libraries) => libraries;

    /// <summary>Enters a shared library as needed by the program (adddynlib).</summary>
    public virtual void AddNeededLibrary(LinkContext ctx, string library) =>
        ctx.Diagnostics.Error("adddynlib: unsupported binary format");

    /// <summary>
    /// Gives a symbol a place in the global offset table, if it has none yet (AddGotSym); the offset is then in
    /// <see cref="SymbolTable.GotOffset"/>.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="s">The symbol.</param>
    /// <param name="relocType">The format's number of the relocation that fills the place at run time.</param>
    public abstract void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType);

    /// <summary>
    /// Gives a symbol a PLT entry, if it has none yet (the CPUs' addpltsym); the offset is then in <see cref="SymbolTable.PltOffset"/>.
    /// </summary>
    public abstract void AddPltEntry(LinkContext ctx, SymbolId s);

    /// <summary>
    /// Records that the address which relocation <paramref name="reloc"/> of <paramref name="s"/> writes is to be adjusted at run time
    /// by where the program was loaded. The relocation is applied all the same.
    /// </summary>
    /// <returns>Whether the format has such relocations.</returns>
    public virtual bool AddRelativeRelocation(LinkContext ctx, SymbolId s, int reloc) => false;

    /// <summary>
    /// Records that the address of an imported symbol, which relocation <paramref name="reloc"/> of <paramref name="s"/> refers to, is to
    /// be added at run time; the relocation then writes its addend only.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="s">The symbol.</param>
    /// <param name="reloc">Index of the relocation.</param>
    /// <param name="relocType">The format's number of the run-time relocation.</param>
    /// <returns>Whether the format has such relocations.</returns>
    public virtual bool AddImportRelocation(LinkContext ctx, SymbolId s, int reloc, uint relocType) => false;

    /// <summary>Whether code loads the address of an imported variable from the GOT although it was compiled to compute it (Mach-O).</summary>
    public virtual bool LoadsImportsFromGot => false;

    /// <summary>Whether the address of an imported function in code is that of its PLT entry (Solaris).</summary>
    public virtual bool AddressesImportsByPlt => false;

    /// <summary>Completes the dynamic linking tables once all dynamic relocations are known (elfdynhash).</summary>
    public virtual void FinishDynamicTables(LinkContext ctx)
    {
    }

    /// <summary>
    /// Changes the order of the sorted <see cref="SymbolKind.ElfRoSect"/> symbols where the format needs some side by side; may set
    /// alignments.
    /// </summary>
    public virtual void ArrangeReadOnlyTables(LinkContext ctx, Span<int> symbols)
    {
    }

    /// <summary>Extra address space in front of a segment (XCOFF keeps data far from text).</summary>
    public virtual ulong AddressGap(LinkContext ctx, Segment segment) => 0;

    /// <summary>
    /// What stands in front of a compressed DWARF section of <paramref name="size"/> bytes; null where the format has no compressed
    /// sections.
    /// </summary>
    public virtual byte[]? CompressedDwarfHeader(LinkContext ctx, long size) => null;

    /// <summary>Name of a DWARF section once it is compressed.</summary>
    public virtual string CompressedDwarfName(string name) => name;

    /// <summary>Rounding of the address after each DWARF section; 1 for none.</summary>
    public virtual long DwarfSectionRounding => 1;

    /// <summary>The type of a relocation that stores an address, in files of this format that others made; 0 where none are read.</summary>
    public virtual uint AbsoluteRelocation => 0;

    /// <summary>Called when all symbols have their addresses, the markers included, to define what the format adds.</summary>
    public virtual void SectionsPlaced(LinkContext ctx)
    {
    }

    /// <summary>File offset of the segment that follows <paramref name="previous"/> in the file.</summary>
    /// <exception cref="LinkException">The segment's address does not fit its place in the file.</exception>
    public virtual ulong NextSegmentOffset(LinkContext ctx, Segment previous, Segment segment)
    {
        ulong round = (ulong)ctx.Settings.Round;
        ulong offset = (previous.FileOffset + previous.FileLength + round - 1) / round * round;
        if (segment.Vaddr % round != offset % round)
        {
            throw new LinkException($"bad segment rounding (Vaddr=0x{segment.Vaddr:x} Fileoff=0x{offset:x} FlagRound=0x{round:x})");
        }
        return offset;
    }

    /// <summary>
    /// Decides the place and size of everything outside the segments: headers, symbol and string tables, section table. All addresses
    /// and file offsets of segments are known.
    /// </summary>
    /// <returns>Length of the file.</returns>
    public abstract long SizeTables(LinkContext ctx);

    /// <summary>Bytes of the symbol table, known from <see cref="SizeTables"/> on; -c shows them. 0 where cmd/link does not count them.</summary>
    public virtual long SymbolTableSize => 0;

    /// <summary>Bytes of a line table of the format's own, known from <see cref="SizeTables"/> on; -c shows them.</summary>
    public virtual long LineTableSize => 0;

    /// <summary>
    /// Writes the content of the segments (Asmb). Most formats hold an image of each; one that does not encodes it in a way of its own,
    /// and has found out in <see cref="SizeTables"/> how long that gets.
    /// </summary>
    public virtual void WriteSegments(LinkContext ctx) => Emitter.Run(ctx);

    /// <summary>Writes everything outside the segments.</summary>
    public abstract void WriteTables(LinkContext ctx);

    /// <summary>
    /// Says where in the file, which is written, the image of memory lies and where the format's own tables are, for the account of its bytes.
    /// Here it is the image of all segments but debug information.
    /// </summary>
    public virtual void DescribeFile(LinkContext ctx, FileMap map)
    {
        foreach (Segment segment in ctx.SegmentOrder)
        {
            if (segment != ctx.DwarfSegment)
            {
                map.Memory(segment);
            }
        }
    }

    /// <summary>The value of a local-exec reference to thread-local storage (relocsym, R_TLS_LE).</summary>
    /// <exception cref="LinkException">The format has no such reference.</exception>
    public virtual long ThreadLocalOffset(LinkContext ctx, SymbolId target, long addend) => ctx.TlsOffset + addend;

    /// <summary>The value of a reference relative to the image's start (R_PEIMAGEOFF).</summary>
    public virtual long ImageBase => 0;
}
