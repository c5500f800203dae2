using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>Creates the symbols with fixed roles that relocation and dynamic linking look for (ld.setArchSyms).</summary>
internal static class ArchSymbols
{
    /// <summary>Fills <see cref="LinkContext.Known"/>. The order decides the ids of those that do not exist yet.</summary>
    public static void Run(LinkContext ctx)
    {
        WellKnownSymbols known = ctx.Known;
        known.Got = Live(ctx, ".got"u8);
        known.Plt = Live(ctx, ".plt"u8);
        known.GotPlt = Live(ctx, ".got.plt"u8);
        known.Dynamic = Live(ctx, ".dynamic"u8);
        known.DynSym = Live(ctx, ".dynsym"u8);
        known.DynStr = Live(ctx, ".dynstr"u8);
        known.UnreachableMethod = Live(ctx, "runtime.unreachableMethod"u8, ctx.Symbols.AbiInternalVersion);
        ctx.Target.Cpu.DefineArchSymbols(ctx);
        ctx.Format.DefineKnownSymbols(ctx);
    }

    /// <summary>Looks up or creates a symbol and marks it live (mkArchSym).</summary>
    public static SymbolId Live(LinkContext ctx, ReadOnlySpan<byte> name, int version = 0)
    {
        SymbolId s = ctx.Symbols.LookupOrCreate(name, version);
        ctx.Symbols.Set(s, SymbolTable.Attributes.Reachable);
        return s;
    }
}
