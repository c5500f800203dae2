using System.Numerics;
using System.Text;

namespace AotLinker.Releases;

/// <summary>
/// The toolchain experiments of all releases, in the order in which version lines and object headers name them: the field
/// order of internal/goexperiment.Flags, which the releases share but for those that one of them lacks.
/// </summary>
[Flags]
internal enum Experiments : uint
{
    None = 0,
    FieldTrack = 1 << 0,
    PreemptibleLoops = 1 << 1,
    StaticLockRanking = 1 << 2,
    BoringCrypto = 1 << 3,
    RegabiWrappers = 1 << 4,
    RegabiArgs = 1 << 5,
    HeapMinimum512KiB = 1 << 6,
    CoverageRedesign = 1 << 7,
    Arenas = 1 << 8,
    CgoCheck2 = 1 << 9,
    LoopVar = 1 << 10,
    CacheProg = 1 << 11,
    NewInliner = 1 << 12,
    RangeFunc = 1 << 13,
    AliasTypeParams = 1 << 14,
    SwissMap = 1 << 15,
    SpinbitMutex = 1 << 16,
    SyncHashTrieMap = 1 << 17,
    Synctest = 1 << 18,
    Dwarf5 = 1 << 19,
    JsonV2 = 1 << 20,
    GreenTeaGc = 1 << 21,
    RandomizedHeapBase64 = 1 << 22,
    RuntimeFreegc = 1 << 23,
    SizeSpecializedMalloc = 1 << 24,
    GoroutineLeakProfile = 1 << 25,
    Simd = 1 << 26,
    RuntimeSecret = 1 << 27,
    MapSplitGroup = 1 << 28,
}

/// <summary>
/// The experiments in force for a release and a target: the release's standard ones changed by GOEXPERIMENT
/// (internal/buildcfg.ParseGOEXPERIMENT).
/// </summary>
internal readonly struct ExperimentSet
{
    private const Experiments RegisterAbi = Experiments.RegabiWrappers | Experiments.RegabiArgs;

    private readonly Experiments _standard;

    private readonly Experiments _known;

    private ExperimentSet(Experiments enabled, Experiments standard, Experiments known)
    {
        Enabled = enabled;
        _standard = standard;
        _known = known;
    }

    /// <summary>The experiments that are on.</summary>
    public Experiments Enabled { get; }

    /// <summary>The names of those that are on, separated by commas: what stands after <c>X:</c> in object headers.</summary>
    public string EnabledList => List(Enabled, Enabled);

    /// <summary>Whether an experiment is on.</summary>
    public bool Has(Experiments experiment) => (Enabled & experiment) != 0;

    /// <summary>
    /// What differs from the standard, <c>no</c> before those that are off; empty where nothing does. This is what stands
    /// after <c>X:</c> in version lines.
    /// </summary>
    public override string ToString() => List(Enabled, Enabled ^ _standard);

    /// <summary>What differs from the standard, or all experiments of the release; <c>no</c> before those that are off.</summary>
    public string Describe(bool all) => all ? List(Enabled, _known) : ToString();

    /// <summary>Computes the set.</summary>
    /// <param name="release">The release.</param>
    /// <param name="goos">GOOS of the target.</param>
    /// <param name="goarch">GOARCH of the target.</param>
    /// <param name="setting">GOEXPERIMENT, or the default the toolchain was built with.</param>
    /// <param name="set">The result; nothing is on where there is an error.</param>
    /// <returns>The error text, or null.</returns>
    public static string? Parse(Release release, string goos, string goarch, string setting, out ExperimentSet set)
    {
        set = default;
        bool hasRegisterAbi = goarch is "amd64" or "arm64" or "loong64" or "ppc64le" or "ppc64" or "riscv64"
            || (goarch is "s390x" && release.HasS390xRegisterAbi);
        bool registerAbiIsOptional = goarch is "s390x" && release.S390xRegisterAbiIsOptional;

        // DWARF 5 is off where the platform's own tools can't read it; the mutex that spins on a bit exchanges single bytes.
        Experiments ofTarget = (hasRegisterAbi ? RegisterAbi : Experiments.None)
            | (goos is "darwin" or "ios" or "aix" ? Experiments.None : Experiments.Dwarf5)
            | (goarch is "386" or "amd64" or "arm" or "arm64" or "ppc64le" or "ppc64" ? Experiments.SpinbitMutex : Experiments.None);
        Experiments standard = release.StandardExperiments | (ofTarget & release.KnownExperiments);
        Experiments enabled = standard;

        foreach (Range part in setting.AsSpan().Split(','))
        {
            ReadOnlySpan<char> name = setting.AsSpan()[part];
            if (name.IsEmpty)
                continue;
            if (name is "none")
            {
                enabled = Experiments.None;
                continue;
            }

            bool off = name.StartsWith("no");
            if (off)
                name = name[2..];
            Experiments named = name is "regabi" ? RegisterAbi : Named(name) & release.KnownExperiments;
            if (named == Experiments.None)
                return $"unknown GOEXPERIMENT {name}";
            enabled = off ? enabled & ~named : enabled | named;
        }

        if (!hasRegisterAbi)
            enabled &= ~RegisterAbi;
        else if (!registerAbiIsOptional)
            enabled |= RegisterAbi;
        if ((enabled & RegisterAbi) == Experiments.RegabiArgs)
            return "GOEXPERIMENT regabiargs requires regabiwrappers";
        set = new ExperimentSet(enabled, standard, release.KnownExperiments);
        return null;
    }

    private static Experiments Named(ReadOnlySpan<char> name)
    {
        for (Experiments experiment = Experiments.FieldTrack; experiment <= Experiments.MapSplitGroup; experiment = (Experiments)((uint)experiment << 1))
        {
            if (name.SequenceEqual(Name(experiment)))
                return experiment;
        }

        return Experiments.None;
    }

    private static string List(Experiments enabled, Experiments which)
    {
        if (which == Experiments.None)
            return "";
        var list = new StringBuilder();
        for (uint rest = (uint)which; rest != 0; rest &= rest - 1)
        {
            var experiment = (Experiments)(1u << BitOperations.TrailingZeroCount(rest));
            if (list.Length > 0)
                list.Append(',');
            if ((enabled & experiment) == 0)
                list.Append("no");
            list.Append(Name(experiment));
        }

        return list.ToString();
    }

    private static string Name(Experiments experiment) => experiment switch
    {
        Experiments.FieldTrack => "fieldtrack",
        Experiments.PreemptibleLoops => "preemptibleloops",
        Experiments.StaticLockRanking => "staticlockranking",
        Experiments.BoringCrypto => "boringcrypto",
        Experiments.RegabiWrappers => "regabiwrappers",
        Experiments.RegabiArgs => "regabiargs",
        Experiments.HeapMinimum512KiB => "heapminimum512kib",
        Experiments.CoverageRedesign => "coverageredesign",
        Experiments.Arenas => "arenas",
        Experiments.CgoCheck2 => "cgocheck2",
        Experiments.LoopVar => "loopvar",
        Experiments.CacheProg => "cacheprog",
        Experiments.NewInliner => "newinliner",
        Experiments.RangeFunc => "rangefunc",
        Experiments.AliasTypeParams => "aliastypeparams",
        Experiments.SwissMap => "swissmap",
        Experiments.SpinbitMutex => "spinbitmutex",
        Experiments.SyncHashTrieMap => "synchashtriemap",
        Experiments.Synctest => "synctest",
        Experiments.Dwarf5 => "dwarf5",
        Experiments.JsonV2 => "jsonv2",
        Experiments.GreenTeaGc => "greenteagc",
        Experiments.RandomizedHeapBase64 => "randomizedheapbase64",
        Experiments.RuntimeFreegc => "runtimefreegc",
        Experiments.SizeSpecializedMalloc => "sizespecializedmalloc",
        Experiments.GoroutineLeakProfile => "goroutineleakprofile",
        Experiments.Simd => "simd",
        Experiments.RuntimeSecret => "runtimesecret",
        Experiments.MapSplitGroup => "mapsplitgroup",
        _ => throw new ArgumentOutOfRangeException(nameof(experiment)),
    };
}
