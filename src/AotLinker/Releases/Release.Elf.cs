using AotLinker.Hashing;

namespace AotLinker.Releases;

/// <summary>What differs between releases in ELF files.</summary>
internal abstract partial class Release
{
    /// <summary>
    /// Whether section headers are ordered by address, and .shstrtab has the names of these sections only; if not, headers are in the
    /// order in which they were made, and the names are settled before.
    /// </summary>
    public virtual bool OrdersElfSections => true;

    /// <summary>Bytes of the hash that a Go shared library has of what its packages export: a SHA-256, or its beginning.</summary>
    public virtual int AbiHashSize => Sha256.DigestSize;

    /// <summary>Whether an object has a section for relocations of pclntab, which may be empty.</summary>
    public virtual bool RelocatesObjectPclnTab => false;

    /// <summary>The debug sections whose names are settled before, without ".debug_".</summary>
    /// <param name="isDwarf5">Whether debug information is DWARF 5.</param>
    public virtual string[] SettledDebugSections(bool isDwarf5) =>
    [
        "abbrev", "frame", "info", "loc", "line", "gdb_scripts",
        .. isDwarf5 ? (ReadOnlySpan<string>)["addr", "rnglists", "loclists"] : ["ranges", "loc"],
    ];

    private sealed partial class Go124
    {
        public override int AbiHashSize => 20;
        public override string[] SettledDebugSections(bool isDwarf5) => ["abbrev", "frame", "info", "loc", "line", "gdb_scripts", "ranges"];
    }

    private partial class Go125
    {
        public override bool RelocatesObjectPclnTab => true;
        public override bool OrdersElfSections => false;
    }
}
