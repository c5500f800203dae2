using AotLinker.Compression;
using AotLinker.Mapping;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Makes any part of a section's content; pieces that it cuts through are made whole and copied from. Any thread may read; whoever goes
/// on in a piece that was cut finds it made.
/// </summary>
internal sealed class DwarfReader(LinkContext ctx, DwarfSection section) : IZlibSource, IDisposable
{
    // The constants of a package are one piece, and may be many times as long as what is read at once.
    private Whole? _cut;

    /// <inheritdoc/>
    public long Length => section.Size;

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination) => ReadOn(offset, destination, destination.Length);

    /// <summary>
    /// Makes at least <paramref name="least"/> bytes; the piece that they end in is made whole if there is room for it. Returns how many.
    /// </summary>
    public int ReadOn(long offset, Span<byte> destination, int least)
    {
        int at = 0;
        for (int piece = section.PieceAt(offset); at < least; piece++)
        {
            long start = section.PieceStart(piece);
            int size = checked((int)(section.PieceStart(piece + 1) - start));
            int skip = (int)(offset + at - start);
            if (skip == 0 && size <= destination.Length - at)
            {
                section.Fill(ctx, piece, destination.Slice(at, size));
                at += size;
                continue;
            }
            int taken = Math.Min(size - skip, least - at);
            Copy(piece, size, skip, destination.Slice(at, taken));
            at += taken;
        }
        return at;
    }

    /// <inheritdoc/>
    public void Dispose() => _cut?.Content.Dispose();

    private void Copy(int piece, int size, int skip, Span<byte> destination)
    {
        Whole? whole = Interlocked.Exchange(ref _cut, null);
        if (whole?.Piece != piece)
        {
            whole?.Content.Dispose();
            whole = new Whole(piece, new NativeArray<byte>(size));
            section.Fill(ctx, piece, whole.Content.AsSpan());
        }
        whole.Content.Span(skip, destination.Length).CopyTo(destination);
        if (skip + destination.Length < size)
        {
            whole = Interlocked.Exchange(ref _cut, whole);
        }
        whole?.Content.Dispose();
    }

    private sealed record Whole(int Piece, NativeArray<byte> Content);
}
