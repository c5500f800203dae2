using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Synthesize;

/// <summary>
/// Makes the tables by which the runtime of releases up to 1.26 finds types by their string, and itabs (ld.typelink).
/// </summary>
internal static class TypeLinks
{
    private const int Chunk = 1 << 14;

    /// <summary>Makes runtime.typelink and runtime.itablink, in releases that have them.</summary>
    public static void Run(LinkContext ctx)
    {
        if (!ctx.Release.HasTypeLinkTables)
        {
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        Collect(ctx, out List<SymbolId> types, out List<SymbolId> itabs);
        int[] order = Sort(ctx, types);

        // The itabs' table is made second; ids follow.
        SymbolBuilder b = Make(symbols, "runtime.typelink"u8, SymbolKind.TypeLink, 4L * order.Length);
        for (int i = 0; i < order.Length; i++)
        {
            b.AddReloc(RelocKind.AddrOff, i * 4, 4, types[order[i]], 0);
        }
        int pointer = ctx.Target.PointerSize;
        b = Make(symbols, "runtime.itablink"u8, SymbolKind.ItabLink, (long)pointer * itabs.Count);
        for (int i = 0; i < itabs.Count; i++)
        {
            b.AddReloc(RelocKind.Addr, i * pointer, pointer, itabs[i], 0);
        }
    }

    // Live types that reflection may look up, and live itabs, both in the order of ids.
    private static void Collect(LinkContext ctx, out List<SymbolId> types, out List<SymbolId> itabs)
    {
        SymbolTable symbols = ctx.Symbols;
        int chunks = ((symbols.Count - 1) / Chunk) + 1;
        List<SymbolId>?[] foundTypes = new List<SymbolId>?[chunks];
        List<SymbolId>?[] foundItabs = new List<SymbolId>?[chunks];
        ctx.Workers.ForChunks(symbols.Count, Chunk, (from, to, _) =>
        {
            foreach (SymbolId s in symbols.LiveIn(from, to, SymbolKinds.NotDwarf))
            {
                SymbolTable.Traits traits = symbols.TraitsOf(s);
                if ((traits & SymbolTable.Traits.TypeLink) != 0)
                {
                    (foundTypes[from / Chunk] ??= []).Add(s);
                }
                else if ((traits & SymbolTable.Traits.Itab) != 0)
                {
                    (foundItabs[from / Chunk] ??= []).Add(s);
                }
            }
        });
        types = [];
        itabs = [];
        for (int c = 0; c < chunks; c++)
        {
            types.AddRange(foundTypes[c] ?? []);
            itabs.AddRange(foundItabs[c] ?? []);
        }
    }

    // Several types may have the same string; Go's sort then decides, run on ranks instead of strings.
    private static int[] Sort(LinkContext ctx, List<SymbolId> types)
    {
        int count = types.Count;
        using NativeArray<NameSort.Item> sorted = new(count);
        ctx.Workers.ForChunks(count, Chunk, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                sorted[i] = new NameSort.Item(new TypeDescriptor(ctx.Symbols, types[i]).Name, i);
            }
        });
        NameSort.Sort(ctx.Workers, sorted.AsSpan());

        int[] order = new int[count];
        using NativeArray<ulong> ranks = new(count);
        bool hasEqual = false;
        uint rank = 0;
        for (int i = 0; i < count; i++)
        {
            if (i > 0 && NameSort.Compare(in sorted[i - 1], in sorted[i]) != 0)
            {
                rank = (uint)i;
            }
            else
            {
                hasEqual |= i > 0;
            }
            order[i] = sorted[i].Position;
            ranks[order[i]] = ((ulong)rank << 32) | (uint)order[i];
        }
        if (hasEqual)
        {
            GoSort.Sort(ctx.Workers, ranks.AsSpan(), default(ByUpperHalf));
            for (int i = 0; i < order.Length; i++)
            {
                order[i] = (int)(uint)ranks[i];
            }
        }
        return order;
    }

    private static SymbolBuilder Make(SymbolTable symbols, ReadOnlySpan<byte> name, SymbolKind kind, long size)
    {
        SymbolBuilder b = symbols.Update(name, 0);
        b.SetKind(kind).Set(SymbolTable.Attributes.Local).SetSize(size);
        b.Grow(size);
        return b;
    }
}
