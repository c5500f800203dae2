using System.Globalization;
using AotLinker.Mapping;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>Reading the command line: package flag's syntax, then the checks of ld.Main in their order.</summary>
internal sealed partial class LinkOptions
{
    private readonly List<StringDefinition> _definitions = [];
    private readonly List<string> _libraryDirectories = [];
    private string _headType = "";
    private string _benchmark = "";
    private bool? _omitDwarf;
    private BuildMode? _buildMode;

    private LinkOptions(string programName, Toolchain? toolchain, BuildEnvironment environment, Switches switches)
    {
        Switches = switches;
        ProgramName = programName;
        Toolchain = toolchain ?? Toolchain.FromVersion("");
        Environment = environment;
    }

    /// <summary>Parses a command line.</summary>
    /// <param name="programName">argv[0].</param>
    /// <param name="arguments">The arguments after it.</param>
    /// <param name="variable">Gives an environment variable, or null.</param>
    /// <param name="toolchain">The toolchain we stand in for; null where only the objects can tell.</param>
    /// <exception cref="LinkException">The environment or the command line is not valid.</exception>
    public static LinkOptions Parse(
        string programName, IReadOnlyList<string> arguments, Func<string, string?> variable, Toolchain? toolchain)
    {
        var options = new LinkOptions(programName, toolchain, new BuildEnvironment(variable, toolchain), Switches.Parse(variable));
        if (toolchain is not null)
            options.Experiments = options.Environment.Check(toolchain.Release ?? Release.Newest, programName);

        // Undocumented: the go command's tests want a tool that fails in silence.
        if (arguments.Contains("-crash_for_testing"))
            throw new LinkException(MessageForm.Bare, "");

        // cmd/link defines its own two before it reads flags, which puts them first.
        const string BuildVersionName = "runtime.buildVersion";
        if (options.Environment.GoRoot.Length > 0)
            options.Define(HostPath.Encode("runtime.defaultGOROOT"), HostPath.Encode(options.Environment.GoRoot));
        int buildVersion = options._definitions.Count;
        options.Define(HostPath.Encode(BuildVersionName), HostPath.Encode(options.BuildVersion));
        byte[] placeholder = options._definitions[buildVersion].Value;

        IReadOnlyList<string> expanded = ResponseFile.Expand(arguments, options.Release);
        FlagSpec[] flags = FlagTable.For(options.Release, options.GoOs, options.GoArch);
        int next = 0;
        while (options.VersionRequested == VersionRequest.None && options.ParseOne(flags, expanded, ref next))
        {
        }

        if (options.VersionRequested != VersionRequest.None)
            return options;
        options.Arguments = [.. expanded.Skip(next)];

        if (toolchain is null)
        {
            if (options.Arguments.Count > 0 && ObjectPeek.Version(options.MainFile) is { } version)
                options.Toolchain = Toolchain.FromVersion(version);
            options.Experiments = options.Environment.Check(options.Release ?? Release.Newest, programName);
            if (ReferenceEquals(options._definitions[buildVersion].Value, placeholder))
            {
                options._definitions[buildVersion] = options._definitions[buildVersion] with
                {
                    Value = HostPath.Encode(options.BuildVersion),
                };
            }
        }

        options.Complete(flags);
        return options;
    }

    // ---- Syntax --------------------------------------------------------------------------------------------------

    private bool ParseOne(FlagSpec[] flags, IReadOnlyList<string> arguments, ref int next)
    {
        if (next >= arguments.Count)
            return false;
        string argument = arguments[next];
        if (argument.Length < 2 || argument[0] != '-')
            return false;
        int dashes = argument[1] == '-' ? 2 : 1;
        if (argument.Length == dashes)
        {
            next++;
            return false;
        }

        if (argument[dashes] is '-' or '=')
            throw Failure(flags, $"bad flag syntax: {argument}");

        next++;
        int equals = argument.IndexOf('=', dashes + 1);
        string name = equals < 0 ? argument[dashes..] : argument[dashes..equals];
        string? value = equals < 0 ? null : argument[(equals + 1)..];
        if (!FlagTable.TryFind(flags, name, out FlagSpec flag))
        {
            // -h is a flag of the linker; only -help asks for help.
            if (name == "help")
                throw Failure(flags, null);
            throw Failure(flags, $"flag provided but not defined: -{name}");
        }

        if (flag.IsBoolLike)
        {
            if (Set(flag, value ?? "true") is { } error)
                throw Failure(flags, $"invalid boolean value {GoText.Quote(value ?? "true")} for -{name}: {error}");
            return true;
        }

        if (value is null)
        {
            if (next >= arguments.Count)
                throw Failure(flags, $"flag needs an argument: -{name}");
            value = arguments[next++];
        }

        if (Set(flag, value) is { } problem)
            throw Failure(flags, $"invalid value {GoText.Quote(value)} for flag -{name}: {problem}");
        return true;
    }

    // A message, if any, and the usage: exit code 2.
    private static LinkException Failure(FlagSpec[] flags, string? text)
    {
        // Messages end with a line end of their own; the usage has one already.
        string usage = FlagTable.Usage(flags)[..^1];
        return new LinkException(MessageForm.Bare, text is null ? usage : text + "\n" + usage);
    }

    // ---- Values --------------------------------------------------------------------------------------------------

    /// <summary>Sets a flag and returns what is wrong with its value, or null.</summary>
    private string? Set(in FlagSpec flag, string value)
    {
        switch (flag.Kind)
        {
            case FlagKind.Version:
                VersionRequested = value == "full" ? VersionRequest.Full
                    : value == "goexperiment" && Release is { VersionMayListExperiments: true } ? VersionRequest.Experiments
                    : VersionRequest.Short;
                return null;
            case FlagKind.Bool:
                if (GoText.ParseBool(value) is not { } truth)
                    return "parse error";
                SetBool(flag.Id, truth);
                return null;
            case FlagKind.OptionalBool:
                if (GoText.ParseBool(value) is not { } given)
                    return $"strconv.ParseBool: parsing {GoText.Quote(value)}: invalid syntax";
                _omitDwarf = given;
                return null;
            case FlagKind.Count:
                return SetVerbosity(value);
            case FlagKind.Int:
                GoText.NumberStatus status = GoText.ParseInt(value, out long number);
                if (status != GoText.NumberStatus.Ok)
                    return GoText.Describe(status);
                SetInt(flag.Id, number);
                return null;
            case FlagKind.String:
                SetString(flag.Id, value);
                return null;
            default:
                return SetValue(flag.Id, value);
        }
    }

    private string? SetVerbosity(string value)
    {
        switch (value)
        {
            case "true":
                Verbosity++;
                return null;
            case "false":
                Verbosity = 0;
                return null;
            default:
                if (!GoText.TryParseDecimal(value, out long count))
                    return $"invalid count {GoText.Quote(value)}";
                Verbosity = (int)Math.Clamp(count, int.MinValue, int.MaxValue);
                return null;
        }
    }

    private void SetBool(FlagId flag, bool value)
    {
        switch (flag)
        {
            case FlagId.Plan9Symbols64:
                Plan9Symbols64 = value;
                break;
            case FlagId.DeprecatedA or FlagId.DeprecatedN:
                break;
            case FlagId.Asan:
                Asan = value;
                break;
            case FlagId.Aslr:
                Aslr = value;
                break;
            case FlagId.BindNow:
                BindNow = value;
                break;
            case FlagId.CallGraph:
                DumpCallGraph = value;
                break;
            case FlagId.CheckLinkname:
                CheckLinkname = value;
                break;
            case FlagId.CompressDwarf:
                CompressDwarf = value;
                break;
            case FlagId.DisableDynamic:
                DisableDynamic = value;
                break;
            case FlagId.DebugNosplit:
                DumpNosplit = value;
                break;
            case FlagId.DumpDependencies:
                DumpDependencies = value;
                break;
            case FlagId.AllErrors:
                AllErrors = value;
                break;
            case FlagId.IgnoreVersionMismatch:
                IgnoreVersionMismatch = value;
                break;
            case FlagId.SkipPackageDataChecks:
                SkipPackageDataChecks = value;
                break;
            case FlagId.HaltOnError:
                HaltOnError = value;
                break;
            case FlagId.LinkShared:
                LinkShared = value;
                break;
            case FlagId.Msan:
                Msan = value;
                break;
            case FlagId.PruneWeakMap:
                PruneWeakMaps = value;
                break;
            case FlagId.Race:
                Race = value;
                break;
            case FlagId.OmitSymbolTable:
                OmitSymbolTable = value;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(flag));
        }
    }

    private void SetInt(FlagId flag, long value)
    {
        switch (flag)
        {
            case FlagId.DataAddress:
                DataAddress = value;
                break;
            case FlagId.Rounding:
                Rounding = value;
                break;
            case FlagId.TextAddress:
                TextAddress = value;
                break;
            case FlagId.DebugTextSize:
                DebugTextSize = value;
                break;
            case FlagId.DebugTrampolines:
                DebugTrampolines = value;
                break;
            case FlagId.FunctionAlignment:
                FunctionAlignment = value;
                break;
            case FlagId.MemoryProfileRate:
                MemoryProfileRate = value;
                break;
            case FlagId.RandomLayout:
                RandomLayoutSeed = value;
                break;
            case FlagId.StrictDuplicates:
                StrictDuplicates = (int)Math.Clamp(value, int.MinValue, int.MaxValue);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(flag));
        }
    }

    private void SetString(FlagId flag, string value)
    {
        switch (flag)
        {
            case FlagId.HostBuildId:
                HostBuildId = value;
                break;
            case FlagId.EntrySymbol:
                EntrySymbol = value;
                break;
            case FlagId.HeadType:
                _headType = value;
                break;
            case FlagId.Interpreter:
                Interpreter = value;
                break;
            case FlagId.Benchmark:
                _benchmark = value;
                break;
            case FlagId.BenchmarkProfile:
                BenchmarkProfile = value;
                break;
            case FlagId.BuildId:
                BuildId = value;
                break;
            case FlagId.CaptureHostObjects:
                CaptureHostObjects = value;
                break;
            case FlagId.CpuProfile:
                CpuProfile = value;
                break;
            case FlagId.ExternalArchiver:
                ExternalArchiver = value;
                break;
            case FlagId.FipsObject:
                FipsObject = value;
                break;
            case FlagId.InstallSuffix:
                InstallSuffix = value;
                break;
            case FlagId.FieldTrack:
                FieldTrackSymbol = value;
                break;
            case FlagId.LibGcc:
                LibGcc = value;
                break;
            case FlagId.MemoryProfile:
                MemoryProfile = value;
                break;
            case FlagId.Output:
                Output = value;
                break;
            case FlagId.PluginPath:
                PluginPath = value;
                break;
            case FlagId.TemporaryDirectory:
                TemporaryDirectory = value;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(flag));
        }
    }

    private string? SetValue(FlagId flag, string value)
    {
        string? error = null;
        switch (flag)
        {
            case FlagId.LibraryDirectory:
                _libraryDirectories.Add(value);
                break;
            case FlagId.StringDefinition:
                DefineFromFlag(HostPath.Encode(value));
                break;
            case FlagId.BuildMode:
                error = SetBuildMode(value);
                break;
            case FlagId.ExternalLinker:
                ExternalLinker = GoText.SplitQuoted(value, out error) ?? ExternalLinker;
                break;
            case FlagId.ExternalLinkerFlags:
                ExternalLinkerFlags = GoText.SplitQuoted(value, out error) ?? ExternalLinkerFlags;
                break;
            case FlagId.ImportConfig:
                ImportConfig = ImportConfig.Read(value);
                foreach (byte[] info in ImportConfig.ModuleInfo)
                    Define("runtime.modinfo"u8.ToArray(), info);
                break;
            case FlagId.LinkMode:
                error = SetLinkMode(value);
                break;
            case FlagId.MacOs:
                MacOsVersion = ParseMacVersion(value, out error) ?? MacOsVersion;
                break;
            case FlagId.MacSdk:
                MacSdkVersion = ParseMacVersion(value, out error) ?? MacSdkVersion;
                break;
            case FlagId.RunPath:
                RunPath = value;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(flag));
        }

        return error;
    }

    private string? SetBuildMode(string value)
    {
        BuildMode? mode = value switch
        {
            "exe" => Platforms.ExeIsPie(Release ?? Release.Newest, GoOs, GoArch) ? BuildMode.Pie : BuildMode.Exe,
            "pie" => BuildMode.Pie,
            "c-archive" => BuildMode.CArchive,
            "c-shared" => BuildMode.CShared,
            "shared" => BuildMode.Shared,
            "plugin" => BuildMode.Plugin,
            _ => null,
        };
        if (mode is null)
            return $"invalid buildmode: {GoText.Quote(value)}";
        _buildMode = mode;
        return Platforms.SupportsBuildMode(Release ?? Release.Newest, value, GoOs, GoArch)
            ? null
            : $"buildmode {value} not supported on {GoOs}/{GoArch}";
    }

    private string? SetLinkMode(string value)
    {
        LinkMode? mode = value switch
        {
            "auto" => LinkMode.Auto,
            "internal" => LinkMode.Internal,
            "external" => LinkMode.External,
            _ => null,
        };
        LinkMode = mode ?? LinkMode;
        return mode is null ? $"invalid linkmode: {GoText.Quote(value)}" : null;
    }

    private static MacVersion? ParseMacVersion(string value, out string? error)
    {
        error = $"invalid version {GoText.Quote(value)}";
        string[] parts = value.Split('.');
        if (parts.Length > 3)
            return null;
        Span<byte> numbers = stackalloc byte[3];
        numbers.Clear();
        for (int i = 0; i < parts.Length; i++)
        {
            if (!GoText.TryParseDecimal(parts[i], out long number) || number is < 0 or > 255)
                return null;
            numbers[i] = (byte)number;
        }

        error = null;
        return new MacVersion(numbers[0], numbers[1], numbers[2]);
    }

    // -X importpath.name=value: the name's package path is escaped as in objects (ld.addstrdata1).
    private void DefineFromFlag(byte[] definition)
    {
        int equals = definition.AsSpan().IndexOf((byte)'=');
        int dot = equals < 0 ? -1 : definition.AsSpan(0, equals).LastIndexOf((byte)'.');
        if (dot < 0)
            throw new LinkException("-X flag requires argument of the form importpath.name=value");
        byte[] package = definition[..dot];
        if (_buildMode == BuildMode.Plugin && package.AsSpan().SequenceEqual("main"u8))
            package = HostPath.Encode(PluginPath);
        Define([.. ObjectPath.Escape(package), .. definition[dot..equals]], definition[(equals + 1)..]);
    }

    private void Define(byte[] name, byte[] value)
    {
        for (int i = 0; i < _definitions.Count; i++)
        {
            if (name.AsSpan().SequenceEqual(_definitions[i].Name))
            {
                _definitions[i] = new StringDefinition(_definitions[i].Name, value);
                return;
            }
        }

        _definitions.Add(new StringDefinition(name, value));
    }

    // ---- Checks and defaults, in ld.Main's order -----------------------------------------------------------------

    private void Complete(FlagSpec[] flags)
    {
        SetHeadType(flags);
        if (!Aslr && _buildMode != BuildMode.CShared)
            throw Failure(flags, "-aslr=false is only allowed for -buildmode=c-shared");
        if (DisableDynamic && HeadType is HeadType.Aix or HeadType.Darwin or HeadType.OpenBsd or HeadType.Solaris or HeadType.Windows)
            throw new LinkException($"dynamic linking required on {GoOs}; -d flag cannot be used");
        if (Rounding != -1 && (Rounding < 4096 || !IsPowerOfTwo(Rounding)))
            throw new LinkException($"invalid -R value 0x{GoHex(Rounding)}");
        if (FunctionAlignment != 0 && !IsPowerOfTwo(FunctionAlignment))
            throw new LinkException(string.Create(CultureInfo.InvariantCulture, $"invalid -funcalign value {FunctionAlignment}"));

        // -s implies -w unless that is given; macOS's C libraries have no DWARF either.
        OmitDwarf = _omitDwarf ?? (OmitSymbolTable || (HeadType == HeadType.Darwin && _buildMode == BuildMode.CShared));
        BuildMode = _buildMode ?? (Platforms.ExeIsPie(Release ?? Release.Newest, GoOs, GoArch) ? BuildMode.Pie : BuildMode.Exe);
        if (BuildMode != BuildMode.Shared && Arguments.Count != 1)
            throw Failure(flags, null);

        if (Output.Length == 0)
            Output = HeadType == HeadType.Windows ? "a.out.exe" : "a.out";
        if (BuildId.Length == 0 && HeadType == HeadType.OpenBsd)
            BuildId = (Release ?? Release.Newest).OpenBsdBuildId;
        if (HostBuildId.Length == 0 && BuildId.Length > 0)
            HostBuildId = "gobuildid";
        CheckHostBuildId();

        Benchmark = _benchmark switch
        {
            "" => BenchmarkMode.None,
            "mem" => BenchmarkMode.Memory,
            "cpu" => BenchmarkMode.Cpu,
            _ => throw Failure(flags, $"unknown benchmark flag: {GoText.Quote(_benchmark)}"),
        };

        if (Environment.GoRoot.Length > 0)
            _libraryDirectories.Add(GoText.CleanPath($"{Environment.GoRoot}/pkg/{GoOs}_{GoArch}{LibrarySuffix()}"));
        LibraryDirectories = _libraryDirectories;

        if (EntrySymbol.Length == 0)
        {
            EntrySymbol = BuildMode switch
            {
                BuildMode.Exe or BuildMode.Pie => $"_rt0_{GoArch}_{GoOs}",
                BuildMode.CArchive or BuildMode.CShared => $"_rt0_{GoArch}_{GoOs}_lib",
                _ => "",
            };
        }

        if (LinkShared && !IsElf)
            throw new LinkException("-linkshared can only be used on elf systems");
    }

    private void SetHeadType(FlagSpec[] flags)
    {
        WindowsGui = _headType == "windowsgui";
        string name = WindowsGui ? "windows" : _headType.Length > 0 ? _headType : GoOs;
        HeadType = name switch
        {
            "aix" => HeadType.Aix,
            "darwin" or "ios" => HeadType.Darwin,
            "dragonfly" => HeadType.DragonFly,
            "freebsd" => HeadType.FreeBsd,
            "js" => HeadType.Js,
            "linux" or "android" => HeadType.Linux,
            "netbsd" => HeadType.NetBsd,
            "openbsd" => HeadType.OpenBsd,
            "plan9" => HeadType.Plan9,
            "illumos" or "solaris" => HeadType.Solaris,
            "wasip1" => HeadType.Wasip1,
            "windows" => HeadType.Windows,
            _ when _headType.Length > 0 => throw Failure(flags, $"invalid headtype: {GoText.Quote(name)}"),
            _ => HeadType.Unknown,
        };
    }

    private string LibrarySuffix() =>
        InstallSuffix.Length > 0 ? "_" + InstallSuffix : Race ? "_race" : Msan ? "_msan" : Asan ? "_asan" : "";

    // -B (ld.addbuildinfo).
    private void CheckHostBuildId()
    {
        if (HostBuildId is "" or "none")
            return;
        if (HostBuildIdFromGo)
        {
            if (BuildId.Length == 0)
                throw new LinkException("-B gobuildid requires a Go build ID supplied via -buildid");
            return;
        }

        if (!HostBuildId.StartsWith("0x", StringComparison.Ordinal))
            throw new LinkException($"-B argument must start with 0x: {HostBuildId}");
        ReadOnlySpan<byte> digits = HostPath.Encode(HostBuildId[2..]);
        int limit = HeadType == HeadType.Darwin ? 16 : 32;
        if (digits.Length / 2 > limit)
            throw new LinkException(string.Create(CultureInfo.InvariantCulture, $"-B option too long (max {limit} digits): {HostBuildId}"));

        // Pairs are read first; a single digit at the end is looked at only when all pairs are good.
        byte[] bytes = new byte[digits.Length / 2];
        for (int i = 0; i < digits.Length; i++)
        {
            if (!char.IsAsciiHexDigit((char)digits[i]))
                throw new LinkException($"-B argument contains invalid hex digit {(char)digits[i]}: {HostBuildId}");
            if (i / 2 < bytes.Length)
                bytes[i / 2] = (byte)(bytes[i / 2] << 4 | Convert.FromHexString($"0{(char)digits[i]}")[0]);
        }

        if (digits.Length % 2 != 0)
            throw new LinkException($"-B argument must have even number of digits: {HostBuildId}");
        HostBuildIdBytes = bytes;
    }

    private static bool IsPowerOfTwo(long value) => value > 0 && (value & (value - 1)) == 0;
}
