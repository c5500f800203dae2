using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Objects;

public sealed class TypeDescriptorTests
{
    private const int FlagsOffset = 20;
    private const int NameOffset = 40;
    private const byte ExtraStar = 2;

    [Theory]
    [InlineData(0, "*pkg.T")]
    [InlineData(ExtraStar, "pkg.T")]
    public void ANameMayHaveAStarThatIsNotPartOfIt(byte flags, string expected)
    {
        using TestLink link = new();
        SymbolId type = Type(link, flags, "\0\u0006*pkg.T"u8);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(new TypeDescriptor(link.Symbols, type).Name));
    }

    [Fact]
    public void WithoutANameThereIsNoStarToLeaveOut()
    {
        using TestLink link = new();
        SymbolId type = Type(link, ExtraStar, "\0\0"u8);
        LinkException e = Assert.Throws<LinkException>(() => _ = new TypeDescriptor(link.Symbols, type).Name.Length);
        Assert.Equal("damaged type name type:pkg.T", e.Message);
    }

    private static SymbolId Type(TestLink link, byte flags, ReadOnlySpan<byte> nameRecord)
    {
        byte[] content = new byte[48];
        content[FlagsOffset] = flags;
        SymbolBuilder type = link.AddBytes("type:pkg.T", SymbolKind.RoData, content);
        type.AddReloc(RelocKind.AddrOff, NameOffset, 4, link.AddBytes("type:.namedata.T", SymbolKind.RoData, nameRecord).Symbol, 0);
        return type.Symbol;
    }
}
