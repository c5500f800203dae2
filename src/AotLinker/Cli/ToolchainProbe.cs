using System.ComponentModel;
using System.Diagnostics;
using AotLinker.Mapping;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>Tries out a toolchain: what <see cref="Installer"/> needs to know before it trusts a linker.</summary>
internal interface IToolchainProbe
{
    /// <summary>What a tool prints for <c>-V=full</c>, without its first word, which is the program's file name.</summary>
    /// <exception cref="LinkException">The tool doesn't run, or fails.</exception>
    string VersionOf(string tool);

    /// <summary>Builds a small program with the linker that is in place, runs it where it is for this host, and returns its bytes.</summary>
    /// <param name="folder">An empty folder, or one that was used for this before. Its name goes into the program's build ID.</param>
    /// <exception cref="LinkException">The build fails, or the program does.</exception>
    byte[] BuildProgram(string folder);
}

/// <summary>Tries out a real toolchain by its go command.</summary>
internal sealed class ToolchainProbe(Toolchain toolchain, string root) : IToolchainProbe
{
    private readonly bool _runs = TargetRegistry.HasPort(toolchain.Release ?? Release.Newest, toolchain.HostOs, toolchain.HostArch);

    /// <inheritdoc/>
    public string VersionOf(string tool)
    {
        (int exitCode, string output, string error) = Run(tool, ["-V=full"], "", Variables());
        string line = output.Trim();
        int end = line.IndexOf(' ');
        return exitCode == 0 && end > 0
            ? line[(end + 1)..]
            : throw new LinkException($"\"{tool} -V=full\" failed: {(error.Length > 0 ? error : output).Trim()}");
    }

    /// <inheritdoc/>
    public byte[] BuildProgram(string folder)
    {
        string source = Path.Combine(folder, "main.go");
        string program = Path.Combine(folder, StockLinker.Executable("hello"));
        File.WriteAllText(source, "package main\n\nfunc main() { println(\"hello\") }\n");

        // The go command doesn't link where it finds the result there.
        File.Delete(program);
        Dictionary<string, string?> variables = Variables();
        if (HostProcess.Variable("GOCACHE") is null && HostProcess.Variable("HOME") is null && !OperatingSystem.IsWindows())
            variables["GOCACHE"] = Path.Combine(folder, "cache");
        string go = Path.Combine(root, "bin", StockLinker.Executable("go"));
        (int exitCode, string output, string error) = Run(go, ["build", "-o", program, source], folder, variables);
        if (exitCode != 0)
            throw new LinkException($"a test build failed:\n{output}{error}".TrimEnd());
        if (_runs)
        {
            (int status, _, string said) = Run(program, [], folder, []);
            if (status != 0 || said.Trim() != "hello")
                throw new LinkException($"the test program exits with {status} and says \"{said.Trim()}\"");
        }

        return File.ReadAllBytes(program);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Where it runs; empty for here.</param>
    /// <param name="variables">What changes in its environment; null takes a variable away.</param>
    /// <exception cref="LinkException">It can't be started.</exception>
    public static (int ExitCode, string Output, string Error) Run(
        string program, string[] arguments, string folder, Dictionary<string, string?> variables)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string? value) in variables)
            start.Environment[name] = value;
        try
        {
            using Process process = Process.Start(start) ?? throw new LinkException($"{program} did not start");
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        catch (Win32Exception e)
        {
            throw new LinkException($"{program}: {e.Message}", e);
        }
    }

    // A plain build for a port that we link, whatever the caller's own settings are; failing where we would hand over.
    private Dictionary<string, string?> Variables() => new()
    {
        ["GOROOT"] = root,
        ["GOTOOLCHAIN"] = "local",
        ["GOFLAGS"] = "",
        ["GOWORK"] = "off",
        ["GO111MODULE"] = "off",
        ["GOOS"] = _runs ? toolchain.HostOs : "linux",
        ["GOARCH"] = _runs ? toolchain.HostArch : "amd64",
        ["GOEXPERIMENT"] = null,
        ["GO_EXTLINK_ENABLED"] = null,
        ["CGO_ENABLED"] = "0",
        ["AOTLINK_STRICT"] = "1",
    };
}
