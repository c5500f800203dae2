using System.Text;
using AotLinker.Load;
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
    private const SymbolTable.Attributes UsedInIface = SymbolTable.Attributes.UsedInIface;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly ReachOptions _options;
    private readonly Worker[] _workers;
    private readonly PriorityQueue<int, int>? _ordered;
    private readonly Dictionary<int, List<SymbolId>> _ifaceMethods = [];
    private readonly HashSet<string> _methodNames = new(StringComparer.Ordinal);
    private List<MethodRef> _methods = [];
    private bool _reflectSeen;

    private Reachability(LinkContext ctx, ReachOptions options)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _options = options;
        bool ordered = options.DumpDependency is not null || options.TrackParents;
        _workers = new Worker[ordered ? 1 : ctx.Workers.Threads];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Worker(this);
        }
        if (ordered)
        {
            _ordered = new PriorityQueue<int, int>();
        }
        if (options.TrackParents)
        {
            Parents = new NativeColumn<int>(ctx.Symbols.Count);
        }
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
        r._reflectSeen |= ctx.Target.IsDynlinkingGo;
        while (r.MarkMethods())
        {
            r.Flood();
        }
        if (options.PruneWeakMaps)
        {
            r.RedirectDeadMapInits();
        }
        return r;
    }

    private void MarkRoots()
    {
        Worker w = _workers[0];
        if (_ctx.Target.BuildMode == BuildMode.Shared)
        {
            for (int i = 1; i < (_symbols.ExternalStart == 0 ? _symbols.Count : _symbols.ExternalStart); i++)
            {
                SymbolId s = new(i);
                // A text symbol without size is a function the compiler dropped.
                if (!_symbols.Kind(s).IsText() || _symbols.Size(s) != 0)
                {
                    w.Mark(s, SymbolId.None);
                }
            }
            w.Mark(_ctx.Known.MainInitTasks, SymbolId.None);
            return;
        }

        List<string> names = [];
        if (_ctx.Target.IsLinkShared && (_ctx.Target.IsExe || _ctx.Target.IsPie))
        {
            names.AddRange(["main.main", "main..inittask"]);
        }
        else
        {
            names.Add(_ctx.Settings.EntrySymbol);
        }
        names.Add("runtime.unreachableMethod");
        if (_ctx.Target.BuildMode == BuildMode.Plugin)
        {
            string prefix = ImportPath.Escape(_options.PluginPath);
            names.AddRange([prefix + "..inittask", prefix + ".main", "go:plugin.tabs"]);
            // What a plugin exports lives; the list of it does not.
            SymbolId exports = _symbols.Lookup("go:plugin.exports"u8, 0);
            if (!exports.IsNone)
            {
                RelocList relocs = _symbols.Relocs(exports);
                for (int i = 0; i < relocs.Count; i++)
                {
                    w.Mark(relocs.Target(i), SymbolId.None);
                }
            }
        }
        _options.Log?.Invoke($"deadcode start names: [{string.Join(' ', names)}]");
        foreach (string name in names)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            w.Mark(_symbols.Lookup(bytes, 0), SymbolId.None);
            if (_symbols.AbiInternalVersion != 0)
            {
                w.Mark(_symbols.Lookup(bytes, _symbols.AbiInternalVersion), SymbolId.None);
            }
        }
        foreach (SymbolId s in _ctx.DynamicExports)
        {
            _options.Log?.Invoke($"deadcode start dynexp: {_symbols.NameText(s)}<{_symbols.Version(s)}>");
            w.Mark(s, SymbolId.None);
        }
        foreach (SymbolId s in _ctx.WasmExports)
        {
            _options.Log?.Invoke($"deadcode start wasmexport: {_symbols.NameText(s)}<{_symbols.Version(s)}>");
            w.Mark(s, SymbolId.None);
        }
        w.Mark(_ctx.Known.MainInitTasks, SymbolId.None);
    }

    private void Flood()
    {
        if (_workers.Length == 1)
        {
            _workers[0].Drain(null);
        }
        else
        {
            SharedWork shared = new();
            _ctx.Workers.For(_workers.Length, i => _workers[i].Share(shared));
        }
        foreach (Worker w in _workers)
        {
            _reflectSeen |= w.ReflectSeen;
            _methods.AddRange(w.Methods);
            w.Methods.Clear();
            foreach ((SymbolId name, SymbolId type) in w.IfaceMethods)
            {
                if (!_ifaceMethods.TryGetValue(type.Index, out List<SymbolId>? list))
                {
                    _ifaceMethods.Add(type.Index, list = []);
                }
                if (!list.Contains(name))
                {
                    list.Add(name);
                }
            }
            w.IfaceMethods.Clear();
            foreach (SymbolId name in w.NamedMethods)
            {
                _methodNames.Add(Encoding.UTF8.GetString(_symbols.Data(name)));
            }
            w.NamedMethods.Clear();
        }
    }

    // Marks the methods that may be called; those left are looked at again when more types and calls have been seen.
    private bool MarkMethods()
    {
        List<MethodRef> rest = [];
        Worker w = _workers[0];
        bool any = false;
        var names = _methodNames.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> chars = stackalloc char[256];
        foreach (MethodRef m in _methods)
        {
            SymbolId type = new(m.Type);
            RelocList relocs = _symbols.Relocs(type);
            bool live = _ifaceMethods.TryGetValue(relocs.Target(m.Reloc).Index, out List<SymbolId>? callers)
                && MatchesAny(callers, MethodName(type, relocs, m.Reloc));
            if (!live && (_reflectSeen || _methodNames.Count != 0))
            {
                ReadOnlySpan<byte> name = MethodName(type, relocs, m.Reloc);
                live = _reflectSeen && (_ctx.Target.IsDynlinkingGo || IsExported(name));
                if (!live && _methodNames.Count != 0 && name.Length <= chars.Length)
                {
                    live = names.Contains(chars[..Encoding.UTF8.GetChars(name, chars)]);
                }
                else if (!live && _methodNames.Count != 0)
                {
                    live = _methodNames.Contains(Encoding.UTF8.GetString(name));
                }
            }
            if (live)
            {
                any |= w.Mark(relocs.Target(m.Reloc), type);
                any |= w.Mark(relocs.Target(m.Reloc + 1), type);
                any |= w.Mark(relocs.Target(m.Reloc + 2), type);
            }
            else
            {
                rest.Add(m);
            }
        }
        _methods = rest;
        return any;
    }

    private bool MatchesAny(List<SymbolId> names, ReadOnlySpan<byte> name)
    {
        foreach (SymbolId s in names)
        {
            if (NameOf(s).SequenceEqual(name))
            {
                return true;
            }
        }
        return false;
    }

    private ReadOnlySpan<byte> NameOf(SymbolId s) => s.IsNone ? default : TypeDescriptor.DecodeName(_symbols, s);

    // The method's record starts 4 bytes before its first R_METHODOFF, with the reference to its name.
    private ReadOnlySpan<byte> MethodName(SymbolId type, RelocList relocs, int reloc)
    {
        TypeDescriptor descriptor = new(_symbols, type, relocs);
        int i = descriptor.IndexAt(relocs[reloc].Offset - 4, Math.Max(0, reloc - 1));
        return i < 0 ? default : NameOf(relocs.Target(i));
    }

    private static bool IsExported(ReadOnlySpan<byte> name)
    {
        if (Rune.DecodeFromUtf8(name, out Rune first, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }
        return Rune.IsUpper(first);
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
        foreach (SymbolId init in _workers.SelectMany(w => w.PackageInits).Distinct().Order())
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
            if (dead is null)
            {
                continue;
            }
            _symbols.Set(nop, Reachable);
            SymbolBuilder b = _symbols.Update(init);
            foreach (int i in dead)
            {
                _options.Log?.Invoke($"deadcode: {_symbols.NameText(init)} rewrite {_symbols.NameText(_symbols.Relocs(init).Target(i))} ref to {_symbols.NameText(nop)}");
                b.SetRelocTarget(i, nop);
            }
        }
    }

    /// <summary>A method of a type used in an interface: the type and the index of the first of its three relocations.</summary>
    private readonly record struct MethodRef(int Type, int Reloc);

    /// <summary>One thread's part of the flood.</summary>
    private sealed class Worker(Reachability owner)
    {
        private const int ShareAbove = 64;

        private readonly SymbolTable _symbols = owner._symbols;
        private readonly SymbolId[] _queue = new SymbolId[16];
        private int[] _stack = new int[1024];
        private int _depth;
        private int _first;
        private int _waiting;

        public bool ReflectSeen { get; private set; }

        public List<MethodRef> Methods { get; } = [];

        public List<(SymbolId Name, SymbolId Type)> IfaceMethods { get; } = [];

        public List<SymbolId> NamedMethods { get; } = [];

        public List<SymbolId> PackageInits { get; } = [];

        public void Share(SharedWork shared)
        {
            shared.Enter();
            try
            {
                Drain(shared);
            }
            catch
            {
                shared.Abort();
                throw;
            }
        }

        public void Drain(SharedWork? shared)
        {
            while (true)
            {
                if (owner._ordered is { } queue)
                {
                    if (!queue.TryDequeue(out int next, out _))
                    {
                        return;
                    }
                    Visit(new SymbolId(next));
                    continue;
                }
                while (TakeNext(out SymbolId s))
                {
                    Visit(s);
                    int half = _depth / 2;
                    if (shared is not null && half > ShareAbove && shared.IsWanted && shared.TryGive(_stack.AsSpan(0, half)))
                    {
                        _stack.AsSpan(half, _depth - half).CopyTo(_stack);
                        _depth -= half;
                    }
                }
                if (shared is null || !shared.Take(ref _stack, out _depth))
                {
                    return;
                }
            }
        }

        // Symbols go through a short queue, so that the CPU can fetch what is said about them while others are visited.
        private bool TakeNext(out SymbolId s)
        {
            while (_waiting < _queue.Length && _depth > 0)
            {
                SymbolId next = new(_stack[--_depth]);
                _symbols.ExpectRecord(next);
                _queue[(_first + _waiting++) % _queue.Length] = next;
                if (_waiting > _queue.Length / 2)
                {
                    _symbols.ExpectRelocs(_queue[(_first + _waiting - (_queue.Length / 2)) % _queue.Length]);
                }
            }
            if (_waiting == 0)
            {
                s = SymbolId.None;
                return false;
            }
            s = _queue[_first];
            _first = (_first + 1) % _queue.Length;
            _waiting--;
            return true;
        }

        /// <summary>Marks a symbol live; true if it was not.</summary>
        public bool Mark(SymbolId s, SymbolId parent)
        {
            if (s.IsNone || _symbols.IsReachable(s) || !_symbols.SetShared(s, Reachable))
            {
                return false;
            }
            Push(s);
            if (owner.Parents is { } parents && parents[s] == 0)
            {
                parents[s] = parent.Index;
            }
            if (owner._options.DumpDependency is { } dump)
            {
                Dump(dump, s, parent);
            }
            return true;
        }

        // A type is visited again when it turns out to be used in an interface.
        private void MarkUsedInIface(SymbolId s, SymbolId parent)
        {
            if (_symbols.SetShared(s, UsedInIface) && _symbols.IsReachable(s))
            {
                Push(s);
                if (owner._options.DumpDependency is { } dump)
                {
                    Dump(dump, s, parent);
                }
            }
        }

        private void Push(SymbolId s)
        {
            if (owner._ordered is { } queue)
            {
                queue.Enqueue(s.Index, s.Index);
                return;
            }
            if (_depth == _stack.Length)
            {
                Array.Resize(ref _stack, _stack.Length * 2);
            }
            _stack[_depth++] = s.Index;
        }

        private void Visit(SymbolId s)
        {
            SymbolFlags flags = _symbols.Flags(s);
            ReflectSeen |= (flags & SymbolFlags.ReflectMethod) != 0;
            bool isType = (flags & SymbolFlags.GoType) != 0;
            if (isType && owner._ctx.Target.IsDynlinkingGo)
            {
                _symbols.SetShared(s, UsedInIface);
            }
            bool inIface = isType && _symbols.Has(s, UsedInIface);
            RelocList relocs = _symbols.Relocs(s);
            for (int i = 0; i < relocs.Count; i++)
            {
                RelocKind kind = relocs.Kind(i);
                if (relocs[i].IsWeak && !IsKept(s, kind))
                {
                    continue;
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
                            Methods.Add(new MethodRef(s.Index, i));
                            // The method's type leads to further types by reflection.
                            MarkUsedInIface(relocs.Target(i), s);
                        }
                        i += 2;
                        continue;
                    case RelocKind.UseType:
                    case RelocKind.InitOrder:
                        // For DWARF and for the order of initialisation only.
                        continue;
                    case RelocKind.UseIface:
                        VisitUseIface(s, relocs.Target(i));
                        continue;
                    case RelocKind.UseIfaceMethod:
                        VisitUseIfaceMethod(relocs.Target(i), relocs[i].Addend);
                        continue;
                    case RelocKind.UseNamedMethod:
                        NamedMethods.Add(relocs.Target(i));
                        continue;
                }
                SymbolId target = relocs.Target(i);
                if (inIface && !target.IsNone && (_symbols.Flags(target) & SymbolFlags.GoType) != 0)
                {
                    // A value of a type used in an interface leads by reflection to values of the types it is made of.
                    MarkUsedInIface(target, s);
                }
                Mark(target, s);
            }

            ReadOnlySpan<AuxRecord> auxes = _symbols.IsExternal(s) ? default : _symbols.Auxes(s, out _);
            if (auxes.Length != 0)
            {
                GoObject? owningObject = _symbols.Locate(s, out _);
                foreach (ref readonly AuxRecord aux in auxes)
                {
                    // A live variable does not need its type descriptor.
                    if (aux.Kind != AuxKind.GoType)
                    {
                        Mark(_symbols.Resolve(owningObject, aux.Target), s);
                    }
                }
                if ((_symbols.Flags2(s) & SymbolFlags2.PkgInit) != 0)
                {
                    PackageInits.Add(s);
                }
            }
            if (_symbols.IsExternal(s))
            {
                Mark(_symbols.Outer(s), s);
                if (_symbols.Sub.TryGetValue(s, out SymbolId sub))
                {
                    Mark(sub, s);
                }
            }
        }

        // Weak references hold where another module may depend on them.
        private bool IsKept(SymbolId s, RelocKind kind) =>
            (owner._ctx.Target.IsLinkShared && (_symbols.Flags2(s) & SymbolFlags2.Itab) != 0)
            || (owner._ctx.Target.CanUsePlugins && kind.IsDirectCall());

        private void VisitUseIface(SymbolId s, SymbolId target)
        {
            if ((_symbols.Flags2(target) & SymbolFlags2.Itab) != 0)
            {
                // An itab stands for its Type field.
                target = new TypeDescriptor(_symbols, target).TargetAt(_symbols.Target.PointerSize);
            }
            if ((_symbols.Flags(target) & SymbolFlags.GoType) == 0 && !owner._ctx.Target.IsLinkShared)
            {
                throw new LinkException($"R_USEIFACE in {_symbols.NameText(s)} references {_symbols.NameText(target)} which is not a type or itab");
            }
            MarkUsedInIface(target, s);
        }

        private void VisitUseIfaceMethod(SymbolId type, long offset)
        {
            if (owner._ctx.Target.IsLinkShared && _symbols.Kind(type) is SymbolKind.DynImport or SymbolKind.None)
            {
                return;
            }
            TypeDescriptor descriptor = new(_symbols, type);
            if (descriptor.Kind != GoKind.Interface)
            {
                throw new LinkException($"symbol \"{_symbols.NameText(type)}\" is not an interface");
            }
            IfaceMethods.Add((descriptor.TargetAt((int)offset), descriptor.TargetAt((int)offset + 4)));
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
    }

    /// <summary>Through this, threads with much to do feed those with nothing; it also tells when all are done.</summary>
    /// <remarks>A thread that comes late finds the flood over and has nothing to do: only the first one starts with work.</remarks>
    private sealed class SharedWork
    {
        private readonly Lock _gate = new();
        private readonly Stack<int[]> _batches = [];
        private readonly SemaphoreSlim _available = new(0);
        private int _active;
        private int _idle;
        private bool _done;

        /// <summary>Whether a thread waits for work.</summary>
        public bool IsWanted => Volatile.Read(ref _idle) > 0;

        public void Enter()
        {
            lock (_gate)
            {
                _active++;
            }
        }

        public bool TryGive(ReadOnlySpan<int> work)
        {
            lock (_gate)
            {
                if (_done)
                {
                    return false;
                }
                _batches.Push(work.ToArray());
            }
            _available.Release();
            return true;
        }

        public bool Take(ref int[] stack, out int depth)
        {
            lock (_gate)
            {
                if (++_idle == _active && _batches.Count == 0)
                {
                    Finish();
                }
            }
            while (true)
            {
                _available.Wait();
                lock (_gate)
                {
                    if (_batches.TryPop(out int[]? batch))
                    {
                        _idle--;
                        stack = batch;
                        depth = batch.Length;
                        return true;
                    }
                    if (_done)
                    {
                        // The next one to look must find the door open as well.
                        _available.Release();
                        depth = 0;
                        return false;
                    }
                }
            }
        }

        /// <summary>Lets all threads go: one of them has failed.</summary>
        public void Abort()
        {
            lock (_gate)
            {
                _batches.Clear();
                Finish();
            }
        }

        private void Finish()
        {
            _done = true;
            _available.Release();
        }
    }
}

/// <summary>What reach is asked for.</summary>
/// <param name="PluginPath">Import path of the plugin that is built.</param>
/// <param name="PruneWeakMaps">Redirect calls of dead map initialisers (-pruneweakmap).</param>
/// <param name="TrackParents">Remember what made each symbol live (GOEXPERIMENT=fieldtrack).</param>
/// <param name="DumpDependency">Takes each edge that made a symbol live (-dumpdep); null for none.</param>
/// <param name="Log">Takes lines of the link trace (-v -v); null for none.</param>
internal sealed record ReachOptions(
    string PluginPath, bool PruneWeakMaps, bool TrackParents, Action<string>? DumpDependency, Action<string>? Log);
