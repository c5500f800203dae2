using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The names of all functions and inlined functions, each once per symbol and ended by a zero byte, in the order of first mention
/// (runtime.funcnametab).
/// </summary>
internal sealed class FunctionNames(FunctionList functions, NativeArray<int> slots)
{
    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly List<int>[] _claimed = new List<int>[functions.ChunkCount];
    private readonly int[] _sizes = new int[functions.ChunkCount];
    private int[] _order = [];

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Offset of a function's name. Valid after <see cref="Place"/>.</summary>
    public uint Offset(SymbolId s) => (uint)slots[s.Index];

    /// <summary>First loop: notes the functions that function <paramref name="i"/> mentions.</summary>
    public void Note(int i, in FunctionParts parts)
    {
        FirstUse.Note(ref slots[parts.Function.Index], i);
        for (int k = 0; k < parts.Info.InlineCount; k++)
        {
            FirstUse.Note(ref slots[Inlined(parts, k).Index], i);
        }
    }

    /// <summary>Second loop: places the names that function <paramref name="i"/> is the first to mention, within its chunk.</summary>
    public void Claim(int chunk, int i, in FunctionParts parts)
    {
        List<int> claimed = _claimed[chunk] ??= [];
        ClaimOne(chunk, i, parts.Function, claimed);
        for (int k = 0; k < parts.Info.InlineCount; k++)
        {
            ClaimOne(chunk, i, Inlined(parts, k), claimed);
        }
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    public void Place()
    {
        (Size, _order) = ChunkedOrder.Join(functions.Context.Workers, _claimed, _sizes, slots, "function names");
    }

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (int i = ChunkedOrder.FirstAt(_order, slots, offset); i < _order.Length; i++)
        {
            int at = slots[_order[i]];
            if (at >= writer.End)
            {
                return;
            }
            writer.Bytes(at, _symbols.Name(new SymbolId(_order[i])));
        }
    }

    private SymbolId Inlined(in FunctionParts parts, int k) => _symbols.Resolve(parts.Owner, parts.Info.Inlined(k).Function);

    private void ClaimOne(int chunk, int i, SymbolId s, List<int> claimed)
    {
        ref int slot = ref slots[s.Index];
        if (FirstUse.IsFirst(ref slot, i))
        {
            Volatile.Write(ref slot, _sizes[chunk]);
            _sizes[chunk] = checked(_sizes[chunk] + _symbols.Name(s).Length + 1);
            claimed.Add(s.Index);
        }
    }
}
