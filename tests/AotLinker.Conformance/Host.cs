using System.Runtime.InteropServices;

namespace AotLinker.Conformance;

/// <summary>What the machine that runs the suite can do.</summary>
internal static class Host
{
    /// <summary>Whether the linked programs, which are for linux/amd64, can be started here.</summary>
    public static bool RunsLinuxAmd64 { get; } = OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64;

    /// <summary>Path of a program on PATH, or null.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder.Length > 0)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name))
        .FirstOrDefault(File.Exists);

    /// <summary>Path of a program on PATH that may have a version behind its name (llvm-readobj-14): the highest one; or null.</summary>
    public static string? FindVersioned(string name) => Find(name) ?? (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.GetFiles(folder, name + "-*"))
        .Select(file => (File: file, HasVersion: int.TryParse(Path.GetFileName(file)[(name.Length + 1)..], out int version), Version: version))
        .Where(one => one.HasVersion)
        .OrderByDescending(one => one.Version)
        .FirstOrDefault().File;
}
