using System.Runtime.InteropServices;
using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Emit;

/// <summary>Encodes relocations for an external linker, all of which have the same size, one behind the other.</summary>
/// <param name="section">The section that has them.</param>
/// <param name="relocs">The relocations.</param>
/// <param name="to">Zeros.</param>
internal delegate void ExternalRelocEncoder(Section section, ReadOnlySpan<ExternalReloc> relocs, Span<byte> to);

/// <summary>The relocations of one section of the object, which may be several of the linker's.</summary>
/// <param name="sections">The linker's sections, in order.</param>
/// <param name="address">Address that the offsets of fields count from.</param>
internal sealed class ExternalRelocTable(IReadOnlyList<Section> sections, ulong address)
{
    /// <summary>The linker's sections.</summary>
    public IReadOnlyList<Section> Sections => sections;

    /// <summary>Address that the offsets of fields count from.</summary>
    public ulong Address => address;

    /// <summary>How many relocations there are. Known from the start.</summary>
    public long Count { get; set; }

    /// <summary>File offset of the first. Set when they are placed.</summary>
    public long Offset { get; set; }
}

/// <summary>
/// The relocations that are left to an external linker: found and counted slice by slice, placed by a sum, found again and written, each
/// slice by one thread (sizeExtRelocs, relocSectFn). To keep them in between would take more memory than to find them takes time.
/// </summary>
internal sealed class ExternalRelocs
{
    // Symbols of a slice: large enough that a slice costs nothing by itself.
    private const int SymbolsOfSlice = 1 << 11;

    private const int PiecesOfSlice = 8;

    private readonly LinkContext _ctx;
    private readonly ExternalRules _rules;
    private readonly List<Slice> _slices = [];
    private readonly IReadOnlyList<ExternalRelocTable> _tables;
    private readonly bool _sorts;
    private int _size;

    /// <summary>Counts the relocations of a link; all addresses are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="tables">What relocations there are of, in the order in which they lie in the file.</param>
    public ExternalRelocs(LinkContext ctx, IReadOnlyList<ExternalRelocTable> tables)
    {
        _ctx = ctx;
        _tables = tables;
        _rules = new ExternalRules(ctx);
        _sorts = ctx.Format.SortsExternalRelocations;
        Cut();
        ForSlices(static (slice, list) => slice.Count = list.Count);
        foreach (Slice slice in _slices)
        {
            slice.Table.Count += slice.Count;
        }
    }

    /// <summary>Gives them their places in the file and sets <see cref="ExternalRelocTable.Offset"/>.</summary>
    /// <param name="offset">Where they begin.</param>
    /// <param name="size">Bytes of each.</param>
    /// <param name="head">Bytes in front of each table.</param>
    /// <returns>Offset behind the last.</returns>
    public long Place(long offset, int size, int head = 0)
    {
        _size = size;
        foreach (ExternalRelocTable table in _tables)
        {
            table.Offset = offset + head;
            offset = table.Offset + (table.Count * size);
        }
        ExternalRelocTable? last = null;
        long at = 0;
        foreach (Slice slice in _slices)
        {
            if (last != slice.Table)
            {
                last = slice.Table;
                at = last.Offset;
            }
            slice.Offset = at;
            at += slice.Count * (long)size;
        }
        return offset;
    }

    /// <summary>Says where they are, with what may stand in front of each table.</summary>
    public void DescribeFile(FileMap map, int head = 0)
    {
        foreach (ExternalRelocTable table in _tables)
        {
            map.Table("relocations", SizeKind.Relocations, table.Offset - head, (table.Count * _size) + head);
        }
    }

    /// <summary>Writes them to the output.</summary>
    public void Write(ExternalRelocEncoder encode)
    {
        ForSlices((slice, list) =>
        {
            if (list.Count != slice.Count)
            {
                throw new InvalidOperationException($"{slice.Section}: {list.Count} relocations where there were {slice.Count}");
            }
            int most = OutputFile.MaxMade / _size;
            long at = slice.Offset;
            for (ReadOnlySpan<ExternalReloc> left = list.AsSpan(); !left.IsEmpty;)
            {
                ReadOnlySpan<ExternalReloc> piece = left[..Math.Min(left.Length, most)];
                left = left[piece.Length..];
                using OutputLease lease = _ctx.Output.LeaseMade(at, piece.Length * _size);
                encode(slice.Section, piece, lease.Span);
                at += piece.Length * (long)_size;
            }
        });
        _ctx.Diagnostics.ExitIfErrors();
    }

    private void ForSlices(Action<Slice, NativeList<ExternalReloc>> body)
    {
        NativeList<ExternalReloc>?[] lists = new NativeList<ExternalReloc>?[_ctx.Workers.Threads];
        _ctx.Workers.ForChunks(_slices.Count, 1, (i, _, worker) =>
        {
            NativeList<ExternalReloc> list = lists[worker] ??= new();
            list.Clear();
            Find(_slices[i], list);
            body(_slices[i], list);
        });
        foreach (NativeList<ExternalReloc>? list in lists)
        {
            list?.Dispose();
        }
    }

    private void Cut()
    {
        int nextFunction = 0;
        foreach (ExternalRelocTable table in _tables)
        {
            foreach (Section section in table.Sections)
            {
                Segment segment = section.Segment!;
                if (section.IsText)
                {
                    int first = nextFunction;
                    while (nextFunction < _ctx.Text.Count && _ctx.Symbols.SectionIndex(_ctx.Text[nextFunction]) == section.Index)
                    {
                        nextFunction++;
                    }
                    Cut(table, section, first, nextFunction - first, SymbolsOfSlice);
                }
                else if (ListOf(segment) is { } list)
                {
                    Cut(table, section, 0, list.Count, SymbolsOfSlice);
                }
                else if (section.SymbolCount != 0 && section.Vaddr - segment.Vaddr < segment.FileLength)
                {
                    Cut(table, section, section.FirstSymbol, section.SymbolCount, SymbolsOfSlice);
                }
                else if (segment == _ctx.DwarfSegment && _ctx.Dwarf?.Sections.Find(s => s.Output == section) is { } dwarf)
                {
                    Cut(table, section, 0, dwarf.PieceCount, PiecesOfSlice, dwarf);
                }
            }
        }
    }

    // Unwind tables are few symbols beside all data.
    private List<SymbolId>? ListOf(Segment segment) =>
        segment == _ctx.PDataSegment ? _ctx.PData : segment == _ctx.XDataSegment ? _ctx.XData : null;

    private void Cut(ExternalRelocTable table, Section section, int first, int count, int most, DwarfSection? dwarf = null)
    {
        for (int i = 0; i < count; i += most)
        {
            _slices.Add(new Slice(table, section, first + i, Math.Min(most, count - i), dwarf));
        }
    }

    private void Find(Slice slice, NativeList<ExternalReloc> to)
    {
        if (slice.Dwarf is { } dwarf)
        {
            for (int i = 0; i < slice.Length; i++)
            {
                dwarf.ListRelocations(slice.Begin + i, to);
            }
        }
        else if (slice.Section.IsText)
        {
            Find(slice, CollectionsMarshal.AsSpan(_ctx.Text).Slice(slice.Begin, slice.Length), to);
        }
        else if (ListOf(slice.Section.Segment!) is { } list)
        {
            Find(slice, CollectionsMarshal.AsSpan(list).Slice(slice.Begin, slice.Length), to);
        }
        else
        {
            Find(slice, MemoryMarshal.Cast<int, SymbolId>(_ctx.Data.AsSpan(slice.Begin, slice.Length)), to);
        }
    }

    private void Find(Slice slice, ReadOnlySpan<SymbolId> symbols, NativeList<ExternalReloc> to)
    {
        const int Ahead = 8;
        SymbolTable table = _ctx.Symbols;
        (int Offset, int Index)[] places = [];
        for (int i = 0; i < symbols.Length; i++)
        {
            // Data lies in all objects in no order.
            if (i + (2 * Ahead) < symbols.Length)
            {
                table.ExpectRecord(symbols[i + (2 * Ahead)]);
            }
            if (i + Ahead < symbols.Length)
            {
                table.ExpectRelocs(symbols[i + Ahead]);
            }
            SymbolId s = symbols[i];
            RelocList relocs = table.Relocs(s);
            long start = relocs.Count == 0 ? 0 : table.Value(s) - (long)slice.Table.Address;
            ReadOnlySpan<(int Offset, int Index)> order = _sorts ? OrderOf(in relocs, ref places) : default;
            for (int r = 0; r < relocs.Count; r++)
            {
                int index = order.IsEmpty ? r : order[r].Index;
                if (_rules.TryRead(s, slice.Section.Index, relocs, index, start, out ExternalReloc left))
                {
                    for (int part = 0; part < _rules.Parts(in left); part++)
                    {
                        to.Add(left.OfPart(part));
                    }
                }
            }
        }
    }

    // The indexes of relocations in the order of their places; nothing where that is the order they have. Go's sort is not stable.
    private static ReadOnlySpan<(int Offset, int Index)> OrderOf(in RelocList relocs, ref (int Offset, int Index)[] places)
    {
        int at = 1;
        while (at < relocs.Count && relocs[at - 1].Offset <= relocs[at].Offset)
        {
            at++;
        }
        if (at >= relocs.Count)
        {
            return default;
        }
        if (places.Length < relocs.Count)
        {
            places = new (int, int)[Math.Max(relocs.Count, 2 * places.Length)];
        }
        Span<(int Offset, int Index)> order = places.AsSpan(0, relocs.Count);
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = (relocs[i].Offset, i);
        }
        GoSort.Sort(order, default(ByOffset));
        return order;
    }

    private readonly struct ByOffset : IOrder<(int Offset, int Index)>
    {
        /// <inheritdoc/>
        public bool Less(in (int Offset, int Index) x, in (int Offset, int Index) y) => x.Offset < y.Offset;
    }

    /// <summary>A run of symbols, or of pieces of debug information, of one section.</summary>
    private sealed class Slice(ExternalRelocTable table, Section section, int begin, int length, DwarfSection? dwarf)
    {
        public ExternalRelocTable Table => table;

        public Section Section => section;

        public DwarfSection? Dwarf => dwarf;

        public int Begin => begin;

        public int Length => length;

        public int Count { get; set; }

        public long Offset { get; set; }
    }
}
