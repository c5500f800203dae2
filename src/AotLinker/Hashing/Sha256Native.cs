using System.Runtime.InteropServices;

namespace AotLinker.Hashing;

/// <summary>The managed half of <c>native/sha256.c</c>: SHA-256 with x86's instructions for it, where it is built in and the CPU has them.</summary>
internal static unsafe partial class Sha256Native
{
    /// <summary>Whether <see cref="Compress"/> may be called.</summary>
    public static bool IsSupported { get; } = Probe();

    /// <summary>Compresses a whole number of blocks.</summary>
    public static void Compress(ref Sha256State state, byte* data, byte* end, uint* k)
    {
        fixed (Sha256State* words = &state)
            aotlink_sha256((uint*)words, data, end, k);
    }

    private static bool Probe()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return false;
        try
        {
            return aotlink_has_sha256() != 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Built without it.
            return false;
        }
    }

    [LibraryImport("aotlink_guard")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int aotlink_has_sha256();

    [LibraryImport("aotlink_guard")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial void aotlink_sha256(uint* state, byte* data, byte* end, uint* k);
}
