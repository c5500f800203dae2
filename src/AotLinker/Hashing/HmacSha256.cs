namespace AotLinker.Hashing;

/// <summary>HMAC (RFC 2104) with SHA-256; the linker seals the FIPS 140 sections with it (<c>ld.newFipsObj</c>, a key of 32 zeros).</summary>
internal struct HmacSha256
{
    private Sha256 _inner;
    private Sha256 _outer;

    /// <summary>Starts with <paramref name="key"/>, which is hashed first if it is longer than 64 bytes.</summary>
    public HmacSha256(ReadOnlySpan<byte> key)
    {
        Span<byte> pad = stackalloc byte[Sha256.BlockSize];
        pad.Clear();
        if (key.Length > Sha256.BlockSize)
            Sha256.Hash(key, pad[..Sha256.DigestSize]);
        else
            key.CopyTo(pad);

        const byte Inner = 0x36, Outer = 0x5C;
        foreach (ref byte b in pad)
            b ^= Inner;
        _inner = new Sha256();
        _inner.Update(pad);
        foreach (ref byte b in pad)
            b ^= Inner ^ Outer;
        _outer = new Sha256();
        _outer.Update(pad);
    }

    /// <summary>Adds <paramref name="data"/>.</summary>
    public void Update(ReadOnlySpan<byte> data) => _inner.Update(data);

    /// <summary>Stores the code (32 bytes). It is used up.</summary>
    public void Finish(Span<byte> code)
    {
        Span<byte> digest = stackalloc byte[Sha256.DigestSize];
        _inner.Finish(digest);
        _outer.Update(digest);
        _outer.Finish(code);
    }
}
