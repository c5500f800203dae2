namespace AotLinker.Releases;

/// <summary>What differs between releases in the tables the linker makes for the runtime.</summary>
internal abstract partial class Release
{
    /// <summary>
    /// Whether a package is the runtime or one it imports; their functions come first (objabi.LookupPkgSpecial).
    /// </summary>
    public virtual bool IsRuntimePackage(string path) => path is "runtime"
        or "internal/runtime/atomic" or "internal/runtime/cgroup" or "internal/runtime/exithook" or "internal/runtime/gc"
        or "internal/runtime/maps" or "internal/runtime/math" or "internal/runtime/sys"
        or "internal/abi" or "internal/bytealg" or "internal/byteorder" or "internal/chacha8rand" or "internal/coverage/rtcov"
        or "internal/cpu" or "internal/goarch" or "internal/godebugs" or "internal/goexperiment" or "internal/goos"
        or "internal/profilerecord" or "internal/stringslite"
        || IsOwnRuntimePackage(path);

    /// <summary>The same for packages that not every release has in its runtime.</summary>
    protected virtual bool IsOwnRuntimePackage(string path) => path is "internal/runtime/gc/scan"
        or "internal/runtime/syscall/linux" or "internal/runtime/syscall/windows" or "internal/strconv";

    /// <summary>
    /// Whether the runtime finds types and itabs by tables of references (runtime.typelink, runtime.itablink), rather than by their
    /// order in the type section.
    /// </summary>
    public abstract bool HasTypeLinkTables { get; }

    /// <summary>
    /// Whether type and function descriptors are read-only data that becomes "relro" only where addresses are relocated at run time,
    /// rather than having sections of their own always.
    /// </summary>
    public abstract bool MovesDescriptorsToRelRo { get; }

    /// <summary>Whether GC programs (type:.gcprog.*) are laid out with the GC masks.</summary>
    public abstract bool GroupsGcPrograms { get; }

    /// <summary>
    /// Whether funcdata is a part of pclntab, which begins at go:func.*; if not, it is read-only data like any other, in the group of that
    /// name together with function values.
    /// </summary>
    public virtual bool PclnTabHoldsFuncData => true;

    /// <summary>
    /// Whether pclntab may need relocation at run time, for its header tells where the text begins, and so lies behind the type links; its
    /// parts are aligned by their sizes.
    /// </summary>
    public virtual bool RelocatesPclnTab => false;

    /// <summary>Whether moduledata tells how many entries the table of units' files has, rather than its bytes.</summary>
    public virtual bool CountsUnitTableEntries => true;

    /// <summary>Whether moduledata is a section of its own (.go.module), rather than pointer-free data.</summary>
    public virtual bool HasModuleDataSection => true;

    /// <summary>
    /// Whether a function that recovers from a panic is resumed where it loads the GOT's address for its call of runtime.deferreturn, rather
    /// than at the call itself. That matters for 386 alone.
    /// </summary>
    public virtual bool ResumesAtGotLoad => true;

    /// <summary>Whether there is an empty section .gosymtab, between runtime.symtab and runtime.esymtab.</summary>
    public virtual bool HasSymbolTableSection => false;

    /// <summary>Whether a function that asks for a smaller alignment than usual gets it.</summary>
    public virtual bool FunctionsMayBeAlignedLess => false;

    /// <summary>
    /// Whether tables for the runtime count functions where a pc is a function's number and a place in it, rather than hold pcs.
    /// </summary>
    public virtual bool TablesCountFunctions => true;

    /// <summary>The unit of code addresses in riscv64's tables (sys.ArchRISCV64.MinLC).</summary>
    public virtual int RiscVMinLc => 2;

    /// <summary>What stands for function values in the symbol table.</summary>
    public virtual ReadOnlySpan<byte> FunctionValues => "go:funcdesc"u8;

    /// <summary>What stands for function values that need relocation at run time.</summary>
    public virtual ReadOnlySpan<byte> RelocatedFunctionValues => "go:funcdescrel"u8;

    private sealed partial class Go124
    {
        public override bool FunctionsMayBeAlignedLess => true;
        public override bool TablesCountFunctions => false;
        public override bool ResumesAtGotLoad => false;

        // The linker has a list of its own, with packages that look like the runtime's (isRuntimeDepPkg).
        public override bool IsRuntimePackage(string path) => path is "runtime" or "sync/atomic" or "unsafe"
            or "internal/abi" or "internal/asan" or "internal/bytealg" or "internal/byteorder" or "internal/chacha8rand"
            or "internal/coverage/rtcov" or "internal/cpu" or "internal/goarch" or "internal/godebugs" or "internal/goexperiment"
            or "internal/goos" or "internal/msan" or "internal/profilerecord" or "internal/race" or "internal/stringslite"
            || ((path.StartsWith("runtime/internal/", StringComparison.Ordinal) || path.StartsWith("internal/runtime/", StringComparison.Ordinal))
                && !path.EndsWith("_test", StringComparison.Ordinal));
    }

    private partial class Go125
    {
        public override bool PclnTabHoldsFuncData => false;
        public override bool RelocatesPclnTab => true;
        public override bool CountsUnitTableEntries => false;
        public override bool HasModuleDataSection => false;
        public override bool HasSymbolTableSection => true;
        public override int RiscVMinLc => 4;
        public override ReadOnlySpan<byte> FunctionValues => "go:func.*"u8;
        public override ReadOnlySpan<byte> RelocatedFunctionValues => "go:funcrel.*"u8;

        protected override bool IsOwnRuntimePackage(string path) => path is "internal/runtime/strconv" or "internal/runtime/syscall";
    }

    private partial class Go126
    {
        public override bool HasTypeLinkTables => true;
        public override bool MovesDescriptorsToRelRo => true;
        public override bool GroupsGcPrograms => true;
    }

    private sealed partial class Go127
    {
        public override bool HasTypeLinkTables => false;
        public override bool MovesDescriptorsToRelRo => false;
        public override bool GroupsGcPrograms => false;
    }
}
