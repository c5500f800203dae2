using AotLinker.Emit;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// A section made of a prologue and then, unit by unit in the order of output, items: symbols of the compiler's and records of ours.
/// Derived classes say what the items are; this one finds where they go and cuts the section into pieces.
/// </summary>
internal abstract class UnitSection(string name, DwarfLayout layout) : DwarfSection(name)
{
    // Large enough that a call per piece costs nothing, small enough to make one twice where two readers share it.
    private const int PieceSize = 32 << 10;

    // Items between asking for memory and using it.
    private const int Ahead = 4;

    private readonly List<Piece> _pieces = [];
    private List<(int Item, long Offset)>?[] _cuts = [];
    private long[] _starts = [];
    private long _size;

    /// <summary>What the sections share.</summary>
    protected DwarfLayout Layout { get; } = layout;

    /// <summary>Bytes before the first unit.</summary>
    protected virtual int PrologueSize => 0;

    /// <inheritdoc/>
    public override long Size => _size;

    /// <inheritdoc/>
    public override int PieceCount => _pieces.Count;

    /// <inheritdoc/>
    public override long PieceStart(int piece) => piece == _pieces.Count ? _size : _pieces[piece].Start;

    /// <summary>Offset of a unit's part; of the unit behind the last: the section's size.</summary>
    public long Start(int position) => _starts[position];

    /// <summary>Size of a unit's part.</summary>
    public long UnitSize(DwarfUnit unit) => _starts[unit.Position + 1] - _starts[unit.Position];

    /// <summary>Finds the size of a unit's part. Units are measured in parallel, each once.</summary>
    public void MeasureUnit(DwarfUnit unit)
    {
        long at = 0;
        long cut = 0;
        List<(int Item, long Offset)>? cuts = null;
        int count = ItemCount(unit);
        for (int i = 0; i < count; i++)
        {
            int size = Measure(unit, i, at);
            if (at > cut && at + size - cut > PieceSize)
            {
                (cuts ??= []).Add((i, at));
                cut = at;
            }
            at += size;
        }
        _cuts[unit.Position] = cuts;
        _starts[unit.Position + 1] = at;
    }

    /// <summary>Makes room for the results of measuring.</summary>
    public void BeginMeasuring()
    {
        _starts = new long[Layout.Units.Length + 1];
        _cuts = new List<(int Item, long Offset)>?[Layout.Units.Length];
    }

    /// <summary>Finds the offsets of all units, and the pieces.</summary>
    public void EndMeasuring()
    {
        long at = PrologueSize;
        long cut = 0;
        _pieces.Add(new Piece(0, 0, 0));
        for (int i = 0; i < Layout.Units.Length; i++)
        {
            long size = _starts[i + 1];
            _starts[i] = at;
            if (at > cut && at + size - cut > PieceSize)
            {
                _pieces.Add(new Piece(at, i, 0));
                cut = at;
            }
            if (_cuts[i] is { } cuts)
            {
                foreach ((int item, long offset) in cuts)
                {
                    _pieces.Add(new Piece(at + offset, i, item));
                    cut = at + offset;
                }
            }
            at += size;
        }
        _starts[^1] = at;
        _size = at;
        _cuts = [];
        if (_size == 0)
        {
            _pieces.Clear();
        }
    }

    /// <inheritdoc/>
    public override bool IsOfPackages => true;

    /// <inheritdoc/>
    public override void AddPackageSizes(Dictionary<string, long> sizes)
    {
        if (UncountedSize is not { } uncounted)
        {
            return;
        }
        foreach (DwarfUnit unit in Layout.Units)
        {
            if (UnitSize(unit) is var size && size != 0)
            {
                System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(sizes, unit.Unit.Package.Path, out _)
                    += size - uncounted;
            }
        }
    }

    /// <inheritdoc/>
    public override void Share(Action<CompilationUnit, long> toUnit, Action<SymbolId, long> toSymbol)
    {
        foreach (DwarfUnit unit in Layout.Units)
        {
            toUnit(unit.Unit, UnitSize(unit));
            for (int i = 0; i < unit.Unit.Text.Count; i++)
            {
                // A function that several packages have is told by its name whose it is, wherever its debug information lies.
                if (PartOf(unit, i) is not 0 and var part)
                {
                    long size = Layout.DataSize(unit, part);
                    toUnit(unit.Unit, -size);
                    toSymbol(unit.Unit.Text[i], size);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Fill(LinkContext ctx, int piece, Span<byte> content)
    {
        Piece p = _pieces[piece];
        int at = 0;
        if (p.Start == 0 && PrologueSize != 0)
        {
            WritePrologue(content[..PrologueSize]);
            at = PrologueSize;
        }
        int item = p.Item;
        for (int i = p.Unit; at < content.Length; i++, item = 0)
        {
            DwarfUnit unit = Layout.Units[i];
            int count = ItemCount(unit);
            for (; item < count && at < content.Length; item++)
            {
                // Content lies anywhere in the objects: first where it begins is asked for, then the content, and then it is used.
                unit.ExpectIndexes(SymbolOf(unit, item + (2 * Ahead)));
                unit.ExpectContent(SymbolOf(unit, item + Ahead));
                at += Write(unit, item, content[at..]);
            }
        }
    }

    /// <inheritdoc/>
    public override void ListRelocations(int piece, NativeList<ExternalReloc> to)
    {
        Piece p = _pieces[piece];
        long end = PieceStart(piece + 1);
        DieRelocs relocs = Layout.Relocs(to, p.Start);
        if (p.Start == 0)
        {
            relocs.Skip(PrologueSize);
        }
        int item = p.Item;
        for (int i = p.Unit; relocs.Place < end; i++, item = 0)
        {
            DwarfUnit unit = Layout.Units[i];
            int count = ItemCount(unit);
            for (; item < count && relocs.Place < end; item++)
            {
                unit.ExpectIndexes(SymbolOf(unit, item + (2 * Ahead)));
                unit.ExpectRelocs(SymbolOf(unit, item + Ahead));
                ListRelocations(unit, item, ref relocs);
            }
        }
    }

    /// <summary>
    /// Bytes at the start of a unit's part that do not count in <see cref="AddPackageSizes"/>; null if nothing does. For .debug_info and
    /// .debug_loc the Go linker notes sizes under names that it does not look for, so they come out as 0.
    /// </summary>
    protected virtual int? UncountedSize => null;

    /// <summary>The compiler's symbol that is the part of a unit's i-th function here; 0 for none.</summary>
    protected virtual int PartOf(DwarfUnit unit, int i) => 0;

    /// <summary>Number of items of a unit; some may be empty.</summary>
    protected abstract int ItemCount(DwarfUnit unit);

    /// <summary>Size of an item. <paramref name="offset"/> is its place in the unit's part, for those who keep it.</summary>
    protected abstract int Measure(DwarfUnit unit, int item, long offset);

    /// <summary>Writes an item; returns its size.</summary>
    protected abstract int Write(DwarfUnit unit, int item, Span<byte> to);

    /// <summary>Lists an item's relocations, and passes over the item.</summary>
    protected abstract void ListRelocations(DwarfUnit unit, int item, ref DieRelocs to);

    /// <summary>The compiler's symbol that an item is, for memory to be ready in time; 0 for none or if it is not worth looking for.</summary>
    protected abstract int SymbolOf(DwarfUnit unit, int item);

    /// <summary>Writes what stands before the first unit.</summary>
    protected virtual void WritePrologue(Span<byte> to)
    {
    }

    /// <summary>A writer for a record of ours.</summary>
    protected DieWriter Writer(Span<byte> to) => Layout.Writer(to);

    private readonly record struct Piece(long Start, int Unit, int Item);
}
