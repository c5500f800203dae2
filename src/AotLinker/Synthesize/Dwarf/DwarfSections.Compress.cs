using AotLinker.Compression;
using AotLinker.Layout;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>Compression, and writing to the file with or without it.</summary>
internal sealed partial class DwarfSections
{
    private const int FilePieceSize = Mapping.OutputFile.MaxMade;

    private readonly Dictionary<DwarfSection, CompressedContent> _compressed = [];

    /// <summary>
    /// Compresses each section that gets smaller by it, and gives the sections their final addresses (dwarfcompress). All addresses of
    /// the program are known. The content is made in front of the compressor, so that only the compressed bytes are kept.
    /// </summary>
    public void Compress(LinkContext ctx)
    {
        if (!ctx.Options.CompressDwarf || ctx.Target.IsExternal || ctx.Format.CompressedDwarfHeader(ctx, 0) is null)
        {
            return;
        }
        Source[] sources = [.. Sections.Select(section => new Source(ctx, section))];
        NativeBuffer[] streams = ZlibBatch.Compress(sources, ctx.Release.Deflate, DeflateLevel.BestSpeed, ctx.Workers);
        ctx.Diagnostics.Flush();
        for (int i = 0; i < sources.Length; i++)
        {
            byte[] header = ctx.Format.CompressedDwarfHeader(ctx, Sections[i].Size)!;
            if (header.Length + streams[i].Length < Sections[i].Size)
            {
                _compressed.Add(Sections[i], new CompressedContent(header, streams[i]));
            }
            else
            {
                streams[i].Dispose();
            }
        }
        PlaceSections(ctx);
    }

    /// <summary>Number of pieces a section is written to the file in.</summary>
    public int FilePieceCount(DwarfSection section) => _compressed.TryGetValue(section, out CompressedContent? content)
        ? (int)((content.Length + FilePieceSize - 1) / FilePieceSize)
        : section.PieceCount;

    /// <summary>Offset of a piece from the section's start in the file; behind the last piece: the section's length in the file.</summary>
    public long FilePieceStart(DwarfSection section, int piece) => _compressed.TryGetValue(section, out CompressedContent? content)
        ? Math.Min(content.Length, (long)piece * FilePieceSize)
        : section.PieceStart(piece);

    /// <summary>
    /// Sets the bytes of a piece of the file. Any thread may call it, once for each piece: a compressed section is let go of with its last.
    /// </summary>
    public void FillFilePiece(LinkContext ctx, DwarfSection section, int piece, Span<byte> content)
    {
        if (_compressed.TryGetValue(section, out CompressedContent? compressed))
        {
            compressed.CopyTo((long)piece * FilePieceSize, content);
            if (compressed.CountWritten(content.Length) == compressed.Length)
            {
                compressed.Body.Dispose();
            }
        }
        else
        {
            section.Fill(ctx, piece, content);
        }
    }

    /// <summary>Returns all memory; nothing can be written any more.</summary>
    public void Dispose()
    {
        foreach (CompressedContent content in _compressed.Values)
        {
            content.Body.Dispose();
        }
        _compressed.Clear();
        Sections = [];
        _info.Dispose();
    }

    private void PlaceSections(LinkContext ctx)
    {
        ulong round = (ulong)ctx.Format.DwarfSectionRounding;
        ulong at = ctx.DwarfSegment.Vaddr;
        foreach (DwarfSection section in Sections)
        {
            Section output = section.Output;
            if (_compressed.TryGetValue(section, out CompressedContent? content))
            {
                output.Name = ctx.Format.CompressedDwarfName(section.Name);
                output.Align = ctx.Target.Cpu.AccessAlign(ctx.Release);
                output.Length = (ulong)content.Length;
                output.Compressed = true;
            }
            at = (at + round - 1) / round * round;
            output.Vaddr = at;
            at += output.Length;
        }
        ctx.DwarfSegment.Length = at - ctx.DwarfSegment.Vaddr;
    }

    /// <summary>A compressed section: the format's header and the stream.</summary>
    private sealed unsafe class CompressedContent(byte[] header, NativeBuffer body)
    {
        private long _written;

        public NativeBuffer Body => body;

        public long Length { get; } = header.Length + body.Length;

        /// <summary>Counts what was written, from any thread; returns how much that is by now.</summary>
        public long CountWritten(int bytes) => Interlocked.Add(ref _written, bytes);

        public void CopyTo(long offset, Span<byte> to)
        {
            if (offset < header.Length)
            {
                int n = Math.Min(to.Length, header.Length - (int)offset);
                header.AsSpan((int)offset, n).CopyTo(to);
                to = to[n..];
                offset += n;
            }
            if (offset - header.Length + to.Length > body.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(offset));
            }
            new ReadOnlySpan<byte>(body.Data + (offset - header.Length), to.Length).CopyTo(to);
        }
    }

    /// <summary>A section as the compressor sees it.</summary>
    private sealed class Source(LinkContext ctx, DwarfSection section) : IZlibSource
    {
        public long Length => section.Size;

        public void Read(long offset, Span<byte> destination) => section.Read(ctx, offset, destination);

        public int ReadOn(long offset, Span<byte> destination, int least) => section.ReadOn(ctx, offset, destination, least);
    }
}
