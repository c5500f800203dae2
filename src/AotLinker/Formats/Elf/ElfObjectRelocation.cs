using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>A relocation that is left to an external linker, as <see cref="ElfCpu.ObjectRelocation"/> is asked for its type.</summary>
/// <param name="Kind">The relocation.</param>
/// <param name="Size">Size of the field in bytes.</param>
internal readonly record struct ElfRelocationRequest(RelocKind Kind, int Size)
{
    /// <summary>Number of the one asked for among those that stand for the relocation, from 0 on.</summary>
    public int Part { get; init; }

    /// <summary>What the CPU found out about it, <see cref="Emit.ExternalReloc.Variant"/>.</summary>
    public int Variant { get; init; }

    /// <summary>Whether the target is of a shared library.</summary>
    public bool IsImport { get; init; }

    /// <summary>Whether it is known to be a function there.</summary>
    public bool IsImportedFunction { get; init; }
}

/// <summary>A relocation of an object: its type, and in what it differs from the relocation that it stands for.</summary>
/// <param name="Type">The type in r_info.</param>
internal readonly record struct ElfObjectRelocation(uint Type)
{
    /// <summary>Bytes that are added to the place.</summary>
    public int Place { get; init; }

    /// <summary>What is added to the addend.</summary>
    public int Addend { get; init; }

    /// <summary>Whether there is no symbol.</summary>
    public bool HasNoSymbol { get; init; }

    /// <summary>The symbol is the label of the place that the relocation stands for, and there is no addend.</summary>
    public bool IsOfLabel { get; init; }

    /// <summary>Whether there is no addend.</summary>
    public bool HasNoAddend { get; init; }

    /// <summary>A type without any difference; null for no type.</summary>
    public static ElfObjectRelocation? Of(uint? type) => type is { } known ? new(known) : null;
}
