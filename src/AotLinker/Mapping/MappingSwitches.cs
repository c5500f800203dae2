namespace AotLinker.Mapping;

/// <summary>
/// Environment variables that force the rare paths, for tests and to find out where a fault comes from: set to anything
/// but 0 or nothing. The bytes of the output never depend on them.
/// </summary>
internal static class MappingSwitches
{
    /// <summary>AOTLINK_NO_OUTPUT_MAP: write through bounded buffers, as when the system refuses to map the output.</summary>
    public static bool NoOutputMap { get; } = IsSet("AOTLINK_NO_OUTPUT_MAP");

    /// <summary>AOTLINK_NO_OUTPUT_MAP=0: relocate in the map of the output, even where that is slower.</summary>
    public static bool OutputInMap { get; } = Environment.GetEnvironmentVariable("AOTLINK_NO_OUTPUT_MAP") == "0";

    /// <summary>AOTLINK_NO_INPUT_MAP: read every input into memory, as when the system refuses to map it.</summary>
    public static bool NoInputMap { get; } = IsSet("AOTLINK_NO_INPUT_MAP");

    /// <summary>AOTLINK_NAMED_OUTPUT: a temporary file with a name, as where the system has none without.</summary>
    public static bool NamedOutput { get; } = IsSet("AOTLINK_NAMED_OUTPUT");

    private static bool IsSet(string name) => Environment.GetEnvironmentVariable(name) is not (null or "" or "0");
}
