using System.Runtime.InteropServices;
using System.Text;

namespace AotLinker.Mapping;

/// <summary>
/// What Linux and macOS share: paths as NUL-terminated bytes, calls retried after EINTR, partial reads and writes carried
/// on. The raw calls return the C library's result and leave errno in <see cref="LastError"/>.
/// </summary>
internal abstract unsafe class PosixHost : HostSystem
{
    protected const int Eintr = 4;

    /// <summary>The most bytes one read or write call takes on every POSIX host (Linux stops at 0x7ffff000).</summary>
    private const long MaxTransfer = 1L << 30;

    private const int StackPathBytes = 1024;

    /// <summary>The most bytes that are written to a place of a file at once.</summary>
    protected virtual long MaxWrite => MaxTransfer;

    /// <summary>What Go says of a path with a NUL in it, which the C library would cut short: EINVAL.</summary>
    private static HostError InvalidPath => new(22);

    protected static HostError LastError
    {
        get
        {
            int code = Marshal.GetLastPInvokeError();
            return new HostError(code == 0 ? 5 : code); // never "no error" after a failure: EIO
        }
    }

    public override HostError ReadLink(string path, out string target)
    {
        target = "";
        Span<byte> name = stackalloc byte[StackPathBytes];
        name = Terminated(path, name);
        int capacity = 512;
        while (true)
        {
            byte[] buffer = new byte[capacity];
            nint length;
            fixed (byte* n = name)
            fixed (byte* b = buffer)
                length = RawReadLink(n, b, buffer.Length);
            if (length < 0)
                return LastError;
            if (length < buffer.Length)
            {
                target = HostPath.Decode(buffer.AsSpan(0, (int)length));
                return HostError.None;
            }

            capacity *= 2;
        }
    }

    public override HostError FactsAt(string path, bool follow, out FileFacts facts)
    {
        facts = default;
        if (path.Contains('\0'))
            return InvalidPath;
        Span<byte> name = stackalloc byte[StackPathBytes];
        name = Terminated(path, name);
        fixed (byte* n = name)
        {
            while (true)
            {
                if (RawStat(n, follow, out facts) == 0)
                    return HostError.None;
                if (LastError.Code != Eintr)
                    return LastError;
            }
        }
    }

    public override HostError FactsOf(HostFile file, out FileFacts facts) =>
        RawStat((int)file.Handle, out facts) == 0 ? HostError.None : LastError;

    public override HostError SetPermissions(HostFile file, uint permissions) =>
        RawSetMode((int)file.Handle, permissions) == 0 ? HostError.None : LastError;

    public override HostError Rename(string from, string to)
    {
        Span<byte> source = stackalloc byte[StackPathBytes];
        Span<byte> target = stackalloc byte[StackPathBytes];
        source = Terminated(from, source);
        target = Terminated(to, target);
        fixed (byte* s = source)
        fixed (byte* t = target)
            return RawRename(s, t) == 0 ? HostError.None : LastError;
    }

    public override HostError Remove(string path)
    {
        Span<byte> name = stackalloc byte[StackPathBytes];
        name = Terminated(path, name);
        fixed (byte* n = name)
            return RawUnlink(n) == 0 ? HostError.None : LastError;
    }

    public override HostError Close(HostFile file)
    {
        // The descriptor is gone even when close was interrupted, so it is never tried again.
        return RawClose((int)file.Handle) == 0 || LastError.Code == Eintr ? HostError.None : LastError;
    }

    public override HostError ReadAt(HostFile file, long offset, byte* buffer, long count, out long read)
    {
        read = 0;
        while (read < count)
        {
            nint got = RawReadAt((int)file.Handle, buffer + read, (nint)Math.Min(count - read, MaxTransfer), offset + read);
            if (got == 0)
                break;
            if (got > 0)
                read += got;
            else if (LastError.Code != Eintr)
                return LastError;
        }

        return HostError.None;
    }

    public override HostError ReadNext(HostFile file, byte* buffer, int count, out int read)
    {
        while (true)
        {
            nint got = RawRead((int)file.Handle, buffer, count);
            read = (int)Math.Max(got, 0);
            if (got >= 0)
                return HostError.None;
            if (LastError.Code != Eintr)
                return LastError;
        }
    }

    public override HostError WriteAt(HostFile file, long offset, byte* buffer, long count)
    {
        for (long done = 0; done < count;)
        {
            nint put = RawWriteAt((int)file.Handle, buffer + done, (nint)Math.Min(count - done, MaxWrite), offset + done);
            if (put >= 0)
                done += put;
            else if (LastError.Code != Eintr)
                return LastError;
        }

        return HostError.None;
    }

    public override HostError WriteNext(HostFile file, byte* buffer, long count)
    {
        for (long done = 0; done < count;)
        {
            nint put = RawWrite((int)file.Handle, buffer + done, (nint)Math.Min(count - done, MaxTransfer));
            if (put >= 0)
                done += put;
            else if (LastError.Code != Eintr)
                return LastError;
        }

        return HostError.None;
    }

    public override HostError SetLength(HostFile file, long length)
    {
        while (true)
        {
            if (RawSetLength((int)file.Handle, length) == 0)
                return HostError.None;
            if (LastError.Code != Eintr)
                return LastError;
        }
    }

    public override HostError Unmap(byte* map, long length) =>
        RawUnmap(map, (nint)length) == 0 ? HostError.None : LastError;

    public override void FreePages(byte* pages, long length) => _ = RawUnmap(pages, (nint)length);

    public override bool CanSplitPages => true;

    /// <summary>The file system call that opens a path; retried after EINTR (a FIFO or a network file system may wait).</summary>
    protected HostError Open(string path, int flags, uint mode, out HostFile file)
    {
        file = HostFile.None;
        if (path.Contains('\0'))
            return InvalidPath;
        Span<byte> name = stackalloc byte[StackPathBytes];
        name = Terminated(path, name);
        fixed (byte* n = name)
        {
            while (true)
            {
                int descriptor = RawOpen(n, flags, (int)mode);
                if (descriptor >= 0)
                {
                    file = new HostFile(descriptor);
                    return HostError.None;
                }

                if (LastError.Code != Eintr)
                    return LastError;
            }
        }
    }

    /// <summary>The bytes of a path with a terminating NUL, in <paramref name="buffer"/> when they fit.</summary>
    protected static Span<byte> Terminated(string path, Span<byte> buffer)
    {
        int most = Encoding.UTF8.GetMaxByteCount(path.Length) + 1;
        if (most > buffer.Length)
            buffer = new byte[most];
        int length = HostPath.Encode(path, buffer);
        buffer[length] = 0;
        return buffer[..(length + 1)];
    }

    protected static FileKind KindOf(uint mode) => (mode & 0xF000) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Directory,
        0xA000 => FileKind.SymbolicLink,
        _ => FileKind.Stream,
    };

    protected abstract int RawOpen(byte* path, int flags, int mode);

    protected abstract int RawClose(int descriptor);

    protected abstract nint RawRead(int descriptor, byte* buffer, nint count);

    protected abstract nint RawReadAt(int descriptor, byte* buffer, nint count, long offset);

    protected abstract nint RawWrite(int descriptor, byte* buffer, nint count);

    protected abstract nint RawWriteAt(int descriptor, byte* buffer, nint count, long offset);

    protected abstract int RawSetLength(int descriptor, long length);

    protected abstract int RawSetMode(int descriptor, uint mode);

    protected abstract int RawStat(byte* path, bool follow, out FileFacts facts);

    protected abstract int RawStat(int descriptor, out FileFacts facts);

    protected abstract nint RawReadLink(byte* path, byte* buffer, nint count);

    protected abstract int RawRename(byte* from, byte* to);

    protected abstract int RawUnlink(byte* path);

    protected abstract int RawUnmap(byte* map, nint length);
}
