using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// What every function mentions, read from its object once for all tables: one row of numbers per function. First they are ids, then
/// slots of <see cref="Mentions"/>, then the complement of the slot where the function is the first to mention the symbol.
/// </summary>
internal sealed unsafe class FunctionUses : IDisposable
{
    private readonly FunctionList _functions;
    private readonly Mentions _mentions;

    // What each worker has read, and where the rows of each chunk begin.
    private readonly Rows?[] _rows;
    private readonly nint[] _chunks;

    /// <summary>No rows yet.</summary>
    public FunctionUses(FunctionList functions, Mentions mentions)
    {
        _functions = functions;
        _mentions = mentions;
        _rows = new Rows?[functions.Context.Workers.Threads];
        _chunks = new nint[functions.ChunkCount];
    }

    /// <summary>Reads all functions and marks what they mention.</summary>
    /// <exception cref="LinkException">A function's record is damaged.</exception>
    public void Read(SourceFiles files, FunctionTable table)
    {
        _functions.ForChunks((chunk, from, to, worker) =>
        {
            Rows rows = _rows[worker] ??= new Rows();
            _chunks[chunk] = (nint)rows.Next;
            Approach approach = new(_functions, from, to);
            for (int i = from; i < to; i++)
            {
                approach.Expect(i);
                FunctionParts parts = new(_functions.Context.Symbols, _functions[i]);
                table.Measure(i, parts);
                ReadOne(rows, parts, files);
            }
        });
    }

    /// <summary>Walks the functions of a chunk.</summary>
    public Walk Of(int chunk) => new((int*)_chunks[chunk]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Rows? rows in _rows)
        {
            rows?.Dispose();
        }
    }

    private void ReadOne(Rows rows, in FunctionParts parts, SourceFiles files)
    {
        FuncInfo info = parts.Info;
        CompilationUnit? unit = parts.Owner?.Unit;
        rows.Begin();
        rows.Add(Mentioned(parts.Function));
        for (int k = 0; k < info.InlineCount; k++)
        {
            rows.Add(Mentioned(parts.Inlined(k)));
        }
        if (!info.IsValid)
        {
            rows.End(unit, 1, 0, 0, 0);
            return;
        }
        rows.Add(Mentioned(parts.PcSp));
        rows.Add(Mentioned(parts.PcFile));
        rows.Add(Mentioned(parts.PcLine));
        foreach (SymbolId s in parts.PcData)
        {
            rows.Add(Mentioned(s));
        }
        if (parts.HasInlined)
        {
            rows.Add(Mentioned(parts.PcInline));
        }
        int index = 0;
        foreach (SymbolId s in parts.FuncData)
        {
            // What the compiler made at the place of the inline tree gives way to it.
            bool isOwn = !(index == FunctionParts.InlineFuncData && parts.HasInlined) && !parts.Ignores(index, s);
            rows.Add(isOwn ? Mentioned(s) : 0);
            index++;
        }
        for (int k = 0; k < info.FileCount; k++)
        {
            rows.Add(files.FileIndex(unit!, info.File(k)));
        }
        for (int k = 0; k < info.InlineCount; k++)
        {
            rows.Add(files.FileIndex(unit!, info.Inlined(k).File));
        }
        rows.End(unit, 1 + info.InlineCount, 3 + parts.OwnPcData + (parts.HasInlined ? 1 : 0), index, info.FileCount + info.InlineCount);
    }

    private int Mentioned(SymbolId s)
    {
        if (!s.IsNone)
        {
            _mentions.Mark(s.Index);
        }
        return s.Index;
    }

    /// <summary>The functions of a chunk, one after the other.</summary>
    public struct Walk(int* next)
    {
        private int* _next = next;

        /// <summary>The next function's row.</summary>
        public Uses Next()
        {
            int* row = Rows.RowAt(_next);
            _next = row + Rows.HeaderLength + row[0] + row[1] + row[2] + row[3];
            return new Uses(row);
        }
    }

    /// <summary>What one function mentions; 0 stands for nothing.</summary>
    public readonly ref struct Uses(int* row)
    {
        private readonly int* _row = row;

        /// <summary>The function and, call by call, what was inlined into it.</summary>
        public Span<int> Names => new(_row + Rows.HeaderLength, _row[0]);

        /// <summary>Its pc tables.</summary>
        public Span<int> PcTables => new(_row + Rows.HeaderLength + _row[0], _row[1]);

        /// <summary>Its funcdata by their indices, without the inline tree.</summary>
        public Span<int> FuncData => new(_row + Rows.HeaderLength + _row[0] + _row[1], _row[2]);

        /// <summary>Those with an index below <paramref name="index"/>.</summary>
        public Span<int> FuncDataBefore(int index) => FuncData[..Math.Min(index, _row[2])];

        /// <summary>Those with an index from <paramref name="index"/> on.</summary>
        public Span<int> FuncDataFrom(int index) => FuncData[Math.Min(index, _row[2])..];

        /// <summary>Its source files, some more than once.</summary>
        public Span<int> Files => new(_row + Rows.HeaderLength + _row[0] + _row[1] + _row[2], _row[3]);

        /// <summary>Number of its compilation unit; -1 for none.</summary>
        public int Unit => _row[4];

        /// <summary>Number of calls inlined into it.</summary>
        public int InlineCount => _row[0] - 1;

        /// <summary>Turns ids into slots.</summary>
        public void Resolve(Mentions mentions)
        {
            foreach (ref int id in new Span<int>(_row + Rows.HeaderLength, _row[0] + _row[1] + _row[2]))
            {
                if (id != 0)
                {
                    int slot = mentions.SlotOf(id);
                    mentions.SetId(slot, id);
                    id = slot;
                }
            }
        }
    }

    /// <summary>
    /// Rows that a thread writes, one behind the other, in blocks that never move: where a row does not fit, it goes on to the next block
    /// as a whole, and a mark stands in its place.
    /// </summary>
    internal sealed class Rows : IDisposable
    {
        /// <summary>Numbers in front of the entries: how many there are of each sort, and the unit.</summary>
        public const int HeaderLength = 5;

        // In the place of the first number; the address of the next block follows.
        private const int GoesOn = -1;
        private const int MarkLength = 3;

        private readonly int _blockLength;
        private readonly List<NativeArray<int>> _blocks = [];
        private int* _row;
        private int* _end;

        /// <summary>No rows yet; a block is for <paramref name="blockLength"/> numbers, but for a row that is longer.</summary>
        public Rows(int blockLength = 1 << 16)
        {
            _blockLength = blockLength;
            NewBlock(blockLength);
        }

        /// <summary>Where the next number goes; between rows, where the next row begins.</summary>
        public int* Next { get; private set; }

        /// <summary>The row that was begun at a place. A long one may have gone on more than once.</summary>
        public static int* RowAt(int* place)
        {
            while (*place == GoesOn)
            {
                place = *(int**)(place + 1);
            }
            return place;
        }

        /// <summary>Begins a row.</summary>
        public void Begin()
        {
            _row = Next;
            for (int i = 0; i < HeaderLength; i++)
            {
                Add(0);
            }
        }

        /// <summary>Adds an entry to the row.</summary>
        public void Add(int value)
        {
            if (Next == _end)
            {
                MoveRow();
            }
            *Next++ = value;
        }

        /// <summary>Ends the row.</summary>
        public void End(CompilationUnit? unit, int names, int pcTables, int funcData, int files) =>
            (_row[0], _row[1], _row[2], _row[3], _row[4]) = (names, pcTables, funcData, files, unit?.PclnIndex ?? -1);

        /// <inheritdoc/>
        public void Dispose()
        {
            foreach (NativeArray<int> block in _blocks)
            {
                block.Dispose();
            }
        }

        private void MoveRow()
        {
            int* row = _row;
            int length = checked((int)(Next - row));
            NewBlock(Math.Max(_blockLength, checked(2 * (length + MarkLength))));
            new ReadOnlySpan<int>(row, length).CopyTo(new Span<int>(Next, length));
            *row = GoesOn;
            *(int**)(row + 1) = Next;
            _row = Next;
            Next += length;
        }

        private void NewBlock(int length)
        {
            NativeArray<int> block = new(length);
            _blocks.Add(block);
            Next = block.Base;
            _end = Next + length - MarkLength;
        }
    }
}
