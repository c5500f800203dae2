using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using static AotLinker.Mapping.Windows;

namespace AotLinker.Mapping;

/// <summary>Windows. Calls and constants are in <see cref="Windows"/>.</summary>
internal sealed unsafe class WindowsHost : HostSystem
{
    private const int MaxPath = 260;

    private const long AllocationGranularity = 64 << 10;

    private const int MaxTransfer = 1 << 30;

    public override int InputMapLimit => int.MaxValue;

    public override HostError NoSpace => new(ERROR_DISK_FULL);

    public override bool UnmapBeforeResize => true;

    /// <summary>
    /// cmd/link flushes view and file before it unmaps: without it, renaming or running the file at once may be refused
    /// (Go issues 38440 and 44817).
    /// </summary>
    public override bool FlushBeforeUnmap => true;

    private static HostError LastError
    {
        get
        {
            int code = Marshal.GetLastPInvokeError();
            return new HostError(code == 0 ? ERROR_GEN_FAILURE : code);
        }
    }

    /// <summary>The system's own message, as Go prints it: without the line end.</summary>
    public override string ErrorText(int code)
    {
        string text = Marshal.GetPInvokeErrorMessage(code).TrimEnd('\r', '\n');
        return text.Length == 0 ? "winapi error #" + code.ToString(System.Globalization.CultureInfo.InvariantCulture) : text;
    }

    public override HostErrorKind Classify(int code) => code switch
    {
        ERROR_FILE_NOT_FOUND or ERROR_PATH_NOT_FOUND => HostErrorKind.NotFound,
        ERROR_FILE_EXISTS or ERROR_ALREADY_EXISTS => HostErrorKind.Exists,
        ERROR_ACCESS_DENIED or ERROR_SHARING_VIOLATION or ERROR_WRITE_PROTECT => HostErrorKind.AccessDenied,
        ERROR_DISK_FULL or ERROR_HANDLE_DISK_FULL => HostErrorKind.NoSpace,
        ERROR_NOT_ENOUGH_MEMORY or ERROR_OUTOFMEMORY or ERROR_COMMITMENT_LIMIT => HostErrorKind.OutOfMemory,
        ERROR_INVALID_FUNCTION or ERROR_NOT_SUPPORTED or ERROR_INVALID_PARAMETER or ERROR_CALL_NOT_IMPLEMENTED => HostErrorKind.Unsupported,
        _ => HostErrorKind.Other,
    };

    public override bool TryReadRawArguments([NotNullWhen(true)] out byte[][]? arguments)
    {
        arguments = null; // arguments are UTF-16: nothing was lost
        return false;
    }

    public override HostError FactsAt(string path, bool follow, out FileFacts facts)
    {
        facts = default;
        uint flags = FILE_FLAG_BACKUP_SEMANTICS | (follow ? 0 : FILE_FLAG_OPEN_REPARSE_POINT);
        HostError error = Open(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, flags, out HostFile file);
        if (error.IsError)
            return error;
        error = FactsOf(file, out facts);
        _ = CloseHandle(file.Handle);
        return error;
    }

    public override HostError FactsOf(HostFile file, out FileFacts facts)
    {
        facts = new FileFacts { Kind = FileKind.Stream };
        if (GetFileType(file.Handle) != FILE_TYPE_DISK)
            return HostError.None;
        BY_HANDLE_FILE_INFORMATION info;
        if (GetFileInformationByHandle(file.Handle, &info) == 0)
            return LastError;

        var kind = FileKind.Regular;
        if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
            kind = FileKind.Directory;
        if ((info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        {
            FILE_ATTRIBUTE_TAG_INFO tag;
            if (GetFileInformationByHandleEx(file.Handle, FileAttributeTagInfo, &tag, (uint)sizeof(FILE_ATTRIBUTE_TAG_INFO)) != 0
                && tag.ReparseTag == IO_REPARSE_TAG_SYMLINK)
            {
                kind = FileKind.SymbolicLink;
            }
        }

        facts = new FileFacts
        {
            Kind = kind,
            Length = (long)(((ulong)info.nFileSizeHigh << 32) | info.nFileSizeLow),
            Device = info.dwVolumeSerialNumber,
            Id = ((ulong)info.nFileIndexHigh << 32) | info.nFileIndexLow,
            Modified = info.ftLastWriteTime * 100,
            Accessed = info.ftLastAccessTime * 100,
        };
        return HostError.None;
    }

    public override HostError ReadLink(string path, out string target)
    {
        target = "";
        try
        {
            target = new FileInfo(path).LinkTarget ?? "";
            return target.Length == 0 ? new HostError(ERROR_INVALID_FUNCTION) : HostError.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new HostError(ERROR_ACCESS_DENIED);
        }
    }

    public override HostError FreeSpace(HostFile file, out long free, out bool inMemory)
    {
        // Disk space is reserved when the file gets its length, so there is nothing to foresee.
        free = long.MaxValue;
        inMemory = false;
        return HostError.None;
    }

    public override HostError OpenInput(string path, out HostFile file) =>
        Open(path, GENERIC_READ, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, out file);

    public override HostError CreateUnnamed(string directory, out HostFile file)
    {
        file = HostFile.None;
        return new HostError(ERROR_NOT_SUPPORTED);
    }

    public override HostError PublishUnnamed(HostFile file, string path) => new(ERROR_NOT_SUPPORTED);

    public override HostError CreateInMemory(out HostFile file)
    {
        file = HostFile.None;
        return new HostError(ERROR_NOT_SUPPORTED);
    }

    public override HostError CreateNew(string path, out HostFile file) =>
        Open(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, out file);

    public override HostError OpenExisting(string path, bool isStream, uint permissions, out HostFile file) => isStream
        ? Open(path, GENERIC_WRITE, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, out file)
        : Open(path, GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, out file);

    public override HostError SetPermissions(HostFile file, uint permissions) => HostError.None;

    public override HostError Rename(string from, string to)
    {
        fixed (char* f = ForSystem(from))
        fixed (char* t = ForSystem(to))
            return MoveFileExW(f, t, MOVEFILE_REPLACE_EXISTING) != 0 ? HostError.None : LastError;
    }

    public override HostError Remove(string path)
    {
        fixed (char* p = ForSystem(path))
            return DeleteFileW(p) != 0 ? HostError.None : LastError;
    }

    public override HostError Close(HostFile file) => CloseHandle(file.Handle) != 0 ? HostError.None : LastError;

    public override HostError ReadAt(HostFile file, long offset, byte* buffer, long count, out long read)
    {
        read = 0;
        while (read < count)
        {
            OVERLAPPED at = At(offset + read);
            uint got;
            if (ReadFile(file.Handle, buffer + read, (uint)Math.Min(count - read, MaxTransfer), &got, &at) == 0)
            {
                HostError error = LastError;
                return error.Code == ERROR_HANDLE_EOF ? HostError.None : error;
            }

            if (got == 0)
                break;
            read += got;
        }

        return HostError.None;
    }

    public override HostError ReadNext(HostFile file, byte* buffer, int count, out int read)
    {
        uint got = 0;
        bool done = ReadFile(file.Handle, buffer, (uint)count, &got, null) != 0;
        read = (int)got;
        if (done)
            return HostError.None;
        HostError error = LastError;
        return error.Code is ERROR_BROKEN_PIPE or ERROR_HANDLE_EOF ? HostError.None : error;
    }

    public override HostError WriteAt(HostFile file, long offset, byte* buffer, long count)
    {
        for (long done = 0; done < count;)
        {
            OVERLAPPED at = At(offset + done);
            uint put;
            if (WriteFile(file.Handle, buffer + done, (uint)Math.Min(count - done, MaxTransfer), &put, &at) == 0)
                return LastError;
            done += put;
        }

        return HostError.None;
    }

    public override HostError WriteNext(HostFile file, byte* buffer, long count)
    {
        for (long done = 0; done < count;)
        {
            uint put;
            if (WriteFile(file.Handle, buffer + done, (uint)Math.Min(count - done, MaxTransfer), &put, null) == 0)
                return LastError;
            done += put;
        }

        return HostError.None;
    }

    public override HostError SetLength(HostFile file, long length) =>
        SetFileInformationByHandle(file.Handle, FileEndOfFileInfo, &length, sizeof(long)) != 0 ? HostError.None : LastError;

    public override HostError Preallocate(HostFile file, long offset, long length)
    {
        long total = offset + length;
        return SetFileInformationByHandle(file.Handle, FileAllocationInfo, &total, sizeof(long)) != 0 ? HostError.None : LastError;
    }

    public override long MapGranularity => AllocationGranularity;

    public override HostError MapInput(HostFile file, long offset, long length, out byte* map) =>
        Map(file, offset, length, PAGE_READONLY, FILE_MAP_READ, out map);

    public override HostError MapOutput(HostFile file, long length, out byte* map) =>
        Map(file, 0, length, PAGE_READWRITE, FILE_MAP_READ | FILE_MAP_WRITE, out map);

    public override HostError Protect(byte* map, long length)
    {
        uint before;
        return VirtualProtect(map, (nuint)length, PAGE_READONLY, &before) != 0 ? HostError.None : LastError;
    }

    public override HostError Flush(HostFile file, byte* map, long length) =>
        FlushViewOfFile(map, 0) != 0 && FlushFileBuffers(file.Handle) != 0 ? HostError.None : LastError;

    public override HostError Unmap(byte* map, long length) => UnmapViewOfFile(map) != 0 ? HostError.None : LastError;

    public override void Advise(byte* map, long length, MapAdvice advice)
    {
        if (advice == MapAdvice.WillNeed)
        {
            var range = new WIN32_MEMORY_RANGE_ENTRY { VirtualAddress = map, NumberOfBytes = (nuint)length };
            _ = PrefetchVirtualMemory(GetCurrentProcess(), 1, &range, 0);
        }
        else if (advice == MapAdvice.DontNeed)
        {
            // Unlocking pages that are not locked takes them out of the working set.
            _ = VirtualUnlock(map, (nuint)length);
        }
    }

    public override HostError AllocatePages(long length, out byte* pages)
    {
        pages = (byte*)VirtualAlloc(null, (nuint)length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        return pages != null ? HostError.None : LastError;
    }

    public override void FreePages(byte* pages, long length) => _ = VirtualFree(pages, 0, MEM_RELEASE);

    public override ProcessMemory MeasureMemory()
    {
        PROCESS_MEMORY_COUNTERS_EX counters;
        uint size = (uint)sizeof(PROCESS_MEMORY_COUNTERS_EX);
        counters.cb = size;
        if (K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, size) == 0)
            return new ProcessMemory();
        return new ProcessMemory
        {
            Resident = (long)counters.WorkingSetSize,
            PeakResident = (long)counters.PeakWorkingSetSize,
            Private = counters.PrivateUsage == 0 ? ProcessMemory.Unknown : (long)counters.PrivateUsage, // Wine leaves it out
        };
    }

    private static OVERLAPPED At(long offset) => new() { Offset = (uint)offset, OffsetHigh = (uint)(offset >> 32) };

    private static HostError Open(string path, uint access, uint disposition, uint flags, out HostFile file)
    {
        const uint Share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        fixed (char* p = ForSystem(path))
            file = new HostFile(CreateFileW(p, access, Share, null, disposition, flags, 0));
        return file.IsOpen ? HostError.None : LastError;
    }

    private static HostError Map(HostFile file, long offset, long length, uint protection, uint access, out byte* map)
    {
        map = null;
        long end = offset + length;
        nint section = CreateFileMappingW(file.Handle, null, protection, (uint)(end >> 32), (uint)end, null);
        if (section == 0)
            return LastError;
        map = (byte*)MapViewOfFile(section, access, (uint)(offset >> 32), (uint)offset, (nuint)length);
        HostError error = map != null ? HostError.None : LastError;
        _ = CloseHandle(section); // the view keeps it alive
        return error;
    }

    /// <summary>The path for a system call; long ones in the form that has no length limit.</summary>
    private static string ForSystem(string path)
    {
        if (path.Length < MaxPath - 12 || path.StartsWith(@"\\?\", StringComparison.Ordinal))
            return path;
        string full = Path.GetFullPath(path);
        return full.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC\" + full[2..] : @"\\?\" + full;
    }
}
