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

    private readonly List<SectionHeader> _sections = [];
    private byte[] _loaderContent = [];
    private long _loaderOffset;
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
        foreach (Section section in ctx.DwarfSegment.Sections)
        {
            (string name, uint kind) = XcoffConstants.DwarfSection(section.Name);
            section.OutputNumber = _sections.Count + 1;
            ulong offset = (ulong)ctx.DwarfSegment.OffsetOf(section.Vaddr);
            Add(name, 0, section.Length, offset, XcoffSectionType.Dwarf | (XcoffSectionType)kind);
        }

        long end = (long)(ctx.DwarfSegment.FileOffset + ctx.DwarfSegment.FileLength);
        _loaderOffset = (end + SectionAlign - 1) / SectionAlign * SectionAlign;
        _loaderContent = _loader.Build(ctx);
        Add(".loader", 0, (ulong)_loaderContent.Length, (ulong)_loaderOffset, XcoffSectionType.Loader);

        if (HeadersSize > ctx.Settings.HeaderReserve)
            throw new InvalidOperationException($"{_sections.Count} sections have no room for their headers");
        _symbols = new XcoffSymbolTable(ctx);
        return _loaderOffset + _loaderContent.Length + _symbols.TableSize + _symbols.NamesSize;
    }

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        long symbolsOffset = _loaderOffset + _loaderContent.Length;
        ctx.Output.Write(_loaderOffset, _loaderContent);
        _symbols!.Write(ctx, symbolsOffset);
        ctx.Output.Write(0, Headers(ctx, symbolsOffset));
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("headers", SizeKind.Headers, 0, HeadersSize);
        base.DescribeFile(ctx, map);
        map.Table(".loader", SizeKind.DynamicLinking, _loaderOffset, _loaderContent.Length);
        map.Table("symbol table", SizeKind.SymbolTable, _loaderOffset + _loaderContent.Length, _symbols!.TableSize + _symbols.NamesSize);
    }

    private int HeadersSize =>
        XcoffConstants.FileHeaderSize + XcoffConstants.AuxiliaryHeaderSize + (_sections.Count * XcoffConstants.SectionHeaderSize);

    /// <summary>Number of the section in the file that holds a section of the layout; 0 for thread-local storage, which has none.</summary>
    internal static short NumberOf(LinkContext ctx, Section? section)
    {
        if (section is null)
            return 0;
        Segment? segment = section.Segment;
        return segment == ctx.TextSegment ? TextNumber
            : segment == ctx.DwarfSegment ? (short)section.OutputNumber
            : segment == ctx.DataSegment && section.Name is ".bss" or ".noptrbss" ? BssNumber
            : segment == ctx.DataSegment && section.Name == ".tbss" ? (short)0
            : DataNumber;
    }

    private void Add(string name, ulong address, ulong size, ulong offset, XcoffSectionType flags) =>
        _sections.Add(new SectionHeader(name, address, size, offset, (uint)flags));

    private byte[] Headers(LinkContext ctx, long symbolsOffset)
    {
        SymbolTable symbols = ctx.Symbols;
        byte[] bytes = new byte[HeadersSize];
        XcoffWriter w = new(bytes);

        // The file header. Without a symbol table it is there all the same, but not told.
        bool isTold = !ctx.Settings.OmitSymbolTable;
        w.U16(XcoffConstants.Magic);
        w.U16(_sections.Count);
        w.U32(0);
        w.U64(isTold ? (ulong)symbolsOffset : 0);
        w.U16(XcoffConstants.AuxiliaryHeaderSize);
        w.U16(XcoffConstants.IsExecutable);
        w.U32(isTold ? (uint)_symbols!.Count : 0);

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

        foreach (SectionHeader section in _sections)
        {
            int start = w.Position;
            w.Bytes(Encoding.ASCII.GetBytes(section.Name));
            w.Position = start + 8;
            w.U64(section.Address);
            w.U64(section.Address);
            w.U64(section.Size);
            w.U64(section.Offset);
            // No relocations for a linker, no line numbers.
            w.Position = start + 64;
            w.U32(section.Flags);
            w.Position = start + XcoffConstants.SectionHeaderSize;
        }
        return bytes;
    }

    private sealed record SectionHeader(string Name, ulong Address, ulong Size, ulong Offset, uint Flags);
}
