using System.Text;
using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>What a flag takes, which decides how the command line is read and how the usage message looks.</summary>
internal enum FlagKind : byte
{
    /// <summary>A truth value: given alone, or with <c>=</c>.</summary>
    Bool,

    /// <summary>As <see cref="Bool"/>, with a default that depends on other flags (<c>-w</c>).</summary>
    OptionalBool,

    /// <summary>As <see cref="Bool"/>; each use counts one up, <c>=N</c> sets the count (<c>-v</c>).</summary>
    Count,

    /// <summary><c>-V</c>: prints the version; takes its value like a <see cref="Bool"/>.</summary>
    Version,

    /// <summary>An integer.</summary>
    Int,

    /// <summary>A text.</summary>
    String,

    /// <summary>A text that the flag checks or takes apart itself.</summary>
    Value,
}

/// <summary>Names the flags in code.</summary>
internal enum FlagId : byte
{
    Plan9Symbols64,
    HostBuildId,
    DataAddress,
    EntrySymbol,
    HeadType,
    Interpreter,
    LibraryDirectory,
    Rounding,
    TextAddress,
    Version,
    StringDefinition,
    DeprecatedA,
    Asan,
    Aslr,
    Benchmark,
    BenchmarkProfile,
    BindNow,
    BuildId,
    BuildMode,
    CallGraph,
    CaptureHostObjects,
    CheckLinkname,
    CompressDwarf,
    CpuProfile,
    DisableDynamic,
    DebugNosplit,
    DebugTextSize,
    DebugTrampolines,
    DumpDependencies,
    AllErrors,
    ExternalArchiver,
    ExternalLinker,
    ExternalLinkerFlags,
    IgnoreVersionMismatch,
    FipsObject,
    FunctionAlignment,
    SkipPackageDataChecks,
    HaltOnError,
    ImportConfig,
    InstallSuffix,
    FieldTrack,
    LibGcc,
    LinkMode,
    LinkShared,
    MacOs,
    MacSdk,
    MemoryProfile,
    MemoryProfileRate,
    Msan,
    DeprecatedN,
    Output,
    PluginPath,
    PruneWeakMap,
    RunPath,
    Race,
    RandomLayout,
    OmitSymbolTable,
    StrictDuplicates,
    TemporaryDirectory,
    Verbose,
    OmitDwarf,
}

/// <summary>One flag of the command line.</summary>
/// <param name="Id">Its name in code.</param>
/// <param name="Name">Its name on the command line, without the dash.</param>
/// <param name="Kind">What it takes.</param>
/// <param name="Argument">What the usage message calls its value; null for the kind's own word.</param>
/// <param name="Help">The usage message's text.</param>
/// <param name="Default">The default as the usage message shows it; null where it shows none.</param>
internal readonly record struct FlagSpec(FlagId Id, string Name, FlagKind Kind, string? Argument, string Help, string? Default = null)
{
    /// <summary>Whether the flag may stand without a value and never takes the next argument as one.</summary>
    public bool IsBoolLike => Kind is FlagKind.Bool or FlagKind.OptionalBool or FlagKind.Count or FlagKind.Version;
}

/// <summary>
/// The flags of each release's linker, in the order of the usage message (by bytes of the name). Flags that not
/// every release or target has are marked.
/// </summary>
internal static class FlagTable
{
    /// <summary>The flags of a release's linker; of an unknown one, all that any has.</summary>
    /// <param name="release">The release; null where it is unknown.</param>
    /// <param name="goos">GOOS of the target, which some flags depend on.</param>
    /// <param name="goarch">GOARCH of the target.</param>
    public static FlagSpec[] For(Release? release, string goos, string goarch)
    {
        ReadOnlySpan<FlagSpec> all = All();
        var flags = new List<FlagSpec>(all.Length);
        foreach (ref readonly FlagSpec flag in all)
        {
            bool exists = flag.Id switch
            {
                FlagId.Plan9Symbols64 => goos == "plan9" && goarch == "amd64",
                FlagId.DataAddress => release?.HasDataAddressFlag ?? true,
                FlagId.FunctionAlignment => release?.HasFunctionAlignFlag ?? true,
                FlagId.AllErrors => release?.HasAllErrorsFlag ?? true,
                FlagId.MacOs or FlagId.MacSdk => release?.HasMacVersionFlags ?? true,
                _ => true,
            };
            if (exists)
                flags.Add(flag);
        }

        return [.. flags];
    }

    /// <summary>Finds a flag by name. Flags without a dash, values and case must be exact.</summary>
    public static bool TryFind(ReadOnlySpan<FlagSpec> flags, ReadOnlySpan<char> name, out FlagSpec found)
    {
        foreach (ref readonly FlagSpec flag in flags)
        {
            if (name.SequenceEqual(flag.Name))
            {
                found = flag;
                return true;
            }
        }

        found = default;
        return false;
    }

    /// <summary>The usage message: a heading, then each flag as package flag's PrintDefaults lays it out.</summary>
    public static string Usage(ReadOnlySpan<FlagSpec> flags)
    {
        var text = new StringBuilder(4096);
        text.Append("usage: link [options] main.o\n");
        foreach (ref readonly FlagSpec flag in flags)
        {
            int start = text.Length;
            text.Append("  -").Append(flag.Name);
            string argument = flag.Argument ?? flag.Kind switch
            {
                FlagKind.Int => "int",
                FlagKind.String => "string",
                FlagKind.Value => "value",
                _ => "",
            };
            if (argument.Length > 0)
                text.Append(' ').Append(argument);

            // Only a flag of one letter without a value has room for its text on the same line.
            text.Append(text.Length - start <= 4 ? "\t" : "\n    \t").Append(flag.Help);
            if (flag.Default is not null)
                text.Append(" (default ").Append(flag.Default).Append(')');
            text.Append('\n');
        }

        return text.ToString();
    }

    private static FlagSpec[] All() =>
    [
        // plan9/amd64 only.
        new(FlagId.Plan9Symbols64, "8", FlagKind.Bool, null, "use 64-bit addresses in symbol table"),
        new(FlagId.HostBuildId, "B", FlagKind.String, "note", "set ELF NT_GNU_BUILD_ID note or Mach-O UUID; use \"gobuildid\" to generate it from the Go build ID; \"none\" to disable"),

        // From Go 1.26 on.
        new(FlagId.DataAddress, "D", FlagKind.Int, null, "set the start address of data symbols", "-1"),

        new(FlagId.EntrySymbol, "E", FlagKind.String, "entry", "set entry symbol name"),
        new(FlagId.HeadType, "H", FlagKind.String, "type", "set header type"),
        new(FlagId.Interpreter, "I", FlagKind.String, "linker", "use linker as ELF dynamic linker"),
        new(FlagId.LibraryDirectory, "L", FlagKind.Value, "directory", "add specified directory to library path"),
        new(FlagId.Rounding, "R", FlagKind.Int, "quantum", "set address rounding quantum", "-1"),
        new(FlagId.TextAddress, "T", FlagKind.Int, null, "set the start address of text symbols", "-1"),
        new(FlagId.Version, "V", FlagKind.Version, null, "print version and exit"),
        new(FlagId.StringDefinition, "X", FlagKind.Value, "definition", "add string value definition of the form importpath.name=value"),
        new(FlagId.DeprecatedA, "a", FlagKind.Bool, null, "no-op (deprecated)"),
        new(FlagId.Asan, "asan", FlagKind.Bool, null, "enable ASan interface"),
        new(FlagId.Aslr, "aslr", FlagKind.Bool, null, "enable ASLR for buildmode=c-shared on windows", "true"),
        new(FlagId.Benchmark, "benchmark", FlagKind.String, null, "set to 'mem' or 'cpu' to enable phase benchmarking"),
        new(FlagId.BenchmarkProfile, "benchmarkprofile", FlagKind.String, "base", "emit phase profiles to base_phase.{cpu,mem}prof"),
        new(FlagId.BindNow, "bindnow", FlagKind.Bool, null, "mark a dynamically linked ELF object for immediate function binding"),
        new(FlagId.BuildId, "buildid", FlagKind.String, "id", "record id as Go toolchain build id"),
        new(FlagId.BuildMode, "buildmode", FlagKind.Value, "mode", "set build mode"),
        new(FlagId.CallGraph, "c", FlagKind.Bool, null, "dump call graph"),
        new(FlagId.CaptureHostObjects, "capturehostobjs", FlagKind.String, null, "capture host object files loaded during internal linking to specified dir"),
        new(FlagId.CheckLinkname, "checklinkname", FlagKind.Bool, null, "check linkname symbol references", "true"),
        new(FlagId.CompressDwarf, "compressdwarf", FlagKind.Bool, null, "compress DWARF if possible", "true"),
        new(FlagId.CpuProfile, "cpuprofile", FlagKind.String, "file", "write cpu profile to file"),
        new(FlagId.DisableDynamic, "d", FlagKind.Bool, null, "disable dynamic executable"),
        new(FlagId.DebugNosplit, "debugnosplit", FlagKind.Bool, null, "dump nosplit call graph"),
        new(FlagId.DebugTextSize, "debugtextsize", FlagKind.Int, null, "debug text section max size"),
        new(FlagId.DebugTrampolines, "debugtramp", FlagKind.Int, null, "debug trampolines"),
        new(FlagId.DumpDependencies, "dumpdep", FlagKind.Bool, null, "dump symbol dependency graph"),

        // From Go 1.25 on.
        new(FlagId.AllErrors, "e", FlagKind.Bool, null, "no limit on number of errors reported"),

        new(FlagId.ExternalArchiver, "extar", FlagKind.String, null, "archive program for buildmode=c-archive"),
        new(FlagId.ExternalLinker, "extld", FlagKind.Value, "linker", "use linker when linking in external mode"),
        new(FlagId.ExternalLinkerFlags, "extldflags", FlagKind.Value, "flags", "pass flags to external linker"),
        new(FlagId.IgnoreVersionMismatch, "f", FlagKind.Bool, null, "ignore version mismatch"),
        new(FlagId.FipsObject, "fipso", FlagKind.String, "file", "write fips module to file"),

        // From Go 1.25 on.
        new(FlagId.FunctionAlignment, "funcalign", FlagKind.Int, "N", "set function align to N bytes"),

        new(FlagId.SkipPackageDataChecks, "g", FlagKind.Bool, null, "disable go package data checks"),
        new(FlagId.HaltOnError, "h", FlagKind.Bool, null, "halt on error"),
        new(FlagId.ImportConfig, "importcfg", FlagKind.Value, "file", "read import configuration from file"),
        new(FlagId.InstallSuffix, "installsuffix", FlagKind.String, "suffix", "set package directory suffix"),
        new(FlagId.FieldTrack, "k", FlagKind.String, "symbol", "set field tracking symbol"),
        new(FlagId.LibGcc, "libgcc", FlagKind.String, null, "compiler support lib for internal linking; use \"none\" to disable"),
        new(FlagId.LinkMode, "linkmode", FlagKind.Value, "mode", "set link mode"),
        new(FlagId.LinkShared, "linkshared", FlagKind.Bool, null, "link against installed Go shared libraries"),

        // From Go 1.27 on.
        new(FlagId.MacOs, "macos", FlagKind.Value, null, "mac OS version to write in build info (only used in internal linking)", "13.0.0"),
        new(FlagId.MacSdk, "macsdk", FlagKind.Value, null, "mac SDK version to write in build info (only used in internal linking)", "26.2.0"),
        new(FlagId.MemoryProfile, "memprofile", FlagKind.String, "file", "write memory profile to file"),
        new(FlagId.MemoryProfileRate, "memprofilerate", FlagKind.Int, "rate", "set runtime.MemProfileRate to rate"),
        new(FlagId.Msan, "msan", FlagKind.Bool, null, "enable MSan interface"),
        new(FlagId.DeprecatedN, "n", FlagKind.Bool, null, "no-op (deprecated)"),
        new(FlagId.Output, "o", FlagKind.String, "file", "write output to file"),
        new(FlagId.PluginPath, "pluginpath", FlagKind.String, null, "full path name for plugin"),
        new(FlagId.PruneWeakMap, "pruneweakmap", FlagKind.Bool, null, "prune weak mapinit refs", "true"),
        new(FlagId.RunPath, "r", FlagKind.Value, "path", "set the ELF dynamic linker search path to dir1:dir2:..."),
        new(FlagId.Race, "race", FlagKind.Bool, null, "enable race detector"),
        new(FlagId.RandomLayout, "randlayout", FlagKind.Int, null, "randomize function layout"),
        new(FlagId.OmitSymbolTable, "s", FlagKind.Bool, null, "disable symbol table"),
        new(FlagId.StrictDuplicates, "strictdups", FlagKind.Int, null, "sanity check duplicate symbol contents during object file reading (1=warn 2=err)."),
        new(FlagId.TemporaryDirectory, "tmpdir", FlagKind.String, "directory", "use directory for temporary files"),
        new(FlagId.Verbose, "v", FlagKind.Count, null, "print link trace"),
        new(FlagId.OmitDwarf, "w", FlagKind.OptionalBool, null, "disable DWARF generation"),
    ];
}
