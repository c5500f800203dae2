using System.Text;
using AotLinker.Objects;
using AotLinker.Synthesize;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Synthesize;

/// <summary>Which symbols are laid out and shown together, for all releases, in plain and in position-independent programs.</summary>
public class SymbolGroupsTests
{
    [Theory]
    [InlineData("go1.27", nameof(BuildMode.Exe), "go:string.\"x\"", nameof(SymbolKind.GoString), "go:string.*")]
    [InlineData("go1.27", nameof(BuildMode.Exe), "runtime.gcbits.01", nameof(SymbolKind.GcBits), "runtime.gcbits.*")]
    [InlineData("go1.27", nameof(BuildMode.Exe), "main.main·f", nameof(SymbolKind.GoFunc), "go:funcdesc")]
    [InlineData("go1.27", nameof(BuildMode.Exe), "type:int", nameof(SymbolKind.Type), "type:*")]
    [InlineData("go1.27", nameof(BuildMode.Pie), "type:int", nameof(SymbolKind.Type), "type:*")]
    [InlineData("go1.27", nameof(BuildMode.Pie), "main.main·f", nameof(SymbolKind.GoFunc), "go:funcdesc")]
    [InlineData("go1.27", nameof(BuildMode.Exe), "type:.gcprog.T", nameof(SymbolKind.Type), "type:*")]
    [InlineData("go1.27", nameof(BuildMode.Exe), "main.x", nameof(SymbolKind.None), "")]
    [InlineData("go1.26", nameof(BuildMode.Exe), "type:int", nameof(SymbolKind.Type), "type:*")]
    [InlineData("go1.26", nameof(BuildMode.Exe), "type:.gcprog.T", nameof(SymbolKind.GcBits), "runtime.gcbits.*")]
    [InlineData("go1.26", nameof(BuildMode.Exe), "main.main·f", nameof(SymbolKind.GoFunc), "go:funcdesc")]
    [InlineData("go1.26", nameof(BuildMode.Pie), "type:int", nameof(SymbolKind.TypeRelRo), "typerel.*")]
    [InlineData("go1.26", nameof(BuildMode.Pie), "main.main·f", nameof(SymbolKind.GoFuncRelRo), "go:funcdescrel")]
    [InlineData("go1.25", nameof(BuildMode.Exe), "main.main·f", nameof(SymbolKind.GoFunc), "go:func.*")]
    [InlineData("go1.25", nameof(BuildMode.Pie), "main.main·f", nameof(SymbolKind.GoFuncRelRo), "go:funcrel.*")]
    [InlineData("go1.25", nameof(BuildMode.Exe), "gclocals·0123", nameof(SymbolKind.GoFunc), "go:func.*")]
    [InlineData("go1.25", nameof(BuildMode.Pie), "main.main.stkobj", nameof(SymbolKind.GoFunc), "go:func.*")]
    [InlineData("go1.25", nameof(BuildMode.Exe), "type:.eq.T.arginfo1", nameof(SymbolKind.GoFunc), "go:func.*")]
    [InlineData("go1.26", nameof(BuildMode.Exe), "main.main.stkobj", nameof(SymbolKind.None), "")]
    public void ReadOnlySymbolsJoinTheirGroup(string release, string mode, string name, string kind, string carrier)
    {
        SymbolKind group = Enum.Parse<SymbolKind>(kind);
        using TestLink link = new(release, mode: Enum.Parse<BuildMode>(mode));
        SymbolId s = link.Add(name, SymbolKind.RoData, 8).Symbol;
        SymbolId written = link.Add(name + "!", SymbolKind.Data, 8).Symbol;
        SymbolGroups.Run(link.Ctx);

        Assert.Equal(group, (SymbolKind)link.Ctx.GroupKinds[s]);
        Assert.Equal(carrier, Name(link, link.Symbols.Outer(s)));
        Assert.Equal(group != SymbolKind.None, link.Symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable));
        Assert.Equal(SymbolKind.None, (SymbolKind)link.Ctx.GroupKinds[written]);
        if (group != SymbolKind.None)
        {
            Assert.Equal(link.Symbols.Outer(s), link.Ctx.Carriers[group]);
        }
    }

    [Theory]
    [InlineData("go1.27", nameof(SymbolKind.GcMask))]
    [InlineData("go1.26", nameof(SymbolKind.None))]
    public void PointersToGcMasksAreGroupedSince127(string release, string kind)
    {
        SymbolKind group = Enum.Parse<SymbolKind>(kind);
        using TestLink link = new(release);
        SymbolId mask = link.Add("type:.gcmask.T", SymbolKind.NoPtrBss, 8).Symbol;
        SymbolId other = link.Add("type:.other", SymbolKind.NoPtrBss, 8).Symbol;
        SymbolGroups.Run(link.Ctx);
        Assert.Equal(group, (SymbolKind)link.Ctx.GroupKinds[mask]);
        Assert.Equal(SymbolKind.None, (SymbolKind)link.Ctx.GroupKinds[other]);
        Assert.Equal(release == "go1.27", !link.Find("runtime.gcmask.*").IsNone);
    }

    [Fact]
    public void DeadAndSpecialSymbolsStayAlone()
    {
        using TestLink link = new();
        SymbolId dead = link.Add("type:dead", SymbolKind.RoData, 8).SetReachable(false).Symbol;
        SymbolId special = link.Add("type:special", SymbolKind.RoData, 8).Set(SymbolTable.Attributes.Special).Symbol;
        SymbolGroups.Run(link.Ctx);
        Assert.Equal(0, link.Ctx.GroupKinds[dead]);
        Assert.Equal(0, link.Ctx.GroupKinds[special]);
    }

    [Fact]
    public void MarkersAreSpecialLocalAndLive()
    {
        using TestLink link = new();
        SymbolGroups.Run(link.Ctx);
        foreach (string name in new[] { "runtime.rodata", "runtime.etypes", "runtime.end", "runtime.egcbss" })
        {
            Assert.True(link.Symbols.Has(
                link.Find(name), SymbolTable.Attributes.Special | SymbolTable.Attributes.Local | SymbolTable.Attributes.Reachable), name);
        }
        Assert.Equal(SymbolKind.RoDataEnd, link.Symbols.Kind(link.Find("runtime.erodata")));
        Assert.True(link.Symbols.Has(link.Find("runtime.gcdata"), SymbolTable.Attributes.Reachable));
        Assert.False(link.Symbols.Has(link.Find("runtime.gcdata"), SymbolTable.Attributes.Special));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(4, 9)]
    public void ThreadsDoNotMatter(int threads, int count)
    {
        using TestLink link = new(threads: threads);
        List<SymbolId> types = [.. Enumerable.Range(0, 40_000 + count).Select(i => link.Add($"type:T{i}", SymbolKind.RoData, 8).Symbol)];
        SymbolGroups.Run(link.Ctx);
        Assert.All(types, s => Assert.Equal(SymbolKind.Type, (SymbolKind)link.Ctx.GroupKinds[s]));
    }

    private static string Name(TestLink link, SymbolId s) => s.IsNone ? "" : Encoding.UTF8.GetString(link.Symbols.Name(s));
}
