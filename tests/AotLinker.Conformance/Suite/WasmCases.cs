namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Group of the cases for WebAssembly.</summary>
    public const string WasmGroup = "wasm";

    /// <summary>WebAssembly modules: js, wasip1, and libraries for wasip1.</summary>
    private void AddWasm()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        foreach (string os in (string[])["js", "wasip1"])
        {
            CaptureSet hello = Wasm(os, ["./hello"], Settings.Programs, stamp);
            Add(WasmGroup, $"{os}: hello", NewestInCi, () => ModuleRuns(hello[Module + "hello"], os, "hello, world"));
            foreach (string[] flags in (string[][])[["-s"], ["-w"], ["-s", "-w"], ["-buildid=x"], ["-buildid="], ["-randlayout=3"], ["-c"], ["-X", "runtime.buildVersion=go0"], ["-dumpdep"], ["-D", "0x800000"]])
            {
                Add(WasmGroup, $"{os}: hello {string.Join(' ', flags)}", Tier.All, () => _subject.SameAsReference(_toolchain, hello[Module + "hello"], flags));
            }

            foreach (string switched in (string[])["AOTLINK_THREADS=1", "AOTLINK_THREADS=16"])
            {
                string[] pair = switched.Split('=');
                Add(WasmGroup, $"{os}: hello {switched}", Tier.All, () => _subject.SameAsReference(
                    _toolchain, hello[Module + "hello"], [], new Dictionary<string, string> { [pair[0]] = pair[1] }));
            }

            CaptureSet programs = Wasm(os, ["./server", "./wasmexports", "./types", "./panics"], Settings.Programs, stamp);
            foreach (string program in (string[])["server", "wasmexports", "types", "panics"])
            {
                Add(WasmGroup, $"{os}: {program}", Tier.All, () => _subject.SameAsReference(_toolchain, programs[Module + program], []));
            }

            CaptureSet tools = Wasm(os, ["cmd/gofmt", "cmd/go"], Source, "");
            foreach (string tool in (string[])["cmd/gofmt", "cmd/go"])
            {
                Add(WasmGroup, $"{os}: {tool}", Tier.All, () => _subject.SameAsReference(_toolchain, tools[tool], []));
            }

            CaptureSet variant = Wasm(os, ["./hello"], Settings.Programs, stamp, "satconv,signext");
            Add(WasmGroup, $"{os}: hello, GOWASM=satconv,signext", Tier.All, () => _subject.SameAsReference(_toolchain, variant[Module + "hello"], []));
        }

        CaptureSet library = Wasm("wasip1", ["-buildmode=c-shared", "./wasmexports"], Settings.Programs, stamp);
        Add(WasmGroup, "wasip1: wasmexports, c-shared", Tier.All, () => _subject.SameAsReference(_toolchain, library[Module + "wasmexports"], []));
    }

    private CaptureSet Wasm(string os, string[] arguments, string folder, string stamp, string features = "")
    {
        Dictionary<string, string> environment = new() { ["GOOS"] = os, ["GOARCH"] = "wasm" };
        if (features.Length > 0)
        {
            environment["GOWASM"] = features;
        }

        return new CaptureSet(_toolchain, "build", arguments, folder, environment, stamp);
    }

    /// <summary>Same bytes; and where Node is installed, a module for js runs in it.</summary>
    private void ModuleRuns(LinkStep step, string os, string output)
    {
        Subject.FaithfulReplay(_toolchain, step);
        _subject.SameAsReference(_toolchain, step, []);
        if (os != "js" || Host.Find("node") is not { } node)
        {
            return;
        }

        InFolder(folder =>
        {
            string program = Path.Combine(folder, "program");
            Replay.Link(step, _subject.Linker, [], program);
            string host = Path.Combine(_toolchain.Goroot, "lib", "wasm", "wasm_exec_node.js");
            CommandResult run = Command.Run([node], ["--stack-size=8192", host, program], new Dictionary<string, string>(), folder, limit: TimeSpan.FromMinutes(1));
            Check.That(run.ExitCode == 0, $"the module exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
            Check.That(run.OutputText.Contains(output, StringComparison.Ordinal), $"the module prints {run.OutputText}");
        });
    }
}
