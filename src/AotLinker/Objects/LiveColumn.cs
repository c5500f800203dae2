using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// One value per live symbol, zero until set, in native memory. The few values of symbols without a number (set before there are
/// numbers, or though the symbol was dead then) stand beside.
/// </summary>
/// <remarks>
/// As with <see cref="NativeColumn{T}"/> nothing keeps a reference across the creation of a symbol, which only serial code does. Any
/// thread may get at values.
/// </remarks>
internal sealed unsafe class LiveColumn<T>(LiveNumbers numbers) : IDisposable
    where T : unmanaged
{
    private readonly NativeColumn<T> _column = new();
    private readonly Dictionary<int, nint> _others = [];

    /// <summary>The value of a symbol, to be changed: to read it of one that may be dead, <see cref="Get"/> keeps nothing.</summary>
    public ref T this[SymbolId s]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref this[s.Index];
    }

    /// <summary>The value of the symbol with an id.</summary>
    public ref T this[int id]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int n = numbers.Of(id);
            return ref n >= 0 ? ref _column[(long)n] : ref Other(id);
        }
    }

    /// <summary>The value of a symbol.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Get(SymbolId s)
    {
        int n = numbers.Of(s.Index);
        return n >= 0 ? _column[(long)n] : GetOther(s.Index);
    }

    /// <summary>The value of the symbol with a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByNumber(int number) => _column[(long)number];

    /// <summary>The values of numbered symbols by number, and how many there is room for; they stay there until a symbol is made.</summary>
    public T* ByNumber(out int count)
    {
        count = (int)Math.Min(_column.Capacity, int.MaxValue);
        return _column.Pointer;
    }

    /// <summary>Makes room for the numbers of all ids below <paramref name="count"/>.</summary>
    public void EnsureCapacity(int count)
    {
        if (!numbers.IsNumbered)
        {
            return;
        }
        bool first = _column.Capacity == 0;
        _column.EnsureCapacity(numbers.Count + (long)Math.Max(0, count - numbers.End));
        if (first)
        {
            TakeInOthers();
        }
    }

    /// <summary>Returns the memory; no value may be read or set afterwards.</summary>
    public void Dispose()
    {
        _column.Dispose();
        foreach (nint value in _others.Values)
        {
            NativeHeap.Free((void*)value);
        }
        _others.Clear();
    }

    private void TakeInOthers()
    {
        foreach (int id in _others.Keys.ToArray())
        {
            if (numbers.Of(id) is >= 0 and var n && _others.Remove(id, out nint value))
            {
                _column[(long)n] = *(T*)value;
                NativeHeap.Free((void*)value);
            }
        }
    }

    private ref T Other(int id)
    {
        lock (_others)
        {
            ref nint value = ref CollectionsMarshal.GetValueRefOrAddDefault(_others, id, out bool exists);
            if (!exists)
            {
                value = (nint)NativeHeap.AllocZeroed(1, (nuint)sizeof(T));
            }
            return ref *(T*)value;
        }
    }

    private T GetOther(int id)
    {
        // Nearly always, and then without the lock: dead symbols have no values.
        if (_others.Count == 0)
        {
            return default;
        }
        lock (_others)
        {
            return _others.TryGetValue(id, out nint value) ? *(T*)value : default;
        }
    }
}
