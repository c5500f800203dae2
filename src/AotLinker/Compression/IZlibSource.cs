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
}
