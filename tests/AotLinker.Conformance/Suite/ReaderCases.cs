using System.Globalization;

namespace AotLinker.Conformance.Suite;

/// <summary>A program of someone else that reads executables.</summary>
/// <param name="Name">As it is called on PATH, perhaps with a version behind it.</param>
/// <param name="Arguments">Before the file's name.</param>
/// <param name="MayComplain">
/// It complains about cmd/link's files as well (llvm-dwarfdump --verify about some DWARF): then it must say the same about both.
/// </param>
internal sealed record Reader(string Name, string Arguments, bool MayComplain = false);

internal sealed partial class StandardSuite
{
    private static readonly Reader[] MachOReaders =
    [
        new("llvm-readobj", "--file-headers --sections --section-relocations --symbols --dyn-symbols --needed-libs"),
        new("llvm-readobj", "--macho-data-in-code --macho-dysymtab --macho-indirect-symbols --macho-linker-options --macho-segment --macho-version-min"),
        new("llvm-objdump", "--macho --private-headers --rebase --bind --lazy-bind --weak-bind --exports-trie --indirect-symbols --dylibs-used"),
        new("llvm-objdump", "--syms --section-headers"),
        new("llvm-dwarfdump", "--verify", MayComplain: true),
    ];

    private static readonly Reader[] PeReaders =
    [
        new("llvm-readobj", "--file-headers --sections --symbols --unwind --coff-imports --coff-exports --coff-basereloc"),
        new("llvm-readobj", "--coff-debug-directory --coff-tls-directory --coff-load-config --coff-resources"),
        new("llvm-objdump", "--private-headers --section-headers --syms"),
        new("objdump", "--private-headers --section-headers --syms"),
        new("llvm-dwarfdump", "--verify", MayComplain: true),
    ];

    private static readonly Reader[] XcoffReaders =
    [
        new("llvm-readobj", "--file-headers --sections --symbols"),
        new("llvm-objdump", "--section-headers --syms"),
    ];

    /// <summary>
    /// Programs in the formats that no one here runs are read by programs that know nothing of us: LLVM's and binutils' readers, a signer
    /// for Windows, Go's own tools, and the checks of this suite, which follow every page hash and every base relocation.
    /// </summary>
    private void AddReaders()
    {
        string stamp = CaptureSet.Stamp(Settings.Programs);
        HashSet<string> missing = [];
        foreach (Port port in Port.All.Where(port => port.HasOwnFormat && port.IsOf(_release)))
        {
            CaptureSet hello = new(_toolchain, "build", ["./hello"], Settings.Programs, For(port, []), stamp);
            CaptureSet server = new(_toolchain, "build", ["./server"], Settings.Programs, For(port, []), stamp);
            CaptureSet compile = new(_toolchain, "build", ["cmd/compile"], Source, For(port, []));
            Reader[] readers = [.. ReadersOf(port).Where(IsHere)];
            AddProgram("hello", NewestInCi, () => hello[Module + "hello"], ["", "-s -w", "-compressdwarf=false"]);
            AddProgram("server", Tier.All, () => server[Module + "server"], ["", "-s -w", "-compressdwarf=false"]);
            AddProgram("cmd/compile", Tier.All, () => compile["cmd/compile"], [""]);
            if (port.HasPie)
            {
                CaptureSet exe = new(_toolchain, "build", ["-buildmode=exe", "./hello"], Settings.Programs, For(port, []), stamp);
                AddProgram("hello (exe)", Tier.All, () => exe[Module + "hello"], [""]);
            }

            void AddProgram(string program, Tier tier, Func<LinkStep> step, string[] lines)
            {
                foreach (string line in lines)
                {
                    string[] flags = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    Add("readers", $"{port}: {program} {line}".TrimEnd(), tier, () => ReadBy(readers, port, step(), flags));
                }
            }
        }

        bool IsHere(Reader reader)
        {
            if (Host.FindVersioned(reader.Name) is not null)
            {
                return true;
            }

            if (_newest && missing.Add(reader.Name))
            {
                Console.Error.WriteLine($"readers: there is no {reader.Name}");
            }

            return false;
        }
    }

    private static Reader[] ReadersOf(Port port) => port.Os switch
    {
        "darwin" => MachOReaders,
        // Debian's binutils for this machine do not know programs for Windows on ARM.
        "windows" => [.. PeReaders.Where(reader => port.Cpu != "arm64" || reader.Name != "objdump")],
        "aix" => XcoffReaders,
        _ => [],
    };

    private void ReadBy(Reader[] readers, Port port, LinkStep step, string[] flags) => InFolder(folder =>
    {
        // The same name in two folders, so that what readers say about both files can be compared.
        string ours = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "ours")).FullName, "program");
        string theirs = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "theirs")).FullName, "program");
        CommandResult link = Replay.Link(step, _subject.Linker, flags, ours);
        Check.That(link.ExitCode == 0, $"exit {link.ExitCode}\n{Command.Tail(link.ErrorText, 1500)}");
        byte[] data = File.ReadAllBytes(ours);
        if (port.Os == "darwin")
        {
            MachOCheck check = MachOCheck.Of(data);
            Check.That(check.Faults.Count == 0, string.Join('\n', check.Faults.Take(20)));
            Check.That((check.HashedPages > 0) == (port.Cpu == "arm64"), $"{check.HashedPages} pages are signed");
        }
        else if (port.Os == "windows")
        {
            PeCheck check = PeCheck.Of(data);
            Check.That(check.Faults.Count == 0, string.Join('\n', check.Faults.Take(20)));
            bool isMoved = !step.Arguments.Contains("-buildmode=exe") || port.Cpu == "arm64";
            Check.That((check.Relocations > 0) == isMoved, $"{check.Relocations} base relocations");
            Sign(port, ours, folder);
        }

        List<string[]> commands = [.. readers.Select(reader => (string[])[Host.FindVersioned(reader.Name)!, .. reader.Arguments.Split(' ')])];
        List<bool> mayComplain = [.. readers.Select(reader => reader.MayComplain)];

        // Go finds its release in a program for AIX by a symbol, and does not know programs for Plan 9.
        commands.Add([_toolchain.Go, "version"]);
        mayComplain.Add(port.Os == "plan9" || (port.Os == "aix" && flags.Contains("-s")));
        if (!flags.Contains("-s"))
        {
            commands.Add([_toolchain.Go, "tool", "nm"]);
            mayComplain.Add(false);
        }

        foreach ((string[] command, bool complains) in commands.Zip(mayComplain))
        {
            string name = $"{Path.GetFileName(command[0])} {command[1]}";
            CommandResult got = Read(command, ours);
            if (!complains)
            {
                Check.That(got.ExitCode == 0 && got.Error.Length == 0, $"{name} exits with {got.ExitCode}\n{Command.Tail(got.ErrorText, 1500)}");
                string wanted = command is [_, "version"] ? "go" + _release : command is [_, "tool", "nm"] ? " T main.main" : "";
                Check.That(got.OutputText.Contains(wanted, StringComparison.Ordinal), $"{name} does not find{wanted}");
                continue;
            }

            if (got.ExitCode == 0)
            {
                continue;
            }

            if (!File.Exists(theirs))
            {
                Replay.Link(step, [step.Tool], flags, theirs);
            }

            CommandResult want = Read(command, theirs);
            Check.That(got.ExitCode == want.ExitCode, $"{name} exits with {got.ExitCode}, and with {want.ExitCode} for cmd/link's file");
            Check.SameText($"what {name} says", want.OutputText + want.ErrorText, got.OutputText + got.ErrorText);
        }
    });

    private CommandResult Read(string[] command, string file) => Command.Run(
        command, [Path.GetFileName(file)], _toolchain.Environment(), Path.GetDirectoryName(file), limit: TimeSpan.FromMinutes(5));

    /// <summary>A signer for Windows takes the program, and finds its signature good afterwards.</summary>
    private static void Sign(Port port, string program, string folder)
    {
        if (Host.Find("osslsigncode") is not { } signer || Host.Find("openssl") is not { } openssl)
        {
            Console.Error.WriteLine($"{port}: no program is signed (there is no osslsigncode or no openssl)");
            return;
        }

        (string key, string certificate) = (Path.Combine(folder, "key.pem"), Path.Combine(folder, "certificate.pem"));
        string request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test -addext extendedKeyUsage=codeSigning";
        Command.Must([openssl, .. request.Split(' '), "-keyout", key, "-out", certificate]);
        string signed = Path.Combine(folder, "signed.exe");
        Command.Must([signer, "sign", "-certs", certificate, "-key", key, "-in", program, "-out", signed]);
        CommandResult verify = Command.Run([signer, "verify", "-CAfile", certificate, signed]);
        Check.That(verify.OutputText.Contains("Signature verification: ok", StringComparison.Ordinal), string.Create(
            CultureInfo.InvariantCulture, $"{port}: osslsigncode exits with {verify.ExitCode}\n{Command.Tail(verify.OutputText + verify.ErrorText, 1500)}"));
    }
}
