namespace AotLinker.Compression;

/// <summary>
/// Takes compressed streams while they are made, so that they need not be kept. Called for one stream in the order of its bytes and by one
/// thread at a time, for different streams at once.
/// </summary>
internal interface IZlibSink
{
    /// <summary>More of a stream stands in a buffer: all of it so far that was not taken. What is taken is cleared.</summary>
    /// <param name="stream">Index of its source.</param>
    void Continue(int stream, NativeBuffer buffer);

    /// <summary>A stream has ended. The buffer with the rest of it now belongs to the sink.</summary>
    /// <param name="stream">Index of its source.</param>
    void End(int stream, NativeBuffer rest);
}
