using AotLinker.Finish;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>The command line of an external linker for ELF (the ELF parts of ld.hostlink).</summary>
internal sealed partial class ElfFormat
{
    /// <inheritdoc/>
    public override string? ExternalLinkObstacle(LinkContext ctx)
    {
        const string What = "external linking";
        if (!_cpu.MakesObjects || ctx.Target.HeadType != HeadType.Linux || _options.IsAndroid || !ctx.Release.OrdersElfSections)
            return What;
        if (!ctx.Target.IsExe && !ctx.Target.IsPie)
            return $"{What} (-buildmode={Cli.LinkCapability.ModeName(ctx.Target.BuildMode)})";
        if (ctx.Target.IsDynlinkingGo)
            return $"{What} of programs that load plugins";
        return ctx.Options.Msan || ctx.Options.Asan ? $"{What} with a sanitizer" : null;
    }

    /// <inheritdoc/>
    public override List<string> ExternalLinkCommand(LinkContext ctx, HostLinker host)
    {
        List<string> command = [.. host.Program, .. host.Arguments];
        if (host.Strips)
            command.Add("-s");
        else if (ctx.Settings.OmitDwarf)
            command.Add("-Wl,-S");
        if (ctx.Target.IsPie)
            command.AddRange(["-Wl,-z,relro", "-pie"]);
        if (_options.BindNow)
            command.Add("-Wl,-z,now");
        if (host.Supports("-Wl,--build-id=0x1234567890abcdef"))
        {
            if (_gnuBuildId.Length != 0)
                command.Add("-Wl,--build-id=0x" + Convert.ToHexStringLower(_gnuBuildId));
            else if (ctx.Options.HostBuildId == "none")
                command.Add("-Wl,--build-id=none");
        }
        command.AddRange(["-o", ctx.Options.Output]);
        if (_options.RunPath.Length != 0)
            command.Add("-Wl,-rpath," + _options.RunPath);
        if (ctx.Options.Interpreter.Length != 0)
        {
            if (ctx.Options.Interpreter.Contains(',') && ctx.Release.RefusesCommasInCgoDirectives)
                Diagnostics.Exit($"invalid dynamic linker path {Cli.GoText.Quote(ctx.Options.Interpreter)}");
            command.Add("-Wl,--dynamic-linker=" + ctx.Options.Interpreter);
        }
        AddExports(ctx, host, command);
        foreach (string option in (string[])["-Qunused-arguments", "-Wl,--compress-debug-sections=zlib"])
        {
            if ((option[1] == 'Q' || ctx.Options.CompressDwarf) && host.Supports(option))
                command.Add(option);
        }
        command.Add(host.Object);
        command.AddRange(host.CopyObjects());
        AddFlags(command, ctx.ExternalLinkerFlags);
        if (ctx.Target.IsExe)
        {
            // Go's code for executables may not be moved. GCC and Clang have names of their own for that.
            if (Array.Find(["-no-pie", "-nopie"], host.Supports) is { } option)
                command.Add(option);
        }
        AddFlags(command, ctx.Options.ExternalLinkerFlags);
        return command;
    }

    // Symbols for dlsym and for shared libraries: those that cgo exports, or all if the linker can't be told which.
    private static void AddExports(LinkContext ctx, HostLinker host, List<string> command)
    {
        if (!host.Supports("-Wl,--export-dynamic-symbol=main"))
        {
            command.Add("-rdynamic");
            return;
        }
        List<string> exports = [];
        foreach (SymbolId s in ctx.Symbols.CgoExportDynamic)
        {
            string name = ctx.Symbols.OutputName(s);
            if (name.Contains(',') && ctx.Release.RefusesCommasInCgoDirectives)
                Diagnostics.Exit($"invalid exported symbol name {Cli.GoText.Quote(name)}");
            exports.Add("-Wl,--export-dynamic-symbol=" + name);
        }
        exports.Sort(static (a, b) => RawText.Encode(a).AsSpan().SequenceCompareTo(RawText.Encode(b)));
        command.AddRange(exports);
    }

    // Clang would pass on what makes no sense in a static program, which GNU's linker then refuses.
    private static void AddFlags(List<string> command, IReadOnlyList<string> flags)
    {
        foreach (string flag in flags)
        {
            command.Add(flag);
            for (int i = 0; flag == "-static" && i < command.Count; i++)
            {
                if (command[i] == "-rdynamic" || command[i].StartsWith("-Wl,--dynamic-linker=", StringComparison.Ordinal))
                    command[i] = "-static";
            }
        }
    }

    /// <inheritdoc/>
    public override void AmendExternalLink(LinkContext ctx)
    {
        if (ctx.Fips is not null)
            ElfFips.Seal(ctx.Options.Output, _encoding, ctx.Settings.FipsObject);
    }
}
