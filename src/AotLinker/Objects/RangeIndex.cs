using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Objects;

/// <summary>
/// Tells in which of many consecutive ranges a number lies: a table with an entry per 256 numbers leads close to it. It is small
/// enough to stay in the cache, where a column with the answer for every number is not.
/// </summary>
internal sealed class RangeIndex
{
    private const int BlockShift = 8;

    private readonly int[] _starts;
    private readonly int[] _ofBlock;
    private readonly int _end;

    /// <summary>Ranges of which the i-th is [starts[i], starts[i + 1]); some may be empty. The first starts at 0.</summary>
    public RangeIndex(int[] starts)
    {
        if (starts.Length < 2 || starts[0] != 0)
        {
            throw new ArgumentException("at least one range, from 0 on", nameof(starts));
        }
        _starts = starts;
        _end = starts[^1];
        _ofBlock = new int[(starts[^1] >> BlockShift) + 1];
        for (int block = 0, range = 0; block < _ofBlock.Length; block++)
        {
            while (range < starts.Length - 2 && starts[range + 1] <= block << BlockShift)
            {
                range++;
            }
            _ofBlock[block] = range;
        }
    }

    /// <summary>End of the last range.</summary>
    public int End => _end;

    /// <summary>Where a range starts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Start(int range) => _starts[range];

    /// <summary>The range a number lies in.</summary>
    /// <exception cref="IndexOutOfRangeException">It lies in none.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int number, out int offset)
    {
        if ((uint)number >= (uint)_end)
        {
            ThrowOutside();
        }
        // The number is below the last range's end, so that nothing is read behind either table.
        ref int starts = ref MemoryMarshal.GetArrayDataReference(_starts);
        int range = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_ofBlock), number >> BlockShift);
        while (Unsafe.Add(ref starts, range + 1) <= number)
        {
            range++;
        }
        offset = number - Unsafe.Add(ref starts, range);
        return range;
    }

    private static void ThrowOutside() => throw new IndexOutOfRangeException();
}
