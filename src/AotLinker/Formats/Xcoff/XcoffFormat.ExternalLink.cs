using System.Text;
using AotLinker.Finish;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Xcoff;

/// <summary>
/// The command line of AIX's linker (the parts of ld.hostlink for it, xcoffCreateExportFile), and whether it takes debug information
/// (IsDWARFEnabledOnAIXLd).
/// </summary>
internal sealed partial class XcoffFormat
{
    // What the linker says of a C compiler's program without main. It has told its version by then.
    private static ReadOnlySpan<byte> NoMainMessage => "0711-317"u8;

    private static ReadOnlySpan<byte> TocOverflowWarning => "ld: 0711-783"u8;

    private const string ExportMarker = "._cgoexp_";

    // From this version on debug information may be kept together with the order of functions.
    private static int[] LeastVersion => [7, 2, 2];

    /// <inheritdoc/>
    public override IReadOnlyList<string> ArchiverOptions => ["-X64"];

    /// <inheritdoc/>
    public override string? ExternalLinkObstacle(LinkContext ctx)
    {
        return ctx.Target.BuildMode is not (BuildMode.Exe or BuildMode.Pie or BuildMode.CArchive) || ctx.Target.IsDynlinkingGo
            ? "external linking of shared libraries and of what shares Go code with other modules" : null;
    }

    /// <inheritdoc/>
    public override bool LinkerTakesDebugInfo(LinkContext ctx)
    {
        IReadOnlyList<string> compiler = HostLinker.ProgramOf(ctx.Options);
        ProgramResult result = HostProcess.Run([.. compiler, "-Wl,-V"]);
        string all = string.Join(' ', compiler);
        string text = RawText.Decode(result.Output);
        if (result.Failure is not null && result.Output.AsSpan().IndexOf(NoMainMessage) < 0)
            Diagnostics.Exit($"[{all}] -Wl,-V failed: {result.Failure}\n{text}");
        const string Head = "/usr/bin/ld: LD ";
        if (text.StartsWith(Head, StringComparison.Ordinal))
            text = text[Head.Length..];
        string[] version = text.Split('(')[0].Split('.');
        if (version.Length != LeastVersion.Length)
            Diagnostics.Exit($"cannot parse [{all}] -Wl,-V ({text}): {result.Failure ?? "<nil>"}\n");
        for (int i = 0; i < version.Length; i++)
        {
            if (!Cli.GoText.TryParseDecimal(version[i], out long number) || number < LeastVersion[i])
                return false;
            if (number > LeastVersion[i])
                return true;
        }
        return true;
    }

    /// <inheritdoc/>
    public override List<string> ExternalLinkCommand(LinkContext ctx, HostLinker host)
    {
        List<string> command = [.. host.Program, .. host.Arguments];
        if (host.Strips)
            command.Add("-s");
        // Functions stay in their order, by whose ends tables know them; tables of contents may be large.
        command.AddRange(["-pthread", "-Wl,-bnoobjreorder", "-mcmodel=large", "-Wl,-bbigtoc", "-o", ctx.Options.Output]);
        AddDynamicLinkerOptions(ctx, command, ctx.Options.RunPath);
        command.Add("-Wl,-bE:" + WriteExports(ctx, host));
        foreach (string option in (string[])["-Qunused-arguments", "-Wl,--compress-debug-sections=zlib"])
        {
            if ((option[1] == 'Q' || ctx.Options.CompressDwarf) && host.Supports(option))
                command.Add(option);
        }
        command.Add(host.Object);
        command.AddRange(host.CopyObjects());
        // C's start-up code comes last, or the linker would put its own trampolines between functions of Go.
        command.AddRange(["-nostartfiles", "/lib/crt0_64.o", FindStartFile(host, "crtcxa"), FindStartFile(host, "crtdbase")]);
        command.AddRange(ctx.ExternalLinkerFlags);
        if (ctx.Target.IsExe && Array.Find(["-no-pie", "-nopie"], host.Supports) is { } isFixed)
            command.Add(isFixed);
        command.AddRange(ctx.Options.ExternalLinkerFlags);
        return command;
    }

    /// <summary>Without warnings that the table of contents is large, and the two lines behind each.</summary>
    public override byte[] ExternalLinkWarnings(LinkContext ctx, byte[] output) => WithoutLines(output, TocOverflowWarning, behind: 2);

    // Since version 11 of GCC the 64-bit ones have names of their own.
    private static string FindStartFile(HostLinker host, string name)
    {
        string found = Ask(host, $"{name}_64.o");
        return found.StartsWith('/') ? found : Ask(host, $"{name}.o");
    }

    private static string Ask(HostLinker host, string file)
    {
        ProgramResult result = HostProcess.Run([.. host.Program, .. host.Arguments, "--print-file-name=" + file]);
        if (result.Failure is not null)
        {
            // Go's log ends a text that has no end of line.
            string text = HostPath.Decode(result.Output);
            text = text.EndsWith('\n') ? text[..^1] : text;
            Diagnostics.Fatal($"running [{string.Join(' ', host.Program)}] failed: {result.Failure}\n{text}");
        }
        return HostPath.Decode(result.Output).Trim('\n');
    }

    // What the linker exports: what Go exports to C, by its name there.
    private static string WriteExports(LinkContext ctx, HostLinker host)
    {
        StringBuilder text = new();
        foreach (SymbolId s in ctx.Symbols.CgoExportStatic)
        {
            string name = ctx.Symbols.OutputName(s);
            if (!name.StartsWith(ExportMarker, StringComparison.Ordinal) || ctx.Symbols.IsFileLocal(s))
                continue;
            // A hash stands between the marker and the name in C.
            int end = name.IndexOf('_', ExportMarker.Length);
            text.Append(end >= 0 ? name[(end + 1)..] : throw new LinkException($"{name}: no name that C knows")).Append('\n');
        }
        return host.WriteFile("export_file.exp", RawText.Encode(text.ToString()));
    }
}
