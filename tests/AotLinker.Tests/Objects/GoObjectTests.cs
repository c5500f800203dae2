using System.Runtime.CompilerServices;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Objects;

public sealed class GoObjectTests
{
    [Fact]
    public void RecordsHaveTheSizesOfTheFormat()
    {
        Assert.Equal(RelocRecord.RecordSize, Unsafe.SizeOf<RelocRecord>());
        Assert.Equal(AuxRecord.RecordSize, Unsafe.SizeOf<AuxRecord>());
        Assert.Equal(SymbolRecord.RecordSize, Unsafe.SizeOf<SymbolRecord>());
        Assert.Equal(8, Unsafe.SizeOf<SymRef>());
    }

    [Fact]
    public unsafe void ReadsWhatWasWritten()
    {
        GoObject o = new GoObjectWriter("p")
            .Define("p.x", kind: 7, size: 16, data: [1, 2, 3], relocs: new GoObjectWriter.Reloc(8, 8, 1, -5, SymRef.Self, 0))
            .DefineHashed(77, kind: 3, size: 4, data: [9])
            .DefineNamed("q.y", kind: 9, size: 8)
            .Refer("r.z")
            .Open(SymbolTable.FirstObject);

        Assert.Equal((1, 1, 0, 1, 1), (o.DefCount, o.Hashed64Count, o.HashedCount, o.NonPkgDefCount, o.NonPkgRefCount));
        Assert.Equal("p.x"u8.ToArray(), o.Name(0).ToArray());
        Assert.Equal([1, 2, 3], o.Data(0).ToArray());
        Assert.Equal(16u, o.Symbol(0).Size);
        Assert.Equal(-5, o.Relocs(0)[0].Addend);
        Assert.Equal(new SymRef(SymRef.Self, 0), o.Relocs(0)[0].Target);
        Assert.Equal(77ul, *(ulong*)o.ContentHashesOf(isShort: true));
        Assert.Equal("r.z"u8.ToArray(), o.Name(3).ToArray());
        Assert.True(o.Data(3).IsEmpty);
    }

    [Fact]
    public void EveryTruncationIsAnErrorThatNamesTheFile()
    {
        byte[] whole = new GoObjectWriter("p").Define("p.x", 7, 8, [1, 2, 3, 4, 5, 6, 7, 8]).DefineNamed("q", 9, 8).ToBytes();
        for (int length = 0; length < whole.Length - 8; length++)
        {
            LinkException e = Assert.Throws<LinkException>(() => Walk(whole[..length]));
            Assert.Contains("p.a(_go_.o)", e.Message);
        }
    }

    [Fact]
    public void FlippedBitsNeverReadOutsideTheObject()
    {
        byte[] whole = new GoObjectWriter("p")
            .Define("p.x", 7, 8, [1, 2, 3, 4, 5, 6, 7, 8], relocs: new GoObjectWriter.Reloc(0, 8, 1, 0, SymRef.Self, 0))
            .DefineHashed(5, 3, 4, [9]).DefineNamed("q", 9, 8).Refer("z").ToBytes();
        int refused = 0;
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] damaged = [.. whole];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Walk(damaged);
            }
            catch (LinkException)
            {
                refused++;
            }
        }
        Assert.True(refused > 500, $"only {refused} damaged objects were refused");
    }

    private static long Walk(byte[] bytes)
    {
        GoObject o = GoObjectWriter.Open(bytes, "p", SymbolTable.FirstObject);
        long sum = o.PackageCount + o.FileCount + o.AutolibCount;
        for (int i = 0; i < o.SymbolCount; i++)
        {
            sum += o.Name(i).Length + o.Symbol(i).Size;
            foreach (byte b in o.Data(i))
            {
                sum += b;
            }
            foreach (ref readonly RelocRecord r in o.Relocs(i))
            {
                sum += r.Offset;
            }
            sum += o.Auxes(i).Length;
        }
        for (int i = 0; i < o.PackageCount; i++)
        {
            sum += o.PackagePath(i).Length;
        }
        return sum;
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public unsafe void IdsAreReadFromAMapOfThreeOrFourBytesEach(int size)
    {
        GoObject o = new GoObjectWriter("p").Define("p.x", kind: 7, size: 16).DefineNamed("q.y", kind: 9, size: 8).Refer("r.z").Open(SymbolTable.FirstObject);
        byte[] map = new byte[(2 * size) + 1];
        map.AsSpan().Fill(0xFF);
        for (int i = 0; i < 2 * size; i++)
            map[i] = (byte)(i % size < 3 ? i + 1 : 0);
        fixed (byte* first = map)
        {
            o.SetGlobalMap(first, size);
            Assert.Equal(0x030201, o.ToGlobal(1));
            Assert.Equal(size == 3 ? 0x060504 : 0x070605, o.ToGlobal(2));
        }
    }
    [Fact]
    public void ReferencesThatNeedNoLookAreWhatTheTableSaysOfThem()
    {
        const byte Text = 1, RoData = 3;
        using TestLink link = new();
        GoObject[] objects = link.AddObjects(
            new GoObjectWriter("a").Define("a.f", Text, 1).Define("a.g", Text, 1).DefineHashed(7, RoData, 1, [1]).DefineHashed(8, RoData, 1, [2])
                .DefineContent(9, RoData, 1, [3], "c").DefineNamed("n", RoData, 1).Refer("u").Refer("b.y").Refer("m").ReferPackage("b").ReferPackage("e"),
            new GoObjectWriter("b").Define("b.x", Text, 1).Define("b.y", Text, 1).Define("b.z", Text, 1).DefineHashed(8, RoData, 1, [2])
                .DefineContent(10, RoData, 1, [4]).DefineContent(9, RoData, 1, [3], "c").DefineNamed("m", RoData, 1).Refer("u").ReferPackage("a"),
            new GoObjectWriter("e"),
            new GoObjectWriter("runtime").DefineNamed("runtime.newobject", Text, 1, abi: 1).DefineNamed("runtime.panicdivide", Text, 1, abi: 1));
        int resolved = 0;
        foreach (GoObject o in objects)
        {
            foreach (uint package in (uint[])[0, 1, 2, 3, SymRef.Self - 1, SymRef.Self, SymRef.Builtin, SymRef.Hashed, SymRef.Hashed64, SymRef.NonPackage,
                SymRef.NonPackage + 1, uint.MaxValue])
            {
                foreach (uint index in (uint[])[0, 1, 2, 3, 4, 5, 500, int.MaxValue, uint.MaxValue])
                {
                    SymRef reference = new(package, index);
                    int expected = 0;
                    try
                    {
                        expected = link.Symbols.Resolve(o, reference).Index;
                    }
                    catch (LinkException)
                    {
                    }
                    bool isEasy = o.TryResolve(reference, out int id);
                    Assert.Equal(isEasy ? expected : 0, id);
                    resolved += isEasy ? 1 : 0;
                }
            }
        }
        // All that are right but those of short hashes, and of a content without a name, which is a table of pcs: two builtins in each object; own definitions, those of packages, contents, names.
        Assert.Equal((4 * 2) + (2 + 3) + (3 + 2) + (1 + 1) + (4 + 2) + 2, resolved);
    }
}
