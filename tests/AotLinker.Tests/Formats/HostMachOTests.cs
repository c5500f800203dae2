using System.Buffers.Binary;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.MachO;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Formats;

/// <summary>Host objects made byte by byte, as clang would make them, loaded and linked.</summary>
public sealed class HostMachOTests
{
    private const int TextSize = 32;
    private const int DataSize = 24;
    private const uint External = 1u << 27;
    private const uint Quad = 3u << 25;
    private const uint Long = 2u << 25;
    private const uint PcRelative = 1u << 24;

    [Fact]
    public void SectionsHoldTheirSymbolsByAddress()
    {
        using TestLink link = Link(new Amd64());
        List<SymbolId> text = Load(link, Intel());
        SymbolTable symbols = link.Symbols;
        Assert.Equal(["main(__TEXT/__text)", "first", "second"], text.Select(symbols.NameText));
        // Sizes reach to the next symbol, or to the section's end.
        Assert.Equal([(0L, 16L), (16, 16)], text.Skip(1).Select(s => (symbols.Value(s), symbols.Size(s))));
        Assert.All(text.Skip(1), s => Assert.Equal(text[0], symbols.Outer(s)));
        Assert.Equal(16, symbols.Align(text[0]));
        SymbolId data = symbols.Lookup("main(__DATA/__data)"u8, SymbolTable.StaticVersion);
        Assert.Equal((SymbolKind.NoPtrData, (long)DataSize), (symbols.Kind(data), symbols.Size(data)));
        // The underscore of C names is gone; what isn't external belongs to the object.
        Assert.Equal(SymbolTable.StaticVersion, symbols.Version(text[2]));
        Assert.Equal(SymbolKind.None, symbols.Kind(symbols.Lookup("read"u8, 0)));
    }

    [Fact]
    public void AnOlderReleaseLeavesTheAlignmentToTheSize()
    {
        using TestLink link = Link(new Amd64(), "go1.26");
        Assert.Equal(0, link.Symbols.Align(Load(link, Intel())[0]));
    }

    [Fact]
    public void RelocationsOfIntelAreDone()
    {
        using TestLink link = Link(new Amd64());
        Import(link, "read");
        link.Ctx.Text.AddRange(Load(link, Intel()));
        MachOFile file = Run(link);
        long text = link.AddressOfLocal("main(__TEXT/__text)");
        long data = link.AddressOfLocal("main(__DATA/__data)");
        byte[] code = link.ReadAt(text, TextSize);
        byte[] values = link.ReadAt(data, DataSize);

        // callq read, by way of its stub.
        Assert.Equal((long)file.SectionNamed("__symbol_stub1").Address, text + 5 + BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(1)));
        // movq variable+4(%rip).
        Assert.Equal(data + 8 + 4, text + 12 + BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(8)));
        // movq variable@GOTPCREL(%rip) becomes leaq variable(%rip).
        Assert.Equal(0x8d, code[17]);
        Assert.Equal(data + 8, text + 23 + BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(19)));
        // .quad second, and the distance from the second to the first.
        Assert.Equal(text + 16, BinaryPrimitives.ReadInt64LittleEndian(values));
        Assert.Equal(text + 16 - (data + 8), BinaryPrimitives.ReadInt64LittleEndian(values.AsSpan(16)));
        Assert.Equal([(ulong)data], file.Rebases());
    }

    [Fact]
    public void RelocationsOfArmAreDone()
    {
        using TestLink link = Link(new Arm64());
        Import(link, "read");
        link.Ctx.Text.AddRange(Load(link, Arm()));
        MachOFile file = Run(link);
        long text = link.AddressOfLocal("main(__TEXT/__text)");
        long data = link.AddressOfLocal("main(__DATA/__data)");
        byte[] code = link.ReadAt(text, TextSize);

        // bl read, by way of its stub.
        uint branch = BinaryPrimitives.ReadUInt32LittleEndian(code);
        Assert.Equal(0x94000000u, branch & 0xfc000000);
        Assert.Equal((long)file.SectionNamed("__symbol_stub1").Address, text + ((long)(int)(branch << 6) >> 4));
        // adrp and add of variable+4; the addend is a relocation of its own, for each of them.
        Assert.Equal(data + 12, Address(text + 4, code, 4));
        // adrp and ldr of variable's GOT entry become adrp and add.
        Assert.Equal(0x91u, BinaryPrimitives.ReadUInt32LittleEndian(code.AsSpan(16)) >> 24);
        Assert.Equal(data + 8, Address(text + 12, code, 12));
    }

    [Theory]
    [InlineData("mach-o object but not amd64", 4, 12)]
    [InlineData("mach-o object but not amd64", 0, 0xce)]
    [InlineData("implausible mach-o header ncmd=16777219 cmdsz=280", 19, 1)]
    [InlineData("multiple symbol tables", 264, 2)]
    public void WhatIsNotForUsIsRefused(string message, int at, byte value)
    {
        using TestLink link = Link(new Amd64());
        byte[] file = Intel();
        file[at] = value;
        LinkException error = Assert.Throws<LinkException>(() => Load(link, file));
        Assert.Equal("loadmacho: a.o: " + message, error.Message);
    }

    [Fact]
    public void TheSystemOfAnObjectCountsAsTheReleaseSays()
    {
        foreach ((string release, uint expected) in (ReadOnlySpan<(string, uint)>)[("go1.27", 0x0d0000u), ("go1.26", 0x0b0000u)])
        {
            using TestLink link = Link(new Amd64(), release);
            Import(link, "read");
            link.Ctx.Text.AddRange(Load(link, Intel()));
            MachOFile file = Run(link);
            Assert.Equal(expected, file.U32(file.Find(MachOFile.BuildVersion) + 4));
        }
    }

    [Fact]
    public void AFaultThatDoesNotMatterForLinkingHidesTheSystem()
    {
        using TestLink link = Link(new Amd64(), "go1.26");
        Import(link, "read");
        byte[] file = Intel();
        file[79] = 0x80; // the top of the segment's file offset, of which a link reads half
        link.Ctx.Text.AddRange(Load(link, file));
        MachOFile linked = Run(link);
        Assert.NotEqual(0x0b0000u, linked.U32(linked.Find(MachOFile.BuildVersion) + 4));
    }

    [Fact]
    public void DamageIsAnErrorAndNeverMore()
    {
        byte[] sound = Intel();
        for (int length = 0; length < sound.Length; length += 5)
            LoadDamaged(sound[..length]);
        Random random = new(1);
        int refused = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = [.. sound];
            for (int i = 0; i < 3; i++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            refused += LoadDamaged(damaged) ? 0 : 1;
        }
        Assert.InRange(refused, 20, 299);
    }

    private static bool LoadDamaged(byte[] file)
    {
        using TestLink link = Link(new Amd64());
        try
        {
            Load(link, file);
            return true;
        }
        catch (LinkException)
        {
            return false;
        }
    }

    // What an ADRP and the ADD behind it compute.
    private static long Address(long pc, byte[] code, int at)
    {
        uint adrp = BinaryPrimitives.ReadUInt32LittleEndian(code.AsSpan(at));
        uint add = BinaryPrimitives.ReadUInt32LittleEndian(code.AsSpan(at + 4));
        long pages = ((adrp >> 29) & 3) | ((long)((int)(adrp << 8) >> 13) << 2);
        return (pc & ~0xfffL) + (pages << 12) + ((add >> 10) & 0xfff);
    }

    private static TestLink Link(CpuArch cpu, string release = "go1.27")
    {
        MachOOptions options = new() { SystemVersion = new(13, 0, 0), SdkVersion = new(13, 0, 0), Uuid = new byte[16] };
        TestLink link = new(release, mode: BuildMode.Pie, cpu: cpu, format: new MachOFormat(cpu.MachO!, options), system: HeadType.Darwin);
        link.Ctx.Settings.EntrySymbol = "main.start";
        link.Ctx.Settings.OmitDwarf = true;
        return link;
    }

    private static void Import(TestLink link, string name) =>
        link.Symbols.Update(Encoding.UTF8.GetBytes(name), 0).SetKind(SymbolKind.DynImport).SetReachable();

    private static unsafe List<SymbolId> Load(TestLink link, byte[] file)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllBytes(path, file);
        try
        {
            InputFile input = InputFile.Open(path);
            ParsedMember member = new() { Kind = MemberKind.HostMachO, DisplayName = "a.o", Offset = 0, Length = input.Length };
            Package package = new() { Path = "main", File = path, ObjectRef = "", SourceRef = "" };
            return HostMachO.Load(link.Ctx, new HostObject(MemberKind.HostMachO, "main", package, input, member), SymbolTable.StaticVersion);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static MachOFile Run(TestLink link)
    {
        link.Ctx.Format.AddFormatSymbols(link.Ctx);
        ArchSymbols.Run(link.Ctx);
        link.AddBytes("main.start", SymbolKind.Text, new byte[16]).SetReachable();
        for (int i = 1; i < link.Symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (link.Symbols.Kind(s) != SymbolKind.None)
                link.Symbols.Set(s, SymbolTable.Attributes.Reachable);
        }
        link.LayOut();
        Emitter.Run(link.Ctx);
        link.Ctx.Format.WriteTables(link.Ctx);
        Assert.Empty(link.Errors);
        return new MachOFile(link.ReadAll());
    }

    private static byte[] Intel()
    {
        byte[] text = new byte[TextSize];
        text[0] = 0xe8;
        new byte[] { 0x8b, 0x05, 4 }.CopyTo(text, 6);
        new byte[] { 0x48, 0x8b, 0x05 }.CopyTo(text, 16);
        // Symbols: 0 first, 1 second, 2 variable, 3 read.
        return Object(0x01000007, text, new byte[DataSize],
            [
                (1, 3 | External | PcRelative | Long | (2u << 28)),
                (8, 2 | External | PcRelative | Long | (1u << 28)),
                (19, 2 | External | PcRelative | Long | (3u << 28)),
            ],
            [
                (0, 1 | External | Quad),
                (16, 2 | External | Quad | (5u << 28)),
                (16, 1 | External | Quad),
            ]);
    }

    private static byte[] Arm()
    {
        byte[] text = new byte[TextSize];
        uint[] instructions = [0x94000000, 0x90000000, 0x91000000, 0x90000000, 0xf9400000, 0xd65f03c0];
        for (int i = 0; i < instructions.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(text.AsSpan(4 * i), instructions[i]);
        return Object(0x0100000c, text, new byte[DataSize],
            [
                (0, 3 | External | PcRelative | Long | (2u << 28)),
                (4, 4 | Long | (10u << 28)),
                (4, 2 | External | PcRelative | Long | (3u << 28)),
                (8, 4 | Long | (10u << 28)),
                (8, 2 | External | Long | (4u << 28)),
                (12, 2 | External | PcRelative | Long | (5u << 28)),
                (16, 2 | External | Long | (6u << 28)),
            ],
            []);
    }

    /// <summary>An object with __text, __data, the symbols first, second (local), variable and read, and a load command of macOS 11.</summary>
    private static byte[] Object(uint cpu, byte[] text, byte[] data, (uint Offset, uint Word)[] textRelocs, (uint Offset, uint Word)[] dataRelocs)
    {
        const int Sections = 2;
        const int CommandsSize = 72 + (80 * Sections) + 24 + 24;
        const int Content = 32 + CommandsSize;
        byte[] names = Encoding.ASCII.GetBytes("\0_first\0_second\0_variable\0_read\0");
        int relocs = Content + text.Length + data.Length;
        int symbols = relocs + (8 * (textRelocs.Length + dataRelocs.Length));
        using MemoryStream stream = new();
        using BinaryWriter w = new(stream);
        Words(0xfeedfacf, cpu, 0, 1, 3, CommandsSize, 0, 0);

        Words(0x19, 72 + (80 * Sections));
        Name("");
        Longs(0, (ulong)(text.Length + data.Length), Content, (ulong)(text.Length + data.Length));
        Words(7, 7, Sections, 0);
        SectionOf("__text", "__TEXT", 0, text.Length, relocs, textRelocs.Length);
        SectionOf("__data", "__DATA", text.Length, data.Length, relocs + (8 * textRelocs.Length), dataRelocs.Length);
        Words(0x32, 24, 1, 0x0b0000, 0x0b0000, 0);
        Words(0x2, 24, (uint)symbols, 4, (uint)(symbols + (4 * 16)), (uint)names.Length);
        w.Write(new byte[Content - stream.Position]);

        w.Write(text);
        w.Write(data);
        foreach ((uint offset, uint word) in textRelocs.Concat(dataRelocs))
            Words(offset, word);
        SymbolOf(1, 0x0f, 1, 0);
        SymbolOf(8, 0x0e, 1, 16);
        SymbolOf(16, 0x0f, 2, (ulong)text.Length + 8);
        SymbolOf(26, 0x01, 0, 0);
        w.Write(names);
        return stream.ToArray();

        void Words(params ReadOnlySpan<uint> words)
        {
            foreach (uint v in words)
                w.Write(v);
        }

        void Longs(params ReadOnlySpan<ulong> longs)
        {
            foreach (ulong v in longs)
                w.Write(v);
        }

        void Name(string name) => w.Write(Encoding.ASCII.GetBytes(name.PadRight(16, '\0')));

        void SectionOf(string name, string segment, int address, int size, int relocOffset, int relocCount)
        {
            Name(name);
            Name(segment);
            Longs((ulong)address, (ulong)size);
            Words((uint)(Content + address), 4, (uint)relocOffset, (uint)relocCount, 0, 0, 0, 0);
        }

        void SymbolOf(uint name, byte type, byte section, ulong value)
        {
            w.Write(name);
            w.Write(type);
            w.Write(section);
            w.Write((ushort)0);
            w.Write(value);
        }
    }
}
