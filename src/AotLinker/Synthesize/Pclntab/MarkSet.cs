using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// A set of numbers: a bit for each that there may be. For one thread. Only numbers that there are (ids of symbols) may be added.
/// </summary>
internal sealed unsafe class MarkSet : IDisposable
{
    private readonly NativeArray<ulong> _memory;
    private readonly ulong* _words;

    /// <summary>An empty set of numbers below <paramref name="count"/>.</summary>
    public MarkSet(int count)
    {
        _memory = new NativeArray<ulong>(((long)count + 63) >> 6);
        _words = _memory.Base;
    }

    /// <summary>The bits, 64 numbers to a word.</summary>
    public Span<ulong> Words => _memory.AsSpan();

    /// <summary>Adds a number; false if it was in the set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(int number)
    {
        ulong* word = _words + (number >> 6);
        ulong mark = 1UL << (number & 63);
        if ((*word & mark) != 0)
        {
            return false;
        }
        *word |= mark;
        return true;
    }

    /// <summary>Adds numbers, 0 excepted, and lists those that were not in the set.</summary>
    public void Add(ReadOnlySpan<int> numbers, NativeList<int> added)
    {
        foreach (int number in numbers)
        {
            if (number != 0 && Add(number))
            {
                added.Add(number);
            }
        }
    }

    /// <summary>Forgets all numbers.</summary>
    public void Clear() => Words.Clear();

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
