using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AotLinker.Conformance.Suite;

/// <summary>
/// A virtual machine that runs programs with 32 bits, for Linux and (in Wine) for Windows, on systems that start none. One is booted when the
/// first program is to be run; programs are run in it one at a time. scripts/vm386.sh prepares it.
/// </summary>
internal static class VirtualMachine
{
    /// <summary>How to get one, for messages.</summary>
    public const string Hint = "scripts/vm386.sh prepares a virtual machine for them";

    private const string Emulator = "qemu-system-x86_64";

    /// <summary>
    /// Bash starts the emulator in its own place. The emulator's input comes by way of cat, which sees it end when the suite does, however that
    /// happens, and the emulator is killed. One that has ended by itself takes no more input: cat fails, and nothing is killed in its stead.
    /// </summary>
    private const string Guarded = "exec 3<&0; exec \"$@\" < <(cat <&3 2>/dev/null && kill -KILL $$) 3<&-";

    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(5);
    private static readonly Lock Turn = new();
    private static readonly StringBuilder EmulatorErrors = new();
    private static Process? _process;
    private static string _folder = "";
    private static string? _bootFailure;
    private static int _count;

    /// <summary>Whether there is one.</summary>
    public static bool IsPrepared { get; } = OperatingSystem.IsLinux() && File.Exists(Part("made-by")) && Host.Find(Emulator) is not null;

    private static string ConsoleFile => Path.Combine(_folder, "console");

    private static string Share => Path.Combine(_folder, "share");

    /// <summary>Runs a program for linux/386.</summary>
    public static CommandResult RunLinux(string program, IEnumerable<string> arguments, TimeSpan limit) =>
        Run([program], ["./" + Path.GetFileName(program), .. arguments], limit);

    /// <summary>
    /// Runs a program for windows/386, with bcryptprimitives.dll for Wine. cmd/go looks for its GOROOT, which is not in the machine: any folder
    /// will do.
    /// </summary>
    public static CommandResult RunWindows(string program, string library, IEnumerable<string> arguments, TimeSpan limit) =>
        Run([program, library], ["env", @"GOROOT=Z:\tmp", "windows-program", Path.GetFileName(program), .. arguments], limit);

    /// <summary>Ends the machine, if one was booted.</summary>
    public static void Stop()
    {
        lock (Turn)
        {
            if (_process is not { } process)
            {
                return;
            }

            _process = null;
            try
            {
                if (process.HasExited)
                {
                    process.StandardInput.Write('\n');
                }

                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // Nobody reads any more.
            }

            if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
            {
                process.Kill();
                process.WaitForExit();
            }

            process.Dispose();
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static string Part(string name) => Path.Combine(Settings.Cache, "vm386", name);

    private static CommandResult Run(string[] files, string[] command, TimeSpan limit)
    {
        lock (Turn)
        {
            Boot();
            string name = (++_count).ToString(CultureInfo.InvariantCulture);
            string folder = Path.Combine(Share, name);
            Directory.CreateDirectory(folder);
            foreach (string file in files)
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            File.WriteAllText(Path.Combine(folder, "run"), "exec " + string.Join(' ', command.Select(Quoted)) + "\n");
            long began = Stopwatch.GetTimestamp();
            string answer = Exchange(name, limit);
            TimeSpan wall = Stopwatch.GetElapsedTime(began);
            string[] words = answer.Split(' ');
            if (words.Length != 2 || words[0] != name || !int.TryParse(words[1], CultureInfo.InvariantCulture, out int exitCode))
            {
                throw Failure($"the virtual machine answers {answer}");
            }

            CommandResult result = new(
                exitCode, File.ReadAllBytes(Path.Combine(folder, "output")), File.ReadAllBytes(Path.Combine(folder, "error")), wall, 0, 0);
            Directory.Delete(folder, recursive: true);
            return result;
        }

        static string Quoted(string word) => "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
    }

    private static void Boot()
    {
        if (_process is not null)
        {
            return;
        }

        // One that can't be booted would keep every case waiting for the limit.
        if (_bootFailure is not null)
        {
            throw new ConformanceException(_bootFailure);
        }

        _folder = Settings.NewTemporaryFolder();
        Directory.CreateDirectory(Share);
        EmulatorErrors.Clear();
        ProcessStartInfo start = new("bash")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = _folder,
        };
        foreach (string argument in (string[])
        [
            "-c", Guarded, "bash",
            Emulator, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "1024",
            "-kernel", Part("kernel"), "-initrd", Part("initrd"), "-append", "console=ttyS0 panic=-1 quiet",

            // What programs write to the disk is forgotten, so that every run begins the same.
            "-drive", $"file={Escaped(Part("disk"))},format=raw,if=virtio,snapshot=on",
            "-virtfs", $"local,path={Escaped(Share)},mount_tag=job,security_model=none",
            "-serial", "file:" + ConsoleFile, "-serial", "stdio",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Command.Start(start);
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (EmulatorErrors)
            {
                EmulatorErrors.Append(line.Data).Append('\n');
            }
        };
        _process.BeginErrorReadLine();
        try
        {
            string answer = Exchange(null, BootLimit);
            if (answer != "ready")
            {
                throw Failure($"the virtual machine answers {answer} when it has booted");
            }
        }
        catch (ConformanceException failure)
        {
            _bootFailure = failure.Message;
            throw;
        }

        static string Escaped(string path) => path.Replace(",", ",,", StringComparison.Ordinal);
    }

    /// <summary>Sends a line, if there is one to send, and waits for the answer.</summary>
    private static string Exchange(string? line, TimeSpan limit)
    {
        Process process = _process!;
        try
        {
            if (line is not null)
            {
                process.StandardInput.Write(line + "\n");
                process.StandardInput.Flush();
            }

            Task<string?> answer = process.StandardOutput.ReadLineAsync();
            if (!answer.Wait(limit))
            {
                string what = line is null ? "the virtual machine did not boot" : "the program in the virtual machine did not end";
                throw Failure(FormattableString.Invariant($"{what} within {limit.TotalSeconds:0} s"));
            }

            return answer.Result ?? throw Failure("the virtual machine ended");
        }
        catch (IOException)
        {
            throw Failure("the virtual machine ended");
        }
    }

    /// <summary>Ends the machine, since nobody knows what it does now. The next program boots another.</summary>
    private static ConformanceException Failure(string what)
    {
        string console = File.Exists(ConsoleFile) ? File.ReadAllText(ConsoleFile) : "";
        Stop();
        lock (EmulatorErrors)
        {
            return new ConformanceException($"{what}\n{Command.Tail(EmulatorErrors.ToString() + console, 1500)}");
        }
    }
}
