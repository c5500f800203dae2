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
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(TypeDescriptor.NameOf(link.Symbols, type)));
    }

    [Theory]
    [InlineData(0, "*pkg.T")]
    [InlineData(ExtraStar, "pkg.T")]
    public void ANameIsReadFromAnObjectAndStillOnceTheTypeWasChanged(byte flags, string expected)
    {
        using TestLink link = new();
        SymbolId type = TypeInObject(link, flags, "\0\u0006*pkg.T"u8);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(TypeDescriptor.NameOf(link.Symbols, type)));
        link.Symbols.Update(type);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(TypeDescriptor.NameOf(link.Symbols, type)));
    }

    [Fact]
    public void WithoutANameThereIsNoStarToLeaveOut()
    {
        using TestLink link = new();
        SymbolId type = Type(link, ExtraStar, "\0\0"u8);
        LinkException e = Assert.Throws<LinkException>(() => _ = new TypeDescriptor(link.Symbols, type).Name.Length);
        Assert.Equal("damaged type name type:pkg.T", e.Message);
    }

    [Fact]
    public void WithoutANameInAnObjectThereIsNoStarToLeaveOutEither()
    {
        using TestLink link = new();
        SymbolId type = TypeInObject(link, ExtraStar, "\0\0"u8);
        LinkException e = Assert.Throws<LinkException>(() => _ = TypeDescriptor.NameOf(link.Symbols, type).Length);
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

    private static SymbolId TypeInObject(TestLink link, byte flags, ReadOnlySpan<byte> nameRecord)
    {
        const byte RoData = 3;
        byte[] content = new byte[48];
        content[FlagsOffset] = flags;
        GoObject o = link.AddObjects(new GoObjectWriter("pkg")
            .Define("type:.namedata.T", RoData, (uint)nameRecord.Length, nameRecord.ToArray())
            .Define("type:pkg.T", RoData, 48, content, 0, 0, new GoObjectWriter.Reloc(NameOffset, 4, 5, 0, SymRef.Self, 0)))[0];
        return new SymbolId(o.GlobalBase + 1);
    }
}
