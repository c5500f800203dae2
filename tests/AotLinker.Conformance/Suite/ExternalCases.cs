using System.Text;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    private const string ExternalGroup = "external linking";

    /// <summary>
    /// Programs that a C compiler links in the end: the object for it, what it is told, every trial of an option, and what comes out.
    /// </summary>
    private void AddExternal()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        string half = Path.Combine(Settings.Root, "tests", "external");
        Dictionary<string, string> cgo = new() { ["CGO_ENABLED"] = "1" };
        string programsStamp = CaptureSet.Stamp(Settings.Programs);
        CaptureSet hello = new(_toolchain, "build", ["-ldflags=-linkmode=external", "./hello"], Settings.Programs, cgo, programsStamp);
        CaptureSet go = new(
            _toolchain, "build", ["-ldflags=-linkmode=external", "./server", "./dwarf", "./types", "./assembly", "./gcdata"],
            Settings.Programs, cgo, programsStamp);
        CaptureSet goPie = new(
            _toolchain, "build", ["-buildmode=pie", "-ldflags=-linkmode=external", "./hello", "./server", "./dwarf", "./gcdata"], Settings.Programs, cgo, programsStamp);
        CaptureSet dwarf4 = new(
            _toolchain, "build", ["-ldflags=-linkmode=external", "./dwarf"], Settings.Programs,
            new Dictionary<string, string>(cgo) { ["GOEXPERIMENT"] = "nodwarf5" }, programsStamp);
        CaptureSet race = new(
            _toolchain, "build", ["-race", "-ldflags=-linkmode=external", "./concurrency"], Settings.Programs, cgo, programsStamp);
        CaptureSet goTool = new(_toolchain, "build", ["-ldflags=-linkmode=external", "cmd/go"], Source, cgo);
        CaptureSet Half(string mode) => new(_toolchain, "build", [$"-buildmode={mode}", "."], half, cgo, CaptureSet.Stamp(half));
        CaptureSet exe = Half("exe"), pie = Half("pie"), shared = Half("c-shared"), archive = Half("c-archive");
        const string Name = "example.test/external";

        One("hello", NewestInCi, () => hello[Module + "hello"]);
        One("C and Go", NewestInCi, () => exe[Name]);
        One("C and Go, pie", NewestInCi, () => pie[Name], "-linkmode=external");
        One("C and Go, c-shared", NewestInCi, () => shared[Name]);
        One("C and Go, c-archive", NewestInCi, () => archive[Name]);
        foreach (string program in (string[])["server", "dwarf", "types", "assembly", "gcdata"])
        {
            One(program, Tier.All, () => go[Module + program]);
        }

        foreach (string program in (string[])["hello", "server", "dwarf", "gcdata"])
        {
            One(program + ", pie", Tier.All, () => goPie[Module + program]);
        }

        // Without arguments it says how it is used, and fails.
        Add(ExternalGroup, "cmd/go", Tier.All, () => SameExternally(goTool["cmd/go"], [], isRun: false));
        if (HasDwarf5)
        {
            One("DWARF 4: dwarf", Tier.All, () => dwarf4[Module + "dwarf"]);
        }

        One("race detector: concurrency", Tier.All, () => race[Module + "concurrency"]);
        foreach (string mode in (string[])["c-shared", "c-archive"])
        {
            One($"C and Go, {mode} -s -w", Tier.All, () => (mode == "c-shared" ? shared : archive)[Name], "-s", "-w");
        }

        string[][] flags =
        [
            ["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-B", "none"], ["-B", "0x0123456789abcdef"], ["-buildid="], ["-bindnow"],
            ["-r", "/opt/lib"], ["-I", "/lib64/ld-linux-x86-64.so.2"], ["-I", "/a,b"], ["-v"], ["-c"], ["-d"], ["-strictdups=2"], ["-T", "0x600000"],
            ["-extldflags=-static"], ["-extldflags=-L /tmp -l m -Wl,--verbose"], ["-extldflags=-lnosuch"], ["-extldflags=-Wl,--nosuch"],
            ["-extldflags=" + new string('x', 40_000)], ["-X", "main.Version=1"], ["-randlayout=3"], ["-E", "main.main"], ["-dumpdep"],
            ["-extld=no-such-cc"], ["-extld=/no/such/cc"], ["-fipso", LinkStep.SideMark], ["-buildmode=shared"],
        ];
        foreach (string[] line in flags)
        {
            string name = string.Join(' ', line);
            bool often = line[0] is "-s" or "-extldflags=-lnosuch" or "-extld=no-such-cc";
            One("hello " + (name.Length < 60 ? name : name[..60] + "…"), often ? NewestInCi : Tier.All, () => hello[Module + "hello"], line);
        }

        // What only the external linker knows: GNU ld takes a text for a script, and any other linker's object for an error.
        foreach ((string what, string content) in (ReadOnlySpan<(string, string)>)[
            ("linked", "PROVIDE(nobody_needs_this = 0);\n"), ("refused", "BC\u0001 made up\n"), ("empty", "")])
        {
            OfUnknownFormat("C and Go", what, content, () => exe[Name]);
            OfUnknownFormat("hello", what, content, () => hello[Module + "hello"]);
            OfUnknownFormat("hello -linkmode=internal", what, content, () => hello[Module + "hello"], "-linkmode=internal");
            OfUnknownFormat("hello -linkmode=auto", what, content, () => hello[Module + "hello"], "-linkmode=auto");
        }

        foreach (string threads in (string[])["1", "16"])
        {
            Add(ExternalGroup, $"hello, {threads} threads", Tier.All, () =>
                SameExternally(hello[Module + "hello"], [], new Dictionary<string, string> { ["AOTLINK_THREADS"] = threads }));
        }

        Add(ExternalGroup, "hello, shuffled", Tier.All, () => SameExternally(
            hello[Module + "hello"], [], new Dictionary<string, string> { ["AOTLINK_THREADS"] = "4", ["AOTLINK_SHUFFLE"] = "1" }));

        AddModules(half, cgo, programsStamp);
        AddSanitizers(half, cgo, programsStamp);

        void OfUnknownFormat(string program, string what, string content, Func<LinkStep> step, params string[] more) =>
            Add(ExternalGroup, $"{program}, an object of unknown format: {what}", (program, what) is ("C and Go", "linked") ? NewestInCi : Tier.All, () => InFolder(folder =>
            {
                LinkStep copy = step().CopyTo(Path.Combine(folder, "step"));
                AddMember(copy.MainArchive, "other.o", Encoding.UTF8.GetBytes(content));
                SameExternally(copy, more);
            }));

        void One(string name, Tier tier, Func<LinkStep> step, params string[] more) => Add(ExternalGroup, name, tier, () => SameExternally(step(), more));
    }

    /// <summary>Both linkers write the same objects, call the compiler in the same way, say the same, and have the same output.</summary>
    private void SameExternally(
        LinkStep step, string[] flags, Dictionary<string, string>? environment = null, bool isRun = true, Port? port = null, string? compiler = null) => InFolder(folder =>
    {
        bool isWindows = port is { Os: "windows" };
        string outputName = isWindows ? "program.exe" : "program";
        string wrapper = Path.Combine(folder, "cc");
        File.WriteAllText(wrapper, $$"""
            #!/bin/sh
            { echo call; for a in "$@"; do printf '%s\n' "$a"; done; } >>'{{folder}}/calls'
            exec {{compiler ?? (port is null ? "gcc" : port.Triplet + "-gcc")}} "$@"

            """);
        MakeExecutable(wrapper);
        (CommandResult want, Dictionary<string, byte[]> expected) = Link([step.Tool], null);
        (CommandResult got, Dictionary<string, byte[]> actual) = Link(_subject.Linker, environment);

        Check.That(got.ExitCode == want.ExitCode, $"exit {got.ExitCode}, expected {want.ExitCode}\n{Command.Tail(got.OutputText + got.ErrorText, 1500)}");
        Check.SameText("what the compiler is told", Text(expected, "calls"), Text(actual, "calls"));
        Check.SameText("standard output", Plain(want.OutputText, step.Tool), Plain(got.OutputText, _subject.Linker[^1]));
        Check.SameText("standard error", Plain(want.ErrorText, step.Tool), Plain(got.ErrorText, _subject.Linker[^1]));
        if (want.ExitCode != 0)
        {
            Check.That(IsReferenceOr(!actual.ContainsKey(outputName)), "an output file is left behind by a link that fails");
            return;
        }

        Check.SameText("the files' permissions", Text(expected, "permissions"), Text(actual, "permissions"));
        foreach ((string name, byte[] content) in expected)
        {
            // cmd/link lists what AIX's linker exports in no order since Go 1.26.
            if (name == "export_file.exp" && string.CompareOrdinal(_release, "1.26") >= 0)
            {
                Check.SameText(name, InOrder(Text(expected, name)), InOrder(actual.ContainsKey(name) ? Text(actual, name) : ""));
                continue;
            }

            if (!actual.TryGetValue(name, out byte[]? own) || !own.AsSpan().SequenceEqual(content))
            {
                throw new CaseFailedException($"{name}: {(own is null ? "is not there" : Explain(name, content, own))}");
            }
        }

        if (isRun && actual.ContainsKey(outputName) && step.Arguments.Any(argument => argument is "-buildmode=exe" or "-buildmode=pie") && !flags.Contains("-E"))
        {
            string program = Path.Combine(folder, "run" + Path.GetExtension(outputName));
            File.WriteAllBytes(program, actual[outputName]);
            MakeExecutable(program);
            if (isWindows)
            {
                CommandResult? result = Wine.For(port!.Cpu)?.Run(program, []);
                Check.That(result is null or { ExitCode: 0 }, $"the program exits with {result?.ExitCode}\n{Command.Tail(result?.OutputText + result?.ErrorText, 1500)}");
                return;
            }

            if ((port is null ? [] : Emulator(port)) is not { } emulator)
            {
                return;
            }

            CommandResult run = Command.Run([.. emulator, program], [], new Dictionary<string, string>(), folder, limit: TimeSpan.FromMinutes(3));
            Check.That(run.ExitCode == 0, $"the program exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
        }

        static string InOrder(string lines) => string.Join('\n', lines.Split('\n').Order(StringComparer.Ordinal));

        bool IsReferenceOr(bool condition) => _subject.IsReference || condition;

        string Explain(string name, byte[] content, byte[] own)
        {
            (string a, string b) = (Path.Combine(folder, name + ".expected"), Path.Combine(folder, name + ".actual"));
            File.WriteAllBytes(a, content);
            File.WriteAllBytes(b, own);
            return ByteReport.Compare(a, b);
        }

        (CommandResult Result, Dictionary<string, byte[]> Files) Link(IReadOnlyList<string> linker, Dictionary<string, string>? more)
        {
            string work = Path.Combine(folder, "work");
            Directory.CreateDirectory(work);
            string output = Path.Combine(work, outputName);
            bool ownCompiler = !flags.Any(flag => flag.StartsWith("-extld=", StringComparison.Ordinal));
            string[] all = [$"-tmpdir={work}", .. ownCompiler ? (string[])[$"-extld={wrapper}"] : [], .. flags];
            Dictionary<string, string> variables = new(step.Environment) { [Replay.StrictVariable] = "1" };
            foreach ((string name, string value) in more ?? [])
            {
                variables[name] = value;
            }

            CommandResult result = Command.Run(linker, [.. step.CommandLine(output, all)], variables, work, limit: TimeSpan.FromMinutes(10));
            Dictionary<string, byte[]> files = Directory.GetFiles(work).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
            string calls = Path.Combine(folder, "calls");
            files["calls"] = File.Exists(calls) ? File.ReadAllBytes(calls) : [];
            File.Delete(calls);
            // What the compiler made of a trial differs from run to run.
            files.Remove("a.out");
            files.Remove("loadcfg_test.exe");
            files["permissions"] = Encoding.UTF8.GetBytes(string.Join('\n', files.Keys.Where(name => name != "calls").Order(StringComparer.Ordinal)
                .Select(name => $"{name} {PermissionsOf(Path.Combine(work, name))}")));
            Directory.Delete(work, recursive: true);
            return (result, files);
        }
    });

    /// <summary>What runs a port's programs that need its C library; null where nothing does.</summary>
    private static string[]? Emulator(Port port)
    {
        string root = Path.Combine(Settings.Sysroots, port.Triplet);
        if (port.Emulator.Length != 0)
        {
            return Host.Find("qemu-" + port.Emulator) is { } found && Directory.Exists(root) ? [found, "-L", root] : null;
        }

        string library = Path.Combine(root, "lib");
        return Host.RunsLinux386 && Directory.Exists(library) ? [Path.Combine(library, "ld-linux.so.2"), "--library-path", library] : null;
    }

    private static string PermissionsOf(string file) => OperatingSystem.IsWindows() ? "" : File.GetUnixFileMode(file).ToString();

    private static void MakeExecutable(string file)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static string Text(Dictionary<string, byte[]> files, string name) => Encoding.UTF8.GetString(files[name]);

    /// <summary>A text in which a linker is called just that, without the counts of symbols of -v, which are each linker's own.</summary>
    private static string Plain(string text, string linker) => string.Join('\n',
        from line in text.Replace(linker, "link", StringComparison.Ordinal).Split('\n')
        where !line.Contains(" reachable", StringComparison.Ordinal) && !line.Contains(" package symbols, ", StringComparison.Ordinal)
            && !line.EndsWith(" liveness data", StringComparison.Ordinal)
        select line);
}
