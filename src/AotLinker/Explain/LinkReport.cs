namespace AotLinker.Explain;

/// <summary>What a link has found out beside its output, to be shown when it has succeeded.</summary>
/// <param name="File">The file it goes to; null for standard error.</param>
/// <param name="Content">The text.</param>
internal sealed record LinkReport(string? File, byte[] Content);
