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
        Batch batch = new();
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            PackageNames named = _packageNames[index];
            for (int i = 0; i < named.Count;)
            {
                batch.Count = 0;
                for (; i < named.Count && batch.Count < Batch.Size; i++)
                {
                    if (names.ShardOf(named.Hashes[i]) == state.Shard)
                    {
                        batch.Locals[batch.Count] = named.Locals[i];
                        batch.Hashes[batch.Count++] = named.Hashes[i];
                    }
                }
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
    }

    private void EnterNames(NameTable.Shard shard, NameTable names, ShardState state)
    {
        Batch batch = new();
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            int position = _positions.Start(index) - o.DefCount;
            for (int i = o.FirstNonPkg; i < o.AllDefCount;)
            {
                i = Take(ref batch, i, o.AllDefCount, _namedHashes.Base + _namedBase[index] - o.FirstNonPkg, names, state.Shard);
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

    private void ResolveShardReferences(int s, NameTable names)
    {
        NameTable.Shard shard = names[s];
        ShardState state = new(s);
        if (_firstUnnamed >= 0 && names.ShardOf(UnnamedHash) == s)
        {
            shard.Add(UnnamedHash, ~_firstUnnamed, _hashOf);
        }
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
        (GoObject o, int local) = FirstOccurrence(entry);
        return entry == ~_firstUnnamed ? UnnamedHash : NameHash(o, local);
    }

    private bool FindName(NameTable.Shard shard, ulong hash, GoObject o, int local, out int* known)
    {
        ref readonly SymbolRecord r = ref o.Symbol(local);
        NameTable.Cursor cursor = shard.Seek(hash);
        while (shard.Next(ref cursor))
        {
            (GoObject other, int otherLocal) = FirstOccurrence(*cursor.Id);
            ref readonly SymbolRecord q = ref other.Symbol(otherLocal);
            if (q.NameLength == r.NameLength && HaveOneVersion(o, r.Abi, other, q.Abi) && other.Name(q).SequenceEqual(o.Name(r)))
            {
                known = cursor.Id;
                return true;
            }
        }
        known = null;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool HaveOneVersion(GoObject o, ushort abi, GoObject other, ushort otherAbi) =>
        (abi == otherAbi && abi != SymbolRecord.StaticAbi) || _table.Version(o, abi) == _table.Version(other, otherAbi);

    private (GoObject Object, int Local) FirstOccurrence(int entry)
    {
        if (entry > 0)
        {
            return (_objects[_packageIds.Find(entry, out int local)], local);
        }
        GoObject o = _objects[_positions.Find(~entry, out int offset)];
        return (o, o.DefCount + offset);
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

    /// <summary>The package definitions of an object that have names: their local indices and the names' hashes.</summary>
    private readonly struct PackageNames(int count, int* locals, ulong* hashes)
    {
        public int Count { get; } = count;

        public int* Locals { get; } = locals;

        public ulong* Hashes { get; } = hashes;
    }
}
