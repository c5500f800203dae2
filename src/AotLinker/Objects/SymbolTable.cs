using System.Runtime.CompilerServices;
using AotLinker.Load;
using AotLinker.Releases;

namespace AotLinker.Objects;

/// <summary>
/// All symbols of a link as columns over <see cref="SymbolId"/>.
/// </summary>
/// <remarks>
/// <para>The id space, in order: 0 is none; the package definitions of every Go object, object by object; the first occurrence of
/// every hashed and named definition, object by object; then, from <see cref="ExternalStart"/> on, external symbols: named
/// references without a definition, symbols of host objects, and symbols the linker makes.</para>
/// <para>A symbol's particulars are read from its object's record in the mapping. A symbol whose record must change (<see
/// cref="Update"/>) becomes an external one under the same id, with its own copies of only what changed.</para>
/// <para>Partial files: this one (ids, records, attributes), names, external symbols, live symbols.</para>
/// </remarks>
internal sealed unsafe partial class SymbolTable
{
    /// <summary>Versions below are ABIs (0 ABI0, 1 ABIInternal); from here on they denote file-local symbols.</summary>
    public const int StaticVersion = 10;

    /// <summary>Position of the pseudo-object that external symbols belong to.</summary>
    public const int ExternalObject = 1;

    // Where an id's record is. Package definitions need no column: their ids are consecutive, object by object. Other ids have the
    // position of their definition, or the complement of their external index. What does not fit is in the dictionary and marked.
    private readonly NativeColumn<int> _where = new();
    private readonly Dictionary<int, (int Object, int Local)> _elsewhere = [];
    private RangeIndex _packageIds = new([0, 1]);
    private RangeIndex _positions = new([0, 0]);

    private readonly NativeColumn<byte> _kind = new();
    private readonly NativeColumn<byte> _align = new();
    private readonly NativeColumn<byte> _attributes = new();
    private readonly ValueColumn _value;
    // Sections are few, too: an index, or ManySections for the dictionary.
    internal const int ManySections = 255;
    private readonly LiveColumn<byte> _section;
    private readonly Dictionary<int, int> _manySections = [];

    private GoObject[] _objects = new GoObject[FirstObject];

    // Containers are few, unless there are host objects: an index into the list, or ManyContainers for the dictionary.
    private const int ManyContainers = 255;
    private readonly LiveColumn<byte> _outer;
    private readonly int[] _containers = new int[ManyContainers];
    private int _containerCount = 1;
    private readonly Dictionary<int, int> _manyContainers = [];
    private readonly Lock _containersLock = new();

    /// <summary>A table without symbols, for objects of the given release.</summary>
    public SymbolTable(Release release, Target target)
    {
        Release = release;
        Target = target;
        AbiInternalVersion = target.AbiInternalVersion;
        PointerSize = target.PointerSize;
        IsBigEndian = target.IsBigEndian;
        _value = new ValueColumn(_live);
        _section = new LiveColumn<byte>(_live);
        _outer = new LiveColumn<byte>(_live);
        Grow(1);
        Count = 1;
    }

    /// <summary>Marks the linker keeps per symbol.</summary>
    [Flags]
    public enum Attributes : byte
    {
        /// <summary>None set.</summary>
        None = 0,
        /// <summary>Live: referenced from an entry point (AttrReachable). Set by reach and by passes that make symbols.</summary>
        Reachable = 1,
        /// <summary>A type used in an interface (AttrUsedInIface).</summary>
        UsedInIface = 2,
        /// <summary>Only visible within the module (AttrLocal).</summary>
        Local = 4,
        /// <summary>Kept out of the output's symbol table (AttrNotInSymbolTable).</summary>
        NotInSymbolTable = 8,
        /// <summary>Its address is not assigned by the ordinary layout (AttrSpecial).</summary>
        Special = 16,
        /// <summary>Already on a text or data list (AttrOnList).</summary>
        OnList = 32,
        /// <summary>Its content is written straight into the output by a generator (IsGeneratedSym).</summary>
        Generated = 64,
        /// <summary>Its record is not that of its first definition: it is external, or another definition won. The table's own.</summary>
        Elsewhere = 128,
    }

    /// <summary>What is linked for: byte order and pointer size of linker-made content.</summary>
    public Target Target { get; }

    /// <summary>Bytes in a pointer of the target.</summary>
    public int PointerSize { get; }

    /// <summary>Byte order of the target.</summary>
    public bool IsBigEndian { get; }

    /// <summary>The release of the objects.</summary>
    public Release Release { get; }

    /// <summary>Version of ABIInternal symbols: 1, or 0 on ports without ABI wrappers (abiInternalVer).</summary>
    public int AbiInternalVersion { get; }

    /// <summary>Number of ids in use, <see cref="SymbolId.None"/> included.</summary>
    public int Count { get; private set; }

    /// <summary>First id of the external symbols; 0 until resolve has set it.</summary>
    public int ExternalStart { get; private set; }

    /// <summary>The Go objects by index; indices 0 and <see cref="ExternalObject"/> are not objects.</summary>
    public ReadOnlySpan<GoObject> Objects => _objects;

    /// <summary>The Go object at an index; null for <see cref="ExternalObject"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GoObject? ObjectAt(int index) => _objects[index];

    /// <summary>Index of the first Go object.</summary>
    public const int FirstObject = 2;

    /// <summary>Value column: address once laid out; other uses by earlier passes.</summary>
    public ValueColumn Values => _value;

    /// <summary>Whether the symbol belongs to no Go object, or was taken out of one to be changed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsExternal(SymbolId s) => Has(s, Attributes.Elsewhere) && WhereElse(s, out _) == ExternalObject;

    /// <summary>The Go object that defines the symbol and its index there; null for external symbols.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GoObject? Locate(SymbolId s, out int local)
    {
        if (Has(s, Attributes.Elsewhere))
        {
            int o = WhereElse(s, out local);
            return o == ExternalObject ? null : _objects[o];
        }
        if (s.Index < _packageIds.End)
        {
            return _objects[_packageIds.Find(s.Index, out local)];
        }
        GoObject owner = _objects[_positions.Find(_where[(long)s.Index - _packageIds.End], out local)];
        local += owner.DefCount;
        return owner;
    }

    /// <summary>As <see cref="Locate"/>, with the object's index: <see cref="ExternalObject"/> for external symbols.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int LocateIndex(SymbolId s, out int local)
    {
        if (Has(s, Attributes.Elsewhere))
        {
            return WhereElse(s, out local);
        }
        if (s.Index < _packageIds.End)
        {
            return _packageIds.Find(s.Index, out local);
        }
        int o = _positions.Find(_where[(long)s.Index - _packageIds.End], out local);
        local += _objects[o].DefCount;
        return o;
    }

    /// <summary>Asks the CPU for what <see cref="Locate"/> needs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ExpectLocate(SymbolId s)
    {
        if (s.Index >= _packageIds.End)
        {
            Prefetch.Read(_where.Pointer + ((long)s.Index - _packageIds.End));
        }
    }

    /// <summary>
    /// The Go object a symbol comes from, also if it was taken out of it to be changed (then <paramref name="local"/> is its
    /// former index); null for symbols without an object.
    /// </summary>
    public GoObject? Origin(SymbolId s, out int local)
    {
        GoObject? o = Locate(s, out local);
        return o ?? (s.IsNone ? null : ExternalOrigin(s, out local));
    }

    /// <summary>Asks the CPU for a symbol's record, and for where its content and relocations begin.</summary>
    public void ExpectRecord(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            o.ExpectRecord(local);
            o.ExpectIndexes(local);
        }
    }

    /// <summary>Asks the CPU for a symbol's content. <see cref="ExpectRecord"/> came a while before.</summary>
    public void ExpectData(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            o.ExpectData(local);
        }
    }

    /// <summary>
    /// Asks the CPU for a symbol's name. <see cref="ExpectRecord"/> came a while before.
    /// </summary>
    public void ExpectName(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            o.ExpectName(local);
        }
    }

    /// <summary>Asks the CPU for a symbol's name, content and relocations. <see cref="ExpectRecord"/> came a while before.</summary>
    public void ExpectContent(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            o.ExpectName(local);
            o.ExpectData(local);
            o.ExpectRelocs(local);
        }
    }

    /// <summary>Asks the CPU for a symbol's relocations. <see cref="ExpectRecord"/> came a while before.</summary>
    public void ExpectRelocs(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            o.ExpectRelocs(local);
        }
    }

    /// <summary>Asks the CPU for where a symbol's auxiliary symbols begin.</summary>
    public void ExpectAuxIndex(SymbolId s) => Locate(s, out int local)?.ExpectAuxIndex(local);

    /// <summary>Asks the CPU for a symbol's auxiliary symbols. <see cref="ExpectAuxIndex"/> came a while before.</summary>
    public void ExpectAuxes(SymbolId s) => Locate(s, out int local)?.ExpectAuxes(local);

    /// <summary>Kind of memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SymbolKind Kind(SymbolId s) => (SymbolKind)_kind[s];

    /// <summary>Size in memory, in bytes.</summary>
    public long Size(SymbolId s)
    {
        int n = _live.Of(s.Index);
        if ((uint)n < (uint)_live.Count && _sizes[(long)n] is not 0 and var size)
        {
            return size - 1;
        }
        GoObject? o = Locate(s, out int local);
        return o is not null ? o.Symbol(local).Size : External(s).Size;
    }

    /// <summary>Name, as bytes that stay valid for the whole link.</summary>
    public ReadOnlySpan<byte> Name(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? o.Name(local) : s.IsNone ? "?"u8 : ExternalName(s);
    }

    /// <summary>Name as text, for messages.</summary>
    public string NameText(SymbolId s) => System.Text.Encoding.UTF8.GetString(Name(s));

    /// <summary>ABI, or the file's own number for a static symbol (≥ <see cref="StaticVersion"/>), or negative for anonymous ones.</summary>
    public int Version(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? Version(o, o.Symbol(local).Abi) : External(s).Version;
    }

    /// <summary>Whether the symbol is only known within its file.</summary>
    public bool IsFileLocal(SymbolId s) => Version(s) >= StaticVersion;

    /// <summary>The version that an object's ABI field stands for (loader.abiToVer).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Version(GoObject o, ushort abi) => abi == 0 ? 0 : abi == 1 ? AbiInternalVersion : StaticVersionOf(o, abi);

    /// <summary>First flag byte of the record; none for external symbols.</summary>
    public SymbolFlags Flags(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? o.Symbol(local).Flags : SymbolFlags.None;
    }

    /// <summary>Second flag byte of the record; none for external symbols.</summary>
    public SymbolFlags2 Flags2(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? o.Symbol(local).Flags2 : SymbolFlags2.None;
    }

    /// <summary>Whether the symbol may be defined in several objects.</summary>
    public bool IsDupOk(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? (o.Symbol(local).Flags & SymbolFlags.DupOk) != 0 : External(s).DupOk;
    }

    /// <summary>Whether the symbol was compiled with -shared.</summary>
    public bool IsShared(SymbolId s)
    {
        GoObject? o = Locate(s, out int _);
        return o is not null ? o.Shared : External(s).Shared;
    }

    /// <summary>Whether the assembler made the symbol.</summary>
    public bool IsFromAssembly(SymbolId s) => Origin(s, out _) is { FromAssembly: true };

    /// <summary>Whether the symbol is content-addressable by a 128-bit hash.</summary>
    public bool IsContentHashed(SymbolId s) =>
        (s.Index >= _packageIds.End || Has(s, Attributes.Elsewhere)) && Origin(s, out int local) is { } o && o.IsContentHashed(local);

    /// <summary>The compilation unit the symbol comes from; null for host and linker-made symbols.</summary>
    public CompilationUnit? Unit(SymbolId s) => Origin(s, out _)?.Unit;

    /// <summary>
    /// Content. May be shorter than <see cref="Size"/>: the rest is zero. Empty for generated symbols until they are written.
    /// </summary>
    public ReadOnlySpan<byte> Data(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? o.Data(local) : s.IsNone ? default : ExternalData(s);
    }

    /// <summary>Relocations, read in place.</summary>
    public RelocList Relocs(SymbolId s)
    {
        GoObject? o = Locate(s, out int local);
        return o is not null ? new RelocList(this, o, o.Relocs(local), Release.RelocKinds) : ExternalRelocs(s);
    }

    /// <summary>Auxiliary symbols, and the object whose numbering they use.</summary>
    public ReadOnlySpan<AuxRecord> Auxes(SymbolId s, out GoObject? owner)
    {
        owner = Origin(s, out int local);
        return owner is null ? default : owner.Auxes(local);
    }

    /// <summary>The first auxiliary symbol of a kind; none if there is none (loader.aux1).</summary>
    public SymbolId Aux(SymbolId s, AuxKind kind)
    {
        foreach (ref readonly AuxRecord aux in Auxes(s, out GoObject? owner))
        {
            if (aux.Kind == kind)
            {
                return Resolve(owner, aux.Target);
            }
        }
        return SymbolId.None;
    }

    /// <summary>Content of the function's FuncInfo record; empty if it has none.</summary>
    public ReadOnlySpan<byte> FuncInfo(SymbolId s, out GoObject? owner)
    {
        foreach (ref readonly AuxRecord aux in Auxes(s, out owner))
        {
            if (aux.Kind == AuxKind.FuncInfo)
            {
                return owner!.Data((int)Math.Min(aux.Target.SymbolIndex, int.MaxValue));
            }
        }
        return default;
    }

    /// <summary>
    /// What a function's reference to one of its tables of pcs leads to: the definition's number in <paramref name="owner"/> plus one, for most
    /// such tables have no ids; the complement of an id; or 0, no table.
    /// </summary>
    public int PcTable(GoObject? owner, SymRef r) =>
        owner is not null && r.PackageIndex == SymRef.Hashed && r.SymbolIndex < (uint)owner.HashedCount
            ? owner.FirstHashed + (int)r.SymbolIndex + 1
            : Resolve(owner, r) is { IsNone: false } s ? ~s.Index : 0;

    /// <summary>Content of what <see cref="PcTable"/> tells.</summary>
    public ReadOnlySpan<byte> PcTableData(GoObject? owner, int table) =>
        table > 0 ? owner!.Data(table - 1) : table < 0 ? Data(new SymbolId(~table)) : default;

    /// <summary>Content of a function's table from pc to the depth of the stack; empty if there is none.</summary>
    public ReadOnlySpan<byte> StackDepths(SymbolId function)
    {
        foreach (ref readonly AuxRecord aux in Auxes(function, out GoObject? owner))
        {
            if (aux.Kind == AuxKind.PcSp)
            {
                return PcTableData(owner, PcTable(owner, aux.Target));
            }
        }
        return default;
    }

    /// <summary>The position of an object's definition that is none of its package.</summary>
    public int PositionOf(GoObject owner, int local) => _positions.Start(owner.Index) + local - owner.DefCount;

    /// <summary>The object and number of the definition at a position.</summary>
    public GoObject DefinitionAt(int position, out int local)
    {
        GoObject owner = _objects[_positions.Find(position, out local)];
        local += owner.DefCount;
        return owner;
    }

    /// <summary>End of all positions.</summary>
    public int PositionCount => _positions.End;

    /// <summary>Global id of a reference in <paramref name="owner"/>'s numbering (loader.resolve); null: linker-made.</summary>
    /// <exception cref="LinkException">The reference points outside its package, or at a builtin nothing defines.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SymbolId Resolve(GoObject? owner, SymRef r)
    {
        // Nearly all references are by name or within the package.
        if (owner is not null)
        {
            if (r.PackageIndex == SymRef.NonPackage && r.SymbolIndex < (uint)(owner.SymbolCount - owner.FirstNonPkg))
            {
                return new SymbolId(owner.MappedId(owner.FirstNonPkg - owner.DefCount + (int)r.SymbolIndex));
            }
            if (r.PackageIndex == SymRef.Self && r.SymbolIndex < (uint)owner.DefCount)
            {
                return new SymbolId(owner.GlobalBase + (int)r.SymbolIndex);
            }
        }
        return ResolveOther(owner, r);
    }

    /// <summary>
    /// As the other overload; tells the definition in <paramref name="owner"/> too if it is the one that counts, or has the content of that
    /// one, unless the symbol is marked <see cref="Attributes.Elsewhere"/>. Otherwise <paramref name="local"/> is -1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SymbolId Resolve(GoObject owner, SymRef r, out int local)
    {
        uint index = r.SymbolIndex;
        if (r.PackageIndex == SymRef.Self && index < (uint)owner.DefCount)
        {
            local = (int)index;
            return new SymbolId(owner.GlobalBase + local);
        }
        if (r.PackageIndex == SymRef.Hashed && index < (uint)owner.HashedCount)
        {
            int hashed = owner.Hashed64Count + (int)index;
            local = owner.DefCount + hashed;
            return new SymbolId(owner.MappedId(hashed));
        }
        local = -1;
        return Resolve(owner, r);
    }

    /// <summary>Required alignment in bytes; 0 if none was set.</summary>
    public int Align(SymbolId s) => _align[s] is 0 ? 0 : 1 << (_align[s] - 1);

    /// <summary>Sets the alignment, a power of two or 0.</summary>
    public void SetAlign(SymbolId s, int align) => _align[s] = EncodeAlign(align);

    /// <summary>Value; the address once laid out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Value(SymbolId s) => _value[s];

    /// <summary>Sets the value.</summary>
    public void SetValue(SymbolId s, long value) => _value[s] = value;

    /// <summary>Whether all of <paramref name="attributes"/> are set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(SymbolId s, Attributes attributes) => ((Attributes)_attributes[s] & attributes) == attributes;

    /// <summary>Sets or clears attributes, from serial code or for a symbol only this thread touches.</summary>
    public void Set(SymbolId s, Attributes attributes, bool on = true)
    {
        ref byte b = ref _attributes[s];
        b = on ? (byte)(b | (byte)attributes) : (byte)(b & ~(byte)attributes);
    }

    /// <summary>Sets attributes from any thread; true if this call set one of them.</summary>
    public bool SetShared(SymbolId s, Attributes attributes)
    {
        ref byte b = ref _attributes[s];
        byte old = Volatile.Read(ref b);
        while (true)
        {
            byte wanted = (byte)(old | (byte)attributes);
            if (wanted == old)
            {
                return false;
            }
            byte seen = Interlocked.CompareExchange(ref b, wanted, old);
            if (seen == old)
            {
                return true;
            }
            old = seen;
        }
    }

    /// <summary>Whether the symbol is live.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsReachable(SymbolId s) => (_attributes[s] & (byte)Attributes.Reachable) != 0;

    /// <summary>The container symbol; none for symbols on their own.</summary>
    public SymbolId Outer(SymbolId s)
    {
        int container = _outer.Get(s);
        return container == 0 ? SymbolId.None : OuterOf(s, container);
    }

    /// <summary>
    /// Makes <paramref name="carrier"/> the container that <paramref name="s"/>'s content is part of (SetCarrierSym). Several threads may,
    /// each for symbols of its own.
    /// </summary>
    public void SetCarrier(SymbolId s, SymbolId carrier)
    {
        int index = _containers.AsSpan(0, Volatile.Read(ref _containerCount)).IndexOf(carrier.Index);
        if (index < 0)
        {
            lock (_containersLock)
            {
                index = AddContainer(s, carrier);
            }
        }
        _outer[s] = (byte)index;
    }

    /// <summary>Index of the symbol's section; 0 for none.</summary>
    public int SectionIndex(SymbolId s)
    {
        int index = _section.Get(s);
        if (index < ManySections)
        {
            return index;
        }
        lock (_manySections)
        {
            return _manySections[s.Index];
        }
    }

    /// <summary>
    /// Index of a section by the number of its live symbol; <see cref="ManySections"/> for one beyond that. Calls nothing.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SectionOfNumber(int number)
    {
        byte* sections = _section.ByNumber(out int count);
        return (uint)number < (uint)count ? sections[number] : ManySections;
    }

    /// <summary>Sets the section by index.</summary>
    public void SetSectionIndex(SymbolId s, int index)
    {
        _section[s] = (byte)Math.Min(index, ManySections);
        if (index >= ManySections)
        {
            lock (_manySections)
            {
                _manySections[s.Index] = index;
            }
        }
    }

    /// <summary>Byte form of an alignment: 0 for none, else its logarithm plus one.</summary>
    public static byte EncodeAlign(int align) =>
        align == 0 ? (byte)0 : (byte)(System.Numerics.BitOperations.Log2((uint)align) + 1);

    // Another package's symbols, and those known by their content. It calls nothing, and so needs no frame.
    private SymbolId ResolveOther(GoObject? owner, SymRef r) =>
        owner is not null && owner.TryResolve(r, out int id) ? new SymbolId(id) : ResolveRest(owner, r);

    private SymbolId ResolveRest(GoObject? owner, SymRef r)
    {
        if (owner is null)
        {
            return new SymbolId((int)r.SymbolIndex);
        }
        uint package = r.PackageIndex;
        uint index = r.SymbolIndex;
        if (package < SymRef.Self)
        {
            if (package == SymRef.Invalid)
            {
                return index == 0 ? SymbolId.None : throw owner.Damaged("bad symbol reference");
            }
            IdRange[] packages = owner.PackageIds;
            if (package >= (uint)packages.Length)
            {
                throw owner.Damaged("package index out of range");
            }
            IdRange ids = packages[package];
            return index < (uint)ids.Count ? new SymbolId(ids.First + (int)index) : throw owner.Damaged("symbol reference out of range");
        }
        if (package == SymRef.Builtin)
        {
            return ResolveBuiltin(owner, index);
        }
        ulong local = package switch
        {
            SymRef.Self => index,
            SymRef.Hashed64 => index + (ulong)owner.DefCount,
            SymRef.Hashed => index + (ulong)owner.FirstHashed,
            SymRef.NonPackage => index + (ulong)owner.FirstNonPkg,
            _ => throw owner.Damaged("bad package index"),
        };
        int id = owner.ToGlobal((int)Math.Min(local, int.MaxValue));
        return id != 0 ? new SymbolId(id) : throw owner.Damaged("symbol reference to a table of pcs");
    }

    private static int StaticVersionOf(GoObject o, ushort abi) =>
        abi == SymbolRecord.StaticAbi ? o.StaticVersion
        : throw new LinkException(MessageForm.Input, $"{o.DisplayName}: invalid symbol ABI: {abi}");

    private SymbolId OuterOf(SymbolId s, int container)
    {
        if (container < ManyContainers)
        {
            return new SymbolId(_containers[container]);
        }
        lock (_containersLock)
        {
            return new SymbolId(_manyContainers[s.Index]);
        }
    }

    private int AddContainer(SymbolId s, SymbolId carrier)
    {
        int index = _containers.AsSpan(0, _containerCount).IndexOf(carrier.Index);
        if (index >= 0)
        {
            return index;
        }
        if (_containerCount == ManyContainers)
        {
            _manyContainers[s.Index] = carrier.Index;
            return ManyContainers;
        }
        _containers[_containerCount] = carrier.Index;
        Volatile.Write(ref _containerCount, _containerCount + 1);
        return _containerCount - 1;
    }

    /// <summary>The object and local index (for <see cref="ExternalObject"/> the external index) of a marked symbol.</summary>
    private int WhereElse(SymbolId s, out int local)
    {
        if (s.Index < _packageIds.End)
        {
            (int o, local) = _elsewhere[s.Index];
            return o;
        }
        local = ~_where[(long)s.Index - _packageIds.End];
        return ExternalObject;
    }

    /// <summary>Lets an id stand for an external record.</summary>
    private void SetExternal(SymbolId s, int externalIndex)
    {
        if (s.Index < _packageIds.End)
        {
            _elsewhere[s.Index] = (ExternalObject, externalIndex);
        }
        else
        {
            _where[(long)s.Index - _packageIds.End] = ~externalIndex;
        }
        Set(s, Attributes.Elsewhere);
        ForgetRecord(s);
    }

    private int ExternalIndex(SymbolId s)
    {
        if (!Has(s, Attributes.Elsewhere) || WhereElse(s, out int index) != ExternalObject)
        {
            throw new InvalidOperationException($"{s} is not external");
        }
        return index;
    }

    private void Grow(long count)
    {
        _where.EnsureCapacity(count - _packageIds.End);
        _kind.EnsureCapacity(count);
        _align.EnsureCapacity(count);
        _attributes.EnsureCapacity(count);
        _value.EnsureCapacity((int)count);
        _outer.EnsureCapacity((int)count);
        _section.EnsureCapacity((int)count);
    }
}
