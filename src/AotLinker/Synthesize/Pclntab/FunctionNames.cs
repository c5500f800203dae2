using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The names of all functions and inlined functions, each once per symbol and ended by a zero byte, in the order of first mention
/// (runtime.funcnametab).
/// </summary>
internal sealed class FunctionNames(FunctionList functions, Mentions mentions)
{
    // Names that lie between one step towards a name and the next.
    private const int Ahead = 7;

    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly ChunkedOrder _order = new(functions, mentions, FunctionUses.Sort.Name, "function names");

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size => _order.Size;

    /// <summary>Offset of a function's name. Valid after <see cref="Place"/>.</summary>
    public uint Offset(SymbolId s) => mentions.Offset(s.Index);

    /// <summary>Places the names that a chunk is the first to mention.</summary>
    public void Claim(int chunk, Span<int> ids)
    {
        Places places = default;
        for (int k = -Ahead; k < ids.Length; k++)
        {
            if (k + Ahead < ids.Length)
            {
                places.Locate(_symbols, k + Ahead, new SymbolId(ids[k + Ahead]), out int ahead)?.ExpectRecord(ahead);
            }
            if (k < 0)
            {
                continue;
            }
            ref int place = ref mentions[ids[k]];
            if (FirstUse.IsFirst(ref place, chunk))
            {
                ReadOnlySpan<byte> name = places.Get(_symbols, k, out int local) is { } o ? o.Name(local) : _symbols.Name(new SymbolId(ids[k]));
                _order.Place(chunk, ref place, name.Length + 1);
            }
            else
            {
                ids[k] = 0;
            }
        }
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    public void Place(FunctionUses uses) => _order.Join(uses);

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        Places places = default;
        int count = _order.Count;
        int first = _order.FirstAt(offset);
        long at = first < count ? _order.OffsetOf(first) : 0;
        for (int i = first - (2 * Ahead); i < count && at < writer.End; i++)
        {
            if (i + (2 * Ahead) < count)
            {
                places.Locate(_symbols, i + (2 * Ahead), _order[i + (2 * Ahead)], out int ahead)?.ExpectRecord(ahead);
            }
            if (i + Ahead >= first && i + Ahead < count && places.Get(_symbols, i + Ahead, out int near) is { } next)
            {
                next.ExpectName(near);
            }
            if (i < first)
            {
                continue;
            }
            ReadOnlySpan<byte> name = places.Get(_symbols, i, out int local) is { } o ? o.Name(local) : _symbols.Name(_order[i]);
            writer.Bytes(at, name);
            at += name.Length + 1;
        }
    }
}
