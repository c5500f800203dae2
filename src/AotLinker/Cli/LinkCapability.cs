using AotLinker.Load;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>
/// What this linker can do, as far as a command line tells before any object is read. Pieces of work that add a mode change this file,
/// those that add a port <see cref="TargetRegistry"/>. What only the objects show ends in an <see cref="UnsupportedLinkException"/> later.
/// </summary>
internal static class LinkCapability
{
    /// <summary>What the link needs that we don't have, as a noun phrase for <see cref="UnsupportedLinkException"/>, or null.</summary>
    public static string? Missing(LinkOptions options)
    {
        if (options.Release is null && options.Version.Length > 0)
            return MissingRelease(options.Version);
        if (!TargetRegistry.HasPort(options.Release ?? Release.Newest, options.GoOs, options.GoArch))
            return $"linking for {options.GoOs}/{options.GoArch}";

        string? external = LinkModeDecision.ExternalReason(options, options.Release ?? Release.Newest, null, isCgo: false);
        bool canBeExternal = TargetRegistry.LinksExternally(options);
        switch (options.LinkMode)
        {
            case LinkMode.External when !canBeExternal:
                return "external linking (-linkmode=external)";
            case LinkMode.Auto when options.Environment.ExternalLinkSetting == "1" && !canBeExternal:
                return "external linking (GO_EXTLINK_ENABLED=1)";
            case LinkMode.Auto when options.Environment.ExternalLinkSetting != "0" && external is not null && !canBeExternal:
                return $"external linking ({external})";
            default:
                // Internal linking of what needs the host's linker is an error, but after loading, as in cmd/link.
                break;
        }

        // Modes that cmd/link links internally on some port and we on none. A library of WebAssembly is a module like any other.
        bool isLibrary = options.GoOs == "wasip1" && options.BuildMode == BuildMode.CShared;
        if (external is null && options.BuildMode is not (BuildMode.Exe or BuildMode.Pie) && !isLibrary)
            return $"-buildmode={ModeName(options.BuildMode)}";

        // Descriptions of a package without a name are more than cmd/link itself can take.
        if (options.BuildMode == BuildMode.Plugin && options.PluginPath.Length == 0)
            return "-buildmode=plugin without -pluginpath";

        // These measure the linker itself, in formats of Go's runtime.
        if (options.CpuProfile.Length > 0)
            return "-cpuprofile";
        if (options.MemoryProfile.Length > 0)
            return "-memprofile";
        if (options.BenchmarkProfile.Length > 0 && options.Benchmark != BenchmarkMode.None)
            return "-benchmarkprofile";
        return null;
    }

    /// <summary>The noun phrase for a release that isn't known.</summary>
    public static string MissingRelease(string version) => $"{version} (aotlink links {Release.KnownForMessage})";

    /// <summary>A mode as <c>-buildmode</c> names it; empty for none.</summary>
    public static string ModeName(BuildMode mode) => mode switch
    {
        BuildMode.Exe => "exe",
        BuildMode.Pie => "pie",
        BuildMode.CArchive => "c-archive",
        BuildMode.CShared => "c-shared",
        BuildMode.Shared => "shared",
        BuildMode.Plugin => "plugin",
        _ => "",
    };
}
