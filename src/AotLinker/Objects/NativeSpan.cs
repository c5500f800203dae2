using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>Values in native memory that belongs to somebody else; unlike a span it can be kept and used from several threads.</summary>
internal readonly unsafe struct NativeSpan<T>(T* start, int length)
    where T : unmanaged
{
    /// <summary>Number of values.</summary>
    public int Length => length;

    /// <summary>Address of the first.</summary>
    public T* Start => start;

    /// <summary>The value at an index.</summary>
    public ref T this[int i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((uint)i >= (uint)length)
            {
                throw new ArgumentOutOfRangeException(nameof(i));
            }
            return ref start[i];
        }
    }

    /// <summary>Zeroed values that live as long as an arena.</summary>
    public static NativeSpan<T> Of(MemoryArena memory, int length) => length == 0 ? default : new(memory.Alloc<T>(length), length);

    /// <summary>Values that the garbage collector doesn't move.</summary>
    public static NativeSpan<T> InPlace(ReadOnlySpan<T> values) => new((T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(values)), values.Length);

    /// <summary>Asks the CPU for the first and the last of the values; most names are in one or two lines of the cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Expect()
    {
        Prefetch.Read(start);
        Prefetch.Read(start + length);
    }

    /// <summary>All of them.</summary>
    public Span<T> AsSpan() => new(start, length);

    /// <summary>Some of them.</summary>
    public NativeSpan<T> Slice(int from, int count) =>
        (uint)from <= (uint)length && (uint)count <= (uint)(length - from)
            ? new NativeSpan<T>(start + from, count)
            : throw new ArgumentOutOfRangeException(nameof(from));
}
