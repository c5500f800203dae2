using System.Diagnostics.CodeAnalysis;
using AotLinker.Objects;

namespace AotLinker.Emit;

/// <summary>One relocation while it is applied: what a CPU needs to compute its own kinds.</summary>
internal readonly ref struct RelocSite
{
    /// <summary>The link.</summary>
    public required LinkContext Context { get; init; }

    /// <summary>The symbol whose content is relocated.</summary>
    public required SymbolId Symbol { get; init; }

    /// <summary>Address of the field.</summary>
    public required long Address { get; init; }

    /// <summary>What is asked for.</summary>
    public required RelocKind Kind { get; init; }

    /// <summary>Size of the field in bytes.</summary>
    public required int Size { get; init; }

    /// <summary>The symbol referred to; may be none.</summary>
    public required SymbolId Target { get; init; }

    /// <summary>Addend.</summary>
    public required long Addend { get; init; }

    /// <summary>Address of the symbol referred to, with the addend; without a symbol the addend alone.</summary>
    public long TargetAddress => (Target.IsNone ? 0 : Context.Symbols.Value(Target)) + Addend;

    /// <summary>Reports what is wrong with the relocation; errors come out ordered by address, whichever threads found them.</summary>
    public void Report(string text) => Report(Context, Symbol, Address, text);

    /// <summary>Reports an error of a symbol, found at an address.</summary>
    public static void Report(LinkContext ctx, SymbolId s, long address, string text)
    {
        string name = ctx.Symbols.NameText(s);
        ctx.Diagnostics.Report(address, $"{(name.Length != 0 ? name : $"sym {s.Index}")}: {text}");
    }

    /// <summary>A number as Go's %x prints it: a negative one with its sign also in base 16.</summary>
    [SuppressMessage("Globalization", "CA1305", Justification = "hexadecimal digits are the same everywhere")]
    public static string GoHex(long v) => v < 0 ? $"-{(ulong)-v:x}" : $"{v:x}";
}
