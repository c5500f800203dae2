namespace AotLinker.Mapping;

/// <summary>What stands at a path or behind a handle.</summary>
internal enum FileKind : byte
{
    Regular,
    Directory,
    SymbolicLink,

    /// <summary>A pipe, socket, terminal or other device: bytes in order, no length.</summary>
    Stream,
}

/// <summary>An open file of the host: a descriptor, or a Windows HANDLE.</summary>
internal readonly record struct HostFile(nint Handle)
{
    public static HostFile None => new(-1);

    public bool IsOpen => Handle != -1;
}

/// <summary>The facts of a file that decide how it is read or written. Times are nanoseconds of the host's own clock.</summary>
internal readonly record struct FileFacts
{
    public FileKind Kind { get; init; }

    /// <summary>Size in bytes; meaningless for a <see cref="FileKind.Stream"/>.</summary>
    public long Length { get; init; }

    public ulong Device { get; init; }

    /// <summary>Inode or file index: with <see cref="Device"/>, the identity of the file.</summary>
    public ulong Id { get; init; }

    public long Modified { get; init; }

    public long Accessed { get; init; }

    /// <summary>Permission bits (POSIX), 0 on Windows.</summary>
    public uint Permissions { get; init; }

    public bool IsSameFile(in FileFacts other) => Device == other.Device && Id == other.Id;
}

/// <summary>How a part of a map is about to be used.</summary>
internal enum MapAdvice : byte
{
    /// <summary>Read ahead.</summary>
    WillNeed,

    /// <summary>
    /// The pages may leave this process; their content stays in the page cache and comes back on the next access.
    /// </summary>
    DontNeed,
    Sequential,
    Random,

    /// <summary>
    /// Make the pages present now, all at once: cheaper than a fault for each, or each few, of them when most will be looked at. A host
    /// that can't leaves it to the faults.
    /// </summary>
    Present,

    /// <summary>As <see cref="Present"/>, for pages that will be written.</summary>
    PresentForWriting,

    /// <summary>
    /// Memory of our own that is read in no order, or an output: large pages, where the system has them, save address look-ups and page
    /// faults.
    /// </summary>
    LargePages,
}
