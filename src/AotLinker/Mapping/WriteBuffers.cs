namespace AotLinker.Mapping;

/// <summary>
/// The buffers of an output that is not mapped: at most <see cref="OutputFile.BufferBudget"/> bytes, each of
/// <see cref="OutputFile.MaxLease"/>, made when first needed and touched only as far as they are used. Who finds none free
/// waits; as a thread holds one at a time, somebody always returns one. Where the system gives fewer, those must do.
/// </summary>
internal sealed unsafe class WriteBuffers : IDisposable
{
    private const int MostBuffers = (int)(OutputFile.BufferBudget / OutputFile.MaxLease);

    private readonly HostSystem _host;
    private readonly MemoryAccount _account;
    private readonly Lock _lock = new();
    private readonly Stack<nint> _free = new(MostBuffers);
    private readonly List<nint> _all = new(MostBuffers);
    private readonly SemaphoreSlim _available = new(MostBuffers, MostBuffers);

    public WriteBuffers(HostSystem host, MemoryAccount account)
    {
        _host = host;
        _account = account;
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
                HostError error = _host.AllocatePages(OutputFile.MaxLease, out byte* pages);
                if (error.IsNone)
                {
                    _account.CountNative(OutputFile.MaxLease);
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
            _host.FreePages((byte*)buffer, OutputFile.MaxLease);
            _account.CountNative(-OutputFile.MaxLease);
        }

        _all.Clear();
        _free.Clear();
        _available.Dispose();
    }
}
