using System.Globalization;

namespace AotLinker.Mapping;

/// <summary>
/// Where the output goes and how it gets its name. A regular or absent target is written aside and takes its name in one
/// step at the end, so that nothing half-written ever stands there and a running executable is replaced rather than
/// overwritten. Pipes and devices get the bytes, in order, from a spool.
/// </summary>
/// <remarks>
/// Follows what users see of cmd/link (<c>libinit</c>, <c>mayberemoveoutfile</c>, <c>OutBuf.Open</c>): an existing regular
/// file is removed when the link starts; a link is followed, keeping the mode of the file it leads to; the mode is 0775
/// less the umask. In order of preference the bytes go to
/// <list type="number">
/// <item>a file without a name in the target's folder (Linux): killed at any moment, it leaves no trace;</item>
/// <item>a temporary file beside the target, removed on failure, on exit and on SIGINT, SIGTERM, SIGHUP;</item>
/// <item>the target itself, where only it may be written (a read-only folder) or where the name is the kernel's
/// (/dev/stdout redirected to a file); emptied on failure.</item>
/// </list>
/// </remarks>
internal sealed unsafe class OutputTarget
{
    private const int MostLinks = 40;

    // What a smaller file holds is given back before a thread has started.
    private const int WorthThread = 4 << 20;

    private static int _counter;

    private readonly HostSystem _host;
    private readonly string _path;

    private Placement _placement;
    private string _finalPath;
    private string? _temporary;
    private bool _replacesLinked;
    private Thread? _removal;
    private int _guardSlot = -1;

    private OutputTarget(HostSystem host, string path)
    {
        _host = host;
        _path = path;
        _finalPath = path;
    }

    private enum Placement : byte
    {
        Unnamed,
        Temporary,
        InPlace,
        Stream,
    }

    /// <summary>The file that takes the bytes, seekable: the output itself, or the spool of a stream.</summary>
    public HostFile File { get; private set; } = HostFile.None;

    /// <summary>The stream behind a spool.</summary>
    public HostFile Stream { get; private set; } = HostFile.None;

    public bool IsStream => _placement == Placement.Stream;

    /// <exception cref="LinkException">"cannot create x: open x: permission denied", as cmd/link words it.</exception>
    public static OutputTarget Open(string path, OutputOptions options)
    {
        options.Host.PrepareToWrite();
        var target = new OutputTarget(options.Host, path);
        HostError error = target.Open(options.ForceNamed);
        return error.IsNone ? target : throw CannotCreate(path, error);
    }

    /// <summary>Waits until the disk space of the file that stood here is free.</summary>
    public void AwaitRemoval() => _removal?.Join();

    /// <summary>Closes the file and gives it its name. The stream's bytes have been sent before.</summary>
    /// <exception cref="LinkException">A write the system had put off failed, or the name could not be given.</exception>
    public void Publish()
    {
        HostFile file = File;
        switch (_placement)
        {
            case Placement.Unnamed:
                HostError error = _host.PublishUnnamed(file, _finalPath);
                if (error.Kind == HostErrorKind.Exists)
                    error = PublishOverExisting(file);
                if (error.IsError && PublishCopy(file).IsError)
                    ThrowIf(error, "link");
                File = HostFile.None;
                ThrowIf(_host.Close(file), "close");
                break;

            case Placement.Temporary:
                File = HostFile.None;
                ThrowIf(_host.Close(file), "close");
                ThrowIf(_host.Rename(_temporary!, _finalPath), "rename");
                UnwatchPartial();
                _temporary = null;
                break;

            case Placement.InPlace:
                File = HostFile.None;
                UnwatchPartial();
                ThrowIf(_host.Close(file), "close");
                break;

            case Placement.Stream:
                File = HostFile.None;
                _ = _host.Close(file);
                HostFile stream = Stream;
                Stream = HostFile.None;
                ThrowIf(_host.Close(stream), "close");
                break;
        }
    }

    /// <summary>Closes without publishing and takes away what was written. Safe to call at any time, also twice.</summary>
    public void Abandon()
    {
        UnwatchPartial();
        RemovePartial();
        HostFile file = File;
        File = HostFile.None;
        if (file.IsOpen)
            _ = _host.Close(file);
        HostFile stream = Stream;
        Stream = HostFile.None;
        if (stream.IsOpen)
            _ = _host.Close(stream);
    }

    /// <summary>Takes away what a link that is about to die would leave behind.</summary>
    internal void RemovePartial()
    {
        if (_placement == Placement.InPlace && File.IsOpen)
            _ = _host.SetLength(File, 0);
        string? temporary = Interlocked.Exchange(ref _temporary, null);
        if (temporary is null)
            return;
        if (OperatingSystem.IsWindows() && File.IsOpen)
        {
            // Windows deletes no open file.
            HostFile file = File;
            File = HostFile.None;
            _ = _host.Close(file);
        }

        _ = _host.Remove(temporary);
    }

    /// <summary>From now on something with a name would be left behind.</summary>
    private void WatchPartial()
    {
        PartialOutputs.Add(this);
        _guardSlot = FaultGuard.AddPartial(_temporary, _placement == Placement.InPlace ? File : HostFile.None);
    }

    private void UnwatchPartial()
    {
        FaultGuard.Remove(_guardSlot);
        _guardSlot = -1;
        PartialOutputs.Remove(this);
    }

    private static LinkException CannotCreate(string path, HostError error) =>
        new($"cannot create {path}: {error.Describe("open", path)}");

    private HostError Open(bool forceNamed)
    {
        HostError error = _host.FactsAt(_path, follow: false, out FileFacts facts);
        if (error.IsError && error.Kind != HostErrorKind.NotFound)
            return error; // a name too long, a folder that may not be searched: opening would say the same
        bool exists = error.IsNone;
        if (!exists && HostPath.NamesNoFile(_path))
            return _host.OpenExisting(_path, isStream: false, HostSystem.OutputPermissions, out _); // for the system's own reason
        bool isLink = exists && facts.Kind == FileKind.SymbolicLink;
        if (isLink)
            exists = _host.FactsAt(_path, follow: true, out facts).IsNone;
        if (exists && facts.Kind == FileKind.Stream)
            return OpenStream();
        if (exists && facts.Kind == FileKind.Directory)
            return _host.OpenExisting(_path, isStream: false, HostSystem.OutputPermissions, out _); // for the system's own reason
        if (isLink && !TryResolve(exists, facts))
            return OpenInPlace();

        error = OpenAside(forceNamed);
        if (error.IsError)
        {
            // A folder in which nothing may be created can still hold a file that may be written.
            return exists ? OpenInPlace() : error;
        }

        if (exists && isLink)
        {
            _replacesLinked = true;
            _ = _host.SetPermissions(File, facts.Permissions);
        }
        else if (exists && RemoveExisting(facts.Length) is { IsError: true, Kind: not HostErrorKind.NotFound })
        {
            // Somebody else's file in a sticky folder, or on Windows a running program. What is written aside could not
            // take its place in the end, so it is written where it is or refused now, as by cmd/link.
            Abandon();
            return OpenInPlace();
        }

        return HostError.None;
    }

    // To give back what a large program held takes a hundredth of a link's time, and the system does it when the file's last user is gone.
    private HostError RemoveExisting(long length)
    {
        HostFile held = HostFile.None;
        bool isHeld = length >= WorthThread && _host.TryHold(_finalPath, out held);
        HostError error = _host.Remove(_finalPath);
        if (isHeld && error.IsNone)
        {
            _removal = new Thread(() => _host.Close(held)) { IsBackground = true, Name = "removal" };
            _removal.UnsafeStart();
        }
        else if (isHeld)
        {
            _ = _host.Close(held);
        }

        return error;
    }

    private HostError OpenAside(bool forceNamed)
    {
        if (!forceNamed && _host.CreateUnnamed(HostPath.DirectoryOf(_finalPath), out HostFile unnamed).IsNone)
        {
            _placement = Placement.Unnamed;
            File = unnamed;
            return HostError.None;
        }

        while (true)
        {
            string name = HostPath.Beside(_finalPath, TemporaryName());
            HostError error = _host.CreateNew(name, out HostFile file);
            if (error.Kind == HostErrorKind.Exists)
                continue;
            if (error.IsError)
                return error;
            _placement = Placement.Temporary;
            _temporary = name;
            File = file;
            WatchPartial();
            return HostError.None;
        }
    }

    private HostError OpenInPlace()
    {
        HostError error = _host.OpenExisting(_path, isStream: false, HostSystem.OutputPermissions, out HostFile file);
        if (error.IsError)
            return error;
        _placement = Placement.InPlace;
        File = file;
        WatchPartial();
        return HostError.None;
    }

    private HostError OpenStream()
    {
        HostError error = _host.OpenExisting(_path, isStream: true, HostSystem.OutputPermissions, out HostFile stream);
        if (error.IsError)
            return error;
        Stream = stream;
        _placement = Placement.Stream;

        // A stream can't go back for a header or a hash, so the bytes wait in a nameless file on disk.
        string folder = Path.GetTempPath();
        if (_host.CreateUnnamed(folder, out HostFile spool).IsNone)
        {
            File = spool;
            return HostError.None;
        }

        string name = Path.Combine(folder, TemporaryName());
        error = _host.CreateNew(name, out spool);
        if (error.IsNone)
        {
            File = spool;
            if (_host.Remove(name).IsError)
            {
                _temporary = name;
                WatchPartial();
            }

            return HostError.None;
        }

        // No folder to write to, as in a container without /tmp.
        if (_host.CreateInMemory(out spool).IsNone)
        {
            File = spool;
            return HostError.None;
        }

        return error;
    }

    /// <summary>
    /// Follows the links from the path to the name that shall be replaced. False when the link can't be followed by name
    /// (the kernel's own links under /proc, a loop), so that the file must be written where it is.
    /// </summary>
    private bool TryResolve(bool exists, in FileFacts destination)
    {
        string path = _path;
        for (int links = 0; links < MostLinks; links++)
        {
            if (_host.FactsAt(path, follow: false, out FileFacts facts).IsError)
            {
                _finalPath = path;
                return !exists;
            }

            if (facts.Kind != FileKind.SymbolicLink)
            {
                _finalPath = path;
                return exists && facts.IsSameFile(destination);
            }

            if (IsKernelLink(facts) || _host.ReadLink(path, out string next).IsError)
                return false;
            path = Path.IsPathRooted(next) ? next : HostPath.Beside(path, next);
        }

        return false;
    }

    /// <summary>
    /// Whether a link is one of /proc: what it leads to is an open file, perhaps the shell's, and not a name.
    /// </summary>
    private bool IsKernelLink(in FileFacts link) =>
        OperatingSystem.IsLinux() && _host.FactsAt("/proc", follow: true, out FileFacts proc).IsNone && proc.Device == link.Device;

    private HostError PublishOverExisting(HostFile file)
    {
        if (!_replacesLinked)
            _ = _host.Remove(_finalPath);
        while (true)
        {
            string name = HostPath.Beside(_finalPath, TemporaryName());
            HostError error = _host.PublishUnnamed(file, name);
            if (error.Kind == HostErrorKind.Exists)
                continue;
            if (error.IsError)
                return error;
            error = _host.Rename(name, _finalPath);
            if (error.IsError)
                _ = _host.Remove(name);
            return error;
        }
    }

    /// <summary>
    /// Where the folder's file system or a security policy creates files without a name but does not let them be named:
    /// the bytes go to a named one after all.
    /// </summary>
    private HostError PublishCopy(HostFile file)
    {
        HostError error = _host.FactsOf(file, out FileFacts facts);
        if (error.IsError)
            return error;
        string name = HostPath.Beside(_finalPath, TemporaryName());
        error = _host.CreateNew(name, out HostFile copy);
        if (error.IsError)
            return error;
        _temporary = name;
        WatchPartial();
        _ = _host.SetPermissions(copy, facts.Permissions);
        error = CopyBytes(file, copy, facts.Length);
        HostError closed = _host.Close(copy);
        if (error.IsNone)
            error = closed;
        if (error.IsNone)
            error = _host.Rename(name, _finalPath);
        if (error.IsError)
            RemovePartial();
        UnwatchPartial();
        _temporary = null;
        return error;
    }

    private HostError CopyBytes(HostFile from, HostFile to, long length)
    {
        const int Piece = 1 << 20;
        byte* buffer = (byte*)NativeHeap.Alloc(Piece, 1);
        try
        {
            for (long offset = 0; offset < length; offset += Piece)
            {
                HostError error = _host.ReadAt(from, offset, buffer, Math.Min(Piece, length - offset), out long read);
                if (error.IsNone)
                    error = _host.WriteAt(to, offset, buffer, read);
                if (error.IsError)
                    return error;
            }

            return HostError.None;
        }
        finally
        {
            NativeHeap.Free(buffer);
        }
    }

    /// <summary>Short whatever the target's name, which may be as long as the file system allows.</summary>
    private static string TemporaryName() => string.Create(
        CultureInfo.InvariantCulture, $".aotlink-{Environment.ProcessId}-{Interlocked.Increment(ref _counter)}");

    private void ThrowIf(HostError error, string operation)
    {
        if (error.IsError)
            throw error.OnPath(operation, _path);
    }
}
