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

    // The rows that each worker has read, and where those of each chunk are.
    private readonly Row[] _rows;
    private readonly (int Worker, int Start)[] _chunks;

    /// <summary>No rows yet.</summary>
    public FunctionUses(FunctionList functions, Mentions mentions)
    {
        _functions = functions;
        _mentions = mentions;
        _rows = new Row[functions.Context.Workers.Threads];
        _chunks = new (int, int)[functions.ChunkCount];
    }

    /// <summary>Reads all functions and marks what they mention.</summary>
    /// <exception cref="LinkException">A function's record is damaged.</exception>
    public void Read(SourceFiles files, FunctionTable table)
    {
        _functions.ForChunks((chunk, from, to, worker) =>
        {
            Row row = _rows[worker];
            _chunks[chunk] = (worker, row.Length);
            Approach approach = new(_functions, from, to);
            for (int i = from; i < to; i++)
            {
                approach.Expect(i);
                FunctionParts parts = new(_functions.Context.Symbols, _functions[i]);
                table.Measure(i, parts);
                ReadOne(ref row, parts, files);
            }
            _rows[worker] = row;
        });
    }

    /// <summary>Walks the functions of a chunk.</summary>
    public Walk Of(int chunk) => new(_rows[_chunks[chunk].Worker].At(_chunks[chunk].Start));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Row row in _rows)
        {
            row.Dispose();
        }
    }

    private void ReadOne(ref Row row, in FunctionParts parts, SourceFiles files)
    {
        FuncInfo info = parts.Info;
        CompilationUnit? unit = parts.Owner?.Unit;
        int header = row.Begin();
        row.Add(Mentioned(parts.Function));
        for (int k = 0; k < info.InlineCount; k++)
        {
            row.Add(Mentioned(parts.Inlined(k)));
        }
        if (!info.IsValid)
        {
            row.End(header, unit, 1, 0, 0, 0);
            return;
        }
        row.Add(Mentioned(parts.PcSp));
        row.Add(Mentioned(parts.PcFile));
        row.Add(Mentioned(parts.PcLine));
        foreach (SymbolId s in parts.PcData)
        {
            row.Add(Mentioned(s));
        }
        if (parts.HasInlined)
        {
            row.Add(Mentioned(parts.PcInline));
        }
        int index = 0;
        foreach (SymbolId s in parts.FuncData)
        {
            // What the compiler made at the place of the inline tree gives way to it.
            bool isOwn = !(index == FunctionParts.InlineFuncData && parts.HasInlined) && !parts.Ignores(index, s);
            row.Add(isOwn ? Mentioned(s) : 0);
            index++;
        }
        for (int k = 0; k < info.FileCount; k++)
        {
            row.Add(files.FileIndex(unit!, info.File(k)));
        }
        for (int k = 0; k < info.InlineCount; k++)
        {
            row.Add(files.FileIndex(unit!, info.Inlined(k).File));
        }
        row.End(header, unit, 1 + info.InlineCount, 3 + parts.OwnPcData + (parts.HasInlined ? 1 : 0), index, info.FileCount + info.InlineCount);
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
            Uses uses = new(_next);
            _next += Row.HeaderLength + _next[0] + _next[1] + _next[2] + _next[3];
            return uses;
        }
    }

    /// <summary>What one function mentions; 0 stands for nothing.</summary>
    public readonly ref struct Uses(int* row)
    {
        private readonly int* _row = row;

        /// <summary>The function and, call by call, what was inlined into it.</summary>
        public Span<int> Names => new(_row + Row.HeaderLength, _row[0]);

        /// <summary>Its pc tables.</summary>
        public Span<int> PcTables => new(_row + Row.HeaderLength + _row[0], _row[1]);

        /// <summary>Its funcdata by their indices, without the inline tree.</summary>
        public Span<int> FuncData => new(_row + Row.HeaderLength + _row[0] + _row[1], _row[2]);

        /// <summary>Those with an index below <paramref name="index"/>.</summary>
        public Span<int> FuncDataBefore(int index) => FuncData[..Math.Min(index, _row[2])];

        /// <summary>Those with an index from <paramref name="index"/> on.</summary>
        public Span<int> FuncDataFrom(int index) => FuncData[Math.Min(index, _row[2])..];

        /// <summary>Its source files, some more than once.</summary>
        public Span<int> Files => new(_row + Row.HeaderLength + _row[0] + _row[1] + _row[2], _row[3]);

        /// <summary>Number of its compilation unit; -1 for none.</summary>
        public int Unit => _row[4];

        /// <summary>Number of calls inlined into it.</summary>
        public int InlineCount => _row[0] - 1;

        /// <summary>Turns ids into slots.</summary>
        public void Resolve(Mentions mentions)
        {
            foreach (ref int id in new Span<int>(_row + Row.HeaderLength, _row[0] + _row[1] + _row[2]))
            {
                if (id != 0)
                {
                    int slot = mentions.SlotOf(id);
                    mentions[slot].Id = id;
                    id = slot;
                }
            }
        }
    }

    /// <summary>Rows being written, one behind the other.</summary>
    private struct Row
    {
        /// <summary>Numbers in front of the entries: how many there are of each sort, and the unit.</summary>
        public const int HeaderLength = 5;

        private const int FirstCapacity = 1 << 13;

        private NativeArray<int>? _memory;
        private int* _numbers;
        private int _capacity;

        /// <summary>Count of numbers.</summary>
        public int Length { get; private set; }

        /// <summary>The number at a place, until more are added.</summary>
        public readonly int* At(int place) => _numbers + place;

        /// <summary>Begins a row.</summary>
        public int Begin()
        {
            int header = Length;
            for (int i = 0; i < HeaderLength; i++)
            {
                Add(0);
            }
            return header;
        }

        /// <summary>Adds an entry.</summary>
        public void Add(int value)
        {
            if (Length == _capacity)
            {
                Grow();
            }
            _numbers[Length++] = value;
        }

        /// <summary>Ends the row that began at <paramref name="header"/>.</summary>
        public readonly void End(int header, CompilationUnit? unit, int names, int pcTables, int funcData, int files)
        {
            int* head = _numbers + header;
            (head[0], head[1], head[2], head[3], head[4]) = (names, pcTables, funcData, files, unit?.PclnIndex ?? -1);
        }

        /// <summary>Returns the memory.</summary>
        public readonly void Dispose() => _memory?.Dispose();

        private void Grow()
        {
            _memory ??= new NativeArray<int>(0);
            _capacity = checked(Math.Max(FirstCapacity, _capacity * 2));
            _memory.Resize(_capacity);
            _memory.PreferLargePages();
            _numbers = _memory.Base;
        }
    }
}
