using System.Buffers.Binary;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Tests.Formats;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Cpu;

public class MipsTests
{
    [Theory]
    // lui and addiu: the upper half is one more where the lower one is negative.
    [InlineData("AddrMipsU", 0x3c020000, 0x12348765, 0x3c021235)]
    [InlineData("AddrMips", 0x24420000, 0x12348765, 0x24428765)]
    [InlineData("AddrMipsU", 0x3c020000, 0x12347fff, 0x3c021234)]
    [InlineData("AddrMips", 0x24427777, 0x12347fff, 0x24427fff)]
    // lw v0, v1: thread-local storage begins 0x7000 below the thread pointer.
    [InlineData("AddrMipsTls", 0x8c620000, 8, 0x8c629008)]
    [InlineData("CallMips", 0x0c000000, 0x10020, 0x0c004008)]
    [InlineData("JmpMips", 0x08000000, 0x0ffffffc, 0x0bffffff)]
    public void FieldsHoldWhatTheirInstructionsWant(string kind, uint op, long target, uint expected)
    {
        foreach (CpuArch cpu in (CpuArch[])[new Mips32(true, false), new Mips32(false, false), new Mips64(true), new Mips64(false)])
        {
            using TestLink link = new(cpu: cpu);
            RelocSite site = Site(link, Enum.Parse<RelocKind>(kind), 0x10000, target);
            Assert.True(cpu.TryApply(in site, op, out long value));
            Assert.Equal(expected.ToString("x8", null), value.ToString("x8", null));
            link.Ctx.Diagnostics.Flush();
            Assert.Empty(link.Errors);
        }
    }

    [Theory]
    [InlineData("CallMips", 0x0ffffff8, 0x10000000, "a: direct call too far: b 10000000", false)]
    // The region is that of the instruction behind the call.
    [InlineData("CallMips", 0x0ffffffc, 0x10000000, null, false)]
    [InlineData("CallMips", 0x10000, 0x10022, "a: direct call is not aligned: b 10022", false)]
    [InlineData("AddrMipsTls", 0x10000, 0x7000 + 32677, null, true)]
    [InlineData("AddrMipsTls", 0x10000, 0x7000 + 32678, "a: TLS offset out of range 32678", true)]
    public void WhatDoesNotReachIsAnError(string kind, long pc, long target, string? message, bool alsoIn64Bits)
    {
        foreach (CpuArch cpu in (CpuArch[])[new Mips32(true, false), new Mips64(true)])
        {
            using TestLink link = new(cpu: cpu);
            RelocSite site = Site(link, Enum.Parse<RelocKind>(kind), pc, target);
            Assert.True(cpu.TryApply(in site, 0, out _));
            link.Ctx.Diagnostics.Flush();
            Assert.Equal(message is null || (cpu is Mips64 && !alsoIn64Bits) ? [] : [message], link.Errors);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OneInstructionAfterTheOtherIsWrittenInTheByteOrder(bool isBigEndian)
    {
        using TestLink link = new(cpu: new Mips32(isBigEndian, false));
        SymbolBuilder a = link.Add("a", SymbolKind.Text, 0);
        a.AddUInt32(0x3c020000);
        a.AddUInt32(0x24420000);
        SymbolId b = link.AddBytes("b", SymbolKind.NoPtrData, new byte[8]).Symbol;
        a.AddReloc(RelocKind.AddrMipsU, 0, 4, b, 4);
        a.AddReloc(RelocKind.AddrMips, 4, 4, b, 4);
        link.LayOut();
        Emitter.Run(link.Ctx);
        byte[] code = link.Read("a", 8);
        (uint upper, uint lower) = isBigEndian
            ? (BinaryPrimitives.ReadUInt32BigEndian(code), BinaryPrimitives.ReadUInt32BigEndian(code.AsSpan(4)))
            : (BinaryPrimitives.ReadUInt32LittleEndian(code), BinaryPrimitives.ReadUInt32LittleEndian(code.AsSpan(4)));
        Assert.Equal((0x3c02u, 0x2442u), (upper >> 16, lower >> 16));
        Assert.Equal(link.AddressOf("b") + 4, ((upper & 0xffff) << 16) + (short)lower);
    }

    [Theory]
    [InlineData(true, false, 1)]
    [InlineData(false, true, 3)]
    public void ThirtyTwoBitFilesTellHowFloatsArePassed(bool isBigEndian, bool softFloat, byte abi)
    {
        byte[] file = ElfSample.Build(HeadType.Linux, BuildMode.Exe, null, cpu: new Mips32(isBigEndian, softFloat));
        Assert.Empty(ElfChecker.Check(file));
        ReadOnlySpan<byte> flags = [0, 0, 32, 1, 1, 1, 0, abi, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.True(file.AsSpan(0, 4096).IndexOf(flags) > 0);
        byte[] attributes = isBigEndian
            ? [(byte)'A', 0, 0, 0, 15, (byte)'g', (byte)'n', (byte)'u', 0, 1, 0, 0, 0, 7, 4, abi]
            : [(byte)'A', 15, 0, 0, 0, (byte)'g', (byte)'n', (byte)'u', 0, 1, 7, 0, 0, 0, 4, abi];
        Assert.True(file.AsSpan(4096).IndexOf(attributes) > 0);
        // e_flags: MIPS32, o32, CPIC.
        byte[] header = isBigEndian ? [0x50, 0, 0x10, 4] : [4, 0x10, 0, 0x50];
        Assert.Equal(header, file[36..40]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheGotsNumbersStandInTheDynamicSection(bool isBigEndian)
    {
        LinkContext ctx = ElfSample.Dynamic(new Mips64(isBigEndian));
        SymbolTable symbols = ctx.Symbols;
        int before = symbols.Data(ctx.Known.Dynamic).Length;
        ctx.Target.Cpu.GenerateText(ctx);
        ulong[] entries = Numbers(symbols.Data(ctx.Known.Dynamic)[before..], isBigEndian);
        // Version, base address, two slots of the dynamic linker's, then what imports decide.
        Assert.Equal([0x70000001, 1, 0x70000006, 0, 0x7000000a, 2, 0x70000011, 0, 0x70000013, 0], entries);

        for (int i = 0; i < 2; i++)
        {
            SymbolId import = symbols.Update(System.Text.Encoding.ASCII.GetBytes($"libc_f{i}"), 0).SetKind(SymbolKind.DynImport).SetReachable().Symbol;
            SymbolBuilder code = symbols.Update(System.Text.Encoding.ASCII.GetBytes($"a{i}"), 0).SetKind(SymbolKind.Text);
            code.AddReference(import, 0, RelocKind.CallMips, 4);
            Assert.True(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
            RelocList relocs = symbols.Relocs(code.Symbol);
            // The first entry has 32 bytes, the others 16.
            Assert.Equal((ctx.Known.Plt, 32L + (16 * i)), (relocs.Target(0), relocs[0].Addend));
        }
        entries = Numbers(symbols.Data(ctx.Known.Dynamic)[before..], isBigEndian);
        Assert.Equal([0x70000011, 3, 0x70000013, 1], entries[6..]);
        Assert.Equal(32, symbols.Data(ctx.Known.GotPlt).Length);
        Assert.Equal(0, symbols.Size(ctx.Known.RelaPlt));
    }

    [Fact]
    public void RelocationsOfHostObjectsAreReadAndRefused()
    {
        LinkContext ctx = ElfSample.Dynamic(new Mips64(true));
        for (uint type = 0; type < 256; type++)
        {
            if (ctx.Target.Cpu.Elf!.HostRelocationSize(type) is null)
                continue;
            SymbolBuilder code = ctx.Symbols.Update("a"u8, 0).SetKind(SymbolKind.Text);
            code.ClearRelocs();
            code.AddUInt32(0);
            code.AddHostReloc(type, 0, 4, SymbolId.None, 0);
            Assert.False(ctx.Target.Cpu.AddDynamicRelocation(ctx, code.Symbol, 0));
            Assert.StartsWith("R_MIPS_", ElfMips.HostRelocationName(type), StringComparison.Ordinal);
        }
        LinkException e = Assert.Throws<LinkException>(() => new Mips32(true, false).AddDynamicRelocation(ctx, SymbolId.None, 0));
        Assert.Equal("adddynrel currently unimplemented for MIPS", e.Message);
    }

    private static RelocSite Site(TestLink link, RelocKind kind, long pc, long target)
    {
        SymbolId a = link.AddBytes("a", SymbolKind.Text, new byte[8]).Symbol;
        SymbolId b = link.AddBytes("b", SymbolKind.Text, new byte[8]).Symbol;
        return new RelocSite { Context = link.Ctx, Symbol = a, Address = pc, Kind = kind, Size = 4, Target = b, Addend = target };
    }

    private static ulong[] Numbers(ReadOnlySpan<byte> bytes, bool isBigEndian)
    {
        ulong[] numbers = new ulong[bytes.Length / 8];
        for (int i = 0; i < numbers.Length; i++)
        {
            ReadOnlySpan<byte> at = bytes[(8 * i)..];
            numbers[i] = isBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(at) : BinaryPrimitives.ReadUInt64LittleEndian(at);
        }
        return numbers;
    }
}
