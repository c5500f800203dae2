using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Tests.Synthesize.Dwarf;

public sealed class AbbreviationsTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void NumbersRunFromOneAndTheTableEnds(bool dwarf5, bool fixedLines)
    {
        DieReader.Shape[] shapes = DieReader.ReadAbbreviations(Abbreviations.Encode(dwarf5, fixedLines));
        Assert.Equal(46, shapes.Length - 1);
        Assert.Equal(0x11, shapes[(int)Abbreviation.Unit].Tag);
        Assert.Equal(dwarf5, shapes[(int)Abbreviation.Unit].Attributes.Contains((0x73, 0x17)));
        Assert.DoesNotContain(shapes[(int)Abbreviation.UnitWithoutText].Attributes, a => a.Name == 0x73);
        Assert.Equal(0x0d, shapes[(int)Abbreviation.StructField].Tag);
        Assert.Equal(0x16, shapes[(int)Abbreviation.Typedef].Tag);
        Assert.True(shapes[(int)Abbreviation.StructType].HasChildren);
        Assert.False(shapes[(int)Abbreviation.PointerType].HasChildren);
    }

    [Theory]
    [InlineData(true, false, 0x1b, 0x0f, 0x0f)]
    [InlineData(false, false, 0x01, 0x01, 0x0f)]
    [InlineData(false, true, 0x01, 0x01, 0x06)]
    public void FormsFollowTheTarget(bool dwarf5, bool fixedLines, int lowPc, int highPc, int line)
    {
        // The third is a function, the eighth an inlined call.
        DieReader.Shape[] shapes = DieReader.ReadAbbreviations(Abbreviations.Encode(dwarf5, fixedLines));
        Assert.Contains((0x11, lowPc), shapes[3].Attributes);
        Assert.Contains((0x12, highPc), shapes[3].Attributes);
        Assert.Contains((0x59, line), shapes[8].Attributes);
    }

    // Lengths and checksums of what Go 1.26 and 1.27 write.
    [Theory]
    [InlineData(true, 614, 0x9e464218)]
    [InlineData(false, 612, 0xbe0e40c6)]
    public void BytesAreThoseOfTheGoLinker(bool dwarf5, int length, uint adler)
    {
        byte[] bytes = Abbreviations.Encode(dwarf5, false);
        Assert.Equal(length, bytes.Length);
        AotLinker.Hashing.Adler32 sum = new();
        sum.Update(bytes);
        Assert.Equal(adler, sum.Value);
    }
}
