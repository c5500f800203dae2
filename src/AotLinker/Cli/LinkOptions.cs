using AotLinker.Releases;

namespace AotLinker.Cli;

/// <summary>
/// One link as its command line and environment describe it: every flag of cmd/link, checked, with defaults that depend
/// on other flags or on the target filled in. Made by <see cref="Parse"/>; nothing changes afterwards.
/// <para>Texts are as <see cref="Mapping.HostPath"/> decodes them: what is not UTF-8 keeps its bytes.</para>
/// </summary>
internal sealed partial class LinkOptions
{
    // ---- Who and where -------------------------------------------------------------------------------------------

    /// <summary>argv[0], which stands in front of final messages.</summary>
    public string ProgramName { get; }

    /// <summary>The toolchain we stand in for. Its release is unknown where neither its place nor the main object tells.</summary>
    public Toolchain Toolchain { get; private set; }

    /// <summary>The release whose formats are read and written; null where it isn't one we know.</summary>
    public Release? Release => Toolchain.Release;

    /// <summary>The version in programs and object headers: <c>go1.27.4</c>; empty where unknown.</summary>
    public string Version => Toolchain.Version;

    /// <summary>Target and CPU variants.</summary>
    public BuildEnvironment Environment { get; private set; }

    /// <summary>The experiments in force.</summary>
    public ExperimentSet Experiments { get; private set; }

    /// <summary>GOOS of the program.</summary>
    public string GoOs => Environment.GoOs;

    /// <summary>GOARCH of the program.</summary>
    public string GoArch => Environment.GoArch;

    /// <summary>
    /// The first line that every Go object must have, without its end (objabi.HeaderString):
    /// <c>go object linux amd64 go1.27.4 GOAMD64=v1 X:regabiwrappers,…</c>
    /// </summary>
    public string ObjectHeader
    {
        get
        {
            string variant = Environment.CpuVariant(Release ?? Release.Newest);
            return $"go object {GoOs} {GoArch} {Version}{(variant.Length > 0 ? " " + variant : "")} X:{Experiments.EnabledList}";
        }
    }

    /// <summary>
    /// The version as <c>runtime.Version</c> reports it: the toolchain's, and what differs from its standard
    /// experiments. The separator keeps the whole in one word where the version has no suffix of its own.
    /// </summary>
    public string BuildVersion
    {
        get
        {
            string difference = Experiments.ToString();
            if (difference.Length == 0)
                return Version;
            return $"{Version}{(Version.Contains('-') ? ' ' : (Release ?? Release.Newest).ExperimentSeparator)}X:{difference}";
        }
    }

    /// <summary>Our own switches.</summary>
    public Switches Switches { get; }

    /// <summary>What <c>-V</c> asks for; where it is not <see cref="VersionRequest.None"/>, nothing else here counts.</summary>
    public VersionRequest VersionRequested { get; private set; }

    // ---- Inputs --------------------------------------------------------------------------------------------------

    /// <summary>The arguments after the flags: one object or archive, or for -buildmode=shared several.</summary>
    public IReadOnlyList<string> Arguments { get; private set; } = [];

    /// <summary>The object or archive of package main, or of the first package of a shared library.</summary>
    public string MainFile => CommandLinePackage(0).File;

    /// <summary>
    /// The import path and the file of the i-th argument: for -buildmode=shared, where each may name its package, "path=file". The path of a
    /// plugin is -pluginpath's.
    /// </summary>
    public (string Path, string File) CommandLinePackage(int i)
    {
        string argument = Arguments[i];
        if ((_buildMode ?? BuildMode) == BuildMode.Shared && argument.IndexOf('=', StringComparison.Ordinal) is >= 0 and var equals)
            return (argument[..equals], argument[(equals + 1)..]);
        return (BuildMode == BuildMode.Plugin ? PluginPath : "main", argument);
    }

    /// <summary><c>-importcfg</c>: where packages are; null where not given, then <see cref="LibraryDirectories"/> are searched.</summary>
    public ImportConfig? ImportConfig { get; private set; }

    /// <summary><c>-L</c> folders in order, then GOROOT's own for the target, GOROOT being set.</summary>
    public IReadOnlyList<string> LibraryDirectories { get; private set; } = [];

    /// <summary><c>-installsuffix</c>.</summary>
    public string InstallSuffix { get; private set; } = "";

    /// <summary>
    /// String variables to set, in the order in which cmd/link adds them: GOROOT's and the version's own, then <c>-X</c>
    /// and module information as the command line has them. No name occurs twice; the last value is in the first place.
    /// </summary>
    public IReadOnlyList<StringDefinition> StringDefinitions => _definitions;

    /// <summary><c>-f</c>: link objects whose header isn't <see cref="ObjectHeader"/>.</summary>
    public bool IgnoreVersionMismatch { get; private set; }

    /// <summary><c>-g</c>: don't check that package main is safe and called main.</summary>
    public bool SkipPackageDataChecks { get; private set; }

    /// <summary><c>-checklinkname</c>: refuse references by linkname that their target doesn't allow.</summary>
    public bool CheckLinkname { get; private set; } = true;

    /// <summary><c>-strictdups</c>: 0 ignores differing duplicates, 1 warns of them, 2 makes them errors.</summary>
    public int StrictDuplicates { get; private set; }

    // ---- What is linked ------------------------------------------------------------------------------------------

    /// <summary><c>-buildmode</c>.</summary>
    public BuildMode BuildMode { get; private set; } = BuildMode.Exe;

    /// <summary><c>-linkmode</c>.</summary>
    public LinkMode LinkMode { get; private set; }

    /// <summary><c>-linkshared</c>.</summary>
    public bool LinkShared { get; private set; }

    /// <summary><c>-race</c>.</summary>
    public bool Race { get; private set; }

    /// <summary><c>-msan</c>.</summary>
    public bool Msan { get; private set; }

    /// <summary><c>-asan</c>.</summary>
    public bool Asan { get; private set; }

    /// <summary><c>-aslr</c>.</summary>
    public bool Aslr { get; private set; } = true;

    /// <summary><c>-pluginpath</c>.</summary>
    public string PluginPath { get; private set; } = "";

    /// <summary><c>-E</c>, by default <c>_rt0_GOARCH_GOOS</c> and for C libraries <c>…_lib</c>; empty where there is none.</summary>
    public string EntrySymbol { get; private set; } = "";

    /// <summary><c>-k</c>: the symbol that lists tracked fields; empty for none.</summary>
    public string FieldTrackSymbol { get; private set; } = "";

    /// <summary><c>-pruneweakmap</c>: drop initialisers of maps that nothing refers to.</summary>
    public bool PruneWeakMaps { get; private set; } = true;

    /// <summary><c>-fipso</c>: a file to write the FIPS module's object to; empty for none.</summary>
    public string FipsObject { get; private set; } = "";

    // ---- Output --------------------------------------------------------------------------------------------------

    /// <summary><c>-o</c>; by default <c>a.out</c>, or <c>a.out.exe</c> for Windows.</summary>
    public string Output { get; private set; } = "";

    /// <summary><c>-H</c>; by default what GOOS says.</summary>
    public HeadType HeadType { get; private set; }

    /// <summary><c>-H windowsgui</c>.</summary>
    public bool WindowsGui { get; private set; }

    /// <summary>Whether the output is ELF.</summary>
    public bool IsElf => HeadType is HeadType.Linux or HeadType.FreeBsd or HeadType.NetBsd or HeadType.OpenBsd
        or HeadType.DragonFly or HeadType.Solaris;

    /// <summary><c>-s</c>: no symbol table.</summary>
    public bool OmitSymbolTable { get; private set; }

    /// <summary><c>-w</c>, which <c>-s</c> implies where it isn't given: no DWARF.</summary>
    public bool OmitDwarf { get; private set; }

    /// <summary><c>-compressdwarf</c>.</summary>
    public bool CompressDwarf { get; private set; } = true;

    /// <summary><c>-buildid</c>: Go's build ID.</summary>
    public string BuildId { get; private set; } = "";

    /// <summary><c>-B</c>: <c>gobuildid</c> where a build ID is given and the flag isn't, <c>none</c>, or hexadecimal digits.</summary>
    public string HostBuildId { get; private set; } = "";

    /// <summary>Whether the platform's build ID is computed from <see cref="BuildId"/>.</summary>
    public bool HostBuildIdFromGo => HostBuildId == "gobuildid";

    /// <summary>The platform's build ID where <c>-B 0x…</c> gives it; else empty.</summary>
    public byte[] HostBuildIdBytes { get; private set; } = [];

    /// <summary><c>-d</c>: no dynamic linking at run time.</summary>
    public bool DisableDynamic { get; private set; }

    /// <summary><c>-I</c>: the ELF interpreter; empty for the target's own.</summary>
    public string Interpreter { get; private set; } = "";

    /// <summary><c>-r</c>: the ELF run path; null where not given, which differs from an empty one.</summary>
    public string? RunPath { get; private set; }

    /// <summary><c>-bindnow</c>.</summary>
    public bool BindNow { get; private set; }

    /// <summary><c>-8</c>: 64-bit addresses in Plan 9's symbol table.</summary>
    public bool Plan9Symbols64 { get; private set; }

    /// <summary><c>-macos</c>.</summary>
    public MacVersion MacOsVersion { get; private set; } = new(13, 0, 0);

    /// <summary><c>-macsdk</c>.</summary>
    public MacVersion MacSdkVersion { get; private set; } = new(26, 2, 0);

    // ---- Layout --------------------------------------------------------------------------------------------------

    /// <summary><c>-T</c>: address of the text; -1 for the target's own.</summary>
    public long TextAddress { get; private set; } = -1;

    /// <summary><c>-D</c>: address of the data; -1 for after the text. Its alignment is checked by <see cref="CheckDataAddress"/>.</summary>
    public long DataAddress { get; private set; } = -1;

    /// <summary><c>-R</c>: alignment of segments, a power of two from 4096 on; -1 for the target's own.</summary>
    public long Rounding { get; private set; } = -1;

    /// <summary><c>-funcalign</c>: alignment of functions, a power of two; 0 for the CPU's own.</summary>
    public long FunctionAlignment { get; private set; }

    /// <summary><c>-randlayout</c>: seed of a random order of functions; 0 for none.</summary>
    public long RandomLayoutSeed { get; private set; }

    /// <summary><c>-debugtramp</c>: above 0 makes trampolines more frequent, to test them.</summary>
    public long DebugTrampolines { get; private set; }

    /// <summary><c>-debugtextsize</c>: the size at which text is split, to test that; 0 for the CPU's own.</summary>
    public long DebugTextSize { get; private set; }

    // ---- Dumps, limits and measurements --------------------------------------------------------------------------

    /// <summary><c>-v</c>, counted.</summary>
    public int Verbosity { get; private set; }

    /// <summary><c>-c</c>: print the call graph.</summary>
    public bool DumpCallGraph { get; private set; }

    /// <summary><c>-dumpdep</c>: print why each symbol is live.</summary>
    public bool DumpDependencies { get; private set; }

    /// <summary><c>-debugnosplit</c>: print the call graph of functions that don't check the stack.</summary>
    public bool DumpNosplit { get; private set; }

    /// <summary><c>-e</c>: report all errors.</summary>
    public bool AllErrors { get; private set; }

    /// <summary><c>-h</c>: stop at the first error with a stack trace.</summary>
    public bool HaltOnError { get; private set; }

    /// <summary><c>-benchmark</c>.</summary>
    public BenchmarkMode Benchmark { get; private set; }

    /// <summary><c>-benchmarkprofile</c>: beginning of the names of profiles to write; empty for none.</summary>
    public string BenchmarkProfile { get; private set; } = "";

    /// <summary><c>-cpuprofile</c>; empty for none.</summary>
    public string CpuProfile { get; private set; } = "";

    /// <summary><c>-memprofile</c>; empty for none.</summary>
    public string MemoryProfile { get; private set; } = "";

    /// <summary><c>-memprofilerate</c>.</summary>
    public long MemoryProfileRate { get; private set; }

    // ---- External tools and host objects -------------------------------------------------------------------------

    /// <summary><c>-extld</c>: the external linker and its first arguments.</summary>
    public IReadOnlyList<string> ExternalLinker { get; private set; } = [];

    /// <summary><c>-extldflags</c>.</summary>
    public IReadOnlyList<string> ExternalLinkerFlags { get; private set; } = [];

    /// <summary><c>-extar</c>; empty for <c>ar</c>.</summary>
    public string ExternalArchiver { get; private set; } = "";

    /// <summary><c>-libgcc</c>: <c>none</c>, a file, or empty to ask the compiler.</summary>
    public string LibGcc { get; private set; } = "";

    /// <summary><c>-tmpdir</c>; empty for one of our own.</summary>
    public string TemporaryDirectory { get; private set; } = "";

    /// <summary><c>-capturehostobjs</c>: a folder that gets a copy of each host object; empty for none.</summary>
    public string CaptureHostObjects { get; private set; } = "";

    /// <summary>
    /// Checks <see cref="DataAddress"/> once the target has set the rounding (main.go, after Archinit).
    /// </summary>
    /// <param name="rounding"><c>-R</c> or the target's own.</param>
    /// <exception cref="LinkException">It is not aligned.</exception>
    public void CheckDataAddress(long rounding)
    {
        if (DataAddress != -1 && DataAddress % rounding != 0)
            throw new LinkException($"invalid -D value 0x{GoHex(DataAddress)}: not aligned to rounding quantum 0x{GoHex(rounding)}");
    }

    // Go prints a negative number with its sign also in base 16.
    private static string GoHex(long value) => value < 0 ? $"-{0 - (ulong)value:x}" : $"{value:x}";
}
