namespace AotLinker.Cli;

/// <summary>
/// What <c>-V</c> prints (objabi.versionFlag). The go command puts the whole line into action IDs, so it must be to the
/// byte what the tool we stand in for prints.
/// </summary>
internal static class VersionLine
{
    /// <summary>Whether the line can be told without asking the replaced tool.</summary>
    /// <param name="request">How <c>-V</c> was given.</param>
    /// <param name="toolchain">The toolchain, or null.</param>
    /// <remarks>
    /// A development version's full line ends in the build ID of the tool's own executable, and the standard experiments of
    /// a release we don't know are not known either.
    /// </remarks>
    public static bool IsKnown(VersionRequest request, Toolchain? toolchain) =>
        toolchain?.Release is not null && !(request == VersionRequest.Full && toolchain.IsDevelopment);

    /// <summary>The line, without its end: <c>link version go1.27.4 X:nodwarf5</c>.</summary>
    /// <param name="programName">argv[0]; its last element without ".exe" begins the line.</param>
    /// <param name="version">The toolchain's version.</param>
    /// <param name="experiments">What is to be told of experiments; empty for nothing.</param>
    public static string Format(string programName, string version, string experiments)
    {
        // Both kinds of slash separate on every system.
        string name = programName[(programName.AsSpan().LastIndexOfAny('/', '\\') + 1)..];
        const string Extension = ".exe";
        if (name.EndsWith(Extension, StringComparison.Ordinal))
            name = name[..^Extension.Length];
        return $"{name} version {version}{(experiments.Length > 0 ? " X:" : "")}{experiments}";
    }
}
