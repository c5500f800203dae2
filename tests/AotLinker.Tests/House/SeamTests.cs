using System.Text.RegularExpressions;

namespace AotLinker.Tests.House;

/// <summary>Keeps CPUs, systems, formats and releases behind their seams: the passes name none of them.</summary>
public sealed partial class SeamTests
{
    [Theory]
    [InlineData("Load")]
    [InlineData("Resolve")]
    [InlineData("Reach")]
    [InlineData("Synthesize")]
    [InlineData("Layout")]
    [InlineData("Emit")]
    [InlineData("Finish")]
    [InlineData("Explain")]
    public void PassesNameNoCpuSystemOrFormat(string folder)
    {
        string source = Path.Combine(Root(), "src", "AotLinker", folder);
        List<string> found = [];
        int lines = 0;
        foreach (string file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            // The loaders of host objects are formats of their own; what a release's plan of data looks like is the release's.
            if ((folder == "Load" && Path.GetFileName(file).StartsWith("Host", StringComparison.Ordinal))
                || Path.GetFileName(file).StartsWith("DataPlan", StringComparison.Ordinal))
            {
                continue;
            }
            foreach (string line in File.ReadLines(file))
            {
                lines++;
                string code = line.TrimStart();
                if (!code.StartsWith("//", StringComparison.Ordinal) && Names().IsMatch(code))
                {
                    found.Add($"{Path.GetFileName(file)}: {code}");
                }
            }
        }
        Assert.True(lines > 100, $"only {lines} lines read below {source}");
        Assert.True(found.Count == 0, "move these behind Target, CpuArch, OutputFormat, Platforms or Release:\n" + string.Join('\n', found));
    }

    /// <summary>
    /// A CPU is named by its own files and the registry. Beside them only tables name CPUs: those of the Go distribution (which ports there
    /// are, which of them can do what, the variables that choose variants), e_machine, and what concerns the host.
    /// </summary>
    [Fact]
    public void CpusAreNamedByTheirOwnFilesAndTheRegistry()
    {
        string source = Path.Combine(Root(), "src", "AotLinker");
        string[] cpus = [.. Directory.EnumerateFiles(Path.Combine(source, "Cpu"), "*.cs").Select(Path.GetFileName).OfType<string>().Where(name => OwnFile().IsMatch(name))];
        Assert.True(cpus.Length > 10, $"only {cpus.Length} CPUs found");
        string[] tables =
        [
            "TargetRegistry.cs", "Releases/Platforms.cs", "Releases/Experiments.cs", "Cli/BuildEnvironment.cs", "Cli/FlagTable.cs", "Cli/Toolchain.cs",
            "Cli/ToolchainProbe.cs", "Formats/Elf/ElfConstants.cs", "Formats/Plan9/Plan9Cpu.cs",
        ];
        Regex classes = new($@"(?<!\.)\b({string.Join('|', cpus.Select(Path.GetFileNameWithoutExtension).Where(name => name is not ("CpuArch" or "Wasm")))})\b");
        string[] found =
        [
            .. from file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
               let name = Path.GetRelativePath(source, file).Replace('\\', '/')
               where !name.StartsWith("Cpu/", StringComparison.Ordinal) && !tables.Contains(name) && !OwnFormatFile().IsMatch(name)
               from line in File.ReadLines(file)
               let code = line.TrimStart()
               where !code.StartsWith("//", StringComparison.Ordinal) && (classes.IsMatch(code) || CpuName().IsMatch(code))
               select $"{name}: {code}",
        ];
        Assert.True(found.Length == 0, "move these behind CpuArch, ElfCpu or their like:\n" + string.Join('\n', found));
    }

    [GeneratedRegex(@"^\w+\.cs$")]
    private static partial Regex OwnFile();

    [GeneratedRegex(@"^Formats/\w+/(Elf|MachO|Pe)(Amd64|386|I386|Arm|Arm64|Loong64|Mips|Mips32|Mips64|Ppc64|RiscV64|S390x)\.cs$")]
    private static partial Regex OwnFormatFile();

    [GeneratedRegex("""
        \bElfMachine\.\w+|"(amd64|arm64|386|arm|s390x|ppc64|ppc64le|riscv64|loong64|mips\w*)"
        """)]
    private static partial Regex CpuName();

    /// <summary>Memory outside the collector's heap is taken through the mapping layer, which counts it.</summary>
    [Fact]
    public void NativeMemoryIsTakenWhereItIsCounted()
    {
        string source = Path.Combine(Root(), "src");
        string[] found =
        [
            .. from file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
               where !file.Contains($"{Path.DirectorySeparatorChar}Mapping{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
               from line in File.ReadLines(file)
               where NativeAllocation().IsMatch(line)
               select $"{Path.GetFileName(file)}: {line.Trim()}",
        ];
        Assert.True(found.Length == 0, "use NativeHeap, NativeArray, NativeColumn or MemoryArena:\n" + string.Join('\n', found));
    }

    [GeneratedRegex(@"NativeMemory\.(Aligned)?(Alloc|Realloc|Free)|Marshal\.(AllocHGlobal|AllocCoTaskMem)")]
    private static partial Regex NativeAllocation();

    [GeneratedRegex("""
        \bHeadType\.\w+|\bIsElf\b|\bRelease\.Name\b|\b(Amd64|I386|Arm64|Arm|ElfFormat|WasmFormat|MachOFormat|PeFormat)\b|"(amd64|arm64|386|arm|wasm|s390x|ppc64|ppc64le|riscv64|loong64|mips\w*|linux|darwin|ios|windows|freebsd|netbsd|openbsd|dragonfly|solaris|illumos|android|plan9|aix|js|wasip1)"
        """)]
    private static partial Regex Names();

    internal static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "AotLinker.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? throw new InvalidOperationException("the solution's folder is not above the tests");
    }
}
