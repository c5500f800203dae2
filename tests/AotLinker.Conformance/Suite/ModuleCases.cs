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
                common.Pair[string,example.test/external/host.local] 1 k: {2}
                zwei: 2
                recovered runtime error: index out of range [42] with length 0: of the plugin
                world1
                hello, world
                1 10

                """, run.OutputText);
        }));

        void One(string name, Tier tier, Func<LinkStep> step, params string[] line) => Add(ExternalGroup, name, tier, () => SameExternally(step(), line));
    }
}
