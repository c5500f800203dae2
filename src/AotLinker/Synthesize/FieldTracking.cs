using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>
/// Lists the tracked struct fields that the program uses, and what made each live, in the string variable that -k names (ld.fieldtrack;
/// only with GOEXPERIMENT=fieldtrack).
/// </summary>
internal static class FieldTracking
{
    private const int MarkLength = 9;

    /// <summary>Runs the pass.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="parents">For each symbol the one that made it live first, 0 for none.</param>
    public static void Run(LinkContext ctx, NativeColumn<int> parents)
    {
        SymbolTable symbols = ctx.Symbols;
        List<byte> list = [];
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (!symbols.IsReachable(s) || !symbols.Name(s).StartsWith("go:track."u8))
            {
                continue;
            }
            symbols.Set(s, SymbolTable.Attributes.Special | SymbolTable.Attributes.NotInSymbolTable);
            list.AddRange(symbols.Name(s)[MarkLength..]);
            for (SymbolId p = Parent(s); !p.IsNone; p = Parent(p))
            {
                list.Add((byte)'\t');
                list.AddRange(symbols.Name(p));
            }
            list.Add((byte)'\n');
        }

        string variable = ctx.Options.FieldTrackSymbol;
        byte[] name = RawText.Encode(variable);
        SymbolId target = variable.Length == 0 ? SymbolId.None : symbols.Lookup(name, 0);
        if (target.IsNone || !symbols.IsReachable(target))
        {
            return;
        }
        symbols.Update(target).SetKind(SymbolKind.Data);
        StringVariables.Set(ctx, name, list.ToArray());

        SymbolId Parent(SymbolId s) => s.Index < parents.Capacity ? new SymbolId(parents[s]) : SymbolId.None;
    }
}
