using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Tests.Formats;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

public class Loong64Tests
{
    private const uint Call = 0x54000000;

    [Theory]
    // pcalau12i a0; addi.d a0, a0: the page is one more where the offset is 0x800 or above.
    [InlineData("Loong64AddrHi", 0x1a000004, 0x401008, 0x402900, 0x1a000044)]
    [InlineData("Loong64AddrHi", 0x1a000004, 0x401008, 0x4027ff, 0x1a000024)]
    [InlineData("Loong64AddrHi", 0x1a000004, 0x402008, 0x401000, 0x1bffffe4)]
    [InlineData("Loong64AddrLo", 0x02c00084, 0x40100c, 0x402900, 0x02e40084)]
    // The example of the psABI's documents: page, then bits 32 to 51 and 52 to 63 for the pcalau12i 8 and 12 bytes before.
    [InlineData("Loong64AddrHi", 0x1a000004, 0x11000010000100, 0x1812348ffff812, 0x1b000004)]
    [InlineData("Loong64Addr64Lo", 0x16000004, 0x11000010000108, 0x1812348ffff812, 0x16e24684)]
    [InlineData("Loong64Addr64Hi", 0x03000084, 0x1100001000010c, 0x1812348ffff812, 0x03000084)]
    [InlineData("Loong64Addr64Hi", 0x03000084, 0x40010c, 0x7012345600400000, 0x031c0484)]
    [InlineData("Loong64AddrPcrel20S2", 0x18000004, 0x401008, 0x402900, 0x1800c7c4)]
    [InlineData("Loong64AddrPcrel20S2", 0x18000004, 0x402900, 0x401008, 0x19ff3844)]
    [InlineData("Loong64TlsLeHi", 0x14000004, 0x401000, 0x12345, 0x14000244)]
    [InlineData("Loong64TlsLeLo", 0x03800084, 0x401000, 0x12345, 0x038d1484)]
    [InlineData("CallLoong64", Call, 0x401008, 0x402900, 0x5418f800)]
    [InlineData("CallLoong64", Call, 0x402900, 0x401000, 0x57e703ff)]
    [InlineData("Jmploong64", 0x50000000, 0x401008, 0x402900, 0x5018f800)]
    [InlineData("Jmp16loong64", 0x58000000, 0x401008, 0x402900, 0x5818f800)]
    [InlineData("Jmp21loong64", 0x40000000, 0x401008, 0x402900, 0x4018f800)]
    [InlineData("Jmp21loong64", 0x40000000, 0x402900, 0x401000, 0x43e7001f)]
    // pcaddu18i ra, and jirl whose 16 bits are signed.
    [InlineData("Loong64Call36", 0x4c00002100000000 | 0x1e000001, 0x401008, 0x402900, 0x4c18f821_1e000001)]
    [InlineData("Loong64Call36", 0x4c00002100000000 | 0x1e000001, 0x402900, 0x401000, 0x4fe70021_1e000001)]
    [InlineData("Loong64Call36", 0x4c00002100000000 | 0x1e000001, 0, 0x20000, 0x4e000021_1e000021)]
    [InlineData("Loong64Add64", 5, 0, 0x401000, 0x401005)]
    [InlineData("Loong64Sub64", 0x401005, 0, 0x401000, 5)]
    public void FieldsHoldWhatTheirInstructionsWant(string kind, long content, long pc, long target, long expected)
    {
        using TestLink link = new(cpu: new Loong64());
        RelocSite site = new()
        {
            Context = link.Ctx,
            Symbol = SymbolId.None,
            Address = pc,
            Kind = Enum.Parse<RelocKind>(kind),
            Size = 4,
            Target = SymbolId.None,
            Addend = target,
        };
        Assert.True(link.Ctx.Target.Cpu.TryApply(in site, (ulong)content, out long value));
        Assert.Equal(expected.ToString("x8", null), value.ToString("x8", null));
        Assert.Empty(link.Errors);
    }

    [Theory]
    [InlineData("Loong64AddrPcrel20S2", 1L << 23, "R_LOONG64_ADDR_PCREL20_S2, offset out of range 2097152")]
    [InlineData("Loong64TlsLeLo", 1L << 31, "R_LOONG64_TLS_LE_HI/LO, TLS offset out of range 2147483648")]
    [InlineData("CallLoong64", 1L << 27, "R_CALLLOONG64, program too large, call relocation distance = 134217728")]
    [InlineData("CallLoong64", -(1L << 27) - 4, "R_CALLLOONG64, program too large, call relocation distance = -134217732")]
    [InlineData("Jmp16loong64", 1L << 17, "R_JMP16LOONG64, program too large, jmp relocation distance = 131072")]
    [InlineData("Jmp21loong64", 1L << 22, "R_JMP21LOONG64, program too large, call relocation distance = 4194304")]
    [InlineData("Loong64Call36", 1L << 39, "R_LOONG64_CALL36, program too large, call relocation distance = 137438953472")]
    public void DistancesThatDoNotFitAreErrorsSinceTheReleaseThatChecksThem(string kind, long distance, string message)
    {
        foreach (string release in (string[])["go1.26", "go1.27"])
        {
            using TestLink link = new(release, cpu: new Loong64());
            SymbolId code = link.AddBytes("a", SymbolKind.Text, new byte[8]).Symbol;
            RelocSite site = new()
            {
                Context = link.Ctx,
                Symbol = code,
                Address = 0,
                Kind = Enum.Parse<RelocKind>(kind),
                Size = 4,
                Target = SymbolId.None,
                Addend = distance,
            };
            Assert.True(link.Ctx.Target.Cpu.TryApply(in site, 0, out _));
            link.Ctx.Diagnostics.Flush();
            Assert.Equal(release == "go1.27" ? ["a: reloc: " + message] : [], link.Errors);
        }
    }

    [Theory]
    [InlineData("go1.25", 30)]
    [InlineData("go1.26", 30)]
    [InlineData("go1.27", 20)]
    public void CallsBetweenPackagesTakeTrampolinesWhereAsked(string release, int register)
    {
        using TestLink link = new(release, cpu: new Loong64());
        link.Ctx.Settings.DebugTrampolines = 2;
        SymbolId near = Function(link, "near", "one");
        SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, new byte[64]);
        link.Symbols.PackageOverride[caller.Symbol] = "two";
        SymbolId own = Function(link, "own", "two");
        SymbolId far = Function(link, "runtime.deferreturn", "three");
        caller.AddReloc(RelocKind.CallLoong64, 0, 4, near, 0);
        caller.AddReloc(RelocKind.CallLoong64, 4, 4, near, 0);
        caller.AddReloc(RelocKind.CallLoong64, 8, 4, near, 0x14);
        caller.AddReloc(RelocKind.CallLoong64, 12, 4, own, 0);
        caller.AddReloc(RelocKind.CallLoong64, 16, 4, far, 0);
        link.LayOut();
        Emitter.Run(link.Ctx);

        Assert.Equal(
            ["near", "caller", "near+0-tramp0", "near+14-tramp0", "runtime.deferreturn+0-tramp0", "own", "runtime.deferreturn"],
            link.Ctx.Text.Select(link.Symbols.NameText));
        RelocList relocs = link.Symbols.Relocs(caller.Symbol);
        Assert.Equal(
            ["near+0-tramp0", "near+0-tramp0", "near+14-tramp0", "own", "runtime.deferreturn+0-tramp0"],
            Enumerable.Range(0, 5).Select(i => link.Symbols.NameText(link.Symbols.Relocs(caller.Symbol).Target(i))));
        Assert.Equal(0, relocs[2].Addend);
        Assert.True(link.Symbols.IsDeferReturnTrampoline(link.Find("runtime.deferreturn+0-tramp0")));

        // pcalau12i, addi.d, jirl: all lies in one page.
        uint r = (uint)register;
        uint low = (uint)((link.AddressOf("near") + 0x14) & 0xfff);
        Assert.Equal([0x1a000000 | r, 0x02c00000 | r | (r << 5) | (low << 10), 0x4c000000 | (r << 5)], Words(link.Read("near+14-tramp0", 12)));
    }

    [Fact]
    public void ATrampolineToAnImportLoadsItsAddressFromTheGot()
    {
        foreach (string release in (string[])["go1.25", "go1.26", "go1.27"])
        {
            using TestLink link = new(release, cpu: new Loong64());
            link.Ctx.Settings.DebugTrampolines = 2;
            SymbolId import = link.Symbols.Update("libc_f"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
            SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, new byte[64]);
            caller.AddReloc(RelocKind.CallLoong64, 0, 4, import, 0);
            AotLinker.Layout.TextLayout.Run(link.Ctx);
            if (release == "go1.26")
            {
                Assert.Equal(import, link.Symbols.Relocs(caller.Symbol).Target(0));
                continue;
            }
            uint register = (uint)link.Ctx.Release.LoongTrampolineRegister;
            SymbolId trampoline = link.Find("libc_f+0-tramp0");
            Assert.Equal([0x1a000000 | register, 0x28c00000 | register | (register << 5), 0x4c000000 | (register << 5)], Words(link.Symbols.Data(trampoline)));
            RelocList relocs = link.Symbols.Relocs(trampoline);
            Assert.Equal((RelocKind.Loong64GotHi, RelocKind.Loong64GotLo), (relocs.Kind(0), relocs.Kind(1)));
        }
    }

    [Fact]
    public void CallsOfHostObjectsTakeTrampolinesToo()
    {
        using TestLink link = new(cpu: new Loong64());
        link.Ctx.Settings.DebugTrampolines = 2;
        SymbolId near = Function(link, "near", "one");
        SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, new byte[64]);
        caller.AddHostReloc(ElfLoong64.HostB26, 0, 4, near, 4);
        caller.AddHostReloc(ElfLoong64.HostB16, 4, 4, near, 0);
        AotLinker.Layout.TextLayout.Run(link.Ctx);
        RelocList relocs = link.Symbols.Relocs(caller.Symbol);
        Assert.Equal(("near+4-tramp0", 0L), (link.Symbols.NameText(relocs.Target(0)), relocs[0].Addend));
        Assert.Equal((near, RelocKind.Host), (relocs.Target(1), relocs.Kind(0)));
    }

    [Fact]
    public void ACallOfAnImportGoesThroughThePlt()
    {
        LinkContext ctx = ElfSample.Dynamic(new Loong64());
        SymbolTable symbols = ctx.Symbols;
        SymbolId import = symbols.Update("libc_getpid"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddReference(import, 0, RelocKind.CallLoong64, 4);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        // The first entry has 32 bytes.
        Assert.Equal((ctx.Known.Plt, 32L), (relocs.Target(0), relocs[0].Addend));
        Assert.Equal([0x1a00000f, 0x28c001ef, 0x1c00000d, 0x4c0001e0], Words(symbols.Data(ctx.Known.Plt)[32..]));
        RelocList plt = symbols.Relocs(ctx.Known.Plt);
        Assert.Equal((RelocKind.Loong64AddrLo, 36, 16L), (plt.Kind(4), plt[4].Offset, plt[4].Addend));
        // R_LARCH_JUMP_SLOT of dynamic symbol 1.
        Assert.Equal(0x1_0000_0005, BinaryPrimitives.ReadInt64LittleEndian(symbols.Data(ctx.Known.RelaPlt)[8..]));
        Assert.Equal(24, symbols.Data(ctx.Known.GotPlt).Length);
    }

    [Theory]
    [InlineData(ElfLoong64.HostB26, "CallLoong64", false)]
    [InlineData(ElfLoong64.HostCall36, "Loong64Call36", false)]
    [InlineData(ElfLoong64.HostB16, "Jmp16loong64", false)]
    [InlineData(ElfLoong64.HostB21, "Jmp21loong64", false)]
    [InlineData(ElfLoong64.HostAbsolute64, "Addr", false)]
    [InlineData(ElfLoong64.HostPcalaHi20, "Loong64AddrHi", false)]
    [InlineData(ElfLoong64.HostPcala64Lo20, "Loong64Addr64Lo", false)]
    [InlineData(ElfLoong64.HostPcRel20S2, "Loong64AddrPcrel20S2", false)]
    [InlineData(ElfLoong64.HostGotPcHi20, "Loong64AddrHi", true)]
    [InlineData(ElfLoong64.HostGotPcLo12, "Loong64AddrLo", true)]
    [InlineData(ElfLoong64.HostGot64PcHi12, "Loong64Addr64Hi", true)]
    [InlineData(ElfLoong64.HostAdd64, "Loong64Add64", false)]
    [InlineData(ElfLoong64.HostSub64, "Loong64Sub64", false)]
    public void HostRelocationsBecomeOurs(uint type, string kind, bool byGot)
    {
        LinkContext ctx = ElfSample.Dynamic(new Loong64());
        SymbolTable symbols = ctx.Symbols;
        SymbolId target = symbols.Update("t"u8, 0).SetKind(SymbolKind.Text).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddUInt64(0);
        code.AddHostReloc(type, 0, 8, target, 4);
        Assert.NotNull(ElfLoong64.Instance.HostRelocationSize(type));
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        Assert.Equal(
            (Enum.Parse<RelocKind>(kind), byGot ? ctx.Known.Got : target, 4L), (relocs.Kind(0), relocs.Target(0), relocs[0].Addend));
    }

    [Fact]
    public void HostRelocationsThatAreReadButNotLinkedHaveNames()
    {
        for (uint type = 1; type < 127; type++)
        {
            if (ElfLoong64.Instance.HostRelocationSize(type) is not { Size: > 0 })
                continue;
            LinkContext ctx = ElfSample.Dynamic(new Loong64());
            SymbolBuilder code = ctx.Symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
            code.AddUInt64(0);
            code.AddHostReloc(type, 0, 8, ctx.Symbols.Update("t"u8, 0).SetKind(SymbolKind.Data).Symbol, 0);
            if (!ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0))
                Assert.StartsWith("R_LARCH_", ElfLoong64.HostRelocationName(type), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LoadsOfThreadLocalOffsetsNeedAnExecutableThatMayHaveThem()
    {
        using TestLink link = new(cpu: new Loong64());
        SymbolId variable = link.Add("runtime.tlsg", SymbolKind.TlsBss, 8).Symbol;
        link.AddBytes("a", SymbolKind.Text, new byte[8]).AddReloc(RelocKind.Loong64TlsIeHi, 0, 4, variable, 0);
        link.LayOut();
        LinkException e = Assert.Throws<LinkException>(() => Emitter.Run(link.Ctx));
        Assert.Equal("cannot handle R_LOONG64_TLS_IE_x (sym runtime.tlsg) when linking internally", e.Message);
    }

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
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
        return words;
    }
}
