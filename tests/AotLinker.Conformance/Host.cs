using System.Runtime.InteropServices;

namespace AotLinker.Conformance;

/// <summary>What the machine that runs the suite can do.</summary>
internal static class Host
{
    /// <summary>Whether the linked programs, which are for linux/amd64, can be started here.</summary>
    public static bool RunsLinuxAmd64 { get; } = OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64;
}
