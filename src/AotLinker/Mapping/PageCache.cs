using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// Pages for tables of less than <see cref="OwnPagesFrom"/> bytes, cut from regions of large pages where the system has them, and a few
/// megabytes that one phase gave back and the next takes: a large page costs at its first touch what a dozen of the 512 small ones
/// would, and clearing pages in use a small part of that. Whatever is larger goes to the system and comes from it. Thread-safe.
/// </summary>
internal sealed unsafe class PageCache(HostSystem host)
{
    /// <summary>Most bytes kept, but for what is left of large pages that are still in use.</summary>
    public const long Capacity = 8 << 20;

    /// <summary>Runs of so many bytes are not cut from regions.</summary>
    public const long OwnPagesFrom = 4 << 20;

    private readonly Lock _lock = new();

    // In the order of addresses; no two touch each other.
    private readonly List<(nint Start, long Length)> _free = [];

    // Address space of which only what is cut off becomes memory, so that one large page at a time is partly used.
    private const long RegionSize = 32 << 20;

    // What nobody has had yet of the last region.
    private byte* _fresh;
    private long _freshLength;

    /// <summary>The pages of this process.</summary>
    public static PageCache Shared { get; } = new(HostSystem.Current);

    /// <summary>Bytes kept now, the rest of a region not among them.</summary>
    public long Kept { get; private set; }

    // Where pages can't be split, what was allocated as one must be freed as one.
    private bool HasRegions => host.CanSplitPages && host.LargePageSize != 0;

    /// <summary>Zeroed pages.</summary>
    public HostError Take(long bytes, out byte* pages)
    {
        HostError error = Take(bytes, out pages, out bool wasUsed);
        if (error.IsNone && wasUsed)
            NativeMemory.Clear(pages, (nuint)bytes);
        return error;
    }

    /// <summary>Takes pages back that came from <see cref="Take"/>, or from the host.</summary>
    public void Give(byte* pages, long bytes)
    {
        if (host.CanSplitPages)
        {
            lock (_lock)
            {
                if (bytes < OwnPagesFrom || Kept + bytes <= Capacity)
                {
                    Kept += bytes;
                    Add((nint)pages, bytes);
                    Shrink(Capacity);
                    return;
                }
            }
        }

        host.FreePages(pages, bytes);
    }

    /// <summary>Gives what is kept back to the system, for a phase that needs pages of another kind.</summary>
    public void LetGo()
    {
        lock (_lock)
            Shrink(0);
    }

    /// <summary>Changes the length of a run; content stays, and what is new is zero. On an error all stays as it was.</summary>
    public HostError Resize(ref byte* pages, long oldBytes, long newBytes)
    {
        // Small runs lie in regions, and to move a part of a large page means to break it up.
        if (!HasRegions || oldBytes >= OwnPagesFrom)
            return host.ResizePages(ref pages, oldBytes, newBytes);
        if (newBytes < oldBytes)
        {
            Give(pages + newBytes, oldBytes - newBytes);
            return HostError.None;
        }

        long added = newBytes - oldBytes;
        if (TryExtend(pages + oldBytes, added, out bool wasUsed))
        {
            if (wasUsed)
                NativeMemory.Clear(pages + oldBytes, (nuint)added);
            return HostError.None;
        }

        HostError error = Take(newBytes, out byte* larger, out wasUsed);
        if (error.IsError)
            return error;
        Buffer.MemoryCopy(pages, larger, newBytes, oldBytes);
        if (wasUsed)
            NativeMemory.Clear(larger + oldBytes, (nuint)added);
        Give(pages, oldBytes);
        pages = larger;
        return HostError.None;
    }

    private static long RoundUp(long value, long unit) => (value + unit - 1) / unit * unit;

    /// <summary>Pages, and whether they were in use before and have to be cleared.</summary>
    private HostError Take(long bytes, out byte* pages, out bool wasUsed)
    {
        lock (_lock)
        {
            wasUsed = TakeKept(bytes, out pages);
            if (wasUsed)
                return HostError.None;
            if (HasRegions && bytes < OwnPagesFrom)
                return CutFresh(bytes, out pages);
        }

        return HasRegions ? AllocateLarge(bytes, out pages) : host.AllocatePages(bytes, out pages);
    }

    /// <summary>Takes the pages from <paramref name="end"/> on if nobody has them: growth in place copies nothing, and leaves no hole.</summary>
    private bool TryExtend(byte* end, long bytes, out bool wasUsed)
    {
        wasUsed = false;
        lock (_lock)
        {
            for (int i = 0; i < _free.Count; i++)
            {
                wasUsed = _free[i].Start == (nint)end && _free[i].Length >= bytes;
                if (wasUsed)
                {
                    TakeFront(i, bytes);
                    return true;
                }
            }

            if (end != _fresh || _freshLength < bytes)
                return false;
            _fresh += bytes;
            _freshLength -= bytes;
            return true;
        }
    }

    private bool TakeKept(long bytes, out byte* pages)
    {
        pages = null;
        int best = -1;
        for (int i = 0; i < _free.Count; i++)
        {
            if (_free[i].Length >= bytes && (best < 0 || _free[i].Length < _free[best].Length))
                best = i;
        }

        if (best < 0)
            return false;
        pages = (byte*)_free[best].Start;
        TakeFront(best, bytes);
        return true;
    }

    private void TakeFront(int run, long bytes)
    {
        (nint start, long length) = _free[run];
        Kept -= bytes;
        if (length == bytes)
            _free.RemoveAt(run);
        else
            _free[run] = (start + (nint)bytes, length - bytes);
    }

    private HostError CutFresh(long bytes, out byte* pages)
    {
        pages = null;
        if (_freshLength < bytes)
        {
            long length = RegionSize;
            if (AllocateLarge(length, out byte* region).IsError)
            {
                length = RoundUp(bytes, host.LargePageSize);
                HostError error = AllocateLarge(length, out region);
                if (error.IsError)
                    return error;
            }

            LeaveFresh();
            _fresh = region;
            _freshLength = length;
        }

        pages = _fresh;
        _fresh += bytes;
        _freshLength -= bytes;
        return HostError.None;
    }

    // Of the rest of a region only the large page that was begun is memory.
    private void LeaveFresh()
    {
        byte* touched = (byte*)RoundUp((long)_fresh, host.LargePageSize);
        long begun = Math.Min(touched - _fresh, _freshLength);
        if (begun < _freshLength)
            host.FreePages(_fresh + begun, _freshLength - begun);
        if (begun == 0)
            return;
        Kept += begun;
        Add((nint)_fresh, begun);
    }

    // Newer kernels align whole large pages by themselves. What is left over at the end comes in small ones.
    private HostError AllocateLarge(long length, out byte* run)
    {
        long large = host.LargePageSize;
        HostError error = host.AllocatePages(length, out run);
        if (error.IsError)
            return error;
        if ((long)run % large != 0)
        {
            host.FreePages(run, length);
            error = host.AllocatePages(length + large, out byte* wide);
            if (error.IsError)
                return error;
            run = (byte*)RoundUp((long)wide, large);
            if (run != wide)
                host.FreePages(wide, run - wide);
            host.FreePages(run + length, wide + large - run);
        }

        host.Advise(run, length, MapAdvice.LargePages);
        return HostError.None;
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

    // A large page goes back to the system when nothing of it is in use.
    private void Shrink(long most)
    {
        long unit = HasRegions ? host.LargePageSize : host.PageSize;
        for (int i = _free.Count - 1; i >= 0 && Kept > most; i--)
        {
            (nint start, long length) = _free[i];
            long from = RoundUp(start, unit);
            long to = (start + length) / unit * unit;
            if (from >= to)
                continue;
            _free.RemoveAt(i);
            if (to < start + length)
                _free.Insert(i, ((nint)to, start + length - to));
            if (start < from)
                _free.Insert(i, (start, from - start));
            Kept -= to - from;
            host.FreePages((byte*)from, to - from);
        }
    }
}
