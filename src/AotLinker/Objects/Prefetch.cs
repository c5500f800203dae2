using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AotLinker.Objects;

/// <summary>
/// Asks the CPU to bring memory into its cache. Tables over millions of symbols are read in no order; a walk that asks for what it needs
/// a few dozen symbols ahead waits for many reads at once instead of one after the other. Any address may be asked for, mapped or not.
/// </summary>
internal static unsafe class Prefetch
{
    /// <summary>Asks for the cache line at an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
