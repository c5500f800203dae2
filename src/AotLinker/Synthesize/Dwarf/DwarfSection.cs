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
}
