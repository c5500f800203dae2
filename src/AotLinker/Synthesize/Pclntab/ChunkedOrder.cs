using System.Runtime.InteropServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The order of a table's symbols, those first that the first function mentions: every chunk of functions places what it is the first to
/// mention, then the chunks are put one behind the other.
/// </summary>
/// <param name="functions">The functions.</param>
/// <param name="mentions">The symbols' slots.</param>
/// <param name="what">What the table holds, for the message when it is too long.</param>
/// <param name="start">Offset of the first symbol.</param>
internal sealed class ChunkedOrder(FunctionList functions, Mentions mentions, string what, int start = 0) : IDisposable
{
    private readonly ChunkSize[] _chunks = new ChunkSize[functions.ChunkCount];
    private readonly NativeArray<int> _ids = new(0);

    /// <summary>Gives out the entries of a function's row that belong to the table.</summary>
    public delegate Span<int> EntriesOf(FunctionUses.Uses uses);

    /// <summary>Length of the table in bytes. Valid after <see cref="Join"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Number of symbols. Valid after <see cref="Join"/>.</summary>
    public int Count => (int)_ids.Length;

    /// <summary>The i-th symbol.</summary>
    public SymbolId this[int i] => new(_ids[i]);

    /// <summary>Its offset in the table.</summary>
    public int OffsetOf(int i) => (int)mentions.Offset(_ids[i]);

    /// <summary>
    /// Places the symbol of an entry behind those that its chunk has placed so far, and marks the entry. The caller is the first to mention
    /// the symbol.
    /// </summary>
    public void Place(int chunk, ref int entry, int size)
    {
        ref ChunkSize c = ref _chunks[chunk];
        Volatile.Write(ref mentions[entry], c.Bytes);
        c.Bytes = checked(c.Bytes + size);
        c.Count++;
        entry = ~entry;
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public void Join(FunctionUses uses, EntriesOf entries)
    {
        ChunkSize[] starts = new ChunkSize[_chunks.Length];
        long size = start;
        int count = 0;
        for (int c = 0; c < _chunks.Length; c++)
        {
            starts[c] = new ChunkSize { Bytes = (int)size, Count = count };
            size += _chunks[c].Bytes;
            count += _chunks[c].Count;
            if (size > int.MaxValue)
            {
                throw new LinkException($"pclntab: more than 2 GiB of {what}");
            }
        }
        Size = size;
        _ids.Resize(count);
        functions.ForChunks((chunk, from, to) =>
        {
            FunctionUses.Walk walk = uses.Of(chunk);
            ChunkSize at = starts[chunk];
            for (int i = from; i < to; i++)
            {
                foreach (int entry in entries(walk.Next()))
                {
                    if (entry < 0)
                    {
                        mentions[~entry] += at.Bytes;
                        _ids[at.Count++] = mentions.IdOf(~entry);
                    }
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
