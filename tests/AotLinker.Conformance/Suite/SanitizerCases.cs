namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Programs that GCC's address sanitizer or Clang's memory sanitizer watches: the compiler links them, whatever they are.</summary>
    private void AddSanitizers(string sources, Dictionary<string, string> cgo, string programsStamp)
    {
        const string Name = "example.test/external";
        string stamp = CaptureSet.Stamp(sources);
        CaptureSet asan = new(_toolchain, "build", ["-asan", "./hello", "./server", "./dwarf", "./gcdata", "./concurrency"], Settings.Programs, With("gcc"), programsStamp);
        foreach (string program in (string[])["hello", "server", "dwarf", "gcdata", "concurrency"])
        {
            One($"-asan: {program}", Tier.All, "gcc", () => asan[Module + program]);
        }

        CaptureSet fuzz = new(_toolchain, "test", ["-asan", "-fuzz=.", "encoding/csv"], Source, With("gcc"));
        One("-asan: test with counters for fuzzing", Tier.All, "gcc", () => fuzz["encoding/csv.test"]);
        foreach (string[] line in (string[][])[["-s"], ["-w"], ["-v"], ["-X", "main.Version=1"], ["-randlayout=3"], ["-dumpdep"], ["-linkmode=internal"], ["-extldflags=-lnosuch"]])
        {
            One($"-asan: hello {string.Join(' ', line)}", Tier.All, "gcc", () => asan[Module + "hello"], line);
        }

        Modes("-asan", "gcc", ["exe", "pie", "c-shared", "c-archive", "plugin"]);
        if (Host.Find("clang") is null)
        {
            if (_newest)
            {
                Console.Error.WriteLine("the memory sanitizer is not tried (there is no clang)");
            }

            return;
        }

        Modes("-msan", "clang", ["exe", "pie", "c-shared", "c-archive"]);
        CaptureSet msan = new(_toolchain, "build", ["-msan", "./hello", "./server"], Settings.Programs, With("clang"), programsStamp);
        foreach (string program in (string[])["hello", "server"])
        {
            One($"-msan: {program}", Tier.All, "clang", () => msan[Module + program]);
        }

        void Modes(string flag, string compiler, string[] modes)
        {
            foreach (string mode in modes)
            {
                CaptureSet set = new(
                    _toolchain, "build", [flag, $"-buildmode={mode}", mode == "plugin" ? "./plugin" : "."], sources, With(compiler), stamp);
                One($"{flag}: C and Go, {mode}", Tier.All, compiler, () => set[mode == "plugin" ? Name + "/plugin" : Name]);
            }
        }

        Dictionary<string, string> With(string compiler) => new(cgo) { ["CC"] = compiler };

        void One(string name, Tier tier, string compiler, Func<LinkStep> step, params string[] more) =>
            Add(ExternalGroup, name, tier, () => SameExternally(step(), more, compiler: compiler));
    }
}
