using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Emit;

public class RelocatorTests
{
    [Theory]
    [InlineData(nameof(RelocKind.Addr), 8, 0x401020L + 5)]
    [InlineData(nameof(RelocKind.Addr), 4, 0x401020L + 5)]
    [InlineData(nameof(RelocKind.AddrOff), 4, 0x20L + 5)]
    [InlineData(nameof(RelocKind.MethodOff), 4, 0x20L + 5)]
    [InlineData(nameof(RelocKind.Call), 4, 0x401020L + 5 - (0x401000 + 8 + 4))]
    [InlineData(nameof(RelocKind.PcRel), 4, 0x401020L + 5 - (0x401000 + 8 + 4))]
    [InlineData(nameof(RelocKind.Size), 8, 9L + 5)]
    [InlineData(nameof(RelocKind.Const), 2, 5L)]
    [InlineData(nameof(RelocKind.TlsLe), 4, -8L + 5)]
    public void ComputesTheValue(string kind, int size, long expected)
    {
        using TestLink link = Two(Enum.Parse<RelocKind>(kind), size, 5);
        Emitter.Run(link.Ctx);
        byte[] field = link.Read("a", size, 8);
        long actual = size switch
        {
            2 => BinaryPrimitives.ReadInt16LittleEndian(field),
            4 => BinaryPrimitives.ReadInt32LittleEndian(field),
            _ => BinaryPrimitives.ReadInt64LittleEndian(field),
        };
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(nameof(RelocKind.Call), 4, 0x80000000L, "a: pc-relative relocation R_CALL address for b is too big: 0x80000014")]
    [InlineData(nameof(RelocKind.PcRel), 4, -0x100000000L, "a: pc-relative relocation R_PCREL address for b is too big: -0xffffffec")]
    [InlineData(nameof(RelocKind.Size), 4, 0x100000000L, "a: non-pc-relative relocation R_SIZE address for b is too big: 0x100000009")]
    [InlineData(nameof(RelocKind.Const), 2, 0x10000L, "a: non-pc-relative relocation R_CONST address for b is too big: 0x10000")]
    [InlineData(nameof(RelocKind.Addr), 4, 0x7fffffffL, "a: non-pc-relative relocation address for b is too big: 0x8040101f (0x401020 + 0x7fffffff)")]
    public void ReportsWhatDoesNotFit(string kind, int size, long addend, string message)
    {
        using TestLink link = Two(Enum.Parse<RelocKind>(kind), size, addend);
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        link.Ctx.Diagnostics.Flush();
        Assert.Equal([message], link.Errors);
    }

    [Fact]
    public void AnUndefinedTargetIsReportedOncePerSymbol()
    {
        using TestLink link = new();
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[32]);
        SymbolId missing = link.Symbols.LookupOrCreate("missing"u8, 0);
        a.AddReloc(RelocKind.Call, 0, 4, missing, 0);
        a.AddReloc(RelocKind.Call, 8, 4, missing, 0);
        link.AddBytes("z", SymbolKind.Text, new byte[32]).AddReloc(RelocKind.Call, 0, 4, missing, 0);
        link.LayOut();
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal(["a: relocation target missing not defined", "z: relocation target missing not defined"], link.Errors);
    }

    [Fact]
    public void ADefinitionForAnotherAbiIsNamed()
    {
        using TestLink link = new();
        SymbolId missing = link.Symbols.LookupOrCreate("f"u8, 1);
        link.AddBytes("a", SymbolKind.Text, new byte[32]).AddReloc(RelocKind.Call, 0, 4, missing, 0);
        link.AddBytes("f", SymbolKind.Text, new byte[8]);
        link.LayOut();
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal(["a: relocation target f not defined for ABIInternal (but is defined for ABI0)"], link.Errors);
    }

    [Fact]
    public void AMissingMainHasItsOwnMessage()
    {
        using TestLink link = new();
        link.AddBytes("runtime.main", SymbolKind.Text, new byte[32])
            .AddReloc(RelocKind.Call, 0, 4, link.Symbols.LookupOrCreate("main.main"u8, 1), 0);
        link.LayOut();
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal(["runtime.main: function main is undeclared in the main package"], link.Errors);
    }

    [Fact]
    public void DeadMethodsHaveOffsetMinusOne()
    {
        using TestLink link = new();
        SymbolId dead = link.Symbols.Update("dead"u8, 0).SetKind(SymbolKind.Text).SetReachable(false).Symbol;
        link.AddBytes("t", SymbolKind.RoData, new byte[8]).AddReloc(RelocKind.MethodOff, 4, 4, dead, 0);
        link.LayOut();
        Emitter.Run(link.Ctx);
        Assert.Equal([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], link.Read("t", 8));
    }

    [Fact]
    public void WeakReferencesToDeadSymbolsAreRedirectedOrLeft()
    {
        using TestLink link = new();
        link.Ctx.Known.UnreachableMethod = link.AddBytes("runtime.unreachableMethod", SymbolKind.Text, new byte[8]).Symbol;
        SymbolId dead = link.Symbols.Update("dead"u8, 0).SetKind(SymbolKind.Text).SetReachable(false).Symbol;
        SymbolBuilder t = link.AddBytes("t", SymbolKind.RoData, new byte[16]);
        t.AddReloc(RelocKind.Addr, 0, 8, dead, 0);
        t.AddReloc(RelocKind.AddrOff, 8, 4, dead, 0);
        foreach (ref RelocRecord r in t.WritableRelocs())
        {
            r.RawKind |= RelocFlags.Weak;
        }
        link.LayOut();
        Emitter.Run(link.Ctx);
        Assert.Equal(link.AddressOf("runtime.unreachableMethod"), BinaryPrimitives.ReadInt64LittleEndian(link.Read("t", 8)));
        Assert.Equal(new byte[8], link.Read("t", 8, 8));
    }

    // Only -pruneweakmap=false leaves calls of dead initialisers of maps.
    [Theory]
    [InlineData("amd64", nameof(RelocKind.Call), false)]
    [InlineData("386", nameof(RelocKind.Call), false)]
    [InlineData("arm64", nameof(RelocKind.CallArm64), true)]
    [InlineData("loong64", nameof(RelocKind.CallLoong64), true)]
    public void WeakCallsOfDeadFunctionsAreErrorsWhereCmdLinkRefusesThem(string cpu, string kind, bool isError)
    {
        using TestLink link = new(cpu: cpu switch { "arm64" => new Arm64(), "loong64" => new Loong64(), "386" => new I386(), _ => new Amd64() });
        SymbolId dead = link.Symbols.Update("m.map.init.0"u8, 0).SetKind(SymbolKind.Text).SetReachable(false).Symbol;
        SymbolBuilder t = link.AddBytes("t", SymbolKind.RoData, new byte[8]);
        t.AddReloc(Enum.Parse<RelocKind>(kind), 0, 4, dead, 0);
        foreach (ref RelocRecord r in t.WritableRelocs())
        {
            r.RawKind |= RelocFlags.Weak;
        }
        link.LayOut();
        if (!isError)
        {
            Emitter.Run(link.Ctx);
            // To address 0, from behind the field.
            Assert.Equal(-(link.AddressOf("t") + 4), BinaryPrimitives.ReadInt32LittleEndian(link.Read("t", 4)));
            return;
        }
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal(["t: unreachable sym in relocation: m.map.init.0"], link.Errors);
    }

    [Fact]
    public void DeadTargetsAndStrayFieldsAreErrors()
    {
        using TestLink link = new();
        SymbolId dead = link.Symbols.Update("dead"u8, 0).SetKind(SymbolKind.NoPtrData).SetReachable(false).Symbol;
        SymbolBuilder t = link.AddBytes("t", SymbolKind.RoData, new byte[16]);
        t.AddReloc(RelocKind.Addr, 0, 8, dead, 0);
        t.AddReloc(RelocKind.Addr, 12, 8, dead, 0);
        link.LayOut();
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal(["t: invalid relocation dead: 12+8 not in [0,16)", "t: unreachable sym in relocation: dead"], link.Errors.Order());
    }

    [Theory]
    // mov x(%rip), %rax / %r9 / %rsp, where the register moves from the middle bits of ModRM to its last.
    [InlineData(new byte[] { 0x48, 0x8b, 0x05 }, 4, new byte[] { 0x48, 0xc7, 0xc0 })]
    [InlineData(new byte[] { 0x4c, 0x8b, 0x0d }, 4, new byte[] { 0x49, 0xc7, 0xc1 })]
    [InlineData(new byte[] { 0x44, 0x8b, 0x0d }, 4, new byte[] { 0x41, 0xc7, 0xc1 })]
    [InlineData(new byte[] { 0x48, 0x03, 0x25 }, 4, new byte[] { 0x48, 0x81, 0xc4 })]
    public void ThreadLocalLoadsBecomeConstants(byte[] instruction, int size, byte[] expected)
    {
        byte[] code = [.. instruction, 0, 0, 0, 0];
        new Amd64().RelaxThreadLocal(code, 3, size);
        Assert.Equal(expected, code[..3]);
    }

    [Fact]
    public void OtherThreadLocalInstructionsAreRefused()
    {
        LinkException e = Assert.Throws<LinkException>(() => new Amd64().RelaxThreadLocal(new byte[] { 0x48, 0x03, 0x05, 0, 0, 0, 0 }, 3, 4));
        Assert.Contains("expected TLS IE op to be MOVQ", e.Message, StringComparison.Ordinal);
    }

    // "a" at 0x401000 refers to "b" at 0x401020, whose size is 9, in a field at offset 8.
    private static TestLink Two(RelocKind kind, int size, long addend)
    {
        TestLink link = new();
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[32]);
        SymbolBuilder b = link.AddBytes("b", SymbolKind.Text, new byte[9]);
        a.AddReloc(kind, 8, size, b.Symbol, addend);
        link.LayOut();
        return link;
    }
}
