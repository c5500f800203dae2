using System.Globalization;

namespace AotLinker.Conformance.Suite;

/// <summary>What a link that something happened to left behind.</summary>
/// <param name="Hash">Of the file at -o; null when there is none.</param>
/// <param name="Others">Names of other files in the output's folder.</param>
/// <param name="Log">What native/faults.c says it did.</param>
internal sealed record FaultOutcome(int ExitCode, string Output, string Error, string? Hash, string[] Others, string[] Log);

/// <summary>Links with native/faults.c in the linker's process: something goes wrong in mid-link, at the same moment every time.</summary>
internal static class Fault
{
    private static readonly Lazy<string> Built = new(Build);

    /// <summary>Whether faults can be injected here: a C compiler is needed, and a system that preloads libraries.</summary>
    public static bool IsAvailable { get; } = OperatingSystem.IsLinux() && Compiler() is not null;

    private static Dictionary<string, string> SwitchesOf(string[] words) =>
        words.Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => pair.Length > 1 ? pair[1] : "1");

    /// <summary>Links a step into a folder of its own.</summary>
    /// <param name="faults">The words of native/faults.c; empty for none.</param>
    /// <param name="switches">Variables for the linker, NAME=VALUE, or NAME for 1.</param>
    /// <param name="prefix">A command that starts the linker; <c>@FOLDER@</c> in it stands for the output's folder.</param>
    /// <param name="prepare">Gets the output's folder before the link.</param>
    public static FaultOutcome Link(
        LinkStep step, IReadOnlyList<string> linker, string faults, string[]? switches = null, string[]? prefix = null, Action<string>? prepare = null)
    {
        string root = Settings.NewTemporaryFolder();
        string folder = Directory.CreateDirectory(Path.Combine(root, "out")).FullName;
        try
        {
            prepare?.Invoke(folder);
            string log = Path.Combine(root, "log");
            List<string> command = [.. (prefix ?? []).Select(word => word.Replace("@FOLDER@", folder, StringComparison.Ordinal))];
            if (faults.Length > 0)
            {
                command.AddRange(["env", "LD_PRELOAD=" + Built.Value, "FAULT=" + faults, "FAULT_LOG=" + log]);
            }

            command.AddRange(linker);
            string output = Path.Combine(folder, "program");
            CommandResult result = Replay.Link(step, command, [], output, SwitchesOf(switches ?? []));
            string text = result.ErrorText.Replace(output, "@OUT@", StringComparison.Ordinal);
            return new FaultOutcome(
                result.ExitCode,
                result.OutputText,
                linker.Aggregate(text, (all, word) => all.Replace(word, "link", StringComparison.Ordinal)),
                File.Exists(output) ? Capture.HashFile(output) : null,
                [.. Directory.GetFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Where(name => name != "program")],
                File.Exists(log) ? File.ReadAllLines(log) : []);
        }
        finally
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>The faults happened, and the bytes are right all the same.</summary>
    public static void Same(FaultOutcome got, string expected, params string[] log)
    {
        Happened(got, log);
        Check.That(got.ExitCode == 0, $"exit {got.ExitCode}\n{Command.Tail(got.Error, 1500)}");
        Check.That(got.Hash == expected, got.Hash is null ? "no output" : "other bytes");
        Check.That(got.Others.Length == 0, $"left behind: {string.Join(' ', got.Others)}");
    }

    /// <summary>The faults happened, one line says so, and nothing is left.</summary>
    public static void Fails(FaultOutcome got, string message, params string[] log)
    {
        Happened(got, log);
        Check.That(got.ExitCode == 2, $"exit {got.ExitCode}, expected 2\n{Command.Tail(got.Error, 1500)}");
        Check.SameText("standard error", message + "\n", got.Error);
        Nothing(got);
    }

    /// <summary>No output and no other file is there.</summary>
    public static void Nothing(FaultOutcome got)
    {
        Check.That(got.Hash is null, "an output file is left behind");
        Check.That(got.Others.Length == 0, $"left behind: {string.Join(' ', got.Others)}");
    }

    private static void Happened(FaultOutcome got, string[] log)
    {
        string[] missing = [.. log.Except(got.Log)];
        Check.That(missing.Length == 0, string.Create(
            CultureInfo.InvariantCulture,
            $"these faults were not met: {string.Join(' ', missing)} (exit {got.ExitCode}, {got.Log.Length} others)\n{Command.Tail(got.Error, 1500)}"));
    }

    private static string? Compiler() => Host.Find("gcc") ?? Host.Find("clang") ?? Host.Find("cc");

    private static string Build()
    {
        string source = Path.Combine(Settings.Root, "tests", "AotLinker.Conformance", "native", "faults.c");
        string library = Path.Combine(AppContext.BaseDirectory, "faults.so");
        string fresh = $"{library}.{Guid.NewGuid():N}";
        Command.Must([Compiler()!, "-std=gnu99", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", fresh, source, "-ldl"]);
        File.Move(fresh, library, overwrite: true);
        return library;
    }
}
