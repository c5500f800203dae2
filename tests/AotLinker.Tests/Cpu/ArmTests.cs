using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Tests.Formats;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

public class ArmTests
{
    private const uint Call = 0xebfffffe;

    [Fact]
    public void ACallHoldsTheDistanceInWords()
    {
        using TestLink link = new(cpu: new Arm());
        SymbolBuilder a = link.AddBytes("a", SymbolKind.Text, new byte[32]);
        SymbolId b = link.AddBytes("b", SymbolKind.Text, new byte[32]).Symbol;
        a.AddReloc(RelocKind.CallArm, 4, 4, b, Call);
        link.Symbols.Update(b).AddReloc(RelocKind.CallArm, 0, 4, a.Symbol, 0xea000000);
        link.LayOut();
        Emitter.Run(link.Ctx);
        // From a+4, where the pc reads as a+12, to b at a+32: five words. From b, where it reads as a+40, to a+8: eight words back.
        Assert.Equal(0xeb000005, BitConverter.ToUInt32(link.Read("a", 4, 4)));
        Assert.Equal(0xeafffff8, BitConverter.ToUInt32(link.Read("b", 4)));
    }

    [Fact]
    public void ThePltsInstructionsTakeAPieceOfTheDistanceEach()
    {
        using TestLink link = new(cpu: new Arm());
        SymbolBuilder plt = link.AddBytes(".plt", SymbolKind.Text, new byte[32]);
        SymbolBuilder slots = link.Add(".got.plt", SymbolKind.NoPtrBss, 0x123470);
        link.Ctx.Known.Plt = plt.Symbol;
        link.Ctx.Known.GotPlt = slots.Symbol;
        link.LayOut();
        long distance = link.AddressOf(".got.plt") - link.AddressOf(".plt");
        const int Slot = 0x123458;
        plt.AddReloc(RelocKind.Plt0, 0, 4, slots.Symbol, Slot - 8);
        plt.AddReloc(RelocKind.Plt1, 4, 4, slots.Symbol, Slot - 8);
        plt.AddReloc(RelocKind.Plt2, 8, 4, slots.Symbol, Slot - 8);
        Emitter.Run(link.Ctx);
        // add ip, pc, #X00000; add ip, ip, #Y000; ldr pc, [ip, #Z]: together the slot's distance from where the pc points.
        byte[] code = link.Read(".plt", 12);
        uint[] words = [.. Enumerable.Range(0, 3).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(code.AsSpan(i * 4)))];
        Assert.Equal([0xe28fc600, 0xe28cca00, 0xe5bcf000], [words[0] & ~0xffu, words[1] & ~0xffu, words[2] & ~0xfffu]);
        Assert.Equal(distance + Slot - 8, ((words[0] & 0xff) << 20) | ((words[1] & 0xff) << 12) | (words[2] & 0xfff));
    }

    [Fact]
    public void CallsBetweenPackagesTakeTrampolinesWhereAsked()
    {
        using TestLink link = new(cpu: new Arm());
        link.Ctx.Settings.DebugTrampolines = 2;
        SymbolId near = Function(link, "near", "one");
        SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, new byte[64]);
        link.Symbols.PackageOverride[caller.Symbol] = "two";
        SymbolId far = Function(link, "far", "three");
        caller.AddReloc(RelocKind.CallArm, 0, 4, near, Call);
        caller.AddReloc(RelocKind.CallArm, 4, 4, near, Call);
        // Into the middle of a function, as runtime.duffzero is called.
        caller.AddReloc(RelocKind.CallArm, 8, 4, near, 0xeb000002);
        caller.AddReloc(RelocKind.CallArm, 12, 4, far, Call);
        link.LayOut();
        Emitter.Run(link.Ctx);

        Assert.Equal(
            ["near", "caller", "near+0-tramp0", "near+16-tramp0", "far+0-tramp0", "far"], link.Ctx.Text.Select(link.Symbols.NameText));
        RelocList relocs = link.Symbols.Relocs(caller.Symbol);
        Assert.Equal(
            ["near+0-tramp0", "near+0-tramp0", "near+16-tramp0", "far+0-tramp0"],
            Enumerable.Range(0, 4).Select(i => link.Symbols.NameText(link.Symbols.Relocs(caller.Symbol).Target(i))));
        Assert.Equal(Call, (uint)relocs[2].Addend);
        // ldr ip, [pc]; bx ip; the address, known or not when the trampoline was made.
        Assert.Equal([0xe59fc000, 0xe12fff1c, (uint)link.AddressOf("near") + 16], Words(link, "near+16-tramp0", 3));
        Assert.Equal([0xe59fc000, 0xe12fff1c, (uint)link.AddressOf("far")], Words(link, "far+0-tramp0", 3));
    }

    [Fact]
    public void ATrampolineToAnImportLoadsItsAddressFromTheGot()
    {
        using TestLink link = new(cpu: new Arm());
        link.Ctx.Settings.DebugTrampolines = 2;
        SymbolId import = link.Symbols.Update("libc_f"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder caller = link.AddBytes("caller", SymbolKind.Text, new byte[64]);
        caller.AddReloc(RelocKind.CallArm, 0, 4, import, Call);
        caller.AddReloc(RelocKind.CallArm, 4, 4, import, 0xeb000040);
        AotLinker.Layout.TextLayout.Run(link.Ctx);

        SymbolId plain = link.Find("libc_f+0-tramp0");
        Assert.Equal("08C09FE50CC08FE000C09CE51CFF2FE100000000", Convert.ToHexString(link.Symbols.Data(plain)));
        RelocList relocs = link.Symbols.Relocs(plain);
        Assert.Equal((RelocKind.GotPcRel, 16, import, 8L), (relocs.Kind(0), relocs[0].Offset, relocs.Target(0), relocs[0].Addend));
        // 264 is 0x42 turned right by 30 bits.
        SymbolId offset = link.Find("libc_f+264-tramp0");
        Assert.Equal("0CC09FE50CC08FE000C09CE542CF8CE21CFF2FE100000000", Convert.ToHexString(link.Symbols.Data(offset)));
        relocs = link.Symbols.Relocs(offset);
        Assert.Equal((RelocKind.GotPcRel, 20, 12L), (relocs.Kind(0), relocs[0].Offset, relocs[0].Addend));
        Assert.Empty(link.Errors);
    }

    [Fact]
    public void ACallOfAnImportGoesThroughThePlt()
    {
        LinkContext ctx = ElfSample.Dynamic(new Arm());
        SymbolTable symbols = ctx.Symbols;
        SymbolId import = symbols.Update("libc_getpid"u8, 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddReference(import, Call, RelocKind.CallArm, 4);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        // The first entry has 20 bytes.
        Assert.Equal((ctx.Known.Plt, 0xeb000003), (relocs.Target(0), (uint)relocs[0].Addend));
        RelocList plt = symbols.Relocs(ctx.Known.Plt);
        Assert.Equal([RelocKind.PcRel, RelocKind.Plt0, RelocKind.Plt1, RelocKind.Plt2], Enumerable.Range(0, 4).Select(i => symbols.Relocs(ctx.Known.Plt).Kind(i)));
        Assert.Equal((20, 12L - 8), (plt[1].Offset, plt[1].Addend));
        Assert.Equal([0, 0, 0, 0, 22, 1, 0, 0], symbols.Data(ctx.Known.RelPlt).ToArray());
    }

    [Theory]
    [InlineData(ElfArm.HostCall, 0xebfffffeL, "CallArm", 0xebfffffeL)]
    [InlineData(ElfArm.HostJump24, 0xeafffffeL, "CallArm", 0xeafffffeL)]
    [InlineData(ElfArm.HostRel32, 4L, "PcRel", 8L)]
    [InlineData(ElfArm.HostAbsolute32, 4L, "Addr", 4L)]
    [InlineData(ElfArm.HostGotOff, 4L, "GotOff", 4L)]
    [InlineData(ElfArm.HostGotPrel, 8L, "PcRel", 12L)]
    [InlineData(ElfArm.HostGot32, 8L, "Const", 8L)]
    public void HostRelocationsBecomeOurs(uint type, long addend, string kind, long newAddend)
    {
        LinkContext ctx = ElfSample.Dynamic(new Arm());
        SymbolTable symbols = ctx.Symbols;
        SymbolId target = symbols.Update("t"u8, 0).SetKind(SymbolKind.Data).SetReachable().Symbol;
        SymbolBuilder code = symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
        code.AddUInt32(0);
        code.AddHostReloc(type, 0, 4, target, addend);
        Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
        RelocList relocs = symbols.Relocs(code.Symbol);
        Assert.Equal((Enum.Parse<RelocKind>(kind), newAddend), (relocs.Kind(0), relocs[0].Addend));
        // What is in this module fills its GOT entry itself.
        bool usesGot = type is ElfArm.HostGotPrel or ElfArm.HostGot32;
        Assert.Equal(usesGot ? target : SymbolId.None, usesGot ? symbols.Relocs(ctx.Known.Got).Target(0) : SymbolId.None);
    }

    [Fact]
    public void ThreadLocalDataLiesBehindTheThreadControlBlock()
    {
        LinkContext ctx = ElfSample.Dynamic(new Arm());
        SymbolId variable = ctx.Symbols.Update("runtime.tlsg"u8, 0).SetKind(SymbolKind.TlsBss).Symbol;
        Assert.Equal(8, ctx.Format.ThreadLocalOffset(ctx, variable, 0));
    }

    [Theory]
    // vendor "aeabi", for the file: CPU name "7-A", architecture 10, VFP arguments 0 or 1.
    [InlineData("411b000000616561626900010f000000" + "05372d4100060a1c01", true)]
    [InlineData("411b000000616561626900010f000000" + "05372d4100060a1c00", false)]
    // The same attribute of a section only, and of another vendor.
    [InlineData("4114000000616561626900020800000000" + "1c0100", false)]
    [InlineData("4112000000616200010800000000" + "1c010000", false)]
    public void AttributesTellHowFloatsArePassed(string content, bool inRegisters)
    {
        byte[] section = Convert.FromHexString(content);
        BinaryPrimitives.WriteInt32LittleEndian(section.AsSpan(1), section.Length - 1);
        int start = 5 + section.AsSpan(5).IndexOf((byte)0) + 1;
        BinaryPrimitives.WriteInt32LittleEndian(section.AsSpan(start + 1), section.Length - start);
        Assert.Equal(inRegisters, ArmAttributes.PassFloatsInRegisters(section, out string? complaint));
        Assert.Null(complaint);

        uint? flags = ElfArm.Instance.FlagsWithAttributes(0x05000002, 0x70000003, ".ARM.attributes", section, out _);
        Assert.Equal(inRegisters ? 0x05000402u : 0x05000202u, flags);
        Assert.Null(ElfArm.Instance.FlagsWithAttributes(0x05000002, 1, ".text", section, out _));
        // Every piece of it is refused in words.
        for (int length = 0; length < section.Length; length++)
            _ = ArmAttributes.PassFloatsInRegisters(section.AsSpan(0, length), out _);
    }

    [Theory]
    [InlineData("42", ".ARM.attributes has unexpected format B")]
    [InlineData("41060000006161", "corrupt .ARM.attributes (section name not NUL-terminated)")]
    [InlineData("41080000006161", "could not parse .ARM.attributes")]
    [InlineData("41030000", "could not parse .ARM.attributes")]
    [InlineData("4103000000", "could not parse .ARM.attributes")]
    public void DamagedAttributesAreNamed(string content, string complaint)
    {
        Assert.False(ArmAttributes.PassFloatsInRegisters(Convert.FromHexString(content), out string? actual));
        Assert.Equal(complaint, actual);
    }

    private static SymbolId Function(TestLink link, string name, string package)
    {
        SymbolId s = link.AddBytes(name, SymbolKind.Text, new byte[64]).SetReachable().Symbol;
        link.Symbols.PackageOverride[s] = package;
        return s;
    }

    private static uint[] Words(TestLink link, string name, int count)
    {
        byte[] bytes = link.Read(name, count * 4);
        return [.. Enumerable.Range(0, count).Select(i => BitConverter.ToUInt32(bytes, i * 4))];
    }
}
