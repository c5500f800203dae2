using System.Diagnostics;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    private const string NoRoom = "no space left on device";

    /// <summary>Links to which something happens: a clear error with nothing left behind, or the same bytes.</summary>
    private void AddFaults()
    {
        if (_subject.IsReference || !Fault.IsAvailable)
        {
            Console.WriteLine("faults can't be injected here (they need Linux and a C compiler): these cases are left out");
            return;
        }

        AddDiskFaults();
        AddInputFaults();
        AddSignals();
        AddPlaces();
    }

    private FaultOutcome Faulty(string faults, string[]? switches = null, string[]? prefix = null, Action<string>? prepare = null) =>
        Fault.Link(_programs[Module + "hello"], _subject.Linker, faults, switches, prefix, prepare);

    private string HelloHash => Reference.Of(_toolchain, _programs[Module + "hello"], []).Hash!;

    private void AddDiskFaults()
    {
        const string Reserving = "link: mapping output file failed: fallocate @OUT@: " + NoRoom;
        foreach ((string name, int number) in ((string, int)[])[("EPERM", 1), ("EOPNOTSUPP", 95), ("EINVAL", 22), ("ENOSYS", 38)])
        {
            Add("faults", $"space can't be reserved: {name}", NewestInCi, () =>
                Fault.Same(Faulty($"disk,fallocate={number}"), HelloHash, "disk", "fallocate"));
        }

        Add("faults", "no room when space is reserved", NewestInCi, () => Fault.Fails(Faulty("disk,fallocate=28"), Reserving, "fallocate"));
        Add("faults", "shared maps are refused", NewestInCi, () => Fault.Same(Faulty("map"), HelloHash, "map"));
        Add("faults", "the address space is too small for the output", NewestInCi, () =>
        {
            LinkStep server = _programs[Module + "server"];
            string expected = Reference.Of(_toolchain, server, []).Hash!;
            Fault.Same(Fault.Link(server, _subject.Linker, "space=13000000"), expected, "space");
        });
        Add("faults", "a limit on the size of files", NewestInCi, () =>
        {
            FaultOutcome got = Faulty("", prefix: ["sh", "-c", "ulimit -f 100; exec \"$@\"", "sh"]);
            Check.That(got.ExitCode == 2 && got.Error.Contains("@OUT@: file too large\n", StringComparison.Ordinal), $"exit {got.ExitCode}\n{got.Error}");
            Fault.Nothing(got);
        });

        string[]? isolated = Isolation();
        if (isolated is null)
        {
            Console.WriteLine("mounting is not allowed here: the cases with disks that fill while they are written are left out");
            return;
        }

        // A file system of one megabyte that only this process tree sees; what is left in it is printed at the end.
        string[] small = [.. isolated, "sh", "-c", "mount -t tmpfs -o size=1m none '@FOLDER@' && { \"$@\"; code=$?; ls -A '@FOLDER@'; exit $code; }", "sh"];
        Add("faults", "no room in a small disk", NewestInCi, () => Full(Faulty("disk", prefix: small), NoRoom, "disk"));
        foreach (string named in (string[])["", "AOTLINK_NAMED_OUTPUT"])
        {
            string[] switches = named.Length == 0 ? [] : [named];
            Add("faults", $"the disk fills under the map {named}", NewestInCi, () =>
                Full(
                    Faulty("disk,fallocate=95", [.. switches, "AOTLINK_NO_OUTPUT_MAP=0"], small),
                    "link: write @OUT@: no space left on device, or an input/output error\n", "fallocate"));
            Add("faults", $"the disk fills, whichever way is taken {named}", NewestInCi, () =>
                Full(Faulty("disk,fallocate=95", switches, small), $"link: write @OUT@: {NoRoom}", "fallocate"));
            Add("faults", $"the disk fills under write calls {named}", NewestInCi, () =>
                Full(Faulty("disk,fallocate=95", [.. switches, "AOTLINK_NO_OUTPUT_MAP"], small), $"link: write @OUT@: {NoRoom}\n", "fallocate"));
        }

        Add("faults", "a file system that is read-only", NewestInCi, () =>
        {
            string[] prefix = [.. isolated, "sh", "-c", "mount -t tmpfs none '@FOLDER@' && mount -o remount,ro '@FOLDER@' && exec \"$@\"", "sh"];
            Fault.Fails(Faulty("", prefix: prefix), "link: cannot create @OUT@: open @OUT@: read-only file system");
        });

        static void Full(FaultOutcome got, string words, string log)
        {
            Check.That(got.Log.Contains(log), $"the fault was not met: exit {got.ExitCode}\n{got.Error}");
            Check.That(got.ExitCode == 2, $"exit {got.ExitCode}, expected 2\n{got.Error}");
            Check.That(got.Error.Contains(words, StringComparison.Ordinal), $"other words:\n{got.Error}");
            Check.That(got.Output.Length == 0, $"left behind: {got.Output}");
        }
    }

    private void AddInputFaults()
    {
        // Several threads: all of them meet the end of the file, and one speaks.
        foreach (string switches in (string[])["", "AOTLINK_NAMED_OUTPUT", "AOTLINK_NO_OUTPUT_MAP"])
        {
            Add("faults", $"an input is cut short in mid-link {switches}", NewestInCi, () => InFolder(folder =>
            {
                LinkStep step = _programs[Module + "hello"].CopyTo(Path.Combine(folder, "step"));
                string input = Path.Combine(folder, "runtime.a");
                File.Copy(step.PackageFile("runtime"), input);
                Repoint(step, "runtime", input);
                Fault.Fails(
                    Fault.Link(LinkStep.Load(step.Folder), _subject.Linker, $"truncate={input}", switches.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
                    $"link: {input}: truncated while it was being read, or an input/output error",
                    "truncate");
            }));
        }
    }

    private void AddSignals()
    {
        foreach ((string name, int number) in ((string, int)[])[("SIGTERM", 15), ("SIGKILL", 9)])
        {
            Add("faults", $"{name} in mid-link", NewestInCi, () =>
            {
                FaultOutcome got = Faulty($"signal={number}", prepare: folder => File.WriteAllText(Path.Combine(folder, "program"), "old"));
                Check.That(got.Log.Contains("signal") && got.ExitCode == 128 + number, $"exit {got.ExitCode}, expected {128 + number}\n{got.Error}");
                Fault.Nothing(got);
            });
            Add("faults", $"{name} in mid-link, the output having a name", NewestInCi, () =>
            {
                FaultOutcome got = Faulty($"signal={number}", ["AOTLINK_NAMED_OUTPUT"]);
                Check.That(got.Log.Contains("signal") && got.ExitCode == 128 + number, $"exit {got.ExitCode}, expected {128 + number}\n{got.Error}");
                Check.That(got.Hash is null, "an output file is left behind");

                // Nobody can clear up after SIGKILL; what is left then has a name of ours.
                Check.That(
                    number == 9 ? got.Others is [{ } one] && one.StartsWith(".aotlink-", StringComparison.Ordinal) : got.Others.Length == 0,
                    $"left behind: {string.Join(' ', got.Others)}");
            });
        }
    }

    /// <summary>Where an output can go, or can't.</summary>
    private void AddPlaces()
    {
        Add("faults", "a folder that may not be written", NewestInCi, () =>
        {
            // Root may write everywhere; without that right it is like anybody.
            string[] prefix = Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set", "-dac_override"] : [];
            FaultOutcome got = Faulty("", prefix: prefix, prepare: folder =>
            {
                if (!OperatingSystem.IsWindows())
                {
                    File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
                }
            });
            Fault.Fails(got, "link: cannot create @OUT@: open @OUT@: permission denied");
        });
        Add("faults", "over a running program", NewestInCi, () =>
        {
            Process? running = null;
            try
            {
                FaultOutcome got = Faulty("", prepare: folder =>
                {
                    string program = Path.Combine(folder, "program");
                    File.Copy(Host.Find("sleep")!, program);
                    running = Command.Start(new ProcessStartInfo(program) { ArgumentList = { "60" } });
                });
                Fault.Same(got, HelloHash);
                Check.That(!running!.HasExited, "the running program has ended");
            }
            finally
            {
                running?.Kill();
                running?.Dispose();
            }
        });
        Add("faults", "to a pipe", NewestInCi, () => Piped("mkfifo \"$0/pipe\"; \"$@\" & cat \"$0/pipe\"; wait $!", "pipe"));
        Add("faults", "to /dev/stdout", NewestInCi, () => Piped("\"$@\" | cat", "/dev/stdout"));

        void Piped(string script, string output) => InFolder(folder =>
        {
            string to = Path.Combine(folder, output);
            CommandResult result = Replay.Link(_programs[Module + "hello"], ["sh", "-c", script, folder, .. _subject.Linker], [], to);
            Check.That(result.ExitCode == 0 && result.Error.Length == 0, $"exit {result.ExitCode}\n{result.ErrorText}");
            string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(result.Output));
            Check.That(hash == HelloHash, $"{result.Output.Length} other bytes");
        });
    }
}
