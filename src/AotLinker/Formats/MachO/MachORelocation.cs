namespace AotLinker.Formats.MachO;

/// <summary>A relocation of an object that stands for one of ours, but for the symbol.</summary>
/// <param name="Type">The CPU's type.</param>
/// <param name="Size">Bytes of the field.</param>
/// <param name="IsPcRelative">Whether the field holds a distance.</param>
internal readonly record struct MachOObjectRelocation(uint Type, int Size, bool IsPcRelative)
{
    /// <summary>Bytes that are added to the place.</summary>
    public int Place { get; init; }

    /// <summary>Whether an addend takes the place of the symbol.</summary>
    public bool IsAddend { get; init; }

    /// <summary>The second word of the relocation; null for a size that the format doesn't have.</summary>
    /// <param name="symbol">Number of the symbol or section, or the addend's 24 bits.</param>
    /// <param name="isExternal">Whether it refers to a symbol, rather than to a section.</param>
    public uint? Word(uint symbol, bool isExternal)
    {
        if (Size is not (1 or 2 or 4 or 8))
            return null;
        return symbol | (IsPcRelative ? 1u << 24 : 0) | ((uint)System.Numerics.BitOperations.Log2((uint)Size) << 25)
            | (isExternal && !IsAddend ? 1u << 27 : 0) | (Type << 28);
    }
}

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
