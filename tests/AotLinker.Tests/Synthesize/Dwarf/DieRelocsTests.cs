using AotLinker.Emit;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Tests.Synthesize.Dwarf;

public sealed class DieRelocsTests
{
    private static readonly SymbolId Section = new(7);
    private static readonly SymbolId Function = new(9);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ReferencesAndAddressesAreListedWhereTheyAreWritten(bool is64)
    {
        DwarfFormat format = new(is64, LeavesAddresses: true, LeavesReferences: true);
        using NativeList<ExternalReloc> list = new();
        DieRelocs relocs = new(list, 100, 8, format);
        Describe(ref relocs);
        byte[] bytes = new byte[relocs.Length];
        bytes.AsSpan().Fill(0xee);
        DieWriter writer = new(bytes, 8, false, format);
        Describe(ref writer);
        Assert.Equal(writer.Length, relocs.Length);

        Assert.Equal(2, list.Count);
        Assert.Equal((RelocKind.DwarfSecRef, format.OffsetSize, Section, 0x1234L), Of(list[0]));
        Assert.Equal((RelocKind.Addr, 8, Function, 0L), Of(list[1]));
        foreach (ref readonly ExternalReloc r in list.AsSpan())
        {
            // The relocation has the value; the field has none.
            Assert.Equal(new byte[r.Size], bytes.AsSpan((int)r.Offset - 100, r.Size).ToArray());
        }
        Assert.Equal(100 + format.UnitLengthSize + 1, list[0].Offset);
    }

    [Fact]
    public void ReferencesHaveTheirValueWhereFieldsHoldAddends()
    {
        byte[] bytes = new byte[64];
        DieWriter writer = new(bytes, 8, false, new DwarfFormat(false, LeavesAddresses: true));
        Describe(ref writer);
        Assert.Equal("34120000550000", Convert.ToHexString(bytes, 5, 7));
    }

    [Fact]
    public void WhatWeLinkOurselvesHasValues()
    {
        byte[] bytes = new byte[64];
        DieWriter writer = new(bytes, 8, false, new DwarfFormat(false));
        Describe(ref writer);
        Assert.Equal("341200005500", Convert.ToHexString(bytes, 5, 6));
        Assert.Equal((byte)0x99, bytes[11]);
    }

    private static (RelocKind Kind, int Size, SymbolId Target, long Addend) Of(in ExternalReloc r) => (r.Kind, r.Size, r.Target, r.Addend);

    private static void Describe<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        int start = w.Length;
        w.UnitLength(0);
        w.Byte(1);
        w.Reference(Section, 0x1234);
        w.Byte(0x55);
        w.Address(Function, 0x9900);
        w.Unsigned(300);
        w.SetUnitLength(start, (ulong)w.Length);
    }
}
