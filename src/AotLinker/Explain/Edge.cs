using AotLinker.Objects;
using AotLinker.Reach;

namespace AotLinker.Explain;

/// <summary>What leads from one symbol to the next.</summary>
internal enum EdgeKind
{
    /// <summary>A relocation.</summary>
    Relocation = 0,
    /// <summary>Nothing: it is a root.</summary>
    Root,
    /// <summary>A function's debug information.</summary>
    DebugInfo,
    /// <summary>A table that a function has: pointer maps, unwind information ….</summary>
    Table,
    /// <summary>The section of a host object that it is part of.</summary>
    Container,
    /// <summary>The next part of a host object's section.</summary>
    Part,
    /// <summary>A method that its type leads to because it may be called.</summary>
    Method,
}

/// <summary>Why a method may be called.</summary>
internal enum CallReason : byte
{
    /// <summary>Nothing calls it.</summary>
    None,
    /// <summary>A method of an interface with its name and signature is called.</summary>
    Interface,
    /// <summary>Reflection asks for a method of its name.</summary>
    Name,
    /// <summary>Reflection may call any exported method.</summary>
    Reflection,
}

/// <summary>A method of a live type that is used in an interface.</summary>
/// <param name="Type">The type.</param>
/// <param name="Reloc">Index of the first of its three relocations there.</param>
/// <param name="Signature">The method's own type.</param>
/// <param name="Name">Number of its name (<see cref="CallableMethods.NameText"/>).</param>
internal record struct LiveMethod(SymbolId Type, int Reloc, SymbolId Signature, int Name)
{
    /// <summary>Why it may be called.</summary>
    public CallReason Reason { get; set; }

    /// <summary>The function that calls it so; none where another module may.</summary>
    public SymbolId Caller { get; set; }

    /// <summary>The interface whose method is called; none for other reasons.</summary>
    public SymbolId Interface { get; set; }
}

/// <summary>What leads to a symbol.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Reloc">Index of the relocation in the symbol in front; only for relocations.</param>
/// <param name="Method">The method; only for methods.</param>
/// <param name="Root">Why it is a root; only for roots.</param>
internal readonly record struct Edge(EdgeKind Kind, int Reloc, LiveMethod Method, RootKind Root)
{
    /// <summary>How a column of edges says that a symbol is a root; other kinds but the first and the last are their negative number.</summary>
    public const int RootNumber = -(int)EdgeKind.Root;

    /// <summary>How it says that a symbol is what the first method leads to; that of the n-th is n less. Relocations are their own index.</summary>
    public const int FirstMethod = -16;
}
