using System.Text;
using AotLinker.Formats.Pe;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>Unwind tables of host objects, and their references to imported functions.</summary>
internal sealed unsafe partial class HostPe
{
    private const string ImportPrefix = "__imp_";

    /// <summary>
    /// The function that "__imp_name" holds the address of; none for other names (LookupBaseFromImport).
    /// </summary>
    /// <exception cref="LinkException">Nobody knows the function.</exception>
    public static SymbolId ImportedBy(LinkContext ctx, SymbolId s)
    {
        ReadOnlySpan<byte> name = ctx.Symbols.Name(s);
        if (!name.StartsWith("__imp_"u8))
            return SymbolId.None;
        ReadOnlySpan<byte> function = name[ImportPrefix.Length..];
        if (ctx.Target.Cpu.Pe is { HasUnderscores: true } && function.StartsWith("_"u8))
            function = function[1..];
        SymbolId imported = ctx.Symbols.Lookup(function, 0);
        return imported.IsNone
            ? throw Error($"internal error: import symbol {Cli.GoText.Quote(ctx.Symbols.NameText(s))} with no underlying sym")
            : imported;
    }

    /// <summary>
    /// Marks the imported functions and variables that the objects refer to, once all objects are loaded (PostProcessImports);
    /// <see cref="PeImportStubs"/> then changes the references of live code.
    /// </summary>
    public void ResolveImports()
    {
        SortedDictionary<SymbolId, SymbolId> kept = [];
        foreach (SymbolId section in _allSections)
        {
            bool isText = _symbols.Kind(section).IsText();
            int count = _symbols.Relocs(section).Count;
            for (int i = 0; i < count; i++)
            {
                SymbolId target = _symbols.Relocs(section).Target(i);
                if (_symbols.Kind(target) == SymbolKind.DynImport)
                {
                    _symbols.PltOffset[target] = PeImportStubs.Wanted;
                    continue;
                }
                SymbolId imported = ImportedBy(_ctx, target);
                if (imported.IsNone || _symbols.Kind(imported) != SymbolKind.DynImport)
                    continue;
                if (!isText)
                {
                    _symbols.Update(section).SetRelocTarget(i, imported);
                    continue;
                }
                _symbols.GotOffset[target] = PeImportStubs.Wanted;
                if (_symbols.PltOffset.TryGetValue(target, out int plt))
                    throw Error($"internal error: import symbol {Cli.GoText.Quote(_symbols.NameText(target))} has invalid PLT setting {plt}");
                kept[target] = imported;
            }
        }
        foreach ((SymbolId variable, SymbolId imported) in kept)
            _symbols.Update(variable).AddReloc(RelocKind.Keep, 0, 0, imported, 0);
        _allSections.Clear();
    }

    /// <summary>
    /// Makes functions keep their entries in an object's unwind table alive, and the handlers these lead to (processSEH).
    /// </summary>
    /// <returns>What there is to lay out of the table: its entries one by one, or in older releases all of it.</returns>
    private List<SymbolId> AddUnwindTable(SymbolId pdata, SymbolId xdata)
    {
        const int EntrySize = 12;
        const int Fields = 3;
        bool single = _ctx.Release.SortsUnwindTables;
        List<SymbolId> entries = [];
        if (!single)
        {
            _symbols.Set(pdata, SymbolTable.Attributes.Reachable);
            if (!xdata.IsNone)
                _symbols.Set(xdata, SymbolTable.Attributes.Reachable);
            entries.Add(pdata);
        }
        int count = _symbols.Relocs(pdata).Count;
        if (count % Fields != 0)
        {
            // Older releases take the table as it is.
            return single ? throw Error($".pdata symbol {Cli.GoText.Quote(_symbols.NameText(pdata))} has invalid relocation count") : entries;
        }
        for (int i = 0; i < count; i += Fields)
        {
            RelocList relocs = _symbols.Relocs(pdata);
            SymbolId function = relocs.Target(i);
            SymbolId information = relocs.Target(i + 2);
            SymbolId handler = FindHandler(information, relocs[i + 2].Addend, 0);
            if (!single)
            {
                if (!handler.IsNone)
                    _symbols.Update(function).AddReloc(RelocKind.Keep, 0, 0, handler, 0);
                continue;
            }
            int offset = relocs[i].Offset;
            if (offset + EntrySize > _symbols.Data(pdata).Length)
                throw Error($".pdata symbol {Cli.GoText.Quote(_symbols.NameText(pdata))} ends within an entry");
            SymbolBuilder entry = _symbols.Update(_symbols.CreateStatic(""u8)).SetKind(SymbolKind.SehSect).SetAlign(4).SetSize(EntrySize);
            entry.SetData(_symbols.Data(pdata).Slice(offset, EntrySize));
            if (!function.IsNone)
            {
                SymbolBuilder f = _symbols.Update(function);
                f.AddReloc(RelocKind.Keep, 0, 0, entry.Symbol, 0);
                if (!information.IsNone)
                    f.AddReloc(RelocKind.Keep, 0, 0, information, 0);
                if (!handler.IsNone)
                    f.AddReloc(RelocKind.Keep, 0, 0, handler, 0);
            }
            relocs = _symbols.Relocs(pdata);
            for (int j = 0; j < Fields; j++)
            {
                RelocRecord r = relocs[i + j];
                entry.AddReloc(relocs.Kind(i + j), 4 * j, r.Size, relocs.Target(i + j), r.Addend, r.IsWeak);
            }
            entries.Add(entry.Symbol);
        }
        return entries;
    }

    /// <summary>The exception handler that unwind information names, itself or at the end of its chain; none if there is none.</summary>
    private SymbolId FindHandler(SymbolId information, long at, int depth)
    {
        const int FixedSize = 4;
        const int CodeSize = 2;
        const int HasHandler = 0x08 | 0x10;
        const int IsChained = 0x20;
        ReadOnlySpan<byte> data = _symbols.Data(information);
        if (at < 0 || at + FixedSize > data.Length || depth > data.Length)
            return SymbolId.None;
        int flags = data[(int)at];
        if ((flags & (HasHandler | IsChained)) == 0)
            return SymbolId.None;
        int codes = data[(int)at + 2];
        // The codes take an even number of places; what follows them is the handler, or the chain's three fields.
        long behind = at + FixedSize + (CodeSize * (long)(byte)(codes + (codes & 1)));
        RelocList relocs = _symbols.Relocs(information);
        int i = 0;
        while (i < relocs.Count && relocs[i].Offset < behind)
            i++;
        if (i < relocs.Count && (flags & HasHandler) != 0)
            return relocs.Target(i);
        i += 2;
        return i < relocs.Count && (flags & HasHandler) == 0 ? FindHandler(relocs.Target(i), relocs[i].Addend, depth + 1) : SymbolId.None;
    }
}
