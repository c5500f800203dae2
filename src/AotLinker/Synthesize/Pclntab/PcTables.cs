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
/// it is known which functions live. Where lies what each function mentions is kept for its record.
/// </remarks>
internal sealed unsafe class PcTables : IDisposable
{
    private const int Start = 1;
    private const string What = "pc tables";

    // The larger a program is, the more its functions' tables repeat: there were 70,000 of 16,000 functions, 100,000 of 30,000, 240,000 of
    // 140,000.
    private const double ByRootOfFunctions = 640;
    private const long MostByFunction = 7;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly PcTableSet _set;
    private readonly MemoryArena _memory = new();
    private readonly Chunk[] _chunks;

    // By function, where its tables begin among those of its chunk.
    private readonly NativeArray<int> _starts;

    // In their order. Valid after Place.
    private readonly NativeArray<Table> _tables = new(0);

    /// <summary>No tables yet.</summary>
    public PcTables(FunctionList functions)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        _set = new PcTableSet(
            _symbols,
            Math.Min(MostByFunction * functions.Count, (long)(ByRootOfFunctions * Math.Sqrt(functions.Count))),
            functions.Context.Workers.Threads);
        _chunks = new Chunk[functions.ChunkCount];
        _starts = new NativeArray<int>(functions.Count);
    }

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>One thread's way of telling what functions mention.</summary>
    public Reader NewReader() => new(this);

    /// <summary>
    /// Offsets of the tables that a function mentions: the fixed ones, its pcdata, and the inline table if it has inlined calls; 0 for none. Valid
    /// after <see cref="Place"/>.
    /// </summary>
    public ReadOnlySpan<uint> Of(int function, int count) => new(_chunks[function / FunctionList.ChunkSize].Numbers + _starts[function], count);

    /// <summary>All chunks have been read.</summary>
    public void EndReading() => _set.Close();

    /// <summary>Places the tables that a chunk is the first to mention, when all chunks have been read.</summary>
    public void Claim(int chunk)
    {
        const int Ahead = 8;
        ref Chunk c = ref _chunks[chunk];
        int[] firsts = ArrayPool<int>.Shared.Rent(c.Count);
        int count = 0;
        for (int i = 0; i < c.Count; i++)
        {
            ref int place = ref _set[c.Numbers[i]].Place;
            if (FirstUse.IsFirst(ref place, chunk))
            {
                Volatile.Write(ref place, 0);
                firsts[count++] = i;
            }
        }
        for (int i = 0; i < count; i++)
        {
            // Nobody has read their records yet.
            if (i + Ahead < count)
            {
                _set.ExpectRecord(c.Numbers[firsts[i + Ahead]]);
            }
            ref int number = ref c.Numbers[firsts[i]];
            if (_set.Size(number) is not 0 and var size)
            {
                Volatile.Write(ref _set[number].Place, c.Bytes);
                c.Bytes = TableLength.Check(c.Bytes + size, What);
                c.FirstCount++;
                number = ~number;
            }
        }
        ArrayPool<int>.Shared.Return(firsts);
    }

    /// <summary>Puts the chunks one behind the other.</summary>
    /// <exception cref="LinkException">The table would be longer than its offsets can say.</exception>
    public void Place()
    {
        (int Bytes, int Count)[] starts = new (int, int)[_chunks.Length];
        long size = Start;
        int count = 0;
        for (int c = 0; c < _chunks.Length; c++)
        {
            starts[c] = ((int)size, count);
            size = TableLength.Check(size + _chunks[c].Bytes, What);
            count += _chunks[c].FirstCount;
        }
        Size = size;
        _tables.Resize(count);
        _functions.ForChunks((chunk, _, _) =>
        {
            (int bytes, int at) = starts[chunk];
            foreach (ref int number in _chunks[chunk].AsSpan())
            {
                if (number < 0)
                {
                    number = ~number;
                    ref PcTableSet.Entry entry = ref _set[number];
                    entry.Place += bytes;
                    _tables[at++] = new Table(entry.Position, entry.Place);
                }
            }
        });
        // Nobody asks for numbers any more.
        _functions.ForChunks((chunk, _, _) =>
        {
            foreach (ref int number in _chunks[chunk].AsSpan())
            {
                number = _set[number].Place;
            }
        });
        _set.Dispose();
    }

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (int i = FirstAt(offset); i < _tables.Length; i++)
        {
            Table table = _tables[i];
            if (table.Offset >= writer.End)
            {
                return;
            }
            writer.Bytes(table.Offset, table.Position >= 0
                ? _symbols.DefinitionAt(table.Position, out int local).Data(local)
                : _symbols.Data(new SymbolId(~table.Position)));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _set.Dispose();
        _memory.Dispose();
        _starts.Dispose();
        _tables.Dispose();
    }

    // Number of the last table that starts at or before an offset; 0 if there is none.
    private int FirstAt(long offset)
    {
        int low = 0;
        int high = (int)_tables.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_tables[middle].Offset <= offset)
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

    /// <summary>A table: position of its definition, or the complement of its id, and where it is.</summary>
    private readonly record struct Table(int Position, int Offset);

    private struct Chunk
    {
        /// <summary>
        /// What its functions mention: numbers, for a while complements of those that it is the first to mention; in the end offsets.
        /// </summary>
        public int* Numbers;
        public int Count;

        /// <summary>What it is the first to mention: how many tables, and their size.</summary>
        public int FirstCount;
        public int Bytes;

        public readonly Span<int> AsSpan() => new(Numbers, Count);
    }

    /// <summary>Notes the tables of a chunk's functions, then numbers them all, so that what a number is found by is asked for ahead.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly PcTables _tables;
        private readonly NativeList<Use> _uses = new();
        private PcTableSet.Numbers _numbers;

        internal Reader(PcTables tables) => _tables = tables;

        /// <summary>Notes what the next function of the chunk mentions.</summary>
        public void Add(int function, GoObject? owner, FunctionReader reader)
        {
            _tables._starts[function] = _uses.Count;
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
            const int Behind = 8;
            PcTableSet set = _tables._set;
            Use* uses = _uses.Pointer;
            int count = _uses.Count;
            ref Chunk c = ref _tables._chunks[chunk];
            int* numbers = _tables._memory.Alloc<int>(count);
            c.Count = count;
            c.Numbers = numbers;
            for (int i = 0; i < count + Behind; i++)
            {
                if (i + Ahead < count && uses[i + Ahead].Hash != null)
                {
                    set.Expect(uses[i + Ahead].Hash);
                }
                if (i < count)
                {
                    ref Use use = ref uses[i];
                    numbers[i] = use.Hash != null ? set.Add(use.Hash, use.Position, ref _numbers)
                        : use.Position != 0 ? set.Add(new SymbolId(~use.Position), out use.Position, ref _numbers)
                        : 0;
                    set.ExpectEntry(numbers[i]);
                }
                if (i >= Behind && numbers[i - Behind] != 0)
                {
                    set.Note(numbers[i - Behind], uses[i - Behind].Position, chunk);
                }
            }
            _uses.Clear();
        }

        /// <inheritdoc/>
        public void Dispose() => _uses.Dispose();

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
