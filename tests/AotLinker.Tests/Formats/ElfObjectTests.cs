using AotLinker.Formats.Elf;
using AotLinker.Objects;

namespace AotLinker.Tests.Formats;

public sealed class ElfObjectTests
{
    [Theory]
    [InlineData((int)RelocKind.Addr, 8, false, false, 1)]
    [InlineData((int)RelocKind.Addr, 4, false, false, 10)]
    [InlineData((int)RelocKind.DwarfSecRef, 4, false, false, 10)]
    [InlineData((int)RelocKind.Call, 4, false, false, 2)]
    [InlineData((int)RelocKind.Call, 4, true, false, 4)]
    [InlineData((int)RelocKind.PcRel, 4, true, false, 2)]
    [InlineData((int)RelocKind.PcRel, 4, true, true, 4)]
    [InlineData((int)RelocKind.TlsLe, 4, false, false, 23)]
    [InlineData((int)RelocKind.TlsIe, 4, false, false, 22)]
    [InlineData((int)RelocKind.GotPcRel, 4, false, false, 9)]
    public void EachRelocationThatIsLeftHasAType(int kind, int size, bool isImport, bool isFunction, int expected) =>
        Assert.Equal((uint)expected, ElfAmd64.Instance.ObjectRelocation((RelocKind)kind, size, isImport, isFunction));

    [Theory]
    [InlineData((int)RelocKind.Addr, 2)]
    [InlineData((int)RelocKind.Call, 8)]
    [InlineData((int)RelocKind.AddrOff, 4)]
    public void OthersHaveNone(int kind, int size) => Assert.Null(ElfAmd64.Instance.ObjectRelocation((RelocKind)kind, size, false, false));

    [Fact]
    public void ARelocationIsPlaceSymbolTypeAndAddend()
    {
        byte[] bytes = new byte[24];
        new ElfEncoding(is64: true, isBigEndian: false).PutRelocation(bytes, 0x10, 5, 2, -4, hasAddend: true);
        Assert.Equal("10000000000000000200000005000000FCFFFFFFFFFFFFFF", Convert.ToHexString(bytes));
        bytes = new byte[8];
        new ElfEncoding(is64: false, isBigEndian: true).PutRelocation(bytes, 0x10, 5, 2, -4, hasAddend: false);
        Assert.Equal("0000001000000502", Convert.ToHexString(bytes));
    }
}
