using AotLinker.Compression;
using AotLinker.Layout;
using AotLinker.Mapping;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>Compression, and writing to the file with or without it.</summary>
internal sealed partial class DwarfSections
{
    private const int FilePieceSize = 1 << 20;

    private readonly Dictionary<DwarfSection, CompressedContent> _compressed = [];

    /// <summary>
    /// Compresses each section that gets smaller by it, and gives the sections their final addresses (dwarfcompress). All addresses of
    /// the program are known. The content is made piece by piece in front of the compressor, so that only the compressed bytes are kept.
    /// </summary>
    public void Compress(LinkContext ctx)
    {
        if (!ctx.Options.CompressDwarf || ctx.Target.IsExternal || ctx.Format.CompressedDwarfHeader(ctx, 0) is null)
        {
            return;
        }
        // The largest first, so that the threads are done at about the same time.
        DwarfSection[] bySize = [.. Sections];
        Array.Sort(bySize, (x, y) => y.Size.CompareTo(x.Size));
        CompressedContent?[] results = new CompressedContent?[bySize.Length];
        SectionCompressor?[] compressors = new SectionCompressor?[ctx.Workers.Threads];
        ctx.Workers.ForChunks(bySize.Length, 1, (i, _, worker) =>
            results[i] = (compressors[worker] ??= new SectionCompressor(ctx)).Compress(bySize[i]));
        foreach (SectionCompressor? compressor in compressors)
        {
            compressor?.Dispose();
        }
        ctx.Diagnostics.Flush();
        for (int i = 0; i < bySize.Length; i++)
        {
            if (results[i] is { } content)
            {
                _compressed.Add(bySize[i], content);
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

    /// <summary>Sets the bytes of a piece of the file. Any thread may call it.</summary>
    public void FillFilePiece(LinkContext ctx, DwarfSection section, int piece, Span<byte> content)
    {
        if (_compressed.TryGetValue(section, out CompressedContent? compressed))
        {
            compressed.CopyTo((long)piece * FilePieceSize, content);
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
                output.Align = ctx.Target.Cpu.AccessAlign;
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
        public NativeBuffer Body => body;

        public long Length => header.Length + body.Length;

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

    /// <summary>Compresses sections one after the other; serves one thread.</summary>
    private sealed class SectionCompressor(LinkContext ctx) : IDisposable
    {
        private readonly ZlibWriter _writer = new(ctx.Release.Deflate, DeflateLevel.BestSpeed);
        private readonly NativeArray<byte> _buffer = new(256 << 10);
        private bool _used;

        /// <summary>The compressed section; null if it would not be smaller.</summary>
        public CompressedContent? Compress(DwarfSection section)
        {
            if (_used)
            {
                _writer.Reset();
            }
            _used = true;
            for (int i = 0; i < section.PieceCount; i++)
            {
                int length = checked((int)(section.PieceStart(i + 1) - section.PieceStart(i)));
                if (length > _buffer.Length)
                {
                    _buffer.Resize(length);
                }
                Span<byte> piece = _buffer.Span(0, length);
                section.Fill(ctx, i, piece);
                _writer.Write(piece);
            }
            _writer.Finish();
            byte[] header = ctx.Format.CompressedDwarfHeader(ctx, section.Size)!;
            if (header.Length + _writer.Output.Length >= section.Size)
            {
                return null;
            }
            NativeBuffer body = _writer.TakeOutput();
            body.TrimExcess();
            return new CompressedContent(header, body);
        }

        public void Dispose()
        {
            _writer.Dispose();
            _buffer.Dispose();
        }
    }
}
