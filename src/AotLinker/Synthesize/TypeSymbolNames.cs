using System.Buffers.Text;
using System.Text;
using AotLinker.Hashing;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Synthesize;

/// <summary>
/// Shortens the names of type symbols to a hash where they go into a dynamic symbol table (ld.mangleTypeSym): modules find each other's
/// types by name, and the names are long.
/// </summary>
internal static class TypeSymbolNames
{
    // "type:" and the encoded hash with its prefix would not be shorter than these.
    private const int ShortName = 14;
    private const int HashBytes = 6;

    /// <summary>Runs the pass; it does nothing unless types are shared between modules.</summary>
    public static void Run(LinkContext ctx)
    {
        Target target = ctx.Target;
        if (target.BuildMode is not (BuildMode.Shared or BuildMode.Plugin) && !target.IsLinkShared && !target.CanUsePlugins)
        {
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            // With shared libraries, masks for the collector are made from types the program itself does not use.
            if ((symbols.IsReachable(s) || target.IsLinkShared) && Mangle(symbols.Name(s), ctx.Release) is { } name)
            {
                symbols.ExternalNames[s] = Encoding.UTF8.GetString(name);
                SymbolId library = symbols.Lookup(name, symbols.Version(s));
                if (!library.IsNone && symbols.Kind(s) == SymbolKind.None && symbols.Kind(library) != SymbolKind.None)
                {
                    // Objects know the long name, the library has the short one.
                    symbols.TakePlaceOf(s, library);
                }
            }
        }
    }

    /// <summary>The short name of a symbol; null where the name stays (ld.typeSymbolMangle).</summary>
    public static byte[]? Mangle(ReadOnlySpan<byte> name, Release release)
    {
        bool isType = name.StartsWith("type:"u8);
        bool instantiatedWithType = name.Contains((byte)'@');
        if ((!isType && !instantiatedWithType) || name.StartsWith("type:runtime."u8) || name.StartsWith("go:string."u8)
            || (name.Length <= ShortName && !instantiatedWithType))
        {
            return null;
        }
        if (isType)
        {
            return [.. name[5] == '.' ? "type:."u8 : "type:"u8, .. Digest(name[5..], release)];
        }
        int open = name.IndexOf((byte)'[');
        int close = name.LastIndexOf((byte)']');
        if (close == -1 || close <= open)
        {
            close = name.Length;
        }
        return [.. name[..(open + 1)], .. Digest(name[(open + 1)..close], release), .. name[close..]];
    }

    private static byte[] Digest(ReadOnlySpan<byte> text, Release release)
    {
        Span<byte> hash = stackalloc byte[Sha256.DigestSize];
        ToolHash.Sum32(text, hash, release.ToolHashMask);
        byte[] encoded = new byte[Base64.GetMaxEncodedToUtf8Length(HashBytes)];
        Base64.EncodeToUtf8(hash.Slice(release.ShortHashStart, HashBytes), encoded, out _, out _);
        return encoded;
    }
}
