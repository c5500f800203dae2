using AotLinker.Conformance.Profile;
using AotLinker.Conformance.Suite;

namespace AotLinker.Conformance;

/// <summary>Command line of the suite and of the tools that the scripts are made of.</summary>
internal static class Program
{
    private const string Usage = """
        run [--tier ci|all] [--release 1.27]... [--linker CMD] [--exec CMD] [--filter TEXT]... [--jobs N] [--verbose] [--list]
            [--ports FILE]
                                                                      the suite; --linker real tests the suite itself
        demo [--linker CMD]                                           a real program with both linkers, as a small table
        capture NAME RELEASE -- FLAGS PACKAGE                         save the link step of a program
        capture --each FOLDER RELEASE -- build|test FLAGS PACKAGES    save every link step of a build
        replay [-n] [-k FILE] NAME LINKER [FLAGS]                     link a saved step and compare the bytes
        compare EXPECTED ACTUAL                                       say where two executables differ
        profile FILE FOLDER NAME[,FLAG...]...                         link saved steps with the JIT build in FOLDER, and write
                                                                      what ran how often as a profile for the AOT compiler
        """;

    private static int Main(string[] args)
    {
        try
        {
            return args.FirstOrDefault() switch
            {
                "run" => SuiteCommand.Run(args[1..]),
                "demo" => Demo.Run(args[1..]),
                "capture" => RunCapture(args[1..]),
                "replay" => RunReplay(args[1..]),
                "compare" when args.Length == 3 => RunCompare(args[1], args[2]),
                "profile" when args.Length > 3 => ProfileCommand.Run(args[1..]),
                "toolexec" when args.Length > 1 => Capture.ToolExec(args[1..]),
                "substitute" when args.Length > 2 => Capture.Substitute(args[1], args[2], args[3..]),
                _ => Fail(Usage),
            };
        }
        catch (ConformanceException failure)
        {
            return Fail(failure.Message);
        }
    }

    private static int RunCapture(string[] args)
    {
        bool each = args.FirstOrDefault() == "--each";
        string[] rest = each ? args[1..] : args;
        if (rest.Length < 4 || rest[2] != "--")
        {
            return Fail(Usage);
        }

        string name = rest[0];
        Toolchain toolchain = Toolchain.Of(rest[1]);
        string verb = each ? rest[3] : "build";
        string[] arguments = each ? rest[4..] : rest[3..];
        string target = Path.GetFullPath(Path.Combine(Settings.Captures, name));
        Dictionary<string, string> environment = CallersSettings();
        if (each)
        {
            IReadOnlyList<LinkStep> all = Capture.Run(toolchain, verb, arguments, ".", environment, target, keepReference: true);
            Console.Error.WriteLine($"captured {all.Count} link steps in {target}");
            return 0;
        }

        string parent = target + ".new";
        IReadOnlyList<LinkStep> steps = Capture.Run(toolchain, verb, arguments, ".", environment, parent, keepReference: true);
        if (steps.Count != 1)
        {
            Directory.Delete(parent, recursive: true);
            return Fail($"{name}: the command links {steps.Count} programs (use --each)");
        }

        Capture.Move(steps[0], target);
        Directory.Delete(parent, recursive: true);
        Console.Error.WriteLine($"captured {target}");
        return 0;
    }

    /// <summary>Settings of the port, the architecture and GOPATH mode that the caller made on purpose.</summary>
    private static Dictionary<string, string> CallersSettings()
    {
        string[] taken =
        [
            "GOOS", "GOARCH", "GOAMD64", "GO386", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
            "GOEXPERIMENT", "CGO_ENABLED", "GOFIPS140", "GOPATH", "GO111MODULE", "GOTMPDIR",
        ];
        return taken.Where(name => Environment.GetEnvironmentVariable(name) is not null)
            .ToDictionary(name => name, name => Environment.GetEnvironmentVariable(name)!);
    }

    private static int RunReplay(string[] args)
    {
        bool compare = true;
        string? keep = null;
        int index = 0;
        for (; index < args.Length && args[index].StartsWith('-'); index++)
        {
            if (args[index] == "-n")
            {
                compare = false;
            }
            else if (args[index] == "-k" && index + 1 < args.Length)
            {
                keep = Path.GetFullPath(args[++index]);
            }
            else
            {
                return Fail(Usage);
            }
        }

        if (args.Length - index < 2)
        {
            return Fail(Usage);
        }

        LinkStep step = LinkStep.Load(Path.GetFullPath(Path.Combine(Settings.Captures, args[index])));
        if (!step.IsComplete())
        {
            return Fail($"{step.Folder}: object files are gone from the build cache; capture it again");
        }

        string[] linker = args[index + 1] == "real" ? [step.Tool] : args[index + 1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] flags = args[(index + 2)..];
        string folder = Settings.NewTemporaryFolder();
        try
        {
            string output = keep ?? Path.Combine(folder, "out");
            File.Delete(output);
            CommandResult result = Replay.Link(step, linker, flags, output, measure: true);
            Console.Out.Write(result.OutputText);
            Console.Error.Write(result.ErrorText);
            Console.Error.WriteLine(FormattableString.Invariant(
                $"exit {result.ExitCode}, {result.Wall.TotalSeconds:0.00} s, peak {result.PeakResident >> 20} MB resident, {result.PeakPrivate >> 20} MB private"));
            return result.ExitCode != 0 || !compare ? result.ExitCode : CompareWithReference(step, flags, output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int CompareWithReference(LinkStep step, string[] flags, string output)
    {
        string reference = Path.Combine(step.Folder, flags.Length == 0 ? "ref" : "ref-" + Flags(flags));
        if (!File.Exists(reference))
        {
            string temporary = $"{reference}.{Environment.ProcessId}";
            CommandResult made = Replay.Link(step, [step.Tool], flags, temporary);
            if (made.ExitCode != 0)
            {
                return Fail($"{step.Tool} fails with these flags:\n{made.ErrorText}");
            }

            File.Move(temporary, reference, overwrite: true);
        }

        return RunCompare(reference, output);

        static string Flags(string[] flags) =>
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', flags))))[..16];
    }

    private static int RunCompare(string expected, string actual)
    {
        if (!File.Exists(actual))
        {
            return Fail($"{actual}: not written");
        }

        string report = ByteReport.Compare(expected, actual);
        if (report.Length == 0)
        {
            Console.Error.WriteLine($"identical ({new FileInfo(expected).Length} bytes)");
            return 0;
        }

        Console.Error.WriteLine($"different from {expected}");
        Console.Error.Write(report);
        return 1;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }
}
