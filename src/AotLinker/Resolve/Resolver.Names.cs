using System.Runtime.CompilerServices;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>
/// Symbols with names: each shard enters the definitions, then looks up the references, in load order. Entries of the name table hold a
/// package definition's id, or the complement of a position.
/// </summary>
internal sealed unsafe partial class Resolver
{
    // Room for the names of a shard: hashes spread evenly.
    private long ShareOfNames(int shards) => (_distinctNames / shards) + (_distinctNames / 64) + 64;

    private void EnterPackageNames(NameTable.Shard shard, NameTable names, ShardState state)
    {
        Probe* probes = stackalloc Probe[Probe.Batch];
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            ObjectNames named = _objectNames[index];
            for (int i = 0; i < named.Definitions;)
            {
                i = Take(probes, out int count, named, i, named.Definitions, names, state.Shard);
                Approach(probes, count, o, shard);
                for (Probe* p = probes; p < probes + count; p++)
                {
                    if (Find(shard, p, o))
                    {
                        *p->Entry = o.GlobalBase + p->Local;
                    }
                    else
                    {
                        shard.AddWithin(p->Hash, o.GlobalBase + p->Local);
                    }
                }
            }
        }
    }

    private void EnterNames(NameTable.Shard shard, NameTable names, ShardState state)
    {
        Probe* probes = stackalloc Probe[Probe.Batch];
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            ObjectNames named = _objectNames[index];
            int position = _positions.Start(index) - o.DefCount;
            for (int i = named.Definitions; i < named.References;)
            {
                i = Take(probes, out int count, named, i, named.References, names, state.Shard);
                Approach(probes, count, o, shard);
                for (Probe* p = probes; p < probes + count; p++)
                {
                    if (Find(shard, p, o))
                    {
                        Repeat(p, position + p->Local, o, state);
                    }
                    else
                    {
                        shard.AddWithin(p->Hash, ~(position + p->Local));
                    }
                }
            }
        }
    }

    // A definition of a name that has one. As a rule both are alike.
    private void Repeat(Probe* p, int position, GoObject o, ShardState state)
    {
        int entry = *p->Entry;
        _map[position] = entry;
        if (p->Record->Align != p->Known->Align)
        {
            _alignments[state.Shard].Add(new NamedSymbol(o.Index, p->Local));
        }
        if ((p->Record->Flags & p->Known->Flags & SymbolFlags.DupOk) == 0
            || p->Record->Size > p->Known->Size || state.Winners.ContainsKey(entry) || _options.StrictDuplicates)
        {
            MergeNamed(state, entry, o, p->Local, position);
        }
    }

    private void ResolveShardReferences(int s, NameTable names)
    {
        NameTable.Shard shard = names[s];
        if (_firstUnnamed >= 0 && HashOf(~_firstUnnamed) is var unnamed && names.ShardOf(unnamed) == s)
        {
            shard.Add(unnamed, ~_firstUnnamed, _hashOf);
        }
        Probe* probes = stackalloc Probe[Probe.Batch];
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            ObjectNames named = _objectNames[index];
            int position = _positions.Start(index) - o.DefCount;
            for (int i = named.References; i < named.Count;)
            {
                i = Take(probes, out int count, named, i, named.Count, names, s);
                Approach(probes, count, o, shard);
                for (Probe* p = probes; p < probes + count; p++)
                {
                    if (Find(shard, p, o))
                    {
                        _map[position + p->Local] = *p->Entry;
                    }
                    else
                    {
                        shard.AddWithin(p->Hash, ~(position + p->Local));
                    }
                }
            }
        }
    }

    // Most references in large programs have no name, and all those stand for one symbol, as if that were its name. To enter each would
    // leave nearly all the work to one shard.
    private int FirstUnnamed()
    {
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            for (int local = o.AllDefCount; local < o.SymbolCount; local++)
            {
                if (IsUnnamed(in o.Symbol(local)))
                {
                    return _positions.Start(index) + local - o.DefCount;
                }
            }
        }
        return -1;
    }

    // Static symbols are told apart by object, so those are not the same.
    private static bool IsUnnamed(in SymbolRecord r) => r.NameLength == 0 && r.Abi == 0;

    // Takes the next names of a shard from the i-th on, without a branch that nothing predicts; returns the one to go on with.
    private static int Take(Probe* probes, out int count, ObjectNames named, int i, int end, NameTable names, int shard)
    {
        ulong shards = (ulong)names.ShardCount;
        Probe* p = probes;
        for (; i < end && p < probes + Probe.Batch; i++)
        {
            ulong hash = named.Hashes[i];
            p->Hash = hash;
            p->Local = named.Locals[i];
            p += NameTable.ShardOf(hash, shards) == shard ? 1 : 0;
        }
        count = (int)(p - probes);
        return i;
    }

    // Asks for all that the names of a batch will be compared with, step by step along the way to it.
    private void Approach(Probe* probes, int count, GoObject o, NameTable.Shard shard)
    {
        shard.MakeRoom(count, _hashOf);
        for (Probe* p = probes; p < probes + count; p++)
        {
            shard.Expect(p->Hash);
            p->Record = o.RecordOf(p->Local);
            Prefetch.Read(p->Record);
        }
        for (Probe* p = probes; p < probes + count; p++)
        {
            p->Known = null;
            p->Entry = shard.Candidate(p->Hash);
            if (p->Entry != null)
            {
                GoObject other = FirstOccurrence(*p->Entry, out p->KnownObject, out int local);
                p->Known = other.RecordOf(local);
                Prefetch.Read(p->Known);
                o.ExpectName(in *p->Record);
            }
        }
        for (Probe* p = probes; p < probes + count; p++)
        {
            if (p->Known != null)
            {
                _objects[p->KnownObject].ExpectName(in *p->Known);
            }
        }
    }

    private ulong HashOf(int entry)
    {
        GoObject o = FirstOccurrence(entry, out _, out int local);
        return NameOf(o, in o.Symbol(local), local).Hash();
    }
    // Whether a name is in the table; then the probe has its entry. Those entered since the approach may be the first of this name.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Find(NameTable.Shard shard, Probe* p, GoObject o) =>
        (p->Known != null && IsKnown(p, o)) || (shard.MayHave(p->Hash) && Search(shard, p, o));

    private bool Search(NameTable.Shard shard, Probe* p, GoObject o)
    {
        NameTable.Cursor cursor = shard.Seek(p->Hash);
        while (shard.Next(ref cursor))
        {
            p->Entry = cursor.Id;
            p->Known = FirstOccurrence(*p->Entry, out p->KnownObject, out int local).RecordOf(local);
            if (IsKnown(p, o))
            {
                return true;
            }
        }
        return false;
    }

    private bool IsKnown(Probe* p, GoObject o)
    {
        SymbolRecord* r = p->Record, known = p->Known;
        if (r->NameLength != known->NameLength)
        {
            return false;
        }
        GoObject other = _objects[p->KnownObject];
        bool isOneVersion = (r->Abi == known->Abi && r->Abi != SymbolRecord.StaticAbi) || _table.Version(o, r->Abi) == _table.Version(other, known->Abi);
        return isOneVersion && other.Name(in *known).SequenceEqual(o.Name(in *r));
    }

    private GoObject FirstOccurrence(int entry, out int index, out int local)
    {
        if (entry > 0)
        {
            index = _packageIds.Find(entry, out local);
            return _objects[index];
        }
        index = _positions.Find(~entry, out int offset);
        GoObject o = _objects[index];
        local = o.DefCount + offset;
        return o;
    }

    /// <summary>What one shard's walk remembers: winners that replaced a first occurrence.</summary>
    private sealed class ShardState(int shard)
    {
        public int Shard => shard;

        public Dictionary<int, (GoObject Object, int Local)> Winners { get; } = [];
    }

    /// <summary>
    /// A name that is looked up. They are looked up in batches, so that the CPU waits for the memory of all of them at once.
    /// </summary>
    private struct Probe
    {
        public const int Batch = 32;

        public ulong Hash;
        public int Local;
        public SymbolRecord* Record;

        // The entry that may be of the same name: null, or where it is, the object of its first occurrence, and the record there.
        public int* Entry;
        public int KnownObject;
        public SymbolRecord* Known;
    }

    /// <summary>
    /// The symbols of an object that have names: their local indices and the names' hashes, first of package definitions, then of other
    /// definitions, then of references.
    /// </summary>
    private readonly struct ObjectNames(int* locals, ulong* hashes, int definitions, int references, int count)
    {
        public int* Locals { get; } = locals;

        public ulong* Hashes { get; } = hashes;

        /// <summary>The first of the definitions that are not the package's own.</summary>
        public int Definitions { get; } = definitions;

        /// <summary>The first of the references.</summary>
        public int References { get; } = references;

        public int Count { get; } = count;
    }
}
