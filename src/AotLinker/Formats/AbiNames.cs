using AotLinker.Objects;

namespace AotLinker.Formats;

/// <summary>Names of functions in symbol tables, where each function of another ABI needs a name of its own.</summary>
internal static class AbiNames
{
    /// <summary>What follows the names of ABIInternal functions of a shared library.</summary>
    public static ReadOnlySpan<byte> InternalSuffix => ".abiinternal"u8;

    /// <summary>
    /// Whether a function's name gets <see cref="InternalSuffix"/>: where it is looked for in a shared library, nothing else says which ABI
    /// it has. C knows the functions that it calls by their names, and types' functions are of that ABI anyway (mangleABIName).
    /// </summary>
    public static bool NamesInternal(LinkContext ctx, SymbolId s, ReadOnlySpan<byte> name) =>
        ctx.Target.BuildMode == BuildMode.Shared && ctx.Target.HasAbiWrappers && ctx.Symbols.Kind(s).IsText()
        && ctx.Symbols.Version(s) == ctx.Symbols.AbiInternalVersion && !ctx.Symbols.CgoExportStatic.Contains(s)
        && !ctx.Symbols.CgoExportDynamic.Contains(s) && !name.StartsWith("type:"u8);

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
