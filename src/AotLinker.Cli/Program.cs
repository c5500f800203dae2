namespace AotLinker.Cli;

internal static class Program
{
    private static int Main(string[] args)
    {
        string program = Environment.GetCommandLineArgs()[0];
        Diagnostics diagnostics = new(program);
        try
        {
            string? root = Environment.GetEnvironmentVariable("GOROOT");
            LinkOptions options = LinkOptions.Parse(program, args, Environment.GetEnvironmentVariable, Toolchain.FromRoot(root));
            diagnostics.Configure(options);
            Phases phases = new(options.Benchmark);
            int code = Link.Run(options, diagnostics, phases);
            Console.Out.Write(phases.Report());
            return code;
        }
        catch (LinkException e)
        {
            return diagnostics.PrintFinal(e);
        }
    }
}
