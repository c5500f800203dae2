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

    private sealed partial class Go125
    {
        public override bool RefusesCommasInCgoDirectives => false;
        public override bool ExportsOverrideLaterImports => false;
        public override bool RefusesUnknownSyso => false;
    }
}
