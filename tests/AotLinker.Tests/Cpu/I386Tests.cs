using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Tests.Formats;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

public class I386Tests
{
    [Fact]
    public void AddressesHaveFourBytes()
    {
        using TestLink link = new(cpu: new I386());
        link.AddBytes("a", SymbolKind.Text, new byte[16]);
        link.AddBytes("b", SymbolKind.RoData, []).AddAddress(link.Find("a"), 3);
        link.LayOut();
        Emitter.Run(link.Ctx);
        Assert.Equal(4, link.Symbols.Size(link.Find("b")));
        Assert.Equal((uint)link.AddressOf("a") + 3, BitConverter.ToUInt32(link.Read("b", 4)));
    }

    [Theory]
    [InlineData("go1.24", nameof(BuildMode.Plugin), 1)]
    [InlineData("go1.25", nameof(BuildMode.Plugin), 12)]
    [InlineData("go1.27", nameof(BuildMode.Shared), 12)]
    [InlineData("go1.27", nameof(BuildMode.Exe), 1)]
    public void ModulesResumeWhereTheyLoadTheGotSince125(string version, string mode, int expected)
    {
        using TestLink link = new(mode: Enum.Parse<BuildMode>(mode), cpu: new I386());
        Assert.Equal(expected, link.Ctx.Target.Cpu.CallRelocBackoff(link.Ctx.Target, Release.ForVersion(version)!));
    }

    [Fact]
    public void AnAddressPastTwoGigabytesFits()
    {
        using TestLink link = new(cpu: new I386());
        link.AddBytes("a", SymbolKind.Text, new byte[16]);
        link.AddBytes("b", SymbolKind.RoData, []).AddAddress(link.Find("a"), 0x90000000);
        link.LayOut();
        Emitter.Run(link.Ctx);
        Assert.Equal((uint)link.AddressOf("a") + 0x90000000, BitConverter.ToUInt32(link.Read("b", 4)));
    }

    [Fact]
    public void PositionIndependentCodeGetsThunks()
    {
        using TestLink link = new(mode: BuildMode.Pie, cpu: new I386());
        SymbolId own = link.AddBytes("__x86.get_pc_thunk.bx", SymbolKind.Text, [0x90]).Symbol;
        SymbolId code = link.AddBytes("a", SymbolKind.Text, new byte[16]).Symbol;
        link.Ctx.Target.Cpu.GenerateText(link.Ctx);
        // Six of the seven registers: the one for ebx is there. All come before other code.
        Assert.Equal(8, link.Ctx.Text.Count);
        Assert.Equal([own, code], link.Ctx.Text.TakeLast(2));
        Assert.Equal([0x8b, 0x04, 0x24, 0xc3], link.Symbols.Data(link.Find("__x86.get_pc_thunk.ax")).ToArray());
        Assert.Equal([0x8b, 0x3c, 0x24, 0xc3], link.Symbols.Data(link.Find("__x86.get_pc_thunk.di")).ToArray());
        Assert.Equal([0x90], link.Symbols.Data(own).ToArray());

        using TestLink fixedPlace = new(cpu: new I386());
        fixedPlace.Ctx.Target.Cpu.GenerateText(fixedPlace.Ctx);
        Assert.Empty(fixedPlace.Ctx.Text);
    }

    [Fact]
    public void ACallOfAnImportGoesThroughThePlt()
    {
        LinkContext ctx = ElfSample.Dynamic(new I386());
        SymbolTable symbols = ctx.Symbols;
        SymbolId import = symbols.Update("libc_getpid"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddUInt8(0xe8);
        code.AddReference(import, 0, RelocKind.Call, 4);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        Assert.Equal(ctx.Known.Plt, relocs.Target(0));
        Assert.Equal(16, relocs[0].Addend);

        // jmp *slot; pushl $0; jmp .plt. The slot is the fourth of .got.plt.
        Assert.Equal(
            [0xff, 0x25, 0, 0, 0, 0, 0x68, 0, 0, 0, 0, 0xe9, 0xe0, 0xff, 0xff, 0xff], symbols.Data(ctx.Known.Plt)[16..].ToArray());
        RelocList plt = symbols.Relocs(ctx.Known.Plt);
        Assert.Equal((ctx.Known.GotPlt, 12L), (plt.Target(2), plt[2].Addend));
        RelocList slots = symbols.Relocs(ctx.Known.GotPlt);
        Assert.Equal((12, ctx.Known.Plt, 22L), (slots[1].Offset, slots.Target(1), slots[1].Addend));
        // JMP_SLOT for dynamic symbol 1.
        Assert.Equal([0, 0, 0, 0, 7, 1, 0, 0], symbols.Data(ctx.Known.RelPlt).ToArray());
    }

    [Fact]
    public void TheAddressOfAnImportInDataIsFilledInAtRunTime()
    {
        LinkContext ctx = ElfSample.Dynamic(new I386());
        SymbolTable symbols = ctx.Symbols;
        SymbolId import = symbols.Update("libc_environ"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder data = symbols.Update("a"u8, 0).SetKind(SymbolKind.Data);
        data.AddUInt32(0);
        data.AddAddress(import, 4);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, data.Symbol, 0));
        RelocList relocs = symbols.Relocs(data.Symbol);
        Assert.Equal((RelocKind.Const, SymbolId.None, 4L), (relocs.Kind(0), relocs.Target(0), relocs[0].Addend));

        ctx.Format.FinishDynamicTables(ctx);
        symbols.SetValue(data.Symbol, 0x8050000);
        SymbolId table = symbols.Lookup(".rel"u8, 0);
        byte[] entry = new byte[8];
        ctx.Generators[table].Fill(ctx, table, 0, entry);
        Assert.Equal((8L, "0400050801010000"), (symbols.Size(table), Convert.ToHexString(entry)));

        // Code can't be changed at run time.
        SymbolBuilder code = symbols.Update("b"u8, 0).SetKind(SymbolKind.Text);
        code.AddAddress(import);
        Assert.False(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
    }

    [Theory]
    [InlineData(Elf386.HostPc32, "8b05", 0L, "PcRel", 4L, "8b05")]
    [InlineData(Elf386.HostPlt32, "90e8", -4L, "PcRel", 0L, "90e8")]
    [InlineData(Elf386.HostGot32, "8b83", 2L, "GotOff", 2L, "8d83")]
    [InlineData(Elf386.HostGot32X, "ffb3", 0L, "Addr", 0L, "3668")]
    [InlineData(Elf386.HostGotOff, "8d83", 1L, "GotOff", 1L, "8d83")]
    [InlineData(Elf386.HostAbsolute32, "9090", 8L, "Addr", 8L, "9090")]
    public void HostRelocationsBecomeOurs(uint type, string op, long addend, string kind, long newAddend, string newOp)
    {
        LinkContext ctx = ElfSample.Dynamic(new I386());
        SymbolTable symbols = ctx.Symbols;
        SymbolId target = symbols.Update("t"u8, 0).SetKind(SymbolKind.Data).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddBytes(Convert.FromHexString(op + "00000000"));
        code.AddHostReloc(type, 2, 4, target, addend);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        Assert.Equal((Enum.Parse<RelocKind>(kind), newAddend, target), (relocs.Kind(0), relocs[0].Addend, relocs.Target(0)));
        Assert.Equal(newOp, Convert.ToHexString(symbols.Data(code.Symbol)[..2]).ToLowerInvariant());
    }
}
