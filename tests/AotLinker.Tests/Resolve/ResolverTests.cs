using System.Runtime.CompilerServices;
using System.Text;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Resolve;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Resolve;

public sealed class ResolverTests
{
    private const byte Text = 1, RoData = 3, NoPtrData = 5, NoPtrBss = 10;
    private const byte DupOk = 1;
    private const byte Linkname = 16;

    public static TheoryData<string> Releases => ["go1.24", "go1.25", "go1.26", "go1.27"];

    [Fact]
    public void NumbersLikeASerialWalk()
    {
        LinkContext ctx = Resolve("go1.27",
            new GoObjectWriter("a").Define("a.f", Text, 1).Define("a.g", Text, 1).DefineNamed("n", NoPtrData, 8, [1]).Refer("u").Refer("a.f"),
            new GoObjectWriter("b").Define("b.f", Text, 1).DefineHashed(7, RoData, 1, [1]).DefineNamed("m", NoPtrData, 8, [1]).Refer("v").Refer("u"));

        string[] names = new string[ctx.Symbols.Count];
        for (int i = 1; i < names.Length; i++)
        {
            names[i] = ctx.Symbols.NameText(new SymbolId(i));
        }
        Assert.Equal(["a.f", "a.g", "b.f", "n", "", "m", "u", "v"], names[1..]);
        Assert.Equal(7, ctx.Symbols.ExternalStart);
        Assert.Equal(new SymbolId(1), ctx.Symbols.Lookup("a.f"u8, 0));
        Assert.Equal(new SymbolId(7), ctx.Symbols.Lookup("u"u8, 0));
        Assert.Equal(SymbolId.None, ctx.Symbols.Lookup("nowhere"u8, 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void ReferencesWithoutANameAreOneSymbolWhereTheFirstStands(int threads)
    {
        // So many names that the tables grow after it was entered.
        GoObjectWriter many = new GoObjectWriter("c").Refer("");
        for (int i = 0; i < 5000; i++)
        {
            many.Refer($"w{i}");
        }
        LinkContext ctx = Resolve("go1.27", threads,
            [new GoObjectWriter("a").Define("a.f", Text, 1).Refer("u").Refer("").Refer("v").Refer(""), new GoObjectWriter("b").Refer("").Refer("u"), many]);
        SymbolId unnamed = new(3);
        Assert.Equal(["u", "", "v", "w0"], Enumerable.Range(2, 4).Select(i => ctx.Symbols.NameText(new SymbolId(i))));
        ReadOnlySpan<GoObject> objects = ctx.Symbols.Objects[SymbolTable.FirstObject..];
        Assert.Equal([2, 3, 4, 3], Ids(objects[0], 1));
        Assert.Equal([3, 2], Ids(objects[1], 0));
        Assert.Equal(unnamed.Index, objects[2].ToGlobal(0));
        Assert.Equal(unnamed, ctx.Symbols.Lookup([], 0));
        Assert.Equal(4 + 1 + 5000, ctx.Symbols.Count);

        static int[] Ids(GoObject o, int first) => [.. Enumerable.Range(first, o.SymbolCount - first).Select(o.ToGlobal)];
    }

    [Theory]
    [InlineData("go1.26", 1 << 6)]
    [InlineData("go1.27", 1 << 7)]
    public void ExportsToWebAssemblyStandInTheOrderOfASerialWalk(string release, byte export)
    {
        GoObjectWriter[] objects =
        [
            new GoObjectWriter("a").Define("a.z", Text, 1, flags2: export).DefineNamed("y", Text, 1, flags2: export).Define("a.none", Text, 1),
            new GoObjectWriter("b").DefineNamed("x", Text, 1, flags2: export).Define("b.w", Text, 1, flags2: export).DefineNamed("v", Text, 1, flags2: export),
        ];
        LinkContext ctx = Resolve(release, 4, objects);
        Assert.Equal(["a.z", "b.w", "y", "x", "v"], ctx.WasmExports.Select(ctx.Symbols.NameText));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void OfTwoDupOkDefinitionsTheLargerStands(string release)
    {
        LinkContext ctx = Resolve(release,
            new GoObjectWriter("a").DefineNamed("d", RoData, 4, [1], DupOk),
            new GoObjectWriter("b").DefineNamed("d", RoData, 16, [1], DupOk),
            new GoObjectWriter("c").DefineNamed("d", RoData, 8, [1], DupOk));
        SymbolId s = ctx.Symbols.Lookup("d"u8, 0);
        Assert.Equal(16, ctx.Symbols.Size(s));
        Assert.Equal("b", ctx.Symbols.PackagePath(s));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void OfDefinitionsOfANameTheLargestAlignmentCountsWhicheverStands(int threads)
    {
        LinkContext ctx = Resolve("go1.27", threads,
            new GoObjectWriter("a").DefineAligned("p", RoData, 8, 4).DefineAligned("alone", RoData, 8, 64).DefineAligned("none", RoData, 8, 0)
                .DefineNamed("d", RoData, 8, [1], DupOk, align: 8).DefineNamed("e", RoData, 8, [1], DupOk, align: 32).DefineNamed("f", RoData, 8, [1], DupOk),
            new GoObjectWriter("b").DefineNamed("e", RoData, 9, [1], DupOk, align: 2).DefineNamed("d", RoData, 8, [1], DupOk, align: 16)
                .DefineNamed("f", RoData, 8, [1], DupOk, align: 4),
            new GoObjectWriter("c").DefineNamed("d", RoData, 8, [1], DupOk, align: 2).DefineNamed("p", RoData, 8, [1], DupOk, align: 128));
        Assert.Equal(
            [128, 64, 0, 16, 32, 4],
            ((string[])["p", "alone", "none", "d", "e", "f"]).Select(name => ctx.Symbols.Align(ctx.Symbols.Lookup(Encoding.UTF8.GetBytes(name), 0))));
    }

    [Fact]
    public void AnAlignmentThatIsNoPowerOfTwoIsAnError()
    {
        LinkException e = Assert.Throws<LinkException>(() => Resolve("go1.27", new GoObjectWriter("a").DefineAligned("x", RoData, 8, 3)));
        Assert.Contains("bad alignment 3", e.Message, StringComparison.Ordinal);
        Assert.Throws<LinkException>(() => Resolve("go1.27", new GoObjectWriter("a").DefineNamed("x", RoData, 8, align: 3)));
        Assert.Throws<LinkException>(() => Resolve("go1.27",
            new GoObjectWriter("a").DefineNamed("x", RoData, 8, [1], DupOk, align: 4), new GoObjectWriter("b").DefineNamed("x", RoData, 8, [1], DupOk, align: 3)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WhatAnyOccurrenceOfANameIsMarkedWithSticks(int threads)
    {
        const byte Local = 2, UsedInIface = 1;
        LinkContext ctx = Resolve("go1.27", threads,
            new GoObjectWriter("a").Define("a.f", Text, 1, flags: Local).DefineNamed("n", RoData, 8, [1], DupOk).DefineNamed("m", RoData, 8, [1], DupOk | Local),
            new GoObjectWriter("b").Refer("a.f", UsedInIface).Refer("u", flags: Local).DefineNamed("n", RoData, 8, [1], DupOk, UsedInIface).Refer("m").Refer("plain"));
        var both = SymbolTable.Attributes.Local | SymbolTable.Attributes.UsedInIface;
        Assert.Equal(
            [both, SymbolTable.Attributes.UsedInIface, SymbolTable.Attributes.Local, SymbolTable.Attributes.Local, SymbolTable.Attributes.None],
            ((string[])["a.f", "n", "m", "u", "plain"]).Select(name => MarksOf(ctx.Symbols, ctx.Symbols.Lookup(Encoding.UTF8.GetBytes(name), 0), both)));

        static SymbolTable.Attributes MarksOf(SymbolTable symbols, SymbolId s, SymbolTable.Attributes all) =>
            ((SymbolTable.Attributes[])[SymbolTable.Attributes.Local, SymbolTable.Attributes.UsedInIface])
                .Where(a => symbols.Has(s, a)).Aggregate(SymbolTable.Attributes.None, (x, y) => (x | y) & all);
    }

    // More names than are looked up at a time, repeats among them, and two versions of each.
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void NamesOfOneObjectMeetOneAnother(int threads)
    {
        GoObjectWriter a = new("a"), b = new("b");
        for (int i = 0; i < 200; i++)
        {
            a.DefineNamed($"n{i % 70}", RoData, 8, [1], DupOk).DefineNamed($"n{i % 70}", RoData, 8, [1], DupOk, abi: 1);
            b.Refer($"n{i % 100}").Refer($"n{i % 100}", abi: 1);
        }
        LinkContext ctx = Resolve("go1.27", threads, a, b);
        Assert.Equal(1 + 200, ctx.Symbols.Count);
        GoObject first = ctx.Symbols.Objects[SymbolTable.FirstObject], second = ctx.Symbols.Objects[SymbolTable.FirstObject + 1];
        for (int i = 0; i < 400; i++)
        {
            Assert.Equal(1 + (i % 140), first.ToGlobal(i));
            Assert.Equal(1 + (i % 200), second.ToGlobal(i));
        }
    }

    [Fact]
    public void OfEqualHashesTheLargerStands()
    {
        LinkContext ctx = Resolve("go1.27",
            new GoObjectWriter("a").DefineHashed(65, RoData, 1, [65]),
            new GoObjectWriter("b").DefineHashed(65, RoData, 4, [65]),
            new GoObjectWriter("c").DefineHashed(66, RoData, 1, [66]));
        Assert.Equal(3, ctx.Symbols.Count);
        Assert.Equal(4, ctx.Symbols.Size(new SymbolId(1)));
    }

    /// <summary>What has a content hash and no name is a table of pcs, unless it is code or writable: it has an id only if somebody asks.</summary>
    [Theory]
    [InlineData(false, new[] { 0, 1, 0, 2, 3 }, new[] { 0, 1, 0, 4 })]
    [InlineData(true, new[] { 1, 2, 3, 4, 5 }, new[] { 6, 2, 1, 7 })]
    public void TablesOfPcsHaveIdsOnlyIfAskedFor(bool numbersPcTables, int[] first, int[] second)
    {
        LinkContext ctx = Resolve("go1.27", 2, 0, null, [
            new GoObjectWriter("a").DefineContent(1, RoData, 1, [1]).DefineContent(2, RoData, 1, [2], "c2").DefineContent(3, RoData, 1, [3])
                .DefineContent(4, NoPtrData, 1, [4]).DefineNamed("n", RoData, 1, [5]),
            new GoObjectWriter("b").DefineContent(5, RoData, 1, [5]).DefineContent(2, RoData, 1, [2], "c2").DefineContent(1, RoData, 1, [1])
                .DefineContent(6, RoData, 1, [6], "c6")], numbersPcTables);
        int[][] ids = [.. ctx.Symbols.Objects[SymbolTable.FirstObject..].ToArray().Select(o => Enumerable.Range(0, o.SymbolCount).Select(o.ToGlobal).ToArray())];
        int named = first[^1];
        Assert.Equal(numbersPcTables ? [1, 2, 3, 4, 5] : first, ids[0]);
        Assert.Equal(second, ids[1]);
        Assert.Equal(new SymbolId(named), ctx.Symbols.Lookup("n"u8, 0));
        Assert.Equal(second.Concat(first).Max() + 1, ctx.Symbols.Count);
        GoObject b = ctx.Symbols.Objects[^1];
        SymRef table = new(SymRef.Hashed, 0);
        if (numbersPcTables)
        {
            Assert.Equal(6, ctx.Symbols.Resolve(b, table).Index);
        }
        else
        {
            foreach (SymRef reference in new[] { table, new(SymRef.Self, (uint)b.FirstHashed), new(SymRef.Hashed64, (uint)b.Hashed64Count) })
            {
                Assert.Equal(
                    "b.a(_go_.o): damaged object file: symbol reference to a table of pcs",
                    Assert.Throws<LinkException>(() => ctx.Symbols.Resolve(b, reference)).Message);
            }
        }
        Assert.Equal(b.FirstHashed + 1, ctx.Symbols.PcTable(b, table));
        Assert.Equal([5], ctx.Symbols.PcTableData(b, ctx.Symbols.PcTable(b, table)).ToArray());
        Assert.Equal(0, ctx.Symbols.PcTable(b, default));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void APlainDefinitionBeatsADupOkOne(string release)
    {
        LinkContext ctx = Resolve(release,
            new GoObjectWriter("a").DefineNamed("d", Text, 40, [1], DupOk),
            new GoObjectWriter("b").DefineNamed("d", Text, 2, [2]));
        SymbolId s = ctx.Symbols.Lookup("d"u8, 0);
        Assert.Equal(2, ctx.Symbols.Size(s));
        Assert.Equal([2], ctx.Symbols.Data(s).ToArray());
    }

    [Fact]
    public void DataBeatsZeroedDataAndKeepsTheLargerSize()
    {
        LinkContext ctx = Resolve("go1.27",
            new GoObjectWriter("a").DefineNamed("d", NoPtrBss, 32),
            new GoObjectWriter("b").DefineNamed("d", NoPtrData, 8, [1, 2, 3, 4, 5, 6, 7, 8]));
        SymbolId s = ctx.Symbols.Lookup("d"u8, 0);
        Assert.Equal(SymbolKind.NoPtrData, ctx.Symbols.Kind(s));
        Assert.Equal(32, ctx.Symbols.Size(s));
        Assert.Equal(8, ctx.Symbols.Data(s).Length);
    }

    [Fact]
    public void TextBeatsZeroedDataOfAnySize()
    {
        LinkContext ctx = Resolve("go1.27",
            new GoObjectWriter("a").DefineNamed("fn", NoPtrBss, 8),
            new GoObjectWriter("b").DefineNamed("fn", Text, 1, [0xc3]));
        Assert.Equal(SymbolKind.Text, ctx.Symbols.Kind(ctx.Symbols.Lookup("fn"u8, 0)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void TwoDefinitionsWithContentAreAnError(int threads)
    {
        LinkException e = Assert.Throws<LinkException>(() => Resolve("go1.27", threads,
            new GoObjectWriter("a").DefineNamed("d", NoPtrData, 8, [1]).DefineNamed("e", NoPtrData, 8, [1]),
            new GoObjectWriter("b").DefineNamed("d", NoPtrData, 8, [1]).DefineNamed("e", NoPtrData, 8, [1])));
        Assert.Equal("duplicated definition of symbol d, from b (type SNOPTRDATA size 8) and a (type SNOPTRDATA size 8)", e.Message);
    }

    [Fact]
    public void DifferingDuplicatesAreReportedWhenAskedFor()
    {
        List<string> reports = [];
        Resolve("go1.27", 2, reports.Add,
            new GoObjectWriter("a").DefineNamed("d", RoData, 1, [1], DupOk).DefineNamed("same", RoData, 1, [1], DupOk),
            new GoObjectWriter("b").DefineNamed("d", RoData, 1, [2], DupOk).DefineNamed("same", RoData, 1, [1], DupOk));
        Assert.Equal(
            ["cmd/link: while reading object for 'b': duplicate symbol 'd', previous def at 'a', with mismatched payload: same length but different contents"],
            reports);
    }

    [Fact]
    public void ReferencesToClosedSymbolsOfTheStandardLibraryAreRefused()
    {
        GoObjectWriter Std() => new("strings") { Flags = (uint)GoObject.ObjectFlags.Std };
        LinkException e = Assert.Throws<LinkException>(() => Resolve("go1.27",
            Std().DefineNamed("strings.secret", Text, 1, [0xc3]),
            new GoObjectWriter("main").Refer("strings.secret", Linkname)));
        Assert.Equal("main: invalid reference to strings.secret", e.Message);

        Resolve("go1.27",
            Std().DefineNamed("strings.open", Text, 1, [0xc3], flags2: Linkname),
            new GoObjectWriter("main").Refer("strings.open", Linkname));
    }

    [Fact]
    public void OfReferencesThatAreRefusedTheFirstIsNamed()
    {
        GoObjectWriter std = new GoObjectWriter("strings") { Flags = (uint)GoObject.ObjectFlags.Std }
            .DefineNamed("strings.a", Text, 1, [0xc3]).DefineNamed("strings.b", Text, 1, [0xc3]);
        GoObjectWriter[] objects =
            [std, .. Enumerable.Range(0, 300).Select(i => new GoObjectWriter($"p{i}").Refer("u", Linkname).Refer(i < 150 ? "v" : i % 2 == 0 ? "strings.a" : "strings.b", Linkname))];
        LinkException e = Assert.Throws<LinkException>(() => Resolve("go1.27", 4, objects));
        Assert.Equal("p150: invalid reference to strings.a", e.Message);
    }

    [Fact]
    public void WhatAnAssemblyFileRefersToIsCheckedWithoutAMark()
    {
        GoObjectWriter std = new GoObjectWriter("strings") { Flags = (uint)GoObject.ObjectFlags.Std }.DefineNamed("strings.a", Text, 1, [0xc3]);
        GoObjectWriter Assembly() => new GoObjectWriter("main") { Flags = (uint)GoObject.ObjectFlags.FromAssembly }.Refer("strings.a");
        Assert.Throws<LinkException>(() => Resolve("go1.27", std, Assembly()));
        Resolve("go1.26", std, Assembly());
    }

    [Fact]
    public void AMissingPackageIsAnError()
    {
        LinkException e = Assert.Throws<LinkException>(() => Resolve("go1.27", new GoObjectWriter("main").ReferPackage("gone")));
        Assert.Equal("main: reference to nonexistent package gone", e.Message);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(16, 0)]
    [InlineData(1, 7)]
    [InlineData(16, 99)]
    public void ThreadsAndOrderOfWorkDoNotShow(int threads, int shuffle)
    {
        string serial = Dump(Resolve("go1.27", 1, 0, null, Random(1)));
        Assert.Equal(serial, Dump(Resolve("go1.27", threads, shuffle, null, Random(1))));
    }

    [Fact]
    public unsafe void ManyChangedRelocationsOfOneFunctionMoveSeldom()
    {
        const int Count = 6000;
        ushort call = (ushort)Release.ForVersion("go1.27")!.RelocKinds.IndexOf((byte)RelocKind.Call);
        GoObjectWriter.Reloc[] relocs = [.. Enumerable.Range(0, Count).Select(i => new GoObjectWriter.Reloc(4 * i, 4, call, 0, SymRef.Self, 0))];
        LinkContext ctx = Resolve("go1.27", new GoObjectWriter("a").Define("a.f", Text, 4 * Count, null, 0, 0, relocs).Define("a.g", Text, 64));
        SymbolId f = ctx.Symbols.Lookup("a.f"u8, 0), g = ctx.Symbols.Lookup("a.g"u8, 0);
        nint place = 0;
        int moves = 0;
        for (int i = 0; i < Count; i++)
        {
            ctx.Symbols.Update(f).SetRelocTarget(i, g);
            nint now = (nint)Unsafe.AsPointer(ref ctx.Symbols.ChangeReloc(f, 0));
            moves += now == place ? 0 : 1;
            place = now;
        }
        Assert.InRange(moves, 1, 10);
        RelocList list = ctx.Symbols.Relocs(f);
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(4 * i, ctx.Symbols.Relocs(f)[i].Offset));
        Assert.Equal(g, list.Target(0));
        Assert.Equal(g, list.Target(Count - 1));
    }

    // Many objects with clashing names, sizes and hashes, the same for a given seed.
    [Theory]
    [InlineData("go1.26")]
    [InlineData("go1.27")]
    public void RelocationsAreChangedOneByOneInPlaceOfTheirOrigins(string release)
    {
        ReadOnlySpan<byte> kinds = Release.ForVersion(release)!.RelocKinds;
        ushort call = (ushort)kinds.IndexOf((byte)RelocKind.Call), weak = (ushort)(kinds.IndexOf((byte)RelocKind.Addr) | RelocFlags.Weak);
        GoObjectWriter.Reloc[] relocs =
            [.. Enumerable.Range(0, 9).Select(i => new GoObjectWriter.Reloc(4 * i, 4, i % 2 == 0 ? call : weak, i, SymRef.Self, (uint)(i % 3)))];
        GoObjectWriter Object(string name) => new GoObjectWriter(name)
            .Define(name + ".f", Text, 64, null, 0, 0, relocs).Define(name + ".g", Text, 64, null, 0, 0, relocs).Define(name + ".h", Text, 64);
        LinkContext ctx = Resolve(release, Object("a"), Object("b"));
        SymbolTable symbols = ctx.Symbols;
        SymbolId f = symbols.Lookup("a.f"u8, 0), g = symbols.Lookup("a.g"u8, 0), h = symbols.Lookup("b.h"u8, 0), trampoline = symbols.Lookup("b.f"u8, 0);

        // By turns, out of order and twice, so that changes are inserted and move.
        Dictionary<(SymbolId, int), long> changed = [];
        foreach ((SymbolId s, int i) in (ReadOnlySpan<(SymbolId, int)>)[(f, 4), (f, 7), (g, 1), (f, 0), (g, 8), (g, 1), (f, 5), (f, 4)])
        {
            SymbolBuilder b = symbols.Update(s);
            b.SetRelocKind(i, RelocKind.RiscvJalTramp);
            b.SetRelocTarget(i, trampoline);
            b.SetRelocAddend(i, changed[(s, i)] = 100 + changed.Count);
            CheckAll();
        }
        Assert.Null(symbols.Content(f));

        // An added relocation needs a list of its own; what was changed stays changed.
        symbols.Update(f).AddReloc(RelocKind.Addr, 60, 4, h, 5);
        Assert.NotNull(symbols.Content(f));
        CheckAll();
        symbols.Update(f).SetRelocAddend(2, changed[(f, 2)] = 77);
        Assert.Equal(77, symbols.Relocs(f)[2].Addend);
        Assert.Equal(RelocKind.Call, symbols.Relocs(f).Kind(2));

        void CheckAll()
        {
            foreach (SymbolId s in (SymbolId[])[f, g, trampoline])
            {
                RelocList list = symbols.Relocs(s);
                for (int i = 0; i < relocs.Length; i++)
                {
                    bool isChanged = changed.TryGetValue((s, i), out long addend);
                    Assert.Equal(4 * i, list[i].Offset);
                    Assert.Equal(isChanged ? RelocKind.RiscvJalTramp : i % 2 == 0 ? RelocKind.Call : RelocKind.Addr, list.Kind(i));
                    Assert.Equal(isChanged ? addend : i, list[i].Addend);
                    Assert.Equal(!isChanged && i % 2 != 0, list[i].IsWeak);
                    int own = s == trampoline ? trampoline.Index : f.Index;
                    Assert.Equal(isChanged ? trampoline.Index : own + (i % 3), list.Target(i).Index);
                }
            }
        }
    }

    private static GoObjectWriter[] Random(int seed)
    {
        Random random = new(seed);
        GoObjectWriter[] objects = new GoObjectWriter[40];
        for (int i = 0; i < objects.Length; i++)
        {
            GoObjectWriter w = new($"p{i}");
            for (int k = 0; k < 30; k++)
            {
                w.Define($"p{i}.s{k}", Text, 1);
                w.DefineHashed((ulong)random.Next(200), RoData, (uint)random.Next(1, 9), [1]);
                w.DefineContent((ulong)random.Next(300), RoData, (uint)random.Next(1, 9), [1], random.Next(2) == 0 ? "" : "c");
                w.DefineNamed($"n{random.Next(100)}", RoData, (uint)random.Next(1, 50), [1], DupOk);
                w.Refer(random.Next(2) == 0 ? $"u{random.Next(60)}" : $"p{random.Next(40)}.s{random.Next(40)}");
            }
            objects[i] = w;
        }
        return objects;
    }

    private static string Dump(LinkContext ctx)
    {
        StringBuilder text = new();
        for (int i = 1; i < ctx.Symbols.Count; i++)
        {
            SymbolId s = new(i);
            text.Append(i).Append(' ').Append(ctx.Symbols.NameText(s)).Append(' ').Append(ctx.Symbols.Size(s)).Append(' ')
                .Append(ctx.Symbols.PackagePath(s)).Append('\n');
        }
        foreach (GoObject o in ctx.Symbols.Objects[SymbolTable.FirstObject..])
        {
            for (int i = 0; i < o.SymbolCount; i++)
            {
                text.Append(o.ToGlobal(i)).Append(' ');
            }
        }
        return text.ToString();
    }

    private static LinkContext Resolve(string release, params GoObjectWriter[] objects) => Resolve(release, 2, objects);

    private static LinkContext Resolve(string release, int threads, params GoObjectWriter[] objects) =>
        Resolve(release, threads, 0, null, objects);

    private static LinkContext Resolve(string release, int threads, Action<string> report, params GoObjectWriter[] objects) =>
        Resolve(release, threads, 0, report, objects);

    private static LinkContext Resolve(
        string release, int threads, int shuffle, Action<string>? report, GoObjectWriter[] objects, bool numbersPcTables = false)
    {
        Release r = Release.ForVersion(release)!;
        Target target = new() { Goos = "linux", Goarch = "amd64", Cpu = new AotLinker.Cpu.Amd64(), HeadType = HeadType.Linux, BuildMode = BuildMode.Exe };
        LinkContext ctx = new()
        {
            Target = target,
            Release = r,
            Workers = new Workers(threads, shuffle),
            Symbols = new SymbolTable(r, target),
            Settings = new LinkSettings(),
        };
        GoObject[] opened = new GoObject[objects.Length + SymbolTable.FirstObject];
        for (int i = 0; i < objects.Length; i++)
        {
            opened[i + SymbolTable.FirstObject] = objects[i].Open(i + SymbolTable.FirstObject);
        }
        Resolver.Run(ctx, opened, new ResolveOptions(true, report is not null, numbersPcTables, report ?? (_ => { })));
        return ctx;
    }
}
