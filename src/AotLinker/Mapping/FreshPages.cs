namespace AotLinker.Mapping;

/// <summary>
/// Finds out whether content that is relocated in its place is better put together in the map of the output, or in a buffer that is then written
/// to the file under the map, which is the same memory. Safe for any number of threads.
/// </summary>
/// <remarks>
/// A fresh page of a map costs a fault, a write costs a copy. Where neither is clearly better the map it is. But where a hypervisor keeps page
/// tables of its own a fault costs ten times as much and more, while the kernel writes through its own large pages. So the first pieces are
/// written in one way and the other, and timed.
/// </remarks>
/// <param name="mayWrite">Whether there is a choice.</param>
/// <param name="threads">How many threads fill the output. Pages fault on all of them, but a file takes one write at a time.</param>
internal sealed class FreshPages(bool mayWrite, int threads)
{
    // Of two neighbours the first may make a large page present, and the second finds it.
    private const int TrialsOfEach = 2;

    private const int Trials = 2 * TrialsOfEach;

    // Time for a byte by writes, as a part of that in the map, from which on writes are clearly better. Two threads hardly meet at a write, for most
    // of the time they relocate.
    private readonly double _clearly = 0.7 * 2 / Math.Max(2, threads);

    private long _mapped;
    private long _mappedBytes;
    private long _written;
    private long _writtenBytes;
    private int _pieces;
    private int _trials;
    private bool _writes;

    /// <summary>Whether the next piece goes beside the map.</summary>
    /// <param name="isTrial">Whether it is one of those whose time <see cref="Tell"/> wants to know.</param>
    public bool Writes(out bool isTrial)
    {
        int piece = mayWrite && Volatile.Read(ref _pieces) < Trials ? Interlocked.Increment(ref _pieces) - 1 : Trials;
        isTrial = piece < Trials;
        return isTrial ? piece >= TrialsOfEach : Volatile.Read(ref _writes);
    }

    /// <summary>Takes down what a trial took; what comes after all trials counts no more.</summary>
    /// <param name="writes">Its way.</param>
    /// <param name="took">Its time, in any unit.</param>
    /// <param name="length">Its length in bytes.</param>
    public void Tell(bool writes, long took, long length)
    {
        if (Volatile.Read(ref _trials) >= Trials)
            return;
        Interlocked.Add(ref writes ? ref _written : ref _mapped, took);
        Interlocked.Add(ref writes ? ref _writtenBytes : ref _mappedBytes, length);
        if (Interlocked.Increment(ref _trials) == Trials)
            Volatile.Write(ref _writes, (double)_written * _mappedBytes < _clearly * _mapped * _writtenBytes);
    }
}
