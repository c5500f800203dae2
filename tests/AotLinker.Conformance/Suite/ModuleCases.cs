namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>What shares Go code with other modules at run time: plugins, the programs that load them.</summary>
    private void AddModules(string sources, Dictionary<string, string> cgo, string programsStamp)
    {
        string stamp = CaptureSet.Stamp(sources);
        const string Name = "example.test/external/";
        CaptureSet host = new(_toolchain, "build", ["./host"], sources, cgo, stamp);
        CaptureSet hostPie = new(_toolchain, "build", ["-buildmode=pie", "./host"], sources, cgo, stamp);
        CaptureSet plugin = new(_toolchain, "build", ["-buildmode=plugin", "./plugin"], sources, cgo, stamp);
        CaptureSet more = new(_toolchain, "build", ["-buildmode=plugin", "./dwarf"], Settings.Programs, cgo, programsStamp);
        CaptureSet race = new(_toolchain, "build", ["-race", "-buildmode=plugin", "./plugin"], sources, cgo, stamp);

        One("program that loads plugins", NewestInCi, () => host[Name + "host"]);
        One("plugin", NewestInCi, () => plugin[Name + "plugin"]);
        One("program that loads plugins, pie", Tier.All, () => hostPie[Name + "host"], "-linkmode=external");
        One("plugin: dwarf", Tier.All, () => more[Module + "dwarf"]);
        One("plugin, race detector", Tier.All, () => race[Name + "plugin"]);
        string[][] flags =
        [
            ["-s"], ["-w"], ["-v"], ["-buildid="], ["-dumpdep"], ["-c"], ["-randlayout=3"], ["-pluginpath=a.b/c%d"], ["-X", "main.Text=1"],
            ["-E", "main.main"], ["-bindnow", "-r", "/opt/lib"], ["-strictdups=2"], ["-d"], ["-extldflags=-lnosuch"], ["-linkmode=internal"],
        ];
        foreach (string[] line in flags)
        {
            string name = string.Join(' ', line);
            One($"plugin {name}", Tier.All, () => plugin[Name + "plugin"], line);
            One($"program that loads plugins {name}", Tier.All, () => host[Name + "host"], line);
        }

        Add(ExternalGroup, "plugins are loaded", Tier.All, () => InFolder(folder =>
        {
            string[] files = [Path.Combine(folder, "host"), Path.Combine(folder, "plugin.so")];
            Dictionary<string, string> environment = GoEnvironment(cgo);
            Command.Must([_toolchain.Go, "build", _subject.ToolExecFlag, "-o", files[0], "./host"], null, environment, sources);
            Command.Must([_toolchain.Go, "build", _subject.ToolExecFlag, "-buildmode=plugin", "-o", files[1], "./plugin"], null, environment, sources);
            CommandResult run = Command.Must(files, null, environment, folder);
            Check.SameText("what the program prints", """
                42
                common.Pair[string,main.local] 1 k: {2}
                zwei: 2
                recovered runtime error: index out of range [42] with length 0: of the plugin
                world1
                hello, world
                1 10

                """, run.OutputText);
        }));

        AddSharedLibrary("Go shared library and program", NewestInCi, sources, cgo, ["runtime", "sync/atomic"], "exe");
        AddSharedLibrary("Go shared library and pie", Tier.All, sources, cgo, ["runtime", "sync/atomic"], "pie");
        AddSharedLibrary("Go shared library of many packages", Tier.All, sources, cgo, ["fmt", "net/http"], "exe");

        void One(string name, Tier tier, Func<LinkStep> step, params string[] line) => Add(ExternalGroup, name, tier, () => SameExternally(step(), line));
    }

    /// <summary>As <see cref="AddModules"/>, for another CPU.</summary>
    private void AddPortModules(Port port, Dictionary<string, string> cgo, string sources, string stamp)
    {
        if (!port.HasModules || string.CompareOrdinal(_release, port.ModulesSince) < 0)
        {
            return;
        }

        const string Name = "example.test/external/";
        CaptureSet host = new(_toolchain, "build", ["./host"], sources, cgo, stamp);
        CaptureSet plugin = new(_toolchain, "build", ["-buildmode=plugin", "./plugin"], sources, cgo, stamp);
        One("program that loads plugins", () => host[Name + "host"]);
        One("program that loads plugins, -linkmode=internal", () => host[Name + "host"], "-linkmode=internal");
        One("plugin", () => plugin[Name + "plugin"]);
        One("plugin -s -w", () => plugin[Name + "plugin"], "-s", "-w");
        One("plugin -randlayout=3", () => plugin[Name + "plugin"], "-randlayout=3");
        if (port.HasTrampolines)
        {
            One("plugin -debugtramp=2", () => plugin[Name + "plugin"], "-debugtramp=2");
        }

        if (port.HasSharedLibraries)
        {
            AddSharedLibrary($"{port}: Go shared library and program", Tier.All, sources, cgo, ["runtime", "sync/atomic"], "exe", port);
        }

        void One(string name, Func<LinkStep> step, params string[] line) =>
            Add(ExternalGroup, $"{port}: {name}", Tier.All, () => SameExternally(step(), line, isRun: line.Length == 0, port: port));
    }

    /// <summary>
    /// Plugins without C up to the object for a compiler, which need not be there. The go command would want one, so what is compiled for plugins
    /// is not linked by it.
    /// </summary>
    private void AddPluginObjectsAlone(Port port, string stamp)
    {
        CaptureSet hello = Compiled("./hello");
        CaptureSet larger = Compiled("./server", "./types");
        One("hello", port.IsSample ? NewestInCi : Tier.All);
        One("server", Tier.All);
        One("types", Tier.All);
        foreach (string[] line in (string[][])
            [["-s", "-w"], ["-w"], ["-s"], ["-v"], ["-compressdwarf=false"], ["-buildid="], ["-randlayout=3"], ["-B", "none"], ["-pluginpath=a.b/c%d"], ["-dumpdep"]])
        {
            One("hello", Tier.All, line);
        }

        if (port.HasTrampolines)
        {
            One("server", Tier.All, "-debugtramp=2");
            One("server", Tier.All, "-debugtramp=2", "-debugtextsize=300000");
        }

        CaptureSet Compiled(params string[] programs) => new(
            _toolchain, "build", ["-gcflags=all=-dynlink", "-asmflags=all=-dynlink", .. programs], Settings.Programs, For(port, []), stamp, failing: true);

        void One(string program, Tier tier, params string[] more) =>
            Add(ExternalGroup, $"{port}: object of {string.Join(' ', [program + " as plugin", .. more])}", tier, () => SameExternally(
                (program == "hello" ? hello : larger)[Module + program], ["-buildmode=plugin", "-pluginpath=example.test/" + program, .. more], isRun: false, port: port, compiler: "true"));
    }

    /// <summary>As <see cref="AddModules"/>, for macOS: what LLVM's tools make of the objects is compared, too.</summary>
    private void AddMacModules(Port port, string tools, string programsStamp)
    {
        const string Name = "example.test/external/";
        string sources = Path.Combine(Settings.Root, "tests", "external");
        string stamp = CaptureSet.Stamp(sources) + CaptureSet.Stamp(Path.GetDirectoryName(tools)!);
        Dictionary<string, string> cgo = MacCgo(port, tools);
        CaptureSet host = new(_toolchain, "build", ["./host"], sources, cgo, stamp);
        CaptureSet hostPie = new(_toolchain, "build", ["-buildmode=pie", "./host"], sources, cgo, stamp);
        CaptureSet plugin = new(_toolchain, "build", ["-buildmode=plugin", "./plugin"], sources, cgo, stamp);
        CaptureSet trimmed = new(_toolchain, "build", ["-trimpath", "-buildmode=plugin", "./plugin"], sources, cgo, stamp);
        CaptureSet other = new(_toolchain, "build", ["-buildmode=plugin", "./dwarf"], Settings.Programs, cgo, programsStamp);
        One("program that loads plugins, pie", Tier.All, () => hostPie[Name + "host"]);
        One("plugin, -trimpath", Tier.All, () => trimmed[Name + "plugin"]);
        One("plugin: dwarf", Tier.All, () => other[Module + "dwarf"]);
        One("plugin", Tier.All, () => plugin[Name + "plugin"]);
        One("program that loads plugins", port.IsSample ? NewestInCi : Tier.All, () => host[Name + "host"]);
        string[][] flags =
        [
            ["-s", "-w"], ["-w"], ["-s", "-w=false"], ["-compressdwarf=false"], ["-v"], ["-buildid="], ["-B", "none", "-w"], ["-linkmode=internal"], ["-race"],
            .. port.HasTrampolines ? (string[][])[["-debugtramp=2"], ["-debugtramp=2", "-debugtextsize=300000"]] : [],
        ];
        foreach (string[] line in flags)
        {
            string name = string.Join(' ', line);
            One($"plugin {name}", Tier.All, () => plugin[Name + "plugin"], line);
            One($"program that loads plugins {name}", Tier.All, () => host[Name + "host"], line);
        }

        string[][] more =
        [
            ["-s"], ["-B", "none"], ["-dumpdep"], ["-c"], ["-randlayout=3"], ["-pluginpath=a.b/c%d"], ["-X", "main.Text=1"], ["-E", "main.main"],
            ["-r", "/opt/lib"], ["-strictdups=2"], ["-d"], ["-extldflags=-lnosuch"],
        ];
        foreach (string[] line in more)
        {
            One($"plugin {string.Join(' ', line)}", Tier.All, () => plugin[Name + "plugin"], line);
        }

        foreach (string[] line in (string[][])[["-linkmode=internal", "-s", "-w"], ["-linkmode=internal", "-buildmode=pie"]])
        {
            One($"program that loads plugins {string.Join(' ', line)}", Tier.All, () => hostPie[Name + "host"], line);
        }

        void One(string name, Tier tier, Func<LinkStep> step, params string[] line) => Add(ExternalGroup, $"{port}: {name}", tier, () =>
            SameExternally(step(), line, isRun: false, port: port, compiler: $"env CPU={MacCpu(port)} {tools}"));
    }

    /// <summary>
    /// A library and a program that is linked against it: built by both linkers at the same place, for the program has the library's path.
    /// </summary>
    private void AddSharedLibrary(string name, Tier tier, string sources, Dictionary<string, string> cgo, string[] packages, string mode, Port? port = null) =>
        Add(ExternalGroup, name, tier, () => InFolder(folder =>
        {
            Dictionary<string, byte[]> want = Build([], _toolchain.Environment(cgo));
            Dictionary<string, byte[]> got = Build([_subject.ToolExecFlag], GoEnvironment(cgo));
            string program = Path.Combine(folder, "packages", "program");
            Check.That(want.Keys.Order(StringComparer.Ordinal).SequenceEqual(got.Keys.Order(StringComparer.Ordinal)), $"files: {string.Join(' ', got.Keys)}");
            foreach ((string file, byte[] content) in want)
            {
                Check.That(got[file].AsSpan().SequenceEqual(content), $"{file} differs");
            }

            if ((port is null ? [] : Emulator(port)) is not { } emulator)
            {
                return;
            }

            CommandResult run = Command.Must([.. emulator, program], null, GoEnvironment(), folder);
            Check.SameText("what the program prints", "recovered 2 runtime error: invalid memory address or nil pointer dereference\n", run.ErrorText);

            Dictionary<string, byte[]> Build(string[] exec, Dictionary<string, string> environment)
            {
                string place = Path.Combine(folder, "packages");
                if (Directory.Exists(place))
                {
                    Directory.Delete(place, recursive: true);
                }

                string output = Path.Combine(place, "program");
                Command.Must([_toolchain.Go, "install", .. exec, $"-pkgdir={place}", "-buildmode=shared", .. packages], null, environment, sources);
                Command.Must(
                    [_toolchain.Go, "build", .. exec, $"-pkgdir={place}", "-linkshared", $"-buildmode={mode}", "-o", output, "./linkshared"],
                    null, environment, sources);
                return Directory.GetFiles(place).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
            }
        }));
}
