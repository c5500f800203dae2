using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// Ids by name and version: open addressing over 8-byte slots (32 bits of hash, id), cut into shards by hash so that threads can fill
/// it without locks, one per shard.
/// </summary>
internal sealed unsafe class NameTable(int shardCount)
{
    private readonly Shard[] _shards = MakeShards(shardCount);

    /// <summary>Number of shards.</summary>
    public int ShardCount => _shards.Length;

    /// <summary>Hash of a name and version: 64 well-mixed bits; the shard comes from the top, the slot from the bottom.</summary>
    public static ulong Hash(ReadOnlySpan<byte> name, int version)
    {
        const ulong K0 = 0xa0761d6478bd642f, K1 = 0xe7037ed1a0b428db, K2 = 0x8ebc6af09c88c6e3;
        ref byte p = ref MemoryMarshal.GetReference(name);
        int n = name.Length;
        ulong seed = K0 ^ (ulong)(uint)version;
        ulong a, b;
        if (n <= 16)
        {
            if (n >= 8)
            {
                a = Read64(ref p, 0);
                b = Read64(ref p, n - 8);
            }
            else if (n >= 4)
            {
                a = Read32(ref p, 0);
                b = Read32(ref p, n - 4);
            }
            else if (n > 0)
            {
                a = ((ulong)p << 16) | ((ulong)Unsafe.Add(ref p, n >> 1) << 8) | Unsafe.Add(ref p, n - 1);
                b = 0;
            }
            else
            {
                a = 0;
                b = 0;
            }
        }
        else
        {
            int at = 0;
            for (; n - at > 16; at += 16)
            {
                seed = Mix(Read64(ref p, at) ^ K1, Read64(ref p, at + 8) ^ seed);
            }
            a = Read64(ref p, n - 16);
            b = Read64(ref p, n - 8);
        }
        return Mix(K2 ^ (ulong)n, Mix(a ^ K1, b ^ seed));
    }

    /// <summary>The shard a hash belongs to.</summary>
    public int ShardOf(ulong hash) => (int)((hash >> 40) % (ulong)_shards.Length);

    /// <summary>A shard, for a thread that fills it alone.</summary>
    public Shard this[int shard] => _shards[shard];

    /// <summary>The id of a name and version; 0 if there is none.</summary>
    public int Find(SymbolTable table, ReadOnlySpan<byte> name, int version)
    {
        ulong hash = Hash(name, version);
        Shard shard = _shards[ShardOf(hash)];
        for (uint i = shard.First(hash); ; i = shard.Next(i))
        {
            ref Slot slot = ref shard.At(i);
            if (slot.Id == 0)
            {
                return 0;
            }
            if (slot.Tag == (uint)hash)
            {
                SymbolId s = new(slot.Id);
                if (table.Name(s).SequenceEqual(name) && table.Version(s) == version)
                {
                    return slot.Id;
                }
            }
        }
    }

    /// <summary>Enters a name that is not in the table.</summary>
    public void Insert(ReadOnlySpan<byte> name, int version, int id)
    {
        ulong hash = Hash(name, version);
        _shards[ShardOf(hash)].Add(hash, id);
    }

    private static Shard[] MakeShards(int n)
    {
        Shard[] shards = new Shard[n];
        for (int i = 0; i < n; i++)
        {
            shards[i] = new Shard();
        }
        return shards;
    }

    // A 64-bit multiplication only: the 128-bit one is emulated on the CPUs we must run on.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong a, ulong b)
    {
        ulong x = (a ^ BitOperations.RotateLeft(b, 29)) * 0x9fb21c651e98df25;
        x ^= x >> 32;
        x = (x + b) * 0xd6e8feb86659fd93;
        return x ^ (x >> 29);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Read64(ref byte p, int at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref p, at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Read32(ref byte p, int at) => Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref p, at));

    /// <summary>One slot; an id of 0 is empty.</summary>
    public struct Slot
    {
        /// <summary>Low half of the hash.</summary>
        public uint Tag;
        /// <summary>The id (during resolve: a provisional number).</summary>
        public int Id;
    }

    /// <summary>One shard: a power of two of slots, at most 5/8 full.</summary>
    public sealed class Shard
    {
        private Slot* _slots = (Slot*)NativeHeap.AllocZeroed(16, (nuint)sizeof(Slot));
        private uint _mask = 15;
        private uint _used;

        /// <summary>Makes room for <paramref name="count"/> entries before they are added.</summary>
        public void Reserve(long count)
        {
            uint size = _mask + 1;
            while (size * 5L / 8 < count)
            {
                size *= 2;
            }
            if (size != _mask + 1)
            {
                Rehash(size);
            }
        }

        /// <summary>First slot to look at.</summary>
        public uint First(ulong hash) => (uint)hash & _mask;

        /// <summary>The slot after <paramref name="i"/>.</summary>
        public uint Next(uint i) => (i + 1) & _mask;

        /// <summary>A slot.</summary>
        public ref Slot At(uint i) => ref _slots[i];

        /// <summary>Adds an entry without looking for an equal one.</summary>
        public void Add(ulong hash, int id)
        {
            if ((_used + 1) * 8L > (_mask + 1) * 5L)
            {
                Rehash((_mask + 1) * 2);
            }
            Place((uint)hash, id);
            _used++;
        }

        /// <summary>Counts an entry that the caller put into an empty slot found by probing.</summary>
        public void CountPlaced() => _used++;

        /// <summary>Applies a function to the id of every entry.</summary>
        public void Renumber(Func<int, int> map)
        {
            for (uint i = 0; i <= _mask; i++)
            {
                if (_slots[i].Id != 0)
                {
                    _slots[i].Id = map(_slots[i].Id);
                }
            }
        }

        private void Place(uint tag, int id)
        {
            uint i = tag & _mask;
            while (_slots[i].Id != 0)
            {
                i = (i + 1) & _mask;
            }
            _slots[i] = new Slot { Tag = tag, Id = id };
        }

        private void Rehash(uint size)
        {
            Slot* old = _slots;
            uint oldMask = _mask;
            _slots = (Slot*)NativeHeap.AllocZeroed(size, (nuint)sizeof(Slot));
            _mask = size - 1;
            for (uint i = 0; i <= oldMask; i++)
            {
                if (old[i].Id != 0)
                {
                    Place(old[i].Tag, old[i].Id);
                }
            }
            NativeHeap.Free(old);
        }
    }
}
