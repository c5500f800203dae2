namespace AotLinker.Mapping;

/// <summary>How an output is written; the defaults are what a link wants.</summary>
internal sealed class OutputOptions
{
    /// <summary>What a link uses, <see cref="MappingSwitches"/> included.</summary>
    public static OutputOptions Default { get; } = new()
    {
        ForceBuffered = MappingSwitches.NoOutputMap,
        AlwaysInMap = MappingSwitches.OutputInMap,
        ForceNamed = MappingSwitches.NamedOutput,
    };

    /// <summary>Never map the output: write through bounded buffers, as when the system refuses the map.</summary>
    public bool ForceBuffered { get; init; }

    /// <summary>Relocate in the map, if there is one, even where that is slower.</summary>
    public bool AlwaysInMap { get; init; }

    /// <summary>Don't use a file without a name: always a named temporary file beside the target.</summary>
    public bool ForceNamed { get; init; }

    public MemoryAccount Account { get; init; } = MemoryAccount.Shared;

    /// <summary>The host; another than the current one only in tests.</summary>
    public HostSystem Host { get; init; } = HostSystem.Current;
}
