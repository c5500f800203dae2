using System.Globalization;
using System.Text;

namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>A port that takes host objects, and the compiler that makes them.</summary>
    private sealed record ObjectPort(string Os, string Cpu, string Compiler, string[] Flags)
    {
        public Port Port => new(Os, Cpu);

        public string Module => Cpu == "386" ? "hostobject32" : "hostobject";

        /// <summary>Whether what it links runs under Wine: the assembly calls C as Unix systems do.</summary>
        public bool Runs => Os == "windows" && Cpu == "amd64";
    }

    private static readonly ObjectPort[] ObjectPorts =
    [
        new("windows", "amd64", "x86_64-w64-mingw32-gcc", ["-mabi=sysv"]),
        new("windows", "386", "i686-w64-mingw32-gcc", []),
        new("windows", "arm64", "clang", ["--target=aarch64-w64-mingw32"]),
        new("darwin", "amd64", "clang", ["--target=x86_64-apple-macos11"]),
        new("darwin", "arm64", "clang", ["--target=arm64-apple-macos11"]),
    ];

    /// <summary>Host objects in the formats that are not ELF, and what is wrong with them: cut, changed, of another CPU or format.</summary>
    private void AddFormatErrors()
    {
        foreach (ObjectPort one in ObjectPorts)
        {
            if (Host.FindVersioned(one.Compiler) is not { } compiler)
            {
                if (_newest)
                {
                    Console.Error.WriteLine($"{one.Port}: host objects are not compared (there is no {one.Compiler})");
                }

                continue;
            }

            Lazy<LinkStep> step = new(() =>
            {
                string module = SysoModule(one.Module, $"{one.Module}-{one.Os}-{one.Cpu}", [compiler, .. one.Flags, "-ffreestanding"]);
                CaptureSet set = new(_toolchain, "build", ["."], module, For(one.Port, []), CaptureSet.Stamp(module), failing: true);
                return set["example.test/" + one.Module];
            });
            foreach (string line in (string[])["", "-s -w", "-compressdwarf=false", "-buildmode=exe"])
            {
                Add("host objects", $".syso, {one.Port} {line}".TrimEnd(), Tier.All, () =>
                {
                    string[] flags = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    _subject.SameAsReference(_toolchain, step.Value, flags);
                    if (one.Runs && Wine.For(one.Cpu) is { } wine)
                    {
                        InFolder(folder => RunsUnder(wine, step.Value, flags, folder));
                    }
                });
            }

            AddDamagedObjects(one, step);
        }

        void RunsUnder(Wine wine, LinkStep step, string[] flags, string folder)
        {
            string program = Path.Combine(folder, "program.exe");
            Replay.Link(step, _subject.Linker, flags, program);
            CommandResult run = wine.Run(program, []);
            Check.That(run.ExitCode == 0, $"the program exits with {run.ExitCode}\n{Command.Tail(run.OutputText + run.ErrorText, 1500)}");
        }
    }

    private void AddDamagedObjects(ObjectPort one, Lazy<LinkStep> step)
    {
        foreach (int percent in (int[])[2, 10, 30, 50, 70, 90, 99])
        {
            Damaged($"cut after {percent} %", bytes => bytes[..(bytes.Length * percent / 100)], mustFail: percent < 50);
        }

        for (int n = 0; n < 24; n++)
        {
            int where = n;
            string how = string.Create(CultureInfo.InvariantCulture, $"with a byte changed at {where}/24");
            Damaged(how, bytes => Flip(bytes, (int)((long)bytes.Length * where / 24)), mustFail: false);
        }

        Damaged("of random text", _ => Encoding.ASCII.GetBytes("hello, I am no object of any compiler, whatever you think of it\n"), mustFail: true);
        Damaged("that is empty", _ => [], mustFail: true);
        foreach (ObjectPort other in ObjectPorts.Where(other => other != one && Host.FindVersioned(other.Compiler) is not null))
        {
            Damaged($"of {other.Port}", _ =>
            {
                string compiler = Host.FindVersioned(other.Compiler)!;
                string module = SysoModule(other.Module, $"{other.Module}-{other.Os}-{other.Cpu}", [compiler, .. other.Flags, "-ffreestanding"]);
                return File.ReadAllBytes(Path.Combine(module, "native.syso"));
            }, mustFail: false);
        }

        void Damaged(string how, Func<byte[], byte[]> damage, bool mustFail) =>
            AddBeyond("host objects", $".syso {how}, {one.Port}", Tier.All, () => InFolder(folder =>
            {
                LinkStep copy = step.Value.CopyTo(Path.Combine(folder, "step"));
                ReplaceMember(copy.MainArchive, "native.syso", damage);
                copy = LinkStep.Load(copy.Folder);
                LinkOutcome got = Replay.Outcome(copy, _subject.Linker, []);
                LinkOutcome want = Replay.Outcome(copy, [copy.Tool], []);
                Check.That(got.ExitCode is 0 or 2, $"exit {got.ExitCode}\n{Command.Tail(got.Error, 1500)}");
                Check.That((got.ExitCode == 0) == (got.Hash is not null), "an output file is left behind");
                bool isText = !got.Error.Contains("Unhandled exception", StringComparison.Ordinal) && !got.Error.Contains("   at ", StringComparison.Ordinal);
                Check.That(isText, $"not an error text:\n{Command.Tail(got.Error, 1500)}");
                Check.That(got.ExitCode != 0 || want.ExitCode != 0 || got.Hash == want.Hash, "other bytes than cmd/link writes");

                // cmd/link leaves out the relocations of a Mach-O section when it can't read them.
                bool isLenient = got.Error.Contains("reading relocations: EOF", StringComparison.Ordinal);
                Check.That(got.ExitCode == 0 || want.ExitCode != 0 || isLenient, $"cmd/link takes it, and this is an error:\n{Command.Tail(got.Error, 1500)}");
                bool hasPanicked = want.Error.Contains("\ngoroutine ", StringComparison.Ordinal);
                Check.That(want.ExitCode == 0 || got.ExitCode != 0 || hasPanicked, $"it is linked, and cmd/link says\n{Command.Tail(want.Error, 1500)}");
                Check.That(!mustFail || got.ExitCode == 2, "it is linked");
                Check.That(!mustFail || got.Error.Contains("main.a", StringComparison.Ordinal) || got.Error.Contains("native.syso", StringComparison.Ordinal),
                    $"the error does not name the file:\n{Command.Tail(got.Error, 1500)}\ncmd/link says\n{Command.Tail(want.Error, 1500)}");
            }));
    }

    /// <summary>Adds a member to an archive as cmd/pack writes it.</summary>
    private static void AddMember(string archive, string member, byte[] content)
    {
        using FileStream file = new(archive, FileMode.Append);
        file.Write(Encoding.ASCII.GetBytes($"{member,-16}{0,-12}{0,-6}{0,-6}{"644",-8}{content.Length,-10}`\n"));
        file.Write(content);
        file.Write(new byte[content.Length & 1]);
    }

    /// <summary>Changes a member of an archive as cmd/pack writes it: a header of 60 bytes, the content, and a byte more if that is odd.</summary>
    private static void ReplaceMember(string archive, string member, Func<byte[], byte[]> change)
    {
        const int HeaderSize = 60;
        const int NameSize = 16;
        const int SizeAt = 48;
        const int SizeSize = 10;
        byte[] bytes = File.ReadAllBytes(archive);
        List<byte> result = [.. bytes[..8]];
        bool found = false;
        for (int at = 8; at < bytes.Length;)
        {
            byte[] header = bytes[at..(at + HeaderSize)];
            int size = int.Parse(Encoding.ASCII.GetString(header, SizeAt, SizeSize).Trim(), CultureInfo.InvariantCulture);
            byte[] content = bytes[(at + HeaderSize)..(at + HeaderSize + size)];
            at += HeaderSize + size + (size & 1);
            if (Encoding.ASCII.GetString(header, 0, NameSize).TrimEnd(' ', '/') == member)
            {
                content = change(content);
                Encoding.ASCII.GetBytes(content.Length.ToString(CultureInfo.InvariantCulture).PadRight(SizeSize)).CopyTo(header, SizeAt);
                found = true;
            }

            result.AddRange(header);
            result.AddRange(content);
            if (content.Length % 2 != 0)
            {
                result.Add(0);
            }
        }

        Check.That(found, $"{archive} has no {member}");
        File.WriteAllBytes(archive, [.. result]);
    }
}
