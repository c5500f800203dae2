namespace AotLinker.Mapping;

/// <summary>
/// A slice of the output while one thread works on it: <c>using OutputLease slice = output.Lease(offset, length);</c>. In
/// a mapped output the span is the output; otherwise it is a buffer that goes to the file when the lease ends. Emit code
/// can't tell and need not.
/// </summary>
/// <remarks>
/// The end of a lease never throws: a failed write is remembered by the <see cref="OutputFile"/> and thrown by its next
/// call. A thread holds one lease at a time, so that buffers can be few.
/// </remarks>
internal readonly unsafe ref struct OutputLease
{
    private readonly OutputFile _owner;
    private readonly byte* _base;
    private readonly int _length;
    private readonly WriteBuffers? _buffers;
    private readonly bool _isRead;

    /// <param name="owner">The output.</param>
    /// <param name="offset">Where the slice lies in it.</param>
    /// <param name="start">Where the slice is now.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="buffers">Whose buffer that is; null for the map.</param>
    /// <param name="isRead">Whether it is only read.</param>
    internal OutputLease(OutputFile owner, long offset, byte* start, int length, WriteBuffers? buffers, bool isRead)
    {
        _owner = owner;
        _base = start;
        _length = length;
        _buffers = buffers;
        _isRead = isRead;
        Offset = offset;
    }

    /// <summary>Where the slice lies in the output.</summary>
    public long Offset { get; }

    public int Length => _length;

    /// <summary>The bytes. Not for writing when this is a <see cref="OutputFile.LeaseRead"/>: use <see cref="ReadOnlySpan"/>.</summary>
    public Span<byte> Span => _isRead
        ? throw new InvalidOperationException("this part of the output was leased for reading")
        : new Span<byte>(_base, _length);

    public ReadOnlySpan<byte> ReadOnlySpan => new(_base, _length);

    public void Dispose() => _owner.EndLease(Offset, _base, _length, _buffers, _isRead);
}
