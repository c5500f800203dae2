namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>A compiler for AIX whose linker takes debug information, and that takes every option and says what it was told.</summary>
    private const string AixCompiler = "echo '/usr/bin/ld: LD 7.2.5(1)'";

    /// <summary>Flags that change the object for AIX, or what the compiler is told.</summary>
    private static readonly string[][] ExternalAixFlags =
    [
        ["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-B", "0x0123456789abcdef"], ["-buildid="], ["-v"], ["-c"], ["-d"], ["-r", "/opt/lib"],
        ["-I", "/a"], ["-X", "main.Version=1"], ["-randlayout=3"], ["-dumpdep"], ["-E", "main.main"], ["-bindnow"], ["-race"], ["-msan"],
        ["-D", "0x300000000"], ["-fipso", LinkStep.SideMark], ["-extldflags=-lnosuch -static"],
        ["-extldflags=" + new string('x', 40_000)], ["-extld=no-such-cc"],
    ];

    /// <summary>The same as <see cref="AddExternal"/> for AIX up to the object and what the compiler is told: nothing is linked.</summary>
    private void AddExternalAix()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        Port port = Port.All.First(port => port.Os == "aix");
        string stamp = CaptureSet.Stamp(Settings.Programs);
        CaptureSet hello = new(_toolchain, "build", ["./hello"], Settings.Programs, For(port, []), stamp);
        One("hello", NewestInCi, () => hello[Module + "hello"]);
        string[] names = ["server", "types", "panics", "dwarf", "generics", "maps"];
        CaptureSet programs = new(_toolchain, "build", [.. names.Select(name => "./" + name)], Settings.Programs, For(port, []), stamp);
        foreach (string name in names)
        {
            One(name, Tier.All, () => programs[Module + name]);
        }

        foreach (string[] line in ExternalAixFlags)
        {
            string told = string.Join(' ', line);
            One("hello " + (told.Length > 200 ? "with long options" : told), Tier.All, () => hello[Module + "hello"], line);
        }

        foreach (string[] line in (string[][])
            [["-debugtramp=2"], ["-debugtextsize=300000"], ["-debugtramp=2", "-debugtextsize=300000"], ["-debugtextsize=300000", "-randlayout=3"]])
        {
            One("server " + string.Join(' ', line), Tier.All, () => programs[Module + "server"], line);
        }

        foreach (string mode in (string[])["pie", "c-archive"])
        {
            One($"server, {mode}", Tier.All, () => programs[Module + "server"], "-buildmode=" + mode, "-extar=true");
            One($"hello, {mode} -s -w", Tier.All, () => hello[Module + "hello"], "-buildmode=" + mode, "-extar=true", "-s", "-w");
            One($"hello, {mode} -debugtextsize=300000", Tier.All, () => hello[Module + "hello"], "-buildmode=" + mode, "-extar=true", "-debugtextsize=300000");
        }

        foreach (string threads in (string[])["1", "16"])
        {
            Add(ExternalGroup, $"{port}: object of server, {threads} threads", Tier.All, () => SameExternally(
                programs[Module + "server"], ["-linkmode=external"], new() { ["AOTLINK_THREADS"] = threads }, isRun: false, port: port, compiler: AixCompiler));
        }

        // Linkers that take no debug information, or don't say whether they do; one that complains of what is filtered out.
        foreach ((string what, string compiler) in (ReadOnlySpan<(string, string)>)
            [
                ("an old linker", "echo '/usr/bin/ld: LD 7.2.1(1)'"), ("a linker of version 8", "echo '/usr/bin/ld: LD 8.0.0(1)'"),
                ("a linker whose version is no number", "echo '/usr/bin/ld: LD 7.2.x(1)'"), ("a compiler that says nothing", "true"),
                ("a compiler that fails", "false"), ("a linker that misses main", "sh -c 'echo \"/usr/bin/ld: LD 7.3.0(1) 0711-317\"; exit 1' cc"),
                ("warnings of large tables", "printf '%s\\n' '/usr/bin/ld: LD 7.3.0(1)' 'ld: 0711-783 WARNING' 'one' 'two' 'three'"),
            ])
        {
            Add(ExternalGroup, $"{port}: hello, {what}", Tier.All, () =>
                SameExternally(hello[Module + "hello"], ["-linkmode=external"], isRun: false, port: port, compiler: compiler));
        }

        AddAixWithC(port);

        void One(string name, Tier tier, Func<LinkStep> step, params string[] more) => Add(ExternalGroup, $"{port}: object of {name}", tier, () =>
            SameExternally(step(), ["-linkmode=external", .. more], isRun: false, port: port, compiler: AixCompiler));
    }

    // The host's compiler stands in for AIX's: what it makes is only copied.
    private void AddAixWithC(Port port)
    {
        if (Host.Find("gcc") is null)
        {
            if (_newest)
            {
                Console.Error.WriteLine($"{port}: external linking of C is not compared (there is no gcc)");
            }

            return;
        }

        string half = Path.Combine(Settings.Root, "tests", "external");
        string compiler = Path.Combine(Settings.Root, "tests", "aixsdk", "cc");
        // Package net without C: the types of its functions are not those of the host's headers.
        CaptureSet both = new(
            _toolchain, "build", ["-tags=netgo", "-ldflags=-linkmode=external", "."], half, For(port, new() { ["CGO_ENABLED"] = "1", ["CC"] = compiler }),
            CaptureSet.Stamp(half), failing: true);
        foreach (string[] line in (string[][])
            [[], ["-s", "-w"], ["-v"], ["-debugtramp=2"], ["-debugtextsize=300000"], ["-buildmode=pie"], ["-buildmode=c-archive", "-extar=true"]])
        {
            Add(ExternalGroup, $"{port}: object of C and Go {string.Join(' ', line)}".TrimEnd(), Tier.All, () => SameExternally(
                both["example.test/external"], ["-linkmode=external", .. line], isRun: false, port: port, compiler: AixCompiler));
        }
    }
}
