using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// What was inlined into functions: for each of them a list of calls (runtime.inlinedCall; genInlTreeSym). The list is one of the function's
/// funcdata, and made here.
/// </summary>
internal sealed class InlineTrees(FunctionList functions, FunctionNames names)
{
    /// <summary>Bytes of one call.</summary>
    public const int RecordSize = 16;

    /// <summary>Alignment of a tree.</summary>
    public const int Align = 4;

    // Inlined functions whose records are asked for together.
    private const int Ahead = Places.Count;

    private readonly SymbolTable _symbols = functions.Context.Symbols;

    /// <summary>What the record of a call says of the function that was inlined.</summary>
    public struct Inlined
    {
        /// <summary>The function's id plus one; 0 for none yet.</summary>
        public int Key;
        /// <summary>Offset of its name.</summary>
        public uint Name;
        /// <summary>Line of its func keyword.</summary>
        public uint StartLine;
        /// <summary>Which function of the runtime it is.</summary>
        public byte FuncId;
    }

    /// <summary>Writes the tree of a function, as far as it is in the piece.</summary>
    /// <param name="writer">The piece.</param>
    /// <param name="at">Where the tree begins.</param>
    /// <param name="owner">The object that defines the function; null for one without a tree.</param>
    /// <param name="local">The function's number there.</param>
    /// <param name="known">What is known already of functions that were inlined; as many as a power of two.</param>
    public void Write(in PieceWriter writer, long at, GoObject? owner, int local, Span<Inlined> known)
    {
        FuncInfo info = owner is null ? default : FuncInfo.Of(owner, local);
        Span<SymbolId> callees = stackalloc SymbolId[Ahead];
        for (int k = 0; k < info.InlineCount; k++, at += RecordSize)
        {
            if (k % Ahead == 0)
            {
                ResolveInlined(info, owner, k, callees, known);
            }
            if (at + RecordSize <= writer.Start || at >= writer.End)
            {
                continue;
            }
            SymbolId s = callees[k % Ahead];
            ref Inlined inlined = ref known[s.Index & (known.Length - 1)];
            if (inlined.Key != s.Index + 1)
            {
                inlined = Find(s);
            }
            writer.UInt8(at, inlined.FuncId);
            writer.UInt32(at + 4, inlined.Name);
            writer.UInt32(at + 8, (uint)info.Inlined(k).ParentPc);
            writer.UInt32(at + 12, inlined.StartLine);
        }
    }

    private Inlined Find(SymbolId s)
    {
        FuncInfo info = FuncInfo.Of(_symbols, s);
        if (!info.IsValid && !functions.Context.Target.IsLinkShared)
        {
            throw new LinkException($"inlined function {_symbols.NameText(s)} missing func info");
        }
        Inlined found = new() { Key = s.Index + 1, Name = names.Offset(s) };
        if (info.IsValid)
        {
            found.StartLine = info.StartLine;
            found.FuncId = info.FuncId;
        }
        return found;
    }

    // The next of the functions that were inlined. Asks for the records of those that are not known, step by step for all of them.
    private void ResolveInlined(in FuncInfo info, GoObject? owner, int first, Span<SymbolId> callees, Span<Inlined> known)
    {
        Places places = default;
        int count = 0;
        for (int k = first; k < Math.Min(info.InlineCount, first + Ahead); k++)
        {
            SymbolId s = callees[k - first] = _symbols.Resolve(owner, info.Inlined(k).Function);
            if (known[s.Index & (known.Length - 1)].Key != s.Index + 1)
            {
                places.Locate(_symbols, count++, s, out int local)?.ExpectAuxIndex(local);
            }
        }
        for (int i = 0; i < count; i++)
        {
            places.Get(_symbols, i, out int local)?.ExpectAuxes(local);
        }
        for (int i = 0; i < count; i++)
        {
            if (places.Get(_symbols, i, out int local) is { } o)
            {
                Approach.ExpectFuncInfo(o, local);
            }
        }
    }
}
