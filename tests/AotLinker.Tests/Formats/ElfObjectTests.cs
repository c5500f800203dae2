using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Formats;

public sealed class ElfObjectTests
{
    [Theory]
    [InlineData((int)RelocKind.Addr, 8, false, false, 1)]
    [InlineData((int)RelocKind.Addr, 4, false, false, 10)]
    [InlineData((int)RelocKind.DwarfSecRef, 4, false, false, 10)]
    [InlineData((int)RelocKind.Call, 4, false, false, 2)]
    [InlineData((int)RelocKind.Call, 4, true, false, 4)]
    [InlineData((int)RelocKind.PcRel, 4, true, false, 2)]
    [InlineData((int)RelocKind.PcRel, 4, true, true, 4)]
    [InlineData((int)RelocKind.TlsLe, 4, false, false, 23)]
    [InlineData((int)RelocKind.TlsIe, 4, false, false, 22)]
    [InlineData((int)RelocKind.GotPcRel, 4, false, false, 9)]
    public void EachRelocationThatIsLeftHasAType(int kind, int size, bool isImport, bool isFunction, int expected) =>
        Assert.Equal([Plain(expected)], Made(new Amd64(), (RelocKind)kind, size, isImport, isFunction));

    [Theory]
    [InlineData((int)RelocKind.Addr, 2)]
    [InlineData((int)RelocKind.Call, 8)]
    [InlineData((int)RelocKind.AddrOff, 4)]
    public void OthersHaveNone(int kind, int size) =>
        Assert.Null(ElfAmd64.Instance.ObjectRelocation(new ElfRelocationRequest((RelocKind)kind, size)));

    [Fact]
    public void Arm64HasPairsForAddresses()
    {
        Arm64 cpu = new();
        Assert.Equal([Plain(258)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(257)], Made(cpu, RelocKind.Addr, 8));
        Assert.Equal([Plain(283)], Made(cpu, RelocKind.CallArm64, 4));
        Assert.Equal([Plain(547)], Made(cpu, RelocKind.Arm64TlsLe, 4));
        foreach ((RelocKind kind, int first, int second) in ((RelocKind, int, int)[])
            [
                (RelocKind.AddrArm64, 275, 277), (RelocKind.Arm64PcRelLdSt8, 275, 278), (RelocKind.Arm64PcRelLdSt16, 275, 284),
                (RelocKind.Arm64PcRelLdSt32, 275, 285), (RelocKind.Arm64PcRelLdSt64, 275, 286), (RelocKind.Arm64TlsIe, 541, 542),
                (RelocKind.Arm64GotPcRel, 311, 312),
            ])
        {
            Assert.Equal([Plain(first), Plain(second) with { Place = 4 }], Made(cpu, kind, 8));
        }
        Assert.Empty(Made(cpu, RelocKind.Arm64PcRel, 4));
    }

    [Fact]
    public void I386ReachesTheGotByItsDistance()
    {
        I386 cpu = new();
        ElfObjectRelocation gotDistance = Plain(10) with { HasNoSymbol = true };
        Assert.Equal([Plain(1)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(1)], Made(cpu, RelocKind.DwarfSecRef, 4));
        Assert.Equal([Plain(2)], Made(cpu, RelocKind.Call, 4));
        Assert.Equal([Plain(4)], Made(cpu, RelocKind.Call, 4, isImport: true));
        Assert.Equal([Plain(2)], Made(cpu, RelocKind.PcRel, 4, isImport: true, isFunction: true));
        Assert.Equal([Plain(17)], Made(cpu, RelocKind.TlsLe, 4));
        Assert.Equal([gotDistance, Plain(16)], Made(cpu, RelocKind.TlsIe, 4));
        Assert.Equal([gotDistance, Plain(3)], Made(cpu, RelocKind.GotPcRel, 4));
        Assert.Empty(Made(cpu, RelocKind.Addr, 8));
    }

    [Fact]
    public void ArmTellsCallsFromJumps()
    {
        Arm cpu = new();
        Assert.Equal([Plain(2)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(3)], Made(cpu, RelocKind.PcRel, 4));
        Assert.Equal([Plain(28)], Made(cpu, RelocKind.CallArm, 4, variant: 0));
        Assert.Equal([Plain(29)], Made(cpu, RelocKind.CallArm, 4, variant: 1));
        Assert.Equal([Plain(108)], Made(cpu, RelocKind.TlsLe, 4));
        Assert.Equal([Plain(107)], Made(cpu, RelocKind.TlsIe, 4));
        Assert.Equal([Plain(96)], Made(cpu, RelocKind.GotPcRel, 4));
    }

    [Fact]
    public void RiscVRefersToLabelsFromSecondInstructions()
    {
        RiscV64 cpu = new();
        ElfObjectRelocation low = Plain(24) with { Place = 4, IsOfLabel = true };
        Assert.Equal([Plain(1)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(2)], Made(cpu, RelocKind.Addr, 8));
        Assert.Equal([Plain(17)], Made(cpu, RelocKind.RiscvJal, 4));
        Assert.Equal([Plain(17)], Made(cpu, RelocKind.RiscvJalTramp, 4));
        Assert.Equal([Plain(23), low], Made(cpu, RelocKind.RiscvCall, 8));
        Assert.Equal([Plain(23), low], Made(cpu, RelocKind.RiscvPcRelItype, 8));
        Assert.Equal([Plain(23), low with { Type = 25 }], Made(cpu, RelocKind.RiscvPcRelStype, 8));
        Assert.Equal([Plain(21), low], Made(cpu, RelocKind.RiscvTlsIe, 8));
        Assert.Equal([Plain(20), low], Made(cpu, RelocKind.RiscvGotPcRelItype, 8));
        Assert.Equal([Plain(29), Plain(30) with { Place = 4 }], Made(cpu, RelocKind.RiscvTlsLe, 8));
        Assert.Empty(Made(cpu, RelocKind.RiscvBranch, 4));
    }

    [Fact]
    public void S390xCountsInHalfwordsOrNot()
    {
        S390x cpu = new(false);
        Assert.Equal([Plain(4)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(22)], Made(cpu, RelocKind.Addr, 8));
        Assert.Equal([Plain(19)], Made(cpu, RelocKind.Call, 4));
        Assert.Equal([Plain(20)], Made(cpu, RelocKind.Call, 4, isImport: true));
        Assert.Equal([Plain(19)], Made(cpu, RelocKind.PcRelDbl, 4, isImport: true));
        Assert.Equal([Plain(20)], Made(cpu, RelocKind.PcRelDbl, 4, isImport: true, isFunction: true));
        Assert.Equal([Plain(17)], Made(cpu, RelocKind.PcRelDbl, 2));
        Assert.Equal([Plain(5)], Made(cpu, RelocKind.PcRel, 4));
        Assert.Equal([Plain(50)], Made(cpu, RelocKind.TlsLe, 4));
        Assert.Equal([Plain(51)], Made(cpu, RelocKind.TlsLe, 8));
        Assert.Equal([Plain(49)], Made(cpu, RelocKind.TlsIe, 4));
        Assert.Equal([Plain(26)], Made(cpu, RelocKind.GotPcRel, 4));
    }

    [Fact]
    public void Loong64LeavesOutAddendsOfTheGot()
    {
        Loong64 cpu = new();
        Assert.Equal([Plain(1)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(2)], Made(cpu, RelocKind.Addr, 8));
        Assert.Equal([Plain(66)], Made(cpu, RelocKind.CallLoong64, 4));
        Assert.Equal([Plain(71)], Made(cpu, RelocKind.Loong64AddrHi, 4));
        Assert.Equal([Plain(72)], Made(cpu, RelocKind.Loong64AddrLo, 4));
        Assert.Equal([Plain(83)], Made(cpu, RelocKind.Loong64TlsLeHi, 4));
        Assert.Equal([Plain(84)], Made(cpu, RelocKind.Loong64TlsLeLo, 4));
        Assert.Equal([Plain(87) with { HasNoAddend = true }], Made(cpu, RelocKind.Loong64TlsIeHi, 4));
        Assert.Equal([Plain(88) with { HasNoAddend = true }], Made(cpu, RelocKind.Loong64TlsIeLo, 4));
        Assert.Equal([Plain(75) with { HasNoAddend = true }], Made(cpu, RelocKind.Loong64GotHi, 4));
        Assert.Equal([Plain(76) with { HasNoAddend = true }], Made(cpu, RelocKind.Loong64GotLo, 4));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MipsHasHalvesOfAddresses(bool is64)
    {
        CpuArch cpu = is64 ? new Mips64(true) : new Mips32(true, false);
        Assert.Equal([Plain(2)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal(is64 ? [Plain(18)] : [], Made(cpu, RelocKind.Addr, 8));
        Assert.Equal([Plain(6)], Made(cpu, RelocKind.AddrMips, 4));
        Assert.Equal([Plain(5)], Made(cpu, RelocKind.AddrMipsU, 4));
        Assert.Equal([Plain(50)], Made(cpu, RelocKind.AddrMipsTls, 4));
        Assert.Equal([Plain(4)], Made(cpu, RelocKind.CallMips, 4));
        Assert.Equal([Plain(4)], Made(cpu, RelocKind.JmpMips, 4));
    }

    [Fact]
    public void Ppc64HasHalvesInTwoInstructions()
    {
        Ppc64 cpu = new(false, 8, HeadType.Linux);
        Assert.Equal([Plain(1)], Made(cpu, RelocKind.Addr, 4));
        Assert.Equal([Plain(38)], Made(cpu, RelocKind.Addr, 8));
        Assert.Equal([Plain(10)], Made(cpu, RelocKind.CallPower, 4));
        Assert.Equal([Plain(67)], Made(cpu, RelocKind.PowerTls, 4));
        foreach ((RelocKind kind, int first, int second) in ((RelocKind, int, int)[])
            [
                (RelocKind.AddrPower, 6, 4), (RelocKind.AddrPowerDs, 6, 57), (RelocKind.AddrPowerGot, 17, 59), (RelocKind.AddrPowerTocrel, 50, 48),
                (RelocKind.AddrPowerTocrelDs, 50, 64), (RelocKind.PowerTlsLe, 72, 70), (RelocKind.PowerTlsIe, 90, 88),
            ])
        {
            Assert.Equal([Plain(first), Plain(second) with { Place = 4 }], Made(cpu, kind, 8));
        }
        Assert.Equal([Plain(252), Plain(250) with { Place = 4, Addend = 4 }], Made(cpu, RelocKind.AddrPowerPcRel, 8));
        Ppc64 power10 = new(false, 10, HeadType.Linux);
        Assert.Equal([Plain(116)], Made(power10, RelocKind.CallPower, 4));
        Assert.Equal([Plain(132)], Made(power10, RelocKind.AddrPowerPcrel34, 8));
    }

    [Fact]
    public void HalvesAreTheLastBytesOfABigEndianInstruction()
    {
        Ppc64 cpu = new(true, 8, HeadType.Linux);
        Assert.Equal([Plain(6) with { Place = 2 }, Plain(4) with { Place = 6 }], Made(cpu, RelocKind.AddrPower, 8));
        Assert.Equal(
            [Plain(252) with { Place = 2, Addend = 2 }, Plain(250) with { Place = 6, Addend = 6 }], Made(cpu, RelocKind.AddrPowerPcRel, 8));
        Assert.Equal([Plain(132)], Made(cpu, RelocKind.AddrPowerPcrel34, 8));
    }

    [Fact]
    public void FieldsHoldWhatRelocationsDoNotCarry()
    {
        Assert.Equal(0, Field(new Amd64(), RelocKind.Addr, 0xee, 0x1234));
        foreach (CpuArch cpu in (CpuArch[])[new I386(), new Arm(), new Mips32(true, false), new Arm64(), new S390x(false), new Ppc64(false, 8, HeadType.Linux)])
        {
            Assert.Equal(0x1234, Field(cpu, RelocKind.Addr, 0xee, 0x1234));
        }
        // Half of it where distances are in halfwords.
        Assert.Equal(0x91a, Field(new S390x(false), RelocKind.PcRelDbl, 0xee, 0x1234));
        Assert.Equal(-2, Field(new S390x(false), RelocKind.Call, 0xee, -4));
        // Instructions are as they were, or have the addend, too.
        Assert.Equal(0x90000000, Field(new Arm64(), RelocKind.AddrArm64, 0x90000000, 0x1234));
        Assert.Equal(0x24420000, Field(new Mips64(true), RelocKind.AddrMips, 0x24420000, 0x1234));
        Assert.Equal(0x24421234, Field(new Mips32(true, false), RelocKind.AddrMips, 0x24420000, 0x1234));
        Assert.Equal(0x3c020002, Field(new Mips32(true, false), RelocKind.AddrMipsU, 0x3c020000, 0x18000));
        Assert.Equal(0x0c00048d, Field(new Mips32(true, false), RelocKind.CallMips, 0x0c000000, 0x1234));
        Assert.Equal(unchecked((int)0xeb00048d), Field(new Arm(), RelocKind.CallArm, 0, 0x1234, instruction: 0xebfffffe));
    }

    [Theory]
    [InlineData(0xebfffffe, -8, 0)]
    [InlineData(0xeafffffe, -8, 1)]
    [InlineData(0xeb000010, 0x40, 0)]
    [InlineData(0x1b000000, 0, 1)]
    public void ArmsAddendIsTheDistanceOfTheInstruction(long instruction, long addend, int variant)
    {
        ExternalRead read = new() { Kind = RelocKind.CallArm, Addend = instruction };
        new Arm().ReadExternal(null!, 0, ref read);
        Assert.Equal((addend, (byte)variant), (read.Addend, read.Variant));
    }

    [Fact]
    public void ARelocationIsPlaceSymbolTypeAndAddend()
    {
        byte[] bytes = new byte[24];
        new ElfEncoding(is64: true, isBigEndian: false).PutRelocation(bytes, 0x10, 5, 2, -4, hasAddend: true);
        Assert.Equal("10000000000000000200000005000000FCFFFFFFFFFFFFFF", Convert.ToHexString(bytes));
        new ElfEncoding(is64: true, isBigEndian: false).PutSplitRelocationInfo(bytes, 5, 18);
        Assert.Equal("10000000000000000500000000000012FCFFFFFFFFFFFFFF", Convert.ToHexString(bytes));
        bytes = new byte[8];
        new ElfEncoding(is64: false, isBigEndian: true).PutRelocation(bytes, 0x10, 5, 2, -4, hasAddend: false);
        Assert.Equal("0000001000000502", Convert.ToHexString(bytes));
    }

    private static ElfObjectRelocation Plain(int type) => new((uint)type);

    private static ElfObjectRelocation[] Made(
        CpuArch cpu, RelocKind kind, int size, bool isImport = false, bool isFunction = false, int variant = 0)
    {
        ElfCpu elf = cpu.Elf!;
        return
        [
            .. from part in Enumerable.Range(0, elf.ObjectRelocationParts(kind))
               let made = elf.ObjectRelocation(new ElfRelocationRequest(kind, size)
               {
                   Part = part,
                   Variant = variant,
                   IsImport = isImport,
                   IsImportedFunction = isFunction,
               })
               where made is not null
               select made.Value,
        ];
    }

    private static long Field(CpuArch cpu, RelocKind kind, ulong content, long addend, long instruction = 0)
    {
        using TestLink link = new(cpu: cpu);
        RelocSite site = new()
        {
            Context = link.Ctx,
            Symbol = SymbolId.None,
            Address = 0x1000,
            Kind = kind,
            Size = 4,
            Target = SymbolId.None,
            Addend = instruction,
        };
        return cpu.ExternalField(in site, content, addend);
    }
}
