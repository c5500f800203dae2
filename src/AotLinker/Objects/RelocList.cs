using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Objects;

/// <summary>
/// One relocation of a Go symbol that was changed while the others are still read from the object, with a canonical kind and a global
/// target.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ChangedReloc
{
    /// <summary>Place among the symbol's relocations.</summary>
    public int Index;

    /// <summary>What it is now.</summary>
    public RelocRecord Record;
}

/// <summary>
/// The relocations of one symbol, read in place. Kinds are canonical (<see cref="RelocKind"/>) and targets are global ids,
/// whichever object and release the records come from.
/// </summary>
internal readonly ref struct RelocList
{
    private readonly ReadOnlySpan<byte> _kinds;
    private readonly ReadOnlySpan<ChangedReloc> _changed;

    /// <summary>A view of <paramref name="records"/> of object <paramref name="owner"/>, null for linker-made records.</summary>
    public RelocList(SymbolTable table, GoObject? owner, ReadOnlySpan<RelocRecord> records, ReadOnlySpan<byte> kinds)
    {
        Table = table;
        Owner = owner;
        Records = records;
        _kinds = kinds;
    }

    /// <summary>The same with some of them changed, in the order of their places.</summary>
    public RelocList(SymbolTable table, GoObject owner, ReadOnlySpan<RelocRecord> records, ReadOnlySpan<byte> kinds, ReadOnlySpan<ChangedReloc> changed)
        : this(table, owner, records, kinds) => _changed = changed;

    /// <summary>The records as they are stored: offsets and sizes hold, the rest may have been changed one by one.</summary>
    public ReadOnlySpan<RelocRecord> Records { get; }

    /// <summary>The object whose numbering the records use; null when linker-made.</summary>
    public GoObject? Owner { get; }

    /// <summary>The symbol table the targets belong to.</summary>
    public SymbolTable Table { get; }

    /// <summary>Whether some of them are no longer what <see cref="Records"/> says.</summary>
    public bool HasChanges => _changed.Length != 0;

    /// <summary>Number of relocations.</summary>
    public int Count => Records.Length;

    /// <summary>The i-th record, for offset, size, addend and flags.</summary>
    public ref readonly RelocRecord this[int i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_changed.Length != 0 && IndexOf(_changed, i) is >= 0 and var at)
            {
                return ref _changed[at].Record;
            }
            return ref Records[i];
        }
    }

    /// <summary>Kind of the i-th relocation, without the weak flag.</summary>
    /// <exception cref="LinkException">The number is none of the release's.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RelocKind Kind(int i)
    {
        int raw = Records[i].RawKind & ~RelocFlags.Weak;
        if (_changed.Length != 0 && IndexOf(_changed, i) is >= 0 and var at)
        {
            return (RelocKind)(_changed[at].Record.RawKind & ~RelocFlags.Weak);
        }
        return (uint)raw < (uint)_kinds.Length ? (RelocKind)_kinds[raw] : KindBeyond(raw);
    }

    /// <summary>Global id of the i-th relocation's target; none for a nil reference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SymbolId Target(int i)
    {
        if (_changed.Length != 0 && IndexOf(_changed, i) is >= 0 and var at)
        {
            return Table.Resolve(null, _changed[at].Record.Target);
        }
        return Table.Resolve(Owner, Records[i].Target);
    }

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

    /// <summary>The i-th relocation in canonical form: linker-made, as far as its numbers go.</summary>
    public RelocRecord Canonical(int i)
    {
        ref readonly RelocRecord r = ref this[i];
        RelocKind kind = Kind(i);
        int number = kind == RelocKind.Host ? RelocFlags.HostBase + (int)HostType(i) : (int)kind;
        return new RelocRecord
        {
            Offset = r.Offset,
            Size = r.Size,
            RawKind = (ushort)(number | (r.RawKind & RelocFlags.Weak)),
            Addend = r.Addend,
            Target = new SymRef(SymRef.Invalid, (uint)Target(i).Index),
        };
    }

    /// <summary>Where the change of a relocation stands; if there is none, the complement of where it would.</summary>
    public static int IndexOf(ReadOnlySpan<ChangedReloc> changed, int i)
    {
        int low = 0, high = changed.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (changed[middle].Index < i)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low < changed.Length && changed[low].Index == i ? low : ~low;
    }

    private RelocKind KindBeyond(int raw) => Owner is not null ? throw Owner.Damaged($"unknown relocation type {raw}")
        : raw >= RelocFlags.HostBase ? RelocKind.Host
        : throw new InvalidOperationException($"relocation kind {raw}");
}
