using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>
/// Gives every symbol of every object its global id and picks the definition each id stands for (Loader.LoadSyms).
/// </summary>
/// <remarks>
/// <para>The numbering must be the Go linker's: package definitions by object, then first occurrences of hashed and named definitions
/// by object, then first occurrences of undefined names. Serial there; here names are hashed in parallel by object, then each shard of
/// the hash space decides first occurrences and winners alone, walking all objects in order, and prefix sums over the objects turn
/// first occurrences into numbers.</para>
/// <para>Every symbol that is not a package definition has a position: an index into one array over all objects, which ends up holding
/// the global ids (the objects' maps).</para>
/// </remarks>
internal sealed unsafe class Resolver
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _table;
    private readonly GoObject[] _objects;
    private readonly int _count;
    private readonly ResolveOptions _options;

    // By object: first global id of its package definitions, first position of its other symbols.
    private readonly int[] _positionBase;
    private readonly int _packageDefs;
    private readonly int _positions;

    // By position: hash, then the occurrence it repeats.
    private ulong* _hashes;
    private ulong* _definitionHashes;
    private int* _links;
    private int* _map;

    private readonly List<SizeFixup>[] _fixups;
    private readonly List<Override>[] _overrides;
    private readonly List<DuplicateReport>[] _duplicates;
    private DuplicateDefinition? _fatal;
    private readonly Lock _fatalGate = new();

    // By block of positions: the object of its first one.
    private readonly int[] _objectOfBlock;

    private const int NewDefinition = -1;
    private const int BlockShift = 8;

    private Resolver(LinkContext ctx, GoObject[] objects, int count, ResolveOptions options)
    {
        _ctx = ctx;
        _table = ctx.Symbols;
        _objects = objects;
        _count = count;
        _options = options;
        _positionBase = new int[count + 1];
        int id = 1;
        long position = 0;
        for (int i = SymbolTable.FirstObject; i < count; i++)
        {
            GoObject o = objects[i];
            o.GlobalBase = id;
            _positionBase[i] = (int)position;
            id = checked(id + o.DefCount);
            position += o.SymbolCount - o.DefCount;
        }
        _packageDefs = id;
        _positions = checked((int)position);
        _positionBase[count] = _positions;
        _objectOfBlock = new int[(_positions >> BlockShift) + 1];
        for (int block = 0, i = SymbolTable.FirstObject; block < _objectOfBlock.Length && i < count; block++)
        {
            while (i < count - 1 && _positionBase[i + 1] <= block << BlockShift)
            {
                i++;
            }
            _objectOfBlock[block] = i;
        }
        int shards = ctx.Workers.Threads;
        _fixups = Lists<SizeFixup>(shards);
        _overrides = Lists<Override>(shards);
        _duplicates = Lists<DuplicateReport>(shards);
    }

    /// <summary>
    /// Numbers and resolves the symbols of <paramref name="objects"/> (from <see cref="SymbolTable.FirstObject"/> on).
    /// </summary>
    /// <exception cref="LinkException">A symbol is defined twice, or a linkname reference is not allowed.</exception>
    public static ResolveResult Run(LinkContext ctx, GoObject[] objects, ResolveOptions options)
    {
        Resolver r = new(ctx, objects, objects.Length, options);
        return r.Resolve();
    }

    private ResolveResult Resolve()
    {
        NameTable names = new(_ctx.Workers.Threads);
        _hashes = Alloc<ulong>(_positions);
        _definitionHashes = Alloc<ulong>(_packageDefs);
        _links = Alloc<int>(_positions);
        _map = Alloc<int>(_positions);
        for (int i = SymbolTable.FirstObject; i < _count; i++)
        {
            _objects[i].GlobalMap = _map + _positionBase[i];
        }

        ForObjects(HashNames);
        _ctx.Workers.For(names.ShardCount, s => ResolveShardDefinitions(s, names));
        if (_fatal is not null)
        {
            throw _fatal.ToException();
        }
        int definitions = NumberDefinitions();
        _ctx.Workers.For(names.ShardCount, s => ResolveShardReferences(s, names));
        int total = NumberReferences(definitions);
        _ctx.Workers.For(names.ShardCount, s => names[s].Renumber(id => id > 0 ? id : _map[~id]));

        _table.Adopt(_objects, names, definitions);
        SetDefinitions(definitions);
        CreateReferences(definitions, total);
        LinkPackages();
        _table.BindBuiltins();
        SetAttributes();
        int messages = ReportDuplicates();
        LinknameCheck.Run(_ctx, _objects, _options.CheckLinknames);
        foreach (SizeFixup f in _fixups.SelectMany(l => l).OrderBy(f => f.Order))
        {
            _table.Update(new SymbolId(FinalId(f.Existing))).SetSize(f.Size);
        }
        NativeHeap.Free(_hashes);
        NativeHeap.Free(_definitionHashes);
        NativeHeap.Free(_links);
        return new ResolveResult(_packageDefs, messages);
    }

    private void ForObjects(Action<int> body) =>
        _ctx.Workers.For(_count - SymbolTable.FirstObject, i => body(i + SymbolTable.FirstObject));

    // A static symbol cannot be referenced by name; an unnamed one has no name to enter. Both keep hash 0.
    private void HashNames(int index)
    {
        GoObject o = _objects[index];
        for (int i = 0; i < o.DefCount; i++)
        {
            _definitionHashes[o.GlobalBase + i] = NameHash(o, i);
        }
        ulong* hashes = _hashes + _positionBase[index];
        int at = 0;
        for (int i = 0; i < o.Hashed64Count; i++)
        {
            hashes[at++] = ContentHash(o.Hash64(i), 0);
        }
        for (int i = 0; i < o.HashedCount; i++)
        {
            (ulong low, ulong high) = o.Hash(i);
            hashes[at++] = ContentHash(low, high | 1);
        }
        for (int i = o.DefCount + at; i < o.AllDefCount; i++)
        {
            hashes[at++] = NameHash(o, i);
        }
        for (int i = o.AllDefCount; i < o.SymbolCount; i++)
        {
            ref readonly SymbolRecord r = ref o.Symbol(i);
            hashes[at++] = NonZero(NameTable.Hash(o.Name(r), _table.Version(o, r.Abi)));
        }
    }

    private ulong NameHash(GoObject o, int local)
    {
        ref readonly SymbolRecord r = ref o.Symbol(local);
        return r.NameLength == 0 || r.Abi == SymbolRecord.StaticAbi ? 0 : NonZero(NameTable.Hash(o.Name(r), _table.Version(o, r.Abi)));
    }

    private static ulong NonZero(ulong h) => h == 0 ? 1 : h;

    private static ulong ContentHash(ulong low, ulong high)
    {
        ulong x = (low ^ System.Numerics.BitOperations.RotateLeft(high, 32)) * 0x9e3779b97f4a7c15;
        return NonZero((x ^ (x >> 31)) * 0xe7037ed1a0b428db);
    }

    // Slots of the name shard hold a package definition's id, or the complement of a position. Content hashes live in tables of
    // their own, which are dropped when the shard is done.
    private void ResolveShardDefinitions(int s, NameTable names)
    {
        NameTable.Shard shard = names[s];
        using ContentTable short64 = new(), long128 = new();
        ShardState state = new(this, s);
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            for (int i = 0; i < o.DefCount; i++)
            {
                ulong hash = _definitionHashes[o.GlobalBase + i];
                if (hash != 0 && names.ShardOf(hash) == s)
                {
                    ref NameTable.Slot slot = ref Probe(shard, hash, o, i, state, out bool found);
                    if (found)
                    {
                        slot.Id = o.GlobalBase + i;
                    }
                    else
                    {
                        shard.Add(hash, o.GlobalBase + i);
                    }
                }
            }
        }
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            int position = _positionBase[index];
            int hashedEnd = o.DefCount + o.Hashed64Count + o.HashedCount;
            for (int local = o.DefCount; local < o.AllDefCount; local++, position++)
            {
                ulong hash = _hashes[position];
                if (hash == 0)
                {
                    // Handled by one shard only, so that the write is not raced.
                    if (s == 0)
                    {
                        _links[position] = NewDefinition;
                    }
                    continue;
                }
                if (names.ShardOf(hash) != s)
                {
                    continue;
                }
                if (local < hashedEnd)
                {
                    _links[position] = ResolveContent(local < o.DefCount + o.Hashed64Count ? short64 : long128, o, local, position, state);
                    continue;
                }
                ref NameTable.Slot slot = ref Probe(shard, hash, o, local, state, out bool found);
                if (found)
                {
                    _links[position] = slot.Id > 0 ? ~slot.Id - 1 : ~slot.Id;
                    MergeNamed(state, slot.Id, o, local, position);
                }
                else
                {
                    shard.Add(hash, ~position);
                    _links[position] = NewDefinition;
                }
            }
        }
    }

    // Equal content hashes are one symbol. Trailing zeros are not part of the content, so the same hash may come with a larger size:
    // the largest stands for the symbol.
    private int ResolveContent(ContentTable table, GoObject o, int local, int position, ShardState state)
    {
        int i = local - o.DefCount;
        (ulong low, ulong high) = i < o.Hashed64Count ? (o.Hash64(i), 0) : o.Hash(i - o.Hashed64Count);
        for (long at = table.First(low); table[at].Position != 0; at = table.Next(at))
        {
            ContentTable.Slot slot = table[at];
            if (slot.Low != low)
            {
                continue;
            }
            int first = slot.Position - 1;
            (GoObject other, int otherLocal) = state.ObjectOfPosition(first);
            int j = otherLocal - other.DefCount - other.Hashed64Count;
            if (j >= 0 && other.Hash(j).High != high)
            {
                continue;
            }
            (GoObject old, int oldLocal) = state.Winners.TryGetValue(~first, out (GoObject, int) winner) ? winner : (other, otherLocal);
            if (o.Symbol(local).Size > old.Symbol(oldLocal).Size)
            {
                Win(state, ~first, first, o, local);
            }
            return first;
        }
        table.Add(low, position + 1);
        return NewDefinition;
    }

    private void ResolveShardReferences(int s, NameTable names)
    {
        NameTable.Shard shard = names[s];
        ShardState state = new(this, s);
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            int position = _positionBase[index] + o.AllDefCount - o.DefCount;
            for (int local = o.AllDefCount; local < o.SymbolCount; local++, position++)
            {
                ulong hash = _hashes[position];
                if (names.ShardOf(hash) != s)
                {
                    continue;
                }
                ref NameTable.Slot slot = ref Probe(shard, hash, o, local, state, out bool found);
                if (found)
                {
                    _links[position] = slot.Id > 0 ? ~slot.Id - 1 : ~slot.Id;
                }
                else
                {
                    shard.Add(hash, ~position);
                    _links[position] = NewDefinition;
                }
            }
        }
    }

    // A link is NewDefinition, a position (≥ 0), or, below NewDefinition, a package definition's id.
    private int FinalId(int link) => link >= 0 ? _map[link] : ~(link + 1);

    private ref NameTable.Slot Probe(NameTable.Shard shard, ulong hash, GoObject o, int local, ShardState state, out bool found)
    {
        ref readonly SymbolRecord r = ref o.Symbol(local);
        ReadOnlySpan<byte> name = o.Name(r);
        int version = _table.Version(o, r.Abi);
        for (uint i = shard.First(hash); ; i = shard.Next(i))
        {
            ref NameTable.Slot slot = ref shard.At(i);
            if (slot.Id == 0)
            {
                found = false;
                return ref slot;
            }
            if (slot.Tag == (uint)hash)
            {
                (GoObject other, int otherLocal) = FirstOccurrence(slot.Id, state);
                ref readonly SymbolRecord q = ref other.Symbol(otherLocal);
                if (_table.Version(other, q.Abi) == version && other.Name(q).SequenceEqual(name))
                {
                    found = true;
                    return ref slot;
                }
            }
        }
    }

    private (GoObject Object, int Local) FirstOccurrence(int slotId, ShardState state) =>
        slotId > 0 ? state.ObjectOfId(slotId) : state.ObjectOfPosition(~slotId);

    // Two named definitions meet: decide which one the id stands for (Loader.addSym).
    private void MergeNamed(ShardState state, int slotId, GoObject o, int local, int position)
    {
        (GoObject old, int oldLocal) = state.Winners.TryGetValue(slotId, out (GoObject, int) winner) ? winner : FirstOccurrence(slotId, state);
        ref readonly SymbolRecord record = ref o.Symbol(local);
        ref readonly SymbolRecord oldRecord = ref old.Symbol(oldLocal);
        bool dupOk = (record.Flags & SymbolFlags.DupOk) != 0;
        bool oldDupOk = (oldRecord.Flags & SymbolFlags.DupOk) != 0;
        int link = slotId > 0 ? ~slotId - 1 : ~slotId;
        if (dupOk)
        {
            if (oldDupOk || !_table.Release.DupOkNeedsDupOk)
            {
                if (_options.StrictDuplicates)
                {
                    CheckSame(state, position, o, local, old, oldLocal);
                }
                if (oldRecord.Size < record.Size)
                {
                    Win(state, slotId, link, o, local);
                }
            }
            return;
        }
        if (oldDupOk)
        {
            Win(state, slotId, link, o, local);
            return;
        }

        SymbolKind kind = SymbolKinds.FromObject(record.RawKind), oldKind = SymbolKinds.FromObject(oldRecord.RawKind);
        bool hasContent = o.DataSize(local) != 0, oldHasContent = old.DataSize(oldLocal) != 0;
        bool oldIsZeroed = oldKind.IsAnyData() && !oldHasContent;
        bool isZeroed = kind.IsAnyData() && !hasContent;
        if (oldIsZeroed && (kind.IsText() || hasContent || (isZeroed && record.Size > oldRecord.Size)))
        {
            uint oldSize = oldRecord.Size;
            Win(state, slotId, link, o, local);
            if (oldSize > record.Size)
            {
                _fixups[state.Shard].Add(new SizeFixup(position, link, oldSize));
            }
        }
        else if (isZeroed)
        {
            if (record.Size > oldRecord.Size)
            {
                _fixups[state.Shard].Add(new SizeFixup(position, link, record.Size));
            }
        }
        else
        {
            lock (_fatalGate)
            {
                if (_fatal is null || position < _fatal.Position)
                {
                    _fatal = new DuplicateDefinition(position, o, local, old, oldLocal);
                }
            }
        }
    }

    private void Win(ShardState state, int slotId, int link, GoObject o, int local)
    {
        state.Winners[slotId] = (o, local);
        _overrides[state.Shard].Add(new Override(link, o.Index, local));
    }

    private void CheckSame(ShardState state, int position, GoObject o, int local, GoObject old, int oldLocal)
    {
        ReadOnlySpan<byte> data = o.Data(local), oldData = old.Data(oldLocal);
        string reason = "same length but different contents";
        if (data.Length != oldData.Length)
        {
            reason = $"new length {data.Length} != old length {oldData.Length}";
        }
        else if (data.SequenceEqual(oldData))
        {
            uint size = o.Symbol(local).Size, oldSize = old.Symbol(oldLocal).Size;
            if (size == oldSize)
            {
                return;
            }
            reason = $"different sizes: new size {size} != old size {oldSize}";
        }
        _duplicates[state.Shard].Add(new DuplicateReport(position, o, local, old, reason));
    }

    // First occurrences become numbers by prefix sums over the objects; repeats then read the number of what they repeat.
    private int NumberDefinitions()
    {
        int[] start = new int[_count + 1];
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            start[index + 1] = CountNew(_positionBase[index], o.AllDefCount - o.DefCount);
        });
        start[SymbolTable.FirstObject] = _packageDefs;
        for (int i = SymbolTable.FirstObject; i < _count; i++)
        {
            start[i + 1] = checked(start[i + 1] + start[i]);
        }
        ForObjects(index => AssignNew(_positionBase[index], _objects[index].AllDefCount - _objects[index].DefCount, start[index]));
        ForObjects(index => AssignRepeats(_positionBase[index], _objects[index].AllDefCount - _objects[index].DefCount));
        return _count > SymbolTable.FirstObject ? start[_count] : _packageDefs;
    }

    private int NumberReferences(int definitions)
    {
        int[] start = new int[_count + 1];
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            start[index + 1] = CountNew(_positionBase[index] + o.AllDefCount - o.DefCount, o.NonPkgRefCount);
        });
        start[SymbolTable.FirstObject] = definitions;
        for (int i = SymbolTable.FirstObject; i < _count; i++)
        {
            start[i + 1] = checked(start[i + 1] + start[i]);
        }
        ForObjects(index => AssignNew(ReferencePosition(index), _objects[index].NonPkgRefCount, start[index]));
        ForObjects(index => AssignRepeats(ReferencePosition(index), _objects[index].NonPkgRefCount));
        return _count > SymbolTable.FirstObject ? start[_count] : definitions;
    }

    private int ReferencePosition(int index) => _positionBase[index] + _objects[index].AllDefCount - _objects[index].DefCount;

    private int CountNew(int from, int n)
    {
        int count = 0;
        for (int i = 0; i < n; i++)
        {
            count += _links[from + i] == NewDefinition ? 1 : 0;
        }
        return count;
    }

    private void AssignNew(int from, int n, int next)
    {
        for (int i = 0; i < n; i++)
        {
            if (_links[from + i] == NewDefinition)
            {
                _map[from + i] = next++;
            }
        }
    }

    private void AssignRepeats(int from, int n)
    {
        for (int i = 0; i < n; i++)
        {
            int link = _links[from + i];
            if (link != NewDefinition)
            {
                _map[from + i] = FinalId(link);
            }
        }
    }

    private void SetDefinitions(int definitions)
    {
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            for (int i = 0; i < o.DefCount; i++)
            {
                _table.SetDefinition(o.GlobalBase + i, index, i, SymbolKinds.FromObject(o.Symbol(i).RawKind));
            }
            int position = _positionBase[index];
            for (int local = o.DefCount; local < o.AllDefCount; local++, position++)
            {
                if (_links[position] == NewDefinition)
                {
                    _table.SetDefinition(_map[position], index, local, SymbolKinds.FromObject(o.Symbol(local).RawKind));
                }
            }
        });
        // A key lives in one shard, and its overrides stand in load order there.
        foreach (List<Override> list in _overrides)
        {
            foreach (Override v in list)
            {
                GoObject o = _objects[v.Object];
                _table.SetDefinition(FinalId(v.Link), v.Object, v.Local, SymbolKinds.FromObject(o.Symbol(v.Local).RawKind));
            }
        }
        if (_table.Count != definitions)
        {
            throw new InvalidOperationException($"resolve numbered {definitions} definitions, the table holds {_table.Count}");
        }
    }

    private void CreateReferences(int definitions, int total)
    {
        if (total == definitions)
        {
            return;
        }
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            int position = ReferencePosition(index);
            for (int local = o.AllDefCount; local < o.SymbolCount; local++, position++)
            {
                if (_links[position] == NewDefinition)
                {
                    ref readonly SymbolRecord r = ref o.Symbol(local);
                    _table.AddReference(o.Name(r), _table.Version(o, r.Abi), _map[position]);
                }
            }
        }
    }

    private void LinkPackages()
    {
        Dictionary<string, int> byPath = new(StringComparer.Ordinal);
        for (int i = SymbolTable.FirstObject; i < _count; i++)
        {
            byPath.TryAdd(Load.ImportPath.Escape(_objects[i].Package.Path), i);
        }
        var byBytes = byPath.GetAlternateLookup<ReadOnlySpan<char>>();
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            int[] packages = new int[o.PackageCount];
            Span<char> buffer = stackalloc char[512];
            for (int i = 1; i < packages.Length; i++)
            {
                ReadOnlySpan<byte> path = o.PackagePath(i);
                Span<char> chars = path.Length <= buffer.Length ? buffer : new char[path.Length];
                int n = System.Text.Encoding.UTF8.GetChars(path, chars);
                if (!byBytes.TryGetValue(chars[..n], out packages[i]))
                {
                    throw new LinkException(MessageForm.Input, $"{o.Package}: reference to nonexistent package {chars[..n]}");
                }
            }
            o.PackageObjects = packages;
        });
    }

    // An id's alignment is the largest any of its definitions asks for; Local and UsedInIface stick if any occurrence has them.
    private void SetAttributes()
    {
        SymbolFlags2 export = _table.Release.WasmExportFlag;
        List<(int Order, int Object, int Local, SymbolId Symbol)> exports = [];
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            int position = _positionBase[index];
            for (int local = 0; local < o.SymbolCount; local++)
            {
                ref readonly SymbolRecord r = ref o.Symbol(local);
                if ((r.Flags2 & export) != 0 && local < o.AllDefCount)
                {
                    lock (exports)
                    {
                        exports.Add(local < o.DefCount
                            ? (0, index, local, new SymbolId(o.GlobalBase + local))
                            : (1, index, local, new SymbolId(_map[position + local - o.DefCount])));
                    }
                }
                SymbolTable.Attributes attributes = SymbolTable.Attributes.None;
                if ((r.Flags & SymbolFlags.Local) != 0)
                {
                    attributes |= SymbolTable.Attributes.Local;
                }
                if ((r.Flags2 & SymbolFlags2.UsedInIface) != 0)
                {
                    attributes |= SymbolTable.Attributes.UsedInIface;
                }
                if (attributes == SymbolTable.Attributes.None && (r.Align == 0 || local >= o.AllDefCount))
                {
                    continue;
                }
                SymbolId s = new(local < o.DefCount ? o.GlobalBase + local : _map[position + local - o.DefCount]);
                if (attributes != SymbolTable.Attributes.None)
                {
                    _table.SetShared(s, attributes);
                }
                if (r.Align != 0 && local < o.AllDefCount)
                {
                    if (!int.IsPow2((int)r.Align))
                    {
                        throw o.Damaged($"bad alignment {r.Align}");
                    }
                    _table.RaiseAlign(s, (int)r.Align);
                }
            }
            for (int i = 0, n = o.RefFlagsCount; i < n; i++)
            {
                o.RefFlags(i, out SymRef target, out _, out SymbolFlags2 flags2);
                if ((flags2 & SymbolFlags2.UsedInIface) != 0)
                {
                    _table.SetShared(_table.Resolve(o, target), SymbolTable.Attributes.UsedInIface);
                }
            }
        });
        // Package definitions are numbered first, and so stand first.
        exports.Sort();
        foreach ((_, _, _, SymbolId s) in exports)
        {
            _ctx.WasmExports.Add(s);
        }
    }

    private int ReportDuplicates()
    {
        int counted = 0;
        foreach (DuplicateReport d in _duplicates.SelectMany(l => l).OrderBy(d => d.Position))
        {
            string name = System.Text.Encoding.UTF8.GetString(d.Object.Name(d.Local));
            _options.ReportDuplicate(
                $"cmd/link: while reading object for '{d.Object.Package}': duplicate symbol '{name}', previous def at '{d.Old.Package}', with mismatched payload: {d.Reason}");
            // Wrappers made in several packages differ in line numbers, which is harmless.
            bool allowed = name.StartsWith("go:info.go.interface", StringComparison.Ordinal)
                || name.StartsWith("go:info.go.builtin", StringComparison.Ordinal)
                || name.StartsWith("go:debuglines", StringComparison.Ordinal);
            counted += allowed ? 0 : 1;
        }
        return counted;
    }

    private static List<T>[] Lists<T>(int n)
    {
        List<T>[] lists = new List<T>[n];
        for (int i = 0; i < n; i++)
        {
            lists[i] = [];
        }
        return lists;
    }

    private static T* Alloc<T>(long n)
        where T : unmanaged => (T*)NativeHeap.AllocZeroed((nuint)Math.Max(n, 1), (nuint)sizeof(T));

    private readonly record struct SizeFixup(int Order, int Existing, uint Size);

    private readonly record struct Override(int Link, int Object, int Local);

    private sealed record DuplicateReport(int Position, GoObject Object, int Local, GoObject Old, string Reason);

    private sealed record DuplicateDefinition(int Position, GoObject Object, int Local, GoObject Old, int OldLocal)
    {
        public LinkException ToException()
        {
            ref readonly SymbolRecord r = ref Object.Symbol(Local);
            ref readonly SymbolRecord q = ref Old.Symbol(OldLocal);
            return new LinkException(
                MessageForm.Input,
                $"duplicated definition of symbol {System.Text.Encoding.UTF8.GetString(Object.Name(r))}, from {Object.Package} (type {SymbolKinds.FromObject(r.RawKind).GoName()} size {r.Size}) and {Old.Package} (type {SymbolKinds.FromObject(q.RawKind).GoName()} size {q.Size})");
        }
    }

    /// <summary>What one shard's walk remembers: which object a number belongs to, and winners that replaced a first occurrence.</summary>
    private sealed class ShardState(Resolver owner, int shard)
    {
        public int Shard => shard;

        public Dictionary<int, (GoObject Object, int Local)> Winners { get; } = [];

        public (GoObject Object, int Local) ObjectOfId(int id)
        {
            int low = SymbolTable.FirstObject, high = owner._count - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                if (owner._objects[middle].GlobalBase <= id)
                {
                    low = middle;
                }
                else
                {
                    high = middle - 1;
                }
            }
            return (owner._objects[low], id - owner._objects[low].GlobalBase);
        }

        public (GoObject Object, int Local) ObjectOfPosition(int position)
        {
            int index = owner._objectOfBlock[position >> BlockShift];
            while (owner._positionBase[index + 1] <= position)
            {
                index++;
            }
            GoObject o = owner._objects[index];
            return (o, position - owner._positionBase[index] + o.DefCount);
        }
    }
}

/// <summary>What resolve is asked to check.</summary>
/// <param name="CheckLinknames">Refuse linkname references that are not allowed (-checklinkname).</param>
/// <param name="StrictDuplicates">Compare the contents of duplicate definitions (-strictdups).</param>
/// <param name="ReportDuplicate">Takes the text about a pair of duplicates that differ.</param>
internal sealed record ResolveOptions(bool CheckLinknames, bool StrictDuplicates, Action<string> ReportDuplicate);

/// <summary>Counts for the link trace, and the number of duplicate pairs that count as errors under -strictdups=2.</summary>
/// <param name="PackageSymbols">Ids given to package definitions, none included.</param>
/// <param name="DuplicateMessages">Differing duplicates.</param>
internal sealed record ResolveResult(int PackageSymbols, int DuplicateMessages);
