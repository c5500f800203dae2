using System.Text;
using AotLinker.Formats.Wasm;
using AotLinker.Releases;

namespace AotLinker.Tests.Formats;

public class WasmTests
{
    [Theory]
    [InlineData(0L, "00")]
    [InlineData(127L, "7F")]
    [InlineData(128L, "8001")]
    [InlineData(624485L, "E58E26")]
    [InlineData(-1L, "FFFFFFFFFFFFFFFFFF01")]
    public void UnsignedNumbers(long value, string expected)
    {
        Span<byte> bytes = stackalloc byte[Leb128.MaxLength];
        int n = Leb128.Write(bytes, (ulong)value);
        Assert.Equal(expected, Convert.ToHexString(bytes[..n]));
        Assert.Equal(n, Leb128.SizeOf((ulong)value));
    }

    [Theory]
    [InlineData(0L, "00")]
    [InlineData(63L, "3F")]
    [InlineData(64L, "C000")]
    [InlineData(-64L, "40")]
    [InlineData(-65L, "BF7F")]
    [InlineData(-123456L, "C0BB78")]
    [InlineData(long.MaxValue, "FFFFFFFFFFFFFFFFFF00")]
    [InlineData(long.MinValue, "8080808080808080807F")]
    public void SignedNumbers(long value, string expected)
    {
        Span<byte> bytes = stackalloc byte[Leb128.MaxLength];
        int n = Leb128.WriteSigned(bytes, value);
        Assert.Equal(expected, Convert.ToHexString(bytes[..n]));
        Assert.Equal(n, Leb128.SizeOfSigned(value));
    }

    [Fact]
    public void SizesOfSignedNumbersAreThoseWritten()
    {
        byte[] bytes = new byte[Leb128.MaxLength];
        for (int bit = 0; bit < 63; bit++)
        {
            for (long near = -2; near <= 2; near++)
            {
                foreach (long value in (long[])[(1L << bit) + near, -(1L << bit) + near])
                {
                    Assert.Equal(Leb128.WriteSigned(bytes, value), Leb128.SizeOfSigned(value));
                }
            }
        }
    }

    [Fact]
    public void FixedNumbersArePadded()
    {
        byte[] bytes = new byte[Leb128.FixedLength];
        Leb128.WriteFixed(bytes, 3);
        Assert.Equal([0x83, 0x80, 0x80, 0x80, 0x00], bytes);
        Assert.Throws<LinkException>(() => Leb128.WriteFixed(bytes, 1L << 35));
    }

    [Theory]
    [InlineData("main.(*T[go.shape.int]).é", "main.__T_go.shape.int__._")]
    [InlineData("a/b_c-d.x1", "a_b_c_d.x1")]
    public void NamesAreMadePlain(string name, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        byte[] plain = new byte[bytes.Length];
        int n = FunctionSection.WriteName(bytes, plain);
        Assert.Equal(expected, Encoding.UTF8.GetString(plain, 0, n));
        Assert.Equal(n, FunctionSection.WriteName(bytes, default));
    }

    [Fact]
    public void WhatIsNoUtf8IsReplacedByteByByte()
    {
        byte[] plain = new byte[4];
        // The first three bytes of a character of four, and a letter.
        Assert.Equal(4, FunctionSection.WriteName([0xf0, 0x9f, 0x98, (byte)'a'], plain));
        Assert.Equal("___a"u8.ToArray(), plain);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("0000", "100+4")]
    [InlineData("00001", "100+4")]
    [InlineData("10", "101+1")]
    [InlineData("1000000012", "")]
    [InlineData("10000000012", "101+8")]
    [InlineData("100000000000000000000000001000000010", "101+25 135+1")]
    [InlineData("01230000000045600000000000", "100+1 104+8 115+11")]
    public void RunsOfZeros(string content, string expected)
    {
        byte[] bytes = [.. content.Select(c => (byte)(c - '0'))];
        string actual = string.Join(' ', DataSection.FindZeros(bytes, 100).Select(run => $"{run.Start}+{run.Length}"));
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void RunsOfZerosAreThoseOfASlowSearch()
    {
        Random random = new(7);
        for (int round = 0; round < 500; round++)
        {
            byte[] bytes = new byte[random.Next(1, 120)];
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)(random.Next(round % 20 + 2) == 0 ? 1 : 0);
            }
            List<(long, long)> expected = [];
            for (int i = 0; i < bytes.Length; i++)
            {
                int from = i;
                while (i < bytes.Length && bytes[i] == 0)
                {
                    i++;
                }
                if (i > from && (i - from >= 8 || from == 0 || i == bytes.Length))
                {
                    expected.Add((from, i - from));
                }
            }
            Assert.Equal(expected, DataSection.FindZeros(bytes, 0).Select(run => (run.Start, run.Length)));
        }
    }

    [Fact]
    public void TypesAreNumberedOnce()
    {
        FunctionTypes types = new();
        Assert.Equal("60017F017F", Convert.ToHexString(types[0]));
        Assert.True(FunctionTypes.TryGetSpecial("memcmp"u8, out ReadOnlySpan<byte> signature));
        Assert.Equal(1, types.IndexOfSpecial(signature));
        Assert.Equal("60037F7F7F017F", Convert.ToHexString(types[1]));
        Assert.True(FunctionTypes.TryGetSpecial("memchr"u8, out signature));
        Assert.Equal(1, types.IndexOfSpecial(signature));
        Assert.True(FunctionTypes.TryGetSpecial("runtime.gcWriteBarrier8"u8, out signature));
        Assert.Equal(2, types.IndexOfSpecial(signature));
        Assert.Equal("6000017E", Convert.ToHexString(types[2]));
        foreach (string name in (string[])["runtime.gcWriteBarrier9", "runtime.gcWriteBarrier", "memcm", "memcmp1", "main.main", ""])
        {
            Assert.False(FunctionTypes.TryGetSpecial(Encoding.UTF8.GetBytes(name), out _), name);
        }
    }

    [Theory]
    [InlineData("go1.27", "60077F7E7D7C7F7B7F00", 7)]
    [InlineData("go1.26", "60067F7E7D7C7F7F00", 6)]
    public void FieldTypesAreTheReleases(string version, string expected, int count)
    {
        FunctionTypes types = new();
        ReadOnlySpan<byte> numbers = Release.ForVersion(version)!.WasmFieldTypes;
        int index = types.IndexOfDescribed(Description(count), numbers);
        Assert.Equal(expected, Convert.ToHexString(types[index]));
        byte[] unknown = Description(count + 1);
        Assert.Throws<LinkException>(() => types.IndexOfDescribed(unknown, Release.ForVersion(version)!.WasmFieldTypes));
        Assert.Throws<LinkException>(() => types.IndexOfDescribed(unknown.AsSpan(0, 20), Release.ForVersion(version)!.WasmFieldTypes));

        static byte[] Description(int fields)
        {
            List<byte> bytes = [.. BitConverter.GetBytes(fields)];
            for (int i = 0; i < fields; i++)
            {
                bytes.Add((byte)i);
                bytes.AddRange(BitConverter.GetBytes(8L * i));
            }
            return [.. bytes, .. BitConverter.GetBytes(0)];
        }
    }
}
