namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>
    /// Objects of the host's compiler that are linked internally: those that cgo made for standard packages, the race detector, and a
    /// .syso of our own. They need a C compiler, which building the linker needs as well.
    /// </summary>
    private void AddHostObjects()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        string stamp = CaptureSet.Stamp(Settings.Programs);
        Lazy<string> compiler = new(() => Host.Find("gcc") ?? Host.Find("clang") ?? throw new CaseFailedException("there is no C compiler"));
        Programs("cgo", [], ["hello", "server"]);
        Programs("cgo, pie", ["-buildmode=pie"], ["hello", "server"]);
        Programs("race detector", ["-race"], ["hello", "concurrency"]);

        foreach (string mode in (string[])["exe", "pie"])
        {
            CaptureSet? set = null;
            Add("host objects", $".syso, {mode}", NewestInCi, () =>
            {
                string module = SysoModule(compiler.Value);
                set ??= new CaptureSet(_toolchain, "build", [$"-buildmode={mode}", "."], module, null, CaptureSet.Stamp(module));
                LinkStep step = set["example.test/hostobject"];
                SameAndRuns(step);
                foreach (string[] flags in (string[][])[["-s", "-w"], ["-linkmode=internal"], ["-compressdwarf=false"]])
                {
                    _subject.SameAsReference(_toolchain, step, flags);
                }
            });
        }

        void Programs(string what, string[] flags, string[] programs)
        {
            Lazy<CaptureSet> set = new(() => new CaptureSet(
                _toolchain, "build", [.. flags, .. programs.Select(program => "./" + program)], Settings.Programs,
                new Dictionary<string, string> { ["CGO_ENABLED"] = "1", ["CC"] = compiler.Value }, stamp));
            foreach (string program in programs)
            {
                Add("host objects", $"{what}: {program}", what == "cgo" ? NewestInCi : Tier.All, () => SameAndRuns(set.Value[Module + program]));
            }
        }
    }

    /// <summary>A copy of tests/hostobject below the cache, with its host object.</summary>
    private static string SysoModule(string compiler)
    {
        lock (SysoLock)
        {
            string source = Path.Combine(Settings.Root, "tests", "hostobject");
            string target = Path.Combine(Settings.Cache, "hostobject");
            Directory.CreateDirectory(target);
            foreach (string file in Directory.GetFiles(source))
            {
                File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
            }

            string[] options = ["-O2", "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-fno-ident"];
            Command.Must(
                [compiler, .. options, "-c", "-x", "c", "-o", Path.Combine(target, "native.syso"), Path.Combine(target, "native.txt")],
                [], new Dictionary<string, string>());
            return target;
        }
    }

    private static readonly Lock SysoLock = new();
}
