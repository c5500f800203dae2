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

    // By object: the ids of its package definitions, the positions of its other symbols, and where the hashes of those of them that
    // have names begin.
    private readonly RangeIndex _packageIds;
    private readonly RangeIndex _positions;
    private readonly long[] _namedBase;

    // By id of a package definition, and by named symbol: hash, 0 for what no name finds. Gone when all names are entered.
    private readonly NativeArray<ulong> _definitionHashes;
    private readonly NativeArray<ulong> _namedHashes;

    // By position, in the end the id. Before, what a first occurrence is known to be: 0, the first of its kind; the id of a package
    // definition; or the complement of the position it repeats. Lives as long as the symbol table, in which objects find ids with it.
    private readonly NativeArray<int> _mapMemory;
    private readonly int* _map;

    private readonly List<SizeFixup>[] _fixups;
    private readonly List<Override>[] _overrides;
    private readonly List<DuplicateReport>[] _duplicates;
    private DuplicateDefinition? _fatal;
    private readonly Lock _fatalGate = new();
    private readonly Func<int, ulong> _hashOf;

    private Resolver(LinkContext ctx, GoObject[] objects, int count, ResolveOptions options)
    {
        _ctx = ctx;
        _table = ctx.Symbols;
        _objects = objects;
        _count = count;
        _options = options;
        _hashOf = HashOf;
        int[] idStarts = new int[count + 1];
        int[] positionStarts = new int[count + 1];
        _namedBase = new long[count + 1];
        int id = 1;
        int position = 0;
        idStarts.AsSpan(1, SymbolTable.FirstObject).Fill(1);
        for (int i = SymbolTable.FirstObject; i < count; i++)
        {
            GoObject o = objects[i];
            o.GlobalBase = id;
            id = checked(id + o.DefCount);
            position = checked(position + o.SymbolCount - o.DefCount);
            idStarts[i + 1] = id;
            positionStarts[i + 1] = position;
            _namedBase[i + 1] = _namedBase[i] + o.SymbolCount - o.FirstNonPkg;
        }
        _packageIds = new RangeIndex(idStarts);
        _positions = new RangeIndex(positionStarts);
        _definitionHashes = new NativeArray<ulong>(id);
        _namedHashes = new NativeArray<ulong>(_namedBase[count]);
        _mapMemory = new NativeArray<int>(Math.Max(position, 1));
        _mapMemory.PreferLargePages();
        _map = _mapMemory.Base;
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
        for (int i = SymbolTable.FirstObject; i < _count; i++)
        {
            _objects[i].GlobalMap = _map + _positions.Start(i);
        }

        ForObjects(HashNames);
        _ctx.Workers.For(names.ShardCount, s => ResolveShardDefinitions(s, names));
        if (_fatal is not null)
        {
            throw _fatal.ToException();
        }
        int[] definitions = CountDefinitions();
        _ctx.Workers.For(names.ShardCount, s => ResolveShardReferences(s, names));
        _definitionHashes.Dispose();
        _namedHashes.Dispose();
        _table.Adopt(_objects, names, _packageIds, _positions, definitions[_count]);
        NumberDefinitions(definitions);
        int[] references = NumberReferences(definitions[_count]);
        _ctx.Workers.For(names.ShardCount, s => names[s].Renumber(FinalId));
        CreateReferences(references);
        LinkPackages();
        _table.BindBuiltins();
        SetAttributes();
        int messages = ReportDuplicates();
        LinknameCheck.Run(_ctx, _objects, _options.CheckLinknames);
        foreach (SizeFixup f in _fixups.SelectMany(l => l).OrderBy(f => f.Order))
        {
            _table.Update(new SymbolId(FinalId(f.Existing))).SetSize(f.Size);
        }
        return new ResolveResult(_packageIds.End, messages);
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
        long at = _namedBase[index];
        for (int i = o.FirstNonPkg; i < o.AllDefCount; i++)
        {
            _namedHashes[at++] = NameHash(o, i);
        }
        for (int i = o.AllDefCount; i < o.SymbolCount; i++)
        {
            ref readonly SymbolRecord r = ref o.Symbol(i);
            _namedHashes[at++] = NonZero(NameTable.Hash(o.Name(r), _table.Version(o, r.Abi)));
        }
    }

    private ulong NameHash(GoObject o, int local)
    {
        ref readonly SymbolRecord r = ref o.Symbol(local);
        return r.NameLength == 0 || r.Abi == SymbolRecord.StaticAbi ? 0 : NonZero(NameTable.Hash(o.Name(r), _table.Version(o, r.Abi)));
    }

    private static ulong NonZero(ulong h) => h == 0 ? 1 : h;

    // Entries of a name shard hold a package definition's id, or the complement of a position.
    private void ResolveShardDefinitions(int s, NameTable names)
    {
        NameTable.Shard shard = names[s];
        ShardState state = new(s);
        Batch batch = new();
        shard.Reserve(CountNames(s, names));
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            for (int i = 0; i < o.DefCount;)
            {
                i = Take(ref batch, i, o.DefCount, _definitionHashes.Base + o.GlobalBase, names, s);
                Approach(in batch, shard, state);
                for (int n = 0; n < batch.Count; n++)
                {
                    int local = batch.Locals[n];
                    if (FindName(shard, batch.Hashes[n], o, local, out int* known))
                    {
                        *known = o.GlobalBase + local;
                    }
                    else
                    {
                        shard.Add(batch.Hashes[n], o.GlobalBase + local, _hashOf);
                    }
                }
            }
        }
        // Content hashes live in tables of their own, which are dropped when the shard is done.
        using ContentTable short64 = new(), long128 = new();
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            ResolveContents(short64, o, isShort: true, names, state);
            ResolveContents(long128, o, isShort: false, names, state);
            int position = _positions.Start(index) - o.DefCount;
            for (int i = o.FirstNonPkg; i < o.AllDefCount;)
            {
                i = Take(ref batch, i, o.AllDefCount, _namedHashes.Base + _namedBase[index] - o.FirstNonPkg, names, s);
                Approach(in batch, shard, state);
                for (int n = 0; n < batch.Count; n++)
                {
                    int local = batch.Locals[n];
                    if (FindName(shard, batch.Hashes[n], o, local, out int* known))
                    {
                        _map[position + local] = *known;
                        MergeNamed(state, *known, o, local, position + local);
                    }
                    else
                    {
                        shard.Add(batch.Hashes[n], ~(position + local), _hashOf);
                    }
                }
            }
        }
    }

    // An upper bound of the definitions a shard has to enter: repeats are not known yet.
    private long CountNames(int s, NameTable names)
    {
        long count = 0;
        foreach (ulong hash in _definitionHashes.AsSpan())
        {
            count += hash != 0 && names.ShardOf(hash) == s ? 1 : 0;
        }
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            foreach (ulong hash in _namedHashes.Span(_namedBase[index], _objects[index].NonPkgDefCount))
            {
                count += hash != 0 && names.ShardOf(hash) == s ? 1 : 0;
            }
        }
        return count;
    }

    // Equal content hashes are one symbol. Trailing zeros are not part of the content, so the same hash may come with a larger size:
    // the largest stands for the symbol.
    private void ResolveContents(ContentTable table, GoObject o, bool isShort, NameTable names, ShardState state)
    {
        const int Ahead = 16;
        int first = isShort ? 0 : o.Hashed64Count;
        int count = isShort ? o.Hashed64Count : o.HashedCount;
        int position = _positions.Start(o.Index) + first;
        Span<ulong> mixed = stackalloc ulong[Ahead];
        for (int i = -Ahead; i < count; i++)
        {
            ulong mix = i >= 0 ? mixed[i % Ahead] : 0;
            if (i + Ahead < count)
            {
                ulong next = ContentTable.Mix(isShort ? o.Hash64(i + Ahead) : o.Hash(i + Ahead).Low);
                mixed[(i + Ahead) % Ahead] = next;
                if (names.ShardOf(next) == state.Shard)
                {
                    table.Expect(next);
                }
            }
            if (i < 0 || names.ShardOf(mix) != state.Shard)
            {
                continue;
            }
            (ulong low, ulong high) = isShort ? (o.Hash64(i), 0) : o.Hash(i);
            ref ContentTable.Slot slot = ref table.Find(mix, low, high);
            int local = o.DefCount + first + i;
            uint size = o.Symbol(local).Size;
            if (slot.Position == 0)
            {
                slot.Position = position + i + 1;
                slot.Size = size;
                continue;
            }
            _map[position + i] = ~(slot.Position - 1);
            if (size > slot.Size)
            {
                slot.Size = size;
                _overrides[state.Shard].Add(new Override(~(slot.Position - 1), o.Index, local));
            }
        }
    }

    private void ResolveShardReferences(int s, NameTable names)
    {
        NameTable.Shard shard = names[s];
        ShardState state = new(s);
        Batch batch = new();
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            int position = _positions.Start(index) - o.DefCount;
            for (int i = o.AllDefCount; i < o.SymbolCount;)
            {
                i = Take(ref batch, i, o.SymbolCount, _namedHashes.Base + _namedBase[index] - o.FirstNonPkg, names, s);
                Approach(in batch, shard, state);
                for (int n = 0; n < batch.Count; n++)
                {
                    int local = batch.Locals[n];
                    if (FindName(shard, batch.Hashes[n], o, local, out int* known))
                    {
                        _map[position + local] = *known;
                    }
                    else
                    {
                        shard.Add(batch.Hashes[n], ~(position + local), _hashOf);
                    }
                }
            }
        }
    }

    // Takes the next names of a shard from local symbol i on; returns the symbol to go on with.
    private static int Take(ref Batch batch, int i, int end, ulong* hashOfLocal, NameTable names, int shard)
    {
        batch.Count = 0;
        for (; i < end && batch.Count < Batch.Size; i++)
        {
            ulong hash = hashOfLocal[i];
            if (hash != 0 && names.ShardOf(hash) == shard)
            {
                batch.Locals[batch.Count] = i;
                batch.Hashes[batch.Count++] = hash;
            }
        }
        return i;
    }

    // Asks for all that the names of a batch will be compared with, step by step along the way to it.
    private void Approach(ref readonly Batch batch, NameTable.Shard shard, ShardState state)
    {
        for (int n = 0; n < batch.Count; n++)
        {
            shard.Expect(batch.Hashes[n]);
        }
        Span<int> locals = stackalloc int[Batch.Size];
        GoObject?[] objects = state.Approached;
        for (int n = 0; n < batch.Count; n++)
        {
            NameTable.Cursor cursor = shard.Seek(batch.Hashes[n]);
            objects[n] = null;
            if (shard.Next(ref cursor))
            {
                (GoObject o, locals[n]) = FirstOccurrence(*cursor.Id);
                o.ExpectRecord(locals[n]);
                objects[n] = o;
            }
        }
        for (int n = 0; n < batch.Count; n++)
        {
            objects[n]?.ExpectName(locals[n]);
        }
    }

    private ulong HashOf(int entry)
    {
        if (entry > 0)
        {
            return _definitionHashes[entry];
        }
        (GoObject o, int local) = FirstOccurrence(entry);
        return _namedHashes[_namedBase[o.Index] + local - o.FirstNonPkg];
    }

    // What the map or a name holds (not 0) as an id, once the first occurrences have theirs.
    private int FinalId(int entry) => entry > 0 ? entry : _map[~entry];

    private bool FindName(NameTable.Shard shard, ulong hash, GoObject o, int local, out int* known)
    {
        ref readonly SymbolRecord r = ref o.Symbol(local);
        NameTable.Cursor cursor = shard.Seek(hash);
        while (shard.Next(ref cursor))
        {
            (GoObject other, int otherLocal) = FirstOccurrence(*cursor.Id);
            ref readonly SymbolRecord q = ref other.Symbol(otherLocal);
            if (q.NameLength == r.NameLength && _table.Version(other, q.Abi) == _table.Version(o, r.Abi) && other.Name(q).SequenceEqual(o.Name(r)))
            {
                known = cursor.Id;
                return true;
            }
        }
        known = null;
        return false;
    }

    private (GoObject Object, int Local) FirstOccurrence(int entry)
    {
        if (entry > 0)
        {
            return (_objects[_packageIds.Find(entry, out int local)], local);
        }
        GoObject o = _objects[_positions.Find(~entry, out int offset)];
        return (o, o.DefCount + offset);
    }

    // Two named definitions meet: decide which one the id stands for (Loader.addSym).
    private void MergeNamed(ShardState state, int slotId, GoObject o, int local, int position)
    {
        (GoObject old, int oldLocal) = state.Winners.TryGetValue(slotId, out (GoObject, int) winner) ? winner : FirstOccurrence(slotId);
        ref readonly SymbolRecord record = ref o.Symbol(local);
        ref readonly SymbolRecord oldRecord = ref old.Symbol(oldLocal);
        bool dupOk = (record.Flags & SymbolFlags.DupOk) != 0;
        bool oldDupOk = (oldRecord.Flags & SymbolFlags.DupOk) != 0;
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
                    Win(state, slotId, o, local);
                }
            }
            return;
        }
        if (oldDupOk)
        {
            Win(state, slotId, o, local);
            return;
        }

        SymbolKind kind = SymbolKinds.FromObject(record.RawKind), oldKind = SymbolKinds.FromObject(oldRecord.RawKind);
        bool hasContent = o.DataSize(local) != 0, oldHasContent = old.DataSize(oldLocal) != 0;
        bool oldIsZeroed = oldKind.IsAnyData() && !oldHasContent;
        bool isZeroed = kind.IsAnyData() && !hasContent;
        if (oldIsZeroed && (kind.IsText() || hasContent || (isZeroed && record.Size > oldRecord.Size)))
        {
            uint oldSize = oldRecord.Size;
            Win(state, slotId, o, local);
            if (oldSize > record.Size)
            {
                _fixups[state.Shard].Add(new SizeFixup(position, slotId, oldSize));
            }
        }
        else if (isZeroed)
        {
            if (record.Size > oldRecord.Size)
            {
                _fixups[state.Shard].Add(new SizeFixup(position, slotId, record.Size));
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

    private void Win(ShardState state, int slotId, GoObject o, int local)
    {
        state.Winners[slotId] = (o, local);
        _overrides[state.Shard].Add(new Override(slotId, o.Index, local));
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
    private int[] CountDefinitions()
    {
        int[] start = new int[_count + 1];
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            start[index + 1] = CountNew(_positions.Start(index), o.AllDefCount - o.DefCount);
        });
        return Sum(start, _packageIds.End);
    }

    private void NumberDefinitions(int[] start)
    {
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            for (int i = 0; i < o.DefCount; i++)
            {
                _table.SetKind(new SymbolId(o.GlobalBase + i), SymbolKinds.FromObject(o.Symbol(i).RawKind));
            }
            int next = start[index];
            int position = _positions.Start(index);
            for (int local = o.DefCount; local < o.AllDefCount; local++, position++)
            {
                if (_map[position] == 0)
                {
                    _table.SetDefinition(next, position, SymbolKinds.FromObject(o.Symbol(local).RawKind));
                    _map[position] = next++;
                }
            }
        });
        ForObjects(index => NumberRepeats(_positions.Start(index), _objects[index].AllDefCount - _objects[index].DefCount));
        // A key lives in one shard, and its overrides stand in load order there.
        foreach (List<Override> list in _overrides)
        {
            foreach (Override v in list)
            {
                GoObject o = _objects[v.Object];
                _table.ReplaceDefinition(FinalId(v.Entry), v.Object, v.Local, SymbolKinds.FromObject(o.Symbol(v.Local).RawKind));
            }
        }
    }

    // Numbers of first references by object: the first of the i-th object, and behind the last one the end.
    private int[] NumberReferences(int definitions)
    {
        int[] start = new int[_count + 1];
        ForObjects(index => start[index + 1] = CountNew(ReferencePosition(index), _objects[index].NonPkgRefCount));
        Sum(start, definitions);
        ForObjects(index =>
        {
            int position = ReferencePosition(index);
            int next = start[index];
            for (int i = 0; i < _objects[index].NonPkgRefCount; i++)
            {
                if (_map[position + i] == 0)
                {
                    _map[position + i] = next++;
                }
            }
        });
        ForObjects(index => NumberRepeats(ReferencePosition(index), _objects[index].NonPkgRefCount));
        return start;
    }

    private int[] Sum(int[] start, int first)
    {
        start[SymbolTable.FirstObject] = first;
        for (int i = SymbolTable.FirstObject; i < _count; i++)
        {
            start[i + 1] = checked(start[i + 1] + start[i]);
        }
        return start;
    }

    private int ReferencePosition(int index) => _positions.Start(index) + _objects[index].AllDefCount - _objects[index].DefCount;

    private int CountNew(int from, int n) => new ReadOnlySpan<int>(_map + from, n).Count(0);

    private void NumberRepeats(int from, int n)
    {
        for (int i = 0; i < n; i++)
        {
            int entry = _map[from + i];
            if (entry < 0)
            {
                _map[from + i] = _map[~entry];
            }
        }
    }

    // First references were numbered in this order, and what they repeat has a lower number.
    private void CreateReferences(int[] start)
    {
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            int position = ReferencePosition(index) - o.AllDefCount;
            int next = start[index];
            for (int local = o.AllDefCount; next < start[index + 1]; local++)
            {
                if (_map[position + local] == next)
                {
                    ref readonly SymbolRecord r = ref o.Symbol(local);
                    _table.AddReference(o.Name(r), _table.Version(o, r.Abi), next++);
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
            int position = _positions.Start(index);
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

    private readonly record struct SizeFixup(int Order, int Existing, uint Size);

    private readonly record struct Override(int Entry, int Object, int Local);

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

    /// <summary>What one shard's walk remembers: winners that replaced a first occurrence.</summary>
    private sealed class ShardState(int shard)
    {
        public int Shard => shard;

        public Dictionary<int, (GoObject Object, int Local)> Winners { get; } = [];

        public GoObject?[] Approached { get; } = new GoObject?[Batch.Size];
    }

    /// <summary>Names looked up together, so that the CPU waits for the memory of all of them at once.</summary>
    private struct Batch
    {
        public const int Size = 32;

        public int Count;
        public fixed int Locals[Size];
        public fixed ulong Hashes[Size];
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
