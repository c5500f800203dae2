using System.Collections.Concurrent;

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

        AddHostObjectsOfOtherCpus(compiler);
        foreach (string mode in (string[])["exe", "pie"])
        {
            CaptureSet? set = null;
            Add("host objects", $".syso, {mode}", NewestInCi, () =>
            {
                string module = SysoModule("hostobject", "hostobject", [compiler.Value]);
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

    /// <summary>
    /// The same for other CPUs, as far as there is a compiler for them. Those of 32 bits, where addends stand in the code, also have imports
    /// of the host object and of Go.
    /// </summary>
    private void AddHostObjectsOfOtherCpus(Lazy<string> compiler)
    {
        Add32("386", () => [compiler.Value, "-m32"], [["-s", "-w"], ["-compressdwarf=false"]]);
        if (Host.Find("clang") is { } clang)
        {
            Add32("arm", () => [clang, "--target=armv7-linux-gnueabihf", "-marm"], [["-s", "-w"], ["-debugtramp=2"]]);
            Add64("arm64", "exe", [clang, "--target=aarch64-linux-gnu"]);
            Add64("arm64", "pie", [clang, "--target=aarch64-linux-gnu"]);
            Add64("riscv64", "exe", [clang, "--target=riscv64-linux-gnu", "-march=rv64gc", "-fPIE"]);
        }
        else
        {
            Console.Error.WriteLine("linux/arm, arm64, riscv64: host objects are not compared (there is no clang to make one)");
        }

        void Add32(string cpu, Func<string[]> command, string[][] flags) =>
            AddCpu($".syso with imports, linux/{cpu}", "hostobject32", cpu, "exe", () => [.. command(), "-fPIC", "-fcommon"], flags);

        void Add64(string cpu, string mode, string[] command) =>
            AddCpu($".syso, linux/{cpu}, {mode}", "hostobject", cpu, mode, () => command, [["-s", "-w"], ["-debugtramp=2"]]);

        void AddCpu(string title, string source, string cpu, string mode, Func<string[]> command, string[][] flags)
        {
            Add("host objects", title, Tier.All, () =>
            {
                string module = SysoModule(source, $"{source}-{cpu}-{mode}", [.. command(), "-ffreestanding"]);
                CaptureSet set = new(
                    _toolchain, "build", [$"-buildmode={mode}", "."], module, new Dictionary<string, string> { ["GOOS"] = "linux", ["GOARCH"] = cpu },
                    CaptureSet.Stamp(module));
                LinkStep step = set["example.test/" + source];
                foreach (string[] more in (string[][])[[], .. flags])
                {
                    _subject.SameAsReference(_toolchain, step, more);
                }
            });
        }
    }

    /// <summary>A copy of a module of this folder below the cache, with its host object; made once, for several cases read it at a time.</summary>
    private static string SysoModule(string module, string copy, string[] compiler) =>
        SysoModules.GetOrAdd(copy, _ => new Lazy<string>(() => MakeSysoModule(module, copy, compiler))).Value;

    private static string MakeSysoModule(string module, string copy, string[] compiler)
    {
        string source = Path.Combine(Settings.Root, "tests", module);
        string target = Path.Combine(Settings.Cache, copy);
        Directory.CreateDirectory(target);
        foreach (string file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        }

        string[] options = ["-O2", "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-fno-ident"];
        Command.Must(
            [.. compiler, .. options, "-c", "-x", "c", "-o", Path.Combine(target, "native.syso"), Path.Combine(target, "native.txt")],
            [], new Dictionary<string, string>());
        return target;
    }

    private static readonly ConcurrentDictionary<string, Lazy<string>> SysoModules = [];
}
