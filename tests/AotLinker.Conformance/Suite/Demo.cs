namespace AotLinker.Conformance.Suite;

/// <summary>The "demo" command: a real program, both linkers, one small table.</summary>
internal static class Demo
{
    private const int Rounds = 5;

    /// <summary>Packages of the Go tree that are linked, with arguments to run the result with.</summary>
    private static readonly (string Package, string[] Arguments)[] Programs =
        [("cmd/gofmt", ["-h"]), ("cmd/go", ["version"]), ("cmd/compile", ["-V"])];

    /// <summary>Exit code 0 when every file is identical and every program runs.</summary>
    public static int Run(string[] args)
    {
        string? linker = null;
        for (int index = 0; index < args.Length; index++)
        {
            linker = args[index] == "--linker" && index + 1 < args.Length ? args[++index] : throw new ConformanceException($"unknown option {args[index]}");
        }

        Toolchain toolchain = FindToolchain();
        string name = OperatingSystem.IsWindows() ? "aotlink.exe" : "aotlink";
        string[] ours = linker is null ? [Path.Combine(Settings.Root, "out", name)] : linker == "real" ? [toolchain.Link] : linker.Split(' ');
        Console.WriteLine($"{toolchain.LinkVersion.Replace("link version ", "", StringComparison.Ordinal).Split(' ')[0]} in {toolchain.Goroot}");
        Console.WriteLine("compiling " + string.Join(", ", Programs.Select(program => program.Package)) + " (the first time takes a minute)");
        CaptureSet set = new(toolchain, "build", [.. Programs.Select(program => program.Package)], Path.Combine(toolchain.Goroot, "src"));
        _ = set[Programs[0].Package];

        Console.WriteLine();
        Console.WriteLine($"{"program",-12}{"size",9}   {"linker",-9}{"time",9}{"memory",10}{"private",10}   result");
        bool good = true;
        foreach ((string package, string[] arguments) in Programs)
        {
            good &= Show(toolchain, set[package], package, arguments, ours);
        }

        Console.WriteLine();
        Console.WriteLine($"time: median of {Rounds} links in turn, the files in the page cache; memory: peak resident, mapped files included;");
        Console.WriteLine("private: peak of memory that is the linker's own");
        return good ? 0 : 1;
    }

    private static bool Show(Toolchain toolchain, LinkStep step, string package, string[] arguments, string[] ours)
    {
        string folder = Settings.NewTemporaryFolder();
        try
        {
            string expected = Path.Combine(folder, "expected");
            string actual = Path.Combine(folder, Path.GetFileName(package));
            List<CommandResult> stock = [];
            List<CommandResult> own = [];
            for (int round = 0; round < Rounds; round++)
            {
                stock.Add(Replay.Link(step, [step.Tool], [], expected, measure: true));
                own.Add(Replay.Link(step, ours, [], actual, measure: true));
                if (stock[^1].ExitCode != 0 || own[^1].ExitCode != 0)
                {
                    break;
                }
            }

            string size = File.Exists(expected) ? $"{new FileInfo(expected).Length / 1e6:0.0} MB" : "";
            Row(package, size, "cmd/link", stock, stock[^1].ExitCode == 0 ? "" : "fails: " + stock[^1].ErrorText.Trim());
            bool linked = own[^1].ExitCode == 0 && File.Exists(actual);
            bool identical = linked && ByteReport.Compare(expected, actual).Length == 0;
            string result = !linked ? "fails: " + Command.Tail(own[^1].ErrorText.Trim(), 300) : identical ? "identical" : "DIFFERENT";
            bool runs = linked && (!Host.RunsLinuxAmd64 || Runs(toolchain, actual, arguments, ref result));
            Row("", "", "aotlink", own, result);
            return identical && runs;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Runs(Toolchain toolchain, string program, string[] arguments, ref string result)
    {
        try
        {
            CommandResult run = Command.Run([program], arguments, toolchain.Environment(), Path.GetDirectoryName(program), limit: TimeSpan.FromMinutes(1));
            string output = (run.OutputText + run.ErrorText).Split('\n')[0].Trim();
            bool good = run.ExitCode is >= 0 and <= 2 && output.Length > 0;
            result += good ? $", runs: {output}" : $", does not run: exit {run.ExitCode}";
            return good;
        }
        catch (ConformanceException)
        {
            result += ", does not start";
            return false;
        }
    }

    private static void Row(string package, string size, string linker, List<CommandResult> runs, string result)
    {
        double seconds = runs.Select(run => run.Wall.TotalSeconds).Order().ElementAt(runs.Count / 2);
        double resident = runs.Max(run => run.PeakResident) / 1e6;
        double anonymous = runs.Max(run => run.PeakPrivate) / 1e6;
        Console.WriteLine(FormattableString.Invariant(
            $"{package,-12}{size,9}   {linker,-9}{seconds,7:0.00} s{resident,7:0} MB{anonymous,7:0} MB   {result}"));
    }

    private static Toolchain FindToolchain()
    {
        ConformanceException? failure = null;
        foreach (string release in SuiteCommand.SupportedReleases)
        {
            try
            {
                return Toolchain.Of(release);
            }
            catch (ConformanceException missing)
            {
                failure ??= missing;
            }
        }

        throw failure!;
    }
}
