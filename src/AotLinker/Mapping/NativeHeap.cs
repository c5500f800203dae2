using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// The C library's heap, counted: for tables and scratch memory that are too small, or live too shortly, for pages of their own
/// (<see cref="NativeArray{T}"/>, <see cref="MemoryArena"/>). Aligned to 16 bytes. Thread-safe.
/// </summary>
/// <remarks>A word before each block keeps its size, so that what is returned can be counted, too.</remarks>
internal static unsafe class NativeHeap
{
    private const int Header = 16;

    /// <summary><paramref name="count"/> elements of <paramref name="size"/> bytes, not cleared.</summary>
    public static void* Alloc(nuint count, nuint size)
    {
        nuint bytes = checked((count * size) + Header);
        return Counted(NativeMemory.Alloc(bytes), bytes);
    }

    /// <summary><paramref name="count"/> elements of <paramref name="size"/> bytes, all zero.</summary>
    public static void* AllocZeroed(nuint count, nuint size)
    {
        nuint bytes = checked((count * size) + Header);
        return Counted(NativeMemory.AllocZeroed(bytes), bytes);
    }

    /// <summary>Returns a block; null is none.</summary>
    public static void Free(void* block)
    {
        if (block == null)
            return;
        byte* start = (byte*)block - Header;
        MemoryAccount.Shared.CountNative(-*(long*)start);
        NativeMemory.Free(start);
    }

    private static void* Counted(void* block, nuint bytes)
    {
        *(long*)block = (long)bytes;
        MemoryAccount.Shared.CountNative((long)bytes);
        return (byte*)block + Header;
    }
}
