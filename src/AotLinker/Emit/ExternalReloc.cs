using AotLinker.Objects;

namespace AotLinker.Emit;

/// <summary>A relocation that is left to an external linker (loader.ExtReloc), which adds the addend to the target's address.</summary>
/// <param name="offset">Offset of the field in the section.</param>
/// <param name="kind">The relocation.</param>
/// <param name="size">Size of the field in bytes.</param>
/// <param name="target">A symbol of the object's symbol table.</param>
/// <param name="addend">The addend.</param>
internal readonly struct ExternalReloc(long offset, RelocKind kind, byte size, SymbolId target, long addend)
{
    /// <summary>Offset of the field in the section.</summary>
    public long Offset { get; } = offset;

    /// <summary>The addend.</summary>
    public long Addend { get; } = addend;

    /// <summary>A symbol of the object's symbol table.</summary>
    public SymbolId Target { get; } = target;

    /// <summary>The symbol whose content has the field, for messages; none where the linker made it.</summary>
    public SymbolId From { get; init; }

    /// <summary>The relocation.</summary>
    public RelocKind Kind { get; } = kind;

    /// <summary>Size of the field in bytes.</summary>
    public byte Size { get; } = size;

    /// <summary>What the CPU tells apart beside the kind.</summary>
    public byte Variant { get; init; }

    /// <summary>The same, as another of the format's relocations that stand for it.</summary>
    public ExternalReloc OfPart(int part) => new(Offset, Kind, Size, Target, Addend) { From = From, Variant = Variant, Part = (byte)part };

    /// <summary>Number of the format's relocation among those that stand for this one, from 0 on.</summary>
    public byte Part { get; init; }
}
