using System.Globalization;

namespace AotLinker.Conformance.Suite;

/// <summary>The "run" command: chooses the cases and runs them.</summary>
internal static class SuiteCommand
{
    /// <summary>Releases that aotlink links, the newest first.</summary>
    public static readonly string[] SupportedReleases = ["1.27", "1.26", "1.25", "1.24"];

    /// <summary>Exit code 0 when every case passed, 1 otherwise.</summary>
    public static int Run(string[] args)
    {
        Tier tier = Tier.Ci;
        List<string> releases = [];
        List<string> filters = [];
        string? linker = null;
        string? exec = null;
        int jobs = Math.Max(1, Environment.ProcessorCount);
        string? portsFile = null;
        bool verbose = false;
        bool list = false;
        for (int index = 0; index < args.Length; index++)
        {
            switch (args[index])
            {
                case "--tier":
                    tier = Value() == "all" ? Tier.All : Tier.Ci;
                    break;
                case "--release":
                    releases.Add(Value());
                    break;
                case "--filter":
                    filters.Add(Value());
                    break;
                case "--linker":
                    linker = Value();
                    break;
                case "--exec":
                    exec = Value();
                    break;
                case "--jobs":
                    jobs = int.Parse(Value(), CultureInfo.InvariantCulture);
                    break;
                case "--ports":
                    portsFile = Value();
                    break;
                case "--verbose":
                    verbose = true;
                    break;
                case "--list":
                    list = true;
                    break;
                default:
                    throw new ConformanceException($"unknown option {args[index]}");
            }

            string Value() => ++index < args.Length ? args[index] : throw new ConformanceException($"{args[index - 1]} needs a value");
        }

        List<Case> cases = [];
        foreach (string release in releases.Count > 0 ? [.. releases] : SupportedReleases)
        {
            Toolchain toolchain = Toolchain.Of(release);
            cases.AddRange(StandardSuite.Cases(toolchain, SubjectFor(toolchain, linker, exec), Array.IndexOf(SupportedReleases, release)));
        }

        Case[] chosen = [.. cases.Where(one =>
            one.Tier <= tier && (filters.Count == 0 || filters.Any(filter => Matches(one.ToString(), filter))))];
        if (list)
        {
            Array.ForEach(chosen, Console.WriteLine);
            return 0;
        }

        if (chosen.Length == 0)
        {
            throw new ConformanceException("no case matches");
        }

        try
        {
            return Runner.Run(chosen, jobs, verbose, portsFile) == 0 ? 0 : 1;
        }
        finally
        {
            VirtualMachine.Stop();
        }
    }

    /// <summary>Whether a filter is part of a case's name, or its end if the filter ends in "$".</summary>
    private static bool Matches(string name, string filter) => filter.EndsWith('$')
        ? name.EndsWith(filter[..^1], StringComparison.Ordinal)
        : name.Contains(filter, StringComparison.Ordinal);

    private static Subject SubjectFor(Toolchain toolchain, string? linker, string? exec)
    {
        if (linker == "real")
        {
            return new Subject([toolchain.Link], [.. Words(Capture.Self()), "substitute", toolchain.Link], isReference: true);
        }

        string name = OperatingSystem.IsWindows() ? "aotlink.exe" : "aotlink";
        string[] command = linker is null ? [Path.Combine(Settings.Root, "out", name)] : Words(linker);
        if (linker is null && !File.Exists(command[0]))
        {
            throw new ConformanceException($"{command[0]} is not built: run ./build.sh");
        }

        return new Subject(command, exec is null ? [.. command, "exec"] : Words(exec));
    }

    private static string[] Words(string command) => command.Trim('\'').Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
