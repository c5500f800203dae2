using System.Buffers.Binary;
using AotLinker.Layout;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Formats.Pe;

/// <summary>
/// PE images for Windows. The file is: a DOS program that says it can't be run, headers, the sections. A segment of ours is one section
/// each; behind them come debug information, imports, exports, base relocations, symbols and resources.
/// </summary>
/// <remarks>
/// <para>The sources are Microsoft's "PE Format" and, for every order and default, cmd/link's pe.go and seh.go. What is odd about the
/// format:</para>
/// <list type="bullet">
/// <item>Addresses in headers and tables count from the image's base.</item>
/// <item>Imported functions are called through variables: an import turns into one of them (.windynamic), so that nothing is left of
/// dynamic linking when relocations are applied. What the system must change when it loads the image elsewhere is listed in .reloc,
/// from the relocations of all symbols.</item>
/// <item>Debug sections have names too long for a section header, which then names a place in the symbol table's string table.</item>
/// <item>Resources come ready-made from host objects and only want to know their address.</item>
/// </list>
/// <para>Partial files: this one (choice of target, symbols, layout), sections and headers, objects for an external linker, how that is
/// called.</para>
/// </remarks>
internal sealed partial class PeFormat : OutputFormat
{
    private readonly PeCpu _cpu;
    private readonly bool _wide;
    private readonly bool _isGui;
    private readonly bool _isRelocated;
    private long _imageBase;
    private bool _isObject;
    private int _sectionAlign = PeConstants.SectionAlign;
    private int _fileAlign = PeConstants.FileAlign;
    private PeImports? _imports;
    private PeExports? _exports;
    private PeResources? _resources;

    /// <summary>PE for a target.</summary>
    /// <param name="target">The target.</param>
    /// <param name="release">The release.</param>
    /// <param name="isGui">Whether programs have no console.</param>
    /// <exception cref="LinkException">There is no such port.</exception>
    public PeFormat(Target target, Release release, bool isGui)
    {
        _cpu = target.Cpu.Pe ?? throw new LinkException("unknown -H option: windows");
        _wide = target.PointerSize == 8;
        _isGui = isGui;
        _imageBase = _cpu.ImageBase(release);
        _isRelocated = _cpu.IsAlwaysRelocated || target.IsPie;
    }

    /// <inheritdoc/>
    public override string Name => "pe";

    /// <inheritdoc/>
    public override long ImageBase => _imageBase;

    /// <inheritdoc/>
    public override bool RecordsDynamicRelocations => false;

    /// <inheritdoc/>
    public override long DwarfSectionRounding => _fileAlign;

    private int OptionalHeaderSize => _wide ? PeConstants.OptionalHeader64Size : PeConstants.OptionalHeader32Size;

    // Without the signature, which makes no difference to an image.
    private int HeaderReserve => (int)RoundUp(
        SignatureOffset + PeConstants.FileHeaderSize + OptionalHeaderSize + (PeConstants.MaxSections * PeConstants.SectionHeaderSize),
        _fileAlign);

    /// <inheritdoc/>
    public override bool HasReadOnlySegment(LinkContext ctx) => true;

    /// <inheritdoc/>
    public override bool ProgramsCanCheckThemselves(Target target) => _cpu.ProgramsCanCheckThemselves;

    /// <inheritdoc/>
    public override void InitTarget(LinkContext ctx)
    {
        // Nothing is defaulted before SetUpImage, as -v shows.
    }

    /// <inheritdoc/>
    public override void SetUpImage(LinkContext ctx)
    {
        if (ctx.Target.IsExternal)
        {
            SetUpObject();
        }
        else
        {
            AddImageBase(ctx, "__image_base__"u8);
            AddImageBase(ctx, "_image_base__"u8);
            if (ctx.Release.HasWindowsLoadConfig)
                AddLoadConfig(ctx);
        }

        LinkSettings settings = ctx.Settings;
        settings.HeaderReserve = HeaderReserve;
        if (settings.Round == -1)
            settings.Round = _sectionAlign;
        if (settings.TextAddress == -1)
            settings.TextAddress = RoundUp(ImageBase, settings.Round) + RoundUp(HeaderReserve, _sectionAlign);
    }

    /// <inheritdoc/>
    public override void AddFormatSymbols(LinkContext ctx)
    {
        _imports = PeImports.Collect(ctx, _cpu.HasUnderscores);
        _exports = PeExports.Collect(ctx);
        if (!ctx.Release.SortsUnwindTables && _cpu.HasUnwindTables)
            PeUnwindTables.Add(ctx);
        if (ctx.IsCgo && !_isObject)
            PeImportStubs.Add(ctx, _cpu);
    }

    /// <inheritdoc/>
    public override void TextPlaced(LinkContext ctx)
    {
        if (ctx.Release.SortsUnwindTables && _cpu.HasUnwindTables)
            PeUnwindTables.Add(ctx);
    }

    /// <inheritdoc/>
    public override void AddDynamicSymbol(LinkContext ctx, SymbolId s)
    {
        // Imports and exports have been found already.
    }

    /// <inheritdoc/>
    public override void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType) =>
        throw new InvalidOperationException("PE has no global offset table");

    /// <inheritdoc/>
    public override void AddPltEntry(LinkContext ctx, SymbolId s) => throw new InvalidOperationException("PE has no procedure linkage table");

    /// <inheritdoc/>
    public override byte[]? CompressedDwarfHeader(LinkContext ctx, long size)
    {
        byte[] header = [.. "ZLIB"u8, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(4), size);
        return header;
    }

    /// <inheritdoc/>
    public override string CompressedDwarfName(string name) => string.Concat(".z", name.AsSpan(1));

    /// <inheritdoc/>
    public override ulong NextSegmentOffset(LinkContext ctx, Segment previous, Segment segment) =>
        previous.FileOffset + (ulong)RoundUp((long)previous.FileLength, _fileAlign);

    /// <inheritdoc/>
    public override long ThreadLocalOffset(LinkContext ctx, SymbolId target, long addend) => addend;

    /// <inheritdoc/>
    public override void AddResources(LinkContext ctx, IReadOnlyList<SymbolId> symbols)
    {
        if (_resources is not null)
            ctx.Diagnostics.Error("too many .rsrc sections");
        _resources = new PeResources(symbols);
    }

    private static long RoundUp(long value, long to) => (value + to - 1) / to * to;

    // C libraries of the mingw project find their own headers by it.
    private void AddImageBase(LinkContext ctx, ReadOnlySpan<byte> name)
    {
        SymbolBuilder b = ctx.Symbols.Update(name, 0).SetKind(SymbolKind.Data);
        b.Set(SymbolTable.Attributes.Special | SymbolTable.Attributes.Local);
        ctx.Symbols.SetValue(b.Symbol, ImageBase);
    }

    // Windows wants to see the structure; all it says is that the program has no use for a security cookie.
    private void AddLoadConfig(LinkContext ctx)
    {
        const int Size64 = 320;
        const int Size32 = 192;
        const int GuardFlagsOffset64 = 144;
        const int GuardFlagsOffset32 = 88;
        byte[] config = new byte[_wide ? Size64 : Size32];
        BinaryPrimitives.WriteInt32LittleEndian(config, config.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(_wide ? GuardFlagsOffset64 : GuardFlagsOffset32), PeConstants.GuardCookieUnused);
        SymbolBuilder b = ctx.Symbols.Update("_load_config_used"u8, 0).SetKind(SymbolKind.RoData).SetAlign(ctx.Target.PointerSize);
        b.SetData(config);
        b.SetSize(config.Length);
    }
}
