namespace AotLinker.Mapping;

/// <summary>
/// What a link mapped, read, copied and took from the system, counted where it happens. Thread-safe; all figures are
/// bytes unless they say otherwise.
/// </summary>
internal sealed class MemoryAccount
{
    /// <summary>Number of <see cref="ReadReason"/>s.</summary>
    public const int ReadReasons = (int)ReadReason.SwitchedOff + 1;

    private readonly long[] _readFiles = new long[ReadReasons];
    private readonly long[] _readBytes = new long[ReadReasons];
    private long _inputFilesMapped;
    private long _inputBytesMapped;
    private long _outputBytesMapped;
    private long _outputBytesWritten;
    private long _privateCopies;
    private long _privateCopyBytes;
    private long _nativeBytes;
    private long _nativePeak;
    private long _nativeRecentPeak;
    private long _nativeAllocations;
    private long _nativeAllocated;

    /// <summary>The account of a process that keeps only one.</summary>
    public static MemoryAccount Shared { get; } = new();

    /// <summary>Single files, maps and symbols, where somebody wants to know; null, and then nothing is kept, where nobody does.</summary>
    public AccountDetails? Details { get; set; }

    /// <summary>Number of inputs that were mapped.</summary>
    public long InputFilesMapped => Volatile.Read(ref _inputFilesMapped);

    public long InputBytesMapped => Volatile.Read(ref _inputBytesMapped);

    /// <summary>Number of inputs read into memory: small, unmappable, or beyond the number of maps.</summary>
    public long InputFilesRead => Sum(_readFiles);

    public long InputBytesRead => Sum(_readBytes);

    /// <summary>Size of the output map at its largest.</summary>
    public long OutputBytesMapped => Volatile.Read(ref _outputBytesMapped);

    /// <summary>Bytes of output that went through write calls instead of a map.</summary>
    public long OutputBytesWritten => Volatile.Read(ref _outputBytesWritten);

    /// <summary>How often read-only symbol content was copied to be written to.</summary>
    public long PrivateCopies => Volatile.Read(ref _privateCopies);

    public long PrivateCopyBytes => Volatile.Read(ref _privateCopyBytes);

    /// <summary>Native memory held now: arenas, columns, tables, write buffers and inputs read into memory.</summary>
    public long NativeBytes => Volatile.Read(ref _nativeBytes);

    public long NativePeak => Volatile.Read(ref _nativePeak);

    /// <summary>How often native memory was asked for, an array's growth included.</summary>
    public long NativeAllocations => Volatile.Read(ref _nativeAllocations);

    /// <summary>All native memory ever asked for; what was returned since counts, too.</summary>
    public long NativeAllocated => Volatile.Read(ref _nativeAllocated);

    /// <summary>Number of inputs read for a reason.</summary>
    public long FilesRead(ReadReason reason) => Volatile.Read(ref _readFiles[(int)reason]);

    /// <summary>Bytes of inputs read for a reason.</summary>
    public long BytesRead(ReadReason reason) => Volatile.Read(ref _readBytes[(int)reason]);

    /// <summary>The most native memory held since this was last asked.</summary>
    public long TakeRecentNativePeak() => Interlocked.Exchange(ref _nativeRecentPeak, NativeBytes);

    internal void CountMappedInput(long bytes)
    {
        Interlocked.Increment(ref _inputFilesMapped);
        Interlocked.Add(ref _inputBytesMapped, bytes);
    }

    internal void CountReadInput(string path, long bytes, ReadReason reason)
    {
        Interlocked.Increment(ref _readFiles[(int)reason]);
        Interlocked.Add(ref _readBytes[(int)reason], bytes);
        Details?.AddRead(path, bytes, reason);
    }

    internal void CountMappedOutput(long bytes) => RaiseTo(ref _outputBytesMapped, bytes);

    internal void CountWrittenOutput(long bytes) => Interlocked.Add(ref _outputBytesWritten, bytes);

    internal void CountPrivateCopy(long symbol, int bytes)
    {
        Interlocked.Increment(ref _privateCopies);
        Interlocked.Add(ref _privateCopyBytes, bytes);
        Details?.AddCopy(symbol, bytes);
    }

    internal void CountNative(long bytes)
    {
        long now = Interlocked.Add(ref _nativeBytes, bytes);
        if (bytes <= 0)
            return;
        Interlocked.Increment(ref _nativeAllocations);
        Interlocked.Add(ref _nativeAllocated, bytes);
        RaiseTo(ref _nativePeak, now);
        RaiseTo(ref _nativeRecentPeak, now);
    }

    private static long Sum(long[] parts)
    {
        long sum = 0;
        for (int i = 0; i < parts.Length; i++)
            sum += Volatile.Read(ref parts[i]);
        return sum;
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
