namespace AotLinker.Mapping;

/// <summary>
/// A few buffers of one size for content on its way to the output, made when first needed and touched only as far as they are used.
/// Who finds none free waits; as a thread holds one at a time, somebody always returns one. Where the system gives fewer, those must do.
/// </summary>
internal sealed unsafe class WriteBuffers : IDisposable
{
    private readonly HostSystem _host;
    private readonly MemoryAccount _account;
    private readonly int _size;
    private readonly PageCache? _cache;
    private readonly Lock _lock = new();
    private readonly Stack<nint> _free;
    private readonly List<nint> _all;
    private readonly SemaphoreSlim _available;

    /// <summary>At most <paramref name="most"/> buffers of <paramref name="size"/> bytes, a multiple of the page size.</summary>
    public WriteBuffers(HostSystem host, MemoryAccount account, int size, int most)
    {
        _host = host;
        _account = account;
        _size = size;
        _cache = host == HostSystem.Current ? PageCache.Shared : null;
        _free = new(most);
        _all = new(most);
        _available = new(most, most);
    }

    public byte* Take()
    {
        while (true)
        {
            _available.Wait();
            lock (_lock)
            {
                if (_free.TryPop(out nint buffer))
                    return (byte*)buffer;
                HostError error = _cache is not null ? _cache.Take(_size, out byte* pages) : _host.AllocatePages(_size, out pages);
                if (error.IsNone)
                {
                    _account.CountNative(_size);
                    _all.Add((nint)pages);
                    return pages;
                }

                if (_all.Count == 0)
                {
                    _available.Release();
                    throw new LinkException($"allocating a write buffer failed: {error}");
                }
            }

            // There is no memory for one more, so its place is given up: wait for one of those there are.
        }
    }

    public void Return(byte* buffer)
    {
        lock (_lock)
            _free.Push((nint)buffer);
        _available.Release();
    }

    public void Dispose()
    {
        foreach (nint buffer in _all)
        {
            if (_cache is not null)
                _cache.Give((byte*)buffer, _size);
            else
                _host.FreePages((byte*)buffer, _size);
            _account.CountNative(-_size);
        }

        _all.Clear();
        _free.Clear();
        _available.Dispose();
    }
}
