using System.Buffers.Binary;
using System.Text;
using AotLinker.Layout;
using AotLinker.Objects;
using AotLinker.Synthesize;
using AotLinker.Synthesize.Pclntab;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Synthesize;

/// <summary>Moduledata against the field offsets of runtime/symtab.go of each release (64-bit).</summary>
public class ModuleDataTests
{
    private const int Size = 640;

    // Field offsets that hold an address of the symbol named.
    private static readonly (int Offset, string Symbol)[] Common =
    [
        (0, "runtime.pcheader"), (8, "runtime.funcnametab"), (32, "runtime.cutab"), (56, "runtime.filetab"), (80, "runtime.pctab"),
        (104, "runtime.functab"), (128, "runtime.functab"), (152, "runtime.findfunctab"), (160, "main.main"), (168, "main.main"),
        (176, "runtime.text"), (184, "runtime.etext"), (192, "runtime.noptrdata"), (200, "runtime.enoptrdata"), (208, "runtime.data"),
        (216, "runtime.edata"), (224, "runtime.bss"), (232, "runtime.ebss"), (240, "runtime.noptrbss"), (248, "runtime.enoptrbss"),
        (256, "runtime.covctrs"), (264, "runtime.ecovctrs"), (272, "runtime.end"), (280, "runtime.gcdata"), (288, "runtime.gcbss"),
        (296, "runtime.types"),
    ];

    [Fact]
    public void FieldsOf127()
    {
        using TestLink link = Make("go1.27");
        Assert.Equal(new ModuleDataFields(304, 320, 328), link.Ctx.ModuleDataFields);
        AssertFields(link, [.. Common, (312, "runtime.etypes"), (336, "runtime.rodata"), (344, "go:func.*"), (352, "runtime.epclntab"),
            (360, "runtime.textsectionmap"), (448, "go:main.inittasks")]);
        AssertMain(link, 512);
    }

    [Fact]
    public void FieldsOf126()
    {
        using TestLink link = Make("go1.26");
        Assert.Equal(default, link.Ctx.ModuleDataFields);
        AssertFields(link, [.. Common, (304, "runtime.etypes"), (312, "runtime.rodata"), (320, "go:func.*"), (328, "runtime.epclntab"),
            (336, "runtime.textsectionmap"), (360, "runtime.typelink"), (384, "runtime.itablink"), (472, "go:main.inittasks")]);
        AssertMain(link, 536);
    }

    [Fact]
    public void FieldsOf125()
    {
        using TestLink link = Make("go1.25");
        AssertFields(link, [.. Common, (304, "runtime.etypes"), (312, "runtime.rodata"), (320, "go:func.*"), (328, "runtime.textsectionmap"),
            (352, "runtime.typelink"), (376, "runtime.itablink"), (464, "go:main.inittasks")]);
        AssertMain(link, 528);
        // All slices of bytes, the table of units' files too.
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(link.Symbols.Data(link.Ctx.ModuleData)[40..]);
        Assert.Equal((ulong)link.Symbols.Size(link.Find("runtime.cutab")), length);
    }

    [Fact]
    public void SlicesHaveLengthAndCapacity()
    {
        using TestLink link = Make("go1.27");
        ReadOnlySpan<byte> data = link.Symbols.Data(link.Ctx.ModuleData);
        ulong[] expected =
        [
            (ulong)link.Symbols.Size(link.Find("runtime.funcnametab")), // bytes
            2, // ftab: one function and the end
            1, // text sections
            3, // init tasks
        ];
        int[] offsets = [16, 136, 368, 456];
        for (int i = 0; i < offsets.Length; i++)
        {
            Assert.Equal(expected[i], BinaryPrimitives.ReadUInt64LittleEndian(data[offsets[i]..]));
            Assert.Equal(expected[i], BinaryPrimitives.ReadUInt64LittleEndian(data[(offsets[i] + 8)..]));
        }
    }

    [Fact]
    public void OnlyReleasesUpTo126HaveTypeLinkTables()
    {
        using TestLink link = new("go1.26");
        TypeLinks.Run(link.Ctx);
        Assert.Equal((0, 0), (link.Symbols.Size(link.Find("runtime.typelink")), link.Symbols.Size(link.Find("runtime.itablink"))));
        Assert.Equal(SymbolKind.TypeLink, link.Symbols.Kind(link.Find("runtime.typelink")));

        using TestLink newer = new("go1.27");
        TypeLinks.Run(newer.Ctx);
        Assert.True(newer.Find("runtime.typelink").IsNone);
    }

    [Fact]
    public void ARuntimeWithoutTheTypeIsAnError()
    {
        using TestLink link = new();
        Prepare(link);
        PclnTables pcln = Tables(link);
        Assert.Throws<LinkException>(() => ModuleData.Run(link.Ctx, pcln));
    }

    private static TestLink Make(string release)
    {
        TestLink link = new(release);
        Prepare(link);
        byte[] type = new byte[48];
        BinaryPrimitives.WriteUInt64LittleEndian(type, Size);
        link.AddBytes("type:runtime.moduledata", SymbolKind.RoData, type);
        ModuleData.Run(link.Ctx, Tables(link));
        Assert.Empty(link.Errors);
        return link;
    }

    private static void Prepare(TestLink link)
    {
        link.Add("main.main", SymbolKind.Text, 100);
        link.Ctx.ModuleData = link.Add("runtime.firstmoduledata", SymbolKind.ModuleData, 0).Symbol;
        link.Ctx.Known.MainInitTasks = link.AddBytes("go:main.inittasks", SymbolKind.NoPtrData, new byte[24]).Symbol;
        TextLayout.Run(link.Ctx);
        TypeLinks.Run(link.Ctx);
    }

    private static PclnTables Tables(TestLink link)
    {
        PclnTables tables = PclnTables.Run(link.Ctx);
        tables.AddFindFuncTable();
        SymbolGroups.Run(link.Ctx);
        return tables;
    }

    private static void AssertFields(TestLink link, (int Offset, string Symbol)[] expected)
    {
        RelocList relocs = link.Symbols.Relocs(link.Ctx.ModuleData);
        List<(int, string)> found = [];
        for (int i = 0; i < relocs.Count; i++)
        {
            Assert.Equal((RelocKind.Addr, (byte)8), (relocs.Kind(i), relocs[i].Size));
            found.Add((relocs[i].Offset, Encoding.UTF8.GetString(link.Symbols.Name(relocs.Target(i)))));
        }
        Assert.Equal(expected, found);
    }

    private static void AssertMain(TestLink link, int offset)
    {
        ReadOnlySpan<byte> data = link.Symbols.Data(link.Ctx.ModuleData);
        Assert.Equal(Size, data.Length);
        Assert.Equal(1, data[offset]);
        Assert.False(data[(offset + 1)..].ContainsAnyExcept((byte)0));
        Assert.Equal(100L, link.Symbols.Relocs(link.Ctx.ModuleData)[9].Addend);
        SymbolId last = link.Find("runtime.lastmoduledatap");
        Assert.Equal(link.Ctx.ModuleData, link.Symbols.Relocs(last).Target(0));
    }
}
