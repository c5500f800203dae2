using System.Buffers.Binary;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Pclntab;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Synthesize;

/// <summary>The pclntab of programs made of functions without records, and the parts that need no program.</summary>
public class PclntabTests
{
    private const int SubBucket = 256;

    [Fact]
    public void HeaderAndTablesDescribeTheFunctions()
    {
        using TestLink link = Functions([64, 32, 500]);
        PclnTables tables = PclnTables.Run(link.Ctx);
        long at = 0x500000;
        SymbolId[] order = [tables.Header, tables.FunctionNames, tables.UnitTable, tables.FileTable, tables.PcTable, tables.FunctionTable];
        foreach (SymbolId s in order)
        {
            link.Symbols.SetValue(s, at);
            at += Math.Max(link.Symbols.Size(s), 8);
        }

        byte[] header = link.Generate(tables.Header);
        Assert.Equal(8 + (8 * 8), header.Length);
        Assert.Equal([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8], header[..8]);
        Assert.Equal(3UL, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8)));
        Assert.Equal(0UL, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(16)));
        for (int i = 1; i < order.Length; i++)
        {
            ulong distance = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24 + (8 * i)));
            Assert.Equal(link.Symbols.Value(order[i]) - link.Symbols.Value(order[0]), (long)distance);
        }

        Assert.Equal("f0\0f1\0f2\0", Encoding.ASCII.GetString(link.Generate(tables.FunctionNames)).TrimEnd('\0') + "\0");
        Assert.Equal(16, link.Symbols.Size(tables.FunctionNames));

        byte[] functions = link.Generate(tables.FunctionTable);
        uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(functions.AsSpan(offset));
        // Three pairs, an end, padding, three records of 44 bytes, each on a multiple of 8.
        int[] records = [32, 80, 128];
        uint[] pcs = [0, 64, 96];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(pcs[i], Word(8 * i));
            Assert.Equal((uint)records[i], Word((8 * i) + 4));
            Assert.Equal(pcs[i], Word(records[i]));
            Assert.Equal((uint)(3 * i), Word(records[i] + 4));
            Assert.Equal(uint.MaxValue, Word(records[i] + 32));
        }
        Assert.Equal(96u + 500, Word(24));
        Assert.Equal(176, functions.Length);
    }

    [Fact]
    public void ContainersHaveNoEntry()
    {
        using TestLink link = Functions([64, 32, 48]);
        link.Symbols.SetCarrier(link.Ctx.Text[1], link.Ctx.Text[0]);
        link.Symbols.Sub[link.Ctx.Text[0]] = link.Ctx.Text[1];
        PclnTables tables = PclnTables.Run(link.Ctx);
        Assert.Equal(2, tables.FunctionCount);
        Assert.Equal(link.Ctx.Text[1], tables.FirstFunction);
        Assert.Equal("f1\0f2\0\0\0", Encoding.ASCII.GetString(link.Generate(tables.FunctionNames)));
    }

    [Fact]
    public void LabelsAtTheStartAreWhereTheFirstBucketStarts()
    {
        // As a host object's mapping symbols are: two labels without length, a function, a label in its midst.
        using TestLink link = Functions([0, 0, 1000, 0, 5000]);
        PclnTables tables = PclnTables.Run(link.Ctx);
        tables.AddFindFuncTable();
        byte[] table = link.Generate(tables.FindFuncTable);
        // Labels elsewhere change nothing: what holds the byte before them has a lower number.
        Assert.Equal([0, 0, 0, 0, 0, 2, 2, 2, 4, 4], table[..10]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AnyFunctionIsFoundByItsPc(int seed)
    {
        Random random = new(seed);
        int[] sizes = [.. Enumerable.Range(0, 1500).Select(_ => random.Next(16) == 0 ? random.Next(1, 9000) : random.Next(1, 300))];
        using TestLink link = Functions(sizes);
        PclnTables tables = PclnTables.Run(link.Ctx);
        tables.AddFindFuncTable();
        byte[] table = link.Generate(tables.FindFuncTable);

        long start = link.Symbols.Value(link.Ctx.Text[0]);
        long end = link.Symbols.Value(link.Ctx.Text[^1]) + sizes[^1];
        Assert.Equal((4 * ((end - start + 4095) / 4096)) + ((end - start + SubBucket - 1) / SubBucket), table.Length);
        for (int i = 0; i < sizes.Length; i++)
        {
            long from = link.Symbols.Value(link.Ctx.Text[i]);
            foreach (long pc in new[] { from, from + sizes[i] - 1 })
            {
                // As the runtime does it: the bucket's function, then forward.
                long offset = pc - start;
                int bucket = (int)(offset / 4096);
                int sub = (int)(offset % 4096 / SubBucket);
                int found = (int)BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(bucket * 20)) + table[(bucket * 20) + 4 + sub];
                Assert.True(link.Symbols.Value(link.Ctx.Text[found]) <= pc, "starts behind the pc");
                Assert.True(
                    found == 0 || link.Symbols.Value(link.Ctx.Text[found]) <= start + (offset / SubBucket * SubBucket)
                    || found == i, "skips functions of the bucket");
                while (found + 1 < sizes.Length && link.Symbols.Value(link.Ctx.Text[found + 1]) <= pc)
                {
                    found++;
                }
                Assert.Equal(i, found);
            }
        }
    }

    [Fact]
    public void PiecesMakeTheWhole()
    {
        using TestLink link = Functions([.. Enumerable.Range(1, 700)]);
        PclnTables tables = PclnTables.Run(link.Ctx);
        tables.AddFindFuncTable();
        foreach (SymbolId s in new[] { tables.FunctionNames, tables.FunctionTable, tables.FindFuncTable })
        {
            byte[] whole = link.Generate(s);
            GeneratedContent generator = link.Ctx.Generators[s];
            byte[] pieces = new byte[whole.Length];
            int step = generator.Granule * 5;
            for (int at = (whole.Length - 1) / step * step; at >= 0; at -= step)
            {
                generator.Fill(link.Ctx, s, at, pieces.AsSpan(at, Math.Min(step, whole.Length - at)));
            }
            Assert.Equal(whole, pieces);
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(4, 0)]
    [InlineData(4, 77)]
    public void FirstUseFindsTheLowestUser(int threads, int shuffle)
    {
        const int Users = 5000;
        const int Things = 3000;
        Random random = new(42);
        int[][] uses = [.. Enumerable.Range(0, Users).Select(_ => Enumerable.Range(0, 6).Select(_ => random.Next(Things)).ToArray())];
        int[] expected = new int[Things];
        Array.Fill(expected, -1);
        for (int user = Users - 1; user >= 0; user--)
        {
            foreach (int thing in uses[user])
            {
                expected[thing] = user;
            }
        }

        int[] slots = new int[Things];
        int[] claims = new int[Things];
        int[] found = new int[Things];
        Array.Fill(found, -1);
        Workers workers = new(threads, shuffle);
        workers.For(Users, user =>
        {
            foreach (int thing in uses[user])
            {
                FirstUse.Note(ref slots[thing], user);
            }
        });
        workers.For(Users, user =>
        {
            foreach (int thing in uses[user])
            {
                if (FirstUse.IsFirst(ref slots[thing], user))
                {
                    Volatile.Write(ref slots[thing], 0);
                    found[thing] = user;
                    Interlocked.Increment(ref claims[thing]);
                }
            }
        });
        Assert.Equal(expected, found);
        Assert.All(claims.Zip(expected), c => Assert.Equal(c.Second < 0 ? 0 : 1, c.First));
    }

    [Fact]
    public void FunctionRecordsAreReadInPlace()
    {
        FuncInfo info = new(Record(2, 1), null);
        Assert.True(info.IsValid);
        Assert.Equal((24u, 8u, (byte)3, (byte)1, 17u), (info.Args, info.Locals, info.FuncId, info.Flags, info.StartLine));
        Assert.Equal(2, info.FileCount);
        Assert.Equal((100u, 101u), (info.File(0), info.File(1)));
        Assert.Equal(1, info.InlineCount);
        Assert.Equal(new InlinedCall(-1, 5, 6, new SymRef(7, 8), 9), info.Inlined(0));
        Assert.False(new FuncInfo(default, null).IsValid);
    }

    [Fact]
    public void CutRecordsAreErrors()
    {
        byte[] record = Record(2, 1);
        for (int length = 1; length < record.Length; length++)
        {
            Assert.Throws<LinkException>(() => new FuncInfo(record.AsSpan(0, length), null).FileCount);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(16), uint.MaxValue);
        Assert.Throws<LinkException>(() => new FuncInfo(record, null).FileCount);
    }

    private static byte[] Record(int files, int inlined)
    {
        List<byte> bytes = [];
        void Add(int v) => bytes.AddRange(BitConverter.GetBytes(v));
        Add(24);
        Add(8);
        bytes.AddRange([3, 1, 0, 0]);
        Add(17);
        Add(files);
        for (int i = 0; i < files; i++)
        {
            Add(100 + i);
        }
        Add(inlined);
        for (int i = 0; i < inlined; i++)
        {
            foreach (int v in new[] { -1, 5, 6, 7, 8, 9 })
            {
                Add(v);
            }
        }
        return [.. bytes];
    }

    private static TestLink Functions(int[] sizes)
    {
        TestLink link = new();
        link.Add("runtime.text", SymbolKind.Text, 0);
        link.Ctx.Text.Clear();
        for (int i = 0; i < sizes.Length; i++)
        {
            link.Add($"f{i}", SymbolKind.Text, sizes[i]);
        }
        long address = 0x401000;
        link.Symbols.SetValue(link.Find("runtime.text"), address);
        foreach (SymbolId s in link.Ctx.Text)
        {
            link.Symbols.SetValue(s, address);
            address += link.Symbols.Size(s);
        }
        return link;
    }
}
