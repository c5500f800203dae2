using AotLinker.Mapping;

namespace AotLinker.Cli;

/// <summary>
/// <c>aotlink exec TOOL ARGS…</c>, for <c>go build -toolexec="aotlink exec"</c>: the go command runs every tool through
/// it. The linker is us; any other tool replaces this process at once.
/// </summary>
internal static class ExecCommand
{
    /// <summary>Runs a tool and returns its exit code.</summary>
    /// <param name="command">The tool and its arguments.</param>
    public static int Run(string[] command)
    {
        string tool = command[0];
        string[] arguments = command[1..];

        // Only a linker in a toolchain's folder is Go's; a bare "link" is some other program.
        if (StockLinker.IsLinkName(tool) && Toolchain.FromTool(tool) is { } toolchain)
        {
            string stock = StockLinker.SavedBeside(tool) ?? tool;
            return new LinkCommand(tool, arguments, toolchain, stock, new Diagnostics(tool)).Run();
        }

        try
        {
            return HostProcess.Replace(tool, arguments);
        }
        catch (LinkException failure)
        {
            return new Diagnostics("aotlink").PrintFinal(failure);
        }
    }
}
