namespace AotLinker.Compression;

/// <summary>A DEFLATE stream in the making: writes in, compressed bytes out at <see cref="Writer"/>.</summary>
internal abstract class DeflateEncoder : IDisposable
{
    /// <summary>Holds the output.</summary>
    public abstract BlockWriter Writer { get; }

    /// <summary>Starts over, as a new encoder would.</summary>
    public abstract void Reset();

    /// <summary>Adds bytes. The encoder keeps no reference to them.</summary>
    public abstract void Write(ReadOnlySpan<byte> data);

    /// <summary>Compresses what is left and ends the stream on a byte boundary.</summary>
    public abstract void Finish();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The encoder that <c>flate.NewWriter</c> would set up.</summary>
    public static DeflateEncoder Create(DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd) =>
        BlockMatcher.TryCreate(family, level) is { } matcher
            ? new BlockEncoder(matcher, BlockWriter.Create(family, fuseMultiplyAdd))
            : new LazyEncoder123();
}
