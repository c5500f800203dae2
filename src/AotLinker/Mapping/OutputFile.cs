using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace AotLinker.Mapping;

/// <summary>
/// The output of a link: <see cref="Length"/> bytes that start as zero and are filled, in any order and from several
/// threads, through leases. Backed by a shared map of the file, or, where the system refuses one, by writes through a few
/// buffers of together at most <see cref="BufferBudget"/> bytes. <see cref="Commit"/> gives the file its name; disposed
/// without it, nothing is left.
/// </summary>
/// <remarks>
/// Where a map's fresh pages are dear (<see cref="HostSystem.WritesBesideMap"/>), what has no place in the inputs that it could be
/// copied from and nothing to relocate, that is tables and compressed content, is made in a small buffer and written to the file under the
/// map, which is the same memory. What is relocated is so in its place in the map, unless that proves much slower (<see cref="FreshPages"/>): then
/// it is put together in a small buffer, too.
/// </remarks>
/// <example><code>
/// using OutputFile output = OutputFile.Open(path, options);   // as cmd/link: before anything is loaded
/// output.Resize(size);                                        // once the layout is known; again when it grows
/// using (OutputLease slice = output.Lease(offset, length))    // each part once, from any thread
///     Emit(slice.Span);
/// using (OutputLease slice = output.LeasePatch(8, 4))         // a part that was written before
///     BinaryPrimitives.WriteUInt32LittleEndian(slice.Span, count);
/// output.Seal();                                              // from here on only LeaseRead and Read
/// output.Commit();
/// </code></example>
internal sealed unsafe class OutputFile : IDisposable
{
    /// <summary>The largest slice that can be leased. The same for a mapped output, so that every link proves it.</summary>
    public const int MaxLease = 4 << 20;

    /// <summary>What all buffers of an output that is not mapped come to.</summary>
    public const long BufferBudget = 12L * MaxLease;

    /// <summary>
    /// The largest slice that <see cref="LeaseMade"/> and <see cref="LeaseRead"/> have a buffer for beside a map: small, so that it stays in
    /// the CPU's cache.
    /// </summary>
    public const int MaxMade = 1 << 18;

    /// <summary>The largest slice of content to be relocated that is put together in a buffer where the map's fresh pages are dear.</summary>
    public const int MaxFresh = 1 << 19;

    // Each thread has one at a time; with so many threads one file is the bottleneck anyway.
    private const int MostMadeBuffers = 16;

    // Less than a page is not worth a system call: its neighbours will be in the map, or are.
    private const int WorthCall = 1 << 12;

    // A few pages are not worth a request of their own.
    private const int WorthPresent = 1 << 16;

    // A large page of the CPUs with pages of 4 KB. File systems that know larger ones than 4 KB (on Linux ext4 and xfs) then clear and map
    // the output in such pieces: a third of the time for each byte.
    private const int WorthLargePages = 2 << 20;

    // A larger output would take more of them than were in use a moment ago. A virtual machine that gives free memory back to its host does so
    // by large pages, and to get one again costs more than 512 small ones that it kept.
    private const int MostInLargePages = 64 << 20;

    [ThreadStatic]
    private static int _leasesOfThisThread;

    private readonly OutputOptions _options;
    private readonly int _threads;
    private readonly OutputTarget _target;
    private readonly HostSystem _host;
    private readonly Lock _ahead = new();
    private WriteBuffers? _buffers;
    private WriteBuffers? _madeBuffers;
    private WriteBuffers? _freshBuffers;
    private FreshPages _freshPages = new(mayWrite: false, threads: 1);
    private byte* _base;
    private long _length;
    private long _allocated;
    private long _writtenAhead;
    private int _leases;
    private int _guardSlot = -1;
    private bool _isMapped;
    private bool _writesBesideMap;
    private bool _isPreallocated = true;
    private bool _isOnlyAsked;
    private bool _isSealed;
    private bool _isClosed;
    private ExceptionDispatchInfo? _failure;

    private OutputFile(string path, OutputOptions options, int threads)
    {
        _options = options;
        _threads = threads;
        _host = options.Host;
        Path = path;
        _target = OutputTarget.Open(path, options);
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>The first byte of the map; null while the output is not mapped. Moves with <see cref="Resize"/>.</summary>
    public byte* Base => _base;

    public long Length => _length;

    public bool IsMapped => _isMapped;

    /// <summary>
    /// Creates the output, empty. cmd/link does this before it loads anything, so that an output that can't be written is
    /// known at once, and removes an existing regular file.
    /// </summary>
    /// <param name="path">The path.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="threads">How many threads will fill it.</param>
    /// <exception cref="LinkException">"cannot create x: open x: permission denied".</exception>
    public static OutputFile Open(string path, OutputOptions options, int threads = 1) => new(path, options, threads);

    /// <summary><see cref="Open"/> and <see cref="Resize"/> in one.</summary>
    public static OutputFile Create(string path, long length, OutputOptions options)
    {
        OutputFile output = Open(path, options);
        try
        {
            output.Resize(length);
            return output;
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Sets the length, the first time or again; content below the smaller length stays, what is new is zero. Disk space is
    /// reserved here. There must be no lease.
    /// </summary>
    /// <exception cref="LinkException">
    /// "mapping output file failed: fallocate x: no space left on device", "resize output file failed: truncate x: file too
    /// large".
    /// </exception>
    public void Resize(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ThrowIfUnusable();
        if (_isSealed)
            throw new InvalidOperationException("the output is sealed");
        if (Volatile.Read(ref _leases) != 0)
            throw new InvalidOperationException("the output can't change its length while parts of it are leased");
        if (length > _allocated)
            Reserve(_allocated, length, length - (_length == 0 ? _writtenAhead : _allocated));
        else if (_length == 0 && _isOnlyAsked)
            Reserve(length, length, length - _writtenAhead);
        if (_host.UnmapBeforeResize)
            Unmap();
        HostError error = _host.SetLength(_target.File, length);
        if (error.IsError)
            throw new LinkException($"resize output file failed: {error.Describe("truncate", Path)}");
        _allocated = length;
        Remap(length);
        _length = length;
    }

    /// <summary>
    /// Writes the end of the output before its length is known, from any thread and without a lease. <see cref="Resize"/> keeps it. Disk
    /// space in front of it is reserved.
    /// </summary>
    /// <exception cref="LinkException">"mapping output file failed: fallocate x: no space left on device", or another error of a write.</exception>
    public void WriteAhead(long offset, ReadOnlySpan<byte> bytes)
    {
        ThrowIfUnusable();
        lock (_ahead)
        {
            if (offset > _allocated)
                Reserve(_allocated, offset, offset - _allocated);
            // What is written takes its space by itself.
            _allocated = Math.Max(_allocated, offset + bytes.Length);
            _writtenAhead += bytes.Length;
        }

        fixed (byte* b = bytes)
        {
            HostError error = WriteCounted(offset, b, bytes.Length);
            if (error.Kind == HostErrorKind.NoSpace)
                throw new LinkException($"mapping output file failed: {error.Describe("fallocate", Path)}");
            if (error.IsError)
                throw error.OnPath("write", Path);
        }
    }

    /// <summary>
    /// A part to be written for the first time; its bytes are zero. Parts leased at the same time must not overlap. With
    /// buffers this waits until one is free.
    /// </summary>
    public OutputLease Lease(long offset, int length) => BeginLease(offset, length, LeaseKind.Fresh);

    /// <summary>
    /// As <see cref="Lease"/>, for content that is made here, not copied and relocated. Up to <see cref="MaxMade"/> bytes of it need no
    /// fresh pages of the map where those are dear.
    /// </summary>
    public OutputLease LeaseMade(long offset, int length) => BeginLease(offset, length, LeaseKind.Made);

    /// <summary>A part to be changed: its bytes are those written before.</summary>
    public OutputLease LeasePatch(long offset, int length) => BeginLease(offset, length, LeaseKind.Patch);

    /// <summary>
    /// A part to be read, up to <see cref="MaxMade"/> bytes at a time if there are many. The only lease a sealed output gives.
    /// </summary>
    public OutputLease LeaseRead(long offset, int length) => BeginLease(offset, length, LeaseKind.Read);

    /// <summary>Writes bytes that stand elsewhere already, of any length and without a lease.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        CheckAccess(offset, bytes.Length, writes: true);
        fixed (byte* b = bytes)
        {
            HostError error = _isMapped ? WriteMapped(offset, b, bytes.Length) : WriteCounted(offset, b, bytes.Length);
            if (error.IsError)
                throw error.OnPath("write", Path);
        }
    }

    /// <summary>Reads back what was written, of any length and without a lease.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        CheckAccess(offset, bytes.Length, writes: false);
        if (_isMapped)
        {
            new ReadOnlySpan<byte>(_base + offset, bytes.Length).CopyTo(bytes);
            return;
        }

        fixed (byte* b = bytes)
            ReadBack(offset, b, bytes.Length);
    }

    /// <summary>
    /// Says that a part is finished: pages before it may leave this process (its resident size, not the file). For parts that nobody reads
    /// again soon, finished about in their order; without a map this does nothing.
    /// </summary>
    /// <remarks>
    /// Pages go in whole large ones, and some behind: to let go of a part of a large page takes all of it away, and its neighbours would
    /// have to be made present anew.
    /// </remarks>
    public void Forget(long offset, long length)
    {
        const long Behind = 3 * WorthLargePages;
        if (_base == null || offset < 0 || length <= 0)
            return;
        for (long end = (offset / WorthLargePages + 1) * WorthLargePages; end <= Math.Min(offset + length, _length); end += WorthLargePages)
        {
            if (end >= Behind)
                _host.Advise(_base + end - Behind, WorthLargePages, MapAdvice.DontNeed);
        }
    }

    /// <summary>
    /// Ends writing: a mapped output becomes read-only memory, so that a late pass that only reads it can't change it.
    /// </summary>
    public void Seal()
    {
        ThrowIfUnusable();
        if (Volatile.Read(ref _leases) != 0)
            throw new InvalidOperationException("the output can't be sealed while parts of it are leased");
        _isSealed = true;
        if (_base == null)
            return;
        HostError error = _host.Protect(_base, _length);
        if (error.IsError)
            throw new LinkException($"sealing output file failed: {error.Describe("mprotect", Path)}");
    }

    /// <summary>Brings everything to the file and gives it its name, or sends it down the stream.</summary>
    /// <exception cref="LinkException">An earlier write of a lease failed, or one of these steps.</exception>
    public void Commit()
    {
        ThrowIfUnusable();
        if (Volatile.Read(ref _leases) != 0)
            throw new InvalidOperationException("the output can't be committed while parts of it are leased");
        if (_base != null && (_host.FlushBeforeUnmap || !_isPreallocated))
        {
            // Where no space could be reserved, the file system may find only now that there is none.
            HostError error = _host.Flush(_target.File, _base, _length);
            if (error.IsError)
                throw error.OnPath("write", Path);
        }

        Unmap();
        if (_target.IsStream)
            SendDownStream();
        _isClosed = true;
        DisposeBuffers();
        _target.Publish();
    }

    /// <summary>Takes the partial output away unless <see cref="Commit"/> succeeded.</summary>
    public void Dispose()
    {
        Unmap();
        DisposeBuffers();
        _isClosed = true;
        _target.Abandon();
    }

    internal void EndLease(long offset, byte* start, int length, WriteBuffers? buffers, bool isRead)
    {
        _leasesOfThisThread--;
        Interlocked.Decrement(ref _leases);
        if (buffers is null)
            return;
        if (!isRead && length > 0)
        {
            long begin = Stopwatch.GetTimestamp();
            HostError error = WriteCounted(offset, start, length);
            if (error.IsError)
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(error.OnPath("write", Path)), null);
            if (buffers == _freshBuffers)
                _freshPages.Tell(writes: true, Stopwatch.GetTimestamp() - begin, length);
        }

        buffers.Return(start);
    }

    /// <summary>Writes to the file under the map, if that is better, or into the map.</summary>
    private HostError WriteMapped(long offset, byte* bytes, long length)
    {
        if (_writesBesideMap)
            return WriteCounted(offset, bytes, length);
        Buffer.MemoryCopy(bytes, _base + offset, length, length);
        return HostError.None;
    }

    private HostError WriteCounted(long offset, byte* bytes, long length)
    {
        HostError error = _host.WriteAt(_target.File, offset, bytes, length);
        if (error.IsNone)
            _options.Account.CountWrittenOutput(length);
        return error;
    }

    private OutputLease BeginLease(long offset, int length, LeaseKind kind)
    {
        CheckAccess(offset, length, writes: kind != LeaseKind.Read);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLease);
        if (_leasesOfThisThread != 0)
            throw new InvalidOperationException("this thread holds a part of the output already");

        byte* start = _base + offset;
        bool isFresh = kind is LeaseKind.Fresh or LeaseKind.Made;
        WriteBuffers? buffers = null;
        if (!_isMapped)
            buffers = _buffers;
        else if (kind is LeaseKind.Made or LeaseKind.Read && IsBesideMap(length))
            buffers = MadeBuffers();
        else if (isFresh && length >= WorthPresent && !TakeFreshPages(offset, length))
            buffers = Shared(ref _freshBuffers, MaxFresh, MostMadeBuffers);
        if (buffers is not null)
        {
            start = buffers.Take();
            try
            {
                if (isFresh)
                    new Span<byte>(start, length).Clear();
                else
                    ReadBack(offset, start, length);
            }
            catch
            {
                buffers.Return(start);
                throw;
            }
        }

        _leasesOfThisThread++;
        Interlocked.Increment(ref _leases);
        return new OutputLease(this, offset, start, length, buffers, kind == LeaseKind.Read);
    }

    /// <summary>Makes the pages present where a part is written for the first time, or says that it had better be written beside the map.</summary>
    private bool TakeFreshPages(long offset, long length)
    {
        bool isTrial = false;
        if (length <= MaxFresh && _freshPages.Writes(out isTrial))
            return false;
        long begin = Stopwatch.GetTimestamp();
        MakePresent(offset, length);
        if (isTrial)
        {
            // Of a page that the kernel has made present a hypervisor may hear at the first touch.
            byte* end = _base + offset + length;
            for (byte* at = _base + offset; at < end; at = (byte*)(((nint)at + _host.PageSize) & -(nint)_host.PageSize))
                Volatile.Write(ref *at, 0);
            _freshPages.Tell(writes: false, Stopwatch.GetTimestamp() - begin, length);
        }

        return true;
    }

    private bool IsBesideMap(int length) => length is >= WorthCall and <= MaxMade && _writesBesideMap;

    /// <summary>Makes pages present that are about to be written: one request instead of a fault for each few pages.</summary>
    private void MakePresent(long offset, long length)
    {
        long page = _host.PageSize;
        long start = offset & ~(page - 1);
        _host.Advise(_base + start, offset + length - start, MapAdvice.PresentForWriting);
    }

    private void ReadBack(long offset, byte* buffer, int length)
    {
        HostError error = _host.ReadAt(_target.File, offset, buffer, length, out long read);
        if (error.IsError)
            throw error.OnPath("read", Path);
        new Span<byte>(buffer + read, (int)(length - read)).Clear();
    }

    private void CheckAccess(long offset, int length, bool writes)
    {
        ThrowIfUnusable();
        if (writes && _isSealed)
            throw new InvalidOperationException("the output is sealed");
        if ((ulong)offset > (ulong)_length || (ulong)length > (ulong)(_length - offset))
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} reach past the end of the output at {_length}");
    }

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        _failure?.Throw();
    }

    /// <summary>Reserves disk space for what is new, or at least asks whether there are as many bytes as are still to be written.</summary>
    private void Reserve(long from, long to, long needed)
    {
        _target.AwaitRemoval();

        // Memory is slow to reserve (each page is cleared once for it) and then cleared by nobody else; a look at the
        // free space must do there.
        HostError error = _host.FreeSpace(_target.File, out long free, out bool inMemory);
        if (!inMemory && to > from)
        {
            error = _host.Preallocate(_target.File, from, to - from);
            if (error.IsNone)
                return;
            if (error.Kind == HostErrorKind.NoSpace)
                throw new LinkException($"mapping output file failed: {error.Describe("fallocate", Path)}");
            _isPreallocated = false;
        }

        // Other errors say that this file system can't reserve space (zfs: EINVAL, EPERM; NFS, FUSE: EOPNOTSUPP).
        _isOnlyAsked = true;
        if (needed > free)
            throw new LinkException($"mapping output file failed: {_host.NoSpace.Describe("fallocate", Path)}");
    }

    private void Remap(long length)
    {
        if (_buffers is not null || length == 0)
        {
            if (length == 0)
                Unmap();
            return;
        }

        HostError error;
        if (_base != null)
        {
            _options.Account.Details?.RemoveMap(_base);
            error = _host.RemapOutput(_target.File, ref _base, _length, length);
        }
        else if (_options.ForceBuffered || _target.IsStream)
        {
            UseBuffers();
            return;
        }
        else
        {
            // Pages this process had until now are the fastest there are for the map.
            PageCache.Shared.LetGo();
            error = _host.MapOutput(_target.File, length, out _base);
            _writesBesideMap = error.IsNone && _host.WritesBesideMap(_target.File);
            _freshPages = new FreshPages(mayWrite: _writesBesideMap && !_options.AlwaysInMap, _threads);
            if (error.IsNone && length is >= WorthLargePages and <= MostInLargePages)
                _host.Advise(_base, length, MapAdvice.LargePages);
        }

        if (error.IsNone)
        {
            _isMapped = true;
            FaultGuard.Remove(_guardSlot);
            _guardSlot = FaultGuard.AddMap(_base, length, Path, isOutput: true);
            _options.Account.CountMappedOutput(length);
            _options.Account.Details?.AddMap(_base, length, MapKind.Output);
            return;
        }

        // The address space is too small, or the file system has no shared maps. What was written is in the file.
        Unmap();
        UseBuffers();
    }

    private void UseBuffers()
    {
        _isMapped = false;
        _buffers = NewBuffers();
    }

    private WriteBuffers NewBuffers() => new(_host, _options.Account, MaxLease, (int)(BufferBudget / MaxLease));

    private WriteBuffers MadeBuffers() => Shared(ref _madeBuffers, MaxMade, MostMadeBuffers);

    private WriteBuffers Shared(ref WriteBuffers? place, int size, int most)
    {
        if (Volatile.Read(ref place) is { } buffers)
            return buffers;
        WriteBuffers fresh = new(_host, _options.Account, size, most);
        if (Interlocked.CompareExchange(ref place, fresh, null) is not { } first)
            return fresh;
        fresh.Dispose();
        return first;
    }

    private void DisposeBuffers()
    {
        _buffers?.Dispose();
        _madeBuffers?.Dispose();
        _freshBuffers?.Dispose();
    }

    private void Unmap()
    {
        FaultGuard.Remove(_guardSlot);
        _guardSlot = -1;
        if (_base != null)
        {
            _options.Account.Details?.RemoveMap(_base);
            _ = _host.Unmap(_base, _length);
        }

        _base = null;
        _isMapped = false;
    }

    private void SendDownStream()
    {
        _buffers ??= NewBuffers();
        byte* buffer = _buffers.Take();
        for (long offset = 0; offset < _length;)
        {
            int count = (int)Math.Min(MaxLease, _length - offset);
            ReadBack(offset, buffer, count);
            HostError error = _host.WriteNext(_target.Stream, buffer, count);
            if (error.IsError)
                throw error.OnPath("write", Path);
            offset += count;
        }

        _buffers.Return(buffer);
    }

    private enum LeaseKind : byte
    {
        Fresh,
        Made,
        Patch,
        Read,
    }
}
