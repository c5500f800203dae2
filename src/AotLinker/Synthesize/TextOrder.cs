using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>
/// Puts the live functions in the order they are laid out in, and lists them by compilation unit (Loader.AssignTextSymbolOrder).
/// </summary>
/// <remarks>
/// First come functions of host objects, then the packages under the runtime, then all others, both in the order of <see
/// cref="LinkContext.Packages"/>; within a package first the functions only it defines, then those that other packages may define as
/// well and that no package before took.
/// </remarks>
internal static class TextOrder
{
    /// <summary>Fills <see cref="LinkContext.Text"/> and <see cref="CompilationUnit.Text"/>.</summary>
    public static void Run(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        ObjectText[] found = Collect(ctx);

        List<SymbolId> text = ctx.Text;
        text.RemoveAll(s => !symbols.IsReachable(s));
        int total = text.Count;
        foreach (ObjectText t in found)
        {
            total += t.Own?.Count ?? 0;
        }
        text.EnsureCapacity(total);

        using NativeArray<ulong> placed = new((symbols.Count / 64) + 1);
        for (int group = 0; group < 2; group++)
        {
            foreach (Package package in ctx.Packages)
            {
                if (ctx.Release.IsRuntimePackage(package.Path) != (group == 0))
                {
                    continue;
                }
                foreach (CompilationUnit unit in package.Units)
                {
                    if (unit.Object is { } o && found[o.Index].Own is { } own)
                    {
                        Place(own, package, false);
                    }
                }
                foreach (CompilationUnit unit in package.Units)
                {
                    if (unit.Object is { } o && found[o.Index].Shared is { } shared)
                    {
                        Place(shared, package, true);
                    }
                }
            }
        }

        void Place(List<int> functions, Package package, bool isShared)
        {
            foreach (int index in functions)
            {
                ref ulong word = ref placed[index >> 6];
                ulong bit = 1UL << (index & 63);
                if ((word & bit) != 0)
                {
                    continue;
                }
                word |= bit;
                SymbolId s = new(index);
                text.Add(s);
                symbols.Unit(s)?.Text.Add(s);
                if (isShared && symbols.PackagePath(s) != package.Path)
                {
                    // The package that the symbol is read from is whichever came first; the one it lies with is this.
                    symbols.PackageOverride[s] = package.Path;
                }
            }
        }
    }

    /// <summary>The live functions an object defines: alone, and together with other objects. Ids in the order of the definitions.</summary>
    private struct ObjectText
    {
        public List<int>? Own;
        public List<int>? Shared;
    }

    private static ObjectText[] Collect(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        int count = symbols.Objects.Length;
        ObjectText[] found = new ObjectText[count];
        ctx.Workers.ForChunks(count - SymbolTable.FirstObject, 8, (from, to, _) =>
        {
            for (int i = from + SymbolTable.FirstObject; i < to + SymbolTable.FirstObject; i++)
            {
                CollectObject(symbols, symbols.Objects[i], ref found[i]);
            }
        });
        return found;
    }

    private static unsafe void CollectObject(SymbolTable symbols, GoObject o, ref ObjectText found)
    {
        int definitions = o.AllDefCount;
        int own = o.DefCount;
        for (int local = 0; local < own; local++)
        {
            Add(o.GlobalBase + local, local, ref found);
        }
        for (int local = own; local < definitions; local++)
        {
            Add(o.GlobalMap[local - own], local, ref found);
        }

        void Add(int id, int local, ref ObjectText found)
        {
            SymbolId s = new(id);
            // The kind says without a look at the object what most symbols are not; it tells nothing about changed ones.
            if (!symbols.IsReachable(s) || (!symbols.Kind(s).IsText() && !symbols.IsExternal(s)))
            {
                return;
            }
            ref readonly SymbolRecord record = ref o.Symbol(local);
            if (!SymbolKinds.FromObject(record.RawKind).IsText())
            {
                return;
            }
            // Another object's definition may have been taken, or the symbol changed; its place is still decided by all that define it.
            bool shared = (record.Flags & SymbolFlags.DupOk) != 0 || symbols.Locate(s, out int at) != o || at != local;
            (shared ? found.Shared ??= [] : found.Own ??= []).Add(id);
        }
    }
}
