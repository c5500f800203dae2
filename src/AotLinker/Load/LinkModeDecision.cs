using AotLinker.Cli;
using AotLinker.Releases;

namespace AotLinker.Load;

/// <summary>Decides who does the final link, once all packages are known (ld.determineLinkMode, mustLinkExternal).</summary>
internal static class LinkModeDecision
{
    /// <summary>The link mode; never <see cref="LinkMode.Auto"/>.</summary>
    /// <exception cref="LinkException">Internal linking was asked for and is not possible.</exception>
    public static LinkMode Decide(LinkOptions options, Diagnostics diagnostics, Release release, LoadedPackages loaded, bool isCgo)
    {
        string? reason = ExternalReason(options, release, loaded, isCgo);
        if (reason is not null && diagnostics.Verbosity > 1)
        {
            diagnostics.Log($"external linking is forced by: {reason}");
        }
        LinkMode mode = options.LinkMode;
        string via = "";
        if (mode == LinkMode.Auto)
        {
            switch (options.Environment.ExternalLinkSetting)
            {
                case "0":
                    mode = LinkMode.Internal;
                    via = "via GO_EXTLINK_ENABLED ";
                    break;
                case "1":
                    mode = LinkMode.External;
                    break;
                default:
                    bool prefersExternal = loaded.PrefersExternalLink.Count != 0;
                    if (prefersExternal && diagnostics.Verbosity > 0)
                    {
                        diagnostics.Log($"external linking prefer list is [{string.Join(' ', loaded.PrefersExternalLink)}]");
                    }
                    mode = reason is not null || (isCgo && (loaded.HasExternalObject || prefersExternal)) ? LinkMode.External : LinkMode.Internal;
                    break;
            }
        }
        if (mode == LinkMode.Internal && reason is not null)
        {
            Diagnostics.Exit($"internal linking requested {via}but external linking required: {reason}");
        }
        if (mode == LinkMode.External && Platforms.RefusesExternalLinker(release, options.GoOs, options.GoArch))
        {
            Diagnostics.Exit($"external linking not supported for {options.GoOs}/{options.GoArch}");
        }
        return mode;
    }

    /// <summary>Why the host's linker is needed, or null (ld.mustLinkExternal).</summary>
    /// <param name="options">The command line.</param>
    /// <param name="release">The release.</param>
    /// <param name="loaded">What was loaded; null for what the command line alone tells.</param>
    /// <param name="isCgo">Whether runtime/cgo is part of the link.</param>
    public static string? ExternalReason(LinkOptions options, Release release, LoadedPackages? loaded, bool isCgo)
    {
        string goos = options.GoOs, goarch = options.GoArch;
        if (Platforms.NeedsExternalLinker(goos, goarch))
        {
            return $"{goos}/{goarch} requires external linking";
        }
        if (options.Msan)
        {
            return "msan";
        }
        if (options.Asan)
        {
            return "asan";
        }
        if (isCgo && Platforms.CgoNeedsExternalLinker(release, goos, goarch))
        {
            return $"{goarch} does not support internal cgo";
        }
        string? mode = options.BuildMode switch
        {
            BuildMode.CArchive => "buildmode=c-archive",
            BuildMode.CShared when !Platforms.LinksCSharedInternally(goarch) => "buildmode=c-shared",
            BuildMode.Pie when !Platforms.LinksPieInternally(release, goos, goarch) => "buildmode=pie",
            BuildMode.Plugin => "buildmode=plugin",
            BuildMode.Shared => "buildmode=shared",
            _ => null,
        };
        if (mode is not null)
        {
            return mode;
        }
        if (options.LinkShared)
        {
            return "dynamically linking with a shared library";
        }
        if (loaded is null)
        {
            return null;
        }
        if (loaded.HasUnknownObject)
        {
            return "some input objects have an unrecognized file format";
        }
        return loaded.DynamicImportFailed.Count != 0
            ? $"some packages could not be built to support internal linking ([{string.Join(' ', loaded.DynamicImportFailed)}])"
            : null;
    }
}
