using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace AotLinker.Mapping;

/// <summary>Linux, through Tmds.LibC; the two calls it lacks (rename, fstatfs) are declared here.</summary>
internal unsafe partial class LinuxHost : PosixHost
{
    /// <summary>cmd/link's own cap on maps; the kernel's default for a process is 65,530.</summary>
    private const int DefaultInputMapLimit = 30_000;

    // Of Linux 5.14 (MADV_POPULATE_READ, MADV_POPULATE_WRITE); before, the kernel refuses them.
    private const int PopulateRead = 22;
    private const int PopulateWrite = 23;

    // Of Linux 6.1 (MADV_COLLAPSE).
    private const int Collapse = 25;

    private const int TmpfsMagic = 0x01021994;
    private const int RamfsMagic = unchecked((int)0x858458f6);
    private const int ExtMagic = 0xef53;
    private const int XfsMagic = 0x58465342;
    private const int BtrfsMagic = unchecked((int)0x9123683e);
    private const int F2fsMagic = unchecked((int)0xf2f52010);
    private const int OverlayMagic = 0x794c7630;

    private int _inputMapLimit;

    /// <summary>
    /// 30,000 as in cmd/link, or half of what the kernel allows the process where an administrator set less: the garbage
    /// collector and the output need maps too.
    /// </summary>
    public override int InputMapLimit
    {
        get
        {
            if (_inputMapLimit == 0)
                _inputMapLimit = Math.Min(DefaultInputMapLimit, KernelMapLimit() / 2);
            return _inputMapLimit;
        }
    }

    public override HostError NoSpace => new(ENOSPC);

    public override string ErrorText(int code) => ErrnoText.Linux(code);

    public override HostErrorKind Classify(int code)
    {
        if (code == ENOENT)
            return HostErrorKind.NotFound;
        if (code == EEXIST)
            return HostErrorKind.Exists;
        if (code == EACCES || code == EPERM || code == EROFS)
            return HostErrorKind.AccessDenied;
        if (code == ENOSPC || code == EDQUOT || code == EFBIG)
            return HostErrorKind.NoSpace;
        if (code == ENOMEM || code == EAGAIN)
            return HostErrorKind.OutOfMemory;
        if (code == EOPNOTSUPP || code == EINVAL || code == ENOSYS || code == ENODEV || code == EISDIR)
            return HostErrorKind.Unsupported;
        return HostErrorKind.Other;
    }

    public override bool TryReadRawArguments([NotNullWhen(true)] out byte[][]? arguments)
    {
        arguments = null;
        byte[] all;
        try
        {
            all = File.ReadAllBytes("/proc/self/cmdline");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        int count = all.AsSpan().Count((byte)0);
        arguments = new byte[count][];
        ReadOnlySpan<byte> rest = all;
        for (int i = 0; i < count; i++)
        {
            int end = rest.IndexOf((byte)0);
            arguments[i] = rest[..end].ToArray();
            rest = rest[(end + 1)..];
        }

        return true;
    }

    public override HostError FreeSpace(HostFile file, out long free, out bool inMemory)
    {
        free = long.MaxValue;
        inMemory = false;
        StatFs fs;
        if (fstatfs((int)file.Handle, &fs) != 0)
            return LastError;
        inMemory = (int)fs.Type is TmpfsMagic or RamfsMagic;

        // A tmpfs without a size limit, and ramfs, report no blocks at all.
        if (fs.Blocks != 0)
            free = (long)Math.Min(fs.Available, (ulong)(long.MaxValue / Math.Max(fs.BlockSize, 1))) * fs.BlockSize;
        return HostError.None;
    }

    public override HostError OpenInput(string path, out HostFile file) =>
        Open(path, O_RDONLY | O_CLOEXEC, 0, out file);

    public override bool TryHold(string path, out HostFile file) => Open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, out file).IsNone;

    public override HostError CreateUnnamed(string directory, out HostFile file)
    {
        HostError error = Open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, OutputPermissions, out file);
        if (error.IsError)
            return error;

        // Naming it later goes through /proc; where that is not mounted the file could never be published.
        HostError reachable = FactsAt(DescriptorPath(file), follow: true, out _);
        if (reachable.IsNone)
            return HostError.None;
        _ = Close(file);
        file = HostFile.None;
        return new HostError(EOPNOTSUPP);
    }

    public override HostError PublishUnnamed(HostFile file, string path)
    {
        Span<byte> source = Terminated(DescriptorPath(file), stackalloc byte[64]);
        Span<byte> target = Terminated(path, stackalloc byte[1024]);
        fixed (byte* s = source)
        fixed (byte* t = target)
            return linkat(AT_FDCWD, s, AT_FDCWD, t, AT_SYMLINK_FOLLOW) == 0 ? HostError.None : LastError;
    }

    public override HostError CreateInMemory(out HostFile file)
    {
        int descriptor;
        fixed (byte* name = "aotlink-output\0"u8)
            descriptor = memfd_create(name, MFD_CLOEXEC);
        file = new HostFile(descriptor);
        return descriptor >= 0 ? HostError.None : LastError;
    }

    public override HostError CreateNew(string path, out HostFile file) =>
        Open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, OutputPermissions, out file);

    public override HostError OpenExisting(string path, bool isStream, uint permissions, out HostFile file) =>
        Open(path, isStream ? O_WRONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, permissions, out file);

    /// <summary>SIGXFSZ is ignored, which leaves EFBIG ("file too large").</summary>
    public override void PrepareToWrite()
    {
        sigaction ignore = default;
        ignore.sa_handler = SIG_IGN;
        _ = LibC.sigaction(SIGXFSZ, &ignore, null);
    }

    public override HostError Preallocate(HostFile file, long offset, long length)
    {
        while (true)
        {
            if (fallocate((int)file.Handle, 0, offset, length) == 0)
                return HostError.None;
            if (LastError.Code != EINTR)
                return LastError;
        }
    }

    /// <summary>
    /// Shared and read-only of a file opened read-only: the kernel then refuses any later mprotect to writable as well.
    /// </summary>
    public override HostError MapInput(HostFile file, long offset, long length, out byte* map) =>
        Map(file, offset, length, PROT_READ, MAP_SHARED, out map);

    public override HostError MapOutput(HostFile file, long length, out byte* map) =>
        Map(file, 0, length, PROT_READ | PROT_WRITE, MAP_SHARED, out map);

    public override HostError RemapOutput(HostFile file, ref byte* map, long oldLength, long newLength)
    {
        void* moved = mremap(map, Size(oldLength), Size(newLength), MREMAP_MAYMOVE, null);
        if (moved == MAP_FAILED)
            return LastError;
        map = (byte*)moved;
        return HostError.None;
    }

    /// <summary>
    /// The page cache takes as large a piece of memory as a write fills. Pieces of 2 MB come from what a guest may have returned to its
    /// host (free page reporting): there a byte costs twenty times as much.
    /// </summary>
    protected override long MaxWrite => 1 << 20;

    /// <summary>
    /// A page that is made present for a map costs as much as writing a dozen of them. Both are the page cache on the file systems that are
    /// named here; on some others a write passes a map by (9p, FUSE without a cache).
    /// </summary>
    public override bool WritesBesideMap(HostFile file)
    {
        StatFs fs;
        return fstatfs((int)file.Handle, &fs) == 0
            && (int)fs.Type is ExtMagic or XfsMagic or BtrfsMagic or F2fsMagic or OverlayMagic or TmpfsMagic;
    }

    public override HostError Protect(byte* map, long length) =>
        mprotect(map, Size(length), PROT_READ) == 0 ? HostError.None : LastError;

    public override HostError Flush(HostFile file, byte* map, long length) =>
        msync(map, Size(length), MS_SYNC) == 0 ? HostError.None : LastError;

    public override void Advise(byte* map, long length, MapAdvice advice) => _ = madvise(map, Size(length), advice switch
    {
        MapAdvice.WillNeed => MADV_WILLNEED,
        MapAdvice.DontNeed => MADV_DONTNEED,
        MapAdvice.Sequential => MADV_SEQUENTIAL,
        MapAdvice.LargePages => MADV_HUGEPAGE,
        MapAdvice.Present => PopulateRead,
        MapAdvice.PresentForWriting => PopulateWrite,
        _ => MADV_RANDOM,
    });

    /// <summary>One page of page table entries of eight bytes. With pages of 64 KB these are too large to be of use.</summary>
    public override long LargePageSize => PageSize <= 4096 ? PageSize * (PageSize / 8) : 0;

    /// <summary>The kernel's default since Linux 3.15 (fault_around_bytes).</summary>
    public override long MappedAroundFault => Math.Max(PageSize, 64 << 10);

    public override HostError AllocatePages(long length, out byte* pages) =>
        Map(HostFile.None, 0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, out pages);

    public override HostError ResizePages(ref byte* pages, long oldLength, long newLength)
    {
        void* moved = mremap(pages, Size(oldLength), Size(newLength), MREMAP_MAYMOVE, null);
        if (moved == MAP_FAILED)
        {
            // Pages that were joined in the cache may be two maps to the kernel, which moves one at a time.
            HostError error = LastError;
            return error.Code == EFAULT ? base.ResizePages(ref pages, oldLength, newLength) : error;
        }

        pages = (byte*)moved;
        return HostError.None;
    }

    protected override int RawOpen(byte* path, int flags, int mode) => open(path, flags, (mode_t)mode);

    protected override int RawClose(int descriptor) => close(descriptor);

    protected override nint RawRead(int descriptor, byte* buffer, nint count) => (nint)(long)read(descriptor, buffer, Size(count));

    protected override nint RawReadAt(int descriptor, byte* buffer, nint count, long offset) =>
        (nint)(long)pread(descriptor, buffer, Size(count), offset);

    protected override nint RawWrite(int descriptor, byte* buffer, nint count) => (nint)(long)write(descriptor, buffer, Size(count));

    protected override nint RawWriteAt(int descriptor, byte* buffer, nint count, long offset) =>
        (nint)(long)pwrite(descriptor, buffer, Size(count), offset);

    protected override int RawSetLength(int descriptor, long length) => ftruncate(descriptor, length);

    protected override int RawSetMode(int descriptor, uint mode) => fchmod(descriptor, (mode_t)mode);

    protected override int RawStat(byte* path, bool follow, out FileFacts facts)
    {
        stat s;
        int result = follow ? LibC.stat(path, &s) : lstat(path, &s);
        facts = result == 0 ? FactsFrom(s) : default;
        return result;
    }

    protected override int RawStat(int descriptor, out FileFacts facts)
    {
        stat s;
        int result = fstat(descriptor, &s);
        facts = result == 0 ? FactsFrom(s) : default;
        return result;
    }

    protected override nint RawReadLink(byte* path, byte* buffer, nint count) => (nint)(long)readlink(path, buffer, Size(count));

    protected override int RawRename(byte* from, byte* to) => rename(from, to);

    protected override int RawUnlink(byte* path) => unlink(path);

    protected override int RawUnmap(byte* map, nint length) => munmap(map, Size(length));

    private static HostError Map(HostFile file, long offset, long length, int protection, int flags, out byte* map)
    {
        void* address = mmap(null, Size(length), protection, flags, (int)file.Handle, (off_t)offset);
        map = address == MAP_FAILED ? null : (byte*)address;
        return map == null ? LastError : HostError.None;
    }

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;

    private static string DescriptorPath(HostFile file) =>
        "/proc/self/fd/" + file.Handle.ToString(CultureInfo.InvariantCulture);

    private static FileFacts FactsFrom(in stat s) => new()
    {
        Kind = KindOf((uint)s.st_mode),
        Length = s.st_size,
        Device = (ulong)s.st_dev,
        Id = (ulong)s.st_ino,
        Modified = Nanoseconds(s.st_mtim),
        Accessed = Nanoseconds(s.st_atim),
        Permissions = (uint)s.st_mode & 0xFFF,
    };

    private static long Nanoseconds(timespec t) => ((long)t.tv_sec * 1_000_000_000) + (long)t.tv_nsec;

    private int KernelMapLimit()
    {
        const int Size = 32;
        byte* digits = stackalloc byte[Size];
        if (OpenInput("/proc/sys/vm/max_map_count", out HostFile file).IsError)
            return int.MaxValue;
        HostError error = ReadNext(file, digits, Size, out int length);
        _ = Close(file);
        return error.IsNone && Utf8Parser.TryParse(new ReadOnlySpan<byte>(digits, length), out int limit, out _) ? limit : int.MaxValue;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int rename(byte* from, byte* to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(int descriptor, StatFs* result);

    /// <summary>struct statfs of 64-bit Linux (asm-generic; s390x, with 32-bit fields, is not a host).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct StatFs
    {
        public long Type;
        public long BlockSize;
        public ulong Blocks;
        public ulong Free;
        public ulong Available;
        public ulong Files;
        public ulong FilesFree;
        public ulong Id;
        public long NameLength;
        public long FragmentSize;
        public long Flags;
        private readonly long _spare0;
        private readonly long _spare1;
        private readonly long _spare2;
        private readonly long _spare3;
    }
}
