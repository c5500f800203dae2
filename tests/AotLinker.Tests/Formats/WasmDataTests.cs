using AotLinker.Cpu;
using AotLinker.Formats.Wasm;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Resolve;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Formats;

public class WasmDataTests
{
    private const byte NoPtrData = 5;
    private const long Address = 0x3000;
    private const int Large = 3 << 20;

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void ContentIsRelocatedInPrivateCopiesAndPackedWithoutZeros(int threads, bool buffered)
    {
        byte[] large = new byte[Large];
        Random random = new(3);
        for (int i = 0; i < 5000; i++)
        {
            large[random.Next(Large)] = (byte)random.Next(1, 256);
        }
        // Two relocations, one copy; none where there is nothing but a marker, or nothing at all.
        LinkContext ctx = Resolve(threads, new GoObjectWriter("a")
            .Define("a.plain", NoPtrData, 64, [1, 2, 3])
            .Define("a.pair", NoPtrData, 40, new byte[40], 0, 0, Addr(8, 8, 2), Addr(24, 8, 0))
            .Define("a.large", NoPtrData, Large, large)
            .Define("a.marked", NoPtrData, 16, [9, 0, 0, 0, 0, 0, 0, 0, 0, 9], 0, 0, Addr(0, 0, 1))
            .Define("a.late", NoPtrData, 16, new byte[16], 0, 0, Addr(0, 8, 3)));
        byte[] memory = LayOut(ctx, out Section section);
        Put(memory, ctx, "a.pair"u8, 8, "a.large"u8);
        Put(memory, ctx, "a.pair"u8, 24, "a.plain"u8);
        Put(memory, ctx, "a.late"u8, 0, "a.marked"u8);
        byte[][] before = [.. Symbols(ctx).Select(s => ctx.Symbols.Data(s).ToArray())];

        string path = Path.Combine(Path.GetTempPath(), $"wasm-{Guid.NewGuid():N}");
        using OutputFile output = OutputFile.Open(path, new OutputOptions { ForceBuffered = buffered });
        ctx.Output = output;
        MemoryAccount account = new() { Details = new AccountDetails() };
        using DataSection data = new(ctx, [section], account);
        Assert.Equal(
            [(ctx.Symbols.Lookup("a.pair"u8, 0).Index, 40), (ctx.Symbols.Lookup("a.late"u8, 0).Index, 16)],
            account.Details.Copies().Select(copy => ((int)copy.Symbol, copy.Bytes)));
        Assert.Equal(before, Symbols(ctx).Select(s => ctx.Symbols.Data(s).ToArray()));

        output.Resize(data.Length + 2);
        data.Write(1);
        byte[] written = new byte[data.Length + 2];
        output.Read(0, written);
        Assert.Equal(0, written[0]);
        Assert.Equal(0, written[^1]);
        Assert.Equal(Pack(memory), written[1..^1]);
    }

    private static GoObjectWriter.Reloc Addr(int offset, byte size, uint symbol)
    {
        const ushort Absolute = 1;
        return new GoObjectWriter.Reloc(offset, size, Absolute, 0, SymRef.Self, symbol);
    }

    private static IEnumerable<SymbolId> Symbols(LinkContext ctx) => Enumerable.Range(1, 5).Select(i => new SymbolId(i));

    private static LinkContext Resolve(int threads, GoObjectWriter writer)
    {
        Release release = Release.ForVersion("go1.27")!;
        Target target = new() { Goos = "js", Goarch = "wasm", Cpu = new Wasm(), HeadType = HeadType.Js, BuildMode = BuildMode.Exe };
        LinkContext ctx = new()
        {
            Target = target,
            Release = release,
            Workers = new Workers(threads),
            Symbols = new SymbolTable(release, target),
            Settings = new LinkSettings(),
            Format = new WasmFormat(),
        };
        GoObject[] objects = new GoObject[SymbolTable.FirstObject + 1];
        objects[SymbolTable.FirstObject] = writer.Open(SymbolTable.FirstObject);
        Resolver.Run(ctx, objects, new ResolveOptions(true, false, false, _ => { }));
        return ctx;
    }

    /// <summary>Gives the symbols addresses with gaps; returns memory without relocations.</summary>
    private static byte[] LayOut(LinkContext ctx, out Section section)
    {
        section = ctx.AddSection(ctx.DataSegment, ".data", 6);
        section.Vaddr = (ulong)Address;
        List<byte> memory = [.. new byte[24]];
        foreach (SymbolId s in Symbols(ctx))
        {
            ctx.Symbols.SetValue(s, Address + memory.Count);
            ctx.Symbols.SetSectionIndex(s, section.Index);
            ctx.Symbols.Set(s, SymbolTable.Attributes.Reachable);
            memory.AddRange(ctx.Symbols.Data(s));
            memory.AddRange(new byte[ctx.Symbols.Size(s) - ctx.Symbols.Data(s).Length + 8]);
        }
        section.Length = (ulong)memory.Count;
        section.SymbolCount = 5;
        ctx.Data = [.. Symbols(ctx).Select(s => s.Index)];
        return [.. memory];
    }

    private static void Put(byte[] memory, LinkContext ctx, ReadOnlySpan<byte> symbol, int offset, ReadOnlySpan<byte> target)
    {
        long at = ctx.Symbols.Value(ctx.Symbols.Lookup(symbol, 0)) - Address + offset;
        BitConverter.GetBytes(ctx.Symbols.Value(ctx.Symbols.Lookup(target, 0))).CopyTo(memory, at);
    }

    /// <summary>The section by the plainest search for zeros.</summary>
    private static byte[] Pack(byte[] memory)
    {
        List<(int Start, int End)> segments = [];
        int at = 0;
        while (true)
        {
            while (at < memory.Length && memory[at] == 0)
            {
                at++;
            }
            if (at == memory.Length)
            {
                break;
            }
            int start = at;
            int zeros = 0;
            for (; at < memory.Length && zeros < 8; at++)
            {
                zeros = memory[at] == 0 ? zeros + 1 : 0;
            }
            segments.Add((start, at - zeros));
        }
        ModuleWriter writer = new();
        writer.Number((ulong)segments.Count);
        foreach ((int start, int end) in segments)
        {
            writer.Byte(0);
            writer.ConstantI32((int)Address + start);
            writer.Name(memory.AsSpan(start, end - start));
        }
        return writer.Written.ToArray();
    }
}
