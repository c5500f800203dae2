using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>
/// Go 1.27: type descriptors and function values have sections of their own, .go.type and .go.func, relocated at run time or not; only
/// ordinary read-only data is told apart by whether it has relocations.
/// </summary>
internal sealed class DataPlan127 : DataPlan
{
    /// <summary>The one instance.</summary>
    public static DataPlan127 Instance { get; } = new();

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> ReadOnlyKinds =>
    [
        (byte)SymbolKind.String,
        (byte)SymbolKind.GoString,
        (byte)SymbolKind.GcBits,
        (byte)SymbolKind.RoData,
        (byte)SymbolKind.RoDataFipsStart,
        (byte)SymbolKind.RoDataFips,
        (byte)SymbolKind.RoDataFipsEnd,
        (byte)SymbolKind.RoDataEnd,
    ];

    /// <inheritdoc/>
    public override bool OrdersTypes => true;

    /// <inheritdoc/>
    public override bool GroupsGcMasks => true;

    /// <inheritdoc/>
    public override bool AlignsCoverageCounters => true;

    /// <inheritdoc/>
    public override bool SizesTypesMarker => true;

    /// <inheritdoc/>
    public override SymbolKind EndOfTypesKind => SymbolKind.Type;

    /// <inheritdoc/>
    public override void SeparateRelocated(DataLayout layout)
    {
        if (layout.Context.Target.UseRelro)
        {
            MoveRelocated(layout, SymbolKind.RoData, SymbolKind.RoDataRelRo, all: false);
        }
    }

    /// <inheritdoc/>
    public override void PlaceRelocated(DataLayout layout, Segment readOnly)
    {
        LinkContext ctx = layout.Context;
        (Segment segment, int rwx) = layout.BeginRelocated(readOnly);
        if (layout.Has(SymbolKind.RoDataRelRo))
        {
            layout.PlaceRelocatedSection(segment, "", SymbolKind.RoDataRelRo, rwx);
        }

        Section types = layout.NewSection(segment, layout.RelocatedName(".go.type"), rwx, [(byte)SymbolKind.Type]);
        // No type may have offset 0, which stands for none; a runtime.types symbol with a size sees to that itself.
        SymbolId marker = ctx.Symbols.Lookup("runtime.types"u8, 0);
        if (marker.IsNone || ctx.Symbols.Size(marker) == 0)
        {
            layout.Skip(ctx.Target.PointerSize);
        }
        layout.PlaceCarried(types, SymbolKind.Type);
        layout.Mark("runtime.types"u8, types);
        layout.Mark("runtime.etypes"u8, types);

        layout.PlaceRelocatedSection(segment, ".go.func", SymbolKind.GoFunc, rwx);
        layout.PlaceSingly(segment, SymbolKind.ElfRelRoSect, SymbolKind.RoData, rwx);
        layout.PlaceSingly(segment, SymbolKind.MachoRelRoSect, SymbolKind.RoData, rwx);
    }
}
