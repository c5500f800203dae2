using AotLinker.Accounting;
using AotLinker.Cli;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Explain;
using AotLinker.Finish;
using AotLinker.Formats;
using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Reach;
using AotLinker.Releases;
using AotLinker.Resolve;
using AotLinker.Synthesize;
using AotLinker.Synthesize.Dwarf;
using AotLinker.Synthesize.Pclntab;

namespace AotLinker;

/// <summary>
/// The pass list: what ld.Main does, in its order and under its names. Each pass reads what those before it left in the <see
/// cref="LinkContext"/> and adds its own.
/// </summary>
internal static class Link
{
    /// <summary>Links one program.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="LinkException">The link failed; nothing is left at the output path.</exception>
    public static int Run(LinkOptions options, Diagnostics diagnostics, Phases phases)
    {
        Release release = options.Release ?? throw new LinkException(
            $"objects of {(options.Version.Length == 0 ? "an unknown release" : options.Version)}: aotlink knows {Release.KnownForMessage}");
        release = release.With(options.Experiments);
        Workers workers = MakeWorkers(options, phases);
        Target target = MakeTarget(options);
        OutputFormat format = TargetRegistry.Format(target, release, options)
            ?? throw new UnsupportedLinkException($"linking for {options.GoOs}/{options.GoArch}");

        OutputFile output;
        using (phases.Begin("libinit"))
        {
            workers.Start();
            output = OutputFile.Open(options.Output, OutputOptions.Default, workers.Threads);
        }
        using (output)
        {
            LinkContext ctx = new()
            {
                Options = options,
                Target = target,
                Release = release,
                Workers = workers,
                Symbols = new SymbolTable(release, target),
                Settings = MakeSettings(options, target),
                Diagnostics = diagnostics,
                Format = format,
                Output = output,
            };
            RunPasses(ctx, phases);
            diagnostics.ExitIfErrors();
            using (phases.Begin("Munmap"))
            {
                ctx.Output.Commit();
                InputStore.Shared.ReleasePages(workers);
            }
            bool isArchive = ctx.Target.BuildMode == BuildMode.CArchive;
            if (ctx.HostLinker is { } host && !isArchive)
            {
                using (phases.Begin("hostlink"))
                {
                    host.Link(ctx);
                }
            }
            LinkTrace.End(ctx);
            if (ctx.HostLinker is { } archiver && isArchive)
            {
                using (phases.Begin("archive"))
                {
                    archiver.Archive(ctx);
                }
            }
            phases.Account?.Close(ctx.Symbols);
        }
        return 0;
    }

    private static void RunPasses(LinkContext ctx, Phases phases)
    {
        LinkOptions options = ctx.Options;
        Diagnostics diagnostics = ctx.Diagnostics;
        using (phases.Begin("Archinit"))
        {
            ctx.Format.InitTarget(ctx);
            ctx.Symbols.Values.ImageBase = ctx.Settings.TextAddress;
        }
        options.CheckDataAddress(ctx.Settings.Round);
        LinkTrace.Begin(ctx);

        // LOAD and RESOLVE: from here on every object is known, and no Go symbol is added.
        ReachOptions reach = ReachOptionsOf(options, diagnostics);
        LoadedPackages loaded;
        using (phases.Begin("loadlib"))
        {
            loaded = LoadAndResolve(ctx, reach);
        }

        // REACH: what is live.
        using (phases.Begin("inittasks"))
        {
            InitTasks.Run(ctx, options.PluginPath);
        }
        Why? why = options.Switches.Why is { } questions ? new Why(ctx, reach, questions) : null;
        Reachability reached;
        using (phases.Begin("deadcode"))
        {
            reached = Reachability.Run(ctx, reach);
        }

        if (why is not null)
        {
            using (phases.Begin("why"))
            {
                phases.Reports.Add(why.Answer());
            }
        }

        // SYNTHESIZE: symbols, tables and code that no object holds.
        bool hasDebugInfo;
        using (phases.Begin("linksetup"))
        {
            hasDebugInfo = DebugInfo.IsEnabled(ctx);
            ctx.Symbols.NumberLive(ctx.Workers, hasDebugInfo);
            LinkSetup.Run(ctx);
        }
        using (phases.Begin("dostrdata"))
        {
            StringVariables.Run(ctx);
        }
        if (reached.Parents is { } parents)
        {
            using (phases.Begin("fieldtrack"))
            {
                FieldTracking.Run(ctx, parents);
            }
        }
        using (phases.Begin("dwarfGenerateDebugInfo"))
        {
            DwarfSections.Collect(ctx, hasDebugInfo);
        }
        using (phases.Begin("callgraph"))
        {
            CallGraph.Run(ctx);
        }
        using (phases.Begin("doStackCheck"))
        {
            StackCheck.Run(ctx, ctx.Release.StackGuardMultiplier(options.GoOs, options.Race), options.DumpNosplit ? diagnostics.Dump : null);
        }
        using (phases.Begin("mangleTypeSym"))
        {
            TypeSymbolNames.Run(ctx);
        }
        using (phases.Begin("formatsyms"))
        {
            ctx.Format.AddFormatSymbols(ctx);
        }
        using (phases.Begin("textbuildid"))
        {
            BuildInfo.AddTextBuildId(ctx);
        }
        using (phases.Begin("addexport"))
        {
            ArchSymbols.Run(ctx);
            DynamicExports.Run(ctx);
        }
        using (phases.Begin("Gentext"))
        {
            ctx.Target.Cpu.GenerateText(ctx);
        }
        using (phases.Begin("textaddress"))
        {
            TextLayout.Run(ctx);
        }
        using (phases.Begin("typelink"))
        {
            TypeLinks.Run(ctx);
        }
        using (phases.Begin("buildinfo"))
        {
            BuildInfo.Run(ctx);
        }
        PclnTables pcln;
        using (phases.Begin("pclntab"))
        {
            pcln = PclnTables.Run(ctx);
            loaded.LetGoOfHashes(ctx.Workers);
        }
        using (phases.Begin("findfunctab"))
        {
            pcln.AddFindFuncTable();
        }
        using (phases.Begin("dwarfGenerateDebugSyms"))
        {
            // An external linker is asked once more, as cmd/link does it.
            if (DebugInfo.IsEnabled(ctx))
            {
                ctx.Dwarf?.Arrange(ctx);
            }
        }
        using (phases.Begin("symtab"))
        {
            SymbolGroups.Run(ctx);
            ModuleData.Run(ctx, pcln);
        }

        // LAYOUT: from here on no symbol is added, and then no address changes.
        using (phases.Begin("dodata"))
        {
            DataLayout.Run(ctx);
        }
        using (phases.Begin("address"))
        {
            AddressLayout.AssignAddresses(ctx);
        }
        FileSizes? sizes = null;
        if (options.Switches.Sizes is not null)
        {
            using (phases.Begin("dwarfsizes"))
            {
                sizes = new FileSizes(ctx);
            }
        }
        using (phases.Begin("dwarfcompress"))
        {
            LinkContext.CollectGarbage();
            ctx.Dwarf?.Compress(ctx, ctx.Output.WriteAhead);
        }
        using (phases.Begin("layout"))
        {
            AddressLayout.AssignFileOffsets(ctx);
            ctx.Output.Resize(ctx.Format.SizeTables(ctx));
        }

        // EMIT: every byte, in any order. Errors of the passes before don't keep relocation from reporting its own.
        using (phases.Begin("Asmb"))
        {
            ctx.Format.WriteSegments(ctx);
            if (!ctx.Target.IsExternal)
            {
                ctx.Dwarf?.Dispose();
            }
        }
        diagnostics.ExitIfErrors();
        if (options.StrictDuplicates > 1 && ctx.DifferingDuplicates > 0 && ctx.Dwarf is not { HasMixedFlags: true })
        {
            throw new ErrorsReportedException();
        }
        using (phases.Begin("asmbfips"))
        {
            FipsHash.Run(ctx);
        }
        using (phases.Begin("Asmb2"))
        {
            ctx.Format.WriteTables(ctx);
            ctx.Dwarf?.Dispose();
            CallGraph.PrintSizes(ctx);
        }
        if (sizes is not null)
        {
            using (phases.Begin("sizes"))
            {
                sizes.Count(pcln);
                AccountRequest request = options.Switches.Sizes!;
                phases.Reports.Add(new LinkReport(
                    request.File, request.IsJson ? SizesJson.Write(sizes) : HostPath.Encode(SizesText.Write(sizes))));
            }
        }
    }

    private static LoadedPackages LoadAndResolve(LinkContext ctx, ReachOptions reach)
    {
        LinkOptions options = ctx.Options;
        if (options.StrictDuplicates is < 0 or > 2)
        {
            Diagnostics.Fatal($"invalid -strictdups flag value {options.StrictDuplicates}");
        }
        LoadedPackages loaded = PackageLoader.Run(options, ctx.Diagnostics, ctx.Workers, packages => DecideLinkMode(ctx, packages));
        ctx.Packages = loaded.Packages;
        ctx.Diagnostics.ExitIfErrors();

        ResolveResult resolved = Resolver.Run(ctx, loaded.Objects, new ResolveOptions(
            options.CheckLinkname, options.StrictDuplicates != 0, NumbersPcTables: reach.FollowsAll(ctx.Target), ctx.Diagnostics.Warn));
        if (ctx.Target.IsLinkShared)
        {
            ctx.SharedLibraries = SharedLibraries.Load(ctx);
        }
        CgoDirectives.Apply(ctx, ctx.Diagnostics, loaded.CgoDirectives);
        HostObjects.Load(ctx, loaded.HostObjects);
        if (ctx.Target.IsExternal)
        {
            HostLinker.Begin(ctx, loaded.HostObjects);
        }
        InputStore.Shared.Freeze();
        FipsSections.Create(ctx);
        ctx.DifferingDuplicates = resolved.DuplicateMessages;
        return loaded;
    }

    // Returns the package that every program needs whose C library is linked by an external linker.
    private static string? DecideLinkMode(LinkContext ctx, LoadedPackages loaded)
    {
        LinkOptions options = ctx.Options;
        ctx.IsCgo = loaded.ByPath.ContainsKey("runtime/cgo");
        ctx.Target.CanUsePlugins = ctx.IsCgo && loaded.ByPath.ContainsKey("plugin")
            && (!ctx.Release.ChecksPortForPlugins || Platforms.SupportsBuildMode(ctx.Release, "plugin", options.GoOs, options.GoArch));
        ctx.Target.LinkMode = LinkModeDecision.Decide(options, ctx.Diagnostics, ctx.Release, loaded, ctx.IsCgo);
        if (!ctx.Target.IsExternal)
        {
            // Such programs have other symbols in their symbol tables.
            return ctx.Target.CanUsePlugins && !(ctx.Format.LinksModules && ctx.Target.Cpu.LinksModules)
                ? throw new UnsupportedLinkException("linking of programs that load plugins without an external linker") : null;
        }
        if (loaded.UnknownPackageFile is { } file)
        {
            // The external linker may know what it is, but it is no package: most likely a damaged one, which is better told by its name.
            throw new UnsupportedLinkException($"external linking, which the unrecognized object {file} needs,");
        }
        if (ctx.Format.ExternalLinkObstacle(ctx) is { } obstacle)
        {
            throw new UnsupportedLinkException(obstacle);
        }
        return ctx.IsCgo || !ctx.Target.NeedsCgoExternally ? null : "runtime/cgo";
    }

    private static ReachOptions ReachOptionsOf(LinkOptions options, Diagnostics diagnostics) => new(
        options.PluginPath,
        options.PruneWeakMaps,
        TrackParents: options.Experiments.Has(Experiments.FieldTrack),
        CountsSymbols: diagnostics.Verbosity > 0,
        DumpDependency: options.DumpDependencies ? diagnostics.Dump : null,
        Log: diagnostics.Verbosity > 1 ? diagnostics.Log : null);

    private static Workers MakeWorkers(LinkOptions options, Phases phases)
    {
        // A number that was asked for is that of all loops.
        int? asked = options.Switches.Threads;
        int threads = asked ?? Environment.ProcessorCount;
        return new Workers(threads, options.Switches.ShuffleSeed)
        {
            Share = asked is null ? CpuShare.OfHost(threads) : null,
            Timeline = phases.Timeline,
        };
    }

    private static Target MakeTarget(LinkOptions options)
    {
        CpuArch cpu = TargetRegistry.Cpu(options) ?? throw new UnsupportedLinkException($"linking for {options.GoOs}/{options.GoArch}");
        return new Target
        {
            Goos = options.GoOs,
            Goarch = options.GoArch,
            Cpu = cpu,
            HeadType = options.HeadType,
            BuildMode = options.BuildMode,
            LinkMode = options.LinkMode,
            IsLinkShared = options.LinkShared,
        };
    }

    private static LinkSettings MakeSettings(LinkOptions options, Target target) => new()
    {
        TextAddress = options.TextAddress,
        DataAddress = options.DataAddress,
        Round = options.Rounding,
        EntrySymbol = options.EntrySymbol,
        OmitSymbolTable = options.OmitSymbolTable,
        OmitDwarf = options.OmitDwarf,
        NoDynamic = options.DisableDynamic,
        FunctionAlign = options.FunctionAlignment != 0 ? (int)options.FunctionAlignment : target.Cpu.FunctionAlign,
        Interpreter = options.Interpreter,
        InterpreterFromFlag = options.Interpreter.Length != 0,
        RandomLayoutSeed = options.RandomLayoutSeed,
        DebugTrampolines = options.DebugTrampolines,
        DebugTextSize = options.DebugTextSize,
        FipsObject = options.FipsObject,
        Asan = options.Asan,
    };
}
