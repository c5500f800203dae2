using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>Captures link steps from real builds.</summary>
internal static class Capture
{
    /// <summary>Tells the tool wrapper where link steps go.</summary>
    private const string IntoVariable = "AOTLINK_CAPTURE_INTO";

    /// <summary>Tells the tool wrapper to keep the reference output itself, not only its hash.</summary>
    private const string KeepVariable = "AOTLINK_CAPTURE_KEEP";

    /// <summary>Tells the tool wrapper to let builds go on whose link fails: the step is what is wanted.</summary>
    private const string TolerateVariable = "AOTLINK_CAPTURE_TOLERATE";

    /// <summary>Compiling large programs for another port can take this long on a busy machine.</summary>
    private static readonly TimeSpan BuildLimit = TimeSpan.FromHours(4);

    /// <summary>
    /// Builds packages (verb: "build", or "test" for test binaries) and saves each link step in a folder of
    /// <paramref name="destination"/> named after the package. Compiling is done beforehand, so that the paths in
    /// importcfg are those of the build cache. With <paramref name="failing"/> the links may fail.
    /// </summary>
    public static IReadOnlyList<LinkStep> Run(
        Toolchain toolchain,
        string verb,
        IReadOnlyList<string> arguments,
        string workingDirectory,
        IReadOnlyDictionary<string, string> environment,
        string destination,
        bool keepReference,
        bool failing = false)
    {
        Dictionary<string, string> settings = toolchain.Environment(environment);
        Directory.CreateDirectory(Settings.GoCache);
        string work = Settings.NewTemporaryFolder();
        try
        {
            // go list -export compiles whatever go build would, and does not link. What it can't do shows up below.
            // As many compilers as there are processors, and each with one: together they take a sixth less time than each with all.
            string[] test = verb == "test" ? ["-test"] : [];
            string several = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
            // It would write the header of a C library into the working directory.
            if (!arguments.Any(argument => argument.StartsWith("-buildmode=c-", StringComparison.Ordinal)))
            {
                Command.Run(
                    [toolchain.Go, "list", "-export", "-p", several, "-f", "{{.ImportPath}}", .. test, .. arguments], null,
                    new Dictionary<string, string>(settings) { ["GOMAXPROCS"] = "1" }, workingDirectory, limit: BuildLimit);
            }

            string into = Path.Combine(work, "links");
            string binaries = Path.Combine(work, "bin");
            Directory.CreateDirectory(into);
            Directory.CreateDirectory(binaries);
            settings[IntoVariable] = into;
            settings[KeepVariable] = keepReference ? "1" : "0";
            settings[TolerateVariable] = failing ? "1" : "0";
            string[] compileOnly = verb == "test" ? ["-c"] : [];
            Command.Must(
                [toolchain.Go, verb, .. compileOnly, $"-toolexec={Wrapper(work)}", "-o", binaries + Path.DirectorySeparatorChar, .. arguments],
                null, settings, workingDirectory, BuildLimit);
            return Adopt(into, destination);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>
    /// The command for -toolexec. The go command asks every tool for its version, and links once: where there is a shell, that starts this
    /// program only for links.
    /// </summary>
    private static string Wrapper(string folder)
    {
        if (OperatingSystem.IsWindows() || folder.Contains(' ', StringComparison.Ordinal))
        {
            return Self() + " toolexec";
        }

        string script = Path.Combine(folder, "toolexec");
        File.WriteAllText(script, $"""
            #!/bin/sh
            case "${"{1##*/}"} $2" in
            "link -V"*) exec "$@" ;;
            "link "*) exec {Self()} toolexec "$@" ;;
            *) exec "$@" ;;
            esac

            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }

    /// <summary>
    /// The wrapper that go build -toolexec starts: <paramref name="command"/> is a tool and its arguments. Links are saved;
    /// every tool is run. Returns the tool's exit code.
    /// </summary>
    public static int ToolExec(IReadOnlyList<string> command)
    {
        string tool = command[0];
        string[] arguments = [.. command.Skip(1)];
        string? into = Environment.GetEnvironmentVariable(IntoVariable);
        if (into is null || Path.GetFileNameWithoutExtension(tool) != "link" ||
            (arguments.Length > 0 && arguments[0].StartsWith("-V", StringComparison.Ordinal)))
        {
            return Command.PassThrough(tool, arguments);
        }

        string name = Environment.GetEnvironmentVariable("TOOLEXEC_IMPORTPATH") ?? "main";
        string folder = Path.Combine(into, FolderName(name));
        Directory.CreateDirectory(folder);
        string output = Save(folder, tool, arguments);
        int code = Command.PassThrough(tool, arguments);
        // Compilers for Windows give a library without an extension one, where the go command does not look for it.
        if (!File.Exists(output) && File.Exists(output + ".exe"))
        {
            File.Move(output + ".exe", output);
        }

        if (code == 0)
        {
            if (Environment.GetEnvironmentVariable(KeepVariable) == "1")
            {
                File.Copy(output, Path.Combine(folder, "ref"), overwrite: true);
            }

            File.WriteAllText(Path.Combine(folder, "ref.sha256"), HashFile(output) + "\n");
        }

        else if (Environment.GetEnvironmentVariable(TolerateVariable) == "1")
        {
            File.WriteAllText(output, "");
            return 0;
        }

        return code;
    }

    /// <summary>A wrapper for -toolexec that starts another linker in the place of link, and every other tool as it is.</summary>
    public static int Substitute(string linker, string tool, string[] arguments)
    {
        bool links = Path.GetFileNameWithoutExtension(tool) == "link" && !arguments.FirstOrDefault("").StartsWith("-V", StringComparison.Ordinal);
        return Command.PassThrough(links ? linker : tool, arguments);
    }

    /// <summary>Moves a captured step to another folder, replacing what is there.</summary>
    public static void Move(LinkStep step, string target)
    {
        ReplaceFolder(step.Folder, target);
        string config = Path.Combine(target, "importcfg");
        File.WriteAllText(config, File.ReadAllText(config).Replace(step.Folder, target, StringComparison.Ordinal));
    }

    /// <summary>Folder name of an import path: "cmd/go" is cmd_go, "strings.test" stays.</summary>
    public static string FolderName(string importPath)
    {
        int space = importPath.IndexOf(' ');
        StringBuilder name = new();
        foreach (char character in space < 0 ? importPath : importPath[..space])
        {
            name.Append(char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' ? character : '_');
        }

        return name.ToString();
    }

    public static string HashFile(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Command that starts this program, in the go command's quoting for -toolexec.</summary>
    public static string Self()
    {
        string host = Path.Combine(AppContext.BaseDirectory, "AotLinker.Conformance" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return host.Contains(' ', StringComparison.Ordinal) ? $"'{host}'" : host;
    }

    private static string Save(string folder, string tool, string[] arguments)
    {
        string[] marked = [.. arguments];
        string output = "";
        string importConfig = "";
        for (int index = 0; index < arguments.Length - 1; index++)
        {
            if (arguments[index] == "-o")
            {
                output = arguments[index + 1];
                marked[index + 1] = LinkStep.OutputMark;
            }
            else if (arguments[index] == "-importcfg")
            {
                importConfig = arguments[index + 1];
                marked[index + 1] = LinkStep.ImportConfigMark;
            }
            else if (arguments[index] == "-fipso")
            {
                marked[index + 1] = LinkStep.SideMark;
            }
        }

        if (output.Length == 0 || importConfig.Length == 0)
        {
            throw new ConformanceException($"a link without -o or -importcfg: {string.Join(' ', arguments)}");
        }

        marked[^1] = LinkStep.MainMark;
        if (marked.Any(argument => argument.Contains('\n', StringComparison.Ordinal)))
        {
            throw new ConformanceException("an argument with a line break can't be captured");
        }

        string main = arguments[^1];
        File.Copy(main, Path.Combine(folder, "main.a"), overwrite: true);
        List<string> lines = [];
        int kept = 0;
        foreach (string line in File.ReadLines(importConfig))
        {
            string? file = LinkStep.PackageFiles([line]).SingleOrDefault();
            if (file is null || file.StartsWith(Settings.GoCache, StringComparison.Ordinal))
            {
                lines.Add(line);
                continue;
            }

            // @HERE@ becomes the folder's final path when the capture is adopted.
            string copy = "main.a";
            if (file != main)
            {
                copy = $"pkg{++kept}.a";
                File.Copy(file, Path.Combine(folder, copy), overwrite: true);
            }

            lines.Add(line[..(line.IndexOf('=') + 1)] + "@HERE@" + Path.DirectorySeparatorChar + copy);
        }

        File.WriteAllLines(Path.Combine(folder, "importcfg"), lines);
        File.WriteAllLines(Path.Combine(folder, "args"), marked);
        File.WriteAllText(Path.Combine(folder, "tool"), tool + "\n");
        File.WriteAllLines(Path.Combine(folder, "env"), LinkEnvironment());
        return output;
    }

    /// <summary>Variables that cmd/link or its configuration (internal/buildcfg) may read.</summary>
    private static IEnumerable<string> LinkEnvironment()
    {
        string[] unrelated =
        [
            "GOAUTH", "GOBIN", "GOCACHE", "GOENV", "GOFLAGS", "GOMODCACHE", "GOPATH", "GOPROXY", "GOSUMDB", "GOTELEMETRY",
            "GOTELEMETRYDIR", "GOTMPDIR", "GOWORK",
        ];
        return from System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables()
               let name = (string)entry.Key
               where name.StartsWith("GO", StringComparison.Ordinal) && !unrelated.Contains(name)
               orderby name
               select $"{name}={entry.Value}";
    }

    private static List<LinkStep> Adopt(string into, string destination)
    {
        List<LinkStep> steps = [];
        Directory.CreateDirectory(destination);
        foreach (string folder in Directory.GetDirectories(into).Order(StringComparer.Ordinal))
        {
            string target = Path.Combine(destination, Path.GetFileName(folder));
            ReplaceFolder(folder, target);
            string config = Path.Combine(target, "importcfg");
            File.WriteAllText(config, File.ReadAllText(config).Replace("@HERE@", target, StringComparison.Ordinal));
            LinkStep step = LinkStep.Load(target);
            if (!step.IsComplete())
            {
                throw new ConformanceException($"{step.Name}: importcfg names files that do not exist");
            }

            steps.Add(step);
        }

        return steps.Count > 0 ? steps : throw new ConformanceException("the build linked nothing");
    }

    // Not a rename: the temporary folder is often on another file system.
    private static void ReplaceFolder(string source, string target)
    {
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        Directory.CreateDirectory(target);
        foreach (string file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }
}
