using AotLinker.Mapping;

namespace AotLinker.Formats;

/// <summary>
/// Fills a stretch of the output from its start to its end, of any length, through one lease after the other. The thread can't have
/// another lease meanwhile.
/// </summary>
internal ref struct OutputSequence(OutputFile output, long offset, long length)
{
    private const int PieceSize = OutputFile.MaxMade;

    private readonly OutputFile _output = output;
    private readonly long _end = offset + length;
    private long _next = offset;
    private OutputLease _lease;
    private Span<byte> _free;
    private bool _isLeased;

    /// <summary>Appends bytes.</summary>
    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > _free.Length)
        {
            bytes[.._free.Length].CopyTo(_free);
            bytes = bytes[_free.Length..];
            NextPiece();
        }
        bytes.CopyTo(_free);
        _free = _free[bytes.Length..];
    }

    /// <summary>Appends a byte.</summary>
    public void Write(byte b)
    {
        if (_free.IsEmpty)
            NextPiece();
        _free[0] = b;
        _free = _free[1..];
    }

    /// <summary>Appends bytes and a zero behind them.</summary>
    public void WriteTerminated(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < _free.Length)
        {
            bytes.CopyTo(_free);
            _free[bytes.Length] = 0;
            _free = _free[(bytes.Length + 1)..];
            return;
        }
        Write(bytes);
        Write(0);
    }

    /// <summary>Checks that the stretch is full.</summary>
    public readonly void Complete()
    {
        if (_next != _end || !_free.IsEmpty)
            throw new InvalidOperationException($"{_end - _next + _free.Length} bytes were sized but not written, up to {_end}");
    }

    /// <summary>Ends the last lease.</summary>
    public void Dispose()
    {
        if (_isLeased)
            _lease.Dispose();
        _isLeased = false;
        _free = default;
    }

    private void NextPiece()
    {
        Dispose();
        int size = (int)Math.Min(PieceSize, _end - _next);
        if (size == 0)
            throw new InvalidOperationException($"more bytes were written than sized, at {_end}");
        _lease = _output.LeaseMade(_next, size);
        _isLeased = true;
        _free = _lease.Span;
        _next += size;
    }
}
