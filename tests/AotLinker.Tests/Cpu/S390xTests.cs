using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Tests.Formats;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

public class S390xTests
{
    [Fact]
    public void CallsAndAddressLoadsCountHalfwords()
    {
        using TestLink link = new(cpu: new S390x(true));
        // brasl %r14,b and larl %r1,b+8: the CPU counts from the instruction, two bytes before the field.
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, [0xc0, 0xe5, 0, 0, 0, 0, 0xc0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0]);
        SymbolId b = link.AddBytes("b", SymbolKind.Text, new byte[16]).Symbol;
        a.AddReloc(RelocKind.Call, 2, 4, b, 6);
        a.AddReloc(RelocKind.PcRelDbl, 8, 4, b, 6 + 8);
        a.AddReloc(RelocKind.Const, 12, 4, SymbolId.None, 0x01020304);
        link.LayOut();
        Emitter.Run(link.Ctx);
        int distance = (int)(link.AddressOf("b") - link.AddressOf("a"));
        byte[] code = link.Read("a", 16);
        Assert.Equal(distance / 2, BinaryPrimitives.ReadInt32BigEndian(code.AsSpan(2)));
        Assert.Equal((distance - 6 + 8) / 2, BinaryPrimitives.ReadInt32BigEndian(code.AsSpan(8)));
        // Everything else is in the CPU's byte order, too.
        Assert.Equal([1, 2, 3, 4], code[12..]);
    }

    [Fact]
    public void OddDistancesAreErrors()
    {
        using TestLink link = new(cpu: new S390x(true));
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[16]);
        SymbolId b = link.AddBytes("b", SymbolKind.Text, new byte[16]).Symbol;
        a.AddReloc(RelocKind.Call, 2, 4, b, 7);
        link.LayOut();
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal([$"a: b+{link.AddressOf("b")} is not 2-byte aligned"], link.Errors);
    }

    [Fact]
    public void ThreadLocalLoadsBecomeConstants()
    {
        // larl %r10,x; lg %r10,0(%r10)
        byte[] code = [0xc0, 0xa0, 1, 2, 3, 4, 0xe3, 0xa0, 0xa0, 0, 0, 4, 0x99];
        new S390x(true).RelaxThreadLocal(code, 2, 4);
        // lgfi %r10,..; three times bcr 0,0
        Assert.Equal([0xc0, 0xa1, 1, 2, 3, 4, 7, 0, 7, 0, 7, 0, 0x99], code);
        LinkException e = Assert.Throws<LinkException>(() => new S390x(true).RelaxThreadLocal(new byte[] { 0xc0, 0xe5, 0, 0, 0, 0 }, 2, 4));
        Assert.Equal("R_390_TLS_IEENT relocation not preceded by LARL instruction: c0 e5", e.Message);
    }

    [Fact]
    public void ACallOfAnImportGoesThroughThePlt()
    {
        LinkContext ctx = ElfSample.Dynamic(new S390x(true));
        SymbolTable symbols = ctx.Symbols;
        SymbolId import = symbols.Update("libc_getpid"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddReference(import, 6, RelocKind.Call, 4);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        Assert.Equal((ctx.Known.Plt, 38L), (relocs.Target(0), relocs[0].Addend));

        // The second entry: its last two words lead back to the first one and name the relocation.
        byte[] entry = symbols.Data(ctx.Known.Plt)[32..].ToArray();
        Assert.Equal(32, entry.Length);
        Assert.Equal([0xc0, 0xf4, 0xff, 0xff, 0xff, 0xe5, 0, 0, 0, 0], entry[22..]);
        Assert.Equal(0x1_0000_000b, BinaryPrimitives.ReadInt64BigEndian(symbols.Data(ctx.Known.RelaPlt)[8..]));
        RelocList slots = symbols.Relocs(ctx.Known.GotPlt);
        Assert.Equal((24, ctx.Known.Plt, 46L), (slots[1].Offset, slots.Target(1), slots[1].Addend));
    }

    [Theory]
    [InlineData(ElfS390x.Host64, 8, "Addr", false, 4)]
    [InlineData(ElfS390x.HostPc32, 4, "PcRel", false, 8)]
    [InlineData(ElfS390x.HostPc32Dbl, 4, "PcRelDbl", false, 8)]
    [InlineData(ElfS390x.HostPc16Dbl, 2, "PcRelDbl", false, 6)]
    [InlineData(ElfS390x.HostPlt32Dbl, 4, "PcRelDbl", false, 8)]
    [InlineData(ElfS390x.HostPlt64, 8, "PcRel", false, 12)]
    [InlineData(ElfS390x.HostGotOff, 8, "GotOff", false, 4)]
    [InlineData(ElfS390x.HostGotPcDbl, 4, "PcRelDbl", true, 8)]
    [InlineData(ElfS390x.HostGotEntry, 4, "PcRelDbl", true, 8)]
    public void HostRelocationsBecomeOurs(uint type, int size, string kind, bool byGot, long addend)
    {
        LinkContext ctx = ElfSample.Dynamic(new S390x(true));
        SymbolTable symbols = ctx.Symbols;
        SymbolId target = symbols.Update("t"u8, 0).SetKind(SymbolKind.Text).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddUInt64(0);
        code.AddHostReloc(type, 0, size, target, 4);
        Assert.Equal(size, ElfS390x.Instance.HostRelocationSize(type)!.Value.Size);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        Assert.Equal(
            (Enum.Parse<RelocKind>(kind), byGot ? ctx.Known.Got : target, addend), (relocs.Kind(0), relocs.Target(0), relocs[0].Addend));
    }
}
