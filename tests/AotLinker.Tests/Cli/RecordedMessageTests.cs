using System.Text;
using System.Text.Json;
using AotLinker.Cli;
using AotLinker.Releases;

namespace AotLinker.Tests.Cli;

/// <summary>What cmd/link of both releases printed (scripts/record-messages.py), and what we print for the same.</summary>
public class RecordedMessageTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Cli", "Recorded");

    public static TheoryData<string, int> Lines()
    {
        var data = new TheoryData<string, int>();
        string[] lines = File.ReadAllLines(Path.Combine(Folder, "messages.jsonl"));
        for (int i = 0; i < lines.Length; i++)
        {
            using JsonDocument record = JsonDocument.Parse(lines[i]);
            JsonElement root = record.RootElement;
            string arguments = string.Join(' ', root.GetProperty("arguments").EnumerateArray().Select(a => a.GetString()));
            data.Add($"{root.GetProperty("release").GetString()} {root.GetProperty("environment").GetString()} {GoText.Quote(arguments)}", i);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void SaysTheSame(string what, int line)
    {
        Assert.NotEmpty(what);
        using JsonDocument record = JsonDocument.Parse(File.ReadAllLines(Path.Combine(Folder, "messages.jsonl"))[line]);
        JsonElement root = record.RootElement;
        string release = root.GetProperty("release").GetString()!;
        string usage = File.ReadAllText(Path.Combine(Folder, $"usage-{release}.txt"));
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["AOTLINK_STRICT"] = "1" };
        foreach (string pair in root.GetProperty("environment").GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            variables.Add(pair.Split('=', 2)[0], pair.Split('=', 2)[1]);
        string[] arguments = [.. root.GetProperty("arguments").EnumerateArray().Select(a => a.GetString()!)];

        using var fake = new FakeToolchain("go" + release + ".9");
        var error = new MemoryStream();
        var output = new MemoryStream();
        var command = new LinkCommand(fake.Link, arguments, Toolchain.FromTool(fake.Link), null, new Diagnostics(fake.Link, error, output))
        {
            Variable = name => variables.GetValueOrDefault(name),
            Linker = (_, _, _) => throw new InvalidOperationException("the command line was accepted"),
        };
        int exitCode = command.Run();

        Assert.Equal(
            root.GetProperty("stderr").GetString()!.Replace("$USAGE", usage).Replace("$TOOL", fake.Link),
            Encoding.UTF8.GetString(error.ToArray()));
        Assert.Equal(root.GetProperty("stdout").GetString()!.Replace("$VERSION", $"go{release}.9"), Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal(root.GetProperty("exit").GetInt32(), exitCode);
    }

    [Theory]
    [InlineData("1.24")]
    [InlineData("1.25")]
    [InlineData("1.26")]
    [InlineData("1.27")]
    public void UsageIsTheReleasesOwn(string release) =>
        Assert.Equal(
            File.ReadAllText(Path.Combine(Folder, $"usage-{release}.txt")),
            FlagTable.Usage(FlagTable.For(Release.ForVersion("go" + release), "linux", "amd64")));

    [Theory]
    [InlineData("1.24")]
    [InlineData("1.25")]
    [InlineData("1.26")]
    [InlineData("1.27")]
    public void BuildModesOfAllPorts(string releaseName)
    {
        Release release = Release.ForVersion("go" + releaseName)!;
        Dictionary<string, string> recorded = File.ReadAllLines(Path.Combine(Folder, "buildmodes.txt"))
            .Select(l => l.Split(' ', 4))
            .Where(w => w[0] == releaseName)
            .ToDictionary(w => w[1] + "/" + w[2], w => w[3]);
        string[] systems =
        [
            "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd", "plan9",
            "solaris", "wasip1", "windows", "zork",
        ];
        string[] cpus =
        [
            "386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
        ];
        int ports = 0;
        foreach (string system in systems)
        {
            foreach (string cpu in cpus)
            {
                string[] modes = ["exe", "pie", "c-archive", "c-shared", "shared", "plugin"];
                string allowed = string.Join(' ', modes.Where(mode => Platforms.SupportsBuildMode(release, mode, system, cpu)));
                Assert.Equal(recorded.GetValueOrDefault(system + "/" + cpu, ""), allowed);
                Assert.Equal(allowed.Length > 0, Platforms.IsPort(release, system, cpu));
                ports += allowed.Length > 0 ? 1 : 0;
            }
        }

        Assert.Equal(recorded.Count, ports);
    }
}
