using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>How a release distributes data over sections, as far as releases differ.</summary>
internal abstract class DataPlan
{
    /// <summary>The kinds of .rodata, in their order there (sym.ReadOnly).</summary>
    public abstract ReadOnlySpan<byte> ReadOnlyKinds { get; }

    /// <summary>
    /// Whether type descriptors are ordered for lookup by name, itabs behind them; the places in moduledata that describe this are then
    /// set.
    /// </summary>
    public abstract bool OrdersTypes { get; }

    /// <summary>Whether pointers to GC masks lie together, behind the marker runtime.gcmask.*.</summary>
    public abstract bool GroupsGcMasks { get; }

    /// <summary>Whether the range of coverage counters is moved to an aligned start.</summary>
    public abstract bool AlignsCoverageCounters { get; }

    /// <summary>Whether formats that want it get a runtime.types symbol with a size in front of the type descriptors.</summary>
    public abstract bool SizesTypesMarker { get; }

    /// <summary>Kind of runtime.etypes where it is laid out as a symbol.</summary>
    public abstract SymbolKind EndOfTypesKind { get; }

    /// <summary>Moves read-only symbols that need relocation at run time to kinds of their own (makeRelroForSharedLib).</summary>
    public abstract void SeparateRelocated(DataLayout layout);

    /// <summary>Places the section that runtime.types and runtime.etypes mark if it is .rodata itself.</summary>
    public virtual bool HasTypesInRoData(Target target) => false;

    /// <summary>Places what may need relocation at run time, and what goes with it (the end of allocateDataSections).</summary>
    public abstract void PlaceRelocated(DataLayout layout, Segment readOnly);

    /// <summary>
    /// Moves symbols with relocations from a kind to another, with their carriers, and checks that none was torn from its carrier.
    /// </summary>
    protected static void MoveRelocated(DataLayout layout, SymbolKind from, SymbolKind to, bool all)
    {
        SymbolTable symbols = layout.Context.Symbols;
        List<SymbolId> stay = [];
        List<SymbolId> move = [.. layout.SymbolsOf(to)];
        foreach (SymbolId s in layout.SymbolsOf(from))
        {
            // A carrier may have been moved by what it carries.
            if (!all && symbols.Relocs(s).Count == 0 && layout.LayoutKind(s) is not (SymbolKind.TypeRelRo or SymbolKind.GoFuncRelRo))
            {
                stay.Add(s);
                continue;
            }
            layout.SetLayoutKind(s, to);
            if (symbols.Outer(s) is { IsNone: false } outer)
            {
                layout.SetLayoutKind(outer, to);
            }
            move.Add(s);
        }
        foreach (SymbolId s in move)
        {
            if (symbols.Outer(s) is { IsNone: false } outer && layout.LayoutKind(s) != layout.LayoutKind(outer))
            {
                layout.Context.Diagnostics.Error(
                    symbols.Name(s),
                    $"inconsistent types for symbol and its Outer {symbols.NameText(outer)} ({layout.LayoutKind(s).GoName()} != {layout.LayoutKind(outer).GoName()})");
            }
        }
        layout.SetSymbols(from, stay);
        layout.SetSymbols(to, move);
    }
}
