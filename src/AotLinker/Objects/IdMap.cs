using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// From symbol ids to numbers ≥ 0, for a set of ids too sparse for a column: open addressing over eight-byte slots in native memory.
/// Filled by one thread, then read by all.
/// </summary>
internal sealed unsafe class IdMap : IDisposable
{
    private NativeArray<Slot> _memory = new(0);
    private Slot* _slots;
    private uint _mask;
    private uint _used;

    /// <summary>An empty map.</summary>
    public IdMap() => Allocate(1 << 12);

    /// <summary>The number of an id; -1 if it has none.</summary>
    public int this[int id]
    {
        get
        {
            for (uint i = Hash(id) & _mask; ; i = (i + 1) & _mask)
            {
                ref Slot slot = ref _slots[i];
                if (slot.Id == id)
                {
                    return slot.Value;
                }
                if (slot.Id == 0)
                {
                    return -1;
                }
            }
        }
    }

    /// <summary>Adds an id that is not in the map; ids are not 0.</summary>
    public void Add(int id, int value)
    {
        if ((_used + 1) * 2 > _mask + 1)
        {
            using NativeArray<Slot> smaller = _memory;
            Slot* old = _slots;
            uint size = _mask + 1;
            Allocate(size * 2);
            for (uint i = 0; i < size; i++)
            {
                if (old[i].Id != 0)
                {
                    Place(old[i]);
                }
            }
        }
        Place(new Slot { Id = id, Value = value });
        _used++;
    }

    /// <summary>Changes the number of an id that is in the map.</summary>
    public void Set(int id, int value)
    {
        uint i = Hash(id) & _mask;
        while (_slots[i].Id != id)
        {
            i = (i + 1) & _mask;
        }
        _slots[i].Value = value;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Dispose();
        _slots = null;
    }

    private static uint Hash(int id) => (uint)id * 0x9E3779B1u >> 7;

    private void Allocate(uint size)
    {
        _memory = new NativeArray<Slot>(size);
        _memory.PreferLargePages(2 << 20);
        _slots = _memory.Base;
        _mask = size - 1;
    }

    private void Place(Slot slot)
    {
        uint i = Hash(slot.Id) & _mask;
        while (_slots[i].Id != 0)
        {
            i = (i + 1) & _mask;
        }
        _slots[i] = slot;
    }

    private struct Slot
    {
        public int Id;
        public int Value;
    }
}
