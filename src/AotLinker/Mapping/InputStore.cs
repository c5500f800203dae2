using System.Diagnostics.CodeAnalysis;

namespace AotLinker.Mapping;

/// <summary>
/// The inputs of a link: how many are mapped, the memory of those that are read instead, and what that came to. Safe for
/// any number of threads. One per link; <see cref="Shared"/> serves a process that links once.
/// </summary>
internal sealed unsafe class InputStore : IDisposable
{
    /// <summary>
    /// Below this a map (a page table page, a kernel object, a system call to drop it) costs more than a copy. Also
    /// cmd/link's threshold.
    /// </summary>
    public const int SmallestMappedLength = 16 << 10;

    private readonly MemoryArena _arena;
    private readonly int _mapLimit;
    private readonly Dictionary<nint, long> _mapped = [];
    private int _maps;

    /// <param name="account">Where mapped and read bytes are counted.</param>
    /// <param name="mapLimit">Most files mapped at once; null for the host's own limit, 0 to read everything.</param>
    /// <param name="host">The host; another than the current one only in tests.</param>
    public InputStore(MemoryAccount? account = null, int? mapLimit = null, HostSystem? host = null)
    {
        Host = host ?? HostSystem.Current;
        Account = account ?? MemoryAccount.Shared;
        _mapLimit = mapLimit ?? Host.InputMapLimit;
        _arena = new MemoryArena(Account, Host);
    }

    /// <summary>What a link uses, <see cref="MappingSwitches"/> included.</summary>
    public static InputStore Shared { get; } = new(mapLimit: MappingSwitches.NoInputMap ? 0 : null);

    public MemoryAccount Account { get; }

    internal HostSystem Host { get; }

    /// <summary>
    /// Maps or reads a file. Not an exception for a file that can't be opened: <paramref name="error"/> is then the reason
    /// as Go words it ("open x: no such file or directory"), for a caller that puts cmd/link's words around it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="file">What was opened.</param>
    /// <param name="error">Why it was not.</param>
    /// <param name="firstNeeded">
    /// Tells from a file's first bytes (<see cref="InputFile.Head"/>) where that begins which will be read of it besides these: what lies
    /// before is not mapped. All is needed if there is no such function.
    /// </param>
    public bool TryOpen(
        string path, [NotNullWhen(true)] out InputFile? file, [NotNullWhen(false)] out string? error, Func<ReadOnlySpan<byte>, long>? firstNeeded = null)
    {
        file = null;
        HostError failure = Host.OpenInput(path, out HostFile handle);
        if (failure.IsError)
        {
            error = failure.Describe("open", path);
            return false;
        }

        try
        {
            failure = Host.FactsOf(handle, out FileFacts facts);
            if (failure.IsError)
            {
                error = failure.Describe("stat", path);
                return false;
            }

            ReadReason reason = facts.Kind != FileKind.Regular || facts.Length == 0 ? ReadReason.NoLength : ReadReason.Small;
            if (reason == ReadReason.Small && facts.Length >= SmallestMappedLength)
            {
                InputFile.HeadBytes head = InputFile.HeadBytes.Of(Host, handle);
                long unmapped = firstNeeded is null ? 0 : Math.Clamp(firstNeeded(head.Span), 0, facts.Length - 1) & -Host.MapGranularity;
                if (TryMap(handle, unmapped, facts.Length - unmapped, out byte* map, out reason))
                {
                    file = new InputFile(this, path, map, facts.Length, unmapped, facts, in head);
                    Account.CountMappedInput(facts.Length - unmapped);
                    error = null;
                    return true;
                }
            }

            failure = facts.Kind == FileKind.Regular && facts.Length > 0
                ? ReadKnown(handle, facts.Length, out byte* content, out long length)
                : ReadAll(handle, out content, out length);
            if (failure.IsError)
            {
                error = failure.Describe("read", path);
                return false;
            }

            file = new InputFile(this, path, content, length, facts);
            Account.CountReadInput(path, length, reason);
            error = null;
            return true;
        }
        finally
        {
            _ = Host.Close(handle);
        }
    }

    /// <summary>
    /// Makes the content of the inputs read so far read-only as well, so that a stray write is a fault whether an input
    /// was mapped or read. Call when the loading of inputs is over.
    /// </summary>
    public void Freeze() => _arena.Freeze();

    /// <summary>
    /// Makes the pages of all maps present, for inputs that are about to be read, where that is better than faults. Maps that lie side by side
    /// are one to the system, which takes a third less time for them than for each by itself.
    /// </summary>
    public void MakePresent(Workers workers) => ForPieces(workers, worthwhile: 0, new PagePresence(Host).Make);

    /// <summary>
    /// Lets go of the pages of all maps when nobody needs them any more: when a process ends, the system takes them away with one thread,
    /// which is a twentieth of the time of a large link.
    /// </summary>
    public void ReleasePages(Workers workers) =>
        ForPieces(workers, worthwhile: 64 << 20, (start, length) => Host.Advise(start, length, MapAdvice.DontNeed));

    // Pieces are multiples of what one page of page tables is about, large ones where there is enough for all threads.
    private void ForPieces(Workers workers, long worthwhile, PieceAction action)
    {
        const long Unit = 2 << 20;
        const int MostUnits = 8;
        const int PiecesPerThread = 4;
        List<(long Start, long End)> pieces = [];
        lock (_mapped)
        {
            long total = _mapped.Values.Sum();
            if (total < worthwhile)
                return;
            long piece = Unit * Math.Clamp(total / (Unit * PiecesPerThread * workers.Threads), 1, MostUnits);
            long page = Host.PageSize;
            long start = 0, end = 0;
            foreach ((nint map, long length) in _mapped.OrderBy(m => m.Key))
            {
                // Maps mostly lie side by side.
                if (map != end)
                {
                    Cut(start, end, piece);
                    start = map;
                }
                end = map + ((length + page - 1) & ~(page - 1));
            }
            Cut(start, end, piece);
        }

        workers.For(pieces.Count, i => action((byte*)pieces[i].Start, pieces[i].End - pieces[i].Start));

        void Cut(long from, long to, long piece)
        {
            for (long next; from < to; from = next)
            {
                next = Math.Min(to, (from / piece + 1) * piece);
                pieces.Add((from, next));
            }
        }
    }

    /// <summary>Returns the memory of the inputs that were read. Mapped ones are unmapped by their own Dispose.</summary>
    public void Dispose() => _arena.Dispose();

    internal void Unmap(byte* map, long length)
    {
        Account.Details?.RemoveMap(map);
        lock (_mapped)
            _mapped.Remove((nint)map);
        _ = Host.Unmap(map, length);
        Interlocked.Decrement(ref _maps);
    }

    private bool TryMap(HostFile handle, long offset, long length, out byte* map, out ReadReason reason)
    {
        map = null;
        reason = _mapLimit == 0 ? ReadReason.SwitchedOff : ReadReason.MapLimit;
        if (Interlocked.Increment(ref _maps) <= _mapLimit)
        {
            if (Host.MapInput(handle, offset, length, out map).IsNone)
            {
                Account.Details?.AddMap(map, length, MapKind.Input);
                lock (_mapped)
                    _mapped.Add((nint)map, length);
                return true;
            }

            reason = ReadReason.Refused;
        }

        Interlocked.Decrement(ref _maps);
        return false;
    }

    private HostError ReadKnown(HostFile handle, long expected, out byte* content, out long length)
    {
        content = _arena.Alloc(expected, 64);
        return Host.ReadAt(handle, 0, content, expected, out length);
    }

    /// <summary>Reads a pipe, or a file that does not know its length (as under /proc), to its end.</summary>
    private HostError ReadAll(HostFile handle, out byte* content, out long length)
    {
        const int Step = 1 << 20;
        content = null;
        length = 0;
        using var buffer = new NativeArray<byte>(Step, Account, Host);
        while (true)
        {
            if (buffer.Length - length < Step / 2)
                buffer.Resize(buffer.Length * 2);
            HostError error = Host.ReadNext(handle, buffer.Base + length, (int)Math.Min(buffer.Length - length, 1 << 30), out int read);
            if (error.IsError)
                return error;
            if (read == 0)
                break;
            length += read;
        }

        content = _arena.Alloc(length, 64);
        Buffer.MemoryCopy(buffer.Base, content, length, length);
        return HostError.None;
    }

    private delegate void PieceAction(byte* start, long length);
}
