using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>Where the funcdata of functions lie (pointer maps, stack objects, inline trees …): offsets from go:func.*.</summary>
internal abstract class FuncData
{
    /// <summary>The entry of a function without a certain funcdata.</summary>
    public const uint Missing = uint.MaxValue;

    /// <summary>Offsets of funcdata symbols, <see cref="Missing"/> for none; all addresses are final.</summary>
    public abstract void Offsets(ReadOnlySpan<int> ids, Span<uint> offsets);

    /// <summary>Offset of the inline tree of a function that has one; all addresses are final.</summary>
    public abstract uint InlineOffset(int function);

    /// <summary>Learns how many calls the inline tree of a function has, from any thread.</summary>
    public abstract void MeasureInlineTree(int function, int calls);

    /// <summary>Sees what a chunk mentions (<see cref="FunctionUses.Sort.FuncData"/>), when all chunks have noted theirs.</summary>
    public abstract void Claim(int chunk, Span<int> items);

    /// <summary>After all chunks.</summary>
    /// <exception cref="LinkException">There is more than offsets can say.</exception>
    public abstract void Place(FunctionUses uses);
}
