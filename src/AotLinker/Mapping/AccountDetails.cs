namespace AotLinker.Mapping;

/// <summary>What a map is for, in the account.</summary>
internal enum MapKind : byte
{
    Input,
    Output,

    /// <summary>Memory without a file: managed heap, native memory, stacks.</summary>
    Anonymous,

    /// <summary>The linker itself and the libraries it uses.</summary>
    Program,
}

/// <summary>
/// The account's single entries: which files were read, which symbols copied, and which address ranges are inputs and
/// output, so that the system's own list of maps can be told apart. Thread-safe.
/// </summary>
internal sealed unsafe class AccountDetails
{
    private readonly Lock _lock = new();
    private readonly List<ReadFile> _read = [];
    private readonly List<PrivateCopy> _copies = [];
    private readonly List<Region> _regions = [];
    private bool _sorted = true;

    /// <summary>A file that was read into memory.</summary>
    public readonly record struct ReadFile(string Path, long Bytes, ReadReason Reason);

    /// <summary>A copy of read-only content: of which symbol, and how many bytes.</summary>
    public readonly record struct PrivateCopy(long Symbol, int Bytes);

    private readonly record struct Region(nuint Start, nuint End, MapKind Kind);

    /// <summary>The files read so far, by path.</summary>
    public ReadFile[] Read()
    {
        lock (_lock)
        {
            ReadFile[] read = [.. _read];
            Array.Sort(read, static (a, b) => string.CompareOrdinal(a.Path, b.Path));
            return read;
        }
    }

    /// <summary>The copies made so far, the largest first; the same for any number of threads.</summary>
    public PrivateCopy[] Copies()
    {
        lock (_lock)
        {
            PrivateCopy[] copies = [.. _copies];
            Array.Sort(copies, static (a, b) => a.Bytes != b.Bytes ? b.Bytes.CompareTo(a.Bytes) : a.Symbol.CompareTo(b.Symbol));
            return copies;
        }
    }

    /// <summary>Pages in memory by <see cref="MapKind"/>, in bytes; false where the host doesn't tell.</summary>
    /// <param name="host">The host to ask.</param>
    /// <param name="resident">Gets a figure for each kind.</param>
    public bool TryReadResident(HostSystem host, Span<long> resident)
    {
        lock (_lock)
        {
            if (!_sorted)
                _regions.Sort(static (a, b) => a.Start.CompareTo(b.Start));
            _sorted = true;
            resident.Clear();
            fixed (long* figures = resident)
            {
                long* to = figures;
                return host.VisitMaps((in HostMap map) => to[(int)KindOf(map)] += map.Resident);
            }
        }
    }

    internal void AddRead(string path, long bytes, ReadReason reason)
    {
        lock (_lock)
            _read.Add(new ReadFile(path, bytes, reason));
    }

    internal void AddCopy(long symbol, int bytes)
    {
        lock (_lock)
            _copies.Add(new PrivateCopy(symbol, bytes));
    }

    internal void AddMap(byte* start, long length, MapKind kind)
    {
        lock (_lock)
        {
            _regions.Add(new Region((nuint)start, (nuint)(start + length), kind));
            _sorted = false;
        }
    }

    internal void RemoveMap(byte* start)
    {
        lock (_lock)
            _regions.RemoveAll(region => region.Start == (nuint)start);
    }

    private MapKind KindOf(in HostMap map)
    {
        int low = 0;
        for (int high = _regions.Count; low < high;)
        {
            int middle = (low + high) / 2;
            if (_regions[middle].End <= map.Start)
                low = middle + 1;
            else
                high = middle;
        }

        if (low < _regions.Count && _regions[low].Start <= map.Start)
            return _regions[low].Kind;
        return map.HasFile ? MapKind.Program : MapKind.Anonymous;
    }
}
