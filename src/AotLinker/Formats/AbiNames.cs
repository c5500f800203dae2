using AotLinker.Objects;

namespace AotLinker.Formats;

/// <summary>Names of functions in symbol tables, where each function of another ABI needs a name of its own.</summary>
internal static class AbiNames
{
    /// <summary>
    /// The ABI whose name, as ".abiN", is appended to a function's so that it differs from the ABIInternal function of the same name;
    /// null where the name stays (mangleABIName).
    /// </summary>
    public static int? Suffix(LinkContext ctx, SymbolId s, ReadOnlySpan<byte> name)
    {
        if (!ctx.Target.HasAbiWrappers || !ctx.Symbols.Kind(s).IsText() || (ctx.Symbols.TraitsOf(s) & SymbolTable.Traits.OtherAbi) == 0)
            return null;
        int version = ctx.Symbols.Version(s);
        SymbolId other = ctx.Symbols.Lookup(name, ctx.Symbols.AbiInternalVersion);
        return !other.IsNone && ctx.Symbols.Kind(other).IsText() ? version : null;
    }
}
