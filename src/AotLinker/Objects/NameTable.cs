using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// Ids by name and version: cache lines of twelve ids and a byte of hash for each, cut into shards by hash so that threads can fill
/// them without locks, one per shard. Hashes are not kept: who adds says how an id's is found again.
/// </summary>
internal sealed unsafe class NameTable(int shardCount)
{
    private readonly Shard[] _shards = MakeShards(shardCount);

    /// <summary>Number of shards.</summary>
    public int ShardCount => _shards.Length;

    /// <summary>Hash of a name and version: 64 well-mixed bits. The shard comes from the top, the line from the bottom.</summary>
    public static ulong Hash(ReadOnlySpan<byte> name, int version)
    {
        const ulong K0 = 0xa0761d6478bd642f, K1 = 0xe7037ed1a0b428db, K2 = 0x8ebc6af09c88c6e3, K3 = 0x9fb21c651e98df25, K4 = 0xd6e8feb86659fd93;
        ref byte p = ref MemoryMarshal.GetReference(name);
        int n = name.Length;
        ulong seed = (K0 ^ (uint)version ^ ((ulong)(uint)n << 32)) * K2;
        ulong a, b;
        if (n > 16)
        {
            // Names are long, so that this is most of the work: two lanes of eight bytes twice, which don't wait for one another. The
            // multiplication spreads upwards what the next rotation brings down.
            ulong other = K1;
            int left = n - 16;
            for (; left > 16; left -= 32)
            {
                seed = (BitOperations.RotateLeft(seed ^ Read64(ref p, 0), 29) + Read64(ref p, 8)) * K3;
                other = (BitOperations.RotateLeft(other ^ Read64(ref p, 16), 29) + Read64(ref p, 24)) * K3;
                p = ref Unsafe.Add(ref p, 32);
            }
            if (left > 0)
            {
                seed = (BitOperations.RotateLeft(seed ^ Read64(ref p, 0), 29) + Read64(ref p, 8)) * K3;
            }
            seed ^= other ^ (other >> 32);
            p = ref Unsafe.Add(ref p, left);
            a = Read64(ref p, 0);
            b = Read64(ref p, 8);
        }
        else if (n >= 8)
        {
            a = Read64(ref p, 0);
            b = Read64(ref p, n - 8);
        }
        else if (n >= 4)
        {
            a = Read32(ref p, 0);
            b = Read32(ref p, n - 4);
        }
        else
        {
            a = n == 0 ? 0 : ((ulong)p << 16) | ((ulong)Unsafe.Add(ref p, n >> 1) << 8) | Unsafe.Add(ref p, n - 1);
            b = 0;
        }
        // 64-bit multiplications only: the 128-bit one is emulated on the CPUs we must run on.
        b ^= seed;
        a = (a ^ K1 ^ BitOperations.RotateLeft(b, 29)) * K3;
        a = ((a ^ (a >> 32)) + b) * K4;
        return a ^ (a >> 29);
    }

    /// <summary>The shard a hash belongs to.</summary>
    public int ShardOf(ulong hash) => ShardOf(hash, (ulong)_shards.Length);

    /// <summary>The shard a hash belongs to, of so many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShardOf(ulong hash, ulong shards) => (int)(((hash >> 32) * shards) >> 32);

    /// <summary>A shard, for a thread that fills it alone.</summary>
    public Shard this[int shard] => _shards[shard];

    /// <summary>The id of a name and version; 0 if there is none.</summary>
    public int Find(SymbolTable table, ReadOnlySpan<byte> name, int version) => Find(table, Hash(name, version), name, version);

    /// <summary>The same, with the hash at hand.</summary>
    public int Find(SymbolTable table, ulong hash, ReadOnlySpan<byte> name, int version)
    {
        Shard shard = _shards[ShardOf(hash)];
        Cursor cursor = shard.Seek(hash);
        while (shard.Next(ref cursor))
        {
            SymbolId s = new(*cursor.Id);
            if (table.Name(s).SequenceEqual(name) && table.Version(s) == version)
            {
                return s.Index;
            }
        }
        return 0;
    }

    /// <summary>Asks the CPU for the memory a search begins with.</summary>
    public void Expect(ulong hash) => _shards[ShardOf(hash)].Expect(hash);

    /// <summary>The first id whose name may have this hash; 0 if there is none.</summary>
    public int Candidate(ulong hash)
    {
        Shard shard = _shards[ShardOf(hash)];
        Cursor cursor = shard.Seek(hash);
        return shard.Next(ref cursor) ? *cursor.Id : 0;
    }

    /// <summary>Enters a name that is not in the table.</summary>
    public void Insert(SymbolTable table, ReadOnlySpan<byte> name, int version, int id)
    {
        ulong hash = Hash(name, version);
        _shards[ShardOf(hash)].Add(hash, id, i => Hash(table.Name(new SymbolId(i)), table.Version(new SymbolId(i))));
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Read64(ref byte p, int at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref p, at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Read32(ref byte p, int at) => Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref p, at));

    /// <summary>A walk over the ids whose names may be the one looked for.</summary>
    public struct Cursor
    {
        internal uint Line;
        internal uint Matches;
        internal byte Tag;

        /// <summary>The id found; it may be replaced.</summary>
        public int* Id { get; internal set; }
    }

    /// <summary>A cache line of entries.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Line
    {
        public const int Entries = 12;

        /// <summary>A byte of hash for each entry.</summary>
        public fixed byte Tags[Entries];

        /// <summary>Number of entries.</summary>
        public byte Count;

        /// <summary>Whether an entry that belongs here stands in a later line.</summary>
        public bool Overflows;

        /// <summary>Fills the first sixteen bytes.</summary>
        public ushort Unused;

        /// <summary>The ids.</summary>
        public fixed int Ids[Entries];
    }

    /// <summary>One shard.</summary>
    public sealed class Shard
    {
        private readonly NativeArray<Line> _memory = new(1);
        private Line* _lines;
        private uint _count = 1;
        private long _used;

        /// <summary>A shard of a single line.</summary>
        public Shard() => _lines = _memory.Base;

        /// <summary>Makes room for <paramref name="entries"/> entries before the first is added.</summary>
        public void Reserve(long entries)
        {
            // Four fifths full: one line in five overflows.
            long lines = Math.Max(1, entries * 5 / (4 * Line.Entries));
            if (_used != 0 || lines > int.MaxValue)
            {
                throw new InvalidOperationException($"no room for {entries} names");
            }
            _memory.Resize(lines);
            _memory.MakeRestPresent();
            _lines = _memory.Base;
            _count = (uint)lines;
        }

        /// <summary>Asks for the memory a search of this hash begins with.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Expect(ulong hash) => Prefetch.Read(_lines + LineOf(hash));

        /// <summary>
        /// The first entry in the line a search of this hash begins with that has the same bits of hash; null if there is none.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int* Candidate(ulong hash)
        {
            Line* line = _lines + LineOf(hash);
            uint matches = MatchesIn(line, TagOf(hash));
            return matches == 0 ? null : line->Ids + BitOperations.TrailingZeroCount(matches);
        }

        /// <summary>Whether a search of this hash has anything to compare.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MayHave(ulong hash)
        {
            Line* line = _lines + LineOf(hash);
            return MatchesIn(line, TagOf(hash)) != 0 || line->Overflows;
        }

        /// <summary>Begins a search.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Cursor Seek(ulong hash)
        {
            Cursor cursor = new() { Line = LineOf(hash), Tag = TagOf(hash) };
            cursor.Matches = MatchesIn(_lines + cursor.Line, cursor.Tag);
            return cursor;
        }

        /// <summary>Goes to the next id with the same bits of hash; false if there is none.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool Next(ref Cursor cursor)
        {
            while (cursor.Matches == 0)
            {
                if (!_lines[cursor.Line].Overflows)
                {
                    return false;
                }
                cursor.Line = cursor.Line + 1 == _count ? 0 : cursor.Line + 1;
                cursor.Matches = MatchesIn(_lines + cursor.Line, cursor.Tag);
            }
            cursor.Id = _lines[cursor.Line].Ids + BitOperations.TrailingZeroCount(cursor.Matches);
            cursor.Matches &= cursor.Matches - 1;
            return true;
        }

        /// <summary>Adds an entry without looking for an equal one.</summary>
        /// <param name="hash">Its hash.</param>
        /// <param name="id">Its id, other than 0.</param>
        /// <param name="hashOf">The hash of an id that is in the table, should it have to grow.</param>
        public void Add(ulong hash, int id, Func<int, ulong> hashOf)
        {
            MakeRoom(1, hashOf);
            AddWithin(hash, id);
        }

        /// <summary>Grows if it must, so that the next entries stay where they are added.</summary>
        public void MakeRoom(int entries, Func<int, ulong> hashOf)
        {
            while ((_used + entries - 1) * 16 >= _count * 15L * Line.Entries)
            {
                Grow(hashOf);
            }
        }

        /// <summary>Adds an entry for which there is room.</summary>
        public void AddWithin(ulong hash, int id)
        {
            uint i = LineOf(hash);
            while (_lines[i].Count == Line.Entries)
            {
                _lines[i].Overflows = true;
                i = i + 1 == _count ? 0 : i + 1;
            }
            int at = _lines[i].Count++;
            _lines[i].Tags[at] = TagOf(hash);
            _lines[i].Ids[at] = id;
            _used++;
        }

        /// <summary>Applies a function to the id of every entry.</summary>
        public void Renumber(Func<int, int> map)
        {
            for (uint i = 0; i < _count; i++)
            {
                for (int j = 0; j < _lines[i].Count; j++)
                {
                    _lines[i].Ids[j] = map(_lines[i].Ids[j]);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static byte TagOf(ulong hash) => (byte)(hash >> 32);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static uint MatchesIn(Line* line, byte tag) =>
            Vector128.Equals(Vector128.Load((byte*)line), Vector128.Create(tag)).ExtractMostSignificantBits() & ((1u << line->Count) - 1);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private uint LineOf(ulong hash) => (uint)(((hash & uint.MaxValue) * _count) >> 32);

        private void Grow(Func<int, ulong> hashOf)
        {
            using NativeArray<Line> old = new(_count);
            Buffer.MemoryCopy(_lines, old.Base, _count * sizeof(Line), _count * sizeof(Line));
            uint oldCount = _count;
            _memory.Resize(_count * 2L);
            _lines = _memory.Base;
            _memory.AsSpan().Clear();
            _count *= 2;
            _used = 0;
            for (uint i = 0; i < oldCount; i++)
            {
                ref Line line = ref old[i];
                for (int j = 0; j < line.Count; j++)
                {
                    AddWithin(hashOf(line.Ids[j]), line.Ids[j]);
                }
            }
        }
    }
}
