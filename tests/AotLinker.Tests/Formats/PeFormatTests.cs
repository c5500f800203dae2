using System.Buffers.Binary;
using System.Reflection.PortableExecutable;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Formats.Pe;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Tests.Formats;

public class PeFormatTests
{
    private static readonly string[] Imports = ["LoadLibraryW%1@kernel32.dll", "odd@ntdll.dll", "ExitProcess@kernel32.dll"];

    [Theory]
    [InlineData("Exe", false, "go1.27")]
    [InlineData("Pie", false, "go1.27")]
    [InlineData("Pie", true, "go1.26")]
    public void TheSystemsReaderUnderstandsTheHeaders(string mode, bool gui, string release)
    {
        BuildMode build = Enum.Parse<BuildMode>(mode);
        byte[] file = new PeSample(build, gui, release: release).Build(Imports);
        using PEReader reader = new(new MemoryStream(file));
        PEHeaders headers = reader.PEHeaders;
        PEHeader optional = headers.PEHeader!;
        Assert.Equal(Machine.Amd64, headers.CoffHeader.Machine);
        Assert.Equal(PEMagic.PE32Plus, optional.Magic);
        Assert.Equal(0x1_4000_0000ul, optional.ImageBase);
        Assert.Equal(gui ? Subsystem.WindowsGui : Subsystem.WindowsCui, optional.Subsystem);
        Assert.Equal(release == "go1.27" ? 10 : 6, optional.MajorSubsystemVersion);
        Assert.Equal(build == BuildMode.Pie, (optional.DllCharacteristics & DllCharacteristics.DynamicBase) != 0);
        Assert.Equal(build != BuildMode.Pie, (headers.CoffHeader.Characteristics & Characteristics.RelocsStripped) != 0);
        Assert.Equal(0, headers.CoffHeader.TimeDateStamp);
        Assert.Equal(release == "go1.27" ? 320 : 0, optional.LoadConfigTableDirectory.Size);
        Assert.Equal(".text", headers.SectionHeaders[headers.GetContainingSectionIndex(optional.AddressOfEntryPoint)].Name);

        string[] names = [".text", ".rdata", ".data", "/4", "/16", ".idata", .. build == BuildMode.Pie ? (string[])[".reloc"] : [], ".symtab"];
        Assert.Equal(names, headers.SectionHeaders.Select(s => s.Name));
        int end = headers.SectionHeaders[0].PointerToRawData;
        int address = headers.SectionHeaders[0].VirtualAddress;
        foreach (SectionHeader s in headers.SectionHeaders)
        {
            Assert.Equal(end, s.PointerToRawData);
            Assert.Equal(address, s.VirtualAddress);
            end += s.SizeOfRawData;
            address += (s.VirtualSize + 0xfff) & ~0xfff;
        }
        Assert.Equal(file.Length, end);
        Assert.Equal(optional.SizeOfImage, address);
    }

    [Fact]
    public void ImportsAreFoundByTheirTables()
    {
        byte[] file = new PeSample(BuildMode.Exe).Build(Imports);
        using PEReader reader = new(new MemoryStream(file));
        int at = Offset(reader, reader.PEHeaders.PEHeader!.ImportTableDirectory.RelativeVirtualAddress);
        List<string> found = [];
        for (; U32(file, at) != 0; at += 20)
        {
            string library = Text(file, Offset(reader, U32(file, at + 12)));
            int lookup = Offset(reader, U32(file, at));
            int table = Offset(reader, U32(file, at + 16));
            for (; U32(file, lookup) != 0; lookup += 8, table += 8)
            {
                Assert.Equal(U32(file, lookup), U32(file, table));
                found.Add(library + "!" + Text(file, Offset(reader, U32(file, lookup)) + 2));
            }
            Assert.Equal(0, U32(file, table));
        }
        // Last mentioned, first listed.
        Assert.Equal(["ntdll.dll!odd", "kernel32.dll!ExitProcess", "kernel32.dll!LoadLibraryW"], found);
    }

    [Fact]
    public void SymbolsHaveShortAndLongNames()
    {
        byte[] file = new PeSample(BuildMode.Exe).Build(Imports);
        List<(string Name, int Value, short Section, byte Class)> symbols = Symbols(file);
        Assert.Equal(("runtime.text", 0, 1, 2), symbols[0]);
        Assert.Equal("runtime.etext", symbols[1].Name);
        Assert.Equal(("_rt0", 0, 1, 2), symbols[2]);
        Assert.Equal(("main.a", 32, 1, 3), symbols[3]);
        Assert.Contains(symbols, s => s is { Name: "main.constant", Section: 2, Value: 0 });
        Assert.Contains(symbols, s => s is { Name: "runtime._ExitProcess", Section: 3 });
        Assert.DoesNotContain(symbols, s => s.Name is "runtime._Unused" or "__image_base__");
        Assert.Empty(Symbols(new PeSample(BuildMode.Exe, strip: true).Build(Imports)));
    }

    [Fact]
    public void ThreadsDoNotChangeTheFile() =>
        Assert.Equal(new PeSample(BuildMode.Pie).Build(Imports, 40_000), new PeSample(BuildMode.Pie, threads: 7).Build(Imports, 40_000));

    [Fact]
    public void EveryAddressHasABaseRelocation()
    {
        // Every third variable begins a page, and one of the pages has an odd number of addresses.
        const int Step = 1504;
        byte[] file = new PeSample(BuildMode.Pie).Build(Imports, 100, Step);
        using PEReader reader = new(new MemoryStream(file));
        DirectoryEntry table = reader.PEHeaders.PEHeader!.BaseRelocationTableDirectory;
        int at = Offset(reader, table.RelativeVirtualAddress);
        int end = at + table.Size;
        List<int> places = [];
        while (at < end)
        {
            int page = U32(file, at), length = U32(file, at + 4);
            Assert.Equal(0, length % 4);
            for (int i = 8; i < length; i += 2)
            {
                ushort entry = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at + i));
                if (entry != 0)
                {
                    Assert.Equal(PeConstants.BaseRelocation64, entry >> 12);
                    places.Add(page + (entry & 0xfff));
                }
            }
            at += length;
        }
        Assert.Equal(end, at);
        Assert.Equal(100, places.Count);
        for (int i = 0; i < places.Count; i++)
        {
            Assert.Equal(places[0] + (i * Step), places[i]);
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(Offset(reader, places[i])));
            Assert.InRange(value, 0x1_4000_0000ul, 0x1_4100_0000ul);
        }
    }

    [Fact]
    public void PlacesKeepTheirOrderWithinAPage()
    {
        const uint Narrow = 1u << 31;
        using NativeArray<byte> table = PeBaseRelocations.Group([[0x3010, 0x1008 | Narrow], [], [0x1004, 0x3000, 0x3020]]);
        byte[] expected =
        [
            0x00, 0x10, 0, 0, 12, 0, 0, 0, 0x08, 0x30, 0x04, 0xa0,
            0x00, 0x30, 0, 0, 16, 0, 0, 0, 0x10, 0xa0, 0x00, 0xa0, 0x20, 0xa0, 0, 0,
        ];
        Assert.Equal(expected, table.AsSpan().ToArray());
        using NativeArray<byte> empty = PeBaseRelocations.Group([]);
        Assert.Equal(0, empty.Length);
    }

    [Fact]
    public void StubsJumpThroughTheImportsPlace()
    {
        Assert.Equal("ff25000000009090", Convert.ToHexStringLower(Stub(PeAmd64.Instance).Code));
        Assert.Equal("PcRel 2 4", Stub(PeAmd64.Instance).Relocations);
        Assert.Equal("ff24250000000090", Convert.ToHexStringLower(Stub(PeAmd64.Instance, "go1.24").Code));
        Assert.Equal("Addr 3 4", Stub(PeAmd64.Instance, "go1.24").Relocations);
        Assert.Equal("10000090110240f920021fd6", Convert.ToHexStringLower(Stub(PeArm64.Instance).Code));
        Assert.Equal("Arm64PcRel 0 4, Arm64PcRel 4 4", Stub(PeArm64.Instance).Relocations);
    }

    [Theory]
    [InlineData(3, 0x97ffffff, 0)]
    [InlineData(6, 0x91048c00, 0x123)]
    [InlineData(7, 0xf9448c00, 0x123 << 3)]
    [InlineData(7, 0x3dc48c00, 0x123 << 4)]
    [InlineData(7, 0x39448c00, 0x123)]
    [InlineData(4, 0xb0000040, 9)]
    [InlineData(2, 0x12345678, 0x12345678)]
    public void AddendsOfArm64AreInTheInstructions(int type, uint field, long addend) =>
        Assert.Equal(addend, PeArm64.Instance.HostAddend((ushort)type, (int)field));

    private static (byte[] Code, string Relocations) Stub(PeCpu cpu, string release = "go1.27")
    {
        LinkContext ctx = new PeSample(BuildMode.Exe).Context;
        SymbolBuilder stubs = ctx.Symbols.Update("stubs"u8, 0);
        SymbolId import = ctx.Symbols.LookupOrCreate("import"u8, 0);
        cpu.AddImportStub(stubs, import, Release.ForVersion(release)!);
        RelocList relocs = stubs.Relocs;
        List<string> texts = [];
        for (int i = 0; i < relocs.Count; i++)
        {
            Assert.Equal(import, relocs.Target(i));
            texts.Add($"{relocs.Kind(i)} {relocs[i].Offset} {relocs[i].Size}");
        }
        return (stubs.Data.ToArray(), string.Join(", ", texts));
    }

    private static List<(string Name, int Value, short Section, byte Class)> Symbols(byte[] file)
    {
        int header = U32(file, 0x3c) + 4;
        int table = U32(file, header + 8), count = U32(file, header + 12);
        int names = table + (count * PeConstants.SymbolSize);
        List<(string, int, short, byte)> symbols = [];
        for (int at = table; at < names; at += PeConstants.SymbolSize)
        {
            string name = U32(file, at) == 0 ? Text(file, names + U32(file, at + 4)) : Text(file, at, PeConstants.ShortNameLength);
            symbols.Add((name, U32(file, at + 8), BinaryPrimitives.ReadInt16LittleEndian(file.AsSpan(at + 12)), file[at + 16]));
        }
        Assert.Equal(".debug_info", Text(file, names + 4));
        return symbols;
    }

    private static int Offset(PEReader reader, int address)
    {
        SectionHeader section = reader.PEHeaders.SectionHeaders[reader.PEHeaders.GetContainingSectionIndex(address)];
        return address - section.VirtualAddress + section.PointerToRawData;
    }

    private static int U32(byte[] file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at));

    private static string Text(byte[] file, int at, int most = int.MaxValue)
    {
        ReadOnlySpan<byte> rest = file.AsSpan(at, Math.Min(most, file.Length - at));
        int end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
