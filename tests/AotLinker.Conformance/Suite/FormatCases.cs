using System.Text.RegularExpressions;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Flags that mean something to Mach-O, or that its port takes in its own way.</summary>
    private static readonly string[] MachOFlagLines =
    [
        "-macos 12.0 -macsdk 12.3.1", "-macos=13", "-macos 10.15", "-macsdk 14.2", "-macos x.y", "-macos 1.2.3.4", "-macos 99999.1",
        "-macsdk 12.1000", "-B 0x0123456789abcdef0123456789abcdef", "-B none -s -w", "-B gobuildid -buildid=", "-buildid= -B none",
        "-buildmode=exe", "-buildmode=pie", "-compressdwarf=0 -w", "-w -s=0", "-H darwin", "-T 0x100010000", "-T 0x100002000 -R 0x4000", "-T 0x1002000",
        "-R 0x4000", "-D 0x110000000", "-D 0x3000000", "-randlayout=7 -compressdwarf=0",
    ];

    /// <summary>The same for PE.</summary>
    private static readonly string[] PeFlagLines =
    [
        "-H windowsgui", "-H windowsgui -s -w", "-H windows", "-aslr=true", "-aslr=0 -s -w", "-buildmode=exe", "-buildmode=exe -s -w",
        "-buildmode=exe -aslr=false", "-buildmode=pie", "-buildmode=pie -compressdwarf=0", "-buildmode=exe -H windowsgui", "-w -s=0",
        "-T 0x140002000", "-T 0x402000", "-T 0x140001000 -R 0x1000", "-R 0x2000", "-D 0x150000000", "-D 0x2000000", "-randlayout=7 -compressdwarf=0",
    ];

    /// <summary>The same for XCOFF.</summary>
    private static readonly string[] XcoffFlagLines =
    [
        "-H aix", "-T 0x100001000", "-T 0x100010000 -R 0x1000", "-R 0x1000", "-D 0x120000000", "-buildmode=exe", "-w -s=0",
        "-randlayout=7 -s", "-compressdwarf=0 -w",
    ];

    /// <summary>The same for Plan 9.</summary>
    private static readonly string[] Plan9FlagLines =
    [
        "-H plan9", "-8", "-8 -s", "-T 0x2020", "-T 0x200028", "-T 0x100020 -R 0x100000", "-R 0x2000", "-D 0x2000000", "-buildmode=exe", "-buildmode=pie",
        "-w -s=0", "-randlayout=7 -s",
    ];

    /// <summary>
    /// The ports that are neither ELF nor WebAssembly, in depth: every flag of the linker and those of each format, the large tools,
    /// position-independent and not, objects of the race detector and of cgo.
    /// </summary>
    private void AddFormats()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        foreach (Port port in Port.All.Where(port => port.HasOwnFormat && port.IsOf(_release)))
        {
            CaptureSet hello = Built(["./hello"], []);
            CaptureSet server = Built(["./server"], []);
            string[] own = OwnFlagLines(port.Os);
            foreach (string line in FlagLines.Union(own))
            {
                Flags($"{port}: hello {line}", line, () => hello[Module + "hello"]);
            }

            foreach (string line in FlagLinesWithOwnText)
            {
                Add("formats", $"{port}: hello {line}", Tier.All, () =>
                    _subject.SameAsReference(_toolchain, hello[Module + "hello"], line.Split(' '), texts: false));
            }

            foreach (string line in DeepFlagLines.Union(own))
            {
                Flags($"{port}: server {line}", line, () => server[Module + "server"]);
            }

            foreach (string mode in port.HasPie ? ["pie", "exe"] : (string[])["exe"])
            {
                // The go command takes one program at a time with -buildmode=exe.
                foreach (string program in (string[])["hello", "server"])
                {
                    CaptureSet built = Built([$"-buildmode={mode}", "./" + program], []);
                    foreach (string[] flags in (string[][])[[], ["-s", "-w"], ["-compressdwarf=false"]])
                    {
                        string name = string.Join(' ', (string[])[$"{port}: {program} ({mode})", .. flags]);
                        Add("formats", name, Tier.All, () => _subject.SameAsReference(_toolchain, built[Module + program], flags));
                    }
                }
            }

            foreach (string tool in (string[])["cmd/compile", "cmd/go"])
            {
                CaptureSet tools = new(_toolchain, "build", [tool], Source, For(port, []));
                foreach (string line in (string[])["", "-s -w", "-w", "-compressdwarf=false"])
                {
                    Add("formats", $"{port}: {tool} {line}".TrimEnd(), Tier.All, () =>
                        _subject.SameAsReference(_toolchain, tools[tool], line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
                }
            }

            AddCompiledObjects(port);

            CaptureSet Built(string[] arguments, Dictionary<string, string> environment) =>
                new(_toolchain, "build", arguments, Settings.Programs, For(port, environment), stamp);
        }

        // -D below the end of read-only data, which lies elsewhere on each port, is refused: cmd/link leaves data out there.
        void Flags(string name, string line, Func<LinkStep> step) => Add("formats", name, Tier.All, () =>
        {
            string[] flags = line.Split(' ');
            if (flags.Contains("-D") && Replay.Outcome(step(), _subject.Linker, flags) is { ExitCode: 2, Hash: null } refused &&
                refused.Error.Contains("not supported yet", StringComparison.Ordinal))
            {
                return;
            }

            LinkOutcome want = Reference.Of(_toolchain, step(), flags);
            if (want.Error.Contains("\ngoroutine ", StringComparison.Ordinal))
            {
                // cmd/link ends with a stack trace, for instance where -pruneweakmap=false meets trampolines.
                LinkOutcome got = Replay.Outcome(step(), _subject.Linker, flags);
                Check.That(_subject.IsReference || (got.ExitCode == 2 && got.Hash is null && got.Error.Length > 0), $"exit {got.ExitCode}\n{got.Error}");
                return;
            }

            // cmd/link ends with the first such error that one of its threads meets; with text far from the image there are many.
            bool isAnyOfMany = want.ExitCode != 0 && want.Error.Contains(" is too big: ", StringComparison.Ordinal);
            _subject.SameAsReference(_toolchain, step(), flags, texts: !isAnyOfMany);
            if (isAnyOfMany)
            {
                string[] forms = Forms(want.Error);
                string[] ours = Forms(Replay.Outcome(step(), _subject.Linker, flags).Error);
                Check.That(forms.Intersect(ours).Any(), $"errors read\n{string.Join('\n', ours)}\nwhere cmd/link's read\n{string.Join('\n', forms)}");
            }
        });

        // How errors about addresses read, without the symbols they name.
        static string[] Forms(string text) =>
        [
            .. text.Split('\n').Where(line => line.Contains(" is too big: ", StringComparison.Ordinal)).Select(line => Form().Replace(line, "…")).Distinct(),
        ];

        // The race detector's object for macOS, which on Windows takes an external linker; cgo with mingw-w64, whose objects and libraries
        // are linked as well.
        void AddCompiledObjects(Port port)
        {
            if (port.Os == "darwin")
            {
                Programs(port, "-race", ["-race", "./hello", "./concurrency"], [], ["hello", "concurrency"]);
            }
            else if (port is { Os: "windows", Cpu: "amd64" or "386" })
            {
                string compiler = port.Cpu == "amd64" ? "x86_64-w64-mingw32-gcc" : "i686-w64-mingw32-gcc";
                if (Host.Find(compiler) is not { } found)
                {
                    Console.Error.WriteLine($"{port}: cgo is not compared (there is no {compiler})");
                    return;
                }

                Dictionary<string, string> environment = new() { ["CGO_ENABLED"] = "1", ["CC"] = found };
                Programs(port, "cgo", ["./hello", "./server"], environment, ["hello", "server"]);
            }
        }

        void Programs(Port port, string what, string[] arguments, Dictionary<string, string> environment, string[] programs)
        {
            CaptureSet set = new(_toolchain, "build", arguments, Settings.Programs, For(port, environment), stamp);
            foreach (string program in programs)
            {
                foreach (string line in (string[])["", "-s -w", "-compressdwarf=false"])
                {
                    Add("formats", $"{port}: {program}, {what} {line}".TrimEnd(), Tier.All, () =>
                        _subject.SameAsReference(_toolchain, set[Module + program], line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
                }
            }
        }
    }

    [GeneratedRegex("^.*?(?=: (non-)?pc-relative )|(?<= address for ).*(?= is too big: )|-?0x[0-9a-f]+")]
    private static partial Regex Form();

    private static string[] OwnFlagLines(string os) => os switch
    {
        "darwin" => MachOFlagLines,
        "windows" => PeFlagLines,
        "aix" => XcoffFlagLines,
        _ => Plan9FlagLines,
    };
}
