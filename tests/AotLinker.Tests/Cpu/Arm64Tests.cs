using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

/// <summary>Relocations and trampolines of arm64; the expected instructions are what GNU as and objdump make of them.</summary>
public class Arm64Tests
{
    private const ulong AdrpX0 = 0x90000000;

    [Theory]
    // bl +0x20, bl -0x1000
    [InlineData(nameof(RelocKind.CallArm64), 0x94000000u, 4, 0L, 0x94000006ul)]
    [InlineData(nameof(RelocKind.CallArm64), 0x94000000u, 4, -0x1018L, 0x97fffc00ul)]
    // adrp x0, 0 pages or 0x12345 pages further; add x0, x0, #0x20 or #0x25
    [InlineData(nameof(RelocKind.AddrArm64), AdrpX0 | (0x91000000ul << 32), 8, 0L, AdrpX0 | (0x91008000ul << 32))]
    [InlineData(nameof(RelocKind.AddrArm64), AdrpX0 | (0x91000000ul << 32), 8, 0x12345005L, 0xb0091a20ul | (0x91009400ul << 32))]
    // ldrb, ldrh, ldr w, ldr x from offset 0x30
    [InlineData(nameof(RelocKind.Arm64PcRelLdSt8), AdrpX0 | (0x39400000ul << 32), 8, 16L, AdrpX0 | (0x3940c000ul << 32))]
    [InlineData(nameof(RelocKind.Arm64PcRelLdSt16), AdrpX0 | (0x79400000ul << 32), 8, 16L, AdrpX0 | (0x79406000ul << 32))]
    [InlineData(nameof(RelocKind.Arm64PcRelLdSt32), AdrpX0 | (0xb9400000ul << 32), 8, 16L, AdrpX0 | (0xb9403000ul << 32))]
    [InlineData(nameof(RelocKind.Arm64PcRelLdSt64), AdrpX0 | (0xf9400000ul << 32), 8, 16L, AdrpX0 | (0xf9401800ul << 32))]
    // one instruction of a pair: adrp, add, ldr x, ldr q
    [InlineData(nameof(RelocKind.Arm64PcRel), 0x90000000u, 4, 0x1000L, 0xb0000000ul)]
    [InlineData(nameof(RelocKind.Arm64PcRel), 0x91000000u, 4, 0L, 0x91008000ul)]
    [InlineData(nameof(RelocKind.Arm64PcRel), 0xf9400000u, 4, 16L, 0xf9401800ul)]
    [InlineData(nameof(RelocKind.Arm64PcRel), 0x3dc00000u, 4, 16L, 0x3dc00c00ul)]
    [InlineData(nameof(RelocKind.Arm64Got), 0x90000000u, 4, 0x3000L, 0xf0000000ul)]
    [InlineData(nameof(RelocKind.Arm64Got), 0xf9400000u, 4, 16L, 0xf9401800ul)]
    [InlineData(nameof(RelocKind.Arm64LdSt8), 0x39400000u, 4, 1L, 0x39408400ul)]
    [InlineData(nameof(RelocKind.Arm64LdSt16), 0x79400000u, 4, 16L, 0x79406000ul)]
    [InlineData(nameof(RelocKind.Arm64LdSt32), 0xb9400000u, 4, 16L, 0xb9403000ul)]
    [InlineData(nameof(RelocKind.Arm64LdSt64), 0xf9400000u, 4, 16L, 0xf9401800ul)]
    [InlineData(nameof(RelocKind.Arm64LdSt128), 0x3dc00000u, 4, 16L, 0x3dc00c00ul)]
    public void PutsTheValueInTheInstruction(string kind, ulong instruction, int size, long addend, ulong expected)
    {
        using TestLink link = Two(Enum.Parse<RelocKind>(kind), instruction, size, addend);
        Emitter.Run(link.Ctx);
        Assert.Equal($"{expected:x}", $"{BinaryPrimitives.ReadUInt64LittleEndian(link.Read("a", 8, 8)):x}");
    }

    [Theory]
    [InlineData(nameof(RelocKind.CallArm64), 0x94000000u, 4, 1L << 27, "program too large, call relocation distance = 134217752")]
    [InlineData(nameof(RelocKind.AddrArm64), AdrpX0, 8, 1L << 32, "program too large, address relocation distance = 4294967328")]
    [InlineData(nameof(RelocKind.Arm64PcRelLdSt64), AdrpX0, 8, 1L, "offset for 64-bit load/store has unaligned value 33")]
    [InlineData(nameof(RelocKind.Arm64LdSt32), 0xb9400000u, 4, 2L, "invalid address: 22 for relocation type: R_AARCH64_LDST32_ABS_LO12_NC")]
    [InlineData(nameof(RelocKind.Arm64Got), 0xf9400000u, 4, 4L, "invalid address: 24 for relocation type: R_AARCH64_LD64_GOT_LO12_NC")]
    [InlineData(nameof(RelocKind.Arm64PcRel), 0xf9400000u, 4, 4L, "invalid address: 24 for relocation type: ARM64_RELOC_PAGEOFF12")]
    public void ReportsWhatDoesNotFit(string kind, ulong instruction, int size, long addend, string message)
    {
        using TestLink link = Two(Enum.Parse<RelocKind>(kind), instruction, size, addend);
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal([$"a: {message}"], link.Errors);
    }

    [Fact]
    public void ACallPastItsReachGoesByATrampoline()
    {
        using TestLink link = new(cpu: new Arm64());
        SymbolBuilder target = link.Add("target", SymbolKind.Text, 16);
        link.Add("gap", SymbolKind.Text, 1 << 27);
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[16]);
        a.AddReloc(RelocKind.CallArm64, 4, 4, target.Symbol, 0);
        a.AddReloc(RelocKind.CallArm64, 8, 4, target.Symbol, 8);
        SymbolBuilder b = link.AddBytes("b", SymbolKind.Text, new byte[16]);
        b.AddReloc(RelocKind.CallArm64, 4, 4, target.Symbol, 0);
        Reach(link, target, a, b);
        link.LayOut();

        Assert.Equal(["target", "gap", "a", "target+0-tramp0", "target+8-tramp0", "b"], link.Ctx.Text.Select(link.Symbols.NameText));
        long first = link.AddressOf("target+0-tramp0");
        Assert.Equal(link.AddressOf("a") + 16, first);
        Assert.Equal("target+0-tramp0", link.Symbols.NameText(link.Symbols.Relocs(b.Symbol).Target(0)));
        RelocList jump = link.Symbols.Relocs(link.Find("target+8-tramp0"));
        Assert.Equal((RelocKind.AddrArm64, 8L, 8), (jump.Kind(0), jump[0].Addend, jump[0].Size));
        Assert.Equal(
            [0x10, 0x00, 0x00, 0x90, 0x10, 0x02, 0x00, 0x91, 0x00, 0x02, 0x1f, 0xd6], link.Symbols.Data(link.Find("target+0-tramp0")).ToArray());
    }

    [Fact]
    public void ACallWithinReachStaysAsItIs()
    {
        using TestLink link = new(cpu: new Arm64());
        SymbolBuilder target = link.Add("target", SymbolKind.Text, 16);
        link.Add("gap", SymbolKind.Text, (1 << 27) - 32);
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[16]);
        a.AddReloc(RelocKind.CallArm64, 12, 4, target.Symbol, 0);
        a.AddReloc(RelocKind.CallArm64, 12, 4, target.Symbol, 12);
        Reach(link, target, a);
        link.LayOut();
        // 2^27 - 16 + 12 to the first one's start.
        Assert.Equal(["target", "gap", "a"], link.Ctx.Text.Select(link.Symbols.NameText));
    }

    [Fact]
    public void AnImportIsReachedByItsGotEntry()
    {
        using TestLink link = new(cpu: new Arm64());
        link.Ctx.Settings.DebugTrampolines = 2;
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[16]);
        SymbolBuilder import = link.Add("import", SymbolKind.DynImport, 0);
        a.AddReloc(RelocKind.CallArm64, 0, 4, import.Symbol, 0);
        Reach(link, a, import);
        AotLinker.Layout.TextLayout.Run(link.Ctx);
        SymbolId trampoline = link.Find("import+0-tramp0");
        Assert.Equal([a.Symbol, trampoline], link.Ctx.Text);
        Assert.Equal(RelocKind.Arm64GotPcRel, link.Symbols.Relocs(trampoline).Kind(0));
        // ldr x16, [x16]
        Assert.Equal(0xf9400210u, BinaryPrimitives.ReadUInt32LittleEndian(link.Symbols.Data(trampoline)[4..]));
    }

    private static void Reach(TestLink link, params SymbolBuilder[] symbols)
    {
        foreach (SymbolBuilder b in symbols)
        {
            link.Symbols.Update(b.Symbol).SetReachable();
        }
    }

    // "a" at 0x401000 refers to "b" at 0x401020 in a field at offset 8.
    private static TestLink Two(RelocKind kind, ulong instruction, int size, long addend)
    {
        TestLink link = new(cpu: new Arm64());
        byte[] code = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(code.AsSpan(8), instruction);
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, code);
        SymbolBuilder b = link.AddBytes("b", SymbolKind.Text, new byte[9]);
        a.AddReloc(kind, 8, size, b.Symbol, addend);
        link.LayOut();
        return link;
    }
}
