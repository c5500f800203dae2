using AotLinker.Compression;
using AotLinker.Layout;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>Compression.</summary>
internal sealed partial class DwarfSections
{
    /// <summary>
    /// Compresses each section that gets smaller by it, and gives the sections their final addresses (dwarfcompress). All addresses of the
    /// program are known, and so is the place of this segment in the file, as it is the last one: the content is made in front of the
    /// compressor, and the compressed bytes go to the file, so that neither is kept. Does nothing where nothing is to be compressed; otherwise
    /// all is written then, and these sections are no longer needed.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="write">Writes bytes at an offset of the output, whose length is not known yet.</param>
    public void Compress(LinkContext ctx, Action<long, ReadOnlySpan<byte>> write)
    {
        if (!ctx.Options.CompressDwarf || ctx.Target.IsExternal || ctx.Format.CompressedDwarfHeader(ctx, 0) is null)
        {
            return;
        }
        AddressLayout.AssignFileOffsets(ctx);
        DwarfReader[] sources = [.. Sections.Select(section => new DwarfReader(ctx, section))];
        using (CompressedSections sink = new(ctx, Sections, write))
        {
            ZlibBatch.Compress(sources, sink, ctx.Release.Deflate, DeflateLevel.BestSpeed, ctx.Workers);
        }
        foreach (DwarfReader source in sources)
        {
            source.Dispose();
        }
        ctx.Diagnostics.Flush();
        ctx.DwarfSegment.Length = Sections.Count == 0 ? 0 : Sections[^1].Output.End - ctx.DwarfSegment.Vaddr;
        Dispose();
    }

    /// <summary>Returns all memory; nothing can be written any more.</summary>
    public void Dispose()
    {
        Sections = [];
        _info.Dispose();
    }
}
