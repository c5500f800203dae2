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
