namespace AotLinker.Cli;

/// <summary>Words file errors as Go's os package does, which is what users of cmd/link see and tools search for.</summary>
internal static class GoError
{
    /// <summary><c>OPERATION PATH: reason</c>, like a fs.PathError.</summary>
    /// <param name="operation">The system call: <c>open</c>, <c>read</c>.</param>
    /// <param name="path">The file.</param>
    /// <param name="cause">What the framework threw.</param>
    public static string Describe(string operation, string path, Exception cause)
    {
        // Reading a folder fails with "read", after a successful "open"; the framework refuses to open it at all.
        if (cause is UnauthorizedAccessException && Directory.Exists(path))
            return $"read {path}: is a directory";
        return $"{operation} {path}: {Reason(cause)}";
    }

    private static string Reason(Exception cause) => cause switch
    {
        FileNotFoundException or DirectoryNotFoundException when OperatingSystem.IsWindows() =>
            "The system cannot find the file specified.",
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException when OperatingSystem.IsWindows() => "Access is denied.",
        UnauthorizedAccessException => "permission denied",
        PathTooLongException => "file name too long",
        _ => cause.Message,
    };
}
