using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// A growable byte buffer outside the managed heap. Writers reserve the most they may need, write through
/// the pointer without further checks, and commit what they used.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint InitialCapacity = 64 * 1024;

    private readonly NativeArray<byte> _memory = new(0);
    private byte* _data;
    private nuint _length;
    private nuint _capacity;

    /// <summary>Bytes committed so far.</summary>
    public long Length => (long)_length;

    /// <summary>First byte; valid until the next reservation or <see cref="Dispose"/>.</summary>
    public byte* Data => _data;

    /// <summary>The committed bytes as one span. Throws <see cref="OverflowException"/> past 2 GiB: use <see cref="Data"/> there.</summary>
    public ReadOnlySpan<byte> Span => new(_data, checked((int)_length));

    /// <summary>Makes room for <paramref name="count"/> more bytes and returns where they start.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Reserve(nuint count)
    {
        if (_capacity - _length < count)
            Grow(count);
        return _data + _length;
    }

    /// <summary>Declares everything before <paramref name="end"/>, a pointer into the last reservation, as written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CommitTo(byte* end) => _length = (nuint)(end - _data);

    /// <summary>Appends <paramref name="bytes"/>.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        byte* at = Reserve((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(at, bytes.Length));
        CommitTo(at + bytes.Length);
    }

    /// <summary>Forgets the content and keeps the memory.</summary>
    public void Clear() => _length = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _length = 0;
        SetCapacity(0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(nuint count)
    {
        nuint wanted = checked(_length + count);
        // Not twice: most writers reserve what is nearly all they will ever need.
        SetCapacity(nuint.Max(nuint.Max(InitialCapacity, wanted), checked(_capacity + (_capacity / 4))));
    }

    private void SetCapacity(nuint capacity)
    {
        _memory.Resize((long)capacity);
        _data = _memory.Base;
        _capacity = capacity;
    }
}
