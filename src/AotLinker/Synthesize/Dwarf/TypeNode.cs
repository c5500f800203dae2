namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// One type in the debug information: its DIE with children and, for a named type, the typedef DIE behind it. 20 bytes; everything else
/// is decoded from the type descriptor again when the DIE is written.
/// </summary>
internal struct TypeNode
{
    /// <summary>The descriptor symbol; 0 for types that only debuggers see.</summary>
    public int Type;

    /// <summary>
    /// Depends on the shape. Slice: node of the pointer to its elements. Map, channel: node of the pointer to the runtime's structure.
    /// Made pointer: node pointed to. Made structure: index of its <see cref="MadeStruct"/>. 0 where there is none.
    /// </summary>
    public int Extra;

    /// <summary>Offset of the DIE from the first type DIE; the size until all are known.</summary>
    public uint Start;

    /// <summary>Offset of the DIE that stands for the type when others refer to it: the typedef's, if there is one.</summary>
    public uint Reference;

    /// <summary>Shape of the DIE.</summary>
    public Abbreviation Shape;

    /// <summary>Marks.</summary>
    public NodeFlags Flags;
}

/// <summary>Marks of a <see cref="TypeNode"/>.</summary>
[Flags]
internal enum NodeFlags : byte
{
    /// <summary>No mark.</summary>
    None = 0,
    /// <summary>A typedef DIE follows.</summary>
    HasTypedef = 1,
    /// <summary>The descriptor is part of the program: the DIE says where.</summary>
    HasRuntimeType = 2,
    /// <summary>Made by the linker, not from a descriptor.</summary>
    Made = 4,
    /// <summary>A string or slice whose fields are copied from the runtime's structure.</summary>
    HasFields = 8,
}

/// <summary>A structure, or an array in one, that the runtime uses for a map or channel type, with the types of some fields filled in.</summary>
/// <param name="Name">Name in front of the angle brackets.</param>
/// <param name="Prototype">Node of the runtime's structure; -1 for an array.</param>
/// <param name="Argument1">First node named in the brackets.</param>
/// <param name="Argument2">Second node named there; -1 for none.</param>
/// <param name="Field1">Index of a field whose type is replaced.</param>
/// <param name="Type1">Its type.</param>
/// <param name="Field2">Index of another such field; -1 for none.</param>
/// <param name="Type2">Its type.</param>
internal readonly record struct MadeStruct(
    MadeName Name, int Prototype, int Argument1, int Argument2, int Field1, int Type1, int Field2, int Type2);

/// <summary>Names of made structures.</summary>
internal enum MadeName : byte
{
    /// <summary>Map: groupReference.</summary>
    GroupReference,
    /// <summary>Map: table.</summary>
    Table,
    /// <summary>Map: map.</summary>
    Map,
    /// <summary>Channel: sudog.</summary>
    Sudog,
    /// <summary>Channel: waitq.</summary>
    Waitq,
    /// <summary>Channel: hchan.</summary>
    Hchan,
    /// <summary>Map of buckets: the keys of a bucket, an array of the node Type1.</summary>
    Keys,
    /// <summary>Map of buckets: the values of a bucket, an array of the node Type1.</summary>
    Values,
    /// <summary>
    /// Map of buckets: a bucket. Behind the prototype's fields come arrays of keys and values, Type1 and Type2, and a pointer to the next
    /// bucket, Field1.
    /// </summary>
    Bucket,
    /// <summary>Map of buckets: hash.</summary>
    Hash,
}
