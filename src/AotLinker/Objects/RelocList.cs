using System.Runtime.CompilerServices;

namespace AotLinker.Objects;

/// <summary>
/// The relocations of one symbol, read in place. Kinds are canonical (<see cref="RelocKind"/>) and targets are global ids,
/// whichever object and release the records come from.
/// </summary>
internal readonly ref struct RelocList
{
    private readonly ReadOnlySpan<byte> _kinds;

    /// <summary>A view of <paramref name="records"/> of object <paramref name="owner"/>, null for linker-made records.</summary>
    public RelocList(SymbolTable table, GoObject? owner, ReadOnlySpan<RelocRecord> records, ReadOnlySpan<byte> kinds)
    {
        Table = table;
        Owner = owner;
        Records = records;
        _kinds = kinds;
    }

    /// <summary>The records as they are stored.</summary>
    public ReadOnlySpan<RelocRecord> Records { get; }

    /// <summary>The object whose numbering the records use; null when linker-made.</summary>
    public GoObject? Owner { get; }

    /// <summary>The symbol table the targets belong to.</summary>
    public SymbolTable Table { get; }

    /// <summary>Number of relocations.</summary>
    public int Count => Records.Length;

    /// <summary>The i-th record, for offset, size, addend and flags.</summary>
    public ref readonly RelocRecord this[int i] => ref Records[i];

    /// <summary>Kind of the i-th relocation, without the weak flag.</summary>
    /// <exception cref="LinkException">The number is none of the release's.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RelocKind Kind(int i)
    {
        int raw = Records[i].RawKind & ~RelocFlags.Weak;
        return (uint)raw < (uint)_kinds.Length ? (RelocKind)_kinds[raw] : KindBeyond(raw);
    }

    /// <summary>Global id of the i-th relocation's target; none for a nil reference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SymbolId Target(int i) => Table.Resolve(Owner, Records[i].Target);

    /// <summary>The host's own number of the i-th relocation, whose kind is <see cref="RelocKind.Host"/>.</summary>
    public uint HostType(int i) => (uint)((Records[i].RawKind & ~RelocFlags.Weak) - RelocFlags.HostBase);

    /// <summary>Index of the relocation at an offset, looking from index <paramref name="hint"/> first; -1 if there is none.</summary>
    public int IndexAt(int offset, int hint)
    {
        ReadOnlySpan<RelocRecord> records = Records;
        for (int i = Math.Max(0, hint); i < records.Length; i++)
        {
            if (records[i].Offset == offset)
            {
                return i;
            }
        }
        for (int i = 0; i < Math.Min(hint, records.Length); i++)
        {
            if (records[i].Offset == offset)
            {
                return i;
            }
        }
        return -1;
    }

    private RelocKind KindBeyond(int raw) => Owner is not null ? throw Owner.Damaged($"unknown relocation type {raw}")
        : raw >= RelocFlags.HostBase ? RelocKind.Host
        : throw new InvalidOperationException($"relocation kind {raw}");
}
