namespace AotLinker.Explain;

/// <summary>What bytes of the output are.</summary>
internal enum SizeKind : byte
{
    /// <summary>Code.</summary>
    Text,
    /// <summary>Read-only data that is nothing of the below.</summary>
    ReadOnly,
    /// <summary>Data with an initial value.</summary>
    Data,
    /// <summary>Type descriptors, their names, and the pointer masks of types.</summary>
    Types,
    /// <summary>Itabs.</summary>
    Itabs,
    /// <summary>String constants.</summary>
    Strings,
    /// <summary>What the runtime knows of functions: pclntab and funcdata.</summary>
    FunctionTables,
    /// <summary>Debug information, as it lies in the file.</summary>
    DebugInfo,
    /// <summary>What the system's loader links by: imports, exports, libraries, PLT and GOT.</summary>
    DynamicLinking,
    /// <summary>Relocations that are left to the system's loader or to an external linker.</summary>
    Relocations,
    /// <summary>The symbol table and its names.</summary>
    SymbolTable,
    /// <summary>Headers, notes, signatures and other tables of the format.</summary>
    Headers,
    /// <summary>What is between others: zeros, or what fills gaps in code.</summary>
    Padding,
    /// <summary>What is between others and not such. There should be none.</summary>
    Unexplained,
}

/// <summary>The names of kinds, as <c>AOTLINK_SIZES</c> has them.</summary>
internal static class SizeKinds
{
    /// <summary>Number of kinds.</summary>
    public const int Count = (int)SizeKind.Unexplained + 1;

    private static readonly string[] Names =
    [
        "text", "rodata", "data", "types", "itabs", "strings", "pclntab", "dwarf", "dynamic", "relocations", "symtab", "headers", "padding",
        "unexplained",
    ];

    /// <summary>The name of a kind.</summary>
    public static string Name(this SizeKind kind) => Names[(int)kind];
}
