using System.Text.Json;
using System.Text.RegularExpressions;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>
    /// What is said about a program: the bytes of its file add up to the file, ways to its symbols are ways that -dumpdep knows, and neither
    /// changes a byte or depends on threads.
    /// </summary>
    private void AddExplain()
    {
        foreach (string program in Programs)
        {
            AddBeyond("explain", $"{program}: sizes", program == "hello" ? NewestInCi : Tier.All, () => SizesAddUp(_programs[Module + program], []));
            AddBeyond("explain", $"{program}: ways and -dumpdep", program == "server" ? NewestInCi : Tier.All, () => WaysAreInDumpDep(_programs[Module + program]));
        }

        AddBeyond("explain", "hello: what is inlined", NewestInCi, () => InlinedFunctionsHaveAWay(_programs[Module + "hello"]));
        AddBeyond("explain", "pie server: sizes", Tier.All, () => SizesAddUp(Pie(Server), []));
        AddBeyond("explain", "server -s -w: sizes", Tier.All, () => SizesAddUp(_programs[Module + Server], ["-s", "-w"]));
        AddBeyond("explain", "server -compressdwarf=false: sizes", Tier.All, () => SizesAddUp(_programs[Module + Server], ["-compressdwarf=false"]));
    }

    private void SizesAddUp(LinkStep step, string[] flags) => InFolder(folder =>
    {
        string[] texts = ["1", "2"];
        for (int i = 0; i < texts.Length; i++)
        {
            string sizes = Path.Combine(folder, "sizes"), why = Path.Combine(folder, "why"), output = Path.Combine(folder, "out");
            CommandResult result = Replay.Link(step, _subject.Linker, flags, output, new Dictionary<string, string>
            {
                ["AOTLINK_SIZES"] = "json:" + sizes,
                ["AOTLINK_WHY"] = "fmt\n*\nno such symbol",
                ["AOTLINK_WHY_FILE"] = why,
                ["AOTLINK_THREADS"] = texts[i],
                ["AOTLINK_SHUFFLE"] = i == 0 ? "0" : "3",
            });
            Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{Command.Tail(result.ErrorText, 1500)}");
            Check.That(Capture.HashFile(output) == Reference.Of(_toolchain, step, flags).Hash, "other bytes than without the switches");
            texts[i] = File.ReadAllText(sizes) + File.ReadAllText(why);

            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(sizes));
            JsonElement root = document.RootElement;
            long length = new FileInfo(output).Length;
            long kinds = root.GetProperty("kinds").EnumerateObject().Sum(kind => kind.Value.GetInt64());
            long packages = root.GetProperty("packages").EnumerateArray().Sum(package => package.GetProperty("length").GetInt64());
            Check.That(root.GetProperty("length").GetInt64() == length && kinds == length && packages == length,
                $"{length} bytes, of which kinds have {kinds} and packages {packages}");
            Check.That(root.GetProperty("kinds").GetProperty("unexplained").GetInt64() == 0, "there are bytes that nobody knows");
        }

        Check.SameText("what is said with other threads", texts[0], texts[1]);
    });

    // fmt.Println is short enough to have no function of its own.
    private void InlinedFunctionsHaveAWay(LinkStep step) => InFolder(folder =>
    {
        string why = Path.Combine(folder, "why");
        CommandResult result = Replay.Link(step, _subject.Linker, [], Path.Combine(folder, "out"), new Dictionary<string, string>
        {
            ["AOTLINK_WHY"] = "fmt.Println\nfmt.Sscan",
            ["AOTLINK_WHY_FILE"] = why,
        });
        Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{Command.Tail(result.ErrorText, 1500)}");
        string[] answers = File.ReadAllText(why).Split("\n\n");
        string[] way = answers[0].Split('\n');
        Check.That(
            way[0] == "fmt.Println: not in the program as a function of its own, but inlined in 1 function; the nearest:" && way[^1].EndsWith(" main.main", StringComparison.Ordinal),
            answers[0]);
        Check.That(answers[1] == "fmt.Sscan: not in the program: nothing that is live refers to it", answers[1]);
    });

    /// <summary>
    /// -dumpdep has one way to each symbol, as a tree. Ours begin at its roots, lead over symbols that it has, and are no longer than its own.
    /// </summary>
    private void WaysAreInDumpDep(LinkStep step) => InFolder(folder =>
    {
        const int Every = 97;
        string output = Path.Combine(folder, "out"), file = Path.Combine(folder, "why");
        CommandResult dump = Replay.Link(step, _subject.Linker, ["-dumpdep"], output);
        Dictionary<string, string> parents = new(StringComparer.Ordinal);
        HashSet<string> roots = [];
        foreach (string line in dump.OutputText.Split('\n'))
        {
            string[] ends = Marks().Replace(line, "").Split(" -> ");
            if (ends.Length == 2)
            {
                parents.TryAdd(ends[1], ends[0]);
                if (ends[0] == "_")
                {
                    roots.Add(ends[1]);
                }
            }
        }
        // Debug information is followed with -dumpdep alone; some names have line ends.
        string[] asked = [.. parents.Keys.Where(name => !name.StartsWith("go:", StringComparison.Ordinal) && name.Trim() == name).Where((_, i) => i % Every == 0)];
        CommandResult result = Replay.Link(step, _subject.Linker, [], output, new Dictionary<string, string>
        {
            ["AOTLINK_WHY"] = string.Join('\n', asked),
            ["AOTLINK_WHY_FILE"] = file,
        });
        Check.That(result.ExitCode == 0 && asked.Length > 10, $"exit {result.ExitCode}, {asked.Length} symbols\n{Command.Tail(result.ErrorText, 1500)}");
        string[] answers = File.ReadAllText(file).Split("\n\n");
        for (int i = 0; i < asked.Length; i++)
        {
            string[] lines = answers[i].Split('\n');
            Check.That(lines[0] == asked[i] + ":" && lines.Length > 1, answers[i]);
            string[] way = [.. lines[1..].Select(line => Step().Match(line).Groups[1].Value)];
            string? stranger = Array.Find(way, name => !name.StartsWith('(') && !parents.ContainsKey(name));
            Check.That(stranger is null && roots.Contains(way[0]) && way[^1] == asked[i], $"-dumpdep has no {stranger ?? way[0]}:\n{answers[i]}");
            // Functions and their ABI wrappers have the same name there.
            int steps = way.Where((name, at) => at == 0 || way[at - 1] != name).Count();
            int most = 1;
            for (string at = asked[i]; parents[at] != "_" && most <= parents.Count; at = parents[at])
            {
                most++;
            }
            Check.That(steps <= most, $"{steps} steps where -dumpdep has {most}:\n{answers[i]}");
        }
    });

    [GeneratedRegex("( <UsedInIface>| <ReflectMethod>)")]
    private static partial Regex Marks();

    [GeneratedRegex("^  .{12} (.*?)(   .*)?$")]
    private static partial Regex Step();
}
