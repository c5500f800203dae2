namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    private static readonly string[][] ExternalWindowsFlags =
    [
        ["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-H", "windowsgui"], ["-buildmode=exe", "-s"], ["-aslr=false"],
        ["-buildid="], ["-v"], ["-c"], ["-X", "main.Version=1"], ["-randlayout=3"], ["-strictdups=2"], ["-T", "0x600000"], ["-R", "4096"],
        ["-r", "/opt/lib"], ["-I", "/a/b"], ["-I", "/a,b"], ["-dumpdep"], ["-fipso", LinkStep.SideMark], ["-extldflags=-static"],
        ["-extldflags=-lnosuch"], ["-extldflags=-Wl,--export-all-symbols"], ["-extldflags=-L /tmp -l m -Wl,--verbose"],
        ["-extldflags=" + new string('x', 40_000)], ["-msan"], ["-asan"], ["-asan", "-buildmode=pie"],
    ];

    /// <summary>The same as <see cref="AddExternal"/> for Windows, with mingw-w64.</summary>
    private void AddExternalWindows()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        string half = Path.Combine(Settings.Root, "tests", "external");
        (string stamp, string halfStamp) = (CaptureSet.Stamp(Settings.Programs), CaptureSet.Stamp(half));
        foreach (string cpu in (string[])["amd64", "386"])
        {
            Port port = Port.All.First(port => port.Os == "windows" && port.Cpu == cpu);
            string name = Wine.CompilerFor(cpu);
            if (Host.Find(name) is not { } compiler)
            {
                if (_newest)
                {
                    Console.Error.WriteLine($"{port}: external linking is not compared (there is no {name})");
                }

                continue;
            }

            AddExternalWindows(port, compiler, stamp, half, halfStamp);
        }
    }

    private void AddExternalWindows(Port port, string compiler, string stamp, string half, string halfStamp)
    {
        const string External = "-ldflags=-linkmode=external";
        const string Name = "example.test/external";
        Dictionary<string, string> cgo = For(port, new() { ["CGO_ENABLED"] = "1", ["CC"] = compiler });
        string[] programs = ["hello", "server", "dwarf", "types", "gcdata"];
        CaptureSet go = new(_toolchain, "build", [External, .. programs.Select(program => "./" + program)], Settings.Programs, cgo, stamp);
        CaptureSet goTool = new(_toolchain, "build", [External, "cmd/go"], Source, cgo);
        bool isSample = port.IsSample;
        bool hasRaceDetector = port.Cpu == "amd64";
        foreach (string program in programs)
        {
            One(program, program == "hello" && isSample ? NewestInCi : Tier.All, () => go[Module + program]);
            One(program + " -buildmode=exe", Tier.All, () => go[Module + program], "-buildmode=exe");
        }

        foreach (string mode in (string[])["exe", "pie", "c-shared", "c-archive"])
        {
            CaptureSet set = new(_toolchain, "build", [$"-buildmode={mode}", "."], half, cgo, halfStamp);
            One($"C and Go, {mode}", mode == "c-shared" && isSample ? NewestInCi : Tier.All, () => set[Name], "-linkmode=external");
            One($"C and Go, {mode} -s -w", Tier.All, () => set[Name], "-linkmode=external", "-s", "-w");
            if (mode == "c-shared")
            {
                One($"C and Go, {mode} -aslr=false", Tier.All, () => set[Name], "-linkmode=external", "-aslr=false");
            }
        }

        if (hasRaceDetector)
        {
            CaptureSet race = new(_toolchain, "build", ["-race", "./server"], Settings.Programs, cgo, stamp);
            CaptureSet raceHalf = new(_toolchain, "build", ["-race", "."], half, cgo, halfStamp);
            foreach (string[] line in (string[][])[[], ["-buildmode=exe"], ["-buildmode=pie"], ["-buildmode=pie", "-aslr=false"], ["-s", "-w"], ["-v"]])
            {
                string[] flags = ["-linkmode=external", .. line];
                One($"race detector: server {string.Join(' ', line)}".TrimEnd(), Tier.All, () => race[Module + "server"], flags);
                One($"C and Go, race detector {string.Join(' ', line)}".TrimEnd(), Tier.All, () => raceHalf[Name], flags);
            }

            foreach (string mode in (string[])["c-shared", "c-archive"])
            {
                CaptureSet set = new(_toolchain, "build", ["-race", $"-buildmode={mode}", "."], half, cgo, halfStamp);
                One($"C and Go, race detector, {mode}", Tier.All, () => set[Name], "-linkmode=external");
            }
        }

        foreach (string[] line in ExternalWindowsFlags)
        {
            string name = string.Join(' ', line);
            One("hello " + (name.Length < 60 ? name : name[..60] + "…"), Tier.All, () => go[Module + "hello"], line);
        }

        // The program asks for arguments.
        Add(ExternalGroup, $"{port}: cmd/go", Tier.All, () => SameExternally(goTool["cmd/go"], [], isRun: false, port: port, compiler: compiler));

        void One(string name, Tier tier, Func<LinkStep> step, params string[] more) => Add(ExternalGroup, $"{port}: {name}", tier, () =>
            SameExternally(step(), more, isRun: !IsHalfC(name) && tier != Tier.Ci && !more.Contains("windowsgui"), port: port, compiler: compiler));

        // That one compares errno with the numbers of Unix.
        static bool IsHalfC(string name) => name.StartsWith("C and Go", StringComparison.Ordinal);
    }
}
