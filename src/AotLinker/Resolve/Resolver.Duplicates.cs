using AotLinker.Objects;

namespace AotLinker.Resolve;

/// <summary>Definitions of the same name: which one its id stands for, and what is said about the others.</summary>
internal sealed partial class Resolver
{
    // Two named definitions meet: decide which one the id stands for (Loader.addSym).
    private void MergeNamed(ShardState state, int slotId, GoObject o, int local, int position)
    {
        if (!state.Winners.TryGetValue(slotId, out (GoObject, int) known))
        {
            known.Item1 = FirstOccurrence(slotId, out _, out known.Item2);
        }
        (GoObject old, int oldLocal) = known;
        ref readonly SymbolRecord record = ref o.Symbol(local);
        ref readonly SymbolRecord oldRecord = ref old.Symbol(oldLocal);
        bool dupOk = (record.Flags & SymbolFlags.DupOk) != 0;
        bool oldDupOk = (oldRecord.Flags & SymbolFlags.DupOk) != 0;
        if (dupOk)
        {
            if (oldDupOk || !_table.Release.DupOkNeedsDupOk)
            {
                if (_options.StrictDuplicates)
                {
                    CheckSame(state, position, o, local, old, oldLocal);
                }
                if (oldRecord.Size < record.Size)
                {
                    Win(state, slotId, o, local);
                }
            }
            return;
        }
        if (oldDupOk)
        {
            Win(state, slotId, o, local);
            return;
        }

        SymbolKind kind = KindOf(record), oldKind = KindOf(oldRecord);
        bool hasContent = o.DataSize(local) != 0, oldHasContent = old.DataSize(oldLocal) != 0;
        bool oldIsZeroed = oldKind.IsAnyData() && !oldHasContent;
        bool isZeroed = kind.IsAnyData() && !hasContent;
        bool merges = _table.Release.MergesSizes;
        if (oldIsZeroed && (kind.IsText() || (hasContent && (merges || record.Size >= oldRecord.Size)) || (isZeroed && record.Size > oldRecord.Size)))
        {
            uint oldSize = oldRecord.Size;
            Win(state, slotId, o, local);
            if (oldSize > record.Size && merges)
            {
                _fixups[state.Shard].Add(new SizeFixup(position, slotId, oldSize));
            }
        }
        else if (isZeroed && (merges || record.Size <= oldRecord.Size || oldKind.IsText()))
        {
            if (record.Size > oldRecord.Size && merges)
            {
                _fixups[state.Shard].Add(new SizeFixup(position, slotId, record.Size));
            }
        }
        else
        {
            lock (_fatalGate)
            {
                if (_fatal is null || position < _fatal.Position)
                {
                    _fatal = new DuplicateDefinition(position, o, local, kind, old, oldLocal, oldKind);
                }
            }
        }
    }

    private SymbolKind KindOf(in SymbolRecord record) => SymbolKinds.FromObject(record.RawKind, _table.Release.ObjectSymbolKinds);

    private void Win(ShardState state, int slotId, GoObject o, int local)
    {
        state.Winners[slotId] = (o, local);
        _overrides[state.Shard].Add(new Override(slotId, o.Index, local));
    }

    private void CheckSame(ShardState state, int position, GoObject o, int local, GoObject old, int oldLocal)
    {
        ReadOnlySpan<byte> data = o.Data(local), oldData = old.Data(oldLocal);
        string reason = "same length but different contents";
        if (data.Length != oldData.Length)
        {
            reason = $"new length {data.Length} != old length {oldData.Length}";
        }
        else if (data.SequenceEqual(oldData))
        {
            uint size = o.Symbol(local).Size, oldSize = old.Symbol(oldLocal).Size;
            if (size == oldSize)
            {
                return;
            }
            reason = $"different sizes: new size {size} != old size {oldSize}";
        }
        _duplicates[state.Shard].Add(new DuplicateReport(position, o, local, old, reason));
    }

    private int ReportDuplicates()
    {
        int counted = 0;
        foreach (DuplicateReport d in _duplicates.SelectMany(l => l).OrderBy(d => d.Position))
        {
            string name = System.Text.Encoding.UTF8.GetString(d.Object.Name(d.Local));
            _options.ReportDuplicate(
                $"cmd/link: while reading object for '{d.Object.Package}': duplicate symbol '{name}', previous def at '{d.Old.Package}', with mismatched payload: {d.Reason}");
            // Wrappers made in several packages differ in line numbers, which is harmless.
            bool allowed = name.StartsWith("go:info.go.interface", StringComparison.Ordinal)
                || name.StartsWith("go:info.go.builtin", StringComparison.Ordinal)
                || name.StartsWith("go:debuglines", StringComparison.Ordinal);
            counted += allowed ? 0 : 1;
        }
        return counted;
    }

    private readonly record struct SizeFixup(int Order, int Existing, uint Size);

    private readonly record struct Override(int Entry, int Object, int Local);

    private sealed record DuplicateReport(int Position, GoObject Object, int Local, GoObject Old, string Reason);

    private sealed record DuplicateDefinition(int Position, GoObject Object, int Local, SymbolKind Kind, GoObject Old, int OldLocal, SymbolKind OldKind)
    {
        public LinkException ToException()
        {
            ref readonly SymbolRecord r = ref Object.Symbol(Local);
            ref readonly SymbolRecord q = ref Old.Symbol(OldLocal);
            return new LinkException(
                MessageForm.Input,
                $"duplicated definition of symbol {System.Text.Encoding.UTF8.GetString(Object.Name(r))}, from {Object.Package} (type {Kind.GoName()} size {r.Size}) and {Old.Package} (type {OldKind.GoName()} size {q.Size})");
        }
    }
}
