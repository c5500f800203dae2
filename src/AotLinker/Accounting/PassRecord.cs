using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Accounting;

/// <summary>Memory of the process at one moment, or the most of each figure over a time, in bytes.</summary>
internal struct MemoryFigures
{
    /// <summary>The managed heap in use (GC.GetTotalMemory).</summary>
    public long Heap;

    /// <summary>Native memory that is allocated, touched or not.</summary>
    public long Native;

    /// <summary>As <see cref="ProcessMemory.Private"/>.</summary>
    public long Private;

    /// <summary>As <see cref="ProcessMemory.Resident"/>.</summary>
    public long Resident;

    /// <summary>Raises each figure to another's.</summary>
    public void RaiseTo(in MemoryFigures other)
    {
        Heap = Math.Max(Heap, other.Heap);
        Native = Math.Max(Native, other.Native);
        Private = Math.Max(Private, other.Private);
        Resident = Math.Max(Resident, other.Resident);
    }
}

/// <summary>A figure for each <see cref="MapKind"/>.</summary>
[InlineArray(Count)]
internal struct ByMapKind
{
    /// <summary>The number of kinds.</summary>
    public const int Count = (int)MapKind.Program + 1;

    private long _first;

    /// <summary>The figure of a kind.</summary>
    public readonly long Of(MapKind kind) => this[(int)kind];
}

/// <summary>What is counted up as a link goes on.</summary>
/// <param name="Allocated">Bytes allocated on the managed heap.</param>
/// <param name="InputBytesMapped">Bytes of inputs mapped.</param>
/// <param name="InputBytesRead">Bytes of inputs read into memory.</param>
/// <param name="OutputBytesWritten">Bytes of output written by calls.</param>
/// <param name="Copies">Private copies.</param>
/// <param name="CopyBytes">Their bytes.</param>
internal readonly record struct Counters(
    long Allocated, long InputBytesMapped, long InputBytesRead, long OutputBytesWritten, long Copies, long CopyBytes)
{
    /// <summary>The counters now.</summary>
    public static Counters Of(MemoryAccount account) => new(
        GC.GetTotalAllocatedBytes(),
        account.InputBytesMapped,
        account.InputBytesRead,
        account.OutputBytesWritten,
        account.PrivateCopies,
        account.PrivateCopyBytes);

    /// <summary>What was added since.</summary>
    public Counters Since(in Counters before) => new(
        Allocated - before.Allocated,
        InputBytesMapped - before.InputBytesMapped,
        InputBytesRead - before.InputBytesRead,
        OutputBytesWritten - before.OutputBytesWritten,
        Copies - before.Copies,
        CopyBytes - before.CopyBytes);
}

/// <summary>One pass in the account.</summary>
internal sealed class PassRecord
{
    /// <summary>The pass's name, as in <see cref="Phases"/>.</summary>
    public required string Name { get; init; }

    /// <summary>When it began, in ticks of the stopwatch.</summary>
    public required long Began { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Time { get; set; }

    /// <summary>The counters when it began, then what it added.</summary>
    public Counters Counters { get; set; }

    /// <summary>The most of each figure while it ran.</summary>
    public MemoryFigures Peak;

    /// <summary>The figures when it ended.</summary>
    public MemoryFigures End;

    /// <summary>Pages in memory when it ended; null where the host doesn't tell.</summary>
    public ByMapKind? Resident { get; set; }
}
