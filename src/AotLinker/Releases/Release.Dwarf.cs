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
            MapType,
        ];

        /// <summary>Name of a map's type descriptor in package internal/abi.</summary>
        protected virtual string MapType => "SwissMapType";
    }

    private sealed partial class Go125WithBucketMaps
    {
        public override bool HasBucketMaps => true;

        protected override string MapType => "OldMapType";
    }
}
