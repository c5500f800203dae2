namespace AotLinker.Compression;

/// <summary>Bytes to be compressed, made on demand.</summary>
internal interface IZlibSource
{
    /// <summary>Number of bytes; must be below 4 GB.</summary>
    long Length { get; }

    /// <summary>
    /// Sets all of <paramref name="destination"/> to the bytes from <paramref name="offset"/> on. Any thread may call it, and
    /// more than once for the same bytes.
    /// </summary>
    void Read(long offset, Span<byte> destination);

    /// <summary>
    /// Sets the first bytes of <paramref name="destination"/> to those from <paramref name="offset"/> on: at least <paramref name="least"/>,
    /// or more where that is easier. Returns how many. For readers that go on where they stopped.
    /// </summary>
    int ReadOn(long offset, Span<byte> destination, int least)
    {
        Read(offset, destination[..least]);
        return least;
    }
}
