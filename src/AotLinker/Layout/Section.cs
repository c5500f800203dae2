using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>A section of the output (cmd/link sym.Section).</summary>
internal sealed class Section
{
    /// <summary>Name as it appears in the output.</summary>
    public required string Name { get; set; }

    /// <summary>Unique index, the one in the symbols' section column; ≥ 1.</summary>
    public required int Index { get; init; }

    /// <summary>The segment it lies in.</summary>
    public Segment? Segment { get; set; }

    /// <summary>Permissions as Unix bits (5 = r-x).</summary>
    public int Rwx { get; set; }

    /// <summary>Alignment in bytes.</summary>
    public int Align { get; set; }

    /// <summary>Virtual address.</summary>
    public ulong Vaddr { get; set; }

    /// <summary>Length in bytes.</summary>
    public ulong Length { get; set; }

    /// <summary>Where the section's symbols start in <see cref="LinkContext.Data"/>; unused for text and DWARF. Set by dodata.</summary>
    public int FirstSymbol { get; set; }

    /// <summary>How many symbols of <see cref="LinkContext.Data"/> belong to the section. Set by dodata.</summary>
    public int SymbolCount { get; set; }

    /// <summary>The symbol that stands for the section, if any.</summary>
    public SymbolId Symbol { get; set; }

    /// <summary>Section number in the output file's own table (Extnum).</summary>
    public int OutputNumber { get; set; }

    /// <summary>Whether the content is compressed.</summary>
    public bool Compressed { get; set; }

    /// <summary>What the output format keeps about the section (its header).</summary>
    public object? FormatHeader { get; set; }

    /// <summary>Address behind the section.</summary>
    public ulong End => Vaddr + Length;

    /// <summary>Whether the section holds functions; a program may have several such sections.</summary>
    public bool IsText => Name == ".text";

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A segment of the output (cmd/link sym.Segment).</summary>
internal sealed class Segment(string name)
{
    /// <summary>Name, for messages.</summary>
    public string Name { get; } = name;

    /// <summary>Permissions as Unix bits.</summary>
    public int Rwx { get; set; }

    /// <summary>Virtual address.</summary>
    public ulong Vaddr { get; set; }

    /// <summary>Length in memory.</summary>
    public ulong Length { get; set; }

    /// <summary>File offset.</summary>
    public ulong FileOffset { get; set; }

    /// <summary>Length in the file.</summary>
    public ulong FileLength { get; set; }

    /// <summary>File offset of an address in the segment.</summary>
    public long OffsetOf(ulong address) => (long)(address - Vaddr + FileOffset);

    /// <summary>Sections in address order.</summary>
    public List<Section> Sections { get; } = [];

    /// <inheritdoc/>
    public override string ToString() => Name;
}
