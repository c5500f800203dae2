using AotLinker.Objects;

namespace AotLinker.Reach;

/// <summary>
/// Dead code elimination: marks what the entry points reach, and of the methods of types used in interfaces only those that a called
/// interface method, a method looked up by name, or reflection may reach (ld.deadcode).
/// </summary>
/// <remarks>
/// What ends up live does not depend on the order of visits, so the flood runs on all threads, each with a stack of its own and a pool
/// through which busy threads feed idle ones. The order is visible only in <c>-dumpdep</c> and in field tracking; with either, one thread
/// visits the lowest id first, as the Go linker does.
/// </remarks>
internal sealed class Reachability
{
    private const SymbolTable.Attributes Reachable = SymbolTable.Attributes.Reachable;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly ReachOptions _options;
    private readonly FloodRules _rules;
    private readonly FloodWorker[] _workers;
    private readonly MethodTable _methods;

    private Reachability(LinkContext ctx, ReachOptions options)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _options = options;
        bool ordered = options.DumpDependency is not null || options.TrackParents;
        if (options.TrackParents)
        {
            Parents = new NativeColumn<int>(ctx.Symbols.Count);
        }
        _rules = new FloodRules(ctx, options, Parents);
        _workers = new FloodWorker[ordered ? 1 : ctx.Workers.Threads];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new FloodWorker(_rules, ordered);
        }
        _methods = new MethodTable(ctx, _rules);
    }

    /// <summary>The symbol that made each symbol live first; only with field tracking (Reachparent).</summary>
    public NativeColumn<int>? Parents { get; }

    /// <summary>Marks all live symbols.</summary>
    public static Reachability Run(LinkContext ctx, ReachOptions options)
    {
        Reachability r = new(ctx, options);
        r.MarkRoots();
        r.Flood();
        // A module loaded later may call any exported method.
        r._rules.ReflectSeen |= ctx.Target.IsDynlinkingGo;
        while (r._methods.MarkCallable(r._workers))
        {
            r.Flood();
        }
        if (options.PruneWeakMaps)
        {
            r.RedirectDeadMapInits();
        }
        r._methods.Dispose();
        ctx.Symbols.DeferReturnUsers.EnsureCapacity(r._workers.Sum(w => w.DeferReturnUsers.Count));
        foreach (FloodWorker w in r._workers)
        {
            ctx.Symbols.DeferReturnUsers.UnionWith(w.DeferReturnUsers);
            w.Dispose();
        }
        return r;
    }

    private void MarkRoots()
    {
        FloodWorker w = _workers[0];
        ReachRoots.Visit(_ctx, _options.PluginPath, _options.Log, (s, _) => w.Mark(s, SymbolId.None));
    }

    private void Flood()
    {
        if (_workers.Length == 1)
        {
            _workers[0].Drain();
        }
        else
        {
            WorkPool pool = new();
            _ctx.Workers.For(_workers.Length, i => _workers[i].Share(pool));
        }
        foreach (FloodWorker w in _workers)
        {
            _methods.TakeCalls(w);
        }
    }

    // Package initialisers call the outlined initialisers of map variables by weak references; those that nothing else keeps call a
    // function of the runtime that does nothing (mapinitcleanup).
    private void RedirectDeadMapInits()
    {
        SymbolId nop = _symbols.Lookup("runtime.mapinitnoop"u8, _symbols.AbiInternalVersion);
        if (nop.IsNone)
        {
            throw new LinkException("could not look up runtime.mapinitnoop");
        }
        SymbolId[] inits = [.. _workers.SelectMany(w => w.PackageInits).Distinct().Order()];
        List<int>?[] dead = new List<int>?[inits.Length];
        _ctx.Workers.ForChunks(inits.Length, 16, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                dead[i] = DeadMapInits(inits[i]);
            }
        });
        for (int i = 0; i < inits.Length; i++)
        {
            if (dead[i] is { } calls)
            {
                Redirect(inits[i], calls, nop);
            }
        }
    }

    // The calls of outlined initialisers that nothing keeps.
    private List<int>? DeadMapInits(SymbolId init)
    {
        RelocList relocs = _symbols.Relocs(init);
        List<int>? dead = null;
        for (int i = 0; i < relocs.Count; i++)
        {
            if (relocs[i].IsWeak && relocs.Kind(i).IsDirectCall() && !_symbols.IsReachable(relocs.Target(i)))
            {
                (dead ??= []).Add(i);
            }
        }
        return dead;
    }

    private void Redirect(SymbolId init, List<int> calls, SymbolId nop)
    {
        _symbols.Set(nop, Reachable);
        SymbolBuilder b = _symbols.Update(init);
        foreach (int i in calls)
        {
            _options.Log?.Invoke($"deadcode: {_symbols.NameText(init)} rewrite {_symbols.NameText(_symbols.Relocs(init).Target(i))} ref to {_symbols.NameText(nop)}");
            b.SetRelocTarget(i, nop);
        }
    }
}

/// <summary>What reach is asked for.</summary>
/// <param name="PluginPath">Import path of the plugin that is built.</param>
/// <param name="PruneWeakMaps">Redirect calls of dead map initialisers (-pruneweakmap).</param>
/// <param name="TrackParents">Remember what made each symbol live (GOEXPERIMENT=fieldtrack).</param>
/// <param name="CountsSymbols">Somebody counts the live symbols (-v).</param>
/// <param name="DumpDependency">Takes each edge that made a symbol live (-dumpdep); null for none.</param>
/// <param name="Log">Takes lines of the link trace (-v -v); null for none.</param>
internal sealed record ReachOptions(
    string PluginPath, bool PruneWeakMaps, bool TrackParents, bool CountsSymbols, Action<string>? DumpDependency, Action<string>? Log)
{
    /// <summary>Whether somebody sees which way the flood goes (<see cref="FloodRules.FollowsAll"/>).</summary>
    public bool FollowsAll(Target target) => DumpDependency is not null || TrackParents || CountsSymbols || target.IsDynlinkingGo;
}
