using System.Security.Cryptography;
using System.Text;
using AotLinker.Hashing;
using AotLinker.Tests.Compression;

namespace AotLinker.Tests.Hashing;

public class HashTests
{
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void Sha256_of_the_standard_messages(string message, string expected)
    {
        byte[] digest = new byte[32];
        Sha256.Hash(Encoding.ASCII.GetBytes(message), digest);
        Assert.Equal(expected, Convert.ToHexStringLower(digest));
    }

    [Fact]
    public void Sha256_of_all_small_sizes_in_pieces_and_at_once()
    {
        byte[] data = TestData.Generate("random", 300);
        byte[] digest = new byte[32];
        for (int size = 0; size <= data.Length; size++)
        {
            byte[] expected = SHA256.HashData(data.AsSpan(0, size));
            Sha256.Hash(data.AsSpan(0, size), digest);
            Assert.Equal(expected, digest);

            var hash = new Sha256();
            for (int at = 0; at < size; at += 1 + size / 5)
                hash.Update(data.AsSpan(at, Math.Min(1 + size / 5, size - at)));
            hash.Finish(digest);
            Assert.Equal(expected, digest);
        }
    }

    [Fact]
    public unsafe void Scalar_rounds_agree_with_whatever_the_CPU_offers()
    {
        byte[] blocks = TestData.Generate("random", 64 * 50);
        Sha256State expected = Sha256State.Initial, actual = Sha256State.Initial;
        Sha256Blocks.Compress(ref actual, blocks);
        fixed (byte* data = blocks)
        fixed (uint* k = Sha256Blocks.K)
            Sha256Blocks.CompressScalar(ref expected, data, data + blocks.Length, k);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_copied_hash_is_a_fork()
    {
        var hash = new Sha256();
        hash.Update("shared"u8);
        Sha256 fork = hash;
        hash.Update("a"u8);
        fork.Update("b"u8);
        byte[] first = new byte[32], second = new byte[32];
        hash.Finish(first);
        fork.Finish(second);
        Assert.Equal(SHA256.HashData("shareda"u8), first);
        Assert.Equal(SHA256.HashData("sharedb"u8), second);
    }

    [Theory]
    [InlineData(4096, 0)]
    [InlineData(4096, 1)]
    [InlineData(4096, 4096)]
    [InlineData(4096, 4 * 4096)]
    [InlineData(4096, 13 * 4096 + 77)]
    [InlineData(64, 64 * 29)]
    [InlineData(16384, 16384 * 9 + 1)]
    public void Pieces_hashed_side_by_side(int pieceSize, int size)
    {
        byte[] data = TestData.Generate("random", size);
        int pieces = (size + pieceSize - 1) / pieceSize;
        foreach (bool inLanes in (bool[])[false, true])
        {
            byte[] digests = new byte[32 * pieces];
            Sha256Lanes.HashPieces(data, pieceSize, digests, inLanes);
            for (int i = 0; i < pieces; i++)
            {
                byte[] expected = SHA256.HashData(data.AsSpan(i * pieceSize, Math.Min(pieceSize, size - i * pieceSize)));
                Assert.Equal(expected, digests[(32 * i)..(32 * i + 32)]);
            }
        }
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(32, 1000)]
    [InlineData(64, 64)]
    [InlineData(65, 3)]
    [InlineData(200, 0)]
    public void Hmac(int keySize, int size)
    {
        byte[] key = TestData.Generate("words", keySize);
        byte[] data = TestData.Generate("random", size);
        var hmac = new HmacSha256(key);
        hmac.Update(data.AsSpan(0, size / 3));
        hmac.Update(data.AsSpan(size / 3));
        byte[] code = new byte[32];
        hmac.Finish(code);
        Assert.Equal(HMACSHA256.HashData(key, data), code);
    }

    [Theory]
    [InlineData(0x01)]
    [InlineData(0xFF)]
    public void Tool_hashes(byte mask)
    {
        byte[] digest = new byte[32];
        ToolHash.Sum32("go build id"u8, digest, mask);
        byte[] plain = SHA256.HashData("go build id"u8);
        plain[0] ^= mask;
        Assert.Equal(plain, digest);

        Sha256 hash = ToolHash.New32();
        hash.Update("go build id"u8);
        hash.Finish(digest);
        Assert.Equal(SHA256.HashData("\u0001go build id"u8), digest);
    }

    [Theory]
    [InlineData("", 1u)]
    [InlineData("Wikipedia", 0x11E60398u)]
    public void Adler32_of_known_texts(string text, uint expected) =>
        Assert.Equal(expected, Adler32.Compute(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Adler32_of_large_values_in_pieces()
    {
        byte[] data = new byte[40_000];
        data.AsSpan().Fill(0xFF);
        for (int size = 0; size < data.Length; size += 997)
        {
            uint a = 1, b = 0;
            for (int i = 0; i < size; i++)
            {
                a = (a + data[i]) % 65521;
                b = (b + a) % 65521;
            }
            uint expected = (b << 16) | a;
            Assert.Equal(expected, Adler32.Compute(data.AsSpan(0, size)));

            int cut = size / 3;
            var adler = new Adler32();
            adler.Update(data.AsSpan(0, cut));
            uint first = adler.Value;
            adler.Update(data.AsSpan(cut, size - cut));
            Assert.Equal(expected, adler.Value);
            Assert.Equal(expected, Adler32.Combine(first, Adler32.Compute(data.AsSpan(cut, size - cut)), size - cut));
        }
    }
}
