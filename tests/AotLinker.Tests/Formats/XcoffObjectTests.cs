using AotLinker.Objects;
using AotLinker.Tests.Layout;
using static AotLinker.Tests.Formats.XcoffFile;

namespace AotLinker.Tests.Formats;

/// <summary>Objects for AIX's linker.</summary>
public class XcoffObjectTests
{
    [Fact]
    public void AnObjectHasNoAuxiliaryHeaderAndLeavesNothingToTheLoader()
    {
        using TestLink link = Build(out byte[] file);
        Assert.Equal((0x1f7, 4), (U16(file, 0), U16(file, 2)));
        Assert.Equal((0, 0), (U16(file, 16), U16(file, 18)));
        Section[] sections = Sections(file);
        Assert.Equal([".text", ".data", ".bss", ".tbss"], sections.Select(s => s.Name));
        Assert.Equal([0x20u, 0x40u, 0x80u, 0x800u], sections.Select(s => s.Flags));
        Assert.Equal((0, 8), (sections[0].Address, sections[3].Size));
        Assert.InRange(sections[1].Address, 0x1_0000_0000, 0x1_0000_ffff);
        // Relocations lie side by side in front of the symbols.
        Assert.Equal(sections[0].RelocationsAt + (14 * sections[0].Relocations), sections[1].RelocationsAt);
        Assert.Equal((long)U64(file, 8), sections[1].RelocationsAt + (14 * sections[1].Relocations));
    }

    [Fact]
    public void MarkersAreTheFirstOfTheirSection()
    {
        using TestLink link = Build(out _);
        Assert.Equal((0, 16), (link.AddressOf("runtime.text"), link.AddressOf("a.f")));
        Assert.Equal(8, link.Symbols.Size(link.Find("runtime.text")));
        Assert.Equal(link.AddressOf("runtime.noptrdata") + 8, link.AddressOf("main"));
        Assert.Equal(link.AddressOf("main.wide") + 64, link.AddressOf("runtime.enoptrdata"));
    }

    [Fact]
    public void AllFunctionsAreInOneFile()
    {
        using TestLink link = Build(out byte[] file);
        List<Symbol> symbols = Symbols(file);
        Symbol unit = Assert.Single(symbols, s => s.Class == 103);
        Assert.Equal((".file", -1L, "go_functions"), (unit.Name, unit.Value, NameAt(file, U32(unit.Auxiliary, 4))));
        Symbol csect = symbols[symbols.IndexOf(unit) + 1];
        Assert.Equal(link.AddressOf("b.f") + 16 - link.AddressOf("a.f"), U32(csect.Auxiliary, 0));
        foreach (string name in (string[])["a.f", "b.f"])
        {
            Symbol function = symbols.Single(s => s.Name == name);
            Assert.Equal((2, csect.Number), (function.Auxiliaries, (int)U32(function.Auxiliary, 18)));
        }
        // x_smclas: an entry of the table of contents, thread-local zeros.
        Assert.Equal(3, symbols.Single(s => s.Name == "TOC.main.wide").Auxiliary[11]);
        Assert.Equal((4, 21), (symbols.Single(s => s.Name == "runtime.tlsg").Section, symbols.Single(s => s.Name == "runtime.tlsg").Auxiliary[11]));
    }

    [Fact]
    public void RelocationsAreSortedAndFieldsAreFilledIn()
    {
        using TestLink link = Build(out byte[] file);
        Dictionary<int, string> names = Symbols(file).ToDictionary(s => s.Number, s => s.Name);
        Section[] sections = Sections(file);
        long f = link.AddressOf("a.f");
        (string, long, int)[] text =
        [
            ("TOC.main.wide", f + 2, 0x0f30), ("TOC.main.wide", f + 6, 0x0f31), ("runtime.tlsg", f + 10, 0x0f23), ("b.f-tramp0", f + 16, 0x191a),
            ("TOC.b.f-tramp0", f + 34, 0x0f30), ("TOC.b.f-tramp0", f + 38, 0x0f31),
        ];
        Assert.Equal(text, Relocations(sections[0]));
        Assert.Contains(("main.wide", link.AddressOf("TOC.main.wide"), 0x3f00), Relocations(sections[1]));
        Assert.Contains(("b.f", link.AddressOf("main.wide"), 0x3f0f), Relocations(sections[1]));

        byte[] code = link.Read("a.f", 20);
        long distance = link.AddressOf("TOC.main.wide") - link.AddressOf("TOC");
        // The load stays, and so do its registers; places in thread-local storage take one instruction.
        Assert.Equal(0xe8630000 | (uint)(ushort)distance, U32(code, 4));
        Assert.Equal((0x388d0000u, 0x60000000u), (U32(code, 8), U32(code, 12)));
        // A call of what has no place yet leads to a trampoline.
        Assert.Equal(0x48000001u | 16, U32(code, 16));
        Assert.Equal(link.AddressOf("main.wide") + 8, (long)U64(link.Read("TOC.main.wide", 8), 0));
        // What only keeps a symbol alive has no field.
        Assert.Equal(0ul, U64(link.Read("main.wide", 8), 0));

        (string, long, int)[] Relocations(Section section) => [.. Enumerable.Range(0, section.Relocations).Select(i =>
        {
            int at = (int)section.RelocationsAt + (14 * i);
            return (names[(int)U32(file, at + 8)], (long)U64(file, at), U16(file, at + 12));
        })];
    }

    private static TestLink Build(out byte[] file)
    {
        TestLink link = Begin();
        LinkContext ctx = link.Ctx;
        ctx.Target.LinkMode = LinkMode.External;
        ctx.Settings.TextAddress = 0;
        ctx.Settings.EntrySymbol = "main";
        link.Add("main", SymbolKind.NoPtrData, 8);
        link.Add("runtime.noptrdata", SymbolKind.NoPtrData, 0);
        link.Add("runtime.enoptrdata", SymbolKind.NoPtrData, 0);
        SymbolBuilder f = Function(link, "a.f", "a", [0x3c, 0x62, 0, 0, 0xe8, 0x63, 0, 0, 0x3c, 0x8d, 0, 0, 0x38, 0x84, 0, 0, 0x48, 0, 0, 1]);
        SymbolId other = Function(link, "b.f", "b", new byte[16]).Symbol;
        SymbolId local = link.Add("runtime.tlsg", SymbolKind.TlsBss, 8).Symbol;
        SymbolBuilder wide = link.Add("main.wide", SymbolKind.NoPtrData, 64, align: 16);
        wide.SetData(new byte[64]);
        wide.AddReloc(RelocKind.XcoffRef, 0, 8, other, 0);
        SymbolBuilder toc = link.Add("TOC.main.wide", SymbolKind.NoPtrData, 0);
        toc.AddAddress(wide.Symbol, 8);
        // Not in the order of their places.
        f.AddReloc(RelocKind.CallPower, 16, 4, other, 0);
        f.AddReloc(RelocKind.PowerTlsLe, 8, 8, local, 0);
        f.AddReloc(RelocKind.AddrPowerTocrelDs, 0, 8, toc.Symbol, 0);
        link.Add("type:*", SymbolKind.Type, 0);
        file = Write(link);
        return link;
    }
}
