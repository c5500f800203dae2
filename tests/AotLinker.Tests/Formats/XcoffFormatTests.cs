using System.Text;
using AotLinker.Objects;
using AotLinker.Tests.Layout;
using static AotLinker.Tests.Formats.XcoffFile;

namespace AotLinker.Tests.Formats;

public class XcoffFormatTests
{
    [Fact]
    public void HeadersTellWhereEverythingIs()
    {
        using TestLink link = Build(strip: false, out byte[] file);
        // -c shows the size of ELF's and Plan 9's symbol tables alone.
        Assert.Equal(0, link.Ctx.Format.SymbolTableSize);
        Assert.Equal(0x1f7, U16(file, 0));
        Assert.Equal(4, U16(file, 2));
        (long symbolsAt, int count) = ((long)U64(file, 8), (int)U32(file, 20));
        Assert.Equal((120, 2), (U16(file, 16), U16(file, 18)));

        Section[] sections = Sections(file);
        Assert.Equal([".text", ".data", ".bss", ".loader"], sections.Select(s => s.Name));
        Assert.Equal([0x20u, 0x40u, 0x80u, 0x1000u], sections.Select(s => s.Flags));
        Assert.Equal(0x1_0000_0740, sections[0].Address);
        Assert.InRange(sections[1].Address, 0x2_0000_0000, 0x2_0000_ffff);
        Assert.Equal(sections[1].Address + sections[1].Size, sections[2].Address);
        Assert.Equal(0, sections[3].Offset % 64);
        Assert.Equal(symbolsAt, sections[3].Offset + sections[3].Size);

        // Auxiliary header: start of text and data, TOC, entry point.
        Assert.Equal(0x010b0001u, U32(file, 24));
        Assert.Equal((sections[0].Address, sections[1].Address), ((long)U64(file, 32), (long)U64(file, 40)));
        Assert.Equal(link.AddressOf("TOC"), (long)U64(file, 48));
        Assert.Equal((2, 1, 2, 2, 4, 3), (U16(file, 56), U16(file, 58), U16(file, 60), U16(file, 62), U16(file, 64), U16(file, 66)));
        Assert.Equal(link.AddressOf("_rt0"), (long)U64(file, 24 + 80));

        // Symbols, then strings, whose length comes first, then nothing.
        long stringsAt = symbolsAt + (count * 18);
        Assert.Equal(file.Length, stringsAt + U32(file, (int)stringsAt));
    }

    [Fact]
    public void TheLoaderLearnsOfImportsAndAddresses()
    {
        using TestLink link = Build(strip: false, out byte[] file);
        Section section = Sections(file)[3];
        byte[] loader = file[(int)section.Offset..(int)(section.Offset + section.Size)];
        Assert.Equal((2u, 2u), (U32(loader, 0), U32(loader, 4)));
        uint relocations = U32(loader, 8);
        Assert.Equal(2u, U32(loader, 16));
        int importsAt = (int)U64(loader, 24);
        int namesAt = (int)U64(loader, 32);
        Assert.Equal("/usr/lib:/lib\0\0\0lib/sub\0libc.a\0shr_64.o\0", Encoding.ASCII.GetString(loader[importsAt..namesAt]));
        Assert.Equal("\0\u0005_rt0\0\0\u0006write\0", Encoding.ASCII.GetString(loader[namesAt..]));

        // Symbols: the entry point, defined here; the import, of library 1.
        Assert.Equal((link.AddressOf("_rt0"), 2u, 0x00022100u | 10), ((long)U64(loader, 56), U32(loader, 64), U32(loader, 68)));
        Assert.Equal((0L, 9u, 0x0000400au, 1u), ((long)U64(loader, 80), U32(loader, 88), U32(loader, 92), U32(loader, 96)));

        // Relocations: address, type, section, symbol; 0 to 2 are the sections, 4 is the import.
        Dictionary<long, uint> found = [];
        int at = (int)U64(loader, 48);
        Assert.Equal((link.AddressOf("_rt0"), 0x3f000002u, 0u), ((long)U64(loader, at), U32(loader, at + 8), U32(loader, at + 12)));
        for (int i = 1; i < relocations; i++)
        {
            at += 16;
            Assert.Equal(0x3f000002u, U32(loader, at + 8));
            found.Add((long)U64(loader, at), U32(loader, at + 12));
        }
        Assert.Equal(importsAt, at + 16);
        Assert.Equal(0u, found[link.AddressOf("_rt0")]);
        Assert.Equal(1u, found[link.AddressOf("_rt0") + 8]);
        Assert.Equal(2u, found[link.AddressOf("main.pointer")]);
        Assert.Equal(4u, found[link.AddressOf("libc_write")]);
    }

    [Fact]
    public void FunctionsStandInTheFileOfTheirPackage()
    {
        using TestLink link = Build(strip: false, out byte[] file);
        List<Symbol> symbols = Symbols(file);
        int first = symbols.FindIndex(s => s.Name == ".file");
        Symbol[] text = [.. symbols[first..]];
        Assert.Equal([".file", "", "a.f", "a.g", ".file", "", "b.f"], text.Select(s => s.Name));
        // A file names the next one's symbol, the last one none; its csect is as long as its functions.
        Assert.Equal(((long)text[4].Number, -1L), (text[0].Value, text[4].Value));
        Assert.Equal("a", NameAt(file, U32(text[0].Auxiliary, 4)));
        Assert.Equal(link.AddressOf("a.g") + 32 - link.AddressOf("a.f"), U32(text[1].Auxiliary, 0));
        // Function: class, auxiliary entries, size and next symbol; then the csect it is in.
        Assert.Equal((2, 2), (text[2].Class, text[2].Auxiliaries));
        Assert.Equal((20u, (uint)text[2].Number + 3), (U32(text[2].Auxiliary, 8), U32(text[2].Auxiliary, 12)));
        Assert.Equal((uint)text[1].Number, U32(text[2].Auxiliary, 18));
        Assert.Equal(2 | (4 << 3), text[2].Auxiliary[18 + 10]);

        Symbol bss = symbols.Single(s => s.Name == "main.zero");
        Assert.Equal((3, 3 | (5 << 3), 5), (bss.Section, bss.Auxiliary[10], bss.Auxiliary[11]));
        Symbol import = symbols.Single(s => s.Name == "write");
        Assert.Equal((0, 0x40, 10), (import.Section, import.Auxiliary[10], import.Auxiliary[11]));
        Symbol toc = symbols.Single(s => s.Name == "TOC");
        Assert.Equal((107, 15), (toc.Class, toc.Auxiliary[11]));
    }

    [Fact]
    public void AStrippedFileOnlyDoesNotTellOfItsSymbols()
    {
        using TestLink link = Build(strip: false, out byte[] file);
        using TestLink strippedLink = Build(strip: true, out byte[] stripped);
        Assert.Equal((0UL, 0u), (U64(stripped, 8), U32(stripped, 20)));
        Assert.Equal(file[24..], stripped[24..]);
    }

    [Fact]
    public void LoadsOfAddressesInDataBecomeAdditions()
    {
        using TestLink link = Build(strip: false, out _);
        long toc = link.AddressOf("TOC");
        // addis r3,r2; ld r3,0(r3): main.pointer is in data, b.f is not.
        byte[] code = link.Read("a.f", 16);
        long distance = link.AddressOf("main.pointer") - toc;
        Assert.Equal(0x38630000 | (uint)(ushort)distance, U32(code, 4));
        distance = link.AddressOf("TOC.b.f") - toc;
        Assert.Equal(0xe8630000 | (uint)(ushort)distance, U32(code, 12));
        Assert.Equal(link.AddressOf("b.f"), (long)U64(link.Read("TOC.b.f", 8), 0));
    }

    [Fact]
    public void FlagsForAddressesAreRefused()
    {
        using TestLink link = Begin();
        // The first start has set both.
        link.Ctx.Format.InitTarget(link.Ctx);
        Assert.Equal(["-R not available on AIX", "-T not available on AIX"], link.Errors);
    }

    [Fact]
    public void AnEntryPointThatIsNotThereIsTheProgramsOwnError()
    {
        using TestLink link = Begin();
        link.Ctx.Settings.EntrySymbol = "no.such.symbol";
        LinkException error = Assert.Throws<LinkException>(() => link.Ctx.Format.AddFormatSymbols(link.Ctx));
        Assert.Equal((MessageForm.Program, "wrong entry point"), (error.Form, error.Message));
    }

    private static TestLink Build(bool strip, out byte[] file)
    {
        TestLink link = Begin();
        LinkContext ctx = link.Ctx;
        SymbolTable symbols = link.Symbols;
        ctx.Settings.EntrySymbol = "_rt0";
        ctx.Settings.OmitSymbolTable = strip;
        SymbolBuilder f = Function(link, "a.f", "a", new byte[20]);
        f.SetBytesAt(0, [0x3c, 0x62, 0, 0, 0xe8, 0x63, 0, 0, 0x3c, 0x62, 0, 0, 0xe8, 0x63, 0, 0]);
        Function(link, "a.g", "a", new byte[32]);
        SymbolId other = Function(link, "b.f", "b", new byte[16]).Symbol;
        SymbolBuilder entry = link.Add("_rt0", SymbolKind.NoPtrData, 0);
        entry.AddAddress(f.Symbol);
        SymbolBuilder pointer = link.Add("main.pointer", SymbolKind.NoPtrData, 0);
        SymbolId zero = link.Add("main.zero", SymbolKind.NoPtrBss, 100).Symbol;
        pointer.AddAddress(zero, 8);
        entry.AddAddress(pointer.Symbol);
        link.Add("type:*", SymbolKind.Type, 0);
        AddTocEntry(pointer.Symbol, "TOC.main.pointer", 0);
        AddTocEntry(other, "TOC.b.f", 8);
        SymbolId import = symbols.Update("libc_write"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        symbols.ExternalNames[import] = "write";
        symbols.DynamicLibrary[import] = "lib/sub/libc.a/shr_64.o";

        file = Write(link);
        return link;

        void AddTocEntry(SymbolId to, string name, int at)
        {
            SymbolBuilder toc = link.Add(name, SymbolKind.NoPtrData, 0);
            toc.AddAddress(to);
            f.AddReloc(RelocKind.AddrPowerTocrelDs, at, 8, toc.Symbol, 0);
        }
    }
}
