namespace AotLinker.Conformance.Suite;

/// <summary>The linker under test, and the comparison that most cases are made of.</summary>
/// <param name="linker">Command that takes the place of link.</param>
/// <param name="exec">Command for -toolexec that links with it ("aotlink exec").</param>
/// <param name="isReference">It is cmd/link itself: the suite is being tested.</param>
internal sealed class Subject(IReadOnlyList<string> linker, IReadOnlyList<string> exec, bool isReference = false)
{
    /// <summary>Whether cases that ask more than cmd/link does (no file left behind, own commands) make no sense.</summary>
    public bool IsReference { get; } = isReference;

    public IReadOnlyList<string> Linker { get; } = linker;

    public IReadOnlyList<string> Exec { get; } = exec;

    /// <summary>The -toolexec flag for the go command.</summary>
    public string ToolExecFlag => "-toolexec=" + string.Join(' ', Exec.Select(part => part.Contains(' ', StringComparison.Ordinal) ? $"'{part}'" : part));

    /// <summary>
    /// Both linkers do the same with a step: same exit code, same bytes, and, unless <paramref name="texts"/> is false, the
    /// same text on standard output and standard error.
    /// </summary>
    public void SameAsReference(
        Toolchain toolchain, LinkStep step, IReadOnlyList<string> flags,
        IReadOnlyDictionary<string, string>? environment = null, bool texts = true)
    {
        LinkOutcome want = Reference.Of(toolchain, step, flags);
        LinkOutcome got = Replay.Outcome(step, Linker, flags, environment);
        if (got.ExitCode != want.ExitCode)
        {
            throw new CaseFailedException($"exit {got.ExitCode}, expected {want.ExitCode}\n{Command.Tail(got.Output + got.Error, 1500)}");
        }

        if (want.ExitCode != 0)
        {
            Check.That(IsReference || got.Hash is null, "an output file is left behind by a link that fails");
        }
        else if (got.Hash != want.Hash)
        {
            throw new CaseFailedException(Explain(step, flags, environment));
        }

        Check.That(got.SideHash == want.SideHash, "the other file it writes has other bytes");
        if (texts)
        {
            Check.SameText("standard output", want.Output, got.Output);
            Check.SameText("standard error", WithoutUsage(want.Error), WithoutUsage(got.Error));
        }
    }

    /// <summary>The reference linker still writes what it wrote when the go command ran it: the replay is faithful.</summary>
    public static void FaithfulReplay(Toolchain toolchain, LinkStep step)
    {
        string kept = File.ReadAllText(Path.Combine(step.Folder, "ref.sha256")).Trim();
        Check.That(Reference.Of(toolchain, step, []).Hash == kept, "the reference linker's replay differs from what go build linked");
    }

    /// <summary>Links a step and runs the program, where it can be run; it must exit with 0.</summary>
    public CommandResult LinkAndRun(LinkStep step, string[] arguments, string? workingDirectory = null)
    {
        string folder = Settings.NewTemporaryFolder();
        try
        {
            string program = Path.Combine(folder, "program");
            CommandResult link = Replay.Link(step, Linker, [], program);
            Check.That(link.ExitCode == 0 && File.Exists(program), $"the linker fails: exit {link.ExitCode}\n{Command.Tail(link.ErrorText, 1500)}");
            if (!Host.RunsLinuxAmd64)
            {
                return link;
            }

            CommandResult run = Command.Run([program], arguments, new Dictionary<string, string>(), workingDirectory ?? folder, limit: TimeSpan.FromMinutes(3));
            Check.That(run.ExitCode == 0, $"the program exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
            return run;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>An error text without the list of flags after it, which is each linker's own.</summary>
    private static string WithoutUsage(string text)
    {
        int usage = text.IndexOf("usage: ", StringComparison.Ordinal);
        return usage < 0 ? text : text[..usage];
    }

    private string Explain(LinkStep step, IReadOnlyList<string> flags, IReadOnlyDictionary<string, string>? environment)
    {
        string folder = Settings.NewTemporaryFolder();
        try
        {
            string expected = Path.Combine(folder, "expected");
            string actual = Path.Combine(folder, "actual");
            Replay.Link(step, [step.Tool], flags, expected);
            Replay.Link(step, Linker, flags, actual, environment);
            if (!File.Exists(actual))
            {
                return "no output file";
            }

            string report = ByteReport.Compare(expected, actual);
            return report.Length > 0 ? report : "the output differed, and does not when linked again";
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
