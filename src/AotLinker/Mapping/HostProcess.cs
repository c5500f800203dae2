using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>What the linker asks of the host about processes: what it was started with, and becoming another program.</summary>
internal static unsafe partial class HostProcess
{
    private const int SigPipe = 13;

    /// <summary>argv[0] as the caller gave it, as <see cref="HostPath"/> decodes it; the executable's path where the host doesn't tell.</summary>
    public static string ProgramName
    {
        get
        {
            // Under a shared host (dotnet aotlink.dll) this is the path of the dll.
            string[] all = Environment.GetCommandLineArgs();
            string name = all.Length > 0 ? all[0] : "";
            if (name.Contains('\uFFFD') && HostSystem.Current.TryReadRawArguments(out byte[][]? raw) && raw.Length == all.Length)
                name = HostPath.Decode(raw[0]);
            return name.Length > 0 ? name : Environment.ProcessPath ?? "link";
        }
    }

    /// <summary>
    /// An environment variable, as <see cref="HostPath"/> decodes it, or null. Only where .NET's own decoding has lost
    /// something are the raw bytes fetched.
    /// </summary>
    public static string? Variable(string name)
    {
        string? value = Environment.GetEnvironmentVariable(name);
        if (value is null || !value.Contains('\uFFFD') || !OperatingSystem.IsLinux())
            return value;
        if (!InputStore.Shared.TryOpen("/proc/self/environ", out InputFile? file, out _))
            return value;
        using (file)
        {
            ReadOnlySpan<byte> all = file.AllBytes();
            byte[] prefix = HostPath.Encode(name + "=");
            foreach (Range range in all.Split((byte)0))
            {
                if (all[range].StartsWith(prefix))
                    return HostPath.Decode(all[range][prefix.Length..]);
            }
        }

        return value;
    }

    /// <summary>
    /// Becomes another program with the same environment and open files; where the host can't do that (Windows), starts
    /// it and waits for it.
    /// </summary>
    /// <param name="program">The program, looked up in PATH where it has no folder; also its argv[0].</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The other program's exit code. Where it replaces this process there is no return.</returns>
    /// <exception cref="LinkException">It can't be started.</exception>
    public static int Replace(string program, ReadOnlySpan<string> arguments)
    {
        if (OperatingSystem.IsWindows())
            return StartAndWait(program, arguments);

        int count = arguments.Length + 1;
        byte** vector = (byte**)NativeMemory.AllocZeroed((nuint)(count + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < count; i++)
            vector[i] = Allocate(i == 0 ? program : arguments[i - 1]);

        // The runtime may have set SIGPIPE to be ignored, which a program would inherit.
        nint was = RawSignal(SigPipe, 0);
        _ = RawExecvp(vector[0], vector);

        var error = new HostError(Marshal.GetLastPInvokeError());
        _ = RawSignal(SigPipe, was);
        for (int i = 0; i < count; i++)
            NativeMemory.Free(vector[i]);
        NativeMemory.Free(vector);
        throw new LinkException(error.Describe("exec", program));
    }

    private static byte* Allocate(string text)
    {
        byte[] bytes = HostPath.Encode(text);
        byte* copy = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return copy;
    }

    private static int StartAndWait(string program, ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            using Process process = Process.Start(start) ?? throw new LinkException($"exec {program}: no process");
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (Win32Exception e)
        {
            throw new LinkException($"exec {program}: {e.Message}", e);
        }
    }

    // Not in Tmds.LibC. The C library of Linux and of macOS alike; execvp keeps the C environment, which .NET never changes.
    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true)]
    private static partial int RawExecvp(byte* file, byte** arguments);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    private static partial nint RawSignal(int signal, nint handler);
}
