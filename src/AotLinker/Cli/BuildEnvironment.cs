using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>
/// What the environment says about the build (internal/buildcfg): the target, variants of its CPU, experiments. Where it
/// is silent the toolchain's own defaults hold.
/// </summary>
internal sealed class BuildEnvironment
{
    private readonly ToolchainDefaults _defaults;
    private readonly string _experimentSetting;
    private readonly string? _earlyError;
    private readonly string _wasmFeatures;

    /// <summary>Reads the environment.</summary>
    /// <param name="get">Gives a variable's value, or null.</param>
    /// <param name="toolchain">The toolchain; null where it is not known (yet).</param>
    public BuildEnvironment(Func<string, string?> get, Toolchain? toolchain)
    {
        _defaults = toolchain?.Defaults ?? ToolchainDefaults.Standard;
        string Or(string name, string value) => get(name) is { Length: > 0 } set ? set : value;

        GoRoot = get("GOROOT") ?? "";
        GoArch = Or("GOARCH", toolchain?.HostArch ?? Toolchain.RunningArch);
        GoOs = Or("GOOS", toolchain?.HostOs ?? Toolchain.RunningOs);
        Go386 = Or("GO386", _defaults.Go386);
        GoFips140 = Or("GOFIPS140", _defaults.GoFips140);
        ExternalLinkSetting = Or("GO_EXTLINK_ENABLED", _defaults.GoExtlinkEnabled);
        _experimentSetting = Or("GOEXPERIMENT", _defaults.GoExperiment);

        // buildcfg keeps one error, the last one found; GOARM64's success clears what GOAMD64 and GOARM had to
        // complain of, so that bad values of these two pass unnoticed and mean the default.
        GoAmd64 = AmdLevel(Or("GOAMD64", _defaults.GoAmd64)) ?? AmdLevel(_defaults.GoAmd64) ?? 1;
        ParseArm(get);
        _earlyError = ParseArm64(Or("GOARM64", _defaults.GoArm64));

        GoMips = Choice("GOMIPS", Or("GOMIPS", _defaults.GoMips), _defaults.GoMips, ref _earlyError);
        GoMips64 = Choice("GOMIPS64", Or("GOMIPS64", _defaults.GoMips64), _defaults.GoMips64, ref _earlyError);
        GoPpc64 = Or("GOPPC64", _defaults.GoPpc64) switch
        {
            "power8" => 8,
            "power9" => 9,
            "power10" => 10,
            _ => Fail(8, "invalid GOPPC64: must be power8, power9, power10", ref _earlyError),
        };
        bool knowsRiscV23 = (toolchain?.Release ?? Release.Newest).KnowsRiscV23;
        GoRiscv64 = Or("GORISCV64", _defaults.GoRiscv64) switch
        {
            "rva20u64" => 20,
            "rva22u64" => 22,
            "rva23u64" when knowsRiscV23 => 23,
            _ => Fail(20, $"invalid GORISCV64: must be rva20u64, rva22u64{(knowsRiscV23 ? ", rva23u64" : "")}", ref _earlyError),
        };
        string[] features = Or("GOWASM", "").Split(',');
        _wasmFeatures = string.Join(',', ((string[])["satconv", "signext"]).Where(feature => features.Contains(feature)));
        foreach (string feature in features)
        {
            if (feature is not ("" or "satconv" or "signext"))
                _earlyError = $"invalid GOWASM: no such feature {GoText.Quote(feature)}";
        }
    }

    /// <summary>GOROOT; empty where it is unset or cleared (<c>go build -trimpath</c>).</summary>
    public string GoRoot { get; }

    /// <summary>GOOS of the program.</summary>
    public string GoOs { get; }

    /// <summary>GOARCH of the program.</summary>
    public string GoArch { get; }

    /// <summary>GO386, not checked: <c>sse2</c> or <c>softfloat</c>.</summary>
    public string Go386 { get; }

    /// <summary>GOAMD64's level, 1 to 4.</summary>
    public int GoAmd64 { get; }

    /// <summary>GOARM's version, 5 to 7.</summary>
    public int GoArmVersion { get; private set; }

    /// <summary>Whether GOARM means software floating point.</summary>
    public bool GoArmSoftFloat { get; private set; }

    /// <summary>GOARM64's version, <c>v8.0</c> to <c>v9.5</c>.</summary>
    public string GoArm64Version { get; private set; } = "v8.0";

    /// <summary>Whether GOARM64 has the large system extensions.</summary>
    public bool GoArm64Lse { get; private set; }

    /// <summary>Whether GOARM64 has the cryptographic extension.</summary>
    public bool GoArm64Crypto { get; private set; }

    /// <summary>GOMIPS: <c>hardfloat</c> or <c>softfloat</c>.</summary>
    public string GoMips { get; }

    /// <summary>GOMIPS64: <c>hardfloat</c> or <c>softfloat</c>.</summary>
    public string GoMips64 { get; }

    /// <summary>GOPPC64's level: 8, 9 or 10.</summary>
    public int GoPpc64 { get; }

    /// <summary>GORISCV64's year: 20, 22 or 23.</summary>
    public int GoRiscv64 { get; }

    /// <summary>GOFIPS140.</summary>
    public string GoFips140 { get; }

    /// <summary>GO_EXTLINK_ENABLED: <c>0</c>, <c>1</c> or else.</summary>
    public string ExternalLinkSetting { get; }

    /// <summary>GO_LDSO as the toolchain was built with; the environment has no say in it.</summary>
    public string GoLdso => _defaults.GoLdso;

    /// <summary>
    /// The variant of the target's CPU as object headers name it, <c>GOAMD64=v1</c>; empty where the CPU has none.
    /// </summary>
    /// <param name="release">The release; not all name the same.</param>
    public string CpuVariant(Release release) => GoArch switch
    {
        "386" => Go386.Length == 0 ? "" : $"GO386={Go386}",
        "amd64" => $"GOAMD64=v{GoAmd64}",
        "arm" => $"GOARM={GoArmVersion}{(GoArmSoftFloat ? ",softfloat" : ",hardfloat")}",
        "arm64" => $"GOARM64={GoArm64Version}{(GoArm64Lse ? ",lse" : "")}{(GoArm64Crypto ? ",crypto" : "")}",
        "mips" or "mipsle" => $"GOMIPS={GoMips}",
        "mips64" or "mips64le" => $"GOMIPS64={GoMips64}",
        "ppc64" or "ppc64le" => $"GOPPC64=power{GoPpc64}",
        "riscv64" when release.HeadersNameRiscVProfile => $"GORISCV64=rva{GoRiscv64}u64",
        "wasm" when release.HeadersNameWasmFeatures && _wasmFeatures.Length > 0 => $"GOWASM={_wasmFeatures}",
        _ => "",
    };

    /// <summary>
    /// The experiments in force for a release. Throws where the environment is not valid, before anything else is
    /// looked at (buildcfg.Check and main.main).
    /// </summary>
    /// <param name="release">The release.</param>
    /// <param name="programName">argv[0].</param>
    /// <exception cref="LinkException">A variable has a value that cmd/link refuses.</exception>
    public ExperimentSet Check(Release release, string programName)
    {
        string? error = ExperimentSet.Parse(release, GoOs, GoArch, _experimentSetting, out ExperimentSet experiments)
            ?? FipsError(release) ?? _earlyError;
        if (error is not null)
            throw new LinkException(MessageForm.Bare, GoText.BaseName(programName) + ": " + error);
        if (!Platforms.IsArchitecture(GoArch))
            throw new LinkException(MessageForm.Bare, $"link: unknown architecture {GoText.Quote(GoArch)}");
        return experiments;
    }

    private static T Fail<T>(T value, string text, ref string? error)
    {
        error = text;
        return value;
    }

    private static string Choice(string name, string value, string otherwise, ref string? error) =>
        value is "hardfloat" or "softfloat" ? value : Fail(otherwise, $"invalid {name}: must be hardfloat, softfloat", ref error);

    private static int? AmdLevel(string value) => value switch
    {
        "v1" => 1,
        "v2" => 2,
        "v3" => 3,
        "v4" => 4,
        _ => null,
    };

    private void ParseArm(Func<string, string?> get)
    {
        string standard = GoOs == "android" && GoArch == "arm" ? "7" : _defaults.GoArm;
        string value = get("GOARM") is { Length: > 0 } set ? set : standard;
        bool floatGiven = false;
        if (value.EndsWith(",softfloat", StringComparison.Ordinal))
        {
            GoArmSoftFloat = floatGiven = true;
            value = value[..^",softfloat".Length];
        }

        if (value.EndsWith(",hardfloat", StringComparison.Ordinal))
        {
            floatGiven = true;
            value = value[..^",hardfloat".Length];
        }

        GoArmVersion = value is "5" or "6" or "7" ? value[0] - '0' : standard[0] - '0';
        if (!floatGiven && GoArmVersion == 5)
            GoArmSoftFloat = true;
    }

    private string? ParseArm64(string value)
    {
        while (true)
        {
            if (value.EndsWith(",lse", StringComparison.Ordinal))
            {
                GoArm64Lse = true;
                value = value[..^",lse".Length];
            }
            else if (value.EndsWith(",crypto", StringComparison.Ordinal))
            {
                GoArm64Crypto = true;
                value = value[..^",crypto".Length];
            }
            else
            {
                break;
            }
        }

        bool valid = value.Length == 4 && value[0] == 'v' && value[2] == '.'
            && ((value[1] == '8' && char.IsAsciiDigit(value[3])) || (value[1] == '9' && value[3] is >= '0' and <= '5'));
        if (!valid)
        {
            GoArm64Version = _defaults.GoArm64;
            return "invalid GOARM64: must start with v8.{0-9} or v9.{0-5} and may optionally end in \",lse\" and/or \",crypto\"";
        }

        GoArm64Version = value;
        if (value != "v8.0")
            GoArm64Lse = true;
        return null;
    }

    private string? FipsError(Release release) => IsFipsSetting(GoFips140, release)
        ? null
        : $"invalid GOFIPS140: must be off, latest, inprocess, certified, or {(release.KnowsFipsCandidates ? "v1.Y.Z" : "vX.Y.Z")}";

    // off, latest, inprocess, certified, or a module version v1.Y.Z with -rcN or -HASH8; before there were candidates, vX.Y.Z
    // (buildcfg.isFIPSVersion).
    private static bool IsFipsSetting(string value, Release release)
    {
        if (value is "off" or "latest" or "inprocess" or "certified")
            return true;
        bool knowsCandidates = release.KnowsFipsCandidates;
        ReadOnlySpan<char> rest = value;
        if (!rest.StartsWith("v") || (knowsCandidates && !rest.StartsWith("v1.")))
            return false;
        rest = rest[1..];
        if (!CutNumber(ref rest) || rest.IsEmpty || rest[0] != '.')
            return false;
        rest = rest[1..];
        if (!CutNumber(ref rest) || rest.IsEmpty || rest[0] != '.')
            return false;
        rest = rest[1..];
        if (!CutNumber(ref rest))
            return false;
        if (rest.IsEmpty)
            return true;
        if (knowsCandidates && rest.StartsWith("-rc"))
        {
            rest = rest["-rc".Length..];
            return CutNumber(ref rest) && rest.IsEmpty;
        }

        return rest[0] == '-' && rest.Length == 9 && release.KnowsFipsHashes;
    }

    private static bool CutNumber(ref ReadOnlySpan<char> text)
    {
        int digits = text.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0)
            digits = text.Length;
        text = text[digits..];
        return digits > 0;
    }
}
