using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Formats.Pe;

/// <summary>Sections and headers: where they lie and what they say (asmbPe, writeFileHeader, writeOptionalHeader).</summary>
internal sealed partial class PeFormat
{
    // IMAGE_DOS_HEADER, which tells where the signature is, and code for DOS that prints a message and ends.
    private static ReadOnlySpan<byte> DosCode =>
    [
        (byte)'M', (byte)'Z', 0x90, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0xff, 0xff, 0, 0,
        0x8b, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0,
        0x0e, 0x1f, 0xba, 0x0e, 0, 0xb4, 0x09, 0xcd, 0x21, 0xb8, 0x01, 0x4c, 0xcd, 0x21,
    ];

    private static ReadOnlySpan<byte> DosMessage => "This program cannot be run in DOS mode.\r\r\n$\0\0\0\0\0\0\0"u8;

    private static int SignatureOffset => DosCode.Length + DosMessage.Length;

    private static ReadOnlySpan<byte> Signature => "PE\0\0"u8;

    private readonly (uint Address, uint Size)[] _directories = new (uint, uint)[PeConstants.DirectoryCount];

    // Content of sections that are small, with its file offset.
    private readonly List<(string Name, uint Offset, byte[] Content)> _contents = [];
    private PeSections? _sections;
    private PeSection? _text;
    private PeSection? _readOnly;
    private PeSection? _data;
    private PeSection? _zeroed;
    private PeSection? _pdata;
    private PeSection? _xdata;
    private PeSymbolTable? _symbols;
    private uint _symbolsOffset;
    private NativeArray<byte>? _baseRelocations;
    private uint _baseRelocationsOffset;
    private long _baseRelocationsSize;
    private int _headerSize;

    // The first segment that isn't where the format must have it, as -T, -D and -R can make it. Errors of relocation come first.
    private string? _misplaced;

    /// <inheritdoc/>
    public override long SizeTables(LinkContext ctx)
    {
        const PeSectionFlags ReadOnlyData = PeSectionFlags.InitializedData | PeSectionFlags.Read;
        PeSections sections = new(
            _isObject ? 0 : (uint)RoundUp(HeaderReserve, _sectionAlign), (uint)HeaderReserve, (uint)_sectionAlign, (uint)_fileAlign);
        _sections = sections;
        AddSegments(ctx, ReadOnlyData);
        byte[] debugNames = AddDebugSections(ctx);
        if (_isObject)
            return SizeObjectTables(ctx, debugNames);

        AddImports(ctx, ReadOnlyData | PeSectionFlags.Write);
        if (!_exports!.IsEmpty)
            SetDirectory(PeDirectory.Export, AddContent(".edata", _exports.Build(ctx, sections.NextAddress), ReadOnlyData));
        if (_isRelocated)
        {
            _baseRelocations = PeBaseRelocations.Build(ctx);
            PeSection section = sections.Add(".reloc", (ulong)_baseRelocations.Length, ReadOnlyData | PeSectionFlags.Discardable);
            _baseRelocationsOffset = section.Offset;
            _baseRelocationsSize = _baseRelocations.Length;
            SetDirectory(PeDirectory.BaseRelocation, section);
        }
        _symbols = PeSymbolTable.Size(ctx, !ctx.Settings.OmitSymbolTable, debugNames, SectionFor, objectSymbols: null);
        _symbolsOffset = sections.Add(".symtab", (ulong)_symbols.Length, PeSectionFlags.Read | PeSectionFlags.Discardable).Offset;
        if (_resources is not null)
            SetDirectory(PeDirectory.Resource, AddContent(".rsrc", _resources.Build(ctx, sections.NextAddress), ReadOnlyData));
        long end = sections.NextOffset;
        return IsDwarfLost(ctx)
            ? Math.Max(end, RoundUp((long)(ctx.DwarfSegment.FileOffset + ctx.DwarfSegment.FileLength), PeConstants.FileAlign))
            : end;
    }

    private void AddSegments(LinkContext ctx, PeSectionFlags readOnly)
    {
        // What an external linker does not know it is told: some don't align sections as they should.
        PeSectionFlags align = _isObject ? PeSectionFlags.Align32 : PeSectionFlags.None;
        PeSectionFlags tableAlign = _isObject ? PeSectionFlags.Align4 : PeSectionFlags.None;
        _text = AddSegment(ctx, ".text", ctx.TextSegment, align | PeSectionFlags.Code | PeSectionFlags.Execute | PeSectionFlags.Read);
        _readOnly = AddSegment(ctx, ".rdata", ctx.RoDataSegment, align | readOnly);
        SymbolId loadConfig = ctx.Symbols.Lookup("_load_config_used"u8, 0);
        if (!loadConfig.IsNone)
            SetDirectory(PeDirectory.LoadConfig, ImageOffset(ctx, loadConfig), (uint)ctx.Symbols.Size(loadConfig));
        _data = AddSegment(ctx, ".data", ctx.DataSegment, align | readOnly | PeSectionFlags.Write, endsWithFile: _isObject);
        if (_isObject)
        {
            const PeSectionFlags Zeroed = PeSectionFlags.UninitializedData | PeSectionFlags.Read | PeSectionFlags.Write;
            _zeroed = _sections!.Add(".bss", ctx.DataSegment.Length - ctx.DataSegment.FileLength, 0, align | Zeroed, isZeroed: true);
        }
        if (ctx.PDataSegment.Length == 0)
            return;
        _pdata = AddSegment(ctx, ".pdata", ctx.PDataSegment, tableAlign | readOnly);
        SetDirectory(PeDirectory.Exception, _pdata);
        if (ctx.XDataSegment.Length != 0)
            _xdata = AddSegment(ctx, ".xdata", ctx.XDataSegment, tableAlign | readOnly);
    }

    // Releases that describe no debug information in programs without a symbol table write it, and then the tables over it.
    private static bool IsDwarfLost(LinkContext ctx) =>
        ctx.Settings.OmitSymbolTable && !ctx.Settings.OmitDwarf && !ctx.Release.HasWindowsDwarfWithoutSymbols;

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        if (_misplaced is not null)
            throw Error(_misplaced);
        if (IsDwarfLost(ctx))
            ctx.Output.Write((long)ctx.DwarfSegment.FileOffset, new byte[_sections!.NextOffset - (long)ctx.DwarfSegment.FileOffset]);
        foreach ((_, uint offset, byte[] content) in _contents)
            ctx.Output.Write(offset, content);
        if (_baseRelocations is not null)
        {
            ctx.Output.Write(_baseRelocationsOffset, _baseRelocations.AsSpan());
            _baseRelocations.Dispose();
        }
        _symbols!.Write(ctx, _symbolsOffset);
        WriteObjectRelocations(ctx);

        int start = _isObject ? 0 : SignatureOffset + Signature.Length;
        _headerSize = start + PeConstants.FileHeaderSize + OptionalHeaderSize + (_sections!.All.Count * PeConstants.SectionHeaderSize);
        byte[] headers = new byte[_headerSize];
        DieWriter w = new(headers, ctx.Target.PointerSize, bigEndian: false);
        if (!_isObject)
        {
            w.Bytes(DosCode);
            w.Bytes(DosMessage);
            w.Bytes(Signature);
        }
        WriteFileHeader(ctx, ref w);
        WriteOptionalHeader(ctx, ref w);
        foreach (PeSection section in _sections.All)
            WriteSectionHeader(section, ref w);
        ctx.Output.Write(0, headers);
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("headers", SizeKind.Headers, 0, _headerSize);
        base.DescribeFile(ctx, map);
        map.LacksDebugInfo = IsDwarfLost(ctx);
        foreach ((string name, uint offset, byte[] content) in _contents)
        {
            SizeKind kind = name is ".idata" or ".edata" or ".ctors" ? SizeKind.DynamicLinking : SizeKind.Headers;
            map.Table(name, kind, offset, content.Length);
        }
        map.Table(".reloc", SizeKind.Relocations, _baseRelocationsOffset, _baseRelocationsSize);
        map.Table("symbol table", SizeKind.SymbolTable, _symbolsOffset, _symbols!.Length);
        _relocations?.DescribeFile(map, head: PeConstants.RelocationSize);
        if (_initialisers is not null)
            map.Table("relocations", SizeKind.Relocations, ctx.Output.Length - (2 * PeConstants.RelocationSize), 2 * PeConstants.RelocationSize);
    }

    private static uint ImageOffset(LinkContext ctx, SymbolId s) => (uint)(ctx.Symbols.Value(s) - ctx.Format.ImageBase);

    private PeSection? SectionFor(Section section) => section.Segment!.Name switch
    {
        "text" => _text,
        "rodata" => _readOnly,
        "data" => _data,
        _ => null,
    };

    /// <summary>Makes a segment a section of the image, which must be where layout has put it.</summary>
    private PeSection AddSegment(LinkContext ctx, string name, Segment segment, PeSectionFlags flags, bool endsWithFile = false)
    {
        PeSection section = _sections!.Add(name, endsWithFile ? segment.FileLength : segment.Length, segment.FileLength, flags);
        ulong address = segment.Vaddr - (ulong)ImageBase;
        if (address != section.Address)
            _misplaced ??= string.Create(CultureInfo.InvariantCulture, $"{name}.VirtualAddress = 0x{section.Address:x}, want 0x{address:x}");
        if (segment.FileOffset != section.Offset)
            throw Error(string.Create(CultureInfo.InvariantCulture, $"{name}.PointerToRawData = 0x{section.Offset:x}, want 0x{segment.FileOffset:x}"));
        return section;
    }

    /// <summary>Adds the debug sections; their names are what the string table begins with.</summary>
    private byte[] AddDebugSections(LinkContext ctx)
    {
        const PeSectionFlags Debug = PeSectionFlags.Align1 | PeSectionFlags.Read | PeSectionFlags.Discardable | PeSectionFlags.InitializedData;
        const int StringsStart = 4;
        List<byte> names = [];
        if (ctx.Settings.OmitDwarf || IsDwarfLost(ctx))
            return [];
        foreach (Section section in ctx.DwarfSegment.Sections)
        {
            if (section.Length == 0)
                throw new LinkException($"DWARF section \"{section.Name}\" is empty");
            string place = string.Create(CultureInfo.InvariantCulture, $"/{StringsStart + names.Count}");
            names.AddRange(Encoding.ASCII.GetBytes(section.Name));
            names.Add(0);
            PeSection added = _sections!.Add(section.Name, section.Length, Debug, place);
            long offset = ctx.DwarfSegment.OffsetOf(section.Vaddr);
            if (offset != added.Offset)
                throw new LinkException(string.Create(CultureInfo.InvariantCulture, $"{section.Name}.PointerToRawData = 0x{added.Offset:x}, want 0x{offset:x}"));
        }
        return [.. names];
    }

    private void AddImports(LinkContext ctx, PeSectionFlags flags)
    {
        uint table = ImageOffset(ctx, _imports!.Table);
        SetDirectory(PeDirectory.Import, AddContent(".idata", _imports.Build(ctx, _sections!.NextAddress, table), flags));
        SetDirectory(PeDirectory.ImportAddress, table, (uint)ctx.Symbols.Size(_imports.Table));
    }

    private PeSection AddContent(string name, byte[] content, PeSectionFlags flags)
    {
        PeSection section = _sections!.Add(name, (ulong)content.Length, flags);
        _contents.Add((name, section.Offset, content));
        return section;
    }

    private void SetDirectory(PeDirectory directory, PeSection section) => SetDirectory(directory, section.Address, section.VirtualSize);

    private void SetDirectory(PeDirectory directory, uint address, uint size) => _directories[(int)directory] = (address, size);

    private void WriteFileHeader(LinkContext ctx, ref DieWriter w)
    {
        int flags = (_isObject ? 0 : PeConstants.FileExecutable)
            | (_isRelocated || _isObject ? 0 : PeConstants.FileRelocationsStripped)
            | (_wide ? PeConstants.FileLargeAddressAware : PeConstants.File32Bit);
        w.UInt16(_cpu.Machine);
        w.UInt16((ushort)_sections!.All.Count);
        // No time: the same input gives the same output.
        w.UInt32(0);
        w.UInt32(_symbolsOffset);
        w.UInt32((uint)_symbols!.Count);
        w.UInt16((ushort)OptionalHeaderSize);
        w.UInt16((ushort)flags);
    }

    private void WriteOptionalHeader(LinkContext ctx, ref DieWriter w)
    {
        const ushort Magic32 = 0x10b;
        const ushort Magic64 = 0x20b;
        const ushort LinkerVersion = 3;
        const int GuardPages = 0x2000;
        const int Page = 0x1000;
        (ushort major, ushort minor) = ctx.Release.WindowsVersion;
        w.UInt16(_wide ? Magic64 : Magic32);
        w.UInt16(LinkerVersion);
        w.UInt32(_text!.FileSize);
        w.UInt32(_data!.FileSize);
        w.UInt32(0);
        // cmd/link fills in headers of both widths.
        w.UInt32(_isObject ? 0 : (uint)(EntryPoint.AddressAskedTwice(ctx) - ImageBase));
        w.UInt32(_text.Address);
        if (!_wide)
            w.UInt32(_data.Address);
        w.Pointer((ulong)ImageBase);
        w.UInt32((uint)_sectionAlign);
        w.UInt32(_isObject ? 0 : (uint)_fileAlign);
        w.UInt16(major);
        w.UInt16(minor);
        w.UInt16(1); // the image's own version
        w.UInt16(0);
        w.UInt16(major);
        w.UInt16(minor);
        w.UInt32(0);
        w.UInt32(_sections!.NextAddress);
        w.UInt32((uint)HeaderReserve);
        w.UInt32(0); // no checksum
        w.UInt16(_isGui ? PeConstants.SubsystemGui : PeConstants.SubsystemConsole);
        int dll = PeConstants.DllTerminalServerAware | PeConstants.DllNoExecute
            | (_isRelocated ? PeConstants.DllDynamicBase : 0)
            | (_wide && ctx.Target.IsPie ? PeConstants.DllHighEntropy : 0);
        w.UInt16((ushort)dll);

        // Go sets the limits of its stacks itself, so the system must not grow them: cgo programs commit all but the guard pages. A
        // commit as large as the reserve would be taken for a wish for more.
        ulong stack = _wide ? 0x20_0000ul : 0x10_0000;
        w.Pointer(stack);
        w.Pointer(ctx.IsCgo ? stack - GuardPages : Page);
        w.Pointer(0x10_0000);
        w.Pointer(Page);
        w.UInt32(0);
        w.UInt32(PeConstants.DirectoryCount);
        foreach ((uint address, uint size) in _directories)
        {
            w.UInt32(address);
            w.UInt32(size);
        }
    }

    private void WriteSectionHeader(PeSection section, ref DieWriter w)
    {
        Span<byte> name = stackalloc byte[PeConstants.ShortNameLength];
        name.Clear();
        section.HeaderName.AsSpan(0, Math.Min(name.Length, section.HeaderName.Length)).CopyTo(name);
        w.Bytes(name);
        w.UInt32(section.VirtualSize);
        w.UInt32(_isObject ? 0 : section.Address);
        w.UInt32(section.FileSize);
        w.UInt32(section.IsZeroed ? 0 : section.Offset);
        w.UInt32(section.RelocationsOffset);
        w.UInt32(0); // line numbers
        w.UInt16(section.RelocationCount);
        w.UInt16(0);
        w.UInt32((uint)section.Flags);
    }

    private static LinkException Error(string text) => new(MessageForm.Bare, text);
}
