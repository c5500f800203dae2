using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AotLinker.Conformance;

/// <summary>What the machine that runs the suite can do.</summary>
internal static class Host
{
    /// <summary>Whether the linked programs, which are for linux/amd64, can be started here.</summary>
    public static bool RunsLinuxAmd64 { get; } = OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64;

    /// <summary>Whether this system starts 32-bit programs as well: many kernels are built without.</summary>
    public static bool RunsLinux386 { get; } = RunsLinuxAmd64 && Starts(Exit386);

    // An ELF file of one segment: exit(0).
    private static ReadOnlySpan<byte> Exit386 =>
    [
        0x7f, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08, 93, 0, 0, 0, 93, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
        0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80,
    ];

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

    private static bool Starts(ReadOnlySpan<byte> program)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, program.ToArray());
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using Process started = Process.Start(file);
            started.WaitForExit();
            return started.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
