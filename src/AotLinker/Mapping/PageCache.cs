namespace AotLinker.Mapping;

/// <summary>
/// A few megabytes of pages that one phase gave back and the next takes: clearing a page in use costs a small part of what a fresh one
/// does, and giving address space back while other threads run costs more still. Whatever is larger goes to the system and comes from it.
/// Thread-safe.
/// </summary>
internal sealed unsafe class PageCache(HostSystem host)
{
    /// <summary>Most bytes kept.</summary>
    public const long Capacity = 8 << 20;

    private readonly Lock _lock = new();

    // In the order of addresses; no two touch each other.
    private readonly List<(nint Start, long Length)> _free = [];

    /// <summary>The pages of this process.</summary>
    public static PageCache Shared { get; } = new(HostSystem.Current);

    /// <summary>Bytes kept now.</summary>
    public long Kept { get; private set; }

    /// <summary>Zeroed pages.</summary>
    public HostError Take(long bytes, out byte* pages)
    {
        pages = null;
        lock (_lock)
        {
            int best = -1;
            for (int i = 0; i < _free.Count; i++)
            {
                if (_free[i].Length >= bytes && (best < 0 || _free[i].Length < _free[best].Length))
                    best = i;
            }

            if (best >= 0)
            {
                (nint start, long length) = _free[best];
                pages = (byte*)start;
                Kept -= bytes;
                if (length == bytes)
                    _free.RemoveAt(best);
                else
                    _free[best] = (start + (nint)bytes, length - bytes);
            }
        }

        if (pages == null)
            return host.AllocatePages(bytes, out pages);
        System.Runtime.InteropServices.NativeMemory.Clear(pages, (nuint)bytes);
        return HostError.None;
    }

    /// <summary>Takes pages back that came from <see cref="Take"/>, or from the host.</summary>
    public void Give(byte* pages, long bytes)
    {
        lock (_lock)
        {
            if (host.CanSplitPages && Kept + bytes <= Capacity)
            {
                Kept += bytes;
                Add((nint)pages, bytes);
                return;
            }
        }

        host.FreePages(pages, bytes);
    }

    private void Add(nint start, long length)
    {
        int at = 0;
        while (at < _free.Count && _free[at].Start < start)
            at++;
        if (at < _free.Count && start + (nint)length == _free[at].Start)
        {
            length += _free[at].Length;
            _free.RemoveAt(at);
        }

        if (at > 0 && _free[at - 1].Start + (nint)_free[at - 1].Length == start)
            _free[at - 1] = (_free[at - 1].Start, _free[at - 1].Length + length);
        else
            _free.Insert(at, (start, length));
    }
}
