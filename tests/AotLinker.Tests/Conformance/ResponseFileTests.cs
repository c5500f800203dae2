using AotLinker.Conformance;

namespace AotLinker.Tests.Conformance;

public sealed class ResponseFileTests
{
    [Fact]
    public void OldReleasesEscapeLineBreaksAndBackslashes() =>
        Assert.Equal("-X\na b=\\\\ \"q\"\\nx\n", ResponseFile.Format("1.26", ["-X", "a b=\\ \"q\"\nx"]));

    [Fact]
    public void NewReleasesQuoteWhatNeedsIt() =>
        Assert.Equal("-X\n\"a b=\\\\ \\\"q\\\" \\$x \\`\"\n\"\"\n", ResponseFile.Format("1.27", ["-X", "a b=\\ \"q\" $x `", ""]));
}
