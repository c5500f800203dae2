using AotLinker.Compression;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Releases;

/// <summary>
/// What differs between Go releases, as data and small decisions. Passes ask here and never compare release numbers.
/// </summary>
internal abstract partial class Release
{
    private static readonly Release[] All = [new Go124(), new Go125(), new Go126(), new Go127()];

    /// <summary>Major and minor, as in "1.27".</summary>
    public abstract string Name { get; }

    /// <summary>The relocation kind (<see cref="RelocKind"/>) for each number in an object file.</summary>
    public abstract ReadOnlySpan<byte> RelocKinds { get; }

    /// <summary>The symbol kind for each number in an object file (cmd/internal/objabi.SymKind).</summary>
    public virtual ReadOnlySpan<byte> ObjectSymbolKinds => Go127Tables.ObjectSymbolKinds;

    /// <summary>How data is distributed over sections.</summary>
    public abstract DataPlan DataPlan { get; }

    /// <summary>The symbol kinds by the number the release gives them; messages name kinds by it.</summary>
    public abstract ReadOnlySpan<byte> SymbolKindNumbers { get; }

    /// <summary>The builtin symbols by index; one per line, the ABI's digit first.</summary>
    public abstract ReadOnlySpan<byte> Builtins { get; }

    /// <summary>The flag of a symbol marked by go:linknamestd; none where the release has no such mark.</summary>
    public abstract SymbolFlags2 LinknameStdFlag { get; }

    /// <summary>The flag of an ABI wrapper.</summary>
    public abstract SymbolFlags2 AbiWrapperFlag { get; }

    /// <summary>The flag of a WebAssembly export.</summary>
    public abstract SymbolFlags2 WasmExportFlag { get; }

    /// <summary>The WebAssembly type for each number that objects give the type of a parameter (obj.WasmFieldType).</summary>
    public abstract ReadOnlySpan<byte> WasmFieldTypes { get; }

    /// <summary>Whether a dupok definition replaces or is compared with an existing one only if that is dupok as well.</summary>
    public abstract bool DupOkNeedsDupOk { get; }

    /// <summary>Whether variables of one name and different sizes, one with content and one without, are one of the larger size.</summary>
    public virtual bool MergesSizes => true;

    /// <summary>Whether references from assembly objects count as linkname references that must be allowed.</summary>
    public abstract bool ChecksAssemblyLinknames { get; }

    /// <summary>The restricted linknames: one per line, the symbol and then the packages allowed, separated by spaces.</summary>
    public abstract ReadOnlySpan<byte> BlockedLinknames { get; }

    /// <summary>Whether system calls of a GOOS need more stack than usual.</summary>
    protected virtual bool HasLargeSystemCalls(string goos) => goos is "aix" or "openbsd";

    /// <summary>How many times the usual room a stack check guarantees (objabi.stackGuardMultiplier).</summary>
    public int StackGuardMultiplier(string goos, bool race) => 1 + (HasLargeSystemCalls(goos) ? 1 : 0) + (race ? 1 : 0);

    /// <summary>Pointer-sized words in a map's type descriptor behind the common part, apart from its 32-bit flags (abi.MapType).</summary>
    protected abstract int MapDescriptorWords { get; }

    /// <summary>Bytes of a map's type descriptor behind the common part; its flags are padded to a pointer's size.</summary>
    protected virtual int MapRecordExtra(int pointerSize) => (MapDescriptorWords * pointerSize) + (pointerSize == 8 ? 8 : 4);

    /// <summary>Pointer-sized words in an interface's descriptor behind the common part, as the linker counts them.</summary>
    protected abstract int InterfaceDescriptorWords { get; }

    /// <summary>Bytes of a kind's type descriptor behind the part common to all kinds (abi.RTypeSize).</summary>
    public int TypeRecordExtra(GoKind kind, int pointerSize) => kind switch
    {
        GoKind.Struct => 4 * pointerSize,
        GoKind.Pointer or GoKind.Func or GoKind.Slice => pointerSize,
        GoKind.Array => 3 * pointerSize,
        GoKind.Chan => 2 * pointerSize,
        GoKind.Map => MapRecordExtra(pointerSize),
        GoKind.Interface => InterfaceDescriptorWords * pointerSize,
        _ => 0,
    };

    /// <summary>The bits of a type descriptor's kind that name the kind; another may say how interfaces hold values of the type.</summary>
    public virtual int KindMask => 0xff;

    /// <summary>Whether content-hashed functions are local in the output's symbol table: some have the same name.</summary>
    public abstract bool HashedTextIsLocal { get; }

    /// <summary>
    /// Whether ELF headers name the interpreters of the CPUs' psABI documents, and ppc64 is ELFv2 in either byte order.
    /// </summary>
    public abstract bool FollowsElfSupplements { get; }

    /// <summary>The bits of a hash's first byte that tell it from SHA-256 (cmd/internal/hash.Sum32).</summary>
    public virtual byte ToolHashMask => 0xff;

    /// <summary>The first of a hash's bytes that abbreviated names of types are made of.</summary>
    public virtual int ShortHashStart => 0;

    /// <summary>Whether messages about values that don't fit their fields name the relocation.</summary>
    public virtual bool NamesRelocationsThatDontFit => true;

    /// <summary>The DEFLATE encoder of the release's toolchain.</summary>
    public abstract DeflateFamily Deflate { get; }

    /// <summary>
    /// Whether the group symbols that GCC makes for preprocessor symbols in debug information are left out of host objects.
    /// </summary>
    public abstract bool SkipsMacroGroups { get; }

    /// <summary>The release as experiments change it, where they change what the linker knows.</summary>
    public virtual Release With(ExperimentSet experiments) => this;

    /// <summary>Names of all releases known, oldest first.</summary>
    public static IEnumerable<string> KnownNames => All.Select(r => r.Name);

    /// <summary>
    /// The release of a version string such as "go1.27.4" or "go1.27-X:foo"; null if it is none of those known. A development
    /// version, whose formats may be anything between two releases, is not known either.
    /// </summary>
    public static Release? ForVersion(ReadOnlySpan<char> version)
    {
        if (version.Contains("devel", StringComparison.Ordinal))
            return null;
        foreach (Release release in All)
        {
            string name = release.Name;
            if (version.StartsWith("go", StringComparison.Ordinal) && version[2..].StartsWith(name, StringComparison.Ordinal)
                && (version.Length == 2 + name.Length || !char.IsAsciiDigit(version[2 + name.Length])))
            {
                return release;
            }
        }
        return null;
    }

    /// <summary>Go 1.24, which is 1.25 but for what that changed.</summary>
    /// <param name="hasBucketMaps">As for <see cref="Go125"/>.</param>
    private sealed partial class Go124(bool hasBucketMaps = false) : Go125(hasBucketMaps)
    {
        private static readonly Go124 WithBucketMaps = new(hasBucketMaps: true);

        public override string Name => "1.24";
        public override ReadOnlySpan<byte> RelocKinds => Go124Tables.RelocKinds;
        public override ReadOnlySpan<byte> ObjectSymbolKinds => Go124Tables.ObjectSymbolKinds;
        public override ReadOnlySpan<byte> SymbolKindNumbers => Go124Tables.SymbolKindNumbers;
        public override ReadOnlySpan<byte> Builtins => Go124Tables.Builtins;
        public override ReadOnlySpan<byte> BlockedLinknames => Go124Tables.BlockedLinknames;
        public override bool MergesSizes => false;
        public override byte ToolHashMask => 1;
        public override int ShortHashStart => 4;
        public override bool NamesRelocationsThatDontFit => false;
        public override Release With(ExperimentSet experiments) => experiments.Has(Experiments.SwissMap) ? this : WithBucketMaps;
    }

    /// <summary>Go 1.25, which is 1.26 but for what that changed.</summary>
    /// <param name="hasBucketMaps">Whether GOEXPERIMENT=noswissmap brings back the maps of earlier releases.</param>
    private partial class Go125(bool hasBucketMaps = false) : Go126
    {
        private static readonly Go125 WithBucketMaps = new(hasBucketMaps: true);

        public override string Name => "1.25";
        public override ReadOnlySpan<byte> RelocKinds => Go125Tables.RelocKinds;
        public override DataPlan DataPlan => DataPlan125.Instance;
        public override ReadOnlySpan<byte> SymbolKindNumbers => Go125Tables.SymbolKindNumbers;
        public override ReadOnlySpan<byte> Builtins => Go125Tables.Builtins;
        public override ReadOnlySpan<byte> BlockedLinknames => Go125Tables.BlockedLinknames;
        public override int KindMask => 0x1f;
        public override Release With(ExperimentSet experiments) => experiments.Has(Experiments.SwissMap) ? this : WithBucketMaps;

        // Maps of buckets: four pointers, sizes of a key, a value and a bucket in four bytes, and flags.
        protected override int MapRecordExtra(int pointerSize) =>
            hasBucketMaps ? (4 * pointerSize) + 8 : base.MapRecordExtra(pointerSize);
    }

    private partial class Go126 : Release
    {
        public override DeflateFamily Deflate => DeflateFamily.Go123;
        public override string Name => "1.26";
        public override ReadOnlySpan<byte> RelocKinds => Go126Tables.RelocKinds;
        public override DataPlan DataPlan => DataPlan126.Instance;
        public override ReadOnlySpan<byte> SymbolKindNumbers => Go126Tables.SymbolKindNumbers;
        public override ReadOnlySpan<byte> Builtins => Go126Tables.Builtins;
        public override SymbolFlags2 LinknameStdFlag => SymbolFlags2.None;
        public override SymbolFlags2 AbiWrapperFlag => SymbolFlags2.Bit5;
        public override SymbolFlags2 WasmExportFlag => SymbolFlags2.Bit6;
        public override ReadOnlySpan<byte> WasmFieldTypes => [0x7f, 0x7e, 0x7d, 0x7c, 0x7f, 0x7f];
        public override bool DupOkNeedsDupOk => false;
        public override bool ChecksAssemblyLinknames => false;
        public override ReadOnlySpan<byte> BlockedLinknames => Go126Tables.BlockedLinknames;
        public override bool HashedTextIsLocal => false;
        public override bool FollowsElfSupplements => false;
        public override bool SkipsMacroGroups => false;
        protected override int MapDescriptorWords => 7;
        protected override int InterfaceDescriptorWords => 3;
    }

    private sealed partial class Go127 : Release
    {
        public override DeflateFamily Deflate => DeflateFamily.Go127;
        public override string Name => "1.27";
        public override ReadOnlySpan<byte> RelocKinds => Go127Tables.RelocKinds;
        public override DataPlan DataPlan => DataPlan127.Instance;
        public override ReadOnlySpan<byte> SymbolKindNumbers => Go127Tables.SymbolKindNumbers;
        public override ReadOnlySpan<byte> Builtins => Go127Tables.Builtins;
        public override SymbolFlags2 LinknameStdFlag => SymbolFlags2.Bit5;
        public override SymbolFlags2 AbiWrapperFlag => SymbolFlags2.Bit6;
        public override SymbolFlags2 WasmExportFlag => SymbolFlags2.Bit7;
        public override ReadOnlySpan<byte> WasmFieldTypes => [0x7f, 0x7e, 0x7d, 0x7c, 0x7f, 0x7b, 0x7f];
        public override bool DupOkNeedsDupOk => true;
        public override bool ChecksAssemblyLinknames => true;
        public override ReadOnlySpan<byte> BlockedLinknames => Go127Tables.BlockedLinknames;
        public override bool HashedTextIsLocal => true;
        public override bool FollowsElfSupplements => true;
        public override bool SkipsMacroGroups => true;
        protected override int MapDescriptorWords => 10;
        protected override int InterfaceDescriptorWords => 4;
    }
}
