namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    private static readonly string[] WinePrograms =
    [
        "hello", "server", "types", "panics", "generics", "maps", "closures", "initorder", "embedded", "gcdata", "dwarf", "symbols",
        "methods/byname", "methods/constant", "methods/none",
    ];

    /// <summary>Programs for windows/amd64 and windows/386 are run, where Wine is here for them.</summary>
    private void AddWinePrograms()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        foreach (string cpu in (string[])["amd64", "386"])
        {
            if (Wine.For(cpu) is not { } wine)
            {
                if (_newest)
                {
                    Console.Error.WriteLine($"windows/{cpu}: programs are not run ({Wine.Missing(cpu)})");
                }

                continue;
            }

            Port port = new("windows", cpu);
            CaptureSet set = new(_toolchain, "build", [.. WinePrograms.Select(name => "./" + name)], Settings.Programs, For(port, []), stamp);
            foreach (string program in WinePrograms)
            {
                Add("wine", $"{port}: {program}", Tier.All, () => Runs(set[Module + program], [], [], program == "hello" ? "hello, world" : ""));
            }

            LinkStep Hello() => set[Module + "hello"];
            Add("wine", $"{port}: hello -s -w", Tier.All, () => Runs(Hello(), ["-s", "-w"], [], "hello, world"));
            Add("wine", $"{port}: hello -compressdwarf=false", Tier.All, () => Runs(Hello(), ["-compressdwarf=false"], [], "hello, world"));
            Add("wine", $"{port}: hello -buildmode=exe", Tier.All, () => Runs(Hello(), ["-buildmode=exe"], [], "hello, world"));
            CaptureSet tool = new(_toolchain, "build", ["cmd/go"], Source, For(port, []));
            Add("wine", $"{port}: cmd/go version", Tier.All, () => Runs(tool["cmd/go"], [], ["version"], "go version go" + _release));

            void Runs(LinkStep step, string[] flags, string[] arguments, string output) => InFolder(folder =>
            {
                string program = Path.Combine(folder, "program.exe");
                CommandResult link = Replay.Link(step, _subject.Linker, flags, program);
                Check.That(link.ExitCode == 0, $"exit {link.ExitCode}\n{Command.Tail(link.ErrorText, 1500)}");
                CommandResult run = wine.Run(program, arguments);
                Check.That(run.ExitCode == 0, $"the program exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
                Check.That(run.OutputText.Contains(output, StringComparison.Ordinal), $"the program prints {Command.Tail(run.OutputText, 500)}");
            });
        }
    }
}

/// <summary>
/// Wine for programs of one CPU, with a folder of its own, which the programs of both CPUs share; or that of the virtual machine.
/// </summary>
/// <param name="Loader">The program that starts others; null for the virtual machine, which runs programs for 386.</param>
internal sealed record Wine(string? Loader)
{
    private const string Library = "bcryptprimitives.dll";

    private static readonly Lazy<string?> Failure = new(Prepare);

    private static string Prefix => Path.Combine(Settings.Cache, "wine-programs");

    private static Dictionary<string, string> Environment => new()
    {
        ["WINEDEBUG"] = "-all",
        ["WINEPREFIX"] = Prefix,
        ["LC_ALL"] = "C.UTF-8",
    };

    /// <summary>Wine for a CPU; null where it, or a compiler for what it lacks, is not here.</summary>
    public static Wine? For(string cpu)
    {
        if (!Host.RunsLinuxAmd64 || Host.Find(CompilerFor(cpu)) is null)
        {
            return null;
        }

        string? loader = LoaderFor(cpu);
        return loader is not null || InVirtualMachine(cpu) ? new Wine(loader) : null;
    }

    /// <summary>Why there is no Wine for a CPU.</summary>
    public static string Missing(string cpu) => LoaderFor(cpu) is null && !InVirtualMachine(cpu)
        ? cpu == "386" ? $"there is no wine32, or this system runs no 32-bit programs; {VirtualMachine.Hint}" : "there is no wine64"
        : $"there is no {CompilerFor(cpu)}";

    /// <summary>Runs a program.</summary>
    public CommandResult Run(string program, string[] arguments)
    {
        TimeSpan limit = TimeSpan.FromMinutes(10);
        if (Loader is null)
        {
            string library = Path.Combine(Path.GetDirectoryName(program)!, Library);
            MakeLibrary("386", library);
            return VirtualMachine.RunWindows(program, library, arguments, limit);
        }

        Check.That(Failure.Value is null, $"Wine can't be set up: {Failure.Value}");
        return Command.Run([Loader, program], arguments, Environment, Path.GetDirectoryName(program), limit: limit);
    }

    private static bool InVirtualMachine(string cpu) => cpu == "386" && !Host.RunsLinux386 && VirtualMachine.IsPrepared;

    /// <summary>The loader of Debian's package wine64 or wine32 for a CPU. wine32 is one of the host's programs with 32 bits.</summary>
    private static string? LoaderFor(string cpu)
    {
        if (cpu == "amd64")
        {
            return Host.Find("wine64") ?? (File.Exists("/usr/lib/wine/wine64") ? "/usr/lib/wine/wine64" : null);
        }

        try
        {
            string? found = Host.Find("wine32") ?? (File.Exists("/usr/lib/wine/wine") ? "/usr/lib/wine/wine" : null);
            return found is not null && Command.Run([found, "--version"], [], Environment).ExitCode == 0 ? found : null;
        }
        catch (Exception failure) when (failure is ConformanceException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>The C compiler for a CPU.</summary>
    public static string CompilerFor(string cpu) => cpu == "amd64" ? "x86_64-w64-mingw32-gcc" : "i686-w64-mingw32-gcc";

    /// <summary>Makes the folder, and puts into it what Wine lacks. Null, or what went wrong.</summary>
    private static string? Prepare()
    {
        try
        {
            string windows = Path.Combine(Prefix, "drive_c", "windows");
            if (!File.Exists(Path.Combine(Prefix, "system.reg")))
            {
                Directory.CreateDirectory(Prefix);
                Command.Must([LoaderFor("amd64") ?? LoaderFor("386")!, "wineboot", "-i"], [], Environment);
            }

            foreach ((string cpu, string folder) in ((string, string)[])[("amd64", "system32"), ("386", "syswow64")])
            {
                if (For(cpu) is { Loader: not null } && Directory.Exists(Path.Combine(windows, folder)))
                {
                    MakeLibrary(cpu, Path.Combine(windows, folder, Library));
                }
            }

            return null;
        }
        catch (ConformanceException failure)
        {
            return failure.Message;
        }
    }

    /// <summary>Makes the library that Go's runtime needs and Wine 8 does not have.</summary>
    private static void MakeLibrary(string cpu, string file) => Command.Must(
    [
        CompilerFor(cpu), "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-nostdlib", "-Wl,--kill-at", "-Wl,-e,0", "-o", file,
        Path.Combine(Settings.Root, "tests", "AotLinker.Conformance", "native", "bcryptprimitives.c"),
    ]);
}
