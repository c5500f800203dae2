using System.Text;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Explain;

/// <summary>
/// Which package a symbol is counted with. What a package alone defines is its own. What several packages may define (type descriptors, generic
/// instantiations, wrappers of methods, itabs) goes by its name: to the package that declares the type or function, whoever uses it. Contents
/// without such a name (strings, masks) go to the first package that has them, in the order in which packages were loaded.
/// </summary>
internal sealed class SymbolPackages
{
    /// <summary>Number of what no package has: the linker's own tables.</summary>
    public const int Linker = 0;

    /// <summary>Number of types that are built in, or made of others: func(int), map[string]T, struct{…}.</summary>
    public const int BuiltIn = 1;

    private readonly SymbolTable _symbols;
    private readonly List<string> _names = ["(linker)", "(built-in types)"];
    private readonly Dictionary<string, int> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _byPrefix = new(StringComparer.Ordinal);
    private readonly Dictionary<Package, int> _byPackage = [];
    private readonly Range _hostVersions;

    /// <summary>Numbers the packages of a link.</summary>
    public SymbolPackages(LinkContext ctx)
    {
        _symbols = ctx.Symbols;
        _hostVersions = ctx.HostObjectVersions;
        foreach (Package package in ctx.Packages)
        {
            int number = Number(package.Path);
            _byPackage.TryAdd(package, number);
            _byPrefix.TryAdd(ImportPath.Escape(package.Path), number);
        }
    }

    /// <summary>Number of packages, and of what takes the place of one.</summary>
    public int Count => _names.Count;

    /// <summary>A package's import path, or in parentheses what takes the place of one.</summary>
    public string Name(int number) => _names[number];

    /// <summary>A package's number by its import path; negative if there is no such package.</summary>
    public int Find(string path) => _byPath.GetValueOrDefault(path, -1);

    /// <summary>The number of a package or of what takes the place of one, given when it is first asked for.</summary>
    public int Number(string path)
    {
        if (_byPath.TryGetValue(path, out int number))
        {
            return number;
        }
        number = _names.Count;
        _names.Add(path);
        _byPath.Add(path, number);
        return number;
    }

    /// <summary>The package that a symbol is counted with. Not to be called by several threads.</summary>
    public int Of(SymbolId s)
    {
        if (_symbols.Origin(s, out int local) is not { } o)
        {
            return OfExternal(s);
        }
        int own = _byPackage.GetValueOrDefault(o.Package, Linker);
        ref readonly SymbolRecord record = ref o.Symbol(local);
        bool isContent = local >= o.DefCount && local < o.FirstNonPkg;
        if (record.NameLength == 0 || ((record.Flags & (SymbolFlags.DupOk | SymbolFlags.GoType)) == 0 && !isContent))
        {
            return own;
        }
        return ByName(o.Name(record), own);
    }

    /// <summary>Whether a symbol is content that any package may have, and is counted with the first that has it.</summary>
    public bool IsOfAnybody(SymbolId s) => _symbols.Origin(s, out int local) is { } o && local >= o.DefCount && local < o.FirstNonPkg
        && (o.Symbol(local).NameLength == 0 || !(o.Name(local) is var name && (name.StartsWith("type:"u8) || name.StartsWith("go:itab."u8))));

    /// <summary>The package that a type belongs to, by its name in symbols, without "type:".</summary>
    public int OfType(ReadOnlySpan<byte> name)
    {
        while (true)
        {
            if (name.StartsWith("*"u8))
            {
                name = name[1..];
            }
            else if (name.StartsWith("["u8) && name.IndexOf((byte)']') is > 0 and var end)
            {
                name = name[(end + 1)..];
            }
            else if (name.StartsWith("chan "u8))
            {
                name = name[5..];
            }
            else if (name.StartsWith("<-chan "u8) || name.StartsWith("chan<- "u8))
            {
                name = name[7..];
            }
            else
            {
                break;
            }
        }
        // Structures that the compiler makes for maps have names like packages'.
        return name.StartsWith("map."u8) ? BuiltIn : ByPrefix(name, BuiltIn);
    }

    /// <summary>The package whose path a name begins with, up to the first dot behind the last slash; else what is given.</summary>
    public int ByPrefix(ReadOnlySpan<byte> name, int otherwise)
    {
        int end = name.IndexOfAny("[( {"u8);
        ReadOnlySpan<byte> head = end < 0 ? name : name[..end];
        int dot = head[(head.LastIndexOf((byte)'/') + 1)..].IndexOf((byte)'.');
        if (dot < 0)
        {
            return otherwise;
        }
        ReadOnlySpan<byte> prefix = head[..(head.LastIndexOf((byte)'/') + 1 + dot)];
        Span<char> chars = stackalloc char[256];
        return prefix.Length <= chars.Length
            && _byPrefix.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(chars[..Encoding.UTF8.GetChars(prefix, chars)], out int number)
            ? number : otherwise;
    }

    private int ByName(ReadOnlySpan<byte> name, int own)
    {
        if (name.StartsWith("type:"u8))
        {
            return OfTypeSymbol(name[5..]);
        }
        if (name.StartsWith("go:itab."u8))
        {
            // The concrete type, then the interface.
            return OfType(name[8..]) is not BuiltIn and var of ? of : own;
        }
        return name.StartsWith("go:"u8) || name.StartsWith("runtime.gcbits."u8) ? own : ByPrefix(name, own);
    }

    private int OfTypeSymbol(ReadOnlySpan<byte> name)
    {
        if (name.StartsWith(".importpath."u8))
        {
            return ByPrefix(name[12..], BuiltIn);
        }
        // Functions that compare and hash.
        foreach (ReadOnlyMemory<byte> kind in Functions)
        {
            if (name.StartsWith(kind.Span))
            {
                return OfType(name[kind.Length..]);
            }
        }
        return OfType(name);
    }

    private static readonly ReadOnlyMemory<byte>[] Functions = [".eq."u8.ToArray(), ".hash."u8.ToArray(), "noalg."u8.ToArray()];

    // Sections of host objects are named by their package, and their parts lie in them.
    private int OfExternal(SymbolId s)
    {
        SymbolId outer = _symbols.Outer(s) is { IsNone: false } container ? container : s;
        int version = _symbols.Version(outer);
        ReadOnlySpan<byte> name = _symbols.Name(outer);
        if (version >= _hostVersions.Start.Value && version < _hostVersions.End.Value && name.IndexOf((byte)'(') is > 0 and var end)
        {
            return Number($"(C of {Encoding.UTF8.GetString(name[..end])})");
        }
        if (_symbols.FromHostObject.Contains(s))
        {
            return Number("(C)");
        }
        if (_symbols.PackageOverride.TryGetValue(s, out string? path))
        {
            return Number(path);
        }
        return Linker;
    }
}
