namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Flags that change the object or what the compiler is told, each tried for every CPU.</summary>
    private static readonly string[][] ExternalPortFlags =
    [
        ["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-B", "0x0123456789abcdef"], ["-buildid="], ["-v"], ["-X", "main.Version=1"],
        ["-randlayout=3"], ["-extldflags=-static"], ["-extldflags=-lnosuch"], ["-dumpdep"],
    ];

    /// <summary>The same as <see cref="AddExternal"/> for other CPUs and Windows, as far as the object goes; and for Linux on other CPUs with Debian's compilers for them.</summary>
    private void AddExternalPorts()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        string stamp = CaptureSet.Stamp(Settings.Programs);
        foreach (Port port in Port.All.Where(port => (!port.HasOwnFormat || port is { Os: "windows", Cpu: not "arm" }) && port.IsOf(_release)))
        {
            AddObjectsAlone(port, stamp);
        }

        foreach (Port port in Port.All.Where(port => port is { Os: "windows", Cpu: "arm" } && port.IsOf(_release)))
        {
            CaptureSet programs = new(_toolchain, "build", ["./hello"], Settings.Programs, For(port, []), stamp);
            Add(ExternalGroup, $"{port}: calls have no relocation", Tier.All, () =>
                Fails(programs[Module + "hello"], ["-linkmode=external", "-extld=true"]));
        }

        string half = Path.Combine(Settings.Root, "tests", "external");
        string halfStamp = CaptureSet.Stamp(half);
        AddAndroid(stamp, half, halfStamp);
        foreach (Port port in Port.All.Where(port => port.Triplet.Length != 0 && port.IsOf(_release)))
        {
            if (Host.Find(port.Triplet + "-gcc") is not { } compiler)
            {
                if (_newest)
                {
                    Console.Error.WriteLine($"{port}: external linking is not compared (there is no {port.Triplet}-gcc)");
                }

                continue;
            }

            AddExternalPort(port, compiler, stamp, half, halfStamp);
        }
    }

    /// <summary>Programs without C up to the object for a compiler, which need not be there: nothing is linked.</summary>
    private void AddObjectsAlone(Port port, string stamp)
    {
        CaptureSet hello = new(_toolchain, "build", ["./hello"], Settings.Programs, For(port, []), stamp);
        CaptureSet programs = new(
            _toolchain, "build", ["./server", "./types", "./panics", "./dwarf", "./generics", "./maps"], Settings.Programs, For(port, []), stamp);
        One("hello", port.IsExternalSample ? NewestInCi : Tier.All, () => hello[Module + "hello"]);
        One("server", Tier.All, () => programs[Module + "server"]);
        One("dwarf -compressdwarf=false", Tier.All, () => programs[Module + "dwarf"], "-compressdwarf=false");
        if (port.HasPie && string.CompareOrdinal(_release, port.PieSince) >= 0)
        {
            CaptureSet pie = new(_toolchain, "build", ["-buildmode=pie", "./hello", "./server", "./types"], Settings.Programs, For(port, []), stamp);
            One("server (pie)", Tier.All, () => pie[Module + "server"]);
        }

        foreach (string[] line in port.HasTrampolines ? (string[][])[["-debugtramp=2"], ["-debugtextsize=300000"], ["-debugtramp=2", "-debugtextsize=300000"]] : [])
        {
            One("server " + string.Join(' ', line), Tier.All, () => programs[Module + "server"], line);
        }

        if (port.Os != "linux")
        {
            // What is asked and told the compiler: one that takes everything, one that takes nothing, one that says what it is.
            foreach (string[] line in (string[][])[["-s"], ["-w"], ["-B", "0x0123456789abcdef"], ["-buildid="], ["-v"], ["-r", "/opt/lib", "-bindnow"]])
            {
                Call("hello " + string.Join(' ', line), "true", line);
            }

            if (!port.HasOwnFormat)
            {
                Call("hello -race", "true", "-race");
            }

            Call("hello, a compiler that fails", "false");
            Call("hello, a compiler that speaks", "echo GNU ld 2.40");
        }

        if (port.SharedModes.Length != 0)
        {
            // The go command would want a C compiler to make these, and does not link what it compiles for them.
            CaptureSet shared = new(
                _toolchain, "build", ["-gcflags=all=-shared", "-asmflags=all=-shared", "./hello", "./server"], Settings.Programs, For(port, []), stamp,
                failing: true);
            foreach (string mode in port.SharedModes)
            {
                Mode($"server, {mode}", () => shared[Module + "server"], "-buildmode=" + mode, "-extar=ar");
                Mode($"hello, {mode} -s", () => shared[Module + "hello"], "-buildmode=" + mode, "-s", "-extar=ar");
            }
        }

        if (port is { Os: "freebsd", Cpu: "amd64" })
        {
            AddPluginObjectsAlone(port, stamp);
        }

        foreach ((string value, _) in port.VariantsOf(_release))
        {
            CaptureSet variant = new(
                _toolchain, "build", ["./hello", "./server"], Settings.Programs, For(port, new() { [port.Variable] = value }), stamp);
            One($"hello, {port.Variable}={value}", Tier.All, () => variant[Module + "hello"]);
        }

        void One(string name, Tier tier, Func<LinkStep> step, params string[] more) =>
            Add(ExternalGroup, $"{port}: object of {name}", tier, () => SameExternally(step(), ["-linkmode=external", .. more], port: port, compiler: "true"));

        void Mode(string name, Func<LinkStep> step, params string[] more) =>
            Add(ExternalGroup, $"{port}: object of {name}", Tier.All, () =>
                SameExternally(step(), ["-linkmode=external", .. more], isRun: false, port: port, compiler: "true"));

        void Call(string name, string compiler, params string[] more) =>
            Add(ExternalGroup, $"{port}: {name}", Tier.All, () =>
                SameExternally(hello[Module + "hello"], ["-linkmode=external", .. more], isRun: false, port: port, compiler: compiler));
    }

    private void AddExternalPort(Port port, string compiler, string stamp, string half, string halfStamp)
    {
        const string External = "-ldflags=-linkmode=external";
        const string Name = "example.test/external";
        Dictionary<string, string> cgo = For(port, new() { ["CGO_ENABLED"] = "1", ["CC"] = compiler });
        string[] programs = ["hello", "server", "dwarf", "types", "gcdata"];
        CaptureSet go = Builds([External, .. programs.Select(program => "./" + program)]);
        CaptureSet goTool = new(_toolchain, "build", [External, "cmd/go"], Source, cgo);
        foreach (string program in programs)
        {
            One(program, program == "hello" && port.IsExternalSample ? NewestInCi : Tier.All, () => go[Module + program]);
        }

        if (port.ExternalModes.Contains("pie"))
        {
            CaptureSet pie = Builds([External, "-buildmode=pie", "./hello", "./server", "./dwarf"]);
            foreach (string program in (string[])["hello", "server", "dwarf"])
            {
                One(program + ", pie", Tier.All, () => pie[Module + program]);
            }
        }

        foreach (string mode in (string[])["exe", .. port.ExternalModes])
        {
            CaptureSet set = new(_toolchain, "build", [$"-buildmode={mode}", "."], half, cgo, halfStamp);
            Tier tier = mode == "c-shared" && port.IsExternalSample ? NewestInCi : Tier.All;
            // Only so are these linked by the compiler without fail.
            One($"C and Go, {mode}", tier, () => set[Name], "-linkmode=external");
            One($"C and Go, {mode} -s -w", Tier.All, () => set[Name], "-linkmode=external", "-s", "-w");
            if (port.HasTrampolines)
            {
                One($"C and Go, {mode} -debugtramp=2", Tier.All, () => set[Name], "-linkmode=external", "-debugtramp=2");
            }
        }

        foreach (string[] line in (string[][])[.. ExternalPortFlags, .. port.HasTrampolines ? (string[][])[["-debugtramp=2"]] : []])
        {
            One("hello " + string.Join(' ', line), Tier.All, () => go[Module + "hello"], line);
        }

        foreach (string[] line in port.HasTrampolines ? (string[][])[["-debugtramp=2"], ["-debugtextsize=300000"], ["-debugtramp=2", "-debugtextsize=300000"]] : [])
        {
            One("server " + string.Join(' ', line), Tier.All, () => go[Module + "server"], line);
        }

        Add(ExternalGroup, $"{port}: cmd/go", Tier.All, () => SameExternally(goTool["cmd/go"], [], isRun: false, port: port));

        AddPortModules(port, cgo, half, halfStamp);

        CaptureSet Builds(string[] arguments) => new(_toolchain, "build", arguments, Settings.Programs, cgo, stamp);

        void One(string name, Tier tier, Func<LinkStep> step, params string[] more) =>
            Add(ExternalGroup, $"{port}: {name}", tier, () => SameExternally(step(), more, port: port));
    }
}
