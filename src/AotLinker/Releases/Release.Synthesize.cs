namespace AotLinker.Releases;

/// <summary>What differs between releases in the tables the linker makes for the runtime.</summary>
internal abstract partial class Release
{
    /// <summary>
    /// Whether a package is the runtime or one it imports; their functions come first (objabi.LookupPkgSpecial). The same list in all
    /// releases known.
    /// </summary>
    public virtual bool IsRuntimePackage(string path) => path is "runtime"
        or "internal/runtime/atomic" or "internal/runtime/cgroup" or "internal/runtime/exithook" or "internal/runtime/gc"
        or "internal/runtime/gc/scan" or "internal/runtime/maps" or "internal/runtime/math" or "internal/runtime/sys"
        or "internal/runtime/syscall/linux" or "internal/runtime/syscall/windows"
        or "internal/abi" or "internal/bytealg" or "internal/byteorder" or "internal/chacha8rand" or "internal/coverage/rtcov"
        or "internal/cpu" or "internal/goarch" or "internal/godebugs" or "internal/goexperiment" or "internal/goos"
        or "internal/profilerecord" or "internal/strconv" or "internal/stringslite";

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

    private sealed partial class Go126
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
