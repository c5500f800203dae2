namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Group of the cases that the README's table of ports is made from.</summary>
    public const string PortGroup = "ports";

    /// <summary>Flags that change the output's form, each tried on every port.</summary>
    private static readonly string[][] PortFlags =
        [["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-randlayout=5"], ["-buildid=x"], ["-X", "runtime.buildVersion=go0"]];

    /// <summary>Standard packages whose test binaries are linked for every CPU before the others: large ones, and one from each corner.</summary>
    private static readonly string[] PortPackages =
    [
        "net/http", "go/types", "reflect", "runtime", "crypto/tls", "encoding/json", "text/template", "os", "database/sql", "strings", "sort",
        "regexp", "math/big", "time",
    ];

    /// <summary>Every other port: one program in every run, the rest in the full one.</summary>
    private void AddPorts()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        foreach (Port port in Port.All.Where(port => port.IsOf(_release)))
        {
            CaptureSet hello = Builds(port, ["./hello"], []);
            LinkStep Hello() => hello[Module + "hello"];
            Tier always = _newest || port.IsSample ? Tier.Ci : Tier.All;
            Add(PortGroup, $"{port}: hello", port.IsMixed ? Tier.All : always, () => SameAndEmulated(Hello(), port));
            if (port.IsMixed)
            {
                // Half of what hello takes is to compile what it imports.
                CaptureSet minimal = Builds(port, ["./minimal"], []);
                Add(PortGroup, $"{port}: minimal", always, () => SameAndEmulated(minimal[Module + "minimal"], port));
            }

            AddBeyond("explain", $"{port}: hello: sizes", Tier.All, () => SizesAddUp(Hello(), []));

            CaptureSet programs = Builds(port, ["./server", "./types", "./panics", "./dwarf", "./generics", "./maps"], []);
            foreach (string program in (string[])["server", "types", "panics", "dwarf", "generics", "maps"])
            {
                Add(PortGroup, $"{port}: {program}", Tier.All, () => SameAndEmulated(programs[Module + program], port));
            }

            foreach (string[] flags in PortFlags)
            {
                string name = string.Join(' ', flags);
                Add(PortGroup, $"{port}: hello {name}", Tier.All, () => _subject.SameAsReference(_toolchain, Hello(), flags));
                Add(PortGroup, $"{port}: server {name}", Tier.All, () => _subject.SameAsReference(_toolchain, programs[Module + "server"], flags));
            }

            foreach (string[] flags in port.OwnFlags)
            {
                Add(PortGroup, $"{port}: hello {string.Join(' ', flags)}", Tier.All, () => _subject.SameAsReference(_toolchain, Hello(), flags));
            }

            if (port.HasTrampolines)
            {
                Tier often = _newest && port.IsDeep ? Tier.Ci : Tier.All;
                Add(PortGroup, $"{port}: hello -debugtramp=2", often, () => _subject.SameAsReference(_toolchain, Hello(), ["-debugtramp=2"]));
                foreach (string[] flags in (string[][])[["-debugtramp=1"], ["-debugtramp=2"], ["-debugtextsize=65536"], ["-debugtramp=2", "-debugtextsize=300000"]])
                {
                    Add(PortGroup, $"{port}: server {string.Join(' ', flags)}", Tier.All, () => _subject.SameAsReference(_toolchain, programs[Module + "server"], flags));
                }
            }

            if (port.HasPie && string.CompareOrdinal(_release, port.PieSince) >= 0)
            {
                CaptureSet helloPie = Builds(port, ["-buildmode=pie", "./hello"], []);
                CaptureSet pie = Builds(port, ["-buildmode=pie", "./server", "./types"], []);
                Add(PortGroup, $"{port}: hello (pie)", port.IsSample ? NewestInCi : Tier.All, () => SameAndInterpreted(helloPie[Module + "hello"], port));
                Add(PortGroup, $"{port}: server (pie)", Tier.All, () => SameAndInterpreted(pie[Module + "server"], port));
                Add(PortGroup, $"{port}: types (pie)", Tier.All, () => SameAndInterpreted(pie[Module + "types"], port));
                Add(PortGroup, $"{port}: server (pie) -s -w", Tier.All, () => _subject.SameAsReference(_toolchain, pie[Module + "server"], ["-s", "-w"]));
                if (port.HasExe)
                {
                    CaptureSet plain = Builds(port, ["-buildmode=exe", "./hello"], []);
                    Add(PortGroup, $"{port}: hello (exe)", Tier.All, () => SameAndEmulated(plain[Module + "hello"], port));
                }
            }

            if (port is { Os: "linux", Cpu: "arm64" or "riscv64" or "loong64" or "mips64" or "mips64le" })
            {
                AddImports(port);
            }

            foreach ((string value, string cpu) in port.VariantsOf(_release))
            {
                CaptureSet variant = Builds(port, ["./hello", "./server"], new() { [port.Variable] = value });
                string[] options = cpu.Length == 0 ? [] : ["-cpu", cpu];
                foreach (string program in (string[])["hello", "server"])
                {
                    Add(PortGroup, $"{port}: {program}, {port.Variable}={value}", Tier.All, () => SameAndEmulated(variant[Module + program], port, options));
                }
            }

            if (port.IsDeep)
            {
                AddLargePrograms(port);
            }
        }

        // Functions of shared libraries, called directly and by way of trampolines.
        void AddImports(Port port)
        {
            foreach (string mode in port.HasPie ? ["exe", "pie"] : (string[])["exe"])
            {
                CaptureSet imports = Builds(port, ["-buildmode=" + mode, "./dynimport"], []);
                foreach (string[] flags in (string[][])[[], ["-s", "-w"], ["-debugtramp=2"]])
                {
                    string name = string.Join(' ', (string[])[$"{port}: dynimport ({mode})", .. flags]);
                    Add(PortGroup, name, Tier.All, () => _subject.SameAsReference(_toolchain, imports[Module + "dynimport"], flags));
                }
            }
        }

        // A position-independent program names an interpreter, which an emulator alone doesn't bring.
        void SameAndInterpreted(LinkStep step, Port port)
        {
            string root = Path.Combine(Settings.Sysroots, port.Library);
            if (port.Emulator.Length == 0)
            {
                SameAndEmulated(step, port);
            }
            else if (port.Library.Length != 0 && Directory.Exists(root))
            {
                SameAndEmulated(step, port, "-L", root);
            }
            else
            {
                Subject.FaithfulReplay(_toolchain, step);
                _subject.SameAsReference(_toolchain, step, []);
            }
        }

        CaptureSet Builds(Port port, string[] arguments, Dictionary<string, string> environment) =>
            new(_toolchain, "build", arguments, Settings.Programs, For(port, environment), stamp);
    }

    private void AddLargePrograms(Port port)
    {
        string[] names = ["cmd/gofmt", "cmd/go", "cmd/compile"];
        CaptureSet tools = new(_toolchain, "build", names, Source, For(port, []));
        foreach (string tool in names)
        {
            Large(tool, tools, tool, []);
        }

        Large("cmd/compile", tools, "cmd/compile", ["-s", "-w"]);
        if (port.HasTrampolines)
        {
            Large("cmd/go", tools, "cmd/go", ["-debugtramp=2"]);
            Large("cmd/go", tools, "cmd/go", ["-debugtextsize=1000000"]);
            Large("cmd/go", tools, "cmd/go", ["-debugtramp=2", "-debugtextsize=3000000"]);
        }

        if (port.HasPie && string.CompareOrdinal(_release, port.PieSince) >= 0)
        {
            CaptureSet pie = new(_toolchain, "build", ["-buildmode=pie", "cmd/go"], Source, For(port, []));
            Large("cmd/go (pie)", pie, "cmd/go", []);
        }

        foreach ((string value, _) in port.VariantsOf(_release))
        {
            CaptureSet variant = new(_toolchain, "build", ["cmd/gofmt"], Source, For(port, new() { [port.Variable] = value }));
            Large($"cmd/gofmt, {port.Variable}={value}", variant, "cmd/gofmt", []);
        }

        foreach (string[] packages in (string[][])[PortPackages, [.. ManyPackages.Except(PortPackages)]])
        {
            CaptureSet tests = new(_toolchain, "test", packages, Source, For(port, []));
            foreach (string package in packages)
            {
                Large($"go test -c {package}", tests, package + ".test", []);
            }
        }

        void Large(string name, CaptureSet set, string package, string[] flags) =>
            Add(PortGroup, string.Join(' ', [$"{port}: {name}", .. flags]), Tier.All, () => _subject.SameAsReference(_toolchain, set[package], flags));
    }

    private static Dictionary<string, string> For(Port port, Dictionary<string, string> more) =>
        new(more) { ["GOOS"] = port.Os, ["GOARCH"] = port.Cpu };

    /// <summary>Same bytes; and where the host or an emulator runs such programs, this one ends with 0.</summary>
    private void SameAndEmulated(LinkStep step, Port port, params string[] options)
    {
        Subject.FaithfulReplay(_toolchain, step);
        _subject.SameAsReference(_toolchain, step, []);
        if (port.Os != "linux" || !Host.RunsLinuxAmd64)
        {
            return;
        }

        string[] emulator = [];
        // Debian's qemu-i386 is no help: Go's runtime ends in it with "morestack on gsignal".
        bool inVirtualMachine = port.Cpu == "386" && !Host.RunsLinux386;
        if (inVirtualMachine && !VirtualMachine.IsPrepared)
        {
            Console.Error.WriteLine($"{port}: {step.Name} was compared, not run (this system runs no 32-bit programs; {VirtualMachine.Hint})");
            return;
        }

        if (port.Emulator.Length > 0)
        {
            if (Host.Find("qemu-" + port.Emulator) is not { } found)
            {
                Console.Error.WriteLine($"{port}: {step.Name} was compared, not run (there is no qemu-{port.Emulator})");
                return;
            }

            emulator = [found, .. options];
        }

        InFolder(folder =>
        {
            string program = Path.Combine(folder, "program");
            Replay.Link(step, _subject.Linker, [], program);
            TimeSpan limit = TimeSpan.FromMinutes(3);
            CommandResult run = inVirtualMachine
                ? VirtualMachine.RunLinux(program, [], limit)
                : Command.Run([.. emulator, program], [], new Dictionary<string, string>(), folder, limit: limit);
            Check.That(run.ExitCode == 0, $"the program exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
            if (step.Name.EndsWith("hello", StringComparison.Ordinal))
            {
                Check.SameText("the program's output", "hello, world\n", run.OutputText);
            }
        });
    }
}
