using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Mapping;
using Win = AotLinker.Mapping.Windows;

namespace AotLinker.Tests.Mapping;

/// <summary>
/// Numbers and layouts of the hosts that this process may not be running on, against tables taken from Go's syscall
/// package (zerrors_darwin_*.go, ztypes_darwin_*.go, types_windows.go, zerrors_windows.go).
/// </summary>
public sealed class HostConstantTests
{
    [Theory]
    [InlineData(nameof(Darwin.O_RDONLY), 0x0)]
    [InlineData(nameof(Darwin.O_WRONLY), 0x1)]
    [InlineData(nameof(Darwin.O_RDWR), 0x2)]
    [InlineData(nameof(Darwin.O_CREAT), 0x200)]
    [InlineData(nameof(Darwin.O_TRUNC), 0x400)]
    [InlineData(nameof(Darwin.O_EXCL), 0x800)]
    [InlineData(nameof(Darwin.O_CLOEXEC), 0x1000000)]
    [InlineData(nameof(Darwin.PROT_READ), 0x1)]
    [InlineData(nameof(Darwin.PROT_WRITE), 0x2)]
    [InlineData(nameof(Darwin.MAP_SHARED), 0x1)]
    [InlineData(nameof(Darwin.MAP_PRIVATE), 0x2)]
    [InlineData(nameof(Darwin.MAP_ANON), 0x1000)]
    [InlineData(nameof(Darwin.MS_INVALIDATE), 0x2)]
    [InlineData(nameof(Darwin.MADV_RANDOM), 0x1)]
    [InlineData(nameof(Darwin.MADV_SEQUENTIAL), 0x2)]
    [InlineData(nameof(Darwin.MADV_WILLNEED), 0x3)]
    [InlineData(nameof(Darwin.MADV_DONTNEED), 0x4)]
    [InlineData(nameof(Darwin.TASK_VM_INFO), 22)]
    [InlineData(nameof(Darwin.F_PREALLOCATE), 0x2a)]
    [InlineData(nameof(Darwin.F_ALLOCATEALL), 0x4)]
    [InlineData(nameof(Darwin.F_PEOFPOSMODE), 0x3)]
    [InlineData(nameof(Darwin.EPERM), 0x1)]
    [InlineData(nameof(Darwin.ENOENT), 0x2)]
    [InlineData(nameof(Darwin.ENOMEM), 0xc)]
    [InlineData(nameof(Darwin.EACCES), 0xd)]
    [InlineData(nameof(Darwin.EEXIST), 0x11)]
    [InlineData(nameof(Darwin.ENODEV), 0x13)]
    [InlineData(nameof(Darwin.EINVAL), 0x16)]
    [InlineData(nameof(Darwin.EFBIG), 0x1b)]
    [InlineData(nameof(Darwin.ENOSPC), 0x1c)]
    [InlineData(nameof(Darwin.EROFS), 0x1e)]
    [InlineData(nameof(Darwin.EAGAIN), 0x23)]
    [InlineData(nameof(Darwin.ENOTSUP), 0x2d)]
    [InlineData(nameof(Darwin.EDQUOT), 0x45)]
    [InlineData(nameof(Darwin.ENOSYS), 0x4e)]
    [InlineData(nameof(Darwin.EOPNOTSUPP), 0x66)]
    public void Darwin_numbers(string name, long value) =>
        Assert.Equal(value, Convert.ToInt64(typeof(Darwin).GetField(name)!.GetRawConstantValue()));

    [Fact]
    public void Darwin_layouts()
    {
        Assert.Equal(144, Unsafe.SizeOf<Darwin.Stat>());
        Assert.Equal((0, 4, 8), (At<Darwin.Stat>("Device"), At<Darwin.Stat>("Mode"), At<Darwin.Stat>("Inode")));
        Assert.Equal((32, 48, 96, 104), (At<Darwin.Stat>("AccessedSeconds"), At<Darwin.Stat>("ModifiedSeconds"), At<Darwin.Stat>("Size"), At<Darwin.Stat>("Blocks")));
        Assert.Equal(2168, Unsafe.SizeOf<Darwin.StatFs>());
        Assert.Equal((0, 8, 24), (At<Darwin.StatFs>("BlockSize"), At<Darwin.StatFs>("Blocks"), At<Darwin.StatFs>("Available")));
        Assert.Equal(32, Unsafe.SizeOf<Darwin.FStore>());
        Assert.Equal((4, 8, 16), (At<Darwin.FStore>("PositionMode"), At<Darwin.FStore>("Offset"), At<Darwin.FStore>("Length")));

        // mach/task_info.h: TASK_VM_INFO_REV0_COUNT is 36 words.
        Assert.Equal(36 * 4, Unsafe.SizeOf<Darwin.TaskVmInfo>());
        Assert.Equal((16, 24), (At<Darwin.TaskVmInfo>("ResidentSize"), At<Darwin.TaskVmInfo>("ResidentSizePeak")));
        Assert.Equal((48, 64), (At<Darwin.TaskVmInfo>("Internal"), At<Darwin.TaskVmInfo>("External")));
    }

    [Theory]
    [InlineData(nameof(Win.GENERIC_READ), 0x80000000)]
    [InlineData(nameof(Win.GENERIC_WRITE), 0x40000000)]
    [InlineData(nameof(Win.FILE_SHARE_DELETE), 0x4)]
    [InlineData(nameof(Win.CREATE_NEW), 1)]
    [InlineData(nameof(Win.CREATE_ALWAYS), 2)]
    [InlineData(nameof(Win.OPEN_EXISTING), 3)]
    [InlineData(nameof(Win.FILE_ATTRIBUTE_NORMAL), 0x80)]
    [InlineData(nameof(Win.FILE_ATTRIBUTE_REPARSE_POINT), 0x400)]
    [InlineData(nameof(Win.FILE_FLAG_BACKUP_SEMANTICS), 0x02000000)]
    [InlineData(nameof(Win.FILE_FLAG_OPEN_REPARSE_POINT), 0x00200000)]
    [InlineData(nameof(Win.IO_REPARSE_TAG_SYMLINK), 0xA000000C)]
    [InlineData(nameof(Win.PAGE_READONLY), 0x02)]
    [InlineData(nameof(Win.PAGE_READWRITE), 0x04)]
    [InlineData(nameof(Win.FILE_MAP_WRITE), 0x02)]
    [InlineData(nameof(Win.FILE_MAP_READ), 0x04)]
    [InlineData(nameof(Win.ERROR_FILE_NOT_FOUND), 2)]
    [InlineData(nameof(Win.ERROR_PATH_NOT_FOUND), 3)]
    [InlineData(nameof(Win.ERROR_ACCESS_DENIED), 5)]
    [InlineData(nameof(Win.ERROR_HANDLE_EOF), 38)]
    [InlineData(nameof(Win.ERROR_FILE_EXISTS), 80)]
    [InlineData(nameof(Win.ERROR_BROKEN_PIPE), 109)]
    [InlineData(nameof(Win.ERROR_ALREADY_EXISTS), 183)]
    public void Windows_numbers(string name, long value) =>
        Assert.Equal(value, Convert.ToInt64(typeof(Win).GetField(name)!.GetRawConstantValue()));

    [Fact]
    public void Windows_layouts()
    {
        Assert.Equal(52, Unsafe.SizeOf<Win.BY_HANDLE_FILE_INFORMATION>());
        Assert.Equal(20, At<Win.BY_HANDLE_FILE_INFORMATION>("ftLastWriteTime"));
        Assert.Equal(28, At<Win.BY_HANDLE_FILE_INFORMATION>("dwVolumeSerialNumber"));
        Assert.Equal(48, At<Win.BY_HANDLE_FILE_INFORMATION>("nFileIndexLow"));
        Assert.Equal(32, Unsafe.SizeOf<Win.OVERLAPPED>());
        Assert.Equal(16, At<Win.OVERLAPPED>("Offset"));
        Assert.Equal(8, Unsafe.SizeOf<Win.FILE_ATTRIBUTE_TAG_INFO>());
        Assert.Equal(16, Unsafe.SizeOf<Win.WIN32_MEMORY_RANGE_ENTRY>());
        Assert.Equal(80, Unsafe.SizeOf<Win.PROCESS_MEMORY_COUNTERS_EX>());
        Assert.Equal((8, 16, 72), (At<Win.PROCESS_MEMORY_COUNTERS_EX>("PeakWorkingSetSize"), At<Win.PROCESS_MEMORY_COUNTERS_EX>("WorkingSetSize"), At<Win.PROCESS_MEMORY_COUNTERS_EX>("PrivateUsage")));
    }

    [Fact]
    public void The_guards_entry_is_that_of_its_C_half()
    {
        Assert.Equal(40, Unsafe.SizeOf<FaultGuard.Entry>());
        Assert.Equal((0, 8, 16), (At<FaultGuard.Entry>("Start"), At<FaultGuard.Entry>("End"), At<FaultGuard.Entry>("Path")));
        Assert.Equal((24, 32, 36), (At<FaultGuard.Entry>("Remove"), At<FaultGuard.Entry>("Truncate"), At<FaultGuard.Entry>("IsOutput")));
    }

    private static int At<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
