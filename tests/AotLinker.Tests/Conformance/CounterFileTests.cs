using AotLinker.Conformance;
using AotLinker.Conformance.Profile;

namespace AotLinker.Tests.Conformance;

public sealed class CounterFileTests
{
    private const string Sample = """
        *** START PGO Data, max index = 2 ***
        @@@ codehash 0x43A3C4B1 methodhash 0x2765607D ilSize 0x0000009F records 0x00000004
        MethodName: N.Outer`1+Inner[System.Int32[],N.Pair`2[System.Byte,System.Byte]].Run
        Signature: instance void  (value class Place&)
        Schema InstrumentationKind 385 ILOffset 3 Count 1 Other 59
        4294967295
        Schema InstrumentationKind 177 ILOffset 38 Count 1 Other 2147483648
        0
        Schema InstrumentationKind 195 ILOffset 38 Count 2 Other 2147483648
        TypeHandle: NULL
        TypeHandle: System.String, System.Private.CoreLib
        Schema InstrumentationKind 65 ILOffset 59 Count 1 Other 0
        7
        @@@ codehash 0x1 methodhash 0x2 ilSize 0x00000001 records 0x00000000
        MethodName: N.Type..ctor
        Signature: instance void  ()
        *** END PGO Data ***

        """;

    [Fact]
    public void CountsOfBlocksAndEdgesAreKept()
    {
        List<MethodCounters> methods = Read(Sample);
        Assert.Equal(2, methods.Count);
        Assert.Equal(("N.Outer`1+Inner.Run", "instance void  (value class Place&)", 0x9F), (methods[0].Name, methods[0].Signature, methods[0].Size));
        Assert.Equal([new Counter(Counter.Edge, 3, 59, uint.MaxValue), new Counter(Counter.Block, 59, 0, 7)], methods[0].Counters);
        Assert.Equal("N.Type..ctor", methods[1].Name);
        Assert.Empty(methods[1].Counters);
    }

    [Theory]
    [InlineData("*** START", "*** BEGIN", 1)]
    [InlineData("@@@ codehash 0x43A3C4B1", "@@@", 2)]
    [InlineData("0x0000009F", "159", 2)]
    [InlineData("records 0x00000004", "records 0x0000000G", 2)]
    [InlineData("records 0x00000004", "records 0x00000003", 12)]
    [InlineData("MethodName: N.O", "Name: N.O", 3)]
    [InlineData("Signature: instance void  (v", "MethodName: (v", 4)]
    [InlineData("Schema InstrumentationKind 385", "Schema InstrumentationKind edge", 5)]
    [InlineData("ILOffset 3 Count 1", "ILOffset 3 Count 2", 5)]
    [InlineData("4294967295", "4294967296", 6)]
    [InlineData("*** END PGO Data ***\n", "", 17)]
    public void WhatIsWrongIsSaidWithFileAndLine(string text, string wrong, int line)
    {
        Assert.Contains(text, Sample, StringComparison.Ordinal);
        ConformanceException failure = Assert.Throws<ConformanceException>(() => Read(Sample.Replace(text, wrong, StringComparison.Ordinal)));
        Assert.StartsWith($"counters:{line}: ", failure.Message, StringComparison.Ordinal);
    }

    private static List<MethodCounters> Read(string text) => CounterFile.Read(new StringReader(text), "counters");
}
