using AotLinker.Cli;
using AotLinker.Finish;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// The command line of an external linker for Mach-O, and what is done to its output: debug information is put together by dsymutil, and taken
/// into the program (the Mach-O parts of ld.hostlink).
/// </summary>
internal sealed partial class MachOFormat
{
    // Only there may a program have a segment that is not loaded.
    private bool CombinesDwarf(LinkContext ctx) => !ctx.Settings.OmitDwarf && _platform == MachOPlatform.Mac;

    /// <inheritdoc/>
    public override string? ExternalLinkObstacle(LinkContext ctx) => ctx.Target.Goos != "darwin" ? "external linking" : null;

    /// <inheritdoc/>
    public override List<string> ExternalLinkCommand(LinkContext ctx, HostLinker host)
    {
        // Symbols are stripped later: Apple's linker has no option for it any more.
        List<string> command = [.. host.Program, .. host.Arguments];
        if (!host.Strips && ctx.Settings.OmitDwarf && ctx.Release.OmitsForeignDwarf)
            command.Add("-Wl,-S");
        if (CombinesDwarf(ctx))
        {
            // Room for one more load command.
            command.Add("-Wl,-headerpad,1144");
        }
        if (ctx.Target.IsDynlinkingGo)
            AddModuleOptions(ctx, host, command);
        if (!CombinesDwarf(ctx))
        {
            command.Add("-Wl,-S");
            if (host.Strips)
                command.Add("-Wl,-x");
        }
        if (ctx.Options.Race && ctx.Release.AllowsRaceWithoutDyldHeader)
            command.Add("-Wl,-U,__dyld_get_dyld_header");
        if (_options.OmitUuid)
            command.Add("-Wl,-no_uuid");
        bool hasFixedAddress = ctx.Target.IsExe && !ctx.Target.Cpu.AlwaysPieOnDarwin;
        if (hasFixedAddress && _platform == MachOPlatform.Mac)
            command.Add("-Wl,-no_pie");
        if (ctx.Target.BuildMode is BuildMode.CShared or BuildMode.Plugin)
            command.Add("-dynamiclib");
        command.AddRange(["-o", ctx.Options.Output]);
        AddDynamicLinkerOptions(ctx, command, ctx.Options.RunPath);
        foreach (string option in (string[])["-Qunused-arguments", "-Wl,--compress-debug-sections=zlib"])
        {
            if ((option[1] == 'Q' || ctx.Options.CompressDwarf) && host.Supports(option))
                command.Add(option);
        }
        List<string> objects = host.CopyObjects();
        command.Add(host.Object);
        command.AddRange(objects);
        command.AddRange(ctx.ExternalLinkerFlags);
        if (hasFixedAddress && Array.Find(["-no-pie", "-nopie"], host.Supports) is { } fixedAddress)
            command.Add(fixedAddress);
        command.AddRange(ctx.Options.ExternalLinkerFlags);
        return command;
    }

    // Modules find each other's symbols by name alone, whichever library has them, and before any code runs.
    private void AddModuleOptions(LinkContext ctx, HostLinker host, List<string> command)
    {
        const string NoFixupChains = "-Wl,-no_fixup_chains";
        command.AddRange(["-Wl,-flat_namespace", "-Wl,-bind_at_load"]);
        // Chains of fixups tell the number of segments, and one more is added later.
        if (ctx.Release.AvoidsFixupChains && CombinesDwarf(ctx) && host.Supports(NoFixupChains))
            command.Add(NoFixupChains);
    }

    /// <inheritdoc/>
    public override byte[] ExternalLinkWarnings(LinkContext ctx, byte[] output)
    {
        byte[] result = WithoutLines(output, "ld: warning: text-based stub file"u8, behind: 0);
        if (!ctx.Target.Cpu.AlwaysPieOnDarwin)
            result = Without(result, "ld: warning: -no_pie is deprecated when targeting new OS versions\n"u8);
        return Without(result, "ld: warning: -bind_at_load is deprecated on macOS\n"u8);

        static byte[] Without(byte[] text, ReadOnlySpan<byte> part) =>
            text.AsSpan().IndexOf(part) is var at && at >= 0 ? [.. text[..at], .. text[(at + part.Length)..]] : text;
    }

    /// <inheritdoc/>
    public override void AmendExternalLink(LinkContext ctx, HostLinker host)
    {
        string output = ctx.Options.Output;
        bool isCombined = CombinesDwarf(ctx) && CombineDwarf(ctx, host);
        if (!isCombined && _options.Uuid.Length > 0)
            Rewrite(ctx, "rewriting uuid", (image, to) => MachORewriter.CopyWithUuid(image, to, _options.Uuid));
        if (ctx.Fips is not null)
            MachOFips.Seal(output, ctx.Settings.FipsObject);
        if (_cpu.NeedsCodeSignature)
        {
            try
            {
                MachORewriter.Sign(output, ctx.Target.IsExe || ctx.Target.IsPie, ctx.Workers);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or MachOException)
            {
                throw new LinkException($"{ctx.Diagnostics.ProgramName}: code signing failed: {e.Message}");
            }
        }
    }

    // The compiler's and ours are put together by dsymutil, and what points to where it comes from is taken away. It may find nothing.
    private bool CombineDwarf(LinkContext ctx, HostLinker host)
    {
        string output = ctx.Options.Output;
        string dsymutil = host.FindTool("dsymutil"), strip = host.FindTool("strip");
        string dwarf = host.Inside("go.dwarf"), folder = host.Inside("dsymutil");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException($"fail to create temp dir: {e.Message}");
        }
        List<string> command = [dsymutil, "-f", output, "-o", dwarf];
        Log("host link dsymutil:", command);
        // It would leave files elsewhere.
        host.RunTool("dsymutil", command, "DSYMUTIL_REPRODUCER_PATH=" + folder);
        command = [strip, "-S", .. host.Strips ? (string[])["-x"] : [], output];
        Log("host link strip:", command);
        host.RunTool("strip", command);
        if (!File.Exists(dwarf))
            return false;
        MachOCombineOptions options = new(ctx.Settings.Round, ctx.Options.CompressDwarf ? ctx.Release.Deflate : null, _options.Uuid);
        Rewrite(ctx, "combining dwarf", (image, to) => MachODwarfCombiner.Combine(image, dwarf, to, options, ctx.Workers));
        return true;

        void Log(string what, List<string> command)
        {
            if (ctx.Diagnostics.Verbosity != 0)
                ctx.Diagnostics.Log(what + string.Concat(command.Select(argument => " " + GoText.Quote(argument))));
        }
    }

    // A changed copy takes the place of the output; it is made beside it, so that it can.
    private static void Rewrite(LinkContext ctx, string what, Action<MachOImage, FileStream> write)
    {
        string output = ctx.Options.Output, copy = output + "~", program = ctx.Diagnostics.ProgramName;
        try
        {
            using (MachOImage image = Open(output, program, what))
            using (FileStream to = CreateExecutable(copy))
                write(image, to);
            File.Move(copy, output, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MachOException)
        {
            File.Delete(copy);
            throw new LinkException($"{program}: {what} failed: {e.Message}");
        }
    }

    private static MachOImage Open(string path, string program, string what)
    {
        try
        {
            return MachOImage.Open(path);
        }
        catch (FileNotFoundException)
        {
            throw new LinkException($"{program}: {what} failed: open {path}: no such file or directory");
        }
        catch (MachOException e)
        {
            throw new LinkException($"{program}: parsing Mach-O header failed: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException($"{program}: {what} failed: {e.Message}");
        }
    }

    private static FileStream CreateExecutable(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.ReadWrite, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        }
        return new FileStream(path, options);
    }
}
