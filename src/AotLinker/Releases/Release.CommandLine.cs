namespace AotLinker.Releases;

/// <summary>What differs between releases in the command line, the ports and the experiments.</summary>
internal abstract partial class Release
{
    /// <summary>The newest release known, which stands in where the release isn't known (yet).</summary>
    public static Release Newest => All[^1];

    /// <summary>The releases known, for messages: <c>Go 1.26 and Go 1.27</c>.</summary>
    public static string KnownForMessage => string.Join(" and ", KnownNames.Select(name => "Go " + name));

    /// <summary>Whether the linker has the flags -macos and -macsdk.</summary>
    public abstract bool HasMacVersionFlags { get; }

    /// <summary>Whether a response file has one escaped argument on each line, rather than GCC's quoting.</summary>
    public abstract bool ResponseFilesHoldLines { get; }

    /// <summary>The experiments that GOEXPERIMENT may name.</summary>
    public abstract Experiments KnownExperiments { get; }

    /// <summary>The experiments that are on by default, apart from those that depend on the target.</summary>
    public abstract Experiments StandardExperiments { get; }

    /// <summary>Whether the register ABI can be switched off on s390x.</summary>
    public abstract bool S390xRegisterAbiIsOptional { get; }

    /// <summary>Whether linux/ppc64 has cgo, and with it all build modes of its little-endian sibling.</summary>
    public abstract bool LinuxPpc64HasCgo { get; }

    /// <summary>Whether PIE is linked internally for linux/s390x.</summary>
    public abstract bool S390xLinksPieInternally { get; }

    /// <summary>Whether openbsd/mips64 is a port.</summary>
    public abstract bool HasOpenBsdMips64 { get; }

    private const Experiments CommonExperiments =
        Experiments.FieldTrack | Experiments.PreemptibleLoops | Experiments.StaticLockRanking | Experiments.BoringCrypto
        | Experiments.RegabiWrappers | Experiments.RegabiArgs | Experiments.HeapMinimum512KiB | Experiments.Arenas
        | Experiments.CgoCheck2 | Experiments.LoopVar | Experiments.NewInliner | Experiments.Dwarf5 | Experiments.JsonV2
        | Experiments.GreenTeaGc | Experiments.RandomizedHeapBase64 | Experiments.RuntimeFreegc
        | Experiments.SizeSpecializedMalloc | Experiments.Simd | Experiments.RuntimeSecret;

    private sealed partial class Go126
    {
        public override bool HasMacVersionFlags => false;
        public override bool ResponseFilesHoldLines => true;
        public override Experiments KnownExperiments => CommonExperiments | Experiments.GoroutineLeakProfile;
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
        public override Experiments KnownExperiments => CommonExperiments | Experiments.MapSplitGroup;
        public override Experiments StandardExperiments => Experiments.RandomizedHeapBase64 | Experiments.GreenTeaGc
            | Experiments.JsonV2 | Experiments.SizeSpecializedMalloc;
        public override bool S390xRegisterAbiIsOptional => false;
        public override bool LinuxPpc64HasCgo => true;
        public override bool S390xLinksPieInternally => true;
        public override bool HasOpenBsdMips64 => false;
    }
}
