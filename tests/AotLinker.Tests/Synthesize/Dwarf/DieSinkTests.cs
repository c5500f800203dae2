using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Tests.Synthesize.Dwarf;

public sealed class DieSinkTests
{
    [Theory]
    [InlineData(4, false, "01 0300 04000000 05000000 8602 7a 010203 0000")]
    [InlineData(8, false, "01 0300 04000000 0500000000000000 8602 7a 010203 0000")]
    [InlineData(4, true, "01 0003 00000004 00000005 8602 7a 010203 0000")]
    [InlineData(8, true, "01 0003 00000004 0000000000000005 8602 7a 010203 0000")]
    public void SizeAndBytesAgree(int pointerSize, bool bigEndian, string expected)
    {
        DieSize size = new(pointerSize);
        Describe(ref size);
        byte[] bytes = new byte[size.Length];
        bytes.AsSpan().Fill(0xee);
        DieWriter writer = new(bytes, pointerSize, bigEndian);
        Describe(ref writer);
        Assert.Equal(size.Length, writer.Length);
        Assert.Equal(Convert.FromHexString(expected.Replace(" ", "")), bytes);
    }

    [Fact]
    public void AWriterDoesNotLeaveItsSpan() => Assert.ThrowsAny<Exception>(() => new DieWriter(new byte[3], 8, false).UInt32(1));

    private static void Describe<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        w.Byte(1);
        w.UInt16(3);
        int at = w.Length;
        w.UInt32(0);
        w.Pointer(5);
        w.Unsigned(262);
        w.Signed(-6);
        w.Bytes([1, 2, 3]);
        w.Zeros(2);
        w.SetUInt32(at, 4);
    }
}
