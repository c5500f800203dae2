namespace AotLinker.Ordering;

/// <summary>
/// How many items of each key are in each chunk, and then where each chunk's go: a counting sort with several threads. Items with the same
/// key keep their order, and the result does not depend on who counted which chunk.
/// </summary>
internal sealed class ChunkedCounts
{
    private readonly int _chunk;
    private readonly int _keys;
    private readonly int[] _counts;

    /// <summary>Zeros.</summary>
    /// <param name="count">Number of items.</param>
    /// <param name="chunk">Items in a chunk.</param>
    /// <param name="keys">Number of keys, from 0 on.</param>
    public ChunkedCounts(int count, int chunk, int keys)
    {
        _chunk = chunk;
        _keys = keys;
        _counts = new int[(int)(((long)count + chunk - 1) / chunk) * keys];
    }

    /// <summary>By key, for the chunk that begins with an item: first to count in, then, after <see cref="ToPlaces"/>, the next place.</summary>
    public Span<int> Of(int from) => _counts.AsSpan(from / _chunk * _keys, _keys);

    /// <summary>Turns counts into places.</summary>
    /// <returns>Where each key's items begin; at the end, where the last one's end.</returns>
    public int[] ToPlaces()
    {
        int[] starts = new int[_keys + 1];
        int sum = 0;
        for (int key = 0; key < _keys; key++)
        {
            starts[key] = sum;
            for (int i = key; i < _counts.Length; i += _keys)
            {
                int count = _counts[i];
                _counts[i] = sum;
                sum += count;
            }
        }
        starts[_keys] = sum;
        return starts;
    }
}
