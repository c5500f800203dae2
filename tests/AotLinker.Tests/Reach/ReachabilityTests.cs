using AotLinker.Objects;
using AotLinker.Reach;
using AotLinker.Releases;
using AotLinker.Resolve;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Reach;

public class ReachabilityTests
{
    private const byte Text = 1;

    [Theory]
    [InlineData("go1.26", 1)]
    [InlineData("go1.27", 1)]
    [InlineData("go1.27", 3)]
    public void FunctionsMayCallDeferReturnIfReachSawItOrDidNotLook(string release, int threads)
    {
        Release known = Release.ForVersion(release)!;
        ushort call = (ushort)known.RelocKinds.IndexOf((byte)RelocKind.Call), use = (ushort)known.RelocKinds.IndexOf((byte)RelocKind.UseType);
        string[] lines = System.Text.Encoding.UTF8.GetString(known.Builtins).Split('\n');
        uint builtin = (uint)Array.IndexOf(lines, "1runtime.deferreturn");
        GoObjectWriter.Reloc ByName(int kind) => new(0, 4, (ushort)kind, 0, SymRef.NonPackage, 1);
        GoObjectWriter.Reloc Own(uint symbol) => new(0, 4, call, 0, SymRef.Self, symbol);
        GoObjectWriter main = new GoObjectWriter("main")
            .Define("main.plain", Text, 4, null, 0, 0, Own(0), Own(1))
            .Define("main.named", Text, 4, null, 0, 0, Own(0), ByName(call))
            .Define("main.builtin", Text, 4, null, 0, 0, new GoObjectWriter.Reloc(0, 4, call, 0, SymRef.Builtin, builtin))
            .Define("main.weak", Text, 4, null, 0, 0, ByName(call | RelocFlags.Weak))
            .Define("main.marked", Text, 4, null, 0, 0, new GoObjectWriter.Reloc(0, 0, use, 0, SymRef.Self, 0))
            .Define("main.changed", Text, 4)
            .Define("main.dead", Text, 4)
            .DefineFull("entry", true, Text, 0, new byte[4], [Own(0), Own(1), Own(2), Own(3), Own(4), Own(5)], [])
            .Refer("runtime.deferreturn", abi: 1);
        GoObjectWriter runtime = new GoObjectWriter("runtime").DefineNamed("runtime.deferreturn", Text, 4, abi: 1);

        using TestLink link = new(release, threads);
        SymbolTable symbols = link.Symbols;
        GoObject[] objects = new GoObject[SymbolTable.FirstObject + 2];
        objects[^2] = main.Open(SymbolTable.FirstObject);
        objects[^1] = runtime.Open(SymbolTable.FirstObject + 1);
        Resolver.Run(link.Ctx, objects, new ResolveOptions(true, false, _ => { }));
        link.Ctx.Settings.EntrySymbol = "entry";
        Reachability.Run(link.Ctx, new ReachOptions("", false, false, null, null));
        symbols.NumberLive(link.Ctx.Workers, hasDebugInfo: false);
        symbols.Update(link.Find("main.changed"));

        string[] names = ["entry", "main.plain", "main.named", "main.builtin", "main.weak", "main.marked", "main.changed", "main.dead"];
        Assert.Equal(names[..^1], names.Where(name => symbols.IsReachable(link.Find(name))));
        Assert.Equal(["main.named", "main.builtin", "main.weak", "main.changed", "main.dead"], names.Where(name => symbols.MayDeferReturn(link.Find(name))));
        Assert.True(symbols.MayDeferReturn(symbols.CreateStatic("made"u8)));
    }
}
