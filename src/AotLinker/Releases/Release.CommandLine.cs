namespace AotLinker.Releases;

/// <summary>What differs between releases in the command line, the ports and the experiments.</summary>
internal abstract partial class Release
{
    /// <summary>The newest release known, which stands in where the release isn't known (yet).</summary>
    public static Release Newest => All[^1];

    /// <summary>The releases known, for messages: <c>Go 1.25, Go 1.26 and Go 1.27</c>.</summary>
    public static string KnownForMessage =>
        string.Join(", ", All[..^1].Select(release => "Go " + release.Name)) + " and Go " + Newest.Name;

    /// <summary>Whether the linker has the flags -macos and -macsdk.</summary>
    public abstract bool HasMacVersionFlags { get; }

    /// <summary>Whether a response file has one escaped argument on each line, rather than GCC's quoting.</summary>
    public abstract bool ResponseFilesHoldLines { get; }

    /// <summary>The experiments that GOEXPERIMENT may name.</summary>
    public abstract Experiments KnownExperiments { get; }

    /// <summary>The experiments that are on by default, apart from those that depend on the target.</summary>
    public abstract Experiments StandardExperiments { get; }

    /// <summary>Whether the linker has the flag -D.</summary>
    public virtual bool HasDataAddressFlag => true;

    /// <summary>Whether the linker has the flag -funcalign.</summary>
    public virtual bool HasFunctionAlignFlag => true;

    /// <summary>Whether the linker has the flag -e.</summary>
    public virtual bool HasAllErrorsFlag => true;

    /// <summary>Whether <c>-V=goexperiment</c> lists all experiments that are on, rather than those that differ from the standard.</summary>
    public virtual bool VersionMayListExperiments => false;

    /// <summary>What stands in front of the experiments in the version that the program tells, where a version has no dash yet.</summary>
    public virtual char ExperimentSeparator => '-';

    /// <summary>The build ID of a program for OpenBSD where none is given: its kernel wants to see one.</summary>
    public virtual string OpenBsdBuildId => "";

    /// <summary>Whether GOFIPS140 may only name versions v1.Y.Z, among them release candidates.</summary>
    public virtual bool KnowsFipsCandidates => true;

    /// <summary>Whether a version in GOFIPS140 may end with a hash.</summary>
    public virtual bool KnowsFipsHashes => true;

    /// <summary>Whether GORISCV64 may be rva23u64.</summary>
    public virtual bool KnowsRiscV23 => true;

    /// <summary>Whether object headers name GORISCV64.</summary>
    public virtual bool HeadersNameRiscVProfile => true;

    /// <summary>Whether object headers name what GOWASM lists; later all of it is always on.</summary>
    public virtual bool HeadersNameWasmFeatures => false;

    /// <summary>Whether plugin support is only linked in where plugins can be built.</summary>
    public virtual bool ChecksPortForPlugins => true;

    /// <summary>Whether there is a register ABI for s390x.</summary>
    public virtual bool HasS390xRegisterAbi => true;

    /// <summary>Whether the register ABI can be switched off on s390x.</summary>
    public abstract bool S390xRegisterAbiIsOptional { get; }

    /// <summary>Whether linux/ppc64 has cgo, and with it all build modes of its little-endian sibling.</summary>
    public abstract bool LinuxPpc64HasCgo { get; }

    /// <summary>Whether PIE is linked internally for linux/s390x.</summary>
    public abstract bool S390xLinksPieInternally { get; }

    /// <summary>Whether plugins can be built for linux/riscv64.</summary>
    public virtual bool RiscV64HasPlugins => true;

    /// <summary>Whether openbsd/mips64 is a port.</summary>
    public abstract bool HasOpenBsdMips64 { get; }

    /// <summary>Whether windows/arm is a port.</summary>
    public virtual bool HasWindowsArm => false;

    /// <summary>Whether programs with cgo are linked internally for windows/arm64.</summary>
    public virtual bool WindowsArm64LinksCgoInternally => true;

    private const Experiments CommonExperiments =
        Experiments.FieldTrack | Experiments.PreemptibleLoops | Experiments.StaticLockRanking | Experiments.BoringCrypto
        | Experiments.RegabiWrappers | Experiments.RegabiArgs | Experiments.HeapMinimum512KiB | Experiments.Arenas
        | Experiments.CgoCheck2 | Experiments.LoopVar | Experiments.NewInliner;

    // Of Go 1.25 and later.
    private const Experiments RecentExperiments = Experiments.Dwarf5 | Experiments.JsonV2 | Experiments.GreenTeaGc;

    // Of Go 1.25 and earlier.
    private const Experiments EarlierExperiments = Experiments.CacheProg | Experiments.RangeFunc | Experiments.AliasTypeParams
        | Experiments.SwissMap | Experiments.SyncHashTrieMap | Experiments.Synctest;

    // Of Go 1.26 and later.
    private const Experiments LaterExperiments =
        Experiments.RandomizedHeapBase64 | Experiments.RuntimeFreegc | Experiments.SizeSpecializedMalloc | Experiments.Simd
        | Experiments.RuntimeSecret;

    private sealed partial class Go124
    {
        public override bool HasFunctionAlignFlag => false;
        public override bool HasAllErrorsFlag => false;
        public override bool KnowsFipsHashes => false;
        public override bool KnowsRiscV23 => false;
        public override Experiments KnownExperiments =>
            CommonExperiments | EarlierExperiments | Experiments.CoverageRedesign | Experiments.SpinbitMutex;
        public override Experiments StandardExperiments => base.StandardExperiments | Experiments.CoverageRedesign;
        public override bool RiscV64HasPlugins => false;
    }

    private partial class Go125
    {
        public override bool HasDataAddressFlag => false;
        public override bool VersionMayListExperiments => true;
        public override char ExperimentSeparator => ' ';
        public override string OpenBsdBuildId => "go-openbsd";
        public override bool KnowsFipsCandidates => false;
        public override bool HeadersNameRiscVProfile => false;
        public override bool HeadersNameWasmFeatures => true;
        public override bool ChecksPortForPlugins => false;
        public override Experiments KnownExperiments => CommonExperiments | EarlierExperiments | RecentExperiments;
        public override Experiments StandardExperiments =>
            Experiments.AliasTypeParams | Experiments.SwissMap | Experiments.SyncHashTrieMap;
        public override bool HasS390xRegisterAbi => false;
        public override bool HasWindowsArm => true;
        public override bool WindowsArm64LinksCgoInternally => false;
    }

    private partial class Go126
    {
        public override bool HasMacVersionFlags => false;
        public override bool ResponseFilesHoldLines => true;
        public override Experiments KnownExperiments => CommonExperiments | RecentExperiments | LaterExperiments | Experiments.GoroutineLeakProfile;
        public override Experiments StandardExperiments => Experiments.RandomizedHeapBase64 | Experiments.GreenTeaGc;
        public override bool S390xRegisterAbiIsOptional => true;
        public override bool LinuxPpc64HasCgo => false;
        public override bool S390xLinksPieInternally => false;
        public override bool HasOpenBsdMips64 => true;
    }

    private sealed partial class Go127
    {
        public override bool HasMacVersionFlags => true;
        public override bool ResponseFilesHoldLines => false;
        public override Experiments KnownExperiments => CommonExperiments | RecentExperiments | LaterExperiments | Experiments.MapSplitGroup;
        public override Experiments StandardExperiments => Experiments.RandomizedHeapBase64 | Experiments.GreenTeaGc
            | Experiments.JsonV2 | Experiments.SizeSpecializedMalloc;
        public override bool S390xRegisterAbiIsOptional => false;
        public override bool LinuxPpc64HasCgo => true;
        public override bool S390xLinksPieInternally => true;
        public override bool HasOpenBsdMips64 => false;
    }
}
