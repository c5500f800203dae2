using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The pc tables of all functions, each once per symbol, in the order of first mention (runtime.pctab). Offset 0 stands for no table,
/// hence a byte in front.
/// </summary>
internal sealed class PcTables(FunctionList functions, NativeArray<int> slots)
{
    private readonly SymbolTable _symbols = functions.Context.Symbols;
    private readonly List<int>[] _claimed = new List<int>[functions.ChunkCount];
    private readonly int[] _sizes = new int[functions.ChunkCount];
    private int[] _order = [];

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Offset of a pc table; 0 for none. Valid after <see cref="Place"/>.</summary>
    public uint Offset(SymbolId s) => (uint)slots[s.Index];

    /// <summary>First loop: notes the tables of function <paramref name="i"/>.</summary>
    public void Note(int i, in FunctionParts parts)
    {
        if (!parts.Info.IsValid)
        {
            return;
        }
        NoteOne(i, parts.PcSp);
        NoteOne(i, parts.PcFile);
        NoteOne(i, parts.PcLine);
        foreach (SymbolId s in parts.Of(AuxKind.PcData))
        {
            NoteOne(i, s);
        }
        if (parts.HasInlined)
        {
            NoteOne(i, parts.PcInline);
        }
    }

    /// <summary>Second loop: places the tables that function <paramref name="i"/> is the first to have, within its chunk.</summary>
    public void Claim(int chunk, int i, in FunctionParts parts)
    {
        if (!parts.Info.IsValid)
        {
            return;
        }
        ClaimOne(chunk, i, parts.PcSp);
        ClaimOne(chunk, i, parts.PcFile);
        ClaimOne(chunk, i, parts.PcLine);
        foreach (SymbolId s in parts.Of(AuxKind.PcData))
        {
            ClaimOne(chunk, i, s);
        }
        if (parts.HasInlined)
        {
            ClaimOne(chunk, i, parts.PcInline);
        }
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    public void Place()
    {
        (Size, _order) = ChunkedOrder.Join(functions.Context.Workers, _claimed, _sizes, slots, "pc tables", 1);
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
            writer.Bytes(at, _symbols.Data(new SymbolId(_order[i])));
        }
    }

    private void NoteOne(int i, SymbolId s)
    {
        if (!s.IsNone)
        {
            FirstUse.Note(ref slots[s.Index], i);
        }
    }

    private void ClaimOne(int chunk, int i, SymbolId s)
    {
        ref int slot = ref slots[s.Index];
        if (s.IsNone || !FirstUse.IsFirst(ref slot, i))
        {
            return;
        }
        long size = _symbols.Size(s);
        if (size == 0)
        {
            Volatile.Write(ref slot, 0);
            return;
        }
        Volatile.Write(ref slot, _sizes[chunk]);
        _sizes[chunk] = checked(_sizes[chunk] + (int)size);
        (_claimed[chunk] ??= []).Add(s.Index);
    }
}
