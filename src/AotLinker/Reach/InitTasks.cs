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
        TaskGraph graph = new();
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
            // A task of 8 bytes lists no function: it only orders others.
            if (symbols.Size(graph.Tasks[task]) > 8)
            {
                schedule.AddAddress(graph.Tasks[task]);
            }
            foreach (int importer in graph.Importers[task])
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

    /// <summary>The tasks that must run for some others, numbered as they are found, and which one is to run before which.</summary>
    private sealed class TaskGraph
    {
        private readonly Dictionary<SymbolId, int> _numbers = [];

        public List<SymbolId> Tasks { get; } = [];

        /// <summary>For each task those that import its package.</summary>
        public List<List<int>> Importers { get; } = [];

        /// <summary>For each task the number of those it waits for.</summary>
        public List<int> ImportCounts { get; } = [];

        /// <summary>The number of a task.</summary>
        public int Find(SymbolId task)
        {
            ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(_numbers, task, out bool isKnown);
            if (!isKnown)
            {
                number = Tasks.Count;
                Tasks.Add(task);
                Importers.Add([]);
            }
            return number;
        }

        /// <summary>
        /// Finds everything that the tasks import. Each lies in an object that nobody has looked at yet, so those found at one distance are
        /// read together.
        /// </summary>
        public void Explore(LinkContext ctx)
        {
            while (ImportCounts.Count < Tasks.Count)
            {
                int first = ImportCounts.Count;
                SymbolId[][] imports = new SymbolId[Tasks.Count - first][];
                ctx.Workers.ForChunks(imports.Length, 8, (from, to, _) =>
                {
                    for (int i = from; i < to; i++)
                    {
                        imports[i] = ImportsOf(ctx.Symbols, Tasks[first + i]);
                    }
                });
                for (int i = 0; i < imports.Length; i++)
                {
                    ImportCounts.Add(imports[i].Length);
                    foreach (SymbolId import in imports[i])
                    {
                        Importers[Find(import)].Add(first + i);
                    }
                }
            }
        }

        private static SymbolId[] ImportsOf(SymbolTable symbols, SymbolId task)
        {
            RelocList relocs = symbols.Relocs(task);
            List<SymbolId> imports = [];
            for (int i = 0; i < relocs.Count; i++)
            {
                if (relocs.Kind(i) == RelocKind.InitOrder)
                {
                    imports.Add(relocs.Target(i));
                }
            }
            return [.. imports];
        }
    }
}
