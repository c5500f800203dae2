using AotLinker.Mapping;

namespace AotLinker.Cli;

/// <summary>
/// The entry point. Flags or a file are linked, whatever name we were started under; words are subcommands. Only those
/// initialise the command-line library: this process starts for every link, and for every tool of a build.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        arguments = HostPath.Arguments(arguments);
        string programName = HostProcess.ProgramName;
        if (arguments is ["exec", not ("--help" or "-h" or "-?"), ..])
            return ExecCommand.Run(arguments[1..]);
        if (Subcommands.Handles(programName, arguments))
            return Subcommands.Run(arguments);
        return Link(programName, arguments);
    }

    private static int Link(string programName, string[] arguments)
    {
        // Started from a tool folder, by name or through a symbolic link there, the folder tells the toolchain.
        Toolchain? toolchain = Toolchain.FromTool(programName)
            ?? Toolchain.FromTool(Environment.ProcessPath)
            ?? Toolchain.FromRoot(HostProcess.Variable("GOROOT"));
        string? stock = StockLinker.SavedBeside(programName) ?? StockLinker.SavedBeside(Environment.ProcessPath);
        return new LinkCommand(programName, arguments, toolchain, stock, new Diagnostics(programName)).Run();
    }
}
