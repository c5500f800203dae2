using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Reach;

/// <summary>What the flood does about an auxiliary symbol of a live symbol.</summary>
internal enum AuxUse
{
    /// <summary>Leaves it alone: nobody needs it, or who does finds it through its owner and needs nothing that only live symbols have.</summary>
    None,
    /// <summary>Marks it, and what it refers to.</summary>
    Follow,
    /// <summary>Marks it as debug information that belongs to its owner alone.</summary>
    Keep,
}

/// <summary>What all parts of a flood go by.</summary>
internal sealed class FloodRules
{
    private readonly bool[] _isSpecial;
    private volatile bool _reflectSeen;

    /// <summary>The rules of a link.</summary>
    public FloodRules(LinkContext ctx, ReachOptions options, NativeColumn<int>? parents)
    {
        Context = ctx;
        Dump = options.DumpDependency;
        Parents = parents;
        FollowsAll = options.FollowsAll(ctx.Target);
        KeepsDebugInfo = DebugInfo.MayBeEnabled(ctx);
        DeferReturn = ctx.Symbols.Lookup("runtime.deferreturn"u8, ctx.Symbols.AbiInternalVersion);
        ReadOnlySpan<byte> kinds = ctx.Release.RelocKinds;
        _isSpecial = new bool[kinds.Length];
        for (int i = 0; i < kinds.Length; i++)
        {
            _isSpecial[i] = (RelocKind)kinds[i] is RelocKind.MethodOff or RelocKind.UseType or RelocKind.InitOrder or RelocKind.UseIface
                or RelocKind.UseIfaceMethod or RelocKind.UseNamedMethod;
        }
    }

    /// <summary>The link.</summary>
    public LinkContext Context { get; }

    /// <summary>Takes each edge that made a symbol live; null for none.</summary>
    public Action<string>? Dump { get; }

    /// <summary>The symbol that made each symbol live; null where nobody wants to know.</summary>
    public NativeColumn<int>? Parents { get; }

    /// <summary>
    /// Whether the flood goes through debug information and the tables of functions, as the Go linker's does. It comes upon nothing there
    /// that is not live anyway but more debug information, for a function's describes itself, inlined functions and types; so only who wants
    /// to see the way, or the number of live symbols, needs that.
    /// </summary>
    public bool FollowsAll { get; }

    /// <summary>Whether the link has debug information.</summary>
    public bool KeepsDebugInfo { get; }

    /// <summary>Whether reflection may call methods: a live function says so. Any thread may set it, and nobody takes it back.</summary>
    public bool ReflectSeen
    {
        get => _reflectSeen;
        set => _reflectSeen = value;
    }

    /// <summary>runtime.deferreturn; none if nothing calls it.</summary>
    public SymbolId DeferReturn { get; }

    /// <summary>For each kind number of the release whether a relocation of this kind does more than refer to its target.</summary>
    public ReadOnlySpan<bool> IsSpecial => _isSpecial;

    /// <summary>Whether reflection, as far as it has been seen, may call a method of some name.</summary>
    public bool IsCalledByReflection(ReadOnlySpan<byte> name) => _reflectSeen && (Context.Target.IsDynlinkingGo || IsExported(name));

    /// <summary>What the flood does about the auxiliary symbols of a kind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public AuxUse UseOf(AuxKind kind) => kind switch
    {
        AuxKind.GoType => AuxUse.None,
        _ when FollowsAll => AuxUse.Follow,
        AuxKind.FuncInfo or AuxKind.DwarfLines or (>= AuxKind.PcSp and <= AuxKind.PcData) => AuxUse.None,
        AuxKind.DwarfInfo or AuxKind.DwarfRanges or AuxKind.DwarfLoc => AuxUse.Keep,
        _ => AuxUse.Follow,
    };

    private static bool IsExported(ReadOnlySpan<byte> name) =>
        Rune.DecodeFromUtf8(name, out Rune first, out _) == OperationStatus.Done && Rune.IsUpper(first);

    /// <summary>Weak references hold where another module may depend on them.</summary>
    public bool KeepsWeak(SymbolId s, RelocKind kind) =>
        (Context.Target.IsLinkShared && (Context.Symbols.Flags2(s) & SymbolFlags2.Itab) != 0)
        || (Context.Target.CanUsePlugins && kind.IsDirectCall());
}

/// <summary>One thread's part of the flood.</summary>
/// <remarks>
/// Symbols go through a short queue between stack and visit, so that the CPU can fetch what is said about them while others are visited.
/// Most symbols refer to nothing (tables of functions, strings): those of the object at hand, or with the same content there, are never put
/// on the stack.
/// </remarks>
internal sealed class FloodWorker : IDisposable
{
    private const SymbolTable.Attributes Reachable = SymbolTable.Attributes.Reachable;
    private const SymbolTable.Attributes UsedInIface = SymbolTable.Attributes.UsedInIface;

    // A power of two.
    private const int QueueSize = 32;

    // How far behind the end of the queue a symbol's record is asked for, and its relocations.
    private const int RecordBehind = 8;
    private const int RelocsBehind = 20;

    private readonly FloodRules _rules;
    private readonly SymbolTable _symbols;
    private readonly int _deferReturn;
    private readonly PriorityQueue<int, int>? _ordered;
    private readonly WorkStack _stack = new();

    // The interface methods that it has come by: type and offset there. Few are called only once.
    private readonly HashSet<ulong> _seenCalls = [];
    private readonly Place[] _queue = new Place[QueueSize];
    private int _first;
    private int _waiting;

    /// <summary>A worker with nothing to do.</summary>
    /// <param name="rules">What is marked.</param>
    /// <param name="ordered">Visit the lowest id first, as the Go linker does.</param>
    public FloodWorker(FloodRules rules, bool ordered)
    {
        _rules = rules;
        _symbols = rules.Context.Symbols;
        _deferReturn = rules.DeferReturn.IsNone ? -1 : rules.DeferReturn.Index;
        _ordered = ordered ? new PriorityQueue<int, int>() : null;
    }

    /// <summary>Methods of types used in interfaces that nothing was known to call when they turned up.</summary>
    public NativeList<MethodRef> Methods { get; } = new();

    /// <summary>Interface methods that are called.</summary>
    public NativeList<MethodCall> IfaceMethods { get; } = new();

    /// <summary>Names that methods are looked up by: string content.</summary>
    public List<SymbolId> NamedMethods { get; } = [];

    /// <summary>Live package initialisers.</summary>
    public List<SymbolId> PackageInits { get; } = [];

    /// <summary>Live symbols that refer to runtime.deferreturn, some more than once.</summary>
    public List<SymbolId> DeferReturnUsers { get; } = [];

    /// <summary>Whether symbols wait to be visited.</summary>
    public bool HasWork => _ordered is { } queue ? queue.Count != 0 : !_stack.IsEmpty;

    /// <inheritdoc/>
    public void Dispose()
    {
        Methods.Dispose();
        IfaceMethods.Dispose();
    }

    /// <summary>Visits until no thread has work.</summary>
    public void Share(WorkPool pool)
    {
        pool.Enter();
        try
        {
            do
            {
                while (TakeNext(out Place next))
                {
                    Visit(next);
                    if (pool.IsWanted && _stack.CanSplit)
                    {
                        pool.Give(_stack);
                    }
                }
            }
            while (pool.Take(_stack));
        }
        catch
        {
            pool.Abort();
            throw;
        }
    }

    /// <summary>Visits until nothing is left, on this thread alone.</summary>
    public void Drain()
    {
        if (_ordered is { } queue)
        {
            while (queue.TryDequeue(out int id, out _))
            {
                SymbolId s = new(id);
                int o = _symbols.LocateIndex(s, out int local);
                Visit(new Place(s, o, local));
            }
            return;
        }
        while (TakeNext(out Place next))
        {
            Visit(next);
        }
    }

    /// <summary>Marks a symbol live.</summary>
    public void Mark(SymbolId s, SymbolId parent)
    {
        if (!s.IsNone && !_symbols.IsReachable(s))
        {
            MarkNew(s, parent, null, -1);
        }
    }

    /// <summary>Marks what a method that may be called consists of.</summary>
    public void MarkMethod(in MethodRef m) => MarkMethod(m, _symbols.Relocs(m.Type));

    private bool TakeNext(out Place next)
    {
        while (_waiting < QueueSize && _stack.TryPop(out int id))
        {
            SymbolId s = new(id);
            _symbols.ExpectLocate(s);
            int end = _first + _waiting++;
            Queued(end) = new Place(s, 0, 0);
            if (_waiting > RecordBehind)
            {
                ref Place p = ref Queued(end - RecordBehind);
                Locate(ref p)?.ExpectDefinition(p.Local);
            }
            if (_waiting > RelocsBehind)
            {
                ref Place p = ref Queued(end - RelocsBehind);
                if (Locate(ref p) is { } o)
                {
                    o.ExpectRelocs(p.Local);
                    o.ExpectAuxes(p.Local);
                }
            }
        }
        if (_waiting == 0)
        {
            next = default;
            return false;
        }
        ref Place first = ref Queued(_first++);
        _ = Locate(ref first);
        next = first;
        _waiting--;
        return true;
    }

    // Where the i-th of all symbols that go through the queue waits.
    private ref Place Queued(int i) => ref _queue[i & (QueueSize - 1)];

    // Null for external symbols.
    private GoObject? Locate(ref Place p)
    {
        if (p.Object == 0)
        {
            int o = _symbols.LocateIndex(p.Symbol, out int local);
            p = new Place(p.Symbol, o, local);
        }
        return _symbols.Objects[p.Object];
    }

    // What may be a definition of an object at hand (local is not -1) is known to have the content of the one that counts unless it is
    // marked as being elsewhere.
    private void MarkNew(SymbolId s, SymbolId parent, GoObject? o, int local)
    {
        if (!_symbols.SetShared(s, Reachable))
        {
            return;
        }
        if (_rules.Parents is { } parents && parents[s] == 0)
        {
            parents[s] = parent.Index;
        }
        if (_rules.Dump is { } dump)
        {
            Dump(dump, s, parent);
        }
        if (local < 0 || !o!.RefersToNothing(local) || _symbols.Has(s, SymbolTable.Attributes.Elsewhere))
        {
            Push(s);
        }
    }

    // A type is visited again when it turns out to be used in an interface.
    private void MarkUsedInIface(SymbolId s, SymbolId parent)
    {
        if (_symbols.SetShared(s, UsedInIface) && _symbols.IsReachable(s))
        {
            Push(s);
            if (_rules.Dump is { } dump)
            {
                Dump(dump, s, parent);
            }
        }
    }

    private void Push(SymbolId s)
    {
        if (_ordered is { } queue)
        {
            queue.Enqueue(s.Index, s.Index);
        }
        else
        {
            _stack.Push(s.Index);
        }
    }

    private void Visit(in Place place)
    {
        SymbolId s = place.Symbol;
        if (place.Object == SymbolTable.ExternalObject)
        {
            VisitExternal(s);
            return;
        }
        int local = place.Local;
        GoObject o = _symbols.Objects[place.Object];
        ref readonly SymbolRecord record = ref o.Symbol(local);
        if ((record.Flags & SymbolFlags.ReflectMethod) != 0)
        {
            _rules.ReflectSeen = true;
        }
        bool isType = (record.Flags & SymbolFlags.GoType) != 0;
        if (isType && _rules.Context.Target.IsDynlinkingGo)
        {
            _symbols.SetShared(s, UsedInIface);
        }
        bool inIface = isType && _symbols.Has(s, UsedInIface);
        ReadOnlySpan<bool> isSpecial = _rules.IsSpecial;
        ReadOnlySpan<RelocRecord> relocs = o.Relocs(local);
        for (int i = 0; i < relocs.Length; i++)
        {
            ref readonly RelocRecord r = ref relocs[i];
            // The number of a weak reference is beyond all kinds.
            int kind = r.RawKind;
            if ((uint)kind >= (uint)isSpecial.Length || isSpecial[kind])
            {
                i = VisitSpecial(s, new RelocList(_symbols, o, relocs, _symbols.Release.RelocKinds), i, inIface);
            }
            else if (Follow(s, o, r.Target, inIface) == _deferReturn)
            {
                DeferReturnUsers.Add(s);
            }
        }

        ReadOnlySpan<AuxRecord> auxes = o.Auxes(local);
        foreach (ref readonly AuxRecord aux in auxes)
        {
            switch (_rules.UseOf(aux.Kind))
            {
                case AuxUse.Follow:
                    _ = Follow(s, o, aux.Target, inIface: false);
                    break;
                case AuxUse.Keep:
                    KeepDebugInfo(s, o, aux.Target);
                    break;
            }
        }
        if (auxes.Length != 0 && (record.Flags2 & SymbolFlags2.PkgInit) != 0)
        {
            PackageInits.Add(s);
        }
    }

    // It belongs to the one symbol that is being visited, so no other thread marks it.
    private void KeepDebugInfo(SymbolId s, GoObject o, SymRef reference)
    {
        SymbolId target = _symbols.Resolve(o, reference);
        if (!_symbols.Kind(target).IsDwarf())
        {
            Mark(target, s);
        }
        else if (_rules.KeepsDebugInfo)
        {
            _symbols.Set(target, Reachable);
        }
    }

    // Returns the target's id.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Follow(SymbolId s, GoObject o, SymRef reference, bool inIface)
    {
        SymbolId target = _symbols.Resolve(o, reference, out int local);
        if (inIface)
        {
            FollowFromIface(s, target);
        }
        if (!_symbols.IsReachable(target) && !target.IsNone)
        {
            MarkNew(target, s, o, local);
        }
        return target.Index;
    }

    // A value of a type used in an interface leads by reflection to values of the types it is made of.
    private void FollowFromIface(SymbolId s, SymbolId target)
    {
        if (!target.IsNone && !_symbols.Has(target, UsedInIface) && (_symbols.Flags(target) & SymbolFlags.GoType) != 0)
        {
            MarkUsedInIface(target, s);
        }
    }

    private void VisitExternal(SymbolId s)
    {
        RelocList relocs = _symbols.Relocs(s);
        for (int i = 0; i < relocs.Count; i++)
        {
            i = VisitSpecial(s, relocs, i, inIface: false);
        }
        Mark(_symbols.Outer(s), s);
        if (_symbols.Sub.TryGetValue(s, out SymbolId sub))
        {
            Mark(sub, s);
        }
    }

    /// <summary>Visits a relocation of any kind; returns the index of the last one that belongs to it.</summary>
    private int VisitSpecial(SymbolId s, RelocList relocs, int i, bool inIface)
    {
        RelocKind kind = relocs.Kind(i);
        if (kind.IsDirectCall() && relocs.Target(i).Index == _deferReturn)
        {
            DeferReturnUsers.Add(s);
        }
        if (relocs[i].IsWeak && !_rules.KeepsWeak(s, kind))
        {
            return i;
        }
        switch (kind)
        {
            case RelocKind.MethodOff:
                if (i + 2 >= relocs.Count)
                {
                    throw new LinkException($"{_symbols.NameText(s)}: expect three consecutive R_METHODOFF relocs");
                }
                if (inIface)
                {
                    MethodRef method = new(s, i, MethodName(relocs, i), relocs.Target(i));
                    // The method's type leads to further types by reflection. That is said before it is marked, so that it is visited once.
                    MarkUsedInIface(method.Signature, s);
                    // Once there is reflection, exported methods need not wait; but those who look at the order see all methods wait.
                    if (_ordered is null && !method.Name.IsNone && _rules.IsCalledByReflection(TypeDescriptor.DecodeName(_symbols, method.Name)))
                    {
                        MarkMethod(method, relocs);
                    }
                    else
                    {
                        Methods.Add(method);
                    }
                }
                return i + 2;
            case RelocKind.UseType:
            case RelocKind.InitOrder:
                // For DWARF and for the order of initialisation only.
                return i;
            case RelocKind.UseIface:
                VisitUseIface(s, relocs.Target(i));
                return i;
            case RelocKind.UseIfaceMethod:
                VisitUseIfaceMethod(relocs.Target(i), relocs[i].Addend);
                return i;
            case RelocKind.UseNamedMethod:
                NamedMethods.Add(relocs.Target(i));
                return i;
        }
        SymbolId target = relocs.Target(i);
        if (inIface)
        {
            FollowFromIface(s, target);
        }
        Mark(target, s);
        return i;
    }

    private void MarkMethod(in MethodRef m, in RelocList relocs)
    {
        for (int n = 0; n < 3; n++)
        {
            Mark(relocs.Target(m.Reloc + n), m.Type);
        }
    }

    /// <summary>The symbol of a method's name; none if its record has none. That starts 4 bytes before its first R_METHODOFF, with the name.</summary>
    internal static SymbolId MethodName(RelocList relocs, int reloc)
    {
        int i = relocs.IndexAt(relocs[reloc].Offset - 4, Math.Max(0, reloc - 1));
        return i < 0 ? SymbolId.None : relocs.Target(i);
    }

    private void VisitUseIface(SymbolId s, SymbolId target)
    {
        target = TypeOfUse(_symbols, target);
        if ((_symbols.Flags(target) & SymbolFlags.GoType) == 0 && !_rules.Context.Target.IsLinkShared)
        {
            throw new LinkException($"R_USEIFACE in {_symbols.NameText(s)} references {_symbols.NameText(target)} which is not a type or itab");
        }
        MarkUsedInIface(target, s);
    }

    /// <summary>The type that R_USEIFACE is about: the target, or if that is an itab, its Type field.</summary>
    internal static SymbolId TypeOfUse(SymbolTable symbols, SymbolId target) => (symbols.Flags2(target) & SymbolFlags2.Itab) != 0
        ? new TypeDescriptor(symbols, target).TargetAt(symbols.Target.PointerSize)
        : target;

    private void VisitUseIfaceMethod(SymbolId type, long offset)
    {
        if (_rules.Context.Target.IsLinkShared && _symbols.Kind(type) is SymbolKind.DynImport or SymbolKind.None)
        {
            return;
        }
        if (!_seenCalls.Add(((ulong)(uint)type.Index << 32) | (uint)offset))
        {
            return;
        }
        TypeDescriptor descriptor = new(_symbols, type);
        if (descriptor.Kind != GoKind.Interface)
        {
            throw new LinkException($"symbol \"{_symbols.NameText(type)}\" is not an interface");
        }
        SymbolId name = descriptor.TargetAt((int)offset);
        uint hash = MethodTable.HashOf(name.IsNone ? default : TypeDescriptor.DecodeName(_symbols, name));
        IfaceMethods.Add(new MethodCall(new MethodName(name, hash), descriptor.TargetAt((int)offset + 4)));
    }

    private void Dump(Action<string> dump, SymbolId s, SymbolId parent)
    {
        string to = _symbols.NameText(s);
        if (to.Length != 0)
        {
            dump((parent.IsNone ? "_" : Decorated(parent)) + " -> " + Decorated(s));
        }
    }

    private string Decorated(SymbolId s)
    {
        string flags = (_symbols.Has(s, UsedInIface) ? "<UsedInIface>" : "")
            + ((_symbols.Flags(s) & SymbolFlags.ReflectMethod) != 0 ? "<ReflectMethod>" : "");
        string name = _symbols.NameText(s);
        return flags.Length == 0 ? name : name + " " + flags;
    }

    /// <summary>A symbol and where it is; object 0 while that is not known.</summary>
    private readonly record struct Place(SymbolId Symbol, int Object, int Local);
}
