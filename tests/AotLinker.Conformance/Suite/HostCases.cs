namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>
    /// aotlink for other hosts, as scripts/other-hosts.sh builds it, run here: the Windows build under Wine, the one for 64-bit ARM under
    /// QEMU. Each must write what cmd/link writes on this host.
    /// </summary>
    private void AddHosts()
    {
        foreach (OtherHost host in OtherHost.Found())
        {
            string stamp = CaptureSet.Stamp(Settings.Programs);
            CaptureSet wasm = Wasm("js", ["./hello"], Settings.Programs, stamp);
            foreach (string way in (string[])["", "AOTLINK_NO_OUTPUT_MAP", "AOTLINK_NO_INPUT_MAP", "AOTLINK_NAMED_OUTPUT"])
            {
                Same("hello", way, NewestInCi, () => _programs[Module + "hello"]);
                Same("js hello", way, way.Length == 0 ? NewestInCi : Tier.All, () => wasm[Module + "hello"]);
                Same("server", way, Tier.All, () => _programs[Module + "server"]);
                Same("server, pie", way, Tier.All, () => Pie("server"));
            }

            AddBeyond("hosts", $"{host.Name}: the account", NewestInCi, () => InFolder(folder =>
            {
                // Relocations are applied in the mapped output; those of WebAssembly, which has none that could be, in private copies.
                System.Text.Json.JsonElement elf = OnHost(host).Account(_programs[Module + "hello"], [], folder);
                Check.That(elf.GetProperty("inputs").GetProperty("mapped").GetInt64() > 1 << 20, "inputs are not mapped");
                Check.That(elf.GetProperty("output").GetProperty("mapped").GetInt64() > 1 << 20, "the output is not mapped");
                Check.That(elf.GetProperty("privateCopies").GetProperty("bytes").GetInt64() == 0, "private copies with a mapped output");
                Check.That(elf.GetProperty("residentPeak").GetInt64() > 1 << 20, "resident memory is not measured");
                System.Text.Json.JsonElement module = OnHost(host).Account(wasm[Module + "hello"], [], folder);
                Check.That(module.GetProperty("privateCopies").GetProperty("bytes").GetInt64() > 0, "no private copies for WebAssembly");
            }));
            AddBeyond("hosts", $"{host.Name}: an input that is not there", NewestInCi, () => OnHost(host).Refused(
                _programs[Module + "hello"], step => Repoint(step, "fmt", "/no/such/fmt.a"), "/no/such/fmt.a"));
            AddBeyond("hosts", $"{host.Name}: an output folder that is not there", NewestInCi, () =>
            {
                CommandResult got = Replay.Link(_programs[Module + "hello"], OnHost(host)._subject.Linker, [], "/no/such/folder/out");
                Check.That(got.ExitCode == 2, $"exit {got.ExitCode}, expected 2\n{got.ErrorText}");
                Check.That(got.ErrorText.Contains("cannot create /no/such/folder/out: open /no/such/folder/out: ", StringComparison.Ordinal), got.ErrorText);
            });

            if (host.IsWindows)
            {
                AddWindowsHost(host, stamp);
            }

            void Same(string name, string way, Tier tier, Func<LinkStep> step) =>
                AddBeyond("hosts", $"{host.Name}: {name} {way}".TrimEnd(), tier, () =>
                {
                    Dictionary<string, string> environment = way.Length > 0 ? new() { [way] = "1" } : [];
                    OnHost(host)._subject.SameAsReference(_toolchain, step(), [], environment);
                });
        }
    }

    /// <summary>
    /// External linking on Windows, with the system's command interpreter for a compiler: the object and what lies beside it are cmd/link's, and the
    /// call differs in the form of its paths alone.
    /// </summary>
    private void AddWindowsHost(OtherHost host, string stamp)
    {
        Port port = Port.All.First(port => port is { Os: "windows", Cpu: "amd64" });
        CaptureSet programs = new(_toolchain, "build", ["./hello"], Settings.Programs, For(port, []), stamp);
        AddBeyond("hosts", $"{host.Name}: external linking", NewestInCi, () => InFolder(folder =>
        {
            LinkStep step = programs[Module + "hello"];
            (CommandResult want, string expected) = Link([step.Tool], "want", "true");
            (CommandResult got, string actual) = Link(OnHost(host)._subject.Linker, "got", "cmd /c exit");
            Check.That(want.ExitCode == 0 && got.ExitCode == 0, $"exit {got.ExitCode}\n{Command.Tail(got.OutputText + got.ErrorText, 1500)}");
            Check.SameText("files", Names(expected), Names(actual));
            foreach (string file in Directory.GetFiles(expected))
            {
                string own = Path.Combine(actual, Path.GetFileName(file));
                Check.That(File.ReadAllBytes(own).AsSpan().SequenceEqual(File.ReadAllBytes(file)), $"{Path.GetFileName(file)} differs");
            }

            // A dot keeps the compiler from giving the program's name an extension.
            Check.SameText("the call", Call(want, expected, "\"true\"", ""), Call(got, actual, "\"cmd\" \"/c\" \"exit\"", "."));

            (CommandResult Result, string Folder) Link(IReadOnlyList<string> linker, string name, string compiler)
            {
                string work = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
                return (Replay.Link(step, linker, ["-linkmode=external", "-v", "-extld=" + compiler, "-tmpdir=" + work], Path.Combine(folder, "program")), work);
            }

            static string Names(string folder) => string.Join('\n', Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

            string Call(CommandResult result, string work, string compiler, string dot) => result.OutputText.Split('\n')
                .First(line => line.StartsWith("host link:", StringComparison.Ordinal)).TrimEnd('\r').Replace("\\\\", "/", StringComparison.Ordinal)
                .Replace(work, "WORK", StringComparison.Ordinal).Replace(compiler, "COMPILER", StringComparison.Ordinal)
                .Replace($"{folder}/program{dot}\"", "PROGRAM\"", StringComparison.Ordinal);
        }));
        AddBeyond("hosts", $"{host.Name}: a compiler that is not there", NewestInCi, () => InFolder(folder =>
        {
            CommandResult got = Replay.Link(
                programs[Module + "hello"], OnHost(host)._subject.Linker, ["-linkmode=external", "-extld=nosuchcompiler"], Path.Combine(folder, "program"));
            Check.That(got.ExitCode == 2, $"exit {got.ExitCode}, expected 2\n{got.ErrorText}");
            Check.That(
                got.ErrorText.Contains("running nosuchcompiler failed: exec: \"nosuchcompiler\": executable file not found in %PATH%", StringComparison.Ordinal), got.ErrorText);
            Check.That(Directory.GetFiles(folder).Length == 0, "a file is left behind");
        }));
    }

    /// <summary>This suite with another host's linker.</summary>
    private StandardSuite OnHost(OtherHost host)
    {
        host.Start();
        return new StandardSuite(_toolchain, new Subject(host.Linker, [.. host.Linker, "exec"]), _age);
    }
}

/// <summary>A way to run programs of another host here.</summary>
/// <param name="Name">The host, as scripts/other-hosts.sh calls it.</param>
/// <param name="Linker">The command that takes the place of link.</param>
internal sealed record OtherHost(string Name, string[] Linker)
{
    private readonly Lazy<CommandResult> _started = new(() => Command.Must(Linker, ["--version"]));

    /// <summary>Whether the host is Windows.</summary>
    public bool IsWindows => Name.StartsWith("windows", StringComparison.Ordinal);

    /// <summary>Those for which both the linker and what runs it are here.</summary>
    public static IEnumerable<OtherHost> Found()
    {
        if (!Host.RunsLinuxAmd64)
        {
            yield break;
        }

        if ((Host.Find("wine64") ?? Existing("/usr/lib/wine/wine64")) is { } wine)
        {
            // For this process, and so for all that it starts.
            Environment.SetEnvironmentVariable("WINEDEBUG", "-all");
            Environment.SetEnvironmentVariable("WINEPREFIX", Path.Combine(Settings.Cache, "wine"));
            Environment.SetEnvironmentVariable("LC_ALL", "C.UTF-8");
            foreach (string build in (string[])["windows", "windows-aot"])
            {
                if (Existing(Path.Combine(Settings.Root, "out", build, "aotlink.exe")) is { } linker)
                {
                    yield return new OtherHost(build, [wine, linker]);
                }
            }
        }

        if (Host.Find("qemu-aarch64") is { } qemu && Existing(Path.Combine(Settings.Root, "out", "linux-arm64", "aotlink")) is { } arm)
        {
            yield return new OtherHost("linux-arm64", [qemu, "-L", "/usr/aarch64-linux-gnu", arm]);
        }
    }

    /// <summary>Runs it once, alone: Wine sets itself up the first time.</summary>
    public void Start() => _ = _started.Value;

    private static string? Existing(string path) => File.Exists(path) ? path : null;
}
