using System.Buffers.Binary;
using System.Globalization;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// What relocations of an object refer to: symbols by their numbers, and labels, which stand for places in symbols where addends don't reach
/// them. Labels are no symbols of ours: they follow the sorted symbols (arm64's gensymlate, AddMachoSym).
/// </summary>
internal sealed partial class MachOSymbolTable
{
    /// <summary>Number of a symbol in the table of an object; -1 for one that isn't in it. Any number of threads may ask.</summary>
    public int NumberOf(SymbolId s) => (_numbers is { } numbers && s.Index < numbers.Capacity ? numbers[s] : 0) - 1;

    /// <summary>Number of the label at an offset of a symbol; null for none.</summary>
    public int? Label(SymbolId s, long offset) => _labelNumbers.TryGetValue((s, offset), out int number) ? number : null;

    /// <summary>
    /// Numbers the symbols of an object, all of which have their addresses, and makes the labels: those in large symbols, if anything is large
    /// enough to have one, and in those functions that are called in their middle.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="distance">Bytes from one label to the next; 0 for no labels.</param>
    public void AddLabels(LinkContext ctx, long distance)
    {
        SymbolTable symbols = ctx.Symbols;
        _numbers = new NativeColumn<int>();
        _numbers.EnsureCapacity(symbols.Count);
        for (int i = 0; i < _symbols.Length; i++)
            _numbers[new SymbolId(_symbols[i])] = i + 1;
        if (distance == 0)
            return;
        if (ctx.Release.LabelsDuffDevices)
        {
            const int Steps = 64;
            AddToDevice("runtime.duffcopy"u8, 8);
            AddToDevice("runtime.duffzero"u8, 4);

            void AddToDevice(ReadOnlySpan<byte> name, int step)
            {
                SymbolId s = symbols.Lookup(name, symbols.AbiInternalVersion);
                if (!s.IsNone && symbols.IsReachable(s))
                    AddLabels(ctx, s, step, step * Steps);
            }
        }
        if (!Array.Exists([ctx.TextSegment, ctx.RoDataSegment, ctx.RelRoDataSegment, ctx.DataSegment, ctx.DwarfSegment], s => s.Length >= (ulong)distance))
            return;
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (symbols.IsReachable(s) && symbols.Kind(s) is var kind && !kind.IsText() && kind < SymbolKind.DwarfSect && symbols.Size(s) > distance
                && (!ctx.Release.LabelsOnlyWholeSymbols || (!symbols.Has(s, SymbolTable.Attributes.Special) && IsWhole(symbols, s, kind))))
            {
                AddLabels(ctx, s, distance, symbols.Size(s));
            }
        }
        foreach (byte kind in ctx.Release.SymbolKindNumbers)
        {
            SymbolKind of = (SymbolKind)kind;
            if (of < SymbolKind.FirstUnallocated && ctx.Carriers[of] is { IsNone: false } carrier && ctx.Carriers.Length(of) > distance)
                AddLabels(ctx, carrier, distance, ctx.Carriers.Length(of));
        }
    }

    private static bool IsWhole(SymbolTable symbols, SymbolId s, SymbolKind kind) => !symbols.Name(s).IsEmpty || kind == SymbolKind.GoFunc;

    private void AddLabels(LinkContext ctx, SymbolId s, long step, long size)
    {
        if (ctx.SectionOf(s) is null)
            Diagnostics.Fatal($"gensymlate: symbol {ctx.Symbols.NameText(s)} has no section (type={ctx.Symbols.Kind(s).GoName()})");
        for (long offset = step; offset < size; offset += step)
        {
            const int MegabyteShift = 20;
            string place = offset >> MegabyteShift << MegabyteShift == offset
                ? string.Create(CultureInfo.InvariantCulture, $"+{offset >> MegabyteShift}MB")
                : string.Create(CultureInfo.InvariantCulture, $"+{offset}");
            string name = ctx.Symbols.OutputName(s) + place;
            _labelNumbers[(s, offset)] = Count;
            _labels.Add(new Place(s, offset, RawText.Encode(name.Replace("·", ".", StringComparison.Ordinal))));
        }
    }

    private void WriteLabels(LinkContext ctx, long symbols, long names)
    {
        if (_labels.Count == 0)
            return;
        List<byte> text = [];
        byte[] records = new byte[_labels.Count * MachOConstants.SymbolSize];
        long name = _chunkNames[^1];
        for (int i = 0; i < _labels.Count; i++)
        {
            Place label = _labels[i];
            Span<byte> record = records.AsSpan(i * MachOConstants.SymbolSize);
            BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(name + text.Count));
            record[4] = MachOConstants.SymbolLocal;
            record[5] = (byte)ctx.SectionOf(label.Symbol)!.OutputNumber;
            BinaryPrimitives.WriteInt64LittleEndian(record[8..], ctx.Symbols.Value(label.Symbol) + label.Offset);
            text.AddRange([(byte)'_', .. label.Name, 0]);
        }
        ctx.Output.Write(symbols + ((long)_symbols.Length * MachOConstants.SymbolSize), records);
        ctx.Output.Write(names + name, [.. text]);
    }

    private readonly record struct Place(SymbolId Symbol, long Offset, byte[] Name);
}
