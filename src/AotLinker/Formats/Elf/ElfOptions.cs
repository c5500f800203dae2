using AotLinker.Cli;

namespace AotLinker.Formats.Elf;

/// <summary>What the command line says about an ELF file beyond <see cref="LinkSettings"/>.</summary>
internal sealed class ElfOptions
{
    /// <summary>Go's build ID; empty for none (-buildid).</summary>
    public string BuildId { get; init; } = "";

    /// <summary>The GNU build ID; empty for none (-B).</summary>
    public byte[] GnuBuildId { get; init; } = [];

    /// <summary>Whether the GNU build ID is a hash of <see cref="BuildId"/> (-B gobuildid).</summary>
    public bool GnuBuildIdFromGo { get; init; }

    /// <summary>Search path for libraries; empty for none (-r).</summary>
    public string RunPath { get; init; } = "";

    /// <summary>Bind all functions at start-up (-bindnow).</summary>
    public bool BindNow { get; init; }

    /// <summary>The race detector is linked in (-race).</summary>
    public bool Race { get; init; }

    /// <summary>The interpreter the toolchain was built to use for this port; empty for the usual one (GO_LDSO).</summary>
    public string ToolchainInterpreter { get; init; } = "";

    /// <summary>Whether the port uses the interpreter of Android.</summary>
    public bool IsAndroid { get; init; }

    /// <summary>Takes the values from a command line.</summary>
    public static ElfOptions From(LinkOptions options)
    {
        bool native = options.GoOs == options.Toolchain.HostOs && options.GoArch == options.Toolchain.HostArch;
        return new ElfOptions
        {
            BuildId = options.BuildId,
            GnuBuildId = options.HostBuildIdBytes,
            GnuBuildIdFromGo = options.HostBuildIdFromGo,
            RunPath = options.RunPath ?? "",
            BindNow = options.BindNow,
            Race = options.Race,
            ToolchainInterpreter = native ? options.Environment.GoLdso : "",
            IsAndroid = options.GoOs == "android",
        };
    }
}
