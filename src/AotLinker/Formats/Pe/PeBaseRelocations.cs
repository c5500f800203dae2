using System.Buffers.Binary;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// .reloc: where the image holds addresses that the system must change when it loads the image elsewhere (ld.addPEBaseReloc). A block for
/// each page that has some: the page's address, the block's length, and 16 bits for each place, kind and offset in the page. Blocks are
/// in the order of pages, places in the order of functions, then data, and an odd number of them is made even.
/// </summary>
internal static class PeBaseRelocations
{
    private const int PageShift = 12;
    private const int BlockHeaderSize = 8;
    private const int ChunkSize = 1 << 12;

    // Marks a place of 32 bits; image addresses end below.
    private const uint NarrowBit = 1u << 31;

    /// <summary>Makes the section's content, once all addresses are known. To be disposed.</summary>
    /// <exception cref="LinkException">An address stands in a field of neither 32 nor 64 bits.</exception>
    public static NativeArray<byte> Build(LinkContext ctx)
    {
        int textCount = ctx.Text.Count;
        int count = textCount + ctx.Data.Length;
        uint[][] places = new uint[(count + ChunkSize - 1) / ChunkSize][];
        ctx.Workers.ForChunks(count, ChunkSize, (from, to, _) =>
        {
            List<uint> found = [];
            for (int i = from; i < to; i++)
                AddPlaces(ctx, i < textCount ? ctx.Text[i] : new SymbolId(ctx.Data[i - textCount]), found);
            places[from / ChunkSize] = [.. found];
        });
        return Group(places);
    }

    /// <summary>Puts places into blocks.</summary>
    /// <param name="chunks">The places in order; the top bit is set for those of 32 bits.</param>
    internal static NativeArray<byte> Group(uint[][] chunks)
    {
        uint last = 0;
        foreach (uint[] chunk in chunks)
        {
            foreach (uint place in chunk)
                last = Math.Max(last, place & ~NarrowBit);
        }
        int[] counts = new int[(last >> PageShift) + 1];
        foreach (uint[] chunk in chunks)
        {
            foreach (uint place in chunk)
                counts[(place & ~NarrowBit) >> PageShift]++;
        }
        long[] next = new long[counts.Length];
        long length = 0;
        for (int page = 0; page < counts.Length; page++)
        {
            next[page] = length + BlockHeaderSize;
            length += BlockLength(counts[page]);
        }

        NativeArray<byte> content = new(length);
        Span<byte> bytes = content.AsSpan();
        bytes.Clear();
        for (int page = 0; page < counts.Length; page++)
        {
            if (counts[page] != 0)
            {
                Span<byte> header = bytes[(int)(next[page] - BlockHeaderSize)..];
                BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)page << PageShift);
                BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)BlockLength(counts[page]));
            }
        }
        foreach (uint[] chunk in chunks)
        {
            foreach (uint place in chunk)
            {
                uint kind = (place & NarrowBit) != 0 ? PeConstants.BaseRelocation32 : PeConstants.BaseRelocation64;
                ref long at = ref next[(place & ~NarrowBit) >> PageShift];
                BinaryPrimitives.WriteUInt16LittleEndian(bytes[(int)at..], (ushort)((kind << PageShift) | (place & ((1 << PageShift) - 1))));
                at += 2;
            }
        }
        return content;
    }

    private static int BlockLength(int count) => count == 0 ? 0 : BlockHeaderSize + (2 * (count + (count & 1)));

    private static void AddPlaces(LinkContext ctx, SymbolId s, List<uint> places)
    {
        RelocList relocs = ctx.Symbols.Relocs(s);
        if (relocs.Count == 0 || !ctx.Symbols.IsReachable(s))
            return;
        long address = ctx.Symbols.Value(s) - ctx.Format.ImageBase;
        for (int i = 0; i < relocs.Count; i++)
        {
            ref readonly RelocRecord r = ref relocs[i];
            if (r.Size == 0 || relocs.Kind(i) != RelocKind.Addr || relocs.Target(i).IsNone)
                continue;
            uint place = (uint)(address + r.Offset);
            places.Add(r.Size switch
            {
                4 => place | NarrowBit,
                8 => place,
                _ => throw new LinkException($"unsupported relocation size {r.Size}\n"),
            });
        }
    }
}
