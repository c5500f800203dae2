using AotLinker.Layout;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// The debug information of a link: the passes that make it, and what the passes after them need to lay it out, name it and write it
/// (dwarfp).
/// </summary>
/// <remarks>
/// The steps in pass order: <see cref="Collect"/> after dead code elimination; <see cref="Arrange"/> when functions have addresses;
/// dodata calls <see cref="AllocateSections"/> when it has placed its own sections; address gives the sections of <see
/// cref="LinkContext.DwarfSegment"/> their addresses; <see cref="Compress"/> changes sizes and addresses once more and writes all of it;
/// where nothing is compressed the content is written with that of the other segments.
/// </remarks>
internal sealed partial class DwarfSections : IDisposable
{
    private readonly DebugInfo _info;

    private DwarfSections(DebugInfo info) => _info = info;

    /// <summary>The sections in output order. Empty until <see cref="Arrange"/>, and when all is written.</summary>
    public List<DwarfSection> Sections { get; private set; } = [];

    /// <summary>
    /// Whether the packages were compiled with different flags; then a difference between duplicate symbols is no error even if
    /// -strictdups asks for it.
    /// </summary>
    public bool HasMixedFlags => _info.HasMixedFlags;

    /// <summary>
    /// Finds out what goes into the debug information, and sets <see cref="LinkContext.Dwarf"/>, unless there is none
    /// (dwarfGenerateDebugInfo).
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="isEnabled">Whether there is any, <see cref="DebugInfo.IsEnabled"/>.</param>
    /// <exception cref="LinkException">A type that debuggers rely on is missing, or an object is damaged.</exception>
    public static void Collect(LinkContext ctx, bool isEnabled) => ctx.Dwarf = isEnabled ? new DwarfSections(DebugInfo.Collect(ctx)) : null;

    /// <summary>Makes the sections (dwarfGenerateDebugSyms).</summary>
    public void Arrange(LinkContext ctx) => Sections = DwarfLayout.Arrange(ctx, _info);

    /// <summary>
    /// Makes the output sections and gives each its length (allocateDwarfSections). Addresses here are offsets that only count relative
    /// to each other until address moves the segment.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="dataSize">Running size of the data laid out so far (dodataState.datsize).</param>
    public void AllocateSections(LinkContext ctx, ref long dataSize)
    {
        // The Go linker's limit for any section (checkSectSize).
        const long MaxSize = 2_000_000_000;
        foreach (DwarfSection content in Sections)
        {
            Section section = ctx.AddSection(ctx.DwarfSegment, content.Name, 4);
            section.Align = 1;
            section.Vaddr = (ulong)dataSize;
            section.Length = (ulong)content.Size;
            section.Symbol = content.Symbol;
            ctx.Symbols.SetSectionIndex(content.Symbol, section.Index);
            content.Output = section;
            dataSize += content.Size;
            if (content.Size > MaxSize)
            {
                ctx.Diagnostics.Error($"too much data in section {content.Name} ({content.Size}, over 2e+09 bytes)");
            }
        }
    }
}
