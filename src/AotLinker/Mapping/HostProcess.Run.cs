using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>What another program wrote, and how it ended.</summary>
/// <param name="Program">The program that was looked for and found; as it was given if it was not.</param>
/// <param name="Failure">Why it could not be started or how it failed, in Go's words; null if it succeeded.</param>
/// <param name="Output">Both of its output streams, in the order of writing.</param>
internal readonly record struct ProgramResult(string Program, string? Failure, byte[] Output);

/// <summary>Runs another program and waits for it (os/exec's CombinedOutput).</summary>
internal static unsafe partial class HostProcess
{
    private const int SigXfsz = 25;
    private const int CloseOnExec = 0x80000;
    private const short SetSignalDefaults = 4;

    // The C libraries' types for posix_spawn are smaller than that.
    private const int SpawnTypeSize = 1024;

    /// <summary>Whether compilers of this host add an extension to the name of a program for it that has none.</summary>
    public static bool CompilersAddExe => OperatingSystem.IsWindows();

    /// <summary>Runs a program.</summary>
    /// <param name="command">The program, looked up in PATH where it has no folder, and its arguments.</param>
    /// <param name="defaults">Environment variables, as NAME=VALUE, for those that are not set.</param>
    public static ProgramResult Run(IReadOnlyList<string> command, params ReadOnlySpan<string> defaults) => RunWith([], command, defaults);

    /// <summary>Runs a program with environment variables of its own.</summary>
    /// <param name="settings">The variables, as NAME=VALUE.</param>
    /// <param name="command">The program, looked up in PATH where it has no folder, and its arguments.</param>
    /// <param name="defaults">Environment variables, as NAME=VALUE, for those that are not set.</param>
    public static ProgramResult RunWith(IReadOnlyList<string> settings, IReadOnlyList<string> command, params ReadOnlySpan<string> defaults)
    {
        string program = command[0];
        if (program.Length == 0)
            return new ProgramResult(program, "exec: no command", []);
        if (!HasFolder(program))
        {
            if (FindInPath(program) is not { } found)
            {
                string path = OperatingSystem.IsWindows() ? "%PATH%" : "$PATH";
                return new ProgramResult(program, $"exec: {Cli.GoText.Quote(program)}: executable file not found in {path}", []);
            }
            program = found;
        }
        else if (OperatingSystem.IsWindows())
        {
            program = WithExtension(program) ?? program;
        }
        return OperatingSystem.IsLinux() ? Spawn(program, command, settings, defaults) : Start(program, command, settings, defaults);
    }

    private static bool HasFolder(string program) => OperatingSystem.IsWindows() ? program.AsSpan().ContainsAny(":\\/") : program.Contains('/');

    private static string? FindInPath(string name)
    {
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (string folder in (Variable("PATH") ?? "").Split(Path.PathSeparator))
        {
            if (OperatingSystem.IsWindows())
            {
                // An empty folder is none there.
                if (folder.Length != 0 && WithExtension(Path.Join(folder.Trim('"'), name)) is { } program)
                    return program;
                continue;
            }
            string path = Path.Join(folder.Length == 0 ? "." : folder, name);
            if (File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0)
                return path;
        }
        return null;
    }

    // A program on Windows by its name with or without extension; null if there is none.
    private static string? WithExtension(string path)
    {
        if (Cli.GoText.BaseName(path).Contains('.') && File.Exists(path))
            return path;
        string extensions = Variable("PATHEXT") is { Length: > 0 } set ? set : ".com;.exe;.bat;.cmd";
        foreach (string extension in extensions.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string whole = path + (extension[0] == '.' ? "" : ".") + extension.ToLowerInvariant();
            if (File.Exists(whole))
                return whole;
        }
        return null;
    }

    private static ProgramResult Spawn(string program, IReadOnlyList<string> command, IReadOnlyList<string> settings, ReadOnlySpan<string> defaults)
    {
        int* ends = stackalloc int[2];
        if (RawPipe(ends, CloseOnExec) != 0)
            return Failed(Marshal.GetLastPInvokeError());
        byte** arguments = Vector(command, command.Count);
        byte** environment = EnvironmentWith(settings, defaults);
        byte* path = Allocate(program);
        void* actions = NativeMemory.AllocZeroed(SpawnTypeSize);
        void* attributes = NativeMemory.AllocZeroed(SpawnTypeSize);
        byte* signals = (byte*)NativeMemory.AllocZeroed(SpawnTypeSize);
        try
        {
            _ = RawInitActions(actions);
            _ = RawOpenAction(actions, 0, "/dev/null"u8, 0, 0);
            _ = RawCopyAction(actions, ends[1], 1);
            _ = RawCopyAction(actions, ends[1], 2);
            // The runtime ignores SIGPIPE, and we SIGXFSZ, which a program would inherit.
            _ = RawInitAttributes(attributes);
            _ = RawAddSignal(signals, SigPipe);
            _ = RawAddSignal(signals, SigXfsz);
            _ = RawSetSignals(attributes, signals);
            _ = RawSetFlags(attributes, SetSignalDefaults);
            int error = RawSpawn(out int process, path, actions, attributes, arguments, environment);
            _ = RawClose(ends[1]);
            ends[1] = -1;
            if (error != 0)
                return Failed(error);
            byte[] output = ReadAll(ends[0]);
            int status;
            while (RawWait(process, out status, 0) < 0 && Marshal.GetLastPInvokeError() == Interrupted)
            {
            }
            return new ProgramResult(program, Describe(status), output);
        }
        finally
        {
            _ = RawClose(ends[0]);
            if (ends[1] >= 0)
                _ = RawClose(ends[1]);
            _ = RawDestroyActions(actions);
            _ = RawDestroyAttributes(attributes);
            NativeMemory.Free(actions);
            NativeMemory.Free(attributes);
            NativeMemory.Free(signals);
            NativeMemory.Free(path);
            Free(arguments);
            Free(environment);
        }

        ProgramResult Failed(int error) => new(program, new HostError(error).Describe("fork/exec", program), []);
    }

    private static byte[] ReadAll(int file)
    {
        using MemoryStream all = new();
        byte[] piece = new byte[1 << 16];
        fixed (byte* to = piece)
        {
            while (true)
            {
                nint count = RawRead(file, to, piece.Length);
                if (count > 0)
                    all.Write(piece, 0, (int)count);
                else if (count == 0 || Marshal.GetLastPInvokeError() != Interrupted)
                    return all.ToArray();
            }
        }
    }

    // How a process ended, as Go tells it; null for well.
    private static string? Describe(int status)
    {
        int signal = status & 0x7f;
        if (signal == 0)
            return status == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"exit status {(status >> 8) & 0xff}");
        string name = signal switch
        {
            1 => "hangup",
            2 => "interrupt",
            3 => "quit",
            4 => "illegal instruction",
            6 => "aborted",
            7 => "bus error",
            8 => "floating point exception",
            9 => "killed",
            11 => "segmentation fault",
            13 => "broken pipe",
            15 => "terminated",
            _ => string.Create(CultureInfo.InvariantCulture, $"signal {signal}"),
        };
        return $"signal: {name}{((status & 0x80) != 0 ? " (core dumped)" : "")}";
    }

    private static byte** Vector(IEnumerable<string> texts, int count)
    {
        byte** vector = (byte**)NativeMemory.AllocZeroed((nuint)(count + 1), (nuint)sizeof(byte*));
        int i = 0;
        foreach (string text in texts)
            vector[i++] = Allocate(text);
        return vector;
    }

    // The environment that this process was started with, to the byte, behind what may be missing there.
    private static byte** EnvironmentWith(IReadOnlyList<string> settings, ReadOnlySpan<string> defaults)
    {
        List<string> all = [.. settings];
        foreach (string entry in defaults)
        {
            if (Variable(entry[..entry.IndexOf('=')]) is null)
                all.Add(entry);
        }
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            string name = (string)entry.Key;
            if (!settings.Any(setting => setting.StartsWith(name + "=", StringComparison.Ordinal)))
                all.Add($"{name}={Variable(name)}");
        }
        return Vector(all, all.Count);
    }

    private static void Free(byte** vector)
    {
        for (byte** p = vector; *p != null; p++)
            NativeMemory.Free(*p);
        NativeMemory.Free(vector);
    }

    // Where there is no one pipe for both streams they may come in another order.
    private static ProgramResult Start(string program, IReadOnlyList<string> command, IReadOnlyList<string> settings, ReadOnlySpan<string> defaults)
    {
        ProcessStartInfo start = new(program, command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string entry in defaults)
        {
            int equals = entry.IndexOf('=');
            start.Environment.TryAdd(entry[..equals], entry[(equals + 1)..]);
        }
        foreach (string entry in settings)
        {
            int equals = entry.IndexOf('=');
            start.Environment[entry[..equals]] = entry[(equals + 1)..];
        }
        try
        {
            using Process process = Process.Start(start) ?? throw new Win32Exception();
            process.StandardInput.Close();
            using MemoryStream output = new(), errors = new();
            Task reading = process.StandardError.BaseStream.CopyToAsync(errors);
            process.StandardOutput.BaseStream.CopyTo(output);
            reading.Wait();
            process.WaitForExit();
            return new ProgramResult(program, DescribeExit((uint)process.ExitCode), [.. output.ToArray(), .. errors.ToArray()]);
        }
        catch (Win32Exception e)
        {
            return new ProgramResult(program, new HostError(e.NativeErrorCode).Describe("fork/exec", program), []);
        }
    }

    // Large codes are the system's, which are known by their digits.
    private static string? DescribeExit(uint code) => code == 0 ? null : code < 1 << 16
        ? string.Create(CultureInfo.InvariantCulture, $"exit status {code}") : string.Create(CultureInfo.InvariantCulture, $"exit status 0x{code:x}");

    private const int Interrupted = 4;

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int RawPipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint RawRead(int file, byte* to, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int RawClose(int file);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int RawWait(int process, out int status, int options);

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int RawSpawn(out int process, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int RawInitActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int RawDestroyActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int RawCopyAction(void* actions, int file, int as_);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen")]
    private static partial int RawOpenAction(void* actions, int file, ReadOnlySpan<byte> path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int RawInitAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int RawDestroyAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int RawSetSignals(void* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int RawSetFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "sigaddset")]
    private static partial int RawAddSignal(byte* signals, int signal);
}
