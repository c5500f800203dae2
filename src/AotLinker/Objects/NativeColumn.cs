using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// One value per symbol (or per any dense id), zero until set, in native memory outside the garbage-collected heap.
/// </summary>
/// <remarks>
/// Growing may move the values, so nothing keeps a reference across the creation of a symbol; symbols are only created in
/// serial code.
/// </remarks>
internal sealed unsafe class NativeColumn<T> : IDisposable
    where T : unmanaged
{
    private readonly NativeArray<T> _memory = new(0);
    private T* _values;
    private long _capacity;

    /// <summary>A column with room for <paramref name="capacity"/> values.</summary>
    public NativeColumn(long capacity = 0) => EnsureCapacity(capacity);

    /// <summary>Address of value 0; valid until the column grows.</summary>
    public T* Pointer => _values;

    /// <summary>Number of values there is room for.</summary>
    public long Capacity => _capacity;

    /// <summary>The value of a symbol.</summary>
    public ref T this[SymbolId s]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref this[(long)s.Index];
    }

    /// <summary>The value at an index. An index outside the column is a bug of ours, never of the input.</summary>
    public ref T this[long i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)i >= (ulong)_capacity)
            {
                ThrowRange(i);
            }
            return ref _values[i];
        }
    }

    /// <summary>Makes room for <paramref name="capacity"/> values, keeping those set so far.</summary>
    public void EnsureCapacity(long capacity)
    {
        if (capacity <= _capacity)
        {
            return;
        }
        // Columns are of known size, but for what passes add to them: a few thousand symbols, as a rule.
        long wanted = Math.Max(capacity, _capacity + Math.Max(_capacity / 32, Math.Clamp(_capacity / 8, 1 << 8, 1 << 12)));
        _memory.Resize(wanted);
        _memory.PreferLargePages();
        _values = _memory.Base;
        _capacity = wanted;
    }

    /// <summary>Returns the memory; the column is empty afterwards.</summary>
    public void Dispose()
    {
        _memory.Dispose();
        _values = null;
        _capacity = 0;
    }

    private void ThrowRange(long i) => throw new InvalidOperationException($"column index {i} outside [0, {_capacity})");
}
