using System.Runtime.CompilerServices;

namespace AotLinker.Mapping;

/// <summary>
/// A list of values in native memory, for those that grow to megabytes: on the managed heap each doubling is a copy, and what it leaves
/// behind brings the next collection nearer. Where the system can move pages (Linux) growth copies nothing.
/// </summary>
internal sealed unsafe class NativeList<T> : IDisposable
    where T : unmanaged
{
    private readonly NativeArray<T> _items = new(0);

    /// <summary>Number of values.</summary>
    public int Count { get; private set; }

    /// <summary>The value at an index. No reference is kept across <see cref="Add"/>.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _items[index];
    }

    /// <summary>All values, until the list changes.</summary>
    public Span<T> AsSpan() => _items.Span(0, Count);

    /// <summary>The first value, until the list changes.</summary>
    public T* Pointer => _items.Base;

    /// <summary>Adds values at the end that the caller sets: gives out the first.</summary>
    public T* Extend(int count)
    {
        if (Count + (long)count > _items.Length)
        {
            Grow(Count + (long)count);
        }
        Count += count;
        return _items.Base + Count - count;
    }

    /// <summary>Adds a value at the end.</summary>
    public void Add(T value)
    {
        if (Count == _items.Length)
        {
            Grow(Count + 1);
        }
        _items[Count++] = value;
    }

    /// <summary>Adds values at the end.</summary>
    public void AddRange(ReadOnlySpan<T> values)
    {
        if (Count + (long)values.Length > _items.Length)
        {
            Grow(Count + (long)values.Length);
        }
        values.CopyTo(_items.Span(Count, values.Length));
        Count += values.Length;
    }

    /// <summary>Forgets the values and keeps the memory.</summary>
    public void Clear() => Count = 0;

    /// <summary>Returns the memory.</summary>
    public void Dispose()
    {
        _items.Dispose();
        Count = 0;
    }

    private void Grow(long count)
    {
        const int FirstBytes = 1 << 14;
        _items.Resize(Math.Max(count, Math.Max(2 * _items.Length, FirstBytes / Unsafe.SizeOf<T>())));
    }
}
