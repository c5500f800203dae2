using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// What the program imports from libraries: .windynamic in the data section, which is the import address table, and .idata, which tells
/// the system what to put there (ld.initdynimport, addimports).
/// </summary>
/// <remarks>
/// An import becomes a variable in .windynamic that holds the function's address. Libraries stand in the reverse order of their first
/// mention, and the imports of each in the reverse order of their ids. .idata is: a descriptor for each library and an empty one, the
/// libraries' names, the functions' names behind a hint, and the table of references to these, which .windynamic repeats.
/// </remarks>
internal sealed class PeImports
{
    private const int DescriptorSize = 20;
    private const int HintSize = 2;

    private readonly List<Library> _libraries;
    private readonly int _pointerSize;

    // File content of .windynamic.
    private byte[] _table = [];

    private PeImports(List<Library> libraries, int pointerSize)
    {
        _libraries = libraries;
        _pointerSize = pointerSize;
    }

    /// <summary>.windynamic.</summary>
    public SymbolId Table { get; private set; }

    /// <summary>Finds the live imports and makes variables of them.</summary>
    public static PeImports Collect(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        UInt128 kinds = SymbolKinds.Set(SymbolKind.DynImport, SymbolKind.DynImport);
        List<Library> libraries = [];
        Dictionary<string, Library> byName = new(StringComparer.Ordinal);
        foreach (SymbolId s in symbols.LiveIn(1, symbols.Count, kinds))
        {
            string name = symbols.DynamicLibrary.GetValueOrDefault(s, "");
            ref Library? library = ref CollectionsMarshal.GetValueRefOrAddDefault(byName, name, out bool known);
            if (!known)
            {
                library = new Library(name);
                libraries.Add(library);
            }
            DropArgumentCount(ctx, s);
            library!.Imports.Add(s);
        }
        libraries.Reverse();

        PeImports imports = new(libraries, ctx.Target.PointerSize);
        SymbolBuilder table = symbols.Update(".windynamic"u8, 0).SetKind(SymbolKind.Windows);
        imports.Table = table.Symbol;
        long size = table.Size;
        foreach (Library library in libraries)
        {
            library.Imports.Reverse();
            foreach (SymbolId s in library.Imports)
            {
                symbols.Update(s).SetKind(SymbolKind.Windows);
                symbols.SetValue(s, size);
                size += ctx.Target.PointerSize;
                symbols.SetCarrier(s, table.Symbol);
                symbols.Sub[s] = symbols.Sub.GetValueOrDefault(table.Symbol);
                symbols.Sub[table.Symbol] = s;
            }
            size += ctx.Target.PointerSize;
        }
        table.SetSize(size).Set(SymbolTable.Attributes.Generated);
        ctx.Generators[table.Symbol] = new GeneratedContent(imports.Fill, ctx.Target.PointerSize);
        return imports;
    }

    /// <summary>Lays out .idata.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="address">The section's address from the image's base.</param>
    /// <param name="tableAddress">The address of .windynamic from the image's base.</param>
    /// <returns>The section's content.</returns>
    public byte[] Build(LinkContext ctx, uint address, uint tableAddress)
    {
        List<byte> content = new(new byte[DescriptorSize * (_libraries.Count + 1)]);
        List<int> libraryNames = [];
        foreach (Library library in _libraries)
        {
            libraryNames.Add(content.Count);
            AddName(content, RawText.Encode(library.Name));
        }
        List<byte> table = [];
        List<int> firstReferences = [];
        Span<byte> reference = stackalloc byte[8];
        Span<byte> hint = stackalloc byte[HintSize];
        hint.Clear();
        foreach (Library library in _libraries)
        {
            firstReferences.Add(table.Count);
            foreach (SymbolId s in library.Imports)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(reference, address + (uint)content.Count);
                table.AddRange(reference[.._pointerSize]);
                content.AddRange(hint);
                AddName(content, RawText.Encode(ctx.Symbols.OutputName(s)));
            }
            reference.Clear();
            table.AddRange(reference[.._pointerSize]);
        }
        _table = [.. table];
        int references = content.Count;
        content.AddRange(_table);

        Span<byte> descriptors = CollectionsMarshal.AsSpan(content);
        for (int i = 0; i < _libraries.Count; i++)
        {
            Span<byte> descriptor = descriptors.Slice(i * DescriptorSize, DescriptorSize);
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor, (uint)(address + references + firstReferences[i]));
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor[12..], (uint)(address + libraryNames[i]));
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor[16..], (uint)(tableAddress + firstReferences[i]));
        }
        return [.. content];
    }

    /// <summary>Ends a name and brings what follows to an even place.</summary>
    private static void AddName(List<byte> content, byte[] name)
    {
        content.AddRange(name);
        content.Add(0);
        if (name.Length % 2 == 0)
            content.Add(0);
    }

    /// <summary>Imports may tell how many arguments the function takes ("Name%3"), which only an external linker wants to know.</summary>
    private static void DropArgumentCount(LinkContext ctx, SymbolId s)
    {
        string name = ctx.Symbols.OutputName(s);
        int mark = name.IndexOf('%', StringComparison.Ordinal);
        if (mark < 0)
            return;
        string count = name[(mark + 1)..];
        if (!int.TryParse(count, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
        {
            ctx.Diagnostics.Error(
                ctx.Symbols.Name(s), $"failed to parse stdcall decoration: strconv.Atoi: parsing {Cli.GoText.Quote(count)}: invalid syntax");
        }
        ctx.Symbols.ExternalNames[s] = name[..mark];
    }

    private void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece) =>
        _table.AsSpan((int)offset, piece.Length).CopyTo(piece);

    /// <summary>A library and what is imported from it.</summary>
    private sealed class Library(string name)
    {
        public string Name => name;

        public List<SymbolId> Imports { get; } = [];
    }
}
