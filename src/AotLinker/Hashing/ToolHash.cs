namespace AotLinker.Hashing;

/// <summary>
/// The hashes of <c>cmd/internal/hash</c>, which are SHA-256 made different on purpose, each in its own way: abbreviated
/// symbol names and build IDs use the one, a shared library's ABI note (<c>.note.go.abihash</c>) the other.
/// </summary>
internal static class ToolHash
{
    /// <summary><c>hash.Sum32</c>: the digest with bits of its first byte inverted.</summary>
    /// <param name="data">The data.</param>
    /// <param name="digest">What becomes the digest.</param>
    /// <param name="mask">The bits to invert; releases differ.</param>
    public static void Sum32(ReadOnlySpan<byte> data, Span<byte> digest, byte mask)
    {
        Sha256 hash = new();
        hash.Update(data);
        Finish32(ref hash, digest, mask);
    }

    /// <summary>Ends a <c>hash.Sum32</c> of data that came in pieces.</summary>
    public static void Finish32(ref Sha256 hash, Span<byte> digest, byte mask)
    {
        hash.Finish(digest);
        digest[0] ^= mask;
    }

    /// <summary><c>hash.New32</c>: a hash with one byte of 1 already in.</summary>
    public static Sha256 New32()
    {
        var hash = new Sha256();
        hash.Update([1]);
        return hash;
    }
}
