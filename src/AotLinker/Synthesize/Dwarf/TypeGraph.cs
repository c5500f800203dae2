using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// The types of the debug information, numbered in the order their DIEs are written: that in which they were first needed, each before
/// the types it refers to (ld.newtype).
/// </summary>
/// <remarks>
/// <para>Filled by one thread. A type is found by its descriptor symbol: its name is that symbol's, so the two are one-to-one. Types
/// without a descriptor (<see cref="NodeFlags.Made"/>) are found by what they are made of.</para>
/// <para>Partial files: this one (types of the program), what debuggers need beyond them, writing.</para>
/// </remarks>
internal sealed partial class TypeGraph : IDisposable
{
    /// <summary>Node of the unspecified type, which stands in for types that are missing.</summary>
    public const int Unspecified = 0;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly int _pointerSize;
    private readonly DwarfFormat _format;
    private readonly IdMap _nodeOfType = new();
    private readonly NativeArray<TypeNode> _nodes = new(1 << 10);
    private readonly SymbolId _eface;
    private readonly SymbolId _iface;
    private readonly int _uintptr;
    private int[] _pending = new int[256];
    private int _pendingCount;

    /// <summary>A graph of the few types that all programs have.</summary>
    /// <exception cref="LinkException">One of them is missing.</exception>
    public TypeGraph(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _pointerSize = ctx.Target.PointerSize;
        _format = DwarfFormat.Of(ctx.Target);
        _eface = FindOrExit("type:runtime.eface"u8);
        _iface = FindOrExit("type:runtime.iface"u8);
        NewNode(new TypeNode { Shape = Abbreviation.NullType });
        AddBuiltin("type:unsafe.Pointer"u8, Abbreviation.BarePointerType);
        _uintptr = AddBuiltin("type:uintptr"u8, Abbreviation.BaseType);
    }

    /// <summary>Number of types.</summary>
    public int Count { get; private set; }

    /// <summary>Memory in use, in bytes, for accounts.</summary>
    public long NodeBytes => _nodes.Length * 20;

    /// <summary>A type.</summary>
    public ref TypeNode this[int node] => ref _nodes[node];

    /// <summary>The node of a descriptor; -1 if it has none.</summary>
    public int Find(SymbolId type) => _nodeOfType[type.Index];

    /// <summary>A symbol that must be there, with content (lookupOrDiag).</summary>
    /// <exception cref="LinkException">It is not.</exception>
    public SymbolId FindOrExit(ReadOnlySpan<byte> name)
    {
        SymbolId s = _symbols.Lookup(name, 0);
        if (s.IsNone)
        {
            throw new LinkException($"dwarf: missing type: {RawText.Decode(name)}");
        }
        if (_symbols.Data(s).IsEmpty)
        {
            throw new LinkException($"dwarf: missing type (no data): {RawText.Decode(name)}");
        }
        return s;
    }

    /// <summary>
    /// The node of a type, made now together with all types it refers to, if they are new (defgotype).
    /// </summary>
    public int Define(SymbolId type)
    {
        if (type.IsNone)
        {
            return Unspecified;
        }
        int node = Find(type);
        if (node >= 0)
        {
            return node;
        }
        // Depth first, first reference first: the order in which recursion would number them. A stack of our own, for chains of types
        // that refer to each other can be longer than a thread's stack is deep.
        Push(type);
        while (_pendingCount > 0)
        {
            SymbolId next = new(_pending[--_pendingCount]);
            if (_pendingCount > 0)
            {
                _symbols.ExpectContent(new SymbolId(_pending[_pendingCount - 1]));
            }
            if (Find(next) < 0)
            {
                Decode(next);
            }
        }
        node = Find(type);
        return node < 0 ? Unspecified : node;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _nodeOfType.Dispose();
        _nodes.Dispose();
    }

    // Makes the node of a descriptor and puts the types it refers to on the stack, the first one on top.
    private void Decode(SymbolId s)
    {
        ReadOnlySpan<byte> name = _symbols.Name(s);
        if (!name.StartsWith("type:"u8))
        {
            _ctx.Diagnostics.Error(name, "dwarf: type name doesn't start with \"type:\"");
            return;
        }
        TypeDescriptor type = new(_symbols, s);
        if (_symbols.Data(s).IsEmpty)
        {
            throw new LinkException($"{_symbols.NameText(s)}: missing type");
        }
        GoKind kind = type.Kind;
        Abbreviation shape = ShapeOf(kind);
        TypeNode node = new() { Type = s.Index, Shape = shape };
        if (shape == Abbreviation.Typedef)
        {
            _ctx.Diagnostics.Error(name, $"dwarf: definition of unknown kind {(int)kind}");
        }
        else if (HasTypedef(kind) && IsRealName(name["type:".Length..]))
        {
            node.Flags |= NodeFlags.HasTypedef;
        }
        if (_symbols.IsReachable(s))
        {
            node.Flags |= NodeFlags.HasRuntimeType;
        }
        _nodeOfType.Add(s.Index, NewNode(node));

        int bottom = _pendingCount;
        int hint = 0;
        switch (kind)
        {
            case GoKind.Array or GoKind.Chan or GoKind.Pointer or GoKind.Slice:
                Push(TargetAt(type, type.CommonSize, ref hint));
                break;
            case GoKind.Map:
                Push(TargetAt(type, type.CommonSize, ref hint));
                Push(TargetAt(type, type.CommonSize + _pointerSize, ref hint));
                break;
            case GoKind.Interface:
                Push(InterfaceStruct(type));
                break;
            case GoKind.Func:
                Signature signature = new(type);
                for (int i = 0; i < signature.InCount + signature.OutCount; i++)
                {
                    Push(TargetAt(type, signature.First + (i * _pointerSize), ref hint));
                }
                break;
            case GoKind.Struct:
                FieldList fields = new(type);
                for (int i = 0; i < fields.Count; i++)
                {
                    Push(TargetAt(type, fields.TypeOffset(i), ref hint));
                }
                break;
        }
        _pending.AsSpan(bottom, _pendingCount - bottom).Reverse();
    }

    private int NewNode(TypeNode node)
    {
        if (Count == _nodes.Length)
        {
            _nodes.Resize(NativeArray<TypeNode>.FillLargePages(_nodes.Length * 2));
            _nodes.PreferLargePages(2 << 20);
        }
        _nodes[Count] = node;
        return Count++;
    }

    private int AddBuiltin(ReadOnlySpan<byte> name, Abbreviation shape)
    {
        SymbolId s = FindOrExit(name);
        int node = NewNode(new TypeNode { Type = s.Index, Shape = shape, Flags = NodeFlags.HasRuntimeType });
        _nodeOfType.Add(s.Index, node);
        return node;
    }

    private void Push(SymbolId type)
    {
        if (type.IsNone || Find(type) >= 0)
        {
            return;
        }
        if (_pendingCount == _pending.Length)
        {
            Array.Resize(ref _pending, _pendingCount * 2);
        }
        _pending[_pendingCount++] = type.Index;
        _symbols.ExpectRecord(type);
    }

    // The target of the reference at an offset. References are in order, so the search goes on from the last one found.
    private static SymbolId TargetAt(in TypeDescriptor type, int offset, ref int hint)
    {
        int i = type.IndexAt(offset, hint);
        if (i < 0)
        {
            return SymbolId.None;
        }
        hint = i + 1;
        return type.Relocs.Target(i);
    }

    private SymbolId InterfaceStruct(in TypeDescriptor type) =>
        type.UInt(type.CommonSize + (2 * _pointerSize), _pointerSize) == 0 ? _eface : _iface;

    private ReadOnlySpan<byte> TypeName(SymbolId type) => _symbols.Name(type)["type:".Length..];

    // Whether a type's name says more than its structure (dotypedef). The compiler writes "noalg." before types that are never compared.
    private static bool IsRealName(ReadOnlySpan<byte> name) =>
        !(name.StartsWith("map["u8) || name.StartsWith("struct {"u8) || name.StartsWith("noalg.struct {"u8) || name.StartsWith("chan "u8)
            || name.StartsWith("["u8) || name.StartsWith("*"u8));

    private static bool HasTypedef(GoKind kind) =>
        kind is GoKind.Array or GoKind.Func or GoKind.Interface or GoKind.Pointer or GoKind.Slice or GoKind.Struct;

    private static Abbreviation ShapeOf(GoKind kind) => kind switch
    {
        >= GoKind.Bool and <= GoKind.Complex128 => Abbreviation.BaseType,
        GoKind.Array => Abbreviation.ArrayType,
        GoKind.Chan => Abbreviation.ChanType,
        GoKind.Func => Abbreviation.FuncType,
        GoKind.Interface => Abbreviation.InterfaceType,
        GoKind.Map => Abbreviation.MapType,
        GoKind.Pointer => Abbreviation.PointerType,
        GoKind.Slice => Abbreviation.SliceType,
        GoKind.String => Abbreviation.StringType,
        GoKind.Struct => Abbreviation.StructType,
        GoKind.UnsafePointer => Abbreviation.BarePointerType,
        _ => Abbreviation.Typedef,
    };

    /// <summary>Where a function type's parameters and results are in its descriptor.</summary>
    private readonly ref struct Signature
    {
        public Signature(in TypeDescriptor type)
        {
            InCount = (int)type.UInt(type.CommonSize, 2);
            ulong outCount = type.UInt(type.CommonSize + 2, 2);
            OutCount = (int)(outCount & 0x7fff);
            IsVariadic = (outCount & 0x8000) != 0;
            First = type.RecordSize + (type.HasUncommon ? TypeDescriptor.UncommonSize : 0);
        }

        public int InCount { get; }

        public int OutCount { get; }

        public bool IsVariadic { get; }

        /// <summary>Offset of the first parameter's type; results follow the parameters.</summary>
        public int First { get; }
    }

    /// <summary>The fields of a struct type in its descriptor: name, type and offset, a pointer's size each.</summary>
    private readonly ref struct FieldList
    {
        private readonly int _first;
        private readonly int _pointerSize;

        public FieldList(in TypeDescriptor type)
        {
            _pointerSize = (type.CommonSize - 16) / 4;
            Count = (int)Math.Min(type.UInt(type.CommonSize + (2 * _pointerSize), _pointerSize), int.MaxValue);
            _first = type.RecordSize + (type.HasUncommon ? TypeDescriptor.UncommonSize : 0);
        }

        public int Count { get; }

        public int NameOffset(int i) => checked(_first + (i * 3 * _pointerSize));

        public int TypeOffset(int i) => NameOffset(i) + _pointerSize;

        public int ValueOffset(int i) => NameOffset(i) + (2 * _pointerSize);
    }
}
