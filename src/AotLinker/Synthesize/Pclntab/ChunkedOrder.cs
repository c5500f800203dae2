using System.Runtime.InteropServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The order of a table's symbols, those first that the first function mentions: every chunk of functions places what it is the first to
/// mention, then the chunks are put one behind the other.
/// </summary>
/// <param name="functions">The functions.</param>
/// <param name="mentions">What is known of the symbols.</param>
/// <param name="sort">What the table holds.</param>
/// <param name="what">The same for the message when it is too long.</param>
internal sealed class ChunkedOrder(FunctionList functions, Mentions mentions, FunctionUses.Sort sort, string what) : IDisposable
{
    private readonly ChunkSize[] _chunks = new ChunkSize[functions.ChunkCount];
    private readonly NativeArray<int> _ids = new(0);

    /// <summary>Length of the table in bytes. Valid after <see cref="Join"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Number of symbols. Valid after <see cref="Join"/>.</summary>
    public int Count => (int)_ids.Length;

    /// <summary>The i-th symbol.</summary>
    public SymbolId this[int i] => new(_ids[i]);

    /// <summary>Its offset in the table.</summary>
    public int OffsetOf(int i) => (int)mentions.Offset(_ids[i]);

    /// <summary>
    /// Places a symbol behind those that its chunk has placed so far; <paramref name="place"/> is what is known of it. The chunk is the
    /// first to mention the symbol.
    /// </summary>
    public void Place(int chunk, ref int place, int size)
    {
        ref ChunkSize c = ref _chunks[chunk];
        Volatile.Write(ref place, c.Bytes);
        c.Bytes = TableLength.Check((long)c.Bytes + size, what);
        c.Count++;
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public void Join(FunctionUses uses)
    {
        ChunkSize[] starts = new ChunkSize[_chunks.Length];
        long size = 0;
        int count = 0;
        for (int c = 0; c < _chunks.Length; c++)
        {
            starts[c] = new ChunkSize { Bytes = (int)size, Count = count };
            size = TableLength.Check(size + _chunks[c].Bytes, what);
            count += _chunks[c].Count;
        }
        Size = size;
        _ids.Resize(count);
        functions.ForChunks((chunk, _, _) =>
        {
            ChunkSize at = starts[chunk];
            foreach (int id in uses.Of(chunk, sort))
            {
                if (id != 0)
                {
                    mentions[id] += at.Bytes;
                    _ids[at.Count++] = id;
                }
            }
        });
    }

    /// <summary>Position of the last symbol that starts at or before <paramref name="offset"/>; 0 if there is none.</summary>
    public int FirstAt(long offset)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (OffsetOf(middle) <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return Math.Max(0, low - 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _ids.Dispose();

    /// <summary>What a chunk has placed. Threads fill those of neighbours at the same time, so each has a cache line of its own.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct ChunkSize
    {
        public int Bytes;
        public int Count;
    }
}
