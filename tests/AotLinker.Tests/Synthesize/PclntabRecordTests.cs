using System.Buffers.Binary;
using System.Text;
using AotLinker.Cli;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Pclntab;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Synthesize;

/// <summary>The pclntab of functions as the compiler describes them: records, pc tables, funcdata, inlined calls, files.</summary>
public class PclntabRecordTests
{
    private const byte Text = 1, RoData = 3;
    private const int FixedLength = 44;
    private const int InlinePcData = 2, InlineFuncData = 3;

    /// <summary>Tables list what is in them in the order in which functions mention it, whoever read which function when.</summary>
    [Theory]
    [InlineData(3, 1, 0)]
    [InlineData(1800, 1, 0)]
    [InlineData(1800, 1, 5)]
    [InlineData(1800, 3, 0)]
    [InlineData(1800, 3, 9)]
    public void TablesHaveWhatFunctionsMention(int count, int threads, int shuffle)
    {
        Program program = new(count);
        using TestLink link = program.Link(threads, shuffle);
        PclnTables tables = PclnTables.Run(link.Ctx);

        Listed names = new(0), pcs = new(1);
        foreach (Function f in program.Functions)
        {
            foreach (string name in (string[])[f.Name, .. f.Inlined.Select(i => program.Functions[i].Name)])
            {
                names.Add([.. Encoding.ASCII.GetBytes(name), 0]);
            }
            foreach (int? table in (int?[])[f.PcSp, f.PcFile, f.PcLine, .. f.PcData, f.Inlined.Length > 0 ? f.PcInline : null])
            {
                pcs.Add(table is { } t ? program.Contents[t] : []);
            }
        }
        Assert.Equal(names.Bytes, link.Generate(tables.FunctionNames)[..names.Bytes.Count]);
        Assert.Equal(pcs.Bytes, link.Generate(tables.PcTable)[..pcs.Bytes.Count]);

        byte[] functions = link.Generate(tables.FunctionTable);
        byte[] data = link.Generate(tables.FuncData);
        byte[] units = link.Generate(tables.UnitTable);
        byte[] files = link.Generate(tables.FileTable);
        for (int i = 0; i < count; i++)
        {
            Function f = program.Functions[i];
            ReadOnlySpan<byte> record = functions.AsSpan((int)Word(functions, (8 * i) + 4));
            int pcData = f.Inlined.Length > 0 ? Math.Max(f.PcData.Length, InlinePcData + 1) : f.PcData.Length;
            int funcData = f.Inlined.Length > 0 ? Math.Max(f.FuncData.Length, InlineFuncData + 1) : f.FuncData.Length;
            Assert.Equal(Word(functions, 8 * i), Word(record, 0));
            Assert.Equal(names.At(Encoding.ASCII.GetBytes(f.Name + "\0")), Word(record, 4));
            Assert.Equal((uint)i + 7, Word(record, 8));
            Assert.Equal([Offset(f.PcSp), Offset(f.PcFile), Offset(f.PcLine)], [Word(record, 16), Word(record, 20), Word(record, 24)]);
            Assert.Equal((uint)pcData, Word(record, 28));
            Assert.Equal((uint)i + 1, Word(record, 36));
            Assert.Equal([(byte)(i % 20), (byte)(i % 8), 0, (byte)funcData], record.Slice(40, 4).ToArray());
            for (int k = 0; k < pcData; k++)
            {
                int? table = f.Inlined.Length > 0 && k == InlinePcData ? f.PcInline : k < f.PcData.Length ? f.PcData[k] : null;
                Assert.Equal(Offset(table), Word(record, FixedLength + (4 * k)));
            }
            for (int k = 0; k < funcData; k++)
            {
                uint offset = Word(record, FixedLength + (4 * (pcData + k)));
                if (f.Inlined.Length > 0 && k == InlineFuncData)
                {
                    for (int c = 0; c < f.Inlined.Length; c++)
                    {
                        ReadOnlySpan<byte> call = data.AsSpan((int)offset + (16 * c), 16);
                        Function callee = program.Functions[f.Inlined[c]];
                        Assert.Equal((byte)(f.Inlined[c] % 20), call[0]);
                        Assert.Equal(names.At(Encoding.ASCII.GetBytes(callee.Name + "\0")), Word(call, 4));
                        Assert.Equal((uint)(100 + c), Word(call, 8));
                        Assert.Equal((uint)f.Inlined[c] + 1, Word(call, 12));
                    }
                }
                else if (k < f.FuncData.Length && f.FuncData[k] is { } d)
                {
                    Assert.Equal(program.Contents[d], data[(int)offset..((int)offset + program.Contents[d].Length)]);
                }
                else
                {
                    Assert.Equal(uint.MaxValue, offset);
                }
            }
            foreach (int file in f.Files.Concat(f.Inlined.Select(x => x % Program.FileCount)))
            {
                int name = (int)Word(units, 4 * ((int)Word(record, 32) + file));
                Assert.StartsWith($"/src/{file}.go\0", Encoding.ASCII.GetString(files.AsSpan(name)));
            }
        }

        uint Offset(int? table) => table is { } t ? pcs.At(program.Contents[t]) : 0;
    }

    [Fact]
    public void PiecesMakeTheWhole()
    {
        using TestLink link = new Program(900).Link(1, 0);
        PclnTables tables = PclnTables.Run(link.Ctx);
        foreach (SymbolId s in new[] { tables.FunctionNames, tables.PcTable, tables.FunctionTable, tables.FuncData })
        {
            byte[] whole = link.Generate(s);
            GeneratedContent generator = link.Ctx.Generators[s];
            byte[] pieces = new byte[whole.Length];
            int step = generator.Granule * 5;
            for (int at = 0; at < whole.Length; at += step)
            {
                generator.Fill(link.Ctx, s, at, pieces.AsSpan(at, Math.Min(step, whole.Length - at)));
            }
            Assert.Equal(whole, pieces);
        }
    }

    public static TheoryData<string> Damages => ["file", "inlined file", "inlined", "pc table", "funcdata", "package", "short"];

    [Theory]
    [MemberData(nameof(Damages))]
    public void DamagedFunctionsAreErrorsThatNameTheFile(string damage)
    {
        using TestLink link = new Program(600, damage).Link(1, 0);
        LinkException e = Assert.Throws<LinkException>(() => PclnTables.Run(link.Ctx));
        Assert.Contains("a.a(_go_.o)", e.Message);
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>Contents one behind the other, each once.</summary>
    private sealed class Listed(int start)
    {
        private readonly Dictionary<string, int> _at = [];

        public List<byte> Bytes { get; } = [.. new byte[start]];

        public void Add(byte[] content)
        {
            if (content.Length > 0 && _at.TryAdd(Convert.ToHexString(content), Bytes.Count))
            {
                Bytes.AddRange(content);
            }
        }

        public uint At(byte[] content) => content.Length == 0 ? 0 : (uint)_at[Convert.ToHexString(content)];
    }

    /// <summary>Contents by number; null for none.</summary>
    private sealed record Function(
        string Name, int? PcSp, int? PcFile, int? PcLine, int? PcInline, int?[] PcData, int?[] FuncData, int[] Inlined, int[] Files);

    private sealed class Program
    {
        public const int FileCount = 40;

        // Contents are hashed, then known by a short hash, then by name: pc tables and funcdata of each.
        private const int Hashed = 200, Short = 20, Named = 20;
        private readonly string? _damage;

        public Program(int count, string? damage = null)
        {
            _damage = damage;
            Random random = new(count);
            // The one with number 0 is empty.
            Contents = [[], .. Enumerable.Range(1, Hashed + Short + Named - 1).Select(i => new byte[] { (byte)i, (byte)(i >> 8), 1, 2, 3, 4, 5, (byte)(i * 7) }[..(i % 5 == 0 ? 8 : 4)])];
            Functions = [.. Enumerable.Range(0, count).Select(i => new Function(
                $"a.f{i}", PcTable(), PcTable(), PcTable(), PcTable(), Some(PcTable, 5), Some(Data, 7),
                [.. Some(() => random.Next(count), i % 3 == 0 ? 21 : 1).Select(x => x!.Value)],
                [.. Some(() => random.Next(Math.Min(FileCount, i + 1)), 4).Select(x => x!.Value)]))];

            int? PcTable() => random.Next(9) == 0 ? null : random.Next(Contents.Length / 2) * 2;
            int? Data() => random.Next(3) == 0 ? null : (random.Next(Contents.Length / 2) * 2) + 1;
            int?[] Some(Func<int?> what, int most) => [.. Enumerable.Range(0, random.Next(most)).Select(_ => what())];
        }

        public byte[][] Contents { get; }

        public Function[] Functions { get; }

        public TestLink Link(int threads, int shuffle)
        {
            GoObjectWriter writer = new("a");
            for (int i = 0; i < FileCount; i++)
            {
                writer.AddFile($"/src/{i}.go");
            }
            for (int i = 0; i < Functions.Length; i++)
            {
                writer.DefineFull(Functions[i].Name, false, Text, 0, new byte[16], [], Auxes(i));
            }
            for (int i = 0; i < Functions.Length; i++)
            {
                writer.DefineFull("", false, RoData, 0, Record(i), [], []);
            }
            for (int i = 0; i < Contents.Length; i++)
            {
                uint size = (uint)Contents[i].Length;
                // Funcdata have names.
                _ = i < Hashed ? writer.DefineContent((ulong)i + 1, RoData, size, Contents[i], i % 2 == 0 ? "" : $"a.c{i}")
                    : i < Hashed + Short ? writer.DefineHashed((ulong)i + 1, RoData, size, Contents[i])
                    : writer.DefineNamed($"a.d{i}", RoData, size, Contents[i]);
            }
            Dictionary<string, string> variables = new() { ["GOOS"] = "linux", ["GOARCH"] = "amd64", ["GOROOT"] = "/go" };
            LinkOptions options = LinkOptions.Parse("link", ["main.a"], variables.GetValueOrDefault, Toolchain.FromVersion("go1.27"));
            TestLink link = new(threads: threads, shuffle: shuffle, options: options);
            GoObject o = link.AddObjects(writer)[0];
            o.Unit.Object = o;
            link.Add("runtime.text", AotLinker.Objects.SymbolKind.Text, 0);
            link.Ctx.Text.RemoveAt(link.Ctx.Text.Count - 1);
            link.Symbols.SetValue(link.Find("runtime.text"), 0x401000);
            for (int i = 0; i < link.Ctx.Text.Count; i++)
            {
                link.Symbols.SetValue(link.Ctx.Text[i], 0x401000 + (16 * i));
            }
            return link;
        }

        private static GoObjectWriter.Aux Aux(AuxKind kind, int? content) => content switch
        {
            null => new(kind, 0, 0),
            < Hashed => new(kind, SymRef.Hashed, (uint)content),
            < Hashed + Short => new(kind, SymRef.Hashed64, (uint)content - Hashed),
            _ => new(kind, SymRef.NonPackage, (uint)content - Hashed - Short),
        };

        private GoObjectWriter.Aux[] Auxes(int i)
        {
            Function f = Functions[i];
            bool isDamaged = i == Functions.Length - 2;
            return
            [
                new(AuxKind.FuncInfo, SymRef.Self, (uint)(Functions.Length + i)),
                .. f.FuncData.Select(d => Aux(AuxKind.FuncData, d)),
                new(AuxKind.DwarfInfo, SymRef.Self, 0),
                Aux(AuxKind.PcSp, f.PcSp),
                Aux(AuxKind.PcFile, f.PcFile),
                Aux(AuxKind.PcLine, f.PcLine),
                Aux(AuxKind.PcInline, f.PcInline),
                .. f.PcData.Select(d => Aux(AuxKind.PcData, d)),
                .. isDamaged && _damage == "pc table" ? new GoObjectWriter.Aux[] { new(AuxKind.PcData, SymRef.Hashed, 1 << 20) } : [],
                .. isDamaged && _damage == "funcdata" ? new GoObjectWriter.Aux[] { new(AuxKind.FuncData, SymRef.NonPackage, 1 << 20) } : [],
                .. isDamaged && _damage == "package" ? new GoObjectWriter.Aux[] { new(AuxKind.FuncData, 77, 1) } : [],
            ];
        }

        private byte[] Record(int i)
        {
            Function f = Functions[i];
            bool isDamaged = i == Functions.Length - 2;
            List<byte> bytes = [];
            void Add(int v) => bytes.AddRange(BitConverter.GetBytes(v));
            Add(i + 7);
            Add(0);
            bytes.AddRange([(byte)(i % 20), (byte)(i % 8), 0, 0]);
            Add(i + 1);
            int[] files = isDamaged && _damage == "file" ? [FileCount] : f.Files;
            Add(files.Length);
            Array.ForEach(files, Add);
            int[] inlined = isDamaged && _damage is "inlined" or "inlined file" ? [0] : f.Inlined;
            Add(inlined.Length);
            for (int c = 0; c < inlined.Length; c++)
            {
                Add(-1);
                Add(isDamaged && _damage == "inlined file" ? -1 : inlined[c] % FileCount);
                Add(5);
                Add(unchecked((int)SymRef.Self));
                Add(isDamaged && _damage == "inlined" ? 1 << 20 : inlined[c]);
                Add(100 + c);
            }
            return isDamaged && _damage == "short" ? [.. bytes[..^1]] : [.. bytes];
        }
    }
}
