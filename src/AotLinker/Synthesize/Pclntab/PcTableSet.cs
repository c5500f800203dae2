using System.Runtime.CompilerServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The different tables of pcs that functions mention, numbered from 1 on: those with the same content hash are one. Any thread may add any.
/// The numbers depend on chance, what is known of a table (<see cref="Entry"/>) does not.
/// </summary>
/// <remarks>
/// Four in five mentions are of a table that is there already, and are found without a lock: a slot is filled before it has its number, and a
/// shard that grows leaves the old slots where they are. Only who doesn't find a table takes the lock of its shard, and looks once more.
/// </remarks>
internal sealed unsafe class PcTableSet : IDisposable
{
    private const int ShardBits = 6;

    private readonly SymbolTable _symbols;
    private readonly MemoryArena _slotMemory = new();

    // By shard its slots, which are others when it has grown, and the lock of who adds to it.
    private readonly Slots** _shards;
    private readonly Lock[] _locks = new Lock[1 << ShardBits];

    // Entries by number, as many as there may be at most: only what is in use costs memory.
    private readonly NativeArray<Entry> _entryMemory;
    private Entry* _entries;
    private int _last;

    // Tables without a content hash, by id: no compiler makes any.
    private readonly Dictionary<int, int> _others = [];

    /// <summary>An empty set.</summary>
    /// <param name="symbols">The symbols of the link.</param>
    /// <param name="expected">How many different tables there may be; there can be more.</param>
    public PcTableSet(SymbolTable symbols, long expected)
    {
        _symbols = symbols;
        uint slots = (uint)Math.Clamp((expected >> ShardBits) * 3 / 2, 16, 1 << 24);
        _shards = (Slots**)_slotMemory.Alloc<nint>(1 << ShardBits);
        for (int i = 0; i < _locks.Length; i++)
        {
            _locks[i] = new Lock();
            _shards[i] = Slots.Allocate(_slotMemory, slots);
        }
        _entryMemory = new NativeArray<Entry>(1L + symbols.PositionCount + symbols.Count);
        _entries = _entryMemory.Base;
    }

    /// <summary>What is known of a table. Number 0 stands for none, which has offset 0.</summary>
    public ref Entry this[int number]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _entries[number];
    }

    /// <summary>Asks the CPU for where a table with a content hash is looked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Expect(byte* hash)
    {
        ulong low = Unaligned.U64(hash);
        Slots* slots = SlotsOf(low);
        Prefetch.Read(slots->First + slots->Of(low));
    }

    /// <summary>
    /// The number of the table whose definition is at <paramref name="position"/>, and which has a content hash.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Add(byte* hash, int position)
    {
        ulong low = Unaligned.U64(hash), high = Unaligned.U64(hash + sizeof(ulong));
        int number = SlotsOf(low)->Find(low, high, out _);
        if (number == 0)
        {
            number = AddNew(low, high, position);
        }
        // The first definition of all stands for the table, whoever came first.
        ref int first = ref _entries[number].Position;
        if (position < first)
        {
            SetLower(ref first, position);
        }
        return number;
    }

    /// <summary>The same for a table that is a symbol with an id.</summary>
    public int Add(SymbolId table)
    {
        if (_symbols.Locate(table, out int local) is { } o && o.IsContentHashed(local))
        {
            return Add(o.ContentHashesOf(isShort: false) + ((local - o.FirstHashed) * 16L), _symbols.PositionOf(o, local));
        }
        lock (_others)
        {
            if (!_others.TryGetValue(table.Index, out int number))
            {
                number = NewEntry(~table.Index);
                _others.Add(table.Index, number);
            }
            return number;
        }
    }

    /// <summary>Asks the CPU for the record of a table.</summary>
    public void ExpectRecord(int number)
    {
        if (this[number].Position is >= 0 and var position)
        {
            _symbols.DefinitionAt(position, out int local).ExpectRecord(local);
        }
    }

    /// <summary>Size of a table in bytes.</summary>
    public long Size(int number) => this[number].Position is >= 0 and var position
        ? _symbols.DefinitionAt(position, out int local).Symbol(local).Size
        : _symbols.Size(new SymbolId(~this[number].Position));

    /// <summary>Content of a table.</summary>
    public ReadOnlySpan<byte> Data(int number) => this[number].Position is >= 0 and var position
        ? _symbols.DefinitionAt(position, out int local).Data(local)
        : _symbols.Data(new SymbolId(~this[number].Position));

    /// <summary>No more tables will be added: the memory for finding them is returned.</summary>
    public void Close()
    {
        _slotMemory.Dispose();
        _entryMemory.Resize(_last + 1L);
        _entries = _entryMemory.Base;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _slotMemory.Dispose();
        _entryMemory.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Slots* SlotsOf(ulong low) => (Slots*)Volatile.Read(ref *(nint*)(_shards + (low >> (64 - ShardBits))));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int AddNew(ulong low, ulong high, int position)
    {
        int shard = (int)(low >> (64 - ShardBits));
        lock (_locks[shard])
        {
            Slots* slots = _shards[shard];
            int number = slots->Find(low, high, out Slot* slot);
            if (number != 0)
            {
                return number;
            }
            if (slots->Used >= slots->Count / 4 * 3)
            {
                slots = slots->Larger(_slotMemory);
                Volatile.Write(ref *(nint*)(_shards + shard), (nint)slots);
                _ = slots->Find(low, high, out slot);
            }
            slots->Used++;
            slot->Low = low;
            slot->High = high;
            number = NewEntry(position);
            Volatile.Write(ref slot->Number, number);
            return number;
        }
    }

    private int NewEntry(int position)
    {
        int number = Interlocked.Increment(ref _last);
        _entryMemory[number].Position = position;
        return number;
    }

    private static void SetLower(ref int value, int wanted)
    {
        int seen = Volatile.Read(ref value);
        while (wanted < seen)
        {
            int was = Interlocked.CompareExchange(ref value, wanted, seen);
            if (was == seen)
            {
                return;
            }
            seen = was;
        }
    }

    /// <summary>What is known of a table.</summary>
    public struct Entry
    {
        /// <summary>Position of the first definition; the complement of an id for a table without a content hash.</summary>
        public int Position;

        /// <summary>First who mentions it (<see cref="FirstUse"/>), then where it is.</summary>
        public int Place;
    }

    private struct Slot
    {
        public ulong Low;
        public ulong High;

        /// <summary>0 while the slot is free.</summary>
        public int Number;
    }

    /// <summary>Open addressing by the low half of the first word of the hash, whose high bits tell the shard.</summary>
    private struct Slots
    {
        public uint Count;
        public uint Used;
        public Slot* First;

        public static Slots* Allocate(MemoryArena memory, uint count)
        {
            Slots* slots = memory.Alloc<Slots>();
            slots->Count = count;
            slots->First = memory.Alloc<Slot>(count);
            return slots;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly uint Of(ulong low) => (uint)(((low & uint.MaxValue) * Count) >> 32);

        /// <summary>
        /// The number of the table with a hash, and its slot; 0 and a free slot if there is none. Somebody else may fill that at any time, so its
        /// number is read once.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly int Find(ulong low, ulong high, out Slot* slot)
        {
            Slot* at = First + Of(low);
            Slot* end = First + Count;
            int number;
            while ((number = Volatile.Read(ref at->Number)) != 0 && (at->Low != low || at->High != high))
            {
                at = at + 1 == end ? First : at + 1;
            }
            slot = at;
            return number;
        }

        public readonly Slots* Larger(MemoryArena memory)
        {
            Slots* larger = Allocate(memory, Count * 2);
            larger->Used = Used;
            for (Slot* slot = First; slot < First + Count; slot++)
            {
                if (slot->Number != 0)
                {
                    _ = larger->Find(slot->Low, slot->High, out Slot* free);
                    *free = *slot;
                }
            }
            return larger;
        }
    }
}
