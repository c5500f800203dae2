namespace AotLinker.Cli;

/// <summary>
/// What a toolchain was built with: the values that make.bash fixes in internal/buildcfg/zbootstrap.go and that hold
/// wherever the environment says nothing. Without that file the values of an unmodified build are used.
/// </summary>
internal sealed class ToolchainDefaults
{
    /// <summary>The values of an unmodified build on this host.</summary>
    public static ToolchainDefaults Standard => new();

    /// <summary>The version, or null where the file doesn't tell.</summary>
    public string? Version { get; private set; }

    /// <summary>GO386.</summary>
    public string Go386 { get; private set; } = "sse2";

    /// <summary>GOAMD64.</summary>
    public string GoAmd64 { get; private set; } = "v1";

    /// <summary>GOARM; 7 is what make.bash picks anywhere but on an ARM host.</summary>
    public string GoArm { get; private set; } = "7";

    /// <summary>GOARM64.</summary>
    public string GoArm64 { get; private set; } = "v8.0";

    /// <summary>GOMIPS.</summary>
    public string GoMips { get; private set; } = "hardfloat";

    /// <summary>GOMIPS64.</summary>
    public string GoMips64 { get; private set; } = "hardfloat";

    /// <summary>GOPPC64.</summary>
    public string GoPpc64 { get; private set; } = "power8";

    /// <summary>GORISCV64.</summary>
    public string GoRiscv64 { get; private set; } = "rva20u64";

    /// <summary>GOEXPERIMENT.</summary>
    public string GoExperiment { get; private set; } = "";

    /// <summary>GO_EXTLINK_ENABLED: <c>0</c>, <c>1</c> or empty.</summary>
    public string GoExtlinkEnabled { get; private set; } = "";

    /// <summary>GO_LDSO, the ELF interpreter for programs of the host's own port.</summary>
    public string GoLdso { get; private set; } = "";

    /// <summary>GOFIPS140.</summary>
    public string GoFips140 { get; private set; } = "off";

    /// <summary>
    /// Reads zbootstrap.go: lines <c>const NAME = `value`</c> (or with double quotes). Others are skipped.
    /// </summary>
    public static ToolchainDefaults Parse(string source)
    {
        var defaults = new ToolchainDefaults();
        foreach (ReadOnlySpan<char> line in source.AsSpan().EnumerateLines())
        {
            const string Const = "const ";
            if (!line.StartsWith(Const))
                continue;
            int equals = line.IndexOf('=');
            if (equals < 0)
                continue;
            ReadOnlySpan<char> value = line[(equals + 1)..].Trim();
            if (value.Length < 2 || value[0] is not ('`' or '"') || value[^1] != value[0])
                continue;
            defaults.Set(line[Const.Length..equals].Trim(), value[1..^1].ToString());
        }

        return defaults;
    }

    private void Set(ReadOnlySpan<char> name, string value)
    {
        switch (name)
        {
            case "version":
                Version = value;
                break;
            case "DefaultGO386":
                Go386 = value;
                break;
            case "DefaultGOAMD64":
                GoAmd64 = value;
                break;
            case "DefaultGOARM":
                GoArm = value;
                break;
            case "DefaultGOARM64":
                GoArm64 = value;
                break;
            case "DefaultGOMIPS":
                GoMips = value;
                break;
            case "DefaultGOMIPS64":
                GoMips64 = value;
                break;
            case "DefaultGOPPC64":
                GoPpc64 = value;
                break;
            case "DefaultGORISCV64":
                GoRiscv64 = value;
                break;
            case "defaultGOEXPERIMENT":
                GoExperiment = value;
                break;
            case "defaultGO_EXTLINK_ENABLED":
                GoExtlinkEnabled = value;
                break;
            case "defaultGO_LDSO":
                GoLdso = value;
                break;
            case "DefaultGOFIPS140":
                GoFips140 = value;
                break;
        }
    }
}
