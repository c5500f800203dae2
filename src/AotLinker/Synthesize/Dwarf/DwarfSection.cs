using System.Buffers;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// One section of debug information: its size is known when dwarfGenerateDebugSyms is over, its bytes can be made, piece by piece and
/// from any thread, once all addresses are known.
/// </summary>
/// <remarks>
/// Content is never held as a whole. It is made where it goes: in a slice of the output, or in a small buffer in front of the
/// compressor. Pieces lie side by side without gaps.
/// </remarks>
internal abstract class DwarfSection(string name)
{
    /// <summary>Name of the section before compression, ".debug_info".</summary>
    public string Name { get; } = name;

    /// <summary>The symbol that stands for the section (dwarfSecInfo.secSym).</summary>
    public SymbolId Symbol { get; set; }

    /// <summary>The section of the output. Set by dodata (<see cref="DwarfSections.AllocateSections"/>).</summary>
    public Section Output
    {
        get => field ?? throw new InvalidOperationException($"{Name} has no output section yet");
        set;
    }

    /// <summary>Size of the content in bytes, before compression.</summary>
    public abstract long Size { get; }

    /// <summary>Number of pieces the content is made in.</summary>
    public abstract int PieceCount { get; }

    /// <summary>Offset of a piece in the content; the offset of the piece behind the last is <see cref="Size"/>.</summary>
    public abstract long PieceStart(int piece);

    /// <summary>Makes a piece: relocated, and all of <paramref name="content"/> set. Any thread may call it.</summary>
    public abstract void Fill(LinkContext ctx, int piece, Span<byte> content);

    /// <summary>
    /// Makes any part of the content; pieces that it cuts through are made whole and copied from. Any thread may call it.
    /// </summary>
    public void Read(LinkContext ctx, long offset, Span<byte> content) => ReadOn(ctx, offset, content, content.Length);

    /// <summary>The same for readers that go on where they stopped, so that pieces need not be cut through.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="offset">Where the part begins.</param>
    /// <param name="content">Where it goes.</param>
    /// <param name="least">Bytes to make at least; the piece that they end in is made whole if there is room for it.</param>
    /// <returns>Number of bytes made.</returns>
    public int ReadOn(LinkContext ctx, long offset, Span<byte> content, int least)
    {
        int at = 0;
        for (int piece = PieceAt(offset); at < least; piece++)
        {
            long start = PieceStart(piece);
            int size = checked((int)(PieceStart(piece + 1) - start));
            int skip = (int)(offset + at - start);
            if (skip == 0 && size <= content.Length - at)
            {
                Fill(ctx, piece, content.Slice(at, size));
                at += size;
                continue;
            }
            int taken = Math.Min(size - skip, least - at);
            byte[] whole = ArrayPool<byte>.Shared.Rent(size);
            Fill(ctx, piece, whole.AsSpan(0, size));
            whole.AsSpan(skip, taken).CopyTo(content[at..]);
            ArrayPool<byte>.Shared.Return(whole);
            at += taken;
        }
        return at;
    }

    /// <summary>Whether the section is made of parts that belong to packages, and maybe something in front of them.</summary>
    public virtual bool IsOfPackages => false;

    /// <summary>
    /// Adds up the sizes of the parts of each package, by import path, as symbol tables of XCOFF files have them (addDwsectCUSize).
    /// </summary>
    public virtual void AddPackageSizes(Dictionary<string, long> sizes)
    {
    }

    private int PieceAt(long offset)
    {
        int low = 0, high = PieceCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (PieceStart(middle) <= offset)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }
        return low;
    }
}
