namespace AotLinker.Cli;

/// <summary>What a file in a toolchain's tool folder is.</summary>
internal enum ToolKind : byte
{
    /// <summary>Nothing there.</summary>
    Missing,

    /// <summary>A program made by Go's toolchain.</summary>
    Go,

    /// <summary>This linker, of any version.</summary>
    AotLink,

    /// <summary>Something else.</summary>
    Other,
}

/// <summary>Tells programs apart by what they contain.</summary>
internal static class ToolKinds
{
    /// <summary>Stands in every build of this linker, so that any of them knows any other.</summary>
    public static ReadOnlySpan<byte> Marker => "\0aotlink: a linker for Go programs 5a1f6b0e\0"u8;

    // What every Go program since 1.13 has before its build information. Ours contains it too, for it writes it.
    private static ReadOnlySpan<byte> GoMarker =>
        [0xff, (byte)' ', (byte)'G', (byte)'o', (byte)' ', (byte)'b', (byte)'u', (byte)'i', (byte)'l', (byte)'d', (byte)'i', (byte)'n', (byte)'f', (byte)':'];

    /// <summary>Classifies a file; symbolic links are followed.</summary>
    public static ToolKind Of(string path)
    {
        if (!Mapping.InputStore.Shared.TryOpen(path, out Mapping.InputFile? file, out _))
            return File.Exists(path) ? ToolKind.Other : ToolKind.Missing;
        using (file)
        {
            ReadOnlySpan<byte> content = Mapping.InputFileExtensions.FirstBytes(file, int.MaxValue);
            return content.IndexOf(Marker) >= 0 ? ToolKind.AotLink : content.IndexOf(GoMarker) >= 0 ? ToolKind.Go : ToolKind.Other;
        }
    }
}
