using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AotLinker.Objects;

/// <summary>What passes after reach ask of live symbols again and again: their numbers, and what their records say.</summary>
internal sealed unsafe partial class SymbolTable
{
    private readonly LiveNumbers _live = new();

    // For each number that was given to a definition: its size plus one, 0 where it must be looked for elsewhere, and its traits. The few
    // sizes that fit no sixteen bits are looked for, too.
    private readonly NativeColumn<ushort> _sizes = new();
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
        /// <summary>A dictionary of a generic function.</summary>
        Dict = 64,
        /// <summary>With auxiliary symbols.</summary>
        HasAuxes = 128,
    }

    /// <summary>The numbers of live symbols, given by <see cref="NumberLive"/>.</summary>
    public LiveNumbers Live => _live;

    /// <summary>Traits of a symbol; changed and linker-made symbols have those that don't come from an object.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Traits TraitsOf(SymbolId s)
    {
        int n = _live.Of(s.Index);
        return (uint)n < (uint)_live.Count && _sizes[(long)n] != 0 ? (Traits)_traits[(long)n] : ReadTraits(s);
    }

    /// <summary>
    /// The live symbols with ids from <paramref name="from"/> on, before <paramref name="to"/>, whose kind is one of <paramref
    /// name="kinds"/>, in the order of ids: for walks over all symbols, most of which are dead. What becomes live during the walk may be
    /// missed.
    /// </summary>
    public LiveWalk LiveIn(int from, int to, UInt128 kinds)
    {
        if ((uint)to > (uint)Count || from < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(to));
        }
        return new LiveWalk(this, Math.Max(from, 1), to, kinds);
    }

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
                _live.SetMarks(id, ReachableMarks(id, stop) | (hasDebugInfo ? KindMarks(id, stop, SymbolKind.DwarfAbsFcn) : 0));
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

    private ulong KindMarks(int from, int to, SymbolKind kind)
    {
        byte* kinds = _kind.Pointer;
        ulong marks = 0;
        int i = from;
        for (; i + Vector128<byte>.Count <= to; i += Vector128<byte>.Count)
        {
            Vector128<byte> isKind = Vector128.Equals(Vector128.Load(kinds + i), Vector128.Create((byte)kind));
            marks |= (ulong)isKind.ExtractMostSignificantBits() << (i - from);
        }
        for (; i < to; i++)
        {
            marks |= (kinds[i] == (byte)kind ? 1UL : 0) << (i - from);
        }
        return marks;
    }

    // Records of many symbols are asked for before the first is read: they are in the cache of none of us.
    private void ReadRecords(int from, int to)
    {
        const int Batch = 32;
        SymbolRecord** records = stackalloc SymbolRecord*[Batch];
        byte** auxes = stackalloc byte*[Batch];
        int* numbers = stackalloc int[Batch];
        // Debug information is read by its function, and never by its record.
        LiveWalk walk = LiveIn(from, to, SymbolKinds.NotDwarf);
        for (bool more = true; more;)
        {
            int count = 0;
            while (count < Batch && (more = walk.MoveNext()))
            {
                SymbolId s = walk.Current;
                if (Has(s, Attributes.Elsewhere))
                {
                    continue;
                }
                GoObject o = Locate(s, out int local)!;
                ref readonly SymbolRecord record = ref o.Symbol(local);
                records[count] = (SymbolRecord*)Unsafe.AsPointer(ref Unsafe.AsRef(in record));
                Prefetch.Read(records[count]);
                auxes[count] = o.AuxIndex(local);
                Prefetch.Read(auxes[count]);
                numbers[count++] = _live.Of(s.Index);
            }
            for (int i = 0; i < count; i++)
            {
                uint size = records[i]->Size;
                _sizes[(long)numbers[i]] = (ushort)(size < ushort.MaxValue ? size + 1 : 0);
                _traits[(long)numbers[i]] = (byte)(TraitsOf(*records[i]) | HasAuxes(auxes[i]));
            }
        }
    }

    private static Traits TraitsOf(in SymbolRecord record)
    {
        // Flags are moved to where their traits are: NoSplit from 16 to 4, TypeLink from 4 to 8, DupOk from 1 to 32, Itab from 2 to 16, Dict
        // from 4 to 64.
        int flags = (int)record.Flags;
        int traits = ((flags & (int)SymbolFlags.NoSplit) >> 2) | ((flags & (int)SymbolFlags.TypeLink) << 1) | ((flags & (int)SymbolFlags.DupOk) << 5)
            | (((int)record.Flags2 & (int)SymbolFlags2.Itab) << 3) | (((int)record.Flags2 & (int)SymbolFlags2.Dict) << 4);
        return (Traits)traits | (record.Abi == SymbolRecord.StaticAbi ? Traits.FileLocal : Traits.None)
            | (record.NameLength == 0 ? Traits.Nameless : Traits.None);
    }

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
        return (e.Version >= StaticVersion ? Traits.FileLocal : Traits.None) | (e.NameLength == 0 ? Traits.Nameless : Traits.None)
            | (e.DupOk ? Traits.DupOk : Traits.None)
            | ((Flags2(s) & SymbolFlags2.Dict) != 0 ? Traits.Dict : Traits.None)
            | (Auxes(s, out _).IsEmpty ? Traits.None : Traits.HasAuxes);
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

    /// <summary>A walk over live symbols; an enumerator and what is enumerated in one.</summary>
    public ref struct LiveWalk
    {
        private readonly SymbolTable _symbols;
        private readonly ulong _lowKinds;
        private readonly ulong _highKinds;
        private readonly int _to;

        // The ids from here on that were looked at last, and marks of those that are still to come.
        private int _block;
        private ulong _marks;
        private int _next;

        internal LiveWalk(SymbolTable symbols, int from, int to, UInt128 kinds)
        {
            _symbols = symbols;
            _next = from;
            _to = to;
            _lowKinds = (ulong)kinds;
            _highKinds = (ulong)(kinds >> 64);
        }

        /// <summary>The symbol at hand.</summary>
        public SymbolId Current { get; private set; }

        /// <summary>The walk itself.</summary>
        public readonly LiveWalk GetEnumerator() => this;

        /// <summary>Goes on to the next symbol; false if there is none.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            while (_marks != 0 || MoveToNextBlock())
            {
                int id = _block + BitOperations.TrailingZeroCount(_marks);
                _marks &= _marks - 1;
                int kind = _symbols._kind.Pointer[id];
                if (((kind < 64 ? _lowKinds : _highKinds) >> (kind & 63) & 1) != 0)
                {
                    Current = new SymbolId(id);
                    return true;
                }
            }
            return false;
        }

        private bool MoveToNextBlock()
        {
            while (_next < _to)
            {
                _block = _next;
                _next = Math.Min(_to, _block + LiveNumbers.BlockSize);
                _marks = _symbols.ReachableMarks(_block, _next);
                if (_marks != 0)
                {
                    return true;
                }
            }
            return false;
        }
    }
}
