using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Objects;

namespace AotLinker.Reach;

/// <summary>
/// Checks that no chain of calls between functions without a stack check can outgrow the room that every check guarantees
/// (ld.doStackCheck).
/// </summary>
/// <remarks>
/// Functions that check their stack all have the height of a call, so only the few thousand that do not are walked, bottom-up and once
/// each. When a chain is too long the walk is repeated with its edges recorded, to show all chains.
/// </remarks>
internal sealed class StackCheck : IDisposable
{
    private const int Cycle = short.MaxValue;
    private const int Base = 800;
    private static readonly SymbolId Indirect = new(-1);

    private readonly SymbolTable _symbols;
    private readonly int _callSize;
    private readonly int _minLc;
    private readonly SymbolId _moreStack;
    private readonly Action<string>? _dump;
    private readonly IdMap _heights = new();
    private readonly Dictionary<SymbolId, List<Edge>>? _graph;
    private readonly bool _showsAll;

    private StackCheck(LinkContext ctx, Action<string>? dump, bool withGraph)
    {
        _symbols = ctx.Symbols;
        _callSize = ctx.Target.Cpu.HasLinkRegister ? 0 : ctx.Target.Cpu.RegisterSize;
        _minLc = ctx.Target.Cpu.MinLc;
        _moreStack = ctx.Symbols.Lookup("runtime.morestack"u8, 0);
        _dump = dump;
        _graph = withGraph ? [] : null;
        _showsAll = withGraph || dump is not null;
    }

    /// <summary>Checks all functions of the link; reports each root of a chain that is too long.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="guardMultiplier">How many times the usual room functions guarantee (race detector, some systems, unoptimised code).</param>
    /// <param name="dump">Takes a line for every edge of the call graph (-debugnosplit); null for none.</param>
    public static void Run(LinkContext ctx, int guardMultiplier, Action<string>? dump)
    {
        using StackCheck check = new(ctx, dump, withGraph: false);
        int limit = check.Limit(ctx, guardMultiplier);
        List<SymbolId> failed = check._showsAll ? check.FindFailed(CollectionsMarshal.AsSpan(ctx.Text), limit) : FindFailedInParallel(ctx, limit);
        if (failed.Count == 0)
        {
            return;
        }
        using StackCheck shown = new(ctx, dump, withGraph: true);
        foreach (SymbolId s in failed)
        {
            shown.Height(s);
        }
        foreach (SymbolId root in shown.Roots())
        {
            ctx.Diagnostics.Error(ctx.Symbols.Name(root), $"nosplit stack over {limit} byte limit");
            shown.Report(ctx.Diagnostics, root, limit, [new Link { Edge = new Edge(0, root) }]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _heights.Dispose();

    private int Limit(LinkContext ctx, int guardMultiplier) => (Base * guardMultiplier) - _callSize - ctx.Target.Cpu.FramePointerSlot;

    /// <summary>The functions that may need more than there is; heights are the same whoever asks first.</summary>
    private static List<SymbolId> FindFailedInParallel(LinkContext ctx, int limit)
    {
        const int Chunk = 1 << 13;
        StackCheck?[] checks = new StackCheck?[ctx.Workers.Threads];
        int count = ctx.Text.Count;
        List<SymbolId>[] failed = new List<SymbolId>[(count + Chunk - 1) / Chunk];
        ctx.Workers.ForChunks(count, Chunk, (from, to, worker) =>
        {
            StackCheck check = checks[worker] ??= new StackCheck(ctx, dump: null, withGraph: false);
            failed[from / Chunk] = check.FindFailed(CollectionsMarshal.AsSpan(ctx.Text)[from..to], limit);
        });
        foreach (StackCheck? check in checks)
        {
            check?.Dispose();
        }
        return [.. failed.SelectMany(static part => part)];
    }

    private List<SymbolId> FindFailed(ReadOnlySpan<SymbolId> text, int limit)
    {
        List<SymbolId> failed = [];
        foreach (SymbolId s in text)
        {
            // One that checks its stack has the height of a call, or none.
            if ((_showsAll || IsNoSplit(s)) && Height(s) > limit)
            {
                failed.Add(s);
            }
        }
        return failed;
    }

    private int Height(SymbolId s)
    {
        bool checks = s != Indirect && s != _moreStack && !IsNoSplit(s);
        if (checks && !_showsAll)
        {
            return IsGoFunction(s) ? _callSize : 0;
        }
        int known = _heights[s.Index];
        if (known >= 0)
        {
            return known;
        }
        _heights.Add(s.Index, Cycle);
        List<Edge>? edges = _showsAll ? [] : null;
        int height = Math.Min(Compute(s, edges), Cycle);
        _heights.Set(s.Index, height);
        if (_graph is not null)
        {
            _graph[s] = edges!;
        }
        if (_dump is not null)
        {
            foreach (Edge e in edges!)
            {
                _dump($"nosplit: {Name(s)} +{e.Growth}" + (e.Target.IsNone ? "" : $" -> {Name(e.Target)}"));
            }
        }
        return height;
    }

    private bool IsNoSplit(SymbolId s) => (_symbols.TraitsOf(s) & SymbolTable.Traits.NoSplit) != 0;

    private bool IsGoFunction(SymbolId s) => !_symbols.FromHostObject.Contains(s) && !_symbols.FuncInfo(s, out _).IsEmpty;

    private int Compute(SymbolId s, List<Edge>? edges)
    {
        if (s == _moreStack)
        {
            // It switches to a stack with room enough before it calls anything.
            return 0;
        }
        if (s == Indirect)
        {
            // Calls of closures are taken to reach functions that check their stack.
            edges?.Add(new Edge(_callSize, _moreStack));
            return _callSize;
        }
        if (!IsGoFunction(s))
        {
            return 0;
        }
        int max = 0;
        if (!IsNoSplit(s))
        {
            Add(_callSize, _moreStack);
            return max;
        }

        int local = 0;
        RelocList relocs = _symbols.Relocs(s);
        int next = 0;
        PcValueReader frame = new(_symbols.StackDepths(s), _minLc);
        while (frame.Next())
        {
            local = Math.Max(local, frame.Value);
            for (; next < relocs.Count && (uint)relocs[next].Offset < frame.NextPc; next++)
            {
                RelocKind kind = relocs.Kind(next);
                if (kind == RelocKind.CallInd)
                {
                    Add(frame.Value + _callSize, Indirect);
                }
                else if (kind.IsDirectCall())
                {
                    Add(frame.Value + _callSize, relocs.Target(next));
                }
            }
        }
        if (local > max)
        {
            Add(local, SymbolId.None);
        }
        return max;

        void Add(int growth, SymbolId target)
        {
            edges?.Add(new Edge(growth, target));
            max = Math.Max(max, growth + (target.IsNone ? 0 : Height(target)));
        }
    }

    // Functions that no other one calls; of a cycle that nothing calls, its lowest id.
    private List<SymbolId> Roots()
    {
        SortedSet<SymbolId> nodes = [.. _graph!.Keys];
        foreach (SymbolId node in nodes.ToArray())
        {
            if (!nodes.Contains(node))
            {
                continue;
            }
            foreach (Edge e in _graph[node])
            {
                if (Remove(nodes, node, e.Target, out SymbolId lowest))
                {
                    nodes.Add(lowest);
                }
            }
        }
        return [.. nodes.OrderByDescending(s => _heights[s.Index]).ThenBy(s => s.Index)];
    }

    private bool Remove(SortedSet<SymbolId> nodes, SymbolId origin, SymbolId s, out SymbolId lowest)
    {
        lowest = SymbolId.None;
        if (!nodes.Remove(s))
        {
            return false;
        }
        if (s == origin)
        {
            lowest = s;
            return true;
        }
        bool cycle = false;
        foreach (Edge e in _graph!.GetValueOrDefault(s) ?? [])
        {
            if (Remove(nodes, origin, e.Target, out SymbolId other))
            {
                lowest = !cycle ? s : lowest;
                cycle = true;
                lowest = other.Index < lowest.Index ? other : lowest;
            }
        }
        return cycle;
    }

    private void Report(Diagnostics diagnostics, SymbolId s, int depth, List<Link> chain)
    {
        // The edges are taken out while they are followed, so that a cycle ends where it closes.
        bool isCycle = !_graph!.Remove(s, out List<Edge>? edges) && !s.IsNone;
        edges ??= [];
        foreach (Edge e in edges)
        {
            chain.Add(new Link { Edge = e });
            Report(diagnostics, e.Target, depth - e.Growth, chain);
            chain.RemoveAt(chain.Count - 1);
        }
        _graph[s] = edges;
        if (edges.Count != 0 || (depth >= 0 && !isCycle))
        {
            return;
        }
        StringBuilder text = new();
        string indent = "";
        for (int i = 0; i < chain.Count; i++)
        {
            Link link = chain[i];
            if (link.IsPrinted)
            {
                continue;
            }
            link.IsPrinted = true;
            if (i == 0)
            {
                text.Append(Name(link.Edge.Target)).Append('\n');
                continue;
            }
            indent = new string(' ', 4 * i);
            text.Append(indent).Append("grows ").Append(link.Edge.Growth).Append(" bytes");
            text.Append(link.Edge.Target.IsNone ? "\n" : $", calls {Name(link.Edge.Target)}\n");
        }
        text.Append(indent).Append(isCycle ? "infinite cycle" : $"{-depth} bytes over limit");
        diagnostics.Log(text.ToString());
    }

    private string Name(SymbolId s) =>
        s == Indirect ? "indirect" : s.IsNone ? "leaf" : $"{_symbols.NameText(s)}<{_symbols.Version(s)}>";

    /// <summary>Growth of the stack up to and including a call; without a target, of the function itself.</summary>
    private readonly record struct Edge(int Growth, SymbolId Target);

    private sealed class Link
    {
        public required Edge Edge { get; init; }

        public bool IsPrinted { get; set; }
    }
}
