using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>Symbols that are told apart by a hash of their content.</summary>
internal sealed unsafe partial class Resolver
{
    // One hash in so many is counted to tell how many there are.
    private const int SampleRate = 64;

    private static bool IsSample(ulong mixed) => ((mixed >> 20) & (SampleRate - 1)) == 0;

    // Most hashes repeat, some of them very often: a table sized for all would be many times too large.
    private long DistinctContents()
    {
        using NativeList<ulong> samples = _samples[0];
        foreach (NativeList<ulong> some in _samples.AsSpan(1))
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
        return (distinct + 16) * SampleRate;
    }

    private void EnterContents(ShardState state, NameTable names)
    {
        long expected = (_distinctContents / names.ShardCount) + (_distinctContents / 32);
        using ContentTable shorts = new(expected / 16), longs = new(expected);
        for (int index = SymbolTable.FirstObject; index < _count; index++)
        {
            GoObject o = _objects[index];
            EnterContents(shorts, o, isShort: true, names, state);
            EnterContents(longs, o, isShort: false, names, state);
        }
    }

    // Equal content hashes are one symbol. Trailing zeros are not part of the content, so the same hash may come with a larger size:
    // the largest stands for the symbol.
    private void EnterContents(ContentTable table, GoObject o, bool isShort, NameTable names, ShardState state)
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
            ref readonly SymbolRecord r = ref o.Symbol(local);
            byte align = AlignOf(o, in r);
            SymbolTable.Attributes attributes = AttributesOf(in r);
            NoteExport(o, local, in r);
            if (slot.Position == 0)
            {
                slot.Position = position + i + 1;
                slot.Size = r.Size;
                slot.Align = align;
                slot.Attributes = attributes;
                continue;
            }
            _map[position + i] = ~(slot.Position - 1);
            if (r.Size > slot.Size)
            {
                slot.Size = r.Size;
                _overrides[state.Shard].Add(new Override(~(slot.Position - 1), o.Index, local));
            }
            if (align > slot.Align || (attributes & ~slot.Attributes) != 0)
            {
                slot.Align = Math.Max(slot.Align, align);
                slot.Attributes |= attributes;
                _demands[state.Shard].Add(new Demand(slot.Position - 1, slot.Align, slot.Attributes));
            }
        }
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
