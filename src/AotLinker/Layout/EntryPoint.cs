using System.Text;
using AotLinker.Cli;
using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>Where the program starts (ld.Entryvalue).</summary>
internal static class EntryPoint
{
    /// <summary>The address that -E or its default names: a symbol, or a number as Go writes it.</summary>
    /// <exception cref="LinkException">There is no such symbol, or it is not code.</exception>
    public static long Address(LinkContext ctx)
    {
        string entry = ctx.Settings.EntrySymbol;
        if (entry.Length > 0 && char.IsAsciiDigit(entry[0]))
        {
            // As strconv.ParseInt: what is no number is 0, what doesn't fit is the largest number.
            return GoText.ParseInt(entry, out long value) switch
            {
                GoText.NumberStatus.Ok => value,
                GoText.NumberStatus.Range => long.MaxValue,
                _ => 0,
            };
        }
        SymbolId s = ctx.Symbols.Lookup(RawText.Encode(entry), 0);
        if (s.IsNone)
            throw new LinkException(MessageForm.Bare, $"missing entry symbol {GoText.Quote(entry)}");
        SymbolKind kind = ctx.Symbols.Kind(s);
        if (kind == SymbolKind.None)
            return ctx.Settings.TextAddress;
        if (!kind.IsText() && !ctx.Target.HasFunctionDescriptors)
            throw new LinkException(MessageForm.Bare, $"{entry}: entry not text");
        return ctx.Symbols.Value(s);
    }

    /// <summary>The same for formats that cmd/link asks for twice: what is wrong is said twice, too.</summary>
    public static long AddressAskedTwice(LinkContext ctx)
    {
        try
        {
            return Address(ctx);
        }
        catch (LinkException e) when (e.Form == MessageForm.Bare)
        {
            ctx.Diagnostics.Error(e.Message);
            throw;
        }
    }
}
