using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>
/// Gives every symbol of every object its global id and picks the definition each id stands for (Loader.LoadSyms).
/// </summary>
/// <remarks>
/// <para>The numbering must be the Go linker's: package definitions by object, then first occurrences of hashed and named definitions
/// by object, then first occurrences of undefined names. Serial there; here objects are scanned in parallel, then each shard of the
/// hash space decides first occurrences and winners alone, walking all objects in order, and prefix sums over the objects turn
/// first occurrences into numbers.</para>
/// <para>Every symbol that is not a package definition has a position: an index into one array over all objects, which ends up holding
/// the global ids (the objects' maps).</para>
/// </remarks>
internal sealed unsafe partial class Resolver
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _table;
    private readonly GoObject[] _objects;
    private readonly int _count;
    private readonly ResolveOptions _options;

    // By object: the ids of its package definitions, and the positions of its other symbols.
    private readonly RangeIndex _packageIds;
    private readonly RangeIndex _positions;

    // By object, its symbols with names. Gone when all names are entered.
    private readonly MemoryArena _scanned = new();
    private readonly ObjectNames[] _objectNames;

    // By worker, the names of an object.
    private readonly NativeArray<FoundName>[] _found;

    // By worker, the named symbols of which more is to be looked at than name, kind and alignment; from them, all in load order.
    private readonly NativeList<ulong>[] _notedByWorker;
    private NamedSymbol[] _noted = [];

    // By worker, some of the hashes of contents and of names; from them, how many different ones there are.
    private readonly NativeList<ulong>[] _contentSamples;
    private readonly NativeList<ulong>[] _nameSamples;
    private long _distinctContents;
    private long _distinctNames;

    // By position, in the end the id. Before, what a first occurrence is known to be: 0, the first of its kind; the id of a package
    // definition; or the complement of the position it repeats. Lives as long as the symbol table, in which objects find ids with it.
    private readonly NativeArray<int> _mapMemory;
    private readonly int* _map;

    // A position behind all others that no symbol has, and whose id is none: what tables of pcs without ids repeat.
    private readonly int _noPosition;

    // By object, a mark for each hashed definition that is looked up by its content.
    private readonly ulong*[] _contentMarks;

    // Position of the first reference without a name; -1 if there is none.
    private int _firstUnnamed;

    private readonly SymbolFlags2 _exportFlag;
    private readonly List<(int Order, int Object, int Local)> _exports = [];
    private readonly List<SizeFixup>[] _fixups;
    private readonly List<Override>[] _overrides;
    private readonly List<NamedSymbol>[] _alignments;
    private readonly List<Demand>[] _demands;
    // By shard, sizes of contents that a slot of the content table has no room for.
    private readonly Dictionary<int, uint>[] _largeSizes;
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
        }
        _packageIds = new RangeIndex(idStarts);
        _positions = new RangeIndex(positionStarts);
        _objectNames = new ObjectNames[count];
        _noPosition = position;
        _contentMarks = new ulong*[count];
        _mapMemory = new NativeArray<int>(position + 1L);
        _mapMemory.PreferLargePages();
        _mapMemory.MakeRestPresent();
        _map = _mapMemory.Base;
        _exportFlag = ctx.Symbols.Release.WasmExportFlag;
        int shards = ctx.Workers.Threads;
        _contentSamples = [.. Enumerable.Range(0, shards).Select(static _ => new NativeList<ulong>())];
        _nameSamples = [.. Enumerable.Range(0, shards).Select(static _ => new NativeList<ulong>())];
        _found = [.. Enumerable.Range(0, shards).Select(static _ => new NativeArray<FoundName>(0))];
        _notedByWorker = [.. Enumerable.Range(0, shards).Select(static _ => new NativeList<ulong>())];
        _fixups = Lists<SizeFixup>(shards);
        _alignments = Lists<NamedSymbol>(shards);
        _overrides = Lists<Override>(shards);
        _demands = Lists<Demand>(shards);
        _largeSizes = [.. Enumerable.Range(0, shards).Select(static _ => new Dictionary<int, uint>())];
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
            _objects[i].SetGlobalMap((byte*)(_map + _positions.Start(i)), sizeof(int));
        }
        _table.ReservePackageIds(_packageIds);
        _firstUnnamed = FirstUnnamed();

        _ctx.Workers.ForChunks(_count - SymbolTable.FirstObject, 1, (from, to, worker) =>
        {
            for (int i = from; i < to; i++)
            {
                Scan(i + SymbolTable.FirstObject, worker);
            }
        });
        _distinctContents = CountDistinct(_contentSamples);
        _distinctNames = CountDistinct(_nameSamples);
        if (_firstUnnamed >= 0)
        {
            _map[_firstUnnamed] = 0;
        }
        GatherNoted();
        _ctx.Workers.For(names.ShardCount, s =>
        {
            ShardState state = new(s);
            names[s].Reserve(ShareOfNames(names.ShardCount));
            EnterPackageNames(names[s], names, state);
            EnterContents(state, names);
            EnterNames(names[s], names, state);
        });
        if (_fatal is not null)
        {
            throw _fatal.ToException();
        }
        int[] definitions = CountDefinitions();
        _ctx.Workers.For(names.ShardCount, s => ResolveShardReferences(s, names));
        _scanned.Dispose();
        _table.Adopt(_objects, names, _positions, definitions[_count]);
        NumberDefinitions(definitions);
        _ctx.Workers.For(names.ShardCount, MeetDemands);
        int[] references = NumberReferences(definitions[_count]);
        _ctx.Workers.For(names.ShardCount, s => names[s].Renumber(FinalId));
        CreateReferences(references);
        LinkPackages();
        _table.BindBuiltins();
        SetAlignments();
        SetAttributes();
        int messages = ReportDuplicates();
        if (_options.CheckLinknames)
        {
            LinknameCheck.Run(_ctx, _objects, _noted);
        }
        foreach (SizeFixup f in _fixups.SelectMany(l => l).OrderBy(f => f.Order))
        {
            _table.Update(new SymbolId(FinalId(f.Existing))).SetSize(f.Size);
        }
        PackMap();
        return new ResolveResult(_packageIds.End, messages);
    }

    private void ForObjects(Action<int> body) =>
        _ctx.Workers.For(_count - SymbolTable.FirstObject, i => body(i + SymbolTable.FirstObject));

    // All that one object alone decides: its package definitions, and the hashes of its names.
    private void Scan(int index, int worker)
    {
        GoObject o = _objects[index];
        FoundName* names = RoomFor(_found[worker], o.SymbolCount);
        FoundName* definitions = ScanPackageDefinitions(o, names);
        FoundName* references = ScanDefinitions(o, definitions, _notedByWorker[worker]);
        FoundName* end = ScanReferences(o, references, _notedByWorker[worker]);
        if (end != names)
        {
            int count = (int)(end - names);
            ObjectNames kept = new(
                _scanned.Alloc<int>(count), _scanned.Alloc<ulong>(count), (int)(definitions - names), (int)(references - names), count);
            HashNames(names, kept, _nameSamples[worker]);
            _objectNames[index] = kept;
        }
        ScanContents(o, _contentSamples[worker]);
    }

    private static FoundName* RoomFor(NativeArray<FoundName> names, int count)
    {
        if (names.Length < count)
        {
            names.Resize(count);
        }
        return names.Base;
    }

    // Kinds, alignments and attributes of an object's package definitions; and those with names. Returns where the list of names ends.
    private FoundName* ScanPackageDefinitions(GoObject o, FoundName* name)
    {
        SymbolFlags2 noted = SymbolFlags2.UsedInIface | _exportFlag;
        Span<byte> kinds = _table.KindsFrom(o.GlobalBase, o.DefCount);
        ReadOnlySpan<byte> objectKinds = _table.Release.ObjectSymbolKinds;
        SymbolRecord* record = o.FirstRecord;
        for (int i = 0; i < kinds.Length; i++, record++)
        {
            kinds[i] = (byte)SymbolKinds.FromObject(record->RawKind, objectKinds);
            if (HasName(in *record))
            {
                *name++ = NameOf(o, in *record, i);
            }
            if (((uint)(record->Flags & SymbolFlags.Local) | (uint)(record->Flags2 & noted) | record->Align) != 0)
            {
                _table.SetFirst(new SymbolId(o.GlobalBase + i), AlignOf(o, in *record), AttributesOf(in *record));
                NoteExport(o, i, in *record);
            }
        }
        return name;
    }

    // The other definitions with names, and those that there is more to look at.
    private FoundName* ScanDefinitions(GoObject o, FoundName* name, NativeList<ulong> noted)
    {
        SymbolFlags2 marks = SymbolFlags2.UsedInIface | _exportFlag | LinknameCheck.MarksOf(_ctx.Release);
        SymbolRecord* record = o.FirstRecord + o.FirstNonPkg;
        for (int local = o.FirstNonPkg, end = o.AllDefCount; local < end; local++, record++)
        {
            if (HasName(in *record))
            {
                *name++ = NameOf(o, in *record, local);
            }
            if (((uint)(record->Flags & SymbolFlags.Local) | (uint)(record->Flags2 & marks)) != 0)
            {
                noted.Add(NamedSymbol.Pack(o.Index, local));
            }
        }
        return name;
    }

    // The same for references. Those without a name are known here.
    private FoundName* ScanReferences(GoObject o, FoundName* name, NativeList<ulong> noted)
    {
        SymbolFlags2 marks = SymbolFlags2.UsedInIface | LinknameCheck.MarksOf(_ctx.Release);
        bool notesAll = LinknameCheck.ChecksAllReferences(_ctx.Release, o);
        int* map = _map + _positions.Start(o.Index) - o.DefCount;
        int unnamed = ~_firstUnnamed;
        SymbolRecord* record = o.FirstRecord + o.AllDefCount;
        for (int local = o.AllDefCount, end = o.SymbolCount; local < end; local++, record++)
        {
            if (IsUnnamed(in *record))
            {
                _ = o.Name(in *record); // no name, but where it would be is in the object
                map[local] = unnamed;
            }
            else
            {
                *name++ = NameOf(o, in *record, local);
            }
            if (notesAll || ((uint)(record->Flags & SymbolFlags.Local) | (uint)(record->Flags2 & marks)) != 0)
            {
                noted.Add(NamedSymbol.Pack(o.Index, local));
            }
        }
        return name;
    }

    private FoundName NameOf(GoObject o, in SymbolRecord r, int local)
    {
        ReadOnlySpan<byte> name = o.Name(in r);
        return new FoundName((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name)), name.Length, _table.Version(o, r.Abi), local);
    }

    private void HashNames(FoundName* names, ObjectNames kept, NativeList<ulong> samples)
    {
        const int Ahead = 16;
        for (int i = 0; i < Math.Min(kept.Count, Ahead); i++)
        {
            names[i].Expect();
        }
        ulong marks = (SampleRate - 1) << 20;
        for (int i = 0; i < kept.Count; i++)
        {
            if (i + Ahead < kept.Count)
            {
                names[i + Ahead].Expect();
            }
            ulong hash = names[i].Hash();
            kept.Locals[i] = names[i].Local;
            kept.Hashes[i] = hash;
            if ((hash & marks) == marks)
            {
                samples.Add(hash);
            }
        }
    }

    // One hash in so many, a power of two, is counted to tell how many there are.
    private ulong SampleRate => _mapMemory.Length < 1 << 20 ? 64U : 256U;

    // Most hashes repeat, some of them very often: a table sized for all would be many times too large.
    private long CountDistinct(NativeList<ulong>[] samplesByWorker)
    {
        using NativeList<ulong> samples = samplesByWorker[0];
        foreach (NativeList<ulong> some in samplesByWorker.AsSpan(1))
        {
            samples.AddRange(some.AsSpan());
            some.Dispose();
        }
        Span<ulong> all = samples.AsSpan();
        all.Sort();
        long distinct = 0;
        for (int i = 0; i < all.Length; i++)
        {
            distinct += i == 0 || all[i] != all[i - 1] ? 1 : 0;
        }
        return (distinct + 16) * (long)SampleRate;
    }

    // A static symbol cannot be referenced by name; an unnamed one has no name to enter.
    private static bool HasName(in SymbolRecord r) => r.NameLength != 0 && r.Abi != SymbolRecord.StaticAbi;

    // What threads noted, in load order.
    private void GatherNoted()
    {
        using NativeList<ulong> all = _notedByWorker[0];
        foreach (NativeList<ulong> some in _notedByWorker.AsSpan(1))
        {
            all.AddRange(some.AsSpan());
            some.Dispose();
        }
        foreach (NativeArray<FoundName> found in _found)
        {
            found.Dispose();
        }
        all.AsSpan().Sort();
        _noted = new NamedSymbol[all.Count];
        for (int i = 0; i < _noted.Length; i++)
        {
            _noted[i] = NamedSymbol.Unpack(all[i]);
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
            IdRange[] packages = new IdRange[o.PackageCount];
            Span<char> buffer = stackalloc char[512];
            for (int i = 1; i < packages.Length; i++)
            {
                ReadOnlySpan<byte> path = o.PackagePath(i);
                Span<char> chars = path.Length <= buffer.Length ? buffer : new char[path.Length];
                int n = System.Text.Encoding.UTF8.GetChars(path, chars);
                if (!byBytes.TryGetValue(chars[..n], out int definer))
                {
                    throw new LinkException(MessageForm.Input, $"{o.Package}: reference to nonexistent package {chars[..n]}");
                }
                packages[i] = new IdRange(_packageIds.Start(definer), _objects[definer].DefCount);
            }
            o.PackageIds = packages;
        });
    }

    // An id's alignment is the largest any of its definitions asks for. Of those with names, repeats that ask for another than the first
    // are known.
    private void SetAlignments()
    {
        foreach (NamedSymbol n in _alignments.SelectMany(l => l))
        {
            GoObject o = _objects[n.Object];
            _table.RaiseAlign(new SymbolId(o.ToGlobal(n.Local)), AlignOf(o, in o.Symbol(n.Local)));
        }
    }

    // Local and UsedInIface stick if any occurrence has them. Here it is those with names that count, and what objects say of symbols
    // they refer to.
    private void SetAttributes()
    {
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            for (int i = 0, n = o.RefFlagsCount; i < n; i++)
            {
                o.RefFlags(i, out SymRef target, out _, out SymbolFlags2 flags2);
                if ((flags2 & SymbolFlags2.UsedInIface) != 0)
                {
                    _table.SetShared(_table.Resolve(o, target), SymbolTable.Attributes.UsedInIface);
                }
            }
        });
        foreach (NamedSymbol n in _noted)
        {
            GoObject o = _objects[n.Object];
            ref readonly SymbolRecord r = ref o.Symbol(n.Local);
            if (n.Local < o.AllDefCount)
            {
                NoteExport(o, n.Local, in r);
            }
            _table.Set(new SymbolId(o.ToGlobal(n.Local)), AttributesOf(in r));
        }
        // Package definitions are numbered first, and so stand first.
        foreach ((_, int index, int local) in _exports.OrderBy(e => e))
        {
            _ctx.WasmExports.Add(new SymbolId(_objects[index].ToGlobal(local)));
        }
    }

    private static SymbolTable.Attributes AttributesOf(in SymbolRecord r) =>
        ((r.Flags & SymbolFlags.Local) != 0 ? SymbolTable.Attributes.Local : SymbolTable.Attributes.None)
        | ((r.Flags2 & SymbolFlags2.UsedInIface) != 0 ? SymbolTable.Attributes.UsedInIface : SymbolTable.Attributes.None);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte AlignOf(GoObject o, in SymbolRecord r) =>
        !int.IsPow2((int)r.Align) && r.Align != 0 ? ThrowAlign(o, r.Align) : SymbolTable.EncodeAlign((int)r.Align);

    [DoesNotReturn]
    private static byte ThrowAlign(GoObject o, uint align) => throw o.Damaged($"bad alignment {align}");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NoteExport(GoObject o, int local, in SymbolRecord r)
    {
        if ((r.Flags2 & _exportFlag) != 0)
        {
            AddExport(o, local);
        }
    }

    private void AddExport(GoObject o, int local)
    {
        lock (_exports)
        {
            _exports.Add((local < o.DefCount ? 0 : 1, o.Index, local));
        }
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

    /// <summary>A name in the memory of its object.</summary>
    private readonly struct FoundName(byte* name, int length, int version, int local)
    {
        public int Local { get; } = local;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Expect()
        {
            Prefetch.Read(name);
            Prefetch.Read(name + length);
        }

        public ulong Hash() => NameTable.Hash(new ReadOnlySpan<byte>(name, length), version);
    }
}

/// <summary>A definition or reference by name, as its object has it.</summary>
internal readonly record struct NamedSymbol(int Object, int Local)
{
    /// <summary>As one number, in load order.</summary>
    public static ulong Pack(int index, int local) => ((ulong)(uint)index << 32) | (uint)local;

    /// <summary>The symbol again.</summary>
    public static NamedSymbol Unpack(ulong packed) => new((int)(packed >> 32), (int)packed);
}

/// <summary>What resolve is asked to check.</summary>
/// <param name="CheckLinknames">Refuse linkname references that are not allowed (-checklinkname).</param>
/// <param name="StrictDuplicates">Compare the contents of duplicate definitions (-strictdups).</param>
/// <param name="NumbersPcTables">
/// Give ids to functions' tables of pcs, too (<see cref="GoObject.IsPcTable"/>). Two thirds of what has a content hash are such tables, and
/// nothing in the output depends on their numbers.
/// </param>
/// <param name="ReportDuplicate">Takes the text about a pair of duplicates that differ.</param>
internal sealed record ResolveOptions(bool CheckLinknames, bool StrictDuplicates, bool NumbersPcTables, Action<string> ReportDuplicate);

/// <summary>Counts for the link trace, and the number of duplicate pairs that count as errors under -strictdups=2.</summary>
/// <param name="PackageSymbols">Ids given to package definitions, none included.</param>
/// <param name="DuplicateMessages">Differing duplicates.</param>
internal sealed record ResolveResult(int PackageSymbols, int DuplicateMessages);
