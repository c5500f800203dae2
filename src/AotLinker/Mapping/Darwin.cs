using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// The part of macOS's C library the linker uses, by its own names, with Darwin's numbers (sys/fcntl.h, sys/mman.h,
/// sys/stat.h, sys/errno.h of XNU). On x86-64 the calls with 64-bit inodes carry a suffix; arm64 never had others.
/// </summary>
/// <remarks>
/// On Apple's arm64, variadic arguments always travel on the stack, while a fixed third argument would go to a register.
/// The <c>_arm64</c> forms of open and fcntl therefore fill the eight argument registers first, so that the last one lands
/// where the callee looks for it.
/// </remarks>
internal static unsafe partial class Darwin
{
    public const int O_RDONLY = 0x0;
    public const int O_WRONLY = 0x1;
    public const int O_RDWR = 0x2;
    public const int O_CREAT = 0x200;
    public const int O_TRUNC = 0x400;
    public const int O_EXCL = 0x800;
    public const int O_CLOEXEC = 0x1000000;

    public const int PROT_READ = 0x1;
    public const int PROT_WRITE = 0x2;
    public const int MAP_SHARED = 0x1;
    public const int MAP_PRIVATE = 0x2;
    public const int MAP_ANON = 0x1000;
    public const int MS_INVALIDATE = 0x2;
    public const int MADV_RANDOM = 1;
    public const int MADV_SEQUENTIAL = 2;
    public const int MADV_WILLNEED = 3;
    public const int MADV_DONTNEED = 4;

    public const int TASK_VM_INFO = 22;
    public const int KERN_SUCCESS = 0;

    public const int F_PREALLOCATE = 42;
    public const uint F_ALLOCATEALL = 0x4;
    public const int F_PEOFPOSMODE = 3;

    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EEXIST = 17;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EAGAIN = 35;
    public const int ENOTSUP = 45;
    public const int EDQUOT = 69;
    public const int ENOSYS = 78;
    public const int EOPNOTSUPP = 102;

    private const string LibSystem = "libSystem";

    public static void* MAP_FAILED => (void*)-1;

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int open(byte* path, int flags, int mode);

    [LibraryImport(LibSystem, EntryPoint = "open", SetLastError = true)]
    public static partial int open_arm64(byte* path, int flags, nint r2, nint r3, nint r4, nint r5, nint r6, nint r7, nint mode);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int fcntl(int fd, int command, FStore* store);

    [LibraryImport(LibSystem, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int fcntl_arm64(int fd, int command, nint r2, nint r3, nint r4, nint r5, nint r6, nint r7, FStore* store);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial nint pread(int fd, void* buffer, nuint count, long offset);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial nint pwrite(int fd, void* buffer, nuint count, long offset);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int ftruncate(int fd, long length);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int fchmod(int fd, ushort mode);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int stat(byte* path, Stat* result);

    [LibraryImport(LibSystem, EntryPoint = "stat$INODE64", SetLastError = true)]
    public static partial int stat_inode64(byte* path, Stat* result);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int lstat(byte* path, Stat* result);

    [LibraryImport(LibSystem, EntryPoint = "lstat$INODE64", SetLastError = true)]
    public static partial int lstat_inode64(byte* path, Stat* result);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int fstat(int fd, Stat* result);

    [LibraryImport(LibSystem, EntryPoint = "fstat$INODE64", SetLastError = true)]
    public static partial int fstat_inode64(int fd, Stat* result);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int fstatfs(int fd, StatFs* result);

    [LibraryImport(LibSystem, EntryPoint = "fstatfs$INODE64", SetLastError = true)]
    public static partial int fstatfs_inode64(int fd, StatFs* result);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial nint readlink(byte* path, byte* buffer, nuint size);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int rename(byte* from, byte* to);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int unlink(byte* path);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int munmap(void* address, nuint length);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int msync(void* address, nuint length, int flags);

    [LibraryImport(LibSystem, SetLastError = true)]
    public static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport(LibSystem)]
    public static partial uint mach_task_self();

    [LibraryImport(LibSystem)]
    public static partial int task_info(uint task, int flavor, TaskVmInfo* info, uint* count);

    [LibraryImport(LibSystem)]
    public static partial int* _NSGetArgc();

    [LibraryImport(LibSystem)]
    public static partial byte*** _NSGetArgv();

    /// <summary>struct stat with 64-bit inodes, 144 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    public struct Stat
    {
        [FieldOffset(0)]
        public int Device;
        [FieldOffset(4)]
        public ushort Mode;
        [FieldOffset(8)]
        public ulong Inode;
        [FieldOffset(32)]
        public long AccessedSeconds;
        [FieldOffset(40)]
        public long AccessedNanoseconds;
        [FieldOffset(48)]
        public long ModifiedSeconds;
        [FieldOffset(56)]
        public long ModifiedNanoseconds;
        [FieldOffset(96)]
        public long Size;
        [FieldOffset(104)]
        public long Blocks;
    }

    /// <summary>The head of struct statfs with 64-bit inodes, 2,168 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 2168)]
    public struct StatFs
    {
        [FieldOffset(0)]
        public uint BlockSize;
        [FieldOffset(8)]
        public ulong Blocks;
        [FieldOffset(24)]
        public ulong Available;
    }

    /// <summary>
    /// The first revision of task_vm_info (mach/task_info.h, packed to 4 bytes): the kernel takes no smaller one. The fields
    /// behind those named here are of no use to us.
    /// </summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4, Size = 144)]
    public struct TaskVmInfo
    {
        public ulong VirtualSize;
        public int RegionCount;
        public int PageSize;
        public ulong ResidentSize;
        public ulong ResidentSizePeak;
        public ulong Device;
        public ulong DevicePeak;
        public ulong Internal;
        public ulong InternalPeak;
        public ulong External;
        public ulong ExternalPeak;
    }

    /// <summary>fstore_t, the argument of F_PREALLOCATE.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FStore
    {
        public uint Flags;
        public int PositionMode;
        public long Offset;
        public long Length;
        public long BytesAllocated;
    }
}
