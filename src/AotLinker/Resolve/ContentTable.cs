using System.Runtime.CompilerServices;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>
/// First occurrences by content hash, for one thread: open addressing over slots that hold all a repeat is compared with, so that it
/// costs one look at memory. Cut into parts that grow one at a time.
/// </summary>
internal sealed unsafe class ContentTable : IDisposable
{
    private const int PartCount = 32;
    private const int SmallestPart = 64;

    private readonly Part[] _parts = new Part[PartCount];

    /// <summary>Mixes a hash, which in its short form is the content itself: bits for shards, parts and slots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong low)
    {
        low = (low ^ (low >> 32)) * 0x9e3779b97f4a7c15;
        return (low ^ (low >> 29)) * 0xe7037ed1a0b428db;
    }

    /// <summary>Asks for the memory <see cref="Find"/> will look at first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Expect(ulong mixed)
    {
        Part part = _parts[PartOf(mixed)];
        if (part is not null)
        {
            Prefetch.Read(part.Slots + ((uint)mixed & part.Mask));
        }
    }

    /// <summary>The slot of a hash, of which <paramref name="mixed"/> is the <see cref="Mix"/>; new ones have no position yet.</summary>
    public ref Slot Find(ulong mixed, ulong low, ulong high)
    {
        Part part = _parts[PartOf(mixed)] ??= new Part(SmallestPart);
        uint i = (uint)mixed & part.Mask;
        for (; part.Slots[i].Position != 0; i = (i + 1) & part.Mask)
        {
            if (part.Slots[i].Low == low && part.Slots[i].High == high)
            {
                return ref part.Slots[i];
            }
        }
        if (part.IsFull)
        {
            part.Grow();
            for (i = (uint)mixed & part.Mask; part.Slots[i].Position != 0; i = (i + 1) & part.Mask)
            {
            }
        }
        part.Used++;
        part.Slots[i].Low = low;
        part.Slots[i].High = high;
        return ref part.Slots[i];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Part? part in _parts)
        {
            part?.Memory.Dispose();
        }
    }

    private static int PartOf(ulong mixed) => (int)(mixed >> 34) & (PartCount - 1);

    /// <summary>What is known of a hash.</summary>
    public struct Slot
    {
        /// <summary>First half of the hash.</summary>
        public ulong Low;

        /// <summary>Second half; 0 for a short one.</summary>
        public ulong High;

        /// <summary>Position of the first occurrence, plus one; the caller sets it.</summary>
        public int Position;

        /// <summary>Size of the largest occurrence; the caller sets it.</summary>
        public uint Size;
    }

    private sealed class Part
    {
        public Part(int size)
        {
            Memory = new NativeArray<Slot>(size);
            Slots = Memory.Base;
            Mask = (uint)size - 1;
        }

        public NativeArray<Slot> Memory { get; private set; }

        public Slot* Slots { get; private set; }

        public uint Mask { get; private set; }

        public uint Used { get; set; }

        public bool IsFull => (Used + 1) * 4L > (Mask + 1) * 3L;

        public void Grow()
        {
            Part larger = new((int)checked((Mask + 1) * 2));
            for (uint old = 0; old <= Mask; old++)
            {
                if (Slots[old].Position != 0)
                {
                    uint i = (uint)Mix(Slots[old].Low) & larger.Mask;
                    while (larger.Slots[i].Position != 0)
                    {
                        i = (i + 1) & larger.Mask;
                    }
                    larger.Slots[i] = Slots[old];
                }
            }
            Memory.Dispose();
            Memory = larger.Memory;
            Slots = larger.Slots;
            Mask = larger.Mask;
        }
    }
}
