namespace AotLinker.Formats.MachO;

/// <summary>The second word of a relocation in a Mach-O object (relocation_info).</summary>
internal readonly struct MachORelocation(uint word)
{
    /// <summary>Number of the symbol or section.</summary>
    public uint Index => word & 0xffffff;

    /// <summary>Whether the field holds a distance.</summary>
    public bool IsPcRelative => (word >> 24 & 1) != 0;

    /// <summary>Bytes of the field.</summary>
    public int Size => 1 << (int)(word >> 25 & 3);

    /// <summary>Whether it refers to a symbol, rather than to a section.</summary>
    public bool IsExternal => (word >> 27 & 1) != 0;

    /// <summary>The CPU's type.</summary>
    public uint Type => word >> 28;

    /// <summary>Type and <see cref="IsPcRelative"/> in one number: what a CPU sees of the relocation once it is loaded.</summary>
    public uint HostType => (Type << 1) | (IsPcRelative ? 1u : 0);
}
