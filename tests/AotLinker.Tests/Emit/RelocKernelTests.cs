using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Emit;

public class RelocKernelTests
{
    private const byte Text = 1, RoData = 3, NoPtrData = 5;

    // Content that is not relocated.
    private const byte Old = 0xee;

    private const int Length = 64;

    // Where offsets of the only section count from. The symbol with an id lies so many pages behind.
    private const long SectionStart = 0x400000;
    private const long F = SectionStart + 0x1000, G = SectionStart + 0x2000;

    public static TheoryData<string> Cpus => ["amd64", "386", "mips", "mips64", "ppc64", "s390x"];

    [Theory]
    [InlineData(nameof(RelocKind.Call), 4, G + 5 - (F + 8 + 4))]
    [InlineData(nameof(RelocKind.PcRel), 4, G + 5 - (F + 8 + 4))]
    [InlineData(nameof(RelocKind.Addr), 4, G + 5)]
    [InlineData(nameof(RelocKind.Addr), 8, G + 5)]
    [InlineData(nameof(RelocKind.AddrOff), 4, G - SectionStart + 5)]
    [InlineData(nameof(RelocKind.MethodOff), 4, G - SectionStart + 5)]
    public void TheUsualFormsAreComputed(string kind, int size, long expected)
    {
        foreach (string cpu in (string[])["amd64", "386", "mips", "mips64", "ppc64"])
        {
            // A weak reference to what is live is like any other.
            foreach (int weak in (int[])[0, RelocFlags.Weak])
            {
                using Sample sample = new(Cpu(cpu), Reloc(8, size, Raw(kind) | weak, 5));
                byte[] content = Content();
                Assert.Equal(1, sample.Apply(content));
                Assert.Equal(Content(sample.IsBigEndian, (8, size, expected)), content);
            }
        }
    }

    [Theory]
    [InlineData("amd64", nameof(RelocKind.Addr), 4, int.MaxValue, (long)int.MaxValue + 1)]
    [InlineData("amd64", nameof(RelocKind.Addr), 4, 0L, -1L)]
    [InlineData("386", nameof(RelocKind.Addr), 4, uint.MaxValue, (long)uint.MaxValue + 1)]
    [InlineData("386", nameof(RelocKind.Addr), 4, 0L, -1L)]
    [InlineData("amd64", nameof(RelocKind.Call), 4, int.MaxValue, (long)int.MaxValue + 1)]
    [InlineData("amd64", nameof(RelocKind.Call), 4, int.MinValue, (long)int.MinValue - 1)]
    [InlineData("amd64", nameof(RelocKind.PcRel), 4, int.MaxValue, (long)int.MaxValue + 1)]
    [InlineData("amd64", nameof(RelocKind.AddrOff), 4, int.MaxValue, (long)int.MaxValue + 1)]
    [InlineData("amd64", nameof(RelocKind.AddrOff), 4, int.MinValue, (long)int.MinValue - 1)]
    [InlineData("amd64", nameof(RelocKind.MethodOff), 4, int.MinValue, uint.MaxValue)]
    public void TheLastValueThatFitsIsAppliedAndTheNextIsNot(string cpu, string kind, int size, long last, long next)
    {
        long zero = kind switch
        {
            nameof(RelocKind.Addr) => G,
            nameof(RelocKind.AddrOff) or nameof(RelocKind.MethodOff) => G - SectionStart,
            _ => G - (F + 8 + 4),
        };
        using Sample sample = new(Cpu(cpu), Reloc(8, size, Raw(kind), last - zero), Reloc(8, size, Raw(kind), next - zero));
        byte[] content = Content();
        Assert.Equal(1, sample.Apply(content));
        Assert.Equal(Content(false, (8, size, last)), content);
    }

    [Fact]
    public void AnAddressOfEightBytesMayBeAnything()
    {
        long far = long.MinValue + 3;
        using Sample sample = new(null, Reloc(0, 8, Raw(nameof(RelocKind.Addr)), -G - 1), Reloc(8, 8, Raw(nameof(RelocKind.Addr)), far));
        byte[] content = Content();
        Assert.Equal(2, sample.Apply(content));
        Assert.Equal(Content(false, (0, 8, -1), (8, 8, G + far)), content);
    }

    [Fact]
    public void TargetsAreFoundByAnyKindOfReference()
    {
        (SymRef Reference, Func<SymbolTable, GoObject, SymbolId> Target)[] targets =
        [
            (new(SymRef.Self, 1), (t, _) => t.Lookup("a.g"u8, 0)),
            (new(1, 0), (t, _) => t.Lookup("b.x"u8, 0)),
            (new(1, 1), (t, _) => t.Lookup("b.y"u8, 0)),
            (new(SymRef.NonPackage, 0), (t, _) => t.Lookup("n"u8, 0)),
            (new(SymRef.NonPackage, 1), (t, _) => t.Lookup("m"u8, 0)),
            (new(SymRef.NonPackage, 2), (t, _) => t.Lookup("b.y"u8, 0)),
            (new(SymRef.Hashed, 0), (_, o) => new SymbolId(o.ToGlobal(o.DefCount + o.Hashed64Count))),
            (new(SymRef.Builtin, 0), (t, _) => t.Lookup("runtime.newobject"u8, 1)),
            // Nobody looks for these here.
            (new(SymRef.Hashed64, 0), (_, _) => SymbolId.None),
        ];
        int addr = Raw(nameof(RelocKind.Addr));
        using Sample sample = new(null, [.. targets.Select((t, i) => new GoObjectWriter.Reloc(6 * i, 4, (ushort)addr, i, t.Reference.PackageIndex, t.Reference.SymbolIndex))]);
        byte[] content = Content();
        Assert.Equal(targets.Length - 1, sample.Apply(content));
        Assert.Equal(Content(false, [.. targets.SkipLast(1).Select((t, i) =>
        {
            SymbolId target = t.Target(sample.Symbols, sample.Object);
            Assert.False(target.IsNone);
            return (6 * i, 4, SectionStart + (0x1000 * target.Index) + i);
        })]), content);
    }

    [Fact]
    public void MarkersAreSkipped()
    {
        int call = Raw(nameof(RelocKind.Call));
        using Sample sample = new(null, Reloc(0, 0, Raw(nameof(RelocKind.UseType))), new GoObjectWriter.Reloc(0, 0, 0x7fff, 0, 0, 0), Reloc(4, 4, call),
            Reloc(Length, 0, call), Reloc(20, 0, call, 1L << 40), Reloc(8, 4, call));
        byte[] content = Content();
        Assert.Equal(6, sample.Apply(content));
        Assert.Equal(Content(false, (4, 4, G - (F + 8)), (8, 4, G - (F + 12))), content);
    }

    // The target is a.g unless told otherwise.
    [Theory]
    [InlineData(nameof(RelocKind.Size), 4, 8)]
    [InlineData(nameof(RelocKind.Size), 8, 8)]
    [InlineData(nameof(RelocKind.Const), 4, 8)]
    [InlineData(nameof(RelocKind.DwarfSecRef), 4, 8)]
    [InlineData(nameof(RelocKind.GotPcRel), 4, 8)]
    [InlineData(nameof(RelocKind.PeImageOff), 4, 8)]
    [InlineData(nameof(RelocKind.TlsLe), 4, 8)]
    [InlineData(nameof(RelocKind.None), 4, 8)]
    // Sizes.
    [InlineData(nameof(RelocKind.Addr), 1, 8)]
    [InlineData(nameof(RelocKind.Addr), 2, 8)]
    [InlineData(nameof(RelocKind.Addr), 3, 8)]
    [InlineData(nameof(RelocKind.Addr), 16, 8)]
    [InlineData(nameof(RelocKind.Call), 2, 8)]
    [InlineData(nameof(RelocKind.Call), 8, 8)]
    [InlineData(nameof(RelocKind.PcRel), 8, 8)]
    [InlineData(nameof(RelocKind.AddrOff), 8, 8)]
    // Fields that aren't in the content, whatever their size.
    [InlineData(nameof(RelocKind.Call), 4, Length - 3)]
    [InlineData(nameof(RelocKind.Addr), 8, Length - 7)]
    [InlineData(nameof(RelocKind.Addr), 4, Length)]
    [InlineData(nameof(RelocKind.Addr), 4, int.MaxValue)]
    [InlineData(nameof(RelocKind.Addr), 8, -1)]
    [InlineData(nameof(RelocKind.Addr), 8, -8)]
    [InlineData(nameof(RelocKind.Addr), 8, int.MinValue)]
    [InlineData(nameof(RelocKind.UseType), 0, Length + 1)]
    [InlineData(nameof(RelocKind.UseType), 0, -1)]
    // Targets: none, one of no package, behind the last of a package, a builtin that nothing defines, a name that nothing defines.
    [InlineData(nameof(RelocKind.Call), 4, 8, 0u, 0u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, 2u, 0u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, SymRef.Self, 2u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, 1u, 2u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, SymRef.Builtin, 1u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, SymRef.Hashed64, 0u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, SymRef.NonPackage, 3u)]
    [InlineData(nameof(RelocKind.Call), 4, 8, SymRef.NonPackage, 4u)]
    public void TheFirstThatIsNotUsualStopsIt(string kind, int size, int offset, uint package = SymRef.Self, uint symbol = 1)
    {
        CheckStop(_ => { }, new GoObjectWriter.Reloc(offset, (byte)size, (ushort)Raw(kind), 5, package, symbol));
    }

    [Fact]
    public void KindsBeyondTheTableStopIt()
    {
        int kinds = Kinds.Length;
        foreach (int raw in (int[])[kinds, kinds + 1, 255, 256, RelocFlags.HostBase, RelocFlags.Weak - 1, RelocFlags.Weak | kinds, ushort.MaxValue])
        {
            CheckStop(_ => { }, Reloc(8, 4, raw));
        }
    }

    [Fact]
    public void ValuesAndSectionsThatAreNotUsualStopIt()
    {
        GoObjectWriter.Reloc y = new(8, 4, (ushort)Raw(nameof(RelocKind.AddrOff)), 0, 1, 1);
        CheckStop(sample => sample.Symbols.SetValue(sample.Find("b.y"u8), 0), y);
        CheckStop(sample => sample.Symbols.SetValue(sample.Find("b.y"u8), 1L << 40), y);
        CheckStop(sample => sample.Symbols.SetValue(sample.Find("b.y"u8), ValueColumn.PlaceMark + 8), y);
        // No section, one without an address, and one of too many to tell them apart.
        CheckStop(sample => sample.Symbols.SetSectionIndex(sample.Find("b.y"u8), 0), y);
        CheckStop(sample => sample.Symbols.SetSectionIndex(sample.Find("b.y"u8), 2), y);
        CheckStop(sample => sample.Symbols.SetSectionIndex(sample.Find("b.y"u8), 1000), y);
    }

    [Fact]
    public void WhatTheCpuComputesStopsIt()
    {
        CheckStop(_ => { }, Reloc(8, 4, Raw(nameof(RelocKind.Call))), new S390x(false));
        CheckStop(_ => { }, Reloc(8, 4, Raw(nameof(RelocKind.AddrOff))), new Wasm());
        CheckStop(_ => { }, Reloc(8, 4, Raw(nameof(RelocKind.MethodOff))), new Wasm());
    }

    [Fact]
    public void OfAPieceOnlyWhatLiesInItIsApplied()
    {
        int addr = Raw(nameof(RelocKind.Addr)), call = Raw(nameof(RelocKind.Call));
        GoObjectWriter.Reloc[] relocs =
        [
            Reloc(0, 8, addr, 1), Reloc(12, 4, addr, 2), Reloc(16, 4, call, 3), Reloc(24, 8, addr, 4), Reloc(32, 4, addr, 5), Reloc(40, 4, Raw(nameof(RelocKind.Size))),
            Reloc(28, 4, addr, 6), Reloc(60, 4, call, 7),
        ];
        using Sample sample = new(null, relocs);
        byte[] content = Content();
        Assert.Equal(relocs.Length, sample.Apply(content, 0, 16, 16));
        Assert.Equal(Content(false, (16, 4, G + 3 - (F + 20)), (24, 8, G + 4), (28, 4, G + 6)), content);

        // The field at 12 begins before, the one at 24 reaches past the end.
        content = Content();
        Assert.Equal(3, sample.Apply(content, 0, 14, 14));
        Assert.Equal(Content(false, (16, 4, G + 3 - (F + 20))), content);
        Assert.Equal(relocs.Length, sample.Apply(content, 4, 14, 14));

        // The last piece ends with the content.
        content = Content();
        Assert.Equal(5, sample.Apply(content, 0, 32, 32));
        Assert.Equal(relocs.Length, sample.Apply(content, 6, 32, 32));
        Assert.Equal(Content(false, (32, 4, G + 5), (60, 4, G + 7 - (F + 64))), content);
    }

    [Fact]
    public void UsualAndOtherRelocationsAreAppliedTogether()
    {
        using TestLink link = new();
        int addr = Raw(nameof(RelocKind.Addr));
        GoObjectWriter.Reloc[] relocs =
        [
            Reloc(0, 4, Raw(nameof(RelocKind.Call)), 5),
            Reloc(4, 4, Raw(nameof(RelocKind.Size)), 1),
            Reloc(0, 0, Raw(nameof(RelocKind.UseType))),
            Reloc(8, 8, addr, 6),
            Reloc(16, 2, Raw(nameof(RelocKind.Const)), -7),
            new(20, 4, (ushort)addr, 8, SymRef.Hashed64, 0),
            Reloc(24, 4, Raw(nameof(RelocKind.AddrOff)), 9),
            new(28, 4, (ushort)(Raw(nameof(RelocKind.MethodOff)) | RelocFlags.Weak), 10, 1, 1),
            new(32, 8, (ushort)addr, 11, SymRef.Builtin, 0),
            Reloc(40, 4, Raw(nameof(RelocKind.TlsLe)), 12),
            new(44, 4, (ushort)Raw(nameof(RelocKind.PcRel)), 13, SymRef.NonPackage, 1),
        ];
        link.AddObjects(Program(relocs));
        link.LayOut();
        Emitter.Run(link.Ctx);
        SymbolTable symbols = link.Symbols;
        long f = link.AddressOf("a.f"), g = link.AddressOf("a.g");
        long textStart = (long)link.Ctx.TextSegment.Sections[0].Vaddr;
        GoObject a = symbols.Objects[SymbolTable.FirstObject];
        long content = symbols.Value(new SymbolId(a.ToGlobal(a.DefCount)));
        Assert.NotEqual(0, content);
        byte[] expected = Content(false, (0, 4, g + 5 - (f + 4)), (4, 4, 8 + 1), (8, 8, g + 6), (16, 2, -7), (20, 4, content + 8), (24, 4, g - textStart + 9),
            (28, 4, link.AddressOf("b.y") - textStart + 10), (32, 8, symbols.Value(symbols.Lookup("runtime.newobject"u8, 1)) + 11), (40, 4, -8 + 12),
            (44, 4, link.AddressOf("m") + 13 - (f + 48)));
        Assert.Equal(expected, link.Read("a.f", Length));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LargeSymbolsAreRelocatedInPieces(bool buffered)
    {
        const int Count = 40_000;
        using TestLink link = new(threads: 2, buffered: buffered);
        int addr = Raw(nameof(RelocKind.Addr)), size = Raw(nameof(RelocKind.Size));
        // No field lies at a multiple of eight, so that ends of pieces move.
        GoObjectWriter.Reloc[] relocs = [.. Enumerable.Range(0, Count).Select(i => Reloc((8 * i) + 4, 8, i % 100 == 99 ? size : addr, i))];
        link.AddObjects(new GoObjectWriter("a").Define("a.large", NoPtrData, (8 * Count) + 4, new byte[(8 * Count) + 4], 0, 0, relocs).Define("a.g", Text, 8, new byte[8]));
        link.LayOut();
        Emitter.Run(link.Ctx);
        byte[] content = link.Read("a.large", (8 * Count) + 4);
        long g = link.AddressOf("a.g");
        Assert.Equal(
            Enumerable.Range(0, Count).Select(i => i + (i % 100 == 99 ? 8 : g)),
            Enumerable.Range(0, Count).Select(i => BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan((8 * i) + 4))));
    }

    [Theory]
    [MemberData(nameof(Cpus))]
    public void AnythingIsAsTheLongWayHasIt(string cpu)
    {
        foreach (int seed in Enumerable.Range(1, 60))
        {
            Assert.Equal(Relocate(cpu, seed, isLongWay: true), Relocate(cpu, seed, isLongWay: false));
        }
    }

    /// <summary>Applies relocations made up at random, as they are in the object or made the linker's own.</summary>
    private static (string Content, string Errors) Relocate(string cpu, int seed, bool isLongWay)
    {
        Random random = new(seed);
        string[] kinds = ["Call", "PcRel", "Addr", "AddrOff", "MethodOff", "Call", "PcRel", "Addr", "AddrOff", "Size", "Const", "DwarfSecRef", "PeImageOff", "GotPcRel"];
        SymRef[] targets = [new(SymRef.Self, 0), new(SymRef.Self, 1), new(1, 0), new(1, 1), new(SymRef.NonPackage, 0), new(SymRef.NonPackage, 1),
            new(SymRef.NonPackage, 2), new(SymRef.Hashed, 0), new(SymRef.Hashed64, 0), new(SymRef.Builtin, 0)];
        long[] addends = [0, 0, 1, -1, 0x7fbf_0000, 0x8000_0000, -0x40_1000, -0x40_2000, -0x8000_0000, -0x1_0000_0000, 1L << 40];
        GoObjectWriter.Reloc[] relocs = [.. Enumerable.Range(0, 40).Select(_ =>
        {
            // Mostly usual ones, and fields in the content.
            SymRef target = random.Next(40) == 0 ? new(SymRef.NonPackage, 3) : targets[random.Next(targets.Length)];
            int size = random.Next(20) switch
            {
                0 => 0,
                1 => 1,
                2 => 2,
                < 8 => 8,
                _ => 4,
            };
            int raw = Raw(kinds[random.Next(kinds.Length)]) | (random.Next(10) == 0 ? RelocFlags.Weak : 0);
            long addend = random.Next(4) != 0 ? random.Next(256) : addends[random.Next(addends.Length)];
            return new GoObjectWriter.Reloc(random.Next(30) == 0 ? random.Next(-9, Length + 9) : random.Next(Length - 7), (byte)size, (ushort)raw, addend, target.PackageIndex, target.SymbolIndex);
        })];
        using TestLink link = new(cpu: Cpu(cpu));
        link.AddObjects(Program(relocs));
        link.LayOut();
        SymbolId f = link.Find("a.f");
        RelocList list = link.Symbols.Relocs(f);
        if (isLongWay)
        {
            RelocRecord[] records = new RelocRecord[list.Count];
            for (int i = 0; i < records.Length; i++)
            {
                records[i] = list.Canonical(i);
            }
            list = new RelocList(link.Symbols, null, records, SymbolContent.CanonicalKinds);
        }
        byte[] content = Content();
        Relocator relocator = new(link.Ctx);
        string end = "";
        try
        {
            relocator.Apply(f, list, content);
        }
        catch (ErrorsReportedException)
        {
            end = "stopped";
        }
        link.Ctx.Diagnostics.Flush();
        return (Convert.ToHexString(content), string.Join('\n', [.. link.Errors, end]));
    }

    /// <summary>Checks that a relocation is left alone between two usual ones.</summary>
    private static void CheckStop(Action<Sample> change, GoObjectWriter.Reloc reloc, CpuArch? cpu = null)
    {
        int addr = Raw(nameof(RelocKind.Addr));
        using Sample sample = new(cpu, Reloc(0, 4, addr, 1), reloc, Reloc(32, 4, addr, 2));
        change(sample);
        byte[] content = Content();
        Assert.Equal(1, sample.Apply(content));
        Assert.Equal(Content(sample.IsBigEndian, (0, 4, G + 1)), content);
        Assert.Equal(1, sample.Apply(content, 1));
        Assert.Equal(3, sample.Apply(content, 2));
        Assert.Equal(Content(sample.IsBigEndian, (0, 4, G + 1), (32, 4, G + 2)), content);
    }

    private static ReadOnlySpan<byte> Kinds => Release.ForVersion("go1.27")!.RelocKinds;

    private static int Raw(string kind) => Kinds.IndexOf((byte)Enum.Parse<RelocKind>(kind));

    /// <summary>A relocation to a.g.</summary>
    private static GoObjectWriter.Reloc Reloc(int offset, int size, int raw, long addend = 0) => new(offset, (byte)size, (ushort)raw, addend, SymRef.Self, 1);

    private static CpuArch Cpu(string name) => name switch
    {
        "386" => new I386(),
        "mips" => new Mips32(true, false),
        "mips64" => new Mips64(true),
        "ppc64" => new Ppc64(true, 8, HeadType.Linux),
        "s390x" => new S390x(false),
        _ => new Amd64(),
    };

    private static byte[] Content(bool isBigEndian = false, params (int Offset, int Size, long Value)[] fields)
    {
        byte[] content = new byte[Length];
        Array.Fill(content, Old);
        foreach ((int offset, int size, long value) in fields)
        {
            for (int i = 0; i < size; i++)
            {
                content[offset + (isBigEndian ? size - 1 - i : i)] = (byte)(value >> (8 * i));
            }
        }
        return content;
    }

    /// <summary>A function with relocations, and what they may refer to.</summary>
    private static GoObjectWriter[] Program(GoObjectWriter.Reloc[] relocs) =>
    [
        new GoObjectWriter("a").Define("a.f", Text, Length, Content(), 0, 0, relocs).Define("a.g", Text, 8, new byte[8]).DefineHashed(7, RoData, 8, [1], "short")
            .DefineContent(8, RoData, 8, [2], "long").DefineNamed("n", NoPtrData, 8, [3]).Refer("m").Refer("b.y").Refer("undefined").ReferPackage("b"),
        new GoObjectWriter("b").Define("b.x", Text, 8, new byte[8]).Define("b.y", Text, 8, new byte[8]).DefineNamed("m", NoPtrData, 8, [4]),
        new GoObjectWriter("runtime").DefineNamed("runtime.newobject", Text, 8, new byte[8], abi: 1),
    ];

    /// <summary>The program with addresses a page apart, all in one section.</summary>
    private sealed class Sample : IDisposable
    {
        private readonly TestLink _link;
        private readonly RelocKernel _kernel;

        public Sample(CpuArch? cpu, params GoObjectWriter.Reloc[] relocs)
        {
            _link = new TestLink(cpu: cpu);
            Object = _link.AddObjects(Program(relocs))[0];
            Symbols.NumberLive(_link.Ctx.Workers, hasDebugInfo: false);
            for (int id = 1; id < Symbols.ExternalStart; id++)
            {
                Symbols.SetValue(new SymbolId(id), SectionStart + (0x1000 * id));
                Symbols.SetSectionIndex(new SymbolId(id), 1);
            }
            _kernel = new RelocKernel(_link.Ctx, [Relocator.NoBase, SectionStart, Relocator.NoBase, .. new long[SymbolTable.ManySections]]);
        }

        public GoObject Object { get; }

        public SymbolTable Symbols => _link.Symbols;

        public bool IsBigEndian => _link.Ctx.Target.IsBigEndian;

        public SymbolId Find(ReadOnlySpan<byte> name) => Symbols.Lookup(name, 0);

        public void Dispose() => _link.Dispose();

        public int Apply(byte[] content, int first = 0) => Apply(content, first, 0, content.Length);

        /// <summary>Applies the relocations of a piece of the content.</summary>
        public unsafe int Apply(byte[] content, int first, int start, int length)
        {
            ReadOnlySpan<RelocRecord> relocs = Symbols.Relocs(Find("a.f"u8)).Records;
            fixed (RelocRecord* records = relocs)
            fixed (byte* to = content)
            {
                RelocKernel.Place place = new(to + start, length, start, content.Length, F);
                return _kernel.Apply(Object, records, first, relocs.Length, in place);
            }
        }
    }
}
