using System.Diagnostics;
using System.Text;

namespace AotLinker.Tests.Mapping;

/// <summary>A test that needs Linux: /proc, signals, tmpfs. Other hosts show it as skipped, with this reason.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "needs Linux";
    }
}

/// <inheritdoc cref="LinuxFactAttribute"/>
public sealed class LinuxTheoryAttribute : TheoryAttribute
{
    public LinuxTheoryAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "needs Linux";
    }
}

/// <summary>
/// Runs the mapping driver as a process of its own: the one built with the tests, or the one that the variable
/// AOTLINK_MAPPING_DRIVER names, so that a Native AOT build passes the same tests.
/// </summary>
internal static class Driver
{
    private static readonly Lazy<bool> GuardAnswers = new(() => Run("guard").Output == "active\n");

    public static string Path =>
        Environment.GetEnvironmentVariable("AOTLINK_MAPPING_DRIVER") ?? System.IO.Path.Combine(AppContext.BaseDirectory, "mapping-driver");

    /// <summary>Whether it was built with native/guard.c.</summary>
    public static bool HasGuard => GuardAnswers.Value;

    public static string Quoted => "'" + Path + "'";

    /// <summary>Runs it to its end.</summary>
    public static Result Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        return Finish(process);
    }

    /// <summary>Runs a shell command; <c>{0}</c> stands for the driver.</summary>
    public static Result Shell(string command)
    {
        using Process process = Start("/bin/sh", ["-c", command.Replace("{0}", Quoted, StringComparison.Ordinal)]);
        return Finish(process);
    }

    public static Process Start(string[] arguments) => Start(Path, arguments);

    /// <summary>
    /// Starts it with the usual reaction to signals, even where we were started in the background of a shell, which makes its commands
    /// ignore the interrupt.
    /// </summary>
    public static Process StartWithDefaultSignals(string[] arguments) =>
        Start("/usr/bin/env", ["--default-signal=INT,QUIT,HUP,TERM", Path, .. arguments]);

    /// <summary>Waits until it says that it waits.</summary>
    public static void AwaitReady(Process process) => Assert.Equal("ready", process.StandardOutput.ReadLine());

    /// <summary>Lets it go on, if it waits, and collects what it says.</summary>
    public static Result Finish(Process process)
    {
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        AwaitExit(process);
        return new Result(process.ExitCode, output, error.Result);
    }

    /// <summary>Waits for its end, for a minute at most.</summary>
    public static void AwaitExit(Process process)
    {
        if (!process.WaitForExit(TimeSpan.FromMinutes(1)))
        {
            process.Kill();
            Assert.Fail("the driver does not end");
        }
        process.WaitForExit();
    }

    private static Process Start(string file, string[] arguments)
    {
        var start = new ProcessStartInfo(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return Process.Start(start)!;
    }

    internal sealed record Result(int ExitCode, string Output, string Error);
}
