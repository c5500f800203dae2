using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Reach;

namespace AotLinker.Explain;

/// <summary>
/// The shortest way from a root to each live symbol, along the edges that reach follows: after reach, on one thread, breadth first, lowest ids
/// first, so that the answer never depends on the order in which threads marked what.
/// </summary>
/// <remarks>
/// <para>A method lives by two things: its type, which leads to it, and something that may call it. As in reach, all that lives without a
/// method is found first, then the methods that this makes callable, then what they lead to, and so on. So what makes a method callable never
/// depends on the method itself, and a way is the shortest of those that need the fewest such rounds.</para>
/// <para>That this finds what <see cref="FloodWorker"/> finds, no more and no less, is tested: both go by <see cref="FloodRules"/>.</para>
/// </remarks>
internal sealed class ReachWalk : IDisposable
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly FloodRules _rules;
    private readonly CallableMethods _methods;
    private readonly IReadOnlySet<SymbolId> _usedBefore;
    private readonly SymbolId _without;
    private readonly NativeColumn<int> _distance;
    private readonly NativeColumn<int> _parent;
    private readonly NativeColumn<int> _how;
    private readonly NativeColumn<int> _userInIface;
    private readonly NativeColumn<Marks> _marks;
    private readonly Dictionary<SymbolId, RootKind> _roots = [];

    // Symbols by their distance, to be visited; some stand there twice, or no longer at that distance.
    private readonly List<NativeList<int>> _levels = [];
    private readonly Queue<SymbolId> _types = [];
    private bool _reflectLooked;

    private ReachWalk(LinkContext ctx, ReachOptions options, IReadOnlySet<SymbolId> usedInIface, SymbolId without)
    {
        _ctx = ctx;
        _usedBefore = usedInIface;
        _symbols = ctx.Symbols;
        _rules = new FloodRules(ctx, options, null);
        _methods = new CallableMethods(ctx.Symbols, _rules);
        _without = without;
        int count = ctx.Symbols.Count;
        _distance = new NativeColumn<int>(count);
        _parent = new NativeColumn<int>(count);
        _how = new NativeColumn<int>(count);
        _userInIface = new NativeColumn<int>(count);
        _marks = new NativeColumn<Marks>(count);
    }

    [Flags]
    private enum Marks : byte
    {
        None = 0,
        /// <summary>Visited: its distance is final.</summary>
        Done = 1,
        /// <summary>A type used in an interface.</summary>
        UsedInIface = 2,
    }

    /// <summary>
    /// Functions that call reflect's Method or MethodByName, the nearest first, as far as they don't live only because such a function does.
    /// </summary>
    public List<SymbolId> Reflecting { get; } = [];

    /// <summary>
    /// The types that objects say are used in interfaces, for <see cref="Run"/>: to be asked for before reach, which marks others in the same way.
    /// </summary>
    public static HashSet<SymbolId> TypesUsedInIface(SymbolTable symbols)
    {
        HashSet<SymbolId> types = [];
        for (int i = 1; i < symbols.Count; i++)
        {
            if (symbols.Has(new SymbolId(i), SymbolTable.Attributes.UsedInIface))
            {
                types.Add(new SymbolId(i));
            }
        }
        return types;
    }

    /// <summary>Walks over all live symbols.</summary>
    /// <param name="ctx">The link, after reach.</param>
    /// <param name="options">What reach was asked for.</param>
    /// <param name="usedInIface">What <see cref="TypesUsedInIface"/> said before reach.</param>
    /// <param name="without">A symbol that is passed over, to see what else leads to its surroundings; none for all.</param>
    public static ReachWalk Run(LinkContext ctx, ReachOptions options, IReadOnlySet<SymbolId> usedInIface, SymbolId without = default)
    {
        ReachWalk walk = new(ctx, options, usedInIface, without);
        ReachRoots.Visit(ctx, options.PluginPath, null, (s, kind) =>
        {
            walk._roots.TryAdd(s, kind);
            walk.Mark(s, SymbolId.None, Edge.RootNumber, 1);
        });
        walk.VisitLevels();
        walk._rules.ReflectSeen |= ctx.Target.IsDynlinkingGo;
        while (walk.MarkCallable())
        {
            walk.VisitLevels();
        }
        return walk;
    }

    /// <summary>Number of symbols on the way to one, itself and its root included; 0 if no way was found.</summary>
    public int Distance(SymbolId s) => s.Index < _distance.Capacity && (_marks[s] & Marks.Done) != 0 ? _distance[s] : 0;

    /// <summary>The symbol in front of one that was reached; none for roots.</summary>
    public SymbolId Parent(SymbolId s) => new(_parent[s]);

    /// <summary>The text of a method's name.</summary>
    public string MethodName(in LiveMethod method) => _methods.NameText(method.Name);

    /// <summary>How a symbol that was reached is, from <see cref="Parent"/>.</summary>
    public Edge EdgeTo(SymbolId s)
    {
        int how = _how[s];
        return how >= 0 ? new Edge(EdgeKind.Relocation, how, default, default)
            : how == Edge.RootNumber ? new Edge(EdgeKind.Root, 0, default, _roots[s])
            : how <= Edge.FirstMethod ? new Edge(EdgeKind.Method, 0, _methods[Edge.FirstMethod - how], default)
            : new Edge((EdgeKind)(-how), 0, default, default);
    }

    /// <summary>
    /// Who uses a type in an interface: a function that converts it, or a type that leads to it by reflection, or the type whose method has it;
    /// none where its object says so.
    /// </summary>
    public SymbolId UserInIface(SymbolId type) => new(_userInIface[type]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _distance.Dispose();
        _parent.Dispose();
        _how.Dispose();
        _userInIface.Dispose();
        _marks.Dispose();
        _methods.Dispose();
        foreach (NativeList<int> level in _levels)
        {
            level.Dispose();
        }
    }

    private void VisitLevels()
    {
        for (int distance = 1; distance < _levels.Count; distance++)
        {
            NativeList<int> level = _levels[distance];
            level.AsSpan().Sort();
            for (int i = 0; i < level.Count; i++)
            {
                SymbolId s = new(level[i]);
                if ((_marks[s] & Marks.Done) == 0 && _distance[s] == distance)
                {
                    _marks[s] |= Marks.Done;
                    Visit(s);
                    while (_types.TryDequeue(out SymbolId type))
                    {
                        VisitInIface(type);
                    }
                }
            }
            level.Clear();
        }
    }

    // The methods that may be called by now, from the types that lead to them.
    private bool MarkCallable()
    {
        bool any = false;
        _methods.SetReflecting(Reflecting.FirstOrDefault());
        _reflectLooked = _rules.ReflectSeen;
        foreach (int index in _methods.TakeCallable())
        {
            ref readonly LiveMethod method = ref _methods[index];
            RelocList relocs = RelocsOf(method.Type);
            for (int n = 0; n < 3; n++)
            {
                any |= Mark(relocs.Target(method.Reloc + n), method.Type, Edge.FirstMethod - index, _distance[method.Type] + 1);
            }
        }
        return any;
    }

    private bool Mark(SymbolId s, SymbolId parent, int how, int distance)
    {
        if (s.IsNone || s == _without || !_symbols.IsReachable(s) || (_marks[s] & Marks.Done) != 0)
        {
            return false;
        }
        ref int known = ref _distance[s];
        if (known != 0 && known <= distance)
        {
            return false;
        }
        known = distance;
        _parent[s] = parent.Index;
        _how[s] = how;
        while (_levels.Count <= distance)
        {
            _levels.Add(new NativeList<int>());
        }
        _levels[distance].Add(s.Index);
        return true;
    }

    private void Visit(SymbolId s)
    {
        int next = _distance[s] + 1;
        if (ObjectOf(s, out int local) is not { } o)
        {
            VisitExternal(s, next);
            return;
        }
        ref readonly SymbolRecord record = ref o.Symbol(local);
        if ((record.Flags & SymbolFlags.ReflectMethod) != 0)
        {
            _rules.ReflectSeen = true;
            if (!_reflectLooked)
            {
                Reflecting.Add(s);
            }
        }
        RelocList relocs = new(_symbols, o, o.Relocs(local), _symbols.Release.RelocKinds);
        for (int i = 0; i < relocs.Count; i++)
        {
            i = Follow(s, relocs, i, next);
        }
        foreach (ref readonly AuxRecord aux in o.Auxes(local))
        {
            switch (_rules.UseOf(aux.Kind))
            {
                case AuxUse.Follow:
                    Mark(_symbols.Resolve(o, aux.Target), s, -(int)EdgeOf(aux.Kind), next);
                    break;
                case AuxUse.Keep:
                    KeepDebugInfo(s, _symbols.Resolve(o, aux.Target), next);
                    break;
            }
        }
        if ((record.Flags & SymbolFlags.GoType) != 0)
        {
            if (_ctx.Target.IsDynlinkingGo || _usedBefore.Contains(s))
            {
                _marks[s] |= Marks.UsedInIface;
            }
            if ((_marks[s] & Marks.UsedInIface) != 0)
            {
                _types.Enqueue(s);
            }
        }
    }

    private static EdgeKind EdgeOf(AuxKind kind) =>
        kind is AuxKind.DwarfInfo or AuxKind.DwarfLines or AuxKind.DwarfLoc or AuxKind.DwarfRanges ? EdgeKind.DebugInfo : EdgeKind.Table;

    // As it leads nowhere, it is not visited.
    private void KeepDebugInfo(SymbolId s, SymbolId target, int next)
    {
        if (Mark(target, s, -(int)EdgeKind.DebugInfo, next) && _symbols.Kind(target).IsDwarf())
        {
            _marks[target] |= Marks.Done;
        }
    }

    private void VisitExternal(SymbolId s, int next)
    {
        RelocList relocs = _symbols.Relocs(s);
        for (int i = 0; i < relocs.Count; i++)
        {
            i = Follow(s, relocs, i, next);
        }
        Mark(_symbols.Outer(s), s, -(int)EdgeKind.Container, next);
        if (_symbols.Sub.TryGetValue(s, out SymbolId sub))
        {
            Mark(sub, s, -(int)EdgeKind.Part, next);
        }
    }

    // Returns the index of the last relocation that belongs to the i-th.
    private int Follow(SymbolId s, in RelocList relocs, int i, int next)
    {
        RelocKind kind = relocs.Kind(i);
        if (relocs[i].IsWeak && !_rules.KeepsWeak(s, kind))
        {
            return i;
        }
        switch (kind)
        {
            case RelocKind.MethodOff:
                return i + 2;
            case RelocKind.UseType:
            case RelocKind.InitOrder:
                return i;
            case RelocKind.UseIface:
                MarkInIface(FloodWorker.TypeOfUse(_symbols, relocs.Target(i)), s);
                return i;
            case RelocKind.UseIfaceMethod:
                _methods.AddCall(s, relocs.Target(i), relocs[i].Addend);
                return i;
            case RelocKind.UseNamedMethod:
                _methods.AddName(s, relocs.Target(i));
                return i;
            default:
                Mark(relocs.Target(i), s, i, next);
                return i;
        }
    }

    private void MarkInIface(SymbolId type, SymbolId user)
    {
        ref Marks marks = ref _marks[type];
        if ((marks & Marks.UsedInIface) != 0)
        {
            return;
        }
        marks |= Marks.UsedInIface;
        _userInIface[type] = user.Index;
        if ((marks & Marks.Done) != 0)
        {
            _types.Enqueue(type);
        }
    }

    // What a live type that is used in an interface leads to by reflection: methods, and the types that it is made of.
    private void VisitInIface(SymbolId type)
    {
        RelocList relocs = RelocsOf(type);
        for (int i = 0; i < relocs.Count; i++)
        {
            RelocKind kind = relocs.Kind(i);
            if (relocs[i].IsWeak && !_rules.KeepsWeak(type, kind))
            {
                continue;
            }
            switch (kind)
            {
                case RelocKind.MethodOff:
                    SymbolId signature = relocs.Target(i);
                    _methods.AddMethod(type, i, FloodWorker.MethodName(relocs, i), signature);
                    MarkInIface(signature, type);
                    i += 2;
                    break;
                case RelocKind.UseType or RelocKind.InitOrder or RelocKind.UseIface or RelocKind.UseIfaceMethod or RelocKind.UseNamedMethod:
                    break;
                default:
                    SymbolId target = relocs.Target(i);
                    if (!target.IsNone && (_symbols.Flags(target) & SymbolFlags.GoType) != 0)
                    {
                        MarkInIface(target, type);
                    }
                    break;
            }
        }
    }

    // Reach has changed some initialisers since it looked at them, but only weak references of theirs, which are not followed.
    private GoObject? ObjectOf(SymbolId s, out int local) =>
        _symbols.Locate(s, out local) ?? (_symbols.Content(s) is { OwnsRelocs: true } ? null : _symbols.Origin(s, out local));

    private RelocList RelocsOf(SymbolId s) => ObjectOf(s, out int local) is { } o
        ? new RelocList(_symbols, o, o.Relocs(local), _symbols.Release.RelocKinds)
        : _symbols.Relocs(s);
}
