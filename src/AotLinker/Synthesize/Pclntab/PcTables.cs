using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The pc tables of all functions, each once per symbol, in the order of first mention (runtime.pctab). Offset 0 stands for no table,
/// hence a byte in front.
/// </summary>
internal sealed class PcTables(FunctionList functions, Mentions mentions)
{
    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly ChunkedOrder _order = new(functions, mentions, FunctionUses.Sort.PcTable, "pc tables", 1);

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size => _order.Size;

    /// <summary>Places the tables that a chunk is the first to mention.</summary>
    public void Claim(int chunk, Span<int> ids)
    {
        const int Ahead = 8;
        for (int i = 0; i < ids.Length; i++)
        {
            // Reach leaves these tables alone, so nobody has read their records yet.
            if (i + Ahead < ids.Length)
            {
                _symbols.ExpectNameRecord(new SymbolId(ids[i + Ahead]));
            }
            ref int id = ref ids[i];
            ref int place = ref mentions[id];
            if (!FirstUse.IsFirst(ref place, chunk))
            {
                id = 0;
                continue;
            }
            long size = _symbols.Size(new SymbolId(id));
            if (size == 0)
            {
                Volatile.Write(ref place, 0);
                id = 0;
                continue;
            }
            _order.Place(chunk, ref place, checked((int)size));
        }
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    public void Place(FunctionUses uses) => _order.Join(uses);

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (int i = _order.FirstAt(offset); i < _order.Count; i++)
        {
            int at = _order.OffsetOf(i);
            if (at >= writer.End)
            {
                return;
            }
            writer.Bytes(at, _symbols.Data(_order[i]));
        }
    }
}
