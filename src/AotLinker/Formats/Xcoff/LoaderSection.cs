using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Xcoff;

/// <summary>
/// The section that the system's loader reads (.loader): entry point and imports, the addresses in data that change with its place, the
/// libraries (writeLdrScn).
/// </summary>
internal sealed class LoaderSection
{
    private const int HeaderSize = 56;
    private const int SymbolSize = 24;
    private const int RelocSize = 16;

    // Relocations name sections or symbols: three numbers stand for the sections.
    private const int TextSymbol = 0;
    private const int DataSymbol = 1;
    private const int BssSymbol = 2;
    private const int FirstSymbol = 3;

    private static ReadOnlySpan<byte> DefaultPath => "/usr/lib:/lib"u8;

    private readonly List<(SymbolId Symbol, int Library, bool IsVariable)> _imports = [];
    private readonly Dictionary<SymbolId, int> _numbers = [];
    private readonly List<string> _libraries = [];
    private SymbolId _entry;

    /// <summary>Names the entry point.</summary>
    public void SetEntry(SymbolId entry) => _entry = entry;

    /// <summary>Adds an import. Symbols of one library follow each other by its number in the list, not in this one.</summary>
    public void AddImport(SymbolId symbol, string library, bool isVariable)
    {
        int number = _libraries.IndexOf(library);
        if (number < 0)
        {
            number = _libraries.Count;
            _libraries.Add(library);
        }
        // The entry point is the first symbol.
        _numbers.TryAdd(symbol, FirstSymbol + 1 + _imports.Count);
        _imports.Add((symbol, number, isVariable));
    }

    /// <summary>The section's content; all addresses are known.</summary>
    public byte[] Build(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        (ulong[] sites, int[] targets) = FindRelocations(ctx);
        int symbolCount = 1 + _imports.Count;
        int relocCount = 1 + sites.Length;
        int importOffset = checked(HeaderSize + (symbolCount * SymbolSize) + (relocCount * RelocSize));
        List<byte> libraries = ImportFiles();
        int namesOffset = importOffset + libraries.Count;
        int namesSize = NameSize(symbols, _entry);
        foreach ((SymbolId s, _, _) in _imports)
            namesSize += NameSize(symbols, s);

        byte[] content = new byte[namesOffset + namesSize];
        XcoffWriter w = new(content);
        w.U32(2);
        w.U32((uint)symbolCount);
        w.U32((uint)relocCount);
        w.U32((uint)libraries.Count);
        w.U32((uint)_libraries.Count + 1);
        w.U32((uint)namesSize);
        w.U64((ulong)importOffset);
        w.U64((ulong)namesOffset);
        w.U64(HeaderSize);
        w.U64((ulong)(HeaderSize + (symbolCount * SymbolSize)));

        // Each name stands behind its length.
        int name = sizeof(ushort);
        XcoffSymbolType entryType = XcoffSymbolType.Entry | XcoffSymbolType.Section;
        short entrySection = XcoffFormat.NumberOf(ctx, ctx.SectionOf(_entry));
        WriteSymbol(ref w, (ulong)symbols.Value(_entry), name, entrySection, entryType, XcoffMapping.Descriptor, 0);
        name += NameSize(symbols, _entry);
        foreach ((SymbolId s, int library, bool isVariable) in _imports)
        {
            WriteSymbol(ref w, 0, name, 0, XcoffSymbolType.Import, isVariable ? XcoffMapping.Data : XcoffMapping.Descriptor, library + 1);
            name += NameSize(symbols, s);
        }

        WriteRelocation(ref w, (ulong)symbols.Value(_entry), entrySection, 0);
        for (int i = 0; i < sites.Length; i++)
        {
            SymbolId s = new((int)(sites[i] >> 32));
            ulong address = (ulong)symbols.Value(s) + (uint)sites[i];
            WriteRelocation(ref w, address, XcoffFormat.NumberOf(ctx, ctx.SectionOf(s)), targets[i]);
        }

        w.Bytes(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(libraries));
        WriteName(ref w, symbols.Name(_entry));
        foreach ((SymbolId s, _, _) in _imports)
            WriteName(ref w, symbols.Name(s));
        return content;
    }

    private static void WriteSymbol(
        ref XcoffWriter w, ulong value, int name, short section, XcoffSymbolType type, XcoffMapping mapping, int library)
    {
        w.U64(value);
        w.U32((uint)name);
        w.U16(section);
        w.U8((int)type);
        w.U8((int)mapping);
        w.U32((uint)library);
        w.U32(0);
    }

    private static void WriteRelocation(ref XcoffWriter w, ulong address, short section, int symbol)
    {
        w.U64(address);
        w.U16(XcoffConstants.AddressRelocation);
        w.U16(section);
        w.U32((uint)symbol);
    }

    private static void WriteName(ref XcoffWriter w, ReadOnlySpan<byte> name)
    {
        w.U16(name.Length + 1);
        w.Text(name);
    }

    private static int NameSize(SymbolTable symbols, SymbolId s) => sizeof(ushort) + symbols.Name(s).Length + 1;

    /// <summary>Where libraries are searched for, then each library as path, archive and member: "libc.a/shr_64.o".</summary>
    private List<byte> ImportFiles()
    {
        List<byte> files = [.. DefaultPath, 0, 0, 0];
        foreach (string library in _libraries)
        {
            int member = library.LastIndexOf('/');
            if (member < 0)
                throw new LinkException(MessageForm.Bare, $"imported library {library} is not of the form archive/member");
            int archive = member == 0 ? -1 : library.LastIndexOf('/', member - 1);
            files.AddRange(RawText.Encode(library[..Math.Max(archive, 0)]));
            files.Add(0);
            files.AddRange(RawText.Encode(library[(archive + 1)..member]));
            files.Add(0);
            files.AddRange(RawText.Encode(library[(member + 1)..]));
            files.Add(0);
        }
        return files;
    }

    /// <summary>
    /// All addresses in data: the sites, symbol in the upper and offset in the lower half, in order, and for each the number of what it
    /// refers to (Xcoffadddynrel, as relocsym and dynreloc call it).
    /// </summary>
    private (ulong[] Sites, int[] Targets) FindRelocations(LinkContext ctx)
    {
        const int Piece = 1 << 10;
        List<(ulong Site, int Target)> all = [];
        foreach (Section section in ctx.DataSegment.Sections)
        {
            int count = section.SymbolCount;
            List<(ulong, int)>?[] found = new List<(ulong, int)>?[(count + Piece - 1) / Piece];
            ctx.Workers.ForChunks(count, Piece, (from, to, _) =>
            {
                List<(ulong, int)> own = [];
                for (int i = from; i < to; i++)
                    AddRelocations(ctx, new SymbolId(ctx.Data[section.FirstSymbol + i]), own);
                found[from / Piece] = own;
            });
            foreach (List<(ulong, int)>? piece in found)
                all.AddRange(piece ?? []);
        }
        ctx.Diagnostics.Flush();
        ulong[] sites = new ulong[all.Count];
        int[] targets = new int[all.Count];
        for (int i = 0; i < sites.Length; i++)
            (sites[i], targets[i]) = all[i];
        Array.Sort(sites, targets);
        return (sites, targets);
    }

    private void AddRelocations(LinkContext ctx, SymbolId s, List<(ulong Site, int Target)> found)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs.Kind(i) != RelocKind.Addr || relocs[i].Size == 0 || relocs.Target(i) is not { IsNone: false } target)
                continue;
            SymbolKind kind = symbols.Kind(target);
            ulong site = ((ulong)s.Index << 32) | (uint)relocs[i].Offset;
            if (kind == SymbolKind.DynImport)
            {
                found.Add((site, _numbers[target]));
                continue;
            }
            // What nothing defines, relocation reports.
            if (ctx.SectionOf(target) is not { } section || kind is SymbolKind.None or SymbolKind.XRef)
                continue;
            if (!HoldsAddresses(symbols.Kind(s)))
            {
                RelocError($"unexpected type for .loader relocation R_ADDR for symbol {symbols.NameText(target)}: {symbols.Kind(s).GoName()} to {kind.GoName()}");
                continue;
            }
            if (section.Segment == ctx.TextSegment || section.Segment == ctx.RoDataSegment)
                found.Add((site, TextSymbol));
            else if (section.Segment == ctx.DataSegment)
                found.Add((site, kind is SymbolKind.Bss or SymbolKind.NoPtrBss or SymbolKind.GcMask ? BssSymbol : DataSymbol));
            else
                RelocError($"unknown segment for .loader relocation with symbol {symbols.NameText(target)}");
        }

        void RelocError(string text) => ctx.Diagnostics.Report(s.Index, $"{symbols.NameText(s)}: {text}");
    }

    private static bool HoldsAddresses(SymbolKind kind) =>
        kind.IsData() || kind.IsNoPtrData() || kind is SymbolKind.BuildInfo or SymbolKind.XcoffToc or SymbolKind.ModuleData;
}
