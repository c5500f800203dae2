namespace AotLinker.Mapping;

/// <summary>
/// What a link mapped, read, copied and took from the system, counted where it happens. Thread-safe; all figures are
/// bytes unless they say otherwise.
/// </summary>
internal sealed class MemoryAccount
{
    private long _inputFilesMapped;
    private long _inputBytesMapped;
    private long _inputFilesRead;
    private long _inputBytesRead;
    private long _outputBytesMapped;
    private long _outputBytesWritten;
    private long _privateCopies;
    private long _privateCopyBytes;
    private long _nativeBytes;
    private long _nativePeak;

    /// <summary>The account of a process that keeps only one.</summary>
    public static MemoryAccount Shared { get; } = new();

    /// <summary>Number of inputs that were mapped.</summary>
    public long InputFilesMapped => Volatile.Read(ref _inputFilesMapped);

    public long InputBytesMapped => Volatile.Read(ref _inputBytesMapped);

    /// <summary>Number of inputs read into memory: small, unmappable, or beyond the number of maps.</summary>
    public long InputFilesRead => Volatile.Read(ref _inputFilesRead);

    public long InputBytesRead => Volatile.Read(ref _inputBytesRead);

    /// <summary>Size of the output map at its largest.</summary>
    public long OutputBytesMapped => Volatile.Read(ref _outputBytesMapped);

    /// <summary>Bytes of output that went through write calls instead of a map.</summary>
    public long OutputBytesWritten => Volatile.Read(ref _outputBytesWritten);

    /// <summary>How often read-only symbol content was copied to be written to.</summary>
    public long PrivateCopies => Volatile.Read(ref _privateCopies);

    public long PrivateCopyBytes => Volatile.Read(ref _privateCopyBytes);

    /// <summary>Native memory held now: arenas, columns, write buffers and inputs read into memory.</summary>
    public long NativeBytes => Volatile.Read(ref _nativeBytes);

    public long NativePeak => Volatile.Read(ref _nativePeak);

    internal void CountMappedInput(long bytes)
    {
        Interlocked.Increment(ref _inputFilesMapped);
        Interlocked.Add(ref _inputBytesMapped, bytes);
    }

    internal void CountReadInput(long bytes)
    {
        Interlocked.Increment(ref _inputFilesRead);
        Interlocked.Add(ref _inputBytesRead, bytes);
    }

    internal void CountMappedOutput(long bytes) => RaiseTo(ref _outputBytesMapped, bytes);

    internal void CountWrittenOutput(long bytes) => Interlocked.Add(ref _outputBytesWritten, bytes);

    internal void CountPrivateCopy(long bytes)
    {
        Interlocked.Increment(ref _privateCopies);
        Interlocked.Add(ref _privateCopyBytes, bytes);
    }

    internal void CountNative(long bytes)
    {
        long now = Interlocked.Add(ref _nativeBytes, bytes);
        if (bytes > 0)
            RaiseTo(ref _nativePeak, now);
    }

    private static void RaiseTo(ref long peak, long value)
    {
        long seen = Volatile.Read(ref peak);
        while (value > seen)
        {
            long before = Interlocked.CompareExchange(ref peak, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
