using System.Numerics;
using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The symbols that functions mention, with a slot for each: a few of every hundred symbols. First all are marked; then they are
/// numbered, and each has its slot.
/// </summary>
/// <remarks>One slot per symbol serves both tables: functions and funcdata are never the same symbols.</remarks>
internal sealed unsafe class Mentions : IDisposable
{
    private const int BlockShift = 6;
    private const int BlockMask = (1 << BlockShift) - 1;

    private readonly Lock _lock = new();
    private readonly NativeArray<Block> _blockMemory;
    private readonly NativeArray<int> _placeMemory = new(0);
    private readonly Block* _blocks;
    private int* _places;

    /// <summary>No mentions among ids below <paramref name="count"/>.</summary>
    public Mentions(int count)
    {
        _blockMemory = new NativeArray<Block>((count + BlockMask) >> BlockShift);
        _blocks = _blockMemory.Base;
    }

    /// <summary>Marks the symbols of a set, from any thread.</summary>
    public void Take(MarkSet symbols)
    {
        lock (_lock)
        {
            Block* block = _blocks;
            foreach (ulong marks in symbols.Words[..(int)_blockMemory.Length])
            {
                block++->Marks |= marks;
            }
        }
    }

    /// <summary>Gives every marked symbol its slot, and the first one to no symbol.</summary>
    public void Number()
    {
        int count = 0;
        _blocks->Marks |= 1;
        foreach (ref Block block in _blockMemory.AsSpan())
        {
            block.First = count;
            count += BitOperations.PopCount(block.Marks);
        }
        _placeMemory.Resize(count);
        _placeMemory.PreferLargePages();
        _places = _placeMemory.Base;
    }

    /// <summary>
    /// What is known of a symbol that functions mention, or of no symbol: first who mentions it (<see cref="FirstUse"/>), then where it is.
    /// </summary>
    public ref int this[int id]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref At(_blocks, _places, id);
    }

    /// <summary>Notes that the chunk mentions symbols. What is no id is passed over.</summary>
    public void Note(int chunk, ReadOnlySpan<int> ids)
    {
        Block* blocks = _blocks;
        int* places = _places;
        foreach (int id in ids)
        {
            if (id > 0)
            {
                FirstUse.Note(ref At(blocks, places, id), chunk);
            }
        }
    }

    /// <summary>What is known of a symbol in the end: its offset in its table; 0 for no symbol.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Offset(int id) => (uint)this[id];

    /// <summary>The offsets of several symbols, and <paramref name="none"/> for no symbol.</summary>
    public void Offsets(ReadOnlySpan<int> ids, Span<uint> offsets, uint none)
    {
        Block* blocks = _blocks;
        int* places = _places;
        offsets = offsets[..ids.Length];
        for (int k = 0; k < ids.Length; k++)
        {
            offsets[k] = ids[k] == 0 ? none : (uint)At(blocks, places, ids[k]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _blockMemory.Dispose();
        _placeMemory.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref int At(Block* blocks, int* places, int id)
    {
        Block* block = blocks + (id >> BlockShift);
        ulong below = (1UL << (id & BlockMask)) - 1;
        return ref places[block->First + BitOperations.PopCount(block->Marks & below)];
    }

    private struct Block
    {
        /// <summary>A bit for each of 64 ids.</summary>
        public ulong Marks;

        /// <summary>Slot of the first marked one.</summary>
        public int First;
    }
}
