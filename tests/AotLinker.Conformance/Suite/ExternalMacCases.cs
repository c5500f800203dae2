namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Flags that change the object for macOS, what the compiler is told, or what is done to the program afterwards.</summary>
    private static readonly string[][] ExternalMacFlags =
    [
        ["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-B", "none"], ["-B", "none", "-w"], ["-B", "0x0123456789abcdef"],
        ["-B", "0x0123456789abcdef", "-w"], ["-buildid="], ["-r", "/opt/lib"], ["-I", "/a,b"], ["-v"], ["-c"], ["-d"], ["-R", "0x10000"],
        ["-T", "0x600000"], ["-macos=14.1", "-macsdk=15"], ["-X", "main.Version=1"], ["-randlayout=3"], ["-dumpdep"], ["-E", "main.main"],
        ["-extldflags=-lnosuch"], ["-extldflags=-Wl,-headerpad,8"], ["-extldflags=" + new string('x', 40_000)], ["-extld=no-such-cc"],
        ["-fipso", LinkStep.SideMark],
    ];

    /// <summary>
    /// The same as <see cref="AddExternal"/> for macOS: with LLVM's compiler, linker and tools, where these are, real programs come out, and
    /// what is done to them afterwards is compared, too.
    /// </summary>
    private void AddExternalMac()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        string stamp = CaptureSet.Stamp(Settings.Programs);
        string tools = Path.Combine(Settings.Root, "tests", "macsdk", "cc");
        bool hasTools = Host.Find("clang") is not null && Host.Find("dsymutil") is not null && Host.Find("llvm-strip") is not null
            && Host.FindVersioned("ld64.lld") is not null;
        if (!hasTools && _newest)
        {
            Console.Error.WriteLine("external linking for macOS is compared up to the object only (there is no clang, ld64.lld, dsymutil or llvm-strip)");
        }

        foreach (Port port in Port.All.Where(port => port.Os == "darwin"))
        {
            AddMacObjectsAlone(port, stamp);
            if (hasTools)
            {
                AddExternalMac(port, tools, stamp);
                AddMacModules(port, tools, stamp);
            }
        }
    }

    /// <summary>Up to the object: as a library without a tool to make archives, no compiler is needed, nor anything of macOS.</summary>
    private void AddMacObjectsAlone(Port port, string stamp)
    {
        CaptureSet hello = new(_toolchain, "build", ["./hello"], Settings.Programs, For(port, []), stamp);
        One("hello", NewestInCi, () => hello[Module + "hello"]);
        CaptureSet programs = new(_toolchain, "build", ["./server", "./types", "./dwarf", "./maps"], Settings.Programs, For(port, []), stamp);
        foreach (string program in (string[])["server", "types", "dwarf", "maps"])
        {
            One(program, Tier.All, () => programs[Module + program]);
        }

        foreach (string[] line in port.HasTrampolines ? (string[][])[["-debugtramp=2"], ["-debugtextsize=300000"], ["-debugtramp=2", "-debugtextsize=300000"]] : [])
        {
            One("server " + string.Join(' ', line), Tier.All, () => programs[Module + "server"], line);
        }

        foreach (string flag in SanitizerFlagLines)
        {
            One("hello " + flag, Tier.All, () => hello[Module + "hello"], flag);
        }

        AddPluginObjectsAlone(port, stamp);
        foreach (string threads in (string[])["1", "16"])
        {
            Add(ExternalGroup, $"{port}: object of server, {threads} threads", Tier.All, () => SameExternally(
                programs[Module + "server"], ["-buildmode=c-archive", "-extar=true"], new() { ["AOTLINK_THREADS"] = threads }, port: port, compiler: "true"));
        }

        void One(string name, Tier tier, Func<LinkStep> step, params string[] more) => Add(ExternalGroup, $"{port}: object of {name}", tier, () =>
            SameExternally(step(), ["-buildmode=c-archive", "-extar=true", .. more], port: port, compiler: "true"));
    }

    private static string MacCpu(Port port) => port.Cpu == "arm64" ? "arm64" : "x86_64";

    private Dictionary<string, string> MacCgo(Port port, string tools) =>
        For(port, new() { ["CGO_ENABLED"] = "1", ["CC"] = tools, ["CPU"] = MacCpu(port) });

    private void AddExternalMac(Port port, string tools, string stamp)
    {
        const string Name = "example.test/external";
        string cpu = MacCpu(port);
        Dictionary<string, string> cgo = MacCgo(port, tools);
        string half = Path.Combine(Settings.Root, "tests", "external");
        string halfStamp = CaptureSet.Stamp(half) + CaptureSet.Stamp(Path.GetDirectoryName(tools)!);
        string[] programs = ["hello", "server", "dwarf", "types", "gcdata"];
        CaptureSet go = new(
            _toolchain, "build", ["-ldflags=-linkmode=external", .. programs.Select(program => "./" + program)], Settings.Programs, cgo, stamp);
        // LLVM's linker for macOS can't read the race detector's object of every release: then how both fail is compared.
        CaptureSet race = new(
            _toolchain, "build", ["-race", "-ldflags=-linkmode=external", "./concurrency"], Settings.Programs, cgo, stamp, failing: true);
        CaptureSet wide = new(_toolchain, "build", ["./wide"], half, For(port, []), halfStamp);
        Dictionary<string, CaptureSet> sets = new string[] { "exe", "pie", "c-archive", "c-shared" }.ToDictionary(
            mode => mode, mode => new CaptureSet(_toolchain, "build", [$"-buildmode={mode}", "."], half, cgo, halfStamp));
        foreach (string program in programs)
        {
            One(program, () => go[Module + program]);
        }

        One("C and Go", () => sets["exe"][Name], "-linkmode=external");
        One("C and Go, pie", () => sets["pie"][Name], "-linkmode=external");
        One("C and Go, c-archive", () => sets["c-archive"][Name], "-extar=llvm-ar");
        One("C and Go, c-shared", () => sets["c-shared"][Name]);
        One("C and Go, c-shared with debug information", () => sets["c-shared"][Name], "-w=false");
        foreach (string mode in sets.Keys)
        {
            One($"C and Go, {mode} -s -w", () => sets[mode][Name], "-linkmode=external", "-s", "-w", "-extar=llvm-ar");
            One($"C and Go, {mode} -s -w=false", () => sets[mode][Name], "-linkmode=external", "-s", "-w=false", "-extar=llvm-ar");
        }

        One("race detector: concurrency", () => race[Module + "concurrency"]);
        One("data that no addend spans", () => wide[Name + "/wide"], "-linkmode=external");
        foreach (string[] line in (string[][])[.. ExternalMacFlags, .. port.HasTrampolines ? (string[][])[["-debugtramp=2"]] : []])
        {
            string name = string.Join(' ', line);
            One("hello " + (name.Length < 60 ? name : name[..60] + "…"), () => go[Module + "hello"], line);
        }

        void One(string name, Func<LinkStep> step, params string[] more) => Add(ExternalGroup, $"{port}: {name}", Tier.All, () =>
            SameExternally(step(), more, isRun: false, port: port, compiler: $"env CPU={cpu} {tools}"));
    }
}
