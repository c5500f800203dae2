using System.Numerics;
using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// Numbers the live symbols in the order of their ids: nineteen of twenty symbols of a large program are dead, and a column over all ids
/// is mostly memory that is cleared and looked for in vain.
/// </summary>
/// <remarks>
/// A block has the marks of 64 ids and the number of the first one that is marked; all blocks together fit the cache. Ids from the end of
/// the blocks on, those of symbols that passes make, are numbered one by one. What becomes live after the numbering has no number.
/// </remarks>
internal sealed unsafe class LiveNumbers
{
    private const int BlockShift = 6;
    private const int BlockMask = (1 << BlockShift) - 1;

    private readonly NativeArray<Block> _memory = new(0);
    private Block* _blocks;

    /// <summary>Ids that one block is about.</summary>
    public const int BlockSize = 1 << BlockShift;

    /// <summary>Whether there are numbers yet.</summary>
    public bool IsNumbered => _blocks != null;

    /// <summary>Number of ids that the blocks are about; those behind follow one by one.</summary>
    public int End { get; private set; } = int.MaxValue;

    /// <summary>Numbers given to ids below <see cref="End"/>.</summary>
    public int Count { get; private set; }

    /// <summary>The number of an id; negative for one that was dead when numbers were given, or before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Of(int id)
    {
        if (id >= End)
        {
            return Count + (id - End);
        }
        return _blocks == null ? -1 : NumberIn(_blocks, id);
    }

    /// <summary>The numbers as they are, for loops that call nothing; all negative as long as there are none.</summary>
    public View AsView() => _blocks == null ? new View(null, 0, int.MinValue) : new View(_blocks, End, Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NumberIn(Block* blocks, int id)
    {
        Block* block = blocks + (id >> BlockShift);
        // The id's own mark becomes the highest bit, above those of the ids before it; of the distance only the low six bits count.
        ulong marks = block->Marks << ~id;
        return (long)marks < 0 ? block->First + BitOperations.PopCount(marks) - 1 : -1;
    }

    /// <summary>Makes the blocks for ids up to <paramref name="end"/>, none marked; each is then set, and <see cref="Number"/> called.</summary>
    public void Begin(int end)
    {
        End = end;
        _memory.Resize(((end + BlockMask) >> BlockShift) + 1);
        _blocks = _memory.Base;
    }

    /// <summary>Sets the marks of the 64 ids from a multiple of 64 on.</summary>
    public void SetMarks(int id, ulong marks) => _blocks[id >> BlockShift].Marks = marks;

    /// <summary>Gives out the numbers.</summary>
    public void Number()
    {
        int count = 0;
        for (Block* block = _blocks; block < _blocks + _memory.Length; block++)
        {
            block->First = count;
            count += BitOperations.PopCount(block->Marks);
        }
        Count = count;
    }

    /// <summary>The numbers of symbols that there are already.</summary>
    public readonly struct View
    {
        private readonly Block* _blocks;
        private readonly int _end;
        private readonly int _count;

        internal View(Block* blocks, int end, int count)
        {
            _blocks = blocks;
            _end = end;
            _count = count;
        }

        /// <summary>As <see cref="LiveNumbers.Of"/>.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Of(int id) => id >= _end ? _count + (id - _end) : NumberIn(_blocks, id);
    }

    internal struct Block
    {
        /// <summary>A bit for each id that is numbered.</summary>
        public ulong Marks;

        /// <summary>Number of the first of them.</summary>
        public int First;
    }
}
