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
        if (!_cpu.MakesObjects)
            return What;
        if (ctx.Target.IsDynlinkingGo && !ctx.Target.Cpu.LinksModules)
            return $"{What} of what shares Go code with other modules";
        if (ctx.Target.IsLinkShared && ctx.Target.BuildMode is not (BuildMode.Exe or BuildMode.Pie or BuildMode.Shared))
            return $"{What} against Go shared libraries (-buildmode={Cli.LinkCapability.ModeName(ctx.Target.BuildMode)})";
        // The types of other libraries are described without their names' parts; the go command asks for none.
        if (ctx.Target.IsLinkShared && !ctx.Settings.OmitDwarf)
            return $"{What} against Go shared libraries with debug information";
        // cmd/link asks the program of -extld for its version, and panics without one.
        return _cpu.NeedsLinkerVersion(ctx) && ctx.Options.ExternalLinker.Count == 0 ? $"{What} without -extld" : null;
    }

    /// <inheritdoc/>
    public override List<string> ExternalLinkCommand(LinkContext ctx, HostLinker host)
    {
        List<string> command = [.. host.Program, .. host.Arguments];
        if (host.Strips)
            command.Add("-s");
        else if (ctx.Settings.OmitDwarf && ctx.Release.OmitsForeignDwarf && _os.LinkerOmitsDwarf)
            command.Add("-Wl,-S");
        AddSystemOptions(ctx, host, command);
        if (_cpu.NeededLinkerOption is { } needed && !host.Supports(needed.Option))
            Diagnostics.Exit(needed.Complaint);
        command.AddRange(ctx.Target.BuildMode switch
        {
            BuildMode.Pie => ["-Wl,-z,relro", "-pie"],
            BuildMode.CShared => ["-Wl,-z,relro", "-shared", "-Wl,-z,nodelete", "-Wl,-Bsymbolic"],
            BuildMode.Plugin or BuildMode.Shared => ["-Wl,-z,relro", "-shared"],
            _ => (string[])[],
        });
        // To bind a function when it is first called takes more stack than Go's code may have left.
        if (_options.BindNow || ctx.Target.IsDynlinkingGo)
            command.Add("-Wl,-z,now");
        // A variable that is copied elsewhere has lost its place in the table it belongs to.
        if (ctx.Target.IsDynlinkingGo)
            command.Add("-Wl,-z,nocopyreloc");
        string? linker = _options.IsAndroid && ctx.Target.IsDynlinkingGo ? "lld" : _cpu.OtherLinker(ctx, host);
        if (linker is not null)
            command.Add(HostLinker.OtherLinkerOption + linker);
        if (host.Supports("-Wl,--build-id=0x1234567890abcdef"))
        {
            if (_gnuBuildId.Length != 0)
                command.Add("-Wl,--build-id=0x" + Convert.ToHexStringLower(_gnuBuildId));
            else if (ctx.Options.HostBuildId == "none")
                command.Add("-Wl,--build-id=none");
        }
        host.OtherLinker = linker;
        command.AddRange(["-o", ctx.Options.Output]);
        AddDynamicLinkerOptions(ctx, command, _options.RunPath);
        AddExports(ctx, host, command);
        foreach (string option in (string[])["-Qunused-arguments", "-Wl,--compress-debug-sections=zlib"])
        {
            if ((option[1] == 'Q' || ctx.Options.CompressDwarf) && host.Supports(option))
                command.Add(option);
        }
        command.Add(host.Object);
        command.AddRange(host.CopyObjects());
        AddSharedLibraries(ctx, command);
        HostLinkerFlags.Add(command, ctx.ExternalLinkerFlags, ctx.Release.InterpreterOption);
        if (ctx.Target.IsExe && !ctx.Target.IsLinkShared)
        {
            // Go's code for executables may not be moved. GCC and Clang have names of their own for that.
            if (Array.Find(["-no-pie", "-nopie"], host.Supports) is { } option)
                command.Add(option);
        }
        HostLinkerFlags.Add(command, ctx.Options.ExternalLinkerFlags, ctx.Release.InterpreterOption);
        return command;
    }

    private void AddSystemOptions(LinkContext ctx, HostLinker host, List<string> command)
    {
        command.AddRange(_os.LinkerOptions);
        if (_os.FixedAddressOption is { } isFixed && !ctx.Target.IsPie)
            command.Add(isFixed);
        if (_os.OptionalLinkerOption is { } optional && host.Supports(optional))
            command.Add(optional);
        command.AddRange(_cpu.LinkerOptions(ctx.Target.HeadType));
    }

    // Symbols for dlsym and for shared libraries: those that cgo exports, or all if the linker can't be told which.
    private static void AddExports(LinkContext ctx, HostLinker host, List<string> command)
    {
        if (ctx.Target.IsDynlinkingGo || ctx.Target.BuildMode == BuildMode.CShared || !host.Supports("-Wl,--export-dynamic-symbol=main"))
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

    /// <inheritdoc/>
    public override void AmendExternalLink(LinkContext ctx, HostLinker host)
    {
        if (ctx.Fips is not null)
            ElfFips.Seal(ctx.Options.Output, _encoding, ctx.Settings.FipsObject);
    }
}
