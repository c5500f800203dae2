using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The different tables of pcs that functions mention, numbered from 1 on: those with the same content hash are one. Any thread may add any.
/// The numbers depend on chance, what is known of a table (<see cref="Entry"/>) does not.
/// </summary>
/// <remarks>
/// Half of the mentions, in large programs three in four, are of a table that is there already, and are found without a lock: a slot is filled before it has its number, and a
/// shard that grows leaves the old slots where they are. Only who doesn't find a table takes the lock of its shard, and looks once more. What
/// threads write lies apart from what all of them read, and each has numbers of its own to give, for a cache line that goes back and forth
/// between two processors costs more than the search.
/// </remarks>
internal sealed unsafe class PcTableSet : IDisposable
{
    private const int ShardBits = 6;
    private const int BlockBits = 10;
    private const int BlockMask = (1 << BlockBits) - 1;

    private readonly SymbolTable _symbols;
    private readonly NativeArray<Slots> _firstShards = new(1 << ShardBits);
    private readonly NativeArray<Adding> _adding = new(1 << ShardBits);
    private readonly NativeArray<Slot> _firstSlots;
    private readonly MemoryArena _moreSlots = new();
    private readonly MemoryArena _entryMemory = new();

    // By shard its slots, which are others when it has grown.
    private readonly nint[] _shards = new nint[1 << ShardBits];

    // Entries by number: blocks that don't move, as many as there may be at most. The first is for number 0 alone.
    private readonly Entry** _blocks;
    private int _lastBlock;

    // Tables without a content hash, by id: no compiler makes any.
    private readonly Dictionary<int, int> _others = [];

    /// <summary>An empty set.</summary>
    /// <param name="symbols">The symbols of the link.</param>
    /// <param name="expected">How many different tables there may be; there can be more.</param>
    /// <param name="adders">How many <see cref="Numbers"/> there are at most.</param>
    public PcTableSet(SymbolTable symbols, long expected, int adders)
    {
        _symbols = symbols;
        uint slots = (uint)Math.Clamp((expected >> ShardBits) * 6 / 5, 16, 1 << 24);
        _firstSlots = new NativeArray<Slot>((long)slots << ShardBits);
        _firstSlots.MakeRestPresent();
        for (int i = 0; i < _shards.Length; i++)
        {
            _firstShards[i] = new Slots { Count = slots, First = _firstSlots.Base + ((long)slots * i) };
            _shards[i] = (nint)(_firstShards.Base + i);
        }
        // A number for each definition that may be one, and for each id; of each adder's last block, and of the first, not all are given.
        _blocks = (Entry**)_entryMemory.Alloc<nint>((((long)symbols.PositionCount + symbols.Count) >> BlockBits) + adders + 1);
        _blocks[0] = _entryMemory.Alloc<Entry>();
    }

    /// <summary>What is known of a table. Number 0 stands for none, which has offset 0.</summary>
    public ref Entry this[int number]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _blocks[number >> BlockBits][number & BlockMask];
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
    /// The number of the table whose definition is at <paramref name="position"/>, and which has a content hash; added with one of the caller's
    /// numbers if it is new.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Add(byte* hash, int position, ref Numbers numbers)
    {
        ulong low = Unaligned.U64(hash), high = Unaligned.U64(hash + sizeof(ulong));
        int number = Find(SlotsOf(low), low, high, out _);
        return number != 0 ? number : AddNew(low, high, position, ref numbers);
    }

    /// <summary>Asks the CPU for what is known of a table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ExpectEntry(int number) => Prefetch.Read(_blocks[number >> BlockBits] + (number & BlockMask));

    /// <summary>
    /// Notes that <paramref name="user"/> mentions a table, whose definition is at <paramref name="position"/>. The first of all definitions
    /// stands for it, whoever came first.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Note(int number, int position, int user)
    {
        ref Entry entry = ref this[number];
        if (position < entry.Position)
        {
            SetLower(ref entry.Position, position);
        }
        FirstUse.Note(ref entry.Place, user);
    }

    /// <summary>The same for a table that is a symbol with an id; tells the position, or the complement of the id if it has no content hash.</summary>
    public int Add(SymbolId table, out int position, ref Numbers numbers)
    {
        if (_symbols.Locate(table, out int local) is { } o && o.IsContentHashed(local))
        {
            position = _symbols.PositionOf(o, local);
            return Add(o.ContentHashesOf(isShort: false) + ((local - o.FirstHashed) * 16L), position, ref numbers);
        }
        position = ~table.Index;
        lock (_others)
        {
            if (!_others.TryGetValue(table.Index, out int number))
            {
                number = NewEntry(position, 0, ref numbers);
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

    /// <summary>No more tables will be added: the memory for finding them is returned.</summary>
    public void Close()
    {
        _firstShards.Dispose();
        _adding.Dispose();
        _firstSlots.Dispose();
        _moreSlots.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _entryMemory.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Slots* SlotsOf(ulong low) => (Slots*)Volatile.Read(ref _shards[(int)(low >> (64 - ShardBits))]);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int AddNew(ulong low, ulong high, int position, ref Numbers numbers)
    {
        int shard = (int)(low >> (64 - ShardBits));
        ref Adding adding = ref _adding[shard];
        adding.Gate.Enter();
        try
        {
            Slots* slots = (Slots*)_shards[shard];
            int number = Find(slots, low, high, out Slot* slot);
            if (number != 0)
            {
                return number;
            }
            if (adding.Used >= slots->Count / 8 * 7)
            {
                slots = slots->Larger(_moreSlots);
                Volatile.Write(ref _shards[shard], (nint)slots);
                slot = slots->FindFree(low);
            }
            adding.Used++;
            slot->Low = low;
            slot->High = (uint)high;
            number = NewEntry(position, (uint)(high >> 32), ref numbers);
            Volatile.Write(ref slot->Number, number);
            return number;
        }
        finally
        {
            adding.Gate.Exit();
        }
    }

    private int NewEntry(int position, uint highest, ref Numbers numbers)
    {
        if (numbers.Next == numbers.End)
        {
            int block = Interlocked.Increment(ref _lastBlock);
            _blocks[block] = _entryMemory.Alloc<Entry>(1 << BlockBits);
            numbers.Next = block << BlockBits;
            numbers.End = numbers.Next + (1 << BlockBits);
        }
        ref Entry entry = ref this[numbers.Next];
        entry.Position = position;
        entry.Highest = highest;
        return numbers.Next++;
    }

    // The number of the table with a hash, and its slot; 0 and a free slot if there is none. Somebody else may fill that at any time, so its
    // number is read once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(Slots* slots, ulong low, ulong high, out Slot* slot)
    {
        Slot* at = slots->First + slots->Of(low);
        Slot* end = slots->First + slots->Count;
        int number;
        while ((number = Volatile.Read(ref at->Number)) != 0
            && (at->Low != low || at->High != (uint)high || this[number].Highest != (uint)(high >> 32)))
        {
            at = at + 1 == end ? slots->First : at + 1;
        }
        slot = at;
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

        /// <summary>The highest part of the content hash, which slots have no room for.</summary>
        public uint Highest;
    }

    /// <summary>Numbers that one thread has still to give; none at first.</summary>
    public struct Numbers
    {
        internal int Next;
        internal int End;
    }

    /// <summary>What who adds to a shard needs, on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Adding
    {
        public SpinGate Gate;
        public uint Used;
    }

    private struct Slot
    {
        public ulong Low;

        /// <summary>The low half of the second word of the hash; the other is kept with the table.</summary>
        public uint High;

        /// <summary>0 while the slot is free.</summary>
        public int Number;
    }

    /// <summary>Open addressing by the low half of the first word of the hash, whose high bits tell the shard.</summary>
    private struct Slots
    {
        public uint Count;
        public Slot* First;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly uint Of(ulong low) => (uint)(((low & uint.MaxValue) * Count) >> 32);

        public readonly Slot* FindFree(ulong low)
        {
            Slot* slot = First + Of(low);
            while (slot->Number != 0)
            {
                slot = slot + 1 == First + Count ? First : slot + 1;
            }
            return slot;
        }

        public readonly Slots* Larger(MemoryArena memory)
        {
            Slots* larger = memory.Alloc<Slots>();
            uint count = Count + (Count / 2);
            *larger = new Slots { Count = count, First = memory.Alloc<Slot>(count) };
            for (Slot* slot = First; slot < First + Count; slot++)
            {
                if (slot->Number != 0)
                {
                    *larger->FindFree(slot->Low) = *slot;
                }
            }
            return larger;
        }
    }
}
