using System.Text;
using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>Prints which function calls which directly (-c, ld.callgraph).</summary>
internal static class CallGraph
{
    /// <summary>Writes one line per call, function by function in layout order, to the log.</summary>
    public static void Run(LinkContext ctx)
    {
        if (!ctx.Options.DumpCallGraph)
        {
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        foreach (SymbolId s in ctx.Text)
        {
            RelocList relocs = symbols.Relocs(s);
            for (int i = 0; i < relocs.Count; i++)
            {
                if (relocs.Kind(i).IsDirectCall() && relocs.Target(i) is { IsNone: false } target && symbols.Kind(target).IsText())
                {
                    ctx.Diagnostics.Log($"{symbols.NameText(s)} calls {symbols.NameText(target)}");
                }
            }
        }
    }
}
