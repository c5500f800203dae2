using System.Text;
using AotLinker.Objects;

namespace AotLinker.Formats;

/// <summary>
/// Names as symbol tables of ELF and Mach-O files have them: the output's name, told apart from a function of the same name but another
/// ABI, and without the middle dots of Go's assembly.
/// </summary>
internal static class SymbolNames
{
    // The middle dot that assembly writes for a period, which tools that want ASCII can't read.
    private static ReadOnlySpan<byte> MiddleDot => "·"u8;

    /// <summary>Length of a symbol's name in the table.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="s">The symbol.</param>
    /// <param name="isPlain">Whether it is just the symbol's own name; else <see cref="Rewrite"/> makes it.</param>
    /// <param name="dotsFirst">Whether middle dots are replaced before the other ABI's function is looked up, as for Mach-O.</param>
    public static int Length(LinkContext ctx, SymbolId s, out bool isPlain, bool dotsFirst = false) =>
        Length(ctx, s, ctx.Symbols.Name(s), out isPlain, dotsFirst);

    /// <summary>As the other overload, with the symbol's own name at hand.</summary>
    public static int Length(LinkContext ctx, SymbolId s, ReadOnlySpan<byte> name, out bool isPlain, bool dotsFirst = false)
    {
        isPlain = !(ctx.Symbols.ExternalNames.Count > 0 && ctx.Symbols.ExternalNames.ContainsKey(s))
            && AbiNames.Suffix(ctx, s, name) is null
            && !AbiNames.NamesInternal(ctx, s, name)
            && ((ctx.Target.IsDynlinkingGo && !dotsFirst) || !name.Contains(MiddleDot[0]));
        return isPlain ? name.Length : Rewrite(ctx, s, dotsFirst).Length;
    }

    /// <summary>The name of a symbol that isn't plain.</summary>
    public static byte[] Rewrite(LinkContext ctx, SymbolId s, bool dotsFirst = false)
    {
        byte[] name = ctx.Symbols.ExternalNames.TryGetValue(s, out string? external) ? RawText.Encode(external) : ctx.Symbols.Name(s).ToArray();
        if (dotsFirst)
            name = ReplaceDots(name);
        if (AbiNames.Suffix(ctx, s, name) is { } abi)
            name = [.. name, .. Encoding.ASCII.GetBytes($".abi{abi}")];
        if (AbiNames.NamesInternal(ctx, s, name))
            name = [.. name, .. AbiNames.InternalSuffix];
        // Other modules look for the very name.
        return ctx.Target.IsDynlinkingGo ? name : ReplaceDots(name);
    }

    private static byte[] ReplaceDots(byte[] name)
    {
        int to = 0;
        for (int from = 0; from < name.Length;)
        {
            bool isDot = name.AsSpan(from).StartsWith(MiddleDot);
            name[to++] = isDot ? (byte)'.' : name[from];
            from += isDot ? MiddleDot.Length : 1;
        }
        return name[..to];
    }
}
