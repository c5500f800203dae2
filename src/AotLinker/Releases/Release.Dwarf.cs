namespace AotLinker.Releases;

/// <summary>What differs between releases in debug information.</summary>
internal abstract partial class Release
{
    /// <summary>The types of package internal/abi that debug information always has, for scripts that take interfaces apart.</summary>
    public virtual string[] InspectedTypes =>
    [
        "Type", "ArrayType", "ChanType", "FuncType", "MapType", "PtrType", "SliceType", "StructType", "InterfaceType", "ITab", "Imethod",
    ];

    /// <summary>Whether maps are tables of buckets.</summary>
    public virtual bool HasBucketMaps => false;

    private partial class Go125
    {
        public override string[] InspectedTypes =>
        [
            "Type", "ArrayType", "ChanType", "FuncType", "PtrType", "SliceType", "StructType", "InterfaceType", "ITab", "Imethod",
            hasBucketMaps ? "OldMapType" : "SwissMapType",
        ];

        public override bool HasBucketMaps => hasBucketMaps;
    }
}
