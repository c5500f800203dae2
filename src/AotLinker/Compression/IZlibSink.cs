namespace AotLinker.Compression;

/// <summary>
/// Takes compressed streams while they are made, so that they need not be kept. Called for one stream in the order of its bytes and by one
/// thread at a time, for different streams at once.
/// </summary>
internal interface IZlibSink
{
    /// <summary>Takes more of a stream. Nothing is left in the buffer.</summary>
    /// <param name="stream">Index of its source.</param>
    /// <param name="buffer">The bytes.</param>
    /// <param name="last">Whether the stream ends with them.</param>
    /// <returns>How many bytes of the stream the sink has to keep until others have ended.</returns>
    long Take(int stream, NativeBuffer buffer, bool last);
}
