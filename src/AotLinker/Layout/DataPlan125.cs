using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>Go 1.25: as <see cref="DataPlan126"/>, but pclntab lies behind the links, where it can be relocated at run time.</summary>
internal sealed class DataPlan125 : DataPlan126
{
    private DataPlan125()
    {
    }

    /// <summary>The one instance.</summary>
    public static new DataPlan125 Instance { get; } = new();

    /// <inheritdoc/>
    protected override void PlaceBehindLinks(DataLayout layout, Segment segment, int rwx)
    {
        Section table = layout.PlaceNamed(segment, layout.RelocatedName(".gosymtab"), SymbolKind.SymTab, SymbolKind.RoData, rwx);
        layout.Mark("runtime.symtab"u8, table);
        layout.Mark("runtime.esymtab"u8, table);
        layout.PlacePclnTab(segment, layout.RelocatedName(".gopclntab"), rwx);
    }
}
