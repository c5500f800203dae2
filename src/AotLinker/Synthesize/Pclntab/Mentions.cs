using System.Numerics;
using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The symbols that functions mention, with a slot for each: a few of every hundred symbols. First all are marked, from any thread; then
/// they are numbered, and each has its slot.
/// </summary>
/// <remarks>One slot per symbol serves several tables: functions, pc tables and funcdata are never the same symbols.</remarks>
internal sealed class Mentions : IDisposable
{
    private const int BlockShift = 6;
    private const int BlockMask = (1 << BlockShift) - 1;

    private readonly NativeArray<Block> _blocks;
    private readonly NativeArray<int> _places = new(0);
    private readonly NativeArray<int> _ids = new(0);

    /// <summary>No mentions among ids below <paramref name="count"/>.</summary>
    public Mentions(int count) => _blocks = new NativeArray<Block>((count + BlockMask) >> BlockShift);

    /// <summary>Marks a symbol that has not been numbered yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Mark(int id)
    {
        ref ulong marks = ref _blocks[id >> BlockShift].Marks;
        ulong mark = 1UL << (id & BlockMask);
        if ((Volatile.Read(ref marks) & mark) == 0)
        {
            Interlocked.Or(ref marks, mark);
        }
    }

    /// <summary>Gives every marked symbol its slot.</summary>
    public void Number()
    {
        int count = 1;
        foreach (ref Block block in _blocks.AsSpan())
        {
            block.First = count;
            count += BitOperations.PopCount(block.Marks);
        }
        _places.Resize(count);
        _places.PreferLargePages();
        _ids.Resize(count);
        _ids.PreferLargePages();
    }

    /// <summary>Number of a symbol's slot; 0, the slot of no symbol, if none mentions it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SlotOf(int id)
    {
        ref Block block = ref _blocks[id >> BlockShift];
        ulong mark = 1UL << (id & BlockMask);
        return (block.Marks & mark) == 0 ? 0 : block.First + BitOperations.PopCount(block.Marks & (mark - 1));
    }

    /// <summary>What is known of a slot's symbol: first who mentions it (<see cref="FirstUse"/>), then where it is.</summary>
    public ref int this[int slot]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _places[slot];
    }

    /// <summary>The symbol of a slot, once its first mention was looked at, until <see cref="ForgetIds"/>.</summary>
    public int IdOf(int slot) => _ids[slot];

    /// <summary>Sets the symbol of a slot.</summary>
    public void SetId(int slot, int id) => _ids[slot] = id;

    /// <summary>When the tables list symbols and not slots.</summary>
    public void ForgetIds() => _ids.Dispose();

    /// <summary>What a symbol's slot says in the end: its offset in its table; 0 for one that no function mentions.</summary>
    public uint Offset(int id) => (uint)this[SlotOf(id)];

    /// <inheritdoc/>
    public void Dispose()
    {
        _blocks.Dispose();
        _places.Dispose();
        _ids.Dispose();
    }

    private struct Block
    {
        /// <summary>A bit for each of 64 ids.</summary>
        public ulong Marks;

        /// <summary>Slot of the first marked one.</summary>
        public int First;
    }
}
