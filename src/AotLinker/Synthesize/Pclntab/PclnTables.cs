using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The tables by which the runtime finds functions, lines and pointers from a pc (ld.pclntab). Sizes and offsets are known when this
/// pass is done; the bytes are made when the output is written.
/// </summary>
/// <remarks>
/// The parts lie in one section, in the order of their symbols: header, function names, units' files, file names, pc tables, functions, and
/// funcdata where the release has them here. Format: runtime/symtab.go, debug/gosym.
/// </remarks>
internal sealed partial class PclnTables
{
    // internal/abi.CurrentPCLnTabMagic, the same since Go 1.20.
    private const uint Magic = 0xfffffff1;
    private const int HeaderWords = 8;

    private readonly LinkContext _ctx;
    private readonly FunctionList _functions;
    private readonly int _fileCount;
    private readonly FunctionNames _names;
    private readonly SourceFiles _files;
    private readonly PcTables _pcs;
    private readonly FuncData _data;
    private readonly FunctionTable _table;

    private PclnTables(LinkContext ctx)
    {
        _ctx = ctx;
        _functions = new FunctionList(ctx);
        SymbolTable symbols = ctx.Symbols;
        int pointer = ctx.Target.PointerSize;

        Mentions mentions = new(symbols.Count);
        FunctionNames names = _names = new(_functions, mentions);
        using SourceFiles files = _files = new(_functions);
        PcTables pcs = _pcs = new(_functions);
        InlineTrees trees = new(_functions, names);
        FuncDataTable? dataTable = ctx.Release.PclnTabHoldsFuncData ? new FuncDataTable(_functions, mentions, trees) : null;
        FuncDataSymbols? dataSymbols = dataTable is null ? new FuncDataSymbols(_functions, trees) : null;
        FuncData data = _data = dataTable is null ? dataSymbols! : dataTable;
        FunctionTable table = _table = new(_functions, mentions, files, pcs, data);
        using FunctionUses uses = new(_functions, mentions);
        uses.Read(files, pcs, data, table);
        pcs.EndReading();
        _functions.ForChunks((chunk, _, _) =>
        {
            mentions.Note(chunk, uses.Of(chunk, FunctionUses.Sort.Name));
            mentions.Note(chunk, uses.Of(chunk, FunctionUses.Sort.FuncData));
            files.Note(chunk, uses.Of(chunk, FunctionUses.Sort.File));
        });
        _functions.ForChunks((chunk, _, _) =>
        {
            names.Claim(chunk, uses.Of(chunk, FunctionUses.Sort.Name));
            files.Claim(chunk, uses.Of(chunk, FunctionUses.Sort.File));
            pcs.Claim(chunk);
            data.Claim(chunk, uses.Of(chunk, FunctionUses.Sort.FuncData));
        });
        names.Place(uses);
        files.Place(uses);
        pcs.Place();
        table.Place();
        data.Place(uses);
        _fileCount = files.Count;

        Carrier = symbols.LookupOrCreate("runtime.pclntab"u8, 0);
        symbols.Update(Carrier).SetKind(SymbolKind.PclnTab).SetReachable();
        if (!ctx.Release.RelocatesPclnTab)
        {
            symbols.SetAlign(Carrier, pointer);
        }
        ctx.Carriers.Set(SymbolKind.PclnTab, Carrier);
        Header = Add("runtime.pcheader"u8, 8 + (HeaderWords * pointer), pointer, FillHeader, 0);
        if (ctx.Release.RelocatesPclnTab)
        {
            symbols.Update(Header).AddReloc(RelocKind.Addr, 8 + (2 * pointer), pointer, symbols.Lookup("runtime.text"u8, 0), 0);
        }
        FunctionNames = Add("runtime.funcnametab"u8, names.Size, 1, names.Fill, 1);
        UnitTable = Add("runtime.cutab"u8, files.UnitTableSize, 4, files.FillUnitTable, 4);
        FileTable = Add("runtime.filetab"u8, files.NamesSize, 1, files.FillNames, 1);
        PcTable = Add("runtime.pctab"u8, pcs.Size, 1, pcs.Fill, 1);
        dataSymbols?.AddTrees(ctx);
        FunctionTable = Add("runtime.functab"u8, table.Size, 4, table.Fill, 4);
        if (dataTable is not null)
        {
            FuncData = Add("go:func.*"u8, dataTable.Size, dataTable.Align, dataTable.Fill, 4);
            // Tools look for this one.
            symbols.Set(FuncData, SymbolTable.Attributes.NotInSymbolTable, false);
        }
    }

    /// <summary>The symbol that stands for all tables (runtime.pclntab).</summary>
    public SymbolId Carrier { get; }

    /// <summary>runtime.pcheader.</summary>
    public SymbolId Header { get; }

    /// <summary>runtime.funcnametab.</summary>
    public SymbolId FunctionNames { get; }

    /// <summary>runtime.cutab.</summary>
    public SymbolId UnitTable { get; }

    /// <summary>runtime.filetab.</summary>
    public SymbolId FileTable { get; }

    /// <summary>runtime.pctab.</summary>
    public SymbolId PcTable { get; }

    /// <summary>runtime.functab.</summary>
    public SymbolId FunctionTable { get; }

    /// <summary>go:func.*; none where the release lays funcdata out like other data.</summary>
    public SymbolId FuncData { get; }

    /// <summary>runtime.findfunctab.</summary>
    public SymbolId FindFuncTable { get; private set; }

    /// <summary>Number of functions.</summary>
    public int FunctionCount => _functions.Count;

    /// <summary>The function at the lowest address.</summary>
    public SymbolId FirstFunction => _functions.First;

    /// <summary>The function at the highest address.</summary>
    public SymbolId LastFunction => _functions.Last;

    /// <summary>Makes the tables; all functions have their addresses.</summary>
    /// <exception cref="LinkException">A function's record is damaged, or a table is too long.</exception>
    public static PclnTables Run(LinkContext ctx) => new(ctx);

    /// <summary>Makes the table that leads from a pc to its function (ld.findfunctab). A pass of its own.</summary>
    public void AddFindFuncTable()
    {
        FindFuncTable table = new(_functions);
        bool isData = _ctx.Release.RelocatesPclnTab;
        FindFuncTable = _ctx.CreateGenerated(
            "runtime.findfunctab"u8, 0, isData ? SymbolKind.RoData : SymbolKind.PclnTab, table.Size, table.Fill, Pclntab.FindFuncTable.BucketSize);
        if (!isData)
        {
            _ctx.Symbols.SetAlign(FindFuncTable, 4);
        }
        _ctx.Symbols.Set(FindFuncTable, SymbolTable.Attributes.Reachable | SymbolTable.Attributes.Local);
    }

    // Tables are rounded up to a pointer's size, and are only known under the carrier's name (addGeneratedSym).
    private SymbolId Add(ReadOnlySpan<byte> name, long size, int align, ContentGenerator fill, int granule)
    {
        long pointer = _ctx.Target.PointerSize;
        size = (size + pointer - 1) & -pointer;
        SymbolTable symbols = _ctx.Symbols;
        SymbolId s = _ctx.CreateGenerated(name, 0, SymbolKind.PclnTab, size, fill, granule);
        symbols.Set(s, SymbolTable.Attributes.Reachable | SymbolTable.Attributes.NotInSymbolTable);
        symbols.SetCarrier(s, Carrier);
        if (_ctx.Release.RelocatesPclnTab)
        {
            return s;
        }
        symbols.SetAlign(s, align);
        if (align > symbols.Align(Carrier))
        {
            symbols.SetAlign(Carrier, align);
        }
        return s;
    }

    private void FillHeader(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        int pointer = ctx.Target.PointerSize;
        writer.UInt32(0, Magic);
        writer.UInt8(6, (byte)ctx.Target.Cpu.MinLc);
        writer.UInt8(7, (byte)pointer);
        ReadOnlySpan<SymbolId> tables = [FunctionNames, UnitTable, FileTable, PcTable, FunctionTable];
        writer.UInt(8, (ulong)_functions.Count, pointer);
        writer.UInt(8 + pointer, (ulong)_fileCount, pointer);
        // The third word is the start of the text, which its relocation sets, or no longer used.
        long at = 8 + (3 * pointer);
        foreach (SymbolId table in tables)
        {
            long distance = ctx.Symbols.Value(table) - ctx.Symbols.Value(symbol);
            if (distance <= 0)
            {
                throw new InvalidOperationException($"{ctx.Symbols.NameText(table)} is not behind the pclntab's header");
            }
            writer.UInt(at, (ulong)distance, pointer);
            at += pointer;
        }
    }
}
