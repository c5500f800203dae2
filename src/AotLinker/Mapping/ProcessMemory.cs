namespace AotLinker.Mapping;

/// <summary>
/// Memory of this process as the system counts it, in bytes. Where a system doesn't count something it is
/// <see cref="Unknown"/>.
/// </summary>
internal readonly record struct ProcessMemory
{
    public const long Unknown = -1;

    public ProcessMemory()
    {
    }

    /// <summary>Pages in memory, those of mapped files included (Linux VmRSS, Windows working set).</summary>
    public long Resident { get; init; } = Unknown;

    /// <summary>The most that <see cref="Resident"/> ever was (Linux VmHWM).</summary>
    public long PeakResident { get; init; } = Unknown;

    /// <summary>
    /// Pages that belong to this process alone: Linux RssAnon, macOS internal pages; Windows counts what is committed.
    /// </summary>
    public long Private { get; init; } = Unknown;

    /// <summary>Pages in memory that are content of files (Linux RssFile and RssShmem, macOS external pages).</summary>
    public long FileBacked { get; init; } = Unknown;
}

/// <summary>A map of this process, as the system lists it.</summary>
/// <param name="Start">Its first address.</param>
/// <param name="Resident">Bytes of it that are in memory and in the process's page tables.</param>
/// <param name="HasFile">Whether a file is behind it.</param>
internal readonly record struct HostMap(nuint Start, long Resident, bool HasFile);

/// <summary>Gets each map of the process.</summary>
internal delegate void MapVisitor(in HostMap map);
