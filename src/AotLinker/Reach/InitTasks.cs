using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Load;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Reach;

/// <summary>
/// Orders the packages' initialisation: every package after those it imports, and among those that are ready the one whose inittask
/// symbol's name comes first (ld.inittasks).
/// </summary>
internal static class InitTasks
{
    /// <summary>Makes the lists of init tasks and sets <see cref="WellKnownSymbols.MainInitTasks"/>.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="pluginPath">Import path of the plugin that is built.</param>
    public static void Run(LinkContext ctx, string pluginPath)
    {
        SymbolTable symbols = ctx.Symbols;
        switch (ctx.Target.BuildMode)
        {
            case BuildMode.Plugin:
                ctx.Known.MainInitTasks = Schedule(ctx, [ImportPath.Escape(pluginPath)], "go:plugin.inittasks"u8);
                symbols.Set(ctx.Known.MainInitTasks, SymbolTable.Attributes.Local);
                break;
            case BuildMode.Shared:
                ctx.Known.MainInitTasks = Schedule(ctx, ctx.Packages.Select(p => ImportPath.Escape(p.Path)), "go:shlib.inittasks"u8);
                symbols.Set(ctx.Known.MainInitTasks, SymbolTable.Attributes.Local);
                break;
            default:
                ctx.Known.MainInitTasks = Schedule(ctx, ["main"], "go:main.inittasks"u8);
                break;
        }

        SymbolId header = symbols.Lookup("runtime.runtime_inittasks"u8, 0);
        if (!header.IsNone)
        {
            SymbolId tasks = Schedule(ctx, ["runtime"], "go:runtime.inittasks"u8);
            ulong count = tasks.IsNone ? 0 : (ulong)(symbols.Size(tasks) / ctx.Target.PointerSize);
            SymbolBuilder b = symbols.Update(header);
            b.SetData(default);
            b.SetSize(0).SetKind(SymbolKind.NoPtrData);
            b.AddAddress(tasks);
            b.AddUIntPtr(count);
            b.AddUIntPtr(count);
        }
    }

    private static SymbolId Schedule(LinkContext ctx, IEnumerable<string> packages, ReadOnlySpan<byte> name)
    {
        SymbolTable symbols = ctx.Symbols;
        TaskGraph graph = new(symbols);
        foreach (string package in packages)
        {
            SymbolId root = symbols.Lookup(Encoding.UTF8.GetBytes(package + "..inittask"), 0);
            if (!root.IsNone)
            {
                graph.Find(root);
            }
        }
        if (graph.Tasks.Count == 0)
        {
            return SymbolId.None;
        }
        graph.Explore(ctx);

        int[] rank = Ranks(ctx, graph.Tasks);
        int[] waiting = [.. graph.ImportCounts];
        Importers importers = graph.FindImporters();
        PriorityQueue<int, int> ready = new();
        for (int task = 0; task < waiting.Length; task++)
        {
            if (waiting[task] == 0)
            {
                ready.Enqueue(task, rank[task]);
            }
        }
        SymbolBuilder schedule = symbols.Update(symbols.CreateStatic(name));
        schedule.SetKind(SymbolKind.NoPtrData);
        while (ready.TryDequeue(out int task, out _))
        {
            if (graph.HasFunctions[task])
            {
                schedule.AddAddress(graph.Tasks[task]);
            }
            foreach (int importer in importers.Of(task))
            {
                if (--waiting[importer] == 0)
                {
                    ready.Enqueue(importer, rank[importer]);
                }
            }
        }
        int stuck = Array.FindIndex(waiting, static imports => imports != 0);
        return stuck < 0
            ? schedule.Symbol
            : throw new LinkException($"inittask for {symbols.NameText(graph.Tasks[stuck])} is not schedulable {waiting[stuck]}");
    }

    /// <summary>The place of each task in the order of names; of ids where two names are the same.</summary>
    private static int[] Ranks(LinkContext ctx, List<SymbolId> tasks)
    {
        NameSort.Item[] names = new NameSort.Item[tasks.Count];
        ctx.Workers.ForChunks(names.Length, 64, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                names[i] = new NameSort.Item(ctx.Symbols.Name(tasks[i]), i);
            }
        });
        NameSort.Sort(ctx.Workers, names);
        int[] rank = new int[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            // Names are the same for versions of a symbol alone: there are never many.
            for (int j = i; j > 0 && NameSort.Compare(in names[j - 1], in names[j]) == 0 && tasks[names[j].Position].Index < tasks[names[j - 1].Position].Index; j--)
            {
                (names[j - 1], names[j]) = (names[j], names[j - 1]);
            }
        }
        for (int i = 0; i < names.Length; i++)
        {
            rank[names[i].Position] = i;
        }
        return rank;
    }

    /// <summary>For each task those that import its package.</summary>
    private readonly struct Importers(int[] starts, int[] tasks)
    {
        public ReadOnlySpan<int> Of(int task) => tasks.AsSpan(starts[task], starts[task + 1] - starts[task]);
    }

    /// <summary>The tasks that must run for some others, numbered as they are found, and which one is to run before which.</summary>
    private sealed class TaskGraph(SymbolTable symbols)
    {
        // A package has one task, in its object: the number plus one of that which was found in an object first. Others are in the dictionary.
        private readonly int[] _byObject = new int[symbols.Objects.Length];
        private readonly Dictionary<SymbolId, int> _others = [];

        // Import by import: the task that waits, and the one it waits for.
        private readonly List<(int Importer, int Import)> _edges = [];

        public List<SymbolId> Tasks { get; } = [];

        /// <summary>For each task the number of those it waits for.</summary>
        public List<int> ImportCounts { get; } = [];

        /// <summary>Whether a task lists functions; otherwise it only orders others.</summary>
        public List<bool> HasFunctions { get; } = [];

        /// <summary>The number of a task.</summary>
        public int Find(SymbolId task) => Find(task, symbols.LocateIndex(task, out _));

        /// <summary>
        /// Finds everything that the tasks import. Each lies in an object that nobody has looked at yet, so those found at one distance are
        /// read together.
        /// </summary>
        public void Explore(LinkContext ctx)
        {
            while (ImportCounts.Count < Tasks.Count)
            {
                int first = ImportCounts.Count;
                (SymbolId Task, int Object)[][] imports = new (SymbolId, int)[Tasks.Count - first][];
                bool[] hasFunctions = new bool[imports.Length];
                ctx.Workers.ForChunks(imports.Length, 8, (from, to, _) =>
                {
                    for (int i = from; i < to; i++)
                    {
                        imports[i] = ImportsOf(Tasks[first + i]);
                        // Behind the head of a task.
                        hasFunctions[i] = symbols.Size(Tasks[first + i]) > 8;
                    }
                });
                HasFunctions.AddRange(hasFunctions);
                for (int i = 0; i < imports.Length; i++)
                {
                    ImportCounts.Add(imports[i].Length);
                    foreach ((SymbolId import, int o) in imports[i])
                    {
                        _edges.Add((first + i, Find(import, o)));
                    }
                }
            }
        }

        /// <summary>Turns what was found round.</summary>
        public Importers FindImporters()
        {
            int[] starts = new int[Tasks.Count + 1];
            foreach ((_, int import) in _edges)
            {
                starts[import + 1]++;
            }
            for (int i = 1; i < starts.Length; i++)
            {
                starts[i] += starts[i - 1];
            }
            int[] next = [.. starts];
            int[] importers = new int[_edges.Count];
            foreach ((int importer, int import) in _edges)
            {
                importers[next[import]++] = importer;
            }
            return new Importers(starts, importers);
        }

        private int Find(SymbolId task, int o)
        {
            ref int known = ref _byObject[o];
            if (known == 0)
            {
                known = New(task) + 1;
                return known - 1;
            }
            if (Tasks[known - 1] == task)
            {
                return known - 1;
            }
            ref int other = ref CollectionsMarshal.GetValueRefOrAddDefault(_others, task, out bool isKnown);
            if (!isKnown)
            {
                other = New(task);
            }
            return other;
        }

        private int New(SymbolId task)
        {
            Tasks.Add(task);
            return Tasks.Count - 1;
        }

        private (SymbolId Task, int Object)[] ImportsOf(SymbolId task)
        {
            RelocList relocs = symbols.Relocs(task);
            List<(SymbolId, int)> imports = new(relocs.Count);
            for (int i = 0; i < relocs.Count; i++)
            {
                if (relocs.Kind(i) == RelocKind.InitOrder)
                {
                    SymbolId import = relocs.Target(i);
                    imports.Add((import, symbols.LocateIndex(import, out _)));
                }
            }
            return [.. imports];
        }
    }
}
