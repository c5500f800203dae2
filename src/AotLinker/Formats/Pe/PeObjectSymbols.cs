namespace AotLinker.Formats.Pe;

/// <summary>
/// What is in an object's symbol table that an image's does not have: a symbol for each section, and labels; and zeroed data has a section
/// (ld.peFile.writeSymbols).
/// </summary>
/// <param name="Sections">The sections.</param>
/// <param name="Data">The one of data with content.</param>
/// <param name="Zeroed">The one of zeroed data.</param>
/// <param name="Labels">The labels.</param>
/// <param name="HasUnderscores">Whether the names of what C knows begin with an underscore.</param>
internal sealed record PeObjectSymbols(
    IReadOnlyList<PeSection> Sections, PeSection Data, PeSection Zeroed, PeObjectLabels Labels, bool HasUnderscores);
