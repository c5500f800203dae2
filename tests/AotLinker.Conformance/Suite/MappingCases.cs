using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
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
        Add("mapping", "pie server: /proc/PID/maps", Tier.All, () => MapsAreReadOnly(Pie("server")));
        if (_newest)
        {
            Add("mapping", "cmd/go: /proc/PID/maps", Tier.All, () => MapsAreReadOnly(_smallTools["cmd/go"]));
        }

        AddBeyond("mapping", "server: the account against /proc/PID/smaps", Tier.Ci, () => AccountIsTrue(_programs[Module + "server"]));
        AddBeyond("mapping", "server: the fallback's memory", Tier.Ci, () => FallbackIsBounded(_programs[Module + "server"]));
        if (_newest)
        {
            AddBeyond("mapping", "cmd/go: the fallback's memory", Tier.All, () => FallbackIsBounded(_smallTools["cmd/go"]));
        }

        AddForcedWays();
        AddUnusualInputs();
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
            // A thread of its own: those of the pool run cases.
            watcher = Task.Factory.StartNew(() => Watch(process, maps, seen), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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

    /// <summary>Every way to read and write gives the same bytes, with one thread and with many.</summary>
    private void AddForcedWays()
    {
        string[] ways = ["AOTLINK_NO_OUTPUT_MAP", "AOTLINK_NO_OUTPUT_MAP=0", "AOTLINK_NO_INPUT_MAP", "AOTLINK_NAMED_OUTPUT", "AOTLINK_NO_OUTPUT_MAP AOTLINK_NO_INPUT_MAP AOTLINK_THREADS=1", "AOTLINK_NO_OUTPUT_MAP AOTLINK_THREADS=16"];
        foreach (string program in Programs)
        {
            foreach (string way in ways)
            {
                AddBeyond("mapping", $"{program}: {way}", program == "hello" ? NewestInCi : Tier.All, () => _subject.SameAsReference(
                    _toolchain, _programs[Module + program], [], way.Split(' ').Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => pair.Length > 1 ? pair[1] : "1")));
            }
        }
    }

    private void AddUnusualInputs()
    {
        LinkStep Hello() => _programs[Module + "hello"];
        AddBeyond("mapping", "more than 30,000 inputs", NewestInCi, () => InFolder(folder =>
        {
            LinkStep step = WithManyInputs(Hello(), folder);
            string output = Path.Combine(folder, "out");
            CommandResult result = Replay.Link(step, _subject.Linker, [], output);
            Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{Command.Tail(result.ErrorText, 1500)}");
            Check.That(Capture.HashFile(output) == HelloHash, "other bytes");
        }));
        AddBeyond("mapping", "more than 30,000 inputs: past the limit they are read", Tier.All, () => InFolder(folder =>
        {
            JsonElement inputs = Account(WithManyInputs(Hello(), folder), [], folder).GetProperty("inputs");
            int past = inputs.GetProperty("readFiles").EnumerateArray().Count(one => one.GetProperty("reason").GetString() == "map limit");
            long mapped = inputs.GetProperty("filesMapped").GetInt64();
            Check.That(mapped is >= 10_000 and <= 30_000 && mapped + past >= 31_000, $"{mapped} inputs mapped, {past} read past the limit");
        }));
        AddBeyond("mapping", "paths that are not UTF-8", NewestInCi, () => InFolder(folder =>
        {
            // In bytes: .NET can neither make nor name such files.
            const string Script = """
                cd "$0"; d=$(printf 'd\377'); mkdir "$d"; cp step/main.a "$d/main.a"; cp "$1" "$d/fmt.a"; shift
                { grep -v '^packagefile fmt=' step/importcfg; printf 'packagefile fmt=%s/fmt.a\n' "$PWD/$d"; } >"$d/importcfg"
                AOTLINK_STRICT=1 "$@" -o "$d/out" -importcfg "$d/importcfg" -buildmode=exe -buildid=x -extld=gcc "$d/main.a" && sha256sum <"$d/out" && rm -r "$d"
                """;
            LinkStep step = Hello().CopyTo(Path.Combine(folder, "step"));
            string Hash(IEnumerable<string> linker) =>
                Command.Must(["sh", "-c", Script, folder, step.PackageFile("fmt"), .. linker], null, step.Environment.ToDictionary(StringComparer.Ordinal)).OutputText;
            string got = Hash(_subject.Linker);
            Check.SameText("hash of the output", Hash([step.Tool]), got);
        }));
        AddBeyond("mapping", "an object past 2 GiB of its archive", NewestInCi, () => InFolder(folder =>
        {
            LinkStep step = Hello().CopyTo(Path.Combine(folder, "step"));
            MoveObjects(step.MainArchive, 3L << 30);
            string output = Path.Combine(folder, "out");
            CommandResult result = Replay.Link(LinkStep.Load(step.Folder), _subject.Linker, [], output);
            Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{Command.Tail(result.ErrorText, 1500)}");
            Check.That(Capture.HashFile(output) == HelloHash, "other bytes");
        }));
    }

    /// <summary>
    /// Names files that no package imports: they are opened all the same. Each path is another one, and all lead to the smallest
    /// package that is mapped.
    /// </summary>
    private static LinkStep WithManyInputs(LinkStep original, string folder)
    {
        const int Count = 31_000;
        const int SmallestMapped = 16 << 10;
        LinkStep step = original.CopyTo(Path.Combine(folder, "step"));
        string file = LinkStep.PackageFiles(File.ReadLines(step.ImportConfig)).Where(path => new FileInfo(path).Length >= SmallestMapped).MinBy(path => new FileInfo(path).Length)!;
        string links = Directory.CreateDirectory(Path.Combine(folder, "links")).FullName;
        EditLines(step.ImportConfig, lines => lines.Concat(Enumerable.Range(0, Count).Select(i => $"packagefile unused/p{i}={links}/{i}.a")));
        for (int i = 0; i < Count; i++)
        {
            File.CreateSymbolicLink($"{links}/{i}.a", file);
        }

        return LinkStep.Load(step.Folder);
    }

    /// <summary>Puts a member that linkers skip, a hole in the file, between an archive's first member and the rest.</summary>
    private static void MoveObjects(string archive, long distance)
    {
        const int Magic = 8;
        const int Header = 60;
        byte[] bytes = File.ReadAllBytes(archive);
        int first = int.Parse(Encoding.ASCII.GetString(bytes, Magic + 48, 10), CultureInfo.InvariantCulture);
        int rest = Magic + Header + first + (first & 1);
        using FileStream file = File.Create(archive);
        file.Write(bytes, 0, rest);
        file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{"hole.bin",-16}{0,-12}{0,-6}{0,-6}{644,-8}{distance,-10}`\n")));
        file.Position += distance;
        file.Write(bytes, rest, bytes.Length - rest);
    }

    /// <summary>
    /// The account's figures are those the kernel shows to others. A pipe as the output holds the linker where all passes but
    /// the last are over.
    /// </summary>
    private void AccountIsTrue(LinkStep step) => InFolder(folder =>
    {
        string pipe = Path.Combine(folder, "pipe");
        Command.Must(["mkfifo", pipe]);
        long inputs = 0;
        long anonymous = 0;
        long size = 0;
        Task? reader = null;
        JsonElement account = Account(step, [], folder, pipe, process => reader = Task.Run(() =>
        {
            using FileStream stream = File.OpenRead(pipe);
            Check.That(stream.ReadByte() >= 0, "nothing is written");
            foreach ((string path, string name, long bytes) in ReadSmaps(process.Id))
            {
                inputs += name == "Rss" && IsInput(path) ? bytes : 0;
                size += name == "Size" && IsInput(path) ? bytes : 0;
                anonymous += name == "Rss" && !path.StartsWith('/') ? bytes : 0;
            }

            stream.CopyTo(Stream.Null);
        }));
        reader!.Wait();

        JsonElement mapped = account.GetProperty("inputs");
        long files = mapped.GetProperty("filesMapped").GetInt64();
        long known = mapped.GetProperty("mapped").GetInt64();
        Check.That(size >= known && size - known < files * 65536, $"{known} bytes of {files} inputs mapped, the kernel says {size}");
        JsonElement pass = account.GetProperty("passes").EnumerateArray().Last(one => one.GetProperty("name").GetString() == "Asmb2");
        Near("inputs in memory", pass.GetProperty("resident").GetProperty("inputs").GetInt64(), inputs, 1 << 20);
        Near("memory without a file", pass.GetProperty("resident").GetProperty("anonymous").GetInt64(), anonymous, 8 << 20);
        long peak = account.GetProperty("privatePeak").GetInt64();
        Check.That(peak >= anonymous - (4 << 20), $"a peak of {peak} bytes of private memory, the kernel says {anonymous}");
        Check.That(account.GetProperty("residentPeak").GetInt64() >= inputs + anonymous - (4 << 20), "the resident peak is too small");
        Check.That(account.GetProperty("nativePeak").GetInt64() > 0 && account.GetProperty("managed").GetProperty("peak").GetInt64() > 0, "no peak of the heaps");
        Check.That(account.GetProperty("privateCopies").GetProperty("bytes").GetInt64() == 0, "object data was copied");

        static void Near(string what, long got, long want, long slack) =>
            Check.That(Math.Abs(got - want) <= slack, $"{what}: {got} bytes in the account, {want} in smaps");
    });

    /// <summary>Without a mapped output private memory is at most 64 MB more.</summary>
    private void FallbackIsBounded(LinkStep step) => InFolder(folder =>
    {
        JsonElement mapped = Account(step, new() { ["AOTLINK_NO_OUTPUT_MAP"] = "0" }, folder);
        JsonElement either = Account(step, [], folder);
        JsonElement buffered = Account(step, new() { ["AOTLINK_NO_OUTPUT_MAP"] = "1" }, folder);
        long more = buffered.GetProperty("privatePeak").GetInt64() - mapped.GetProperty("privatePeak").GetInt64();
        Check.That(more <= 64 << 20, $"{more} bytes of private memory more");
        JsonElement output = buffered.GetProperty("output");
        long written = output.GetProperty("written").GetInt64();
        Check.That(output.GetProperty("mapped").GetInt64() == 0 && written > 0, $"not by calls: {output}");
        output = mapped.GetProperty("output");
        Check.That(output.GetProperty("mapped").GetInt64() > 0, "there is no map");
        // Tables and compressed debug information may be; code and data are not.
        Check.That(output.GetProperty("written").GetInt64() < written / 5 * 4, $"a mapped output is written by calls: {output}");
        more = either.GetProperty("privatePeak").GetInt64() - mapped.GetProperty("privatePeak").GetInt64();
        Check.That(more <= 8 << 20, $"{more} bytes of private memory more where the way is chosen");
        Check.That(either.GetProperty("output").GetProperty("mapped").GetInt64() > 0, "there is no map where the way is chosen");
    });

    /// <summary>Links with the account on.</summary>
    private JsonElement Account(LinkStep step, Dictionary<string, string> environment, string folder, string? output = null, Action<Process>? started = null)
    {
        string file = Path.Combine(folder, "account");
        environment["AOTLINK_ACCOUNT"] = "json:" + file;
        CommandResult result = Replay.Link(step, _subject.Linker, [], output ?? Path.Combine(folder, "out"), environment, false, started);
        Check.That(result.ExitCode == 0, $"exit {result.ExitCode}\n{Command.Tail(result.ErrorText, 1500)}");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.Clone();
    }

    /// <summary>The figures of a process's maps, in bytes; of memory without a file the path is empty or in brackets.</summary>
    private static IEnumerable<(string Path, string Name, long Bytes)> ReadSmaps(int process)
    {
        string path = "";
        foreach (string line in File.ReadLines($"/proc/{process}/smaps"))
        {
            string[] fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (!fields[0].EndsWith(':'))
            {
                path = fields.Length > 5 ? fields[5] : "";
            }
            else if (fields is [_, { } number, "kB"])
            {
                yield return (path, fields[0][..^1], 1024 * long.Parse(number, CultureInfo.InvariantCulture));
            }
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
