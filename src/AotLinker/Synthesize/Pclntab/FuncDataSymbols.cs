using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// Funcdata that are read-only data like any other, laid out by their sizes in the group go:func.*: here only the symbols of inline trees
/// are made.
/// </summary>
internal sealed class FuncDataSymbols(FunctionList functions, InlineTrees trees) : FuncData
{
    // A tree is filled at a time, so there is little to know from before.
    private const int KnownInlined = 8;

    private readonly SymbolTable _symbols = functions.Context.Symbols;

    // By function: how many calls were inlined into it, then the symbol of the tree; and by symbol, from the first one on, the function.
    private readonly NativeArray<int> _trees = new(functions.Count);
    private readonly NativeArray<int> _functions = new(0);
    private int _firstTree;
    private SymbolId _base;

    /// <inheritdoc/>
    public override void Offsets(ReadOnlySpan<int> ids, Span<uint> offsets)
    {
        for (int k = 0; k < ids.Length; k++)
        {
            offsets[k] = ids[k] == 0 ? Missing : Offset(ids[k]);
        }
    }

    /// <inheritdoc/>
    public override uint InlineOffset(int function) => Offset(_trees[function]);

    /// <inheritdoc/>
    public override void MeasureInlineTree(int function, int calls) => _trees[function] = calls;

    /// <inheritdoc/>
    public override void Claim(int chunk, Span<int> items)
    {
    }

    /// <inheritdoc/>
    public override void Place(FunctionUses uses)
    {
    }

    /// <summary>Makes the symbols of the inline trees, in the order of functions (makeInlSyms).</summary>
    public void AddTrees(LinkContext ctx)
    {
        int count = 0;
        foreach (int calls in _trees.AsSpan())
        {
            count += calls > 0 ? 1 : 0;
        }
        _functions.Resize(count);
        _firstTree = _symbols.Count;
        GeneratedContent content = new(Fill, InlineTrees.RecordSize);
        count = 0;
        for (int i = 0; i < _trees.Length; i++)
        {
            int calls = _trees[i];
            if (calls == 0)
            {
                continue;
            }
            SymbolId tree = _symbols.CreateUnnamed(default, 0);
            _symbols.Update(tree).SetKind(SymbolKind.GoFunc).SetSize((long)calls * InlineTrees.RecordSize).SetAlign(InlineTrees.Align)
                .Set(SymbolTable.Attributes.Generated | SymbolTable.Attributes.Reachable);
            ctx.Generators[tree] = content;
            _trees[i] = tree.Index;
            _functions[count++] = i;
        }
    }

    /// <summary>The inline tree of a function that has one. Valid after <see cref="AddTrees"/>.</summary>
    public SymbolId TreeOf(int function) => new(_trees[function]);

    private uint Offset(int id) => (uint)(_symbols.Value(new SymbolId(id)) - _symbols.Value(Base));

    private SymbolId Base => _base.IsNone ? _base = _symbols.Lookup("go:func.*"u8, 0) : _base;

    private void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        Span<InlineTrees.Inlined> known = stackalloc InlineTrees.Inlined[KnownInlined];
        known.Clear();
        GoObject? owner = _symbols.Origin(functions[_functions[symbol.Index - _firstTree]], out int local);
        trees.Write(new PieceWriter(piece, offset, ctx.Target.IsBigEndian), 0, owner, local, known);
    }
}
