using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The pc tables of all functions, each once per symbol, in the order of first mention (runtime.pctab). Offset 0 stands for no table,
/// hence a byte in front.
/// </summary>
internal sealed class PcTables(FunctionList functions, Mentions mentions)
{
    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly ChunkedOrder _order = new(functions, mentions, "pc tables", 1);

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size => _order.Size;

    /// <summary>Offset of a pc table; 0 for none. Valid after <see cref="Place"/>.</summary>
    public uint Offset(SymbolId s) => mentions.Offset(s.Index);

    /// <summary>First loop: notes the tables of function <paramref name="i"/>.</summary>
    public void Note(int i, in FunctionUses.Uses uses)
    {
        foreach (int slot in uses.PcTables)
        {
            if (slot != 0)
            {
                FirstUse.Note(ref mentions[slot], i);
            }
        }
    }

    /// <summary>Second loop: places the tables that function <paramref name="i"/> is the first to have, within its chunk.</summary>
    public void Claim(int chunk, int i, in FunctionUses.Uses uses)
    {
        foreach (ref int slot in uses.PcTables)
        {
            ref int place = ref mentions[slot];
            if (slot == 0 || !FirstUse.IsFirst(ref place, i))
            {
                continue;
            }
            long size = _symbols.Size(new SymbolId(mentions.IdOf(slot)));
            if (size == 0)
            {
                Volatile.Write(ref place, 0);
                continue;
            }
            _order.Place(chunk, ref slot, checked((int)size));
        }
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    public void Place(FunctionUses uses) => _order.Join(uses, static u => u.PcTables);

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
