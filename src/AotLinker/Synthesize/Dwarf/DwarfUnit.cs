using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>What the debug information has on one compilation unit; members say which step sets them.</summary>
internal sealed class DwarfUnit(CompilationUnit unit, int index)
{
    /// <summary>The unit.</summary>
    public CompilationUnit Unit { get; } = unit;

    /// <summary>Position in the order of packages.</summary>
    public int Index { get; } = index;

    /// <summary>Whether the unit has code.</summary>
    public bool HasText => Unit.Text.Count != 0;

    /// <summary>Position of the unit's functions in the table of all; they are those of <see cref="CompilationUnit.Text"/>.</summary>
    public int FirstFunction { get; init; }

    /// <summary>What the unit's functions refer to, in order, each once; until the types are complete.</summary>
    public NativeSpan<int> References { get; set; }

    /// <summary>Symbol of the package's constants, if they are in this unit.</summary>
    public SymbolId Constants { get; set; }

    /// <summary>Symbol that holds the compiler's flags, if any.</summary>
    public SymbolId ProducerFlags { get; set; }

    /// <summary>Symbol that holds the package's name, if any.</summary>
    public SymbolId PackageName { get; set; }

    /// <summary>DIEs of inlined functions that this unit was the first to need.</summary>
    public List<SymbolId> AbstractFunctions { get; } = [];

    /// <summary>DIEs of global variables: a slice of the table of all.</summary>
    public int FirstVariable { get; set; }

    /// <summary>Number of global variables.</summary>
    public int VariableCount { get; set; }

    /// <summary>Whether the type DIEs are in this unit.</summary>
    public bool HasTypes { get; set; }

    /// <summary>Number of entries in .debug_addr.</summary>
    public int SlotCount { get; set; }

    /// <summary>The .debug_addr entry of the unit's first function.</summary>
    public int BaseSlot { get; set; }

    /// <summary>
    /// Entries of .debug_addr for functions that others refer to before or without having one of their own; rare, null for none.
    /// </summary>
    public Dictionary<SymbolId, int>? ExtraSlots { get; set; }

    /// <summary>Address ranges relative to the first function.</summary>
    public List<(long Start, long End)> Ranges { get; } = [];

    /// <summary>What the header of the unit's line table is made of; null without code.</summary>
    public LineFiles? Files { get; set; }

    /// <summary>Position in the order of output.</summary>
    public int Position { get; set; }

    /// <summary>Whether the unit has a DIE.</summary>
    public bool HasInfo => HasText || VariableCount != 0 || HasTypes;

    /// <summary>
    /// Content of a symbol that mostly is one of the unit's own: then it needs no look at the symbol table. The compiler's DWARF symbols
    /// are never changed.
    /// </summary>
    public ReadOnlySpan<byte> Data(SymbolTable symbols, SymbolId s) =>
        IsOwn(s, out int local) ? Unit.Object!.Data(local) : symbols.Data(s);

    /// <summary>Relocations of such a symbol.</summary>
    public RelocList Relocs(SymbolTable symbols, SymbolId s) => IsOwn(s, out int local)
        ? new RelocList(symbols, Unit.Object, Unit.Object!.Relocs(local), symbols.Release.RelocKinds)
        : symbols.Relocs(s);

    /// <summary>Asks the CPU for where the content and relocations of such a symbol begin; 0 is none.</summary>
    public void ExpectIndexes(int s)
    {
        if (s != 0 && IsOwn(new SymbolId(s), out int local))
        {
            Unit.Object!.ExpectIndexes(local);
        }
    }

    /// <summary>The same for the relocations alone.</summary>
    public void ExpectRelocIndex(int s)
    {
        if (s != 0 && IsOwn(new SymbolId(s), out int local))
        {
            Unit.Object!.ExpectRelocIndex(local);
        }
    }

    /// <summary>Asks the CPU for the relocations. <see cref="ExpectRelocIndex"/> came a while before.</summary>
    public void ExpectRelocs(int s)
    {
        if (s != 0 && IsOwn(new SymbolId(s), out int local))
        {
            Unit.Object!.ExpectRelocs(local);
        }
    }

    /// <summary>Asks the CPU for both. <see cref="ExpectIndexes"/> came a while before.</summary>
    public void ExpectContent(int s)
    {
        if (s != 0 && IsOwn(new SymbolId(s), out int local))
        {
            Unit.Object!.ExpectData(local);
            Unit.Object!.ExpectRelocs(local);
        }
    }

    /// <summary>The .debug_addr entry of a function of the unit; -1 if it has none.</summary>
    /// <param name="functions">The records of the unit's functions, or of the first of them.</param>
    /// <param name="function">The function.</param>
    public int FindSlot(ReadOnlySpan<FunctionSymbols> functions, SymbolId function)
    {
        if (ExtraSlots is { } extra && extra.TryGetValue(function, out int slot))
        {
            return slot;
        }
        int at = Unit.Text.IndexOf(function, 0, functions.Length);
        return at >= 0 ? functions[at].Slot : -1;
    }

    private bool IsOwn(SymbolId s, out int local)
    {
        if (Unit.Object is { } o)
        {
            local = s.Index - o.GlobalBase;
            return (uint)local < (uint)o.DefCount;
        }
        local = 0;
        return false;
    }
}

/// <summary>The symbols of a function that debug information is made of, by id if nothing else is said; 0 for none.</summary>
internal struct FunctionSymbols
{
    /// <summary>DIE and children.</summary>
    public int Info;

    /// <summary>Ranges of blocks and inlined calls.</summary>
    public int Ranges;

    /// <summary>Location lists, if the DIE refers to them.</summary>
    public int Locations;

    /// <summary>Line program.</summary>
    public int Lines;

    /// <summary>Table of stack pointer deltas, as <see cref="SymbolTable.PcTable"/> tells it.</summary>
    public int StackDeltas;

    /// <summary>Entry in the unit's part of .debug_addr; -1 for none.</summary>
    public int Slot;

    /// <summary>Marks.</summary>
    public FunctionMarks Marks;
}

/// <summary>Marks of a function.</summary>
[Flags]
internal enum FunctionMarks : byte
{
    /// <summary>No mark.</summary>
    None = 0,
    /// <summary>It has a FuncInfo record: the compiler or assembler made it.</summary>
    HasInfo = 1,
    /// <summary>It is the outermost frame of its stack.</summary>
    IsTop = 2,
}
