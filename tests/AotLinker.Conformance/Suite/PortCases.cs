namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Group of the cases that the README's table of ports is made from.</summary>
    public const string PortGroup = "ports";

    /// <summary>Flags that change the output's form, each tried on every port.</summary>
    private static readonly string[][] PortFlags =
        [["-s"], ["-w"], ["-s", "-w"], ["-compressdwarf=false"], ["-randlayout=5"], ["-buildid=x"], ["-X", "runtime.buildVersion=go0"]];

    /// <summary>Standard packages whose test binaries are linked for every CPU.</summary>
    private static readonly string[] PortPackages =
        ["strings", "sort", "encoding/json", "reflect", "regexp", "math/big", "crypto/tls", "net/http", "text/template", "go/types", "runtime", "time"];

    /// <summary>Every other port: hello in every run, the rest in the full one.</summary>
    private void AddPorts()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        foreach (Port port in Port.All)
        {
            CaptureSet hello = Builds(port, ["./hello"], []);
            LinkStep Hello() => hello[Module + "hello"];
            Add(PortGroup, $"{port}: hello", _newest || port.IsSample ? Tier.Ci : Tier.All, () => SameAndEmulated(Hello(), port));

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
                CaptureSet pie = Builds(port, ["-buildmode=pie", "./hello", "./server", "./types"], []);
                Add(PortGroup, $"{port}: hello (pie)", NewestInCi, () => SameAndStarts(pie[Module + "hello"], port));
                Add(PortGroup, $"{port}: server (pie)", Tier.All, () => SameAndStarts(pie[Module + "server"], port));
                Add(PortGroup, $"{port}: types (pie)", Tier.All, () => SameAndStarts(pie[Module + "types"], port));
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

            foreach (string value in port.Variants.Values)
            {
                CaptureSet variant = Builds(port, ["./hello", "./server"], new() { [port.Variants.Variable] = value });
                foreach (string program in (string[])["hello", "server"])
                {
                    Add(PortGroup, $"{port}: {program}, {port.Variants.Variable}={value}", Tier.All, () => SameAndStarts(variant[Module + program], port));
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

        // A position-independent program names an interpreter, which an emulator alone doesn't bring, nor does it know every variant of its CPU.
        void SameAndStarts(LinkStep step, Port port)
        {
            if (port.Emulator.Length == 0)
            {
                SameAndEmulated(step, port);
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
        CaptureSet tools = new(_toolchain, "build", ["cmd/gofmt", "cmd/go", "cmd/compile"], Source, For(port, []));
        foreach (string tool in (string[])["cmd/gofmt", "cmd/go", "cmd/compile"])
        {
            Add(PortGroup, $"{port}: {tool}", Tier.All, () => _subject.SameAsReference(_toolchain, tools[tool], []));
        }

        Add(PortGroup, $"{port}: cmd/compile -s -w", Tier.All, () => _subject.SameAsReference(_toolchain, tools["cmd/compile"], ["-s", "-w"]));
        CaptureSet tests = new(_toolchain, "test", PortPackages, Source, For(port, []));
        foreach (string package in PortPackages)
        {
            Add(PortGroup, $"{port}: go test -c {package}", Tier.All, () => _subject.SameAsReference(_toolchain, tests[package + ".test"], []));
        }
    }

    private static Dictionary<string, string> For(Port port, Dictionary<string, string> more) =>
        new(more) { ["GOOS"] = port.Os, ["GOARCH"] = port.Cpu };

    /// <summary>Same bytes; and where the host or an emulator runs such programs, this one ends with 0.</summary>
    private void SameAndEmulated(LinkStep step, Port port)
    {
        Subject.FaithfulReplay(_toolchain, step);
        _subject.SameAsReference(_toolchain, step, []);
        if (port.Os != "linux" || !Host.RunsLinuxAmd64)
        {
            return;
        }

        string[] emulator = [];
        if (port.Emulator.Length > 0)
        {
            if (Host.Find("qemu-" + port.Emulator) is not { } found)
            {
                Console.Error.WriteLine($"{port}: {step.Name} was compared, not run (there is no qemu-{port.Emulator})");
                return;
            }

            emulator = [found];
        }

        InFolder(folder =>
        {
            string program = Path.Combine(folder, "program");
            Replay.Link(step, _subject.Linker, [], program);
            CommandResult run = Command.Run([.. emulator, program], [], new Dictionary<string, string>(), folder, limit: TimeSpan.FromMinutes(3));
            Check.That(run.ExitCode == 0, $"the program exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
        });
    }
}
