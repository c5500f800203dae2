using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Tests.Formats;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

public class Ppc64Tests
{
    [Theory]
    // bl; the field is four bytes, the same in either byte order.
    [InlineData("CallPower", 0x48000001, 0x401000, 0x402900, 0x48001901)]
    [InlineData("CallPower", 0x48000001, 0x402900, 0x401000, 0x4bffe701)]
    // lis r3; addi r3,r3 / ld r3,0(r3): the upper half is one more where the lower one is negative.
    [InlineData("AddrPower", 0x3c600000_38630000, 0x401000, 0x402900, 0x3c600040_38632900)]
    [InlineData("AddrPower", 0x3c600000_38630000, 0x401000, 0x40a900, 0x3c600041_3863a900)]
    [InlineData("AddrPower", 0x3c60ffff_3863ffff, 0x401000, 0x402900, 0x3c600040_38632900)]
    [InlineData("AddrPowerDs", 0x3c600000_e8630000, 0x401000, 0x402904, 0x3c600040_e8632904)]
    // A load with update keeps its lowest bits.
    [InlineData("AddrPowerDs", 0x3c600000_e8630001, 0x401000, 0x402904, 0x3c600040_e8632905)]
    // addis r2,r12; addi r2,r2
    [InlineData("AddrPowerPcRel", 0x3c4c0000_38420000, 0x401000, 0x40a000, 0x3c4c0001_38429000)]
    // pla r3 / paddi
    [InlineData("AddrPowerPcrel34", 0x06100000_38600000, 0x401000, 0x512900, 0x06100011_38601900)]
    [InlineData("AddrPowerPcrel34", 0x06100000_38600000, 0x512900, 0x401000, 0x0613ffee_3860e700)]
    [InlineData("AddrPowerD34", 0x06000000_38600000, 0x401000, 0x512900, 0x06000051_38602900)]
    // addis r3,r13; addi r3,r3: the thread pointer lies 0x7000 behind the first variable.
    [InlineData("PowerTlsLe", 0x3c6d0000_38630000, 0x401000, 0, 0x3c6d0000_38639000)]
    [InlineData("PowerTls", 0x7c636a14, 0x401000, 0, 0x7c636a14)]
    public void FieldsHoldWhatTheirInstructionsWant(string kind, ulong content, long pc, long target, ulong expected)
    {
        foreach (bool bigEndian in (bool[])[true, false])
        {
            using TestLink link = new(cpu: new Ppc64(bigEndian, 8, HeadType.Linux));
            bool isPair = content > uint.MaxValue;
            Assert.True(TryApply(link, kind, Order(content, isPair, bigEndian), pc, target, out long value));
            Assert.Equal(expected.ToString("x16", null), Order((ulong)value, isPair, bigEndian).ToString("x16", null));
            link.Ctx.Diagnostics.Flush();
            Assert.Empty(link.Errors);
        }
    }

    [Theory]
    [InlineData("CallPower", 0x2000000, "direct call too far: ? 2000000")]
    [InlineData("CallPower", -0x2000004, "direct call too far: ? -2000004")]
    [InlineData("CallPower", 6, "relocation for ?+0 is not aligned: 6")]
    [InlineData("AddrPower", 0x80000000L, "relocation for a is too big (>=2G): 0x0")]
    [InlineData("AddrPowerDs", 0x1002, "bad DS reloc for a: 0")]
    [InlineData("PowerTls", 0, "R_POWER_TLS reloc only supports XO form ADD, not 00000000")]
    public void WhatDoesNotFitIsAnError(string kind, long target, string message)
    {
        using TestLink link = new(cpu: new Ppc64(false, 8, HeadType.Linux));
        Assert.True(TryApply(link, kind, 0, 0, target, out _));
        link.Ctx.Diagnostics.Flush();
        Assert.Equal("a: " + message, link.Errors[0]);
    }

    [Fact]
    public void CallsBetweenPackagesTakeTrampolinesWhereAsked()
    {
        using TestLink link = new(cpu: new Ppc64(true, 8, HeadType.Linux));
        link.Ctx.Settings.DebugTrampolines = 2;
        SymbolId near = Function(link, "near", "one");
        SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, new byte[64]);
        link.Symbols.PackageOverride[caller.Symbol] = "two";
        SymbolId own = Function(link, "own", "two");
        SymbolId far = Function(link, "runtime.deferreturn", "three");
        caller.AddReloc(RelocKind.CallPower, 0, 4, near, 0);
        caller.AddReloc(RelocKind.CallPower, 4, 4, near, 0x14);
        caller.AddReloc(RelocKind.CallPower, 8, 4, own, 0);
        caller.AddReloc(RelocKind.CallPower, 12, 4, far, 0);
        link.LayOut();
        Emitter.Run(link.Ctx);
        Assert.Equal(
            ["near", "caller", "near-tramp0", "near+14-tramp0", "runtime.deferreturn-tramp0", "own", "runtime.deferreturn"],
            link.Ctx.Text.Select(link.Symbols.NameText));
        Assert.True(link.Symbols.IsDeferReturnTrampoline(link.Find("runtime.deferreturn-tramp0")));
        // lis r12; addi r12,r12; mtctr r12; bctr: what had no address yet is relocated, with the same result.
        foreach ((string trampoline, long address) in ((string, long)[])[
            ("near+14-tramp0", link.AddressOf("near") + 0x14), ("runtime.deferreturn-tramp0", link.AddressOf("runtime.deferreturn"))])
        {
            uint high = (uint)(address + 0x8000) >> 16;
            Assert.Equal([0x3d800000 | high, 0x398c0000 | (uint)(ushort)address, 0x7d8903a6, 0x4e800420], Words(link.Read(trampoline, 16)));
        }
    }

    [Fact]
    public void ACallOfAnImportGoesToAStub()
    {
        LinkContext ctx = ElfSample.Dynamic(new Ppc64(true, 8, HeadType.Linux));
        SymbolTable symbols = ctx.Symbols;
        SymbolId import = symbols.Update("libc_getpid"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddReference(import, 0, RelocKind.CallPower, 4);
        ctx.Text.Add(code.Symbol);
        ctx.HasDynamicImports = true;
        ctx.Target.Cpu.GenerateText(ctx);

        SymbolId stub = symbols.Lookup("_pltstub_notoc.libc_getpid"u8, 0);
        Assert.Equal([stub, code.Symbol], ctx.Text);
        Assert.Equal(stub, symbols.Relocs(code.Symbol).Target(0));
        // lis r12,slot@ha; ld r12,slot@l(r12); mtctr r12; bctr
        Assert.Equal([0x3d800000, 0xe98c0000, 0x7d8903a6, 0x4e800420], Words(symbols.Data(stub)));
        RelocList relocs = symbols.Relocs(stub);
        Assert.Equal((RelocKind.AddrPowerDs, ctx.Known.Plt, 16L), (relocs.Kind(0), relocs.Target(0), relocs[0].Addend));

        // The resolver, its distance to the PLT, and a branch to it for each import.
        uint[] glink = Words(symbols.Data(symbols.Lookup(".glink"u8, 0)));
        Assert.Equal(17, glink.Length);
        Assert.Equal((0x3800ffc8u, 0xe98b0030u, 0x48000000u), (glink[4], glink[8], glink[16]));
        Assert.Equal(0x1_0000_0015, BinaryPrimitives.ReadInt64BigEndian(symbols.Data(ctx.Known.RelaPlt)[8..]));
        Assert.Equal(24, symbols.Size(ctx.Known.Plt));
    }

    [Fact]
    public void HeadersNameTheAbiAsTheReleaseDoes()
    {
        Release old = Release.ForVersion("go1.26")!;
        ElfPpc64 big = new(true, false);
        ElfPpc64 little = new(false, false);
        Assert.Equal((1u, 2u), (big.Flags(HeadType.Linux, old), little.Flags(HeadType.Linux, old)));
        Assert.Equal((2u, 2u), (big.Flags(HeadType.OpenBsd, old), big.Flags(HeadType.Linux, Release.Newest)));
        Assert.Equal("/lib64/ld64.so.1", big.Interpreter(HeadType.Linux, false, old));
        Assert.Equal("/lib64/ld64.so.2", big.Interpreter(HeadType.Linux, false, Release.Newest));
    }

    private static bool TryApply(TestLink link, string kind, ulong content, long pc, long target, out long value)
    {
        SymbolId code = link.Symbols.Update("a"u8, 0).Symbol;
        link.Symbols.SetValue(code, pc);
        RelocSite site = new()
        {
            Context = link.Ctx,
            Symbol = code,
            Address = pc,
            Kind = Enum.Parse<RelocKind>(kind),
            Size = content > uint.MaxValue ? 8 : 4,
            Target = SymbolId.None,
            Addend = target,
        };
        return link.Ctx.Target.Cpu.TryApply(in site, content, out value);
    }

    // The first instruction of a pair is in the upper half of a big-endian field, in the lower one of a little-endian one.
    private static ulong Order(ulong pair, bool isPair, bool bigEndian) => isPair && !bigEndian ? (pair << 32) | (pair >> 32) : pair;

    private static SymbolId Function(TestLink link, string name, string package)
    {
        SymbolId s = link.AddBytes(name, SymbolKind.Text, new byte[64]).SetReachable().Symbol;
        link.Symbols.PackageOverride[s] = package;
        return s;
    }

    private static uint[] Words(ReadOnlySpan<byte> bytes)
    {
        uint[] words = new uint[bytes.Length / 4];
        for (int i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt32BigEndian(bytes[(4 * i)..]);
        return words;
    }
}
