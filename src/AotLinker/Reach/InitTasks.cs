using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Load;
using AotLinker.Objects;

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
        Dictionary<SymbolId, int> waiting = [];
        Stack<SymbolId> found = [];
        foreach (string package in packages)
        {
            SymbolId root = symbols.Lookup(Encoding.UTF8.GetBytes(package + "..inittask"), 0);
            if (!root.IsNone && waiting.TryAdd(root, 0))
            {
                found.Push(root);
            }
        }
        if (found.Count == 0)
        {
            return SymbolId.None;
        }

        Dictionary<SymbolId, List<SymbolId>> importers = [];
        PriorityQueue<SymbolId, SymbolId> ready = new(Comparer<SymbolId>.Create((a, b) =>
        {
            int order = symbols.Name(a).SequenceCompareTo(symbols.Name(b));
            return order != 0 ? order : a.CompareTo(b);
        }));
        while (found.TryPop(out SymbolId task))
        {
            RelocList relocs = symbols.Relocs(task);
            int imports = 0;
            for (int i = 0; i < relocs.Count; i++)
            {
                if (relocs.Kind(i) != RelocKind.InitOrder)
                {
                    continue;
                }
                imports++;
                SymbolId import = relocs.Target(i);
                ref List<SymbolId>? list = ref CollectionsMarshal.GetValueRefOrAddDefault(importers, import, out _);
                (list ??= []).Add(task);
                if (waiting.TryAdd(import, 0))
                {
                    found.Push(import);
                }
            }
            waiting[task] = imports;
            if (imports == 0)
            {
                ready.Enqueue(task, task);
            }
        }

        SymbolBuilder schedule = symbols.Update(symbols.CreateStatic(name));
        schedule.SetKind(SymbolKind.NoPtrData);
        while (ready.TryDequeue(out SymbolId task, out _))
        {
            // A task of 8 bytes lists no function: it only orders others.
            if (symbols.Size(task) > 8)
            {
                schedule.AddAddress(task);
            }
            if (importers.TryGetValue(task, out List<SymbolId>? list))
            {
                foreach (SymbolId importer in list)
                {
                    if (--CollectionsMarshal.GetValueRefOrNullRef(waiting, importer) == 0)
                    {
                        ready.Enqueue(importer, importer);
                    }
                }
            }
        }
        foreach ((SymbolId task, int imports) in waiting)
        {
            if (imports != 0)
            {
                throw new LinkException($"inittask for {symbols.NameText(task)} is not schedulable {imports}");
            }
        }
        return schedule.Symbol;
    }
}
