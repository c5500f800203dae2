using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The source files that functions mention: their names (runtime.filetab, each name once, in the order of first mention), and for every
/// compilation unit the offsets of its files' names (runtime.cutab).
/// </summary>
internal sealed class SourceFiles : IDisposable
{
    private const uint NoFile = uint.MaxValue;

    private readonly FunctionList _functions;
    private readonly int _units;
    private readonly int[] _firstFile;
    private readonly int[] _used;
    private readonly List<(int File, ulong Hash)>[] _claimed;

    // For every file of every unit: first who mentions it, then 1 + its name's offset.
    private readonly NativeArray<int> _slots;
    private byte[] _names = [];
    private uint[] _unitTable = [];
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
        _claimed = new List<(int, ulong)>[functions.ChunkCount];
        _slots = new NativeArray<int>(_firstFile[units]);
    }

    /// <summary>Number of different names. Valid after <see cref="Place"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Length of the names in bytes. Valid after <see cref="Place"/>.</summary>
    public long NamesSize => _names.Length;

    /// <summary>Length of the units' table in bytes. Valid after <see cref="Place"/>.</summary>
    public long UnitTableSize => 4L * _unitTable.Length;

    /// <summary>Index in the units' table where a unit's files start. Valid after <see cref="Place"/>.</summary>
    public uint UnitOffset(CompilationUnit unit) => (uint)_unitOffsets[unit.PclnIndex];

    /// <summary>First loop: notes the files that function <paramref name="i"/> mentions.</summary>
    public void Note(int i, in FunctionParts parts)
    {
        if (!parts.Info.IsValid)
        {
            return;
        }
        CompilationUnit unit = parts.Owner!.Unit;
        uint most = 0;
        for (int k = 0; k < parts.Info.FileCount; k++)
        {
            NoteOne(i, unit, parts.Info.File(k), ref most);
        }
        for (int k = 0; k < parts.Info.InlineCount; k++)
        {
            NoteOne(i, unit, parts.Info.Inlined(k).File, ref most);
        }
        ref int used = ref _used[unit.PclnIndex];
        for (int seen = Volatile.Read(ref used); seen < most;)
        {
            int was = Interlocked.CompareExchange(ref used, (int)most, seen);
            seen = was == seen ? (int)most : was;
        }
    }

    /// <summary>Second loop: lists the files that function <paramref name="i"/> is the first of its unit to mention.</summary>
    public void Claim(int chunk, int i, in FunctionParts parts)
    {
        if (!parts.Info.IsValid)
        {
            return;
        }
        CompilationUnit unit = parts.Owner!.Unit;
        for (int k = 0; k < parts.Info.FileCount; k++)
        {
            ClaimOne(chunk, i, unit, parts.Info.File(k));
        }
        for (int k = 0; k < parts.Info.InlineCount; k++)
        {
            ClaimOne(chunk, i, unit, parts.Info.Inlined(k).File);
        }
    }

    /// <summary>Drops repeated names and makes both tables.</summary>
    public void Place()
    {
        byte[] root = _units == 0 ? [] : RawText.Encode(_functions.Context.Options.Environment.GoRoot);
        NameSet names = new();
        ArrayBufferWriter bytes = new();
        byte[] expanded = [];
        foreach (List<(int File, ulong Hash)>? list in _claimed)
        {
            if (list is null)
            {
                continue;
            }
            foreach ((int file, ulong hash) in list)
            {
                ReadOnlySpan<byte> name = NameOf(file, out _);
                if (names.TryAdd(hash, file, name, this, out int first))
                {
                    _slots[file] = bytes.Length + 1;
                    bytes.AddWithZero(SourceFileNames.Expand(name, root, ref expanded));
                    Count++;
                }
                else
                {
                    _slots[file] = _slots[first];
                }
            }
        }
        _names = bytes.ToArray();
        MakeUnitTable(names);
        _slots.Dispose();
    }

    /// <summary>Fills a piece of the names.</summary>
    public void FillNames(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        // The symbol is rounded up to a pointer's size.
        piece.Clear();
        new PieceWriter(piece, offset, false).Bytes(0, _names);
    }

    /// <summary>Fills a piece of the units' table.</summary>
    public void FillUnitTable(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        for (long i = offset / 4; i < _unitTable.Length && 4 * i < writer.End; i++)
        {
            writer.UInt32(4 * i, _unitTable[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

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
        _unitTable = new uint[total];
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
                        ReadOnlySpan<byte> name = _functions.Units[u].FileName(f);
                        int same = names.Find(NameTable.Hash(name, 0), name, this);
                        slot = same < 0 ? 0 : _slots[same];
                    }
                    _unitTable[_unitOffsets[u] + f] = slot == 0 ? NoFile : (uint)slot - 1;
                }
            }
        });
    }

    private int FileIndex(CompilationUnit unit, uint file)
    {
        if (file >= (uint)unit.FileCount)
        {
            throw unit.Object!.Damaged("file index out of range");
        }
        return _firstFile[unit.PclnIndex] + (int)file;
    }

    private void NoteOne(int i, CompilationUnit unit, uint file, ref uint most)
    {
        FirstUse.Note(ref _slots[FileIndex(unit, file)], i);
        most = Math.Max(most, file + 1);
    }

    private void ClaimOne(int chunk, int i, CompilationUnit unit, uint file)
    {
        int index = FileIndex(unit, file);
        ref int slot = ref _slots[index];
        if (FirstUse.IsFirst(ref slot, i))
        {
            Volatile.Write(ref slot, 0);
            (_claimed[chunk] ??= []).Add((index, NameTable.Hash(unit.FileName((int)file), 0)));
        }
    }

    private ReadOnlySpan<byte> NameOf(int file, out int unit)
    {
        int low = 0;
        int high = _units;
        while (high - low > 1)
        {
            int middle = (low + high) >>> 1;
            if (_firstFile[middle] <= file)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }
        unit = low;
        return _functions.Units[low].FileName(file - _firstFile[low]);
    }

    /// <summary>Files by name: open addressing over (hash, file).</summary>
    private sealed class NameSet
    {
        private (ulong Hash, int File)[] _table = New(1024);
        private int _count;

        /// <summary>Adds a file; false if one of the same name is there, which is then <paramref name="first"/>.</summary>
        public bool TryAdd(ulong hash, int file, ReadOnlySpan<byte> name, SourceFiles files, out int first)
        {
            int at = Slot(hash, name, files);
            first = _table[at].File;
            if (first >= 0)
            {
                return false;
            }
            first = file;
            _table[at] = (hash, file);
            if (++_count * 2 > _table.Length)
            {
                Grow();
            }
            return true;
        }

        /// <summary>A file of the name; -1 if there is none.</summary>
        public int Find(ulong hash, ReadOnlySpan<byte> name, SourceFiles files) => _table[Slot(hash, name, files)].File;

        private int Slot(ulong hash, ReadOnlySpan<byte> name, SourceFiles files)
        {
            int mask = _table.Length - 1;
            for (int i = (int)hash & mask; ; i = (i + 1) & mask)
            {
                (ulong otherHash, int other) = _table[i];
                if (other < 0 || (otherHash == hash && files.NameOf(other, out int _).SequenceEqual(name)))
                {
                    return i;
                }
            }
        }

        private void Grow()
        {
            (ulong Hash, int File)[] old = _table;
            _table = New(old.Length * 2);
            int mask = _table.Length - 1;
            foreach ((ulong hash, int file) in old)
            {
                if (file >= 0)
                {
                    int i = (int)hash & mask;
                    while (_table[i].File >= 0)
                    {
                        i = (i + 1) & mask;
                    }
                    _table[i] = (hash, file);
                }
            }
        }

        private static (ulong Hash, int File)[] New(int length)
        {
            (ulong Hash, int File)[] table = new (ulong, int)[length];
            Array.Fill(table, (0UL, -1));
            return table;
        }
    }

    /// <summary>Bytes that grow at the end.</summary>
    private sealed class ArrayBufferWriter
    {
        private byte[] _bytes = new byte[1 << 14];

        /// <summary>Number of bytes.</summary>
        public int Length { get; private set; }

        /// <summary>Adds a name and a zero byte.</summary>
        public void AddWithZero(ReadOnlySpan<byte> name)
        {
            int end = checked(Length + name.Length + 1);
            if (end > _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(end, _bytes.Length * 2));
            }
            name.CopyTo(_bytes.AsSpan(Length));
            Length = end;
        }

        /// <summary>All bytes.</summary>
        public byte[] ToArray() => _bytes.AsSpan(0, Length).ToArray();
    }
}
