using System.Diagnostics.CodeAnalysis;

namespace AotLinker.Mapping;

/// <summary>
/// The operating system, as far as the linker touches it: files, maps and memory. Implementations translate, retry
/// interrupted calls and report error numbers; what to do about an error is decided by <see cref="InputFile"/> and
/// <see cref="OutputFile"/>. No other folder calls the system. Choosing by <see cref="OperatingSystem"/> lets Native AOT
/// drop the hosts it is not compiled for.
/// </summary>
internal abstract unsafe class HostSystem
{
    /// <summary>Permissions of an output, before the umask: cmd/link's outbufMode, 0775.</summary>
    public const uint OutputPermissions = 0x1FD;

    /// <summary>Permissions of any other file, before the umask: 0666.</summary>
    public const uint FilePermissions = 0x1B6;

    /// <summary>The host this process runs on.</summary>
    public static HostSystem Current { get; } = ForThisProcess();

    /// <summary>Granularity of protection changes, in bytes.</summary>
    public virtual int PageSize => Environment.SystemPageSize;

    /// <summary>How many input files may be mapped at once before the rest is read instead.</summary>
    public abstract int InputMapLimit { get; }

    /// <summary>Go's text for an error number of this host.</summary>
    public abstract string ErrorText(int code);

    public abstract HostErrorKind Classify(int code);

    /// <summary>The error this host gives when a disk is full.</summary>
    public abstract HostError NoSpace { get; }

    /// <summary>
    /// All arguments of the process as bytes, the program's name first; false where the host passes text, so that
    /// nothing can have been lost.
    /// </summary>
    public abstract bool TryReadRawArguments([NotNullWhen(true)] out byte[][]? arguments);

    // Facts about files.

    /// <param name="path">The path, as <see cref="HostPath"/> text.</param>
    /// <param name="follow">Whether a symbolic link is followed.</param>
    /// <param name="facts">What stands there.</param>
    public abstract HostError FactsAt(string path, bool follow, out FileFacts facts);

    public abstract HostError FactsOf(HostFile file, out FileFacts facts);

    /// <summary>The target text of a symbolic link.</summary>
    public abstract HostError ReadLink(string path, out string target);

    /// <summary>
    /// Free bytes of the file system under a file, and whether it keeps file content in memory, where preallocating
    /// costs a pass over the pages. <paramref name="free"/> is <see cref="long.MaxValue"/> where the host can't say.
    /// </summary>
    public abstract HostError FreeSpace(HostFile file, out long free, out bool inMemory);

    // Opening, naming, removing.

    public abstract HostError OpenInput(string path, out HostFile file);

    /// <summary>
    /// Creates a file without a name in a folder; it vanishes with its last handle unless <see cref="PublishUnnamed"/>
    /// names it. <see cref="HostErrorKind.Unsupported"/> where the host or file system can't.
    /// </summary>
    public abstract HostError CreateUnnamed(string directory, out HostFile file);

    /// <summary>Gives an unnamed file a name that must not exist yet.</summary>
    public abstract HostError PublishUnnamed(HostFile file, string path);

    /// <summary>A nameless file in memory, or <see cref="HostErrorKind.Unsupported"/>.</summary>
    public abstract HostError CreateInMemory(out HostFile file);

    /// <summary>Creates a new file with cmd/link's mode (0775, less the umask); fails when the name is taken.</summary>
    public abstract HostError CreateNew(string path, out HostFile file);

    /// <summary>
    /// Opens what stands at the path for writing, following links, as cmd/link opens its output: created when absent. A
    /// regular file is opened for reading too, so that it can be mapped, and emptied; a stream for writing alone. One that is created gets the
    /// permissions, less the umask.
    /// </summary>
    public abstract HostError OpenExisting(string path, bool isStream, uint permissions, out HostFile file);

    public abstract HostError SetPermissions(HostFile file, uint permissions);

    public abstract HostError Rename(string from, string to);

    public abstract HostError Remove(string path);

    /// <summary>
    /// Holds on to what stands at a path, without following a link: once removed, its pages and disk space are given back when it is closed.
    /// False where the system knows no such thing.
    /// </summary>
    public virtual bool TryHold(string path, out HostFile file)
    {
        file = HostFile.None;
        return false;
    }

    /// <summary>Closes; the error is that of writes the system had put off.</summary>
    public abstract HostError Close(HostFile file);

    /// <summary>
    /// Called before an output is opened: makes a write past the process's file size limit an error like any other. Go's
    /// runtime does the same.
    /// </summary>
    public virtual void PrepareToWrite()
    {
    }

    // Content without a map.

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    public abstract HostError ReadAt(HostFile file, long offset, byte* buffer, long count, out long read);

    /// <summary>Reads what is there next; 0 bytes at the end.</summary>
    public abstract HostError ReadNext(HostFile file, byte* buffer, int count, out int read);

    /// <summary>Writes all bytes at an offset.</summary>
    public abstract HostError WriteAt(HostFile file, long offset, byte* buffer, long count);

    /// <summary>Writes all bytes where the stream stands.</summary>
    public abstract HostError WriteNext(HostFile file, byte* buffer, long count);

    // Size and disk space.

    public abstract HostError SetLength(HostFile file, long length);

    /// <summary>Reserves disk space, so that a full disk is an error here and not a fault in a map later.</summary>
    public abstract HostError Preallocate(HostFile file, long offset, long length);

    // Maps.

    /// <summary>What the offset of a map in its file must be a multiple of.</summary>
    public virtual long MapGranularity => PageSize;

    /// <summary>
    /// Maps <paramref name="length"/> bytes of a file from <paramref name="offset"/> on for reading alone: any store through the map is a fault.
    /// </summary>
    public abstract HostError MapInput(HostFile file, long offset, long length, out byte* map);

    /// <summary>Maps the first <paramref name="length"/> bytes of a file, shared, for reading and writing.</summary>
    public abstract HostError MapOutput(HostFile file, long length, out byte* map);

    /// <summary>
    /// Maps an output anew after its file changed length; content stays, the address may change. On an error the old map
    /// may be gone, and <paramref name="map"/> is then null.
    /// </summary>
    public virtual HostError RemapOutput(HostFile file, ref byte* map, long oldLength, long newLength)
    {
        HostError error = Unmap(map, oldLength);
        map = null;
        return error.IsError ? error : MapOutput(file, newLength, out map);
    }

    /// <summary>Whether a file can't change its length while it is mapped.</summary>
    public virtual bool UnmapBeforeResize => false;

    /// <summary>Makes pages read-only.</summary>
    public abstract HostError Protect(byte* map, long length);

    /// <summary>Writes changed pages of an output map to its file and waits.</summary>
    public abstract HostError Flush(HostFile file, byte* map, long length);

    /// <summary>
    /// Whether pages of an output map are better filled by writes to its file, from a buffer in use, where there is nothing to change in
    /// place: where such a write costs less than making pages of the map present, and the file system makes both the same memory.
    /// </summary>
    public virtual bool WritesBesideMap(HostFile file) => false;

    /// <summary>Whether an output map must be flushed before it is unmapped for the file to be right.</summary>
    public virtual bool FlushBeforeUnmap => false;

    public abstract HostError Unmap(byte* map, long length);

    /// <summary>
    /// How many bytes of a mapped file, aligned to as many, the system makes present when a page among them faults and they are in memory; a
    /// page where it can't be told.
    /// </summary>
    public virtual long MappedAroundFault => PageSize;

    /// <summary>A hint; a host that has no such hint, or refuses it, does nothing.</summary>
    public abstract void Advise(byte* map, long length, MapAdvice advice);

    /// <summary>Zeroed memory straight from the system, page aligned, touched page by page on first use.</summary>
    public abstract HostError AllocatePages(long length, out byte* pages);

    /// <summary>
    /// Grows or shrinks memory from <see cref="AllocatePages"/>; content stays and what is new is zero. On an error the
    /// old pages stay as they were.
    /// </summary>
    public virtual HostError ResizePages(ref byte* pages, long oldLength, long newLength)
    {
        HostError error = AllocatePages(newLength, out byte* fresh);
        if (error.IsError)
            return error;
        Buffer.MemoryCopy(pages, fresh, newLength, Math.Min(oldLength, newLength));
        FreePages(pages, oldLength);
        pages = fresh;
        return HostError.None;
    }

    public abstract void FreePages(byte* pages, long length);

    /// <summary>Whether <see cref="FreePages"/> and <see cref="ResizePages"/> take any run of pages, not only what was allocated as one.</summary>
    public virtual bool CanSplitPages => false;

    /// <summary>Bytes of a large page, a power of two; 0 where there are none to ask for by <see cref="MapAdvice.LargePages"/>.</summary>
    public virtual long LargePageSize => 0;

    /// <summary>Asks for large pages for the garbage-collected heap, where the system has them. Called once, when it is still small.</summary>
    public virtual void PreferLargeHeapPages()
    {
    }

    // What the system counts of this process.

    /// <summary>The memory of this process, measured by the system; what it doesn't measure is unknown.</summary>
    public virtual ProcessMemory MeasureMemory() => new();

    /// <summary>
    /// How long the process' first thread has run so far, and how long it waited for a processor although it could have run. False where the
    /// system doesn't tell.
    /// </summary>
    public virtual bool TryReadSchedule(out TimeSpan running, out TimeSpan waiting)
    {
        (running, waiting) = (default, default);
        return false;
    }

    /// <summary>Visits every map of this process in the order of addresses; false where the host has no such list.</summary>
    public virtual bool VisitMaps(MapVisitor visitor) => false;

    // Small files.

    /// <summary>Writes a whole file that is no output, or sends it down what stands at the path.</summary>
    public HostError WriteWholeFile(string path, ReadOnlySpan<byte> content)
    {
        bool isStream = FactsAt(path, follow: true, out FileFacts facts).IsNone && facts.Kind == FileKind.Stream;
        HostError error = OpenExisting(path, isStream, FilePermissions, out HostFile file);
        if (error.IsError)
            return error;
        fixed (byte* bytes = content)
            error = WriteNext(file, bytes, content.Length);
        HostError closed = Close(file);
        return error.IsError ? error : closed;
    }

    private static HostSystem ForThisProcess()
    {
        if (OperatingSystem.IsWindows())
            return new WindowsHost();
        if (OperatingSystem.IsMacOS())
            return new DarwinHost();
        if (OperatingSystem.IsLinux())
            return new LinuxHost();
        throw new PlatformNotSupportedException("aotlink runs on Linux, Windows and macOS");
    }
}
