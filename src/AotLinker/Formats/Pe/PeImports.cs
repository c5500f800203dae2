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
    /// <param name="ctx">The link.</param>
    /// <param name="decoratesNames">Whether an external linker knows functions that take their arguments off the stack by how many bytes these are.</param>
    public static PeImports Collect(LinkContext ctx, bool decoratesNames)
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
            int arguments = DropArgumentCount(ctx, s);
            library!.Imports.Add(s);
            if (arguments >= 0)
                library.ArgumentBytes[s] = arguments;
        }
        libraries.Reverse();
        foreach (Library library in libraries)
            library.Imports.Reverse();

        PeImports imports = new(libraries, ctx.Target.PointerSize);
        if (ctx.Target.IsExternal)
        {
            imports.AddReferences(ctx, decoratesNames);
            return imports;
        }
        SymbolBuilder table = symbols.Update(".windynamic"u8, 0).SetKind(SymbolKind.Windows);
        imports.Table = table.Symbol;
        long size = table.Size;
        foreach (Library library in libraries)
        {
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
    /// <returns>Bytes of the arguments; -1 where it is not told.</returns>
    private static int DropArgumentCount(LinkContext ctx, SymbolId s)
    {
        string name = ctx.Symbols.OutputName(s);
        int mark = name.IndexOf('%', StringComparison.Ordinal);
        if (mark < 0)
            return -1;
        string count = name[(mark + 1)..];
        if (!int.TryParse(count, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int arguments))
        {
            ctx.Diagnostics.Error(
                ctx.Symbols.Name(s), $"failed to parse stdcall decoration: strconv.Atoi: parsing {Cli.GoText.Quote(count)}: invalid syntax");
        }
        ctx.Symbols.ExternalNames[s] = name[..mark];
        return arguments * ctx.Target.PointerSize;
    }

    /// <summary>Leaves imports to an external linker: each is a variable with the address of a function that it has to find.</summary>
    private void AddReferences(LinkContext ctx, bool decoratesNames)
    {
        SymbolTable symbols = ctx.Symbols;
        foreach (Library library in _libraries)
        {
            foreach (SymbolId s in library.Imports)
            {
                string name = symbols.OutputName(s);
                if (decoratesNames && library.ArgumentBytes.TryGetValue(s, out int arguments))
                    name = string.Create(CultureInfo.InvariantCulture, $"{name}@{arguments}");
                SymbolBuilder b = symbols.Update(s).SetKind(SymbolKind.Data);
                b.SetData(new byte[_pointerSize]);
                SymbolBuilder function = symbols.Update(RawText.Encode(name), 0).SetKind(SymbolKind.HostObj);
                b.AddReloc(RelocKind.Addr, 0, _pointerSize, function.Symbol, 0);
            }
        }
    }

    /// <summary>Options that name the libraries to an external linker (peimporteddlls).</summary>
    public IEnumerable<string> LinkerOptions(LinkContext ctx)
    {
        foreach (Library library in _libraries)
        {
            string name = library.Name;
            if (ctx.Release.ChecksLibraryNames && (name.AsSpan().IndexOfAny(@"/\:") >= 0 || name.Contains("..", StringComparison.Ordinal)
                || name.StartsWith('-') || name.StartsWith('@')))
            {
                ctx.Diagnostics.Error($"invalid imported DLL name {Cli.GoText.Quote(name)}");
                continue;
            }
            const string Suffix = ".dll";
            yield return "-l" + (name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name);
        }
    }

    private void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece) =>
        _table.AsSpan((int)offset, piece.Length).CopyTo(piece);

    /// <summary>A library and what is imported from it.</summary>
    private sealed class Library(string name)
    {
        public string Name => name;

        public List<SymbolId> Imports { get; } = [];

        public Dictionary<SymbolId, int> ArgumentBytes { get; } = [];
    }
}
