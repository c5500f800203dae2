using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AotLinker.Mapping;

/// <summary>
/// A column outside the garbage-collected heap: <see cref="Length"/> zeroed values in pages straight from the system, which
/// cost memory only where they are touched, or from the <see cref="PageCache"/>. For tables with an entry per symbol, relocation or address. A phase that ends
/// gives them back with <see cref="Dispose"/>.
/// </summary>
internal sealed unsafe class NativeArray<T> : IDisposable
    where T : unmanaged
{
    private readonly HostSystem _host;
    private readonly PageCache? _cache;
    private readonly MemoryAccount _account;
    private T* _items;
    private long _length;
    private long _pageBytes;

    public NativeArray(long length, MemoryAccount? account = null, HostSystem? host = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _host = host ?? HostSystem.Current;
        _cache = _host == HostSystem.Current ? PageCache.Shared : null;
        _account = account ?? MemoryAccount.Shared;
        Resize(length);
    }

    public long Length => _length;

    /// <summary>The first value; null when the length is 0. Dead after <see cref="Resize"/> and <see cref="Dispose"/>.</summary>
    public T* Base => _items;

    /// <summary>The value at an index, bounds-checked.</summary>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)_length)
                ThrowOutOfRange();
            return ref _items[index];
        }
    }

    /// <summary>A bounds-checked slice.</summary>
    public Span<T> Span(long start, int count)
    {
        if ((ulong)start > (ulong)_length || (uint)count > (ulong)(_length - start))
            ThrowOutOfRange();
        return new Span<T>(_items + start, count);
    }

    /// <summary>All of it; the length must fit an <see cref="int"/>.</summary>
    public Span<T> AsSpan() => new(_items, checked((int)_length));

    /// <summary>
    /// Changes the length: values below the smaller length stay, new ones are zero. Where the system can move pages
    /// (Linux) nothing is copied.
    /// </summary>
    public void Resize(long length)
    {
        long page = _host.PageSize;
        long bytes = checked(((length * sizeof(T)) + page - 1) & ~(page - 1));
        if (length < _length)
            ClearTail(length, bytes);
        if (bytes == _pageBytes)
        {
            _length = length;
            return;
        }

        if (bytes == 0)
        {
            Release();
            return;
        }

        byte* pages = (byte*)_items;
        HostError error = pages == null && _cache is not null ? _cache.Take(bytes, out pages)
            : pages == null ? _host.AllocatePages(bytes, out pages)
            : _cache is not null ? _cache.Resize(ref pages, _pageBytes, bytes)
            : _host.ResizePages(ref pages, _pageBytes, bytes);
        if (error.IsError)
            throw new LinkException($"allocating {bytes} bytes of memory failed: {error}");
        _items = (T*)pages;
        _account.CountNative(bytes - _pageBytes);
        _pageBytes = bytes;
        _length = length;
    }

    /// <summary>
    /// Asks for large pages, for values read in no order. Arrays below <paramref name="smallest"/> bytes stay as they are: their last page
    /// would be mostly waste.
    /// </summary>
    public void PreferLargePages(long smallest = 4 << 20)
    {
        if (_pageBytes >= smallest)
            _host.Advise((byte*)_items, _pageBytes, MapAdvice.LargePages);
    }

    /// <summary>
    /// Says that nearly all values will be set, in no order: what large pages have no room for at the end is made present by one request. A
    /// small page that is read first otherwise costs two faults, and the second makes all threads look at their maps anew.
    /// </summary>
    public void MakeRestPresent()
    {
        long large = _host.LargePageSize;
        if (large == 0 || _pageBytes < large)
            return;
        long rest = (long)((byte*)_items + _pageBytes) % large;
        if (rest != 0)
            _host.Advise((byte*)_items + _pageBytes - rest, rest, MapAdvice.PresentForWriting);
    }

    /// <summary>
    /// The length to take instead of <paramref name="length"/> for an array that will ask for large pages: the system aligns whole ones
    /// alone.
    /// </summary>
    public static long FillLargePages(long length)
    {
        const long LargePage = 2 << 20;
        long bytes = length * sizeof(T);
        return bytes < LargePage ? length : (bytes + LargePage - 1) / LargePage * LargePage / sizeof(T);
    }

    public void Dispose() => Release();

    /// <summary>What a later growth would show again within the last page that stays must be zero.</summary>
    private void ClearTail(long length, long keptBytes)
    {
        byte* end = (byte*)_items + Math.Min(keptBytes, _length * sizeof(T));
        byte* start = (byte*)(_items + length);
        if (start < end)
            NativeMemoryClear(start, end - start);
    }

    private void Release()
    {
        if (_items != null)
        {
            if (_cache is not null)
                _cache.Give((byte*)_items, _pageBytes);
            else
                _host.FreePages((byte*)_items, _pageBytes);
            _account.CountNative(-_pageBytes);
        }

        _items = null;
        _length = 0;
        _pageBytes = 0;
    }

    private static void NativeMemoryClear(byte* start, long bytes) =>
        System.Runtime.InteropServices.NativeMemory.Clear(start, (nuint)bytes);

    [DoesNotReturn]
    private static void ThrowOutOfRange() => throw new ArgumentOutOfRangeException(null, "index outside the native array");
}
