using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AotLinker.Objects;

/// <summary>What passes after reach ask of live symbols again and again: their numbers, and what their records say.</summary>
internal sealed unsafe partial class SymbolTable
{
    private readonly LiveNumbers _live = new();

    // For each number that was given to a definition: its size plus one, 0 where it must be looked for elsewhere, and its traits with the mark
    // that they have been read. The few sizes that fit no sixteen bits are looked for, too.
    private readonly NativeColumn<ushort> _sizes = new();
    private readonly NativeColumn<ushort> _traits = new();

    /// <summary>What a symbol's record says about it, as far as most passes want to know.</summary>
    [Flags]
    public enum Traits : ushort
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
        /// <summary>Of another ABI than that of Go functions, and not only known within its file.</summary>
        OtherAbi = 64,
        /// <summary>What the column has of a symbol; says nothing about it.</summary>
        Read = 128,
        /// <summary>A dictionary of a generic function.</summary>
        Dict = 256,
        /// <summary>With auxiliary symbols.</summary>
        HasAuxes = 512,
    }

    /// <summary>The numbers of live symbols, given by <see cref="NumberLive"/>.</summary>
    public LiveNumbers Live => _live;

    /// <summary>Traits of a symbol; changed and linker-made symbols have those that don't come from an object.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Traits TraitsOf(SymbolId s)
    {
        int n = _live.Of(s.Index);
        return (uint)n < (uint)_live.Count && (Traits)_traits.Pointer[n] is not Traits.None and var traits ? traits : ReadTraits(s);
    }

    /// <summary>
    /// The live symbols with ids from <paramref name="from"/> on, before <paramref name="to"/>, whose kind is one of <paramref
    /// name="kinds"/> and that have <paramref name="attributes"/>, in the order of ids: for walks over all symbols, most of which are dead.
    /// What becomes live or otherwise fit during the walk may be missed.
    /// </summary>
    public LiveWalk LiveIn(int from, int to, UInt128 kinds, Attributes attributes = Attributes.None)
    {
        if ((uint)to > (uint)Count || from < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(to));
        }
        return new LiveWalk(this, Math.Max(from, 1), to, kinds, attributes | Attributes.Reachable);
    }

    /// <summary>Marks of up to 64 symbols from <paramref name="from"/> on that are live and either functions or not as their object says.</summary>
    public ulong MarksOfLikelyText(int from, int to) =>
        AttributeMarks(from, to, Attributes.Reachable)
        & (KindMarks(from, to, (byte)SymbolKind.Text, (byte)SymbolKind.TextEnd) | AttributeMarks(from, to, Attributes.Elsewhere));

    /// <summary>Whether there is a symbol of a kind, live or not.</summary>
    public bool HasKind(SymbolKind kind) => new ReadOnlySpan<byte>(_kind.Pointer, Count).Contains((byte)kind);

    /// <summary>
    /// Gives the live symbols their numbers, and reads their records once for all. After reach. The DIEs of inlined functions, which reach
    /// leaves out, have numbers, too, if there will be debug information: all of them, for which ones are needed is told by other DIEs.
    /// </summary>
    public void NumberLive(Workers workers, bool hasDebugInfo)
    {
        const int Chunk = 1 << 14;
        int end = ExternalStart == 0 ? Count : ExternalStart;
        _live.Begin(end);
        workers.ForChunks(end, Chunk, (from, to, _) =>
        {
            for (int id = from; id < to; id += LiveNumbers.BlockSize)
            {
                int stop = Math.Min(to, id + LiveNumbers.BlockSize);
                ulong inlined = hasDebugInfo ? KindMarks(id, stop, (byte)SymbolKind.DwarfAbsFcn, (byte)SymbolKind.DwarfAbsFcn) : 0;
                _live.SetMarks(id, AttributeMarks(id, stop, Attributes.Reachable) | inlined);
            }
        });
        _live.Number();
        Grow(Count);
        _sizes.EnsureCapacity(_live.Count);
        _traits.EnsureCapacity(_live.Count);
        workers.ForChunks(end, Chunk, (from, to, _) => ReadRecords(from, to));
    }

    // A mark for each of up to 64 symbols that has all of some attributes.
    private ulong AttributeMarks(int from, int to, Attributes attributes)
    {
        byte* p = _attributes.Pointer + from;
        Vector128<byte> wanted = Vector128.Create((byte)attributes);
        if (to - from == LiveNumbers.BlockSize)
        {
            return Marks(Wanted(p), Wanted(p + 16), Wanted(p + 32), Wanted(p + 48));
        }
        ulong marks = 0;
        for (int i = 0; i < to - from; i++)
        {
            marks |= ((Attributes)p[i] & attributes) == attributes ? 1UL << i : 0;
        }
        return marks;

        Vector128<byte> Wanted(byte* at) => Vector128.Equals(Vector128.Load(at) & wanted, wanted);
    }

    // A mark for each of up to 64 symbols whose kind is in a range, which may go on round the end of the numbers.
    private ulong KindMarks(int from, int to, byte first, byte last)
    {
        byte* p = _kind.Pointer + from;
        byte length = (byte)(last - first);
        Vector128<byte> start = Vector128.Create(first);
        Vector128<byte> most = Vector128.Create(length);
        if (to - from == LiveNumbers.BlockSize)
        {
            return Marks(InRange(p), InRange(p + 16), InRange(p + 32), InRange(p + 48));
        }
        ulong marks = 0;
        for (int i = 0; i < to - from; i++)
        {
            marks |= (byte)(p[i] - first) <= length ? 1UL << i : 0;
        }
        return marks;

        Vector128<byte> InRange(byte* at)
        {
            Vector128<byte> distance = Vector128.Load(at) - start;
            return Vector128.Equals(Vector128.Min(distance, most), distance);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Marks(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d) =>
        a.ExtractMostSignificantBits() | ((ulong)b.ExtractMostSignificantBits() << 16)
        | ((ulong)c.ExtractMostSignificantBits() << 32) | ((ulong)d.ExtractMostSignificantBits() << 48);

    // Records of many symbols are asked for before the first is read: they are in the cache of none of us.
    private void ReadRecords(int from, int to)
    {
        const int Batch = 32;
        SymbolRecord** records = stackalloc SymbolRecord*[Batch];
        byte** auxes = stackalloc byte*[Batch];
        int* numbers = stackalloc int[Batch];
        LiveNumbers.View live = _live.AsView();
        ushort* sizes = _sizes.Pointer;
        ushort* traits = _traits.Pointer;
        // Debug information is read by its function, and never by its record.
        LiveWalk walk = LiveIn(from, to, SymbolKinds.NotDwarf);
        for (bool more = true; more;)
        {
            int count = 0;
            while (count < Batch && (more = walk.MoveNext()))
            {
                SymbolId s = walk.Current;
                if (Locate(s, out int local) is { } o)
                {
                    SymbolRecord* record = o.RecordOf(local);
                    Prefetch.Read(record);
                    records[count] = record;
                    auxes[count] = o.AuxIndex(local);
                    Prefetch.Read(auxes[count]);
                    numbers[count++] = live.Of(s.Index);
                }
            }
            for (int i = 0; i < count; i++)
            {
                SymbolRecord* record = records[i];
                int number = numbers[i];
                uint size = record->Size;
                sizes[number] = (ushort)(size < ushort.MaxValue ? size + 1 : 0);
                traits[number] = (ushort)(TraitsOf(*record) | HasAuxes(auxes[i]));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Traits TraitsOf(in SymbolRecord record)
    {
        // Flags are moved to where their traits are: NoSplit from 16 to 4, TypeLink from 4 to 8, DupOk from 1 to 32, Itab from 2 to 16, Dict
        // from 4 to 256.
        int flags = (int)record.Flags;
        int traits = ((flags & (int)SymbolFlags.NoSplit) >> 2) | ((flags & (int)SymbolFlags.TypeLink) << 1) | ((flags & (int)SymbolFlags.DupOk) << 5)
            | (((int)record.Flags2 & (int)SymbolFlags2.Itab) << 3) | (((int)record.Flags2 & (int)SymbolFlags2.Dict) << 6);
        return Traits.Read | (Traits)traits | AbiTraits(record.Abi)
            | (record.NameLength == 0 ? Traits.Nameless : Traits.None);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Traits AbiTraits(ushort abi) => abi switch
    {
        1 => Traits.None,
        SymbolRecord.StaticAbi => Traits.FileLocal,
        _ => Traits.OtherAbi,
    };

    // What begins elsewhere than where the next one's begin is not empty.
    private static Traits HasAuxes(byte* index) =>
        Unaligned.U32(index) != Unaligned.U32(index + sizeof(uint)) ? Traits.HasAuxes : Traits.None;

    private Traits ReadTraits(SymbolId s)
    {
        if (Locate(s, out int local) is { } o)
        {
            return TraitsOf(o.Symbol(local)) | HasAuxes(o.AuxIndex(local));
        }
        if (s.IsNone)
        {
            return Traits.None;
        }
        ref ExternalRecord e = ref External(s);
        return (e.Version >= StaticVersion ? Traits.FileLocal : e.Version == AbiInternalVersion ? Traits.None : Traits.OtherAbi)
            | (e.NameLength == 0 ? Traits.Nameless : Traits.None)
            | (e.DupOk ? Traits.DupOk : Traits.None)
            | ((Flags2(s) & SymbolFlags2.Dict) != 0 ? Traits.Dict : Traits.None)
            | (Auxes(s, out _).IsEmpty ? Traits.None : Traits.HasAuxes);
    }

    /// <summary>Where a symbol is and how large, looked up together.</summary>
    public Placement PlacementOf(SymbolId s)
    {
        int n = _live.Of(s.Index);
        return (uint)n < (uint)_live.Count && _sizes[(long)n] is not 0 and var size
            && _outer.ByNumber(n) == 0 && _section.ByNumber(n) is < ManySections and var section
                ? new Placement(SymbolId.None, section, size - 1)
                : new Placement(Outer(s), SectionIndex(s), Size(s));
    }

    /// <summary>Forgets what the record says, for the symbol is no longer what its object says.</summary>
    private void ForgetRecord(SymbolId s)
    {
        int n = _live.Of(s.Index);
        if ((uint)n < (uint)_live.Count)
        {
            _sizes[(long)n] = 0;
            _traits[(long)n] = 0;
        }
    }

    /// <summary>Where a symbol is and how large.</summary>
    /// <param name="Outer">The symbol that contains it; none for symbols on their own.</param>
    /// <param name="Section">Index of its section; 0 for none.</param>
    /// <param name="Size">Size in memory, in bytes.</param>
    public readonly record struct Placement(SymbolId Outer, int Section, long Size);

    /// <summary>A walk over live symbols; an enumerator and what is enumerated in one.</summary>
    /// <remarks>
    /// A block of 64 ids is looked at at once, for the attributes and for kinds between the first and the last of the set. Only if the set has
    /// gaps, which few sets have, each symbol's kind is looked at again.
    /// </remarks>
    public ref struct LiveWalk
    {
        private readonly SymbolTable _symbols;
        private readonly ulong _lowKinds;
        private readonly ulong _highKinds;
        private readonly byte _firstKind;
        private readonly byte _lastKind;
        private readonly bool _hasGaps;
        private readonly Attributes _attributes;
        private readonly int _to;

        // The ids from here on that were looked at last, and marks of those that are still to come.
        private int _block;
        private ulong _marks;
        private int _next;

        internal LiveWalk(SymbolTable symbols, int from, int to, UInt128 kinds, Attributes attributes)
        {
            _symbols = symbols;
            _attributes = attributes;
            _next = from;
            _to = to;
            _lowKinds = (ulong)kinds;
            _highKinds = (ulong)(kinds >> 64);
            UInt128 others = ~kinds;
            if ((kinds & 1) != 0 && others != 0)
            {
                // All but a range are themselves one, from behind it round to its front.
                _firstKind = (byte)(128 - (int)UInt128.LeadingZeroCount(others));
                _lastKind = (byte)((int)UInt128.TrailingZeroCount(others) - 1);
                _hasGaps = others != SymbolKinds.Set((SymbolKind)(_lastKind + 1), (SymbolKind)(_firstKind - 1));
            }
            else if (kinds != 0)
            {
                _firstKind = (byte)UInt128.TrailingZeroCount(kinds);
                _lastKind = (byte)(127 - (int)UInt128.LeadingZeroCount(kinds));
                _hasGaps = kinds != SymbolKinds.Set((SymbolKind)_firstKind, (SymbolKind)_lastKind);
            }
            else
            {
                _next = to;
            }
        }

        /// <summary>The symbol at hand.</summary>
        public SymbolId Current { get; private set; }

        /// <summary>The walk itself.</summary>
        public readonly LiveWalk GetEnumerator() => this;

        /// <summary>Goes on to the next symbol; false if there is none.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            ulong marks = _marks;
            if (marks == 0)
            {
                if (!MoveToNextBlock())
                {
                    return false;
                }
                marks = _marks;
            }
            Current = new SymbolId(_block + BitOperations.TrailingZeroCount(marks));
            _marks = marks & (marks - 1);
            return true;
        }

        private bool MoveToNextBlock()
        {
            while (_next < _to)
            {
                _block = _next;
                _next = Math.Min(_to, _block + LiveNumbers.BlockSize);
                ulong marks = _symbols.AttributeMarks(_block, _next, _attributes);
                if (marks != 0)
                {
                    marks &= _symbols.KindMarks(_block, _next, _firstKind, _lastKind);
                    _marks = _hasGaps ? WithoutGaps(marks) : marks;
                    if (_marks != 0)
                    {
                        return true;
                    }
                }
            }
            return false;
        }

        private readonly ulong WithoutGaps(ulong marks)
        {
            ulong met = 0;
            for (ulong left = marks; left != 0; left &= left - 1)
            {
                int i = BitOperations.TrailingZeroCount(left);
                int kind = _symbols._kind.Pointer[_block + i];
                met |= ((kind < 64 ? _lowKinds : _highKinds) >> (kind & 63) & 1) << i;
            }
            return met;
        }
    }
}
