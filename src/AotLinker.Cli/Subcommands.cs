using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>The command line of our own: words, <c>--help</c> and <c>--version</c>.</summary>
internal static class Subcommands
{
    /// <summary>
    /// Whether a command line is ours rather than the linker's. Under the name "link" nothing but the words is: its users
    /// get what Go's linker says.
    /// </summary>
    /// <param name="programName">argv[0].</param>
    /// <param name="arguments">The arguments after it.</param>
    public static bool Handles(string programName, string[] arguments)
    {
        bool isLink = StockLinker.IsLinkName(programName);
        return arguments switch
        {
            [] => !isLink,
            ["exec" or "install" or "uninstall", ..] => true,
            ["--help" or "--version"] => !isLink,
            _ => false,
        };
    }

    /// <summary>Runs a command and returns the exit code.</summary>
    public static int Run(string[] arguments)
    {
        RootCommand root = Build();
        if (arguments.Length == 0)
        {
            root.Parse(["--help"]).Invoke(new InvocationConfiguration { Output = Console.Error });
            return 2;
        }

        ParseResult parsed = root.Parse(arguments);
        int exitCode = parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });

        // Misuse is exit code 2 throughout, as it is in Go's tools.
        return parsed.Errors.Count > 0 ? 2 : exitCode;
    }

    private static RootCommand Build()
    {
        var goroot = new Option<string?>("--goroot")
        {
            Description = "The toolchain's folder. By default GOROOT, or what \"go env GOROOT\" says.",
            HelpName = "DIR",
        };
        var install = new Command("install", "Put aotlink in the place of a toolchain's linker, and keep the original beside it.") { goroot };
        install.SetAction(parsed => WithInstaller(parsed.GetValue(goroot), static installer => installer.Install()));
        var uninstall = new Command("uninstall", "Put a toolchain's own linker back.") { goroot };
        uninstall.SetAction(parsed => WithInstaller(parsed.GetValue(goroot), static installer => installer.Uninstall()));

        var command = new Argument<string[]>("TOOL ARGS") { Description = "The tool and its arguments.", Arity = ArgumentArity.OneOrMore };
        var exec = new Command("exec", "Run a tool of a build: the linker is aotlink, any other runs as it is. For go build -toolexec=\"aotlink exec\".") { command };
        exec.SetAction(parsed => ExecCommand.Run(parsed.GetValue(command)!));

        var root = new RootCommand(Description()) { exec, install, uninstall };
        foreach (Option option in root.Options)
        {
            if (option is VersionOption version)
                version.Action = new VersionAction();
        }

        root.SetAction(static _ => 2);
        return root;
    }

    private static int WithInstaller(string? goroot, Action<Installer> action)
    {
        try
        {
            string self = Environment.ProcessPath ?? throw new LinkException("the system doesn't tell where this program is");
            action(new Installer(Installer.FindRoot(goroot), self, Console.Out));
            return 0;
        }
        catch (LinkException failure)
        {
            return new Diagnostics("aotlink").PrintFinal(failure);
        }
    }

    private static string Description()
    {
        var text = new StringBuilder();
        text.Append("aotlink links Go programs, as Go's own linker does and to the same bytes.\n\n");
        text.Append("Three ways to use it:\n");
        text.Append("  go build -toolexec=\"aotlink exec\" …   for one build\n");
        text.Append("  aotlink install                       for a toolchain, until aotlink uninstall\n");
        text.Append("  aotlink [flags] main.a                by hand, with the flags of \"go tool link\"\n\n");
        text.Append("Switches, as environment variables:\n");
        foreach ((string name, string help) in Switches.All)
            text.Append("  ").Append(name.PadRight(22)).Append(help).Append('\n');
        text.Append("\nIt knows ").Append(Release.KnownForMessage).Append('.');
        return text.ToString();
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult)
        {
            string version = typeof(Program).Assembly.GetName().Version?.ToString(3) ?? "";
            parseResult.InvocationConfiguration.Output.WriteLine($"aotlink {version} for {Release.KnownForMessage}");
            return 0;
        }
    }
}
