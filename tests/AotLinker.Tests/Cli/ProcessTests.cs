using System.Diagnostics;
using System.Text;
using AotLinker.Cli;

namespace AotLinker.Tests.Cli;

/// <summary>The program as a process: words, tools that replace it, names it is started under.</summary>
public sealed class ProcessTests
{
    [Fact]
    public void ExecBecomesTheTool()
    {
        if (OperatingSystem.IsWindows())
            return;
        (int exitCode, string output, string error) = Run([], "exec", "sh", "-c", "echo \"$0 $1|$AOTLINK_TEST|$2\"; echo oops >&2; exit 3", "a b", "c", "");
        Assert.Equal(3, exitCode);
        Assert.Equal("a b c|value|\n", output);
        Assert.Equal("oops\n", error);
    }

    [Fact]
    public void ExecKeepsTheProcess()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using Process process = Process.Start(StartInfo([], "exec", "sh", "-c", "echo $$"))!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), output.Trim());
    }

    [Fact]
    public void ExecOfNothingNamesIt()
    {
        (int exitCode, _, string error) = Run([], "exec", "/nonexistent/tool", "-x");
        Assert.Equal(2, exitCode);
        if (!OperatingSystem.IsWindows())
            Assert.Equal("aotlink: exec /nonexistent/tool: no such file or directory\n", error);
    }

    [Fact]
    public void ExecOfALinkerThatIsNotGosRunsIt()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var fake = new FakeToolchain();
        string tool = Path.Combine(fake.Root, "link");
        Script(tool, "echo coreutils \"$@\"");
        (int exitCode, string output, _) = Run([], "exec", tool, "a", "b");
        Assert.Equal(0, exitCode);
        Assert.Equal("coreutils a b\n", output);
    }

    [Fact]
    public void TheVersionLineThroughExec()
    {
        using var fake = new FakeToolchain("go1.26.11");
        (int exitCode, string output, _) = Run([], "exec", fake.Link, "-V=full");
        Assert.Equal(0, exitCode);
        Assert.Equal("link version go1.26.11\n", output);
        (_, output, _) = Run(new() { ["GOEXPERIMENT"] = "fieldtrack" }, "exec", fake.Link, "-V");
        Assert.Equal("link version go1.26.11 X:fieldtrack\n", output);
    }

    [Fact]
    public void ADevelopmentLinkerSpeaksForItself()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var fake = new FakeToolchain("devel go1.28-abcdef");
        Script(fake.Link, "echo link version devel go1.28-abcdef buildID=a/b \"$@\"");
        (int exitCode, string output, string error) = Run([], "exec", fake.Link, "-V=full");
        Assert.Equal(0, exitCode);
        Assert.Equal("link version devel go1.28-abcdef buildID=a/b -V=full\n", output);
        Assert.Equal("", error);
    }

    [Fact]
    public void WhatExecCannotLinkGoesToTheSavedLinkerWhereThereIsOne()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var fake = new FakeToolchain();
        Script(fake.Link, "echo installed \"$@\"");
        (_, string output, string error) = Run([], "exec", fake.Link, "-memprofile=m", "x.a");
        Assert.Equal("installed -memprofile=m x.a\n", output);
        Assert.Equal($"aotlink: -memprofile is not supported yet; handing over to {fake.Link}\n", error);

        Script(fake.Saved, "echo saved \"$@\"");
        (_, output, _) = Run([], "exec", fake.Link, "-memprofile=m", "x.a");
        Assert.Equal("saved -memprofile=m x.a\n", output);

        (int exitCode, output, error) = Run(new() { ["AOTLINK_STRICT"] = "1" }, "exec", fake.Link, "-memprofile=m", "x.a");
        Assert.Equal(2, exitCode);
        Assert.Equal("", output);
        Assert.Equal($"{fake.Link}: -memprofile is not supported yet\n", error);
    }

    [Fact]
    public void ArgumentsThatAreNotUtf8ReachTheTool()
    {
        if (!OperatingSystem.IsLinux())
            return;

        // .NET can't pass such an argument, a shell can.
        string command = string.Join(' ', StartInfo([], "exec", "printf", "%s").ArgumentList.Select(a => $"'{a}'"));
        var start = new ProcessStartInfo("bash", ["-c", $"'{Host}' {command} $'x\\xffy' | od -An -tx1"]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Assert.Equal("78 ff 79", process.StandardOutput.ReadToEnd().Trim());
        process.WaitForExit();
    }

    [Fact]
    public void VersionAndHelp()
    {
        (int exitCode, string output, _) = Run([], "--version");
        Assert.Equal(0, exitCode);
        Assert.Matches(@"^aotlink \d+\.\d+\.\d+ for Go 1\.24, Go 1\.25, Go 1\.26 and Go 1\.27\r?\n$", output);

        (exitCode, output, _) = Run([], "--help");
        Assert.Equal(0, exitCode);
        foreach ((string name, _) in Switches.All)
            Assert.Contains(name, output, StringComparison.Ordinal);
        foreach (string word in (string[])["exec", "install", "uninstall", "-toolexec"])
            Assert.Contains(word, output, StringComparison.Ordinal);

        (exitCode, output, string error) = Run([]);
        Assert.Equal(2, exitCode);
        Assert.Equal("", output);
        Assert.Contains("install", error, StringComparison.Ordinal);

        (exitCode, _, _) = Run([], "install", "--zork");
        Assert.Equal(2, exitCode);
    }

    [Fact]
    public void FlagsOfTheLinkerAreNotOurs()
    {
        (int exitCode, string output, string error) = Run([], "-help");
        Assert.Equal(2, exitCode);
        Assert.Equal("", output);
        Assert.StartsWith("usage: link [options] main.o\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/go/pkg/tool/linux_amd64/link", "--version", false)]
    [InlineData("/go/pkg/tool/linux_amd64/link", "", false)]
    [InlineData("/go/pkg/tool/linux_amd64/link", "uninstall", true)]
    [InlineData("aotlink", "", true)]
    [InlineData("aotlink", "--version", true)]
    [InlineData("aotlink", "-V", false)]
    [InlineData("aotlink", "main.a", false)]
    public void UnderTheNameLinkOnlyWordsAreOurs(string program, string argument, bool ours) =>
        Assert.Equal(ours, Subcommands.Handles(program, argument.Length == 0 ? [] : [argument]));

    private static string Host => Environment.ProcessPath!;

    private static void Script(string path, string body)
    {
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static ProcessStartInfo StartInfo(Dictionary<string, string> variables, params string[] arguments)
    {
        // The tests run under a shared host, which runs the program as well.
        var start = new ProcessStartInfo(Host)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(Subcommands).Assembly.Location);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (string name in (string[])["GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "AOTLINK_STRICT"])
            start.Environment.Remove(name);
        start.Environment["AOTLINK_TEST"] = "value";
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        return start;
    }

    private static (int ExitCode, string Output, string Error) Run(Dictionary<string, string> variables, params string[] arguments)
    {
        using Process process = Process.Start(StartInfo(variables, arguments))!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
