namespace AotLinker.Synthesize.Pclntab;

/// <summary>Lengths of tables of the function table, all of which have offsets of 31 bits.</summary>
internal static class TableLength
{
    /// <summary>The same length, if offsets can say it.</summary>
    /// <param name="bytes">Length of a table or of a part, in bytes.</param>
    /// <param name="what">What the table holds, for the message.</param>
    /// <exception cref="LinkException">It is too long, as it also is when a damaged object tells sizes that are too large.</exception>
    public static int Check(long bytes, string what) =>
        bytes <= int.MaxValue ? (int)bytes : throw new LinkException($"pclntab: more than 2 GiB of {what}");
}
