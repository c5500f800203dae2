using System.Diagnostics.CodeAnalysis;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Makes the header of a unit's line table: the parameters of the line programs, directories and files (ld.writelines,
/// writeDirFileTables). One instance serves one thread.
/// </summary>
/// <remarks>
/// A unit names every file that a function inlined into it comes from, so that the same directories come up over and over: their names are
/// worked out once and kept.
/// </remarks>
internal sealed class LineHeader(LinkContext ctx)
{
    // Parameters that the compiler relies on when it writes line programs.
    private const int LineBase = -4;
    private const int LineRange = 10;
    private const int OpcodeBase = 11;

    // DW_LNCT_* and DW_FORM_* of the standard.
    private const int Path = 1;
    private const int DirectoryIndex = 2;
    private const int FormString = 8;
    private const int FormUData = 15;

    private readonly bool _isDwarf5 = DebugInfo.IsDwarf5(ctx);
    private readonly byte[] _goRoot = RawText.Encode(ctx.Options.Environment.GoRoot);
    private readonly Dictionary<byte[], int> _byObjectName = new(ByteOrder.Instance);
    private readonly Dictionary<byte[], int> _byName = new(ByteOrder.Instance);
    private readonly List<byte[]> _names = [];

    // For the unit at hand: the number of each directory, valid where the stamp is the unit's; the directories in order; the directory
    // of each file.
    private (int Stamp, int Number)[] _numbers = new (int, int)[64];
    private int[] _directories = new int[64];
    private int _directoryCount;
    private int[] _fileDirectories = new int[256];
    private int _stamp;
    private byte[] _expanded = [];

    /// <summary>The header; its first field, the length of the unit, is left 0.</summary>
    public byte[] Make(CompilationUnit unit)
    {
        NumberDirectories(unit);
        DwarfFormat format = new(ctx.Target.HasDwarf64);
        DieSize size = new(ctx.Target.PointerSize, format);
        Write(ref size, unit);
        byte[] header = new byte[size.Length];
        DieWriter w = new(header, ctx.Target.PointerSize, ctx.Target.IsBigEndian, format);
        Write(ref w, unit);
        return header;
    }

    /// <summary>
    /// File name of the runtime's script for gdb, which lies beside a file that every program has; null if the unit does not have that.
    /// </summary>
    public string? FindScript(CompilationUnit unit)
    {
        for (int i = 0; i < unit.FileCount; i++)
        {
            string name = RawText.Decode(SourceFileNames.Expand(unit.FileName(i), _goRoot, ref _expanded));
            int at = name.IndexOf("runtime/proc.go", StringComparison.Ordinal);
            if (at >= 0)
            {
                return name[..at] + "runtime/runtime-gdb.py";
            }
        }
        return null;
    }

    private void NumberDirectories(CompilationUnit unit)
    {
        _stamp++;
        _directoryCount = 0;
        Number("."u8);
        if (_fileDirectories.Length < unit.FileCount)
        {
            _fileDirectories = new int[unit.FileCount * 2];
        }
        ReadOnlySpan<byte> previous = default;
        int number = 0;
        for (int i = 0; i < unit.FileCount; i++)
        {
            SourcePath.Split(SourceFileNames.WithoutPrefix(unit.FileName(i)), out ReadOnlySpan<byte> directory, out _);
            if (i == 0 || !directory.SequenceEqual(previous))
            {
                number = Number(directory);
                previous = directory;
            }
            _fileDirectories[i] = number;
        }
    }

    // The number in this unit of a directory, by its name in the object.
    private int Number(ReadOnlySpan<byte> objectName)
    {
        var byObjectName = _byObjectName.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!byObjectName.TryGetValue(objectName, out int id))
        {
            // Different names may mean the same directory.
            byte[] name = SourcePath.Clean(SourceFileNames.Expand(objectName, _goRoot, ref _expanded));
            if (!_byName.TryGetValue(name, out id))
            {
                id = _names.Count;
                _names.Add(name);
                _byName.Add(name, id);
            }
            byObjectName[objectName] = id;
        }
        if (id >= _numbers.Length)
        {
            Array.Resize(ref _numbers, id * 2);
        }
        if (_numbers[id].Stamp != _stamp)
        {
            if (_directoryCount == _directories.Length)
            {
                Array.Resize(ref _directories, _directoryCount * 2);
            }
            _numbers[id] = (_stamp, _directoryCount);
            _directories[_directoryCount++] = id;
        }
        return _numbers[id].Number;
    }

    private void Write<TSink>(ref TSink w, CompilationUnit unit)
        where TSink : IDieSink, allows ref struct
    {
        w.UnitLength(0);
        w.UInt16((ushort)(_isDwarf5 ? 5 : 2));
        if (_isDwarf5)
        {
            w.Byte(ctx.Target.PointerSize);
            w.Byte(0);
        }
        int lengthAt = w.Length;
        w.Offset(0);
        int start = w.Length;
        // Minimum instruction length; maximum operations per instruction.
        w.Byte(1);
        if (_isDwarf5)
        {
            w.Byte(1);
        }
        // A line begins a statement by default.
        w.Byte(1);
        w.Byte(LineBase);
        w.Byte(LineRange);
        w.Byte(OpcodeBase);
        // Number of operands of each standard opcode.
        w.Bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0]);
        if (_isDwarf5)
        {
            WriteTables5(ref w, unit);
        }
        else
        {
            WriteTables4(ref w, unit);
        }
        w.SetOffset(lengthAt, (ulong)(w.Length - start));
    }

    private void WriteTables5<TSink>(ref TSink w, CompilationUnit unit)
        where TSink : IDieSink, allows ref struct
    {
        // How a directory is written, then the directories; the same for files.
        w.Byte(1);
        w.Unsigned(Path);
        w.Unsigned(FormString);
        w.Unsigned((ulong)_directoryCount);
        WriteDirectories(ref w, 0);
        w.Byte(2);
        w.Unsigned(Path);
        w.Unsigned(FormString);
        w.Unsigned(DirectoryIndex);
        w.Unsigned(FormUData);
        w.Unsigned((ulong)unit.FileCount + 1);
        // Entry 0 is never referred to. An empty name crashes some versions of GDB.
        w.Bytes("?\0\0"u8);
        for (int i = 0; i < unit.FileCount; i++)
        {
            WriteFileName(ref w, unit, i);
            w.Unsigned((ulong)_fileDirectories[i]);
        }
    }

    private void WriteTables4<TSink>(ref TSink w, CompilationUnit unit)
        where TSink : IDieSink, allows ref struct
    {
        // Directory 0 needs no entry.
        WriteDirectories(ref w, 1);
        w.Byte(0);
        for (int i = 0; i < unit.FileCount; i++)
        {
            WriteFileName(ref w, unit, i);
            w.Unsigned((ulong)_fileDirectories[i]);
            // Modification time and length are not known.
            w.UInt16(0);
        }
        w.Byte(0);
    }

    private void WriteDirectories<TSink>(ref TSink w, int from)
        where TSink : IDieSink, allows ref struct
    {
        for (int i = from; i < _directoryCount; i++)
        {
            w.Bytes(_names[_directories[i]]);
            w.Byte(0);
        }
    }

    private static void WriteFileName<TSink>(ref TSink w, CompilationUnit unit, int i)
        where TSink : IDieSink, allows ref struct
    {
        ReadOnlySpan<byte> name = SourceFileNames.WithoutPrefix(unit.FileName(i));
        SourcePath.Split(name, out _, out ReadOnlySpan<byte> file);
        w.Bytes(name.IsEmpty ? System.Text.Encoding.UTF8.GetBytes($"<missing>_{i}") : file);
        w.Byte(0);
    }

    /// <summary>Byte strings as keys.</summary>
    private sealed class ByteOrder : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)NameTable.Hash(alternate, 0);
    }
}
