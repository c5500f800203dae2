using AotLinker.Accounting;
using AotLinker.Explain;
using AotLinker.Mapping;

namespace AotLinker.Cli;

/// <summary>
/// One run as the linker: parse, decide whether we can do it, link, report. What we can't do is handed to the toolchain's
/// own linker where there is one, with a line on standard error that says why.
/// </summary>
internal sealed class LinkCommand
{
    private readonly string _programName;
    private readonly string[] _arguments;
    private readonly Toolchain? _toolchain;
    private readonly string? _stockLinker;
    private readonly Diagnostics _diagnostics;

    /// <param name="programName">argv[0], or the tool that the go command meant to run.</param>
    /// <param name="arguments">The arguments after it.</param>
    /// <param name="toolchain">The toolchain we stand in for; null where only the objects can tell.</param>
    /// <param name="stockLinker">Its linker; null where there is none to hand over to.</param>
    /// <param name="diagnostics">Where messages go; its program name is <paramref name="programName"/>.</param>
    public LinkCommand(string programName, string[] arguments, Toolchain? toolchain, string? stockLinker, Diagnostics diagnostics)
    {
        _programName = programName;
        _arguments = arguments;
        _toolchain = toolchain;
        _stockLinker = stockLinker;
        _diagnostics = diagnostics;
    }

    /// <summary>Gives an environment variable; replaced in tests.</summary>
    public Func<string, string?> Variable { get; init; } = HostProcess.Variable;

    /// <summary>Does the link and returns the exit code; replaced in tests.</summary>
    public Func<LinkOptions, Diagnostics, Phases, int> Linker { get; init; } = Link.Run;

    /// <summary>Becomes another program; replaced in tests.</summary>
    public Func<string, string[], int> Replace { get; init; } = static (program, arguments) => HostProcess.Replace(program, arguments);

    /// <summary>Runs and returns the process's exit code. Never throws.</summary>
    public int Run()
    {
        Phases? phases = null;
        FaultGuard.Prefix = _programName + ": ";
        try
        {
            // A toolchain we don't know may have flags we don't know, so its linker sees the command line first.
            if (_toolchain is { Release: null } unknown && _stockLinker is not null)
                return HandOver(new UnsupportedLinkException(LinkCapability.MissingRelease(unknown.Version)), null);

            LinkOptions options = LinkOptions.Parse(_programName, _arguments, Variable, _toolchain);
            if (options.VersionRequested != VersionRequest.None)
                return PrintVersion(options);

            _diagnostics.Configure(options);
            phases = new Phases(
                options.Benchmark,
                options.Switches.Account is { } request ? new LinkAccount(request) : null,
                options.Switches.Timeline is not null ? new Timeline() : null);
            if (LinkCapability.Missing(options) is { } missing)
                return HandOver(new UnsupportedLinkException(missing), options.Switches);

            int exitCode;
            try
            {
                HostSystem.Current.PreferLargeHeapPages();
                exitCode = Linker(options, _diagnostics, phases);
            }
            catch (UnsupportedLinkException later)
            {
                return HandOver(later, options.Switches);
            }

            if (phases.Report() is { Length: > 0 } report)
                _diagnostics.Write(HostPath.Encode(report));
            if (phases.Account is { } account)
                Print(account);
            foreach (LinkReport found in phases.Reports)
                Print(found.File, found.Content);
            if (phases.Timeline is { } timeline)
                WriteFile(options.Switches.Timeline!, timeline.ToJson());
            return exitCode;
        }
        catch (LinkException failure)
        {
            return _diagnostics.PrintFinal(failure);
        }
        catch (Exception defect)
        {
            // Not the input's fault. The trace is what a bug report needs.
            string where = phases?.Current is { } pass ? $" in {pass}" : "";
            return _diagnostics.PrintFinal(new LinkException($"internal error{where}: {defect}"));
        }
        finally
        {
            _diagnostics.RunAtExit();
        }
    }

    private void Print(LinkAccount account)
    {
        byte[] text = account.Request.IsJson ? AccountJson.Write(account) : HostPath.Encode(AccountText.Write(account));
        Print(account.Request.File, text);
    }

    private void Print(string? file, byte[] text)
    {
        if (file is null)
            _diagnostics.WriteToError(text);
        else
            WriteFile(file, text);
    }

    private static void WriteFile(string file, byte[] content)
    {
        if (HostSystem.Current.WriteWholeFile(file, content) is { IsError: true } error)
            throw error.OnPath("write", file);
    }

    private int PrintVersion(LinkOptions options)
    {
        if (!VersionLine.IsKnown(options.VersionRequested, _toolchain))
        {
            if (_stockLinker is not null)
                return Replace(_stockLinker, _arguments);
            throw new LinkException(_toolchain is null
                ? "cannot tell which Go release this stands in for: start it from GOROOT/pkg/tool, or set GOROOT"
                : $"{LinkCapability.MissingRelease(_toolchain.Version)} is not supported yet");
        }

        string line = VersionLine.Format(
            _programName, options.Version, options.Experiments.Describe(all: options.VersionRequested == VersionRequest.Experiments));
        _diagnostics.Write(HostPath.Encode(line + "\n"));
        return 0;
    }

    private int HandOver(UnsupportedLinkException reason, Switches? switches)
    {
        switches ??= Switches.Parse(Variable);
        string? stock = _stockLinker ?? switches.StockLinker;
        if (stock is null || switches.Strict)
            throw reason;

        // Whatever was begun must be gone before another program takes over. The go command wants nothing but the version.
        _diagnostics.RunAtExit();
        if (!Array.Exists(_arguments, a => a is "-V" or "-V=full" or "--V=full"))
            _diagnostics.Warn($"aotlink: {reason.Message}; handing over to {stock}");
        return Replace(stock, _arguments);
    }
}
