using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AotLinker.Objects;

/// <summary>What passes after reach ask of live symbols again and again: their numbers, and what their records say.</summary>
internal sealed unsafe partial class SymbolTable
{
    private readonly LiveNumbers _live = new();

    // For each number that was given to a definition: its size plus one, 0 where it must be looked for elsewhere, and its traits.
    private readonly NativeColumn<uint> _sizes = new();
    private readonly NativeColumn<byte> _traits = new();

    /// <summary>What a symbol's record says about it, as far as most passes want to know.</summary>
    [Flags]
    public enum Traits : byte
    {
        /// <summary>Nothing of the below.</summary>
        None = 0,
        /// <summary>Only known within its file.</summary>
        FileLocal = 1,
        /// <summary>Without a name.</summary>
        Nameless = 2,
        /// <summary>A function without a stack check.</summary>
        NoSplit = 4,
        /// <summary>A type that reflection may look up by link.</summary>
        TypeLink = 8,
        /// <summary>An itab.</summary>
        Itab = 16,
        /// <summary>May be defined in several objects.</summary>
        DupOk = 32,
    }

    /// <summary>The numbers of live symbols, given by <see cref="NumberLive"/>.</summary>
    public LiveNumbers Live => _live;

    /// <summary>Traits of a symbol; changed and linker-made symbols have those that don't come from an object.</summary>
    public Traits TraitsOf(SymbolId s)
    {
        int n = _live.Of(s.Index);
        return (uint)n < (uint)_live.Count && _sizes[(long)n] != 0 ? (Traits)_traits[(long)n] : ReadTraits(s);
    }

    /// <summary>
    /// The first live symbol from <paramref name="from"/> on, before <paramref name="to"/>; <paramref name="to"/> if there is none. For
    /// walks over all symbols, most of which are dead.
    /// </summary>
    public int NextLive(int from, int to)
    {
        byte* attributes = _attributes.Pointer;
        while (from < to)
        {
            int end = _live.IsNumbered ? Math.Min(to, _live.End) : 0;
            if (from < end)
            {
                from = _live.Next(from, end);
                if (from == end)
                {
                    continue;
                }
            }
            if ((attributes[from] & (byte)Attributes.Reachable) != 0)
            {
                return from;
            }
            from++;
        }
        return to;
    }

    /// <summary><see cref="NextLive"/> among the symbols whose kind is one of <paramref name="kinds"/>.</summary>
    public int FindLive(int from, int to, UInt128 kinds)
    {
        if ((uint)to > (uint)Count || from < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(to));
        }
        byte* kind = _kind.Pointer;
        ulong low = (ulong)kinds, high = (ulong)(kinds >> 64);
        for (from = NextLive(from, to); from < to; from = NextLive(from + 1, to))
        {
            int k = kind[from];
            if (((k < 64 ? low : high) >> (k & 63) & 1) != 0)
            {
                break;
            }
        }
        return from;
    }

    /// <summary>Whether there is a symbol of a kind, live or not.</summary>
    public bool HasKind(SymbolKind kind) => new ReadOnlySpan<byte>(_kind.Pointer, Count).Contains((byte)kind);

    /// <summary>Gives the live symbols their numbers, and reads their records once for all. After reach.</summary>
    public void NumberLive(Workers workers)
    {
        const int Chunk = 1 << 14;
        int end = ExternalStart == 0 ? Count : ExternalStart;
        _live.Begin(end);
        workers.ForChunks(end, Chunk, (from, to, _) =>
        {
            for (int id = from; id < to; id += LiveNumbers.BlockSize)
            {
                _live.SetMarks(id, ReachableMarks(id, Math.Min(to, id + LiveNumbers.BlockSize)));
            }
        });
        _live.Number();
        Grow(Count);
        _sizes.EnsureCapacity(_live.Count);
        _traits.EnsureCapacity(_live.Count);
        workers.ForChunks(end, Chunk, (from, to, _) => ReadRecords(from, to));
    }

    private ulong ReachableMarks(int from, int to)
    {
        byte* attributes = _attributes.Pointer;
        ulong marks = 0;
        int i = from;
        for (; i + Vector128<byte>.Count <= to; i += Vector128<byte>.Count)
        {
            // The lowest bit of every byte becomes its highest.
            Vector128<ushort> moved = Vector128.ShiftLeft(Vector128.Load(attributes + i).AsUInt16(), 7);
            marks |= (ulong)moved.AsByte().ExtractMostSignificantBits() << (i - from);
        }
        for (; i < to; i++)
        {
            marks |= (ulong)(attributes[i] & (byte)Attributes.Reachable) << (i - from);
        }
        return marks;
    }

    // Records of many symbols are asked for before the first is read: they are in the cache of none of us.
    private void ReadRecords(int from, int to)
    {
        const int Batch = 32;
        SymbolRecord** records = stackalloc SymbolRecord*[Batch];
        int* numbers = stackalloc int[Batch];
        for (int id = _live.Next(from, to); id < to;)
        {
            int count = 0;
            for (; id < to && count < Batch; id = _live.Next(id + 1, to))
            {
                SymbolId s = new(id);
                // Debug information is read by its function, and never by its record.
                if (Kind(s).IsDwarf() || Has(s, Attributes.Elsewhere))
                {
                    continue;
                }
                GoObject o = Locate(s, out int local)!;
                ref readonly SymbolRecord record = ref o.Symbol(local);
                records[count] = (SymbolRecord*)Unsafe.AsPointer(ref Unsafe.AsRef(in record));
                Prefetch.Read(records[count]);
                numbers[count++] = _live.Of(id);
            }
            for (int i = 0; i < count; i++)
            {
                _sizes[(long)numbers[i]] = records[i]->Size + 1;
                _traits[(long)numbers[i]] = (byte)TraitsOf(*records[i]);
            }
        }
    }

    private static Traits TraitsOf(in SymbolRecord record)
    {
        Traits traits = record.Abi == SymbolRecord.StaticAbi ? Traits.FileLocal : Traits.None;
        traits |= record.NameLength == 0 ? Traits.Nameless : Traits.None;
        traits |= (record.Flags & SymbolFlags.NoSplit) != 0 ? Traits.NoSplit : Traits.None;
        traits |= (record.Flags & SymbolFlags.TypeLink) != 0 ? Traits.TypeLink : Traits.None;
        traits |= (record.Flags & SymbolFlags.DupOk) != 0 ? Traits.DupOk : Traits.None;
        return traits | ((record.Flags2 & SymbolFlags2.Itab) != 0 ? Traits.Itab : Traits.None);
    }

    private Traits ReadTraits(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            return TraitsOf(o.Symbol(local));
        }
        if (s.IsNone)
        {
            return Traits.None;
        }
        ref ExternalRecord e = ref External(s);
        return (e.Version >= StaticVersion ? Traits.FileLocal : Traits.None) | (e.NameLength == 0 ? Traits.Nameless : Traits.None)
            | (e.DupOk ? Traits.DupOk : Traits.None);
    }

    /// <summary>Forgets what the record says, for the symbol is no longer what its object says.</summary>
    private void ForgetRecord(SymbolId s)
    {
        int n = _live.Of(s.Index);
        if ((uint)n < (uint)_live.Count)
        {
            _sizes[(long)n] = 0;
        }
    }
}
