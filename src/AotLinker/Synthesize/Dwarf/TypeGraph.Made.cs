using System.Runtime.InteropServices;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// What debuggers need beyond the program's types: the fields of strings and slices, and the runtime's structures behind each map and
/// channel type (synthesizestringtypes and its like).
/// </summary>
internal sealed partial class TypeGraph
{
    private readonly List<MadeStruct> _structs = [];
    private readonly Dictionary<(MadeName Name, int Argument1, int Argument2), int> _structNodes = [];
    private readonly Dictionary<int, int> _pointerNodes = [];
    private byte[] _name = new byte[256];
    private int _stringPrototype;
    private int _slicePrototype;
    private int _sliceArrayField;

    /// <summary>
    /// Completes strings, slices, maps and channels, in this order; each step goes through the types that exist when it begins, the
    /// latest first.
    /// </summary>
    /// <exception cref="LinkException">A structure of the runtime is missing, or is not what the linker knows.</exception>
    public void Synthesize()
    {
        int count = Count;
        _stringPrototype = Prototype("type:runtime.stringStructDWARF"u8);
        for (int i = count - 1; i >= 0; i--)
        {
            if (_nodes[i].Shape == Abbreviation.StringType)
            {
                _nodes[i].Flags |= NodeFlags.HasFields;
            }
        }
        SynthesizeSlices();
        if (_ctx.Release.HasBucketMaps)
        {
            SynthesizeBucketMaps();
        }
        else
        {
            SynthesizeMaps();
        }
        SynthesizeChannels();

        // No type comes after these.
        _nodes.Resize(Count);
        _structNodes.Clear();
        _pointerNodes.Clear();
        _structNodes.TrimExcess();
        _pointerNodes.TrimExcess();
        _pending = [];
    }

    private void SynthesizeSlices()
    {
        int count = Count;
        _slicePrototype = Prototype("type:runtime.slice"u8);
        _sliceArrayField = FieldIndex(_slicePrototype, "array"u8, "slice");
        for (int i = count - 1; i >= 0; i--)
        {
            if (_nodes[i].Shape == Abbreviation.SliceType)
            {
                int pointer = PointerTo(NodeOf(ElementOf(i)));
                _nodes[i].Extra = pointer;
                _nodes[i].Flags |= NodeFlags.HasFields;
            }
        }
    }

    private void SynthesizeMaps()
    {
        int count = Count;
        int map = Prototype("type:internal/runtime/maps.Map"u8);
        int table = Prototype("type:internal/runtime/maps.table"u8);
        int groups = Prototype("type:internal/runtime/maps.groupsReference"u8);
        for (int i = count - 1; i >= 0; i--)
        {
            if (_nodes[i].Shape != Abbreviation.MapType)
            {
                continue;
            }
            SymbolId key, element, group;
            {
                TypeDescriptor type = new(_symbols, new SymbolId(_nodes[i].Type));
                int hint = 0;
                key = TargetAt(type, type.CommonSize, ref hint);
                element = TargetAt(type, type.CommonSize + _pointerSize, ref hint);
                group = TargetAt(type, type.CommonSize + (2 * _pointerSize), ref hint);
            }
            int keyNode = DefineKnown(key);
            int elementNode = DefineKnown(element);
            int groupNode = DefineKnown(group);

            if (!FindStruct(MadeName.GroupReference, keyNode, elementNode, out int madeGroups))
            {
                madeGroups = NewStruct(MadeName.GroupReference, groups, keyNode, elementNode);
                Replace(madeGroups, "data"u8, PointerTo(groupNode));
            }
            if (!FindStruct(MadeName.Table, keyNode, elementNode, out int madeTable))
            {
                madeTable = NewStruct(MadeName.Table, table, keyNode, elementNode);
                Replace(madeTable, "groups"u8, madeGroups);
            }
            if (!FindStruct(MadeName.Map, keyNode, elementNode, out int madeMap))
            {
                madeMap = NewStruct(MadeName.Map, map, keyNode, elementNode);
                // An array of unknown length of pointers to tables.
                Replace(madeMap, "dirPtr"u8, PointerTo(PointerTo(madeTable)));
            }
            int pointer = PointerTo(madeMap);
            _nodes[i].Extra = pointer;
        }
    }

    private void SynthesizeChannels()
    {
        int count = Count;
        int sudog = Prototype("type:runtime.sudog"u8);
        int waitq = Prototype("type:runtime.waitq"u8);
        int hchan = Prototype("type:runtime.hchan"u8);
        for (int i = count - 1; i >= 0; i--)
        {
            if (_nodes[i].Shape != Abbreviation.ChanType)
            {
                continue;
            }
            int element = DefineKnown(ElementOf(i));
            if (!FindStruct(MadeName.Sudog, element, -1, out int madeSudog))
            {
                madeSudog = NewStruct(MadeName.Sudog, sudog, element, -1);
                Replace(madeSudog, "elem"u8, PointerTo(element));
            }
            if (!FindStruct(MadeName.Waitq, element, -1, out int madeWaitq))
            {
                madeWaitq = NewStruct(MadeName.Waitq, waitq, element, -1);
                Replace(madeWaitq, "first"u8, PointerTo(madeSudog));
                Replace(madeWaitq, "last"u8, PointerTo(madeSudog));
            }
            if (!FindStruct(MadeName.Hchan, element, -1, out int madeHchan))
            {
                madeHchan = NewStruct(MadeName.Hchan, hchan, element, -1);
                Replace(madeHchan, "recvq"u8, madeWaitq);
                Replace(madeHchan, "sendq"u8, madeWaitq);
            }
            int pointer = PointerTo(madeHchan);
            _nodes[i].Extra = pointer;
        }
    }

    private int Prototype(ReadOnlySpan<byte> name)
    {
        int node = Define(FindOrExit(name));
        if (_nodes[node].Shape != Abbreviation.StructType)
        {
            throw new LinkException(MessageForm.Input, $"internal error: DIE generation failed for {RawText.Decode(name)}");
        }
        return node;
    }

    // As Define, for a type whose typedef is looked for (walksymtypedef).
    private int DefineKnown(SymbolId type)
    {
        int node = Define(type);
        if (node == Unspecified)
        {
            _ctx.Diagnostics.Error($"internal error: no entry for sym {type.Index} in rtmap");
        }
        return node;
    }

    private int NodeOf(SymbolId type)
    {
        int node = type.IsNone ? -1 : Find(type);
        return node < 0 ? Unspecified : node;
    }

    // The element of an array, channel, pointer or slice.
    private SymbolId ElementOf(int node)
    {
        TypeDescriptor type = new(_symbols, new SymbolId(_nodes[node].Type));
        return type.TargetAt(type.CommonSize);
    }

    // The node of the pointer to a type, made now if neither the program nor we have it (defptrto).
    private int PointerTo(int node)
    {
        if (_pointerNodes.TryGetValue(node, out int pointer))
        {
            return pointer;
        }
        SymbolId type = SymbolId.None;
        // No Go type's name has what our structures' names have in it, so there is none to be found for those.
        if (!IsMadeStruct(node))
        {
            int length = "type:*".Length + NameLength(node);
            if (_name.Length < length)
            {
                _name = new byte[length * 2];
            }
            DieWriter name = new(_name, 8, false, default);
            name.Bytes("type:*"u8);
            WriteName(ref name, node);
            type = _symbols.Lookup(_name.AsSpan(0, length), 0);
            if (!type.IsNone && Find(type) is >= 0 and int known)
            {
                _pointerNodes.Add(node, known);
                return known;
            }
        }
        pointer = NewNode(new TypeNode
        {
            Type = type.Index,
            Extra = node,
            Shape = Abbreviation.PointerType,
            Flags = NodeFlags.Made | (!type.IsNone && _symbols.IsReachable(type) ? NodeFlags.HasRuntimeType : NodeFlags.None),
        });
        _pointerNodes.Add(node, pointer);
        if (!type.IsNone)
        {
            _nodeOfType.Add(type.Index, pointer);
        }
        return pointer;
    }

    private bool IsMadeStruct(int node)
    {
        while (_nodes[node] is { Shape: Abbreviation.PointerType, Flags: NodeFlags flags } && (flags & NodeFlags.Made) != 0)
        {
            node = _nodes[node].Extra;
        }
        return _nodes[node].Shape == Abbreviation.StructType && (_nodes[node].Flags & NodeFlags.Made) != 0;
    }

    private bool FindStruct(MadeName name, int argument1, int argument2, out int node) =>
        _structNodes.TryGetValue((name, argument1, argument2), out node);

    private int NewStruct(MadeName name, int prototype, int argument1, int argument2)
    {
        int node = NewNode(new TypeNode { Extra = _structs.Count, Shape = Abbreviation.StructType, Flags = NodeFlags.Made });
        _structs.Add(new MadeStruct(name, prototype, argument1, argument2, -1, 0, -1, 0));
        _structNodes.Add((name, argument1, argument2), node);
        return node;
    }

    // Gives a field of a made structure another type than the prototype's (substitutetype).
    private void Replace(int node, ReadOnlySpan<byte> field, int type)
    {
        ref MadeStruct made = ref CollectionsMarshal.AsSpan(_structs)[_nodes[node].Extra];
        int index = FieldIndex(made.Prototype, field, made.Name.ToString());
        made = made.Field1 < 0 ? made with { Field1 = index, Type1 = type } : made with { Field2 = index, Type2 = type };
    }

    private int FieldIndex(int prototype, ReadOnlySpan<byte> name, string what)
    {
        TypeDescriptor type = new(_symbols, new SymbolId(_nodes[prototype].Type));
        FieldList fields = new(type);
        for (int i = 0; i < fields.Count; i++)
        {
            if (type.NameAt(fields.NameOffset(i)).SequenceEqual(name))
            {
                return i;
            }
        }
        throw new LinkException($"dwarf substitutetype: {what} does not have member {RawText.Decode(name)}");
    }
}
