using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>What of the tables is whose.</summary>
internal sealed partial class PclnTables
{
    /// <summary>
    /// Whose the parts of the tables are. What several functions have in common (names of inlined functions, pc tables, funcdata, names of
    /// files) is that function's which comes first in the text, in whose place it stands.
    /// </summary>
    /// <param name="ownerOf">Gives a function's owner.</param>
    /// <param name="ownerOfUnit">Gives a compilation unit's owner.</param>
    /// <param name="nobody">The owner of what belongs to no function.</param>
    public PclnShares Shares(Func<SymbolId, int> ownerOf, Func<CompilationUnit, int> ownerOfUnit, int nobody)
    {
        SymbolTable symbols = _ctx.Symbols;
        int[] owners = new int[_functions.Count];
        using NativeList<ulong> names = new(), pcs = new(), data = new(), records = new(), units = new(), files = new();
        PclnShares shares = new();
        FunctionReader reader = new(symbols, readsPcTables: false);
        Span<uint> offsets = stackalloc uint[64];
        for (int i = 0; i < owners.Length; i++)
        {
            SymbolId f = _functions[i];
            owners[i] = ownerOf(f);
            FuncInfo info = reader.Read(symbols.Origin(f, out int local), local);
            Note(names, _names.Offset(f), i);
            Note(records, Pclntab.FunctionTable.LookupOffset(i), i);
            Note(records, _table.RecordOffset(i), i);
            if (!info.IsValid)
            {
                continue;
            }
            int tables = FunctionReader.FixedPcTables + reader.PcData.Length + (reader.HasInlined ? 1 : 0);
            foreach (uint table in _pcs.Of(i, tables))
            {
                Note(pcs, table, i);
            }
            for (int k = 0; k < info.InlineCount; k++)
            {
                Note(names, _names.Offset(symbols.Resolve(reader.Owner, info.Inlined(k).Function)), i);
            }
            if (FuncData.IsNone)
            {
                NoteSymbols(shares, reader, i, owners[i]);
                continue;
            }
            Span<uint> own = reader.FuncData.Length <= offsets.Length ? offsets[..reader.FuncData.Length] : new uint[reader.FuncData.Length];
            _data.Offsets(reader.FuncData, own);
            foreach (uint offset in own)
            {
                Note(data, offset, i);
            }
            if (info.InlineCount > 0)
            {
                Note(data, _data.InlineOffset(i), i);
            }
        }
        foreach (CompilationUnit unit in _functions.Units)
        {
            Note(units, 4 * _files.UnitOffset(unit), unit.PclnIndex);
            foreach (uint name in _files.NamesOf(unit))
            {
                Note(files, name, unit.PclnIndex);
            }
        }
        int[] unitOwners = [.. _functions.Units.Select(ownerOfUnit)];
        shares.Add(Header, [], [], nobody);
        shares.Add(FunctionNames, names.AsSpan(), owners, nobody);
        shares.Add(PcTable, pcs.AsSpan(), owners, nobody);
        shares.Add(FunctionTable, records.AsSpan(), owners, nobody);
        shares.Add(UnitTable, units.AsSpan(), unitOwners, nobody);
        shares.Add(FileTable, files.AsSpan(), unitOwners, nobody);
        if (!FuncData.IsNone)
        {
            shares.Add(FuncData, data.AsSpan(), owners, nobody);
        }
        return shares;
    }

    private static void Note(NativeList<ulong> notes, uint offset, int owner)
    {
        if (offset != Pclntab.FuncData.Missing)
        {
            notes.Add(((ulong)offset << 32) | (uint)owner);
        }
    }

    private void NoteSymbols(PclnShares shares, FunctionReader reader, int function, int owner)
    {
        foreach (int id in reader.FuncData)
        {
            shares.Symbols.TryAdd(new SymbolId(id), owner);
        }
        if (reader.HasInlined && _data is FuncDataSymbols data)
        {
            shares.Symbols.TryAdd(data.TreeOf(function), owner);
        }
    }
}

/// <summary>Whose the parts of the runtime's tables of functions are.</summary>
internal sealed class PclnShares
{
    private readonly Dictionary<SymbolId, List<(long Offset, int Owner)>> _tables = [];

    /// <summary>The owners of funcdata that is laid out like other data.</summary>
    public Dictionary<SymbolId, int> Symbols { get; } = [];

    /// <summary>The parts of a table: where each begins, and its owner. Each ends where the next begins. Null if it is no such table.</summary>
    public IReadOnlyList<(long Offset, int Owner)>? Of(SymbolId table) => _tables.GetValueOrDefault(table);

    /// <summary>Takes what is known of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="notes">Offsets, and in the lower halves whose they are; several may be of one offset, and then the lowest counts.</param>
    /// <param name="owners">The owners by these numbers.</param>
    /// <param name="nobody">The owner of what is in front of the first offset.</param>
    internal void Add(SymbolId table, Span<ulong> notes, ReadOnlySpan<int> owners, int nobody)
    {
        notes.Sort();
        List<(long Offset, int Owner)> parts = [(0, nobody)];
        long last = -1;
        foreach (ulong note in notes)
        {
            long offset = (long)(note >> 32);
            if (offset != last)
            {
                last = offset;
                int owner = owners[(int)(uint)note];
                if (offset == 0)
                {
                    parts[0] = (0, owner);
                }
                else if (owner != parts[^1].Owner)
                {
                    parts.Add((offset, owner));
                }
            }
        }
        _tables[table] = parts;
    }
}
