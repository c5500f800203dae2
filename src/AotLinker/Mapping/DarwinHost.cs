using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>macOS. Calls and constants are in <see cref="Darwin"/>.</summary>
internal sealed unsafe class DarwinHost : PosixHost
{
    public override int InputMapLimit => int.MaxValue;

    public override HostError NoSpace => new(Darwin.ENOSPC);

    /// <summary>
    /// The kernel may have cached the signature of the file as it was while it was mapped; cmd/link's
    /// <c>purgeSignatureCache</c> drops it just before the map goes.
    /// </summary>
    public override bool FlushBeforeUnmap => true;

    public override string ErrorText(int code) => ErrnoText.Darwin(code);

    public override HostErrorKind Classify(int code) => code switch
    {
        Darwin.ENOENT => HostErrorKind.NotFound,
        Darwin.EEXIST => HostErrorKind.Exists,
        Darwin.EACCES or Darwin.EPERM or Darwin.EROFS => HostErrorKind.AccessDenied,
        Darwin.ENOSPC or Darwin.EDQUOT or Darwin.EFBIG => HostErrorKind.NoSpace,
        Darwin.ENOMEM or Darwin.EAGAIN => HostErrorKind.OutOfMemory,
        Darwin.ENOTSUP or Darwin.EOPNOTSUPP or Darwin.EINVAL or Darwin.ENOSYS or Darwin.ENODEV => HostErrorKind.Unsupported,
        _ => HostErrorKind.Other,
    };

    public override bool TryReadRawArguments([NotNullWhen(true)] out byte[][]? arguments)
    {
        int count = *Darwin._NSGetArgc();
        byte** list = *Darwin._NSGetArgv();
        arguments = new byte[count][];
        for (int i = 0; i < count; i++)
            arguments[i] = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(list[i]).ToArray();
        return true;
    }

    public override HostError FreeSpace(HostFile file, out long free, out bool inMemory)
    {
        free = long.MaxValue;
        inMemory = false;
        Darwin.StatFs fs;
        int result = IsArm ? Darwin.fstatfs((int)file.Handle, &fs) : Darwin.fstatfs_inode64((int)file.Handle, &fs);
        if (result != 0)
            return LastError;
        free = (long)Math.Min(fs.Available, (ulong)long.MaxValue / Math.Max(fs.BlockSize, 1)) * fs.BlockSize;
        return HostError.None;
    }

    public override HostError OpenInput(string path, out HostFile file) =>
        Open(path, Darwin.O_RDONLY | Darwin.O_CLOEXEC, 0, out file);

    public override HostError CreateUnnamed(string directory, out HostFile file)
    {
        file = HostFile.None;
        return new HostError(Darwin.ENOTSUP);
    }

    public override HostError PublishUnnamed(HostFile file, string path) => new(Darwin.ENOTSUP);

    public override HostError CreateInMemory(out HostFile file)
    {
        file = HostFile.None;
        return new HostError(Darwin.ENOTSUP);
    }

    public override HostError CreateNew(string path, out HostFile file) =>
        Open(path, Darwin.O_RDWR | Darwin.O_CREAT | Darwin.O_EXCL | Darwin.O_CLOEXEC, OutputPermissions, out file);

    public override HostError OpenExisting(string path, bool isStream, uint permissions, out HostFile file) => Open(
        path,
        Darwin.O_CLOEXEC | (isStream ? Darwin.O_WRONLY : Darwin.O_RDWR | Darwin.O_CREAT | Darwin.O_TRUNC),
        permissions,
        out file);

    /// <summary>
    /// F_PREALLOCATE counts from the end of what is allocated, not from the end of the file, so only the difference is
    /// asked for; as cmd/link does.
    /// </summary>
    public override HostError Preallocate(HostFile file, long offset, long length)
    {
        Darwin.Stat s;
        if ((IsArm ? Darwin.fstat((int)file.Handle, &s) : Darwin.fstat_inode64((int)file.Handle, &s)) != 0)
            return LastError;
        long missing = offset + length - (s.Blocks * 512);
        if (missing <= 0)
            return HostError.None;
        var store = new Darwin.FStore { Flags = Darwin.F_ALLOCATEALL, PositionMode = Darwin.F_PEOFPOSMODE, Length = missing };
        int result = IsArm
            ? Darwin.fcntl_arm64((int)file.Handle, Darwin.F_PREALLOCATE, 0, 0, 0, 0, 0, 0, &store)
            : Darwin.fcntl((int)file.Handle, Darwin.F_PREALLOCATE, &store);
        return result == 0 ? HostError.None : LastError;
    }

    public override HostError MapInput(HostFile file, long offset, long length, out byte* map) =>
        Map(file, offset, length, Darwin.PROT_READ, Darwin.MAP_SHARED, out map);

    public override HostError MapOutput(HostFile file, long length, out byte* map) =>
        Map(file, 0, length, Darwin.PROT_READ | Darwin.PROT_WRITE, Darwin.MAP_SHARED, out map);

    public override HostError Protect(byte* map, long length) =>
        Darwin.mprotect(map, (nuint)length, Darwin.PROT_READ) == 0 ? HostError.None : LastError;

    public override HostError Flush(HostFile file, byte* map, long length)
    {
        _ = Darwin.msync(map, (nuint)length, Darwin.MS_INVALIDATE); // a courtesy: cmd/link ignores its error too
        return HostError.None;
    }

    public override void Advise(byte* map, long length, MapAdvice advice)
    {
        if (advice is MapAdvice.LargePages or MapAdvice.Present or MapAdvice.PresentForWriting)
            return;
        _ = Darwin.madvise(map, (nuint)length, advice switch
        {
            MapAdvice.WillNeed => Darwin.MADV_WILLNEED,
            MapAdvice.DontNeed => Darwin.MADV_DONTNEED,
            MapAdvice.Sequential => Darwin.MADV_SEQUENTIAL,
            _ => Darwin.MADV_RANDOM,
        });
    }

    public override HostError AllocatePages(long length, out byte* pages) =>
        Map(HostFile.None, 0, length, Darwin.PROT_READ | Darwin.PROT_WRITE, Darwin.MAP_PRIVATE | Darwin.MAP_ANON, out pages);

    public override ProcessMemory MeasureMemory()
    {
        Darwin.TaskVmInfo info;
        uint words = (uint)sizeof(Darwin.TaskVmInfo) / sizeof(int);
        if (Darwin.task_info(Darwin.mach_task_self(), Darwin.TASK_VM_INFO, &info, &words) != Darwin.KERN_SUCCESS)
            return new ProcessMemory();
        return new ProcessMemory
        {
            Resident = (long)info.ResidentSize,
            PeakResident = (long)info.ResidentSizePeak,
            Private = (long)info.Internal,
            FileBacked = (long)info.External,
        };
    }

    protected override int RawOpen(byte* path, int flags, int mode) => IsArm
        ? Darwin.open_arm64(path, flags, 0, 0, 0, 0, 0, 0, mode)
        : Darwin.open(path, flags, mode);

    protected override int RawClose(int descriptor) => Darwin.close(descriptor);

    protected override nint RawRead(int descriptor, byte* buffer, nint count) => Darwin.read(descriptor, buffer, (nuint)count);

    protected override nint RawReadAt(int descriptor, byte* buffer, nint count, long offset) =>
        Darwin.pread(descriptor, buffer, (nuint)count, offset);

    protected override nint RawWrite(int descriptor, byte* buffer, nint count) => Darwin.write(descriptor, buffer, (nuint)count);

    protected override nint RawWriteAt(int descriptor, byte* buffer, nint count, long offset) =>
        Darwin.pwrite(descriptor, buffer, (nuint)count, offset);

    protected override int RawSetLength(int descriptor, long length) => Darwin.ftruncate(descriptor, length);

    protected override int RawSetMode(int descriptor, uint mode) => Darwin.fchmod(descriptor, (ushort)mode);

    protected override int RawStat(byte* path, bool follow, out FileFacts facts)
    {
        Darwin.Stat s;
        int result = (follow, IsArm) switch
        {
            (true, true) => Darwin.stat(path, &s),
            (true, false) => Darwin.stat_inode64(path, &s),
            (false, true) => Darwin.lstat(path, &s),
            (false, false) => Darwin.lstat_inode64(path, &s),
        };
        facts = result == 0 ? FactsFrom(s) : default;
        return result;
    }

    protected override int RawStat(int descriptor, out FileFacts facts)
    {
        Darwin.Stat s;
        int result = IsArm ? Darwin.fstat(descriptor, &s) : Darwin.fstat_inode64(descriptor, &s);
        facts = result == 0 ? FactsFrom(s) : default;
        return result;
    }

    protected override nint RawReadLink(byte* path, byte* buffer, nint count) => Darwin.readlink(path, buffer, (nuint)count);

    protected override int RawRename(byte* from, byte* to) => Darwin.rename(from, to);

    protected override int RawUnlink(byte* path) => Darwin.unlink(path);

    protected override int RawUnmap(byte* map, nint length) => Darwin.munmap(map, (nuint)length);

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private static HostError Map(HostFile file, long offset, long length, int protection, int flags, out byte* map)
    {
        void* address = Darwin.mmap(null, (nuint)length, protection, flags, (int)file.Handle, offset);
        map = address == Darwin.MAP_FAILED ? null : (byte*)address;
        return map == null ? LastError : HostError.None;
    }

    private static FileFacts FactsFrom(in Darwin.Stat s) => new()
    {
        Kind = KindOf(s.Mode),
        Length = s.Size,
        Device = (uint)s.Device,
        Id = s.Inode,
        Modified = (s.ModifiedSeconds * 1_000_000_000) + s.ModifiedNanoseconds,
        Accessed = (s.AccessedSeconds * 1_000_000_000) + s.AccessedNanoseconds,
        Permissions = (uint)s.Mode & 0xFFF,
    };
}
