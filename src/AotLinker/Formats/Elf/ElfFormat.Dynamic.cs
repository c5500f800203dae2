using System.Globalization;
using System.Text;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>Dynamic linking: the sections and tables the dynamic linker reads (doelf, elfadddynsym, elfdynhash).</summary>
internal sealed partial class ElfFormat
{
    private readonly ElfRelocationTable _relocations;
    private readonly HashSet<string> _neededLibraries = new(StringComparer.Ordinal);

    // The first dynamic symbol is the null symbol.
    private int _dynamicSymbolCount = 1;
    private int _versionedLibraryCount;

    /// <inheritdoc/>
    public override void AddFormatSymbols(LinkContext ctx)
    {
        if (ctx.Target.IsExternal)
            AddObjectSymbols(ctx);
        else if (!ctx.Settings.NoDynamic)
            AddDynamicTables(ctx);
        _cpu.AddAbiSymbols(ctx);
    }

    /// <summary>Makes the tables that the dynamic linker reads, and what is known of their content.</summary>
    private void AddDynamicTables(LinkContext ctx)
    {
        // The order of creation is the order of the symbols' ids, and so of the sections later.
        bool relRo = ctx.Target.UseRelro;
        SymbolTable symbols = ctx.Symbols;
        SymbolBuilder dynSym = symbols.Update(".dynsym"u8, 0).SetKind(SymbolKind.ElfRoSect);
        dynSym.SetSize(dynSym.Size + _encoding.SymbolSize);
        SymbolBuilder dynStr = symbols.Update(".dynstr"u8, 0).SetKind(SymbolKind.ElfRoSect);
        if (dynStr.Size == 0)
            dynStr.AddString(""u8);
        SymbolBuilder rel = Table(RelocationPrefix);
        SymbolBuilder got = symbols.Update(".got"u8, 0).SetKind(relRo ? SymbolKind.ElfRelRoSect : SymbolKind.ElfGot);
        _cpu.AddStubSymbols(ctx);
        SymbolBuilder hash = Table(".hash");
        SymbolBuilder gotPlt = symbols.Update(".got.plt"u8, 0)
            .SetKind(relRo && _options.BindNow ? SymbolKind.ElfRelRoSect : SymbolKind.ElfSect);
        SymbolBuilder plt = symbols.Update(".plt"u8, 0).SetKind(_cpu.PltIsCode ? SymbolKind.ElfRxSect : SymbolKind.ElfSect);
        Table(RelocationPrefix + ".plt");
        Table(".gnu.version");
        Table(".gnu.version_r");
        SymbolBuilder dynamic = symbols.Update(".dynamic"u8, 0)
            .SetKind(_cpu.DynamicIsReadOnly ? SymbolKind.ElfRoSect : relRo ? SymbolKind.ElfRelRoSect : SymbolKind.ElfSect);
        SymbolBuilder slots = _cpu.PltUsesGot(ctx.Release) ? got : gotPlt;
        if (plt.Size == 0)
            _cpu.SetUpPlt(ctx, plt, slots, dynamic.Symbol);

        AddEntry(dynamic, ElfDynamicTag.Hash, hash.Symbol);
        AddEntry(dynamic, ElfDynamicTag.SymTab, dynSym.Symbol);
        AddEntry(dynamic, ElfDynamicTag.SymEntry, (ulong)_encoding.SymbolSize);
        AddEntry(dynamic, ElfDynamicTag.StrTab, dynStr.Symbol);
        AddSizeEntry(dynamic, ElfDynamicTag.StrSize, dynStr.Symbol);
        AddEntry(dynamic, _cpu.HasAddends ? ElfDynamicTag.Rela : ElfDynamicTag.Rel, rel.Symbol);
        AddSizeEntry(dynamic, _cpu.HasAddends ? ElfDynamicTag.RelaSize : ElfDynamicTag.RelSize, rel.Symbol);
        AddEntry(dynamic, _cpu.HasAddends ? ElfDynamicTag.RelaEntry : ElfDynamicTag.RelEntry, (ulong)DynamicRelocationSize);
        if (_options.RunPath.Length > 0)
            AddEntry(dynamic, ElfDynamicTag.RunPath, (ulong)dynStr.AddString(RawText.Encode(_options.RunPath)));
        AddEntry(dynamic, ElfDynamicTag.PltGot, _cpu.PltIsCode ? slots.Symbol : plt.Symbol);
        _cpu.AddDynamicEntries((tag, value) => AddEntry(dynamic, tag, value));
        // What concerns the PLT's relocations is added once their number is known: Solaris can't do with an empty table.
        AddEntry(dynamic, ElfDynamicTag.Debug, 0);

        SymbolBuilder Table(string name) => symbols.Update(Encoding.UTF8.GetBytes(name), 0).SetKind(SymbolKind.ElfRoSect);
    }

    /// <inheritdoc/>
    public override IEnumerable<string> SelectLibraries(LinkContext ctx, IReadOnlyList<string> libraries) =>
        _os.HasVersionedLibraryNames ? MergeVersions(libraries) : libraries;

    /// <inheritdoc/>
    public override void AddNeededLibrary(LinkContext ctx, string library)
    {
        if (!_neededLibraries.Add(library))
            return;
        SymbolBuilder dynStr = ctx.Symbols.Update(ctx.Known.DynStr);
        if (dynStr.Size == 0)
            dynStr.AddString(""u8);
        AddEntry(ctx.Symbols.Update(ctx.Known.Dynamic), ElfDynamicTag.Needed, (ulong)dynStr.AddString(RawText.Encode(library)));
    }

    /// <inheritdoc/>
    public override void AddDynamicSymbol(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        if (!symbols.DynamicId.TryAdd(s, _dynamicSymbolCount))
            return;
        _dynamicSymbolCount++;

        SymbolBuilder dynSym = symbols.Update(ctx.Known.DynSym);
        bool exportedDynamic = symbols.CgoExportDynamic.Contains(s);
        bool isFunction = symbols.Kind(s).IsText() && _cpu.ExportsFunction(symbols.CgoExportStatic.Contains(s), exportedDynamic);
        bool isImport = symbols.Kind(s) == SymbolKind.DynImport;
        byte info = (byte)(ElfConstants.BindGlobal | (byte)(isFunction ? ElfSymbolType.Function : ElfSymbolType.Object));
        // The section of a definition is not known yet; any number that isn't "undefined" does.
        ushort section = isImport ? ElfConstants.SectionUndefined : (ushort)1;
        uint name = (uint)symbols.Update(ctx.Known.DynStr).AddString(RawText.Encode(symbols.OutputName(s)));
        uint size = (uint)symbols.Data(s).Length;

        dynSym.AddUInt32(name);
        if (_encoding.Is64)
        {
            dynSym.AddUInt8(info);
            dynSym.AddUInt8(0);
            dynSym.AddUInt16(section);
            AddValue();
            dynSym.AddUInt64(size);
            if (!exportedDynamic && symbols.DynamicLibrary.TryGetValue(s, out string? library) && library.Length > 0)
                AddNeededLibrary(ctx, library);
        }
        else
        {
            AddValue();
            dynSym.AddUInt32(size);
            dynSym.AddUInt8(info);
            dynSym.AddUInt8(0);
            dynSym.AddUInt16(section);
        }

        void AddValue()
        {
            if (isImport)
                dynSym.AddUIntPtr(0);
            else
                dynSym.AddAddress(s);
        }
    }

    /// <inheritdoc/>
    public override void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType)
    {
        SymbolTable symbols = ctx.Symbols;
        if (symbols.GotOffset.ContainsKey(s))
            return;
        AddDynamicSymbol(ctx, s);
        SymbolBuilder got = symbols.Update(ctx.Known.Got);
        int offset = (int)got.Size;
        symbols.GotOffset[s] = offset;
        got.AddUIntPtr(0);

        _relocations.Add(got.Symbol, offset, (uint)symbols.DynamicId[s], relocType, SymbolId.None, 0);
    }

    /// <inheritdoc/>
    public override bool AddRelativeRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        RelocList relocs = ctx.Symbols.Relocs(s);
        ref readonly RelocRecord r = ref relocs[reloc];
        SymbolId target = relocs.Target(reloc);
        if (r.Size != ctx.Target.PointerSize)
            ctx.Diagnostics.Error(ctx.Symbols.Name(s), $"unexpected relocation for dynamic symbol {ctx.Symbols.NameText(target)}");
        _relocations.Add(s, r.Offset, 0, _cpu.RelativeType, target, r.Addend);
        return true;
    }

    /// <inheritdoc/>
    public override bool AddImportRelocation(LinkContext ctx, SymbolId s, int reloc, uint relocType)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        SymbolId target = relocs.Target(reloc);
        AddDynamicSymbol(ctx, target);
        _relocations.Add(s, relocs[reloc].Offset, (uint)symbols.DynamicId[target], relocType, SymbolId.None, relocs[reloc].Addend);
        SymbolBuilder b = symbols.Update(s);
        b.SetRelocKind(reloc, RelocKind.Const);
        b.SetRelocTarget(reloc, SymbolId.None);
        return true;
    }

    /// <inheritdoc/>
    public override void AddPltEntry(LinkContext ctx, SymbolId s)
    {
        if (ctx.Symbols.PltOffset.ContainsKey(s))
            return;
        AddDynamicSymbol(ctx, s);
        ctx.Symbols.PltOffset[s] = _cpu.AddPltEntry(ctx, s, ctx.Symbols.DynamicId[s]);
    }

    /// <inheritdoc/>
    public override void FinishDynamicTables(LinkContext ctx)
    {
        _relocations.Complete(ctx, RelocationPrefix);
        AddHashTable(ctx);
        SymbolBuilder versionsNeeded = ctx.Symbols.Update(".gnu.version_r"u8, 0);
        SymbolBuilder versions = ctx.Symbols.Update(".gnu.version"u8, 0);
        AddVersions(ctx, versionsNeeded, versions);

        SymbolBuilder dynamic = ctx.Symbols.Update(".dynamic"u8, 0);
        ulong flags1 = 0;
        if (_options.BindNow)
        {
            flags1 |= ElfConstants.Flag1Now;
            AddEntry(dynamic, ElfDynamicTag.Flags, ElfConstants.FlagBindNow);
        }
        if (ctx.Target.IsPie)
            flags1 |= ElfConstants.Flag1Pie;
        AddEntry(dynamic, ElfDynamicTag.Flags1, flags1);
        if (_versionedLibraryCount != 0)
        {
            AddEntry(dynamic, ElfDynamicTag.VerNeed, versionsNeeded.Symbol);
            AddEntry(dynamic, ElfDynamicTag.VerNeedCount, (ulong)_versionedLibraryCount);
            AddEntry(dynamic, ElfDynamicTag.VerSym, versions.Symbol);
        }

        SymbolBuilder relPlt = ctx.Symbols.Update(_cpu.HasAddends ? ".rela.plt"u8 : ".rel.plt"u8, 0);
        if (relPlt.Size > 0)
        {
            AddEntry(dynamic, ElfDynamicTag.PltRel, (ulong)(_cpu.HasAddends ? ElfDynamicTag.Rela : ElfDynamicTag.Rel));
            AddSizeEntry(dynamic, ElfDynamicTag.PltRelSize, relPlt.Symbol);
            AddEntry(dynamic, ElfDynamicTag.JmpRel, relPlt.Symbol);
        }
        AddEntry(dynamic, ElfDynamicTag.Null, 0);
    }

    /// <inheritdoc/>
    public override void ArrangeReadOnlyTables(LinkContext ctx, Span<int> symbols)
    {
        // One table follows the other without a gap: the ABI wants that, and Solaris looks.
        int rel = -1;
        int plt = -1;
        for (int i = 0; i < symbols.Length; i++)
        {
            ReadOnlySpan<byte> name = ctx.Symbols.Name(new SymbolId(symbols[i]));
            if (name.SequenceEqual(".rel.plt"u8) || name.SequenceEqual(".rela.plt"u8))
                plt = i;
            else if (name.SequenceEqual(".rel"u8) || name.SequenceEqual(".rela"u8))
                rel = i;
        }
        if (rel < 0 || plt < 0 || plt == rel + 1)
            return;
        (int relId, int pltId) = (symbols[rel], symbols[plt]);
        (int first, int second) = (Math.Min(rel, plt), Math.Max(rel, plt));
        symbols[(first + 1)..second].CopyTo(symbols[(first + 2)..]);
        symbols[first] = relId;
        symbols[first + 1] = pltId;
        ctx.Symbols.SetAlign(new SymbolId(relId), ctx.Target.Cpu.RegisterSize);
        ctx.Symbols.SetAlign(new SymbolId(pltId), ctx.Target.Cpu.RegisterSize);
    }

    /// <summary>The hash function of dynamic symbols' names, as the System V ABI gives it.</summary>
    internal static uint HashName(ReadOnlySpan<byte> name)
    {
        uint h = 0;
        foreach (byte b in name)
        {
            h = (h << 4) + b;
            h ^= (h >> 24) & 0xf0;
            h &= 0x0fffffff;
        }
        return h;
    }

    /// <summary>
    /// Libraries without doubles, sorted, where a name with a version (lib.so.1.2) also stands for the one without, which need not be
    /// loaded again (dedupLibrariesOpenBSD).
    /// </summary>
    private List<string> MergeVersions(IReadOnlyList<string> libraries)
    {
        Dictionary<string, string> byName = new(StringComparer.Ordinal);
        foreach (string library in libraries)
        {
            if (NameWithoutVersion(library) is { } name)
            {
                _neededLibraries.Add(name);
                byName[name] = library;
            }
            else
            {
                byName.TryAdd(library, library);
            }
        }
        List<string> merged = [.. byName.Values];
        merged.Sort(StringComparer.Ordinal);
        return merged;
    }

    // "libc.so" for "libc.so.96.1"; null for other forms.
    private static string? NameWithoutVersion(string library)
    {
        string[] parts = library.Split('.');
        return parts.Length == 4 && parts[1] == "so" && IsNumber(parts[2]) && IsNumber(parts[3]) ? $"{parts[0]}.{parts[1]}" : null;

        static bool IsNumber(string s) => long.TryParse(s, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
    }

    private void AddHashTable(LinkContext ctx)
    {
        // As many buckets as the number of symbols has bits, and one.
        uint[] buckets = new uint[1 + 32 - int.LeadingZeroCount(_dynamicSymbolCount)];
        uint[] chain = new uint[_dynamicSymbolCount];
        foreach ((SymbolId s, int id) in ctx.Symbols.DynamicId)
        {
            ref uint bucket = ref buckets[HashName(RawText.Encode(ctx.Symbols.OutputName(s))) % (uint)buckets.Length];
            chain[id] = bucket;
            bucket = (uint)id;
        }

        SymbolBuilder hash = ctx.Symbols.Update(".hash"u8, 0).SetKind(SymbolKind.ElfRoSect);
        AddNumber((uint)buckets.Length);
        AddNumber((uint)chain.Length);
        foreach (uint bucket in buckets)
            AddNumber(bucket);
        foreach (uint next in chain)
            AddNumber(next);

        void AddNumber(uint v)
        {
            if (_cpu.HashEntrySize == 8)
                hash.AddUInt64(v);
            else
                hash.AddUInt32(v);
        }
    }

    /// <summary>Writes which library version each dynamic symbol wants, and which versions are wanted of each library.</summary>
    private void AddVersions(LinkContext ctx, SymbolBuilder versionsNeeded, SymbolBuilder versions)
    {
        List<NeededLibrary> libraries = [];
        NeededVersion?[] wanted = new NeededVersion?[_dynamicSymbolCount];
        foreach ((SymbolId s, int id) in ctx.Symbols.DynamicId)
        {
            if (ctx.Symbols.DynamicVersion.TryGetValue(s, out string? version) && version.Length > 0)
                wanted[id] = Find(libraries, ctx.Symbols.DynamicLibrary.GetValueOrDefault(s, ""), version);
        }
        _versionedLibraryCount = libraries.Count;

        // The last library found comes first, and so with its versions. 0 and 1 are "local" and "global".
        SymbolBuilder dynStr = ctx.Symbols.Update(".dynstr"u8, 0);
        int number = 2;
        for (int i = libraries.Count - 1; i >= 0; i--)
        {
            NeededLibrary library = libraries[i];
            versionsNeeded.AddUInt16(1);
            versionsNeeded.AddUInt16((ushort)library.Versions.Count);
            versionsNeeded.AddUInt32((uint)dynStr.AddString(RawText.Encode(library.Name)));
            versionsNeeded.AddUInt32(16);
            versionsNeeded.AddUInt32(i > 0 ? 16 + ((uint)library.Versions.Count * 16) : 0);
            for (int j = library.Versions.Count - 1; j >= 0; j--)
            {
                NeededVersion version = library.Versions[j];
                version.Number = (ushort)number++;
                byte[] name = RawText.Encode(version.Name);
                versionsNeeded.AddUInt32(HashName(name));
                versionsNeeded.AddUInt16(0);
                versionsNeeded.AddUInt16(version.Number);
                versionsNeeded.AddUInt32((uint)dynStr.AddString(name));
                versionsNeeded.AddUInt32(j > 0 ? 16u : 0);
            }
        }
        for (int id = 0; id < wanted.Length; id++)
            versions.AddUInt16(id == 0 ? (ushort)0 : wanted[id]?.Number ?? 1);

        static NeededVersion Find(List<NeededLibrary> libraries, string name, string version)
        {
            NeededLibrary? library = libraries.Find(l => l.Name == name);
            if (library is null)
                libraries.Add(library = new NeededLibrary(name));
            NeededVersion? found = library.Versions.Find(v => v.Name == version);
            if (found is null)
                library.Versions.Add(found = new NeededVersion(version));
            return found;
        }
    }

    private void AddTag(SymbolBuilder dynamic, ElfDynamicTag tag) => dynamic.AddUIntPtr((ulong)tag);

    private void AddEntry(SymbolBuilder dynamic, ElfDynamicTag tag, ulong value)
    {
        AddTag(dynamic, tag);
        dynamic.AddUIntPtr(value);
    }

    private void AddEntry(SymbolBuilder dynamic, ElfDynamicTag tag, SymbolId target)
    {
        AddTag(dynamic, tag);
        dynamic.AddAddress(target);
    }

    private void AddSizeEntry(SymbolBuilder dynamic, ElfDynamicTag tag, SymbolId target)
    {
        AddTag(dynamic, tag);
        dynamic.AddSizeOf(target);
    }

    private sealed record NeededLibrary(string Name)
    {
        public List<NeededVersion> Versions { get; } = [];
    }

    private sealed class NeededVersion(string name)
    {
        public string Name => name;

        public ushort Number { get; set; }
    }
}
