using System.Text;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    private const string Broken = "example.test/broken/";

    /// <summary>Errors as a user meets them: programs that can't be linked, and inputs that are damaged or do not fit.</summary>
    private void AddErrors()
    {
        string folder = Path.Combine(Settings.Root, "tests", "broken");
        string stamp = CaptureSet.Stamp(folder);
        string[] programs = ["undefined", "many", "duplicate", "linkname", "nosplit", "toolarge", "abi"];
        CaptureSet broken = new(_toolchain, "build", [.. programs.Select(name => "./" + name), "./fingerprint"], folder, null, stamp, failing: true);
        CaptureSet changed = new(_toolchain, "build", ["-tags=changed", "./fingerprint"], folder, null, stamp, failing: true);
        foreach (string program in programs)
        {
            Add("errors", program, Tier.Ci, () => Fails(broken[Broken + program], []));
        }

        Add("errors", "many -e", Tier.Ci, () => Fails(broken[Broken + "many"], ["-e"]));
        AddBeyond("errors", "many -h", Tier.Ci, () =>
        {
            // cmd/link stops at the first error with a Go stack trace; the error is what matters.
            LinkOutcome got = Replay.Outcome(broken[Broken + "many"], _subject.Linker, ["-h"]);
            Check.That(got.ExitCode == 2 && got.Hash is null, $"exit {got.ExitCode}, expected 2 and no file");
            Check.That(got.Error.Contains("relocation target main.missing1 not defined", StringComparison.Ordinal), got.Error);
            Check.That(!got.Error.Contains("main.missing2 ", StringComparison.Ordinal), "more than one error is shown");
        });
        Add("errors", "linkname -checklinkname=0", Tier.Ci, () => _subject.SameAsReference(_toolchain, broken[Broken + "linkname"], ["-checklinkname=0"]));
        Add("errors", "fingerprint mismatch", Tier.Ci, () => Altered(broken[Broken + "fingerprint"], step =>
            Repoint(step, Broken + "fingerprint/dep", changed[Broken + "fingerprint"].PackageFile(Broken + "fingerprint/dep"))));

        AddInputErrors();
        AddForeignObjects();
        AddDamagedArchives();
        AddOutputErrors();
    }

    /// <summary>The reference linker fails, and so does ours, with the same words.</summary>
    private void Fails(LinkStep step, string[] flags, IReadOnlyDictionary<string, string>? environment = null)
    {
        LinkOutcome want = environment is null ? Reference.Of(_toolchain, step, flags) : Replay.Outcome(step, [step.Tool], flags, environment);
        Check.That(want.ExitCode != 0, "the reference linker does not fail");
        LinkOutcome got = Replay.Outcome(step, _subject.Linker, flags, environment);
        // Some of cmd/link's errors in inputs end with 1 (log.Fatalf); ours all end with 2.
        int code = _subject.IsReference ? want.ExitCode : 2;
        Check.That(got.ExitCode == code, $"exit {got.ExitCode}, expected {code}\n{Command.Tail(got.Error, 1500)}");
        Check.That(_subject.IsReference || got.Hash is null, "an output file is left behind");
        Check.SameText("standard error, lines sorted", Sorted(want.Error), Sorted(got.Error));

        // cmd/link finds errors in parallel; their order changes from run to run.
        static string Sorted(string text) => string.Join('\n', text.Split('\n').Order(StringComparer.Ordinal));
    }

    /// <summary>Fails on a changed copy of a step as the reference linker does.</summary>
    private void Altered(LinkStep step, Action<LinkStep> change, string[]? flags = null) => InFolder(folder =>
    {
        LinkStep copy = step.CopyTo(Path.Combine(folder, "step"));
        change(copy);
        Fails(LinkStep.Load(copy.Folder), flags ?? []);
    });

    /// <summary>Fails on a changed copy of a step with exit 2 and a text that holds <paramref name="words"/>; no file is left.</summary>
    private void Refused(LinkStep step, Action<LinkStep> change, params string[] words) => InFolder(folder =>
    {
        LinkStep copy = step.CopyTo(Path.Combine(folder, "step"));
        change(copy);
        LinkOutcome got = Replay.Outcome(LinkStep.Load(copy.Folder), _subject.Linker, []);
        Check.That(got.ExitCode == 2, $"exit {got.ExitCode}, expected 2\n{Command.Tail(got.Error, 1500)}");
        Check.That(got.Hash is null, "an output file is left behind");
        foreach (string word in words)
        {
            Check.That(got.Error.Contains(word, StringComparison.Ordinal), $"the error does not name {word}:\n{Command.Tail(got.Error, 1500)}");
        }

        Check.That(!got.Error.Contains("   at ", StringComparison.Ordinal), $"a stack trace is no error text:\n{Command.Tail(got.Error, 1500)}");
    });

    private void AddInputErrors()
    {
        LinkStep Hello() => _programs[Module + "hello"];
        Add("errors", "package absent from importcfg", Tier.Ci, () => Altered(Hello(), step =>
            EditLines(step.ImportConfig, lines => lines.Where(line => !line.StartsWith("packagefile fmt=", StringComparison.Ordinal)))));
        Add("errors", "object file is not there", Tier.Ci, () => Altered(Hello(), step => Repoint(step, "fmt", Path.Combine(step.Folder, "none.a"))));
        Add("errors", "object file is a folder", Tier.Ci, () => Altered(Hello(), step => Repoint(step, "fmt", step.Folder)));
        Add("errors", "malformed importcfg", Tier.Ci, () => Altered(Hello(), step => EditLines(step.ImportConfig, lines => lines.Append("nonsense here"))));
        Add("errors", "importcfg line without =", Tier.Ci, () => Altered(Hello(), step => EditLines(step.ImportConfig, lines => lines.Append("packagefile x"))));
        Add("errors", "main archive is not there", Tier.Ci, () => Altered(Hello(), step => EditLines(Path.Combine(step.Folder, "args"), lines => [.. lines.SkipLast(1), "/no/such/main.a"])));
        Add("errors", "main archive is another package", Tier.Ci, () => Altered(Hello(), step => File.Copy(step.PackageFile("errors"), step.MainArchive, overwrite: true)));
        Add("errors", "no input", Tier.Ci, () => Altered(Hello(), step => EditLines(Path.Combine(step.Folder, "args"), lines => lines.SkipLast(1))));
        Add("errors", "two inputs", Tier.Ci, () => Altered(Hello(), step => EditLines(Path.Combine(step.Folder, "args"), lines => lines.Append("other.a"))));
        Add("errors", "-X of a variable that is no string", Tier.Ci, () => Fails(_programs[Module + "server"], ["-X", "main.errMissing=1"]));
    }

    /// <summary>Objects for another system, release or experiment.</summary>
    private void AddForeignObjects()
    {
        LinkStep Hello() => _programs[Module + "hello"];
        Dictionary<string, string> With(string name, string value) => new() { [name] = value };
        Add("errors", "objects of another GOOS", Tier.Ci, () => Mismatch(Hello(), With("GOOS", "freebsd")));
        Add("errors", "objects of another GOARCH", Tier.Ci, () =>
        {
            // A port that is not linked yet is refused before its objects are looked at.
            LinkOutcome got = Replay.Outcome(Hello(), _subject.Linker, [], With("GOARCH", "arm64"));
            Check.That(got.ExitCode == 2 && got.Hash is null, $"exit {got.ExitCode}, expected 2 and no file");
            Check.That(got.Error.Contains("arm64", StringComparison.Ordinal), $"the error does not name arm64:\n{Command.Tail(got.Error, 1500)}");
        });
        Add("errors", "objects of another experiment", Tier.Ci, () => Mismatch(Hello(), With("GOEXPERIMENT", OtherExperiment)));
        Add("errors", "unknown GOARCH", Tier.Ci, () => Mismatch(Hello(), With("GOARCH", "pdp11")));
        AddBeyond("errors", "a package of another experiment", NewestInCi, () =>
        {
            CaptureSet old = new(_toolchain, "build", ["./hello", "./dwarf"], Settings.Programs, With("GOEXPERIMENT", OtherExperiment), CaptureSet.Stamp(Settings.Programs));
            string foreign = old[Module + "hello"].PackageFile("fmt");
            Refused(Hello(), step => Repoint(step, "fmt", foreign), foreign, OtherExperiment[2..]);
        });
        AddBeyond("errors", "objects of an unknown release", Tier.Ci, () => Refused(
            Hello(), step => ReplaceBytes(step.MainArchive, $" go{_release}.", " go1.99."), ["main.a", "1.99", .. SuiteCommand.SupportedReleases]));
        AddBeyond("errors", "a package of another release", Tier.Ci, () => InFolder(folder =>
        {
            string other = Path.Combine(folder, "fmt.a");
            File.Copy(Hello().PackageFile("fmt"), other);
            string foreign = SuiteCommand.SupportedReleases.First(release => release != _release);
            ReplaceBytes(other, $" go{_release}.", $" go{foreign}.");
            Refused(Hello(), step => Repoint(step, "fmt", other), other);
        }));
    }

    /// <summary>Settings that do not fit the objects. cmd/link names the first object files; at least that must be there.</summary>
    private void Mismatch(LinkStep step, Dictionary<string, string> environment)
    {
        LinkOutcome want = Replay.Outcome(step, [step.Tool], [], environment);
        Check.That(want.ExitCode != 0, "the reference linker does not fail");
        LinkOutcome got = Replay.Outcome(step, _subject.Linker, [], environment);
        Check.That(got.ExitCode == want.ExitCode, $"exit {got.ExitCode}, expected {want.ExitCode}\n{Command.Tail(got.Error, 1500)}");
        Check.That(got.Hash is null, "an output file is left behind");
        Check.SameText("first lines of the error", First(want.Error), First(got.Error));

        static string First(string text) => string.Join('\n', text.Split('\n').Take(3));
    }

    private void AddDamagedArchives()
    {
        LinkStep Hello() => _programs[Module + "hello"];
        foreach (int keep in (int[])[0, 7, 30, 70, 200, 2000])
        {
            AddBeyond("errors", $"main archive cut after {keep} bytes", Tier.Ci, () => Refused(Hello(), step => Cut(step.MainArchive, keep), "main.a"));
        }

        foreach (int percent in (int[])[5, 25, 50, 75, 95])
        {
            AddBeyond("errors", $"package cut after {percent} %", Tier.Ci, () => WithDamaged("runtime", Refuse, bytes => bytes[..(int)(bytes.Length * (long)percent / 100)]));
        }

        foreach (int where in (int[])[0, 4, 9, 20, 61, 66, 70, 80])
        {
            AddBeyond("errors", $"package with byte {where} changed", Tier.Ci, () => WithDamaged("fmt", NoWorseThanReference, bytes => Flip(bytes, where)));
        }

        foreach (int percent in (int[])[10, 30, 50, 70, 90, 97, 99])
        {
            AddBeyond("errors", $"package with a bit flipped at {percent} %", Tier.Ci, () =>
                WithDamaged("fmt", NoWorseThanReference, bytes => Flip(bytes, (int)(bytes.Length * (long)percent / 100))));
        }

        AddBeyond("errors", "package of random text", Tier.Ci, () => WithDamaged("fmt", Refuse, _ => Encoding.ASCII.GetBytes("hello, I am no archive\n")));

        void Refuse(string file, LinkOutcome got)
        {
            Check.That(got.ExitCode == 2, $"exit {got.ExitCode}, expected 2\n{Command.Tail(got.Error, 1500)}");
            Check.That(got.Hash is null, "an output file is left behind");
            Check.That(got.Error.Contains(file, StringComparison.Ordinal), $"the error does not name {file}:\n{Command.Tail(got.Error, 1500)}");
        }

        // A flipped bit may hit what no one reads, or text: then the same bytes come out. Otherwise it must be found.
        void NoWorseThanReference(string file, LinkOutcome got)
        {
            Check.That(got.ExitCode is 0 or 1 or 2, $"exit {got.ExitCode}\n{Command.Tail(got.Error, 1500)}");
            Check.That((got.ExitCode == 0) == (got.Hash is not null), "an output file is left behind");
            Check.That(!got.Error.Contains("Unhandled exception", StringComparison.Ordinal), $"not an error text:\n{Command.Tail(got.Error, 1500)}");
        }
    }

    private void WithDamaged(string package, Action<string, LinkOutcome> check, Func<byte[], byte[]> damage) => InFolder(folder =>
    {
        LinkStep step = _programs[Module + "hello"].CopyTo(Path.Combine(folder, "step"));
        string file = Path.Combine(folder, "damaged.a");
        File.WriteAllBytes(file, damage(File.ReadAllBytes(step.PackageFile(package))));
        Repoint(step, package, file);
        check(file, Replay.Outcome(step, _subject.Linker, []));
    });

    /// <summary>Outputs that can't be written.</summary>
    private void AddOutputErrors()
    {
        LinkStep Hello() => _programs[Module + "hello"];
        Add("errors", "output in a folder that is not there", Tier.Ci, () => Output("/no/such/folder/out"));
        Add("errors", "output is a folder", Tier.Ci, () => InFolder(Output));
        Add("errors", "output below a file", Tier.Ci, () => Output(Path.Combine(Hello().MainArchive, "out")));
        AddBeyond("errors", "full device", Tier.Ci, () => Output("/dev/full"));
        string[]? isolated = Isolation();
        if (isolated is null)
        {
            Console.WriteLine("mounting is not allowed here: the case with a full disk is left out");
            return;
        }

        AddBeyond("errors", "full disk", Tier.Ci, () => InFolder(folder =>
        {
            // A file system of one megabyte that only this process tree sees; what is left in it is listed at the end.
            string script = $"mount -t tmpfs -o size=1m none '{folder}' && {{ \"$@\"; code=$?; ls -A '{folder}'; exit $code; }}";
            CommandResult result = Replay.Link(Hello(), [.. isolated, "sh", "-c", script, "sh", .. _subject.Linker], [], Path.Combine(folder, "out"));
            Check.That(result.ExitCode == 2, $"exit {result.ExitCode}, expected 2\n{Command.Tail(result.ErrorText, 1500)}");
            Check.That(result.OutputText.Trim().Length == 0, $"left behind: {result.OutputText.Trim()}");
            Check.That(result.ErrorText.Contains(folder, StringComparison.Ordinal), $"the error does not name the file:\n{result.ErrorText}");
        }));

        void Output(string path)
        {
            CommandResult want = Replay.Link(Hello(), [Hello().Tool], [], path);
            CommandResult got = Replay.Link(Hello(), _subject.Linker, [], path);
            Check.That(want.ExitCode != 0, "the reference linker does not fail");
            Check.That(got.ExitCode == want.ExitCode, $"exit {got.ExitCode}, expected {want.ExitCode}\n{Command.Tail(got.ErrorText, 1500)}");
            Check.That(got.ErrorText.Contains(path, StringComparison.Ordinal), $"the error does not name {path}:\n{Command.Tail(got.ErrorText, 1500)}");
        }
    }

    /// <summary>Command prefix that allows a private mount, or null where the machine does not allow one.</summary>
    private static string[]? Isolation()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        foreach (string[] prefix in (string[][])[["unshare", "-m"], ["unshare", "-rm"]])
        {
            try
            {
                if (Command.Run([.. prefix, "sh", "-c", "mount -t tmpfs -o size=1m none /tmp"]).ExitCode == 0)
                {
                    return prefix;
                }
            }
            catch (ConformanceException)
            {
                // There is no unshare.
            }
        }

        return null;
    }

    private static void Repoint(LinkStep step, string package, string file)
    {
        string prefix = $"packagefile {package}=";
        EditLines(step.ImportConfig, lines => lines.Select(line => line.StartsWith(prefix, StringComparison.Ordinal) ? prefix + file : line));
    }

    private static void EditLines(string file, Func<string[], IEnumerable<string>> edit) => File.WriteAllLines(file, edit(File.ReadAllLines(file)));

    private static void Cut(string file, int length)
    {
        byte[] bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, bytes[..Math.Min(length, bytes.Length)]);
    }

    private static byte[] Flip(byte[] bytes, int where)
    {
        bytes[where] ^= 0x10;
        return bytes;
    }

    /// <summary>Replaces every occurrence of a text by another of the same length.</summary>
    private static void ReplaceBytes(string file, string text, string other)
    {
        byte[] bytes = File.ReadAllBytes(file);
        byte[] from = Encoding.ASCII.GetBytes(text);
        byte[] to = Encoding.ASCII.GetBytes(other);
        int count = 0;
        for (int at = bytes.AsSpan().IndexOf(from); at >= 0; at = bytes.AsSpan().IndexOf(from))
        {
            to.CopyTo(bytes, at);
            count++;
        }

        Check.That(count > 0 && from.Length == to.Length, $"{file} does not hold \"{text}\"");
        File.WriteAllBytes(file, bytes);
    }
}
