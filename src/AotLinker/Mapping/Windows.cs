using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// The part of kernel32 the linker uses. Names, parameter order and numbers are those of the Windows SDK, as
/// TerraFX.Interop.Windows spells them, so that either documentation applies. BOOL is an int, HANDLE an nint.
/// </summary>
internal static unsafe partial class Windows
{
    public const uint GENERIC_READ = 0x80000000;
    public const uint GENERIC_WRITE = 0x40000000;
    public const uint FILE_READ_ATTRIBUTES = 0x80;
    public const uint FILE_SHARE_READ = 0x1;
    public const uint FILE_SHARE_WRITE = 0x2;
    public const uint FILE_SHARE_DELETE = 0x4;
    public const uint CREATE_NEW = 1;
    public const uint CREATE_ALWAYS = 2;
    public const uint OPEN_EXISTING = 3;
    public const uint FILE_ATTRIBUTE_DIRECTORY = 0x10;
    public const uint FILE_ATTRIBUTE_NORMAL = 0x80;
    public const uint FILE_ATTRIBUTE_REPARSE_POINT = 0x400;
    public const uint FILE_FLAG_OPEN_REPARSE_POINT = 0x00200000;
    public const uint FILE_FLAG_BACKUP_SEMANTICS = 0x02000000;
    public const uint IO_REPARSE_TAG_SYMLINK = 0xA000000C;
    public const uint FILE_TYPE_DISK = 1;
    public const uint MOVEFILE_REPLACE_EXISTING = 1;
    public const int FileAllocationInfo = 5;
    public const int FileEndOfFileInfo = 6;
    public const int FileAttributeTagInfo = 9;

    public const uint PAGE_READONLY = 0x02;
    public const uint PAGE_READWRITE = 0x04;
    public const uint FILE_MAP_WRITE = 0x2;
    public const uint FILE_MAP_READ = 0x4;
    public const uint MEM_COMMIT = 0x1000;
    public const uint MEM_RESERVE = 0x2000;
    public const uint MEM_RELEASE = 0x8000;

    public const int ERROR_INVALID_FUNCTION = 1;
    public const int ERROR_FILE_NOT_FOUND = 2;
    public const int ERROR_PATH_NOT_FOUND = 3;
    public const int ERROR_ACCESS_DENIED = 5;
    public const int ERROR_NOT_ENOUGH_MEMORY = 8;
    public const int ERROR_OUTOFMEMORY = 14;
    public const int ERROR_WRITE_PROTECT = 19;
    public const int ERROR_GEN_FAILURE = 31;
    public const int ERROR_SHARING_VIOLATION = 32;
    public const int ERROR_HANDLE_EOF = 38;
    public const int ERROR_HANDLE_DISK_FULL = 39;
    public const int ERROR_NOT_SUPPORTED = 50;
    public const int ERROR_FILE_EXISTS = 80;
    public const int ERROR_INVALID_PARAMETER = 87;
    public const int ERROR_BROKEN_PIPE = 109;
    public const int ERROR_DISK_FULL = 112;
    public const int ERROR_CALL_NOT_IMPLEMENTED = 120;
    public const int ERROR_ALREADY_EXISTS = 183;
    public const int ERROR_COMMITMENT_LIMIT = 1455;

    private const string Kernel32 = "kernel32";

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial nint CreateFileW(char* lpFileName, uint dwDesiredAccess, uint dwShareMode, void* lpSecurityAttributes, uint dwCreationDisposition, uint dwFlagsAndAttributes, nint hTemplateFile);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int CloseHandle(nint hObject);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial uint GetFileType(nint hFile);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int GetFileInformationByHandle(nint hFile, BY_HANDLE_FILE_INFORMATION* lpFileInformation);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int GetFileInformationByHandleEx(nint hFile, int FileInformationClass, void* lpFileInformation, uint dwBufferSize);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int SetFileInformationByHandle(nint hFile, int FileInformationClass, void* lpFileInformation, uint dwBufferSize);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int ReadFile(nint hFile, void* lpBuffer, uint nNumberOfBytesToRead, uint* lpNumberOfBytesRead, OVERLAPPED* lpOverlapped);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int WriteFile(nint hFile, void* lpBuffer, uint nNumberOfBytesToWrite, uint* lpNumberOfBytesWritten, OVERLAPPED* lpOverlapped);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int FlushFileBuffers(nint hFile);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int MoveFileExW(char* lpExistingFileName, char* lpNewFileName, uint dwFlags);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int DeleteFileW(char* lpFileName);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial nint CreateFileMappingW(nint hFile, void* lpFileMappingAttributes, uint flProtect, uint dwMaximumSizeHigh, uint dwMaximumSizeLow, char* lpName);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial void* MapViewOfFile(nint hFileMappingObject, uint dwDesiredAccess, uint dwFileOffsetHigh, uint dwFileOffsetLow, nuint dwNumberOfBytesToMap);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int FlushViewOfFile(void* lpBaseAddress, nuint dwNumberOfBytesToFlush);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int UnmapViewOfFile(void* lpBaseAddress);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int VirtualProtect(void* lpAddress, nuint dwSize, uint flNewProtect, uint* lpflOldProtect);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial void* VirtualAlloc(void* lpAddress, nuint dwSize, uint flAllocationType, uint flProtect);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int VirtualFree(void* lpAddress, nuint dwSize, uint dwFreeType);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int VirtualUnlock(void* lpAddress, nuint dwSize);

    [LibraryImport(Kernel32)]
    public static partial nint GetCurrentProcess();

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int K32GetProcessMemoryInfo(nint Process, PROCESS_MEMORY_COUNTERS_EX* ppsmemCounters, uint cb);

    [LibraryImport(Kernel32, SetLastError = true)]
    public static partial int PrefetchVirtualMemory(nint hProcess, nuint NumberOfEntries, WIN32_MEMORY_RANGE_ENTRY* VirtualAddresses, uint Flags);

    /// <summary>52 bytes; a FILETIME is two 32-bit halves, hence the packing to read it as one number.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    public struct BY_HANDLE_FILE_INFORMATION
    {
        public uint dwFileAttributes;
        public long ftCreationTime;
        public long ftLastAccessTime;
        public long ftLastWriteTime;
        public uint dwVolumeSerialNumber;
        public uint nFileSizeHigh;
        public uint nFileSizeLow;
        public uint nNumberOfLinks;
        public uint nFileIndexHigh;
        public uint nFileIndexLow;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct FILE_ATTRIBUTE_TAG_INFO
    {
        public uint FileAttributes;
        public uint ReparseTag;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct OVERLAPPED
    {
        public nuint Internal;
        public nuint InternalHigh;
        public uint Offset;
        public uint OffsetHigh;
        public nint hEvent;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct PROCESS_MEMORY_COUNTERS_EX
    {
        public uint cb;
        public uint PageFaultCount;
        public nuint PeakWorkingSetSize;
        public nuint WorkingSetSize;
        public nuint QuotaPeakPagedPoolUsage;
        public nuint QuotaPagedPoolUsage;
        public nuint QuotaPeakNonPagedPoolUsage;
        public nuint QuotaNonPagedPoolUsage;
        public nuint PagefileUsage;
        public nuint PeakPagefileUsage;
        public nuint PrivateUsage;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct WIN32_MEMORY_RANGE_ENTRY
    {
        public void* VirtualAddress;
        public nuint NumberOfBytes;
    }
}
