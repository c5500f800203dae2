using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// What the functions mention, read from their objects once for all tables: for every chunk of functions and every sort a list, in the
/// order of mention.
/// </summary>
/// <remarks>
/// Tables want to know who mentions a thing first. A thread takes one chunk behind the other, so of what it has come by before it knows
/// that it has been mentioned already, and leaves it out: one mention in five is left. Which threads mention the same is found out
/// later (<see cref="FirstUse"/>).
/// </remarks>
internal sealed class FunctionUses(FunctionList functions, Mentions mentions) : IDisposable
{
    private const int Sorts = 3;

    private readonly Finder?[] _finders = new Finder?[functions.Context.Workers.Threads];

    // By chunk and sort: who has the list.
    private readonly Part[] _parts = new Part[functions.ChunkCount * Sorts];

    /// <summary>What is mentioned.</summary>
    public enum Sort
    {
        /// <summary>The function itself and, call by call, what was inlined into it: ids.</summary>
        Name,
        /// <summary>Its funcdata: ids, and the complement of the function's index for its inline tree.</summary>
        FuncData,
        /// <summary>Its source files: numbers of <see cref="SourceFiles"/>.</summary>
        File,
    }

    /// <summary>Reads all functions and numbers what they mention.</summary>
    /// <exception cref="LinkException">A function's record is damaged.</exception>
    public void Read(SourceFiles files, PcTables pcs, FuncData data, FunctionTable table)
    {
        functions.ForChunks((chunk, from, to, worker) =>
        {
            Finder own = _finders[worker] ??= new Finder(functions.Context.Symbols, files, pcs, data);
            if (chunk < own.LastChunk)
            {
                // Chunks come in a scrambled order: nothing of this one is known to have been mentioned before.
                mentions.Take(own.Symbols);
                own.Symbols.Clear();
                own.Files.Clear();
            }
            own.LastChunk = chunk;
            Span<Part> parts = _parts.AsSpan(chunk * Sorts, Sorts);
            for (int sort = 0; sort < Sorts; sort++)
            {
                parts[sort] = new Part { List = own.Lists[sort], Start = own.Lists[sort].Count };
            }
            Approach approach = new(functions, from, to);
            for (int i = from; i < to; i++)
            {
                GoObject? owner = approach.GoTo(i, out int local);
                FuncInfo info = own.Reader.Read(owner, local);
                own.Mention(i, functions[i], owner, info);
                table.Measure(i, own.Reader);
            }
            own.PcTables.End(chunk);
            for (int sort = 0; sort < Sorts; sort++)
            {
                parts[sort].Length = own.Lists[sort].Count - parts[sort].Start;
            }
        });
        foreach (Finder? finder in _finders)
        {
            if (finder is not null)
            {
                mentions.Take(finder.Symbols);
                finder.Symbols.Dispose();
                finder.Files.Dispose();
            }
        }
        mentions.Number();
    }

    /// <summary>What the functions of a chunk mention of one sort. The tables put 0 where another chunk mentions it first.</summary>
    public Span<int> Of(int chunk, Sort sort)
    {
        Part part = _parts[(chunk * Sorts) + (int)sort];
        return part.List.AsSpan().Slice(part.Start, part.Length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Finder? finder in _finders)
        {
            finder?.Dispose();
        }
    }

    private struct Part
    {
        public NativeList<int> List;
        public int Start;
        public int Length;
    }

    /// <summary>What one thread has found.</summary>
    private sealed class Finder : IDisposable
    {
        private readonly SymbolTable _symbolTable;
        private readonly SourceFiles _sourceFiles;
        private readonly FuncData _data;
        private readonly NativeList<int> _names = new();
        private readonly NativeList<int> _funcData = new();
        private readonly NativeList<int> _files = new();

        public Finder(SymbolTable symbols, SourceFiles files, PcTables pcs, FuncData data)
        {
            _symbolTable = symbols;
            _sourceFiles = files;
            _data = data;
            PcTables = pcs.NewReader();
            Reader = new FunctionReader(symbols, readsPcTables: true);
            Symbols = new MarkSet(symbols.Count);
            Files = new MarkSet(files.FilesOfUnits);
            Lists = [_names, _funcData, _files];
        }

        /// <summary>Takes note of their tables of pcs.</summary>
        public PcTables.Reader PcTables { get; }

        /// <summary>Takes functions apart.</summary>
        public FunctionReader Reader { get; }

        /// <summary>Symbols that were mentioned.</summary>
        public MarkSet Symbols { get; }

        /// <summary>Files that were mentioned.</summary>
        public MarkSet Files { get; }

        /// <summary>By sort: the lists of all chunks, one behind the other.</summary>
        public NativeList<int>[] Lists { get; }

        /// <summary>The last chunk that was taken.</summary>
        public int LastChunk { get; set; } = -1;

        /// <summary>Lists what a function mentions, which was read last, and was not mentioned before.</summary>
        public void Mention(int function, SymbolId s, GoObject? owner, in FuncInfo info)
        {
            Add(s.Index, _names);
            PcTables.Add(function, info.IsValid ? owner : null, Reader);
            if (!info.IsValid)
            {
                return;
            }
            ReadOnlySpan<int> funcData = Reader.FuncData;
            if (info.InlineCount > 0)
            {
                int beforeTree = Math.Min(funcData.Length, FunctionReader.InlineFuncData);
                Symbols.Add(funcData[..beforeTree], _funcData);
                _funcData.Add(~function);
                _data.MeasureInlineTree(function, info.InlineCount);
                funcData = funcData[beforeTree..];
            }
            Symbols.Add(funcData, _funcData);

            CompilationUnit unit = owner!.Unit;
            for (int k = 0; k < info.FileCount; k++)
            {
                AddFile(unit, info.File(k));
            }
            for (int k = 0; k < info.InlineCount; k++)
            {
                ref readonly InlinedCall call = ref info.Inlined(k);
                Add(_symbolTable.Resolve(owner, call.Function).Index, _names);
                AddFile(unit, call.File);
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            Symbols.Dispose();
            Files.Dispose();
            PcTables.Dispose();
            foreach (NativeList<int> list in Lists)
            {
                list.Dispose();
            }
        }

        private void Add(int id, NativeList<int> list)
        {
            if (id != 0 && Symbols.Add(id))
            {
                list.Add(id);
            }
        }

        private void AddFile(CompilationUnit unit, uint file)
        {
            int index = _sourceFiles.FileIndex(unit, file);
            if (Files.Add(index))
            {
                _files.Add(index);
                _sourceFiles.Use(unit, (int)file);
            }
        }
    }
}
