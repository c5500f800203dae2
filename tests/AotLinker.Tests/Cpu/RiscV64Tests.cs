using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

/// <summary>Relocations and trampolines of riscv64; the expected instructions are what GNU as and objdump make of them.</summary>
public class RiscV64Tests
{
    private const ulong AuipcA0 = 0x00000517;

    [Theory]
    // jal ra, +0x18 and -8
    [InlineData(nameof(RelocKind.RiscvJal), 0x000000efu, 4, 0L, 0x018000eful)]
    [InlineData(nameof(RelocKind.RiscvJal), 0x000000efu, 4, -0x20L, 0xff9ff0eful)]
    // auipc a0; addi a0, a0, +0x18; and 0x12345 pages plus -0x800 further
    [InlineData(nameof(RelocKind.RiscvPcRelItype), AuipcA0 | (0x00050513ul << 32), 8, 0L, AuipcA0 | (0x01850513ul << 32))]
    [InlineData(nameof(RelocKind.RiscvPcRelItype), AuipcA0 | (0x00050513ul << 32), 8, 0x123447e8L, 0x12345517ul | (0x80050513ul << 32))]
    // auipc a0; sd a1, +0x18(a0) and -0x10(a0)
    [InlineData(nameof(RelocKind.RiscvPcRelStype), AuipcA0 | (0x00b53023ul << 32), 8, 0L, AuipcA0 | (0x00b53c23ul << 32))]
    [InlineData(nameof(RelocKind.RiscvPcRelStype), AuipcA0 | (0x00b53023ul << 32), 8, -0x28L, AuipcA0 | (0xfeb53823ul << 32))]
    // auipc ra; jalr ra, +0x18(ra)
    [InlineData(nameof(RelocKind.RiscvCall), 0x00000097ul | (0x000080e7ul << 32), 8, 0L, 0x00000097ul | (0x018080e7ul << 32))]
    // lui a0, 1; addiw a0, a0, -0x10
    [InlineData(nameof(RelocKind.RiscvTlsLe), 0x00000537ul | (0x0005051bul << 32), 8, 0xff0L, 0x00001537ul | (0xff05051bul << 32))]
    // beq a0, a1, +0x18 and -8
    [InlineData(nameof(RelocKind.RiscvBranch), 0x00b50063u, 4, 0L, 0x00b50c63ul)]
    [InlineData(nameof(RelocKind.RiscvBranch), 0x00b50063u, 4, -0x20L, 0xfeb50ce3ul)]
    // c.beqz a0, +0x18 and -8; c.j +0x18 and -8
    [InlineData(nameof(RelocKind.RiscvRvcBranch), 0xc101u, 2, 0L, 0xcd01ul)]
    [InlineData(nameof(RelocKind.RiscvRvcBranch), 0xc101u, 2, -0x20L, 0xdd65ul)]
    [InlineData(nameof(RelocKind.RiscvRvcJump), 0xa001u, 2, 0L, 0xa821ul)]
    [InlineData(nameof(RelocKind.RiscvRvcJump), 0xa001u, 2, -0x20L, 0xbfe5ul)]
    [InlineData(nameof(RelocKind.RiscvPcRelHi20), 0x00000517u, 4, 0x5000L, 0x00005517ul)]
    [InlineData(nameof(RelocKind.RiscvAdd32), 5u, 4, 1L, 0x00401026ul)]
    [InlineData(nameof(RelocKind.RiscvSub32), 0x00401026u, 4, 1L, 5ul)]
    public void PutsTheValueInTheInstruction(string kind, ulong instruction, int size, long addend, ulong expected)
    {
        using TestLink link = Two(Enum.Parse<RelocKind>(kind), instruction, size, addend);
        Emitter.Run(link.Ctx);
        Assert.Equal($"{expected:x}", $"{BinaryPrimitives.ReadUInt64LittleEndian(link.Read("a", 8, 8)):x}");
    }

    [Theory]
    [InlineData(nameof(RelocKind.RiscvJal), 4, 1L << 20, "cannot encode J-type instruction relocation offset for b: signed immediate 0x100018 must be in range [-0x100000, 0xfffff] (21 bits)")]
    [InlineData(nameof(RelocKind.RiscvJal), 4, 1L, "cannot encode J-type instruction relocation offset for b: immediate 0x19 is not a multiple of two")]
    [InlineData(nameof(RelocKind.RiscvBranch), 4, 4096L, "cannot encode B-type instruction relocation offset for b: signed immediate 4120 must be in range [-4096, 4095] (13 bits)")]
    [InlineData(nameof(RelocKind.RiscvCall), 8, 1L << 31, "pc-relative relocation does not fit in 32 bits: 2147483672")]
    [InlineData(nameof(RelocKind.RiscvPcRelLo12I), 4, 0L, "missing HI20 relocation for LO12 relocation with b")]
    public void ReportsWhatDoesNotFit(string kind, int size, long addend, string message)
    {
        using TestLink link = Two(Enum.Parse<RelocKind>(kind), 0, size, addend);
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.StartsWith($"a: {message}", Assert.Single(link.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(RelocKind.RiscvPcRelLo12I), 0x00050513u, 0x01850513u)]
    [InlineData(nameof(RelocKind.RiscvPcRelLo12S), 0x00b53023u, 0x00b53c23u)]
    public void TheLowerPartFollowsTheUpperOne(string kind, uint instruction, uint expected)
    {
        using TestLink link = new(cpu: new RiscV64());
        byte[] code = new byte[32];
        BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(16), instruction);
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, code);
        SymbolBuilder b = link.AddBytes("b", SymbolKind.Text, new byte[9]);
        a.AddReloc(RelocKind.RiscvPcRelHi20, 8, 4, b.Symbol, 0);
        a.AddReloc(Enum.Parse<RelocKind>(kind), 16, 4, a.Symbol, 8);
        link.LayOut();
        Emitter.Run(link.Ctx);
        // From 0x401008 to 0x401020, not from the place of the second instruction.
        Assert.Equal($"{expected:x}", $"{BinaryPrimitives.ReadUInt32LittleEndian(link.Read("a", 4, 16)):x}");
    }

    [Fact]
    public void ACallOfWhatTurnsOutToBeNearGoesPastItsTrampoline()
    {
        using TestLink link = new(cpu: new RiscV64());
        SymbolBuilder a = Code(link, "a", 0x000000ef);
        SymbolBuilder near = link.AddBytes("near", SymbolKind.Text, new byte[16]);
        a.AddReloc(RelocKind.RiscvJal, 0, 4, near.Symbol, 0);
        link.LayOut();
        Assert.Equal(["a", "near-tramp0", "near"], link.Ctx.Text.Select(link.Symbols.NameText));
        Assert.Equal(RelocKind.RiscvJalTramp, link.Symbols.Relocs(a.Symbol).Kind(0));
        Emitter.Run(link.Ctx);
        // jal ra, +0x20
        Assert.Equal(0x020000efu, BinaryPrimitives.ReadUInt32LittleEndian(link.Read("a", 4)));
    }

    [Fact]
    public void TrampolinesAreSharedAsFarAsCallsReach()
    {
        using TestLink link = new(cpu: new RiscV64());
        link.AddBytes("target", SymbolKind.Text, new byte[16]);
        link.Add("gap1", SymbolKind.Text, 1 << 20);
        Call("a");
        Call("b");
        link.Add("gap2", SymbolKind.Text, 1 << 20);
        Call("c");
        link.LayOut();
        Assert.Equal(["target", "gap1", "a", "target-tramp0", "b", "gap2", "c", "target-tramp1"], link.Ctx.Text.Select(link.Symbols.NameText));
        Assert.Equal("target-tramp0", link.Symbols.NameText(link.Symbols.Relocs(link.Find("b")).Target(0)));
        Assert.Equal(RelocKind.RiscvJal, link.Symbols.Relocs(link.Find("b")).Kind(0));
        // auipc t6; jalr x0, t6
        Assert.Equal([0x97, 0x0f, 0, 0, 0x67, 0x80, 0x0f, 0], link.Symbols.Data(link.Find("target-tramp1")).ToArray());

        void Call(string name) => Code(link, name, 0x000000ef).AddReloc(RelocKind.RiscvJal, 0, 4, link.Find("target"), 0);
    }

    [Fact]
    public void DeferReturnIsKnownBehindItsTrampoline()
    {
        using TestLink link = new(cpu: new RiscV64());
        SymbolBuilder a = Code(link, "a", 0x000000ef);
        a.AddReloc(RelocKind.RiscvJal, 0, 4, link.Add("runtime.deferreturn", SymbolKind.Text, 16).Symbol, 4);
        link.LayOut();
        Assert.True(link.Symbols.IsDeferReturnTrampoline(link.Find("runtime.deferreturn+4-tramp0")));
    }

    private static SymbolBuilder Code(TestLink link, string name, uint instruction)
    {
        byte[] code = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(code, instruction);
        return link.AddBytes(name, SymbolKind.Text, code);
    }

    // "a" at 0x401000 refers to "b" at 0x401020 in a field at offset 8.
    private static TestLink Two(RelocKind kind, ulong instruction, int size, long addend)
    {
        TestLink link = new(cpu: new RiscV64());
        byte[] code = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(code.AsSpan(8), instruction);
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, code);
        SymbolBuilder b = link.AddBytes("b", SymbolKind.Text, new byte[9]);
        link.LayOut();
        Assert.Equal((0x401000L, 0x401020L), (link.AddressOf("a"), link.AddressOf("b")));
        // After layout, which would have sent jumps ahead to trampolines.
        a.AddReloc(kind, 8, size, b.Symbol, addend);
        return link;
    }
}
