using AotLinker.Mapping;

namespace AotLinker.Resolve;

/// <summary>First occurrences by content hash: open addressing over 16-byte slots in native memory, for one thread.</summary>
internal sealed unsafe class ContentTable : IDisposable
{
    private Slot* _slots = (Slot*)NativeHeap.AllocZeroed(1024, (nuint)sizeof(Slot));
    private long _mask = 1023;
    private long _used;

    /// <summary>A slot.</summary>
    public Slot this[long i] => _slots[i];

    /// <summary>Index of the first slot to look at for a hash; an empty one ends the search.</summary>
    public long First(ulong low) => (long)((low * 0x9e3779b97f4a7c15) >> 20) & _mask;

    /// <summary>Index of the slot to look at after <paramref name="i"/>.</summary>
    public long Next(long i) => (i + 1) & _mask;

    /// <summary>Enters a hash that is not in the table.</summary>
    public void Add(ulong low, int position)
    {
        if ((_used + 1) * 8 > (_mask + 1) * 5)
        {
            Grow();
        }
        Place(low, position);
        _used++;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeHeap.Free(_slots);
        _slots = null;
    }

    private void Place(ulong low, int position)
    {
        // Short hashes are the content itself: First mixes them.
        long i = First(low);
        while (_slots[i].Position != 0)
        {
            i = Next(i);
        }
        _slots[i] = new Slot { Low = low, Position = position };
    }

    private void Grow()
    {
        Slot* old = _slots;
        long size = _mask + 1;
        _slots = (Slot*)NativeHeap.AllocZeroed((nuint)(size * 2), (nuint)sizeof(Slot));
        _mask = (size * 2) - 1;
        for (long i = 0; i < size; i++)
        {
            if (old[i].Position != 0)
            {
                Place(old[i].Low, old[i].Position);
            }
        }
        NativeHeap.Free(old);
    }

    /// <summary>One slot; position 0 is empty.</summary>
    public struct Slot
    {
        /// <summary>The hash, or its first half.</summary>
        public ulong Low;

        /// <summary>Position of the first occurrence, plus one.</summary>
        public int Position;
    }
}
