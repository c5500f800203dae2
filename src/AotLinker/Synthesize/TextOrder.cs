using System.Numerics;
using System.Runtime.InteropServices;
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
    private const int WordShift = 6;
    private const int WordMask = (1 << WordShift) - 1;

    /// <summary>Fills <see cref="LinkContext.Text"/> and <see cref="CompilationUnit.Text"/>.</summary>
    public static void Run(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        using MemoryArena memory = new();
        using NativeList<SymbolId> text = new();
        foreach (SymbolId s in ctx.Text)
        {
            if (symbols.IsReachable(s))
            {
                text.Add(s);
            }
        }
        int first = text.Count;
        List<Stretch> stretches = Place(ctx, Collect(ctx, memory), text);

        // The objects that the functions are read from.
        using NativeArray<int> origins = new(text.Count);
        List<(SymbolId Symbol, Package Package)>?[] moved = new List<(SymbolId, Package)>?[ctx.Workers.Threads];
        ctx.Workers.ForChunks(stretches.Count, 8, (from, to, worker) =>
        {
            for (int i = from; i < to; i++)
            {
                FindOrigins(symbols, text, stretches[i], origins, ref moved[worker]);
            }
        });
        foreach (List<(SymbolId, Package)>? list in moved)
        {
            foreach ((SymbolId s, Package package) in list ?? [])
            {
                // The package that the symbol is read from is whichever came first; the one it lies with is this.
                symbols.PackageOverride[s] = package.Path;
            }
        }
        FillUnits(symbols, text, origins, first);

        // With room for what passes add.
        ctx.Text.EnsureCapacity(text.Count + (text.Count / 16) + 16);
        CollectionsMarshal.SetCount(ctx.Text, text.Count);
        text.AsSpan().CopyTo(CollectionsMarshal.AsSpan(ctx.Text));
    }

    /// <summary>Functions of one package, one behind the other in the text.</summary>
    /// <param name="From">The first one's place.</param>
    /// <param name="To">The place behind the last.</param>
    /// <param name="Package">The package.</param>
    /// <param name="Object">Index of the object that defines all of them; 0 if others do as well.</param>
    private readonly record struct Stretch(int From, int To, Package Package, int Object);

    /// <summary>The live functions an object defines: alone, and together with other objects. Ids in the order of the definitions.</summary>
    private struct ObjectText
    {
        public NativeSpan<int> Own;
        public NativeSpan<int> Shared;
    }

    private static List<Stretch> Place(LinkContext ctx, ObjectText[] found, NativeList<SymbolId> text)
    {
        List<Stretch> stretches = [];
        using NativeArray<ulong> placed = new((ctx.Symbols.Count / 64) + 1);
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
                    if (unit.Object is { } o)
                    {
                        PlaceNew(found[o.Index].Own, package, o.Index);
                    }
                }
                foreach (CompilationUnit unit in package.Units)
                {
                    if (unit.Object is { } o)
                    {
                        PlaceNew(found[o.Index].Shared, package, 0);
                    }
                }
            }
        }
        return stretches;

        void PlaceNew(NativeSpan<int> functions, Package package, int owner)
        {
            int from = text.Count;
            foreach (int index in functions.AsSpan())
            {
                ref ulong word = ref placed[index >> 6];
                ulong bit = 1UL << (index & 63);
                if ((word & bit) == 0)
                {
                    word |= bit;
                    text.Add(new SymbolId(index));
                }
            }
            if (text.Count != from)
            {
                stretches.Add(new Stretch(from, text.Count, package, owner));
            }
        }
    }

    private static void FindOrigins(
        SymbolTable symbols, NativeList<SymbolId> text, in Stretch stretch, NativeArray<int> origins, ref List<(SymbolId Symbol, Package Package)>? moved)
    {
        for (int i = stretch.From; i < stretch.To; i++)
        {
            SymbolId s = text[i];
            if (stretch.Object != 0)
            {
                origins[i] = stretch.Object;
                continue;
            }
            origins[i] = symbols.Origin(s, out _)?.Index ?? 0;
            if (symbols.PackagePath(s) != stretch.Package.Path)
            {
                (moved ??= []).Add((s, stretch.Package));
            }
        }
    }

    private static void FillUnits(SymbolTable symbols, NativeList<SymbolId> text, NativeArray<int> origins, int first)
    {
        ReadOnlySpan<GoObject> objects = symbols.Objects;
        int[] counts = new int[objects.Length];
        for (int i = first; i < text.Count; i++)
        {
            counts[origins[i]]++;
        }
        for (int i = SymbolTable.FirstObject; i < counts.Length; i++)
        {
            objects[i].Unit?.Text.EnsureCapacity(counts[i]);
        }
        for (int i = first; i < text.Count; i++)
        {
            if (origins[i] != 0)
            {
                objects[origins[i]].Unit?.Text.Add(text[i]);
            }
        }
    }

    /// <summary>Lists that a thread fills for one object after another.</summary>
    private sealed class Scratch(MemoryArena memory) : IDisposable
    {
        public NativeList<int> Own { get; } = new();

        public NativeList<int> Shared { get; } = new();

        /// <inheritdoc/>
        public void Dispose()
        {
            Own.Dispose();
            Shared.Dispose();
        }

        /// <summary>What was found in an object; then the lists are empty.</summary>
        public ObjectText Take()
        {
            return new ObjectText { Own = Take(Own), Shared = Take(Shared) };

            NativeSpan<int> Take(NativeList<int> list)
            {
                NativeSpan<int> taken = NativeSpan<int>.Of(memory, list.Count);
                list.AsSpan().CopyTo(taken.AsSpan());
                list.Clear();
                return taken;
            }
        }
    }

    private static ObjectText[] Collect(LinkContext ctx, MemoryArena memory)
    {
        SymbolTable symbols = ctx.Symbols;
        int count = symbols.Objects.Length;
        using NativeArray<ulong> likely = FindLikely(ctx);
        ObjectText[] found = new ObjectText[count];
        Scratch?[] scratch = new Scratch?[ctx.Workers.Threads];
        ctx.Workers.ForChunks(count - SymbolTable.FirstObject, 8, (from, to, worker) =>
        {
            Scratch own = scratch[worker] ??= new Scratch(memory);
            for (int i = from + SymbolTable.FirstObject; i < to + SymbolTable.FirstObject; i++)
            {
                CollectObject(symbols, likely, symbols.Objects[i], own);
                found[i] = own.Take();
            }
        });
        foreach (Scratch? own in scratch)
        {
            own?.Dispose();
        }
        return found;
    }

    // A bit for each symbol, small enough for the cache: objects name most symbols many times, and hardly any are functions. The kind says
    // without a look at the object what most are not; it tells nothing about changed ones.
    private static NativeArray<ulong> FindLikely(LinkContext ctx)
    {
        const int Chunk = 1 << 9;
        SymbolTable symbols = ctx.Symbols;
        NativeArray<ulong> likely = new((symbols.Count + WordMask) >> WordShift);
        ctx.Workers.ForChunks((int)likely.Length, Chunk, (from, to, _) =>
        {
            for (int word = from; word < to; word++)
            {
                int first = word << WordShift;
                likely[word] = symbols.MarksOfLikelyText(first, Math.Min(symbols.Count, first + WordMask + 1));
            }
        });
        return likely;
    }

    private static void CollectObject(SymbolTable symbols, NativeArray<ulong> likely, GoObject o, Scratch found)
    {
        int first = o.GlobalBase;
        int end = first + o.DefCount;
        for (int at = first; at < end; at = (at | WordMask) + 1)
        {
            // The marks of ids in front of the object's first drop out.
            for (ulong marks = likely[at >> WordShift] >> (at & WordMask); marks != 0; marks &= marks - 1)
            {
                int id = at + BitOperations.TrailingZeroCount(marks);
                if (id >= end)
                {
                    break;
                }
                Add(symbols, o, id, id - first, found);
            }
        }
        GoObject.MappedIds ids = o.Mapped;
        int others = o.AllDefCount - o.DefCount;
        for (int i = NextLikely(likely, ids, 0, others); i < others; i = NextLikely(likely, ids, i + 1, others))
        {
            Add(symbols, o, ids[i], o.DefCount + i, found);
        }
    }

    // The next place with the id of a likely symbol, in a loop that calls nothing.
    private static unsafe int NextLikely(NativeArray<ulong> likely, GoObject.MappedIds ids, int from, int to)
    {
        ulong* words = likely.Base;
        uint count = (uint)likely.Length;
        for (int i = from; i < to; i++)
        {
            uint id = (uint)ids[i];
            if (id >> WordShift < count && (words[id >> WordShift] >> (int)(id & WordMask) & 1) != 0)
            {
                return i;
            }
        }
        return to;
    }

    private static void Add(SymbolTable symbols, GoObject o, int id, int local, Scratch found)
    {
        SymbolId s = new(id);
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
