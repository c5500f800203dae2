namespace AotLinker.Conformance.Suite;

/// <summary>All cases of the suite. Each area adds its own; the order is the order of the table.</summary>
internal sealed partial class StandardSuite
{
    /// <summary>Import path of the module in tests/programs.</summary>
    private const string Module = "example.test/programs/";

    /// <summary>Packages of that module that are programs: every folder with a main package.</summary>
    private static readonly string[] Programs =
    [
        .. from folder in Directory.GetDirectories(Settings.Programs, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
           where Directory.GetFiles(folder, "*.go").Any(IsMainFile)
           select Path.GetRelativePath(Settings.Programs, folder).Replace('\\', '/'),
    ];

    /// <summary>The program of that module that brings net/http and all it needs, several times what the others are.</summary>
    private const string Server = "server";

    /// <summary>Tools of the Go tree that every run links, and those of the full run only.</summary>
    private static readonly string[] SmallTools = ["cmd/gofmt", "cmd/go"];

    /// <summary>Standard packages whose test binaries every run links.</summary>
    private static readonly string[] FewPackages = ["strings", "encoding/json", "reflect"];

    /// <summary>Standard packages whose test binaries the full run links.</summary>
    private static readonly string[] ManyPackages =
    [
        .. FewPackages,
        "sort", "regexp", "text/template", "math/big", "errors", "sync/atomic",
        "archive/tar", "archive/zip", "bufio", "bytes", "compress/flate", "compress/gzip", "container/heap", "container/list", "context",
        "crypto/aes", "crypto/ecdsa", "crypto/sha256", "crypto/tls", "crypto/x509", "database/sql", "debug/dwarf", "debug/elf", "embed",
        "encoding/base64", "encoding/binary", "encoding/gob", "encoding/xml", "expvar", "flag", "fmt", "go/ast", "go/constant", "go/parser",
        "go/types", "hash/crc32", "hash/maphash", "html/template", "image/png", "internal/abi", "io", "io/fs", "iter", "log", "log/slog",
        "maps", "math", "math/bits", "math/cmplx", "math/rand", "mime/multipart", "net", "net/http", "net/netip", "net/url", "os", "os/exec",
        "path/filepath", "runtime", "runtime/debug", "runtime/pprof", "runtime/trace", "slices", "strconv", "sync", "syscall", "testing",
        "testing/fstest", "text/scanner", "time", "unicode/utf8", "unique",
    ];

    /// <summary>Standard packages that are tested with our linker, few and many.</summary>
    private static readonly string[] FewTested = ["strings", "sort", "errors", "encoding/json", "reflect"];

    private static readonly string[] ManyTested =
    [
        .. FewTested,
        "bufio", "bytes", "compress/flate", "container/list", "context", "crypto/sha256", "debug/elf", "debug/gosym", "encoding/binary",
        "encoding/gob", "encoding/xml", "fmt", "go/parser", "hash/crc32", "html/template", "io", "log/slog", "maps", "math", "math/big",
        "net/url", "path/filepath", "regexp", "slices", "strconv", "sync", "sync/atomic", "text/template", "time", "unique",
    ];

    private readonly List<Case> _cases = [];
    private readonly Toolchain _toolchain;
    private readonly Subject _subject;
    private readonly bool _newest;
    private readonly int _age;
    private readonly string _release;
    private readonly CaptureSet _programs;
    private readonly CaptureSet _piePrograms;
    private readonly CaptureSet _pieServer;
    private readonly CaptureSet _smallTools;

    private StandardSuite(Toolchain toolchain, Subject subject, int age)
    {
        bool newest = age == 0;
        _toolchain = toolchain;
        _subject = subject;
        _newest = newest;
        _age = age;
        _release = toolchain.Release;
        string stamp = CaptureSet.Stamp(Settings.Programs);
        _programs = new CaptureSet(toolchain, "build", ["./..."], Settings.Programs, null, stamp);
        _piePrograms = new CaptureSet(
            toolchain, "build", ["-buildmode=pie", .. Programs.Where(program => program != Server).Select(program => "./" + program)],
            Settings.Programs, null, stamp);
        _pieServer = new CaptureSet(toolchain, "build", ["-buildmode=pie", "./" + Server], Settings.Programs, null, stamp);
        _smallTools = new CaptureSet(toolchain, "build", newest ? SmallTools : SmallTools[..1], Source);
    }

    private string Source => Path.Combine(_toolchain.Goroot, "src");

    /// <summary>
    /// Cases for one release. The newest one is tested in more depth in every run; of those older than the one before, every run has a few.
    /// </summary>
    /// <param name="toolchain">The release.</param>
    /// <param name="subject">The linker that is tested.</param>
    /// <param name="age">How many releases are newer.</param>
    public static IReadOnlyList<Case> Cases(Toolchain toolchain, Subject subject, int age)
    {
        StandardSuite suite = new(toolchain, subject, age);
        suite.AddPrograms();
        suite.AddTools();
        suite.AddTestBinaries();
        suite.AddVariants();
        suite.AddFlags();
        suite.AddDependencies();
        suite.AddExplain();
        suite.AddThreads();
        suite.AddPorts();
        suite.AddFormats();
        suite.AddReaders();
        suite.AddWinePrograms();
        suite.AddFormatErrors();
        suite.AddHostObjects();
        suite.AddExternal();
        suite.AddExternalPorts();
        suite.AddExternalWindows();
        suite.AddExternalMac();
        suite.AddExternalAix();
        suite.AddWasm();
        suite.AddErrors();
        suite.AddMapping();
        suite.AddFaults();
        suite.AddHosts();
        suite.AddWaysIn();
        suite.AddGoTests();
        suite.AddKubernetes();
        return suite._cases;
    }

    private void Add(string group, string name, Tier tier, Action body) =>
        _cases.Add(new Case(group, name, _release, _age > 1 && !IsSample(group, name) ? Tier.All : tier, body));

    /// <summary>
    /// Whether a case that every run has for newer releases is also one of the few for older ones; the oldest only have some that no large
    /// program must be compiled for.
    /// </summary>
    private bool IsSample(string group, string name) => _age > 2
        ? (group == "variants" && name.StartsWith("-trimpath:", StringComparison.Ordinal))
            || (group == "ways in" && name == "-V and -V=full through -toolexec")
        : group is "programs" or "errors"
        || (group == "flags" && name is "hello -s -w" or "hello -compressdwarf=false" or "hello -debugtextsize=65536" or "hello -c")
        || (group == "-dumpdep" && name == "types")
        || (group == "ways in" && name == "-V and -V=full through -toolexec");

    /// <summary>Adds a case that asks more than cmd/link itself can show.</summary>
    private void AddBeyond(string group, string name, Tier tier, Action body)
    {
        if (!_subject.IsReference)
        {
            Add(group, name, tier, body);
        }
    }

    /// <summary>An experiment switched off that the release has on.</summary>
    private string OtherExperiment => HasDwarf5 ? "nodwarf5" : "nospinbitmutex";

    private bool HasDwarf5 => string.CompareOrdinal(_release, "1.25") >= 0;

    /// <summary>A tier that only the newest release has in every run.</summary>
    private Tier NewestInCi => _newest ? Tier.Ci : Tier.All;

    /// <summary>A program of the module, built position-independent.</summary>
    private LinkStep Pie(string program) => (program == Server ? _pieServer : _piePrograms)[Module + program];

    private void AddPrograms()
    {
        foreach (string program in Programs)
        {
            Add("programs", program, Tier.Ci, () => SameAndRuns(_programs[Module + program]));
        }

        foreach (string program in Programs)
        {
            Add("pie", program, program == Server ? Tier.All : NewestInCi, () => SameAndRuns(Pie(program)));
        }

        Lazy<CaptureSet> large = new(() => Large([]));
        Add("programs", "large (generated)", NewestInCi, () => SameAndRuns(large.Value["example.test/large"]));
        Lazy<CaptureSet> largePie = new(() => Large(["-buildmode=pie"]));
        Add("pie", "large (generated)", Tier.All, () => SameAndRuns(largePie.Value["example.test/large"]));
    }

    private CaptureSet Large(string[] flags)
    {
        string module = GeneratedProgram.Write();
        return new CaptureSet(_toolchain, "build", [.. flags, "."], module, null, CaptureSet.Stamp(module));
    }

    private void SameAndRuns(LinkStep step)
    {
        Subject.FaithfulReplay(_toolchain, step);
        _subject.SameAsReference(_toolchain, step, []);
        _subject.LinkAndRun(step, []);
    }

    private void AddTools()
    {
        string[] small = _newest ? SmallTools : SmallTools[..1];
        foreach (string tool in small)
        {
            Add("tools", tool, Tier.Ci, () => Tool(_smallTools[tool]));
        }

        CaptureSet all = new(_toolchain, "build", ["cmd/..."], Source);
        foreach (string tool in OtherTools(small))
        {
            Add("tools", tool, Tier.All, () => Tool(all[tool]));
        }

        CaptureSet pie = new(_toolchain, "build", ["-buildmode=pie", "cmd/go", "cmd/vet"], Source);
        foreach (string tool in (string[])["cmd/go", "cmd/vet"])
        {
            Add("tools", tool + " (pie)", Tier.All, () => Tool(pie[tool]));
        }

        void Tool(LinkStep step)
        {
            Subject.FaithfulReplay(_toolchain, step);
            _subject.SameAsReference(_toolchain, step, []);
            Starts(step);
        }
    }

    /// <summary>Main packages in the cmd tree of the toolchain, as far as there is a folder with a main package for them.</summary>
    private IEnumerable<string> OtherTools(string[] known) =>
        from folder in Directory.GetDirectories(Path.Combine(Source, "cmd")).Order(StringComparer.Ordinal)
        let path = "cmd/" + Path.GetFileName(folder)
        where !known.Contains(path) && Directory.GetFiles(folder, "*.go").Any(IsMainFile)
        select path;

    private static bool IsMainFile(string file)
    {
        string[] lines = File.ReadAllLines(file);
        return !file.EndsWith("_test.go", StringComparison.Ordinal) && lines.Contains("package main") &&
            !lines.Contains("//go:build ignore") && !lines.Contains("//go:build tools");
    }

    /// <summary>The linked tool answers a wrong flag with its usage text: it starts, initialises and ends by itself.</summary>
    private void Starts(LinkStep step)
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        string folder = Settings.NewTemporaryFolder();
        try
        {
            string program = Path.Combine(folder, "program");
            Replay.Link(step, _subject.Linker, [], program);
            CommandResult run = Command.Run([program], ["-h"], _toolchain.Environment(), folder, limit: TimeSpan.FromMinutes(1));
            Check.That(run.ExitCode is >= 0 and <= 2 && run.Output.Length + run.Error.Length > 0,
                $"{step.Name} -h exits with {run.ExitCode}\n{Command.Tail(run.ErrorText, 1500)}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void AddTestBinaries()
    {
        string[] few = _newest ? FewPackages : FewPackages[..2];
        CaptureSet fewSet = new(_toolchain, "test", few, Source);
        // The go command makes no two test binaries of one name at once: text/template and html/template are in different builds.
        string[] first = [.. PortPackages.Except(few)];
        string[] others = [.. ManyPackages.Except(few).Except(first)];
        CaptureSet firstSet = new(_toolchain, "test", first, Source);
        CaptureSet otherSet = new(_toolchain, "test", others, Source);
        foreach (string package in few)
        {
            Add("go test -c", package, Tier.Ci, () => TestBinary(package, fewSet[package + ".test"]));
        }

        foreach (string package in ManyPackages.Except(few))
        {
            CaptureSet set = first.Contains(package) ? firstSet : otherSet;
            Add("go test -c", package, Tier.All, () => TestBinary(package, set[package + ".test"]));
        }

        void TestBinary(string package, LinkStep step)
        {
            _subject.SameAsReference(_toolchain, step, []);
            _subject.LinkAndRun(step, ["-test.list=^$"], Path.Combine(Source, package));
        }
    }

    /// <summary>The same sources compiled in other ways.</summary>
    private void AddVariants()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        string[] usual = ["hello", "dwarf", "generics", "panics"];
        if (HasDwarf5)
        {
            Variant("DWARF 4", NewestInCi, ["./hello", "./dwarf"], new() { ["GOEXPERIMENT"] = "nodwarf5" }, ["hello", "dwarf"]);
            Variant("DWARF 4, all", Tier.All, ["./..."], new() { ["GOEXPERIMENT"] = "nodwarf5" }, Programs);
        }

        Variant("-trimpath", _age > 2 ? Tier.Ci : NewestInCi, ["-trimpath", "./hello", "./dwarf"], [], ["hello", "dwarf"]);
        Variant("not optimised", Tier.All, ["-gcflags=all=-N -l", "./hello", "./dwarf", "./generics", "./panics"], [], usual);
        Variant("GOAMD64=v3", Tier.All, ["./hello", "./server", "./maps"], new() { ["GOAMD64"] = "v3" }, ["hello", "server", "maps"]);
        Variant("-cover", Tier.All, ["-cover", "-coverpkg=./...,fmt,strings", "./hello", "./generics"], [], ["hello", "generics"]);
        Variant("inlining off", Tier.All, ["-gcflags=all=-l", "./hello", "./server"], [], ["hello", "server"]);
        Variant("no compiler DWARF", Tier.All, ["-gcflags=all=-dwarf=0", "./hello"], [], ["hello"]);
        Variant("netgo, osusergo", Tier.All, ["-tags=netgo,osusergo,timetzdata", "./server"], [], ["server"]);
        Variant("-ldflags of go build", Tier.All, ["-ldflags=-s -w -X 'main.Version=1 2'", "./server"], [], ["server"]);
        if (_release is "1.25" or "1.24")
        {
            Variant("maps of buckets", Tier.All, ["./maps", "./dwarf", "./server"], new() { ["GOEXPERIMENT"] = "noswissmap" }, ["maps", "dwarf", "server"]);
        }

        Variant("FIPS 140 latest", Tier.All, ["./server"], new() { ["GOFIPS140"] = "latest" }, ["server"]);
        Variant("FIPS 140 latest, pie", Tier.All, ["-buildmode=pie", "./server"], new() { ["GOFIPS140"] = "latest" }, ["server"]);

        void Variant(string name, Tier tier, string[] arguments, Dictionary<string, string> environment, string[] programs)
        {
            CaptureSet set = new(_toolchain, "build", arguments, Settings.Programs, environment, stamp);
            foreach (string program in programs)
            {
                Add("variants", $"{name}: {program}", tier, () => SameAndRuns(set[Module + program]));
            }
        }
    }

    /// <summary>The text of -dumpdep: why each symbol is reachable.</summary>
    private void AddDependencies()
    {
        string[] often = ["hello", "types", "server", "methods/byname", "methods/constant", "methods/none", "linknames"];
        foreach (string program in Programs)
        {
            Tier tier = often.Contains(program) ? Tier.Ci : Tier.All;
            Add("-dumpdep", program, tier, () => _subject.SameAsReference(_toolchain, _programs[Module + program], ["-dumpdep"]));
        }

        foreach (string tool in _newest ? SmallTools : SmallTools[..1])
        {
            Add("-dumpdep", tool, Tier.All, () => _subject.SameAsReference(_toolchain, _smallTools[tool], ["-dumpdep"]));
        }
    }

    /// <summary>Neither the number of threads nor the order of work may show in the bytes.</summary>
    private void AddThreads()
    {
        Steps(Tier.Ci, "server", () => _programs[Module + "server"]);
        Steps(Tier.Ci, "dwarf", () => _programs[Module + "dwarf"]);
        Steps(Tier.All, "server pie", () => Pie("server"));
        Steps(Tier.All, "gofmt", () => _smallTools["cmd/gofmt"]);
        if (_newest)
        {
            Steps(Tier.All, "cmd/go", () => _smallTools["cmd/go"]);
        }

        void Steps(Tier tier, string name, Func<LinkStep> step)
        {
            foreach (string threads in (string[])["1", "2", "16"])
            {
                Add("threads", $"{name}, {threads} threads", tier, () =>
                    _subject.SameAsReference(_toolchain, step(), [], new Dictionary<string, string> { ["AOTLINK_THREADS"] = threads }));
            }

            foreach (string seed in (string[])["1", "2", "3"])
            {
                Add("threads", $"{name}, shuffled {seed}", tier, () => _subject.SameAsReference(
                    _toolchain, step(), [], new Dictionary<string, string> { ["AOTLINK_THREADS"] = "4", ["AOTLINK_SHUFFLE"] = seed }));
            }
        }
    }

    /// <summary>kube-apiserver, for each port that scripts/kube-apiserver.sh has captured it for.</summary>
    private void AddKubernetes()
    {
        string captures = Path.Combine(Settings.Captures, _release);
        if (!Directory.Exists(captures))
        {
            return;
        }

        foreach (string folder in Directory.GetDirectories(captures, "kube-apiserver*").Order(StringComparer.Ordinal))
        {
            // kube-apiserver, or kube-apiserver-GOOS-GOARCH.
            string[] port = Path.GetFileName(folder).Split('-')[2..];
            (string group, string name) = port.Length == 0 ? ("kubernetes", "kube-apiserver") : (PortGroup, $"{string.Join('/', port)}: kube-apiserver");
            foreach (string[] flags in (string[][])[[], ["-s", "-w"], ["-compressdwarf=false"], ["-randlayout=7"]])
            {
                Add(group, string.Join(' ', [name, .. flags]), Tier.All, () =>
                {
                    LinkStep step = LinkStep.Load(folder);
                    Check.That(step.IsComplete(), "object files are gone from the build cache: run scripts/kube-apiserver.sh again");
                    _subject.SameAsReference(_toolchain, step, flags);
                });
            }
        }
    }
}
