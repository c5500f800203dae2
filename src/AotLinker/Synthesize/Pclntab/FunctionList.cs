using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>The functions that the runtime's tables describe, in address order, and the compilation units they are of.</summary>
internal sealed class FunctionList
{
    /// <summary>Functions that one worker takes at a time.</summary>
    public const int ChunkSize = 512;

    private readonly NativeArray<int> _functions;
    private readonly List<CompilationUnit> _units = [];

    /// <summary>Lists the functions of <see cref="LinkContext.Text"/> and numbers their units by first appearance.</summary>
    public FunctionList(LinkContext ctx)
    {
        Context = ctx;
        SymbolTable symbols = ctx.Symbols;
        HashSet<SymbolId> containers = Containers(ctx);
        bool skipLabels = ctx.Target.Cpu.HasLocalLabels;
        _functions = new NativeArray<int>(ctx.Text.Count);
        int n = 0;
        CompilationUnit? last = null;
        foreach (SymbolId s in ctx.Text)
        {
            if ((containers.Count != 0 && containers.Contains(s)) || (skipLabels && IsLocalLabel(symbols.Name(s))))
            {
                continue;
            }
            _functions[n++] = s.Index;
            CompilationUnit? unit = symbols.Unit(s);
            if (unit is not null && unit != last && unit.PclnIndex < 0)
            {
                unit.PclnIndex = _units.Count;
                _units.Add(unit);
            }
            last = unit;
        }
        Count = n;
        if (n == 0)
        {
            throw new LinkException("there is no function in the program");
        }
    }

    /// <summary>The link.</summary>
    public LinkContext Context { get; }

    /// <summary>Number of functions.</summary>
    public int Count { get; }

    /// <summary>Number of chunks.</summary>
    public int ChunkCount => (Count + ChunkSize - 1) / ChunkSize;

    /// <summary>The units, in the order of their numbers.</summary>
    public IReadOnlyList<CompilationUnit> Units => _units;

    /// <summary>The i-th function.</summary>
    public SymbolId this[int i] => new(_functions[i]);

    /// <summary>The first function.</summary>
    public SymbolId First => this[0];

    /// <summary>The last function.</summary>
    public SymbolId Last => this[Count - 1];

    /// <summary>Runs <paramref name="body"/>(chunk, first function, function behind the last) for all chunks.</summary>
    public void ForChunks(Action<int, int, int> body) =>
        Context.Workers.ForChunks(Count, ChunkSize, (from, to, _) => body(from / ChunkSize, from, to));

    /// <summary>The same with the number of the worker.</summary>
    public void ForChunks(Action<int, int, int, int> body) =>
        Context.Workers.ForChunks(Count, ChunkSize, (from, to, worker) => body(from / ChunkSize, from, to, worker));

    // Host objects' sections are text symbols that contain the functions in them; only these are described (findContainerSyms).
    private static HashSet<SymbolId> Containers(LinkContext ctx)
    {
        HashSet<SymbolId> containers = [];
        if (ctx.Symbols.Sub.Count == 0)
        {
            return containers;
        }
        foreach (SymbolId s in ctx.Text)
        {
            SymbolId outer = ctx.Symbols.Outer(s);
            if (!outer.IsNone)
            {
                containers.Add(outer);
            }
        }
        return containers;
    }

    private static bool IsLocalLabel(ReadOnlySpan<byte> name) => name.IsEmpty || name.StartsWith(".L"u8);
}

/// <summary>What an object says about one function, taken apart once for all tables.</summary>
internal readonly ref struct FunctionParts
{
    /// <summary>Index of the inline table among the pcdata of a function (abi.PCDATA_InlTreeIndex).</summary>
    public const int InlinePcData = 2;

    /// <summary>Index of the inline tree among the funcdata of a function (abi.FUNCDATA_InlTree).</summary>
    public const int InlineFuncData = 3;

    private readonly SymbolTable _table;
    private readonly ReadOnlySpan<AuxRecord> _auxes;
    private readonly int _firstFuncData;
    private readonly int _firstPcData;

    /// <summary>Reads what belongs to a function.</summary>
    public FunctionParts(SymbolTable table, SymbolId s)
    {
        _table = table;
        Function = s;
        _auxes = table.Auxes(s, out GoObject? owner);
        Owner = owner;
        for (int i = 0; i < _auxes.Length; i++)
        {
            ref readonly AuxRecord aux = ref _auxes[i];
            switch (aux.Kind)
            {
                case AuxKind.FuncInfo:
                    Info = new FuncInfo(owner!.Data((int)Math.Min(aux.Target.SymbolIndex, int.MaxValue)), owner);
                    break;
                case AuxKind.FuncData:
                    _firstFuncData = OwnFuncData++ == 0 ? i : _firstFuncData;
                    break;
                case AuxKind.PcData:
                    _firstPcData = OwnPcData++ == 0 ? i : _firstPcData;
                    break;
                case AuxKind.PcSp:
                    PcSp = table.Resolve(owner, aux.Target);
                    break;
                case AuxKind.PcFile:
                    PcFile = table.Resolve(owner, aux.Target);
                    break;
                case AuxKind.PcLine:
                    PcLine = table.Resolve(owner, aux.Target);
                    break;
                case AuxKind.PcInline:
                    PcInline = table.Resolve(owner, aux.Target);
                    break;
            }
        }
    }

    /// <summary>The function.</summary>
    public SymbolId Function { get; }

    /// <summary>The object that defines it; null for linker-made functions.</summary>
    public GoObject? Owner { get; }

    /// <summary>The compiler's record; not valid for functions of host objects.</summary>
    public FuncInfo Info { get; }

    /// <summary>pc → stack depth.</summary>
    public SymbolId PcSp { get; }

    /// <summary>pc → file.</summary>
    public SymbolId PcFile { get; }

    /// <summary>pc → line.</summary>
    public SymbolId PcLine { get; }

    /// <summary>pc → inlined call; only meaningful if there are inlined calls.</summary>
    public SymbolId PcInline { get; }

    /// <summary>The function that the <paramref name="k"/>-th inlined call is of.</summary>
    public SymbolId Inlined(int k) => _table.Resolve(Owner, Info.Inlined(k).Function);

    /// <summary>Whether anything was inlined.</summary>
    public bool HasInlined => Info.InlineCount > 0;

    /// <summary>Number of pcdata tables the compiler made.</summary>
    public int OwnPcData { get; }

    /// <summary>Number of funcdata symbols the compiler made.</summary>
    public int OwnFuncData { get; }

    /// <summary>Number of pcdata entries, the inline table's included (numPCData).</summary>
    public int PcDataCount => !Info.IsValid ? 0 : HasInlined ? Math.Max(OwnPcData, InlinePcData + 1) : OwnPcData;

    /// <summary>Number of funcdata entries, the inline tree's included.</summary>
    public int FuncDataCount => !Info.IsValid ? 0 : HasInlined ? Math.Max(OwnFuncData, InlineFuncData + 1) : OwnFuncData;

    /// <summary>The pcdata symbols in order.</summary>
    public AuxEnumerator PcData => new(_table, Owner, _auxes[_firstPcData..], AuxKind.PcData, OwnPcData);

    /// <summary>The funcdata symbols in order.</summary>
    public AuxEnumerator FuncData => new(_table, Owner, _auxes[_firstFuncData..], AuxKind.FuncData, OwnFuncData);

    /// <summary>
    /// Whether a funcdata symbol is left out: the assembler refers to pointer maps and argument info of functions that need not have a
    /// declaration in Go (ignoreFuncData).
    /// </summary>
    public bool Ignores(int index, SymbolId data)
    {
        const int ArgsPointerMaps = 0;
        const int ArgInfo = 5;
        return data.IsNone
            || (index is ArgsPointerMaps or ArgInfo && _table.IsFromAssembly(Function) && _table.Data(data).IsEmpty);
    }

    /// <summary>The symbols of one kind, of which there are <paramref name="count"/>.</summary>
    public ref struct AuxEnumerator(SymbolTable table, GoObject? owner, ReadOnlySpan<AuxRecord> auxes, AuxKind kind, int count)
    {
        private readonly ReadOnlySpan<AuxRecord> _auxes = auxes;
        private int _next;
        private int _left = count;

        /// <summary>The symbol; none where the object has none.</summary>
        public SymbolId Current { get; private set; }

        /// <inheritdoc cref="System.Collections.IEnumerable.GetEnumerator"/>
        public readonly AuxEnumerator GetEnumerator() => this;

        /// <inheritdoc cref="System.Collections.IEnumerator.MoveNext"/>
        public bool MoveNext()
        {
            while (_left > 0 && _next < _auxes.Length)
            {
                ref readonly AuxRecord aux = ref _auxes[_next++];
                if (aux.Kind == kind)
                {
                    _left--;
                    Current = table.Resolve(owner, aux.Target);
                    return true;
                }
            }
            return false;
        }
    }
}
