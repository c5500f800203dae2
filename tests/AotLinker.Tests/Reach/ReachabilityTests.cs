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
        Resolver.Run(link.Ctx, objects, new ResolveOptions(true, false, false, _ => { }));
        link.Ctx.Settings.EntrySymbol = "entry";
        Reachability.Run(link.Ctx, new ReachOptions("", false, false, false, null, null));
        symbols.NumberLive(link.Ctx.Workers, hasDebugInfo: false);
        symbols.Update(link.Find("main.changed"));

        string[] names = ["entry", "main.plain", "main.named", "main.builtin", "main.weak", "main.marked", "main.changed", "main.dead"];
        Assert.Equal(names[..^1], names.Where(name => symbols.IsReachable(link.Find(name))));
        Assert.Equal(["main.named", "main.builtin", "main.weak", "main.changed", "main.dead"], names.Where(name => symbols.MayDeferReturn(link.Find(name))));
        Assert.True(symbols.MayDeferReturn(symbols.CreateStatic("made"u8)));
    }

    // What is only found through its function is not marked; who counts live symbols, as the Go linker does, sees all of it.
    [Theory]
    [InlineData(false, false, "entry", "called", "pointers", "target", "die", "ranges")]
    [InlineData(false, true, "entry", "called", "pointers", "target")]
    [InlineData(true, false, "entry", "called", "pointers", "target", "die", "ranges", "record", "stack", "lines", "inlined", "described")]
    [InlineData(true, true, "entry", "called", "pointers", "target", "die", "ranges", "record", "stack", "lines", "inlined", "described")]
    public void TablesAndDebugInformationOfAFunctionLeadNowhere(bool countsSymbols, bool omitsDebugInfo, params string[] live)
    {
        const byte RoData = 3, Data = 7, DwarfFcn = 14, DwarfAbsFcn = 15, DwarfRange = 18, DwarfLines = 20;
        ushort Kind(RelocKind kind) => (ushort)Release.ForVersion("go1.27")!.RelocKinds.IndexOf((byte)kind);
        GoObjectWriter.Reloc Refer(RelocKind kind, uint symbol) => new(0, 4, Kind(kind), 0, SymRef.Self, symbol);
        GoObjectWriter.Aux Own(AuxKind kind, uint symbol) => new(kind, SymRef.Self, symbol);
        string[] names = ["called", "record", "stack", "pointers", "target", "die", "ranges", "lines", "inlined", "described", "dead", "apart"];
        uint Index(string name) => (uint)Array.IndexOf(names, name);
        byte[] content = new byte[4];
        GoObjectWriter main = new GoObjectWriter("main")
            .DefineFull("called", false, Text, 0, content, [], [])
            .DefineFull("record", false, Data, 0, content, [], [])
            .DefineFull("stack", false, RoData, 0, content, [], [])
            .DefineFull("pointers", false, RoData, 0, content, [Refer(RelocKind.AddrOff, Index("target"))], [])
            .DefineFull("target", false, RoData, 0, content, [], [])
            .DefineFull("die", false, DwarfFcn, 0, content, [Refer(RelocKind.DwarfSecRef, Index("inlined"))], [])
            .DefineFull("ranges", false, DwarfRange, 0, content, [], [])
            .DefineFull("lines", false, DwarfLines, 0, content, [Refer(RelocKind.Addr, Index("described"))], [])
            .DefineFull("inlined", false, DwarfAbsFcn, 0, content, [], [])
            .DefineFull("described", false, Text, 0, content, [], [])
            .DefineFull("dead", false, Text, 0, content, [], [Own(AuxKind.DwarfInfo, Index("apart"))])
            .DefineFull("apart", false, DwarfFcn, 0, content, [], [])
            .DefineFull("entry", true, Text, 0, content, [Refer(RelocKind.Call, Index("called"))], [
                Own(AuxKind.FuncInfo, Index("record")), Own(AuxKind.FuncData, Index("pointers")), Own(AuxKind.PcSp, Index("stack")),
                Own(AuxKind.DwarfInfo, Index("die")), Own(AuxKind.DwarfRanges, Index("ranges")), Own(AuxKind.DwarfLines, Index("lines"))]);

        using TestLink link = new();
        GoObject[] objects = new GoObject[SymbolTable.FirstObject + 1];
        GoObject o = objects[^1] = main.Open(SymbolTable.FirstObject);
        Resolver.Run(link.Ctx, objects, new ResolveOptions(true, false, false, _ => { }));
        link.Ctx.Settings.EntrySymbol = "entry";
        link.Ctx.Settings.OmitDwarf = omitsDebugInfo;
        Reachability.Run(link.Ctx, new ReachOptions("", false, false, countsSymbols, null, null));
        link.Symbols.NumberLive(link.Ctx.Workers, !omitsDebugInfo);

        SymbolId Find(string name) => name == "entry" ? link.Find(name) : new SymbolId(o.ToGlobal((int)Index(name)));
        string[] all = [.. names, "entry"];
        Assert.Equal(live.Order(), all.Where(name => link.Symbols.IsReachable(Find(name))).Order());
        // Debug information of what was inlined has a number in any case, for it is only known later which of it is needed.
        string[] numbered = omitsDebugInfo ? live : [.. live.Append("inlined").Distinct()];
        Assert.Equal(numbered.Order(), all.Where(name => link.Symbols.Live.Of(Find(name).Index) >= 0).Order());
    }
}
