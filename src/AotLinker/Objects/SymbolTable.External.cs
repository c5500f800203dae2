using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>External symbols: undefined references, host symbols, linker-made symbols, and changed Go symbols.</summary>
internal sealed unsafe partial class SymbolTable
{
    private readonly NativeColumn<ExternalRecord> _externals = new();
    private readonly List<SymbolContent?> _contents = [];
    private ChangedReloc* _changedRelocs;
    private int _changedRelocsLeft;
    private int _externalCount;
    private int _anonymousVersion;
    private byte* _nameBlock;
    private int _nameBlockLeft;

    // Sparse attributes: absent from the dictionary means unset.

    /// <summary>Name in the output where it differs from the symbol's own (SymExtname).</summary>
    public Dictionary<SymbolId, string> ExternalNames { get; } = [];

    /// <summary>Library of a cgo_import_dynamic symbol (SymDynimplib).</summary>
    public Dictionary<SymbolId, string> DynamicLibrary { get; } = [];

    /// <summary>Version of a cgo_import_dynamic symbol (SymDynimpvers).</summary>
    public Dictionary<SymbolId, string> DynamicVersion { get; } = [];

    /// <summary>Index in the dynamic symbol table (SymDynid); absent: -1.</summary>
    public SortedDictionary<SymbolId, int> DynamicId { get; } = [];

    /// <summary>Offset of the symbol's PLT entry; absent: -1.</summary>
    public Dictionary<SymbolId, int> PltOffset { get; } = [];

    /// <summary>Offset of the symbol's GOT entry; absent: -1.</summary>
    public Dictionary<SymbolId, int> GotOffset { get; } = [];

    /// <summary>Offset of the local entry point (ppc64); absent: 0.</summary>
    public Dictionary<SymbolId, byte> LocalEntry { get; } = [];

    /// <summary>Symbols exported to C, dynamically (cgo_export_dynamic).</summary>
    public SortedSet<SymbolId> CgoExportDynamic { get; } = [];

    /// <summary>Symbols exported to C, statically (cgo_export_static).</summary>
    public SortedSet<SymbolId> CgoExportStatic { get; } = [];

    /// <summary>The Go symbol of each name exported to C statically: what host objects refer to (CgoExports).</summary>
    public Dictionary<string, SymbolId> CgoExportNames { get; } = new(StringComparer.Ordinal);

    /// <summary>Symbols with hidden visibility (host objects).</summary>
    public HashSet<SymbolId> Hidden { get; } = [];

    /// <summary>Type a symbol has in the host's own object format (SymElfType); absent: not said.</summary>
    public Dictionary<SymbolId, byte> HostSymbolType { get; } = [];

    /// <summary>Weak-binding symbols (host objects).</summary>
    public HashSet<SymbolId> WeakBinding { get; } = [];

    /// <summary>Function symbols loaded from host objects (AttrExternal).</summary>
    public HashSet<SymbolId> FromHostObject { get; } = [];

    /// <summary>Trampolines that lead to runtime.deferreturn (deferReturnTramp).</summary>
    public HashSet<SymbolId> DeferReturnTrampolines { get; } = [];

    /// <summary>The symbols that reach found to refer to runtime.deferreturn.</summary>
    public HashSet<SymbolId> DeferReturnUsers { get; } = [];

    /// <summary>
    /// Whether a function may call runtime.deferreturn: not if reach looked at it and found no reference, and it is still what its object
    /// says.
    /// </summary>
    public bool MayDeferReturn(SymbolId s) =>
        (uint)_live.Of(s.Index) >= (uint)_live.Count || Has(s, Attributes.Elsewhere) || DeferReturnUsers.Contains(s);

    /// <summary>Whether the symbol is a trampoline that leads to runtime.deferreturn.</summary>
    public bool IsDeferReturnTrampoline(SymbolId s) => DeferReturnTrampolines.Count != 0 && DeferReturnTrampolines.Contains(s);

    /// <summary>Package a symbol is laid out with where it differs from its object's (SetSymPkg).</summary>
    public Dictionary<SymbolId, string> PackageOverride { get; } = [];

    /// <summary>First interior symbol of a container, and next sibling of an interior one (SubSym).</summary>
    public Dictionary<SymbolId, SymbolId> Sub { get; } = [];

    /// <summary>Whether the symbol is a part of a host object's section, laid out with the section (AttrSubSymbol).</summary>
    public bool IsInterior(SymbolId s) => Sub.Count != 0 && Outer(s) is { IsNone: false } outer && Sub.ContainsKey(outer);

    /// <summary>Name the symbol has in the output.</summary>
    public string OutputName(SymbolId s) => ExternalNames.TryGetValue(s, out string? name) ? name : NameText(s);

    /// <summary>Import path of the package the symbol belongs to; empty for linker-made symbols (SymPkg).</summary>
    public string PackagePath(SymbolId s) =>
        PackageOverride.TryGetValue(s, out string? path) ? path : Origin(s, out _)?.Package.Path ?? "";

    /// <summary>Makes a symbol without entering it in the name table (CreateExtSym).</summary>
    public SymbolId CreateUnnamed(ReadOnlySpan<byte> name, int version)
    {
        fixed (byte* p = name)
        {
            return NewExternal(StoreName(name), name.Length, version);
        }
    }

    /// <summary>Makes a file-local symbol of the linker's own that no lookup finds (CreateStaticSym).</summary>
    public SymbolId CreateStatic(ReadOnlySpan<byte> name) => CreateUnnamed(name, --_anonymousVersion);

    /// <summary>
    /// Makes the symbol changeable: a Go symbol becomes external under the same id, still reading its content and relocations
    /// from the mapping until they are changed (MakeSymbolUpdater).
    /// </summary>
    public SymbolBuilder Update(SymbolId s)
    {
        if (s.IsNone)
        {
            throw new InvalidOperationException("the absent symbol cannot be changed");
        }
        if (!IsExternal(s))
        {
            GoObject o = Locate(s, out int local)!;
            ref readonly SymbolRecord record = ref o.Symbol(local);
            ReadOnlySpan<byte> name = o.Name(record);
            int index = AddExternalRecord(new ExternalRecord
            {
                Name = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(name)),
                NameLength = name.Length,
                Version = Version(o, record.Abi),
                Size = record.Size,
                OriginObject = o.Index,
                OriginLocal = local,
                DupOk = (record.Flags & SymbolFlags.DupOk) != 0,
                Shared = o.Shared,
            });
            SetExternal(s, index);
        }
        return new SymbolBuilder(this, s);
    }

    /// <summary>Looks a symbol up by name, creating it if there is none, and makes it live and changeable (CreateSymForUpdate).</summary>
    public SymbolBuilder Update(ReadOnlySpan<byte> name, int version) => Update(LookupOrCreate(name, version)).SetReachable();

    /// <summary>Lets a symbol that nothing defines become what another external one is, name and content included (CopySym).</summary>
    public void TakePlaceOf(SymbolId s, SymbolId other)
    {
        External(s) = External(other);
        _contents[ExternalIndex(s)] = _contents[ExternalIndex(other)];
        _kind[s] = _kind[other];
        if (PackageOverride.TryGetValue(other, out string? package))
        {
            PackageOverride[s] = package;
        }
    }

    /// <summary>Sets the kind; the caller has made the symbol external or is resolve.</summary>
    internal void SetKind(SymbolId s, SymbolKind kind) => _kind[s] = (byte)kind;

    /// <summary>The record of an external symbol; valid until the next symbol is made.</summary>
    internal ref ExternalRecord External(SymbolId s) => ref _externals[(long)ExternalIndex(s)];

    /// <summary>The own content and relocations of an external symbol; null while it has none or reads them from its origin.</summary>
    internal SymbolContent? Content(SymbolId s) => _contents[ExternalIndex(s)];

    /// <summary>Lets a symbol read its content from the mapping of a host object.</summary>
    internal void SetMappedData(SymbolId s, byte* content, int length)
    {
        ref ExternalRecord e = ref External(s);
        if (e.OriginObject == 0)
        {
            e.Place = content;
            e.Count = length;
        }
    }

    /// <summary>The own content of an external symbol, made on first use.</summary>
    internal SymbolContent OwnContent(SymbolId s)
    {
        int index = ExternalIndex(s);
        return _contents[index] ??= new SymbolContent();
    }

    private GoObject? ExternalOrigin(SymbolId s, out int local)
    {
        ref ExternalRecord e = ref External(s);
        local = e.OriginLocal;
        return e.OriginObject == 0 ? null : _objects[e.OriginObject];
    }

    private ReadOnlySpan<byte> ExternalName(SymbolId s)
    {
        ref ExternalRecord e = ref External(s);
        return new ReadOnlySpan<byte>(e.Name, e.NameLength);
    }

    private ReadOnlySpan<byte> ExternalData(SymbolId s)
    {
        SymbolContent? content = Content(s);
        if (content is { OwnsData: true })
        {
            return content.Data;
        }
        if (ExternalOrigin(s, out int local) is { } o)
        {
            return o.Data(local);
        }
        ref ExternalRecord e = ref External(s);
        return new ReadOnlySpan<byte>(e.Place, e.Count);
    }

    private RelocList ExternalRelocs(SymbolId s)
    {
        SymbolContent? content = Content(s);
        if (content is { OwnsRelocs: true })
        {
            return new RelocList(this, null, content.Relocs, SymbolContent.CanonicalKinds);
        }
        return ExternalOrigin(s, out int local) is { } o
            ? new RelocList(this, o, o.Relocs(local), Release.RelocKinds, ChangedRelocs(ref External(s)))
            : new RelocList(this, null, default, SymbolContent.CanonicalKinds);
    }

    private static Span<ChangedReloc> ChangedRelocs(ref ExternalRecord e) => new(e.Place, e.OriginObject == 0 ? 0 : e.Count);

    /// <summary>
    /// The i-th relocation of a Go symbol that has become external, to be changed. The symbol's changes lie together: those of the symbol
    /// that was changed last grow where they are, others move to the end. What a list reads that was taken before stays in place.
    /// </summary>
    internal ref RelocRecord ChangeReloc(SymbolId s, int i)
    {
        const int BlockSize = 1 << 11;
        ref ExternalRecord e = ref External(s);
        Span<ChangedReloc> changed = ChangedRelocs(ref e);
        int at = RelocList.IndexOf(changed, i);
        if (at < 0)
        {
            at = ~at;
            ChangedReloc change = new() { Index = i, Record = ExternalRelocs(s).Canonical(i) };
            bool isLast = (ChangedReloc*)e.Place + e.Count == _changedRelocs;
            int needed = isLast ? 1 : changed.Length + 1;
            if (needed > _changedRelocsLeft)
            {
                isLast = false;
                needed = changed.Length + 1;
                // Twice what it takes: a function with thousands of calls moves a few times, not once for each.
                _changedRelocsLeft = Math.Max(BlockSize, 2 * needed);
                _changedRelocs = (ChangedReloc*)NativeHeap.Alloc((nuint)_changedRelocsLeft, (nuint)sizeof(ChangedReloc));
            }
            if (!isLast)
            {
                changed.CopyTo(new Span<ChangedReloc>(_changedRelocs, changed.Length));
                e.Place = _changedRelocs;
            }
            _changedRelocs += needed;
            _changedRelocsLeft -= needed;
            e.Count++;
            changed = ChangedRelocs(ref e);
            changed[at..^1].CopyTo(changed[(at + 1)..]);
            changed[at] = change;
        }
        return ref changed[at].Record;
    }

    private SymbolId NewExternal(byte* name, int nameLength, int version)
    {
        int index = AddExternalRecord(new ExternalRecord { Name = name, NameLength = nameLength, Version = version });
        if (ExternalStart == 0)
        {
            ExternalStart = Count;
        }
        SymbolId s = new(Count);
        Grow(Count + 1);
        Count++;
        SetExternal(s, index);
        return s;
    }

    private int AddExternalRecord(ExternalRecord record)
    {
        int index = _externalCount++;
        _externals.EnsureCapacity(_externalCount);
        _externals[(long)index] = record;
        _contents.Add(null);
        return index;
    }

    // Names of linker-made symbols live as long as the process, in blocks that are never moved.
    private byte* StoreName(ReadOnlySpan<byte> name)
    {
        const int BlockSize = 1 << 16;
        if (name.Length > _nameBlockLeft)
        {
            _nameBlockLeft = Math.Max(BlockSize, name.Length);
            _nameBlock = (byte*)NativeHeap.Alloc((nuint)_nameBlockLeft, 1);
        }
        byte* p = _nameBlock;
        name.CopyTo(new Span<byte>(p, name.Length));
        _nameBlock += name.Length;
        _nameBlockLeft -= name.Length;
        return p;
    }

    /// <summary>What an external symbol has instead of an object file record.</summary>
    internal struct ExternalRecord
    {
        /// <summary>The name's bytes, in a mapping or in the table's own memory.</summary>
        public byte* Name;
        /// <summary>Length of the name.</summary>
        public int NameLength;
        /// <summary>ABI, static version, or negative.</summary>
        public int Version;
        /// <summary>Size in memory.</summary>
        public long Size;
        /// <summary>
        /// Of a symbol that was taken out of an object: relocations that were changed while the others are read from there. Of others:
        /// content in the mapping of a host object. Null for none.
        /// </summary>
        public void* Place;
        /// <summary>How many relocations, or bytes, there are.</summary>
        public int Count;
        /// <summary>The object the symbol was taken out of; 0 for none.</summary>
        public int OriginObject;
        /// <summary>Its local index there.</summary>
        public int OriginLocal;
        /// <summary>Dupok attribute.</summary>
        public bool DupOk;
        /// <summary>Compiled with -shared.</summary>
        public bool Shared;
    }
}
