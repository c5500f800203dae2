using AotLinker.Emit;
using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Mapping;
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
    /// Lists the relocations of a piece that are left to an external linker, in the order in which the Go linker has them. Any thread may
    /// call it.
    /// </summary>
    public virtual void ListRelocations(int piece, NativeList<ExternalReloc> to)
    {
    }

    /// <summary>Whether the section is made of parts that belong to packages, and maybe something in front of them.</summary>
    public virtual bool IsOfPackages => false;

    /// <summary>
    /// Adds up the sizes of the parts of each package, by import path, as symbol tables of XCOFF files have them (addDwsectCUSize).
    /// </summary>
    public virtual void AddPackageSizes(Dictionary<string, long> sizes)
    {
    }

    /// <summary>
    /// Tells how many bytes of the section belong to which compilation unit, and how many to which function or type; the rest belongs to nobody.
    /// </summary>
    public virtual void Share(Action<CompilationUnit, long> toUnit, Action<SymbolId, long> toSymbol)
    {
    }

    /// <summary>The piece that a byte is in.</summary>
    public int PieceAt(long offset)
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
