namespace AotLinker.Conformance.Profile;

/// <summary>The "profile" command: links saved steps with a JIT build of aotlink that counts, and writes what it counted for ILC.</summary>
internal static class ProfileCommand
{
    /// <summary>
    /// Has CoreCLR count in every method, from its first call to its last, and write the counts down at the end. Numbers are hexadecimal.
    /// </summary>
    private static readonly Dictionary<string, string> Counting = new()
    {
        ["DOTNET_TieredPGO"] = "1",
        ["DOTNET_WritePGOData"] = "1",

        // Methods that the runtime takes from compiled images would not be counted until they are hot, and others would stop when they are.
        ["DOTNET_TieredPGO_InstrumentOnlyHotCode"] = "0",
        ["DOTNET_TC_CallCounting"] = "0",
        ["DOTNET_OSR_HitLimit"] = "7fffffff",

        // Counts are added without a lock.
        ["AOTLINK_THREADS"] = "1",
    };

    /// <summary>
    /// Arguments: the file to write, the folder of the JIT build, and the steps, each a name below <see cref="Settings.Captures"/> with flags
    /// behind it, separated by commas.
    /// </summary>
    public static int Run(string[] args)
    {
        string assembly = Path.Combine(args[1], "AotLinker.dll");
        string linker = Path.GetFullPath(Path.Combine(args[1], OperatingSystem.IsWindows() ? "aotlink.exe" : "aotlink"));
        List<MethodCounters> counters = [];
        foreach (string step in args[2..])
        {
            Console.Error.WriteLine($"linking {step.Replace(',', ' ')}");
            string[] words = step.Split(',');
            counters.AddRange(Count(LinkStep.Load(Path.GetFullPath(Path.Combine(Settings.Captures, words[0]))), linker, words[1..]));
        }

        (int methods, int instances) = MibcFile.Write(args[0], assembly, counters);
        Console.Error.WriteLine($"wrote {args[0]}: {methods} methods, {instances} with the instances of generic ones");
        return 0;
    }

    private static List<MethodCounters> Count(LinkStep step, string linker, string[] flags)
    {
        if (!step.IsComplete())
        {
            throw new ConformanceException($"{step.Folder}: object files are gone from the build cache; capture it again");
        }

        string folder = Settings.NewTemporaryFolder();
        try
        {
            string file = Path.Combine(folder, "counters");
            Dictionary<string, string> environment = new(Counting) { ["DOTNET_PGODataPath"] = file };
            CommandResult result = Replay.Link(step, [linker], flags, Path.Combine(folder, "out"), environment);
            return result.ExitCode == 0
                ? CounterFile.Read(file)
                : throw new ConformanceException($"{step.Folder}: {linker} ended with exit code {result.ExitCode}\n{result.ErrorText}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
