using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Xcoff;

/// <summary>
/// XCOFF, 64 bits, for AIX. The file is: file header, auxiliary header, section headers, a gap; text with read-only data; data;
/// debug information; the section that the system's loader reads; symbol and string table.
/// </summary>
/// <remarks>
/// <para>The sources are AIX's XCOFF documentation and for every order and default cmd/link's xcoff.go.</para>
/// <para>Functions of other modules are reached through descriptors whose addresses the loader puts into the table of contents, at the
/// end of data: a reference to an import is one to its entry there. Text stays where it is linked for, data may be moved by the loader
/// and has far-away addresses; hence each address in data has an entry in the loader's section.</para>
/// <para>Partial files: this one (choice of target, imports), file layout and headers; objects for an external linker, and how that is
/// called.</para>
/// </remarks>
internal sealed partial class XcoffFormat : OutputFormat
{
    // What cmd/link reserves for headers: those of 23 sections.
    private const int HeaderReserve =
        XcoffConstants.FileHeaderSize + XcoffConstants.AuxiliaryHeaderSize + (23 * XcoffConstants.SectionHeaderSize);

    private const int SectionAlign = 64;
    private const int SectionAlignLog = 6;
    private const ulong TextBase = 0x1_0000_0000;
    private const ulong DataBase = 0x2_0000_0000;

    private readonly LoaderSection _loader = new();

    /// <inheritdoc/>
    public override string Name => "xcoff";

    /// <inheritdoc/>
    public override bool AllowsImportedTargets => true;

    /// <inheritdoc/>
    public override bool HasInitArray => false;

    /// <inheritdoc/>
    public override bool HasThreadLocalSection(LinkContext ctx) => ctx.Target.IsExternal || !ctx.Settings.NoDynamic;

    /// <summary>The symbol table is told the size of the type descriptors without it.</summary>
    public override bool LaysOutTypesMarker(LinkContext ctx) => true;

    /// <summary>Relocated types begin with a symbol that has a size.</summary>
    public override bool ReservesTypeOffsetZero => false;

    /// <summary>The loader changes addresses in data.</summary>
    public override bool ProgramsCanCheckThemselves(Target target) => false;

    /// <inheritdoc/>
    public override ulong AddressGap(LinkContext ctx, Segment segment) =>
        segment == ctx.RelRoDataSegment || (segment == ctx.DataSegment && ctx.RelRoDataSegment.Sections.Count == 0) ? DataBase - TextBase : 0;

    /// <inheritdoc/>
    public override void InitTarget(LinkContext ctx)
    {
        LinkSettings settings = ctx.Settings;
        settings.HeaderReserve = RoundUp(HeaderReserve);
        if (settings.Round != -1)
            ctx.Diagnostics.Error("-R not available on AIX");
        settings.Round = SectionAlign;
        if (settings.TextAddress != -1)
            ctx.Diagnostics.Error("-T not available on AIX");
        settings.TextAddress = (long)TextBase + settings.HeaderReserve;
    }

    /// <inheritdoc/>
    public override void AddFormatSymbols(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolBuilder toc = symbols.Update("TOC"u8, 0).SetKind(SymbolKind.XcoffToc);
        symbols.Hidden.Add(toc.Symbol);

        SymbolId entry = symbols.Lookup(RawText.Encode(ctx.Settings.EntrySymbol), 0);
        if (entry.IsNone || !symbols.IsReachable(entry))
            throw new LinkException("wrong entry point");
        _loader.SetEntry(entry);
        AddImports(ctx);
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (symbols.IsReachable(s) && symbols.Name(s).StartsWith("TOC."u8))
                symbols.Update(s).SetKind(SymbolKind.XcoffToc);
        }
        if (ctx.Target.IsExternal)
            AddObjectSymbols(ctx, toc.Symbol);
    }

    /// <inheritdoc/>
    public override void AddDynamicSymbol(LinkContext ctx, SymbolId s) =>
        ctx.Diagnostics.Error(ctx.Symbols.Name(s), "adddynsym: unsupported binary format");

    /// <inheritdoc/>
    public override void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType) => AddDynamicSymbol(ctx, s);

    /// <inheritdoc/>
    public override void AddPltEntry(LinkContext ctx, SymbolId s) => AddDynamicSymbol(ctx, s);

    /// <summary>
    /// Says whether the loader can do a relocation; which ones it has to do is found out when all addresses are known (Xcoffadddynrel).
    /// </summary>
    public override bool AddRelativeRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        if (ctx.Target.IsExternal)
            return true;
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        SymbolId target = relocs.Target(reloc);
        RelocKind kind = relocs.Kind(reloc);
        ReadOnlySpan<byte> kinds = ctx.Release.SymbolKindNumbers;
        if (kinds.IndexOf((byte)symbols.Kind(s)) <= kinds.IndexOf((byte)SymbolKind.PclnTab))
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"cannot have a relocation to {symbols.NameText(target)} in a text section symbol");
            return false;
        }
        if (kind != RelocKind.Addr)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"unexpected .loader relocation to symbol: {symbols.NameText(target)} (type: {kind.GoName()})");
            return false;
        }
        return true;
    }

    /// <summary>
    /// Makes of each imported symbol its entry in the table of contents, and beside it the imported symbol itself under its name in the
    /// library (genDynSym).
    /// </summary>
    private void AddImports(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        List<SymbolId> imports = [];
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (symbols.Kind(s) is SymbolKind.HostObj or SymbolKind.DynImport && symbols.IsReachable(s))
                imports.Add(s);
        }
        foreach (SymbolId s in imports)
        {
            string library = symbols.DynamicLibrary.GetValueOrDefault(s, "");
            if (library.Length == 0 && ctx.Target.IsInternal)
                ctx.Diagnostics.Error(symbols.Name(s), "imported symbol must have a given library");
            string name = symbols.OutputName(s);
            SymbolBuilder entry = symbols.Update(s).SetReachable().SetKind(SymbolKind.XcoffToc);
            SymbolBuilder import = symbols.Update(RawText.Encode(name), 0).SetKind(SymbolKind.DynImport);
            symbols.DynamicLibrary[import.Symbol] = library;
            symbols.ExternalNames[import.Symbol] = name;
            if (symbols.DynamicVersion.TryGetValue(s, out string? version))
                symbols.DynamicVersion[import.Symbol] = version;
            _loader.AddImport(import.Symbol, library, symbols.Name(s).SequenceEqual(XcoffConstants.ImportedVariable));
            // It was declared as a variable of some size; the entry's content is all there is now.
            entry.SetSize(entry.Data.Length).AddBytes(new byte[ctx.Target.PointerSize]);
            entry.AddReloc(RelocKind.Addr, 0, ctx.Target.PointerSize, import.Symbol, 0);
        }
    }

    private static int RoundUp(long value) => (int)((value + SectionAlign - 1) / SectionAlign * SectionAlign);
}
