using System.Security.Cryptography;
using System.Text;
using AotLinker.Cli;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.MachO;
using AotLinker.Objects;
using AotLinker.Ordering;
using AotLinker.Synthesize;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Formats;

/// <summary>Mach-O files made by the real passes of layout and emission, read back.</summary>
public sealed class MachOFormatTests
{
    private const string SystemLibrary = "/usr/lib/libSystem.B.dylib";
    private const string OtherLibrary = "/System/Library/Frameworks/Security.framework/Versions/A/Security";

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void TheSignatureListsTheDigestOfEveryPage(int threads, bool buffered)
    {
        byte[] bytes = Build(new Arm64(), threads: threads, buffered: buffered, dataSize: 1_300_000);
        MachOFile file = new(bytes);
        int command = file.Find(MachOFile.CodeSignature);
        long start = file.U32(command);
        long size = file.U32(command + 4);
        Assert.Equal(file.Length, start + size);
        Assert.Equal(0, start % 16);

        Assert.Equal(0xfade0cc0u, file.Big32(start));
        Assert.Equal((uint)size, file.Big32(start + 4));
        long directory = start + file.Big32(start + 16);
        Assert.Equal(0xfade0c02u, file.Big32(directory));
        Assert.Equal("a.out", file.Text(directory + file.Big32(directory + 20)));
        uint pages = file.Big32(directory + 28);
        Assert.Equal((start + 4095) / 4096, pages);
        Assert.Equal(start, file.Big32(directory + 32));
        Assert.Equal(file.SegmentNamed("__TEXT").FileSize, file.Big32(directory + 76));
        long hashes = directory + file.Big32(directory + 16);
        Assert.Equal(file.Length, hashes + (32 * pages));
        for (long page = 0; page < pages; page++)
        {
            byte[] expected = SHA256.HashData(file.Bytes(page * 4096, Math.Min(4096, start - (page * 4096))));
            Assert.Equal(expected, file.Bytes(hashes + (32 * page), 32).ToArray());
        }
        Assert.Equal(Build(new Arm64(), dataSize: 1_300_000), bytes);
    }

    [Fact]
    public void IntelProgramsAreNotSigned()
    {
        MachOFile file = new(Build(new Amd64()));
        Assert.False(file.Has(MachOFile.CodeSignature));
        Assert.Equal(file.Length, file.SegmentNamed("__LINKEDIT").FileOffset + file.SegmentNamed("__LINKEDIT").FileSize);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WithoutABuildIdTheUuidIsAHashOfTheContent(bool buffered)
    {
        MachOFile file = new(Build(new Arm64(), buffered: buffered, uuid: [1, 2]));
        long end = file.U32(file.Find(MachOFile.CodeSignature));
        byte[] content = file.Bytes(0, end).ToArray();
        Array.Clear(content, 0, file.CommandsEnd);
        byte[] expected = SHA256.HashData(content);
        expected[0] ^= 0xff;
        expected[6] = (byte)((expected[6] & 0x0f) | 0x30);
        expected[8] = (byte)((expected[8] & 0x3f) | 0x80);
        Assert.Equal(expected[..16], file.Bytes(file.Find(MachOFile.Uuid), 16).ToArray());
    }

    [Fact]
    public void AnOlderReleasePadsTheUuidAndDoesWithoutOne()
    {
        MachOFile file = new(Build(new Amd64(), release: "go1.26", uuid: [1, 2]));
        Assert.Equal([1, 2, .. new byte[14]], file.Bytes(file.Find(MachOFile.Uuid), 16).ToArray());
        Assert.False(new MachOFile(Build(new Amd64(), release: "go1.26", uuid: [])).Has(MachOFile.Uuid));
    }

    [Fact]
    public void DataMovesWithTheImageAndImportsAreBound()
    {
        using TestLink link = Link(new Arm64());
        byte[] bytes = Run(link);
        MachOFile file = new(bytes);
        Assert.Equal([(ulong)link.AddressOf("main.pointer"), (ulong)link.AddressOf("main.pointer") + 8], file.Rebases());
        ulong got = file.SectionNamed("__got").Address;
        Assert.Equal([(got, 1, "_read"), ((ulong)link.AddressOf("main.imported"), 2, "_SecTrust")], file.Binds());
        const uint PieForDyld = 0x200004;
        Assert.Equal(PieForDyld, file.Flags);
        // What is moved holds the address in the file as well.
        Assert.Equal((ulong)link.AddressOf("main.target"), file.U64(Offset(file, link.AddressOf("main.pointer"))));
    }

    [Fact]
    public void AnOlderReleaseOnlyMovesWhatHoldsAnImport()
    {
        using TestLink link = Link(new Amd64(), "go1.26");
        MachOFile file = new(Run(link));
        Assert.Contains((ulong)link.AddressOf("main.imported"), file.Rebases());
        Assert.DoesNotContain(file.Binds(), b => b.Place == (ulong)link.AddressOf("main.imported"));
    }

    [Fact]
    public void SymbolsAreSortedWithinTheirParts()
    {
        using TestLink link = Link(new Arm64());
        MachOFile file = new(Run(link));
        List<MachOFile.Symbol> symbols = file.Symbols();
        int table = file.Find(MachOFile.DynamicSymbolTable);
        int locals = (int)file.U32(table + 4);
        int exported = (int)file.U32(table + 12);
        Assert.Equal(["_cgo_entry"], symbols.Skip(locals).Take(exported).Select(s => s.Name));
        Assert.All(symbols.Take(locals), s => Assert.Equal(0x0e, s.Type));
        Assert.Equal(0x1f, symbols[locals].Type);
        List<MachOFile.Symbol> imports = symbols[(locals + exported)..];
        Assert.Equal(["_SecTrust", "_read"], imports.Select(s => s.Name));
        Assert.All(imports, s => Assert.Equal((0x01, 0, 0ul), (s.Type, s.Section, s.Value)));
        string[] names = [.. symbols.Take(locals).Select(s => s.Name)];
        Assert.Contains("_main.twin.abi0", names);
        // The appended ABI is not what is sorted by.
        string[] sorted = [.. names.Select(n => n.Replace(".abi0", "", StringComparison.Ordinal)).OrderBy(n => n, StringComparer.Ordinal)];
        Assert.Equal(sorted, names.Select(n => n.Replace(".abi0", "", StringComparison.Ordinal)));

        // The stub's and the GOT's entries name their symbols by number.
        long indirect = file.U32(table + 48);
        Assert.Equal(2u, file.U32(table + 52));
        uint read = (uint)symbols.FindIndex(s => s.Name == "_read");
        Assert.Equal([read, read], [file.U32(indirect), file.U32(indirect + 4)]);
        Assert.Equal(1u, file.SectionNamed("__got").Reserved1);
    }

    [Fact]
    public void EqualNamesStandAsGosSortLeavesThem()
    {
        // Functions of two ABIs and one name, many enough for the sort to cut the range.
        using TestLink link = Link(new Amd64(), functions: 300);
        List<MachOFile.Symbol> found = new MachOFile(Run(link)).Symbols();
        SymbolId[] text = [link.Find("runtime.text"), link.Find("runtime.etext"), .. link.Ctx.Text];
        HashSet<string> data = [.. found.Select(s => Plain(s.Name)).Except(text.Select(link.Symbols.NameText))];
        List<(int Part, string Name, long Value)> candidates =
            [.. text.Select(s => (link.Symbols.CgoExportStatic.Contains(s) ? 1 : 0, link.Symbols.NameText(s), link.Symbols.Value(s)))];
        for (int i = 1; i < link.Symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (link.Symbols.Kind(s) == SymbolKind.DynImport)
                candidates.Add((2, link.Symbols.OutputName(s), 0));
            else if (data.Contains(link.Symbols.NameText(s)))
                candidates.Add((0, link.Symbols.NameText(s), link.Symbols.Value(s)));
        }
        (int Part, string Name, long Value)[] expected = [.. candidates];
        Assert.InRange(expected.DistinctBy(e => e.Name).Count(), 100, expected.Length - 90);
        GoSort.Sort<(int, string, long), ByPartAndName>(expected, default);
        Assert.Equal(expected.Select(e => (e.Name, e.Value)), found.Select(s => (Plain(s.Name), (long)s.Value)));

        static string Plain(string name) => name[1..].Replace(".abi0", "", StringComparison.Ordinal);
    }

    [Fact]
    public void StrippedProgramsKeepTheirImports()
    {
        using TestLink link = Link(new Arm64());
        link.Ctx.Settings.OmitSymbolTable = true;
        Assert.Equal(["_SecTrust", "_read"], new MachOFile(Run(link)).Symbols().Select(s => s.Name));
    }

    [Fact]
    public void OtherModulesFindVariablesAndDescriptorsOnly()
    {
        using TestLink link = Link(new Arm64());
        link.Ctx.Target.CanUsePlugins = true;
        link.AddBytes("type:main.T", SymbolKind.RoData, new byte[8]).SetReachable();
        link.AddBytes("type:.eq.main.T", SymbolKind.Text, new byte[8]).SetReachable();
        link.AddBytes("go:itab.main.T,main.I", SymbolKind.RoData, new byte[8]).SetReachable();
        link.AddBytes("main.table", SymbolKind.RoData, new byte[8]).SetReachable();
        link.AddBytes("main·dotted", SymbolKind.NoPtrData, new byte[8]).SetReachable();
        link.AddBytes("main.own", SymbolKind.NoPtrData, new byte[8]).SetReachable().Set(SymbolTable.Attributes.Local);
        List<MachOFile.Symbol> symbols = new MachOFile(Run(link)).Symbols();
        foreach (string name in (string[])["type:main.T", "go:itab.main.T,main.I", "main.pointer", "main.dotted"])
            Assert.Equal(0x0f, Assert.Single(symbols, s => s.Name == "_" + name).Type);
        foreach (string name in (string[])["type:.eq.main.T", "main.table", "main.own", "main.start"])
            Assert.Equal(0x0e, Assert.Single(symbols, s => s.Name == "_" + name).Type);

        // The markers of the text are functions of it, so that no other function has their addresses.
        ulong first = Assert.Single(symbols, s => s.Name == "_runtime.text").Value, end = Assert.Single(symbols, s => s.Name == "_runtime.etext").Value;
        Assert.All(symbols.Where(s => s.Name is "_main.start" or "_main.twin" or "_cgo_entry"), s => Assert.InRange(s.Value, first + 1, end - 1));
    }

    [Fact]
    public void StubsJumpThroughTheirGotEntries()
    {
        using (TestLink link = Link(new Arm64()))
        {
            MachOFile file = new(Run(link));
            MachOFile.Section stubs = file.SectionNamed("__symbol_stub1");
            ulong got = file.SectionNamed("__got").Address;
            long pages = (long)((got & ~0xffful) - (stubs.Address & ~0xffful)) >> 12;
            uint adrp = file.U32(stubs.Offset);
            Assert.Equal(0x90000010u, adrp & 0x9f00001f);
            Assert.Equal(pages, ((adrp >> 29) & 3) | (((adrp >> 5) & 0x7ffff) << 2));
            Assert.Equal(0xf9400211u | (((uint)(got & 0xfff) >> 3) << 10), file.U32(stubs.Offset + 4));
            Assert.Equal(0xd61f0220u, file.U32(stubs.Offset + 8));
            Assert.Equal(12ul, stubs.Size);
        }
        using (TestLink link = Link(new Amd64()))
        {
            MachOFile file = new(Run(link));
            MachOFile.Section stubs = file.SectionNamed("__symbol_stub1");
            Assert.Equal([0xff, 0x25], file.Bytes(stubs.Offset, 2).ToArray());
            Assert.Equal(file.SectionNamed("__got").Address, stubs.Address + 6 + file.U32(stubs.Offset + 2));
            Assert.Equal(6u, stubs.Reserved2);
        }
    }

    [Fact]
    public void LibrariesTakeRoomInFrontOfTheText()
    {
        using TestLink link = Link(new Arm64());
        long text = link.Ctx.Settings.TextAddress;
        for (int i = 0; i < 60; i++)
            link.Ctx.Format.LibraryNamed(link.Ctx, $"/usr/lib/library{i}.dylib");
        Assert.Equal(8192, link.Ctx.Settings.HeaderReserve);
        Assert.Equal(text + 4096, link.Ctx.Settings.TextAddress);
        MachOFile file = new(Run(link));
        Assert.Equal(62, file.Commands.Count(c => c.Command == MachOFile.LoadDylib));
        Assert.True(file.CommandsEnd <= 8192);
        Assert.Equal(8192u, file.SectionNamed("__text").Offset);
        Assert.Equal((ulong)text - 4096, file.SegmentNamed("__TEXT").Address);
        // LC_MAIN counts from the header.
        Assert.Equal((ulong)link.AddressOf("main.start") - file.SegmentNamed("__TEXT").Address, file.U64(file.Find(MachOFile.Main)));
    }

    [Fact]
    public void CompressedSectionsHaveTheOldHeader()
    {
        using TestLink link = Link(new Amd64());
        Assert.Equal("ZLIB\0\0\0\0\0\u0001\u0002\u0003", Encoding.Latin1.GetString(link.Ctx.Format.CompressedDwarfHeader(link.Ctx, 0x10203)!));
        Assert.Equal(".zdebug_info", link.Ctx.Format.CompressedDwarfName(".debug_info"));
    }

    [Fact]
    public void TheVersionsAreTheCommandLines()
    {
        MachOFile file = new(Build(new Arm64()));
        int command = file.Find(MachOFile.BuildVersion);
        Assert.Equal([1u, 0x0d0102u, 0x1a0000u], [file.U32(command), file.U32(command + 4), file.U32(command + 8)]);
    }

    private static long Offset(MachOFile file, long address)
    {
        MachOFile.Segment segment = file.Segments.Last(s => s.Address <= (ulong)address && s.FileSize > 0 && s.MemorySize > 0);
        return address - (long)segment.Address + segment.FileOffset;
    }

    private static byte[] Build(
        CpuArch cpu, string release = "go1.27", int threads = 1, bool buffered = false, byte[]? uuid = null, int dataSize = 64)
    {
        using TestLink link = Link(cpu, release, threads, buffered, uuid, dataSize);
        return Run(link);
    }

    private static TestLink Link(
        CpuArch cpu,
        string release = "go1.27",
        int threads = 1,
        bool buffered = false,
        byte[]? uuid = null,
        int dataSize = 64,
        int functions = 1)
    {
        MachOOptions options = new()
        {
            SystemVersion = new MacVersion(13, 1, 2),
            SdkVersion = new MacVersion(26, 0, 0),
            Uuid = uuid ?? [.. Enumerable.Range(1, 16).Select(i => (byte)i)],
        };
        TestLink link = new(release, threads, buffered, BuildMode.Pie, cpu, new MachOFormat(cpu.MachO!, options), HeadType.Darwin);
        LinkContext ctx = link.Ctx;
        ctx.Settings.EntrySymbol = "main.start";
        ctx.Settings.OmitDwarf = true;
        ctx.Format.LibraryNamed(ctx, SystemLibrary);
        ctx.Format.LibraryNamed(ctx, OtherLibrary);
        ctx.Format.LibraryNamed(ctx, SystemLibrary);
        ctx.Format.AddFormatSymbols(ctx);
        ArchSymbols.Run(ctx);

        SymbolId read = Import(link, "libc_read", "read", SystemLibrary);
        SymbolId trust = Import(link, "x509_trust", "SecTrust", OtherLibrary);
        SymbolBuilder start = link.AddBytes("main.start", SymbolKind.Text, new byte[16]).SetReachable();
        start.AddReloc(cpu is Arm64 ? RelocKind.CallArm64 : RelocKind.Call, 4, 4, read, 0);
        for (int i = 0; i < functions; i++)
        {
            string name = functions == 1 ? "main.twin" : $"main.f{i * 7919 % 97}";
            if (!link.Find(name).IsNone)
                continue;
            link.AddBytes(name, SymbolKind.Text, new byte[8]).SetReachable();
            SymbolBuilder twin = link.Add(name, SymbolKind.Text, 8, version: 1).SetReachable();
            twin.SetData(new byte[8]);
        }
        SymbolBuilder entry = link.AddBytes("cgo_entry", SymbolKind.Text, new byte[8]).SetReachable();
        link.Symbols.CgoExportStatic.Add(entry.Symbol);
        SymbolBuilder target = link.AddBytes("main.target", SymbolKind.NoPtrData, new byte[dataSize]).SetReachable();
        SymbolBuilder pointer = link.AddBytes("main.pointer", SymbolKind.NoPtrData, new byte[16]).SetReachable();
        pointer.AddReloc(RelocKind.Addr, 0, 8, target.Symbol, 0);
        pointer.AddReloc(RelocKind.Addr, 8, 8, target.Symbol, 0);
        SymbolBuilder imported = link.AddBytes("main.imported", SymbolKind.NoPtrData, new byte[8]).SetReachable();
        imported.AddReloc(RelocKind.Addr, 0, 8, trust, 0);
        return link;
    }

    private static SymbolId Import(TestLink link, string name, string remote, string library)
    {
        SymbolId s = link.Symbols.Update(Encoding.UTF8.GetBytes(name), 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        link.Symbols.ExternalNames[s] = remote;
        link.Symbols.DynamicLibrary[s] = library;
        link.Ctx.HasDynamicImports = true;
        return s;
    }

    private static byte[] Run(TestLink link)
    {
        link.LayOut();
        Emitter.Run(link.Ctx);
        link.Ctx.Format.WriteTables(link.Ctx);
        Assert.Empty(link.Errors);
        return link.ReadAll();
    }

    private readonly struct ByPartAndName : IOrder<(int Part, string Name, long Value)>
    {
        public bool Less(in (int Part, string Name, long Value) x, in (int Part, string Name, long Value) y) =>
            x.Part != y.Part ? x.Part < y.Part : string.CompareOrdinal(x.Name, y.Name) < 0;
    }
}
