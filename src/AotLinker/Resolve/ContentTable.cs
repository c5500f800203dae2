using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Resolve;

/// <summary>
/// First occurrences by content hash, for one thread: open addressing over slots that hold all that repeats add to, so that a repeat
/// costs one look at memory.
/// </summary>
internal sealed unsafe class ContentTable : IDisposable
{
    private readonly bool _isShort;
    private NativeArray<Slot> _memory;
    private Slot* _slots;
    private uint _count;
    private uint _used;

    /// <summary>A table with room for <paramref name="expected"/> different hashes; it grows when there are more.</summary>
    /// <param name="expected">How many there may be.</param>
    /// <param name="isShort">Whether the hashes are the contents themselves.</param>
    public ContentTable(long expected, bool isShort)
    {
        _isShort = isShort;
        // Three quarters full, as far as the number is right.
        _count = (uint)Math.Clamp(expected + (expected / 3), 16, int.MaxValue);
        _memory = Allocate(_count);
        _slots = _memory.Base;
    }

    /// <summary>
    /// What a hash is found by: high bits for shards, low bits for slots. The long form is that of a hash function, and good as it is; the
    /// short form is the content itself.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(ulong low, bool isShort) => isShort ? Mix(low) : low;

    /// <summary>Mixes the bits of a short hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong low)
    {
        low = (low ^ (low >> 32)) * 0x9e3779b97f4a7c15;
        return (low ^ (low >> 29)) * 0xe7037ed1a0b428db;
    }

    /// <summary>Asks for the memory <see cref="Find"/> will look at first.</summary>
    public void Expect(ulong* keys, int count)
    {
        Slot* slots = _slots;
        ulong all = _count;
        for (int i = 0; i < count; i++)
        {
            // One slot in four has its end in another line.
            Slot* slot = slots + SlotOf(keys[i], all);
            Objects.Prefetch.Read(slot);
            Objects.Prefetch.Read((byte*)(slot + 1) - 1);
        }
    }

    /// <summary>
    /// The slot of a hash, of which <paramref name="key"/> is the <see cref="Key"/>; a new one has no position yet. Valid until the next
    /// call.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Slot Find(ulong key, ulong low, ulong high)
    {
        for (uint i = SlotOf(key); ; i = i + 1 == _count ? 0 : i + 1)
        {
            Slot* slot = _slots + i;
            if (slot->Position == 0)
            {
                return ref Take(slot, key, low, high);
            }
            if (slot->Low == low && slot->High == high)
            {
                return ref *slot;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private static NativeArray<Slot> Allocate(uint count)
    {
        NativeArray<Slot> memory = new(count);
        memory.PreferLargePages();
        memory.MakeRestPresent();
        return memory;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint SlotOf(ulong key) => SlotOf(key, _count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint SlotOf(ulong key, ulong count) => (uint)(((key & uint.MaxValue) * count) >> 32);

    private ref Slot Take(Slot* slot, ulong key, ulong low, ulong high)
    {
        if (_used >= _count - (_count / 8))
        {
            Grow();
            slot = Free(key);
        }
        _used++;
        slot->Low = low;
        slot->High = high;
        return ref *slot;
    }

    private Slot* Free(ulong key)
    {
        uint i = SlotOf(key);
        while (_slots[i].Position != 0)
        {
            i = i + 1 == _count ? 0 : i + 1;
        }
        return _slots + i;
    }

    private void Grow()
    {
        using NativeArray<Slot> old = _memory;
        uint oldCount = _count;
        _count = (uint)Math.Min(_count * 2L, int.MaxValue);
        _memory = Allocate(_count);
        _slots = _memory.Base;
        for (long i = 0; i < oldCount; i++)
        {
            ref Slot slot = ref old[i];
            if (slot.Position != 0)
            {
                *Free(Key(slot.Low, _isShort)) = slot;
            }
        }
    }

    /// <summary>What is known of a hash. The largest table of many links is made of them, so that bits count.</summary>
    public struct Slot
    {
        /// <summary>A size that stands for itself and all larger ones.</summary>
        public const uint LargestSize = uint.MaxValue >> SizeShift;

        private const int AlignShift = 2;
        private const int SizeShift = 8;
        private const uint DemandMask = (1u << SizeShift) - 1;

        /// <summary>First half of the hash.</summary>
        public ulong Low;

        /// <summary>Second half; 0 for a short one.</summary>
        public ulong High;

        /// <summary>Position of the first occurrence, plus one; the caller sets it.</summary>
        public int Position;

        /// <summary>
        /// Size of the largest occurrence, <see cref="LargestSize"/> at most, and what all occurrences demand, see <see cref="Pack"/>; the
        /// caller sets them.
        /// </summary>
        public uint Packed;

        /// <summary>A size and a demand in one word.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static uint Pack(uint size, uint demand) => (Math.Min(size, LargestSize) << SizeShift) | demand;

        /// <summary>The size in what <see cref="Pack"/> made.</summary>
        public static uint SizeOf(uint packed) => packed >> SizeShift;

        /// <summary>The demand in what <see cref="Pack"/> made.</summary>
        public static uint DemandOf(uint packed) => packed & DemandMask;

        /// <summary>An alignment and attributes, local and used in an interface, as a demand.</summary>
        public static uint DemandOf(byte align, Objects.SymbolTable.Attributes attributes) =>
            ((uint)align << AlignShift) | ((uint)attributes / (uint)Objects.SymbolTable.Attributes.UsedInIface);

        /// <summary>The alignment of a demand.</summary>
        public static byte AlignOf(uint demand) => (byte)(demand >> AlignShift);

        /// <summary>The attributes of a demand.</summary>
        public static Objects.SymbolTable.Attributes AttributesOf(uint demand) =>
            (Objects.SymbolTable.Attributes)((demand & ((1u << AlignShift) - 1)) * (uint)Objects.SymbolTable.Attributes.UsedInIface);

        /// <summary>What asks for all that either asks for.</summary>
        public static uint Join(uint demand, uint other) =>
            DemandOf(Math.Max(AlignOf(demand), AlignOf(other)), AttributesOf(demand) | AttributesOf(other));
    }
}
