using System.Buffers;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The pc tables of all functions, each once per content, in the order of first mention (runtime.pctab). Offset 0 stands for no table,
/// hence a byte in front.
/// </summary>
/// <remarks>
/// These tables have no ids: two thirds of all content hashes are theirs, and half belong to dead functions. So they are told apart here, when
/// it is known which functions live. The numbers of what each function mentions are kept for its record.
/// </remarks>
internal sealed unsafe class PcTables : IDisposable
{
    private const int Start = 1;

    // Different ones, in programs of all sizes.
    private const int TablesPerFunction = 4;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly PcTableSet _set;
    private readonly MemoryArena _memory = new();
    private readonly Chunk[] _chunks;

    // By function, where its numbers begin among those of its chunk.
    private readonly NativeArray<int> _firsts;
    private readonly NativeArray<int> _order = new(0);

    /// <summary>No tables yet.</summary>
    public PcTables(FunctionList functions)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        _set = new PcTableSet(_symbols, (long)TablesPerFunction * functions.Count);
        _chunks = new Chunk[functions.ChunkCount];
        _firsts = new NativeArray<int>(functions.Count);
    }

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>One thread's way of telling what functions mention.</summary>
    public Reader NewReader() => new(this);

    /// <summary>
    /// Numbers of the tables that a function mentions: the fixed ones, its pcdata, and the inline table if it has inlined calls; 0 for none.
    /// </summary>
    public ReadOnlySpan<int> Of(int function, int count) => new(_chunks[function / FunctionList.ChunkSize].Numbers + _firsts[function], count);

    /// <summary>Offset of a table.</summary>
    public uint Offset(int number) => (uint)_set[number].Place;

    /// <summary>Offsets of tables.</summary>
    public void Offsets(ReadOnlySpan<int> numbers, Span<uint> offsets)
    {
        offsets = offsets[..numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            offsets[i] = (uint)_set[numbers[i]].Place;
        }
    }

    /// <summary>Places the tables that a chunk is the first to mention, when all chunks have been read.</summary>
    public void Claim(int chunk)
    {
        const int Ahead = 8;
        ref Chunk c = ref _chunks[chunk];
        int[] buffer = ArrayPool<int>.Shared.Rent(c.Count);
        int count = 0;
        foreach (int number in new ReadOnlySpan<int>(c.Numbers, c.Count))
        {
            ref int place = ref _set[number].Place;
            if (FirstUse.IsFirst(ref place, chunk))
            {
                Volatile.Write(ref place, 0);
                buffer[count++] = number;
            }
        }
        int placed = 0;
        for (int i = 0; i < count; i++)
        {
            // Nobody has read their records yet.
            if (i + Ahead < count)
            {
                _set.ExpectRecord(buffer[i + Ahead]);
            }
            int number = buffer[i];
            if (_set.Size(number) is not 0 and var size)
            {
                Volatile.Write(ref _set[number].Place, c.Bytes);
                c.Bytes = checked((int)(c.Bytes + size));
                buffer[placed++] = number;
            }
        }
        c.FirstCount = placed;
        c.Firsts = _memory.Alloc<int>(placed);
        buffer.AsSpan(0, placed).CopyTo(new Span<int>(c.Firsts, placed));
        ArrayPool<int>.Shared.Return(buffer);
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public void Place()
    {
        _set.Close();
        (int Bytes, int Count)[] starts = new (int, int)[_chunks.Length];
        long size = Start;
        int count = 0;
        for (int c = 0; c < _chunks.Length; c++)
        {
            starts[c] = ((int)size, count);
            size += _chunks[c].Bytes;
            count += _chunks[c].FirstCount;
            if (size > int.MaxValue)
            {
                throw new LinkException("pclntab: more than 2 GiB of pc tables");
            }
        }
        Size = size;
        _order.Resize(count);
        _functions.ForChunks((chunk, _, _) =>
        {
            ref Chunk c = ref _chunks[chunk];
            (int bytes, int at) = starts[chunk];
            foreach (int number in new ReadOnlySpan<int>(c.Firsts, c.FirstCount))
            {
                _set[number].Place += bytes;
                _order[at++] = number;
            }
        });
    }

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (int i = FirstAt(offset); i < _order.Length; i++)
        {
            int number = _order[i];
            int at = _set[number].Place;
            if (at >= writer.End)
            {
                return;
            }
            writer.Bytes(at, _set.Data(number));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _set.Dispose();
        _memory.Dispose();
        _firsts.Dispose();
        _order.Dispose();
    }

    // Position of the last table that starts at or before an offset; 0 if there is none.
    private int FirstAt(long offset)
    {
        int low = 0;
        int high = (int)_order.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_set[_order[middle]].Place <= offset)
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

    private struct Chunk
    {
        /// <summary>What its functions mention.</summary>
        public int* Numbers;
        public int Count;

        /// <summary>What it is the first to mention, and its size.</summary>
        public int* Firsts;
        public int FirstCount;
        public int Bytes;
    }

    /// <summary>Notes the tables of a chunk's functions, then numbers them all, so that what a number is found by is asked for ahead.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly PcTables _tables;
        private readonly NativeList<Use> _uses = new();

        internal Reader(PcTables tables) => _tables = tables;

        /// <summary>Notes what the next function of the chunk mentions.</summary>
        public void Add(int function, GoObject? owner, FunctionReader reader)
        {
            _tables._firsts[function] = _uses.Count;
            if (owner is null)
            {
                return;
            }
            Add(owner, reader.PcTables);
            Add(owner, reader.PcData);
            if (reader.HasInlined)
            {
                Add(owner, [reader.PcInline]);
            }
        }

        /// <summary>Numbers what the functions of a chunk mention.</summary>
        public void End(int chunk)
        {
            const int Ahead = 12;
            PcTableSet set = _tables._set;
            Use* use = _uses.Pointer;
            int count = _uses.Count;
            ref Chunk c = ref _tables._chunks[chunk];
            int* numbers = _tables._memory.Alloc<int>(count);
            c.Count = count;
            c.Numbers = numbers;
            for (int i = 0; i < count; i++, use++)
            {
                if (i + Ahead < count && use[Ahead].Hash != null)
                {
                    set.Expect(use[Ahead].Hash);
                }
                int number = use->Hash != null ? set.Add(use->Hash, use->Position) : Other(set, use->Position);
                if (number != 0)
                {
                    FirstUse.Note(ref set[number].Place, chunk);
                }
                numbers[i] = number;
            }
            _uses.Clear();
        }

        /// <inheritdoc/>
        public void Dispose() => _uses.Dispose();

        private static int Other(PcTableSet set, int table) => table == 0 ? 0 : set.Add(new SymbolId(~table));

        private void Add(GoObject owner, ReadOnlySpan<int> tables)
        {
            int first = owner.FirstHashed;
            int position = _tables._symbols.PositionOf(owner, first);
            byte* hashes = owner.ContentHashesOf(isShort: false);
            Use* use = _uses.Extend(tables.Length);
            foreach (int table in tables)
            {
                int index = table - 1 - first;
                if (table > 0)
                {
                    use->Hash = hashes + ((long)index * 16);
                    use->Position = position + index;
                    Prefetch.Read(use->Hash);
                }
                else
                {
                    use->Hash = null;
                    use->Position = table;
                }
                use++;
            }
        }

        /// <summary>A mention: content hash and position of a definition, or the complement of an id, or none.</summary>
        private struct Use
        {
            public byte* Hash;
            public int Position;
        }
    }
}
