using AotLinker.Synthesize;

namespace AotLinker.Tests.Synthesize;

/// <summary>Writing through a window onto a larger content.</summary>
public class PieceWriterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatIsOutsideThePieceIsDropped(bool bigEndian)
    {
        byte[] whole = new byte[40];
        Write(new PieceWriter(whole, 0, bigEndian));
        for (int from = 0; from <= whole.Length; from++)
        {
            for (int to = from; to <= whole.Length; to++)
            {
                byte[] piece = new byte[to - from];
                Write(new PieceWriter(piece, from, bigEndian));
                Assert.Equal(whole[from..to], piece);
            }
        }
        Assert.Equal(bigEndian ? 1 : 4, whole[3]);
    }

    [Fact]
    public void NumbersAreInTheTargetsOrder()
    {
        byte[] little = new byte[12];
        byte[] big = new byte[12];
        new PieceWriter(little, 0, false).UInt(0, 0x0102030405060708, 8);
        new PieceWriter(big, 0, true).UInt(0, 0x0102030405060708, 8);
        new PieceWriter(little, 0, false).UInt(8, 0x0a0b0c0d, 4);
        new PieceWriter(big, 0, true).UInt(8, 0x0a0b0c0d, 4);
        Assert.Equal([8, 7, 6, 5, 4, 3, 2, 1, 13, 12, 11, 10], little);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13], big);
        Assert.Throws<OverflowException>(() => new PieceWriter(new byte[4], 0, false).UInt(0, 1UL << 32, 4));
    }

    private static void Write(in PieceWriter writer)
    {
        writer.UInt32(3, 0x01020304);
        writer.UInt8(8, 9);
        writer.Bytes(11, "seventeen bytes.."u8);
        writer.UInt(29, 0x1112131415161718, 8);
    }
}
