using System.Buffers.Binary;
using System.Security.Cryptography;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Pe;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Tests.Formats;

public sealed class PeObjectTests
{
    [Fact]
    public void EachRelocationThatIsLeftHasAType()
    {
        Assert.Equal([11, 1, 2, 3, 4, 4, null], Types(PeAmd64.Instance,
            (RelocKind.DwarfSecRef, 4), (RelocKind.Addr, 8), (RelocKind.Addr, 4), (RelocKind.PeImageOff, 4), (RelocKind.Call, 4), (RelocKind.PcRel, 4),
            (RelocKind.TlsLe, 4)));
        Assert.Equal([11, 6, 7, 20, 20, null], Types(Pe386.Instance,
            (RelocKind.DwarfSecRef, 4), (RelocKind.Addr, 4), (RelocKind.PeImageOff, 4), (RelocKind.Call, 4), (RelocKind.PcRel, 4), (RelocKind.TlsLe, 4)));
        Assert.Equal([8, 14, 1, 3, null], Types(PeArm64.Instance,
            (RelocKind.DwarfSecRef, 4), (RelocKind.Addr, 8), (RelocKind.Addr, 4), (RelocKind.CallArm64, 4), (RelocKind.Arm64TlsLe, 4)));
    }

    [Theory]
    [InlineData((int)RelocKind.AddrArm64, 6)]
    [InlineData((int)RelocKind.Arm64PcRelLdSt8, 7)]
    [InlineData((int)RelocKind.Arm64PcRelLdSt64, 7)]
    public void Arm64HasPairsForAddresses(int kind, int second)
    {
        Assert.Equal(2, PeArm64.Instance.ObjectRelocationParts((RelocKind)kind));
        Assert.Equal((ushort?)4, PeArm64.Instance.ObjectRelocation((RelocKind)kind, 8, 0));
        Assert.Equal((ushort?)second, PeArm64.Instance.ObjectRelocation((RelocKind)kind, 8, 1));
    }

    [Theory]
    [InlineData((int)RelocKind.AddrArm64, 0, 0)]
    [InlineData((int)RelocKind.AddrArm64, (1 << 20) - 1, 0)]
    [InlineData((int)RelocKind.AddrArm64, -(1 << 20), 0)]
    [InlineData((int)RelocKind.AddrArm64, 1 << 20, 1 << 20)]
    [InlineData((int)RelocKind.Arm64PcRelLdSt32, (5 << 20) + 12, 5 << 20)]
    [InlineData((int)RelocKind.CallArm64, 0, 0)]
    [InlineData((int)RelocKind.CallArm64, 72, 72)]
    [InlineData((int)RelocKind.Addr, 1 << 30, 0)]
    public void WhatInstructionsHaveNoBitsForIsReachedByLabels(int kind, long addend, long offset) =>
        Assert.Equal(offset, PeArm64.Instance.LabelOffset((RelocKind)kind, addend));

    [Theory]
    [InlineData((int)RelocKind.AddrArm64, 0x12345, 0x90000000u | (1u << 29) | (0x48d1u << 5), 0x91000000u | (0x345u << 10))]
    [InlineData((int)RelocKind.Arm64PcRelLdSt64, 0x18, 0x90000000u | (6u << 5), 0x91000000u | (3u << 10))]
    [InlineData((int)RelocKind.Arm64PcRelLdSt8, 0, 0x90000000u, 0x91000000u)]
    public void Arm64KeepsAddendsInInstructions(int kind, long addend, uint first, uint second)
    {
        Arm64 cpu = new();
        RelocSite site = new()
        {
            Context = Context(cpu, "arm64"),
            Symbol = SymbolId.None,
            Address = 0,
            Kind = (RelocKind)kind,
            Size = 8,
            Target = SymbolId.None,
            Addend = addend,
        };
        ulong code = 0x91000000_90000000;
        Assert.Equal(((ulong)second << 32) | first, (ulong)cpu.ExternalField(in site, code, addend));
    }

    [Theory]
    [InlineData("amd64", "windows", true)]
    [InlineData("amd64", "linux", false)]
    public void FieldsHoldAddendsWhereRelocationsHaveNone(string goarch, string goos, bool expected)
    {
        Amd64 cpu = new();
        Target target = Context(cpu, goarch, goos).Target;
        Assert.Equal(expected, cpu.FieldsHoldAddends(target));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AProgramIsSealedByWhatItSaysOfItself(bool isWide)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string path = Path.Combine(folder, "a.exe"), copy = Path.Combine(folder, "copy");
            byte[] program = Program(isWide, damage: 0);
            File.WriteAllBytes(path, program);
            PeFips.Seal(path, isWide, copy);
            List<byte> hashed = [.. "go fips object v1\n"u8];
            for (int i = 0; i < 4; i++)
            {
                hashed.AddRange([0, 0, 0, 0, 0, 0, 0, (byte)(i + 1)]);
                hashed.AddRange(program.AsSpan(TextOffset + i, i + 1));
            }
            Assert.Equal(hashed, File.ReadAllBytes(copy));
            byte[] sum = HMACSHA256.HashData(new byte[32], hashed.ToArray());
            sum.CopyTo(program, DataOffset + InfoOffset + FipsSections.MagicLength);
            Assert.Equal(program, File.ReadAllBytes(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void ADamagedProgramIsLeftAsItIs(int damage)
    {
        string path = Path.GetTempFileName();
        try
        {
            byte[] program = Program(isWide: true, damage);
            File.WriteAllBytes(path, program);
            PeFips.Seal(path, isWide: true, "");
            Assert.Equal(program, File.ReadAllBytes(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void TheDirectoryOfAProgramIsRead()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Program(isWide: true, damage: 0));
            PeImageReader image = PeImageReader.Open(path)!;
            Assert.Equal((0x1234u, 64u), image.Directory(PeDirectory.LoadConfig));
            Assert.Equal((0u, 0u), image.Directory(PeDirectory.ImportAddress));
            Assert.Null(image.Section(".nosuch"u8));
            File.WriteAllText(path, "MZ, but no program");
            Assert.Null(PeImageReader.Open(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private const int TextOffset = 0x400;
    private const int DataOffset = 0x600;
    private const int InfoOffset = 32;
    private const long Base = 0x40_0000;

    /// <summary>A program of .text and .data with go:fipsinfo, which lists four places in .text, and a data directory that ends with that of configurations.</summary>
    private static byte[] Program(bool isWide, int damage)
    {
        const int Optional = 112 + (11 * 8);
        byte[] file = new byte[DataOffset + 0x200];
        "MZ"u8.CopyTo(file);
        file[0x3c] = 0x40;
        Span<byte> header = file.AsSpan(0x40);
        "PE\0\0"u8.CopyTo(header);
        header[6] = 2;
        header[20] = Optional;
        BinaryPrimitives.WriteUInt16LittleEndian(header[24..], 0x20b);
        header[24 + 108] = 11;
        BinaryPrimitives.WriteUInt32LittleEndian(header[(24 + 112 + 80)..], 0x1234);
        header[24 + 112 + 84] = 64;
        Section(header[(24 + Optional)..], ".text"u8, 0x1000, TextOffset);
        Section(header[(24 + Optional + 40)..], damage == 1 ? ".date"u8 : ".data"u8, 0x2000, DataOffset);
        for (int i = 0; i < 0x200; i++)
        {
            file[TextOffset + i] = (byte)(i * 7);
        }
        Span<byte> info = file.AsSpan(DataOffset + InfoOffset);
        FipsSections.Magic.CopyTo(info);
        if (damage == 2)
        {
            info[3]++;
        }
        info = info[(FipsSections.MagicLength + FipsSections.SumLength)..];
        Put(info, 0, Base + 0x2000 + InfoOffset + (damage == 3 ? 1 : 0));
        for (int i = 0; i < 4; i++)
        {
            Put(info, (2 * i) + 1, Base + 0x1000 + i + (damage == 4 ? 0x3000 : 0));
            Put(info, (2 * i) + 2, Base + 0x1000 + (2 * i) + 1 + (damage == 4 ? 0x3000 : 0));
        }
        return file;

        static void Section(Span<byte> header, ReadOnlySpan<byte> name, uint address, uint offset)
        {
            name.CopyTo(header);
            BinaryPrimitives.WriteUInt32LittleEndian(header[12..], address);
            BinaryPrimitives.WriteUInt32LittleEndian(header[16..], 0x200);
            BinaryPrimitives.WriteUInt32LittleEndian(header[20..], offset);
        }

        void Put(Span<byte> to, int i, long value)
        {
            if (isWide)
            {
                BinaryPrimitives.WriteInt64LittleEndian(to[(8 * i)..], value);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(to[(4 * i)..], (int)value);
            }
        }
    }

    private static ushort?[] Types(PeCpu cpu, params (RelocKind Kind, int Size)[] asked) =>
        [.. asked.Select(a => cpu.ObjectRelocation(a.Kind, a.Size, 0))];

    private static LinkContext Context(CpuArch cpu, string goarch, string goos = "windows")
    {
        Target target = new()
        {
            Goos = goos,
            Goarch = goarch,
            Cpu = cpu,
            HeadType = goos == "windows" ? HeadType.Windows : HeadType.Linux,
            BuildMode = BuildMode.Exe,
            LinkMode = LinkMode.External,
        };
        Release release = Release.Newest;
        return new LinkContext
        {
            Options = null!,
            Target = target,
            Release = release,
            Workers = new Workers(1),
            Symbols = new SymbolTable(release, target),
            Settings = new LinkSettings(),
            Format = null!,
        };
    }
}
