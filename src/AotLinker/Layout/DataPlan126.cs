using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>
/// Go 1.26: type descriptors and function values are part of .rodata. Where data is relocated at run time, each read-only kind has a
/// twin, and the twins form .data.rel.ro. Sections .typelink and .itablink list types and itabs.
/// </summary>
internal class DataPlan126 : DataPlan
{
    /// <summary>For the release itself and those that build on it.</summary>
    protected DataPlan126()
    {
    }

    /// <summary>The one instance.</summary>
    public static DataPlan126 Instance { get; } = new();

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> ReadOnlyKinds =>
    [
        (byte)SymbolKind.Type,
        (byte)SymbolKind.String,
        (byte)SymbolKind.GoString,
        (byte)SymbolKind.GoFunc,
        (byte)SymbolKind.GcBits,
        (byte)SymbolKind.RoData,
        (byte)SymbolKind.RoDataFipsStart,
        (byte)SymbolKind.RoDataFips,
        (byte)SymbolKind.RoDataFipsEnd,
        (byte)SymbolKind.RoDataEnd,
        (byte)SymbolKind.FuncTab,
    ];

    /// <inheritdoc/>
    public override bool OrdersTypes => false;

    /// <inheritdoc/>
    public override bool GroupsGcMasks => false;

    /// <inheritdoc/>
    public override bool AlignsCoverageCounters => false;

    /// <inheritdoc/>
    public override bool SizesTypesMarker => false;

    /// <inheritdoc/>
    public override SymbolKind EndOfTypesKind => SymbolKind.FuncTab;

    // The relocated twin of each read-only kind; none where a kind can't contain relocations (sym.RelROMap).
    private static ReadOnlySpan<byte> RelocatedKinds =>
    [
        (byte)SymbolKind.TypeRelRo,
        (byte)SymbolKind.StringRelRo,
        (byte)SymbolKind.GoStringRelRo,
        (byte)SymbolKind.GoFuncRelRo,
        (byte)SymbolKind.GcBitsRelRo,
        (byte)SymbolKind.RoDataRelRo,
        (byte)SymbolKind.None,
        (byte)SymbolKind.None,
        (byte)SymbolKind.None,
        (byte)SymbolKind.None,
        (byte)SymbolKind.FuncTabRelRo,
    ];

    /// <inheritdoc/>
    public override void SeparateRelocated(DataLayout layout)
    {
        LinkContext ctx = layout.Context;
        if (!ctx.Target.UseRelro)
        {
            return;
        }
        for (int i = 0; i < ReadOnlyKinds.Length; i++)
        {
            SymbolKind from = (SymbolKind)ReadOnlyKinds[i];
            SymbolKind to = (SymbolKind)RelocatedKinds[i];
            if (from == SymbolKind.GoFunc)
            {
                // Their only relocations are offsets, which are final when we are done.
                continue;
            }
            if (to != SymbolKind.None)
            {
                // runtime.etypes, the one function table symbol, ends the relocated data as well.
                MoveRelocated(layout, from, to, all: from is SymbolKind.Type or SymbolKind.FuncTab);
                continue;
            }
            foreach (SymbolId s in layout.SymbolsOf(from))
            {
                if (ctx.Symbols.Relocs(s).Count != 0)
                {
                    ctx.Diagnostics.Error(ctx.Symbols.Name(s), $"cannot contain relocations (type {from.GoName()})");
                }
            }
        }
    }

    /// <inheritdoc/>
    public override bool HasTypesInRoData(Target target) => !target.UseRelro;

    /// <inheritdoc/>
    public override void PlaceRelocated(DataLayout layout, Segment readOnly)
    {
        LinkContext ctx = layout.Context;
        Segment segment = readOnly;
        int rwx = 4;
        if (ctx.Target.UseRelro)
        {
            (segment, rwx) = layout.BeginRelocated(readOnly);
            Section section = layout.NewSection(segment, layout.RelocatedName(""), rwx, RelocatedKinds);
            layout.Mark("runtime.types"u8, section);
            layout.Mark("runtime.etypes"u8, section);
            if (ctx.Format.ReservesTypeOffsetZero)
            {
                // No type may have offset 0, which stands for none.
                layout.Skip(1);
            }
            foreach (byte kind in RelocatedKinds)
            {
                if ((SymbolKind)kind != SymbolKind.None)
                {
                    layout.PlaceCarried(section, (SymbolKind)kind);
                }
            }
            layout.PlaceSingly(segment, SymbolKind.ElfRelRoSect, SymbolKind.RoData, rwx);
            layout.PlaceSingly(segment, SymbolKind.MachoRelRoSect, SymbolKind.RoData, rwx);
        }
        layout.PlaceLinks(segment, ".typelink", "runtime.typelink"u8, SymbolKind.TypeLink, rwx);
        layout.PlaceLinks(segment, ".itablink", "runtime.itablink"u8, SymbolKind.ItabLink, rwx);
        PlaceBehindLinks(layout, segment, rwx);
    }

    /// <summary>Places what else lies in the segment of the type links.</summary>
    protected virtual void PlaceBehindLinks(DataLayout layout, Segment segment, int rwx)
    {
    }
}
