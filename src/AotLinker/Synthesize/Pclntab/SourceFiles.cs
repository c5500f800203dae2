using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The source files that functions mention: their names (runtime.filetab, each name once, in the order of first mention), and for every
/// compilation unit the offsets of its files' names (runtime.cutab).
/// </summary>
internal sealed unsafe class SourceFiles : IDisposable
{
    private const uint NoFile = uint.MaxValue;

    private readonly FunctionList _functions;
    private readonly int _units;
    private readonly int[] _firstFile;
    private readonly int[] _used;
    private readonly int[] _claimed;

    // For every file of every unit: first who mentions it, then 1 + its name's offset.
    private readonly NativeArray<int> _slots;
    private readonly NativeArray<byte> _names = new(0);
    private readonly NativeArray<uint> _unitTable = new(0);
    private int[] _unitOffsets = [];

    /// <summary>Prepares for the units of the functions.</summary>
    public SourceFiles(FunctionList functions)
    {
        _functions = functions;
        int units = _units = functions.Units.Count;
        _firstFile = new int[units + 1];
        for (int u = 0; u < units; u++)
        {
            _firstFile[u + 1] = checked(_firstFile[u] + functions.Units[u].FileCount);
        }
        _used = new int[units];
        _claimed = new int[functions.ChunkCount];
        _slots = new NativeArray<int>(_firstFile[units]);
    }

    /// <summary>Number of different names. Valid after <see cref="Place"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Length of the names in bytes. Valid after <see cref="Place"/>.</summary>
    public long NamesSize { get; private set; }

    /// <summary>Length of the units' table in bytes. Valid after <see cref="Place"/>.</summary>
    public long UnitTableSize => 4L * _unitTable.Length;

    /// <summary>Index in the units' table where a unit's files start. Valid after <see cref="Place"/>.</summary>
    public uint UnitOffset(CompilationUnit unit) => (uint)_unitOffsets[unit.PclnIndex];

    /// <summary>Offsets of the names of a unit's files, in the order of its table. Valid after <see cref="Place"/>.</summary>
    public IEnumerable<uint> NamesOf(CompilationUnit unit)
    {
        int first = _unitOffsets[unit.PclnIndex];
        for (int f = 0; f < _used[unit.PclnIndex]; f++)
        {
            if (_unitTable[first + f] is not NoFile and var name)
            {
                yield return name;
            }
        }
    }

    /// <summary>Number of files of all units.</summary>
    public int FilesOfUnits => _firstFile[_units];

    /// <summary>Number of a unit's file among those of all units.</summary>
    /// <exception cref="LinkException">The unit has no such file.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FileIndex(CompilationUnit unit, uint file)
    {
        int u = unit.PclnIndex;
        long index = _firstFile[u] + (long)file;
        return index < _firstFile[u + 1] ? (int)index : throw unit.Object!.Damaged("file index out of range");
    }

    /// <summary>Learns that a unit's file is in use, from any thread.</summary>
    public void Use(CompilationUnit unit, int file)
    {
        ref int used = ref _used[unit.PclnIndex];
        for (int seen = Volatile.Read(ref used); seen <= file;)
        {
            int was = Interlocked.CompareExchange(ref used, file + 1, seen);
            seen = was == seen ? file + 1 : was;
        }
    }

    /// <summary>Notes that a chunk mentions files.</summary>
    public void Note(int chunk, ReadOnlySpan<int> files)
    {
        foreach (int file in files)
        {
            FirstUse.Note(ref _slots[file], chunk);
        }
    }

    /// <summary>Keeps the files that a chunk is the first to mention; 1 + the number of each takes the place of its number.</summary>
    public void Claim(int chunk, Span<int> files)
    {
        foreach (ref int file in files)
        {
            ref int slot = ref _slots[file];
            bool isFirst = FirstUse.IsFirst(ref slot, chunk);
            file = isFirst ? file + 1 : 0;
            if (isFirst)
            {
                Volatile.Write(ref slot, 0);
                _claimed[chunk]++;
            }
        }
    }

    /// <summary>Drops repeated names and makes both tables.</summary>
    public void Place(FunctionUses functionUses)
    {
        byte[] root = _units == 0 ? [] : RawText.Encode(_functions.Context.Options.Environment.GoRoot);
        byte[] expanded = [];
        using NativeArray<FileUse> claimed = ClaimedFiles(functionUses);
        using NameSet names = new(claimed);
        for (int i = 0; i < (int)claimed.Length; i++)
        {
            ref FileUse use = ref claimed[i];
            int first = names.FindOrAdd(i);
            if (first == i)
            {
                _slots[use.File] = TableLength.Check(NamesSize + 1, "file names");
                AddName(SourceFileNames.Expand(use.Name, root, ref expanded));
                Count++;
            }
            else
            {
                _slots[use.File] = _slots[claimed[first].File];
            }
        }
        _names.Resize(NamesSize);
        MakeUnitTable(names);
        _slots.Dispose();
    }

    /// <summary>Fills a piece of the names.</summary>
    public void FillNames(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        // The symbol is rounded up to a pointer's size, with zeros.
        new PieceWriter(piece, offset, false).Bytes(0, _names.AsSpan()[..(int)NamesSize]);
    }

    /// <summary>Fills a piece of the units' table.</summary>
    public void FillUnitTable(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (long i = offset / 4; i < UnitTableSize / 4 && 4 * i < writer.End; i++)
        {
            writer.UInt32(4 * i, _unitTable[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    // The names in the order of first mention, one for each unit that mentions it.
    private NativeArray<FileUse> ClaimedFiles(FunctionUses functionUses)
    {
        int[] starts = new int[_claimed.Length];
        int count = 0;
        for (int c = 0; c < starts.Length; c++)
        {
            starts[c] = count;
            count += _claimed[c];
        }
        NativeArray<FileUse> claimed = new(count);
        _functions.ForChunks((chunk, _, _) =>
        {
            int at = starts[chunk];
            int unit = 0;
            foreach (int entry in functionUses.Of(chunk, FunctionUses.Sort.File))
            {
                if (entry != 0)
                {
                    int file = entry - 1;
                    unit = UnitOf(file, unit);
                    claimed[at++] = new FileUse(file, _functions.Units[unit].FileName(file - _firstFile[unit]));
                }
            }
        });
        return claimed;
    }

    // The unit that a file is of; often that of the file before.
    private int UnitOf(int file, int guess)
    {
        if (_firstFile[guess] <= file && file < _firstFile[guess + 1])
        {
            return guess;
        }
        int low = 0;
        int high = _units;
        while (high - low > 1)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _firstFile[middle] <= file ? (middle, high) : (low, middle);
        }
        return low;
    }

    private void AddName(ReadOnlySpan<byte> name)
    {
        int at = (int)NamesSize;
        int end = TableLength.Check((long)at + name.Length + 1, "file names");
        if (end > _names.Length)
        {
            _names.Resize(Math.Max(end, Math.Max(_names.Length * 2, 1 << 14)));
        }
        name.CopyTo(_names.AsSpan()[at..]);
        _names[end - 1] = 0;
        NamesSize = end;
    }

    private void MakeUnitTable(NameSet names)
    {
        int units = _units;
        _unitOffsets = new int[units];
        int total = 0;
        for (int u = 0; u < units; u++)
        {
            _unitOffsets[u] = total;
            total = checked(total + _used[u]);
        }
        _unitTable.Resize(total);
        _functions.Context.Workers.ForChunks(units, 16, (from, to, _) =>
        {
            for (int u = from; u < to; u++)
            {
                for (int f = 0; f < _used[u]; f++)
                {
                    int file = _firstFile[u] + f;
                    int slot = _slots[file];
                    if (slot == 0)
                    {
                        // Nothing live mentions the file in this unit, but another unit may.
                        int same = names.Find(new FileUse(file, _functions.Units[u].FileName(f)));
                        slot = same < 0 ? 0 : _slots[same];
                    }
                    _unitTable[_unitOffsets[u] + f] = slot == 0 ? NoFile : (uint)slot - 1;
                }
            }
        });
    }

    /// <summary>A file of a unit, and its name where it lies in the object.</summary>
    private readonly struct FileUse
    {
        private readonly byte* _name;
        private readonly int _length;

        public FileUse(int file, ReadOnlySpan<byte> name)
        {
            File = file;
            Hash = NameTable.Hash(name, 0);
            _name = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name));
            _length = name.Length;
        }

        /// <summary>Its index among all units' files.</summary>
        public int File { get; }

        /// <summary>Hash of the name.</summary>
        public ulong Hash { get; }

        /// <summary>The name.</summary>
        public ReadOnlySpan<byte> Name => new(_name, _length);
    }

    /// <summary>Files by name: a table of places in a list, open addressing.</summary>
    private sealed class NameSet(NativeArray<FileUse> files) : IDisposable
    {
        private readonly NativeArray<int> _table = new(1 << 10);
        private int _count;

        /// <summary>Where the first file of the same name stands in the list: the place given if it is a new one.</summary>
        public int FindOrAdd(int place)
        {
            ref int entry = ref EntryOf(files[place]);
            if (entry != 0)
            {
                return entry - 1;
            }
            entry = place + 1;
            if (++_count * 2 > _table.Length)
            {
                Grow();
            }
            return place;
        }

        /// <summary>Index of the first file of this name; -1 if there is none.</summary>
        public int Find(in FileUse use) => EntryOf(use) is not 0 and var entry ? files[entry - 1].File : -1;

        /// <inheritdoc/>
        public void Dispose() => _table.Dispose();

        private ref int EntryOf(in FileUse use)
        {
            int mask = (int)_table.Length - 1;
            int i = (int)use.Hash & mask;
            while (_table[i] != 0)
            {
                ref FileUse other = ref files[_table[i] - 1];
                if (other.Hash == use.Hash && other.Name.SequenceEqual(use.Name))
                {
                    break;
                }
                i = (i + 1) & mask;
            }
            return ref _table[i];
        }

        private void Grow()
        {
            using NativeArray<int> old = new(_table.Length);
            _table.AsSpan().CopyTo(old.AsSpan());
            _table.Resize(_table.Length * 2);
            _table.AsSpan().Clear();
            foreach (int entry in old.AsSpan())
            {
                if (entry != 0)
                {
                    EntryOf(files[entry - 1]) = entry;
                }
            }
        }
    }
}
