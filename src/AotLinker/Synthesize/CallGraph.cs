using System.Buffers;
using System.Globalization;
using System.Text;
using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>Prints which function calls which directly (-c, ld.callgraph).</summary>
internal static class CallGraph
{
    private const int FlushSize = 1 << 16;

    /// <summary>Writes one line per call, function by function in layout order, to standard output.</summary>
    public static void Run(LinkContext ctx)
    {
        if (!ctx.Options.DumpCallGraph)
        {
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        ArrayBufferWriter<byte> lines = new(FlushSize * 2);
        foreach (SymbolId s in ctx.Text)
        {
            RelocList relocs = symbols.Relocs(s);
            for (int i = 0; i < relocs.Count; i++)
            {
                if (relocs.Kind(i).IsDirectCall() && relocs.Target(i) is { IsNone: false } target && symbols.Kind(target).IsText())
                {
                    lines.Write(symbols.Name(s));
                    lines.Write(" calls "u8);
                    lines.Write(symbols.Name(target));
                    lines.Write("\n"u8);
                }
            }
            if (lines.WrittenCount >= FlushSize)
            {
                ctx.Diagnostics.Write(lines.WrittenSpan);
                lines.ResetWrittenCount();
            }
        }
        ctx.Diagnostics.Write(lines.WrittenSpan);
    }

    /// <summary>Prints the sizes of the program's parts (the end of ld.asmb2); the output is complete.</summary>
    public static void PrintSizes(LinkContext ctx)
    {
        if (!ctx.Options.DumpCallGraph || !ctx.Format.ReportsSizes)
        {
            return;
        }
        ulong text = ctx.TextSegment.FileLength;
        ulong data = ctx.DataSegment.FileLength;
        ulong memory = ctx.DataSegment.Length;
        long symbols = ctx.Format.SymbolTableSize;
        long lines = ctx.Format.LineTableSize;
        string report = string.Create(
            CultureInfo.InvariantCulture,
            $"textsize={text}\ndatsize={data}\nbsssize={memory - data}\nsymsize={symbols}\nlcsize={lines}\ntotal={text + memory + (ulong)(symbols + lines)}\n");
        ctx.Diagnostics.Write(Encoding.ASCII.GetBytes(report));
    }
}
