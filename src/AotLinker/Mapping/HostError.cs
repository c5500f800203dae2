namespace AotLinker.Mapping;

/// <summary>What an operating system's error number means to the linker, whichever system it came from.</summary>
internal enum HostErrorKind : byte
{
    None,
    Other,
    NotFound,
    Exists,
    AccessDenied,
    NoSpace,

    /// <summary>The file, file system or kernel does not do this; another way may work.</summary>
    Unsupported,

    /// <summary>No address space or no memory for a map.</summary>
    OutOfMemory,
}

/// <summary>
/// The error number of a system call (errno, or GetLastError's value), 0 for success. <see cref="ToString"/> is the text
/// Go's <c>syscall.Errno</c> prints on that system, so that messages read as cmd/link's.
/// </summary>
internal readonly record struct HostError(int Code)
{
    /// <summary>No error.</summary>
    public static HostError None => default;

    public bool IsNone => Code == 0;

    public bool IsError => Code != 0;

    public HostErrorKind Kind => Code == 0 ? HostErrorKind.None : HostSystem.Current.Classify(Code);

    /// <summary>A <see cref="LinkException"/> in the form of Go's <c>fs.PathError</c>: "open x: no such file or directory".</summary>
    public LinkException OnPath(string operation, string path) => new(Describe(operation, path));

    /// <summary>Go's <c>fs.PathError</c> text: "open x: no such file or directory".</summary>
    public string Describe(string operation, string path) => $"{operation} {path}: {ToString()}";

    public override string ToString() => Code == 0 ? "no error" : HostSystem.Current.ErrorText(Code);
}
