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
            AddBeyond("explain", $"{os}/wasm: hello: sizes", Tier.All, () => SizesAddUp(hello[Module + "hello"], []));
            foreach (string[] flags in (string[][])[["-s"], ["-w"], ["-s", "-w"], ["-buildid=x"], ["-buildid="], ["-randlayout=3"], ["-c"], ["-X", "runtime.buildVersion=go0"], ["-dumpdep"], ["-D", "0x800000"]])
            {
                Add(WasmGroup, $"{os}: hello {string.Join(' ', flags)}", Tier.All, () => _subject.SameAsReference(_toolchain, hello[Module + "hello"], flags));
            }

            foreach (string switched in (string[])["AOTLINK_THREADS=1", "AOTLINK_THREADS=16", "AOTLINK_NO_OUTPUT_MAP=1", "AOTLINK_NO_INPUT_MAP=1"])
            {
                string[] pair = switched.Split('=');
                Add(WasmGroup, $"{os}: hello {switched}", Tier.All, () => _subject.SameAsReference(
                    _toolchain, hello[Module + "hello"], [], new Dictionary<string, string> { [pair[0]] = pair[1] }));
            }

            CaptureSet programs = Wasm(os, ["./server", "./wasmexports", "./types", "./panics"], Settings.Programs, stamp);
            Add(WasmGroup, $"{os}: server", Tier.All, () => ModuleRuns(programs[Module + "server"], os, "/items 200 "));
            foreach (string program in (string[])["wasmexports", "types", "panics"])
            {
                Add(WasmGroup, $"{os}: {program}", Tier.All, () => _subject.SameAsReference(_toolchain, programs[Module + program], []));
            }

            CaptureSet tools = Wasm(os, ["cmd/gofmt", "cmd/go"], Source, "");
            Add(WasmGroup, $"{os}: cmd/gofmt", Tier.All, () => _subject.SameAsReference(_toolchain, tools["cmd/gofmt"], []));
            Add(WasmGroup, $"{os}: cmd/go", Tier.All, () => ModuleRuns(tools["cmd/go"], os, "go version go" + _release, "version"));

            CaptureSet variant = Wasm(os, ["./hello"], Settings.Programs, stamp, "satconv,signext");
            Add(WasmGroup, $"{os}: hello, GOWASM=satconv,signext", Tier.All, () => ModuleRuns(variant[Module + "hello"], os, "hello, world"));
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
    private void ModuleRuns(LinkStep step, string os, string output, params string[] arguments)
    {
        Subject.FaithfulReplay(_toolchain, step);
        _subject.SameAsReference(_toolchain, step, []);
        if (os != "js" || Host.Find("node") is null)
        {
            return;
        }

        InFolder(folder =>
        {
            string program = Path.Combine(folder, "program");
            Replay.Link(step, _subject.Linker, [], program);
            string host = Path.Combine(_toolchain.Goroot, "lib", "wasm", "wasm_exec_node.js");

            // By this name alone: net/http looks at it, and then leaves the host's fetch alone.
            CommandResult run = Command.Run(["node"], ["--stack-size=8192", host, program, .. arguments], new Dictionary<string, string>(), folder, limit: TimeSpan.FromMinutes(1));
            Check.That(run.ExitCode == 0, $"the module exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
            Check.That(run.OutputText.Contains(output, StringComparison.Ordinal), $"the module prints {run.OutputText}");
        });
    }
}
