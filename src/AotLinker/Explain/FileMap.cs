using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Explain;

/// <summary>
/// Where in the output what lies. The format says where the image of memory is and where its own tables are; then symbols are found in the
/// image. Every byte is counted once: what begins first has it, and what nothing has is padding.
/// </summary>
internal sealed class FileMap : IDisposable
{
    private readonly List<Piece> _pieces = [];
    private readonly List<Table> _tables = [];
    private readonly NativeList<Part> _parts = new();
    private bool _isSorted;

    /// <summary>Whether the format has said where functions are, for code is not as it is in memory.</summary>
    public bool HasFunctions { get; private set; }

    /// <summary>Whether the format has written tables over debug information. Set by the format.</summary>
    public bool LacksDebugInfo { get; set; }

    /// <summary>The format's own tables, in the order in which they were told.</summary>
    public IReadOnlyList<Table> Tables => _tables;

    /// <summary>Functions that the format has told, where it has.</summary>
    public List<(SymbolId Symbol, long Offset, long Length)> Functions { get; } = [];

    /// <summary>A segment's content stands in the file as it is in memory.</summary>
    public void Memory(Segment segment) => Memory((long)segment.Vaddr, (long)segment.FileLength, (long)segment.FileOffset);

    /// <summary>What is in memory from an address on stands in the file.</summary>
    public void Memory(long address, long length, long offset)
    {
        if (length > 0)
        {
            _pieces.Add(new Piece(address, length, offset));
            _isSorted = false;
        }
    }

    /// <summary>A table of the format, which no symbol is.</summary>
    public void Table(string name, SizeKind kind, long offset, long length)
    {
        if (length > 0)
        {
            _tables.Add(new Table(name, kind, offset, length));
            Add(offset, length, SymbolPackages.Linker, kind);
        }
    }

    /// <summary>Where a function is, in a format that has its own form of code.</summary>
    public void Function(SymbolId s, long offset, long length)
    {
        HasFunctions = true;
        Functions.Add((s, offset, length));
    }

    /// <summary>Says what bytes of the file are.</summary>
    public void Add(long offset, long length, int package, SizeKind kind) => _parts.Add(new Part(offset, length, package, kind));

    /// <summary>Says what bytes in memory are; returns how many of them stand in the file.</summary>
    public long AddMemory(long address, long length, int package, SizeKind kind)
    {
        long found = 0;
        for (int i = FirstPiece(address); i < _pieces.Count && _pieces[i].Address < address + length; i++)
        {
            Piece piece = _pieces[i];
            long from = Math.Max(address, piece.Address);
            long to = Math.Min(address + length, piece.Address + piece.Length);
            if (to > from)
            {
                Add(piece.Offset + from - piece.Address, to - from, package, kind);
                found += to - from;
            }
        }
        return found;
    }

    /// <summary>How many bytes of a range of memory stand in the file.</summary>
    public long InFile(long address, long length)
    {
        long found = 0;
        for (int i = FirstPiece(address); i < _pieces.Count && _pieces[i].Address < address + length; i++)
        {
            Piece piece = _pieces[i];
            found += Math.Max(0, Math.Min(address + length, piece.Address + piece.Length) - Math.Max(address, piece.Address));
        }
        return found;
    }

    /// <summary>Goes through the whole file: all that was said, and what is between.</summary>
    /// <param name="length">Length of the file.</param>
    /// <param name="isPadding">Tells of a gap, by offset and length, whether it is filled as padding is.</param>
    /// <param name="count">Takes package, kind and number of bytes.</param>
    public void Sum(long length, Func<long, long, bool> isPadding, Action<int, SizeKind, long> count)
    {
        _parts.AsSpan().Sort(static (x, y) => x.Offset != y.Offset ? x.Offset.CompareTo(y.Offset) : x.Length.CompareTo(y.Length));
        long at = 0;
        foreach (ref readonly Part part in _parts.AsSpan())
        {
            long from = Math.Max(part.Offset, at);
            long to = Math.Min(part.Offset + part.Length, length);
            if (to <= from)
            {
                continue;
            }
            CountGap(at, from);
            count(part.Package, part.Kind, to - from);
            at = to;
        }
        CountGap(at, length);

        void CountGap(long from, long to)
        {
            if (to > from)
            {
                count(SymbolPackages.Linker, isPadding(from, to - from) ? SizeKind.Padding : SizeKind.Unexplained, to - from);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _parts.Dispose();

    // The first piece that ends behind an address.
    private int FirstPiece(long address)
    {
        if (!_isSorted)
        {
            _pieces.Sort(static (x, y) => x.Address.CompareTo(y.Address));
            _isSorted = true;
        }
        int low = 0, high = _pieces.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_pieces[middle].Address + _pieces[middle].Length <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }

    private readonly record struct Piece(long Address, long Length, long Offset);

    private readonly record struct Part(long Offset, long Length, int Package, SizeKind Kind);
}

/// <summary>A table of the output's format.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Offset">Its place in the file.</param>
/// <param name="Length">Its length.</param>
internal readonly record struct Table(string Name, SizeKind Kind, long Offset, long Length);
