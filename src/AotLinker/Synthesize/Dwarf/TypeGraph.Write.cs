using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>Writes type DIEs, attribute by attribute in the order of <see cref="Abbreviations"/> (ld.putdie).</summary>
internal sealed partial class TypeGraph
{
    // DW_ATE_* of the standard.
    private const int EncodingBoolean = 2;
    private const int EncodingComplexFloat = 3;
    private const int EncodingFloat = 4;
    private const int EncodingSigned = 5;
    private const int EncodingUnsigned = 7;

    // The bit of a name record's first byte that marks an embedded field.
    private const int EmbeddedField = 8;

    /// <summary>Offset of the first type DIE in .debug_info. Set before anything is written.</summary>
    public long SectionOffset { get; set; }

    /// <summary>The symbol that stands for .debug_info. Set before anything is written.</summary>
    public SymbolId SectionSymbol { get; set; }

    /// <summary>Size of all type DIEs in bytes. Set by <see cref="Measure"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Offset in .debug_info of the DIE that stands for a type.</summary>
    public long Reference(int node) => SectionOffset + _nodes[node].Reference;

    /// <summary>Offset of a type's first DIE from that of the first type; of the type behind the last: <see cref="Size"/>.</summary>
    public long Start(int node) => node == Count ? Size : _nodes[node].Start;

    /// <summary>The descriptor of a node's type; none for types that only debuggers see.</summary>
    public SymbolId TypeOf(int node) => new(_nodes[node].Type);

    /// <summary>Finds the offsets of all DIEs; no type may be defined from here on.</summary>
    /// <param name="beside">What one thread does while the others measure.</param>
    public void Measure(Action beside)
    {
        const int Chunk = 512;
        _ctx.Workers.For(1 + ((Count + Chunk - 1) / Chunk), i =>
        {
            if (i == 0)
            {
                beside();
            }
            else
            {
                MeasureTypes((i - 1) * Chunk, Math.Min(Count, i * Chunk));
            }
        });
        long at = 0;
        for (int i = 0; i < Count; i++)
        {
            ref TypeNode node = ref _nodes[i];
            uint size = node.Start;
            node.Start = (uint)at;
            node.Reference += (uint)at;
            at += size;
        }
        Size = at;
    }

    private void MeasureTypes(int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            Expect(i);
            DieSize size = new(_pointerSize, _format);
            WriteType(ref size, i);
            _nodes[i].Start = (uint)size.Length;
            _nodes[i].Reference = 0;
            if ((_nodes[i].Flags & NodeFlags.HasTypedef) != 0)
            {
                _nodes[i].Reference = (uint)size.Length;
                WriteTypedef(ref size, i);
                _nodes[i].Start = (uint)size.Length;
            }
        }
    }

    /// <summary>Writes the DIEs of a node; returns their size.</summary>
    public int Write(int node, Span<byte> to)
    {
        DieWriter w = new(to, _pointerSize, _ctx.Target.IsBigEndian, _format);
        Write(ref w, node);
        return w.Length;
    }

    /// <summary>As the other overload.</summary>
    public void Write<TSink>(ref TSink w, int node)
        where TSink : IDieSink, allows ref struct
    {
        Expect(node);
        WriteType(ref w, node);
        if ((_nodes[node].Flags & NodeFlags.HasTypedef) != 0)
        {
            WriteTypedef(ref w, node);
        }
    }

    // Asks the CPU for the descriptors of types that come up soon: first for where their content begins, then for the content.
    private void Expect(int node)
    {
        const int Ahead = 6;
        if (node + (2 * Ahead) < Count)
        {
            _symbols.ExpectRecord(new SymbolId(_nodes[node + (2 * Ahead)].Type));
            _symbols.ExpectContent(new SymbolId(_nodes[node + Ahead].Type));
        }
    }

    private void WriteType<TSink>(ref TSink w, int index)
        where TSink : IDieSink, allows ref struct
    {
        TypeNode node = _nodes[index];
        w.Byte((int)node.Shape);
        WriteName(ref w, index);
        w.Byte(0);
        if (node.Shape == Abbreviation.NullType)
        {
            return;
        }
        if ((node.Flags & NodeFlags.Made) != 0)
        {
            WriteMade(ref w, node);
            return;
        }
        SymbolId symbol = new(node.Type);
        TypeDescriptor type = new(_symbols, symbol);
        int hint = 0;
        switch (node.Shape)
        {
            case Abbreviation.BaseType:
                w.Byte(Encoding(type.Kind));
                w.Byte((int)type.ValueSize);
                WriteRuntime(ref w, node, (int)type.Kind);
                break;
            case Abbreviation.ArrayType:
                WriteTarget(ref w, type, type.CommonSize, ref hint);
                w.Unsigned((ulong)type.ValueSize);
                WriteRuntime(ref w, node, (int)type.Kind);
                w.Byte((int)Abbreviation.ArrayRange);
                WriteReference(ref w, _uintptr);
                w.Unsigned(type.UInt(type.CommonSize + (2 * _pointerSize), _pointerSize));
                w.Byte(0);
                break;
            case Abbreviation.ChanType:
                SymbolId element = TSink.IsMeasuring ? SymbolId.None : TargetAt(type, type.CommonSize, ref hint);
                WriteStructure(ref w, node, element);
                WriteRuntime(ref w, node, (int)type.Kind);
                WriteReference(ref w, TSink.IsMeasuring ? Unspecified : NodeOf(element));
                break;
            case Abbreviation.FuncType:
                w.Unsigned((ulong)type.ValueSize);
                WriteRuntime(ref w, node, (int)type.Kind);
                WriteSignature(ref w, type);
                w.Byte(0);
                break;
            case Abbreviation.InterfaceType:
                WriteReference(ref w, NodeOf(InterfaceStruct(type)));
                WriteRuntime(ref w, node, (int)type.Kind);
                w.Byte(0);
                break;
            case Abbreviation.MapType:
                WriteStructure(ref w, node, symbol);
                WriteRuntime(ref w, node, (int)type.Kind);
                WriteTarget(ref w, type, type.CommonSize, ref hint);
                WriteTarget(ref w, type, type.CommonSize + _pointerSize, ref hint);
                break;
            case Abbreviation.PointerType:
                WriteTarget(ref w, type, type.CommonSize, ref hint);
                WriteRuntime(ref w, node, (int)type.Kind);
                break;
            case Abbreviation.BarePointerType:
                WriteRuntimeType(ref w, node);
                break;
            case Abbreviation.SliceType:
                w.Unsigned((ulong)type.ValueSize);
                WriteRuntime(ref w, node, (int)type.Kind);
                WriteTarget(ref w, type, type.CommonSize, ref hint);
                if ((node.Flags & NodeFlags.HasFields) != 0)
                {
                    WriteFields(ref w, _slicePrototype, _sliceArrayField, node.Extra, -1, 0);
                }
                w.Byte(0);
                break;
            case Abbreviation.StringType:
                w.Unsigned((ulong)type.ValueSize);
                WriteRuntime(ref w, node, (int)type.Kind);
                if ((node.Flags & NodeFlags.HasFields) != 0)
                {
                    WriteFields(ref w, _stringPrototype, -1, 0, -1, 0);
                }
                w.Byte(0);
                break;
            case Abbreviation.StructType:
                w.Unsigned((ulong)type.ValueSize);
                WriteRuntime(ref w, node, (int)type.Kind);
                WriteFields(ref w, index, -1, 0, -1, 0);
                w.Byte(0);
                break;
            default:
                WriteReference(ref w, Unspecified);
                break;
        }
    }

    private void WriteTypedef<TSink>(ref TSink w, int index)
        where TSink : IDieSink, allows ref struct
    {
        w.Byte((int)Abbreviation.Typedef);
        WriteName(ref w, index);
        w.Byte(0);
        w.Reference(SectionSymbol, (ulong)(SectionOffset + _nodes[index].Start));
    }

    private void WriteMade<TSink>(ref TSink w, in TypeNode node)
        where TSink : IDieSink, allows ref struct
    {
        if (node.Shape == Abbreviation.PointerType)
        {
            WriteReference(ref w, node.Extra);
            WriteRuntime(ref w, node, (node.Flags & NodeFlags.HasRuntimeType) != 0 ? (int)GoKind.Pointer : 0);
            return;
        }
        MadeStruct made = _structs[node.Extra];
        if (node.Shape == Abbreviation.ArrayType)
        {
            WriteBucketArray(ref w, node, made);
            return;
        }
        if (made.Name == MadeName.Bucket)
        {
            WriteBucket(ref w, node, made);
            return;
        }
        w.Unsigned((ulong)new TypeDescriptor(_symbols, new SymbolId(_nodes[made.Prototype].Type)).ValueSize);
        WriteRuntime(ref w, node, made.Name <= MadeName.Map ? (int)GoKind.Struct : 0);
        WriteFields(ref w, made.Prototype, made.Field1, made.Type1, made.Field2, made.Type2);
        w.Byte(0);
    }

    // The fields of a struct type, some with another type than the descriptor's.
    private void WriteFields<TSink>(ref TSink w, int structNode, int field1, int type1, int field2, int type2)
        where TSink : IDieSink, allows ref struct
    {
        TypeDescriptor type = new(_symbols, new SymbolId(_nodes[structNode].Type));
        FieldList fields = new(type);
        int hint = 0;
        for (int i = 0; i < fields.Count; i++)
        {
            SymbolId name = TargetAt(type, fields.NameOffset(i), ref hint);
            SymbolId fieldType = TargetAt(type, fields.TypeOffset(i), ref hint);
            w.Byte((int)Abbreviation.StructField);
            ReadOnlySpan<byte> record = name.IsNone ? default : _symbols.Data(name);
            ReadOnlySpan<byte> text = name.IsNone ? default : TypeDescriptor.DecodeName(_symbols, name, record);
            w.Bytes(text.IsEmpty ? TypeName(fieldType) : text);
            w.Byte(0);
            // The offset went through 32 bits on its way into the attribute.
            w.Unsigned((ulong)(int)type.UInt(fields.ValueOffset(i), _pointerSize));
            WriteReference(ref w, i == field1 ? type1 : i == field2 ? type2 : TSink.IsMeasuring ? Unspecified : NodeOf(fieldType));
            w.Byte(!name.IsNone && (record[0] & EmbeddedField) != 0 ? 1 : 0);
        }
    }

    private void WriteSignature<TSink>(ref TSink w, in TypeDescriptor type)
        where TSink : IDieSink, allows ref struct
    {
        Signature signature = new(type);
        int hint = 0;
        for (int i = 0; i < signature.InCount + signature.OutCount; i++)
        {
            if (i == signature.InCount && signature.IsVariadic)
            {
                w.Byte((int)Abbreviation.DotDotDot);
            }
            if (i < signature.InCount)
            {
                w.Byte((int)Abbreviation.FuncParam);
            }
            else
            {
                w.Byte((int)Abbreviation.FuncResult);
                w.Byte(1);
            }
            WriteTarget(ref w, type, signature.First + (i * _pointerSize), ref hint);
        }
        if (signature.OutCount == 0 && signature.IsVariadic)
        {
            w.Byte((int)Abbreviation.DotDotDot);
        }
    }

    private void WriteReference<TSink>(ref TSink w, int node)
        where TSink : IDieSink, allows ref struct => w.Reference(SectionSymbol, TSink.IsMeasuring ? 0 : (ulong)Reference(node));

    // A reference to the type that the descriptor refers to at an offset.
    private void WriteTarget<TSink>(ref TSink w, in TypeDescriptor type, int offset, ref int hint)
        where TSink : IDieSink, allows ref struct
    {
        if (TSink.IsMeasuring)
        {
            w.Offset(0);
        }
        else
        {
            WriteReference(ref w, NodeOf(TargetAt(type, offset, ref hint)));
        }
    }

    // The type attribute of a map or channel: the runtime's structure. Types that came up too late to get one refer to a descriptor.
    private void WriteStructure<TSink>(ref TSink w, in TypeNode node, SymbolId descriptor)
        where TSink : IDieSink, allows ref struct
    {
        if (node.Extra != 0)
        {
            WriteReference(ref w, node.Extra);
        }
        else
        {
            // No section of debug information has the descriptor, so an external linker can't be told of it.
            w.Reference(SymbolId.None, TSink.IsMeasuring ? 0 : (ulong)SectionRelative(node, descriptor));
        }
    }

    private void WriteRuntime<TSink>(ref TSink w, in TypeNode node, int kind)
        where TSink : IDieSink, allows ref struct
    {
        w.Byte(kind);
        WriteRuntimeType(ref w, node);
    }

    // Where the type's descriptor is, as an offset in its section.
    private void WriteRuntimeType<TSink>(ref TSink w, in TypeNode node)
        where TSink : IDieSink, allows ref struct
    {
        if ((node.Flags & NodeFlags.HasRuntimeType) == 0 || TSink.IsMeasuring)
        {
            w.Pointer(0);
            return;
        }
        w.Pointer((ulong)SectionRelative(node, new SymbolId(node.Type)));
    }

    private long SectionRelative(in TypeNode node, SymbolId s)
    {
        if (!_symbols.IsReachable(s))
        {
            _ctx.Diagnostics.ReportOnce(-1 - node.Type, s.Index, node.Start, $"{DieName(node)}: unreachable sym in relocation: {_symbols.NameText(s)}");
            return 0;
        }
        if (_ctx.SectionOf(s) is not { } section)
        {
            _ctx.Diagnostics.ReportOnce(-1 - node.Type, s.Index, node.Start, $"{DieName(node)}: missing section for relocation target {_symbols.NameText(s)}");
            return 0;
        }
        return _symbols.Value(s) - (long)section.Vaddr;
    }

    private string DieName(in TypeNode node) => "go:info." + RawText.Decode(TypeName(new SymbolId(node.Type)));

    private void WriteName<TSink>(ref TSink w, int index)
        where TSink : IDieSink, allows ref struct
    {
        while (true)
        {
            TypeNode node = _nodes[index];
            if ((node.Flags & NodeFlags.Made) == 0)
            {
                w.Bytes(node.Type == 0 ? "<unspecified>"u8 : TypeName(new SymbolId(node.Type)));
                return;
            }
            if (node.Shape != Abbreviation.PointerType)
            {
                MadeStruct made = _structs[node.Extra];
                w.Bytes(made.Name switch
                {
                    MadeName.GroupReference => "groupReference<"u8,
                    MadeName.Table => "table<"u8,
                    MadeName.Map => "map<"u8,
                    MadeName.Sudog => "sudog<"u8,
                    MadeName.Waitq => "waitq<"u8,
                    MadeName.Keys => "[]key<"u8,
                    MadeName.Values => "[]val<"u8,
                    MadeName.Bucket => "bucket<"u8,
                    MadeName.Hash => "hash<"u8,
                    _ => "hchan<"u8,
                });
                WriteName(ref w, made.Argument1);
                if (made.Argument2 >= 0)
                {
                    w.Byte(',');
                    WriteName(ref w, made.Argument2);
                }
                w.Byte('>');
                return;
            }
            w.Byte('*');
            index = node.Extra;
        }
    }

    private int NameLength(int node)
    {
        DieSize size = new(_pointerSize, _format);
        WriteName(ref size, node);
        return size.Length;
    }

    private static int Encoding(GoKind kind) => kind switch
    {
        GoKind.Bool => EncodingBoolean,
        <= GoKind.Int64 => EncodingSigned,
        <= GoKind.Uintptr => EncodingUnsigned,
        <= GoKind.Float64 => EncodingFloat,
        _ => EncodingComplexFloat,
    };
}
