using System.Diagnostics.CodeAnalysis;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Finds the directories and files that the header of a unit's line table lists (ld.writeDirFileTables). One instance serves one thread.
/// </summary>
/// <remarks>
/// A unit names every file that a function inlined into it comes from, so that the same directories come up over and over: their names are
/// worked out once and kept.
/// </remarks>
internal sealed class LineFileFinder(LinkContext ctx, MemoryArena memory)
{
    private readonly byte[] _goRoot = RawText.Encode(ctx.Options.Environment.GoRoot);
    private readonly Dictionary<byte[], int> _byObjectName = new(ByteOrder.Instance);
    private readonly Dictionary<byte[], int> _byName = new(ByteOrder.Instance);
    private readonly List<byte[]> _names = [];

    // For the unit at hand: the number of each directory, valid where the stamp is the unit's; the directories in order.
    private (int Stamp, int Number)[] _numbers = new (int, int)[64];
    private int[] _directories = new int[64];
    private int _directoryCount;
    private int _stamp;
    private byte[] _expanded = [];

    /// <summary>The directories and files of a unit with code.</summary>
    public LineFiles Find(CompilationUnit unit)
    {
        _stamp++;
        _directoryCount = 0;
        Number("."u8);
        NativeSpan<LineFile> files = NativeSpan<LineFile>.Of(memory, unit.FileCount);
        ReadOnlySpan<byte> previous = default;
        int number = 0;
        for (int i = 0; i < files.Length; i++)
        {
            SourcePath.Split(SourceFileNames.WithoutPrefix(unit.FileName(i)), out ReadOnlySpan<byte> directory, out _);
            if (i == 0 || !directory.SequenceEqual(previous))
            {
                number = Number(directory);
                previous = directory;
            }
            files[i] = new LineFile(number, directory.Length);
        }
        byte[][] directories = new byte[_directoryCount][];
        for (int i = 0; i < directories.Length; i++)
        {
            directories[i] = _names[_directories[i]];
        }
        return new LineFiles(ctx, unit, directories, files);
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
