using System.Buffers.Binary;
using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Plan9;

/// <summary>
/// Plan 9's a.out (a.out(6)): a header of eight big-endian words, text, data, symbols, one behind the other without gaps in the file. In
/// memory the text begins with the header, and data on the next page.
/// </summary>
/// <remarks>
/// Read-only data belongs to the text. There are no sections, no debug information and no shared libraries; line numbers are in the
/// runtime's own tables. The loader gives each process a thread-local place of its own, so thread-local offsets need no adjustment.
/// </remarks>
internal sealed class Plan9Format : OutputFormat
{
    private const uint WideMagic = 0x8000;

    private readonly Plan9Cpu _cpu;
    private readonly bool _narrowSymbols;
    private Plan9SymbolTable? _symbols;

    /// <summary>The format for a target.</summary>
    /// <param name="target">What is linked for.</param>
    /// <param name="narrowSymbols">Whether values in the symbol table have 32 bits in any case (-8).</param>
    /// <exception cref="LinkException">There is no such port.</exception>
    public Plan9Format(Target target, bool narrowSymbols)
    {
        _cpu = target.Cpu.Plan9 ?? throw new LinkException("unknown -H option: plan9");
        _narrowSymbols = narrowSymbols;
    }

    /// <inheritdoc/>
    public override string Name => "plan9";

    /// <inheritdoc/>
    public override bool HasDebugInfo => false;

    /// <inheritdoc/>
    public override long SymbolTableSize => _symbols?.Size ?? 0;

    private int HeaderSize => _cpu.IsWide ? 40 : 32;

    /// <inheritdoc/>
    public override void InitTarget(LinkContext ctx)
    {
        LinkSettings settings = ctx.Settings;
        settings.HeaderReserve = HeaderSize;
        if (settings.Round == -1)
            settings.Round = _cpu.Round;
        if (settings.TextAddress == -1)
            settings.TextAddress = ((_cpu.Round + settings.Round - 1) / settings.Round * settings.Round) + HeaderSize;
    }

    /// <inheritdoc/>
    public override void AddFormatSymbols(LinkContext ctx)
    {
    }

    /// <inheritdoc/>
    public override void AddDynamicSymbol(LinkContext ctx, SymbolId s) =>
        ctx.Diagnostics.Error(ctx.Symbols.Name(s), "adddynsym: unsupported binary format");

    /// <inheritdoc/>
    public override void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType) =>
        ctx.Diagnostics.Error(ctx.Symbols.Name(s), "addgotsym: unsupported binary format");

    /// <inheritdoc/>
    public override void AddPltEntry(LinkContext ctx, SymbolId s) =>
        ctx.Diagnostics.Error(ctx.Symbols.Name(s), "addpltsym: unsupported binary format");

    /// <inheritdoc/>
    public override ulong NextSegmentOffset(LinkContext ctx, Segment previous, Segment segment) => previous.FileOffset + previous.FileLength;

    /// <inheritdoc/>
    public override long SizeTables(LinkContext ctx)
    {
        if (!ctx.Settings.OmitSymbolTable)
            _symbols = new Plan9SymbolTable(ctx, _cpu.IsWide && !_narrowSymbols);
        return SymbolTableOffset(ctx) + SymbolTableSize;
    }

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        _symbols?.Write(ctx, SymbolTableOffset(ctx));

        Segment data = ctx.DataSegment;
        ulong entry = (ulong)EntryPoint.Address(ctx);
        Span<byte> header = stackalloc byte[HeaderSize];
        ReadOnlySpan<uint> words =
        [
            _cpu.IsWide ? _cpu.Magic | WideMagic : _cpu.Magic,
            (uint)ctx.TextSegment.FileLength,
            (uint)data.FileLength,
            (uint)(data.Length - data.FileLength),
            (uint)SymbolTableSize,
            // Kernel addresses have the highest bit set, here they don't.
            (uint)(_cpu.IsWide ? entry & ~0x80000000UL : entry),
            // Tables of stack offsets and of lines, for which Go has its own.
            0,
            0,
        ];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(header[(4 * i)..], words[i]);
        if (_cpu.IsWide)
            BinaryPrimitives.WriteUInt64BigEndian(header[32..], entry);
        ctx.Output.Write(0, header);
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("header", SizeKind.Headers, 0, HeaderSize);
        base.DescribeFile(ctx, map);
        map.Table("symbol table", SizeKind.SymbolTable, SymbolTableOffset(ctx), SymbolTableSize);
    }

    private static long SymbolTableOffset(LinkContext ctx) => (long)(ctx.DataSegment.FileOffset + ctx.DataSegment.FileLength);
}
