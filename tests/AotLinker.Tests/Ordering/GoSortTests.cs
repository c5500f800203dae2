using AotLinker.Ordering;

namespace AotLinker.Tests.Ordering;

public class GoSortTests
{
    private readonly struct ByKey : IOrder<(int Key, int Id)>
    {
        public bool Less(in (int Key, int Id) x, in (int Key, int Id) y) => x.Key < y.Key;
    }

    // The hashes are those of the ids after sort.Slice in Go 1.26 and 1.27, as FNV-1a over 32-bit little-endian words.
    [Theory]
    [InlineData(0, 0, 0x811c9dc5u)]
    [InlineData(0, 1, 0x811c9dc5u)]
    [InlineData(0, 2, 0x811c9dc5u)]
    [InlineData(0, 3, 0x811c9dc5u)]
    [InlineData(0, 4, 0x811c9dc5u)]
    [InlineData(0, 5, 0x811c9dc5u)]
    [InlineData(0, 6, 0x811c9dc5u)]
    [InlineData(1, 0, 0x4b95f515u)]
    [InlineData(1, 1, 0x4b95f515u)]
    [InlineData(1, 2, 0x4b95f515u)]
    [InlineData(1, 3, 0x4b95f515u)]
    [InlineData(1, 4, 0x4b95f515u)]
    [InlineData(1, 5, 0x4b95f515u)]
    [InlineData(1, 6, 0x4b95f515u)]
    [InlineData(7, 0, 0xc50842e2u)]
    [InlineData(7, 1, 0xa2e2b772u)]
    [InlineData(7, 2, 0x8c3de2b2u)]
    [InlineData(7, 3, 0xa2e2b772u)]
    [InlineData(7, 4, 0xf4748d32u)]
    [InlineData(7, 5, 0xa2e2b772u)]
    [InlineData(7, 6, 0xa2e2b772u)]
    [InlineData(12, 0, 0xe4d00a75u)]
    [InlineData(12, 1, 0x39571505u)]
    [InlineData(12, 2, 0x9830a585u)]
    [InlineData(12, 3, 0x39571505u)]
    [InlineData(12, 4, 0xc0413fd5u)]
    [InlineData(12, 5, 0x39571505u)]
    [InlineData(12, 6, 0x39571505u)]
    [InlineData(13, 0, 0x7cc13939u)]
    [InlineData(13, 1, 0xaa819c99u)]
    [InlineData(13, 2, 0x543549e9u)]
    [InlineData(13, 3, 0xaa819c99u)]
    [InlineData(13, 4, 0x087c50a9u)]
    [InlineData(13, 5, 0xaa819c99u)]
    [InlineData(13, 6, 0xaa819c99u)]
    [InlineData(49, 0, 0x1a6d80b5u)]
    [InlineData(49, 1, 0x6ebf57c5u)]
    [InlineData(49, 2, 0x0a893ce5u)]
    [InlineData(49, 3, 0x6ebf57c5u)]
    [InlineData(49, 4, 0xd368f305u)]
    [InlineData(49, 5, 0xb178a705u)]
    [InlineData(49, 6, 0x6ebf57c5u)]
    [InlineData(50, 0, 0x8d80ee24u)]
    [InlineData(50, 1, 0xcf49e334u)]
    [InlineData(50, 2, 0xa51172b4u)]
    [InlineData(50, 3, 0xcf49e334u)]
    [InlineData(50, 4, 0xe7fbc414u)]
    [InlineData(50, 5, 0xd42831a4u)]
    [InlineData(50, 6, 0xcf49e334u)]
    [InlineData(64, 0, 0xaace15d5u)]
    [InlineData(64, 1, 0xf16d17c5u)]
    [InlineData(64, 2, 0xb8a74b25u)]
    [InlineData(64, 3, 0xf16d17c5u)]
    [InlineData(64, 4, 0x5badf4b5u)]
    [InlineData(64, 5, 0xbe87a6d5u)]
    [InlineData(64, 6, 0xf16d17c5u)]
    [InlineData(100, 0, 0x5d9cc2c5u)]
    [InlineData(100, 1, 0x06de5445u)]
    [InlineData(100, 2, 0x3eb38b55u)]
    [InlineData(100, 3, 0x06de5445u)]
    [InlineData(100, 4, 0x74addc35u)]
    [InlineData(100, 5, 0x09d30755u)]
    [InlineData(100, 6, 0xad345dc5u)]
    [InlineData(1000, 0, 0x9d3f7e49u)]
    [InlineData(1000, 1, 0x8e15cb75u)]
    [InlineData(1000, 2, 0x225868d1u)]
    [InlineData(1000, 3, 0x8e15cb75u)]
    [InlineData(1000, 4, 0x644cf6adu)]
    [InlineData(1000, 5, 0x65124bb9u)]
    [InlineData(1000, 6, 0x5d3f7d31u)]
    [InlineData(5000, 0, 0xa54c6b6du)]
    [InlineData(5000, 1, 0xc36aa6b5u)]
    [InlineData(5000, 2, 0xf2e8a2bdu)]
    [InlineData(5000, 3, 0xc36aa6b5u)]
    [InlineData(5000, 4, 0xc9b8d8b1u)]
    [InlineData(5000, 5, 0x93399131u)]
    [InlineData(5000, 6, 0x8d923d7du)]
    [InlineData(20000, 0, 0x65a14111u)]
    [InlineData(20000, 1, 0xf8af1ac5u)]
    [InlineData(20000, 2, 0xcb8331b1u)]
    [InlineData(20000, 3, 0xf8af1ac5u)]
    [InlineData(20000, 4, 0x2ffedac5u)]
    [InlineData(20000, 5, 0xafaa6625u)]
    [InlineData(20000, 6, 0x22416335u)]
    public void LeavesEqualElementsWhereGoLeavesThem(int n, int pattern, uint hash)
    {
        (int Key, int Id)[] items = Make(n, pattern);
        GoSort.Sort(items.AsSpan(), default(ByKey));
        for (int i = 1; i < n; i++)
        {
            Assert.True(items[i - 1].Key <= items[i].Key);
        }
        uint actual = 0x811c9dc5;
        foreach ((int _, int id) in items)
        {
            for (int shift = 0; shift < 32; shift += 8)
            {
                actual = (actual ^ ((uint)id >> shift & 0xff)) * 0x01000193;
            }
        }
        Assert.Equal(hash, actual);
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(150_000)]
    public void ThreadsChangeNothing(int n)
    {
        for (int pattern = 0; pattern <= 6; pattern++)
        {
            (int Key, int Id)[] expected = Make(n, pattern);
            GoSort.Sort(expected.AsSpan(), default(ByKey));
            foreach ((int threads, int seed) in (ReadOnlySpan<(int, int)>)[(1, 0), (2, 0), (4, 7)])
            {
                (int Key, int Id)[] actual = Make(n, pattern);
                GoSort.Sort(new Workers(threads, seed), actual.AsSpan(), default(ByKey));
                Assert.True(expected.AsSpan().SequenceEqual(actual), $"pattern {pattern}, {threads} threads");
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(5000)]
    [InlineData(100_000)]
    public void RadixSortIsStable(int n)
    {
        Random random = new(n);
        foreach (uint largest in (uint[])[1, 100, 70_000, uint.MaxValue])
        {
            ulong[] pairs = new ulong[n];
            for (int i = 0; i < n; i++)
            {
                pairs[i] = ((ulong)(random.NextInt64(largest + 1L)) << 32) | (uint)i;
            }
            ulong[] expected = [.. pairs];
            Array.Sort(expected);
            RadixSort.ByUpperHalf(pairs);
            Assert.Equal(expected, pairs);
        }
    }

    private static (int Key, int Id)[] Make(int n, int pattern)
    {
        ulong x = (ulong)((n * 7) + pattern + 1);
        (int, int)[] items = new (int, int)[n];
        for (int i = 0; i < n; i++)
        {
            x = (x * 6364136223846793005) + 1442695040888963407;
            int r = (int)(x >> 33);
            items[i] = (pattern switch
            {
                0 => r % 10,
                1 => i / 3,
                2 => (n - i) / 4,
                3 => 5,
                4 => r % (n + 1),
                5 => i % 17,
                _ => i % 100 == 99 ? r % n : i,
            }, i);
        }
        return items;
    }
}
