using AotLinker.Synthesize.Pclntab;

namespace AotLinker.Tests.Synthesize;

public class TableLengthTests
{
    [Fact]
    public void WhatOffsetsCannotSayIsAnError()
    {
        Assert.Equal(int.MaxValue, TableLength.Check(int.MaxValue, "things"));
        Assert.Equal("pclntab: more than 2 GiB of things", Assert.Throws<LinkException>(() => TableLength.Check(1L << 31, "things")).Message);
    }
}
