using System.Security.Cryptography;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>What a linker did with a link step: exit code, texts, and the file it wrote (null when it wrote none).</summary>
/// <param name="SideHash">Hash of the file named by <see cref="LinkStep.SideMark"/>, null without one.</param>
internal sealed record LinkOutcome(
    int ExitCode, string Output, string Error, long Length, string? Hash, string? SideHash);

/// <summary>Runs link steps with any linker.</summary>
internal static class Replay
{
    /// <summary>Makes aotlink refuse what it would otherwise hand to the toolchain's own linker.</summary>
    public const string StrictVariable = "AOTLINK_STRICT";

    /// <summary>Links a step, writing <paramref name="output"/>.</summary>
    public static CommandResult Link(
        LinkStep step,
        IReadOnlyList<string> linker,
        IReadOnlyList<string> flags,
        string output,
        IReadOnlyDictionary<string, string>? environment = null,
        bool measure = false,
        Action<System.Diagnostics.Process>? started = null)
    {
        Dictionary<string, string> variables = new(step.Environment, StringComparer.Ordinal) { [StrictVariable] = "1" };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            variables[name] = value;
        }

        return Command.Run(linker, step.CommandLine(output, flags), variables, null, measure, TimeSpan.FromMinutes(10), started);
    }

    /// <summary>Links into a file that is deleted again, and keeps what is to be compared.</summary>
    public static LinkOutcome Outcome(
        LinkStep step,
        IReadOnlyList<string> linker,
        IReadOnlyList<string> flags,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        string folder = Settings.NewTemporaryFolder();
        try
        {
            string output = Path.Combine(folder, "out");
            string side = LinkStep.SideFile(output);
            CommandResult result = Link(step, linker, flags, output, environment);
            return new LinkOutcome(
                result.ExitCode,
                Neutral(result.OutputText, step, linker, folder),
                Neutral(result.ErrorText, step, linker, folder),
                File.Exists(output) ? new FileInfo(output).Length : 0,
                File.Exists(output) ? Capture.HashFile(output) : null,
                File.Exists(side) ? Capture.HashFile(side) : null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>
    /// A linker's text without what differs from run to run: its own path (errors start with it), the step's
    /// folder and the output folder.
    /// </summary>
    private static string Neutral(string text, LinkStep step, IReadOnlyList<string> linker, string folder)
    {
        string result = text.Replace(folder, "@FOLDER@", StringComparison.Ordinal).Replace(step.Folder, "@STEP@", StringComparison.Ordinal);
        foreach (string part in linker.OrderByDescending(part => part.Length))
        {
            result = result.Replace(part, "link", StringComparison.Ordinal);
        }

        // Wine speaks up on its own behalf, for instance when one of its threads faults while the process ends.
        return Path.GetFileName(linker[0]).StartsWith("wine", StringComparison.Ordinal)
            ? string.Concat(result.Split('\n').Where(line => !line.StartsWith("wine: ", StringComparison.Ordinal)).Select((line, at) => at == 0 ? line : "\n" + line))
            : result;
    }
}

/// <summary>
/// What the reference linker does with a step: remembered by hash of the linker and all its inputs, so that a second run
/// of the suite links only with the linker under test.
/// </summary>
internal static class Reference
{
    /// <summary>Changes when what is remembered changes in form.</summary>
    private const string Version = "2";

    private static string Store => Path.Combine(Settings.Cache, "references");

    public static LinkOutcome Of(Toolchain toolchain, LinkStep step, IReadOnlyList<string> flags)
    {
        string key = Key(toolchain, step, flags);
        string file = Path.Combine(Store, key);
        if (File.Exists(file))
        {
            return Parse(File.ReadAllText(file));
        }

        LinkOutcome outcome = Replay.Outcome(step, [step.Tool], flags);
        Directory.CreateDirectory(Store);
        string temporary = $"{file}.{Guid.NewGuid():N}";
        File.WriteAllText(temporary, Format(outcome));
        File.Move(temporary, file, overwrite: true);
        return outcome;
    }

    private static string Key(Toolchain toolchain, LinkStep step, IReadOnlyList<string> flags)
    {
        long length = new FileInfo(step.Tool).Length;
        string text = string.Join('\n', [Version, toolchain.LinkVersion, length.ToString(System.Globalization.CultureInfo.InvariantCulture), step.InputHash, .. flags]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private static string Format(LinkOutcome outcome) => System.Text.Json.JsonSerializer.Serialize(outcome);

    private static LinkOutcome Parse(string text) => System.Text.Json.JsonSerializer.Deserialize<LinkOutcome>(text)!;
}
