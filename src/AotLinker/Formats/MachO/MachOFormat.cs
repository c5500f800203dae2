using System.Buffers.Binary;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Mach-O executables of 64 bits, little-endian. The file is: header with load commands (in the reserve in front of the text); the
/// segments __TEXT (code and read-only data), __DATA_CONST (relocated read-only data), __DATA, __DWARF, which is not loaded; and
/// __LINKEDIT: what the dynamic linker does to data, symbols, indirect symbols, names, code signature.
/// </summary>
/// <remarks>
/// <para>The sources are Apple's mach-o/loader.h and nlist.h, xnu's cs_blobs.h, and for every order and default cmd/link's macho.go.</para>
/// <para>Odd about the format: C names, and all others with them, have an underscore in front. Debug sections are compressed the way GNU's
/// tools did it before ELF had a header for that, with names that begin with "__zdebug". The table of symbols is sorted, and the table of
/// indirect symbols, which says whose the stubs and the GOT's entries are, refers to places there: the order is needed before relocations
/// are looked at. The header's room grows with the libraries that are named in it. The signature hashes everything in front of it, so it
/// comes last.</para>
/// <para>Partial files: this one (target, imports), load commands and tables, objects for an external linker, what that is told.</para>
/// </remarks>
internal sealed partial class MachOFormat : OutputFormat
{
    private const int InitialHeaderReserve = 4096;

    // What the first page leaves for libraries; more of them take a further page each time.
    private const int LibraryBudget = InitialHeaderReserve - 2048;
    private const int HeaderGrowth = 4096;
    private const string SystemLibrary = "/usr/lib/libSystem.B.dylib";

    private readonly MachOOptions _options;
    private readonly MachOCpu _cpu;
    private readonly DyldInfo _dyldInfo = new();
    private readonly List<string> _libraries = [];
    private int _libraryBudget = LibraryBudget;
    private MachOSymbolTable? _symbolTable;
    private (MachOCommand Command, uint[] Words)? _hostPlatform;
    private MachOPlatform _platform = MachOPlatform.Mac;

    /// <summary>Mach-O for a CPU.</summary>
    public MachOFormat(MachOCpu cpu, MachOOptions options)
    {
        _cpu = cpu;
        _options = options;
    }

    /// <inheritdoc/>
    public override string Name => "macho";

    /// <inheritdoc/>
    public override bool NamesRelRoSections => false;

    /// <inheritdoc/>
    public override bool AllowsImportedTargets => true;

    /// <inheritdoc/>
    public override bool LoadsImportsFromGot => true;

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override bool LaysOutMarkers(LinkContext ctx) => ctx.Target.IsDynlinkingGo;

    private MachOSymbolTable Symbols => _symbolTable ?? throw new InvalidOperationException("the symbol table has no order yet");

    /// <inheritdoc/>
    public override void InitTarget(LinkContext ctx)
    {
        LinkSettings settings = ctx.Settings;
        ctx.TlsOffset = _cpu.TlsOffset;
        settings.HeaderReserve = InitialHeaderReserve;
        if (settings.Round == -1)
            settings.Round = _cpu.Round;
        if (settings.TextAddress == -1)
            settings.TextAddress = RoundUp(_cpu.ImageBase, settings.Round) + settings.HeaderReserve;
    }

    /// <inheritdoc/>
    public override void LibraryNamed(LinkContext ctx, string library)
    {
        if (ctx.Target.IsExternal || _libraries.Contains(library))
            return;
        _libraryBudget -= ((library.Length + 7) / 8 * 8) + 24;
        if (_libraryBudget < 0)
        {
            ctx.Settings.HeaderReserve += HeaderGrowth;
            ctx.Settings.TextAddress += HeaderGrowth;
            _libraryBudget += HeaderGrowth;
        }
        _libraries.Add(library);
    }

    /// <summary>Takes the load command by which a host object says which system and version it is for; the first one counts.</summary>
    public void AddHostPlatform(LinkContext ctx, MachOCommand command, ReadOnlySpan<byte> data)
    {
        MachOPlatform platform = command switch
        {
            MachOCommand.VersionMinMac => MachOPlatform.Mac,
            MachOCommand.VersionMinPhone => MachOPlatform.Phone,
            MachOCommand.VersionMinTv => MachOPlatform.Tv,
            MachOCommand.VersionMinWatch => MachOPlatform.Watch,
            _ when data.Length >= 4 => (MachOPlatform)BinaryPrimitives.ReadUInt32LittleEndian(data),
            _ => MachOPlatform.None,
        };
        if (_hostPlatform is not null || (platform == MachOPlatform.Mac && !ctx.Release.TakesMacVersionOfObjects))
            return;
        uint[] words = new uint[data.Length / 4];
        for (int i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(data[(4 * i)..]);
        _hostPlatform = (command, words);
        if (ctx.Release.TakesMacVersionOfObjects)
            _platform = platform;
    }

    /// <inheritdoc/>
    public override void AddFormatSymbols(LinkContext ctx)
    {
        // The two first ones only count: what they stand for is made when it is written.
        SymbolTable symbols = ctx.Symbols;
        symbols.Update(".machosymstr"u8, 0).SetKind(SymbolKind.MachoSymStr).SetReachable();
        symbols.Update(".machosymtab"u8, 0).SetKind(SymbolKind.MachoSymTab).SetReachable();
        if (ctx.HostLinker is { } host)
        {
            AddObjectSymbols(ctx, host);
            if (ctx.Target.BuildMode == BuildMode.Plugin)
                KeepRuntimeApart(symbols);
            return;
        }
        symbols.Update(".plt"u8, 0).SetKind(SymbolKind.MachoPlt).SetReachable();
        symbols.Update(".got"u8, 0)
            .SetKind(ctx.Target.UseRelro && ctx.Release.HasReadOnlyMachOGot ? SymbolKind.MachoRelRoSect : SymbolKind.MachoGot)
            .SetReachable()
            .SetAlign(4);
        symbols.Update(".linkedit.plt"u8, 0).SetKind(SymbolKind.MachoIndirectPlt).SetReachable();
        symbols.Update(".linkedit.got"u8, 0).SetKind(SymbolKind.MachoIndirectGot).SetReachable();
    }

    /// <inheritdoc/>
    public override void DefineKnownSymbols(LinkContext ctx)
    {
        ctx.Known.LinkEditGot = ArchSymbols.Live(ctx, ".linkedit.got"u8);
        ctx.Known.LinkEditPlt = ArchSymbols.Live(ctx, ".linkedit.plt"u8);
    }

    /// <inheritdoc/>
    public override void OrderDynamicSymbols(LinkContext ctx)
    {
        foreach (SymbolId s in ctx.DynamicExports)
        {
            if (!ctx.Symbols.IsReachable(s))
                throw new InvalidOperationException($"dynamically exported symbol {ctx.Symbols.NameText(s)} is not live");
        }
        if (_cpu.HasWideInodeNames && _platform is MachOPlatform.Mac or MachOPlatform.Catalyst)
            UseWideInodes(ctx.Symbols);
        _symbolTable = MachOSymbolTable.Create(ctx);
        foreach ((SymbolId s, int number) in _symbolTable.Undefined())
            ctx.Symbols.DynamicId[s] = number;
    }

    /// <inheritdoc/>
    public override void AddDynamicSymbol(LinkContext ctx, SymbolId s)
    {
        if (ctx.Symbols.DynamicId.ContainsKey(s))
            return;
        int number = Symbols.IndexOf(s);
        if (number < 0)
            ctx.Diagnostics.Error(ctx.Symbols.Name(s), $"adddynsym: missed symbol (Extname={ctx.Symbols.OutputName(s)})");
        ctx.Symbols.DynamicId[s] = number;
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
        symbols.Update(ctx.Known.LinkEditGot).AddUInt32((uint)symbols.DynamicId[s]);
        if (ctx.Target.IsPie)
            _dyldInfo.AddBind(got.Symbol, offset, s);
    }

    /// <inheritdoc/>
    public override void AddPltEntry(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        if (symbols.PltOffset.ContainsKey(s))
            return;
        AddGotEntry(ctx, s, 0);
        symbols.Update(ctx.Known.LinkEditPlt).AddUInt32((uint)symbols.DynamicId[s]);
        SymbolBuilder stubs = symbols.Update(ctx.Known.Plt);
        symbols.PltOffset[s] = (int)stubs.Size;
        _cpu.AddStub(stubs, ctx.Known.Got, symbols.GotOffset[s]);
    }

    /// <inheritdoc/>
    public override bool AddRelativeRelocation(LinkContext ctx, SymbolId s, int reloc)
    {
        RelocList relocs = ctx.Symbols.Relocs(s);
        int offset = relocs[reloc].Offset;
        SymbolId target = relocs.Target(reloc);
        if (ctx.Release.BindsImportsInData && !target.IsNone && ctx.Symbols.Kind(target) == SymbolKind.DynImport)
            _dyldInfo.AddBind(s, offset, target);
        else
            _dyldInfo.AddRebase(s, offset);
        return true;
    }

    /// <inheritdoc/>
    public override byte[] CompressedDwarfHeader(LinkContext ctx, long size)
    {
        byte[] header = [.. "ZLIB"u8, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(4), size);
        return header;
    }

    /// <inheritdoc/>
    public override string CompressedDwarfName(string name) => ".z" + name[1..];

    // A plugin has a runtime of its own beside that of the program: what C calls in it must not be found in the other.
    private static void KeepRuntimeApart(SymbolTable symbols)
    {
        Hide("_cgo_topofstack"u8, 0);
        Hide("__cgo_topofstack"u8, 0);
        Hide("_cgo_panic"u8, symbols.AbiInternalVersion);
        Hide("crosscall2"u8, 0);

        void Hide(ReadOnlySpan<byte> name, int version)
        {
            if (symbols.Lookup(name, version) is { IsNone: false } s)
                symbols.CgoExportDynamic.Remove(s);
        }
    }

    // On CPUs that are older than inodes of 64 bits, these functions have another name for those.
    private static void UseWideInodes(SymbolTable symbols)
    {
        List<(SymbolId Symbol, string Name)> renamed = [];
        foreach ((SymbolId s, string library) in symbols.DynamicLibrary)
        {
            if (library == SystemLibrary && symbols.IsReachable(s) && symbols.Kind(s) == SymbolKind.DynImport
                && symbols.OutputName(s) is "fdopendir" or "readdir_r" or "getfsstat")
            {
                renamed.Add((s, symbols.OutputName(s) + "$INODE64"));
            }
        }
        foreach ((SymbolId s, string name) in renamed)
            symbols.ExternalNames[s] = name;
    }

    private static long RoundUp(long value, long to) => to > 0 ? (value + to - 1) / to * to : value;
}
