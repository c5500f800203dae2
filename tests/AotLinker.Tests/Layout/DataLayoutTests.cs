using System.Buffers.Binary;
using AotLinker.Objects;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Layout;

public class DataLayoutTests
{
    [Theory]
    [InlineData("go1.24")]
    [InlineData("go1.25")]
    [InlineData("go1.26")]
    [InlineData("go1.27")]
    public void DataIsOrderedBySizeThenById(string release)
    {
        using TestLink link = new(release);
        link.Add("big", SymbolKind.NoPtrData, 100);
        link.Add("b8", SymbolKind.NoPtrData, 8);
        link.Add("a8", SymbolKind.NoPtrData, 8);
        link.Add("one", SymbolKind.NoPtrData, 1);
        link.Add("none", SymbolKind.NoPtrData, 0);
        link.LayOut();
        Assert.Equal(["none", "one", "b8", "a8", "big"], Ordered(link, "big", "b8", "a8", "one", "none"));
    }

    [Fact]
    public void SizeDecidesAlignmentWithinTheCpusLimits()
    {
        using TestLink link = new();
        link.Add("s0", SymbolKind.NoPtrData, 0);
        link.Add("s1", SymbolKind.NoPtrData, 1);
        link.Add("s3", SymbolKind.NoPtrData, 3);
        link.Add("s24", SymbolKind.NoPtrData, 24);
        link.Add("s900", SymbolKind.NoPtrData, 900);
        link.Add("own", SymbolKind.NoPtrData, 1000, align: 4);
        link.LayOut();
        int[] aligns = [.. ((string[])["s0", "s1", "s3", "s24", "s900", "own"]).Select(n => link.Symbols.Align(link.Find(n)))];
        Assert.Equal([1, 1, 2, 16, 32, 4], aligns);
        Assert.Equal(0, link.AddressOf("s900") % 32);
        Assert.Equal(32, link.Ctx.SectionOf(link.Find("s0"))!.Align);
    }

    [Fact]
    public void ZeroBaseFollowsWhatHasNoSize()
    {
        using TestLink link = new();
        link.Add("small", SymbolKind.NoPtrBss, 1);
        link.Add("runtime.zerobase", SymbolKind.NoPtrBss, 8);
        link.Add("empty", SymbolKind.NoPtrBss, 0);
        link.Add("x8", SymbolKind.NoPtrBss, 8);
        link.LayOut();
        Assert.Equal(link.AddressOf("runtime.zerobase"), link.AddressOf("empty"));
        Assert.Equal(["empty", "runtime.zerobase", "small", "x8"], Ordered(link, "empty", "small", "runtime.zerobase", "x8"));
    }

    [Fact]
    public void DeadAndNamelessSymbolsHaveNoPlace()
    {
        using TestLink link = new();
        link.Add("dead", SymbolKind.NoPtrData, 8).SetReachable(false);
        link.Add("live", SymbolKind.NoPtrData, 8);
        SymbolId nameless = link.Symbols.CreateUnnamed(default, 0);
        link.Symbols.Update(nameless).SetKind(SymbolKind.NoPtrData).SetSize(8).SetReachable();
        SymbolId funcdata = link.Symbols.CreateUnnamed(default, 0);
        link.Symbols.Update(funcdata).SetKind(SymbolKind.GoFunc).SetSize(8).SetReachable();
        link.LayOut();
        Assert.Null(link.Ctx.SectionOf(link.Find("dead")));
        Assert.Null(link.Ctx.SectionOf(nameless));
        Assert.NotNull(link.Ctx.SectionOf(link.Find("live")));
        Assert.NotNull(link.Ctx.SectionOf(funcdata));
    }

    [Fact]
    public void SectionsOfDataFollowEachOther()
    {
        using TestLink link = new();
        link.Add("p", SymbolKind.NoPtrData, 5);
        link.Add("q", SymbolKind.NoPtrBss, 7);
        link.LayOut();
        string[] names = [.. link.Ctx.DataSegment.Sections.Select(s => s.Name)];
        Assert.Equal([".go.module", ".noptrdata", ".data", ".bss", ".noptrbss"], names);
        Assert.Equal(link.AddressOf("runtime.noptrdata") + 5, link.AddressOf("runtime.enoptrdata"));
        Assert.Equal(link.AddressOf("runtime.end"), link.AddressOf("runtime.enoptrbss"));
        Assert.Equal((ulong)link.AddressOf("runtime.bss") - link.Ctx.DataSegment.Vaddr, link.Ctx.DataSegment.FileLength);
    }

    [Fact]
    public void TypesOfGo126ArePartOfReadOnlyData()
    {
        using TestLink link = new("go1.26");
        link.Add("t", SymbolKind.Type, 64);
        link.Add("f", SymbolKind.GoFunc, 8);
        link.Add("r", SymbolKind.RoData, 8);
        link.LayOut();
        Assert.Equal(".rodata", link.Ctx.SectionOf(link.Find("t"))!.Name);
        Assert.Equal(["t", "f", "r"], Ordered(link, "t", "f", "r"));
        Assert.Equal([".rodata", ".gopclntab", ".typelink", ".itablink"], link.Ctx.RoDataSegment.Sections.Select(s => s.Name));
    }

    [Theory]
    [InlineData(nameof(BuildMode.Exe), "", ".rodata .typelink .itablink .gosymtab .gopclntab")]
    [InlineData(nameof(BuildMode.Pie), ".data.rel.ro .data.rel.ro.typelink .data.rel.ro.itablink .data.rel.ro.gosymtab .data.rel.ro.gopclntab", ".rodata")]
    public void PclntabOfGo125IsBehindTheLinks(string mode, string relocated, string readOnly)
    {
        using TestLink link = new("go1.25", mode: Enum.Parse<BuildMode>(mode));
        link.Add("runtime.functab", SymbolKind.PclnTab, 64);
        link.LayOut();
        Assert.Equal(readOnly, string.Join(' ', link.Ctx.RoDataSegment.Sections.Select(s => s.Name)));
        Assert.Equal(relocated, string.Join(' ', link.Ctx.RelRoDataSegment.Sections.Select(s => s.Name)));
        Assert.Equal(link.AddressOf("runtime.pclntab"), link.AddressOf("runtime.functab"));
        Assert.Equal(link.AddressOf("runtime.symtab"), link.AddressOf("runtime.esymtab"));
    }

    [Fact]
    public void TypesOfGo127HaveASectionThatStartsWithAGap()
    {
        using TestLink link = new();
        link.Add("t", SymbolKind.Type, 64);
        link.Add("f", SymbolKind.GoFunc, 8);
        link.LayOut();
        Assert.Equal([".rodata", ".gopclntab", ".go.type", ".go.func"], link.Ctx.RoDataSegment.Sections.Select(s => s.Name));
        Assert.True(link.AddressOf("t") >= link.AddressOf("runtime.types") + 8);
        byte[] moduleData = link.Symbols.Data(link.Ctx.ModuleData).ToArray();
        // No type is looked up by name; the others end 64 bytes, on a boundary of 32, behind the gap.
        Assert.Equal(8u, BinaryPrimitives.ReadUInt64LittleEndian(moduleData.AsSpan(8)));
        Assert.Equal(96u, BinaryPrimitives.ReadUInt64LittleEndian(moduleData.AsSpan(16)));
        Assert.Equal(0u, BinaryPrimitives.ReadUInt64LittleEndian(moduleData.AsSpan(24)));
    }

    [Theory]
    [InlineData("go1.25", ".data.rel.ro")]
    [InlineData("go1.26", ".data.rel.ro")]
    [InlineData("go1.27", ".data.rel.ro")]
    public void RelocatedReadOnlyDataIsSetApartInPositionIndependentPrograms(string release, string section)
    {
        using TestLink link = new(release, mode: BuildMode.Pie);
        link.Add("plain", SymbolKind.RoData, 8);
        link.Add("pointer", SymbolKind.RoData, 0).AddAddress(link.Find("plain"));
        link.LayOut();
        Assert.Equal(".rodata", link.Ctx.SectionOf(link.Find("plain"))!.Name);
        Assert.Equal(section, link.Ctx.SectionOf(link.Find("pointer"))!.Name);
        Assert.Same(link.Ctx.RelRoDataSegment, link.Ctx.SectionOf(link.Find("pointer"))!.Segment);
    }

    [Fact]
    public void MissingTypesOfDataWithPointersAreErrors()
    {
        using TestLink link = new();
        link.Add("mystery", SymbolKind.Data, 16);
        link.LayOut();
        Assert.Equal(["runtime.gcdata: missing Go type information for global symbol mystery: size 16"], link.Errors);
    }

    // Nothing of them is written: what follows layout has no content of such a size.
    [Theory]
    [InlineData(false, 2_000_000_001)]
    [InlineData(true, 3_000_000_000)]
    public void TooLargeSymbolsEndTheLink(bool hasContent, uint size)
    {
        const byte NoPtrData = 5, NoPtrBss = 10;
        using TestLink link = new();
        link.AddObjects(new GoObjectWriter("p").DefineNamed("huge", hasContent ? NoPtrData : NoPtrBss, size, hasContent ? new byte[8] : []));
        Assert.Throws<ErrorsReportedException>(link.LayOut);
        Assert.Contains($"huge: symbol too large ({size} bytes)", link.Errors);
        Assert.Contains(link.Errors, e => e.StartsWith("too much data, last section ", StringComparison.Ordinal));
        Assert.Equal(0, link.Ctx.Output.Length);
    }

    [Fact]
    public void SizeIsCheckedOnceMoreAtTheEndOfData()
    {
        using TestLink link = new();
        link.AddObjects(new GoObjectWriter("p").DefineNamed("huge", 5, 2_000_000_001, new byte[8]));
        Assert.Throws<ErrorsReportedException>(link.LayOut);
        int toc = Array.FindIndex(link.Errors, e => e.StartsWith("too much data, last section SXCOFFTOC ", StringComparison.Ordinal));
        Assert.True(toc >= 0);
        Assert.StartsWith("too much data, last section SDATA (", link.Errors[toc + 1], StringComparison.Ordinal);
    }

    [Fact]
    public void FipsSymbolsLieBetweenTheirMarkers()
    {
        using TestLink link = new();
        link.Add("f", SymbolKind.TextFips, 40);
        link.Add("main.main", SymbolKind.Text, 10);
        link.Add("d", SymbolKind.RoDataFips, 24);
        AotLinker.Layout.FipsSections.Create(link.Ctx);
        link.LayOut();
        Assert.Equal(["main.main", "go:textfipsstart", "f", "go:textfipsend"], Ordered(link, "f", "go:textfipsend", "go:textfipsstart", "main.main"));
        Assert.Equal(["go:rodatafipsstart", "d", "go:rodatafipsend"], Ordered(link, "d", "go:rodatafipsend", "go:rodatafipsstart"));
        Assert.Empty(link.Errors);
    }

    private static string[] Ordered(TestLink link, params string[] names) =>
        [.. names.OrderBy(link.AddressOf).ThenBy(n => link.Ctx.Data.AsSpan().IndexOf(link.Find(n).Index))];
}
