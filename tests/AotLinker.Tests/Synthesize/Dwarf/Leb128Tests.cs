using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Tests.Synthesize.Dwarf;

public sealed class Leb128Tests
{
    public static TheoryData<long> Values
    {
        get
        {
            TheoryData<long> values = [0, -1, long.MinValue, long.MaxValue];
            for (int bits = 6; bits < 63; bits += 7)
            {
                foreach (long v in (ReadOnlySpan<long>)[(1L << bits) - 1, 1L << bits, (1L << (bits + 1)) - 1, 1L << (bits + 1)])
                {
                    values.Add(v);
                    values.Add(-v);
                }
            }
            return values;
        }
    }

    [Theory]
    [MemberData(nameof(Values))]
    public void UnsignedNumbersReadBackAndHaveTheLengthPromised(long value)
    {
        byte[] buffer = new byte[Leb128.MaxLength];
        int length = Leb128.WriteUnsigned(buffer, (ulong)value);
        Assert.Equal(length, Leb128.UnsignedLength((ulong)value));
        ulong read = 0;
        for (int i = 0; i < length; i++)
        {
            read |= (ulong)(buffer[i] & 0x7f) << (7 * i);
            Assert.Equal(i < length - 1, buffer[i] >= 0x80);
        }
        Assert.Equal((ulong)value, read);
        Assert.True(length == 1 || buffer[length - 1] != 0);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public void SignedNumbersReadBackAndHaveTheLengthPromised(long value)
    {
        byte[] buffer = new byte[Leb128.MaxLength];
        int length = Leb128.WriteSigned(buffer, value);
        Assert.Equal(length, Leb128.SignedLength(value));
        long read = 0;
        for (int i = 0; i < length; i++)
        {
            read |= (long)(buffer[i] & 0x7f) << (7 * i);
        }
        if (7 * length < 64 && (buffer[length - 1] & 0x40) != 0)
        {
            read |= -1L << (7 * length);
        }
        Assert.Equal(value, read);
        // One byte less would lose the sign.
        Assert.True(length == 1 || value < -(1L << (7 * (length - 1) - 1)) || value >= 1L << (7 * (length - 1) - 1));
    }

    [Theory]
    [InlineData(1, 3, new byte[] { 0x81, 0x80, 0x00 }, true)]
    [InlineData(300, 2, new byte[] { 0xac, 0x02 }, true)]
    [InlineData(127, 1, new byte[] { 0x7f }, true)]
    [InlineData(128, 1, new byte[] { 0x00 }, false)]
    public void ReservedPlacesAreFilledUp(ulong value, int length, byte[] expected, bool fits)
    {
        byte[] place = new byte[length];
        Assert.Equal(fits, Leb128.TryWritePadded(place, value));
        Assert.Equal(expected, place);
    }
}
