using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Maps of buckets, which releases up to 1.25 have where GOEXPERIMENT=noswissmap asks for them: a table of buckets, each with eight keys and
/// eight values (synthesizemaptypesOld).
/// </summary>
internal sealed partial class TypeGraph
{
    // internal/abi.OldMapBucketCount.
    private const int BucketCount = 8;

    // Larger keys and values are kept elsewhere, and the bucket points to them (OldMapMaxKeyBytes, OldMapMaxElemBytes).
    private const int MaxBucketBytes = 128;

    private void SynthesizeBucketMaps()
    {
        int count = Count;
        int hash = Prototype("type:runtime.hmap"u8);
        int bucket = Prototype("type:runtime.bmap"u8);
        for (int i = count - 1; i >= 0; i--)
        {
            if (_nodes[i].Shape != Abbreviation.MapType)
            {
                continue;
            }
            SymbolId key, element;
            {
                TypeDescriptor type = new(_symbols, new SymbolId(_nodes[i].Type));
                int hint = 0;
                key = TargetAt(type, type.CommonSize, ref hint);
                element = TargetAt(type, type.CommonSize + _pointerSize, ref hint);
            }
            int keyNode = DefineKnown(key);
            int elementNode = DefineKnown(element);
            int keys = BucketArray(MadeName.Keys, keyNode);
            int values = BucketArray(MadeName.Values, elementNode);
            if (!FindStruct(MadeName.Bucket, keyNode, elementNode, out int madeBucket))
            {
                madeBucket = NewStruct(MadeName.Bucket, bucket, keyNode, elementNode);
                SetMade(madeBucket, PointerTo(madeBucket), keys, values);
            }
            if (!FindStruct(MadeName.Hash, keyNode, elementNode, out int madeHash))
            {
                madeHash = NewStruct(MadeName.Hash, hash, keyNode, elementNode);
                Replace(madeHash, "buckets"u8, PointerTo(madeBucket));
                Replace(madeHash, "oldbuckets"u8, PointerTo(madeBucket));
            }
            int pointer = PointerTo(madeHash);
            _nodes[i].Extra = pointer;
        }
    }

    private int BucketArray(MadeName name, int element)
    {
        if (!FindStruct(name, element, -1, out int node))
        {
            node = NewStruct(name, -1, element, -1);
            _nodes[node].Shape = Abbreviation.ArrayType;
            SetMade(node, -1, ValueSizeOf(element) > MaxBucketBytes ? PointerTo(element) : element, 0);
        }
        return node;
    }

    private void SetMade(int node, int pointer, int type1, int type2)
    {
        int index = _nodes[node].Extra;
        _structs[index] = _structs[index] with { Field1 = pointer, Type1 = type1, Type2 = type2 };
    }

    private long ValueSizeOf(int node) => new TypeDescriptor(_symbols, new SymbolId(_nodes[node].Type)).ValueSize;

    // Bytes of a key or value in a bucket.
    private long SlotSize(in MadeStruct array) => array.Type1 == array.Argument1 ? ValueSizeOf(array.Argument1) : _pointerSize;

    private void WriteBucketArray<TSink>(ref TSink w, in TypeNode node, in MadeStruct array)
        where TSink : IDieSink, allows ref struct
    {
        WriteReference(ref w, array.Type1);
        w.Unsigned((ulong)(BucketCount * SlotSize(array)));
        WriteRuntime(ref w, node, 0);
        w.Byte((int)Abbreviation.ArrayRange);
        WriteReference(ref w, _uintptr);
        w.Unsigned(BucketCount);
        w.Byte(0);
    }

    // The runtime's structure declares only what tells which slots are in use.
    private void WriteBucket<TSink>(ref TSink w, in TypeNode node, in MadeStruct bucket)
        where TSink : IDieSink, allows ref struct
    {
        long keys = BucketCount * SlotSize(_structs[_nodes[bucket.Type1].Extra]);
        long values = BucketCount * SlotSize(_structs[_nodes[bucket.Type2].Extra]);
        w.Unsigned((ulong)(BucketCount + keys + values + _pointerSize));
        WriteRuntime(ref w, node, 0);
        WriteFields(ref w, bucket.Prototype, -1, 0, -1, 0);
        WriteField(ref w, "keys"u8, BucketCount, bucket.Type1);
        WriteField(ref w, "values"u8, BucketCount + keys, bucket.Type2);
        WriteField(ref w, "overflow"u8, BucketCount + keys + values, bucket.Field1);
        w.Byte(0);
    }

    private void WriteField<TSink>(ref TSink w, ReadOnlySpan<byte> name, long offset, int type)
        where TSink : IDieSink, allows ref struct
    {
        w.Byte((int)Abbreviation.StructField);
        w.Bytes(name);
        w.Byte(0);
        // The offset went through 32 bits on its way into the attribute.
        w.Unsigned((ulong)(int)offset);
        WriteReference(ref w, type);
        w.Byte(0);
    }
}
