using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>One package of the link (cmd/link sym.Library).</summary>
internal sealed class Package
{
    /// <summary>Import path, unescaped.</summary>
    public required string Path { get; init; }

    /// <summary>The archive or object file.</summary>
    public required string File { get; init; }

    /// <summary>The Go shared library that has the package, or its name; empty where objects are linked.</summary>
    public string SharedLibrary { get; init; } = "";

    /// <summary>The object that first referred to the package, for messages.</summary>
    public required string ObjectRef { get; init; }

    /// <summary>The package that first referred to it, for messages.</summary>
    public required string SourceRef { get; init; }

    /// <summary>What the search for an order calls the package.</summary>
    public int Number { get; set; }

    /// <summary>The export fingerprint the first importer expects, or the package's own; 0 when unknown.</summary>
    public ulong Fingerprint { get; set; }

    /// <summary>Packages imported, in the order of the objects' import lists.</summary>
    public List<Package> Imports { get; } = [];

    /// <summary>Whether the package declares itself main.</summary>
    public bool IsMain { get; set; }

    /// <summary>The objects of the package, in archive order; host objects have a unit as well.</summary>
    public List<CompilationUnit> Units { get; } = [];

    /// <summary>Index of the first Go object; 0 if there is none. The others follow it.</summary>
    public int FirstObject { get; set; }

    /// <summary>Number of Go objects.</summary>
    public int ObjectCount { get; set; }

    /// <inheritdoc/>
    public override string ToString() => Path;
}

/// <summary>One object file of a package: what the compiler or assembler made of it (cmd/link sym.CompilationUnit).</summary>
internal sealed class CompilationUnit(Package package)
{
    /// <summary>The package.</summary>
    public Package Package { get; } = package;

    /// <summary>The Go object, null for a host object.</summary>
    public GoObject? Object { get; set; }

    /// <summary>Text symbols in the order they are laid out. Set by linksetup.</summary>
    public List<SymbolId> Text { get; } = [];

    /// <summary>Position in the pclntab's compilation unit table; -1 until pclntab assigns it.</summary>
    public int PclnIndex { get; set; } = -1;

    /// <summary>Number of source files.</summary>
    public int FileCount => Object?.FileCount ?? 0;

    /// <summary>Name of the i-th source file, as bytes in the mapping.</summary>
    public ReadOnlySpan<byte> FileName(int i) => Object!.FileName(i);
}
