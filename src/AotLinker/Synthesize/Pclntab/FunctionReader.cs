using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// Takes apart what objects say about functions, one function after the other: the compiler's record, the pc tables
/// (<see cref="SymbolTable.PcTable"/>), and the ids of the funcdata, 0 for one that there is not.
/// </summary>
/// <param name="symbols">The symbols of the link.</param>
/// <param name="readsPcTables">Whether to tell the pc tables, not only how many there are.</param>
internal sealed unsafe class FunctionReader(SymbolTable symbols, bool readsPcTables)
{
    /// <summary>pc tables of every function, in front of its pcdata: pc → stack depth, file, line.</summary>
    public const int FixedPcTables = 3;

    /// <summary>Index of the inline table among the pcdata of a function (abi.PCDATA_InlTreeIndex).</summary>
    public const int InlinePcData = 2;

    /// <summary>Index of the inline tree among the funcdata of a function (abi.FUNCDATA_InlTree).</summary>
    public const int InlineFuncData = 3;

    // In the order of auxiliary symbols: the fixed ones, the inline table, the compiler's pcdata.
    private const int FirstPcData = FixedPcTables + 1;

    private int[] _pcTables = new int[64];
    private int[] _funcData = new int[64];
    private int _pcDataCount;
    private int _funcDataCount;
    /// <summary>The object of the function that was read last; null for functions without one.</summary>
    public GoObject? Owner { get; private set; }

    /// <summary>The pc tables of every function.</summary>
    public ReadOnlySpan<int> PcTables => _pcTables.AsSpan(0, FixedPcTables);

    /// <summary>Whether there are inlined calls.</summary>
    public bool HasInlined { get; private set; }

    /// <summary>pc → inlined call; only meaningful if there are inlined calls.</summary>
    public int PcInline => _pcTables[FixedPcTables];

    /// <summary>The tables of the compiler's pcdata in order.</summary>
    public ReadOnlySpan<int> PcData => _pcTables.AsSpan(FirstPcData, _pcDataCount);

    /// <summary>
    /// The compiler's funcdata in order, without those that don't count: what stands at the place of the inline tree gives way to it, and
    /// the assembler refers to pointer maps and argument info of functions that need not have a declaration in Go.
    /// </summary>
    public ReadOnlySpan<int> FuncData => _funcData.AsSpan(0, _funcDataCount);

    /// <summary>Number of pcdata entries, the inline table's included (numPCData).</summary>
    public int PcDataCount => HasInlined ? Math.Max(_pcDataCount, InlinePcData + 1) : _pcDataCount;

    /// <summary>Number of funcdata entries, the inline tree's included.</summary>
    public int FuncDataCount => HasInlined ? Math.Max(_funcDataCount, InlineFuncData + 1) : _funcDataCount;

    /// <summary>Reads a definition of an object; the record is not valid for functions of host objects, and then there are no tables.</summary>
    /// <exception cref="LinkException">The object is damaged.</exception>
    public FuncInfo Read(GoObject? owner, int local)
    {
        Owner = owner;
        _pcDataCount = 0;
        _funcDataCount = 0;
        HasInlined = false;
        if (owner is null)
        {
            return default;
        }
        int record = ReadAuxes(owner, owner.Auxes(local));
        FuncInfo info = record < 0 ? default : new FuncInfo(owner.Data(record), owner);
        if (!info.IsValid)
        {
            _pcDataCount = 0;
            _funcDataCount = 0;
            return info;
        }
        if (info.InlineCount > 0)
        {
            HasInlined = true;
            Drop(InlineFuncData);
        }
        if (owner.FromAssembly)
        {
            DropUndeclared();
        }
        return info;
    }

    // Returns the number of the definition with the function's record; -1 if there is none.
    private int ReadAuxes(GoObject owner, ReadOnlySpan<AuxRecord> auxes)
    {
        if (auxes.Length + FirstPcData > _pcTables.Length)
        {
            _pcTables = new int[auxes.Length + FirstPcData];
            _funcData = new int[auxes.Length];
        }
        GoObject.MappedIds ids = owner.Mapped;
        int firstHashed = owner.Hashed64Count;
        int firstTable = owner.FirstHashed + 1;
        uint hashed = (uint)owner.HashedCount;
        bool skipsPcTables = !readsPcTables;
        int record = -1;
        int signs = 0;
        // There is room for all auxiliary symbols, whatever they are.
        fixed (int* pcTables = _pcTables, funcData = _funcData)
        {
            for (int i = 0; i < FirstPcData; i++)
            {
                pcTables[i] = 0;
            }
            int* nextPcData = pcTables + FirstPcData;
            int* nextFuncData = funcData;
            for (int i = 0; i < auxes.Length; i++)
            {
                // Nearly all are known by their content, or are none. The others wait as the complements of their numbers, so that the loop calls
                // nothing.
                ref readonly AuxRecord aux = ref auxes[i];
                uint package = aux.Target.PackageIndex, index = aux.Target.SymbolIndex;
                if (aux.Kind == AuxKind.FuncData)
                {
                    int id = 0;
                    if ((package | index) != 0 && (package != SymRef.Hashed || index >= hashed || (id = ids[firstHashed + (int)index]) == 0))
                    {
                        id = ~i;
                    }
                    *nextFuncData++ = id;
                    signs |= id;
                    continue;
                }
                int* place;
                if (aux.Kind == AuxKind.PcData)
                {
                    place = nextPcData++;
                }
                else if (aux.Kind is >= AuxKind.PcSp and <= AuxKind.PcInline)
                {
                    place = pcTables + (aux.Kind - AuxKind.PcSp);
                }
                else
                {
                    record = aux.Kind == AuxKind.FuncInfo ? (int)Math.Min(index, int.MaxValue) : record;
                    continue;
                }
                if (skipsPcTables)
                {
                    continue;
                }
                int table = package == SymRef.Hashed && index < hashed ? firstTable + (int)index : (package | index) == 0 ? 0 : ~i;
                *place = table;
                signs |= table;
            }
            _pcDataCount = (int)(nextPcData - (pcTables + FirstPcData));
            _funcDataCount = (int)(nextFuncData - funcData);
        }
        if (signs < 0)
        {
            ResolveOthers(owner, auxes);
        }
        return record;
    }

    private void ResolveOthers(GoObject owner, ReadOnlySpan<AuxRecord> auxes)
    {
        foreach (ref int table in _pcTables.AsSpan(0, FirstPcData + (readsPcTables ? _pcDataCount : 0)))
        {
            table = table < 0 ? symbols.PcTable(owner, auxes[~table].Target) : table;
        }
        foreach (ref int id in _funcData.AsSpan(0, _funcDataCount))
        {
            id = id < 0 ? symbols.Resolve(owner, auxes[~id].Target).Index : id;
        }
    }

    // ld.ignoreFuncData.
    private void DropUndeclared()
    {
        const int ArgsPointerMaps = 0;
        const int ArgInfo = 5;
        foreach (int index in (ReadOnlySpan<int>)[ArgsPointerMaps, ArgInfo])
        {
            if (index < _funcDataCount && symbols.Data(new SymbolId(_funcData[index])).IsEmpty)
            {
                Drop(index);
            }
        }
    }

    private void Drop(int index)
    {
        if (index < _funcDataCount)
        {
            _funcData[index] = 0;
        }
    }
}
