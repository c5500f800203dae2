namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>
    /// Flag lists in one line each, split at single spaces. Wrong ones are among them on purpose: then exit code and error
    /// text are compared.
    /// </summary>
    private static readonly string[] FlagLines =
    [
        "-s", "-w", "-s -w", "-s -w=0", "-w=0", "-w=1 -s=0", "-compressdwarf=false", "-compressdwarf=0 -s", "--s --w", "-s=true -w=T", "-s=F",
        "-buildid=", "-buildid=abc/def", "-B gobuildid", "-B none", "-B 0x0123456789abcdef0123456789abcdef01234567", "-B 0xab", "-B=0xabc",
        "-B 0xzz", "-B xyz", "-B gobuildid -buildid=abc",
        "-T 0x600000", "-T=0x401000", "-T 4259840", "-T 0x10000", "-T 0x123456", "-T 0x800000000", "-R 0x1000", "-R 0x10000", "-R 0x200000",
        "-R 4096 -T 0x500000", "-D 0x10000000", "-D 0x1900000 -T 0x600000", "-E main.main", "-E _rt0_amd64_linux", "-E no.such.symbol",
        "-H linux", "-H=linux", "-H nosuch", "-d", "-d=false", "-I /lib/odd/ld.so", "-r /opt/lib:/usr/odd", "-bindnow",
        "-bindnow -I /x", "-linkmode=internal", "-linkmode=auto", "-linkmode=nosuch", "-buildmode=nosuch",
        "-X main.Version=1", "-X=main.Version=x=y", "-X main.Version=", "-X main.Version=1 -X main.Version=2", "-X main.NoSuch=1",
        "-X no/such/package.Var=1", "-X main.errMissing=1", "-X main.Version", "-X runtime.buildVersion=odd", "-X time.localLoc=1",
        "-checklinkname=0", "-checklinkname=false -s", "-strictdups=1", "-strictdups=2", "-pruneweakmap=false", "-pruneweakmap=0 -s",
        "-randlayout=1", "-randlayout=42", "-randlayout=1 -s -w", "-funcalign=16", "-funcalign=32", "-funcalign=64", "-funcalign=128",
        "-funcalign=3", "-funcalign=-8", "-funcalign=4096", "-debugtextsize=65536", "-debugtextsize=300000", "-debugtramp=1", "-debugtramp=2",
        "-a", "-n", "-f", "-g", "-h", "-e", "-c", "-k=main.Version", "-L .", "-L /no/such -L .", "-installsuffix=odd", "-extld=no-such-cc",
        "-extldflags=-static", "-extar=no-such-ar", "-libgcc=none", "-tmpdir=/no/such/folder", "-macos 12.0 -macsdk 12.0", "-aslr=false",
        "-debugnosplit", "-fipso @SIDE@", "-fipso /no/such/folder/x", "-capturehostobjs @SIDE@.d", "-memprofilerate=0",
        "-importcfg /no/such/importcfg", "-nosuchflag", "-nosuchflag=1", "-s=maybe", "-T notanumber", "-funcalign", "-T 0x99999999999999999999",
        "-debugtramp=x", "-strictdups=3", "-dumpdep -s -w",
    ];

    /// <summary>Flags that take an external linker.</summary>
    private static readonly string[] SanitizerFlagLines = ["-msan", "-asan"];

    /// <summary>Flags whose text goes to the user and changes from run to run (times, addresses): only bytes are compared.</summary>
    private static readonly string[] FlagLinesWithOwnText = ["-v", "-benchmark=cpu", "-benchmark=mem"];

    /// <summary>Flags that matter more, tried on more programs.</summary>
    private static readonly string[] DeepFlagLines =
    [
        "-s", "-w", "-s -w", "-compressdwarf=false", "-B gobuildid", "-B none", "-T 0x600000", "-R 0x10000", "-D 0x10000000", "-strictdups=2",
        "-checklinkname=0", "-pruneweakmap=false", "-randlayout=1", "-randlayout=99 -s", "-funcalign=64", "-debugtextsize=65536", "-debugtramp=2",
        "-c", "-dumpdep", "-fipso @SIDE@", "-bindnow", "-r /opt/lib", "-I /lib/odd/ld.so", "-X runtime.buildVersion=odd",
    ];

    private void AddFlags()
    {
        foreach (string line in FlagLines.Concat(SanitizerFlagLines))
        {
            AddFlag("flags", "hello", DeepFlagLines.Contains(line) ? Tier.Ci : NewestInCi, line, () => _programs[Module + "hello"]);
        }

        foreach (string line in FlagLinesWithOwnText)
        {
            Add("flags", line, NewestInCi, () => _subject.SameAsReference(_toolchain, _programs[Module + "hello"], line.Split(' '), texts: false));
        }

        foreach (string line in FlagLines)
        {
            AddFlag("flags", "server", Tier.All, line, () => _programs[Module + "server"]);
        }

        foreach (string program in (string[])["dynimport", "dwarf", "assembly", "linknames", "gcdata"])
        {
            foreach (string line in DeepFlagLines)
            {
                AddFlag("flags", program, program == "dynimport" ? NewestInCi : Tier.All, line, () => _programs[Module + program]);
            }
        }

        foreach (string line in DeepFlagLines)
        {
            AddFlag("flags", "pie hello", NewestInCi, line, () => Pie("hello"));
            AddFlag("flags", "pie dynimport", Tier.All, line, () => Pie("dynimport"));
            AddFlag("flags", "pie server", Tier.All, line, () => Pie("server"));
        }

        AddFlag("flags", "dynimport", Tier.Ci, "-d", () => _programs[Module + "dynimport"]);
        AddFlag("flags", "pie hello", NewestInCi, "-d", () => Pie("hello"));
        AddFlag("flags", "gcdata", Tier.All, "-T 0x70000000", () => _programs[Module + "gcdata"]);
        // The headers in front of the text would begin below zero.
        AddFlag("flags", "hello", Tier.All, "-T 0", () => _programs[Module + "hello"]);
        AddFlag("flags", "hello", Tier.All, "-T -5", () => _programs[Module + "hello"]);
        Add("flags", "-X with 100,000 letters", Tier.Ci, () =>
            _subject.SameAsReference(_toolchain, _programs[Module + "server"], ["-X", "main.Version=" + new string('x', 100_000)]));
        Add("flags", "-X with line breaks and Unicode", Tier.Ci, () =>
            _subject.SameAsReference(_toolchain, _programs[Module + "server"], ["-X", "main.Version=a\nb\t\"ü\" 世界 \\"]));
        AddFieldTracking();
        AddResponseFiles();
        AddRefusals();
    }

    private void AddFlag(string group, string program, Tier tier, string line, Func<LinkStep> step) =>
        Add(group, $"{program} {line}", tier, () => _subject.SameAsReference(_toolchain, step(), line.Split(' ')));

    /// <summary>-k needs objects compiled with GOEXPERIMENT=fieldtrack.</summary>
    private void AddFieldTracking()
    {
        CaptureSet set = new(
            _toolchain, "build", ["./types", "./hello"], Settings.Programs,
            new Dictionary<string, string> { ["GOEXPERIMENT"] = "fieldtrack" }, CaptureSet.Stamp(Settings.Programs));
        foreach (string line in (string[])["-k=main.tracked", "-s"])
        {
            AddFlag("flags", "fieldtrack types", Tier.All, line, () => set[Module + "types"]);
        }
    }

    /// <summary>Long command lines come in files, in the syntax of the release.</summary>
    private void AddResponseFiles()
    {
        foreach (string value in (string[])["plain", "with spaces", "\"quoted\" 'single' \\ back $dollar `tick`", "two\nlines", ""])
        {
            Add("flags", $"response file, {value.Replace("\n", "\\n", StringComparison.Ordinal)}", Tier.Ci, () => FromResponseFile(["-X", "main.Version=" + value]));
        }

        Add("flags", "response file that is not there", Tier.Ci, () =>
            _subject.SameAsReference(_toolchain, _programs[Module + "hello"], ["@/no/such/file"]));
    }

    private void FromResponseFile(string[] flags)
    {
        LinkStep step = _programs[Module + "server"];
        string folder = Settings.NewTemporaryFolder();
        try
        {
            string file = Path.Combine(folder, "arguments");
            string expected = Path.Combine(folder, "expected");
            string actual = Path.Combine(folder, "actual");
            CommandResult want = Link([step.Tool], expected);
            Check.That(want.ExitCode == 0, "the reference linker does not take the response file: " + want.ErrorText);
            CommandResult got = Link(_subject.Linker, actual);
            Check.That(got.ExitCode == 0, $"exit {got.ExitCode}\n{got.ErrorText}");
            string report = ByteReport.Compare(expected, actual);
            Check.That(report.Length == 0, report);

            CommandResult Link(IReadOnlyList<string> linker, string output)
            {
                File.WriteAllText(file, ResponseFile.Format(_release, step.CommandLine(output, flags)));
                return Command.Run(linker, ["@" + file], step.Environment);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>
    /// What comes with later work is refused in clear words (exit 2, no file), or done as the reference linker does it;
    /// never anything between.
    /// </summary>
    private void AddRefusals()
    {
        string[] lines =
        [
            "-buildmode=plugin", "-linkshared",
            "-race", "-H windows", "-H darwin", "-H plan9", "-memprofile=@SIDE@", "-cpuprofile=@SIDE@",
            .. _release is "1.25" or "1.24" ? (string[])[] : ["-D 0x480000"],
        ];
        foreach (string line in lines)
        {
            AddBeyond("refusals", line, NewestInCi, () =>
            {
                LinkStep step = _programs[Module + "hello"];
                LinkOutcome outcome = Replay.Outcome(step, _subject.Linker, line.Split(' '));
                if (outcome.ExitCode == 0)
                {
                    _subject.SameAsReference(_toolchain, step, line.Split(' '));
                    return;
                }

                Check.That(outcome.ExitCode == 2, $"exit {outcome.ExitCode}, expected 2\n{outcome.Error}");
                Check.That(outcome.Hash is null, "an output file is left behind");
                Check.That(outcome.Error.Contains("not supported yet", StringComparison.Ordinal), $"the error does not say \"not supported yet\":\n{Command.Tail(outcome.Error, 1500)}");
            });
        }
    }
}
