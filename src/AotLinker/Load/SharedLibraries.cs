using AotLinker.Formats;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>The Go shared libraries that are linked against (-linkshared), and what their symbols are to the link (ld.ldshlibsyms).</summary>
internal sealed class SharedLibraries
{
    private readonly LinkContext _ctx;
    private readonly List<SharedLibrary> _all = [];

    private SharedLibraries(LinkContext ctx) => _ctx = ctx;

    /// <summary>The libraries, in the order of the first package that each has.</summary>
    public IReadOnlyList<SharedLibrary> All => _all;

    /// <summary>
    /// Reads the libraries of all packages that are in one, and makes their symbols imported ones unless an object defines them. Serial:
    /// symbols are numbered in the order in which libraries have them.
    /// </summary>
    /// <exception cref="LinkException">A library can't be found or read, or is damaged.</exception>
    public static SharedLibraries Load(LinkContext ctx)
    {
        SharedLibraries libraries = new(ctx);
        foreach (Package package in ctx.Packages)
        {
            if (package.SharedLibrary.Length == 0)
            {
                continue;
            }
            if (ctx.Diagnostics.Verbosity > 1)
            {
                ctx.Diagnostics.Log($"autolib: {package.SharedLibrary} (from {package.ObjectRef})");
            }
            libraries.Add(package.SharedLibrary);
        }
        return libraries;
    }

    /// <summary>The path of a library: itself, or where the folders of -L have it (findshlib).</summary>
    /// <exception cref="LinkException">No folder has it.</exception>
    public static string Find(LinkContext ctx, string library)
    {
        if (library.StartsWith('/'))
        {
            return library;
        }
        foreach (string folder in ctx.Options.LibraryDirectories)
        {
            string path = Cli.GoText.CleanPath($"{folder}/{library}");
            if (Path.Exists(path))
            {
                return path;
            }
        }
        throw new LinkException($"cannot find shared library: {library}");
    }

    /// <summary>The symbol that a pointer in an imported type descriptor refers to (decodeTargetSym).</summary>
    /// <param name="type">The descriptor.</param>
    /// <param name="offset">Offset of the pointer in it.</param>
    /// <exception cref="LinkException">The library does not say, or refers to what the link does not know.</exception>
    public SymbolId TargetAt(SymbolId type, int offset)
    {
        string name = _ctx.Symbols.NameText(type);
        foreach (SharedLibrary library in _all)
        {
            if (!library.Addresses.TryGetValue(name, out ulong address))
            {
                continue;
            }
            string target = library.TargetAt(address + (ulong)offset)
                ?? throw new LinkException($"can't find relocation in {name} at offset {offset}");
            SymbolId s = _ctx.Symbols.Lookup(RawText.Encode(target), 0);
            return !s.IsNone ? s : throw new LinkException($"can't find target of relocation in {name} at offset {offset}: {target}");
        }
        throw new LinkException($"can't find relocation in {name} at offset {offset}");
    }

    /// <summary>The GC mask of an imported type, which its descriptor refers to by an address in the library (decodetypeGcmask).</summary>
    /// <param name="type">The descriptor.</param>
    /// <param name="offset">Offset of the pointer to the mask.</param>
    /// <param name="length">Bytes of the mask.</param>
    /// <exception cref="LinkException">The library does not have it.</exception>
    public ReadOnlySpan<byte> GcMask(SymbolId type, int offset, int length)
    {
        ReadOnlySpan<byte> data = _ctx.Symbols.Data(type);
        string path = _ctx.Symbols.PackagePath(type);
        if (_all.Find(l => l.Path == path) is { } library && data.Length >= offset + library.AddressSize)
        {
            ReadOnlySpan<byte> mask = library.BytesAt(library.ReadAddress(data[offset..]), length);
            if (mask.Length == length)
            {
                return mask;
            }
        }
        throw new LinkException($"cannot find gcmask for {_ctx.Symbols.NameText(type)}");
    }

    private void Add(string name)
    {
        string path = Find(_ctx, name);
        if (_all.Exists(l => l.Path == path))
        {
            return;
        }
        if (_ctx.Diagnostics.Verbosity > 1)
        {
            _ctx.Diagnostics.Log($"ldshlibsyms: found library with name {Path.GetFileName(name)} at {path}");
        }
        SharedLibrary library = SharedLibrary.Read(path, _ctx.Format.AbsoluteRelocation);
        _all.Add(library);
        foreach (SharedLibrary.DynamicSymbol s in library.Symbols)
        {
            if (s.Type is not (SharedLibrary.NoType or SharedLibrary.SectionType))
            {
                Import(library, s);
            }
        }
    }

    private unsafe void Import(SharedLibrary library, in SharedLibrary.DynamicSymbol s)
    {
        SymbolTable symbols = _ctx.Symbols;
        byte[] own = RawText.Encode(s.Name);
        ReadOnlySpan<byte> name = own;
        int version = 0;
        if (s.Type == SharedLibrary.Function)
        {
            // Types' functions are the compiler's. Others say which ABI they have.
            if (name.StartsWith("type:"u8))
            {
                version = symbols.AbiInternalVersion;
            }
            else if (_ctx.Target.HasAbiWrappers && name.EndsWith(AbiNames.InternalSuffix))
            {
                version = symbols.AbiInternalVersion;
                name = name[..^AbiNames.InternalSuffix.Length];
            }
            else if (_ctx.Target.HasAbiWrappers && name.EndsWith(".abi0"u8))
            {
                name = name[..^".abi0"u8.Length];
            }
        }
        SymbolId symbol = symbols.LookupOrCreate(name, version);
        if (symbols.Kind(symbol) is not (SymbolKind.None or SymbolKind.DynImport))
        {
            return;
        }
        SymbolBuilder b = symbols.Update(symbol).SetKind(SymbolKind.DynImport).SetSize((long)s.Size);
        symbols.HostSymbolType[symbol] = s.Type;
        if (s.Section != 0)
        {
            symbols.PackageOverride[symbol] = library.Path;
            if (name.StartsWith("type:"u8) && !name.StartsWith("type:."u8))
            {
                ReadOnlySpan<byte> content = library.ContentOf(s);
                fixed (byte* p = content)
                {
                    // In the map, which stays.
                    b.SetMappedData(p, content.Length);
                }
            }
        }
        if (name.Length != own.Length)
        {
            symbols.ExternalNames[symbol] = s.Name;
        }
        library.Addresses[s.Name] = s.Value;
    }
}
