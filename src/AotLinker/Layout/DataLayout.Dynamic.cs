using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>Dynamic relocations (dynreloc): they grow tables that are data themselves, so they come before data is sorted.</summary>
internal sealed partial class DataLayout
{
    private void AddDynamicRelocations()
    {
        if (!_ctx.Format.RecordsDynamicRelocations || _ctx.Settings.NoDynamic)
        {
            return;
        }
        bool allKinds = _ctx.Target.IsPie && _ctx.Target.IsInternal;
        AddDynamicRelocations(_ctx.Text.Count, i => _ctx.Text[i], allKinds);
        // The order of kinds is the order of entries in the tables.
        foreach (byte kind in _ctx.Release.SymbolKindNumbers)
        {
            if (kind < KindCount)
            {
                NativeSpan<ulong> data = _data[kind];
                AddDynamicRelocations(data.Length, i => new SymbolId(Id(data[i])), allKinds);
            }
        }
        _ctx.Diagnostics.Flush();
        _ctx.Format.FinishDynamicTables(_ctx);
    }

    /// <summary>Finds in parallel which relocations concern the run-time linker, then treats these in order.</summary>
    private void AddDynamicRelocations(int count, Func<int, SymbolId> symbol, bool allKinds)
    {
        const int Piece = 1 << 10;
        List<(SymbolId Symbol, int Reloc)>?[] found = new List<(SymbolId, int)>?[(count + Piece - 1) / Piece];
        _ctx.Workers.ForChunks(count, Piece, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                SymbolId s = symbol(i);
                RelocList relocs = _symbols.Relocs(s);
                for (int r = 0; r < relocs.Count; r++)
                {
                    if (NeedsRunTime(relocs, r, allKinds))
                    {
                        (found[from / Piece] ??= []).Add((s, r));
                    }
                }
            }
        });
        foreach (List<(SymbolId Symbol, int Reloc)>? piece in found)
        {
            foreach ((SymbolId s, int r) in piece ?? [])
            {
                AddDynamicRelocation(s, r, allKinds);
            }
        }
    }

    private bool NeedsRunTime(RelocList relocs, int r, bool allKinds)
    {
        if (relocs[r].IsMarker)
        {
            return false;
        }
        RelocKind kind = relocs.Kind(r);
        bool byKind = kind == RelocKind.Host || (allKinds && _ctx.Target.Cpu.MayNeedDynamicRelocation(kind));
        if (!byKind && !_hasImports)
        {
            return false;
        }
        SymbolId target = relocs.Target(r);
        bool isImport = _hasImports && !target.IsNone && _symbols.Kind(target) == SymbolKind.DynImport;
        return (byKind || isImport) && !(relocs[r].IsWeak && !_symbols.IsReachable(target));
    }

    private void AddDynamicRelocation(SymbolId s, int reloc, bool allKinds)
    {
        if (allKinds)
        {
            // Much is applied by ourselves later, so a "no" means nothing.
            _ = _ctx.Target.Cpu.AddDynamicRelocation(_ctx, s, reloc);
            return;
        }
        RelocList relocs = _symbols.Relocs(s);
        if (!NeedsRunTime(relocs, reloc, allKinds))
        {
            // It was changed with the one before it.
            return;
        }
        SymbolId target = relocs.Target(reloc);
        RelocKind kind = relocs.Kind(reloc);
        if (!target.IsNone && !_symbols.IsReachable(target))
        {
            _ctx.Diagnostics.Error(_symbols.Name(s), $"dynamic relocation to unreachable symbol {_symbols.NameText(target)}");
        }
        if (!_ctx.Target.Cpu.AddDynamicRelocation(_ctx, s, reloc))
        {
            SymbolKind targetKind = _symbols.Kind(target);
            int kindNumber = _ctx.Release.RelocKinds.IndexOf((byte)kind);
            int targetNumber = _ctx.Release.SymbolKindNumbers.IndexOf((byte)targetKind);
            _ctx.Diagnostics.Error(
                _symbols.Name(s),
                $"unsupported dynamic relocation for symbol {_symbols.NameText(target)} (type={kindNumber} ({kind.GoName()}) stype={targetNumber} ({targetKind.GoName()}))");
        }
    }
}
