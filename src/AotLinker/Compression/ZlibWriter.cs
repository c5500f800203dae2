using AotLinker.Hashing;

namespace AotLinker.Compression;

/// <summary>
/// Compresses to the zlib format (RFC 1950), byte for byte as <c>zlib.NewWriterLevel(w, level)</c> of the given Go family:
/// write, <see cref="Finish"/>, take <see cref="Output"/>, <see cref="Reset"/>, and again. One instance serves one
/// thread at a time; it owns 0.5 to 1 MB of tables and buffers, so a worker should keep its own.
/// </summary>
/// <remarks>
/// <para>
/// <b>Writes.</b> How the data is cut into writes does not matter. In Go there is one exception, the default level of
/// <see cref="DeflateFamily.Go123"/>, whose window moves between writes; this class then does as Go does with all data in
/// one write, which is how the linker uses that level. All other encoders cut the stream at multiples of 65,535 bytes themselves.
/// </para>
/// <para>
/// <b>Fused arithmetic.</b> The 1.27 encoder weighs a new Huffman table with single precision sums of the form x*y+z. Go
/// fuses those into one rounding on arm64, loong64, ppc64, riscv64 and s390x hosts, not on amd64. The last bit of such a sum can, rarely,
/// change a block; so cmd/link's output could depend on the machine it ran on. The amd64 result is the default.
/// </para>
/// </remarks>
internal sealed unsafe class ZlibWriter : IDisposable
{
    private readonly DeflateEncoder _encoder;
    private readonly DeflateLevel _level;
    private Adler32 _checksum;
    private bool _finished;

    /// <param name="fuseMultiplyAdd">Reproduce a cmd/link that ran on a host where Go fuses multiply and add.</param>
    public ZlibWriter(DeflateFamily family, DeflateLevel level, bool fuseMultiplyAdd = false)
    {
        _encoder = DeflateEncoder.Create(family, level, fuseMultiplyAdd);
        _level = level;
        Start();
    }

    /// <summary>The compressed stream: whole only after <see cref="Finish"/>, and valid until the next call.</summary>
    public NativeBuffer Output => _encoder.Writer.Output;

    /// <summary>Adds bytes to the stream.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        ThrowIfFinished();
        _checksum.Update(data);
        _encoder.Write(data);
    }

    /// <summary>Adds <paramref name="count"/> zero bytes, as the linker does for symbols that are larger than their data.</summary>
    public void WriteZeros(long count)
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[1024];
        for (; count > 0; count -= zeros.Length)
            Write(zeros[..(int)long.Min(count, zeros.Length)]);
    }

    /// <summary>Ends the stream.</summary>
    public void Finish()
    {
        ThrowIfFinished();
        _finished = true;
        _encoder.Finish();
        AppendTrailer(_encoder.Writer, _checksum.Value);
    }

    /// <summary>Starts a new stream with the same settings. The output's memory is kept for it.</summary>
    public void Reset()
    {
        _encoder.Reset();
        Start();
    }

    /// <inheritdoc/>
    public void Dispose() => _encoder.Dispose();

    /// <summary>Appends the two bytes that begin a zlib stream (<c>zlib.Writer.writeHeader</c>).</summary>
    internal static void AppendHeader(BlockWriter writer, DeflateLevel level)
    {
        // 32 KiB window, DEFLATE; then the level in two bits, and what makes both a multiple of 31.
        ReadOnlySpan<byte> header = level == DeflateLevel.BestSpeed ? [0x78, 0x01] : [0x78, 0x9C];
        writer.AppendRaw(header);
    }

    /// <summary>Appends the checksum that ends a zlib stream.</summary>
    internal static void AppendTrailer(BlockWriter writer, uint checksum) =>
        writer.AppendRaw([(byte)(checksum >> 24), (byte)(checksum >> 16), (byte)(checksum >> 8), (byte)checksum]);

    private void ThrowIfFinished()
    {
        if (_finished)
            throw new InvalidOperationException("the zlib stream is finished");
    }

    private void Start()
    {
        _checksum = new Adler32();
        _finished = false;
        AppendHeader(_encoder.Writer, _level);
    }
}
