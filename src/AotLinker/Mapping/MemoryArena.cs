using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// Native memory with the lifetime of a phase: handed out by bumping a pointer, returned all at once by
/// <see cref="Dispose"/>. Memory is zero when handed out. Any thread may allocate: threads are spread over lanes, each with
/// its own block and a lock that is nearly always free. The garbage collector never sees any of it.
/// </summary>
/// <remarks>
/// A lane's first block is small, so that a link of a small program touches little; later ones are half as large as all before
/// them, up to <see cref="LargestBlock"/>. What is larger than a quarter of that gets pages of its own.
/// </remarks>
internal sealed unsafe class MemoryArena : IDisposable
{
    private const int Lanes = 32;
    private const long SmallestBlock = 64 << 10;
    private const long LargestBlock = 4 << 20;
    private const long OwnPagesFrom = LargestBlock / 4;

    private readonly HostSystem _host;
    private readonly PageCache? _cache;
    private readonly MemoryAccount _account;
    private readonly Lock _blocksLock = new();
    private readonly List<(nint Pages, long Length)> _blocks = [];
    private Lane* _lanes;
    private bool _isFrozen;

    public MemoryArena(MemoryAccount? account = null, HostSystem? host = null)
    {
        _account = account ?? MemoryAccount.Shared;
        _host = host ?? HostSystem.Current;
        _cache = _host == HostSystem.Current ? PageCache.Shared : null;
        _lanes = (Lane*)NativeMemory.AlignedAlloc((nuint)(Lanes * sizeof(Lane)), (nuint)sizeof(Lane));
        new Span<Lane>(_lanes, Lanes).Clear();
    }

    /// <summary>Bytes taken from the system so far.</summary>
    public long Reserved { get; private set; }

    /// <summary><paramref name="count"/> zeroed values, aligned for their type.</summary>
    public T* Alloc<T>(long count = 1)
        where T : unmanaged => (T*)Alloc(checked(count * sizeof(T)), Alignment<T>());

    /// <summary>A zeroed span.</summary>
    public Span<T> AllocSpan<T>(int count)
        where T : unmanaged => new(Alloc<T>(count), count);

    /// <summary>A copy of <paramref name="source"/> that lives as long as the arena.</summary>
    public Span<T> Copy<T>(ReadOnlySpan<T> source)
        where T : unmanaged
    {
        Span<T> copy = AllocSpan<T>(source.Length);
        source.CopyTo(copy);
        return copy;
    }

    /// <summary><paramref name="bytes"/> zeroed bytes at a multiple of <paramref name="alignment"/>, a power of two ≤ 4096.</summary>
    public byte* Alloc(long bytes, int alignment)
    {
        ObjectDisposedException.ThrowIf(_lanes == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes >= OwnPagesFrom)
            return TakePages(bytes);

        Lane* lane = _lanes + (Environment.CurrentManagedThreadId % Lanes);
        lane->Gate.Enter();
        try
        {
            byte* start = (byte*)(((nuint)lane->Next + (nuint)alignment - 1) & ~(nuint)(alignment - 1));
            if (lane->Next == null || start + bytes > lane->End)
            {
                long block = Math.Clamp(lane->Blocks / 2, SmallestBlock, LargestBlock);
                while (block < bytes)
                    block *= 2;
                start = TakePages(block);
                lane->Blocks += block;
                lane->End = start + block;
            }

            lane->Next = start + bytes;
            return start;
        }
        finally
        {
            lane->Gate.Exit();
        }
    }

    /// <summary>
    /// Makes everything handed out so far read-only; later allocations come from fresh blocks. For content that must not
    /// be written once it is filled.
    /// </summary>
    public void Freeze()
    {
        _isFrozen = true;
        for (int i = 0; i < Lanes; i++)
            _lanes[i].Next = _lanes[i].End;
        lock (_blocksLock)
        {
            foreach ((nint pages, long length) in _blocks)
            {
                HostError error = _host.Protect((byte*)pages, length);
                if (error.IsError)
                    throw new LinkException($"protecting memory failed: {error}");
            }
        }
    }

    /// <summary>Returns all memory. Every pointer and span from this arena is then dead; no thread may be allocating.</summary>
    public void Dispose()
    {
        if (_lanes == null)
            return;
        foreach ((nint pages, long length) in _blocks)
            Return((byte*)pages, length);
        _account.CountNative(-Reserved);
        _blocks.Clear();
        Reserved = 0;
        NativeMemory.AlignedFree(_lanes);
        _lanes = null;
    }

    private static int Alignment<T>()
        where T : unmanaged
    {
        // The size's largest power-of-two factor is at least the type's alignment.
        int size = Unsafe.SizeOf<T>();
        return Math.Min(size & -size, 64);
    }

    private void Return(byte* pages, long length)
    {
        if (_cache is not null && !_isFrozen)
            _cache.Give(pages, length);
        else
            _host.FreePages(pages, length);
    }

    private byte* TakePages(long bytes)
    {
        long page = _host.PageSize;
        long length = (Math.Max(bytes, 1) + page - 1) & ~(page - 1);
        byte* pages;
        HostError error = _cache is not null ? _cache.Take(length, out pages) : _host.AllocatePages(length, out pages);
        if (error.IsError)
            throw new LinkException($"allocating {length} bytes of memory failed: {error}");
        lock (_blocksLock)
        {
            _blocks.Add(((nint)pages, length));
            Reserved += length;
        }

        _account.CountNative(length);
        return pages;
    }

    /// <summary>A bump pointer on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Lane
    {
        public byte* Next;
        public byte* End;
        public long Blocks;
        public SpinGate Gate;
    }
}
