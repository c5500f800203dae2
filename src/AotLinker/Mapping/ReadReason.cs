namespace AotLinker.Mapping;

/// <summary>Why an input was read into memory rather than mapped.</summary>
internal enum ReadReason : byte
{
    /// <summary>So small that a map costs more than a copy.</summary>
    Small,

    /// <summary>A pipe or device, or a file that doesn't know its length.</summary>
    NoLength,

    /// <summary>As many inputs are mapped as may be.</summary>
    MapLimit,

    /// <summary>The system refused the map.</summary>
    Refused,

    /// <summary>AOTLINK_NO_INPUT_MAP is set.</summary>
    SwitchedOff,
}
