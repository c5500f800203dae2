using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>What a finished process left: exit code, both outputs, wall time and peak memory in bytes.</summary>
/// <param name="PeakResident">Highest resident set seen (VmHWM on Linux), mapped files included.</param>
/// <param name="PeakPrivate">Highest anonymous resident memory seen (RssAnon on Linux, sampled).</param>
internal sealed record CommandResult(
    int ExitCode, byte[] Output, byte[] Error, TimeSpan Wall, long PeakResident, long PeakPrivate)
{
    public string OutputText => Encoding.UTF8.GetString(Output);

    public string ErrorText => Encoding.UTF8.GetString(Error);
}

/// <summary>Runs other programs.</summary>
internal static class Command
{
    /// <summary>
    /// Runs a program to its end. <paramref name="command"/> is the program with leading arguments;
    /// <paramref name="environment"/> replaces the caller's Go settings (every inherited variable that starts with GO is
    /// dropped) and is laid over the rest. With <paramref name="measure"/> memory is sampled every few milliseconds.
    /// A process that runs past <paramref name="limit"/> is killed, which is an error.
    /// </summary>
    public static CommandResult Run(
        IReadOnlyList<string> command,
        IEnumerable<string>? arguments = null,
        IReadOnlyDictionary<string, string>? environment = null,
        string? workingDirectory = null,
        bool measure = false,
        TimeSpan? limit = null,
        Action<Process>? started = null)
    {
        ProcessStartInfo start = new(command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach (string argument in command.Skip(1).Concat(arguments ?? []))
        {
            start.ArgumentList.Add(argument);
        }

        SetEnvironment(start, environment);
        long began = Stopwatch.GetTimestamp();
        using Process process = Start(start);
        process.StandardInput.Close();
        Task<byte[]> output = ReadAll(process.StandardOutput.BaseStream);
        Task<byte[]> error = ReadAll(process.StandardError.BaseStream);
        started?.Invoke(process);

        TimeSpan allowed = limit ?? TimeSpan.FromMinutes(20);
        long resident = 0;
        long anonymous = 0;
        while (!process.WaitForExit(measure ? 2 : 100))
        {
            if (measure)
            {
                Sample(process.Id, ref resident, ref anonymous);
            }

            if (Stopwatch.GetElapsedTime(began) > allowed)
            {
                process.Kill(entireProcessTree: true);
                throw new ConformanceException($"{command[0]} did not end within {allowed.TotalSeconds:0} s");
            }
        }

        TimeSpan wall = Stopwatch.GetElapsedTime(began);
        return new CommandResult(process.ExitCode, output.Result, error.Result, wall, resident, anonymous);
    }

    /// <summary>Runs a program that must succeed; otherwise the end of what it wrote is in the exception.</summary>
    public static CommandResult Must(
        IReadOnlyList<string> command,
        IEnumerable<string>? arguments = null,
        IReadOnlyDictionary<string, string>? environment = null,
        string? workingDirectory = null,
        TimeSpan? limit = null)
    {
        string[] all = [.. command, .. arguments ?? []];
        CommandResult result = Run(all, null, environment, workingDirectory, limit: limit);
        return result.ExitCode == 0
            ? result
            : throw new ConformanceException(
                $"{string.Join(' ', all)}: exit {result.ExitCode}\n{Tail(result.OutputText + result.ErrorText, 4000)}");
    }

    /// <summary>Runs a program on this process's own standard streams, and returns its exit code.</summary>
    public static int PassThrough(string program, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program) { UseShellExecute = false };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Start(start);
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>The last <paramref name="length"/> characters of a text.</summary>
    public static string Tail(string text, int length) => text.Length <= length ? text : "…" + text[^length..];

    /// <summary>Starts a program. One that a forked process still holds open for writing is started again, a little later.</summary>
    public static Process Start(ProcessStartInfo start)
    {
        const int TextFileBusy = 26;
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return Process.Start(start)!;
            }
            catch (System.ComponentModel.Win32Exception failure) when (failure.NativeErrorCode == TextFileBusy && attempt < 50)
            {
                Thread.Sleep(20);
            }
            catch (System.ComponentModel.Win32Exception failure)
            {
                throw new ConformanceException($"{start.FileName}: {failure.Message}");
            }
        }
    }

    private static void SetEnvironment(ProcessStartInfo start, IReadOnlyDictionary<string, string>? environment)
    {
        if (environment is null)
        {
            return;
        }

        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("GO", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
    }

    private static async Task<byte[]> ReadAll(Stream stream)
    {
        using MemoryStream buffer = new();
        await stream.CopyToAsync(buffer).ConfigureAwait(false);
        return buffer.ToArray();
    }

    private static void Sample(int id, ref long resident, ref long anonymous)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            foreach (string line in File.ReadLines($"/proc/{id}/status"))
            {
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                {
                    resident = Math.Max(resident, Kilobytes(line));
                }
                else if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
                {
                    anonymous = Math.Max(anonymous, Kilobytes(line));
                }
            }
        }
        catch (IOException)
        {
            // The process has just ended.
        }

        static long Kilobytes(string line) => 1024 *
            long.Parse(line.AsSpan(line.IndexOf(':') + 1, line.Length - line.IndexOf(':') - 3), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}
