using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using AotLinker.Cli;
using AotLinker.Compression;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Resolve;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Tests.Synthesize.Dwarf;

/// <summary>The debug information of a small program, read back by someone who did not write it.</summary>
public sealed class DwarfProgramTests
{
    private const int TextStart = 0x401000, DataStart = 0x500000;
    private const int AtLocation = 0x02, AtType = 0x49, AtElem = 0x2902, AtKey = 0x2901, AtOrigin = 0x31, AtRanges = 0x55, AtRuntimeType = 0x2904;

    public static TheoryData<string, string> Variants => new()
    {
        { "go1.25.3", "" }, { "go1.25.3", "noswissmap" }, { "go1.26.5", "" }, { "go1.27.4", "" }, { "go1.27.4", "nodwarf5" },
    };

    [Theory]
    [MemberData(nameof(Variants))]
    public void EveryReferenceMeetsADie(string version, string experiment)
    {
        Program program = new(version, experiment, 2, 0);
        List<DieReader.Die> units = program.ReadUnits();
        Dictionary<int, DieReader.Die> dies = units.SelectMany(u => u.All).ToDictionary(d => d.Offset);
        int references = 0;
        foreach (DieReader.Die die in dies.Values)
        {
            foreach (int name in (ReadOnlySpan<int>)[AtType, AtElem, AtKey, AtOrigin])
            {
                if (die.Attributes.TryGetValue(name, out object? value))
                {
                    Assert.True(dies.ContainsKey((int)(ulong)value), $"{die.Name} refers to {value:x}");
                    references++;
                }
            }
        }
        Assert.True(references > 100);
        Assert.Equal("T2", dies[Reference(Find(units, "b.f1").Children[0], AtType)].Name);
    }

    [Fact]
    public void UnitsStandWhereGoSortLeavesThemAndTypesInTheRuntime()
    {
        List<DieReader.Die> units = new Program("go1.27.4", "", 1, 0).ReadUnits();
        Assert.Equal(["a", "b", "runtime", "vars"], units.Select(u => u.Name));
        Assert.Equal("Go cmd/compile go1.27.4", units[0].Attributes[0x25]);
        Assert.All(units, u => Assert.Equal(u.Name == "runtime", u.Children.Exists(c => c.Tag == 0x3b)));
    }

    [Fact]
    public void TypesAreNumberedInTheOrderOfFirstUse()
    {
        List<DieReader.Die> types = Types(new Program("go1.27.4", "", 1, 0).ReadUnits());
        // What every program has; what debuggers inspect; then package a's first local.
        Assert.Equal(["<unspecified>", "unsafe.Pointer", "uintptr", "internal/abi.Type", "internal/abi.Type", "int"], types.Take(6).Select(t => t.Name));
        int at = types.FindIndex(t => t.Name == "T1");
        // Each type before those it refers to, the first field's before the second's; names of types directly behind them.
        Assert.Equal(["T1", "T1", "T2", "T2", "[]T1", "func(int, ...T1) *T2", "func(int, ...T1) *T2", "*T2", "[3]uint8", "uint8", "map[string]T1",
            "string", "chan T2"], types.Skip(at).Take(13).Select(t => t.Name));
    }

    [Fact]
    public void MapsAndChannelsGetTheRuntimesStructures()
    {
        List<DieReader.Die> units = new Program("go1.27.4", "", 1, 0).ReadUnits();
        List<DieReader.Die> types = Types(units);
        Dictionary<int, DieReader.Die> dies = units.SelectMany(u => u.All).ToDictionary(d => d.Offset);
        DieReader.Die map = types.Single(t => t.Name == "map[string]T1");
        DieReader.Die pointer = dies[Reference(map, AtType)];
        Assert.Equal("*map<string,T1>", pointer.Name);
        DieReader.Die made = dies[Reference(pointer, AtType)];
        Assert.Equal(["used", "dirPtr"], made.Children.Select(c => c.Name));
        Assert.Equal("**table<string,T1>", dies[Reference(made.Children[1], AtType)].Name);
        DieReader.Die groups = dies[Reference(types.Single(t => t.Name == "table<string,T1>").Children[1], AtType)];
        Assert.Equal("groupReference<string,T1>", groups.Name);
        Assert.Equal("*uint8", dies[Reference(groups.Children[0], AtType)].Name);
        DieReader.Die channel = types.Single(t => t.Name == "chan T2");
        Assert.Equal("*hchan<T2>", dies[Reference(channel, AtType)].Name);
        Assert.Equal("T2", dies[Reference(channel, AtElem)].Name);
        Assert.Equal("waitq<T2>", dies[Reference(types.Single(t => t.Name == "hchan<T2>").Children[2], AtType)].Name);
        DieReader.Die slice = types.Single(t => t.Name == "[]T1");
        Assert.Equal(["*T1", "int", "int"], slice.Children.Select(c => dies[Reference(c, AtType)].Name));
        Assert.Equal(["str", "len"], types.Single(t => t.Name == "string").Children.Select(c => c.Name));
        DieReader.Die function = types.Single(t => t.Name == "func(int, ...T1) *T2" && t.Tag == 0x15);
        Assert.Equal([0x05, 0x05, 0x18, 0x05], function.Children.Select(c => c.Tag));
    }

    [Fact]
    public void AddressesAndDescriptorsAreRelocated()
    {
        Program program = new("go1.27.4", "", 1, 0);
        List<DieReader.Die> units = program.ReadUnits();
        byte[] location = (byte[])Find(units, "vars.x").Attributes[AtLocation];
        Assert.Equal(3, location[0]);
        Assert.Equal((ulong)program.Value("vars.x"), BinaryPrimitives.ReadUInt64LittleEndian(location.AsSpan(1)));
        DieReader.Die type = Types(units).First(t => t.Name == "T1");
        Assert.Equal((ulong)(program.Value("type:T1") - DataStart), (ulong)type.Attributes[AtRuntimeType]);
        // The second function of b is the second entry of its addresses, behind the header and package a's.
        byte[] addresses = program.Read(".debug_addr");
        ulong low = (ulong)Find(units, "b.f1").Attributes[0x11];
        Assert.Equal(1ul, low);
        int start = (int)(ulong)units[1].Attributes[0x73];
        Assert.Equal((ulong)program.Value("b.f1"), BinaryPrimitives.ReadUInt64LittleEndian(addresses.AsSpan(start + (8 * (int)low))));
        Assert.Equal((uint)(addresses.Length - 4), BinaryPrimitives.ReadUInt32LittleEndian(addresses));
    }

    [Fact]
    public void FunctionsFindTheirListsAndInlinedCallsTheirOrigin()
    {
        Program program = new("go1.27.4", "", 1, 0);
        List<DieReader.Die> units = program.ReadUnits();
        DieReader.Die function = Find(units, "a.f1");
        byte[] locations = program.Read(".debug_loclists"), ranges = program.Read(".debug_rnglists");
        int at = (int)(ulong)function.Children[0].Attributes[AtLocation];
        Assert.Equal([1, 1, 4, 1, 9, 1, 0x50, 0], locations[at..(at + 8)]);
        DieReader.Die block = function.Children[1];
        at = (int)(ulong)block.Attributes[AtRanges] - 1;
        Assert.Equal([1, 1, 4, 1, 9, 0], ranges[at..(at + 6)]);
        DieReader.Die origin = units.SelectMany(u => u.All).Single(d => d.Offset == Reference(block.Children[0], AtOrigin));
        Assert.Equal("shared", origin.Name);
        Assert.Same(units[0].Children.Single(c => c.Name == "shared"), origin);
        // Package a's own range: base, one pair from its first function to the end of its last.
        at = (int)(ulong)units[0].Attributes[AtRanges];
        Assert.Equal([1, 0x80, 0x80, 0x80, 0x00, 4, 0, 52, 0], ranges[at..(at + 9)]);
    }

    [Fact]
    public void LineTablesNameFilesByDirectory()
    {
        Program program = new("go1.27.4", "", 1, 0);
        byte[] lines = program.Read(".debug_line");
        string text = Encoding.Latin1.GetString(lines);
        Assert.Equal((uint)lines.Length, SumOfUnits(lines));
        Assert.Contains("\x03.\0/go/src/a\0/src/b\0", text);
        Assert.Contains("?\0\0one.go\0\x01two.go\0\x02three.go\0\x01<missing>_3\0\0", text);
        // Each function's program begins with its address.
        Assert.Contains("\0\x09\x02" + Latin1((ulong)program.Value("a.f0")), text);
        Assert.Equal("\x01/go/src/runtime/runtime-gdb.py\0", Encoding.Latin1.GetString(program.Read(".debug_gdb_scripts")));
    }

    [Fact]
    public void FramesFollowTheStackPointer()
    {
        Program program = new("go1.27.4", "", 1, 0);
        byte[] frames = program.Read(".debug_frame");
        Assert.Equal("10000000ffffffff0300017c100c070805100200", Convert.ToHexStringLower(frames[..20]));
        byte[] first = frames[20..60];
        Assert.Equal(36, first[0]);
        Assert.Equal((ulong)program.Value("a.f0"), BinaryPrimitives.ReadUInt64LittleEndian(first.AsSpan(8)));
        Assert.Equal(20ul, BinaryPrimitives.ReadUInt64LittleEndian(first.AsSpan(16)));
        // def_cfa_offset_sf -2, advance 4; -6, advance 12; -2, advance 3; padding.
        Assert.Equal("137e44137a4c137e4300000000000000", Convert.ToHexStringLower(first[24..]));
        Assert.Equal(20 + (6 * 40), frames.Length);
    }

    [Theory]
    [InlineData("go1.26.5", "")]
    [InlineData("go1.27.4", "nodwarf5")]
    public void BytesDoNotDependOnThreads(string version, string experiment)
    {
        Program one = new(version, experiment, 1, 0);
        foreach ((int threads, int shuffle) in ((int, int)[])[(1, 5), (2, 0), (2, 9), (16, 3)])
        {
            Program other = new(version, experiment, threads, shuffle);
            Assert.Equal(one.SectionNames, other.SectionNames);
            foreach (string section in one.SectionNames)
            {
                Assert.Equal(one.Read(section), other.Read(section));
            }
        }
    }

    [Fact]
    public void AnyPartOfASectionMayBeRead()
    {
        Program program = new("go1.27.4", "", 1, 0);
        byte[] whole = program.Read(".debug_info");
        using DwarfReader reader = new(program.Context, program.Section(".debug_info"));
        for (int from = 0; from < whole.Length; from += 97)
        {
            byte[] part = new byte[Math.Min(131, whole.Length - from)];
            reader.Read(from, part);
            Assert.Equal(whole[from..(from + part.Length)], part);
        }
    }

    /// <summary>Constants of a package are one piece, and may be a large one.</summary>
    [Fact]
    public void APieceReadInPartsIsMadeOnce()
    {
        Program program = new("go1.27.4", "", 1, 0);
        Pieces section = new([10, 1000, 20]);
        using DwarfReader reader = new(program.Context, section);
        byte[] read = new byte[1030];
        for (int at = 0; at < read.Length;)
        {
            at += reader.ReadOn(at, read.AsSpan(at, Math.Min(100, read.Length - at)), Math.Min(64, read.Length - at));
        }
        Assert.Equal(Enumerable.Range(0, 1030).Select(i => (byte)i), read);
        Assert.Equal([1, 1, 1], section.Made);
        // Another that is cut takes the place of the first.
        reader.Read(5, read.AsSpan(0, 3));
        reader.Read(500, read.AsSpan(3, 3));
        reader.Read(7, read.AsSpan(6, 3));
        Assert.Equal([5, 6, 7, 244, 245, 246, 7, 8, 9], read[..9]);
        Assert.Equal([3, 2, 1], section.Made);
    }

    [Fact]
    public void NamesLookedUpTogetherAreFoundAsOneByOne()
    {
        SymbolTable symbols = new Program("go1.27.4", "", 1, 0).Context.Symbols;
        string[] names = ["type:T1", "", "type:nobody", "a.f0", "type:T1", "go:info.T1", "type:T2", "type:T"];
        int[] ends = new int[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            ends[i] = names[i].Length + (i == 0 ? 0 : ends[i - 1]);
        }
        SymbolId[] found = new SymbolId[names.Length];
        symbols.Lookup(Encoding.UTF8.GetBytes(string.Concat(names)), ends, found);
        Assert.Equal(names.Select(name => symbols.Lookup(Encoding.UTF8.GetBytes(name), 0)), found);
        Assert.Equal([true, false, false, true, true, true, true, false], found.Select(s => !s.IsNone));
    }

    [Fact]
    public void WhoReadsOnGetsWholePiecesWhereThereIsRoom()
    {
        Program program = new("go1.27.4", "", 1, 0);
        DwarfSection section = program.Section(".debug_info");
        byte[] whole = program.Read(".debug_info");
        byte[] room = new byte[whole.Length];
        using DwarfReader reader = new(program.Context, section);
        Assert.Equal(section.PieceStart(1), reader.ReadOn(0, room, 1));
        Assert.Equal(whole[..(int)section.PieceStart(1)], room[..(int)section.PieceStart(1)]);
        // No room for the piece.
        Assert.Equal(10, reader.ReadOn(0, room.AsSpan(0, 11), 10));
        // From within it.
        Assert.Equal(7, reader.ReadOn(5, room, 7));
        Assert.Equal(whole[5..12], room[..7]);
    }

    [Theory]
    [InlineData("go1.26.5")]
    [InlineData("go1.27.4")]
    public void CompressedSectionsAreSmallerAndHoldTheSame(string version)
    {
        Program program = new(version, "", 2, 0);
        byte[] info = program.Read(".debug_info");
        DwarfSections dwarf = program.Context.Dwarf!;
        long size = 0;
        dwarf.AllocateSections(program.Context, ref size);
        program.Context.SegmentOrder.Add(program.Context.DwarfSegment);
        Sheet sheet = new();
        DwarfSection section = program.Section(".debug_info"), scripts = program.Section(".debug_gdb_scripts");
        byte[] unchanged = program.Read(".debug_gdb_scripts");
        List<DwarfSection> sections = dwarf.Sections;
        dwarf.Compress(program.Context, sheet.Write);
        Assert.True(section.Output.Compressed);
        Assert.Equal(".debug_info", section.Output.Name);
        byte[] file = sheet.Read(program.Context, section);
        Assert.Equal((ulong)file.Length, section.Output.Length);
        Assert.Equal((1ul, (ulong)info.Length, 1ul), (BinaryPrimitives.ReadUInt64LittleEndian(file),
            BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(8)), BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(16))));
        using ZLibStream stream = new(new MemoryStream(file[24..]), CompressionMode.Decompress);
        MemoryStream inflated = new();
        stream.CopyTo(inflated);
        Assert.Equal(info, inflated.ToArray());
        // Too small to gain anything.
        Assert.False(scripts.Output.Compressed);
        Assert.Equal(unchanged, sheet.Read(program.Context, scripts));
        Assert.Empty(dwarf.Sections);
        Assert.Equal(sections.Sum(s => (long)s.Output.Length), (long)program.Context.DwarfSegment.Length);
    }

    /// <summary>Streams come in pieces and in any order; each goes to the file when those before it are all there.</summary>
    [Fact]
    public void SectionsWaitForThoseBeforeThem()
    {
        Program program = new("go1.27.4", "", 1, 0);
        LinkContext ctx = program.Context;
        long size = 0;
        ctx.Dwarf!.AllocateSections(ctx, ref size);
        // Long enough for more than one block of what waits.
        Pieces lines = new([200_000]) { Output = program.Section(".debug_line").Output };
        List<DwarfSection> sections = [program.Section(".debug_info"), program.Section(".debug_gdb_scripts"), lines];
        Sheet sheet = new();
        using CompressedSections sink = new(ctx, sections, sheet.Write);
        using NativeBuffer buffer = new();
        string line = new('l', 100_000), tooLong = new('x', (int)sections[1].Size - 24);

        Assert.Equal((99_990, 0), (Take(2, line[..99_990]), sheet.Length));
        Assert.Equal((0, 24 + 3), (Take(0, "abc"), sheet.Length));
        Assert.Equal(100_000, Take(2, line[99_990..], last: true));
        // What is not smaller will be written as it is, and not waited for.
        Assert.Equal(0, Take(1, tooLong));
        Assert.Equal(0, Take(1, tooLong, last: true));
        Assert.Equal(24 + 3, sheet.Length);
        Assert.Equal(0, Take(0, "d"));
        Assert.Equal(0, Take(0, "e", last: true));

        Assert.Equal("abcde"u8, sheet.Read(ctx, sections[0]).AsSpan(24));
        Assert.Equal(program.Read(".debug_gdb_scripts"), sheet.Read(ctx, sections[1]));
        Assert.Equal(Encoding.ASCII.GetBytes(line), sheet.Read(ctx, sections[2])[24..]);
        Assert.Equal([true, false, true], sections.Select(s => s.Output.Compressed));
        Assert.Equal((24 + 5 + sections[1].Size, 24ul + 100_000), ((long)(sections[2].Output.Vaddr - sections[0].Output.Vaddr), sections[2].Output.Length));

        long Take(int stream, string text, bool last = false)
        {
            buffer.Append(Encoding.ASCII.GetBytes(text));
            long waiting = sink.Take(stream, buffer, last);
            Assert.Equal(0, buffer.Length);
            return waiting;
        }
    }

    [Fact]
    public void AMissingTypeEndsTheLink()
    {
        LinkException e = Assert.Throws<LinkException>(() => new Program("go1.27.4", "", 1, 0, without: "type:runtime.iface"));
        Assert.Equal("dwarf: missing type: type:runtime.iface", e.Message);
    }

    [Fact]
    public void AUnitWhoseFunctionsHaveNoRecordsIsAnErrorThatNamesItsFile()
    {
        LinkException e = Assert.Throws<LinkException>(() => new Program("go1.27.4", "", 1, 0, records: false));
        Assert.Equal(2, e.ExitCode);
        Assert.EndsWith(": no function of package b has a function record", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AReferenceToATypeNobodyHasIsUndefined()
    {
        Program program = new("go1.27.4", "", 1, 0, local: "nowhere");
        program.Read(".debug_info");
        program.Context.Diagnostics.Flush();
        Assert.Contains("relocation target go:info.nowhere not defined", program.Errors);
    }

    /// <summary>A section of pieces of given sizes, whose bytes count up.</summary>
    private sealed class Pieces(int[] sizes) : DwarfSection(".debug_line")
    {
        public int[] Made { get; } = new int[sizes.Length];

        public override long Size => sizes.Sum();

        public override int PieceCount => sizes.Length;

        public override long PieceStart(int piece) => sizes.Take(piece).Sum();

        public override void Fill(LinkContext ctx, int piece, Span<byte> content)
        {
            Made[piece]++;
            Assert.Equal(sizes[piece], content.Length);
            for (int i = 0; i < content.Length; i++)
            {
                content[i] = (byte)(PieceStart(piece) + i);
            }
        }
    }

    /// <summary>A file.</summary>
    private sealed class Sheet
    {
        private readonly MemoryStream _bytes = new();

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            _bytes.Position = offset;
            _bytes.Write(bytes);
        }

        public byte[] Read(LinkContext ctx, DwarfSection section) =>
            _bytes.ToArray().AsSpan((int)ctx.DwarfSegment.OffsetOf(section.Output.Vaddr), (int)section.Output.Length).ToArray();

        public long Length => _bytes.Length;
    }

    private static uint SumOfUnits(byte[] lines)
    {
        uint at = 0;
        while (at < lines.Length)
        {
            at += 4 + BinaryPrimitives.ReadUInt32LittleEndian(lines.AsSpan((int)at));
        }
        return at;
    }

    private static string Latin1(ulong value) => Encoding.Latin1.GetString(BitConverter.GetBytes(value));

    private static int Reference(DieReader.Die die, int attribute) => (int)(ulong)die.Attributes[attribute];

    private static DieReader.Die Find(List<DieReader.Die> units, string name) => units.SelectMany(u => u.All).Single(d => d.Name == name);

    private static List<DieReader.Die> Types(List<DieReader.Die> units)
    {
        DieReader.Die runtime = units.Single(u => u.Name == "runtime");
        return runtime.Children.SkipWhile(c => c.Tag != 0x3b).ToList();
    }

    /// <summary>Four packages, collected and arranged; addresses are simply dealt out.</summary>
    private sealed class Program
    {
        private readonly MemoryStream _errors = new();

        public Program(string version, string experiment, int threads, int shuffle, string? without = null, string local = "T1", bool records = true)
        {
            Dictionary<string, string> variables = new() { ["GOOS"] = "linux", ["GOARCH"] = "amd64", ["GOROOT"] = "/go", ["GOEXPERIMENT"] = experiment };
            LinkOptions options = LinkOptions.Parse("link", ["main.a"], variables.GetValueOrDefault, Toolchain.FromVersion(version));
            Release release = options.Release!.With(options.Experiments);
            Target target = new()
            {
                Goos = "linux",
                Goarch = "amd64",
                Cpu = new AotLinker.Cpu.Amd64(),
                HeadType = HeadType.Linux,
                BuildMode = BuildMode.Exe,
                LinkMode = LinkMode.Internal,
            };
            Context = new LinkContext
            {
                Options = options,
                Target = target,
                Release = release,
                Workers = new Workers(threads, shuffle),
                Symbols = new SymbolTable(release, target),
                Settings = new LinkSettings(),
                Format = TargetRegistry.Format(target, release, options)!,
                Diagnostics = new Diagnostics("link", _errors, new MemoryStream()),
            };
            ReadOnlyMemory<byte> kinds = release.RelocKinds.ToArray();
            bool dwarf5 = experiment != "nodwarf5";
            SampleObject a = new SampleObject("a", kinds, dwarf5).Function("a.f0", local).Function("a.f1", "*T2", "shared", "[3]uint8").Abstract("shared", "[]T1")
                .AddFile("gofile..$GOROOT/src/a/one.go").AddFile("gofile../src/x/../b/two.go").AddFile("gofile..$GOROOT/src/./a/three.go").AddFile("");
            SampleObject b = new SampleObject("b", kinds, dwarf5).Function("b.f0", "map[string]T1").Function("b.f1", "T2", "shared").Abstract("shared", "[]T1")
                .Constant("b.C", "int").Variable("b.v", "chan T2");
            SampleObject vars = new SampleObject("vars", kinds, dwarf5).Variable("vars.x", "T1").Variable("vars.y", "error");
            SampleObject runtime = new SampleObject("runtime", kinds, dwarf5).Function("runtime.f0", "uintptr").Function("runtime.f1", "uint8")
                .AddFile("gofile..$GOROOT/src/runtime/proc.go").RuntimeTypes();
            runtime.Struct("T1", ("next", "T2"), ("m", "map[string]T1"), ("c", "chan T2"))
                .Struct("T2", ("+T3", "[]T1"), ("f", "func(int, ...T1) *T2"), ("a", "[3]uint8"))
                .Map("string", "T1", "uint8").Reference1("chan T2", GoKind.Chan, "T2").Reference1("[]T1", GoKind.Slice, "T1")
                .Func("func(int, ...T1) *T2", true, ["int", "[]T1"], ["*T2"]).Reference1("*T2", GoKind.Pointer, "T2").Interface("error", 1)
                .Type("[3]uint8", GoKind.Array, 3, [.. new byte[16], 3, 0, 0, 0, 0, 0, 0, 0], new SampleObject.Reference(48, 8, RelocKind.Addr, "type:uint8"));
            runtime.Remove(without);
            if (!records)
            {
                b.RemoveRecords();
            }
            Load(a, b, vars, runtime);
            DwarfSections.Collect(Context, isEnabled: true);
            DealOutAddresses();
            Context.Dwarf!.Arrange(Context);
        }

        public LinkContext Context { get; }

        public string Errors => Encoding.UTF8.GetString(_errors.ToArray());

        public IEnumerable<string> SectionNames => Context.Dwarf!.Sections.Select(s => s.Name);

        public DwarfSection Section(string name) => Context.Dwarf!.Sections.Single(s => s.Name == name);

        public long Value(string name) => Context.Symbols.Value(Context.Symbols.Lookup(Encoding.UTF8.GetBytes(name), 0));

        public byte[] Read(string name)
        {
            DwarfSection section = Section(name);
            byte[] content = new byte[section.Size];
            using DwarfReader reader = new(Context, section);
            reader.Read(0, content);
            return content;
        }

        public List<DieReader.Die> ReadUnits() => DieReader.ReadUnits(Read(".debug_info"), Read(".debug_abbrev"));

        private void Load(params SampleObject[] samples)
        {
            GoObject[] objects = new GoObject[samples.Length + SymbolTable.FirstObject];
            for (int i = 0; i < samples.Length; i++)
            {
                int index = i + SymbolTable.FirstObject;
                GoObject o = objects[index] = samples[i].Open(index);
                o.Unit.Object = o;
                o.Package.Units.Add(o.Unit);
                Context.Packages.Add(o.Package);
            }
            Resolver.Run(Context, objects, new ResolveOptions(false, false, false, _ => { }));
            SymbolTable symbols = Context.Symbols;
            for (int i = 1; i < symbols.ExternalStart; i++)
            {
                SymbolId s = new(i);
                symbols.Set(s, SymbolTable.Attributes.Reachable);
                if (symbols.Kind(s).IsText())
                {
                    Context.Text.Add(s);
                    symbols.Unit(s)!.Text.Add(s);
                }
            }
        }

        private void DealOutAddresses()
        {
            SymbolTable symbols = Context.Symbols;
            long text = TextStart, data = DataStart;
            AotLinker.Layout.Section section = Context.AddSection(Context.RoDataSegment, ".rodata", 4);
            section.Vaddr = DataStart;
            for (int i = 1; i < symbols.ExternalStart; i++)
            {
                SymbolId s = new(i);
                if (symbols.Kind(s).IsText())
                {
                    symbols.SetValue(s, text);
                    text += 32;
                }
                else if (symbols.Kind(s) is SymbolKind.RoData or SymbolKind.NoPtrData)
                {
                    symbols.SetValue(s, data);
                    symbols.SetSectionIndex(s, section.Index);
                    data += 64;
                }
            }
        }
    }
}
