using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>Enters exported symbols and needed libraries in the dynamic linking tables (ld.addexport).</summary>
internal static class DynamicExports
{
    /// <summary>Runs the pass; <see cref="ArchSymbols"/> has run.</summary>
    public static void Run(LinkContext ctx)
    {
        if (ctx.Target.IsExternal)
        {
            MarkUndefined(ctx);
        }
        if (ctx.Target.FormatListsExports)
        {
            return;
        }
        foreach (SymbolId s in ctx.DynamicExports)
        {
            if (!ctx.Symbols.IsReachable(s))
            {
                throw new InvalidOperationException($"dynamically exported symbol {ctx.Symbols.NameText(s)} is not live");
            }
            if (!ctx.Target.IsExternal && !ctx.Symbols.DynamicId.ContainsKey(s))
            {
                ctx.Format.AddDynamicSymbol(ctx, s);
            }
        }
        if (ctx.Target.IsExternal)
        {
            return;
        }
        HashSet<string> added = new(StringComparer.Ordinal);
        foreach (string library in ctx.Format.SelectLibraries(ctx, ctx.DynamicLibraries))
        {
            if (added.Add(library))
            {
                ctx.Format.AddNeededLibrary(ctx, library);
            }
        }
    }

    // The external linker must find what no object defines.
    private static void MarkUndefined(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        foreach (SymbolId s in ctx.Text)
        {
            if (symbols.Has(s, SymbolTable.Attributes.Special) || !symbols.Outer(s).IsNone)
            {
                continue;
            }
            RelocList relocs = symbols.Relocs(s);
            for (int i = 0; i < relocs.Count; i++)
            {
                SymbolId target = relocs.Target(i);
                if (!target.IsNone && symbols.Kind(target) == SymbolKind.None && !symbols.Has(target, SymbolTable.Attributes.Local))
                {
                    symbols.Update(target).SetKind(SymbolKind.UndefExt);
                }
            }
        }
    }
}
