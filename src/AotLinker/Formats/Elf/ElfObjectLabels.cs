using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// Labels within functions that relocations of an object refer to: local symbols behind their function's, by offset (GenSymsLate). They are
/// nowhere but in the symbol table.
/// </summary>
internal sealed class ElfObjectLabels
{
    private readonly ElfCpu _cpu;
    private readonly SymbolTable _symbols;
    private readonly LiveColumn<int> _first;

    // Whether the labels of some function are not found one after the other.
    private volatile bool _isUnordered;

    /// <summary>No labels yet.</summary>
    public ElfObjectLabels(LinkContext ctx, ElfCpu cpu)
    {
        _cpu = cpu;
        _symbols = ctx.Symbols;
        _first = new LiveColumn<int>(ctx.Symbols.Live);
        _first.EnsureCapacity(ctx.Symbols.Count);
    }

    /// <summary>Lists the offsets of a function's labels, in the order of the symbol table, behind what a list holds. Any thread may do so.</summary>
    public void List(SymbolId function, NativeList<int> offsets)
    {
        int from = offsets.Count;
        int last = 0;
        bool isOrdered = true;
        RelocList relocs = _symbols.Relocs(function);
        for (int i = 0; i < relocs.Count; i++)
        {
            int offset = relocs[i].Offset;
            if (offset != 0 && _cpu.NeedsObjectLabel(relocs.Kind(i)))
            {
                isOrdered &= offset > last;
                last = offset;
                offsets.Add(offset);
            }
        }
        if (!isOrdered)
        {
            _isUnordered = true;
            offsets.AsSpan()[from..].Sort();
        }
    }

    /// <summary>Sets the number that the first label of a function has.</summary>
    public void SetFirst(SymbolId function, int number) => _first[function] = number;

    /// <summary>Number of the label at an offset, which is not 0.</summary>
    /// <param name="function">The function.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="cursor">What the walk along relocations has found; empty at first.</param>
    public int NumberOf(SymbolId function, int offset, ref Cursor cursor)
    {
        if (cursor.Function == function && !_isUnordered)
        {
            cursor.Number += offset == cursor.Offset ? 0 : 1;
            cursor.Offset = offset;
            return cursor.Number;
        }
        int number = _first.Get(function);
        RelocList relocs = _symbols.Relocs(function);
        for (int i = 0; i < relocs.Count; i++)
        {
            int other = relocs[i].Offset;
            if (other != 0 && other < offset && _cpu.NeedsObjectLabel(relocs.Kind(i)))
            {
                number++;
            }
        }
        cursor = new Cursor { Function = function, Offset = offset, Number = number };
        return number;
    }

    /// <summary>Where a walk along relocations, in their order, is.</summary>
    public struct Cursor
    {
        /// <summary>The function.</summary>
        public SymbolId Function { get; set; }

        /// <summary>Offset of the label that was last asked for.</summary>
        public int Offset { get; set; }

        /// <summary>Its number.</summary>
        public int Number { get; set; }
    }
}
