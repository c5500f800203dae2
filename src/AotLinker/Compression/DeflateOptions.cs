namespace AotLinker.Compression;

/// <summary>
/// Which generation of Go's <c>compress/flate</c> to reproduce. DEFLATE leaves the choice of matches and
/// of block boundaries to the encoder, so two encoders agree on bytes only if they make the same choices.
/// </summary>
internal enum DeflateFamily : byte
{
    /// <summary>The encoder of Go 1.23 to 1.26.</summary>
    Go123,

    /// <summary>The encoder as rewritten for Go 1.27.</summary>
    Go127,
}

/// <summary>The two compression levels that the linker asks for; the values are those of <c>compress/flate</c>.</summary>
internal enum DeflateLevel : byte
{
    /// <summary>Level 1 (<c>zlib.BestSpeed</c>): DWARF of ELF and PE (<c>ld.compressSyms</c>).</summary>
    BestSpeed = 1,

    /// <summary>Level 6 (<c>zlib.DefaultCompression</c>): DWARF of Mach-O (<c>machoCompressSection</c>).</summary>
    Default = 6,
}
