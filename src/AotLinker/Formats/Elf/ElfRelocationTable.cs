using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// The relocations the dynamic linker applies (.rela or .rel), apart from the PLT's. A position-independent program has one for every
/// address in its data, so they are kept as compact records and written straight into the output once addresses are known.
/// </summary>
internal sealed class ElfRelocationTable(ElfEncoding encoding, bool hasAddends)
{
    private readonly NativeColumn<Entry> _entries = new();
    private int _count;

    private int EntrySize => hasAddends ? encoding.RelaSize : encoding.RelSize;

    /// <summary>Adds a relocation, from serial code.</summary>
    /// <param name="s">The symbol in which the relocated address lies.</param>
    /// <param name="offset">Where it lies there.</param>
    /// <param name="dynamicId">Number of the dynamic symbol; 0 for none.</param>
    /// <param name="type">The CPU's relocation type.</param>
    /// <param name="target">The symbol whose address is part of the addend; none for no such.</param>
    /// <param name="addend">The rest of the addend. Only tables with addends have it; else it stands in the relocated place.</param>
    public void Add(SymbolId s, int offset, uint dynamicId, uint type, SymbolId target, long addend)
    {
        _entries.EnsureCapacity(_count + 1);
        _entries[(long)_count++] = new Entry
        {
            Symbol = s.Index,
            Offset = offset,
            DynamicId = dynamicId,
            Type = type,
            Target = target.Index,
            Addend = addend,
        };
    }

    /// <summary>Gives the table's symbol its size, and the way to its content. Called once, when all relocations are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="name">Name of the table's symbol.</param>
    public void Complete(LinkContext ctx, string name)
    {
        if (_count > 0)
        {
            ctx.CreateGenerated(
                System.Text.Encoding.ASCII.GetBytes(name), 0, SymbolKind.ElfRoSect, (long)_count * EntrySize, Write, EntrySize);
        }
    }

    private void Write(LinkContext ctx, SymbolId table, long offset, Span<byte> piece)
    {
        int size = EntrySize;
        for (long i = offset / size; !piece.IsEmpty; i++, piece = piece[size..])
        {
            ref readonly Entry e = ref _entries[i];
            ulong place = (ulong)(ctx.Symbols.Value(new SymbolId(e.Symbol)) + e.Offset);
            long addend = e.Addend + (e.Target == 0 ? 0 : ctx.Symbols.Value(new SymbolId(e.Target)));
            encoding.PutRelocation(piece, place, e.DynamicId, e.Type, addend, hasAddends);
        }
    }

    private struct Entry
    {
        public int Symbol;
        public int Offset;
        public uint DynamicId;
        public uint Type;
        public int Target;
        public long Addend;
    }
}
