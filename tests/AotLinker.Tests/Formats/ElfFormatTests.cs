using System.Buffers.Binary;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Formats.Elf;

namespace AotLinker.Tests.Formats;

public class ElfFormatTests
{
    private static readonly string[] Imports =
        ["getpid#GLIBC_2.2.5@libc.so.6", "labs#@libc.so.6", "qsort_r#GLIBC_2.8@libc.so.6", "cos#GLIBC_2.2.5@libm.so.6"];

    public static TheoryData<string, string, bool> Kinds()
    {
        TheoryData<string, string, bool> kinds = [];
        foreach (string system in (string[])["Linux", "FreeBsd", "NetBsd", "OpenBsd", "DragonFly", "Solaris"])
        {
            foreach (string mode in (string[])["Exe", "Pie"])
            {
                kinds.Add(system, mode, true);
                if (mode == "Exe" && system != "Solaris")
                    kinds.Add(system, mode, false);
            }
        }
        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void FilesHangTogether(string system, string mode, bool imports)
    {
        HeadType head = Enum.Parse<HeadType>(system);
        BuildMode build = Enum.Parse<BuildMode>(mode);
        foreach (bool strip in (bool[])[false, true])
        {
            ElfOptions options = new() { BuildId = "an/id", GnuBuildIdFromGo = !strip, BindNow = strip, RunPath = "/lib:/opt", Race = strip };
            byte[] file = ElfSample.Build(head, build, imports ? Imports : null, options, strip);
            Assert.Empty(ElfChecker.Check(file));
        }
    }

    [Theory]
    [InlineData("386", "Linux")]
    [InlineData("386", "FreeBsd")]
    [InlineData("386", "NetBsd")]
    [InlineData("386", "OpenBsd")]
    [InlineData("arm", "Linux")]
    [InlineData("arm", "FreeBsd")]
    [InlineData("arm", "NetBsd")]
    [InlineData("arm", "OpenBsd")]
    public void FilesOf32BitsHangTogether(string name, string system)
    {
        CpuArch cpu = name == "386" ? new I386() : new Arm();
        foreach (bool strip in (bool[])[false, true])
        {
            ElfOptions options = new() { BuildId = "an/id", GnuBuildIdFromGo = !strip, BindNow = strip, RunPath = "/lib:/opt" };
            foreach (string[]? imports in (string[]?[])[Imports, null])
            {
                byte[] file = ElfSample.Build(Enum.Parse<HeadType>(system), BuildMode.Exe, imports, options, strip, cpu: cpu);
                Assert.Empty(ElfChecker.Check(file));
                Assert.Equal(1, file[4]);
                Assert.Equal((ushort)cpu.Elf!.Machine, BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(18)));
            }
        }
    }

    [Theory]
    [InlineData("Linux", 0x05000002u)]
    [InlineData("OpenBsd", 0u)]
    public void ArmSaysWhichAbiItFollows(string system, uint flags)
    {
        byte[] file = ElfSample.Build(Enum.Parse<HeadType>(system), BuildMode.Exe, null, cpu: new Arm());
        Assert.Equal(flags, BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(36)));
    }

    [Theory]
    [InlineData("arm64", "Linux", 183, 0u)]
    [InlineData("arm64", "FreeBsd", 183, 0u)]
    [InlineData("arm64", "NetBsd", 183, 0u)]
    [InlineData("arm64", "OpenBsd", 183, 0u)]
    [InlineData("riscv64", "Linux", 243, 4u)]
    [InlineData("riscv64", "OpenBsd", 243, 4u)]
    public void FilesOfOther64BitCpusHangTogether(string goarch, string system, int machine, uint flags)
    {
        CpuArch cpu = goarch == "arm64" ? new Arm64() : new RiscV64();
        foreach (string[]? imports in (string[]?[])[Imports, null])
        {
            byte[] file = ElfSample.Build(Enum.Parse<HeadType>(system), BuildMode.Exe, imports, cpu: cpu);
            Assert.Empty(ElfChecker.Check(file));
            Assert.Equal(machine, BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(18)));
            Assert.Equal(flags, BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(48)));
        }
    }

    [Fact]
    public void TheCheckerSeesDamage()
    {
        byte[] sound = ElfSample.Build(HeadType.Linux, BuildMode.Pie, Imports, new ElfOptions { BuildId = "an/id" });
        Assert.Empty(ElfChecker.Check(sound));
        // Every byte of the file header behind e_type that means something, then a sample of all headers.
        int headers = (int)BinaryPrimitives.ReadUInt64LittleEndian(sound.AsSpan(40)) + (64 * BinaryPrimitives.ReadUInt16LittleEndian(sound.AsSpan(60)));
        int[] places = [4, 24, 32, 40, 52, 54, 56, 58, 60, 62, 64 + 8, 64 + 32, headers - 40, headers - 32];
        foreach (int at in places)
        {
            byte[] damaged = [.. sound];
            damaged[at] ^= 0x41;
            Assert.True(ElfChecker.Check(damaged).Count > 0, $"damage at {at} is not seen");
        }
    }

    [Fact]
    public void ThreadsDoNotChangeTheFile()
    {
        byte[] serial = ElfSample.Build(HeadType.Linux, BuildMode.Pie, Imports, symbols: 40_000);
        byte[] parallel = ElfSample.Build(HeadType.Linux, BuildMode.Pie, Imports, symbols: 40_000, threads: 8);
        Assert.True(serial.AsSpan().SequenceEqual(parallel));
        Assert.Empty(ElfChecker.Check(serial));
        Assert.True(serial.AsSpan().IndexOf("\0main.variable39999\0"u8) > 0);
    }

    [Fact]
    public void LocalSymbolsComeFirstAndNamesStandInTheirOrder()
    {
        byte[] file = ElfSample.Build(HeadType.Linux, BuildMode.Exe, null);
        int names = file.AsSpan().IndexOf("\0go.go\0"u8);
        int end = file.AsSpan().IndexOf("\0.shstrtab\0"u8);
        string[] order = Encoding.UTF8.GetString(file[(names + 1)..end]).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        // The period stands for the middle dot, and file-local comes before global.
        Assert.Equal(
            ["go.go", "main.local.func", "runtime.text", "_rt0", "runtime.etext", "main.constant", "main.variable0", "main.variable1",
                "main.variable2", "main.zeroed"],
            order.Take(10));
    }

    [Fact]
    public void VersionsAreNumberedFromTheLastLibraryOn()
    {
        byte[] file = ElfSample.Build(HeadType.Linux, BuildMode.Exe, Imports);
        // Null symbol, then getpid, labs, qsort_r and cos: libm's version is 2, libc's newer one 3, its older one 4.
        ReadOnlySpan<byte> versions = [0, 0, 4, 0, 1, 0, 3, 0, 2, 0];
        Assert.True(file.AsSpan().IndexOf(versions) > 0);
    }

    [Theory]
    [InlineData("", false, "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1")]
    [InlineData("/toolchain/ld.so", false, "/toolchain/ld.so", null)]
    public void TheInterpreterIsTheSystemsOwnUnlessNamed(string toolchain, bool android, string expected, string? orElse)
    {
        byte[] file = ElfSample.Build(HeadType.Linux, BuildMode.Exe, Imports, new ElfOptions { ToolchainInterpreter = toolchain, IsAndroid = android });
        if (orElse is not null && !File.Exists(expected) && File.Exists(orElse))
            expected = orElse;
        Assert.True(file.AsSpan(0, 4096).IndexOf(Encoding.ASCII.GetBytes(expected + "\0")) > 0);
    }

    [Fact]
    public void AndroidWithoutInterpreterIsAnError()
    {
        LinkException error = Assert.Throws<LinkException>(
            () => ElfSample.Build(HeadType.Linux, BuildMode.Pie, Imports, new ElfOptions { IsAndroid = true }));
        Assert.Equal("ELF interpreter not set", error.Message);
    }

    [Fact]
    public void OpenBsdNeedsALibraryOnceWhateverItsVersion()
    {
        byte[] file = ElfSample.Build(HeadType.OpenBsd, BuildMode.Exe, ["getpid#@libc.so"]);
        Assert.True(file.AsSpan().IndexOf("\0libc.so\0"u8) > 0);
        ElfFormat format = new(ElfSample.Target("openbsd", HeadType.OpenBsd, BuildMode.Exe), Releases.Release.Newest, new ElfOptions());
        Assert.Equal(
            ["libc.so.97.0", "libpthread.so", "libz.so.x.1"],
            format.SelectLibraries(null!, ["libpthread.so", "libc.so.97.0", "libz.so.x.1", "libpthread.so"]));
    }

    [Fact]
    public void TheBuildIdNoteHoldsAHashOfGosId()
    {
        // The first 20 bytes of SHA-256 of "an/id", the first of them inverted.
        byte[] hash = Convert.FromHexString("86ec9698e1ccaf54cde9fab767c4f36748487ad8");
        byte[] file = ElfSample.Build(HeadType.Linux, BuildMode.Exe, null, new ElfOptions { BuildId = "an/id", GnuBuildIdFromGo = true });
        Assert.True(file.AsSpan(0, 4096).IndexOf(hash) > 0);
    }
}
