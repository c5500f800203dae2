namespace AotLinker.Mapping;

/// <summary>Whole small files.</summary>
internal static class InputFileExtensions
{
    /// <summary>All bytes of a file.</summary>
    /// <exception cref="LinkException">It is larger than a span can be, so it is not the text file it should be.</exception>
    public static ReadOnlySpan<byte> AllBytes(this InputFile file) =>
        file.Length > int.MaxValue ? throw new LinkException($"{file.Path}: file too large") : file.FirstBytes(int.MaxValue);

    /// <summary>The first bytes of a file, fewer where it is shorter.</summary>
    public static ReadOnlySpan<byte> FirstBytes(this InputFile file, int most) =>
        file.Length == 0 ? default : file.Span(0, (int)Math.Min(file.Length, most));
}
