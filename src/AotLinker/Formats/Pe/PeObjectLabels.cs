using System.Globalization;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Pe;

/// <summary>A place within a symbol that has an entry in an object's symbol table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Symbol">The symbol.</param>
/// <param name="Offset">Offset in the symbol.</param>
internal readonly record struct PeLabel(string Name, SymbolId Symbol, long Offset);

/// <summary>
/// Labels for CPUs whose instructions have too few bits for an addend: one for each so many bytes of large data, and some in functions that
/// are called at other places than their start (gensymlate).
/// </summary>
internal sealed class PeObjectLabels
{
    private readonly List<PeLabel> _labels = [];
    private readonly Dictionary<(string Name, int Version), int> _byName = [];
    private readonly Dictionary<(SymbolId Symbol, long Offset), int> _byPlace = [];

    /// <summary>The labels, in the order of their entries.</summary>
    public IReadOnlyList<PeLabel> All => _labels;

    /// <summary>Finds the labels of an object, once all addresses are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="distance">Bytes between labels of large data; 0 for no labels at all.</param>
    public static PeObjectLabels Find(LinkContext ctx, long distance)
    {
        PeObjectLabels labels = new();
        if (distance == 0)
            return labels;
        SymbolTable symbols = ctx.Symbols;
        foreach ((byte[] name, int step) in ctx.Release.LabelledFunctions)
        {
            SymbolId s = symbols.Lookup(name, symbols.AbiInternalVersion);
            if (!s.IsNone && symbols.IsReachable(s))
                labels.Add(ctx, s, step, step * (long)Release.LabelsOfFunction);
        }
        UInt128 kinds = SymbolKinds.Set(SymbolKind.None, SymbolKind.DwarfSect - 1);
        foreach (SymbolId s in symbols.LiveIn(1, symbols.Count, kinds))
        {
            if (symbols.Kind(s).IsText() || symbols.Size(s) <= distance || symbols.Has(s, SymbolTable.Attributes.Special))
                continue;
            bool hasName = !symbols.Name(s).IsEmpty || symbols.Kind(s) == SymbolKind.GoFunc;
            if (hasName || ctx.Release.LabelsNamelessData)
                labels.Add(ctx, s, distance, symbols.Size(s));
        }
        // Carriers have no size of their own. They are in the order of the Go linker's numbers of their kinds.
        foreach (byte number in ctx.Release.SymbolKindNumbers)
        {
            SymbolKind kind = (SymbolKind)number;
            if (kind < SymbolKind.FirstUnallocated && ctx.Carriers[kind] is { IsNone: false } carrier && ctx.Carriers.Length(kind) > distance)
                labels.Add(ctx, carrier, distance, ctx.Carriers.Length(kind));
        }
        return labels;
    }

    /// <summary>Index of the label at an offset in a symbol; -1 where there is none.</summary>
    public int IndexOf(SymbolId s, long offset) => _byPlace.GetValueOrDefault((s, offset), -1);

    private void Add(LinkContext ctx, SymbolId s, long step, long size)
    {
        if (ctx.SectionOf(s) is null)
            return;
        for (long offset = step; offset < size; offset += step)
        {
            const int Megabyte = 1 << 20;
            string name = ctx.Symbols.OutputName(s) + (offset % Megabyte == 0
                ? string.Create(CultureInfo.InvariantCulture, $"+{offset / Megabyte}MB") : string.Create(CultureInfo.InvariantCulture, $"+{offset}"));
            (string Name, int Version) key = (name, ctx.Symbols.Version(s));
            PeLabel label = new(name, s, offset);
            if (_byName.TryGetValue(key, out int index))
            {
                _labels[index] = label;
            }
            else
            {
                index = _labels.Count;
                _byName.Add(key, index);
                _labels.Add(label);
            }
            _byPlace[(s, offset)] = index;
        }
    }
}
