using System.Numerics;
using System.Text;
using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Xcoff;

/// <summary>The file's layout and headers (asmbXcoff, writeFileHeader).</summary>
internal sealed partial class XcoffFormat
{
    // Numbers of the first sections; those of debug information follow.
    private const short TextNumber = 1;
    private const short DataNumber = 2;
    private const short BssNumber = 3;

    // In objects alone.
    private const short ThreadLocalNumber = 4;

    private readonly List<SectionHeader> _sections = [];
    private byte[] _loaderContent = [];
    private long _loaderOffset;
    private long _symbolsOffset;
    private XcoffSymbolTable? _symbols;

    /// <inheritdoc/>
    public override long SizeTables(LinkContext ctx)
    {
        Segment text = ctx.TextSegment;
        Segment data = ctx.DataSegment;
        Add(".text", text.Vaddr, text.Length, text.FileOffset, XcoffSectionType.Text);
        (ulong dataAddress, ulong dataOffset, ulong dataLength) = (data.Vaddr, data.FileOffset, data.FileLength);
        if (ctx.RelRoDataSegment.Sections.Count > 0)
        {
            // Read-only data that the loader changes is part of data.
            Segment relRo = ctx.RelRoDataSegment;
            (dataAddress, dataOffset, dataLength) = (relRo.Vaddr, relRo.FileOffset, data.Vaddr + data.FileLength - relRo.Vaddr);
        }
        Add(".data", dataAddress, dataLength, dataOffset, XcoffSectionType.Data);
        Add(".bss", dataAddress + dataLength, data.Length - data.FileLength, 0, XcoffSectionType.Bss);
        if (ctx.Target.IsExternal)
            AddThreadLocalSection(data);
        foreach (Section section in ctx.DwarfSegment.Sections)
        {
            (string name, uint kind) = XcoffConstants.DwarfSection(section.Name);
            section.OutputNumber = _sections.Count + 1;
            ulong offset = (ulong)ctx.DwarfSegment.OffsetOf(section.Vaddr);
            Add(name, 0, section.Length, offset, XcoffSectionType.Dwarf | (XcoffSectionType)kind);
        }

        long end = (long)(ctx.DwarfSegment.FileOffset + ctx.DwarfSegment.FileLength);
        end = (end + SectionAlign - 1) / SectionAlign * SectionAlign;
        return ctx.Target.IsExternal ? SizeObjectTables(ctx, end) : SizeProgramTables(ctx, end);
    }

    private long SizeProgramTables(LinkContext ctx, long end)
    {
        _loaderOffset = end;
        _loaderContent = _loader.Build(ctx);
        Add(".loader", 0, (ulong)_loaderContent.Length, (ulong)_loaderOffset, XcoffSectionType.Loader);

        CheckHeaders(ctx);
        _symbols = new XcoffSymbolTable(ctx);
        _symbolsOffset = _loaderOffset + _loaderContent.Length;
        return _symbolsOffset + _symbols.TableSize + _symbols.NamesSize;
    }

    private void CheckHeaders(LinkContext ctx)
    {
        if (HeadersSize > ctx.Settings.HeaderReserve)
            throw new InvalidOperationException($"{_sections.Count} sections have no room for their headers");
    }

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        // A counter that cmd/link does not set for this format.
        if (ctx.Diagnostics.Verbosity != 0)
            ctx.Diagnostics.Log("symsize = 0");
        if (ctx.Target.IsExternal)
            WriteObjectRelocations(ctx);
        else
            ctx.Output.Write(_loaderOffset, _loaderContent);
        _symbols!.Write(ctx, _symbolsOffset);
        ctx.Output.Write(0, Headers(ctx));
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("headers", SizeKind.Headers, 0, HeadersSize);
        base.DescribeFile(ctx, map);
        if (_objectRelocations is { } relocations)
            relocations.DescribeFile(map);
        else
            map.Table(".loader", SizeKind.DynamicLinking, _loaderOffset, _loaderContent.Length);
        map.Table("symbol table", SizeKind.SymbolTable, _symbolsOffset, _symbols!.TableSize + _symbols.NamesSize);
    }

    // Objects have no auxiliary header.
    private int HeadersSize => XcoffConstants.FileHeaderSize + (_objectRelocations is null ? XcoffConstants.AuxiliaryHeaderSize : 0)
        + (_sections.Count * XcoffConstants.SectionHeaderSize);

    /// <summary>
    /// Number of the section in the file that holds a section of the layout; 0 for thread-local storage, which programs have none for.
    /// </summary>
    internal static short NumberOf(LinkContext ctx, Section? section)
    {
        if (section is null)
            return 0;
        Segment? segment = section.Segment;
        return segment == ctx.TextSegment ? TextNumber
            : segment == ctx.DwarfSegment ? (short)section.OutputNumber
            : segment == ctx.DataSegment && section.Name is ".bss" or ".noptrbss" ? BssNumber
            : segment == ctx.DataSegment && section.Name == ".tbss" ? (ctx.Target.IsExternal ? ThreadLocalNumber : (short)0)
            : DataNumber;
    }

    private void Add(string name, ulong address, ulong size, ulong offset, XcoffSectionType flags) =>
        _sections.Add(new SectionHeader(name, address, size, offset, (uint)flags));

    private byte[] Headers(LinkContext ctx)
    {
        bool isObject = ctx.Target.IsExternal;
        byte[] bytes = new byte[HeadersSize];
        XcoffWriter w = new(bytes);

        // The file header. Without a symbol table it is there all the same, but not told.
        bool isTold = !ctx.Settings.OmitSymbolTable;
        w.U16(XcoffConstants.Magic);
        w.U16(_sections.Count);
        w.U32(0);
        w.U64(isTold ? (ulong)_symbolsOffset : 0);
        w.U16(isObject ? 0 : XcoffConstants.AuxiliaryHeaderSize);
        w.U16(isObject ? 0 : XcoffConstants.IsExecutable);
        w.U32(isTold ? (uint)_symbols!.Count : 0);
        if (!isObject)
            WriteAuxiliaryHeader(ctx, ref w);

        foreach (SectionHeader section in _sections)
        {
            int start = w.Position;
            w.Bytes(Encoding.ASCII.GetBytes(section.Name));
            w.Position = start + 8;
            w.U64(section.Address);
            w.U64(section.Address);
            w.U64(section.Size);
            w.U64(section.Offset);
            w.U64((ulong)section.RelocationsOffset);
            // No line numbers.
            w.U64(0);
            w.U32((uint)section.RelocationCount);
            w.U32(0);
            w.U32(section.Flags);
            w.Position = start + XcoffConstants.SectionHeaderSize;
        }
        return bytes;
    }

    private void WriteAuxiliaryHeader(LinkContext ctx, ref XcoffWriter w)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId entry = symbols.Lookup(RawText.Encode(ctx.Settings.EntrySymbol), 0);
        SymbolId toc = symbols.Lookup("TOC"u8, 0);
        w.U16(0x10b);
        w.U16(1);
        w.U32(0);
        w.U64(_sections[TextNumber - 1].Address);
        w.U64(_sections[DataNumber - 1].Address);
        w.U64((ulong)symbols.Value(toc));
        w.U16(NumberOf(ctx, ctx.SectionOf(entry)));
        w.U16(TextNumber);
        w.U16(DataNumber);
        w.U16(NumberOf(ctx, ctx.SectionOf(toc)));
        w.U16(_sections.Count);
        w.U16(BssNumber);
        w.U16(SectionAlignLog);
        w.U16(BitOperations.Log2((uint)ctx.Target.Cpu.MaxAlign));
        // A module of its own, to be loaded once; CPU, page sizes and flags are left to the system.
        w.Bytes("1L"u8);
        w.Position += 6;
        w.U64(_sections[TextNumber - 1].Size);
        w.U64(_sections[DataNumber - 1].Size);
        w.U64(_sections[BssNumber - 1].Size);
        w.U64((ulong)symbols.Value(entry));
        // Stack and data as large as the system allows; no thread-local sections.
        w.Position = XcoffConstants.FileHeaderSize + XcoffConstants.AuxiliaryHeaderSize;
    }

    private sealed record SectionHeader(string Name, ulong Address, ulong Size, ulong Offset, uint Flags)
    {
        /// <summary>Where relocations for an external linker begin; 0 where there are none.</summary>
        public long RelocationsOffset { get; set; }

        /// <summary>How many there are.</summary>
        public long RelocationCount { get; set; }
    }
}
