using System.Globalization;
using AotLinker.Cli;
using AotLinker.Objects;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker;

/// <summary>What <c>-v</c> prints before loading and after writing (ld.Main, Loader.Stat).</summary>
internal static class LinkTrace
{
    /// <summary>The modes and addresses in force, once the target has set its defaults.</summary>
    public static void Begin(LinkContext ctx)
    {
        if (ctx.Diagnostics.Verbosity == 0)
            return;
        bool dwarf = DebugInfo.IsEnabled(ctx);
        ctx.Diagnostics.Log(
            $"build mode: {LinkCapability.ModeName(ctx.Target.BuildMode)}, symbol table: {OnOff(!ctx.Settings.OmitSymbolTable)}, DWARF: {OnOff(dwarf)}");
        ctx.Diagnostics.Log(string.Create(
            CultureInfo.InvariantCulture,
            $"HEADER = -H{(int)ctx.Target.HeadType} -T0x{(ulong)ctx.Settings.TextAddress:x} -R0x{(uint)ctx.Settings.Round:x}"));
    }

    /// <summary>How many symbols of which sort there were.</summary>
    public static void End(LinkContext ctx)
    {
        if (ctx.Diagnostics.Verbosity == 0)
            return;
        SymbolTable symbols = ctx.Symbols;
        int reachable = 0;
        for (int i = 1; i < symbols.Count; i++)
            reachable += symbols.IsReachable(new SymbolId(i)) ? 1 : 0;

        // Id 0, which is no symbol, counts as one of a package.
        int ofPackages = 1;
        int hashed = 0;
        for (int i = 1; i < symbols.ExternalStart; i++)
        {
            if (symbols.Origin(new SymbolId(i), out int local) is not { } from)
                continue;
            if (local < from.DefCount)
                ofPackages++;
            else if (local < from.DefCount + from.Hashed64Count + from.HashedCount)
                hashed++;
        }

        int others = symbols.ExternalStart - ofPackages - hashed;
        int external = symbols.Count - symbols.ExternalStart;
        ctx.Diagnostics.Log(string.Create(
            CultureInfo.InvariantCulture,
            $"{symbols.Count} symbols, {reachable} reachable\n\t{ofPackages} package symbols, {hashed} hashed symbols, {others} non-package symbols, {external} external symbols"));

        // A counter that Go's linker counts up no more since 1.26; before, it is not counted here.
        ctx.Diagnostics.Log("0 liveness data");
    }

    private static string OnOff(bool on) => on ? "on" : "off";
}
