using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>First occurrences get their ids, and repeats those of what they repeat.</summary>
internal sealed unsafe partial class Resolver
{
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
            int next = start[index];
            int first = _positions.Start(index) - o.DefCount;
            ReadOnlySpan<byte> kinds = _table.Release.ObjectSymbolKinds;
            for (int local = o.DefCount; (local = NextNew(first + local, first + o.AllDefCount) - first) < o.AllDefCount; local++)
            {
                int position = first + local;
                ref readonly SymbolRecord r = ref o.Symbol(local);
                _table.SetDefinition(next, position, SymbolKinds.FromObject(r.RawKind, kinds));
                // The attributes of those with names are merged with their references' later.
                byte align = AlignOf(o, in r);
                SymbolTable.Attributes attributes = local < o.FirstNonPkg ? AttributesOf(in r) : SymbolTable.Attributes.None;
                if (align != 0 || attributes != SymbolTable.Attributes.None)
                {
                    _table.SetFirst(new SymbolId(next), align, attributes);
                }
                _map[position] = next++;
            }
        });
        ForObjects(index => NumberRepeats(_positions.Start(index), _objects[index].AllDefCount - _objects[index].DefCount));
        // A key lives in one shard, and its overrides stand in load order there.
        foreach (List<Override> list in _overrides)
        {
            foreach (Override v in list)
            {
                GoObject o = _objects[v.Object];
                _table.ReplaceDefinition(FinalId(v.Entry), v.Object, v.Local, SymbolKinds.FromObject(o.Symbol(v.Local).RawKind, _table.Release.ObjectSymbolKinds));
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

    // The next first occurrence in a part of the map, which most entries are none of; its end if there is none.
    private int NextNew(int position, int end)
    {
        int* map = _map;
        while (position + Vector128<int>.Count <= end && !Vector128.EqualsAny(Vector128.Load(map + position), Vector128<int>.Zero))
        {
            position += Vector128<int>.Count;
        }
        while (position < end && map[position] != 0)
        {
            position++;
        }
        return position;
    }

    private void NumberRepeats(int from, int n)
    {
        int* map = _map;
        for (int* entry = map + from, end = entry + n; entry < end; entry++)
        {
            int first = *entry;
            if (first < 0)
            {
                *entry = map[~first];
            }
        }
    }

    // First references were numbered in this order, and what they repeat has a lower number.
    private void CreateReferences(int[] start)
    {
        int first = start[SymbolTable.FirstObject];
        if (first != _table.Count)
        {
            throw new InvalidOperationException($"references were numbered from {first} on, not {_table.Count}");
        }
        int firstRecord = _table.AddReferences(start[_count] - first);
        ForObjects(index =>
        {
            GoObject o = _objects[index];
            int position = ReferencePosition(index) - o.AllDefCount;
            int next = start[index];
            for (int local = o.AllDefCount; next < start[index + 1]; local++)
            {
                if (_map[position + local] == next)
                {
                    ref readonly SymbolRecord r = ref o.Symbol(local);
                    _table.DefineReference(new SymbolId(next), firstRecord + (next - first), o.Name(r), _table.Version(o, r.Abi));
                    next++;
                }
            }
        });
    }

    // The map is kept to the end, the largest table of all, and ids nearly always fit three bytes.
    private void PackMap()
    {
        const int Size = 3;
        if (_table.Count > 1 << (8 * Size))
        {
            return;
        }
        // In place: what is written ends before what is read next.
        int count = (int)_mapMemory.Length;
        int* map = _map;
        byte* to = (byte*)map;
        int i = 0;
        for (; i + 4 <= count; i += 4, to += 4 * Size)
        {
            ulong pair = *(ulong*)(map + i), next = *(ulong*)(map + i + 2);
            pair = (uint)pair | (pair >> 32 << 24);
            next = (uint)next | (next >> 32 << 24);
            Unsafe.WriteUnaligned(to, pair | (next << 48));
            Unsafe.WriteUnaligned(to + sizeof(ulong), (uint)(next >> 16));
        }
        for (; i < count; i++, to += Size)
        {
            Unsafe.WriteUnaligned(to, map[i]);
        }
        _mapMemory.Resize((((long)count * Size) + sizeof(int)) / sizeof(int));
        for (int o = SymbolTable.FirstObject; o < _count; o++)
        {
            _objects[o].SetGlobalMap((byte*)_mapMemory.Base + ((long)_positions.Start(o) * Size), Size);
        }
    }

    // What the map or a name holds (not 0) as an id, once the first occurrences have theirs.
    private int FinalId(int entry) => entry > 0 ? entry : _map[~entry];
}
