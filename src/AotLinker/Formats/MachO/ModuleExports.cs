using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Which symbols of a module of Go others find, beside those that cgo exports (machoShouldExport): variables, so that there is one of each,
/// descriptors of types and itabs, so that they can be compared, hashes of packages, and whatever a plugin's own package has. Functions are
/// not shared. Any number of threads may use one instance.
/// </summary>
internal sealed class ModuleExports
{
    private readonly byte[]? _ownPrefix;

    /// <summary>Exports of a link whose modules share Go code.</summary>
    public ModuleExports(LinkContext ctx)
    {
        if (ctx.Target.BuildMode == BuildMode.Plugin)
            _ownPrefix = ObjectPath.Escape(RawText.Encode(ctx.Options.PluginPath));
    }

    /// <summary>Whether other modules find a symbol that is defined here.</summary>
    public bool Finds(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolKind kind = symbols.Kind(s);
        if (symbols.Has(s, SymbolTable.Attributes.Local) || (ctx.Release.HashedTextIsLocal && kind.IsText() && symbols.IsContentHashed(s)))
            return false;
        ReadOnlySpan<byte> name = symbols.Name(s);
        if (_ownPrefix is { } prefix && OutputNameStartsWith(symbols, s, name, prefix))
            return true;
        // Functions that hash and compare stand in each module's table of functions.
        return name.StartsWith("go:itab."u8)
            || (name.StartsWith("type:"u8) && !name.StartsWith("type:."u8))
            || name.StartsWith("go:link.pkghash"u8)
            || kind >= SymbolKind.FirstWritable;
    }

    private static bool OutputNameStartsWith(SymbolTable symbols, SymbolId s, ReadOnlySpan<byte> name, byte[] prefix) =>
        symbols.ExternalNames.TryGetValue(s, out string? other) ? RawText.Encode(other).AsSpan().StartsWith(prefix) : name.StartsWith(prefix);
}
