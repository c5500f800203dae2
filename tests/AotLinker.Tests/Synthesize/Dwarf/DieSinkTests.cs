using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Tests.Synthesize.Dwarf;

public sealed class DieSinkTests
{
    [Theory]
    [InlineData(4, false, false, "0c000000 01 0300 04000000 05000000 8602 7a 010203 0000")]
    [InlineData(8, false, false, "0c000000 01 0300 04000000 0500000000000000 8602 7a 010203 0000")]
    [InlineData(4, true, false, "0000000c 01 0003 00000004 00000005 8602 7a 010203 0000")]
    [InlineData(8, true, false, "0000000c 01 0003 00000004 0000000000000005 8602 7a 010203 0000")]
    [InlineData(8, true, true, "ffffffff 000000000000000c 01 0003 0000000000000004 0000000000000005 8602 7a 010203 0000")]
    [InlineData(8, false, true, "ffffffff 0c00000000000000 01 0300 0400000000000000 0500000000000000 8602 7a 010203 0000")]
    public void SizeAndBytesAgree(int pointerSize, bool bigEndian, bool is64, string expected)
    {
        DwarfFormat format = new(is64);
        DieSize size = new(pointerSize, format);
        Describe(ref size);
        byte[] bytes = new byte[size.Length];
        bytes.AsSpan().Fill(0xee);
        DieWriter writer = new(bytes, pointerSize, bigEndian, format);
        Describe(ref writer);
        Assert.Equal(size.Length, writer.Length);
        Assert.Equal(Convert.FromHexString(expected.Replace(" ", "")), bytes);
    }

    [Fact]
    public void AWriterDoesNotLeaveItsSpan() => Assert.ThrowsAny<Exception>(() => new DieWriter(new byte[3], 8, false, default).UInt32(1));

    private static void Describe<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        int start = w.Length;
        w.UnitLength(0);
        w.Byte(1);
        w.UInt16(3);
        int at = w.Length;
        w.Offset(0);
        w.Pointer(5);
        w.Unsigned(262);
        w.Signed(-6);
        w.Bytes([1, 2, 3]);
        w.Zeros(2);
        w.SetOffset(at, 4);
        w.SetUnitLength(start, 12);
    }
}
