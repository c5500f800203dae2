using System.Numerics;
using System.Runtime.CompilerServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>Symbols that are told apart by a hash of their content.</summary>
internal sealed unsafe partial class Resolver
{
    // Definitions with content hashes are marked by 64.
    private const int MarkShift = 6;
    private const int MarkCount = 1 << MarkShift;
    private const int MarkMask = MarkCount - 1;

    private void EnterContents(ShardState state, NameTable names)
    {
        long expected = (_distinctContents / names.ShardCount) + (_distinctContents / 32);
        using ContentTable shorts = new(expected / 16, isShort: true), longs = new(expected, isShort: false);
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            EnterContents(shorts, o, isShort: true, names, state);
            EnterContents(longs, o, isShort: false, names, state);
        }
    }

    // Tells what is looked up by content from tables of pcs, which get no ids unless somebody wants to know of them.
    private void ScanContents(GoObject o, NativeList<ulong> samples)
    {
        int count = o.HashedCount;
        ulong* marks = _scanned.Alloc<ulong>((count + MarkMask) >> MarkShift);
        _contentMarks[o.Index] = marks;
        int* map = _map + _positions.Start(o.Index) + o.Hashed64Count;
        byte* hashes = o.ContentHashesOf(isShort: false);
        ulong sampled = (SampleRate - 1) << 20;
        for (int from = 0; from < count; from += MarkCount)
        {
            int n = Math.Min(MarkCount, count - from);
            ulong tables = _options.NumbersPcTables ? 0 : MarkPcTables(o.RecordOf(o.FirstHashed + from), n, map + from, ~_noPosition);
            ulong others = ~tables & (ulong.MaxValue >> (MarkCount - n));
            *marks++ = others;
            for (; others != 0; others &= others - 1)
            {
                ulong key = ContentTable.Key(Unaligned.U64(hashes + ((from + BitOperations.TrailingZeroCount(others)) * 16L)), isShort: false);
                if ((key & sampled) == sampled)
                {
                    samples.Add(key);
                }
            }
        }
    }

    // Marks the tables among some definitions, and writes an entry for each to a map which is 0 there.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong MarkPcTables(SymbolRecord* record, int count, int* map, int entry)
    {
        ulong marks = 0;
        for (int i = 0; i < count; i++, record++)
        {
            // Without a branch: they come in small groups.
            int isTable = GoObject.IsPcTable(in *record) ? 1 : 0;
            map[i] = -isTable & entry;
            marks |= (ulong)isTable << i;
        }
        return marks;
    }

    // The shard's hashes are picked out some at a time, without a branch that nothing predicts, and looked up when those after them have been
    // asked for.
    private void EnterContents(ContentTable table, GoObject o, bool isShort, NameTable names, ShardState state)
    {
        int first = isShort ? 0 : o.Hashed64Count;
        int count = isShort ? o.Hashed64Count : o.HashedCount;
        ulong* marks = isShort ? null : _contentMarks[o.Index];
        int* indices = stackalloc int[2 * MarkCount];
        ulong* keys = stackalloc ulong[2 * MarkCount];
        int waiting = 0, half = 0;
        for (int from = 0; from < count || waiting != 0; from += MarkCount)
        {
            int next = MarkCount - half;
            int taken = 0;
            if (from < count)
            {
                ulong block = marks != null ? marks[from >> MarkShift] : ulong.MaxValue >> Math.Max(0, from + MarkCount - count);
                taken = Pick(names, state.Shard, o.ContentHashesOf(isShort), isShort, from, block, indices + next, keys + next);
            }
            table.Expect(keys + next, taken);
            for (int i = next; i < next + taken; i++)
            {
                o.ExpectRecord(o.DefCount + first + indices[i]);
            }
            EnterPicked(table, o, first, isShort, indices + half, keys + half, waiting, state.Shard);
            (waiting, half) = (taken, next);
        }
    }

    // Of the marked ones from an index on, those of the shard.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Pick(NameTable names, int shard, byte* hashes, bool isShort, int from, ulong marks, int* indices, ulong* keys)
    {
        int shift = isShort ? 3 : 4;
        ulong shards = (ulong)names.ShardCount;
        int taken = 0;
        for (; marks != 0; marks &= marks - 1)
        {
            int i = from + BitOperations.TrailingZeroCount(marks);
            ulong key = ContentTable.Key(Unaligned.U64(hashes + ((long)i << shift)), isShort);
            indices[taken] = i;
            keys[taken] = key;
            taken += NameTable.ShardOf(key, shards) == shard ? 1 : 0;
        }
        return taken;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterPicked(ContentTable table, GoObject o, int first, bool isShort, int* indices, ulong* keys, int count, int shard)
    {
        byte* hashes = o.ContentHashesOf(isShort);
        int position = _positions.Start(o.Index) + first;
        int local = o.DefCount + first;
        for (int i = 0; i < count; i++)
        {
            int index = indices[i];
            byte* hash = hashes + ((long)index * (isShort ? 8 : 16));
            ulong high = isShort ? 0 : Unaligned.U64(hash + 8);
            EnterContent(ref table.Find(keys[i], Unaligned.U64(hash), high), o, local + index, position + index, shard);
        }
    }

    // Equal content hashes are one symbol. Nearly all occurrences say the same of it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EnterContent(ref ContentTable.Slot slot, GoObject o, int local, int position, int shard)
    {
        ref readonly SymbolRecord r = ref o.Symbol(local);
        uint demand = ContentTable.Slot.DemandOf(AlignOf(o, in r), AttributesOf(in r));
        NoteExport(o, local, in r);
        uint packed = ContentTable.Slot.Pack(r.Size, demand);
        if (slot.Position == 0)
        {
            slot.Position = position + 1;
            slot.Packed = packed;
            if (r.Size >= ContentTable.Slot.LargestSize)
            {
                _largeSizes[shard][position] = r.Size;
            }
            return;
        }
        _map[position] = ~(slot.Position - 1);
        if (packed != slot.Packed || r.Size >= ContentTable.Slot.LargestSize)
        {
            Raise(ref slot, o, local, packed, shard);
        }
    }

    private void Raise(ref ContentTable.Slot slot, GoObject o, int local, uint packed, int shard)
    {
        int first = slot.Position - 1;
        uint size = o.Symbol(local).Size;
        uint largest = ContentTable.Slot.SizeOf(slot.Packed);
        if (largest == ContentTable.Slot.LargestSize)
        {
            largest = _largeSizes[shard][first];
        }
        if (size > largest)
        {
            largest = size;
            _overrides[shard].Add(new Override(~first, o.Index, local));
            if (size >= ContentTable.Slot.LargestSize)
            {
                _largeSizes[shard][first] = size;
            }
        }
        uint demand = ContentTable.Slot.DemandOf(slot.Packed);
        uint joined = ContentTable.Slot.Join(demand, ContentTable.Slot.DemandOf(packed));
        if (joined != demand)
        {
            _demands[shard].Add(new Demand(first, ContentTable.Slot.AlignOf(joined), ContentTable.Slot.AttributesOf(joined)));
        }
        slot.Packed = ContentTable.Slot.Pack(largest, joined);
    }

    // What repeats of a content ask for beyond its first occurrence, now that it has an id.
    private void MeetDemands(int shard)
    {
        foreach (Demand d in _demands[shard])
        {
            _table.SetFirst(new SymbolId(_map[d.Position]), d.Align, d.Attributes);
        }
    }

    private readonly record struct Demand(int Position, byte Align, SymbolTable.Attributes Attributes);
}
