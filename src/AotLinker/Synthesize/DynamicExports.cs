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
            if (ctx.Target.BuildMode is BuildMode.Shared or BuildMode.Plugin)
            {
                MarkMain(ctx);
            }
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

    // A module may have the runtime, but not what it starts, which the program has (relocsym does it when it comes by).
    private static void MarkMain(LinkContext ctx)
    {
        Mark("main.main"u8);
        if (ctx.Target.BuildMode == BuildMode.Shared)
        {
            Mark("main..inittask"u8);
        }

        void Mark(ReadOnlySpan<byte> name)
        {
            for (int version = 0; version <= ctx.Symbols.AbiInternalVersion; version++)
            {
                SymbolId s = ctx.Symbols.Lookup(name, version);
                if (!s.IsNone && ctx.Symbols.IsReachable(s) && ctx.Symbols.Kind(s) is SymbolKind.None or SymbolKind.XRef && IsReferredTo(ctx, s))
                {
                    ctx.Symbols.Update(s).SetKind(SymbolKind.DynImport);
                }
            }
        }
    }

    // What only the user calls the entry (-E), and what is exported (on Android the runtime exports main.main), is live without that.
    private static bool IsReferredTo(LinkContext ctx, SymbolId s)
    {
        SymbolTable symbols = ctx.Symbols;
        if (!symbols.Name(s).SequenceEqual(RawText.Encode(ctx.Settings.EntrySymbol)) && !ctx.DynamicExports.Contains(s))
        {
            return true;
        }
        foreach (SymbolId live in symbols.LiveIn(1, symbols.Count, SymbolKinds.NotDwarf))
        {
            RelocList relocs = symbols.Relocs(live);
            for (int i = 0; i < relocs.Count; i++)
            {
                if (relocs.Target(i) == s)
                {
                    return true;
                }
            }
        }
        return false;
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
