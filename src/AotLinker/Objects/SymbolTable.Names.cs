using System.Runtime.InteropServices;

namespace AotLinker.Objects;

/// <summary>Lookup by name and version.</summary>
internal sealed unsafe partial class SymbolTable
{
    private int[] _builtins = [];
    private NameTable _names = new(1);

    /// <summary>The symbol of a name and version; none if there is none (Loader.Lookup).</summary>
    public SymbolId Lookup(ReadOnlySpan<byte> name, int version) => new(_names.Find(this, name, version));

    /// <summary>
    /// Looks up several names of version 0 at once, which is faster than one after the other: what one search waits for is asked for
    /// while others go on.
    /// </summary>
    /// <param name="names">The names, back to back.</param>
    /// <param name="ends">Where each name ends; at most 64.</param>
    /// <param name="found">Receives the symbols; none for a name that there is not.</param>
    public void Lookup(ReadOnlySpan<byte> names, ReadOnlySpan<int> ends, Span<SymbolId> found)
    {
        const int Most = 64;
        Span<ulong> hashes = stackalloc ulong[Most];
        hashes = hashes[..ends.Length];
        int start = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            hashes[i] = NameTable.Hash(names[start..ends[i]], 0);
            _names.Expect(hashes[i]);
            start = ends[i];
        }
        for (int i = 0; i < ends.Length; i++)
        {
            found[i] = new SymbolId(_names.Candidate(hashes[i]));
            ExpectRecord(found[i]);
        }
        for (int i = 0; i < ends.Length; i++)
        {
            ExpectName(found[i]);
        }
        start = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            found[i] = new SymbolId(_names.Find(this, hashes[i], names[start..ends[i]], 0));
            start = ends[i];
        }
    }

    /// <summary>Most symbols that <see cref="ReadNames"/> takes.</summary>
    public const int NameBatch = 32;

    /// <summary>
    /// The names of several symbols at once: their records are asked for together, then their names, which are on their way to the cache when
    /// this returns.
    /// </summary>
    /// <param name="symbols">The symbols; at most <see cref="NameBatch"/>.</param>
    /// <param name="names">Receives the names, which stay valid for the whole link.</param>
    public void ReadNames(ReadOnlySpan<SymbolId> symbols, Span<NativeSpan<byte>> names)
    {
        int* owners = stackalloc int[NameBatch];
        SymbolRecord** records = stackalloc SymbolRecord*[NameBatch];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(symbols.Length, NameBatch);
        names = names[..symbols.Length];
        for (int i = 0; i < symbols.Length; i++)
        {
            owners[i] = LocateIndex(symbols[i], out int local);
            if (owners[i] >= FirstObject)
            {
                records[i] = _objects[owners[i]].RecordOf(local);
                Prefetch.Read(records[i]);
            }
        }
        for (int i = 0; i < names.Length; i++)
        {
            ReadOnlySpan<byte> name = owners[i] >= FirstObject ? _objects[owners[i]].Name(*records[i]) : Name(symbols[i]);
            names[i] = NativeSpan<byte>.InPlace(name);
            names[i].Expect();
        }
    }

    /// <summary>The symbol of a name and version, made as an undefined external one if there is none (LookupOrCreateSym).</summary>
    public SymbolId LookupOrCreate(ReadOnlySpan<byte> name, int version)
    {
        int found = _names.Find(this, name, version);
        if (found != 0)
        {
            return new SymbolId(found);
        }
        SymbolId s = CreateUnnamed(name, version);
        _names.Insert(this, name, version, s.Index);
        return s;
    }

    /// <summary>Makes room for the package definitions of all objects, whose ids are known from the start.</summary>
    /// <param name="packageIds">Ids of the objects' package definitions.</param>
    internal void ReservePackageIds(RangeIndex packageIds)
    {
        _packageIds = packageIds;
        Grow(packageIds.End);
    }

    /// <summary>
    /// Takes over what resolve found: the objects (from index <see cref="FirstObject"/> on), the names, and which positions are which
    /// object's. Called once, after <see cref="ReservePackageIds"/>.
    /// </summary>
    /// <param name="objects">The objects.</param>
    /// <param name="names">The names of all definitions and references.</param>
    /// <param name="positions">Positions of the objects' other symbols.</param>
    /// <param name="count">Number of ids of definitions.</param>
    internal void Adopt(GoObject[] objects, NameTable names, RangeIndex positions, int count)
    {
        _objects = objects;
        _names = names;
        _positions = positions;
        Grow(count);
        Count = count;
    }

    /// <summary>Sets alignment (in the column's form) and adds attributes, for a symbol only this thread touches.</summary>
    internal void SetFirst(SymbolId s, byte align, Attributes attributes)
    {
        _align[s] = align;
        _attributes[s] |= (byte)attributes;
    }

    /// <summary>Sets which position's definition the id of a hashed or named definition stands for, while resolve runs.</summary>
    internal void SetDefinition(int id, int position, SymbolKind kind)
    {
        _where[(long)id - _packageIds.End] = position;
        _kind[(long)id] = (byte)kind;
    }

    /// <summary>Lets an id stand for another definition than its first one.</summary>
    internal void ReplaceDefinition(int id, int objectIndex, int local, SymbolKind kind)
    {
        _kind[(long)id] = (byte)kind;
        if (id >= _packageIds.End)
        {
            _where[(long)id - _packageIds.End] = _positions.Start(objectIndex) + local - _objects[objectIndex].DefCount;
            return;
        }
        _elsewhere[id] = (objectIndex, local);
        Set(new SymbolId(id), Attributes.Elsewhere);
    }

    /// <summary>Makes the ids and records of undefined symbols, which <see cref="DefineReference"/> fills in; returns the first record.</summary>
    internal int AddReferences(int count)
    {
        Grow(Count + (long)count);
        _externals.EnsureCapacity(_externalCount + (long)count);
        // And some for symbols that become external.
        _contents.EnsureCapacity(_externalCount + count + (count / 16) + 256);
        CollectionsMarshal.SetCount(_contents, _externalCount + count);
        CollectionsMarshal.AsSpan(_contents)[_externalCount..].Clear();
        int first = _externalCount;
        _externalCount += count;
        if (ExternalStart == 0 && count != 0)
        {
            ExternalStart = Count;
        }
        Count += count;
        return first;
    }

    /// <summary>Makes the undefined symbol of a name that resolve has entered in the name table. Any thread may do it.</summary>
    internal void DefineReference(SymbolId s, int record, ReadOnlySpan<byte> name, int version)
    {
        fixed (byte* p = name)
        {
            // The bytes lie in an object's mapping, so the address outlives the pin.
            _externals[(long)record] = new ExternalRecord { Name = p, NameLength = name.Length, Version = version };
        }
        SetExternal(s, record);
    }

    /// <summary>Raises the alignment (in the column's form) to at least <paramref name="wanted"/>, for a symbol only this thread touches.</summary>
    internal void RaiseAlign(SymbolId s, byte wanted)
    {
        ref byte align = ref _align[s];
        align = Math.Max(align, wanted);
    }

    /// <summary>The kinds of consecutive symbols.</summary>
    internal Span<byte> KindsFrom(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + count, _kind.Capacity);
        return new Span<byte>(_kind.Pointer + first, count);
    }

    /// <summary>Tells references that cannot be to a symbol without turning them into ids.</summary>
    public ReferenceFilter FilterFor(SymbolId s)
    {
        uint definition = uint.MaxValue;
        if (!s.IsNone && s.Index < _packageIds.End)
        {
            _packageIds.Find(s.Index, out int local);
            definition = (uint)local;
        }
        return new ReferenceFilter(definition, (uint)Array.IndexOf(_builtins, s.Index));
    }

    private SymbolId ResolveBuiltin(GoObject owner, uint index)
    {
        int[] builtins = _builtins;
        if (index < (uint)builtins.Length && builtins[index] is var s && s != 0)
        {
            return new SymbolId(s);
        }
        throw new LinkException(MessageForm.Input, $"reference to undefined builtin \"{BuiltinName(index)}\" from package \"{owner.Package.Path}\"");
    }

    private string BuiltinName(uint index)
    {
        foreach (Range line in Release.Builtins.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> text = Release.Builtins[line];
            if (index-- == 0 && text.Length > 1)
            {
                return System.Text.Encoding.UTF8.GetString(text[1..]);
            }
        }
        return "?";
    }

    /// <summary>Finds the definition of every builtin, once all definitions have their ids.</summary>
    internal void BindBuiltins()
    {
        _builtins = new int[Release.Builtins.Count((byte)'\n') + 1];
        int index = 0;
        foreach (Range line in Release.Builtins.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> text = Release.Builtins[line];
            if (text.Length > 1)
            {
                int s = _names.Find(this, text[1..], text[0] == (byte)'1' ? AbiInternalVersion : 0);
                if (s != 0 && (ExternalStart == 0 || s < ExternalStart))
                {
                    _builtins[index] = s;
                }
            }
            index++;
        }
        foreach (GoObject o in _objects.AsSpan(FirstObject))
        {
            o.Builtins = _builtins;
        }
    }
}
