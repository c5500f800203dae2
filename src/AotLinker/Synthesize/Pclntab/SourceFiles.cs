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
    private readonly List<FileUse>[] _claimed;

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
        _claimed = new List<FileUse>[functions.ChunkCount];
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
        foreach (List<FileUse>? list in _claimed)
        {
            if (list is null)
            {
                continue;
            }
            foreach (FileUse use in list)
            {
                FileUse first = names.FindOrAdd(use);
                if (first.Slot == use.Slot)
                {
                    _slots[use.Slot] = bytes.Length + 1;
                    bytes.AddWithZero(SourceFileNames.Expand(use.Name, root, ref expanded));
                    Count++;
                }
                else
                {
                    _slots[use.Slot] = _slots[first.Slot];
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
                        FileUse same = names.Find(new FileUse(file, _functions.Units[u].FileName(f)));
                        slot = same.IsNone ? 0 : _slots[same.Slot];
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
            (_claimed[chunk] ??= []).Add(new FileUse(index, unit.FileName((int)file)));
        }
    }

    /// <summary>A file of a unit, by its slot, and its name where it lies in the object.</summary>
    private readonly struct FileUse
    {
        private readonly byte* _name;
        private readonly int _length;

        public FileUse(int slot, ReadOnlySpan<byte> name)
        {
            Slot = slot;
            Hash = NameTable.Hash(name, 0);
            _name = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name));
            _length = name.Length;
        }

        /// <summary>The slot.</summary>
        public int Slot { get; }

        /// <summary>Hash of the name.</summary>
        public ulong Hash { get; }

        /// <summary>The name.</summary>
        public ReadOnlySpan<byte> Name => new(_name, _length);

        /// <summary>Whether this is no file at all.</summary>
        public bool IsNone => _name == null;
    }

    /// <summary>Files by name, open addressing.</summary>
    private sealed class NameSet
    {
        private FileUse[] _table = new FileUse[1024];
        private int _count;

        /// <summary>The first file of this name, which may be the one given.</summary>
        public FileUse FindOrAdd(in FileUse use)
        {
            int at = Place(_table, use);
            if (_table[at].IsNone)
            {
                _table[at] = use;
                if (++_count * 2 > _table.Length)
                {
                    Grow();
                }
                return use;
            }
            return _table[at];
        }

        /// <summary>The first file of this name; none if there is none.</summary>
        public FileUse Find(in FileUse use) => _table[Place(_table, use)];

        private static int Place(FileUse[] table, in FileUse use)
        {
            int mask = table.Length - 1;
            int i = (int)use.Hash & mask;
            while (!table[i].IsNone && (table[i].Hash != use.Hash || !table[i].Name.SequenceEqual(use.Name)))
            {
                i = (i + 1) & mask;
            }
            return i;
        }

        private void Grow()
        {
            FileUse[] grown = new FileUse[_table.Length * 2];
            foreach (ref readonly FileUse use in _table.AsSpan())
            {
                if (!use.IsNone)
                {
                    grown[Place(grown, use)] = use;
                }
            }
            _table = grown;
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
