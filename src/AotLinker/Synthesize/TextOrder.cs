using System.Numerics;
using System.Runtime.InteropServices;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

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
        List<SymbolId> text = ctx.Text;
        text.RemoveAll(s => !symbols.IsReachable(s));
        List<Stretch> stretches = Place(ctx, Collect(ctx, memory), text.Count, out int count);
        // With room for what passes add.
        text.EnsureCapacity(count + (count / 16) + 16);
        CollectionsMarshal.SetCount(text, count);

        // The objects that the functions are read from.
        using NativeArray<int> origins = new(count);
        List<(SymbolId Symbol, Package Package)>?[] moved = new List<(SymbolId, Package)>?[ctx.Workers.Threads];
        ctx.Workers.ForChunks(stretches.Count, 8, (from, to, worker) =>
        {
            for (int i = from; i < to; i++)
            {
                Fill(symbols, stretches[i], CollectionsMarshal.AsSpan(text), origins, ref moved[worker]);
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
        FillUnits(ctx, origins);
    }

    /// <summary>Functions of one package, one behind the other in the text.</summary>
    /// <param name="From">The first one's place.</param>
    /// <param name="Functions">Ids of the functions.</param>
    /// <param name="Package">The package.</param>
    /// <param name="Object">Index of the object that defines all of them; 0 if others do as well.</param>
    private readonly record struct Stretch(int From, NativeSpan<int> Functions, Package Package, int Object);

    /// <summary>The live functions an object defines: alone, and together with other objects. Ids in the order of the definitions.</summary>
    private struct ObjectText
    {
        public NativeSpan<int> Own;
        public NativeSpan<int> Shared;
    }

    /// <summary>Decides where which functions go, from place <paramref name="first"/> on, and how many places that makes.</summary>
    private static List<Stretch> Place(LinkContext ctx, ObjectText[] found, int first, out int count)
    {
        List<Stretch> stretches = [];
        using NativeArray<ulong> placed = new((ctx.Symbols.Count / 64) + 1);
        int next = first;
        foreach (bool isRuntime in (ReadOnlySpan<bool>)[true, false])
        {
            foreach (Package package in ctx.Packages)
            {
                if (package.ObjectCount == 0 || ctx.Release.IsRuntimePackage(package.Path) != isRuntime)
                {
                    continue;
                }
                int end = package.FirstObject + package.ObjectCount;
                for (int i = package.FirstObject; i < end; i++)
                {
                    PlaceNew(found[i].Own, package, i);
                }
                for (int i = package.FirstObject; i < end; i++)
                {
                    PlaceNew(found[i].Shared, package, 0);
                }
            }
        }
        count = next;
        return stretches;

        void PlaceNew(NativeSpan<int> functions, Package package, int owner)
        {
            int kept = KeepNew(functions.AsSpan(), placed);
            if (kept != 0)
            {
                stretches.Add(new Stretch(next, functions.Slice(0, kept), package, owner));
                next += kept;
            }
        }
    }

    // Moves to the front those that are not placed yet, and counts them.
    private static int KeepNew(Span<int> functions, NativeArray<ulong> placed)
    {
        int kept = 0;
        foreach (int id in functions)
        {
            ref ulong word = ref placed[id >> WordShift];
            ulong bit = 1UL << (id & WordMask);
            functions[kept] = id;
            kept += (word & bit) == 0 ? 1 : 0;
            word |= bit;
        }
        return kept;
    }

    private static void Fill(
        SymbolTable symbols, in Stretch stretch, Span<SymbolId> text, NativeArray<int> origins, ref List<(SymbolId Symbol, Package Package)>? moved)
    {
        int at = stretch.From;
        foreach (int id in stretch.Functions.AsSpan())
        {
            SymbolId s = new(id);
            text[at] = s;
            if (stretch.Object != 0)
            {
                origins[at++] = stretch.Object;
                continue;
            }
            origins[at++] = symbols.Origin(s, out _)?.Index ?? 0;
            if (symbols.PackagePath(s) != stretch.Package.Path)
            {
                (moved ??= []).Add((s, stretch.Package));
            }
        }
    }

    // The functions that are read from an object, in the order of the text. Host functions have no origin.
    private static void FillUnits(LinkContext ctx, NativeArray<int> origins)
    {
        const int Chunk = 1 << 14;
        SymbolTable symbols = ctx.Symbols;
        int objects = symbols.Objects.Length;
        List<SymbolId> text = ctx.Text;
        ChunkedCounts counts = new(text.Count, Chunk, objects);
        ctx.Workers.ForChunks(text.Count, Chunk, (from, to, _) =>
        {
            Span<int> own = counts.Of(from);
            foreach (int origin in origins.Span(from, to - from))
            {
                own[origin]++;
            }
        });
        int[] starts = counts.ToPlaces();
        for (int i = SymbolTable.FirstObject; i < objects; i++)
        {
            if (symbols.ObjectAt(i)?.Unit is { } unit)
            {
                CollectionsMarshal.SetCount(unit.Text, starts[i + 1] - starts[i]);
            }
        }
        ctx.Workers.ForChunks(text.Count, Chunk, (from, to, _) =>
        {
            Span<int> next = counts.Of(from);
            for (int i = from; i < to; i++)
            {
                int origin = origins[i];
                if (origin != 0 && symbols.ObjectAt(origin)?.Unit is { } unit)
                {
                    CollectionsMarshal.AsSpan(unit.Text)[next[origin]++ - starts[origin]] = text[i];
                }
            }
        });
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
        if (!SymbolKinds.FromObject(record.RawKind, symbols.Release.ObjectSymbolKinds).IsText())
        {
            return;
        }
        // Another object's definition may have been taken, or the symbol changed; its place is still decided by all that define it.
        bool shared = (record.Flags & SymbolFlags.DupOk) != 0 || symbols.Locate(s, out int at) != o || at != local;
        (shared ? found.Shared : found.Own).Add(id);
    }
}
