using AotLinker.Explain;
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
        ReachOptions options = new("", false, false, countsSymbols, null, null);
        Reachability.Run(link.Ctx, options);
        using (ReachWalk walk = ReachWalk.Run(link.Ctx, options, new HashSet<SymbolId>()))
        {
            AssertFindsWhatIsLive(walk, link);
        }
        link.Symbols.NumberLive(link.Ctx.Workers, !omitsDebugInfo);

        SymbolId Find(string name) => name == "entry" ? link.Find(name) : new SymbolId(o.ToGlobal((int)Index(name)));
        string[] all = [.. names, "entry"];
        Assert.Equal(live.Order(), all.Where(name => link.Symbols.IsReachable(Find(name))).Order());
        // Debug information of what was inlined has a number in any case, for it is only known later which of it is needed.
        string[] numbered = omitsDebugInfo ? live : [.. live.Append("inlined").Distinct()];
        Assert.Equal(numbered.Order(), all.Where(name => link.Symbols.Live.Of(Find(name).Index) >= 0).Order());
    }

    // A method lives by what calls it, whether that is found before or after its type, and whichever way the flood goes.
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    public void MethodsLiveByCallsThatComeBeforeOrAfterTheirType(bool reflects, bool typeComesFirst, bool inOrder)
    {
        const byte RoData = 3, IsType = 64, ReflectMethod = 32;
        const int Interface = 20, KindOffset = 23, NameInInterface = 64;
        ushort Kind(RelocKind kind) => (ushort)Release.ForVersion("go1.27")!.RelocKinds.IndexOf((byte)kind);
        string[] names =
        [
            "T", "I", "name.Shown", "name.hidden", "name.called", "name.called2", "sig", "sig.called",
            "Shown", "hidden", "called", "other", "reflecting", "last",
        ];
        GoObjectWriter.Reloc Refer(RelocKind kind, string name, int offset, long addend = 0) =>
            new(offset, 4, Kind(kind), addend, SymRef.Self, (uint)Array.IndexOf(names, name));
        GoObjectWriter.Reloc[] Method(int offset, string name, string signature, string function) =>
        [
            Refer(RelocKind.AddrOff, name, offset), Refer(RelocKind.MethodOff, signature, offset + 4),
            Refer(RelocKind.MethodOff, function, offset + 8), Refer(RelocKind.MethodOff, function, offset + 12),
        ];
        byte[] descriptor = new byte[80];
        descriptor[KindOffset] = Interface;
        byte[] Name(string name) => [0, (byte)name.Length, .. System.Text.Encoding.UTF8.GetBytes(name)];
        byte[] code = new byte[4];
        GoObjectWriter.Reloc useType = Refer(RelocKind.UseIface, "T", 0);
        GoObjectWriter.Reloc call = Refer(RelocKind.Call, "last", 0);
        GoObjectWriter main = new GoObjectWriter("main")
            .DefineFull("T", false, RoData, IsType, new byte[96],
                [.. Method(24, "name.Shown", "sig", "Shown"), .. Method(40, "name.hidden", "sig", "hidden"), .. Method(56, "name.called", "sig.called", "called"),
                    .. Method(72, "name.called", "sig", "other")], [])
            .DefineFull("I", false, RoData, IsType, descriptor,
                [Refer(RelocKind.AddrOff, "name.called2", NameInInterface), Refer(RelocKind.AddrOff, "sig.called", NameInInterface + 4)], [])
            .DefineFull("name.Shown", false, RoData, 0, Name("Shown"), [], [])
            .DefineFull("name.hidden", false, RoData, 0, Name("hidden"), [], [])
            .DefineFull("name.called", false, RoData, 0, Name("called"), [], [])
            // The same text as another symbol, as packages have it.
            .DefineFull("name.called2", false, RoData, 0, Name("called"), [], [])
            .DefineFull("sig", false, RoData, IsType, new byte[48], [], [])
            .DefineFull("sig.called", false, RoData, IsType, new byte[48], [], [])
            .DefineFull("Shown", false, Text, 0, code, [], [])
            .DefineFull("hidden", false, Text, 0, code, [], [])
            .DefineFull("called", false, Text, 0, code, [], [])
            .DefineFull("other", false, Text, 0, code, [], [])
            .DefineFull("reflecting", false, Text, reflects ? ReflectMethod : (byte)0, code, [Refer(RelocKind.Call, "last", 0)], [])
            .DefineFull("last", false, Text, 0, code,
                [Refer(RelocKind.Call, "reflecting", 0), Refer(RelocKind.UseIfaceMethod, "I", 0, NameInInterface), Refer(RelocKind.Addr, "T", 0)], [])
            .DefineFull("entry", true, Text, 0, code, typeComesFirst ? [useType, Refer(RelocKind.Addr, "T", 0), call] : [call, useType], []);

        using TestLink link = new(threads: 3);
        GoObject[] objects = new GoObject[SymbolTable.FirstObject + 1];
        GoObject o = objects[^1] = main.Open(SymbolTable.FirstObject);
        Resolver.Run(link.Ctx, objects, new ResolveOptions(true, false, false, _ => { }));
        link.Ctx.Settings.EntrySymbol = "entry";
        ReachOptions options = new("", false, false, false, inOrder ? _ => { } : null, null);
        HashSet<SymbolId> before = ReachWalk.TypesUsedInIface(link.Symbols);
        Reachability.Run(link.Ctx, options);

        bool IsLive(string name) => link.Symbols.IsReachable(new SymbolId(o.ToGlobal(Array.IndexOf(names, name))));
        string[] methods = ["Shown", "hidden", "called", "other"];
        Assert.Equal(reflects ? ["Shown", "called"] : ["called"], methods.Where(IsLive));

        using ReachWalk walk = ReachWalk.Run(link.Ctx, options, before);
        AssertFindsWhatIsLive(walk, link);
        SymbolId Find(string name) => new(o.ToGlobal(Array.IndexOf(names, name)));
        Edge called = walk.EdgeTo(Find("called"));
        Assert.Equal((EdgeKind.Method, CallReason.Interface, Find("last"), Find("I")), (called.Kind, called.Method.Reason, called.Method.Caller, called.Method.Interface));
        Assert.Equal((Find("T"), link.Find("entry")), (walk.Parent(Find("called")), walk.UserInIface(Find("T"))));
        Assert.Equal(walk.Distance(Find("T")) + 1, walk.Distance(Find("called")));
        Assert.Equal(reflects ? [Find("reflecting")] : [], walk.Reflecting);
        if (reflects)
        {
            LiveMethod shown = walk.EdgeTo(Find("Shown")).Method;
            Assert.Equal((CallReason.Reflection, Find("reflecting"), "Shown"), (shown.Reason, shown.Caller, walk.MethodName(shown)));
        }

        using ReachWalk around = ReachWalk.Run(link.Ctx, options, before, without: Find("last"));
        Assert.Equal(0, around.Distance(Find("called")));
        Assert.Equal(typeComesFirst ? 2 : 0, around.Distance(Find("T")));
    }

    private static void AssertFindsWhatIsLive(ReachWalk walk, TestLink link)
    {
        for (int i = 1; i < link.Symbols.Count; i++)
        {
            SymbolId s = new(i);
            Assert.True(link.Symbols.IsReachable(s) == (walk.Distance(s) != 0), $"{link.Symbols.NameText(s)}: distance {walk.Distance(s)}");
        }
    }
}
