using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The names of all functions and inlined functions, each once per symbol and ended by a zero byte, in the order of first mention
/// (runtime.funcnametab).
/// </summary>
internal sealed class FunctionNames(FunctionList functions, Mentions mentions)
{
    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly ChunkedOrder _order = new(functions, mentions, "function names");

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size => _order.Size;

    /// <summary>Offset of a function's name. Valid after <see cref="Place"/>.</summary>
    public uint Offset(SymbolId s) => mentions.Offset(s.Index);

    /// <summary>First loop: notes the functions that function <paramref name="i"/> mentions.</summary>
    public void Note(int i, in FunctionUses.Uses uses)
    {
        foreach (int slot in uses.Names)
        {
            FirstUse.Note(ref mentions[slot], i);
        }
    }

    /// <summary>Second loop: places the names that function <paramref name="i"/> is the first to mention, within its chunk.</summary>
    public void Claim(int chunk, int i, in FunctionUses.Uses uses)
    {
        foreach (int slot in uses.Names)
        {
            if (FirstUse.IsFirst(ref mentions[slot], i))
            {
                _symbols.ExpectNameRecord(new SymbolId(mentions.IdOf(slot)));
            }
        }
        foreach (ref int slot in uses.Names)
        {
            ref int place = ref mentions[slot];
            if (FirstUse.IsFirst(ref place, i))
            {
                _order.Place(chunk, ref slot, _symbols.Name(new SymbolId(mentions.IdOf(slot))).Length + 1);
            }
        }
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    public void Place(FunctionUses uses) => _order.Join(uses, static u => u.Names);

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        const int Ahead = 8;
        int i = _order.FirstAt(offset);
        for (long at = i < _order.Count ? _order.OffsetOf(i) : 0; i < _order.Count && at < writer.End; i++)
        {
            if (i + (2 * Ahead) < _order.Count)
            {
                _symbols.ExpectNameRecord(_order[i + (2 * Ahead)]);
            }
            if (i + Ahead < _order.Count)
            {
                _symbols.ExpectName(_order[i + Ahead]);
            }
            ReadOnlySpan<byte> name = _symbols.Name(_order[i]);
            writer.Bytes(at, name);
            at += name.Length + 1;
        }
    }
}
