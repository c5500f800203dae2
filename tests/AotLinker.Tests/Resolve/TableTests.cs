using System.Text;
using AotLinker.Objects;
using AotLinker.Resolve;

namespace AotLinker.Tests.Resolve;

/// <summary>The flat tables that resolve fills: ranges, names, contents.</summary>
public sealed class TableTests
{
    [Fact]
    public void RangeOfEveryNumber()
    {
        int[] starts = [0, 1, 1, 300, 300, 300, 301, 5000, 5000];
        RangeIndex index = new(starts);
        Assert.Equal(5000, index.End);
        for (int number = 0; number < 5000; number++)
        {
            int range = index.Find(number, out int offset);
            Assert.True(starts[range] <= number && number < starts[range + 1]);
            Assert.Equal(number - starts[range], offset);
        }
    }

    [Fact]
    public void RangesThatHoldNothing()
    {
        Assert.Equal(0, new RangeIndex([0, 0]).End);
        Assert.Equal(0, new RangeIndex([0, 1]).Find(0, out _));
        Assert.Throws<ArgumentException>(() => new RangeIndex([0]));
        Assert.Throws<ArgumentException>(() => new RangeIndex([1, 2]));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(2, 4000)]
    public void NamesAreFoundWhateverTheTableStartsWith(int shards, int reserved)
    {
        NameTable table = new(shards);
        for (int shard = 0; shard < shards; shard++)
        {
            table[shard].Reserve(reserved);
        }
        const int Count = 10_000;
        for (int id = 1; id <= Count; id++)
        {
            ulong hash = HashOf(id);
            table[table.ShardOf(hash)].Add(hash, id, HashOf);
        }
        for (int id = 1; id <= Count; id++)
        {
            Assert.Equal(1, CountOf(table, HashOf(id), id));
        }
        Assert.Equal(0, CountOf(table, HashOf(Count + 1), Count + 1));

        for (int shard = 0; shard < shards; shard++)
        {
            table[shard].Renumber(id => id + 7);
        }
        Assert.Equal(1, CountOf(table, HashOf(1), 8));
        Assert.Equal(1, CountOf(table, HashOf(Count), Count + 7));

        static ulong HashOf(int id) => NameTable.Hash(Encoding.UTF8.GetBytes($"name.{id}"), 0);
    }

    [Fact]
    public void EveryByteOfANameItsLengthAndItsVersionChangeTheHash()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(100, 50)));
        HashSet<ulong> hashes = [];
        for (int length = 0; length <= 140; length++)
        {
            Span<byte> name = bytes.AsSpan(0, length);
            ulong hash = HashOf(name, 0);
            Assert.True(hashes.Add(hash));
            Assert.True(hashes.Add(HashOf(name, 1)));
            for (int i = 0; i < 8 * length; i++)
            {
                name[i / 8] ^= (byte)(1 << (i % 8));
                Assert.NotEqual(hash, HashOf(name, 0));
                name[i / 8] ^= (byte)(1 << (i % 8));
            }
        }

        // What stands around a name doesn't count.
        static ulong HashOf(ReadOnlySpan<byte> name, int version)
        {
            Span<byte> copy = stackalloc byte[200];
            copy.Fill((byte)name.Length);
            name.CopyTo(copy[19..]);
            ulong hash = NameTable.Hash(name, version);
            Assert.Equal(hash, NameTable.Hash(copy.Slice(19, name.Length), version));
            return hash;
        }
    }

    // Shards, lines and tags take bits from everywhere, and names differ in little.
    [Fact]
    public void HashesOfNamesThatDifferInADigitAreSpreadEvenly()
    {
        const int Count = 1 << 16;
        int[] high = new int[256], low = new int[256], tag = new int[256];
        for (int i = 0; i < Count; i++)
        {
            ulong hash = NameTable.Hash(Encoding.UTF8.GetBytes($"k8s.io/api/core/v1.(*PodSpec).String{i:x}"), 1);
            high[hash >> 56]++;
            low[(hash >> 24) & 255]++;
            tag[(hash >> 32) & 255]++;
        }
        Assert.All((int[])[.. high, .. low, .. tag], n => Assert.InRange(n, 170, 350));
    }

    [Fact]
    public void NamesOfOneHashStandInLineAfterLine()
    {
        NameTable.Shard shard = new();
        shard.Reserve(100);
        for (int id = 1; id <= 40; id++)
        {
            shard.Add(0x1234_5678_9abc_def0, id, _ => 0x1234_5678_9abc_def0);
        }
        List<int> found = [];
        NameTable.Cursor cursor = shard.Seek(0x1234_5678_9abc_def0);
        unsafe
        {
            while (shard.Next(ref cursor))
            {
                found.Add(*cursor.Id);
            }
        }
        Assert.Equal(Enumerable.Range(1, 40), found);
    }

    [Theory]
    [InlineData(0u, 0, 0)]
    [InlineData(ContentTable.Slot.LargestSize, 32, (int)(SymbolTable.Attributes.Local | SymbolTable.Attributes.UsedInIface))]
    [InlineData(ContentTable.Slot.LargestSize - 1, 1, (int)SymbolTable.Attributes.UsedInIface)]
    public void ASizeAndWhatIsDemandedShareAWord(uint size, byte align, int marks)
    {
        var attributes = (SymbolTable.Attributes)marks;
        uint packed = ContentTable.Slot.Pack(size, ContentTable.Slot.DemandOf(align, attributes));
        uint demand = ContentTable.Slot.DemandOf(packed);
        Assert.Equal((size, align, attributes), (ContentTable.Slot.SizeOf(packed), ContentTable.Slot.AlignOf(demand), ContentTable.Slot.AttributesOf(demand)));
        Assert.Equal(ContentTable.Slot.LargestSize, ContentTable.Slot.SizeOf(ContentTable.Slot.Pack(uint.MaxValue, demand)));

        uint joined = ContentTable.Slot.Join(demand, ContentTable.Slot.DemandOf(5, SymbolTable.Attributes.Local));
        Assert.Equal(Math.Max(align, (byte)5), ContentTable.Slot.AlignOf(joined));
        Assert.Equal(attributes | SymbolTable.Attributes.Local, ContentTable.Slot.AttributesOf(joined));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public unsafe void ContentsAreToldApartByAllBitsOfTheirHash(bool isShort)
    {
        // Room for few of them: the table has to grow.
        using ContentTable table = new(100, isShort);
        const int Count = 5000;
        for (int i = 0; i < Count; i++)
        {
            ref ContentTable.Slot slot = ref Find(i / 2, i % 2);
            Assert.Equal(0, slot.Position);
            slot.Position = i + 1;
            slot.Packed = ContentTable.Slot.Pack((uint)i, demand: 1);
        }
        for (int i = 0; i < Count; i++)
        {
            ulong key = ContentTable.Key((ulong)(i / 2), isShort);
            table.Expect(&key, 1);
            Assert.Equal(i + 1, Find(i / 2, i % 2).Position);
            Assert.Equal((uint)i, ContentTable.Slot.SizeOf(Find(i / 2, i % 2).Packed));
        }

        ref ContentTable.Slot Find(int low, int high) => ref table.Find(ContentTable.Key((ulong)low, isShort), (ulong)low, (ulong)high);
    }

    private static unsafe int CountOf(NameTable table, ulong hash, int id)
    {
        int count = 0;
        NameTable.Shard shard = table[table.ShardOf(hash)];
        shard.Expect(hash);
        NameTable.Cursor cursor = shard.Seek(hash);
        while (shard.Next(ref cursor))
        {
            count += *cursor.Id == id ? 1 : 0;
        }
        return count;
    }
}
