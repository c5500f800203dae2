using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Inputs are mapped read-only and nothing else: seen from outside the process.</summary>
    private void AddMapping()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Add("mapping", "server: /proc/PID/maps", Tier.Ci, () => MapsAreReadOnly(_programs[Module + "server"]));
        Add("mapping", "pie server: /proc/PID/maps", Tier.All, () => MapsAreReadOnly(_piePrograms[Module + "server"]));
        if (_newest)
        {
            Add("mapping", "cmd/go: /proc/PID/maps", Tier.All, () => MapsAreReadOnly(_smallTools["cmd/go"]));
        }

        if (HasStrace())
        {
            Add("mapping", "server: system calls", Tier.Ci, () => CallsAreReadOnly(_programs[Module + "server"]));
        }
        else
        {
            Console.WriteLine("strace is not here: the cases that watch system calls are left out");
        }
    }

    /// <summary>Watches the memory map of the linker while it works.</summary>
    private void MapsAreReadOnly(LinkStep step) => InFolder(folder =>
    {
        ConcurrentDictionary<string, string> seen = new();
        Task? watcher = null;
        CommandResult result = Replay.Link(step, _subject.Linker, [], Path.Combine(folder, "out"), null, false, process =>
        {
            string maps = $"/proc/{process.Id}/maps";
            watcher = Task.Run(() => Watch(process, maps, seen));
        });
        watcher!.Wait();
        Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{result.ErrorText}");
        Check.That(!seen.IsEmpty, "no input was seen mapped");
        string[] bad = [.. seen.Where(pair => pair.Value is not ("r--p" or "r--s")).Select(pair => $"{pair.Value} {pair.Key}")];
        Check.That(bad.Length == 0, $"{bad.Length} of {seen.Count} inputs are mapped otherwise: {string.Join(", ", bad.Take(3))}");
    });

    private static void Watch(Process process, string maps, ConcurrentDictionary<string, string> seen)
    {
        try
        {
            while (!process.HasExited)
            {
                foreach (string line in File.ReadLines(maps))
                {
                    int path = line.IndexOf('/');
                    if (path > 0 && IsInput(line[path..]))
                    {
                        string permissions = line.Split(' ')[1];
                        seen.AddOrUpdate(line[path..], permissions, (_, old) => old is "r--p" or "r--s" ? permissions : old);
                    }
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            // The process is gone.
        }
    }

    private static bool IsInput(string path) =>
        path.StartsWith(Settings.GoCache, StringComparison.Ordinal) || (path.StartsWith(Settings.Cache, StringComparison.Ordinal) && path.EndsWith(".a", StringComparison.Ordinal));

    private static bool HasStrace() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "strace")));

    /// <summary>Every input is opened read-only, and what is mapped of it is mapped PROT_READ alone.</summary>
    private void CallsAreReadOnly(LinkStep step) => InFolder(folder =>
    {
        string log = Path.Combine(folder, "log");
        CommandResult result = Replay.Link(
            step, ["strace", "-f", "-qq", "-y", "-e", "trace=openat,open,mmap,mprotect", "-o", log, .. _subject.Linker], [], Path.Combine(folder, "out"));
        Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{Command.Tail(result.ErrorText, 1500)}");
        int opened = 0;
        int mapped = 0;
        foreach (string line in File.ReadLines(log))
        {
            Match open = OpenCall().Match(line);
            if (open.Success && IsInput(open.Groups[1].Value))
            {
                opened++;
                Check.That(open.Groups[2].Value.StartsWith("O_RDONLY", StringComparison.Ordinal), "an input is opened for writing: " + line);
            }

            Match map = MapCall().Match(line);
            if (map.Success && IsInput(map.Groups[2].Value))
            {
                mapped++;
                Check.That(map.Groups[1].Value == "PROT_READ", "an input is mapped otherwise: " + line);
            }
        }

        Check.That(opened > 0 && mapped > 0, $"{opened} inputs seen opened, {mapped} mapped");
    });

    [GeneratedRegex("open(?:at)?\\((?:[^\"]*)\"([^\"]*)\", ([A-Z_|]+)")]
    private static partial Regex OpenCall();

    [GeneratedRegex(@"mmap\([^,]*, \d+, ([A-Z_|]+), [A-Z_|]+, \d+<([^>]*)>")]
    private static partial Regex MapCall();
}
