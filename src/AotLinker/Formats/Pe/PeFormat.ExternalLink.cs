using System.Text;
using AotLinker.Finish;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// The command line of an external linker for Windows (the parts of ld.hostlink for it, isMSVC, isLLD, peHasLoadConfigDirectorySupport,
/// peCreateExportFile, writeGDBLinkerScript).
/// </summary>
internal sealed partial class PeFormat
{
    // Versions of GNU's linker from 2.45 on know the name and enter the structure in the headers.
    private static ReadOnlySpan<byte> LoadConfigTrial => """

        #ifdef _WIN64
        typedef unsigned long long uintptr;
        #else
        typedef unsigned long uintptr;
        #endif
        const uintptr _load_config_used[2] = { sizeof(_load_config_used), 0 };
        int main() { return 0; }

        """u8;

    // Without it GNU's linker puts the section where the system expects code and data.
    private static ReadOnlySpan<byte> ScriptForGdbScripts => """
        SECTIONS
        {
          .debug_gdb_scripts BLOCK(__section_alignment__) (NOLOAD) :
          {
            *(.debug_gdb_scripts)
          }
        }
        INSERT AFTER .debug_types;

        """u8;

    /// <inheritdoc/>
    public override string? ExternalLinkObstacle(LinkContext ctx)
    {
        // There are no plugins, but older releases link what may load some as if there were.
        return ctx.Target.IsDynlinkingGo ? "external linking of what shares Go code with other modules" : null;
    }

    /// <inheritdoc/>
    public override List<string> ExternalLinkCommand(LinkContext ctx, HostLinker host)
    {
        const string Synchronization = "libsynchronization.a";
        List<string> command = [.. host.Program, .. host.Arguments];
        if (host.Strips)
            command.Add("-s");
        else if (ctx.Settings.OmitDwarf && ctx.Release.OmitsForeignDwarf)
            command.Add("-Wl,-S");

        bool isMicrosoft = ctx.Release.KnowsMicrosoftLinkers && IsMicrosoft(host);
        bool isLlvm = ctx.Release.AsksForLlvmFirst && IsLlvm(host);
        // Microsoft's linker knows no option with two dashes.
        string prefix = isMicrosoft ? "-Wl,-" : "-Wl,--";
        command.Add(_isGui ? "-mwindows" : "-mconsole");
        command.Add(prefix + "tsaware");
        command.Add(prefix + "nxcompat");
        if (!isMicrosoft)
            AddVersions(ctx, host, isLlvm, command);
        // The race detector's library must lie where it was linked to, whatever compilers do by default.
        bool isRace = ctx.Options.Race;
        if (ctx.Target.IsPie || (ctx.Target.IsExe && isRace))
        {
            AddRandomization(host, ctx.Options.Aslr && !isRace, isMicrosoft, prefix, command);
        }
        else if (ctx.Target.BuildMode == BuildMode.CShared)
        {
            command.Add("-shared");
            AddRandomization(host, ctx.Options.Aslr, isMicrosoft, prefix, command);
        }
        command.AddRange(["-o", OutputFor(ctx)]);
        AddDynamicLinkerOptions(ctx, command, ctx.Options.RunPath);
        if (ctx.Release.ListsWindowsExports && !ctx.Options.ExternalLinkerFlags.Contains(prefix + "export-all-symbols"))
            command.Add((isMicrosoft ? "-Wl,-def:" : "") + WriteExports(ctx, host));
        foreach (string option in (string[])["-Qunused-arguments", "-Wl,--no-insert-timestamp", "-Wl,--compress-debug-sections=zlib"])
        {
            if ((!option.Contains("compress", StringComparison.Ordinal) || ctx.Options.CompressDwarf) && host.Supports(option))
                command.Add(option);
        }
        command.Add(host.Object);
        command.AddRange(host.CopyObjects());
        command.AddRange(ctx.ExternalLinkerFlags);
        if (ctx.Target.IsExe && Array.Find(["-no-pie", "-nopie"], host.Supports) is { } fixedPlace)
            command.Add(fixedPlace);
        command.AddRange(ctx.Options.ExternalLinkerFlags);

        if (!(ctx.Release.AsksForLlvmFirst ? isLlvm : IsLlvm(host)))
            command.Add("-Wl,-T," + host.WriteFile("fix_debug_gdb_scripts.ld", ScriptForGdbScripts));
        if (isRace && (isMicrosoft || HostLibraries.Ask(ctx, $"--print-file-name={Synchronization}", Synchronization) != Synchronization))
            command.Add("-lsynchronization");
        // These two libraries need each other.
        if (!isMicrosoft)
            command.AddRange(["-Wl,--start-group", "-lmingwex", "-lmingw32", "-Wl,--end-group"]);
        command.AddRange(_imports!.LinkerOptions(ctx));
        return command;
    }

    /// <inheritdoc/>
    public override void AmendExternalLink(LinkContext ctx, HostLinker host)
    {
        if (ctx.Fips is not null)
            PeFips.Seal(ctx.Options.Output, _wide, ctx.Settings.FipsObject);
    }

    // Compilers on Windows give a name without extension one, but take a dot for one.
    private static string OutputFor(LinkContext ctx)
    {
        string output = ctx.Options.Output;
        return Mapping.HostProcess.CompilersAddExe && !Cli.GoText.BaseName(output).Contains('.') ? output + '.' : output;
    }

    private static bool IsMicrosoft(HostLinker host)
    {
        byte[] answer = host.Ask("--version");
        return answer.AsSpan().IndexOf("-msvc\n"u8) >= 0 || answer.AsSpan().IndexOf("-msvc\r"u8) >= 0;
    }

    private static bool IsLlvm(HostLinker host) => host.Ask("-Wl,--version").AsSpan().IndexOf("LLD "u8) >= 0;

    private static void AddVersions(LinkContext ctx, HostLinker host, bool isLlvm, List<string> command)
    {
        // Windows 10 looks at the load configuration of programs that ask for it.
        const int WithLoadConfig = 10;
        (ushort major, ushort minor) = ctx.Release.WindowsVersion;
        if (major >= WithLoadConfig && !isLlvm && !EntersLoadConfig(host))
            (major, minor) = (6, 1);
        command.Add($"-Wl,--major-os-version={major}");
        command.Add($"-Wl,--minor-os-version={minor}");
        command.Add($"-Wl,--major-subsystem-version={major}");
        command.Add($"-Wl,--minor-subsystem-version={minor}");
    }

    private static bool EntersLoadConfig(HostLinker host) =>
        host.Try("loadcfg_test.c", LoadConfigTrial, "loadcfg_test.exe") is { } program
            && PeImageReader.Open(program) is { } image && image.Directory(PeDirectory.LoadConfig).Address != 0;

    // Where a program may lie. Old compilers can't be told, and leave it fixed.
    private void AddRandomization(HostLinker host, bool isRandom, bool isMicrosoft, string prefix, List<string> command)
    {
        string place = prefix + "dynamicbase", anywhere = prefix + (isMicrosoft ? "highentropyva" : "high-entropy-va");
        if (!isRandom)
        {
            place = prefix + (isMicrosoft ? "dynamicbase:no" : "disable-dynamicbase");
            anywhere = prefix + (isMicrosoft ? "highentropyva:no" : "disable-high-entropy-va");
            if (!host.Supports(place))
                return;
        }
        command.Add(place);
        if (_wide)
            command.Add(anywhere);
    }

    // What a library exports. Without a list GNU's linker exports everything.
    private static string WriteExports(LinkContext ctx, HostLinker host)
    {
        const string Marker = "_cgoexp_";
        List<string> exports = [];
        foreach (SymbolId s in ctx.Symbols.CgoExportStatic)
        {
            string name = ctx.Symbols.OutputName(s);
            if (!name.StartsWith(Marker, StringComparison.Ordinal) || ctx.Symbols.IsFileLocal(s))
                continue;
            // A hash stands between the marker and the name in C.
            int end = name.IndexOf('_', Marker.Length);
            exports.Add(end >= 0 ? name[(end + 1)..] : throw new LinkException($"{name}: no name that C knows"));
        }
        // An empty list would be none.
        if (exports.Count == 0)
            exports.Add("_cgo_stub_export");
        exports.Sort(static (a, b) => RawText.Encode(a).AsSpan().SequenceCompareTo(RawText.Encode(b)));
        StringBuilder text = new();
        if (ctx.Target.BuildMode == BuildMode.CShared)
            text.Append("LIBRARY ").Append(Cli.GoText.Quote(Cli.GoText.BaseName(OutputFor(ctx)))).Append('\n');
        text.Append("EXPORTS\n").AppendJoin('\n', exports);
        return host.WriteFile("export_file.def", RawText.Encode(text.ToString()));
    }
}
