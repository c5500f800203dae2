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

    [Theory]
    // The halves of the distance from the table of contents (16) or from the field, at 0x10002 in instructions at 0x10000.
    [InlineData(ElfPpc64.HostToc16Lo, 0x38630000, 0x12345678, 0x38635678, "")]
    [InlineData(ElfPpc64.HostToc16Ha, 0x3c620000, 0x1234f678, 0x3c621235, "")]
    [InlineData(ElfPpc64.HostToc16Hi, 0x3c620000, 0x1234f678, 0x3c621234, "")]
    [InlineData(ElfPpc64.HostToc16LoDs, 0xe8630002, 0x12345674, 0xe8635676, "")]
    [InlineData(ElfPpc64.HostToc16Ds, 0xe8630000, 0x5675, 0xe8635675, "relocation for t+2 is not aligned: 22133")]
    [InlineData(ElfPpc64.HostToc16, 0x38630000, 0x8000, 0x38638000, "relocation for t+2 is too big: 32768")]
    // ori takes its operand without sign.
    [InlineData(ElfPpc64.HostToc16, 0x60630000, 0x8000, 0x60638000, "")]
    [InlineData(ElfPpc64.HostRel16Lo, 0x38630000, 0x15678 - 2, 0x38635674, "")]
    public void HalvesOfDistancesFillHalvesOfInstructions(uint type, uint instruction, long distance, uint expected, string error)
    {
        using TestLink link = new(cpu: new Ppc64(true, 8, HeadType.Linux));
        bool fromField = type == ElfPpc64.HostRel16Lo;
        byte[] code = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(code, instruction);
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, code);
        SymbolId target = link.Symbols.Update("t"u8, 0).SetKind(SymbolKind.Data).SetReachable().Symbol;
        a.AddHostReloc(type, 2, 2, target, 0);
        Assert.Equal(2, link.Ctx.Target.Cpu.Elf!.HostRelocationSize(type)!.Value.Size);
        Assert.True(link.Ctx.Target.Cpu.AddDynamicRelocation(link.Ctx, a.Symbol, 0));
        Assert.Equal(RelocKind.PowerToc, link.Symbols.Relocs(a.Symbol).Kind(0));
        // Nothing has set the table of contents: it is at 0.
        link.Symbols.SetValue(a.Symbol, 0x10000);
        link.Symbols.SetValue(target, fromField ? 0x10000 + distance : distance);
        RelocSite site = new()
        {
            Context = link.Ctx,
            Symbol = a.Symbol,
            Address = 0x10002,
            Kind = RelocKind.PowerToc,
            Size = 2,
            Target = target,
            Addend = 0,
        };
        Assert.True(link.Ctx.Target.Cpu.TryApply(in site, (ushort)instruction, out long value));
        link.Ctx.Diagnostics.Flush();
        Assert.Equal(error.Length == 0 ? [] : ["a: " + error], link.Errors);
        Assert.Equal(expected, (instruction & 0xffff0000) | (ushort)value);
    }

    [Fact]
    public void CallsOfRegisterSavesAndOfFunctionsThatChangeR2AreSentElsewhere()
    {
        using TestLink link = new(cpu: new Ppc64(true, 8, HeadType.Linux));
        SymbolTable symbols = link.Symbols;
        SymbolId save = symbols.Update("_savegpr0_20"u8, 0).SetKind(SymbolKind.XRef).Symbol;
        SymbolId runtime = symbols.Update("runtime.elf_savegpr0"u8, 0).SetKind(SymbolKind.Text).SetSize(96).SetReachable(false).Symbol;
        SymbolId other = link.AddBytes("c_function", SymbolKind.Text, new byte[16]).Symbol;
        symbols.FromHostObject.Add(other);
        symbols.LocalEntry[other] = 1;
        byte[] code = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(code.AsSpan(8), 0x60000000);
        SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, code);
        caller.AddHostReloc(ElfPpc64.HostRel24, 0, 4, save, 0);
        caller.AddHostReloc(ElfPpc64.HostRel24, 4, 4, other, 0);
        link.Ctx.Target.Cpu.GenerateText(link.Ctx);

        SymbolId stub = symbols.Lookup("_callstub_toc.c_function"u8, 0);
        Assert.Equal([stub, runtime, other, caller.Symbol], link.Ctx.Text);
        RelocList relocs = symbols.Relocs(caller.Symbol);
        Assert.Equal((runtime, 24L, stub), (relocs.Target(0), relocs[0].Addend, relocs.Target(1)));
        // ld r2,24(r1) behind the call.
        Assert.Equal(0xe8410018, Words(symbols.Data(caller.Symbol))[2]);
        Assert.Equal([0xf8410018, 0x3d820000, 0x398c0000, 0x7d8903a6, 0x4e800420], Words(symbols.Data(stub)));
    }

    [Fact]
    public void HeadersNameTheAbiAsTheReleaseDoes()
    {
        Release old = Release.ForVersion("go1.26")!;
        ElfPpc64 big = new(true, false, false);
        ElfPpc64 little = new(false, false, false);
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
