namespace AotLinker.Objects;

/// <summary>
/// A symbol: a dense index into the columns of <see cref="SymbolTable"/>. 0 is "no symbol".
/// </summary>
/// <remarks>
/// The numbering is the one the Go linker's loader gives (Loader.addSym, newExtSym): later passes break ties by it, so two
/// symbols compare here exactly as they compare there.
/// </remarks>
internal readonly record struct SymbolId(int Index) : IComparable<SymbolId>
{
    /// <summary>The absent symbol.</summary>
    public static SymbolId None => default;

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Index == 0;

    /// <inheritdoc/>
    public int CompareTo(SymbolId other) => Index.CompareTo(other.Index);

    /// <inheritdoc/>
    public override string ToString() => $"sym#{Index}";
}

/// <summary>Ids that follow one another.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct IdRange(int First, int Count);

/// <summary>What references to a symbol look like, whichever object they are in.</summary>
/// <param name="Definition">Its place among the definitions of its package; the largest number if it is none.</param>
/// <param name="Builtin">Its place among the predefined functions; the largest number if it is none.</param>
internal readonly record struct ReferenceFilter(uint Definition, uint Builtin)
{
    /// <summary>False only if a reference is to another symbol.</summary>
    public bool MayBe(SymRef r) => r.PackageIndex is > SymRef.Invalid and < SymRef.Self
        ? r.SymbolIndex == Definition
        : r.PackageIndex != SymRef.Builtin || r.SymbolIndex == Builtin;
}
