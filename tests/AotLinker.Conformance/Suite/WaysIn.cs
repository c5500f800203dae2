using System.Text.RegularExpressions;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    private Dictionary<string, string> GoEnvironment(Dictionary<string, string>? more = null)
    {
        Dictionary<string, string> environment = _toolchain.Environment(more);
        environment[Replay.StrictVariable] = "1";
        return environment;
    }

    /// <summary>Every way to put the linker into a build, with the real go command, where its output can be run.</summary>
    private void AddWaysIn()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        Add("ways in", "go build -toolexec", Tier.Ci, () => InFolder(folder =>
        {
            string expected = Build(_toolchain.Go, _toolchain.Environment(), Path.Combine(folder, "expected"), []);
            string actual = Build(_toolchain.Go, GoEnvironment(), Path.Combine(folder, "actual"), [_subject.ToolExecFlag]);
            SameFile(expected, actual);
        }));
        Add("ways in", "go run -toolexec", Tier.Ci, () =>
        {
            CommandResult run = Command.Must([_toolchain.Go, "run", _subject.ToolExecFlag, "./hello"], null, GoEnvironment(), Settings.Programs);
            Check.SameText("output of go run", "hello, world\n", run.OutputText);
        });
        Add("ways in", "go install -toolexec", Tier.Ci, () => InFolder(folder =>
        {
            string bin = Path.Combine(folder, "bin");
            Command.Must([_toolchain.Go, "install", _subject.ToolExecFlag, "./hello"], null, GoEnvironment(new() { ["GOBIN"] = bin }), Settings.Programs);
            string expected = Build(_toolchain.Go, _toolchain.Environment(), Path.Combine(folder, "expected"), []);
            SameFile(expected, Path.Combine(bin, "hello"));
        }));
        Add("ways in", "go test -toolexec", Tier.Ci, () =>
            Command.Must([_toolchain.Go, "test", "-count=1", _subject.ToolExecFlag, "container/list"], null, GoEnvironment(), Source));
        Add("ways in", "go build -ldflags, -toolexec", Tier.Ci, () => InFolder(folder =>
        {
            string[] flags = ["-trimpath", "-ldflags=-s -w -X 'main.Version=1 2'"];
            string expected = Build(_toolchain.Go, _toolchain.Environment(), Path.Combine(folder, "expected"), flags);
            string actual = Build(_toolchain.Go, GoEnvironment(), Path.Combine(folder, "actual"), [.. flags, _subject.ToolExecFlag]);
            SameFile(expected, actual);
        }));
        Add("ways in", "-V and -V=full through -toolexec", Tier.Ci, () =>
        {
            foreach (string experiment in (string[])["", OtherExperiment, "fieldtrack"])
            {
                Dictionary<string, string> environment = _toolchain.Environment(new Dictionary<string, string> { ["GOEXPERIMENT"] = experiment });
                foreach (string flag in (string[])["-V", "-V=full"])
                {
                    CommandResult want = Command.Run([_toolchain.Link, flag], null, environment);
                    CommandResult got = Command.Run(_subject.Exec, [_toolchain.Link, flag], environment);
                    Check.SameText($"{flag} with GOEXPERIMENT={experiment}", want.OutputText, got.OutputText);
                    Check.That(want.ExitCode == got.ExitCode, $"{flag}: exit {got.ExitCode}");
                }
            }
        });
        Add("ways in", "a copy named link in the tool folder", NewestInCi, () => InShadow((folder, go, environment, tool) =>
        {
            File.Delete(tool);
            File.Copy(LinkerFile(), tool);
            UsedByBuild(folder, go, environment, tool);
        }));
        Add("ways in", "a symbolic link named link in the tool folder", NewestInCi, () => InShadow((folder, go, environment, tool) =>
        {
            File.Delete(tool);
            File.CreateSymbolicLink(tool, LinkerFile());
            UsedByBuild(folder, go, environment, tool);
        }));
        AddBeyond("ways in", "install and uninstall", NewestInCi, () => InShadow(InstallAndUninstall));
        AddBeyond("ways in", "uninstall without install is refused", NewestInCi, () => InShadow((folder, _, environment, tool) =>
        {
            string before = Capture.HashFile(tool);
            CommandResult result = Command.Run(_subject.Linker, ["uninstall", "--goroot", Path.Combine(folder, "goroot")], environment);
            Check.That(result.ExitCode != 0, "uninstall succeeds where nothing is installed");
            Check.That(before == Capture.HashFile(tool), "the linker was changed");
        }));
        AddBeyond("ways in", "fall back to the toolchain's linker", NewestInCi, () => InFolder(folder =>
            FallBack(folder, ["-ldflags=-memprofile=" + Path.Combine(folder, "profile"), "./hello"], Settings.Programs)));
    }

    /// <summary>What can't be linked yet goes to the toolchain's own linker, with one line that says so.</summary>
    private void FallBack(string folder, string[] arguments, string workingDirectory)
    {
        Dictionary<string, string> cgo = new() { ["CGO_ENABLED"] = "1" };
        string[] output = ["-o", Path.Combine(folder, "x.a"), .. arguments];
        string[] command = [_toolchain.Go, "build", _subject.ToolExecFlag, .. output];
        CommandResult refused = Command.Run(command, null, GoEnvironment(cgo), workingDirectory);
        CommandResult handed = Command.Run(command, null, _toolchain.Environment(cgo), workingDirectory);
        CommandResult stock = Command.Run([_toolchain.Go, "build", .. output], null, _toolchain.Environment(cgo), workingDirectory);
        Check.That(handed.ExitCode == stock.ExitCode, $"exit {handed.ExitCode}, the toolchain alone {stock.ExitCode}\n{handed.ErrorText}");
        Check.That(handed.ErrorText.Contains("aotlink", StringComparison.Ordinal), $"nothing says that the other linker was used\n{handed.ErrorText}");
        Check.That(refused.ExitCode != 0, $"{Replay.StrictVariable}=1 does not make it an error");
    }

    private void InstallAndUninstall(string folder, string go, Dictionary<string, string> environment, string tool)
    {
        string goroot = Path.Combine(folder, "goroot");
        string before = Capture.HashFile(tool);
        Command.Must(_subject.Linker, ["install", "--goroot", goroot], environment);
        Check.That(Capture.HashFile(tool) != before, "install leaves the old linker in place");
        UsedByBuild(folder, go, environment, tool);
        HandsOver(folder, go, environment);
        CommandResult again = Command.Run(_subject.Linker, ["install", "--goroot", goroot], environment);
        Check.That(Capture.HashFile(tool) != before, $"installing twice undoes it: {again.ErrorText}");
        Command.Must(_subject.Linker, ["uninstall", "--goroot", goroot], environment);
        Check.That(Capture.HashFile(tool) == before, "uninstall does not restore the toolchain's linker");
        string[] left = [.. Directory.GetFiles(Path.GetDirectoryName(tool)!).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        string[] original = [.. Directory.GetFiles(_toolchain.ToolFolder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Check.That(left.SequenceEqual(original), $"files left behind: {string.Join(' ', left.Except(original))}");
    }

    /// <summary>An installed linker knows the one it replaced: a profile of Go's linker can only come from that.</summary>
    private void HandsOver(string folder, string go, Dictionary<string, string> environment)
    {
        string profile = Path.Combine(folder, "profile");
        string[] command = [go, "build", $"-ldflags=-cpuprofile={profile}", "-o", Path.Combine(folder, "handed"), "./hello"];
        CommandResult refused = Command.Run(command, null, environment, Settings.Programs);
        Check.That(refused.ExitCode != 0 && refused.ErrorText.Contains("-cpuprofile is not supported yet", StringComparison.Ordinal), $"{Replay.StrictVariable}=1 does not make it an error: {refused.ErrorText}");
        Check.That(!File.Exists(profile), "a refused link wrote something");
        CommandResult handed = Command.Must(command, null, new Dictionary<string, string>(environment) { [Replay.StrictVariable] = "0" }, Settings.Programs);
        Check.That(File.Exists(profile), "the saved linker was not run");
        string[] lines = [.. handed.ErrorText.Split('\n').Where(line => line.Contains("aotlink", StringComparison.Ordinal))];
        Check.That(lines.Length == 1 && lines[0].Contains("link.stock", StringComparison.Ordinal), $"one line should say so: {handed.ErrorText}");
    }

    private void UsedByBuild(string folder, string go, Dictionary<string, string> environment, string tool)
    {
        CommandResult version = Command.Run([tool, "-V=full"], null, environment);
        Check.SameText("-V=full", _toolchain.LinkVersion, version.OutputText.Trim());
        string expected = Build(_toolchain.Go, _toolchain.Environment(), Path.Combine(folder, "expected"), ["-trimpath"]);
        string actual = Build(go, environment, Path.Combine(folder, "actual"), ["-trimpath"]);
        SameFile(expected, actual);
        // A command line past 30 KB makes the go command write a response file.
        string[] longFlags = ["-trimpath", "-ldflags=-X 'runtime.buildVersion=" + new string('y', 31_000) + " \"end\"'"];
        expected = Build(_toolchain.Go, _toolchain.Environment(), Path.Combine(folder, "expected"), longFlags);
        actual = Build(go, environment, Path.Combine(folder, "actual"), longFlags);
        SameFile(expected, actual);
    }

    /// <summary>Runs a body with a GOROOT of its own: everything linked to the toolchain's files, the linker copied.</summary>
    private void InShadow(Action<string, string, Dictionary<string, string>, string> body) => InFolder(folder =>
    {
        string goroot = Path.Combine(folder, "goroot");
        string tools = Path.Combine(goroot, "pkg", "tool", Path.GetFileName(_toolchain.ToolFolder));
        Directory.CreateDirectory(tools);
        Directory.CreateDirectory(Path.Combine(goroot, "bin"));
        LinkAll(_toolchain.Goroot, goroot, ["pkg", "bin"]);
        LinkAll(Path.Combine(_toolchain.Goroot, "pkg"), Path.Combine(goroot, "pkg"), ["tool"]);
        LinkAll(_toolchain.ToolFolder, tools, ["link"]);
        File.Copy(_toolchain.Link, Path.Combine(tools, "link"));
        string go = Path.Combine(goroot, "bin", "go");
        File.Copy(_toolchain.Go, go);
        Dictionary<string, string> environment = GoEnvironment(new() { ["GOROOT"] = goroot });
        body(folder, go, environment, Path.Combine(tools, "link"));

        static void LinkAll(string source, string target, string[] except)
        {
            foreach (string entry in Directory.GetFileSystemEntries(source))
            {
                string name = Path.GetFileName(entry);
                if (!except.Contains(name))
                {
                    File.CreateSymbolicLink(Path.Combine(target, name), Path.GetFullPath(entry));
                }
            }
        }
    });

    /// <summary>The linker as one file, for ways in that need one.</summary>
    private string LinkerFile() => _subject.Linker.Count == 1
        ? Path.GetFullPath(_subject.Linker[0])
        : throw new CaseFailedException("the linker under test is a command with arguments, not a file");

    private static string Build(string go, Dictionary<string, string> environment, string output, string[] flags)
    {
        File.Delete(output);
        Command.Must([go, "build", .. flags, "-o", output, "./hello"], null, environment, Settings.Programs);
        return output;
    }

    private static void SameFile(string expected, string actual)
    {
        string report = ByteReport.Compare(expected, actual);
        Check.That(report.Length == 0, report);
    }

    private static void InFolder(Action<string> body)
    {
        string folder = Settings.NewTemporaryFolder();
        try
        {
            body(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>go test of standard packages, linked by us. One go command for all, one case for each package.</summary>
    private void AddGoTests()
    {
        if (!Host.RunsLinuxAmd64)
        {
            return;
        }

        Packages(NewestInCi, FewTested);
        Packages(Tier.All, [.. ManyTested.Except(FewTested)]);

        void Packages(Tier tier, string[] packages)
        {
            Lazy<Dictionary<string, string>> results = new(() => GoTest(packages));
            foreach (string package in packages)
            {
                Add("go test", package, tier, () =>
                {
                    Check.That(results.Value.TryGetValue(package, out string? line), "no result:\n" + results.Value[""]);
                    Check.That(line!.StartsWith("ok", StringComparison.Ordinal), line);
                });
            }
        }
    }

    /// <summary>Result line of each package, and all output under the empty name.</summary>
    private Dictionary<string, string> GoTest(string[] packages)
    {
        CommandResult result = Command.Run(
            [_toolchain.Go, "test", "-count=1", "-short", "-vet=off", _subject.ToolExecFlag, .. packages], null, GoEnvironment(), Source);
        Dictionary<string, string> lines = new() { [""] = Command.Tail(result.OutputText + result.ErrorText, 3000) };
        foreach (Match match in ResultLine().Matches(result.OutputText))
        {
            lines[match.Groups[2].Value] = match.Groups[1].Value == "ok" ? match.Value : $"{match.Value}\n{lines[""]}";
        }

        return lines;
    }

    [GeneratedRegex(@"^(ok|FAIL|---)\s+(\S+)\s.*$", RegexOptions.Multiline)]
    private static partial Regex ResultLine();
}
