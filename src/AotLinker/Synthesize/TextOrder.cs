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
            total += t.Own?.Length ?? 0;
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
                        unit.Text.EnsureCapacity(own.Length);
                        foreach (int index in own)
                        {
                            if (IsNew(index))
                            {
                                text.Add(new SymbolId(index));
                                unit.Text.Add(new SymbolId(index));
                            }
                        }
                    }
                }
                foreach (CompilationUnit unit in package.Units)
                {
                    if (unit.Object is { } o && found[o.Index].Shared is { } shared)
                    {
                        PlaceShared(shared, package);
                    }
                }
            }
        }

        bool IsNew(int index)
        {
            ref ulong word = ref placed[index >> 6];
            ulong bit = 1UL << (index & 63);
            bool isNew = (word & bit) == 0;
            word |= bit;
            return isNew;
        }

        void PlaceShared(int[] functions, Package package)
        {
            foreach (int index in functions)
            {
                if (!IsNew(index))
                {
                    continue;
                }
                SymbolId s = new(index);
                text.Add(s);
                symbols.Unit(s)?.Text.Add(s);
                if (symbols.PackagePath(s) != package.Path)
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
        public int[]? Own;
        public int[]? Shared;
    }

    /// <summary>Lists that a thread fills for one object after another.</summary>
    private sealed class Scratch
    {
        public List<int> Own { get; } = [];

        public List<int> Shared { get; } = [];

        /// <summary>What was found in an object; then the lists are empty.</summary>
        public ObjectText Take()
        {
            return new ObjectText { Own = Take(Own), Shared = Take(Shared) };

            static int[]? Take(List<int> list)
            {
                int[]? taken = list.Count == 0 ? null : [.. list];
                list.Clear();
                return taken;
            }
        }
    }

    private static ObjectText[] Collect(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        int count = symbols.Objects.Length;
        ObjectText[] found = new ObjectText[count];
        Scratch?[] scratch = new Scratch?[ctx.Workers.Threads];
        ctx.Workers.ForChunks(count - SymbolTable.FirstObject, 8, (from, to, worker) =>
        {
            Scratch own = scratch[worker] ??= new Scratch();
            for (int i = from + SymbolTable.FirstObject; i < to + SymbolTable.FirstObject; i++)
            {
                CollectObject(symbols, symbols.Objects[i], own);
                found[i] = own.Take();
            }
        });
        return found;
    }

    private static unsafe void CollectObject(SymbolTable symbols, GoObject o, Scratch found)
    {
        int first = o.GlobalBase;
        int end = first + o.DefCount;
        for (int id = symbols.NextLive(first, end); id < end; id = symbols.NextLive(id + 1, end))
        {
            Add(id, id - first);
        }
        for (int local = o.DefCount; local < o.AllDefCount; local++)
        {
            int id = o.GlobalMap[local - o.DefCount];
            if (symbols.IsReachable(new SymbolId(id)))
            {
                Add(id, local);
            }
        }

        void Add(int id, int local)
        {
            SymbolId s = new(id);
            // The kind says without a look at the object what most symbols are not; it tells nothing about changed ones.
            if (!symbols.Kind(s).IsText() && !symbols.IsExternal(s))
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
            (shared ? found.Shared : found.Own).Add(id);
        }
    }
}
