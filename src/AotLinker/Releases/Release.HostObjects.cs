namespace AotLinker.Releases;

/// <summary>What differs between releases in cgo directives and host objects.</summary>
internal abstract partial class Release
{
    /// <summary>Whether names and paths in cgo directives may not contain commas.</summary>
    public virtual bool RefusesCommasInCgoDirectives => true;

    /// <summary>
    /// Whether an exported symbol stays so when a dynamic import of it follows, and an export also overrides an import that names no
    /// library.
    /// </summary>
    public virtual bool ExportsOverrideLaterImports => true;

    /// <summary>Whether a .syso file in a format that isn't known is an error, rather than left to an external linker.</summary>
    public virtual bool RefusesUnknownSyso => true;

    /// <summary>Whether calls and addresses of host objects for loong64 may take instructions for other distances than usual.</summary>
    public virtual bool LinksLoongDistances => true;

    /// <summary>Whether symbols that tools for riscv64 and loong64 leave behind are left out of host objects.</summary>
    public virtual bool SkipsHostMarks => true;

    /// <summary>Whether jumps and data of host objects for riscv64 are linked.</summary>
    public virtual bool LinksRiscVData => true;

    /// <summary>Whether the thunks of position-independent code for 386 stay a host object's where it brings them.</summary>
    public virtual bool KeepsThunksOfObjects => true;

    /// <summary>
    /// Whether the second relocation of a difference in Mach-O objects counts from the end of its field, and arm64 has such, and pointers
    /// to the GOT.
    /// </summary>
    public virtual bool KnowsMachODifferences => true;

    /// <summary>Whether imports that Mach-O objects bind weakly may be missing when the program starts.</summary>
    public virtual bool KeepsWeakImports => true;

    /// <summary>
    /// Whether each CPU has relocation types of its own in PE objects. If not, 386 and amd64 take either's, 32-bit addresses of amd64 are
    /// distances, and arm64 knows only addresses.
    /// </summary>
    public virtual bool SeparatesPeRelocations => true;

    private sealed partial class Go124
    {
        public override bool SkipsHostMarks => false;
    }

    private partial class Go125
    {
        public override bool LinksLoongDistances => false;
        public override bool LinksRiscVData => false;
        public override bool KeepsThunksOfObjects => false;
        public override bool KnowsMachODifferences => false;
        public override bool KeepsWeakImports => false;
        public override bool SeparatesPeRelocations => false;
        public override bool RefusesCommasInCgoDirectives => false;
        public override bool ExportsOverrideLaterImports => false;
        public override bool RefusesUnknownSyso => false;
    }
}
